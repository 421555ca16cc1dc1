"""What we refuse to send: light checks, only where the provider's documentation is strict. All raise ValueError."""

import re
from datetime import UTC, datetime
from typing import Any

_LAUNCH_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]")
_NEW_NAME = re.compile(r"[a-zA-Z0-9_-]{3,64}")
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_TASK_STATES = frozenset({"PENDING", "PROCESSING", "COMPLETED", "FAILED"})


def needed(what: str, value: str) -> str:
    if not value or not value.strip():
        raise ValueError(f"{what} is needed")
    return value


def one_of(what: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise ValueError(f"{what} must be one of {', '.join(allowed)}")
    return value


def launch_name(name: str | None) -> str | None:
    """The live service is stricter at launch than its documentation is on rename: no `_`, no `-` at the ends."""
    if name is not None and (len(name) > 64 or not _LAUNCH_NAME.fullmatch(name)):
        raise ValueError("a name has 2 to 64 letters, digits and -, and starts and ends with a letter or a digit")
    return name


def new_name(name: str) -> str:
    if not _NEW_NAME.fullmatch(name):
        raise ValueError("a name has 3 to 64 letters, digits, - and _")
    return name


def access(ssh_key: str | None, password: str | None) -> dict[str, str]:
    """A key (trimmed: the provider rejects a trailing newline) or a password."""
    key = (ssh_key or "").strip()
    if not key and not password:
        raise ValueError("an SSH key or a password is needed")
    if "\n" in key or "\r" in key:
        raise ValueError("an SSH key is one line")
    return ({"ssh_key": key} if key else {}) | ({"password": password} if password else {})


def system(template_name: str | None, iso_url: str | None) -> dict[str, str | None]:
    if template_name and iso_url:
        raise ValueError("choose a template or an ISO image, not both")
    return {"template_name": template_name, "iso_url": iso_url}


def sizes(**values: int) -> dict[str, int]:
    for what, value in values.items():
        if value < 1:
            raise ValueError(f"{what} must be at least 1")
    return values


def gpus(count: int, model: str | None) -> dict[str, Any]:
    if count < 0 or (count > 0 and not model):
        raise ValueError("gpu_count is 0 or more, and gpu_model is needed when it is over 0")
    return {"gpu_count": count, "gpu_model": model if count else None}


def iso(at: datetime | None) -> str | None:
    """ISO 8601 in UTC. A naive time is refused: nobody knows what it means."""
    if at is not None and at.tzinfo is None:
        raise ValueError("a time needs its zone")
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None


def task_query(limit: int, days: int, status: str | None) -> dict[str, str | int]:
    if not 1 <= limit <= 100 or not 1 <= days <= 7:
        raise ValueError("limit is 1 to 100, days is 1 to 7")
    if status is not None and status not in _TASK_STATES:
        raise ValueError(f"status must be one of {', '.join(sorted(_TASK_STATES))}")
    return {"limit": limit, "days": days} | ({"status": status} if status else {})


def schedule(
    *,
    enabled: bool,
    frequency: str,
    time_utc: str,
    retention_count: int,
    day_of_week: int | str | None,
    day_of_month: int | None,
) -> dict[str, Any]:
    """The body in both spellings. `hour_utc` cannot say "03:30", so it goes along with whole hours only."""
    one_of("frequency", frequency, ("daily", "weekly", "monthly"))
    found = _TIME.fullmatch(time_utc)
    if not found:
        raise ValueError("time_utc is HH:MM")
    if retention_count < 1 or (day_of_month is not None and not 1 <= day_of_month <= 31):
        raise ValueError("retention_count is at least 1, day_of_month is 1 to 31")
    return {
        "enabled": enabled,
        "frequency": frequency,
        "time_utc": time_utc,
        "hour_utc": int(found[1]) if found[2] == "00" else None,
        "retention_count": retention_count,
        "day_of_week": day_of_week,
        "day_of_month": day_of_month,
    }


def rule(direction: str, action: str, proto: str, **texts: str | None) -> dict[str, Any]:
    """A firewall rule's body; empty texts are left out."""
    return {
        "type": one_of("type", direction, ("in", "out")),
        "action": one_of("action", action, ("ACCEPT", "DROP", "REJECT")),
        "proto": one_of("proto", proto, ("tcp", "udp", "icmp")),
        **{name: value or None for name, value in texts.items()},
    }


def position(pos: int) -> int:
    if pos < 0:
        raise ValueError("a rule's position is 0 or more")
    return pos
