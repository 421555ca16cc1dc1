"""What every kind of action must say of itself: how it is sent, what proves that it happened, and its flags."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any, ClassVar

from cloud.client import Client
from cloud.errors import Refused
from cloud.models import Instance, InstanceQuerySet
from cloud.operations.evidence import Evidence
from cloud.operations.models import Operation
from cloud.operations.states import State
from cloud.shapes import Started
from cloud.timing import Timing

Power = Instance.Power


class Tier(IntEnum):
    """How much a person can lose by it (ux.md): it decides how they are asked."""

    REVERSIBLE = 0
    INTERRUPTS = 1
    MAY_LOSE = 2
    IRREVERSIBLE = 3


def machine_of(row: Operation) -> InstanceQuerySet:
    """The machine's row, as a query; empty when the operation has none."""
    return Instance.objects.filter(pk=row.target_id) if row.target_id else Instance.objects.none()


@dataclass(frozen=True)
class Seen:
    """The machine in one reading of the list. `power` is unknown where the provider said nothing usable."""

    is_listed: bool
    power: str = Power.UNKNOWN
    name: str = ""


@dataclass(frozen=True)
class Sent:
    """What the provider's yes holds: its task ("" without one), and of a launch the machine's id and address."""

    task_id: str = ""
    machine_id: str = ""
    address: str = ""

    @classmethod
    def of(cls, started: Started) -> "Sent":
        return cls(started.task_id or "", started.vm_uuid or "", started.assigned_ip or "")


class Kind(ABC):
    """One kind of action. Stateless: everything about one operation stands in its row."""

    name: ClassVar[str]
    tier: ClassVar[Tier]
    is_exclusive: ClassVar[bool] = True
    has_undo: ClassVar[bool] = False
    sends: ClassVar[int] = 1  # how often it may be sent in all, when looking proved that it did not happen
    is_convergent: ClassVar[bool] = True  # a second one would change nothing more
    has_task: ClassVar[bool] = True
    is_confirmed: ClassVar[bool] = True  # the machine itself must show it, beside the task
    needs_fresh_read: ClassVar[bool] = False
    adopts_tasks: ClassVar[bool] = True  # a task that can only be its own is taken for its own
    is_sent_alone: ClassVar[bool] = False  # one of them is sent at a time in an account
    absent_looks: ClassVar[int] = 2  # readings in a row that must say no
    is_stopped_by_lock: ClassVar[bool] = False
    task_names: ClassVar[frozenset[str]] = frozenset()

    @abstractmethod
    def send(self, client: Client, row: Operation) -> Sent:
        """Send it once. Raises CloudError. Opened secrets stand in `row.opened`."""

    def is_done(self, seen: Seen, row: Operation) -> bool | None:
        """Does the list show that it happened? None: it does not say."""
        return None

    def is_pointless(self, machine: Instance, params: Mapping[str, Any]) -> bool:
        """The machine is already as wanted."""
        return False

    def look(  # noqa: B027 -- most kinds need none
        self, client: Client, row: Operation, found: Evidence, now: datetime, pace: Timing
    ) -> None:
        """A look of its own, beside the lists, written into `found`. Raises CloudError."""

    def reason_against(self, row: Operation) -> str:
        """Why it must not be sent any more, in words; "" when nothing speaks against it."""
        return ""

    def no_words(self, error: Refused) -> str:
        """The provider's definite no in this kind's own words; "" for the usual ones."""
        return ""

    def accepted(self, row: Operation, sent: Sent) -> None:  # noqa: B027
        """They took it. In the transaction that writes so."""

    def ended(self, row: Operation, to: State, now: datetime) -> None:  # noqa: B027
        """It came to its end. In the same transaction."""

    def put_aside(self, row: Operation) -> None:  # noqa: B027
        """Somebody has seen its trouble. In the same transaction."""

    def limit_s(self, pace: Timing) -> float:
        """How long its task may run before a person must look."""
        return pace.limit_s

    def patience_s(self, pace: Timing) -> float:
        """How long is looked for what became of it while readings say neither."""
        return pace.checking_s

    def absence_s(self, row: Operation, pace: Timing) -> float:
        """How long it must have been absent before that counts."""
        return 0.0

    @property
    def wants_absence(self) -> bool:
        """A machine that no longer exists is what was wanted."""
        return False
