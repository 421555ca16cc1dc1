"""What the shared readings say of all operations at once: one task list and one list of machines for everybody.

Called by the readers of the cache (cloud/parts.py) after each reading. A row in another's turn is left alone; it is
read again a few seconds later.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from cloud import knock, processes, schedule, shapes
from cloud.models import Account, Instance, Refresh
from cloud.operations import evidence, judging, launches
from cloud.operations.claims import is_free
from cloud.operations.evidence import Evidence
from cloud.operations.kind import Kind, Seen
from cloud.operations.kinds import KINDS, kind_of
from cloud.operations.models import Attempt, Operation
from cloud.operations.moves import move
from cloud.operations.states import SOUGHT, State
from cloud.timing import Timing, seconds

LIMIT = judging.LIMIT
SINGLES = 2  # tasks that are asked for by themselves after one reading of the list


@dataclass(frozen=True)
class Heard:
    """One reading of the task list. `owners` says which operation has which task; `offset_s` is the provider's clock
    minus ours, as the answer's Date header said.
    """

    listing: shapes.TaskList
    owners: dict[str, str]
    asked_at: datetime
    offset_s: float | None


def heard(
    account: Account,
    listing: shapes.TaskList,
    *,
    asked_at: datetime,
    now: datetime,
    pace: Timing,
    offset_s: float | None = None,
) -> None:
    """The newest tasks were read, asked for at `asked_at` with limit=100 and days=7."""
    rows = _rows(account, now, pace)
    if not rows:
        return
    tasks = {task.task_id: task for task in listing.items}
    reading = Heard(listing, owners_of(account, tasks), asked_at, offset_s)
    for row in rows:
        if row.state == State.CHECKING:
            _heard_checking(row, reading, now, pace)
        elif row.task_id in tasks:
            judge_task(row, kind_of(row), tasks[row.task_id], now, pace)
    _ask_alone([row for row in rows if row.state == State.RUNNING and row.task_id not in tasks], now, pace)


def owners_of(account: Account, task_ids: Iterable[str]) -> dict[str, str]:
    """Which operation has which task: nobody else's is taken for one's own. One query."""
    known = Operation.objects.filter(account=account, task_id__in=list(task_ids)).exclude(task_id="")
    return dict(known.values_list("task_id", "pk"))


def saw(
    account: Account,
    machines: Sequence[shapes.Instance],
    *,
    is_complete: bool,
    asked_at: datetime,
    now: datetime,
    pace: Timing,
    offset_s: float | None = None,
) -> None:
    """The machines were listed, asked for at `asked_at`. A list with unreadable rows proves no absence."""
    rows = _rows(account, now, pace)
    by_id = {machine.uuid[:255]: machine for machine in machines} if rows else {}
    ids = launches.machine_ids(rows)
    for row in rows:
        machine = by_id.get(ids.get(row.pk, ""))
        if machine is None and not is_complete:
            continue
        seen = Seen(True, machine.power.value, machine.name or "") if machine else Seen(False)
        kind, found = kind_of(row), evidence.of(row)
        if row.state == State.RUNNING:
            if found.completed_at and asked_at >= found.completed_at:
                _confirm(row, kind, seen, found, now, pace)
        elif row.sent_at and asked_at >= row.sent_at:
            _read(found, now, pace)
            _count(row, kind, seen, found, now)
            if kind.is_sent_alone:
                named = launches.namesakes(row, machines, offset_s)
                found.twins, found.elders = len(named.candidates), len(named.elders)
            if not judge(row, kind, found, now, pace):
                _save(row, found)


def judge_task(row: Operation, kind: Kind, task: shapes.Task, now: datetime, pace: Timing) -> bool:
    """What its task says of a running operation; True when that changed its state."""
    found = evidence.of(row)
    if judging.is_foreign(task, row, kind):
        words = _("The task that Blue Lobster named is about something else. We are checking whether it happened.")
        return move(row, State.CHECKING, now=now, words=words, found=evidence.begun(now), again_at=now)
    status, said = (task.status or "")[:32], (task.message or "")[:500]
    if task.state == shapes.TaskState.FAILED:
        found.task_status, found.task_said = status, said
        words = _("Blue Lobster could not do it.")
        knock.knock(schedule.soon(row.account_id, Refresh.Part.INSTANCES, now=now))
        return move(row, State.FAILED, now=now, words=words, found=found)
    if task.state == shapes.TaskState.COMPLETED and not found.completed_at:
        found.task_status, found.task_said, found.completed_at = status, said, now
        knock.knock(schedule.soon(row.account_id, Refresh.Part.INSTANCES, now=now))
        if not kind.is_confirmed:
            return move(row, State.SUCCEEDED, now=now, found=found)
        _save(row, found)
    elif (status, said) != (found.task_status, found.task_said):
        found.task_status, found.task_said = status, said
        _save(row, found)
    return False


def judge(row: Operation, kind: Kind, found: Evidence, now: datetime, pace: Timing) -> bool:
    """Decide a row in `checking` by its evidence; True when its state changed."""
    if not judging.is_shown(kind, found):
        found.done_at = None
    elif found.done_at is None:
        found.done_at = now
    may_be_disproven = found.not_done >= judging.READINGS  # the rest is asked only where it matters
    is_over = not may_be_disproven or is_sender_over(row, now, pace)
    sends = times_sent(row) if may_be_disproven else row.attempts
    absence_s = kind.absence_s(row, pace) if may_be_disproven else 0.0
    verdict = judging.decide(row, kind, found, now, pace, is_over=is_over, sends=sends, absence_s=absence_s)
    if verdict is None:
        return False
    if verdict.to == State.QUEUED:
        afresh = Evidence(is_look_first=True)
        return move(row, State.QUEUED, now=now, words=verdict.words, found=afresh, again_at=now, queued_at=now, tries=0)
    return move(row, verdict.to, now=now, words=verdict.words, found=found)


def is_sender_over(row: Operation, now: datetime, pace: Timing) -> bool:
    """Is it known that the last sender is done? It said so, or its process is gone."""
    last = Attempt.objects.filter(operation=row).order_by("-id").first()
    return last is None or last.ended_at is not None or processes.is_gone(last.sender, last.marked_at, now, pace)


def times_sent(row: Operation) -> int:
    """How many of its requests may have had an effect: those that never left, or were refused, had none."""
    return Attempt.objects.filter(operation=row).exclude(result__in=("not_sent", "refused")).count()


def is_fresh(account_id: int, part: Refresh.Part, now: datetime, pace: Timing) -> bool:
    """Was this part read lately? What the provider did not say for want of an answer proves nothing."""
    return Refresh.objects.filter(account=account_id, part=part, done_at__gt=now - seconds(pace.heard_s)).exists()


def backoff_s(times: int, pace: Timing) -> float:
    """3, 6, 12, 15 … seconds, or up to a quarter less: many at once do not ask in step."""
    most_s = min(pace.poll_s * 2.0 ** min(times - 1, 8), pace.poll_most_s)
    return most_s * random.uniform(0.75, 1)  # noqa: S311


def _rows(account: Account, now: datetime, pace: Timing) -> list[Operation]:
    """What is sought and in nobody's turn. Kinds of another version are left to that one."""
    return list(Operation.objects.filter(is_free(now, pace), account=account, state__in=SOUGHT, kind__in=list(KINDS)))


