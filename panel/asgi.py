"""The web process: `/live` in raw ASGI, all the rest to Django in a thread pool."""

import asyncio
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
# The queue has no end: a slow reader waits in memory, not in one of the few threads.
_pages: Any = WSGIMiddleware(cast(Any, pages), workers=settings.WEB_THREADS, send_queue_size=0)
_hub: Hub | None = None
BODY_BYTES, BODY_S = 1_000_000, 10.0  # no form of ours is larger, no honest browser slower


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    elif scope["type"] == "http" and scope["path"] == "/live" and _hub:
        await live(_hub, scope, receive, send)
    elif scope["type"] == "http":
        await _page(scope, receive, send)


async def _page(scope: Scope, receive: Receive, send: Send) -> None:
    """The whole body first: a thread is taken only for a request that has arrived, and strangers send slowly."""
    body = bytearray()
    is_whole = False
    try:
        async with asyncio.timeout(BODY_S):
            while not is_whole and len(body) <= BODY_BYTES:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return
                body += message.get("body", b"")
                is_whole = not message.get("more_body")
    except TimeoutError:
        return await _refuse(send, 408)
    if len(body) > BODY_BYTES:
        return await _refuse(send, 413)

    async def whole() -> dict[str, Any]:
        return {"type": "http.request", "body": bytes(body), "more_body": False}

    await _pages(scope, whole, send)


async def _refuse(send: Send, status: int) -> None:
    headers = [(b"content-type", b"text/plain"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


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
