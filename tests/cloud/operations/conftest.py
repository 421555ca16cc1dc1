"""A machine of a played provider, and operations on it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from cloud.models import Account, Instance, Refresh
from cloud.operations import engine, opening
from cloud.operations.kinds import KINDS
from cloud.operations.models import Operation
from cloud.operations.opening import Asker
from cloud import refresh, schedule
from panel.people.models import User
from tests.fixtures import Hands
from tests.support.provider import Provider, machine, said, streamed

ID = "vm-000001"


@pytest.fixture
def here(planned: Account, provider: Provider, clock: Hands) -> Instance:
    """One running machine that was read a moment ago."""
    provider.machines = [machine(1)]
    refresh.run(Refresh.objects.get(account=planned, part="instances").pk, clock)
    return Instance.objects.get()


Open = Callable[..., Operation]


@pytest.fixture
def asked(here: Instance, olga: User, clock: Hands) -> Open:
    """Writes an operation of a kind down, in Olga's name."""
    count = iter(range(1000))

    def write(kind: str, **params: Any) -> Operation:
        by = Asker(olga.pk, olga.email)
        key = f"key-{next(count)}"
        here.refresh_from_db()
        return opening.open_operation(KINDS[kind], here, by=by, client_key=key, now=clock(), params=params).row

    return write


class World:
    """The engine and the shared readings, driven by hand."""

    def __init__(self, account: Account, provider: Provider, clock: Hands) -> None:
        self.account, self.provider, self.clock = account, provider, clock

    def advance(self, row: Operation) -> Operation:
        engine.advance(row.pk, self.clock)
        return self.now(row)

    def now(self, row: Operation) -> Operation:
        return Operation.objects.get(pk=row.pk)

    def read(self, *parts: str) -> None:
        """Have the parts read now."""
        for part in parts or ("tasks", "instances"):
            schedule.soon(self.account.pk, part, now=self.clock())
            refresh.run(Refresh.objects.get(account=self.account, part=part).pk, self.clock)

    def pass_s(self, seconds: float, row: Operation, step_s: float = 5) -> Operation:
        """Let time pass, with a turn and both readings at each step, until the operation ended."""
        for _ in range(int(seconds / step_s)):
            self.clock.move(step_s)
            self.read()
            row = self.advance(row)
            if row.next_check_at is None or row.state == "unclear":
                break
        return row

    def task(self, status: str = "PENDING", operation: str = "shutdown", **fields: Any) -> dict[str, Any]:
        at = self.clock().strftime("%Y-%m-%dT%H:%M:%SZ")
        return {
            "task_id": "task-1", "status": status, "operation": operation, "vm_uuid": ID, "created_at": at,
            "updated_at": at, **fields,
        }  # fmt: skip

    def accepts(self, path: str, method: str = "POST", operation: str = "") -> None:
        """The provider takes the next write on the machine, and lists its task as running."""
        name = operation or path.replace("-", "_")

        def take(_request: Any) -> Any:
            self.provider.tasks = [self.task("PROCESSING", name)]
            return streamed(200, json.dumps({"task_id": "task-1", "status": "PENDING"}).encode())

        where = f"/instances/{ID}/{path}" if path else f"/instances/{ID}"
        self.provider.answers[f"{method} {where}"] = take

    def answers(self, path: str, status: int, body: Any, method: str = "POST", **headers: str) -> None:
        where = f"/instances/{ID}/{path}" if path else f"/instances/{ID}"
        self.provider.answers[f"{method} {where}"] = said(status, body, **headers)


@pytest.fixture
def world(planned: Account, provider: Provider, clock: Hands) -> World:
    return World(planned, provider, clock)
