"""Backup schedules: when the next one is due, and starting those that are."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush

from cloud.sandbox import tasks
from cloud.sandbox.state import Instance, Schedule
from cloud.sandbox.world import World

FREQUENCIES = ("daily", "weekly", "monthly")


def next_run(schedule: Schedule, after: float) -> float:
    """The first moment after `after` (epoch seconds) at which the schedule runs, by the wall clock in UTC."""
    start = datetime.fromtimestamp(after, UTC)
    day = start.replace(hour=schedule.hour, minute=schedule.minute, second=0, microsecond=0)
    while day.timestamp() <= after or not _falls_on(schedule, day):
        day += timedelta(days=1)
    return day.timestamp()


def _falls_on(schedule: Schedule, day: datetime) -> bool:
    if schedule.frequency == "weekly":
        return day.weekday() == (schedule.day_of_week or 0)
    if schedule.frequency == "monthly":
        return day.day == min(schedule.day_of_month or 1, monthrange(day.year, day.month)[1])
    return True


def enter(world: World, instance: Instance, schedule: Schedule) -> None:
    """Give the machine this schedule."""
    schedule.next_at = next_run(schedule, world.clock.now())
    instance.schedule = schedule
    heappush(world.calendar, (schedule.next_at, instance.uuid))
    world.touch(instance)


def run_due(world: World) -> None:
    """Start the backups that are due; a machine that is busy is skipped until its next time. Does not save."""
    now = world.clock.now()
    while world.calendar and world.calendar[0][0] <= now:
        moment, uuid = heappop(world.calendar)
        instance = world.instances.get(uuid)
        schedule = instance.schedule if instance else None
        if instance is None or schedule is None or schedule.next_at != moment:
            continue  # deleted or changed meanwhile
        if schedule.enabled and instance.task_id is None and not instance.creating:
            tasks.start(world, "create_backup", instance, params={"scheduled": True})
        enter(world, instance, schedule)
