"""The five power actions. Each asks for the right power state and a machine that no task holds."""

from fastapi import APIRouter, Response

from cloud.sandbox import tasks
from cloud.sandbox.errors import invalid_state
from cloud.sandbox.routes.call import Call, CallDep, InstanceId, queued

router = APIRouter()
DOWN = ("stopped", "off", "paused")


def _act(call: Call, instance_id: str, operation: str, allowed: tuple[str, ...], message: str) -> Response:
    instance = call.world.free(instance_id)
    if instance.power not in allowed:
        raise invalid_state(f"VM is {instance.power}")
    return queued(call, instance, tasks.start(call.world, operation, instance), message)


@router.post("/instances/{id}/power-on", name="power_on")
async def power_on(call: CallDep, instance_id: InstanceId) -> Response:
    return _act(call, instance_id, "power_on", DOWN, "VM power on queued")


@router.post("/instances/{id}/shutdown", name="shutdown")
async def shutdown(call: CallDep, instance_id: InstanceId) -> Response:
    return _act(call, instance_id, "shutdown", ("running",), "VM shutdown queued")


@router.post("/instances/{id}/power-off", name="power_off")
async def power_off(call: CallDep, instance_id: InstanceId) -> Response:
    return _act(call, instance_id, "power_off", ("running", "paused"), "VM force shutdown queued")


@router.post("/instances/{id}/reboot", name="reboot")
async def reboot(call: CallDep, instance_id: InstanceId) -> Response:
    return _act(call, instance_id, "reboot", ("running",), "VM reboot queued")


@router.post("/instances/{id}/power-cycle", name="power_cycle")
async def power_cycle(call: CallDep, instance_id: InstanceId) -> Response:
    return _act(call, instance_id, "power_cycle", ("running",), "VM power cycle queued")
