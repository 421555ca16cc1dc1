"""What somebody without an account can do to the web process: nothing that others feel."""

import contextlib
import socket
import time

import httpx
import pytest

from tests.support.processes import Stack

pytestmark = pytest.mark.browser


def test_slow_strangers_hold_no_thread(panel: Stack) -> None:
    """More half-sent forms and half-read files than the process has threads; the panel answers all the same."""
    with contextlib.ExitStack() as sockets, httpx.Client(base_url=panel.url, trust_env=False, timeout=5) as client:
        door = client.get("/sign-in/").text
        css = door.split('href="')[2].split('"')[0]
        for number in range(24):
            slow = sockets.enter_context(socket.socket())
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            slow.connect(("127.0.0.1", panel.port))
            if number % 2:
                slow.sendall(b"POST /sign-in/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\na")
            else:
                slow.sendall(f"GET {css} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        for _request in range(5):
            began = time.monotonic()
            assert client.get("/healthz").status_code == 200
            assert client.get("/sign-in/").status_code == 200
            assert time.monotonic() - began < 5


def test_a_form_that_is_too_large_is_refused(panel: Stack) -> None:
    with httpx.Client(base_url=panel.url, trust_env=False, timeout=10) as client:
        assert client.post("/sign-in/", content=b"a" * 2_000_000).status_code == 413


def test_static_files_have_the_walls_too(panel: Stack) -> None:
    with httpx.Client(base_url=panel.url, trust_env=False, timeout=10) as client:
        css = client.get("/sign-in/").text.split('href="')[2].split('"')[0]
        answer = client.get(css)
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "max-age" in answer.headers["cache-control"]
        assert "no-store" not in answer.headers["cache-control"]
