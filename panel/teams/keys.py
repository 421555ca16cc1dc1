"""A team's SSH keys: which it has, adding one, taking one away. All of it is public data."""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from cloud.clock import system_clock
from panel.audit import record
from panel.people.ssh_keys import PublicKey
from panel.teams import policy
from panel.teams.members import Refused
from panel.teams.models import Team, TeamKey
from panel.teams.policy import Actor, Permission

MOST_KEYS = 100


class KeyRefused(Refused):
    """The team cannot have this key: `field` of the form is the reason."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field


def visible_keys(actor: Actor, permission: Permission = Permission.KEY_VIEW) -> QuerySet[TeamKey]:
    rows = TeamKey.objects.filter(team__in=actor.teams_with(permission)).select_related("team")
    return rows.order_by("team__name", "name", "pk")


def add_key(*, actor: Actor, team: Team, name: str, key: PublicKey) -> TeamKey:
    """Store a key; without a name it is called after its comment. Raises PermissionDenied, KeyRefused."""
    policy.require(actor, Permission.KEY_MANAGE, team)
    with transaction.atomic():
        team = Team.objects.select_for_update().get(pk=team.pk)
        rows = list(TeamKey.objects.filter(team=team))
        name = name or key.comment or key.short
        same = next((row for row in rows if row.fingerprint == key.fingerprint), None)
        if same:
            raise KeyRefused("key", _("The team has this key already. It is called %(name)s.") % {"name": same.name})
        if any(row.name == name for row in rows):
            raise KeyRefused("name", _("The team has another key of this name."))
        if len(rows) >= MOST_KEYS:
            raise KeyRefused("key", _("The team has %(most)d keys, which is the most.") % {"most": MOST_KEYS})
        row = TeamKey.objects.create(
            team=team,
            name=name,
            line=key.line,
            kind=key.kind,
            fingerprint=key.fingerprint,
            added_by_label=actor.label,
            created_at=system_clock(),
        )
        record.append("team.ssh_key.added", actor=actor, detail=_detail(row), **_about(row))
    return row


def remove_key(*, actor: Actor, key: TeamKey) -> None:
    """Forget a key. Machines that have it keep it. Raises PermissionDenied."""
    policy.require(actor, Permission.KEY_MANAGE, key)
    with transaction.atomic():
        about, detail = _about(key), _detail(key)
        if TeamKey.objects.filter(pk=key.pk).delete()[0]:
            record.append("team.ssh_key.removed", actor=actor, detail=detail, **about)


def mark_used(key_id: int, at: datetime) -> None:
    """A machine was launched with it."""
    TeamKey.objects.filter(pk=key_id).update(last_used_at=at)


def _detail(key: TeamKey) -> dict[str, str]:
    return {"name": key.name, "fingerprint": key.fingerprint, "kind": key.kind}


def _about(key: TeamKey) -> record.About:
    return {
        "team_id": key.team_id,
        "team_label": key.team.name,
        "target_kind": "ssh_key",
        "target_id": str(key.pk),
        "target_label": key.name,
    }
