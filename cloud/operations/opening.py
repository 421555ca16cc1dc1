"""The people's side: an intent is written down, taken back, settled. No network; the knock comes after the commit."""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q

from cloud import knock
from cloud.models import Instance
from cloud.operations import evidence, launches, moves
from cloud.operations.kind import Kind
from cloud.operations.kinds import KINDS, kind_of
from cloud.operations.models import NameReservation, Operation
from cloud.operations.states import HOLDING, UNSENT, State
from cloud.tally import recount
from cloud.timing import seconds, timing


@dataclass(frozen=True)
class Asker:
    """Who asks, as plain words that outlive the person's account."""

    actor_id: int
    label: str
    token_id: str = ""
    session_hash: str = ""


class Taken(Exception):
    """The machine is in another operation's hands, or the name is promised: `holder` says whose."""

    def __init__(self, holder: Operation) -> None:
        super().__init__(str(holder))
        self.holder = holder


class KeyReused(Exception):
    """The form's key came back with other contents."""


class TooLate(Exception):
    """It is not in a state any more in which this can be done to it. `row` is as it is now."""

    def __init__(self, row: Operation) -> None:
        super().__init__(str(row))
        self.row = row


@dataclass(frozen=True)
class Opened:
    """The operation, and whether this call wrote it; False for a form that was sent twice."""

    row: Operation
    is_new: bool


def open_operation(
    kind: Kind,
    target: Instance,
    *,
    by: Asker,
    client_key: str,
    now: datetime,
    params: Mapping[str, Any] | None = None,
    retry_of: str = "",
    takes_two: bool = False,
) -> Opened:
    """Write an intent down, in the caller's transaction, whose last statement is the record's. One that `takes_two`
    waits for a second person.

    The same key by the same person gives the same operation. Raises KeyReused when it came with other contents, Taken
    when another operation has the machine or the name.
    """
    row = draft(kind, target, by, client_key, dict(params or {}), now)
    row.retry_of = retry_of
    if takes_two:
        _wait_for_approval(row, now)
    return _opened(row, now)


def open_launch(
    kind: Kind,
    machine: Instance,
    *,
    by: Asker,
    client_key: str,
    now: datetime,
    params: Mapping[str, Any],
    sealed_params: str = "",
    secret_mark: str = "",
    retry_of: str = "",
    takes_two: bool = False,
    cents_per_hour: int | None = None,
) -> Opened:
    """Write down a launch together with the machine that it promises: `machine` is that row, not saved yet.

    In the caller's transaction, as `open_operation`, and with its errors; Taken: the name is promised to another.
    `secret_mark` tells two secrets apart and nothing else of them: a form that comes again with another is another.
    """
    row = draft(kind, machine, by, client_key, dict(params), now)
    row.retry_of, row.sealed_params = retry_of, sealed_params
    row.body_hash = hashlib.sha256(f"{row.body_hash} {secret_mark}".encode()).hexdigest()
    row.precondition["cents_per_hour"] = cents_per_hour
    if takes_two:
        _wait_for_approval(row, now)
    opened = _opened(row, now)
    if opened.is_new:
        recount(row.account)
    return opened


def _opened(row: Operation, now: datetime) -> Opened:
    known = _same(row) or write(row) or write(row)  # twice: who held it may have ended in that very moment
    if known is None:
        raise IntegrityError("an operation could not be written, and nobody holds its machine or name")
    if known is not row:
        if known.body_hash != row.body_hash:
            raise KeyReused
        return Opened(known, is_new=False)
    moves.opened(row, now)
    transaction.on_commit(lambda: knock_for(row), robust=True)
    return Opened(row, is_new=True)


def approve(row: Operation, *, by: Asker, now: datetime, price: int | None = None) -> Operation:
    """A second person lets it go on; the caller asks the policy and puts it on the record. The row as it is then.

    `price` is what it costs an hour by now. Raises TooLate when it waits no more, Taken when another operation has the
    machine.
    """
    fresh = _fresh(row)
    kind = kind_of(fresh)
    hold_s = undo_s(kind)
    to, at = (State.HELD, now + seconds(hold_s)) if hold_s else (State.QUEUED, now)
    changes: dict[str, Any] = {"approved_by": by.actor_id, "approved_by_label": by.label}
    if price is not None:
        changes["precondition"] = fresh.precondition | {"cents_per_hour": price}
    try:
        with transaction.atomic():
            is_mine = State(fresh.state) is State.WAITING_APPROVAL and moves.move(
                fresh, to, now=now, by=by.label, again_at=at, is_recorded=False, **changes
            )
    except IntegrityError:
        holder = _holder(fresh)
        if holder is None:
            raise
        raise Taken(holder) from None
    if not is_mine:
        raise TooLate(fresh)
    transaction.on_commit(lambda: knock_for(fresh), robust=True)
    return fresh


