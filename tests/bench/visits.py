"""Somebody signed in: through the WSGI application in this process, or over HTTP at a steady pace."""

import io
import re
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from typing import Any

import httpx
from django.conf import settings

LINKS = {"next": re.compile(r'rel="next" href="([^"]+)"'), "last": re.compile(r'href="([^"]+)">Last<')}
THREADS = 2
GAP_S = 0.1  # between the starts of one browser's visits: 20 a second together


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


class Browser:
    """Signed in over HTTP, with one kept connection."""

    def __init__(self, url: str, cookie: str) -> None:
        cookies = {settings.SESSION_COOKIE_NAME: cookie}
        self._http = httpx.Client(base_url=url, cookies=cookies, trust_env=False, timeout=60)

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def visit(self) -> float:
        """Milliseconds until the whole list page was there."""
        begin = time.perf_counter()
        answer = self._http.get("/instances/")
        assert answer.status_code == httpx.codes.OK, answer.status_code
        return (time.perf_counter() - begin) * 1000


def eager(urls: Sequence[str], cookie: str, seconds: float) -> tuple[list[float], float]:
    """So many users as addresses, each visiting as fast as it is answered: milliseconds of each visit, and visits a
    second of all together.
    """
    begin = time.perf_counter()
    with ThreadPoolExecutor(len(urls)) as pool:
        found = [pool.submit(_browse_on, url, cookie, begin + seconds) for url in urls]
        taken = [one for visits in found for one in visits.result()]
    return taken, len(taken) / (time.perf_counter() - begin)


def _browse_on(url: str, cookie: str, until: float) -> list[float]:
    taken = []
    with Browser(url, cookie) as browser:
        while time.perf_counter() < until:
            taken.append(browser.visit())
    return taken


def paced(url: str, cookie: str, visits: int) -> list[float]:
    """Milliseconds that each of so many visits took, by two browsers that each come ten times a second."""
    with ThreadPoolExecutor(THREADS) as pool:
        delays = [GAP_S * place / THREADS for place in range(THREADS)]
        found = [pool.submit(_browse, url, cookie, visits // THREADS, delay) for delay in delays]
        return [taken for one in found for taken in one.result()]


def _browse(url: str, cookie: str, visits: int, delay: float) -> list[float]:
    taken = []
    with Browser(url, cookie) as browser:
        begin = time.perf_counter() + delay
        for turn in range(visits):
            time.sleep(max(begin + turn * GAP_S - time.perf_counter(), 0))
            taken.append(browser.visit())
    return taken
