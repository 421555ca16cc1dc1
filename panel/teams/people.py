"""Everybody who may sign in, for administrators of the installation: disabled, let in again, made administrators."""

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from cloud.clock import system_clock
from panel.audit import record
from panel.inbox import notices
from panel.people.models import User
from panel.teams import cutting, policy
from panel.teams.members import Refused
from panel.teams.models import Membership, Team
from panel.teams.policy import Actor, Permission, Role


def everybody() -> QuerySet[User]:
    return User.objects.order_by("-is_active", "email").prefetch_related("memberships__team")


def disable(*, actor: Actor, person: User) -> None:
    """Out at once: sessions, streams and what they asked for and nobody sent. Raises PermissionDenied, Refused for
    oneself, the last administrator and a team's last owner.
    """
    policy.require(actor, Permission.PERSON_DISABLE)
    if person.pk == actor.user_id:
        raise Refused(_("You cannot disable yourself."))
    with transaction.atomic():
        _require_another_administrator(person)
        _require_other_owners(person)
        if not User.objects.filter(pk=person.pk, is_active=True).update(is_active=False):
            return
        lines = cutting.cut(person, by=actor, now=system_clock())
        record.append_many([*lines, record.Line("person.disabled", about(person))], actor=actor)


def enable(*, actor: Actor, person: User) -> None:
    policy.require(actor, Permission.PERSON_DISABLE)
    with transaction.atomic():
        if User.objects.filter(pk=person.pk, is_active=False).update(is_active=True):
            record.append("person.enabled", actor=actor, **about(person))


def set_administrator(*, actor: Actor, person: User, is_administrator: bool) -> None:
    """Give the installation into somebody's hands, or take it. Raises PermissionDenied, Refused for the last one."""
    policy.require(actor, Permission.PERSON_PROMOTE)
    with transaction.atomic():
        if not is_administrator:
            _require_another_administrator(person)
        rows = User.objects.filter(pk=person.pk, is_administrator=not is_administrator, is_active=True)
        if not rows.update(is_administrator=is_administrator):
            return
        cutting.changed(person.pk)
        if person.pk != actor.user_id:
            words = (
                _("You administer this installation now.")
                if is_administrator
                else _("You do not administer this installation any more.")
            )
            notices.access_changed(person.pk, words)
        detail = {"before": {"administrator": not is_administrator}, "after": {"administrator": is_administrator}}
        record.append("person.administrator.changed", actor=actor, detail=detail, **about(person))


def about(person: User) -> record.About:
    return {"target_kind": "person", "target_id": str(person.pk), "target_label": person.email}


def _require_another_administrator(person: User) -> None:
    """Held, so that two of them cannot each take it from the other."""
    keepers = User.objects.select_for_update().filter(is_administrator=True, is_active=True)
    if {row.pk for row in keepers} <= {person.pk}:
        raise Refused(_("%(who)s is the last administrator. Make somebody else one first.") % {"who": person.email})


def _require_other_owners(person: User) -> None:
    owned = Membership.objects.filter(user=person, role=Role.OWNER).values_list("team_id", flat=True)
    for team in Team.objects.select_for_update().filter(pk__in=list(owned)):
        others = Membership.objects.filter(team=team, role=Role.OWNER, ends_at=None, user__is_active=True)
        if not others.exclude(user=person).exists():
            named = {"who": person.email, "team": team.name}
            raise Refused(_("%(who)s is the last owner of %(team)s. Make somebody else owner there first.") % named)
