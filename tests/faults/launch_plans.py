"""What a seed launches, drawn by dice of its own, so that the rest of its plan stays what it was."""

import random
from dataclasses import replace
from typing import Any

from tests.faults.plans import READS, WRITES, Ask, Plan, draw

KINDS = ("launch", "launch_custom")
RATES = (0.0, 0.1, 0.3, 0.5, 0.5)  # how much of what one launch asks of the provider goes wrong
SHARE = 0.4  # of the kill points that suit are played on a launch
# These need a look at a machine, or a time in which it can be undone.
NOT_OF_LAUNCHES = frozenset({"worker, claimed, before the mark", "sweeper, while it is held"})
BUSY: tuple[tuple[int, dict[str, Any]], ...] = (
    (2, {"kind": "status", "when": "before_commit", "status": 429}),
    (1, {"kind": "status", "when": "before_commit", "status": 429, "headers": {"retry-after": "1"}}),
)
LISTS = ("list_instances", "list_tasks")


def draw_all(seed: int, points: tuple[str, ...]) -> Plan:
    """The whole plan of a seed: its machines, its launches, and on which of them its points are played."""
    dice = random.Random(f"launches of {seed}")
    suited = [point for point in points if point not in NOT_OF_LAUNCHES]
    point = dice.choice(suited) if suited and dice.random() < SHARE else ""
    others = tuple("" if each == point else each for each in points)
    return replace(draw(seed, others), points=points, launches=tuple(_asks(dice, seed, point)))


def _asks(dice: random.Random, seed: int, point: str) -> list[Ask]:
    """One launch or two; the second may take the name that the first one's machine had."""
    first = _ask(dice, f"l{seed}-0", point)
    if dice.random() < 0.6:
        return [first]
    name = first.name if first.is_deleted and dice.random() < 0.7 else f"l{seed}-1"
    return [first, replace(_ask(dice, name, ""), is_deleted=False)]


def _ask(dice: random.Random, name: str, point: str) -> Ask:
    rate = dice.choice(RATES)
    table = (*WRITES, *BUSY)
    breaks = []
    if not point and dice.random() < rate:
        rule = dice.choices([each for _, each in table], [often for often, _ in table])[0]
        breaks.append({"times": dice.choice((1, 1, 1, 2)), **rule})
    reads = [
        {"times": dice.choice((1, 2)), "endpoint": endpoint, **dice.choice(READS)}
        for endpoint in LISTS
        if dice.random() < rate
    ]
    return Ask(
        dice.choice(KINDS),
        name,
        tuple(breaks),
        tuple(reads),
        point=point,
        repeats=2 if dice.random() < 0.3 else 0,
        has_twin=dice.random() < 0.25,
        has_stranger=dice.random() < 0.2,
        is_deleted=dice.random() < 0.4,
    )
