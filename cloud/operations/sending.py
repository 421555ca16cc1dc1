"""The dangerous moment: whether it may still be sent, the mark that it is being sent, and the one request.

Everything is asked before the mark; after the mark's commit comes the socket and nothing else. What the answer means
stands in answers.py. Source of the rules: reliability.md, 3.
"""

import hashlib
import json
import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from cloud import processes, standing
from cloud.budget import Lane
from cloud.client import Client
from cloud.clock import Clock
from cloud.connect import client_for
from cloud.errors import CloudError, NotSent, Refused
from cloud.models import Instance, Refresh
from cloud.operations import answers, evidence, judging, launches, listening, unsaved
from cloud.operations.claims import Turn, keep
from cloud.operations.kind import Kind
from cloud.operations.kinds import kind_of
from cloud.operations.models import Attempt, Operation
from cloud.operations.moves import hold_machine, move
from cloud.operations.patience import OURS, backoff_s, waiting_words
from cloud.operations.states import State
from cloud.ports import ports
from cloud.seal import unseal
from cloud.timing import Timing, seconds

log = logging.getLogger(__name__)


def take_up(turn: Turn, clock: Clock) -> None:
    """Send a queued operation, if it may still happen and there is a place for the call."""
    kind = kind_of(turn.row)
    if _is_over(turn, kind, clock) or _is_in_line(turn, kind):
        return
    turn.row.opened = json.loads(unseal(turn.row.sealed_params)) if turn.row.sealed_params else {}
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


def _is_in_line(turn: Turn, kind: Kind) -> bool:
    """Another of its kind is being sent, and its answer is still out: one at a time. It comes again at once."""
    if not kind.is_sent_alone or launches.is_line_free(turn.row):
        return False
    return _stays_in_line(turn, turn.now)


def _stays_in_line(turn: Turn, now: datetime) -> bool:
    return keep(turn, now + seconds(turn.pace.in_line_s)) or True


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
    reason = kind.reason_against(row)
    if reason:
        return reason
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
    is_its_own = len(near.own) == 1 and (kind.adopts_tasks or bool(row.provider_id))
    try:
        with transaction.atomic():
            is_mine = move(row, State.SENDING, now=now, again_at=now)
            if is_mine and is_its_own:
                listening.adopt(row, near.own[0], now, pace)
            elif is_mine:
                move(row, State.CHECKING, now=now, found=evidence.begun(now), again_at=now)
    except IntegrityError:  # another launch began to be sent while the list was read
        if not kind.is_sent_alone:
            raise
        return _stays_in_line(turn, now)
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
    words = waiting_words(error, tries)
    keep(turn, now + seconds(max(backoff_s(tries, turn.pace), known_s)), tries=tries, outcome=words)


# --- the mark ---------------------------------------------------------------------------------------------------------


def _mark(turn: Turn, kind: Kind, now: datetime) -> Attempt | None:
    """Write down that the request leaves now.

    None when the row is in another hand, when too little of the lease is left, or when the machine was protected or
    another launch began to be sent in this very moment: the next turn says so.
    """
    row, pace = turn.row, turn.pace
    if row.leased_until is None or row.leased_until < now + seconds(pace.send_margin_s):
        keep(turn, now)
        return None
    try:
        with transaction.atomic():
            hold_machine(row)
            if kind.is_stopped_by_lock and _is_locked(row):
                keep(turn, now)
                return None
            return _marked(turn, now)
    except IntegrityError:
        if not kind.is_sent_alone:
            raise
    keep(turn, now + seconds(pace.in_line_s))
    return None


def _marked(turn: Turn, now: datetime) -> Attempt | None:
    row = turn.row
    is_marked = move(
        row,
        State.SENDING,
        now=now,
        again_at=row.leased_until,
        attempts=row.attempts + 1,
        sent_at=now,
        deadline_at=now + seconds(turn.pace.call_s),
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


# --- the request ------------------------------------------------------------------------------------------------------


def _send(turn: Turn, kind: Kind, client: Client, attempt: Attempt, clock: Clock) -> None:
    try:
        sent = kind.send(client, turn.row)
    except CloudError as error:
        ended = answers.end_of(kind, error, client, clock())
        _save(turn, attempt, ended, partial(answers.refused, turn, kind, error, clock()))
        if isinstance(error, Refused):
            standing.failed(turn.row.account, error, clock())
    except ValueError as error:  # the client would not send this
        ended = {"ended_at": clock(), "result": "not_sent", "body": str(error)[: answers.BODY_CAP]}
        words = _("Blue Lobster would not take this: %(reason)s.") % {"reason": error}
        _save(turn, attempt, ended, partial(move, turn.row, State.FAILED, now=clock(), words=words))
    except Exception:
        log.exception("sending %s failed in a way that nobody thought of", turn.row)
        _save(turn, attempt, {"ended_at": clock(), "result": "unclear"}, partial(answers.not_clear, turn.row, clock()))
    else:
        ended = {
            "ended_at": clock(),
            "result": "accepted",
            "offset_s": client.clock_offset_s,
            "body": sent.task_id[:255],
        }
        _save(turn, attempt, ended, partial(answers.accepted, turn, kind, sent, clock()))


def _save(turn: Turn, attempt: Attempt, ended: dict[str, Any], outcome: Callable[[], object]) -> None:
    """The attempt's end and the new state. When the database refuses, the end is kept in memory for the next beat."""
    try:
        with transaction.atomic():
            Attempt.objects.filter(pk=attempt.pk).update(**ended)
            outcome()
    except Exception:  # of the database or of ours: the sender is done, and nobody else can know
        unsaved.keep(attempt.pk, ended)
        raise
