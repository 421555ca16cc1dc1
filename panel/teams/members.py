"""Who belongs to a team: roles given, changed and taken. Nobody gives or takes more than they have themselves, and a
team keeps an owner.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from cloud.clock import system_clock
from panel.audit import record
from panel.inbox import notices
from panel.people.models import User
from panel.teams import cutting, policy
from panel.teams.models import Membership, Team, standing
from panel.teams.policy import Actor, Permission, Role


class Refused(Exception):
    """Why it cannot be done, in words for the person who asked."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


def visible_teams(actor: Actor) -> QuerySet[Team]:
    """The teams whose people the actor may see: their own, or all."""
    rows = Team.objects.order_by("name")
    if policy.allowed(actor, Permission.TEAM_VIEW_ALL):
        return rows
    return rows.filter(pk__in=actor.teams_with(Permission.MEMBER_VIEW))


def members_of(team: Team) -> QuerySet[Membership]:
    rows = Membership.objects.filter(standing(system_clock()), team=team, user__is_active=True)
    return rows.select_related("user", "team").order_by("user__email")


def create_team(*, actor: Actor, name: str) -> Team:
    """A new team, owned by whoever makes it. Raises PermissionDenied, Refused when the name is taken."""
    policy.require(actor, Permission.TEAM_CREATE)
    owner_id = policy.person_id(actor)
    with transaction.atomic():
        if Team.objects.filter(name__iexact=name).exists():
            raise Refused(_("There is a team of this name already."))
        team = Team.objects.create(name=name)
        Membership.objects.create(team=team, user_id=owner_id, role=Role.OWNER)
        cutting.changed(owner_id)
        record.append("team.created", actor=actor, detail={"owner": actor.label}, **record.of_team(team))
    return team


def rename_team(*, actor: Actor, team: Team, name: str) -> None:
    policy.require(actor, Permission.TEAM_RENAME, team)
    with transaction.atomic():
        known = Team.objects.select_for_update().get(pk=team.pk)
        if known.name == name:
            return
        if Team.objects.filter(name__iexact=name).exclude(pk=team.pk).exists():
            raise Refused(_("There is a team of this name already."))
        before, known.name = known.name, name
        known.save(update_fields=["name"])
        detail = {"before": {"name": before}, "after": {"name": name}}
        record.append("team.renamed", actor=actor, detail=detail, **record.of_team(known))


def set_role(*, actor: Actor, member: Membership, role: Role, ends_at: datetime | None = None) -> None:
    """Give another role, and say until when. Raises PermissionDenied above the actor's own role, Refused for the last
    owner.
    """
    policy.require(actor, Permission.MEMBER_CHANGE, member)
    with transaction.atomic():
        team, known = _held(member)
        _require_ceiling(actor, known, role)
        before = _facts(known)
        known.role, known.ends_at = role, ends_at
        if _facts(known) == before:
            return
        if before["role"] == Role.OWNER and (role != Role.OWNER or ends_at):
            _require_another_owner(team, known)
        known.save(update_fields=["role", "ends_at"])
        cutting.changed(known.user_id)
        notices.access_changed(
            known.user_id,
            _("Your role in %(team)s is %(role)s now.") % {"team": team.name, "role": known.get_role_display()},
        )
        detail = {"before": before, "after": _facts(known)}
        record.append("team.role.changed", actor=actor, detail=detail, **_about(team, known.user))


def remove(*, actor: Actor, member: Membership) -> None:
    """Take somebody out of a team: their sessions end, and what they asked for and nobody sent is taken back.

    Raises PermissionDenied, Refused for the last owner.
    """
    policy.require(actor, Permission.MEMBER_REMOVE, member)
    with transaction.atomic():
        team, known = _held(member)
        _require_ceiling(actor, known, Role(known.role))
        _take_out(actor, team, known, "team.member.removed")


def leave(*, actor: Actor, member: Membership) -> None:
    """Go by oneself. Raises Refused for the last owner. Other people's memberships are not touched."""
    if member.user_id != policy.person_id(actor):
        raise Refused(_("Only your own membership is yours to give up."))
    with transaction.atomic():
        team, known = _held(member)
        _take_out(actor, team, known, "team.member.left")


def forget_ended(now: datetime) -> None:
    """Take memberships away whose time is over. They gave nothing since then. For the sweeper, once in a while."""
    for member in Membership.objects.filter(ends_at__lte=now).select_related("user", "team"):
        with transaction.atomic():
            if not Membership.objects.filter(pk=member.pk, ends_at=member.ends_at).delete()[0]:
                continue
            lines = cutting.cut(member.user, by=policy.NOBODY, now=now, team_id=member.team_id)
            ended = record.Line("team.member.ended", _about(member.team, member.user), detail=_facts(member))
            record.append_many([*lines, ended], actor=Actor(label="Tidepool"))


def _take_out(actor: Actor, team: Team, member: Membership, code: str) -> None:
    if member.role == Role.OWNER:
        _require_another_owner(team, member)
    facts, person = _facts(member), member.user
    member.delete()
    lines = cutting.cut(person, by=actor, now=system_clock(), team_id=team.pk)
    if person.pk != actor.user_id:
        notices.access_changed(person.pk, _("You do not belong to %(team)s any more.") % {"team": team.name})
    record.append_many([*lines, record.Line(code, _about(team, person), detail=facts)], actor=actor)


def _held(member: Membership) -> tuple[Team, Membership]:
    """The team, locked, so that two owners cannot each take the other's role; and the row as it is now."""
    team = Team.objects.select_for_update().get(pk=member.team_id)
    known = Membership.objects.select_related("user", "team").filter(pk=member.pk).first()
    if known is None:
        raise Refused(_("This person does not belong to the team any more."))
    return team, known


def _require_ceiling(actor: Actor, member: Membership, role: Role) -> None:
    """Neither a role above one's own is given, nor somebody above oneself touched."""
    may = policy.grantable(actor, member)
    if role not in may or Role(member.role) not in may:
        policy.deny(Permission.MEMBER_CHANGE)


def _require_another_owner(team: Team, member: Membership) -> None:
    """One who stays: neither disabled nor there for a time only."""
    others = Membership.objects.filter(team=team, role=Role.OWNER, ends_at=None, user__is_active=True)
    if not others.exclude(pk=member.pk).exists():
        who = {"who": member.user.email, "team": team.name}
        raise Refused(_("%(who)s is the last owner of %(team)s. Make somebody else owner first.") % who)


def _facts(member: Membership) -> dict[str, str]:
    return {"role": member.role} | ({"ends_at": member.ends_at.isoformat()} if member.ends_at else {})


def _about(team: Team, person: User) -> record.About:
    return {
        "team_id": team.pk,
        "team_label": team.name,
        "target_kind": "person",
        "target_id": str(person.pk),
        "target_label": person.email,
    }
