"""A run in words: a line a machine, what needs a person first, and how many of each."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import ngettext

from cloud.operations.models import Operation
from cloud.operations.states import State
from panel.actions.shown import OperationState, state_of
from panel.bulk.choice import Refused
from panel.bulk.queries import BADLY

PAGE = 100
REFUSED = "refused"


@dataclass(frozen=True)
class Line:
    """One machine. `told` is its operation, `refused` why it has none: one of the two."""

    group: str
    label: str
    machine_id: int | None
    told: Operation | None = None
    state: OperationState | None = None
    refused: Refused | None = None


def lines(rows: Sequence[Operation], refused: Sequence[Refused]) -> list[Line]:
    """All lines of a run: what failed or must be checked, what was refused, what goes on, what is done."""
    found = [Line(_group(row), row.target_label, row.target_id, row, state_of(row)) for row in rows]
    found += [Line(REFUSED, one.label, one.machine_id if one.team_id else None, refused=one) for one in refused]
    order = list(_words(0))
    return sorted(found, key=lambda line: (order.index(line.group), line.label))


def counts(found: Sequence[Line]) -> list[tuple[str, str]]:
    """(look, "3 failed"), of what there is."""
    numbers = Counter(line.group for line in found)
    return [(LOOKS[group], _words(numbers[group])[group]) for group in LOOKS if numbers[group]]


LOOKS = {"failed": "bad", "unclear": "check", REFUSED: "off", "going": "busy", "done": "run", "cancelled": "off"}


def _group(row: Operation) -> str:
    state = State(row.state)
    if state in BADLY:
        return "failed"
    named = {State.UNCLEAR: "unclear", State.SUCCEEDED: "done", State.CANCELLED: "cancelled"}
    return named.get(state, "going")


def _words(n: int) -> dict[str, Any]:
    number = {"n": n}
    return {
        "failed": ngettext("%(n)d failed", "%(n)d failed", n) % number,
        "unclear": ngettext("%(n)d to check", "%(n)d to check", n) % number,
        REFUSED: ngettext("%(n)d refused", "%(n)d refused", n) % number,
        "going": ngettext("%(n)d going on", "%(n)d going on", n) % number,
        "done": ngettext("%(n)d done", "%(n)d done", n) % number,
        "cancelled": ngettext("%(n)d not carried out", "%(n)d not carried out", n) % number,
    }
