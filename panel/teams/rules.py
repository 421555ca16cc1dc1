"""What a team leaves to two people: the kinds of actions that it names, and launches above a price an hour."""

from collections.abc import Sequence

from django.db import transaction

from cloud.operations.launches import NAMES as LAUNCHES
from panel.audit import record
from panel.teams import policy
from panel.teams.models import Team
from panel.teams.policy import Actor, Permission

APPROVABLE = ("delete", "force_off", "power_cycle")


def takes_two(team: Team, kind: str, cents_per_hour: int | None = None) -> bool:
    """Does this take a second person here? A launch whose price nobody knows may cost anything."""
    if kind in LAUNCHES:
        limit = team.approval_cents_per_hour
        return limit is not None and (cents_per_hour is None or cents_per_hour > limit)
    return kind in team.approval_kinds


def set_rules(*, actor: Actor, team: Team, kinds: Sequence[str], cents_per_hour: int | None) -> None:
    """Say what takes a second person from now on; what waits already goes on waiting. Raises PermissionDenied."""
    policy.require(actor, Permission.TEAM_RULES, team)
    after = {"kinds": [kind for kind in APPROVABLE if kind in kinds], "cents_per_hour": cents_per_hour}
    with transaction.atomic():
        known = Team.objects.select_for_update().get(pk=team.pk)
        before = {"kinds": known.approval_kinds, "cents_per_hour": known.approval_cents_per_hour}
        if before == after:
            return
        known.approval_kinds, known.approval_cents_per_hour = after["kinds"], cents_per_hour
        known.save(update_fields=["approval_kinds", "approval_cents_per_hour"])
        record.append(
            "team.rules.changed", actor=actor, detail={"before": before, "after": after}, **record.of_team(team)
        )