def _ask_alone(rows: Sequence[Operation], now: datetime, pace: Timing) -> None:
    """Have tasks that the list lacks asked for by themselves: few a reading, however many run, the longest unasked
    first, and each ever more rarely.
    """
    places = SINGLES - sum(row.next_check_at is not None and row.next_check_at <= now for row in rows)
    ripe = []
    for row in rows:
        found = evidence.of(row)
        since = found.asked_at or row.sent_at or row.changed_at
        if not found.completed_at and now >= since + seconds(backoff_s(found.singles + 1, pace)):
            ripe.append((since, row.pk, row))
    for _since, _pk, row in sorted(ripe)[: max(places, 0)]:
        Operation.objects.filter(pk=row.pk, fence=row.fence, next_check_at__gt=now).update(next_check_at=now)


def _heard_checking(row: Operation, reading: Heard, now: datetime, pace: Timing) -> None:
    kind, found = kind_of(row), evidence.of(row)
    if not kind.has_task:
        return
    near = near_tasks(row, kind, reading.listing, reading.owners, reading.offset_s, now, pace)
    if len(near.own) == 1 and (kind.adopts_tasks or row.provider_id):
        if adopt(row, near.own[0], now, pace):
            reading.owners[row.task_id] = row.pk
            judge_task(row, kind, near.own[0], now, pace)
        return
    _read(found, now, pace)
    found.candidates, found.strange_task = len(near.own), near.strange
    found.listed_at = reading.asked_at
    if near.is_complete and not near.own:
        found.clean_at = now
    if not judge(row, kind, found, now, pace):
        _save(row, found)


