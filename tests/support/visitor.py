"""Somebody at the panel's door over real HTTP, with cookies and nothing else of a browser."""

import re
from html import unescape

import httpx


class Visitor:
    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, follow_redirects=True, trust_env=False, timeout=20)

    def __enter__(self) -> "Visitor":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, path: str) -> httpx.Response:
        return self._http.get(path)

    def sign_in(self, email: str, password: str) -> httpx.Response:
        """The page after the form of the door was sent."""
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.get("/sign-in/").text)
        assert found, "the door has no form"
        form = {"csrfmiddlewaretoken": unescape(found[1]), "login": email, "password": password}
        return self._http.post("/sign-in/", data=form, headers={"Referer": str(self._http.base_url)})
