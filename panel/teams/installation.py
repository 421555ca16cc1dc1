"""The first person of an installation, and the installation itself as an actor."""

from django.db import transaction

from panel.audit import record
from panel.people.models import User
from panel.teams.models import Membership, default_team
from panel.teams.policy import Actor, Role


def installer() -> Actor:
    """Whoever started this installation at a terminal: may do in Default what its owner may."""
    return Actor(label="installation", is_administrator=True, roles={default_team().pk: Role.OWNER})


def found_owner(email: str, password: str) -> User:
    """A new person who administers the installation and owns the team Default."""
    with transaction.atomic():
        user = User.objects.create_user(email, password, is_administrator=True)
        team = default_team()
        Membership.objects.create(team=team, user=user, role=Role.OWNER)
        record.append(
            "installation.owner.added", actor=installer(), team_id=team.pk, team_label=team.name,
            target_kind="person", target_id=str(user.pk), target_label=user.email,
        )  # fmt: skip
    return user
