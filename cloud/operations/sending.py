"""The dangerous moment: whether it may still be sent, the mark that it is being sent, and what the answer means.

Everything is asked before the mark; after the mark's commit comes the socket and nothing else. Source of the rules:
reliability.md, 3.
"""

import hashlib
import json
import logging
import random
import threading
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from django.db import Error, transaction
from django.utils.translation import gettext as _

from cloud import knock, processes, schedule, standing
from cloud.budget import Lane
from cloud.client import Client
from cloud.clock import Clock
from cloud.connect import client_for
from cloud.errors import Busy, CloudError, NotSent, NotSentReason, Refused
from cloud.models import Instance, Refresh
from cloud.operations import evidence, judging, listening
from cloud.operations.claims import Turn, keep
from cloud.operations.evidence import Evidence
from cloud.operations.kinds import Kind, kind_of
from cloud.operations.models import Attempt, Operation
from cloud.operations.moves import hold_machine, move
from cloud.operations.states import State
from cloud.ports import ports
from cloud.timing import Timing, seconds

log = logging.getLogger(__name__)
OURS = frozenset({NotSentReason.BUDGET, NotSentReason.POOL})
QUICK_TRIES = 5
BODY_CAP = 4096


def take_up(turn: Turn, clock: Clock) -> None:
    """Send a queued operation, if it may still happen and there is a place for the call."""
    kind = kind_of(turn.row)
    if _is_over(turn, kind, clock):
        return
    client = client_for(turn.row.account, lane=Lane.PEOPLE, wait_s=turn.pace.place_s)
    try:
        if _is_answered_by_looking(turn, kind, client, clock):
            return
        client.reserve(is_write=True)
    except CloudError as error:
        _wait(turn, error, clock())
        return
    try:
        attempt = _mark(turn, kind, clock())
        if attempt is not None:
            _send(turn, kind, client, attempt, clock)
    finally:
        client.give_back()  # the place, if nothing took it


# --- before ---------------------------------------------------------------------------------------------------------


def _is_over(turn: Turn, kind: Kind, clock: Clock) -> bool:
    """Ended before it was sent: too late, not allowed any more, protected, or without a machine."""
    row, now = turn.row, clock()
    if _is_too_late(turn):
        words = _("It could not be sent for ten minutes and was given up. Nothing was changed.")
        return move(row, State.EXPIRED, now=now, words=words) or True
    denial = ports().why_not(row)
    if denial:
        return move(row, State.CANCELLED, now=now, words=denial, is_denied=True) or True
    reason = _reason_against(row, kind, turn.pace)
    if reason:
        return move(row, State.CANCELLED, now=now, words=reason) or True
    return False


def _is_too_late(turn: Turn) -> bool:
    """Waiting that our own queue caused does not count: while others of the account are sent, it is only its turn."""
    row, pace = turn.row, turn.pace
    if turn.now < (row.queued_at or row.created_at) + seconds(pace.expire_s):
        return False
    lately = turn.now - seconds(pace.queue_moves_s)
    moving = Attempt.objects.filter(account=row.account_id, marked_at__gt=lately).exclude(operation=row)
    return row.tries > 0 or not moving.exists()


def _reason_against(row: Operation, kind: Kind, pace: Timing) -> str:
    machine = row.target
    if not row.account.is_enabled:
        return _("The account was disabled meanwhile. Nothing was sent.")
    if machine is None:
        return ""
    if kind.is_stopped_by_lock and machine.is_locked:
        return _("The machine was protected meanwhile. Nothing was sent.")
    if machine.gone_at:
        return _("The machine no longer exists. Nothing was sent.")
    if row.attempts and _is_read_since(row, machine) and kind.is_pointless(machine, row.params):
        return _("The machine is as you wanted it by now; nothing needs to be sent.")
    return ""


def _is_read_since(row: Operation, machine: Instance) -> bool:
    """The machines were read after the last try."""
    parts = Refresh.objects.filter(account=row.account_id, part=Refresh.Part.INSTANCES)
    return parts.filter(done_at__gt=row.deadline_at or row.changed_at).exists() and machine.missing_since is None


