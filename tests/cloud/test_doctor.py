"""`manage.py cloud_doctor` against a real server: the sandbox's own document, one that differs, and no document."""

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from typing import Any

import httpx
import pytest
from django.core.management import CommandError, call_command

from cloud.endpoints import Endpoints
from cloud.sandbox.app import create_app
from cloud.sandbox.sandbox import Sandbox


@pytest.fixture
def document() -> dict[str, Any]:
    """What the sandbox says of itself."""

    async def ask() -> dict[str, Any]:
        transport = httpx.ASGITransport(create_app(Sandbox.open(":memory:")))
        async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client:
            return dict((await client.get("/api/v1/openapi.json")).json())

    return asyncio.run(ask())


@pytest.fixture
def server(document: dict[str, Any]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert "x-api-key" not in self.headers
            self.send_response(200 if self.path == "/api/v1/openapi.json" else 404)
            self.end_headers()
            self.wfile.write(json.dumps(document).encode() if self.path.startswith("/api") else b"<html>")

        def log_message(self, *_args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


def said(base_url: str) -> str:
    out = StringIO()
    call_command("cloud_doctor", base_url=base_url, stdout=out)
    return out.getvalue()


def test_the_sandbox_and_the_table_agree_on_all_41(server: str) -> None:
    assert "agree" in said(f"{server}/api/v1")
    assert len(list(Endpoints())) == 41


def test_what_differs_is_named_from_both_sides(server: str, document: dict[str, Any]) -> None:
    paths = document["paths"]
    moved = next(path for path in paths if path.endswith("/power-off"))
    paths[moved.replace("power-off", "stop")] = paths.pop(moved)
    out = StringIO()
    with pytest.raises(CommandError, match="differ"):
        call_command("cloud_doctor", base_url=f"{server}/api/v1", stdout=out)
    assert "power_off" in out.getvalue()
    assert "/stop" in out.getvalue()


def test_no_document_is_one_sentence(server: str) -> None:
    with pytest.raises(CommandError, match="no JSON"):
        said(f"{server}/elsewhere")
    with pytest.raises(CommandError, match="No document"):
        said("http://127.0.0.1:1/api/v1")
