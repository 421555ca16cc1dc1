"""Who gets in where: every route of the resolver says what it needs, and every actor gets the status that is declared.

The full table of roles and teams comes with the teams' pages; this one holds the actors that exist today.
"""

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from cloud.models import Account
from cloud.operations.kinds import KINDS
from cloud.operations.opening import Asker, open_operation
from panel.bulk.choice import Refused
from panel.bulk.models import Run
from panel.http import PUBLIC, SIGNED_IN
from panel.teams.models import Team
from panel.teams.policy import ROLES, SENTENCES, Actor, Permission, Role, allowed
from tests.fixtures import Hands, browser_of, person
from tests.support.fleet import fill
from tests.support.provider import Provider

# One row a route, and another for each way in which it answers differently (words behind the name tell them apart):
# method, address, and the status for owner, admin, launcher, operator, billing, viewer, and for a signed-in stranger to
# all teams. Anonymous people are sent to the door everywhere but in the public table.
ORDER = (Role.OWNER, Role.ADMIN, Role.LAUNCHER, Role.OPERATOR, Role.BILLING, Role.VIEWER)
Row = tuple[str, str, int, int, int, int, int, int, int]
TABLE: dict[str, Row] = {
    "overview:home": ("GET", "/", 200, 200, 200, 200, 200, 200, 403),
    "fleet:list": ("GET", "/instances/", 200, 200, 200, 200, 200, 200, 403),
    "fleet:sums": ("GET", "/instances/sums/", 200, 200, 200, 200, 200, 200, 403),
    "fleet:export": ("GET", "/instances/instances.csv", 200, 200, 200, 200, 200, 200, 403),
    "fleet:detail": ("GET", "/instances/1/", 200, 200, 200, 200, 200, 200, 403),
    "fleet:readings": ("GET", "/instances/1/readings/", 200, 200, 200, 200, 200, 200, 403),
    "activity:provider-tasks": ("GET", "/provider-tasks/", 200, 200, 200, 200, 200, 200, 403),
    "accounts:list": ("GET", "/settings/", 200, 200, 403, 403, 403, 403, 403),
    "accounts:add": ("GET", "/settings/accounts/add/", 200, 403, 403, 403, 403, 403, 403),
    "accounts:replace-key": ("GET", "/settings/accounts/1/key/", 200, 403, 403, 403, 403, 403, 403),
    "accounts:test": ("POST", "/settings/accounts/1/test/", 302, 403, 403, 403, 403, 403, 403),
    "accounts:disable": ("GET", "/settings/accounts/1/disable/", 200, 403, 403, 403, 403, 403, 403),
    "accounts:enable": ("POST", "/settings/accounts/1/enable/", 302, 403, 403, 403, 403, 403, 403),
    "accounts:confirm-missing": ("GET", "/settings/accounts/1/missing/", 200, 403, 403, 403, 403, 403, 403),
    "health:home": ("GET", "/health/", 200, 200, 403, 403, 403, 403, 403),
    "health:banners": ("GET", "/banners/", 200, 200, 200, 200, 200, 200, 200),
    "you": ("GET", "/you/", 200, 200, 200, 200, 200, 200, 200),
    "account_change_password": ("GET", "/you/password/", 200, 200, 200, 200, 200, 200, 200),
    "you-theme": ("POST", "/you/theme/", 302, 302, 302, 302, 302, 302, 302),
    "you-zone": ("POST", "/you/zone/", 302, 302, 302, 302, 302, 302, 302),
    "you-key-add": ("GET", "/you/keys/add/", 200, 200, 200, 200, 200, 200, 200),
    "you-key-add sent": ("POST", "/you/keys/add/", 422, 422, 422, 422, 422, 422, 422),
    "you-key-remove": ("GET", "/you/keys/1/remove/", 404, 404, 404, 404, 404, 404, 404),
    "you-session-end": ("POST", "/you/sessions/1/end/", 404, 404, 404, 404, 404, 404, 404),
    "you-sessions-end": ("POST", "/you/sessions/end/", 302, 302, 302, 302, 302, 302, 302),
    "launch:new": ("GET", "/launch/", 200, 200, 200, 403, 403, 403, 403),
    "launch:new sent": ("POST", "/launch/", 422, 422, 422, 403, 403, 403, 403),
    "launch:own": ("GET", "/launch/own-size/", 200, 200, 200, 403, 403, 403, 403),
    "launch:own sent": ("POST", "/launch/own-size/", 422, 422, 422, 403, 403, 403, 403),
    "launch:types": ("GET", "/launch/types/", 200, 200, 200, 403, 403, 403, 403),
    "launch:quote": ("GET", "/launch/quote/", 200, 200, 200, 403, 403, 403, 403),
    "launch:name": ("GET", "/launch/name/?name=a", 200, 200, 200, 403, 403, 403, 403),
    "actions:menu": ("GET", "/instances/1/actions/", 200, 200, 200, 200, 200, 200, 403),
    "actions:do power": ("GET", "/instances/1/do/reboot/", 200, 200, 200, 200, 403, 403, 403),
    "actions:do power sent": ("POST", "/instances/1/do/reboot/", 422, 422, 422, 422, 403, 403, 403),
    "actions:do force_off": ("GET", "/instances/1/do/force_off/", 200, 200, 200, 403, 403, 403, 403),
    "actions:do force_off sent": ("POST", "/instances/1/do/force_off/", 422, 422, 422, 403, 403, 403, 403),
    "actions:do rename": ("GET", "/instances/1/do/rename/", 200, 200, 200, 403, 403, 403, 403),
    "actions:do rename sent": ("POST", "/instances/1/do/rename/", 422, 422, 422, 403, 403, 403, 403),
    "actions:do delete": ("GET", "/instances/1/do/delete/", 200, 200, 200, 403, 403, 403, 403),
    "actions:do delete sent": ("POST", "/instances/1/do/delete/", 422, 422, 422, 403, 403, 403, 403),
    "actions:do unknown": ("GET", "/instances/1/do/launder/", 404, 404, 404, 404, 404, 404, 403),
    "actions:protect": ("POST", "/instances/1/protect/", 302, 302, 403, 403, 403, 403, 403),
    "actions:unprotect": ("POST", "/instances/1/unprotect/", 302, 302, 403, 403, 403, 403, 403),
    "find:find": ("GET", "/find/?q=restart", 200, 200, 200, 200, 200, 200, 200),
    "find:keys": ("GET", "/keys/", 200, 200, 200, 200, 200, 200, 200),
    "fleet:views": ("GET", "/instances/views/", 200, 200, 200, 200, 200, 200, 403),
    "fleet:save-view": ("GET", "/instances/views/new/?q=a", 200, 200, 200, 200, 200, 200, 403),
    "fleet:save-view sent": ("POST", "/instances/views/new/", 422, 422, 422, 422, 422, 422, 403),
    "fleet:rename-view": ("GET", "/instances/views/7/rename/", 404, 404, 404, 404, 404, 404, 403),
    "fleet:delete-view": ("POST", "/instances/views/7/delete/", 404, 404, 404, 404, 404, 404, 403),
    "fleet:move-view": ("POST", "/instances/views/7/up/", 404, 404, 404, 404, 404, 404, 403),
    "fleet:columns": ("POST", "/instances/columns/", 302, 302, 302, 302, 302, 302, 403),
    "bulk:do": ("GET", "/instances/bulk/do/reboot/", 200, 200, 200, 200, 403, 403, 403),
    "bulk:do sent": ("POST", "/instances/bulk/do/reboot/", 422, 422, 422, 422, 403, 403, 403),
    "bulk:do force": ("GET", "/instances/bulk/do/force_off/", 200, 200, 200, 403, 403, 403, 403),
    "bulk:do force sent": ("POST", "/instances/bulk/do/force_off/", 422, 422, 422, 403, 403, 403, 403),
    "bulk:do delete": ("GET", "/instances/bulk/do/delete/", 404, 404, 404, 404, 403, 403, 403),
    "bulk:run": ("GET", "/instances/bulk/RUN/", 200, 200, 200, 200, 200, 200, 403),
    "bulk:undo": ("POST", "/instances/bulk/RUN/undo/", 302, 302, 302, 302, 403, 403, 403),
    "activity:home": ("GET", "/activity/", 200, 200, 200, 200, 200, 200, 403),
    "activity:count": ("GET", "/activity/count/", 200, 200, 200, 200, 200, 200, 403),
    "activity:operation": ("GET", "/activity/OPERATION/", 200, 200, 200, 200, 200, 200, 403),
    "activity:undo": ("POST", "/activity/OPERATION/undo/", 302, 302, 302, 302, 403, 403, 403),
    "activity:retry": ("POST", "/activity/OPERATION/retry/", 302, 302, 302, 302, 403, 403, 403),
    "activity:put-aside": ("POST", "/activity/OPERATION/put-aside/", 302, 302, 302, 302, 403, 403, 403),
    "activity:settle": ("GET", "/activity/OPERATION/settle/", 200, 200, 403, 403, 403, 403, 403),
    "activity:settle sent": ("POST", "/activity/OPERATION/settle/", 422, 422, 403, 403, 403, 403, 403),
}
PUBLIC_TABLE = {
    "health:alive": ("/healthz", 200),
    "account_login": ("/sign-in/", 200),
    "account_logout": ("/sign-out/", 302),
    "account_inactive": ("/no-access/", 200),
    "account_reset_password": ("/password/forgotten/", 200),
    "account_reset_password_done": ("/password/forgotten/sent/", 200),
    "account_reset_password_from_key": ("/password/new/1-garbage/", 200),
    "account_reset_password_from_key_done": ("/password/new/done/", 200),
}


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


