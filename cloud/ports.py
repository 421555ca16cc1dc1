"""What the cloud asks of the house above it, through functions handed in at start-up (panel/live/apps.py).

The arrows go from panel to cloud; these few calls are how news goes up without an import.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from cloud.clock import Clock

if TYPE_CHECKING:
    from cloud.models import Account
    from cloud.operations.models import Operation


@dataclass(frozen=True)
class Change:
    """News of the cache for whoever watches.

    `instances` maps team to the machines whose own row changed; `lists` holds the teams in whose lists something
    entered, left or moved; `topics` are other parts of pages that are to be read again ("accounts", "tasks", or "all").
    """

    account: int
    instances: Mapping[int, Sequence[int]] = field(default_factory=dict)
    lists: frozenset[int] = frozenset()
    topics: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.instances or self.lists or self.topics)


@dataclass(frozen=True)
class Point:
    """One reading of a machine's load. Rates in bytes a second, memory in bytes, `at` in seconds since 1970."""

    at: float
    cpu_percent: float | None
    memory_used: float | None
    memory_total: float | None
    disk_read: float | None
    disk_write: float | None
    net_in: float | None
    net_out: float | None
    uptime_s: float | None


@dataclass(frozen=True)
class Ports:
    tell: Callable[[Change], None]
    show_point: Callable[[int, Point], None]  # a machine's row id, its newest reading
    say_fresh: Callable[[int, datetime], None]  # an account whose machines were read at that time
    is_watched: Callable[[str], bool]  # does somebody look at this topic?
    looked_at: Callable[[], Sequence[int]]  # row ids of the machines that are on somebody's screen
    tidy: Callable[[], None]  # delete what is over: sessions, counters
    home_team: Callable[[], int]  # the team of a machine that was made outside the panel
    # May this still happen, now that it is taken up? Why not, in words; "" when it may.
    why_not: "Callable[[Operation], str]"
    # Put the outcome on the record, as the last statement of its transaction: the row, its new state (or "denied").
    record: "Callable[[Operation, str, datetime], None]"
    checkpoint: Callable[[datetime], object]  # sign where the record stands, if that is due
    errands: Callable[[Clock], None]  # what the house does beside the provider's work, in a thread of its own
    key_refused: "Callable[[Account], None]"  # within the transaction that notes it: somebody must replace the key


_installed: Ports | None = None


def install(ports: Ports) -> None:
    global _installed  # noqa: PLW0603 -- handed in once, at start-up
    _installed = ports


def ports() -> Ports:
    if _installed is None:
        raise RuntimeError("cloud.ports.install() is called when the process starts.")
    return _installed