def _is_answered_by_looking(turn: Turn, kind: Kind, client: Client, clock: Clock) -> bool:
    """Where a second one would do harm, a fresh look comes first; True when nothing is to be sent now.

    Raises CloudError.
    """
    row = turn.row
    if evidence.of(row).is_look_first and row.attempts and kind.has_task and _is_found(turn, kind, client, clock):
        return True
    if not kind.needs_fresh_read:
        return False
    machine = next((one for one in client.list_instances().items if one.uuid == row.provider_id), None)
    power = machine.power.value if machine else Instance.Power.UNKNOWN
    if power == Instance.Power.STOPPED:
        words = _("The machine is off already; nothing needs to be sent.")
        return move(row, State.CANCELLED, now=clock(), words=words) or True
    if power != Instance.Power.RUNNING and listening.times_sent(row):  # a second time only if it surely runs
        return keep(turn, clock() + seconds(turn.pace.look_s), tries=row.tries + 1) or True
    return False


def _is_found(turn: Turn, kind: Kind, client: Client, clock: Clock) -> bool:
    """Has the provider a task of the last call after all, or one that may be? Then nothing more is sent.

    From here to running or checking the table knows one way only, by `sending`; nobody sees it in between.
    """
    row, pace = turn.row, turn.pace
    listing = client.list_tasks(limit=listening.LIMIT, days=judging.TASK_DAYS)
    now = clock()
    owners = listening.owners_of(row.account, [task.task_id for task in listing.items])
    near = listening.near_tasks(row, kind, listing, owners, client.clock_offset_s, now, pace)
    if not near.own and not near.strange:
        return False
    with transaction.atomic():
        is_mine = move(row, State.SENDING, now=now, again_at=now)
        if is_mine and len(near.own) == 1:
            listening.adopt(row, near.own[0], now, pace)
        elif is_mine:
            move(row, State.CHECKING, now=now, found=evidence.begun(now), again_at=now)
    if row.state == State.RUNNING:
        listening.judge_task(row, kind, near.own[0], now, pace)
    return True


def _wait(turn: Turn, error: CloudError, now: datetime) -> None:
    """It could not even be tried: it stays queued. Our own restraint is no failure and wears nobody out."""
    row = turn.row
    if isinstance(error, NotSent) and error.reason in OURS:
        keep(turn, now + seconds(turn.pace.sweep_s))
        return
    tries = row.tries + 1
    known_s = error.retry_in_s if isinstance(error, NotSent) and error.retry_in_s else 0.0
    words = _waiting_words(error, tries)
    keep(turn, now + seconds(max(_backoff_s(tries, turn.pace), known_s)), tries=tries, outcome=words)


# --- the mark ---------------------------------------------------------------------------------------------------------


def _mark(turn: Turn, kind: Kind, now: datetime) -> Attempt | None:
    """Write down that the request leaves now.

    None when the row is in another hand, when too little of the lease is left, or when the machine was protected in
    this very moment: the next turn says so.
    """
    row, pace = turn.row, turn.pace
    if row.leased_until is None or row.leased_until < now + seconds(pace.send_margin_s):
        keep(turn, now)
        return None
    with transaction.atomic():
        hold_machine(row)
        if kind.is_stopped_by_lock and _is_locked(row):
            keep(turn, now)
            return None
        is_marked = move(
            row,
            State.SENDING,
            now=now,
            again_at=row.leased_until,
            attempts=row.attempts + 1,
            sent_at=now,
            deadline_at=now + seconds(pace.call_s),
        )
        if not is_marked:
            return None
        return Attempt.objects.create(
            operation=row,
            account_id=row.account_id,
            fence=row.fence,
            sender=processes.label(),
            fingerprint=_fingerprint(row),
            marked_at=now,
        )


def _is_locked(row: Operation) -> bool:
    return row.target_id is not None and Instance.objects.filter(pk=row.target_id, is_locked=True).exists()


