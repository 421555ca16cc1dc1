"""Somebody who uses the panel's forms over HTTP, without JavaScript, and repeats a form that got no answer."""

import time
from typing import Any

import httpx

PATIENCE_S = 45.0


class NoAnswer(Exception):
    """The panel did not answer for very long."""


class Person:
    """Threads may share one: a session is nothing but its cookies."""

    def __init__(self, url: str, email: str, password: str) -> None:
        self.url, self.email, self._password = url, email, password
        self._http = httpx.Client(base_url=url, trust_env=False, timeout=30)

    def close(self) -> None:
        self._http.close()

    def sign_in(self) -> None:
        """Raises AssertionError when the door does not open."""
        self._http.get("/sign-in/")
        self.post("/sign-in/", login=self.email, password=self._password)
        assert "tidepool_session" in self._http.cookies, "the sign-in failed"

    def get(self, path: str) -> httpx.Response:
        return self._http.get(path)

    def post(self, path: str, **form: str) -> httpx.Response:
        """Once. Raises httpx.HTTPError when there is no answer."""
        token = self._http.cookies.get("csrftoken") or ""
        return self._http.post(path, data={"csrfmiddlewaretoken": token, **form}, headers={"Referer": self.url})

    def ask(self, machine: int, kind: str, key: str, **more: str) -> httpx.Response:
        """Send the form of an action once."""
        form = {"key": key, **more}
        if kind in {"force_off", "power_cycle"}:
            form["sure"] = "on"
        if kind == "delete":
            form["password"] = self._password  # asked for when the sign-in has grown old
        return self.post(f"/instances/{machine}/do/{kind}/", **form)

    def insist(self, machine: int, kind: str, key: str, **more: str) -> httpx.Response:
        """Send it until it is answered, always with the same key. Raises NoAnswer."""
        deadline = time.monotonic() + PATIENCE_S
        said: Any = ""
        while time.monotonic() < deadline:
            try:
                answer = self.ask(machine, kind, key, **more)
            except httpx.HTTPError as error:
                said = type(error).__name__
            else:
                if answer.status_code < 500:
                    return answer
                said = answer.status_code
            time.sleep(0.15)
        raise NoAnswer(f"{kind} of {machine}: {said}")

    def undo(self, operation_id: str) -> httpx.Response:
        return self.post(f"/activity/{operation_id}/undo/")
