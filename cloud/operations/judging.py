"""From evidence to a verdict. Pure: a row, what was found, the time. Rules: reliability.md, 3 and 5."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from cloud import shapes
from cloud.operations.evidence import Evidence
from cloud.operations.kinds import KNOWN_TASKS, Kind
from cloud.operations.models import Operation
from cloud.operations.states import State
from cloud.timing import Timing, seconds

TASK_DAYS = 7
READINGS = 2  # in a row, before a state of the machine counts


@dataclass(frozen=True)
class Verdict:
    """Where to, and why, in words for people."""

    to: State
    words: str


def quiet_from(row: Operation, pace: Timing) -> datetime:
    """From when on nothing of the last call can still take effect, by our clock."""
    return (row.deadline_at or row.changed_at) + seconds(pace.window_s)


def decide(row: Operation, kind: Kind, found: Evidence, now: datetime, pace: Timing, *, is_over: bool) -> Verdict | None:
    """What the evidence of a row in `checking` says; None: look again.

    `is_over`: the end of its sender is known, by its saved answer or by the silence of its process.
    """
    if found.contradicted >= READINGS:
        return Verdict(State.UNCLEAR, _("Blue Lobster says that it is done, and the machine does not show it."))
    if found.done >= (READINGS if kind.has_task else 1):
        return Verdict(State.SUCCEEDED, _("We looked: it happened."))
    if is_over and _is_disproven(row, kind, found, pace):
        if row.attempts < kind.sends:
            return Verdict(State.QUEUED, _("We looked: it had not happened. It is sent again."))
        return Verdict(State.NOT_DONE, _("We looked: it did not happen. Nothing was changed."))
    if _is_tired(row, found, now, pace):
        return Verdict(State.UNCLEAR, _unclear_words(found))
    return None


def _is_disproven(row: Operation, kind: Kind, found: Evidence, pace: Timing) -> bool:
    """Looked, after nothing could come any more, and it did not happen."""
    quiet = quiet_from(row, pace)
    if found.looked_at is None or found.looked_at < quiet or found.strange_task or found.missing_at:
        return False
    if kind.has_task and (found.clean_at is None or found.clean_at < quiet):
        return False
    return found.not_done >= READINGS


def _is_tired(row: Operation, found: Evidence, now: datetime, pace: Timing) -> bool:
    """Looked for long enough with answers that say neither; without answers nobody can be tired of them."""
    since = found.checking_since or row.changed_at
    has_answers = found.looked_at is not None and found.looked_at > now - seconds(pace.heard_s)
    return has_answers and now > max(since + seconds(pace.checking_s), quiet_from(row, pace))


def _unclear_words(found: Evidence) -> str:
    if found.strange_task:
        return _("Blue Lobster has a task for this machine that we do not know: “%(name)s”.") % {
            "name": found.strange_task
        }
    return _("We asked, got no clear answer, and could not find out by looking.")


def task_of(row: Operation, kind: Kind, tasks: Sequence[shapes.Task], taken: set[str], offset_s: float, pace: Timing) -> shapes.Task | None:
    """The one task that can only be this operation's: its machine, its name, its window, and nobody else's."""
    own = [
        task
        for task in tasks
        if task.vm_uuid == row.provider_id
        and task.task_id not in taken
        and (task.operation or "").casefold() in kind.task_names
        and _is_in_window(task, row, offset_s, pace)
    ]
    return own[0] if len(own) == 1 else None


def strange_task(row: Operation, tasks: Sequence[shapes.Task], taken: set[str], offset_s: float, pace: Timing) -> str:
    """The name of a task of this machine in the window that we cannot read; "" when there is none."""
    for task in tasks:
        name = (task.operation or "").casefold()
        is_near = task.vm_uuid == row.provider_id and task.task_id not in taken
        if is_near and name not in KNOWN_TASKS and _is_in_window(task, row, offset_s, pace):
            return name or "?"
    return ""


def is_complete(listing: shapes.TaskList, row: Operation, offset_s: float, now: datetime, pace: Timing, limit: int) -> bool:
    """Does the list reach back over the whole window? A cut one proves no absence, and none after a week does."""
    begin = _window(row, offset_s, pace)[0]
    if listing.skipped or begin < now - seconds(TASK_DAYS * 86400):
        return False
    if len(listing.items) < limit:
        return all(task.created_at for task in listing.items if task.vm_uuid == row.provider_id)
    oldest = min((task.created_at for task in listing.items if task.created_at), default=None)
    return oldest is not None and oldest < begin


def is_foreign(task: shapes.Task, row: Operation, kind: Kind) -> bool:
    """A task that the provider gave us and that is about another machine or another action."""
    name = (task.operation or "").casefold()
    is_elsewhere = bool(task.vm_uuid) and task.vm_uuid != row.provider_id
    return is_elsewhere or (name in KNOWN_TASKS and name not in kind.task_names)


def _is_in_window(task: shapes.Task, row: Operation, offset_s: float, pace: Timing) -> bool:
    begin, end = _window(row, offset_s, pace)
    return task.created_at is not None and begin <= task.created_at <= end


def _window(row: Operation, offset_s: float, pace: Timing) -> tuple[datetime, datetime]:
    """When a task of this call can have been made, by the provider's clock."""
    sent, over = row.sent_at or row.changed_at, row.deadline_at or row.changed_at
    # A second each way: the provider's times and its Date header are whole seconds.
    shift, edge = seconds(offset_s), seconds(pace.window_s + 1)
    return sent + shift - edge, over + shift + edge
