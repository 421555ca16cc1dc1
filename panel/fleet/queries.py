"""Machines narrowed by who asks. Every view and every stream starts here."""

from cloud.models import Instance, InstanceQuerySet
from panel.teams.policy import Actor, Permission


def visible_instances(actor: Actor, permission: Permission = Permission.INSTANCE_VIEW) -> InstanceQuerySet:
    """The machines for which the actor has the permission: one filter on an indexed column, no look-up a row."""
    teams = actor.teams_with(permission)
    rows: InstanceQuerySet = Instance.objects.all()
    return rows.filter(team_id__in=teams) if teams else rows.none()
