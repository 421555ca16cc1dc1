"""A provider that keeps books: what each request did to the machine, whatever answer it gave."""

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from cloud.models import Account
from tests.fixtures import Hands
from tests.support.provider import Provider, machine, streamed

ID = "vm-000001"
BY_PATH = {
    "POST power-on": "power_on",
    "POST shutdown": "shutdown",
    "POST power-off": "power_off",
    "POST reboot": "reboot",
    "POST power-cycle": "power_cycle",
    "PUT rename": "rename",
    "DELETE ": "delete_instance",
}
# An answer that says yes, and answers after which nobody can know; the second word says whether it happened.
YES = ("accept", "accept without task", "accept with a foreign task")
NO = ("400", "403", "404", "409", "422", "429", "invalid_state", "connect")
LOST = tuple(
    f"{how} {when}" for how in ("timeout", "reset", "500", "garbage", "kill") for when in ("before", "after", "late")
)
REFUSALS = {"400": "bad_request", "403": "forbidden", "404": "not_found", "409": "conflict", "422": "invalid"}


class Killed(BaseException):
    """The process that sends ends in this moment: nothing is written down any more."""


@dataclass
class Effect:
    """What one request did: going while its task runs, then done or failed."""

    what: str
    name: str = ""
    task: str = ""
    state: str = "going"


class Played(Provider):
    """One machine. `plan` is the answer to the next write; `effects` are the books, by who asked (`sender`)."""

    def __init__(self, account: Account, clock: Hands) -> None:
        super().__init__(account)
        self.clock, self.booted_at, self.plan, self.sender = clock, clock(), "accept", ""
        self.machines, self.is_power_said = [machine(1)], True
        self.effects: dict[str, list[Effect]] = defaultdict(list)
        self.late: list[tuple[datetime, Effect]] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.settle_late()
        if request.method == "GET":
            return super().answer(request)
        self.calls[request.method] += 1
        path = request.url.path.removeprefix("/api/v1/instances/")
        if path.partition("/")[0] not in {row["uuid"] for row in self.machines}:
            return _said(404, {"error": "not_found"})
        what = BY_PATH[f"{request.method} {path.partition('/')[2]}"]
        body = json.loads(request.content) if request.content else {}
        return self._written(Effect(what, body.get("name", "")))

    def _written(self, effect: Effect) -> httpx.Response:
        how, _space, when = self.plan.partition(" ")
        if self.plan in YES or when in {"after", "late"}:
            self._take(effect, is_late=when == "late")
        if self.plan in YES:
            has_task = effect.task and when != "without task"
            task = "task-of-another" if when == "with a foreign task" else effect.task
            return _said(200, {"task_id": task, "status": "PENDING"} if has_task else {"message": "ok"})
        if how in {"timeout", "reset", "connect", "kill"}:
            raise _raised(how)
        if how == "garbage":
            return streamed(200, b"<html>")
        if how == "invalid_state":
            return _said(400, {"error": "invalid_state"})
        return _said(int(how), {"error": REFUSALS.get(how, "error")}, **{"Retry-After": "7"} if how == "429" else {})

    def _take(self, effect: Effect, *, is_late: bool) -> None:
        self.effects[self.sender].append(effect)
        if is_late:
            self.late.append((self.clock.at, effect))
        else:
            self._begin(effect)

    def settle_late(self) -> None:
        """What was asked for half a minute ago, and was under way in the provider's own queue, begins."""
        due = [(at, effect) for at, effect in self.late if (self.clock.at - at).total_seconds() >= 30]
        self.late = [one for one in self.late if one not in due]
        for _at, effect in due:
            self._begin(effect)

    def _begin(self, effect: Effect) -> None:
        if effect.what == "rename":
            self.apply(effect)
            return
        effect.task = f"task-{len(self.tasks) + 1}"
        self.tasks.insert(0, self.task_row(effect.task, "PENDING", effect.what))

    def task_row(self, task_id: str, status: str, operation: str, vm_uuid: str = ID) -> dict[str, Any]:
        at = self.clock().strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"task_id": task_id, "status": status, "operation": operation, "vm_uuid": vm_uuid, "created_at": at}

    def going(self) -> list[Effect]:
        return [effect for done in self.effects.values() for effect in done if effect.task and effect.state == "going"]

    def finish(self, effect: Effect, status: str) -> None:
        """The task ends, or vanishes from the list with its work done."""
        row = next(row for row in self.tasks if row["task_id"] == effect.task)
        if status == "vanished":
            self.tasks.remove(row)
        else:
            row["status"] = status
        if status in {"FAILED", "CANCELLED"}:
            effect.state = "failed"
        elif status in {"COMPLETED", "vanished"}:
            self.apply(effect)

    def apply(self, effect: Effect) -> None:
        effect.state = "done"
        for row in self.machines:
            if effect.what == "rename":
                row["name"] = effect.name
            elif effect.what in {"shutdown", "power_off"}:
                row["power_status"] = "stopped"
            elif effect.what != "delete_instance":
                row["power_status"], self.booted_at = "running", self.clock()
        if effect.what == "delete_instance":
            self.machines = []

    def _body(self, path: str) -> Any:
        if path.startswith("/tasks/"):
            return next((row for row in self.tasks if row["task_id"] == path.removeprefix("/tasks/")), None)
        if path.endswith("/stats") and self.machines:
            return {"uptime_seconds": (self.clock() - self.booted_at).total_seconds()}
        if path == "/instances" and not self.is_power_said:
            return [row | {"power_status": None} for row in self.machines]
        return super()._body(path)


def _said(status: int, body: Any, **headers: str) -> httpx.Response:
    return streamed(status, json.dumps(body).encode(), **headers)


def _raised(how: str) -> BaseException:
    if how == "kill":
        return Killed()
    return {"timeout": httpx.ReadTimeout, "reset": httpx.ReadError, "connect": httpx.ConnectError}[how]("played")
