"""From the provider's shapes to the columns of the cache: cut to size, never null where a list sorts."""

import hashlib
from datetime import datetime
from typing import Any

import msgspec

from cloud import shapes
from cloud.models import Instance, type_label

TURNS = dict.fromkeys((0x200E, 0x200F, 0x061C, *range(0x202A, 0x202F), *range(0x2066, 0x206A)))
LARGEST = 2_147_483_647  # what an integer column holds on every database
RANKS = {
    shapes.Power.RUNNING: Instance.Rank.RUNNING,
    shapes.Power.PAUSED: Instance.Rank.PAUSED,
    shapes.Power.STOPPED: Instance.Rank.OFF,
    shapes.Power.UNKNOWN: Instance.Rank.UNKNOWN,
}
_LENGTHS: dict[str, int] = {
    column.name: column.max_length for column in Instance._meta.concrete_fields if column.max_length is not None
}
_encode = msgspec.json.Encoder(order="deterministic", enc_hook=str).encode


def digest(raw: dict[str, Any]) -> str:
    """Same content, same digest, whatever the order of the fields."""
    return hashlib.blake2b(_encode(raw), digest_size=16).hexdigest()


def of_instance(item: shapes.Instance, now: datetime) -> dict[str, Any]:
    """Column values of one machine. What the provider did not say is null or empty, never invented."""
    model = item.gpu_model or ""
    texts = {
        "name": item.name,
        "ip_address": item.ip_address,
        "internal_ip": item.internal_ip,
        "region": item.region,
        "host_id": item.host_id,
        "type_name": item.instance_type,
        "type_label": type_label(item.gpu_count, model),
        "gpu_model": model,
        "template_name": item.template_name,
        "template_label": item.template_display_name,
        "os_type": item.os_type,
        "username": item.vm_username,
    }
    values: dict[str, Any] = {column: cut(column, text) for column, text in texts.items()}
    values["search"] = _search(values, item)
    return values | {
        "power": Instance.Power(item.power.value),
        "rank": RANKS[item.power],
        "cpu_cores": count(item.cpu_cores),
        "memory_gib": item.memory,
        "storage_gib": item.storage,
        "gpu_count": count(item.gpu_count),
        "price_cents_per_hour": count(item.price_cents_per_hour),
        "started_at": item.created_at or now,
        "raw": without_nul(item.raw),
    }


def cut(column: str, text: str | None) -> str:
    """The text at its column's length, without signs that turn the direction of what stands behind them."""
    return (text or "").translate(TURNS)[: _LENGTHS[column]]


def count(number: float | None) -> int | None:
    """A whole number that fits its column; nonsense such as a negative count is not known."""
    if number is None or not 0 <= number <= LARGEST:
        return None
    return int(number)


def without_nul(value: Any) -> Any:
    """The value without NUL characters, which PostgreSQL's JSON refuses. The depth is bounded by the decoder."""
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, list):
        return [without_nul(part) for part in value]
    if isinstance(value, dict):
        return {name.replace("\0", ""): without_nul(part) for name, part in value.items()}
    return value


def _search(values: dict[str, Any], item: shapes.Instance) -> str:
    parts = (values["name"], values["ip_address"], values["type_label"], values["type_name"], values["gpu_model"])
    return " ".join(part for part in (*parts, item.uuid[:255]) if part).casefold()
