"""performance.md 10 and 11: which share of the request budget a busy house needs. Time is played, calls are counted."""

import json
import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import httpx

from cloud import connect, refresh, schedule
from cloud.clock import system_clock
from cloud.models import Account, Instance, Refresh
from cloud.operations import claims, engine
from cloud.operations.models import Operation
from cloud.operations.states import State
from cloud.store import store
from cloud.timing import seconds, timing
from cloud.transport import open_http
from panel.live.news import WATCHED
from tests.bench.figures import Figure, Report
from tests.bench.fleets import SYNCED, Fleets, listing
from tests.support.provider import streamed

MINUTES = 5
BUDGET_A_SECOND = 2.0
TASKS_SHOWN = 100


class Played:
    """A provider whose tasks go on and on, and what it was asked."""

    def __init__(self, machines: Sequence[dict[str, Any]], running: Sequence[str], at: datetime) -> None:
        self.calls: Counter[str] = Counter()
        self._machines = json.dumps(machines).encode()
        self._tasks = {name: _task(name, at) for name in running}

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/v1")
        name = "/tasks/ID" if path.startswith("/tasks/") else "/stats" if path.endswith("/stats") else path
        self.calls[name] += 1
        return streamed(200, self._body(path))

    def _body(self, path: str) -> bytes:
        if path == "/instances":
            return self._machines
        if path == "/tasks":
            return json.dumps({"tasks": list(self._tasks.values())[-TASKS_SHOWN:]}).encode()
        if path.startswith("/tasks/"):
            return json.dumps(self._tasks[path.removeprefix("/tasks/")]).encode()
        return b'{"data": [], "templates": [], "status": "healthy"}'


def _task(name: str, at: datetime) -> dict[str, Any]:
    machine = name.removeprefix("task-")
    return {
        "task_id": name,
        "status": "PROCESSING",
        "operation": "reboot",
        "vm_uuid": machine,
        "created_at": at.isoformat(),
    }


def run(fleets: Fleets) -> Report:
    counted = {number: _count(fleets, number) for number in (10, 100, 500)}
    many, few, most = counted[100], counted[10], counted[500]
    per_minute = {number: played.calls["/tasks"] / MINUTES for number, played in counted.items()}
    share = round(100 * sum(many.calls.values()) / (MINUTES * 60 * BUDGET_A_SECOND), 1)
    return Report(
        [
            Figure(10, "share of the budget, 10,000 machines, 100 operations running", share, "%", most=50),
            Figure(
                11,
                "polls a minute, 500 operations beside 10",
                per_minute[500],
                "",
                per_minute[10],
                most_ratio=1.2,
            ),
            Figure(11, "all calls a second with 500 operations", _rate(most), "", _rate(few)),
        ],
        [
            f"10, 11: {MINUTES} played minutes, all of it on a screen, done second by second by the engine "
            f"and the readers themselves; the provider is played, its tasks never end. With 500 operations "
            f"{500 - TASKS_SHOWN} are not in its list and are asked one by one: {_single(most):.0f} a minute. "
            f"Calls with 100: {_words(many)}."
        ],
    )


def _single(played: Played) -> float:
    """How often a minute a task was asked for by itself."""
    return played.calls["/tasks/ID"] / MINUTES


def _rate(played: Played) -> float:
    return round(sum(played.calls.values()) / (MINUTES * 60), 2)


def _words(played: Played) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(played.calls.items()))


def _count(fleets: Fleets, operations: int) -> Played:
    fleets.use(f"{SYNCED}_{operations}")
    account, began = Account.objects.get(), system_clock()
    names = [row.task_id for row in _running(account, operations, began)]
    played = Played(listing(), names, began)
    connect.lend(account.pk, open_http(httpx.MockTransport(played.answer)))
    looked_at = Instance.objects.values_list("pk", flat=True)[:20]
    topics = {"fleet", "tasks", *(f"instance:{pk}" for pk in looked_at)}
    store().zadd(WATCHED, dict.fromkeys(topics, time.time() + 3600))
    Refresh.objects.update(due_at=began, done_at=began, leased_until=None)
    try:
        for second in range(MINUTES * 60):
            _do_what_is_due(began + timedelta(seconds=second))
    finally:
        connect.forget()
        store().delete(WATCHED)
    return played


def _do_what_is_due(now: datetime) -> None:
    def clock() -> datetime:
        return now

    for pk in claims.due(now, timing()):
        engine.advance(pk, clock)
    for part in schedule.due(now):
        refresh.run(part, clock)


def _running(account: Account, operations: int, now: datetime) -> list[Operation]:
    """So many restarts that Blue Lobster works on, each on a machine of its own."""
    rows = [
        Operation(
            client_key=f"bench-{number}", body_hash="", team_id=machine.team_id, actor_id=1, actor_label="bench",
            account=account, target=machine, target_label=machine.name, provider_id=machine.provider_id,
            kind="reboot", is_exclusive=True, state=State.RUNNING, task_id=f"task-{machine.provider_id}", attempts=1,
            next_check_at=now + seconds(timing().limit_s), created_at=now, changed_at=now, queued_at=now, sent_at=now,
            deadline_at=now,
        )
        for number, machine in enumerate(Instance.objects.order_by("pk").defer("raw", "search")[:operations])
    ]  # fmt: skip
    return Operation.objects.bulk_create(rows)
