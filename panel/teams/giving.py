"""Machines go from one team to another: one, many at a time, or all whose name fits a pattern."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from fnmatch import translate

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from cloud.models import Account, Instance
from cloud.operations.models import Operation
from cloud.operations.states import OPEN
from cloud.ports import Change, ports
from cloud.tally import recount
from panel.audit import record
from panel.fleet.queries import visible_instances
from panel.teams import policy
from panel.teams.members import Refused
from panel.teams.models import Team
from panel.teams.policy import Actor, Permission

MOST = 1000


def receivers(actor: Actor) -> QuerySet[Team]:
    """The teams that the actor may give machines to: where they may do the same; for administrators, all."""
    if policy.allowed(actor, Permission.TEAM_VIEW_ALL):
        return Team.objects.order_by("name")
    return Team.objects.filter(pk__in=actor.teams_with(Permission.INSTANCE_GIVE)).order_by("name")


def fitting(actor: Actor, pattern: str) -> list[Instance]:
    """The machines that the actor may give away and whose name fits: `*` stands for any signs, `?` for one."""
    shape = re.compile(translate(pattern.casefold()))
    rows = _givable(actor).filter(gone_at=None).order_by("name", "pk")
    return [row for row in rows if shape.fullmatch(row.name.casefold())][:MOST]


def chosen(actor: Actor, ids: Iterable[int]) -> list[Instance]:
    """Of these, the machines that the actor may give away."""
    return list(_givable(actor).filter(pk__in=list(ids)[:MOST]).order_by("name", "pk"))


def give(*, actor: Actor, ids: Sequence[int], team: Team) -> int:
    """Hand machines over; how many went. What goes on with one goes with it: its operations stay with their team, and
    are asked about once more before they are sent. Raises PermissionDenied, Refused while one is in somebody's hands.
    """
    if not receivers(actor).filter(pk=team.pk).exists():
        policy.deny(Permission.INSTANCE_GIVE)
    with transaction.atomic():
        rows = list(
            _givable(actor).filter(pk__in=list(ids)[:MOST]).exclude(team_id=team.pk).select_for_update(of=("self",))
        )
        _refuse_busy(rows)
        before = {row.pk: row.team_id for row in rows}
        Instance.objects.filter(pk__in=before).update(team_id=team.pk)
        _recount(rows)
        _tell(rows, before, team.pk)
        names = dict(Team.objects.filter(pk__in=set(before.values())).values_list("pk", "name"))
        lines = [_line(row, before[row.pk], names.get(before[row.pk], ""), team) for row in rows]
        if lines:
            record.append_many(lines, actor=actor)
    return len(rows)


def _givable(actor: Actor) -> QuerySet[Instance]:
    return visible_instances(actor, Permission.INSTANCE_GIVE).filter(is_awaited=False).defer("raw", "search")


def _refuse_busy(rows: Sequence[Instance]) -> None:
    busy = Operation.objects.filter(target__in=rows, state__in=sorted(OPEN)).select_related("target").first()
    if busy is not None:
        said = {"name": busy.target_label, "who": busy.actor_label}
        raise Refused(
            _("Something asked for by %(who)s still goes on with %(name)s. Give it when that is over.") % said
        )


def _recount(rows: Sequence[Instance]) -> None:
    for account in Account.objects.filter(pk__in={row.account_id for row in rows}).order_by("pk"):
        recount(account)


def _tell(rows: Sequence[Instance], before: dict[int, int], team_id: int) -> None:
    """Both teams read their lists again; who has a machine's page open and may not see it any more, loses it."""
    by_account: dict[int, set[int]] = defaultdict(set)
    for row in rows:
        by_account[row.account_id] |= {before[row.pk], team_id}
    topics = frozenset({"count", "operations", *(f"instance:{row.pk}" for row in rows)})

    def tell() -> None:
        for account_id, teams in by_account.items():
            ports().tell(Change(account_id, lists=frozenset(teams), topics=topics))

    transaction.on_commit(tell, robust=True)


def _line(row: Instance, old_id: int, old: str, team: Team) -> record.Line:
    about: record.About = {
        "team_id": team.pk,
        "team_label": team.name,
        "target_kind": "instance",
        "target_id": str(row.pk),
        "target_label": row.label,
    }
    detail = {"before": {"team": old or str(old_id)}, "after": {"team": team.name}}
    return record.Line("instance.given", about, detail=detail)
