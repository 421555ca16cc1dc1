"""What can be launched, and launching it."""

from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Response
from pydantic import BaseModel

from cloud.sandbox import checks, tasks
from cloud.sandbox.capacity import has_room, regions_with_room
from cloud.sandbox.catalogue import (
    IGNORED_TEMPLATES,
    REGIONS,
    TEMPLATES,
    TYPES,
    MachineType,
    custom_price,
    default_template,
    describe_type,
    find_card,
)
from cloud.sandbox.errors import conflict, invalid
from cloud.sandbox.routes.call import Call, CallDep, answer
from cloud.sandbox.state import Instance

router = APIRouter()


class LaunchBase(BaseModel):
    region: str
    ssh_key: str | None = None
    password: str | None = None
    name: str | None = None
    username: str | None = None
    metadata: dict[str, Any] | None = None
    template_name: str | None = None


class LaunchBody(LaunchBase):
    instance_type: str
    iso_url: str | None = None


class CustomLaunchBody(LaunchBase):
    vcpus: int
    memory_gib: int
    storage_gib: int
    gpu_count: int
    gpu_model: str | None = None


@router.get("/instances/templates", name="list_templates")
async def list_templates() -> Response:
    rows = [
        {
            "name": each.name,
            "vmid": each.vmid,
            "display_name": each.display_name,
            "os_type": each.os_type,
            "has_nvidia": each.has_nvidia,
        }
        for each in TEMPLATES.values()
    ]
    return answer({"templates": rows, "total": len(rows)})


@router.get("/instances/available", name="list_available")
async def list_available(call: CallDep) -> Response:
    """Every type, with the regions that have room for it now (possibly none)."""
    meta, played = call.world.meta, call.world.clock.played()
    rows = [
        {
            "id": each.name,
            "instance_type": describe_type(
                each,
                model_lists=meta.quirks["gpu_model_lists"],
                na_descriptions=meta.quirks["gpu_description_na"],
            ),
            "regions_with_capacity_available": [
                REGIONS[code].described() for code in regions_with_room(meta, each.name, played)
            ],
        }
        for each in TYPES.values()
    ]
    return answer({"data": rows})


@router.post("/instances/launch-instance", name="launch_instance")
async def launch_instance(call: CallDep, body: LaunchBody) -> Response:
    if body.instance_type not in TYPES:
        raise invalid("instance_type", "is not a known instance type")
    if body.iso_url is not None:
        _check_iso(body)
    kind = TYPES[body.instance_type]
    return _launch(call, body, kind, iso=body.iso_url is not None)


@router.post("/instances/launch-custom", name="launch_custom")
async def launch_custom(call: CallDep, body: CustomLaunchBody) -> Response:
    checks.between("vcpus", body.vcpus, 1, 128)
    checks.between("memory_gib", body.memory_gib, 1, 1024)
    checks.between("storage_gib", body.storage_gib, 10, 16000)
    checks.between("gpu_count", body.gpu_count, 0, 8)
    card = None
    if body.gpu_count > 0:
        if not body.gpu_model:
            raise invalid("gpu_model", "is required when gpu_count > 0")
        card = find_card(body.gpu_model)
        if card is None:
            raise invalid("gpu_model", "is not a known GPU model")
    price = custom_price(body.vcpus, body.memory_gib, body.storage_gib, card, body.gpu_count)
    kind = MachineType("custom", body.gpu_count, card, body.vcpus, body.memory_gib, body.storage_gib, price)
    return _launch(call, body, kind, iso=False)


def _check_iso(body: LaunchBody) -> None:
    if body.template_name is not None:
        raise invalid("iso_url", "cannot be combined with template_name")
    parts = urlsplit(body.iso_url or "")
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise invalid("iso_url", "must be an http or https URL")


def _launch(call: Call, body: LaunchBase, kind: MachineType, *, iso: bool) -> Response:
    """Check, make the machine and its task, put both on record, answer flat."""
    earlier = _earlier_answer(call)
    if earlier is not None:
        return answer(earlier)
    _check_access(call, body)
    _check_room(call, body.region, kind)
    instance = _make(call, body, kind, iso=iso)
    address = call.world.assign_address(instance, instance.created_at)
    call.world.add(instance)
    task = tasks.start(call.world, "create_instance", instance)
    result = {
        "task_id": task.task_id,
        "vm_uuid": instance.uuid,
        "assigned_ip": address.ip_address,
        "status": "PENDING",
    }
    _remember_answer(call, result)
    params = body.model_dump(exclude_none=True)
    if body.password is not None:
        params["password"] = "(given)"  # noqa: S105 - the log must not hold it
    call.committed(instance.uuid, params, task)
    return answer(result)


def _check_access(call: Call, body: LaunchBase) -> None:
    quirks = call.world.meta.quirks
    if body.region not in REGIONS:
        raise invalid("region", "must be one of " + ", ".join(REGIONS))
    if body.name is not None:
        checks.launch_name(body.name, strict=quirks["strict_launch_names"])
    if body.username is not None:
        checks.username(body.username)
    if body.ssh_key:
        checks.ssh_key(body.ssh_key, newline_rejected=quirks["ssh_newline_rejected"])
    elif not body.password:
        raise invalid("ssh_key", "an ssh_key or a password is required")
    if body.template_name is not None and body.template_name not in TEMPLATES:
        raise invalid("template_name", "is not a known template")


def _check_room(call: Call, region: str, kind: MachineType) -> None:
    meta = call.world.meta
    # A custom machine finds room where its card's single-GPU type does.
    name = f"v1_gpu_1x_{kind.card}" if kind.name == "custom" and kind.card else kind.name
    if not has_room(meta, name, region, call.world.clock.played()):
        raise conflict("no_capacity", f"No capacity for {kind.name} in region {region}")


def _make(call: Call, body: LaunchBase, kind: MachineType, *, iso: bool) -> Instance:
    world = call.world
    template = None if iso else _template_for(body.template_name, kind, ignored=world.meta.quirks["template_ignored"])
    vmid = world.new_vmid()
    return Instance(
        uuid=world.new_id(),
        name=body.name or f"instance-{vmid}",
        region=body.region,
        instance_type=kind.name,
        host_id=REGIONS[body.region].host(vmid),
        vmid=vmid,
        cpu_cores=kind.vcpus,
        memory=kind.memory_gib,
        storage=kind.storage_gib,
        gpu_count=kind.gpus,
        gpu_model=kind.card,
        price_cents_per_hour=kind.price_cents_per_hour,
        created_at=world.clock.now(),
        template_name=template,
        os_type=TEMPLATES[template].os_type if template else "other",
        vm_username=body.username or "ubuntu",
        power="off",
        creating=True,
        metadata=body.metadata,
    )


def _template_for(asked: str | None, kind: MachineType, *, ignored: bool) -> str:
    if asked is None or (ignored and asked in IGNORED_TEMPLATES):
        return default_template(kind.gpus)
    return asked


def _earlier_answer(call: Call) -> dict[str, Any] | None:
    """What the same Idempotency-Key got before; always None on a provider that does not know such keys."""
    if call.world.meta.quirks["no_idempotency_keys"] or call.idempotency_key is None:
        return None
    return call.world.meta.answers.get(call.idempotency_key)


def _remember_answer(call: Call, result: dict[str, Any]) -> None:
    if call.idempotency_key is not None and not call.world.meta.quirks["no_idempotency_keys"]:
        call.world.meta.answers[call.idempotency_key] = result
        call.world.touch(call.world.meta)
