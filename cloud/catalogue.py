"""Keeps the catalogue and the provider's own task list: small tables, written only where they differ."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import models, transaction

from cloud import shapes
from cloud.columns import count
from cloud.gpus import one_name
from cloud.models import Account, InstanceType, ProviderTask, Template

KEPT_TASKS = 500


def types(account: Account, offered: Sequence[shapes.InstanceType]) -> bool:
    """Replace the offered sizes. True when anything changed. Two queries when nothing did."""
    return _replace(InstanceType, account, {item.name[:128]: _type(item) for item in offered if item.name})


def templates(account: Account, offered: Sequence[shapes.Template]) -> bool:
    rows = {
        item.name[:128]: {
            "label": (item.display_name or "")[:255],
            "os_type": (item.os_type or "")[:64],
            "has_nvidia": item.has_nvidia,
        }
        for item in offered
        if item.name
    }
    return _replace(Template, account, rows)


def tasks(account: Account, listed: Sequence[shapes.Task], now: datetime) -> set[str]:
    """Write new and changed lines; return the statuses touched, empty when nothing changed. Old lines are trimmed."""
    told = {item.task_id[:255]: item for item in listed if item.task_id}
    stored = {row.task_id: row for row in ProviderTask.objects.filter(account=account, task_id__in=list(told))}
    fresh = {
        task_id: _task(item)
        | {"created_at": item.created_at or (stored[task_id].created_at if task_id in stored else now)}
        for task_id, item in told.items()
    }
    rows = [
        ProviderTask(account=account, task_id=task_id, first_seen_at=now, **values)
        for task_id, values in fresh.items()
        if task_id not in stored or _differs(stored[task_id], values)
    ]
    if not rows:
        return set()
    with transaction.atomic():
        ProviderTask.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=("account", "task_id"), update_fields=tuple(_TASK_FIELDS)
        )
        newest_first = ProviderTask.objects.filter(account=account).order_by("-first_seen_at", "-id")
        old = list(newest_first.values_list("pk", flat=True)[KEPT_TASKS : KEPT_TASKS + len(rows)])
        ProviderTask.objects.filter(pk__in=old).delete()
    return {row.status for row in rows}


_TASK_FIELDS = ("operation", "status", "instance_provider_id", "message", "created_at", "updated_at")


def _task(item: shapes.Task) -> dict[str, Any]:
    return {
        "operation": (item.operation or "")[:128],
        "status": (item.status or "").upper()[:32],
        "instance_provider_id": (item.vm_uuid or "")[:255],
        "message": (item.message or "")[:500],
        "updated_at": item.updated_at,
    }


def _type(item: shapes.InstanceType) -> dict[str, Any]:
    return {
        "description": (item.description or "")[:255],
        "vcpus": count(item.vcpus),
        "memory_gib": item.memory_gib,
        "storage_gib": item.storage_gib,
        "gpu_count": count(item.gpus),
        "gpu_model": one_name(item.specs.gpu_models)[:128],
        "price_cents_per_hour": count(item.price_cents_per_hour),
        "regions": [
            {"code": region.name, "name": region.description or region.name, "place": _place(region)}
            for region in item.regions
        ],
    }


def _place(region: shapes.Region) -> str:
    return ", ".join(part for part in (region.city, region.state) if part)


def _replace(model: type[InstanceType] | type[Template], account: Account, fresh: dict[str, dict[str, Any]]) -> bool:
    stored = {row.name: row for row in model._default_manager.filter(account=account)}
    changed = [name for name, values in fresh.items() if name not in stored or _differs(stored[name], values)]
    vanished = stored.keys() - fresh.keys()
    with transaction.atomic():
        _upsert(model, account, ((name, fresh[name]) for name in changed))
        if vanished:
            model._default_manager.filter(account=account, name__in=vanished).delete()
    return bool(changed or vanished)


def _upsert(
    model: type[InstanceType] | type[Template], account: Account, rows: Iterable[tuple[str, dict[str, Any]]]
) -> None:
    built: list[Any] = [model(account=account, name=name, **values) for name, values in rows]
    if built:
        fields = [column.name for column in model._meta.concrete_fields if column.name not in {"id", "account", "name"}]
        model._default_manager.bulk_create(
            built, update_conflicts=True, unique_fields=("account", "name"), update_fields=fields
        )


def _differs(row: models.Model, values: dict[str, Any]) -> bool:
    return any(getattr(row, name) != value for name, value in values.items())
