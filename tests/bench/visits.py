"""Somebody signed in: through the WSGI application in this process, or over HTTP at a steady pace."""

import io
import re
import sys
import threading
import time
from collections.abc import Sequence
from html import unescape
from typing import Any

import httpx
from django.conf import settings

LINKS = {"next": re.compile(r'rel="next" href="([^"]+)"'), "last": re.compile(r'href="([^"]+)">Last<')}
THREADS = 2
GAP_S = 0.05  # between the starts of one thread's visits: 40 a second together


class Desk:
    """Calls the web process's WSGI application directly: middlewares, session, rights, view, templates."""

    def __init__(self, cookie: str) -> None:
        from panel.wsgi import application  # noqa: PLC0415 -- Django must be set up first

        self._application: Any = application
        self._cookie = f"{settings.SESSION_COOKIE_NAME}={cookie}"
        self._status = ""

    def get(self, address: str, *, part: bool = False) -> str:
        answer = self._application(self._environ(address, part), self._start)
        body = b"".join(answer)
        answer.close()
        assert self._status == "200 OK", f"{address}: {self._status}"
        return body.decode()

    def next_page(self, address: str) -> str:
        return self._link(address, "next")

    def last_page(self, address: str) -> str:
        return self._link(address, "last")

    def _link(self, address: str, which: str) -> str:
        found = LINKS[which].search(self.get(address))
        assert found, f"{address} has no link to the {which} page"
        return "/instances/" + unescape(found[1])

    def _start(self, status: str, _headers: Sequence[tuple[str, str]], _error: object = None) -> None:
        self._status = status

    def _environ(self, address: str, part: bool) -> dict[str, Any]:
        path, _question, query = address.partition("?")
        htmx = {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": "fleet", "HTTP_HX_CURRENT_URL": "http://localhost/"}
        return (htmx if part else {}) | {
            "REQUEST_METHOD": "GET",
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "localhost",
            "HTTP_COOKIE": self._cookie,
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(),
            "wsgi.errors": sys.stderr,
        }


def paced(url: str, cookie: str, visits: int, address: str = "/instances/") -> list[float]:
    """Milliseconds that each of so many visits took, by two browsers that each come 20 times a second."""
    taken: list[float] = []
    failed: list[BaseException] = []

    def browse(delay: float) -> None:
        try:
            taken.extend(_browse(url, cookie, visits // THREADS, address, delay))
        except BaseException as error:
            failed.append(error)
            raise

    threads = [threading.Thread(target=browse, args=(GAP_S * place / THREADS,)) for place in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed, failed
    return taken


def _browse(url: str, cookie: str, visits: int, address: str, delay: float) -> list[float]:
    taken = []
    cookies = {settings.SESSION_COOKIE_NAME: cookie}
    with httpx.Client(base_url=url, cookies=cookies, trust_env=False, timeout=60) as http:
        begin = time.perf_counter() + delay
        for turn in range(visits):
            time.sleep(max(begin + turn * GAP_S - time.perf_counter(), 0))
            start = time.perf_counter()
            answer = http.get(address)
            taken.append((time.perf_counter() - start) * 1000)
            assert answer.status_code == 200, answer.status_code
    return taken
