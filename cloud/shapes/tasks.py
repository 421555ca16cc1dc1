"""What has been started: tasks, answers to actions, and what the service says of itself."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Self

from msgspec import structs

from cloud.shapes.fields import Rows, Shape, mapping, text


class TaskState(StrEnum):
    """PENDING → PROCESSING → COMPLETED | FAILED. CANCELLED was met too and counts as failed."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    UNKNOWN = "unknown"


_STATES = {
    "pending": TaskState.PENDING,
    "accepted": TaskState.PENDING,
    "processing": TaskState.PROCESSING,
    "completed": TaskState.COMPLETED,
    "failed": TaskState.FAILED,
    "cancelled": TaskState.FAILED,
    "canceled": TaskState.FAILED,
}


def task_state(status: str | None) -> TaskState:
    """The state behind the provider's word, in any case; UNKNOWN for null and for words never met."""
    return _STATES.get((status or "").strip().casefold(), TaskState.UNKNOWN)


class Task(Shape, frozen=True, kw_only=True):
    """One task of the account. It may have been started outside the panel."""

    aliases: ClassVar = {"task_id": ("task_id", "id"), "message": ("message", "error")}
    wrappers: ClassVar = ("task", "data")

    task_id: str = ""
    status: str | None = None
    operation: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    vm_uuid: str | None = None
    ip_address: str | None = None
    message: str | None = None
    params: dict[str, Any] | None = None

    @property
    def state(self) -> TaskState:
        return task_state(self.status)

    @classmethod
    def read(cls, row: dict[str, Any]) -> Self:
        params = mapping(row.get("params")) or {}
        vm_uuid = text(row.get("vm_uuid")) or text(params.get("vm_uuid"))
        return structs.replace(super().read(row), vm_uuid=vm_uuid)


class TaskList(Rows, frozen=True, kw_only=True):
    """The newest tasks. A list as long as its `limit` may be cut: then the absence of a task proves nothing."""

    row_type: ClassVar = Task
    row_key: ClassVar = "tasks"
    row_id: ClassVar = "task_id"

    total: int | None = None
    limit: int | None = None
    items: tuple[Task, ...] = ()


class Started(Shape, frozen=True, kw_only=True):
    """The answer to an action. Some actions answer without a task: then `task_id` is None and the action is done.

    `vm_uuid` and `assigned_ip` come with a launch.
    """

    task_id: str | None = None
    vm_uuid: str | None = None
    assigned_ip: str | None = None
    status: str | None = None
    message: str | None = None
    instance_id: str | None = None

    @property
    def state(self) -> TaskState:
        return task_state(self.status)


class Renamed(Shape, frozen=True, kw_only=True):
    message: str | None = None
    instance_id: str | None = None
    new_name: str | None = None


class Health(Shape, frozen=True, kw_only=True):
    """`status` is "healthy" or "degraded"."""

    status: str | None = None
    timestamp: datetime | None = None


class VncTicket(Shape, frozen=True, kw_only=True):
    """A door to a machine's screen, good for a short while. A secret: it must not reach logs, so it has no repr."""

    instance_id: str | None = None
    ticket: str | None = None
    port: int | None = None
    host: str | None = None

    def __repr__(self) -> str:
        return f"VncTicket(instance_id={self.instance_id!r}, ticket=…)"


class HistoryEvent(Shape, frozen=True, kw_only=True):
    instance_id: str | None = None
    event: str | None = None
    timestamp: datetime | None = None
    details: dict[str, Any] | None = None


class History(Rows, frozen=True, kw_only=True):
    row_type: ClassVar = HistoryEvent
    row_key: ClassVar = "logs"
    row_id: ClassVar = "event"

    total: int | None = None
    items: tuple[HistoryEvent, ...] = ()
