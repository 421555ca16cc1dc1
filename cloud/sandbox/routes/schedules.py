"""The automatic backup schedule of a machine, in the documented spelling and in the one that was seen."""

from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel

from cloud.sandbox import show, timetable
from cloud.sandbox.chance import fraction
from cloud.sandbox.checks import between, one_of, time_of_day
from cloud.sandbox.clock import iso
from cloud.sandbox.errors import invalid, not_found
from cloud.sandbox.routes.call import CallDep, InstanceId, answer
from cloud.sandbox.state import Instance, Schedule

router = APIRouter()


class ScheduleBody(BaseModel):
    """`time_utc` and `hour_utc` may both be given if they say the same."""

    enabled: bool = True
    frequency: str = "daily"
    time_utc: str | None = None
    hour_utc: int | None = None
    day_of_week: int | None = None
    day_of_month: int | None = None
    retention_count: int = 7

    def schedule(self) -> Schedule:
        """Raises ApiError 400 for the first thing that is wrong."""
        one_of("frequency", self.frequency, timetable.FREQUENCIES)
        between("retention_count", self.retention_count, 1, 365)
        hour, minute = self._time()
        if self.day_of_week is not None:
            between("day_of_week", self.day_of_week, 0, 6)
        if self.day_of_month is not None:
            between("day_of_month", self.day_of_month, 1, 31)
        return Schedule(
            self.enabled, self.frequency, hour, minute, self.retention_count, 0.0,
            self.day_of_week if self.frequency == "weekly" else None,
            self.day_of_month if self.frequency == "monthly" else None,
        )  # fmt: skip

    def _time(self) -> tuple[int, int]:
        hour, minute = time_of_day(self.time_utc) if self.time_utc is not None else (self.hour_utc or 0, 0)
        if self.hour_utc is not None:
            between("hour_utc", self.hour_utc, 0, 23)
            if self.hour_utc != hour:
                raise invalid("hour_utc", "contradicts time_utc")
        return hour, minute


@router.get("/instances/{id}/backup-schedule", name="get_backup_schedule")
async def get_backup_schedule(call: CallDep, instance_id: InstanceId) -> Response:
    instance = call.world.listed(instance_id)
    if instance.schedule is None:
        raise not_found("Backup schedule")
    return answer(_shown(instance, instance.schedule, wrapped=call.world.meta.quirks["schedule_wrapped"]))


@router.post("/instances/{id}/backup-schedule", name="set_backup_schedule")
async def set_backup_schedule(call: CallDep, instance_id: InstanceId, body: ScheduleBody) -> Response:
    instance = call.world.ready(instance_id)
    schedule = body.schedule()
    word = "created" if instance.schedule is None else "updated"
    schedule.last_at = instance.schedule.last_at if instance.schedule else None
    timetable.enter(call.world, instance, schedule)
    call.world.note(instance, f"backup_schedule_{word}")
    call.committed(instance_id, body.model_dump(exclude_none=True))
    answered = {"success": True, "message": f"Backup schedule {word}", "instance_id": instance_id}
    return answer(answered | {"schedule": show.schedule_row(schedule)})


@router.delete("/instances/{id}/backup-schedule", name="delete_backup_schedule")
async def delete_backup_schedule(call: CallDep, instance_id: InstanceId) -> Response:
    instance = call.world.ready(instance_id)
    if instance.schedule is None:
        raise not_found("Backup schedule")
    instance.schedule = None
    call.world.note(instance, "backup_schedule_deleted")
    call.committed(instance_id)
    return answer({"success": True, "message": "Backup schedule deleted", "instance_id": instance_id})


def _shown(instance: Instance, schedule: Schedule, *, wrapped: bool) -> dict[str, Any]:
    """Plain and documented; or, as seen, for a third of the machines each in `schedule` or in `data`."""
    times = {
        "last_backup": iso(schedule.last_at) if schedule.last_at is not None else None,
        "next_backup": iso(schedule.next_at) if schedule.enabled else None,
    }
    style = int(fraction(instance.uuid, "schedule") * 3) if wrapped else 0
    if style == 0:
        return {"instance_id": instance.uuid} | show.schedule_row(schedule) | times
    seen = {
        "instance_id": instance.uuid,
        "enabled": schedule.enabled,
        "frequency": schedule.frequency,
        "hour_utc": schedule.hour,
        "day_of_week": schedule.day_of_week,
        "day_of_month": schedule.day_of_month,
        "retention_count": schedule.retention_count,
    }
    return {"schedule" if style == 1 else "data": seen | times}
