"""What one seed does, drawn from its number alone: machines, what is asked of them, which calls go wrong, what dies."""

import random
from dataclasses import dataclass, field
from typing import Any

RUNNING, STOPPED = "running", "stopped"
# The power state in which the provider takes an action; None: any.
NEEDS: dict[str, str | None] = {
    "power_on": STOPPED,
    "shutdown": RUNNING,
    "reboot": RUNNING,
    "rename": None,
    "delete": None,
    "force_off": RUNNING,
    "power_cycle": RUNNING,
}
AFTERWARDS = {"power_on": RUNNING, "shutdown": STOPPED, "force_off": STOPPED}
KINDS = tuple(NEEDS)

# What may go wrong with a write, and how often compared to the others. `seconds` are real ones, of a scale of 20.
WRITES: tuple[tuple[int, dict[str, Any]], ...] = (
    (3, {"kind": "reset", "when": "before_commit"}),
    (4, {"kind": "reset", "when": "after_commit"}),
    (2, {"kind": "reset", "when": "during_answer"}),
    (2, {"kind": "hang", "when": "before_commit"}),
    (4, {"kind": "hang", "when": "after_commit"}),
    (2, {"kind": "hang", "when": "during_answer"}),
    (2, {"kind": "cut", "when": "after_commit"}),
    (1, {"kind": "trickle", "when": "after_commit", "every_s": 0.3}),
    (1, {"kind": "trickle", "when": "after_commit", "every_s": 0.3, "part": "header"}),
    (2, {"kind": "latency", "when": "after_commit", "seconds": 0.8}),
    (3, {"kind": "latency", "when": "before_commit", "seconds": 0.8}),
    (4, {"kind": "latency", "when": "before_commit", "seconds": 4.0}),  # takes effect when we gave up long ago
    (1, {"kind": "status", "when": "before_commit", "status": 500}),
    (2, {"kind": "status", "when": "after_commit", "status": 500}),
    (1, {"kind": "status", "when": "before_commit", "status": 503}),
    (2, {"kind": "status", "when": "after_commit", "status": 504}),
    (1, {"kind": "html", "when": "before_commit", "status": 502}),
    (2, {"kind": "html", "when": "after_commit", "status": 502}),
    (1, {"kind": "garbage", "when": "before_commit"}),
    (1, {"kind": "garbage", "when": "after_commit"}),
    (1, {"kind": "truncated", "when": "after_commit"}),
    (1, {"kind": "empty", "when": "before_commit"}),
    (2, {"kind": "empty", "when": "after_commit"}),
    (1, {"kind": "wrong_type", "when": "after_commit"}),
    (1, {"kind": "huge", "when": "after_commit", "megabytes": 5}),
    (1, {"kind": "deep", "when": "after_commit"}),
    (1, {"kind": "status", "when": "before_commit", "status": 400,
         "body": {"error": "invalid_state", "message": "VM is busy"}}),
    (1, {"kind": "status", "when": "before_commit", "status": 409,
         "body": {"error": "busy", "message": "VM is locked"}}),
    (1, {"kind": "status", "when": "before_commit", "status": 422,
         "body": {"detail": [{"loc": ["path", "id"], "msg": "no", "type": "value_error"}]}}),
)  # fmt: skip
# What may go wrong with reads of one machine.
READS: tuple[dict[str, Any], ...] = (
    {"kind": "status", "status": 500},
    {"kind": "hang"},
    {"kind": "garbage"},
    {"kind": "html", "status": 502},
    {"kind": "reset"},
)