def take_back(row: Operation, *, by: str, now: datetime, words: str, states: Collection[State] = UNSENT) -> None:
    """Cancel what was not sent yet and is in one of these states; the caller puts it on the record. Raises TooLate."""
    fresh = _fresh(row)
    if State(fresh.state) not in states or not moves.move(
        fresh, State.CANCELLED, now=now, by=by, words=words, is_recorded=False
    ):
        raise TooLate(fresh)


def settle(row: Operation, *, has_happened: bool, reason: str, by: str, now: datetime, words: str) -> None:
    """A person says how an unclear operation ended; the caller puts it on the record. Raises TooLate."""
    fresh = _fresh(row)
    found = evidence.of(fresh)
    found.found = reason
    to = State.SUCCEEDED if has_happened else State.NOT_DONE
    is_open = fresh.state == State.UNCLEAR
    if not is_open or not moves.move(
        fresh, to, now=now, by=by, words=words, found=found, is_recorded=False, is_put_aside=True
    ):
        raise TooLate(fresh)
    if fresh.kind in KINDS:
        KINDS[fresh.kind].put_aside(fresh)
    moves.calm(fresh)


def put_aside(row: Operation) -> bool:
    """Somebody has seen its trouble: the machine shows it no more. False when that was so already."""
    moves.hold_machine(row)
    if not Operation.objects.filter(pk=row.pk, next_check_at=None, is_put_aside=False).update(is_put_aside=True):
        return False
    if row.kind in KINDS:
        KINDS[row.kind].put_aside(row)
    moves.calm(row)
    transaction.on_commit(lambda: moves.tell(row, has_moved=True), robust=True)
    return True


def knock_for(row: Operation) -> None:
    """Tell the workers of what is due now; what is held is found by the sweeper when its time is over."""
    if row.state == State.QUEUED:
        knock.knock_operations([row.pk])


def _fresh(row: Operation) -> Operation:
    """The row as it is now, locked where the database knows locks (SQLite's transactions are IMMEDIATE)."""
    moves.hold_machine(row)
    return Operation.objects.select_for_update().get(pk=row.pk)


def undo_s(kind: Kind) -> float:
    """How long it can be undone before it is sent."""
    return settings.UNDO_SECONDS / settings.TIME_SCALE if kind.has_undo else 0


def _wait_for_approval(row: Operation, now: datetime) -> None:
    """Until the time is over: then it expires."""
    row.state, row.queued_at = State.WAITING_APPROVAL, None
    row.next_check_at = now + seconds(timing().approval_s)


def draft(kind: Kind, target: Instance, by: Asker, client_key: str, params: dict[str, Any], now: datetime) -> Operation:
    hold_s = undo_s(kind)
    body = json.dumps([kind.name, target.pk or [target.account_id, target.team_id], params], sort_keys=True)
    return Operation(
        client_key=client_key,
        body_hash=hashlib.sha256(body.encode()).hexdigest(),
        team_id=target.team_id,
        actor_id=by.actor_id,
        actor_label=by.label,
        token_id=by.token_id,
        session_hash=by.session_hash,
        account_id=target.account_id,
        target=target,
        target_label=target.label,
        provider_id=target.provider_id,
        kind=kind.name,
        is_exclusive=kind.is_exclusive,
        params=params,
        precondition={"power": target.power, "name": target.name},
        state=State.HELD if hold_s else State.QUEUED,
        next_check_at=now + seconds(hold_s),
        queued_at=None if hold_s else now,
        created_at=now,
        changed_at=now,
    )


def write(row: Operation) -> Operation | None:
    """The row once it is written, or the same form's that was faster. Raises Taken. None: try once more."""
    try:
        with transaction.atomic():
            if row.target is not None and row.target.is_awaited:
                launches.promise(row, row.target)
            row.save(force_insert=True)
            if row.params.get("name"):
                NameReservation.objects.create(account_id=row.account_id, name=row.params["name"], operation=row)
    except IntegrityError:
        same, holder = _same(row), _holder(row)
        if same is None and holder is not None:
            raise Taken(holder) from None
        return same
    return row


def _same(row: Operation) -> Operation | None:
    return Operation.objects.filter(actor_id=row.actor_id, client_key=row.client_key).first()


def _holder(row: Operation) -> Operation | None:
    """Who has the machine, or has promised the name."""
    is_rival = Q(is_exclusive=True) if row.is_exclusive else Q(kind=row.kind)
    holding = Operation.objects.filter(is_rival, account=row.account_id, target=row.target_id, state__in=HOLDING)
    promised = NameReservation.objects.filter(account=row.account_id, name=row.params.get("name"), is_open=True)
    return holding.first() or Operation.objects.filter(names__in=promised).first()
