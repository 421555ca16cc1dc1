"""Why a person may, or may not, do something: in sentences, for whoever may see the people of that team."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from cloud.clock import system_clock
from panel.people.models import User
from panel.teams import policy
from panel.teams.actors import holders
from panel.teams.models import Membership, Team
from panel.teams.policy import INSTALLATION, ROLES, Actor, Permission, Role


@dataclass(frozen=True)
class Answer:
    """`can_help` are people who may give what is lacking."""

    is_allowed: bool
    words: str
    can_help: tuple[str, ...] = ()


def why(actor: Actor, email: str, permission: Permission, team: Team | None) -> Answer:
    """Whom the actor may not see, they hear nothing of: the answer is that of an unknown person."""
    person = User.objects.filter(email=email).first()
    is_seen = person is not None and _is_seen(actor, person)
    if person is None or not is_seen:
        return Answer(False, _("Nobody with this address belongs to a team that you see."))
    if not person.is_active:
        return Answer(False, _("%(who)s is disabled and cannot sign in.") % {"who": email}, _administrators())
    if permission in INSTALLATION:
        if person.is_administrator:
            return Answer(True, _("%(who)s administers this installation.") % {"who": email})
        words = _("Only administrators of the installation may: %(sentence)s")
        return Answer(False, words % {"sentence": policy.SENTENCES[permission]}, _administrators())
    if team is None:
        return Answer(False, _("Choose a team: roles are held in teams."))
    return _in_team(person, permission, team)


def _in_team(person: User, permission: Permission, team: Team) -> Answer:
    named = {"who": person.email, "team": team.name}
    member = Membership.objects.filter(team=team, user=person).first()
    if person.is_administrator and permission in policy.IN_EVERY_TEAM:
        return Answer(True, _("%(who)s administers this installation, and may do this in every team.") % named)
    if member is None:
        return Answer(False, _("%(who)s does not belong to %(team)s.") % named, _helpers(team))
    if member.ends_at and member.ends_at <= system_clock():
        return Answer(False, _("The membership of %(who)s in %(team)s is over.") % named, _helpers(team))
    named["role"] = member.get_role_display()
    if permission in ROLES[Role(member.role)]:
        words = _("%(who)s is %(role)s of %(team)s, and that role may.") % named
        return Answer(True, f"{words} {_pairs(team, permission)}".strip())
    named["needed"] = _enumerated([role.value.title() for role in Role if permission in ROLES[role]])
    words = _("%(who)s is %(role)s of %(team)s. It takes one of these roles: %(needed)s.") % named
    return Answer(False, words, _helpers(team))


def _pairs(team: Team, permission: Permission) -> str:
    kinds = {Permission.INSTANCE_DELETE: {"delete"}, Permission.INSTANCE_FORCE: {"force_off", "power_cycle"}}
    is_paired = bool(kinds.get(permission, set()) & set(team.approval_kinds))
    return _("In this team somebody else must approve it first.") if is_paired else ""


def _is_seen(actor: Actor, person: User) -> bool:
    if person.pk == actor.user_id or policy.allowed(actor, Permission.PERSON_VIEW):
        return True
    return Membership.objects.filter(user=person, team__in=actor.teams_with(Permission.MEMBER_VIEW)).exists()


def _helpers(team: Team) -> tuple[str, ...]:
    ids = holders(team.pk, Permission.MEMBER_CHANGE)
    return tuple(User.objects.filter(pk__in=ids).order_by("email").values_list("email", flat=True)[:5])


def _administrators() -> tuple[str, ...]:
    rows = User.objects.filter(is_administrator=True, is_active=True)
    return tuple(rows.order_by("email").values_list("email", flat=True)[:5])


def _enumerated(words: list[str]) -> str:
    return ", ".join(words)
