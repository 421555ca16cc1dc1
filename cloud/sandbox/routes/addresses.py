"""The addresses of a machine: the first is its primary and stays."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from cloud.sandbox import show
from cloud.sandbox.errors import ApiError, conflict, not_found
from cloud.sandbox.routes.call import CallDep, InstanceId, answer

router = APIRouter()
MAX_ADDRESSES = 16


@router.get("/instances/{id}/ips", name="list_ips")
async def list_ips(call: CallDep, instance_id: InstanceId) -> Response:
    instance = call.world.listed(instance_id)
    rows = [show.address_row(each) for each in instance.addresses]
    return answer({"instance_id": instance_id, "ip_count": len(rows), "ips": rows})


@router.post("/instances/{id}/ips", name="assign_ip")
async def assign_ip(call: CallDep, instance_id: InstanceId) -> Response:
    instance = call.world.ready(instance_id)
    if len(instance.addresses) >= MAX_ADDRESSES:
        raise conflict("limit_reached", f"At most {MAX_ADDRESSES} addresses for one VM")
    address = call.world.assign_address(instance, call.world.clock.now())
    call.world.note(instance, "ip_assigned", {"ip_address": address.ip_address})
    call.committed(instance_id, {"ip_address": address.ip_address})
    row = show.address_row(address)
    del row["is_primary"], row["assigned_at"]  # the documented answer lacks both
    message = f"IP {address.ip_address} assigned (configure as alias on primary interface)"
    return answer({"status": "success", "message": message, "ip": row})


@router.delete("/instances/{id}/ips/{ip}", name="release_ip")
async def release_ip(call: CallDep, instance_id: InstanceId, ip: Annotated[str, Path()]) -> Response:
    instance = call.world.ready(instance_id)
    address = next((each for each in instance.addresses if each.ip_address == ip), None)
    if address is None:
        raise not_found("IP address")
    if len(instance.addresses) == 1:
        raise ApiError(400, "last_ip", "Cannot release the last remaining IP")
    if address.is_primary:
        raise ApiError(400, "primary_ip", "Cannot release the primary IP")
    instance.addresses.remove(address)
    call.world.pool.give_back(ip)
    call.world.note(instance, "ip_released", {"ip_address": ip})
    call.committed(instance_id, {"ip_address": ip})
    return answer(
        {
            "status": "success",
            "message": f"IP {ip} released from {address.interface_name}",
            "released_ip": ip,
            "released_interface": address.interface_name,
        }
    )
