"""From sessions to actors: who is signed in, with which roles. One query for any number of sessions."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.utils.crypto import constant_time_compare

from panel.people.models import User
from panel.teams.models import Membership
from panel.teams.policy import NOBODY, ROLES, Actor, Permission, Role

Claims = Mapping[str, Any]
PERSON = ("id", "email", "is_administrator", "password", "zone", "theme")


def actor_of(claims: Claims) -> Actor:
    """The actor behind one session's data; nobody for a stranger, and then without a query."""
    return actors_of({"": claims}).get("", NOBODY) if claims.get(SESSION_KEY) else NOBODY


def actors_of(sessions: Mapping[str, Claims]) -> dict[str, Actor]:
    """Actors of the sessions that are good: the person is active, and the password is the one they signed in with."""
    wanted = {str(claims.get(SESSION_KEY)) for claims in sessions.values()}
    people: dict[str, tuple[User, dict[int, Role]]] = {}
    for *person, team, role in User.objects.filter(
        pk__in=[pk for pk in wanted if pk.isdigit()], is_active=True
    ).values_list(*PERSON, "memberships__team_id", "memberships__role"):
        user = User(**dict(zip(PERSON, person, strict=True)))
        _user, roles = people.setdefault(str(user.pk), (user, {}))
        if team is not None:
            roles[team] = Role(role)
    actors = {}
    for key, claims in sessions.items():
        found = people.get(str(claims.get(SESSION_KEY)))
        if found and _is_current(found[0], claims):
            user, roles = found
            actors[key] = Actor(user.pk, user.email, user.is_administrator, roles, zone=user.zone, theme=user.theme)
    return actors


def actor_by_id(user_id: int) -> Actor:
    """The person as they are now, without a session: for what they asked for earlier. Nobody if they are gone."""
    person = User.objects.filter(pk=user_id, is_active=True).prefetch_related("memberships").first()
    if person is None:
        return NOBODY
    roles = {membership.team_id: Role(membership.role) for membership in person.memberships.all()}
    return Actor(person.pk, person.email, person.is_administrator, roles)


def _is_current(user: User, claims: Claims) -> bool:
    """A changed password ends the sessions that were opened with the old one."""
    return constant_time_compare(claims.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash())


def people_with(actor: Actor, permission: Permission, most: int = 5) -> list[str]:
    """Some people of the actor's own teams who have the permission, for whoever must ask one of them. One query."""
    roles = [role for role, permissions in ROLES.items() if permission in permissions]
    rows = Membership.objects.filter(team_id__in=list(actor.roles), role__in=roles, user__is_active=True)
    return list(rows.order_by("user__email").values_list("user__email", flat=True).distinct()[:most])
