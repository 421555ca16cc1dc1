"""A provider played over httpx.MockTransport: the real client runs, only the wire is replaced."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx

from cloud import connect
from cloud.models import Account
from cloud.transport import open_http

NEVER = {"region": "Wilmington", "cpu_cores": 8, "memory": 32, "storage": 250, "power_status": "running"}


def machine(number: int, **fields: Any) -> dict[str, Any]:
    """One machine as the provider lists it."""
    return {
        "uuid": f"vm-{number:06d}",
        "name": f"trainer-{number:06d}",
        "ip_address": f"198.51.{number // 250 % 250}.{number % 250}",
        "gpu_count": 1,
        "gpu_model": "RTX A4000",
        "instance_type": "v1_gpu_1x_a4000",
        "price_cents_per_hour": 20,
        "created_at": "2026-01-15T10:30:00Z",
        **NEVER,
        **fields,
    }


def streamed(status: int, body: bytes, **headers: str) -> httpx.Response:
    """An answer whose body is still to be read, as it comes from a wire; one made whole cannot be streamed."""
    return httpx.Response(status, stream=httpx.ByteStream(body), headers=headers)


Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


def _answered(answer: Answer, request: httpx.Request) -> httpx.Response:
    if isinstance(answer, Exception):
        raise answer
    if isinstance(answer, httpx.Response):
        return streamed(answer.status_code, answer.content, **answer.headers)
    return answer(request)


def said(status: int, body: Any, **headers: str) -> httpx.Response:
    """An answer with a JSON body."""
    return httpx.Response(status, content=json.dumps(body).encode(), headers=headers)


class Provider:
    """What it lists, how it fails, and which calls reached it."""

    def __init__(self, account: Account) -> None:
        self.machines: list[dict[str, Any]] = []
        self.tasks: list[dict[str, Any]] = []
        self.failure: httpx.Response | Exception | None = None
        self.failing_key = ""  # the failure is for this key alone; empty: for every one
        self.meanwhile: Callable[[], object] | None = None  # what happens here while the provider thinks
        self.calls: Counter[str] = Counter()
        self.answers: dict[str, Answer] = {}  # by "METHOD /path": an answer, an error, or what makes one
        connect.lend(account.pk, open_http(httpx.MockTransport(self.answer)))

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/v1")
        self.calls[f"{request.method} {path}"] += 1
        if self.meanwhile:
            self.meanwhile()
        if f"{request.method} {path}" in self.answers:
            return _answered(self.answers[f"{request.method} {path}"], request)
        is_failing = self.failing_key in {"", request.headers["X-API-Key"]}
        if isinstance(self.failure, Exception) and is_failing:
            raise self.failure
        if isinstance(self.failure, httpx.Response) and is_failing:
            return streamed(self.failure.status_code, self.failure.content, **self.failure.headers)
        body = self._body(path)
        if body is None:
            return streamed(404, b'{"error": "not_found", "message": "No such instance"}')
        return streamed(200, json.dumps(body).encode())

    def _body(self, path: str) -> Any:
        fixed: dict[str, Any] = {
            "/health": {"status": "healthy"},
            "/instances": self.machines,
            "/instances/available": {"data": []},
            "/instances/templates": {"templates": []},
            "/tasks": {"tasks": self.tasks},
        }
        if path in fixed:
            return fixed[path]
        wanted, _slash, rest = path.removeprefix("/instances/").partition("/")
        found = next((row for row in self.machines if row["uuid"] == wanted), None)
        return {"instance_id": wanted, "cpu": {"usage_percent": 25.5, "cores": 8}} if found and rest else found

    def count(self, method: str = "GET", path: str = "") -> int:
        return sum(number for call, number in self.calls.items() if call.startswith(f"{method} {path}"))
