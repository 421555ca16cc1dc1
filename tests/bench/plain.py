"""The floor of a page over HTTP: one plain query and one plain template behind the server that the panel has."""

import os
from collections.abc import Callable, Iterable
from typing import Any, cast

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "panel.settings")
django.setup()

from a2wsgi import WSGIMiddleware  # noqa: E402 -- Django first
from django.conf import settings  # noqa: E402

from panel.teams.models import default_team  # noqa: E402
from tests.bench.pages import plain_rows  # noqa: E402


def page(_environ: dict[str, Any], start: Callable[..., object]) -> Iterable[bytes]:
    body = plain_rows(default_team().pk).encode()
    start("200 OK", [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(body)))])
    return [body]


application: Any = WSGIMiddleware(cast(Any, page), workers=settings.WEB_THREADS, send_queue_size=0)
