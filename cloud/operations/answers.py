"""What the provider's answer to a write means: from what may have happened to the next state (reliability.md 3, 5)."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from cloud import knock, schedule
from cloud.client import Client
from cloud.errors import Busy, CloudError, NotSent, Refused
from cloud.models import Refresh
from cloud.operations import evidence
from cloud.operations.claims import Turn
from cloud.operations.evidence import Evidence
from cloud.operations.kind import Kind, Sent
from cloud.operations.models import Operation
from cloud.operations.moves import move
from cloud.operations.patience import OURS, backoff_s, waiting_words
from cloud.operations.states import State
from cloud.timing import seconds

BODY_CAP = 4096


def accepted(turn: Turn, kind: Kind, sent: Sent, now: datetime) -> None:
    """They took it, with a task or without."""
    row, pace = turn.row, turn.pace
    kind.accepted(row, sent)
    if sent.task_id:
        limit_at = now + seconds(kind.limit_s(pace))
        move(row, State.RUNNING, now=now, task_id=sent.task_id[:255], again_at=limit_at, found=Evidence(), tries=0)
        schedule.no_later(row.account_id, Refresh.Part.TASKS, at=now + seconds(pace.poll_s))
    elif kind.has_task:
        move(row, State.CHECKING, now=now, found=evidence.begun(now), again_at=now)
    else:
        move(row, State.SUCCEEDED, now=now)
        _read_machines(row, now)


def refused(turn: Turn, kind: Kind, error: CloudError, now: datetime) -> None:
    """They did not, or nobody knows."""
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
        not_clear(row, now)


def not_clear(row: Operation, now: datetime) -> None:
    """It may have happened: from here on it is looked for."""
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
    move(row, State.FAILED, now=now, words=kind.no_words(error) or _no_words(error), found=found)


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
    at = now + seconds(backoff_s(tries, turn.pace))
    move(row, State.QUEUED, now=now, words=words, found=found, again_at=at, tries=tries, queued_at=now)


def _again(turn: Turn, error: NotSent | Busy, now: datetime, found: Evidence) -> None:
    row = turn.row
    told_s = error.retry_after_s if isinstance(error, Busy) else error.retry_in_s
    is_ours = isinstance(error, NotSent) and error.reason in OURS
    tries = row.tries if is_ours else row.tries + 1
    at = now + seconds(max(backoff_s(tries, turn.pace), told_s or 0.0))
    move(row, State.QUEUED, now=now, words=waiting_words(error, tries), found=found, again_at=at, tries=tries)


def _read_machines(row: Operation, now: datetime) -> None:
    """After the commit: a sync holds the part's row for as long as it writes."""

    def ask() -> None:
        knock.knock(schedule.soon(row.account_id, Refresh.Part.INSTANCES, now=now))

    transaction.on_commit(ask, robust=True)


def end_of(kind: Kind, error: CloudError, client: Client, now: datetime) -> dict[str, Any]:
    """How the attempt ended, as its columns."""
    result = "not_sent" if isinstance(error, NotSent) else "refused" if isinstance(error, Refused) else "unclear"
    result = "unclear" if _is_absent(kind, error) else result  # a no that looking must confirm
    return {
        "ended_at": now,
        "result": result,
        "status": getattr(error, "status", None),
        "offset_s": client.clock_offset_s,
        "body": (getattr(error, "detail", "") or error.message)[:BODY_CAP],
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
