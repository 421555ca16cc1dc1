"""Many intents at once, one a machine: the rows that opening.py and moves.py write one by one, in few statements.

Locks as everywhere: machines first, in the order of their ids, then operations, the record last.

What waits for the provider's pace becomes due at that pace, one machine after the other. Were all due at once, each
turn would wait for its place in the budget and hold a worker meanwhile, and everybody else's clicks behind it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, OuterRef, Subquery

from cloud import knock
from cloud.models import Instance, InstanceQuerySet
from cloud.operations import moves, opening
from cloud.operations.kind import Kind
from cloud.operations.models import Operation, OperationEvent
from cloud.operations.opening import Asker, Taken
from cloud.operations.states import HOLDING, UNSENT, State
from cloud.ports import Change, ports
from cloud.timing import seconds, timing

NO_RETRIES: Mapping[int, str] = {}
SHARE = 2 / 3  # of the calls that the account may make: readings, and what single people ask for, need the rest
LATEST = 1.8  # of a task's longest time


@dataclass
class Batch:
    """What became of it: `opened` are the new operations; `taken` says by machine whose operation has it."""

    opened: list[Operation] = field(default_factory=list)
    taken: dict[int, Operation] = field(default_factory=dict)


def locked(rows: InstanceQuerySet) -> list[Instance]:
    """These machines, locked until the commit in the order in which everybody locks several."""
    return list(rows.select_for_update(no_key=True).order_by("pk"))


def holders(machine_ids: Iterable[int]) -> dict[int, Operation]:
    """Who has which of the machines now. One query."""
    rows = Operation.objects.filter(target__in=machine_ids, is_exclusive=True, state__in=sorted(HOLDING))
    return {row.target_id: row for row in rows if row.target_id is not None}


def delay_s(place: int) -> float:
    """How long the machine in this place, counted from 0, waits until it is its turn."""
    return place / (SHARE * settings.CALLS_PER_SECOND)


def open_many(
    kind: Kind,
    machines: Sequence[Instance],
    *,
    by: Asker,
    batch_id: str,
    now: datetime,
    retries: Mapping[int, str] = NO_RETRIES,
) -> Batch:
    """Write an exclusive kind down for each of the machines, which the caller holds locked, in its transaction.

    One that another operation has is left out and goes on. `retries` names by machine the operation that is tried
    again. About ten queries, and one more for some thirty machines on SQLite. The record is the caller's.
    """
    if not kind.is_exclusive:
        raise ValueError(f"{kind.name} is not for many at once.")
    batch = Batch(taken=holders(machine.pk for machine in machines))
    free = [machine for machine in machines if machine.pk not in batch.taken]
    rows = [_draft(kind, machine, by, batch_id, now, retries.get(machine.pk, "")) for machine in free]
    _pace(rows)
    batch.opened = _written(rows, batch)
    _note(batch.opened, None, now, by.label, "")
    _show(batch_id, batch.opened, now)
    transaction.on_commit(partial(_announce, batch.opened), robust=True)
    return batch


def take_back(batch_id: str, operation_ids: Sequence[str], *, by: str, now: datetime, words: str) -> list[Operation]:
    """Cancel those of a batch that were not sent yet, in the caller's transaction; the rows that it ended."""
    rows = Operation.objects.filter(batch_id=batch_id, pk__in=operation_ids, state__in=sorted(UNSENT), attempts=0)
    locked(Instance.objects.filter(pk__in=rows.values("target")).only("pk"))
    ended = list(rows.select_for_update().order_by("pk"))
    before = [(row, State(row.state)) for row in ended]
    for row in ended:
        row.state, row.fence, row.outcome = State.CANCELLED, row.fence + 1, words
    Operation.objects.filter(pk__in=[row.pk for row in ended]).update(
        state=State.CANCELLED, fence=F("fence") + 1, outcome=words, changed_at=now, ended_at=now, next_check_at=None,
        leased_until=None, lease_owner="", sealed_params="",
    )  # fmt: skip
    OperationEvent.objects.bulk_create([moves.event_of(row, state, now, by, words) for row, state in before])
    Instance.objects.filter(operation_id__in=[row.pk for row in ended]).update(**moves.CALM)
    transaction.on_commit(partial(_announce, ended), robust=True)
    return ended


def put_aside(operation_ids: Iterable[str]) -> list[Operation]:
    """Trouble that is tried again needs no reminder. The rows that this changed; their machines show something else."""
    rows = list(Operation.objects.filter(pk__in=operation_ids, next_check_at=None, is_put_aside=False))
    Operation.objects.filter(pk__in=[row.pk for row in rows]).update(is_put_aside=True)
    return rows


def _draft(kind: Kind, machine: Instance, by: Asker, batch_id: str, now: datetime, retry_of: str) -> Operation:
    row = opening.draft(kind, machine, by, f"{batch_id}:{machine.pk}", {}, now)
    row.batch_id, row.retry_of = batch_id, retry_of
    return row


def _pace(rows: Sequence[Operation]) -> None:
    """Due one after the other, each account's by itself; none so late that it would seem forgotten (claims.is_ripe)."""
    places: dict[int, int] = defaultdict(int)
    for row in rows:
        if row.next_check_at is None:
            continue
        latest = row.created_at + seconds(LATEST * timing().limit_s)
        place, places[row.account_id] = places[row.account_id], places[row.account_id] + 1
        row.next_check_at = max(row.next_check_at, min(row.next_check_at + seconds(delay_s(place)), latest))
        if row.queued_at:
            row.queued_at = row.next_check_at  # before its turn it could not have been sent: that is no waiting


def _written(rows: Sequence[Operation], batch: Batch) -> list[Operation]:
    try:
        with transaction.atomic():
            return Operation.objects.bulk_create(rows)
    except IntegrityError:  # somebody took a machine without its lock: only that one is refused
        return [row for row in rows if _is_written(row, batch)]


def _is_written(row: Operation, batch: Batch) -> bool:
    try:
        found = opening.write(row) or opening.write(row)  # twice: who held it may have ended in that very moment
    except Taken as error:
        batch.taken[row.target_id or 0] = error.holder
        return False
    if found is None:
        raise IntegrityError("an operation could not be written, and nobody holds its machine")
    return found is row


def _note(rows: Iterable[Operation], before: State | None, now: datetime, by: str, words: str) -> None:
    OperationEvent.objects.bulk_create([moves.event_of(row, before, now, by, words) for row in rows])


def _show(batch_id: str, rows: Sequence[Operation], now: datetime) -> None:
    """What moves.show puts on one machine, on all of them: they differ in the operation and its undo time alone."""
    if not rows:
        return
    mine = Operation.objects.filter(batch_id=batch_id, target=OuterRef("pk"))
    state = State(rows[0].state)
    Instance.objects.filter(pk__in=[row.target_id for row in rows]).update(
        attention=moves.SHOWS[state],
        operation_id=Subquery(mine.values("pk")[:1]),
        operation_kind=rows[0].kind,
        operation_state=state,
        operation_at=Subquery(mine.values("next_check_at")[:1]) if state is State.HELD else now,
    )


def _announce(rows: Sequence[Operation]) -> None:
    """One piece of news an account, and one knock for those that are due already; the sweeper finds the others."""
    machines: dict[int, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        machines[row.account_id][row.team_id].append(row.target_id or 0)
    for account_id, by_team in machines.items():
        ports().tell(Change(account_id, by_team, frozenset(by_team), frozenset({"operations", "count"})))
    waiting = [row for row in rows if row.state == State.QUEUED]
    knock.knock_operations(row.pk for row in waiting if row.next_check_at == row.created_at)
