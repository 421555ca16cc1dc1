"""From evidence to a verdict. Pure: a row, what was found, the time. Rules: reliability.md, 3 and 5."""

from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from cloud import shapes
from cloud.operations.evidence import Evidence
from cloud.operations.kind import Kind
from cloud.operations.kinds import KNOWN_TASKS
from cloud.operations.models import Operation
from cloud.operations.states import State
from cloud.timing import Timing, seconds

TASK_DAYS = 7
LIMIT = 100  # rows of a task list, the most that the provider gives
READINGS = 2  # in a row, before a state of the machine counts


@dataclass(frozen=True)
class Verdict:
    """Where to, and why, in words for people."""

    to: State
    words: str


def quiet_from(row: Operation, pace: Timing) -> datetime:
    """From when on nothing of the last call can still take effect, by our clock."""
    return (row.deadline_at or row.changed_at) + seconds(pace.window_s)


def decide(
    row: Operation,
    kind: Kind,
    found: Evidence,
    now: datetime,
    pace: Timing,
    *,
    is_over: bool,
    sends: int,
    absence_s: float = 0.0,
) -> Verdict | None:
    """What the evidence of a row in `checking` says; None: look again.

    `is_over`: the end of its sender is known, by its saved answer or by the silence of its process. `sends`: how many
    requests may have had an effect. `absence_s`: how long it must have been absent before that counts.
    """
    if found.twins > 1:
        return Verdict(State.UNCLEAR, _("More than one new machine bears this name. Somebody must say which it is."))
    if found.contradicted >= READINGS:
        return Verdict(State.UNCLEAR, _("Blue Lobster says that it is done, and the machine does not show it."))
    if is_shown(kind, found) and _is_without_task(kind, found, now, pace):
        return Verdict(State.SUCCEEDED, _("We looked: it happened."))
    if is_over and _is_disproven(row, kind, found, pace, absence_s):
        if sends < kind.sends:
            return Verdict(State.QUEUED, _("We looked: it had not happened. It is sent again."))
        return Verdict(State.NOT_DONE, _("We looked: it did not happen. Nothing was changed."))
    if _is_tired(row, kind, found, now, pace):
        return Verdict(State.UNCLEAR, _unclear_words(found))
    return None


def is_shown(kind: Kind, found: Evidence) -> bool:
    """Enough readings in a row say that it happened."""
    return found.done >= (READINGS if kind.has_task else 1)


def _is_without_task(kind: Kind, found: Evidence, now: datetime, pace: Timing) -> bool:
    """Was its task looked for since then? One that nobody claims would be taken for the next operation's own."""
    if not kind.has_task or not kind.adopts_tasks:
        return True
    if found.done_at is None:
        return False
    is_looked_for = found.listed_at is not None and found.listed_at >= found.done_at
    # A reader that was killed keeps the list from others for a lease: only a longer silence ends the wait.
    return is_looked_for or now >= found.done_at + seconds(pace.silence_s)


def _is_disproven(row: Operation, kind: Kind, found: Evidence, pace: Timing, absence_s: float) -> bool:
    """Looked, after nothing could come any more, and it did not happen."""
    quiet = quiet_from(row, pace)
    if found.looked_at is None or found.looked_at < quiet:
        return False
    if absence_s and (found.absent_since is None or found.looked_at < found.absent_since + seconds(absence_s)):
        return False
    if found.strange_task or found.candidates or found.missing_at or found.elders or found.twins:
        return False
    if kind.has_task and (found.clean_at is None or found.clean_at < quiet):
        return False
    return found.not_done >= kind.absent_looks


def _is_tired(row: Operation, kind: Kind, found: Evidence, now: datetime, pace: Timing) -> bool:
    """Looked for long enough with answers that say neither; without answers nobody can be tired of them."""
    if found.read_at is None or found.read_since is None or found.read_at < now - seconds(pace.heard_s):
        return False
    return now > max(found.read_since + seconds(kind.patience_s(pace)), quiet_from(row, pace))


def _unclear_words(found: Evidence) -> str:
    if found.elders:
        return _("A machine of this name came up that was made before we asked. Somebody must say whose it is.")
    if found.candidates:
        return _("Blue Lobster has more than one task for this machine that could be this one.")
    if found.strange_task:
        return _("Blue Lobster has a task for this machine that we do not know: “%(name)s”.") % {
            "name": found.strange_task
        }
    return _("We asked, got no clear answer, and could not find out by looking.")


@dataclass(frozen=True)
class Near:
    """The tasks around one operation's last call: those that can be its own, and the name of one that nobody can read.

    `is_complete`: the list reaches back over the whole window, so that what it lacks does not exist.
    """

    own: list[shapes.Task]
    strange: str
    is_complete: bool


def near(
    row: Operation,
    kind: Kind,
    listing: shapes.TaskList,
    others: Container[str],
    *,
    now: datetime,
    offset_s: float,
    pace: Timing,
) -> Near:
    """Read a task list for one operation; `others` are the tasks of other operations."""
    begin, end = _window(row, offset_s, pace)
    free = [task for task in listing.items if task.task_id not in others]
    around = [task for task in free if task.created_at and begin <= task.created_at <= end]
    own = [task for task in around if _is_about(task, row, kind) and _name(task) in kind.task_names]
    strange = next((_name(task) or "?" for task in around if _is_strange(task, row, kind)), "")
    is_dated = all(task.created_at for task in free if _is_about(task, row, kind) or not task.vm_uuid)
    oldest_known = now + seconds(offset_s - TASK_DAYS * 86400)
    return Near(own, strange, is_dated and begin >= oldest_known and _reaches(listing, begin))


def _is_about(task: shapes.Task, row: Operation, kind: Kind) -> bool:
    """Is it about this operation's machine? Of a launch whose machine nobody knows yet: about any that could be it."""
    if row.provider_id or kind.adopts_tasks:
        return task.vm_uuid == row.provider_id
    return task.state != shapes.TaskState.FAILED


def _is_strange(task: shapes.Task, row: Operation, kind: Kind) -> bool:
    """It could be ours, and does not say enough to know: an unknown name, or no machine."""
    is_unknown = _name(task) not in KNOWN_TASKS
    if task.vm_uuid and _is_about(task, row, kind):
        return is_unknown
    return not task.vm_uuid and (is_unknown or _name(task) in kind.task_names)


def _reaches(listing: shapes.TaskList, begin: datetime) -> bool:
    """Does the list hold everything since then? A cut one does if it goes back further."""
    most = min(LIMIT, listing.limit or LIMIT)
    if listing.skipped:
        return False
    if len(listing.items) < most and (listing.total or 0) <= len(listing.items):
        return True
    return any(task.created_at and task.created_at < begin for task in listing.items)


def _name(task: shapes.Task) -> str:
    return (task.operation or "").casefold()


def is_foreign(task: shapes.Task, row: Operation, kind: Kind) -> bool:
    """A task that the provider gave us and that is about another machine or another action."""
    name = _name(task)
    is_elsewhere = bool(task.vm_uuid and row.provider_id) and task.vm_uuid != row.provider_id
    return is_elsewhere or (name in KNOWN_TASKS and name not in kind.task_names)


def _window(row: Operation, offset_s: float, pace: Timing) -> tuple[datetime, datetime]:
    """When a task of this call can have been made, by the provider's clock."""
    sent, over = row.sent_at or row.changed_at, row.deadline_at or row.changed_at
    # A second each way: the provider's times and its Date header are whole seconds.
    shift, edge = seconds(offset_s), seconds(pace.window_s + 1)
    return sent + shift - edge, over + shift + edge