def near_tasks(
    row: Operation,
    kind: Kind,
    listing: shapes.TaskList,
    owners: dict[str, str],
    offset_s: float | None,
    now: datetime,
    pace: Timing,
) -> judging.Near:
    """What the list has in the window of this operation's last call and is no other operation's."""
    others = {task_id for task_id, owner in owners.items() if owner != row.pk}
    if not row.provider_id:
        others |= _of_known_machines(row, listing)
    shift_s = _offset_s(row, offset_s)
    return judging.near(row, kind, listing, others, now=now, offset_s=shift_s, pace=pace)


def _of_known_machines(row: Operation, listing: shapes.TaskList) -> set[str]:
    """Tasks of machines that the cache knows: none of them is what a launch is waiting for. One query."""
    about = {task.task_id: task.vm_uuid[:255] for task in listing.items if task.vm_uuid}
    rows = Instance.objects.filter(account=row.account_id, provider_id__in=set(about.values()))
    known = set(rows.exclude(operations=row).values_list("provider_id", flat=True))
    return {task_id for task_id, machine_id in about.items() if machine_id in known}


def adopt(row: Operation, task: shapes.Task, now: datetime, pace: Timing) -> bool:
    """The one task that can only be its own was found: it happened, and goes on or is over. What it says is judged
    after the commit.
    """
    limit_at = now + seconds(pace.limit_s)
    words = _("Blue Lobster has it: its task was found.")
    task_id = task.task_id[:255]
    return move(row, State.RUNNING, now=now, words=words, again_at=limit_at, found=Evidence(), task_id=task_id, tries=0)


def _confirm(row: Operation, kind: Kind, seen: Seen, found: Evidence, now: datetime, pace: Timing) -> None:
    """The task says that it is done: does the machine show it? A machine that says nothing does not contradict."""
    found.power = _power(seen)
    if kind.is_done(seen, row) is not False:
        move(row, State.SUCCEEDED, now=now, found=found)
        return
    found.contradicted += 1
    is_early = found.completed_at is None or now < found.completed_at + seconds(pace.absent_again_s)
    if found.contradicted < judging.READINGS or is_early:  # the list may lag behind the task
        _save(row, found)
        return
    found.checking_since = now
    if move(row, State.CHECKING, now=now, found=found, again_at=now):
        judge(row, kind, found, now, pace)


def _read(found: Evidence, now: datetime, pace: Timing) -> None:
    """There was an answer, whatever it said."""
    if found.read_at is None or found.read_at < now - seconds(pace.silence_s):
        found.read_since = now
    found.read_at = now


def _count(row: Operation, kind: Kind, seen: Seen, found: Evidence, now: datetime) -> None:
    found.power = _power(seen)
    done = kind.is_done(seen, row)
    if done is None:
        return
    found.looked_at = now
    found.absent_since = None if done else found.absent_since or now
    found.done, found.not_done = (found.done + 1, 0) if done else (0, found.not_done + 1)


def _power(seen: Seen) -> str:
    return seen.power if seen.is_listed else "absent"


def _save(row: Operation, found: Evidence) -> None:
    """Keep what was found; not when another hand has the row by now."""
    row.evidence = evidence.packed(found)
    Operation.objects.filter(pk=row.pk, state=row.state, fence=row.fence).update(evidence=row.evidence)


def _offset_s(row: Operation, listed_s: float | None) -> float:
    """The provider's clock minus ours: as its last answer to this operation said, else as the list's own answer did.
    0 when neither gave a date.
    """
    own = Attempt.objects.filter(operation=row, offset_s__isnull=False).order_by("-id")
    said_s = own.values_list("offset_s", flat=True).first()
    return said_s if said_s is not None else listed_s or 0.0