@pytest.fixture
def world(planned: Account, provider: Provider, team: Team) -> None:
    fill(planned, team.pk, 1)


@pytest.fixture
def ids(world: None, planned: Account, team: Team, clock: Hands) -> dict[str, str]:
    """The addresses of the table name row 1; the rows of this test may have other ids."""
    machine = planned.instances.get()
    by = Asker(0, "somebody@example.org")
    operation = open_operation(KINDS["shutdown"], machine, by=by, client_key="key", now=clock()).row
    run = Run.objects.create(
        client_key="key", kind="reboot", actor_id=0, created_at=clock(),
        refused=[Refused(machine.label, "It is off.", machine.pk, team.pk).packed()],
    )  # fmt: skip
    return {
        "/instances/1/": f"/instances/{machine.pk}/",
        "/accounts/1/": f"/accounts/{planned.pk}/",
        "OPERATION": operation.pk,
        "RUN": run.pk,
    }


def real(address: str, ids: dict[str, str]) -> str:
    for wanted, given in ids.items():
        address = address.replace(wanted, given)
    return address


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("name", TABLE)
def test_each_role_gets_the_declared_status(
    world: None, ids: dict[str, str], team: Team, provider: Provider, name: str, role: Role
) -> None:
    method, address, *statuses = TABLE[name]
    expected = statuses[ORDER.index(role)]
    client = browser_of(person("who@example.org", team, role))
    assert client.generic(method, real(address, ids)).status_code == expected
    assert not provider.calls


@pytest.mark.parametrize("name", TABLE)
def test_a_stranger_to_all_teams_gets_nothing(
    world: None, ids: dict[str, str], provider: Provider, as_stan: Client, name: str
) -> None:
    method, address, *statuses = TABLE[name]
    stranger = statuses[-1]
    assert as_stan.generic(method, real(address, ids)).status_code == stranger
    assert not provider.calls


@pytest.mark.parametrize("name", TABLE)
def test_anonymous_people_are_sent_to_the_door(world: None, ids: dict[str, str], client: Client, name: str) -> None:
    method, address, *_rest = TABLE[name]
    response = client.generic(method, real(address, ids))
    assert response.status_code == 302
    assert response["Location"].startswith("/sign-in/?next=")


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
    assert SENTENCES[Permission.ACCOUNT_VIEW] in page


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
    assert ROLES[Role.OWNER] == frozenset(Permission)
