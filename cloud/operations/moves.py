"""The one function that changes a state: along the table, by one conditional update, with its event and its record."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from cloud import processes
from cloud.models import Instance
from cloud.operations import evidence
from cloud.operations.evidence import Evidence
from cloud.operations.kinds import KINDS
from cloud.operations.models import NameReservation, Operation, OperationEvent
from cloud.operations.states import EDGES, ENDS, OPEN, State
from cloud.ports import Change, ports
from cloud.timing import seconds, timing

Attention = Instance.Attention
# What a list shows of a machine by the state of what goes on with it.
SHOWS: dict[State, Instance.Attention] = {
    **dict.fromkeys(OPEN, Attention.BUSY),
    State.UNCLEAR: Attention.UNCLEAR,
    State.FAILED: Attention.FAILED,
    State.NOT_DONE: Attention.FAILED,
    State.EXPIRED: Attention.FAILED,
    State.SUCCEEDED: Attention.CALM,
    State.CANCELLED: Attention.CALM,
}
# Chained on the record besides the ends; plain steps are events of the operation.
TOLD = ENDS | {State.UNCLEAR}


class NoSuchEdge(Exception):
    """A change of state that the table does not know: a mistake of ours, never of the provider's."""


def move(
    row: Operation,
    to: State,
    *,
    now: datetime,
    words: str = "",
    by: str = "",
    again_at: datetime | None = None,
    found: Evidence | None = None,
    is_denied: bool = False,
    is_recorded: bool = True,
    **columns: Any,
) -> bool:
    """Change the state, if the row is still what was read; False when another hand was first.

    `again_at` is when somebody must look again (needed unless `to` is an end). The row in memory follows. A person's
    own change is recorded by the service that made it: `is_recorded=False`.
    """
    before, shown = State(row.state), row.target_id
    if to not in EDGES.get(before, frozenset()):
        raise NoSuchEdge(f"{before} → {to}")
    changes = _changes(row, to, now, words, again_at, found) | columns
    with transaction.atomic():
        hold_machine(row)
        mine = Operation.objects.filter(pk=row.pk, state=before, fence=row.fence)
        if not mine.update(state=to, fence=F("fence") + 1, **changes):
            return False
        _follow(row, {"state": to, "fence": row.fence + 1} | changes)
        _note(row, before, now, by, words)
        if to in ENDS:
            NameReservation.objects.filter(operation=row).update(is_open=False)
            if row.kind in KINDS:
                KINDS[row.kind].ended(row, to, now)
        show(row, now)
        if to in TOLD and is_recorded:
            ports().record(row, "denied" if is_denied else str(to), now)
        has_moved = SHOWS[before] != SHOWS[to] or row.target_id != shown or to in ENDS
        transaction.on_commit(lambda: tell(row, has_moved=has_moved), robust=True)
    return True


def opened(row: Operation, now: datetime) -> None:
    """The first event of a new row, and its machine's sign. Within the transaction that wrote it."""
    _note(row, None, now, row.actor_label, "")
    show(row, now)
    transaction.on_commit(lambda: tell(row, has_moved=True), robust=True)


def hold_machine(row: Operation) -> None:
    """Lock the machine's row until the commit. Whoever writes both takes it before the operation, and the record last:
    PostgreSQL would end one of two that wait for each other. SQLite has one writer anyway.
    """
    if row.target_id is not None:
        list(Instance.objects.select_for_update(no_key=True).filter(pk=row.target_id).values_list("pk"))


def show(row: Operation, now: datetime) -> None:
    """Put on the machine what goes on with it. What does not hold it never hides what does."""
    if row.target_id is None:
        return
    machine = Instance.objects.filter(pk=row.target_id)
    if not row.is_exclusive or row.state == State.WAITING_APPROVAL:
        machine = machine.filter(Q(operation_id=row.pk) | ~Q(attention__in=(Attention.BUSY, Attention.UNCLEAR)))
    attention = SHOWS[State(row.state)]
    if attention == Attention.CALM:
        calm(row)
        return
    machine.update(
        attention=attention,
        operation_id=row.pk,
        operation_kind=row.kind,
        operation_state=row.state,
        operation_at=_shown_at(row, now),
    )


CALM: Mapping[str, Any] = {
    "attention": Attention.CALM,
    "operation_id": "",
    "operation_kind": "",
    "operation_state": "",
    "operation_at": None,
}


def calm(row: Operation) -> None:
    """Take its sign off the machine, if the machine shows this one; what waits for approval comes to sight again."""
    if row.target_id is None or not Instance.objects.filter(pk=row.target_id, operation_id=row.pk).update(**CALM):
        return
    waiting = Operation.objects.filter(target=row.target_id, state=State.WAITING_APPROVAL).exclude(pk=row.pk).first()
    if waiting is not None:
        show(waiting, waiting.changed_at)


def tell(row: Operation, *, has_moved: bool) -> None:
    """News for every page that shows the machine or the activity; when it `has_moved`, for lists and counts too."""
    machines = {row.team_id: [row.target_id]} if row.target_id else {}
    lists = {row.team_id} if has_moved else set()
    topics = {"operations", "count"} if has_moved else {"operations"}
    ports().tell(Change(row.account_id, machines, frozenset(lists), frozenset(topics)))


def _changes(
    row: Operation, to: State, now: datetime, words: str, again_at: datetime | None, found: Evidence | None
) -> dict[str, Any]:
    changes: dict[str, Any] = {"changed_at": now, "next_check_at": again_at, "outcome": words}
    if to is State.UNCLEAR and again_at is None:
        changes["next_check_at"] = now + seconds(timing().unclear_again_s)
    if to is not State.SENDING:
        changes |= {"leased_until": None, "lease_owner": ""}
    if to in ENDS:
        changes |= {"ended_at": now, "sealed_params": "", "next_check_at": None}
    if to is State.QUEUED and row.queued_at is None:
        changes["queued_at"] = now
    if found is not None:
        changes["evidence"] = evidence.packed(found)
    return changes


def _shown_at(row: Operation, now: datetime) -> datetime:
    """While it can be undone: until when. Else: since when it goes on."""
    return row.next_check_at or now if row.state == State.HELD else row.created_at


def _note(row: Operation, before: State | None, now: datetime, by: str, words: str) -> None:
    event_of(row, before, now, by, words).save(force_insert=True)


def event_of(row: Operation, before: State | None, now: datetime, by: str, words: str) -> OperationEvent:
    """A change of state as its event, not written yet."""
    return OperationEvent(
        operation=row,
        fence=row.fence,
        at=now,
        before=before or "",
        after=row.state,
        by=by or processes.label(),
        words=words,
    )


def _follow(row: Operation, changes: Mapping[str, Any]) -> None:
    for name, value in changes.items():
        setattr(row, name, value)
