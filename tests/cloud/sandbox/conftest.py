"""A sandbox in this process, with a clock that the test moves."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from cloud.sandbox.app import create_app
from cloud.sandbox.sandbox import DEFAULT_KEY, Sandbox

START = 1_780_000_000.0
SSH_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh omar@laptop"


@dataclass
class Wall:
    """The wall clock, epoch seconds."""

    now: float = START

    def __call__(self) -> float:
        return self.now


@dataclass
class Provider:
    """Calls the sandbox as a client would; `control` goes through the door."""

    sandbox: Sandbox
    app: ASGIApp
    wall: Wall

    def send(self, method: str, path: str, *, key: str | None = DEFAULT_KEY, **more: Any) -> httpx.Response:
        headers = {"user-agent": "tidepool-tests"} | ({"x-api-key": key} if key else {}) | more.pop("headers", {})

        async def once() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client:
                return await client.request(method, path, headers=headers, **more)

        return asyncio.run(once())

    def call(self, method: str, path: str, body: Any = None, *, status: int = 200, **more: Any) -> Any:
        """One call to the provider that must end with this status; gives the JSON."""
        if body is not None:
            more["json"] = body
        response = self.send(method, "/api/v1" + path, **more)
        assert response.status_code == status, response.text
        return response.json()

    def control(self, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
        response = self.send(method, "/__sandbox__/" + path, key=None, **({} if body is None else {"json": body}))
        assert response.status_code == status, response.text
        return response.json()

    def wait(self, seconds: float = 600) -> None:
        self.wall.now += seconds

    def machine(self, power: str = "running", **wanted: Any) -> str:
        """The id of a free machine in this power state, with these attributes."""
        for each in self.sandbox.world.instances.values():
            if each.power == power and not each.task_id and all(getattr(each, k) == v for k, v in wanted.items()):
                return each.uuid
        raise LookupError(power, wanted)

    def launch(self, **fields: Any) -> Any:
        """Launch a small machine; the answer."""
        body = {"region": "igl", "instance_type": "v1_cpu_medium", "ssh_key": SSH_KEY, "name": "fresh-01"} | fields
        return self.call("POST", "/instances/launch-instance", body)

    def commits(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.control("GET", "commits")["commits"]
        return found

    def quirk(self, **switches: bool) -> None:
        self.control("POST", "quirks", switches)


@pytest.fixture
def provider() -> Iterator[Provider]:
    """24 machines in memory, every quirk on."""
    wall = Wall()
    sandbox = Sandbox.open(":memory:", wall=wall)
    yield Provider(sandbox, create_app(sandbox), wall)
    sandbox.close()


@pytest.fixture
def plain(provider: Provider) -> Provider:
    """The provider as documented: every quirk off."""
    provider.control("POST", "quirks", {"all": False})
    return provider
