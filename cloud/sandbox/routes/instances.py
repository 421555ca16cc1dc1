"""The machines themselves: list, detail, rename, stats, console, delete."""

from fastapi import APIRouter, Response
from pydantic import BaseModel

from cloud.sandbox import checks, show, tasks
from cloud.sandbox.errors import invalid_state
from cloud.sandbox.routes.call import CallDep, InstanceId, answer, queued
from cloud.sandbox.stats import rebuilding_driver, stats

router = APIRouter()


class RenameBody(BaseModel):
    name: str


@router.get("/instances", name="list_instances")
async def list_instances(call: CallDep) -> Response:
    return Response(call.world.list_json(), media_type="application/json")


@router.get("/instances/{id}", name="get_instance")
async def get_instance(call: CallDep, instance_id: InstanceId) -> Response:
    return answer(show.instance_row(call.world.listed(instance_id), call.world.meta.quirks, detail=True))


@router.delete("/instances/{id}", name="delete_instance")
async def delete_instance(call: CallDep, instance_id: InstanceId) -> Response:
    instance = call.world.free(instance_id)
    task = tasks.start(call.world, "delete_instance", instance)
    return queued(call, instance, task, "Instance deletion queued")


@router.put("/instances/{id}/rename", name="rename_instance")
async def rename_instance(call: CallDep, instance_id: InstanceId, body: RenameBody) -> Response:
    instance = call.world.ready(instance_id)
    name = checks.rename_name(body.name)
    call.world.note(instance, "renamed", {"old_name": instance.name, "new_name": name})
    instance.name = name
    instance.shown.pop("name", None)
    instance.shown_detail.pop("name", None)
    call.committed(instance_id, {"name": name})
    return answer({"message": "Instance renamed successfully", "instance_id": instance_id, "new_name": name})


@router.get("/instances/{id}/stats", name="instance_stats")
async def instance_stats(call: CallDep, instance_id: InstanceId) -> Response:
    world = call.world
    instance, now = world.listed(instance_id), world.clock.now()
    fresh = world.meta.quirks["driver_rebuild"] and rebuilding_driver(
        world.meta.seed, instance, (now - instance.created_at) * world.clock.speed
    )
    return answer(stats(world.meta.seed, instance, now=now, rebuilding=fresh))


@router.post("/instances/{id}/vnc-proxy", name="vnc_ticket")
async def vnc_ticket(call: CallDep, instance_id: InstanceId) -> Response:
    """A ticket for the console. Not a write: nothing of it is kept."""
    instance = call.world.ready(instance_id)
    if instance.power != "running":
        raise invalid_state("VM is not running")
    return answer(
        {
            "instance_id": instance_id,
            "ticket": f"PVEVNC:{call.world.new_id()}",
            "port": 5900 + instance.vmid % 100,
            "host": f"{instance.host_id}.bluelobster.ai",
        }
    )
