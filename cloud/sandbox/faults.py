"""The fault plan: which calls go wrong, when, and how. How each is played stands in `playing.py`."""

import random
from typing import Any, Literal

from msgspec import Struct

Kind = Literal[
    "status", "html", "garbage", "truncated", "empty", "wrong_type", "huge", "deep",
    "latency", "hang", "reset", "cut", "trickle",
]  # fmt: skip
When = Literal["before_commit", "after_commit", "during_answer"]


class Fault(Struct, forbid_unknown_fields=True):
    """One rule. A call is matched by everything that is given: endpoint, method, path prefix (after /api/v1), and of a
    launch the `name` that it asks for.

    before_commit: nothing takes effect. after_commit: the effect is on disk, the answer is lost or spoilt.
    during_answer: as after_commit, but the head and half of the body (`share`) get out first.

    `skip` lets so many matching calls pass first; `times` is how often it plays (None: until cleared);
    `probability` uses the plan's seeded dice. `seconds` is real time, whatever the speed, and passes before
    the fault is seen.
    """

    kind: Kind
    when: When = "before_commit"
    endpoint: str | list[str] | None = None
    method: str | list[str] | None = None
    path_prefix: str | None = None
    name: str | None = None
    probability: float = 1.0
    times: int | None = None
    skip: int = 0
    seconds: float = 0.0
    status: int | None = None
    body: Any = None
    content_type: str = "application/json"
    headers: dict[str, str] = {}
    every_s: float = 1.0
    part: Literal["header", "body"] = "body"
    share: float = 0.5
    megabytes: float = 10.0
    depth: int = 10_000
    id: int = 0
    played: int = 0

    def __post_init__(self) -> None:
        if self.status is not None and not 200 <= self.status <= 599:
            raise ValueError("status must be between 200 and 599")
        if not (0 <= self.share <= 1 and 0 <= self.probability <= 1 and self.seconds >= 0 and self.every_s >= 0):
            raise ValueError("share and probability lie between 0 and 1, seconds and every_s are not negative")

    def matches(self, endpoint: str, method: str, path: str, name: str = "") -> bool:
        return (
            _within(self.endpoint, endpoint)
            and _within(self.method, method)
            and path.startswith(self.path_prefix or "")
            and self.name in {None, name}
        )


def _within(wanted: str | list[str] | None, word: str) -> bool:
    """No wish matches everything."""
    return wanted is None or word == wanted or (isinstance(wanted, list) and word in wanted)


class FaultPlan:
    """The rules in force, in their order. The first that plays is the only one for a call."""

    def __init__(self, seed: int) -> None:
        self.rules: list[Fault] = []
        self._dice = random.Random(seed)
        self._last_id = 0

    def add(self, rules: list[Fault]) -> list[int]:
        """Append the rules; gives their ids."""
        for rule in rules:
            self._last_id += 1
            rule.id, rule.played = self._last_id, 0
        self.rules += rules
        return [rule.id for rule in rules]

    def clear(self, ids: list[int] | None = None) -> None:
        """Drop these rules, or all."""
        self.rules = [rule for rule in self.rules if ids is not None and rule.id not in ids]

    def reseed(self, seed: int) -> None:
        self._dice = random.Random(seed)

    def take(self, endpoint: str, method: str, path: str, name: str = "") -> Fault | None:
        """The rule to play on this call, counted as played; None for a call that goes well."""
        for rule in self.rules:
            if not rule.matches(endpoint, method, path, name) or rule.times == 0:
                continue
            if rule.skip > 0:
                rule.skip -= 1
                continue
            if rule.probability < 1 and self._dice.random() >= rule.probability:
                continue
            rule.played += 1
            rule.times = None if rule.times is None else rule.times - 1
            return rule
        return None
