"""From sessions to actors: who is signed in, with which roles. One query for any number of sessions."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.utils.crypto import constant_time_compare

from cloud.clock import system_clock
from panel.people.models import User
from panel.teams.models import Membership, standing
from panel.teams.policy import INSTALLATION, NOBODY, ROLES, Actor, Permission, Role

Claims = Mapping[str, Any]
MEMBERSHIP = ("team_id", "role", "ends_at", "team__approval_kinds", "team__name")
PERSON = ("id", "email", "is_administrator", "password", "zone", "theme")


def actor_of(claims: Claims) -> Actor:
    """The actor behind one session's data; nobody for a stranger, and then without a query."""
    return actors_of({"": claims}).get("", NOBODY) if claims.get(SESSION_KEY) else NOBODY


def actors_of(sessions: Mapping[str, Claims]) -> dict[str, Actor]:
    """Actors of the sessions that are good: the person is active, and the password is the one they signed in with."""
    wanted = {str(claims.get(SESSION_KEY)) for claims in sessions.values()}
    people = _people([int(pk) for pk in wanted if pk.isdigit()])
    found = {}
    for key, claims in sessions.items():
        known = people.get(str(claims.get(SESSION_KEY)))
        if known and _is_current(known[0], claims):
            found[key] = known[1]
    return found


def actor_by_id(user_id: int) -> Actor:
    """The person as they are now, without a session: for what they asked for earlier. Nobody if they are gone."""
    known = _people([user_id]).get(str(user_id))
    return known[1] if known else NOBODY


def _people(ids: list[int]) -> dict[str, tuple[User, Actor]]:
    """Active people with what they may do now. One query; a membership that is over gives nothing."""
    rows: dict[str, tuple[User, dict[int, Role], dict[int, frozenset[str]], dict[int, str]]] = {}
    now = system_clock()
    for *columns, team, role, ends_at, pairs, name in User.objects.filter(pk__in=ids, is_active=True).values_list(
        *PERSON, *(f"memberships__{each}" for each in MEMBERSHIP)
    ):
        user = User(**dict(zip(PERSON, columns, strict=True)))
        _user, roles, two, names = rows.setdefault(str(user.pk), (user, {}, {}, {}))
        if team is not None and (ends_at is None or ends_at > now):
            roles[team], two[team], names[team] = Role(role), frozenset(pairs), name
    return {
        key: (
            user,
            Actor(user.pk, user.email, user.is_administrator, roles, two, names, zone=user.zone, theme=user.theme),
        )
        for key, (user, roles, two, names) in rows.items()
    }


def _is_current(user: User, claims: Claims) -> bool:
    """A changed password ends the sessions that were opened with the old one."""
    return constant_time_compare(claims.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash())


def people_with(actor: Actor, permission: Permission, most: int = 5) -> list[str]:
    """Some people of the actor's own teams who have the permission, for whoever must ask one of them. One query."""
    roles = [role for role, permissions in ROLES.items() if permission in permissions]
    if permission in INSTALLATION:
        people = User.objects.filter(is_administrator=True, is_active=True)
        return list(people.order_by("email").values_list("email", flat=True)[:most])
    rows = Membership.objects.filter(team_id__in=list(actor.roles), role__in=roles, user__is_active=True)
    rows = rows.filter(standing(system_clock()))
    return list(rows.order_by("user__email").values_list("user__email", flat=True).distinct()[:most])


def holders(team_id: int, permission: Permission) -> list[int]:
    """Everybody whose role in the team has the permission. One query."""
    roles = [role for role, permissions in ROLES.items() if permission in permissions]
    rows = Membership.objects.filter(standing(system_clock()), team_id=team_id, role__in=roles, user__is_active=True)
    return list(rows.values_list("user_id", flat=True))