@dataclass(frozen=True)
class Ask:
    """One form that a person sends. `breaks` are rules for its write, `reads` for other calls about its machine.

    `point` names the kill point that is played on it (points.py), with its own faults instead of drawn ones. `rival`
    is what somebody else asks of the machine at the same time; a hasty form does not wait for the one before it.
    Of launches: `repeats` are the same form sent again, a twin is another form with the same name, a stranger launches
    a machine of another name past the panel at that time, and what is made may be deleted, so that its name is free.
    """

    kind: str
    name: str = ""  # for a rename
    breaks: tuple[dict[str, Any], ...] = ()
    reads: tuple[dict[str, Any], ...] = ()
    is_undone: bool = False
    point: str = ""
    rival: str = ""
    is_hasty: bool = False
    repeats: int = 0
    has_twin: bool = False
    has_stranger: bool = False
    is_deleted: bool = False


@dataclass(frozen=True)
class Plan:
    """`chains`: what is asked of each machine, one after the other; `powers`: how each machine begins; `launches`: what
    is launched, one after the other.
    """

    seed: int
    powers: tuple[str, ...]
    chains: tuple[tuple[Ask, ...], ...]
    points: tuple[str, ...] = field(default=())
    launches: tuple[Ask, ...] = ()


def draw(seed: int, points: tuple[str, ...]) -> Plan:
    """The plan of this seed; its first `points` are played on machines of their own."""
    dice = random.Random(seed)
    powers, chains = [], []
    for number in range(max(2, len(points))):
        power = dice.choice((RUNNING, RUNNING, STOPPED))
        point = points[number] if number < len(points) else ""
        if point in NEEDS_OF_POINTS:
            power = RUNNING
        powers.append(power)
        chains.append(tuple(_chain(dice, power, point, f"s{seed}-{number}")))
    return Plan(seed, tuple(powers), tuple(chains), points)


TASKS = tuple(kind for kind in NEEDS if kind != "rename")
AT_ONCE = ("power_on", "shutdown", "reboot", "rename")  # without a time in which it can be undone
# Kill points that need one kind of action.
NEEDS_OF_POINTS = {
    "worker, claimed, before the mark": ("force_off",),
    "sweeper, while it is held": ("delete", "power_cycle", "force_off"),
    "worker, after the save": TASKS,
    "worker, polls the tasks": TASKS,
    "worker, puts the outcome on the record": TASKS,
    "worker, knocked, before the claim": AT_ONCE,
    "provider, frozen while it is sent": ("shutdown", "reboot", "rename", "delete", "power_cycle"),  # without a look
    "web, after the commit, before the knock": AT_ONCE,
}


def _chain(dice: random.Random, power: str, point: str, name: str) -> list[Ask]:
    asks: list[Ask] = []
    for number in range(dice.choice((1, 1, 2, 2, 3)) if point else dice.choice((1, 2, 3))):
        kind = _kind(dice, power, NEEDS_OF_POINTS.get(point, KINDS) if not number else KINDS)
        mine = point if not number else ""
        asks.append(_ask(dice, kind, f"{name}-{number}", mine))
        power = AFTERWARDS.get(kind, power)
        if kind == "delete":
            break
    return asks


def _kind(dice: random.Random, power: str, among: tuple[str, ...]) -> str:
    return dice.choice([kind for kind in among if NEEDS[kind] in {None, power}])


def _ask(dice: random.Random, kind: str, name: str, point: str) -> Ask:
    breaks: list[dict[str, Any]] = []
    if not point and dice.random() < 0.7:
        rule = dice.choices([each for _, each in WRITES], [often for often, _ in WRITES])[0]
        breaks.append({"times": dice.choice((1, 1, 1, 2)), **rule})
    reads = [{"times": dice.choice((1, 2)), "method": "GET", **dice.choice(READS)}] if dice.random() < 0.25 else []
    is_undone = not point and kind in {"delete", "force_off", "power_cycle"} and dice.random() < 0.15
    rival = dice.choice(("reboot", "shutdown", "power_on", "delete")) if dice.random() < 0.25 else ""
    is_hasty = kind == "rename" and not point and dice.random() < 0.5
    new_name = f"{name}-new" if kind == "rename" else ""
    return Ask(kind, new_name, tuple(breaks), tuple(reads), is_undone, point, rival, is_hasty)
