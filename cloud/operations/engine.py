"""Moves one operation forward: claims it, and does what its state asks for. Called by messages and by the sweeper.

The lists that all operations share are read by the cache's own parts, and come in through listening.py.
"""

import logging
from collections.abc import Callable
from datetime import datetime

from django.db import Error
from django.utils.translation import gettext as _

from cloud import knock, schedule
from cloud.budget import Lane
from cloud.client import Client
from cloud.clock import Clock
from cloud.connect import client_for
from cloud.errors import CloudError, Refused
from cloud.models import Refresh
from cloud.operations import claims, evidence, listening, sending
from cloud.operations.claims import Turn
from cloud.operations.kind import Kind
from cloud.operations.kinds import UnknownKind, kind_of
from cloud.operations.moves import move
from cloud.operations.states import State
from cloud.seal import CannotOpen
from cloud.timing import seconds, timing

log = logging.getLogger(__name__)
NOT_OURS = 24  # reminders of an unclear one (Timing.unclear_again_s) that an unknown kind is left alone


def advance(pk: str, clock: Clock) -> bool:
    """Move one operation forward if it is due. Safe to run twice, late, or never. True when this call took it."""
    turn = claims.claim(pk, clock(), timing())
    if turn is None:
        return False
    try:
        STEPS[State(turn.row.state)](turn, clock)
    except CannotOpen:
        log.warning("the key of %s cannot be opened here", turn.row.account)
        claims.keep(turn, clock() + seconds(turn.pace.knock_again_s))
    except UnknownKind:
        _unknown(turn, clock())
    except Error:
        raise  # of the database: the lease ends by itself, and whoever comes next looks
    except Exception:
        log.exception("advancing %s failed", turn.row)
        claims.keep(turn, clock() + seconds(turn.pace.lease_s))
    return True


def _held(turn: Turn, clock: Clock) -> None:
    """The undo time is over: from here on it goes by itself."""
    now = clock()
    if move(turn.row, State.QUEUED, now=now, again_at=now):
        advance(turn.row.pk, clock)


def _left(turn: Turn, clock: Clock) -> None:
    """It was marked to be sent, and its turn ended without a word: what became of it must be looked for."""
    now = clock()
    words = _("We asked and got no clear answer. We are checking whether it happened; please do not repeat it.")
    if move(turn.row, State.CHECKING, now=now, words=words, found=evidence.begun(now), again_at=now):
        advance(turn.row.pk, clock)


def _running(turn: Turn, clock: Clock) -> None:
    """Its time is over, or the task list lacks its task: ask for that one by itself, and give it up when it is late."""
    row, pace = turn.row, turn.pace
    kind = kind_of(row)
    limit_s = kind.limit_s(pace)
    limit_at = (row.sent_at or row.changed_at) + seconds(limit_s)
    # A list that has it and an address that knows it not could send it round for ever: not after twice its time.
    is_askable = row.account.is_enabled and turn.now < limit_at + seconds(limit_s)
    if is_askable and _is_told(turn, kind, clock):
        return
    # While nobody reads its list, a task may be done and we would not know; a disabled account is never read.
    is_heard = listening.is_fresh(row.account_id, Refresh.Part.TASKS, turn.now, pace) or not row.account.is_enabled
    if turn.now >= limit_at and is_heard:
        _over_limit(turn, clock)
        return
    # Before its limit the next reading of the list says when it is to be asked for again.
    claims.keep(turn, max(limit_at, turn.now + seconds(pace.heard_s)), evidence=row.evidence)


def _is_told(turn: Turn, kind: Kind, clock: Clock) -> bool:
    """Ask for its task; True when the answer changed its state. Writes down that it was asked for."""
    row, found = turn.row, evidence.of(turn.row)
    found.singles, found.asked_at = found.singles + 1, turn.now
    row.evidence = evidence.packed(found)
    try:
        task = _client(turn).get_task(row.task_id)
    except Refused as error:
        if error.status != 404:
            return False
        words = _("Blue Lobster does not know its task any more. We are checking whether it happened.")
        now = clock()
        return move(row, State.CHECKING, now=now, words=words, found=evidence.begun(now), again_at=now) or True
    except CloudError:
        return False
    return listening.judge_task(row, kind, task, clock(), turn.pace)


def _over_limit(turn: Turn, clock: Clock) -> None:
    found = evidence.of(turn.row)
    now = clock()
    if found.completed_at:
        found.checking_since = now
        move(turn.row, State.CHECKING, now=now, found=found, again_at=now)
        return
    words = _("Blue Lobster has been working on it for far longer than usual and does not say how it ended.")
    move(turn.row, State.UNCLEAR, now=now, words=words)


def _checking(turn: Turn, clock: Clock) -> None:
    """Have the lists read, look at the one machine where that helps, and judge."""
    row, pace = turn.row, turn.pace
    kind, found = kind_of(row), evidence.of(row)
    due = schedule.soon(row.account_id, Refresh.Part.TASKS, Refresh.Part.INSTANCES, now=turn.now, every_s=pace.look_s)
    knock.knock(due)
    since_s = (turn.now - (found.checking_since or row.changed_at)).total_seconds()
    if not row.account.is_enabled and since_s > pace.checking_s:
        words = _("The account is disabled, so nobody can look whether it happened.")
        move(row, State.UNCLEAR, now=turn.now, words=words)
        return
    try:
        kind.look(_client(turn), row, found, turn.now, pace)
    except CloudError as error:
        log.info("no look at %s now: %s", row, error.message)
    if not listening.judge(row, kind, found, clock(), pace):
        # Ever more rarely: many looks of their own would take the place of people's calls.
        pause_s = min(max(pace.look_s, since_s / 10), pace.heard_s)
        claims.keep(turn, turn.now + seconds(pause_s), evidence=evidence.packed(found))


def _unclear(turn: Turn, clock: Clock) -> None:
    """Only a person ends it; whoever watches is reminded."""
    log.warning("operation %s is unclear and waits for a person", turn.row.pk)
    claims.keep(turn, turn.now + seconds(turn.pace.unclear_again_s))


def _unapproved(turn: Turn, clock: Clock) -> None:
    move(turn.row, State.EXPIRED, now=clock(), words=_("Nobody approved it in time. Nothing was sent."))


def _unknown(turn: Turn, now: datetime) -> None:
    """Left to the version that wrote it; after a day without one, to a person."""
    row, pace = turn.row, turn.pace
    words = _("This version of Tidepool does not know this action.")
    if row.state == State.QUEUED and now > (row.queued_at or row.changed_at) + seconds(pace.expire_s):
        move(row, State.EXPIRED, now=now, words=f"{words} {_('Nothing was sent.')}")
    elif row.state != State.QUEUED and now > row.changed_at + seconds(NOT_OURS * pace.unclear_again_s):
        move(row, State.UNCLEAR, now=now, words=words)
    else:
        claims.keep(turn, now + seconds(pace.knock_again_s))


def _client(turn: Turn) -> Client:
    return client_for(turn.row.account, lane=Lane.PEOPLE, wait_s=turn.pace.place_s)


STEPS: dict[State, Callable[[Turn, Clock], None]] = {
    State.WAITING_APPROVAL: _unapproved,
    State.HELD: _held,
    State.QUEUED: sending.take_up,
    State.SENDING: _left,
    State.RUNNING: _running,
    State.CHECKING: _checking,
    State.UNCLEAR: _unclear,
}
