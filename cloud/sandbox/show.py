"""How things look from outside: the provider's JSON for a machine, a task, a backup, an address, a rule."""

from typing import Any

import msgspec

from cloud.sandbox.catalogue import BACKUP_STORAGE, REGIONS, TEAMS, TEMPLATES, card_name
from cloud.sandbox.chance import fraction
from cloud.sandbox.clock import iso
from cloud.sandbox.state import Address, Backup, Event, Instance, Rule, Schedule, Task

# What a state is called on the live service; which word a machine gets hangs on its id.
POWER_WORDS = {
    "running": ("running", "running", "running", "running", "running", "Running", "RUNNING"),
    "stopped": ("stopped", "stopped", "stopped", "off", "Stopped"),
    "off": ("off", "off", "OFF", "stopped"),
    "paused": ("paused", "Paused"),
}


def power_word(instance: Instance, *, varied: bool) -> str:
    """The state as a reader meets it; not varied gives the plain word."""
    words = POWER_WORDS[instance.power]
    return words[int(fraction(instance.uuid, "word") * len(words))] if varied else words[0]


def instance_row(instance: Instance, quirks: dict[str, bool], *, detail: bool) -> dict[str, Any]:
    """One machine, as the list gives it or (`detail`) as GET by id does."""
    template = TEMPLATES.get(instance.template_name or "")
    region = REGIONS[instance.region]
    power: str | None = "unknown" if instance.creating else power_word(instance, varied=quirks["power_words"])
    if detail and quirks["detail_power_null"]:
        power = None
    primary = next((each.ip_address for each in instance.addresses if each.is_primary), None)
    row: dict[str, Any] = {
        "uuid": instance.uuid,
        "name": instance.name,
        "ip_address": primary,
        "internal_ip": primary,
        "cpu_cores": instance.cpu_cores,
        "memory": instance.memory,
        "storage": instance.storage,
        "gpu_count": instance.gpu_count,
        "gpu_model": card_name(instance.gpu_model),
        "power_status": power,
        "region": region.name if quirks["region_names"] else region.code,
        "created_at": iso(instance.created_at),
        "host_id": instance.host_id,
        "metadata": None if quirks["metadata_dropped"] else instance.metadata,
        "instance_type": instance.instance_type,
        "price_cents_per_hour": instance.price_cents_per_hour,
        "team_id": instance.team_id,
        "team_name": TEAMS.get(instance.team_id or ""),
        "access_type": "owner",
        "template_name": instance.template_name,
        "template_display_name": template.display_name if template else None,
        "os_type": instance.os_type,
        "vm_username": instance.vm_username,
    }
    return row | (instance.shown_detail if detail else instance.shown)


def task_row(task: Task) -> dict[str, Any]:
    """One task; what is not known is left out."""
    row = {
        "task_id": task.task_id,
        "status": task.status,
        "operation": task.operation,
        "created_at": iso(task.created_at),
        "updated_at": iso(task.updated_at),
        "vm_uuid": task.vm_uuid,
        "ip_address": task.ip_address,
        "message": task.message,
        "params": task.params or None,
    }
    return {key: value for key, value in row.items() if value is not None} | task.shown


def backup_row(backup: Backup, owner: Instance | None = None) -> dict[str, Any]:
    """One backup; with its owner in the account-wide list."""
    row: dict[str, Any] = {"volid": backup.volid}
    if owner is not None:
        row |= {"instance_id": owner.uuid, "instance_name": owner.name}
    row |= {
        "size_bytes": backup.size_bytes,
        "size_human": f"{backup.size_bytes / 2**30:.1f} GB",
        "created_at": iso(backup.created_at),
    }
    return row | ({"format": "pbs-vm"} if owner is None else {"notes": backup.notes})


def new_volid(vmid: int, at: float) -> str:
    """The opaque id of a backup, with slashes and colons as on the live service."""
    return f"{BACKUP_STORAGE}:backup/vm/{vmid}/{iso(at)}"


def address_row(address: Address) -> dict[str, Any]:
    return {
        "ip_address": address.ip_address,
        "internal_ip": address.ip_address,
        "interface_name": address.interface_name,
        "is_primary": address.is_primary,
        "bridge": "vmbr0",
        "mac_address": address.mac_address,
        "assigned_at": iso(address.assigned_at),
    }


def rule_row(position: int, rule: Rule) -> dict[str, Any]:
    """One firewall rule: what was not given is left out, `enable` always shown."""
    given = {key: value for key, value in msgspec.to_builtins(rule).items() if value is not None}
    return {"pos": position, **given, "enable": rule.enable}


def schedule_row(schedule: Schedule) -> dict[str, Any]:
    """The documented spelling."""
    return {
        "enabled": schedule.enabled,
        "frequency": schedule.frequency,
        "time_utc": f"{schedule.hour:02d}:{schedule.minute:02d}",
        "retention_count": schedule.retention_count,
    }


def event_row(instance: Instance, event: Event) -> dict[str, Any]:
    return {
        "instance_id": instance.uuid,
        "event": event.event,
        "timestamp": iso(event.at),
        "details": event.details,
    }
