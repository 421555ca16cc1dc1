"""A team with people of each role, besides the cast."""

import pytest
from django.test import Client

from panel.people.models import User
from panel.teams.actors import actor_by_id
from panel.teams.models import Membership, Team
from panel.teams.policy import Actor, Role
from tests.fixtures import *  # noqa: F403 -- the cast is shared by rooms
from tests.fixtures import browser_of, person


@pytest.fixture
def vision(db: None) -> Team:
    return Team.objects.create(name="Vision")


@pytest.fixture
def owner(vision: Team) -> User:
    """Owns Vision, and administers nothing."""
    return person("owen@example.org", vision, Role.OWNER)


@pytest.fixture
def as_owner(owner: User) -> Client:
    return browser_of(owner)


def as_actor(user: User) -> Actor:
    return actor_by_id(user.pk)


def member(user: User, team: Team) -> Membership:
    return Membership.objects.get(user=user, team=team)
