"""Runs and their operations, narrowed by who asks."""

from collections.abc import Iterable

from django.db.models import QuerySet

from cloud.operations.models import Operation
from cloud.operations.states import UNSENT, State
from panel.actions import table
from panel.activity.queries import visible_operations
from panel.bulk.choice import Refused
from panel.bulk.models import Run
from panel.teams import policy
from panel.teams.policy import Actor, Permission

BADLY = frozenset({State.FAILED, State.NOT_DONE, State.EXPIRED})
SHOWN = (
    "id", "team_id", "target_id", "target_label", "kind", "state", "outcome", "next_check_at", "created_at",
    "actor_label", "is_put_aside", "attempts",
)  # fmt: skip


def operations_of(actor: Actor, run: Run) -> QuerySet[Operation]:
    """The run's operations on machines that the actor may see, without the machines."""
    rows = visible_operations(actor).filter(batch_id=run.pk)
    return rows.select_related(None).defer(None).only(*SHOWN)


def refused_of(actor: Actor, run: Run) -> list[Refused]:
    """Its refusals as far as the actor may see their machines; those that name none are for who asked."""
    teams = set(actor.teams_with(Permission.INSTANCE_VIEW))
    told = [Refused.read(packed) for packed in run.refused]
    is_own = run.actor_id == actor.user_id
    return [one for one in told if (one.team_id in teams if one.team_id else is_own)]


def failed(actor: Actor, run: Run | None) -> dict[int, str]:
    """By machine the operations of the run that ended badly, which the actor may ask for again."""
    if run is None:
        return {}
    rows = operations_of(actor, run).filter(state__in=sorted(BADLY), is_put_aside=False)
    return {row.target_id: row.pk for row in _actable(actor, run, rows) if row.target_id is not None}


def unsent(actor: Actor, run: Run) -> list[Operation]:
    """Those that can still be taken back by this actor."""
    rows = operations_of(actor, run).filter(state__in=sorted(UNSENT), attempts=0)
    return _actable(actor, run, rows)


def _actable(actor: Actor, run: Run, rows: Iterable[Operation]) -> list[Operation]:
    action = table.of(run.kind)
    return [row for row in rows if action and policy.allowed(actor, action.permission, row)]
