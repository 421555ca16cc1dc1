"""Somebody who uses the panel's forms over HTTP, without JavaScript, and repeats a form that got no answer."""

import time
from collections.abc import Callable
from typing import Any

import httpx

from tests.faults.door import PUBLIC

PATIENCE_S = 45.0
# The page of each kind of launch, and what is chosen there.
PAGES: dict[str, tuple[str, dict[str, str]]] = {
    "launch": ("/launch/", {"instance_type": "v1_cpu_medium"}),
    "launch_custom": (
        "/launch/own-size/",
        {"vcpus": "2", "memory_gib": "4", "storage_gib": "20", "gpu_count": "0", "gpu_model": ""},
    ),
}


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
        return self._insist(lambda: self.ask(machine, kind, key, **more), f"{kind} of {machine}")

    def launch(self, kind: str, name: str, key: str, team: int) -> httpx.Response:
        """Send the form of the launch page once."""
        path, size = PAGES[kind]
        form = {"region": "igl", "image": "usual", "ssh": "other", "public_key": PUBLIC, "team": str(team)}
        return self.post(path, key=key, name=name, **form, **size)

    def insist_launch(self, kind: str, name: str, key: str, team: int) -> httpx.Response:
        return self._insist(lambda: self.launch(kind, name, key, team), f"{kind} of {name}")

    def _insist(self, send: Callable[[], httpx.Response], what: str) -> httpx.Response:
        deadline = time.monotonic() + PATIENCE_S
        said: Any = ""
        while time.monotonic() < deadline:
            try:
                answer = send()
            except httpx.HTTPError as error:
                said = type(error).__name__
            else:
                if answer.status_code < 500:
                    return answer
                said = answer.status_code
            time.sleep(0.15)
        raise NoAnswer(f"{what}: {said}")

    def undo(self, operation_id: str) -> httpx.Response:
        return self.post(f"/activity/{operation_id}/undo/")
