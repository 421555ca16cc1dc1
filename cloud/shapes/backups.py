"""Backups and their schedule. Source: the provider's reference, "Backups"."""

from datetime import datetime
from typing import Any, ClassVar, Self

from msgspec import structs

from cloud.shapes.fields import Cents, Rows, Shape, integer, text


class Backup(Shape, frozen=True, kw_only=True):
    """`volid` is opaque and has slashes and colons. `instance_*` and `notes` come in the account-wide list only."""

    volid: str = ""
    size_bytes: int | None = None
    size_human: str | None = None
    created_at: datetime | None = None
    format: str | None = None
    instance_id: str | None = None
    instance_name: str | None = None
    notes: str | None = None


class BackupList(Rows, frozen=True, kw_only=True):
    """Backups of one machine, or of the account (then `instance_id` and `storage` are None).

    `backup_in_progress` and `restore_in_progress` are what the provider gives, null or something: see `is_busy`.
    """

    row_type: ClassVar = Backup
    row_key: ClassVar = "backups"
    row_id: ClassVar = "volid"

    instance_id: str | None = None
    storage: str | None = None
    total: int | None = None
    items: tuple[Backup, ...] = ()

    @property
    def backup_in_progress(self) -> bool:
        return _is_marked(self.raw.get("backup_in_progress"))

    @property
    def restore_in_progress(self) -> bool:
        return _is_marked(self.raw.get("restore_in_progress"))

    @property
    def is_busy(self) -> bool:
        return self.backup_in_progress or self.restore_in_progress


def _is_marked(value: Any) -> bool:
    """The mark is documented as null when nothing runs; else it may be true, a text, or an object."""
    word = value.strip().casefold() if isinstance(value, str) else value
    return bool(word) and word not in ("false", "no", "none", "null", "0")


class BackupStorage(Shape, frozen=True, kw_only=True):
    """What the account's backups take and cost. 250 GB are free; `usage_percent` is of those."""

    total_bytes: int | None = None
    total_gb: float | None = None
    total_formatted: str | None = None
    free_tier_bytes: int | None = None
    free_tier_gb: float | None = None
    billable_bytes: int | None = None
    billable_gb: float | None = None
    backup_count: int | None = None
    monthly_cost_cents: Cents = None
    monthly_cost_formatted: str | None = None
    is_free: bool | None = None
    usage_percent: float | None = None


class Schedule(Shape, frozen=True, kw_only=True):
    """The automatic backup of one machine; all None when there is none.

    `time_utc` is "HH:MM". The documentation speaks `time_utc`, the live service was seen to speak `hour_utc`: either
    fills both here, and both are sent.
    """

    wrappers: ClassVar = ("schedule", "data")

    instance_id: str | None = None
    enabled: bool | None = None
    frequency: str | None = None
    time_utc: str | None = None
    hour_utc: int | None = None
    day_of_week: str | None = None
    day_of_month: int | None = None
    retention_count: int | None = None
    last_backup: datetime | None = None
    next_backup: datetime | None = None

    @classmethod
    def read(cls, row: dict[str, Any]) -> Self:
        return structs.replace(super().read({**row, **_both_spellings(row)}), raw=row)

    @classmethod
    def parse(cls, answer: Any, *, is_write: bool = False) -> Self:
        if isinstance(answer, dict) and any(key in answer and answer[key] is None for key in cls.wrappers):
            return cls(raw=answer)  # {"schedule": null}: there is none
        return super().parse(answer, is_write=is_write)


def _both_spellings(row: dict[str, Any]) -> dict[str, Any]:
    time = text(row.get("time_utc"))
    hour = integer(row.get("hour_utc"))
    if time is None and hour is not None and 0 <= hour <= 23:
        time = f"{hour:02d}:00"
    if hour is None and time is not None:
        hour = integer(time.partition(":")[0])
    return {"time_utc": time, "hour_utc": hour if hour is not None and 0 <= hour <= 23 else None}
