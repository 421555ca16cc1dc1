"""What every endpoint gets: the call it answers, with the world and a way to put a write on record."""

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from fastapi import Depends, Path, Request, Response

from cloud.sandbox.state import Instance, Task
from cloud.sandbox.world import Caller, World

InstanceId = Annotated[str, Path(alias="id")]


@dataclass(frozen=True)
class Call:
    world: World
    caller: Caller
    idempotency_key: str | None

    def committed(self, target: str | None, params: dict[str, Any] | None = None, task: Task | None = None) -> None:
        """Put the write on disk with its entry in the commit log. Nothing may be answered before."""
        task_id = task.task_id if task else None
        self.world.save(self.caller, target=target, params=params, task_id=task_id)


def _call(request: Request) -> Call:
    return Call(request.app.state.sandbox.world, request.scope["caller"], request.headers.get("idempotency-key"))


CallDep = Annotated[Call, Depends(_call)]


def answer(body: Any) -> Response:
    """200 with this as JSON."""
    return Response(msgspec.json.encode(body), media_type="application/json")


def queued(call: Call, instance: Instance, task: Task, message: str, params: dict[str, Any] | None = None) -> Response:
    """Put a started task on record and answer as actions do."""
    call.committed(instance.uuid, params, task)
    return answer({"task_id": task.task_id, "status": "PENDING", "message": message, "instance_id": instance.uuid})
