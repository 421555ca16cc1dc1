"""The cast: Olga owns and administers, Omar operates, Vera views, Stan is a stranger to the team.

One account with a played provider.
"""

from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client

from cloud import connect, schedule
from cloud.models import Account
from cloud.seal import seal_key
from panel.people.models import User
from panel.teams.models import Membership, Team, default_team
from panel.teams.policy import Role
from tests.support.provider import Provider

PASSWORD = "correct horse battery staple"


class Hands:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def move(self, seconds: float) -> datetime:
        self.at += timedelta(seconds=seconds)
        return self.at


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def team(db: None) -> Team:
    return default_team()


@pytest.fixture
def account(team: Team, clock: Hands) -> Account:
    return Account.objects.create(
        name="Production",
        base_url="http://provider.test/api/v1",
        sealed_key=seal_key("a-key-for-tests", "http://provider.test/api/v1"),
        key_hint="ests",
        key_state=Account.Key.ACCEPTED,
        key_stored_at=clock(),
    )


@pytest.fixture
def planned(account: Account, clock: Hands) -> Account:
    """The account with its parts due."""
    schedule.plan(account, clock())
    return account


@pytest.fixture
def provider(account: Account) -> Provider:
    return Provider(account)


@cache
def _hashed() -> str:
    """Argon2 is slow on purpose; once is enough for the whole cast."""
    return make_password(PASSWORD)


def person(email: str, team: Team | None, role: Role = Role.VIEWER) -> User:
    user = User.objects.create(email=email, password=_hashed())
    if team:
        Membership.objects.create(team=team, user=user, role=role)
    return user


@pytest.fixture
def olga(team: Team) -> User:
    """Who set the installation up: owner of Default, and administrator."""
    user = person("olga@example.org", team, Role.OWNER)
    user.is_administrator = True
    user.save(update_fields=["is_administrator"])
    return user


@pytest.fixture
def omar(team: Team) -> User:
    return person("omar@example.org", team, Role.OPERATOR)


@pytest.fixture
def vera(team: Team) -> User:
    return person("vera@example.org", team, Role.VIEWER)


@pytest.fixture
def stan(db: None) -> User:
    return person("stan@example.org", None)


def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def as_olga(olga: User) -> Client:
    return browser_of(olga)


@pytest.fixture
def as_omar(omar: User) -> Client:
    return browser_of(omar)


@pytest.fixture
def as_vera(vera: User) -> Client:
    return browser_of(vera)


@pytest.fixture
def as_stan(stan: User) -> Client:
    return browser_of(stan)


@pytest.fixture(autouse=True)
def _no_pool_survives() -> None:
    """Row ids begin anew with each test; a transport of the test before must not answer for them."""
    connect.forget()
