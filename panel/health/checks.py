"""Is every part of the house well? Each check is short, bounded, and says in words what to do when it is not."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import DatabaseError, connection
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from cloud.clock import system_clock
from cloud.models import Process, Refresh
from cloud.operations.models import Operation
from cloud.operations.states import State
from cloud.store import store
from cloud.timing import seconds, timing


@dataclass(frozen=True)
class Finding:
    """One part's state: `look` as in ux.md's states, its word, and since when or what to do."""

    part: str
    look: str
    word: str
    note: str = ""
    at: datetime | None = None


def findings() -> list[Finding]:
    checks: tuple[Callable[[], Finding], ...] = (_database, _redis, _workers, _sweeper, _due, _operations)
    return [check() for check in checks]


def _database() -> Finding:
    engine = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}.get(connection.vendor, connection.vendor)
    try:
        connection.ensure_connection()
    except DatabaseError:
        return Finding(_("Database"), "bad", _("Does not answer"), engine)
    return Finding(_("Database"), "run", _("Working"), engine)


def _redis() -> Finding:
    try:
        store().ping()
    except RedisError:
        note = _("Pages do not change by themselves until it is back; the sweeper does the workers' work.")
        return Finding(_("Redis"), "bad", _("Does not answer"), note)
    return Finding(_("Redis"), "run", _("Working"))


def _workers() -> Finding:
    recent = system_clock() - seconds(timing().worker_healthy_s)
    rows = Process.objects.filter(kind=Process.Kind.WORKER)
    alive = rows.filter(seen_at__gt=recent).order_by("-seen_at")
    if alive:
        note = _("%(count)d at work, last sign") % {"count": len(alive)}
        return Finding(_("Workers"), "run", _("Working"), note, alive[0].seen_at)
    last = rows.order_by("-seen_at").first()
    note = _("Start a worker: nothing is read from the provider. Last sign") if last else _("None was ever seen.")
    return Finding(_("Workers"), "bad", _("None at work"), note, last.seen_at if last else None)


def _sweeper() -> Finding:
    recent = system_clock() - seconds(timing().worker_healthy_s)
    last = Process.objects.filter(kind=Process.Kind.SWEEPER).order_by("-seen_at").first()
    if last and last.seen_at > recent:
        return Finding(_("Sweeper"), "run", _("Working"), _("last sign"), last.seen_at)
    note = _("Start a sweeper: what is due is not found. Last sign") if last else _("None was ever seen.")
    return Finding(_("Sweeper"), "bad", _("None at work"), note, last.seen_at if last else None)


def _due() -> Finding:
    now = system_clock()
    oldest = Refresh.objects.filter(account__is_enabled=True, leased_until=None).order_by("due_at").first()
    if oldest and oldest.due_at < now - seconds(timing().worker_healthy_s):
        return Finding(_("Queue"), "check", _("Late"), _("the oldest waits since"), oldest.due_at)
    return Finding(_("Queue"), "run", _("On time"))


def _operations() -> Finding:
    """Actions that nobody takes up, or whose outcome is looked for or waits for a person (reliability.md 4)."""
    now, part = system_clock(), _("Actions")
    rows = Operation.objects.order_by("changed_at")
    late = rows.filter(next_check_at__lt=now - seconds(timing().worker_healthy_s)).first()
    if late:
        return Finding(part, "bad", _("Late"), _("one should have been taken up at"), late.next_check_at)
    unclear = rows.filter(state=State.UNCLEAR).first()
    if unclear:
        return Finding(part, "check", _("Please check"), _("an outcome waits for a person since"), unclear.changed_at)
    sought = rows.filter(state=State.CHECKING, changed_at__lt=now - seconds(timing().checking_s / 2)).first()
    if sought:
        return Finding(part, "check", _("Checking"), _("an outcome is looked for since"), sought.changed_at)
    return Finding(part, "run", _("On time"))
