"""What the engine asks of the house when it takes an operation up, and what it puts on the record."""

from datetime import datetime

from django.utils.translation import gettext as _

from cloud.operations.models import Operation
from cloud.operations.states import State
from panel.actions import table
from panel.audit import record
from panel.audit.models import Outcome
from panel.teams.actors import actor_by_id
from panel.teams.policy import Actor, allowed

FAILS = frozenset({State.FAILED, State.NOT_DONE, State.EXPIRED, State.UNCLEAR})


def why_not(row: Operation) -> str:
    """Rights may have gone since it was asked: asked again when it is taken up. "" when it may happen. Two queries."""
    action = table.of(row.kind)
    if action is None:
        return _("This version of Tidepool does not know this action. Nothing was sent.")
    if not allowed(actor_by_id(row.actor_id), action.permission, row):
        return _("%(who)s may not do this any more. Nothing was sent.") % {"who": row.actor_label}
    return ""


def put_on_record(row: Operation, what: str, at: datetime) -> None:
    """The outcome of an operation, in the name of the person who asked for it."""
    outcome = Outcome.DENIED if what == "denied" else Outcome.FAIL if what in FAILS else Outcome.OK
    person = Actor(row.actor_id, row.actor_label)
    record.append(
        f"instance.{row.kind}.{what}",
        actor=person,
        at=at,
        team_id=row.team_id,
        target_kind="instance",
        target_id=str(row.target_id or ""),
        target_label=row.target_label,
        operation_id=row.pk,
        outcome=outcome,
        detail={"words": row.outcome, "attempts": row.attempts},
    )
