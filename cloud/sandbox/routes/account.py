"""Health, and the account's tasks and history."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import AwareDatetime, BaseModel

from cloud.sandbox import show
from cloud.sandbox.checks import between, one_of
from cloud.sandbox.clock import iso
from cloud.sandbox.errors import not_found
from cloud.sandbox.routes.call import CallDep, answer

router = APIRouter()
STATES = ("PENDING", "PROCESSING", "COMPLETED", "FAILED", "CANCELLED")
MAX_LOGS = 1000


class HistoryBody(BaseModel):
    start_time: AwareDatetime | None = None
    end_time: AwareDatetime | None = None
    instance_id: str | None = None


@router.get("/health", name="health")
async def health(call: CallDep) -> Response:
    return answer({"status": "healthy", "timestamp": iso(call.world.clock.now())})


@router.get("/tasks", name="list_tasks")
async def list_tasks(
    call: CallDep, limit: int = 50, days: int = 1, status: Annotated[str | None, Query()] = None
) -> Response:
    """The newest tasks first; `total` counts those that matched, before the limit."""
    between("limit", limit, 1, 100)
    between("days", days, 1, 7)
    if status is not None:
        one_of("status", status, STATES)
    since = call.world.clock.now() - days * 86400
    found = [
        each
        for each in call.world.tasks.values()
        if each.created_at >= since and (status is None or each.status == status)
    ]
    found.sort(key=lambda each: each.created_at, reverse=True)
    return answer({"tasks": [show.task_row(each) for each in found[:limit]], "total": len(found), "limit": limit})


@router.get("/tasks/{id}", name="get_task")
async def get_task(call: CallDep, task_id: Annotated[str, Path(alias="id")]) -> Response:
    task = call.world.tasks.get(task_id)
    if task is None:
        raise not_found("Task")
    return answer(show.task_row(task))


@router.post("/instances/logs", name="instance_history")
async def instance_history(call: CallDep, body: HistoryBody) -> Response:
    """The newest events first, at most 1,000 of them; deleted machines included."""
    world = call.world
    machines = [*world.instances.values(), *world.gone.values()]
    if body.instance_id is not None:
        machines = [each for each in machines if each.uuid == body.instance_id]
        if not machines:
            raise not_found("Instance")
    start, end = _epoch(body.start_time, 0.0), _epoch(body.end_time, world.clock.now())
    found = [(each, event) for each in machines for event in each.history if start <= event.at <= end]
    found.sort(key=lambda pair: pair[1].at, reverse=True)
    return answer({"logs": [show.event_row(*pair) for pair in found[:MAX_LOGS]], "total": len(found)})


def _epoch(moment: datetime | None, default: float) -> float:
    return default if moment is None else moment.timestamp()
