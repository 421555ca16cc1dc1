"""Operations, and the provider's task list, narrowed by who asks."""

from collections.abc import Sequence

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from cloud.models import Instance, ProviderTask
from cloud.operations.models import Operation
from cloud.operations.states import ENDS, OPEN, State
from panel.teams import policy
from panel.teams.policy import Actor, Permission

# What the page of operations can be narrowed to, by its address.
VIEWS: dict[str, Q] = {
    "": Q(),
    "running": Q(state__in=sorted(OPEN - {State.UNCLEAR})),
    "trouble": Q(state=State.UNCLEAR) | Q(state__in=(State.FAILED, State.NOT_DONE, State.EXPIRED), is_put_aside=False),
    "done": Q(state__in=sorted(ENDS)),
}


def visible_operations(actor: Actor) -> QuerySet[Operation]:
    """Operations of the actor's teams, with their machines, newest first."""
    teams = actor.teams_with(Permission.INSTANCE_VIEW)
    rows = Operation.objects.filter(team_id__in=teams) if teams else Operation.objects.none()
    return rows.select_related("target").defer("target__raw", "target__search").order_by("-created_at", "-id")


def page_of(rows: QuerySet[Operation], number: int, size: int) -> tuple[Sequence[Operation], bool]:
    """The rows of a page, counted from 1, and whether more follow."""
    start = (number - 1) * size
    found = list(rows[start : start + size + 1])
    return found[:size], len(found) > size


class Tasks:
    """Tasks that the actor may see, newest first: those of machines of their teams, and for people who look after
    accounts also those whose machine is not known (a launch under way, a machine long gone).
    """

    def __init__(self, actor: Actor) -> None:
        machines = Instance.objects.filter(account=OuterRef("account"), provider_id=OuterRef("instance_provider_id"))
        mine = machines.filter(team_id__in=actor.teams_with(Permission.TASK_VIEW))
        seen = Q(Exists(mine))
        if policy.allowed(actor, Permission.ACCOUNT_VIEW):
            seen |= ~Q(Exists(machines))
        self.rows: QuerySet[ProviderTask] = (
            ProviderTask.objects.filter(seen, account__is_enabled=True)
            .annotate(machine_id=Subquery(mine.values("pk")[:1]), machine=Subquery(mine.values("name")[:1]))
            .order_by("-created_at", "-id")
        )

    def unfinished(self, *, is_ours: bool | None = None) -> QuerySet[ProviderTask]:
        """What is being worked on; `is_ours` narrows to what was asked for here, or elsewhere."""
        rows = self.rows.filter(status__in=ProviderTask.UNFINISHED)
        ours = Exists(Operation.objects.filter(account=OuterRef("account"), task_id=OuterRef("task_id")))
        return rows if is_ours is None else rows.filter(ours if is_ours else ~ours)

    def page(self, number: int, size: int) -> tuple[Sequence[ProviderTask], bool]:
        """The rows of a page, counted from 1, and whether more follow."""
        start = (number - 1) * size
        rows = list(self.rows[start : start + size + 1])
        return rows[:size], len(rows) > size


def visible_tasks(actor: Actor) -> Tasks:
    return Tasks(actor)
