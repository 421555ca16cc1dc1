"""A machine of a played provider, and operations on it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from cloud import refresh, schedule
from cloud.models import Account, Instance, Refresh
from cloud.operations import engine, opening
from cloud.operations.kinds import KINDS
from cloud.operations.models import Operation
from cloud.operations.opening import Asker
from cloud.store import store
from panel.people.models import User
from tests.fixtures import Hands
from tests.support.provider import Answer, Provider, machine, said, streamed

ID = "vm-000001"
# Where each kind is sent.
WRITES = {
    "power_on": f"POST /instances/{ID}/power-on",
    "shutdown": f"POST /instances/{ID}/shutdown",
    "force_off": f"POST /instances/{ID}/power-off",
    "reboot": f"POST /instances/{ID}/reboot",
    "power_cycle": f"POST /instances/{ID}/power-cycle",
    "rename": f"PUT /instances/{ID}/rename",
    "delete": f"DELETE /instances/{ID}",
}


@pytest.fixture
def here(planned: Account, provider: Provider, clock: Hands) -> Instance:
    """One running machine that was read a moment ago."""
    provider.machines = [machine(1)]
    refresh.run(Refresh.objects.get(account=planned, part="instances").pk, clock)
    return Instance.objects.get()


Open = Callable[..., Operation]


@pytest.fixture
def asked(here: Instance, olga: User, clock: Hands) -> Open:
    """Writes an operation of a kind down, in Olga's name, past its undo time."""
    count = iter(range(1000))

    def write(kind: str, power: str = "", is_held: bool = False, on: Instance = here, **params: Any) -> Operation:
        if power:
            Instance.objects.update(power=power)
        on.refresh_from_db()
        row = opening.open_operation(
            KINDS[kind],
            on,
            by=Asker(olga.pk, olga.email),
            client_key=f"key-{next(count)}",
            now=clock(),
            params=params or ({"name": "trainer-new"} if kind == "rename" else {}),
        ).row
        if row.state == "held" and not is_held:
            clock.move(11)
        return row

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

    def later(self, seconds: float) -> None:
        """Time passes. Redis has a clock of its own: what it blocks for a while is over by then."""
        self.clock.move(seconds)
        store().delete(*store().keys("tidepool:budget:*"), *store().keys("tidepool:breaker:calls:*"), "none")

    def pass_s(self, seconds: float, row: Operation, step_s: float = 5) -> Operation:
        """Let time pass, with a turn and both readings at each step, until the operation ended."""
        for _ in range(int(seconds / step_s)):
            self.later(step_s)
            self.read()
            row = self.advance(row)
            if row.next_check_at is None or row.state == "unclear":
                break
        return row

    def sees(self, **machine_fields: Any) -> None:
        """The provider's list says this of the machine from now on."""
        self.provider.machines[0].update(machine_fields)

    def task(self, status: str = "PENDING", operation: str = "shutdown", **fields: Any) -> dict[str, Any]:
        at = self.clock().strftime("%Y-%m-%dT%H:%M:%SZ")
        return {
            "task_id": "task-1", "status": status, "operation": operation, "vm_uuid": ID, "created_at": at,
            "updated_at": at, **fields,
        }  # fmt: skip

    def answers(self, kind: str, answer: Answer) -> None:
        """The next writes of this kind are answered so."""
        self.provider.answers[WRITES[kind]] = answer

    def refuses(self, kind: str, status: int, error: str, **headers: str) -> None:
        self.answers(kind, said(status, {"error": error}, **headers))

    def accepts(self, kind: str, operation: str = "", error: Exception | None = None) -> None:
        """The provider takes the next write and lists its task as running; with `error` its answer is lost."""

        def take(_request: Any) -> Any:
            self.provider.tasks = [self.task("PROCESSING", operation or kind)]
            if error:
                raise error
            return streamed(200, json.dumps({"task_id": "task-1", "status": "PENDING"}).encode())

        self.answers(kind, take)

    def writes(self, kind: str) -> int:
        """How many writes of this kind reached the provider."""
        return self.provider.calls[WRITES[kind]]


@pytest.fixture
def world(planned: Account, provider: Provider, clock: Hands) -> World:
    return World(planned, provider, clock)


def trail(row: Operation) -> list[str]:
    """The states that it went through."""
    return [event.after for event in row.events.all()]


def found(row: Operation) -> dict[str, Any]:
    """What looking has found so far."""
    return dict(Operation.objects.get(pk=row.pk).evidence)