def _fingerprint(row: Operation) -> str:
    asked = json.dumps([row.kind, row.provider_id, row.params], sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()


# --- the answer -------------------------------------------------------------------------------------------------------


def _send(turn: Turn, kind: Kind, client: Client, attempt: Attempt, clock: Clock) -> None:
    try:
        task_id = kind.send(client, turn.row)
    except CloudError as error:
        ended = _ended(kind, error, client, clock())
        _save(turn, attempt, ended, partial(_refused, turn, kind, error, clock()))
        if isinstance(error, Refused):
            standing.failed(turn.row.account, error, clock())
    except ValueError as error:  # the client would not send this
        ended = {"ended_at": clock(), "result": "not_sent", "body": str(error)[:BODY_CAP]}
        words = _("Blue Lobster would not take this: %(reason)s.") % {"reason": error}
        _save(turn, attempt, ended, partial(move, turn.row, State.FAILED, now=clock(), words=words))
    except Exception:
        log.exception("sending %s failed in a way that nobody thought of", turn.row)
        _save(turn, attempt, {"ended_at": clock(), "result": "unclear"}, partial(_not_clear, turn.row, clock()))
    else:
        ended = {"ended_at": clock(), "result": "accepted", "offset_s": client.clock_offset_s, "body": task_id[:255]}
        _save(turn, attempt, ended, partial(_accepted, turn, kind, task_id, clock()))


def _save(turn: Turn, attempt: Attempt, ended: dict[str, Any], outcome: Callable[[], object]) -> None:
    """The attempt's end and the new state. When the database refuses, the end is kept in memory for the next beat."""
    try:
        with transaction.atomic():
            Attempt.objects.filter(pk=attempt.pk).update(**ended)
            outcome()
    except Error:
        _unsaved.keep(attempt.pk, ended)
        raise


def _accepted(turn: Turn, kind: Kind, task_id: str, now: datetime) -> None:
    row, pace = turn.row, turn.pace
    if task_id:
        limit_at = now + seconds(pace.limit_s)
        move(row, State.RUNNING, now=now, task_id=task_id[:255], again_at=limit_at, found=Evidence(), tries=0)
        schedule.no_later(row.account_id, Refresh.Part.TASKS, at=now + seconds(pace.poll_s))
    elif kind.has_task:
        move(row, State.CHECKING, now=now, found=evidence.begun(now), again_at=now)
    else:
        move(row, State.SUCCEEDED, now=now)
        _read_machines(row, now)


def _refused(turn: Turn, kind: Kind, error: CloudError, now: datetime) -> None:
    """From what may have happened to the next state."""
    row = turn.row
    if isinstance(error, NotSent):
        _again(turn, error, now, evidence.of(row))
    elif isinstance(error, Busy):
        found = evidence.of(row)
        found.is_look_first = not kind.is_convergent
        _again(turn, error, now, found)
    elif isinstance(error, Refused):
        _definite(turn, kind, error, now)
    else:
        _not_clear(row, now)


def _not_clear(row: Operation, now: datetime) -> None:
    words = _("We asked and got no clear answer. We are checking whether it happened; please do not repeat it.")
    move(row, State.CHECKING, now=now, words=words, found=evidence.begun(now), again_at=now)


def _definite(turn: Turn, kind: Kind, error: Refused, now: datetime) -> None:
    row = turn.row
    if error.code == "invalid_state":
        _not_ready(turn, error, now)
        return
    _read_machines(row, now)
    if _is_absent(kind, error):
        _gone(row, now)
        return
    found = evidence.of(row)
    found.task_said = error.message
    move(row, State.FAILED, now=now, words=_no_words(error), found=found)


def _gone(row: Operation, now: datetime) -> None:
    """The machine that was to be deleted is not known. Done if the list agrees; else an address may be wrong: look."""
    machine = row.target
    if machine is None or machine.gone_at or machine.missing_since:
        move(row, State.SUCCEEDED, now=now, words=_("It no longer existed."))
        return
    words = _("Blue Lobster says that it does not exist. We are checking whether that is so.")
    move(row, State.CHECKING, now=now, words=words, found=evidence.begun(now), again_at=now)


def _is_absent(kind: Kind, error: CloudError) -> bool:
    return kind.wants_absence and isinstance(error, Refused) and error.status == 404


def _not_ready(turn: Turn, error: Refused, now: datetime) -> None:
    """The machine is in another change's hands: try again for some minutes."""
    row, found = turn.row, evidence.of(turn.row)
    found.not_ready_since = found.not_ready_since or now
    found.task_said = error.message
    _read_machines(row, now)
    if now > found.not_ready_since + seconds(turn.pace.not_ready_s):
        words = _("The machine did not become ready for this within five minutes. Nothing was changed.")
        move(row, State.FAILED, now=now, words=words, found=found)
        return
    tries = row.tries + 1
    words = _("Still finishing another change; trying again by ourselves.")
    at = now + seconds(_backoff_s(tries, turn.pace))
    move(row, State.QUEUED, now=now, words=words, found=found, again_at=at, tries=tries, queued_at=now)


def _again(turn: Turn, error: NotSent | Busy, now: datetime, found: Evidence) -> None:
    row = turn.row
    told_s = error.retry_after_s if isinstance(error, Busy) else error.retry_in_s
    is_ours = isinstance(error, NotSent) and error.reason in OURS
    tries = row.tries if is_ours else row.tries + 1
    at = now + seconds(max(_backoff_s(tries, turn.pace), told_s or 0.0))
    move(row, State.QUEUED, now=now, words=_waiting_words(error, tries), found=found, again_at=at, tries=tries)


def _read_machines(row: Operation, now: datetime) -> None:
    """After the commit: a sync holds the part's row for as long as it writes."""

    def ask() -> None:
        knock.knock(schedule.soon(row.account_id, Refresh.Part.INSTANCES, now=now))

    transaction.on_commit(ask, robust=True)


def _backoff_s(tries: int, pace: Timing) -> float:
    """1, 2, 4, 8, 16 seconds, then every 30, give or take half: many at once do not come in step."""
    base = pace.backoff_s * 2.0 ** max(tries - 1, 0) if tries <= QUICK_TRIES else pace.backoff_slow_s
    return base * random.uniform(0.5, 1.5)  # noqa: S311


def _ended(kind: Kind, error: CloudError, client: Client, now: datetime) -> dict[str, Any]:
    result = "not_sent" if isinstance(error, NotSent) else "refused" if isinstance(error, Refused) else "unclear"
    result = "unclear" if _is_absent(kind, error) else result  # a no that looking must confirm
    return {
        "ended_at": now,
        "result": result,
        "status": getattr(error, "status", None),
        "offset_s": client.clock_offset_s,
        "body": (getattr(error, "detail", "") or error.message)[:BODY_CAP],
    }


def _waiting_words(error: CloudError, tries: int) -> str:
    if isinstance(error, NotSent) and error.reason is NotSentReason.WRITES_OFF:
        return _("Blue Lobster does not accept the stored key; this waits until it does. Nothing was changed.")
    if tries > QUICK_TRIES:
        return _("Blue Lobster cannot be reached; trying again by ourselves. Nothing was changed.")
    return _("Blue Lobster is busy; trying again by ourselves (%(n)d of %(most)d). Nothing was changed.") % {
        "n": max(tries, 1),
        "most": QUICK_TRIES,
    }


def _no_words(error: Refused) -> str:
    """The provider's no in our words; its own stand below, unfolded on request."""
    words = {
        401: _("Blue Lobster rejected the stored key. Nothing was changed."),
        403: _("Blue Lobster does not allow this with our key. Nothing was changed."),
        404: _("It no longer exists: it was removed outside the panel."),
        409: _("Blue Lobster is busy with this machine. Nothing was changed."),
    }
    return words.get(error.status, _("Blue Lobster refused. Nothing was changed."))


class _Unsaved:
    """Ends of attempts that the database did not take. Without them nobody could know that their sender is done."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ends: dict[int, dict[str, Any]] = {}

    def keep(self, attempt_id: int, ended: dict[str, Any]) -> None:
        with self._lock:
            self._ends[attempt_id] = ended

    def save(self) -> None:
        """Called after each heartbeat. Raises the database's errors; what was not saved stays."""
        with self._lock:
            ends = dict(self._ends)
        for attempt_id, ended in ends.items():
            Attempt.objects.filter(pk=attempt_id, ended_at=None).update(**ended)
            with self._lock:
                self._ends.pop(attempt_id, None)


_unsaved = _Unsaved()
save_ends = _unsaved.save
