"""Backups of one machine and of the account, restores, and what their storage costs."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from cloud.sandbox import show, tasks
from cloud.sandbox.catalogue import BACKUP_STORAGE
from cloud.sandbox.clock import iso
from cloud.sandbox.errors import ApiError, conflict, invalid, not_found
from cloud.sandbox.routes.call import Call, CallDep, InstanceId, answer
from cloud.sandbox.state import Backup, Instance

router = APIRouter()
GIB = 2**30
FREE_TIER_GB = 250
CENTS_PER_GB_MONTH = 5
MAX_NOTES = 500
VolidQuery = Annotated[str, Query(min_length=1)]


class RestoreBody(BaseModel):
    backup_volid: str


class CrossRestoreBody(BaseModel):
    volid: str
    target_instance_id: str


class NotesBody(BaseModel):
    notes: str


def _find(call: Call, volid: str) -> tuple[Instance, Backup]:
    """The backup and its machine. Raises 404."""
    for instance in call.world.instances.values():
        for backup in instance.backups:
            if backup.volid == volid:
                return instance, backup
    raise not_found("Backup")


@router.post("/instances/{id}/backups", name="create_backup")
async def create_backup(call: CallDep, instance_id: InstanceId) -> Response:
    instance = call.world.free(instance_id)
    task = tasks.start(call.world, "create_backup", instance)
    call.committed(instance_id, task=task)
    return answer({"message": "Backup started", "task_id": task.task_id, "instance_id": instance_id})


@router.get("/instances/{id}/backups", name="list_backups")
async def list_backups(call: CallDep, instance_id: InstanceId) -> Response:
    instance = call.world.listed(instance_id)
    return answer(
        {
            "instance_id": instance_id,
            "storage": BACKUP_STORAGE,
            "backups": [show.backup_row(each) for each in _newest_first(instance)],
            "total": len(instance.backups),
            "backup_in_progress": _in_progress(call, instance, "create_backup"),
            "restore_in_progress": _in_progress(call, instance, "restore_backup"),
        }
    )


def _newest_first(instance: Instance) -> list[Backup]:
    return sorted(instance.backups, key=lambda each: each.created_at, reverse=True)


def _in_progress(call: Call, instance: Instance, operation: str) -> dict[str, Any] | None:
    """The task that is doing this to the machine now, None if none is."""
    task = call.world.tasks.get(instance.task_id or "")
    if task is None or task.operation != operation:
        return None
    return {"task_id": task.task_id, "status": task.status, "started_at": iso(task.created_at)}


@router.post("/instances/{id}/restore", name="restore_backup")
async def restore_backup(call: CallDep, instance_id: InstanceId, body: RestoreBody) -> Response:
    instance = call.world.free(instance_id)
    if not any(each.volid == body.backup_volid for each in instance.backups):
        raise not_found("Backup")
    params = {"backup_volid": body.backup_volid}
    task = tasks.start(call.world, "restore_backup", instance, params=params)
    call.committed(instance_id, params, task)
    answered = {"message": "Restore started", "task_id": task.task_id, "instance_id": instance_id}
    return answer(answered | params)


@router.get("/backups", name="list_all_backups")
async def list_all_backups(call: CallDep) -> Response:
    pairs = [(backup, owner) for owner in call.world.instances.values() for backup in owner.backups]
    pairs.sort(key=lambda pair: pair[0].created_at, reverse=True)
    return answer({"backups": [show.backup_row(*pair) for pair in pairs], "total": len(pairs)})


@router.delete("/backups", name="delete_backup")
async def delete_backup(call: CallDep, volid: VolidQuery) -> Response:
    instance, _ = _find(call, volid)
    if instance.task_id is not None:
        raise conflict("busy", "VM is locked by another task")
    task = tasks.start(call.world, "delete_backup", instance, params={"volid": volid})
    call.committed(volid, {"volid": volid}, task)
    return answer({"success": True, "message": "Backup deletion started", "task_id": task.task_id, "volid": volid})


@router.post("/backups/restore", name="cross_restore")
async def cross_restore(call: CallDep, body: CrossRestoreBody) -> Response:
    source, _ = _find(call, body.volid)
    target = call.world.free(body.target_instance_id)
    if target.storage < source.storage:
        raise ApiError(400, "incompatible", f"Target needs at least {source.storage} GiB of storage")
    task = tasks.start(call.world, "restore_backup", target, params={"backup_volid": body.volid})
    call.committed(target.uuid, {"volid": body.volid, "target_instance_id": target.uuid}, task)
    return answer(
        {
            "message": "Restore started",
            "task_id": task.task_id,
            "target_instance_id": target.uuid,
            "backup_volid": body.volid,
        }
    )


@router.get("/backups/storage", name="backup_storage")
async def backup_storage(call: CallDep) -> Response:
    sizes = [backup.size_bytes for each in call.world.instances.values() for backup in each.backups]
    total, free = sum(sizes), FREE_TIER_GB * GIB
    billable = max(0, total - free)
    cents = round(billable / GIB * CENTS_PER_GB_MONTH)
    return answer(
        {
            "total_bytes": total,
            "total_gb": round(total / GIB, 2),
            "total_formatted": f"{total / GIB:.2f} GB",
            "free_tier_bytes": free,
            "free_tier_gb": float(FREE_TIER_GB),
            "billable_bytes": billable,
            "billable_gb": round(billable / GIB, 2),
            "backup_count": len(sizes),
            "monthly_cost_cents": cents,
            "monthly_cost_formatted": f"${cents / 100:.2f}/mo",
            "is_free": billable == 0,
            "usage_percent": round(100 * total / free, 1),
        }
    )


@router.put("/backups/notes", name="update_backup_notes")
async def update_backup_notes(call: CallDep, volid: VolidQuery, body: NotesBody) -> Response:
    instance, backup = _find(call, volid)
    if len(body.notes) > MAX_NOTES:
        raise invalid("notes", f"must have at most {MAX_NOTES} characters")
    backup.notes = body.notes
    call.world.touch(instance)
    call.committed(volid, {"notes": body.notes})
    return answer({"success": True, "message": "Notes updated", "volid": volid})
