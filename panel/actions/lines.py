"""What people do with operations, as the record tells it."""

from collections.abc import Mapping
from typing import Any

from cloud.operations.models import Operation
from panel.audit import record
from panel.audit.record import Line
from panel.teams.policy import Actor


def line(row: Operation, what: str, detail: Mapping[str, Any] | None = None) -> Line:
    """ "instance.delete.approved" and the like, about the operation's machine."""
    about: record.About = {
        "team_id": row.team_id,
        "target_kind": "instance",
        "target_id": str(row.target_id or ""),
        "target_label": row.target_label,
        "operation_id": row.pk,
    }
    return Line(f"instance.{row.kind}.{what}", about, detail=detail)


def append_line(actor: Actor, row: Operation, what: str, detail: Mapping[str, Any] | None = None) -> None:
    """The last statement of the transaction."""
    record.append_many([line(row, what, detail)], actor=actor)
