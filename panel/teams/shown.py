"""Teams, people and roles in words: what the templates print. They compare nothing."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from cloud.clock import system_clock
from cloud.models import Instance
from panel.actions import table
from panel.money import dollars
from panel.people.models import User
from panel.teams import giving, invitations, keys, members, policy
from panel.teams.actors import holders
from panel.teams.models import Membership, Team, standing
from panel.teams.policy import IN_EVERY_TEAM, INSTALLATION, ROLES, SENTENCES, Actor, Permission, Role

# What each role is for, in one sentence.
ROLE_WORDS: dict[Role, Any] = {
    Role.OWNER: _lazy("Everything in the team, its rules and its people included."),
    Role.ADMIN: _lazy("Machines, keys and people; not the team's rules."),
    Role.LAUNCHER: _lazy("Launches machines, and does everything with them."),
    Role.OPERATOR: _lazy("Starts, shuts down and restarts machines."),
    Role.BILLING: _lazy("Looks, and sees what it costs."),
    Role.VIEWER: _lazy("Looks, and changes nothing."),
}
# Permissions in the order and under the heads of the page of roles.
GROUPS: tuple[tuple[Any, str], ...] = (
    (_lazy("Machines"), "instance."),
    (_lazy("What goes on"), "operation."),
    (_lazy("Costs"), "cost."),
    (_lazy("At the provider"), "task."),
    (_lazy("SSH keys"), "key."),
    (_lazy("People"), "member."),
    (_lazy("The team"), "team."),
    (_lazy("The record"), "record."),
)


def teams(actor: Actor, rows: QuerySet[Team]) -> list[dict[str, Any]]:
    """Each with how many people and machines it has, and the actor's own role there. Two queries."""
    now = system_clock()
    people = Count("memberships", filter=standing(now, "memberships__") & Q(memberships__user__is_active=True))
    found = list(rows.annotate(people=people))
    machines = dict(
        Instance.objects.present()
        .filter(team_id__in=[row.pk for row in found])
        .values_list("team_id")
        .annotate(n=Count("pk"))
        .order_by()
    )
    return [
        {
            "team": row,
            "people": row.people,
            # What one may not see is not counted either.
            "machines": machines.get(row.pk, 0) if policy.allowed(actor, Permission.INSTANCE_VIEW, row) else None,
            "role": str(actor.roles[row.pk]).title() if row.pk in actor.roles else "",
        }
        for row in found
    ]


def team(actor: Actor, row: Team) -> dict[str, Any]:
    may = {
        name: policy.allowed(actor, permission, row)
        for name, permission in (
            ("invite", Permission.MEMBER_INVITE),
            ("rename", Permission.TEAM_RENAME),
            ("rules", Permission.TEAM_RULES),
            ("see_keys", Permission.KEY_VIEW),
            ("keys", Permission.KEY_MANAGE),
            ("give", Permission.INSTANCE_GIVE),
        )
    }
    people = list(members.members_of(row))
    return {
        "team": row,
        "may": may,
        "members": [_member(actor, member) for member in people],
        "invitations": invitations.open_of(row) if may["invite"] else [],
        "keys": keys.visible_keys(actor).filter(team=row) if may["see_keys"] else [],
        "rules": rule_words(row),
        "machines": _machines(row) if policy.allowed(actor, Permission.INSTANCE_VIEW, row) else None,
        "can_receive": may["give"] and giving.receivers(actor).count() > 1,
    }


def _member(actor: Actor, member: Membership) -> dict[str, Any]:
    role = Role(member.role)
    is_below = role in policy.grantable(actor, member)
    return {
        "row": member,
        "role": member.get_role_display(),
        "words": ROLE_WORDS[role],
        "is_me": member.user_id == actor.user_id,
        "may_change": is_below and policy.allowed(actor, Permission.MEMBER_CHANGE, member),
        "may_remove": is_below and policy.allowed(actor, Permission.MEMBER_REMOVE, member),
    }


def _machines(row: Team) -> dict[str, Any]:
    found = Instance.objects.present().filter(team_id=row.pk, is_awaited=False)
    sums = found.aggregate(n=Count("pk"), cents=Sum("price_cents_per_hour"))
    return {"n": sums["n"], "hour": dollars(sums["cents"] or 0)}


def rule_words(row: Team) -> list[str]:
    """What takes a second person, a sentence each."""
    words = [_("%(verb)s takes two people.") % {"verb": table.ACTIONS[kind].verb} for kind in row.approval_kinds]
    limit = row.approval_cents_per_hour
    if limit is not None:
        told = _("Launches above %(price)s an hour take two people.") if limit else _("Every launch takes two people.")
        words.append(told % {"price": dollars(limit)} if limit else told)
    return words


def rules(row: Team) -> dict[str, Any]:
    """What the form of rules is opened with."""
    limit = row.approval_cents_per_hour
    return {"kinds": row.approval_kinds, "dollars": "" if limit is None else f"{limit / 100:.2f}"}


def approvers(row: Team) -> int:
    return len(holders(row.pk, Permission.OPERATION_APPROVE))


def in_words(roles: Iterable[Role]) -> list[tuple[str, Any]]:
    return [(role.value.title(), ROLE_WORDS[role]) for role in roles]


def smallest(roles: Sequence[Role]) -> str:
    """What is proposed to somebody new: the role that may least."""
    return min(roles, key=lambda role: (len(ROLES[role]), role == Role.BILLING)).value if roles else ""


def last_day(end: datetime) -> date:
    return (timezone.localtime(end) - timedelta(seconds=1)).date()


def people(actor: Actor, rows: Iterable[User]) -> list[dict[str, Any]]:
    now = system_clock()
    return [
        {
            "person": row,
            "is_me": row.pk == actor.user_id,
            "roles": [
                f"{member.get_role_display()}, {member.team.name}"
                for member in row.memberships.all()
                if member.ends_at is None or member.ends_at > now
            ],
        }
        for row in rows
    ]


def roles() -> dict[str, Any]:
    """The policy's table: heads, and under each the permissions with who has them."""
    groups = []
    for head, start in GROUPS:
        mine = [each for each in Permission if each.value.startswith(start) and each not in INSTALLATION]
        groups.append(
            (
                head,
                [
                    (SENTENCES[each], each.value, [each in ROLES[role] for role in Role], each in IN_EVERY_TEAM)
                    for each in mine
                ],
            )
        )
    return {
        "heads": in_words(Role),
        "groups": groups,
        "installation": [(SENTENCES[each], each.value) for each in Permission if each in INSTALLATION],
    }
