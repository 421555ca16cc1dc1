"""I4 of launches: each machine from us is one operation's and one row's, and no promise is left alone. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.faults.book import Machine, Operation
from tests.faults.judge import Broken, Case

KINDS = frozenset({"launch", "launch_custom"})
LOST = frozenset({"cancelled", "expired"})  # nobody took it back, and its ten minutes were never over


def never_came(truth: Mapping[str, Any] | None) -> bool:
    """Its creation ended without a machine."""
    return truth is None or (truth.get("gone_at") is not None and truth.get("booted_at") is None)


def owned(cases: Sequence[Case], machines: Sequence[Machine]) -> Iterator[Broken]:
    """What is wrong with the machines that these launches made; `machines` are all rows of the cache."""
    makers: dict[str, str] = {}
    for case in (each for each in cases if each.row.kind in KINDS):
        for commit in case.commits:
            if makers.setdefault(commit.machine, case.row.id) != case.row.id:
                yield Broken("I4", f"{commit.machine} is also the machine of {makers[commit.machine]}", case.row.id)
            if commit.task_id not in case.failed_tasks:
                yield from _one_row(case.row, commit.machine, machines)
        if case.row.state == "succeeded":
            yield from _is_its_own(case, machines)


def _one_row(row: Operation, machine: str, machines: Sequence[Machine]) -> Iterator[Broken]:
    rows = [each for each in machines if each.provider_id == machine]
    if len(rows) > 1 or (not rows and row.state == "succeeded"):
        yield Broken("I4", f"{machine} has {len(rows)} rows", row.id)
    if any(each.team_id != row.team_id for each in rows):
        yield Broken("I4", f"{machine} belongs to team {rows[0].team_id}, and {row.team_id} asked for it", row.id)


def _is_its_own(case: Case, machines: Sequence[Machine]) -> Iterator[Broken]:
    """The row of the operation is the row of the machine that it made."""
    mine = {commit.machine for commit in case.commits}
    target = next((each for each in machines if each.id == case.row.target_id), None)
    if target is None or target.is_awaited or target.provider_id not in mine:
        told = f"{target.provider_id} (awaited: {target.is_awaited})" if target else "no row"
        yield Broken("I4", f"is done, and shows {told} for {sorted(mine)}", case.row.id)


def alone(machines: Sequence[Machine], operations: Sequence[Operation]) -> Iterator[Broken]:
    """Promised rows that no launch stands behind, or one whose end was seen, and machines whose launch is long over."""
    behind = {row.target_id: row for row in operations if row.kind in KINDS and row.target_id is not None}
    for machine in (each for each in machines if each.is_awaited):
        row = behind.get(machine.id)
        if row is None or row.is_put_aside or row.state in {"succeeded", "cancelled"}:
            yield Broken("I4", f"{machine.name} is promised still; its launch: {row.state if row else 'none'}")


def strayed(machines: Sequence[Machine], ours: set[str], crew: int) -> Iterator[Broken]:
    """Machines in the team of the launches that no launch of ours made, and the other way round."""
    for machine in (each for each in machines if not each.is_awaited):
        if (machine.team_id == crew) != (machine.provider_id in ours):
            yield Broken("I4", f"{machine.name} ({machine.provider_id}) is in team {machine.team_id}")


def lost(cases: Sequence[Case]) -> Iterator[Broken]:
    """Accepted, and given up by nobody's wish."""
    for case in (each for each in cases if each.row.kind in KINDS and each.row.state in LOST):
        yield Broken("lost", f"{case.row.kind} is {case.row.state}: {case.row.outcome}", case.row.id)
