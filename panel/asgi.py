"""The web process: `/live` in raw ASGI, all the rest to Django in a thread pool."""

import os
from typing import Any, cast

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "panel.settings")
django.setup()

from a2wsgi import WSGIMiddleware  # noqa: E402 -- Django first
from django.conf import settings  # noqa: E402

from panel.live.hub import Hub  # noqa: E402
from panel.live.stream import Receive, Scope, Send, live  # noqa: E402
from panel.wsgi import application as pages  # noqa: E402

# Django and a2wsgi describe the same protocols in different types.
_pages: Any = WSGIMiddleware(cast(Any, pages), workers=settings.WEB_THREADS)
_hub: Hub | None = None


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    elif scope["type"] == "http" and scope["path"] == "/live" and _hub:
        await live(_hub, scope, receive, send)
    elif scope["type"] == "http":
        await _pages(scope, receive, send)


async def _lifespan(receive: Receive, send: Send) -> None:
    global _hub  # noqa: PLW0603 -- one hub a process, made inside its event loop
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            _hub = Hub()
            _hub.start()
            await send({"type": "lifespan.startup.complete"})
        else:
            if _hub:
                await _hub.stop()
            return await send({"type": "lifespan.shutdown.complete"})
