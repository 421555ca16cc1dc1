"""Who gets in where (S01): every route of the resolver stands here, and every actor gets the declared status."""

from collections.abc import Iterator
from contextlib import suppress

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from panel.http import PUBLIC, SIGNED_IN
from panel.people.models import User
from panel.teams.models import Team
from panel.teams.policy import INSTALLATION, ROLES, SENTENCES, Actor, Permission, Role, allowed
from tests.fixtures import browser_of, person
from tests.panel.routes import ORDER, OTHERS, PUBLIC_TABLE, TABLE, actor, real
from tests.support.provider import Provider


def routes(patterns: list[URLPattern | URLResolver], space: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, f"{pattern.namespace}:" if pattern.namespace else space)
        else:
            yield f"{space}{pattern.name}", pattern


def test_every_route_is_in_the_table_and_says_what_it_needs() -> None:
    found = dict(routes(get_resolver().url_patterns))
    assert set(found) == {name.split()[0] for name in TABLE} | set(PUBLIC_TABLE)
    for name, pattern in found.items():
        mark = getattr(pattern.callback, "permission", "no mark")
        assert isinstance(mark, Permission) or mark in {PUBLIC, SIGNED_IN}, f"{name} has {mark}"
        assert (mark == PUBLIC) == (name in PUBLIC_TABLE), name


class Undone(Exception):
    """What one actor did is taken back before the next one comes."""


@pytest.mark.parametrize("name", TABLE)
def test_each_actor_gets_the_declared_status(
    world: None, ids: dict[str, str], team: Team, provider: Provider, name: str
) -> None:
    """All of a route in one test: the world that they meet is the same."""
    method, address, *statuses = TABLE[name]
    found = {}
    for who in (*ORDER, *OTHERS):
        with suppress(Undone), transaction.atomic():
            response = browser_of(actor(who, team)).generic(method, real(address, ids))
            found[who] = response.status_code
            if response.streaming:
                list(response)
            raise Undone
    assert found == dict(zip((*ORDER, *OTHERS), statuses, strict=True))
    assert not provider.calls


@pytest.mark.parametrize("name", TABLE)
def test_anonymous_and_disabled_people_are_sent_to_the_door(
    world: None, ids: dict[str, str], team: Team, provider: Provider, client: Client, name: str
) -> None:
    method, address, *_rest = TABLE[name]
    out = browser_of(person("who@example.org", team, Role.OWNER))
    User.objects.filter(email="who@example.org").update(is_active=False, is_administrator=True)
    for one in (client, out):
        response = one.generic(method, real(address, ids))
        assert response.status_code == 302
        assert response["Location"].startswith("/sign-in/?next=")
    assert not provider.calls


@pytest.mark.parametrize("name", PUBLIC_TABLE)
def test_the_door_is_open_to_everybody(db: None, client: Client, name: str) -> None:
    address, status = PUBLIC_TABLE[name]
    assert client.get(address).status_code == status


def test_htmx_is_sent_to_the_door_as_a_whole_page(db: None, client: Client) -> None:
    response = client.get("/instances/", HTTP_HX_REQUEST="true", HTTP_HX_CURRENT_URL="http://testserver/instances/?q=a")
    assert response["HX-Redirect"] == "/sign-in/?next=%2Finstances%2F%3Fq%3Da"
    assert not response.content


def test_a_disabled_person_is_out_at_once(world: None, team: Team) -> None:
    vera = person("vera@example.org", team)
    client = browser_of(vera)
    assert client.get("/").status_code == 200
    type(vera).objects.update(is_active=False)
    assert client.get("/").status_code == 302


def test_what_is_refused_is_said_in_words(world: None, as_vera: Client) -> None:
    page = as_vera.get("/settings/").content.decode()
    assert "Your role does not allow this" in page
    assert str(SENTENCES[Permission.ACCOUNT_VIEW]) in page


def test_the_viewer_sees_no_dead_control(world: None, as_vera: Client, as_olga: Client) -> None:
    assert b"/settings/" in as_olga.get("/").content
    for page in (as_vera.get("/").content, as_vera.get("/instances/").content):
        assert b"/settings/" not in page
        assert b"/health/" not in page


@pytest.mark.parametrize("address", ["/", "/nothing-here/", "/static/nothing.css", "/healthz", "/sign-in/"])
def test_every_answer_has_the_browsers_walls(db: None, client: Client, address: str) -> None:
    response = client.get(address)
    policy = response["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Referrer-Policy"] == "same-origin"
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if row[0] == "POST"])
def test_a_form_without_its_token_changes_nothing(world: None, ids: dict[str, str], team: Team, name: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(person("olga@example.org", team, Role.OWNER))
    response = strict.post(real(TABLE[name][1], ids))
    assert response.status_code == 403
    assert "This form grew old" in response.content.decode()


def test_an_unknown_permission_is_an_error_not_a_no() -> None:
    with pytest.raises(TypeError):
        allowed(Actor(roles={1: Role.OWNER}), "instance.veiw")  # type: ignore[arg-type]


def test_the_policy_is_complete() -> None:
    assert set(ROLES) == set(Role)
    assert set(SENTENCES) == set(Permission)
    assert ROLES[Role.OWNER] == frozenset(Permission) - INSTALLATION
    assert all(not permissions & INSTALLATION for permissions in ROLES.values())
    assert len(Permission) >= 30
