"""Who gets in where (S01): every route of the resolver stands here, and every actor gets the declared status."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from cloud.clock import system_clock
from cloud.models import Account
from cloud.operations.kinds import KINDS
from cloud.operations.opening import Asker, open_operation
from panel.bulk.choice import Refused
from panel.bulk.models import Run
from panel.http import PUBLIC, SIGNED_IN
from panel.inbox.models import Kind, Notice
from panel.people.models import User
from panel.teams.models import Invitation, Team, TeamKey
from panel.teams.policy import INSTALLATION, ROLES, SENTENCES, Actor, Permission, Role, allowed
from tests.fixtures import Hands, browser_of, person
from tests.support.fleet import fill
from tests.support.provider import Provider

# One row a route, and another for each way in which it answers differently (words behind the name tell them apart):
# method, address, and the status for the team's owner, admin, launcher, operator, billing and viewer; then for a
# signed-in stranger to all teams, another team's admin, and an administrator of the installation who belongs to no
# team. Anonymous and disabled people are sent to the door everywhere but in the public table.
ORDER = (Role.OWNER, Role.ADMIN, Role.LAUNCHER, Role.OPERATOR, Role.BILLING, Role.VIEWER)
OTHERS = ("stranger", "another team's admin", "administrator")
Row = tuple[str, str, int, int, int, int, int, int, int, int, int]
TABLE: dict[str, Row] = {
    "overview:home": ("GET", "/", 200, 200, 200, 200, 200, 200, 200, 200, 200),
    "fleet:list": ("GET", "/instances/", 200, 200, 200, 200, 200, 200, 403, 200, 403),
    "fleet:sums": ("GET", "/instances/sums/", 200, 200, 200, 200, 200, 200, 403, 200, 403),
    "fleet:export": ("GET", "/instances/instances.csv", 200, 200, 200, 200, 200, 200, 403, 200, 403),
    "fleet:detail": ("GET", "/instances/1/", 200, 200, 200, 200, 200, 200, 404, 404, 404),
    "fleet:readings": ("GET", "/instances/1/readings/", 200, 200, 200, 200, 200, 200, 404, 404, 404),
    "activity:provider-tasks": ("GET", "/provider-tasks/", 200, 200, 200, 200, 200, 200, 403, 200, 403),
    "accounts:list": ("GET", "/settings/", 403, 403, 403, 403, 403, 403, 403, 403, 200),
    "accounts:add": ("GET", "/settings/accounts/add/", 403, 403, 403, 403, 403, 403, 403, 403, 200),
    "accounts:replace-key": ("GET", "/settings/accounts/1/key/", 403, 403, 403, 403, 403, 403, 403, 403, 200),
    "accounts:test": ("POST", "/settings/accounts/1/test/", 403, 403, 403, 403, 403, 403, 403, 403, 302),
    "accounts:disable": ("GET", "/settings/accounts/1/disable/", 403, 403, 403, 403, 403, 403, 403, 403, 200),
    "accounts:enable": ("POST", "/settings/accounts/1/enable/", 403, 403, 403, 403, 403, 403, 403, 403, 302),
    "accounts:confirm-missing": ("GET", "/settings/accounts/1/missing/", 403, 403, 403, 403, 403, 403, 403, 403, 200),
    "health:home": ("GET", "/health/", 403, 403, 403, 403, 403, 403, 403, 403, 200),
    "health:banners": ("GET", "/banners/", 200, 200, 200, 200, 200, 200, 200, 200, 200),
    "you": ("GET", "/you/", 200, 200, 200, 200, 200, 200, 200, 200, 200),
    "account_change_password": ("GET", "/you/password/", 200, 200, 200, 200, 200, 200, 200, 200, 200),
    "you-theme": ("POST", "/you/theme/", 302, 302, 302, 302, 302, 302, 302, 302, 302),
    "you-zone": ("POST", "/you/zone/", 302, 302, 302, 302, 302, 302, 302, 302, 302),
    "you-key-add": ("GET", "/you/keys/add/", 200, 200, 200, 200, 200, 200, 200, 200, 200),
    "you-key-add sent": ("POST", "/you/keys/add/", 422, 422, 422, 422, 422, 422, 422, 422, 422),
    "you-key-remove": ("GET", "/you/keys/1/remove/", 404, 404, 404, 404, 404, 404, 404, 404, 404),
    "you-session-end": ("POST", "/you/sessions/1/end/", 404, 404, 404, 404, 404, 404, 404, 404, 404),
    "you-sessions-end": ("POST", "/you/sessions/end/", 302, 302, 302, 302, 302, 302, 302, 302, 302),
    "launch:new": ("GET", "/launch/", 200, 200, 200, 403, 403, 403, 403, 200, 403),
    "launch:new sent": ("POST", "/launch/", 422, 422, 422, 403, 403, 403, 403, 422, 403),
    "launch:own": ("GET", "/launch/own-size/", 200, 200, 200, 403, 403, 403, 403, 200, 403),
    "launch:own sent": ("POST", "/launch/own-size/", 422, 422, 422, 403, 403, 403, 403, 422, 403),
    "launch:types": ("GET", "/launch/types/", 200, 200, 200, 403, 403, 403, 403, 200, 403),
    "launch:quote": ("GET", "/launch/quote/", 200, 200, 200, 403, 403, 403, 403, 200, 403),
    "launch:name": ("GET", "/launch/name/?name=a", 200, 200, 200, 403, 403, 403, 403, 200, 403),
    "actions:menu": ("GET", "/instances/1/actions/", 200, 200, 200, 200, 200, 200, 404, 404, 404),
    "actions:do power": ("GET", "/instances/1/do/reboot/", 200, 200, 200, 200, 403, 403, 404, 404, 404),
    "actions:do power sent": ("POST", "/instances/1/do/reboot/", 422, 422, 422, 422, 403, 403, 404, 404, 404),
    "actions:do force_off": ("GET", "/instances/1/do/force_off/", 200, 200, 200, 403, 403, 403, 404, 404, 404),
    "actions:do force_off sent": ("POST", "/instances/1/do/force_off/", 422, 422, 422, 403, 403, 403, 404, 404, 404),
    "actions:do rename": ("GET", "/instances/1/do/rename/", 200, 200, 200, 403, 403, 403, 404, 404, 404),
    "actions:do rename sent": ("POST", "/instances/1/do/rename/", 422, 422, 422, 403, 403, 403, 404, 404, 404),
    "actions:do delete": ("GET", "/instances/1/do/delete/", 200, 200, 200, 403, 403, 403, 404, 404, 404),
    "actions:do delete sent": ("POST", "/instances/1/do/delete/", 422, 422, 422, 403, 403, 403, 404, 404, 404),
    "actions:do unknown": ("GET", "/instances/1/do/launder/", 404, 404, 404, 404, 404, 404, 404, 404, 404),
    "actions:protect": ("POST", "/instances/1/protect/", 302, 302, 403, 403, 403, 403, 404, 404, 404),
    "actions:unprotect": ("POST", "/instances/1/unprotect/", 302, 302, 403, 403, 403, 403, 404, 404, 404),
    "find:find": ("GET", "/find/?q=restart", 200, 200, 200, 200, 200, 200, 200, 200, 200),
    "find:keys": ("GET", "/keys/", 200, 200, 200, 200, 200, 200, 200, 200, 200),
    "fleet:views": ("GET", "/instances/views/", 200, 200, 200, 200, 200, 200, 403, 200, 403),
    "fleet:save-view": ("GET", "/instances/views/new/?q=a", 200, 200, 200, 200, 200, 200, 403, 200, 403),
    "fleet:save-view sent": ("POST", "/instances/views/new/", 422, 422, 422, 422, 422, 422, 403, 422, 403),
    "fleet:rename-view": ("GET", "/instances/views/7/rename/", 404, 404, 404, 404, 404, 404, 403, 404, 403),
    "fleet:delete-view": ("POST", "/instances/views/7/delete/", 404, 404, 404, 404, 404, 404, 403, 404, 403),
    "fleet:move-view": ("POST", "/instances/views/7/up/", 404, 404, 404, 404, 404, 404, 403, 404, 403),
    "fleet:columns": ("POST", "/instances/columns/", 302, 302, 302, 302, 302, 302, 403, 302, 403),
    "bulk:do": ("GET", "/instances/bulk/do/reboot/", 200, 200, 200, 200, 403, 403, 403, 200, 403),
    "bulk:do sent": ("POST", "/instances/bulk/do/reboot/", 422, 422, 422, 422, 403, 403, 403, 422, 403),
    "bulk:do force": ("GET", "/instances/bulk/do/force_off/", 200, 200, 200, 403, 403, 403, 403, 200, 403),
    "bulk:do force sent": ("POST", "/instances/bulk/do/force_off/", 422, 422, 422, 403, 403, 403, 403, 422, 403),
    "bulk:do delete": ("GET", "/instances/bulk/do/delete/", 404, 404, 404, 404, 403, 403, 403, 404, 403),
    "bulk:run": ("GET", "/instances/bulk/RUN/", 200, 200, 200, 200, 200, 200, 404, 404, 404),
    "bulk:undo": ("POST", "/instances/bulk/RUN/undo/", 302, 302, 302, 302, 403, 403, 404, 404, 404),
    "activity:home": ("GET", "/activity/", 200, 200, 200, 200, 200, 200, 403, 200, 403),
    "activity:count": ("GET", "/activity/count/", 200, 200, 200, 200, 200, 200, 403, 200, 403),
    "activity:operation": ("GET", "/activity/OPERATION/", 200, 200, 200, 200, 200, 200, 404, 404, 404),
    "activity:undo": ("POST", "/activity/OPERATION/undo/", 302, 302, 302, 302, 403, 403, 404, 404, 404),
    "activity:retry": ("POST", "/activity/OPERATION/retry/", 302, 302, 302, 302, 403, 403, 404, 404, 404),
    "activity:put-aside": ("POST", "/activity/OPERATION/put-aside/", 302, 302, 302, 302, 403, 403, 404, 404, 404),
    "activity:settle": ("GET", "/activity/OPERATION/settle/", 200, 200, 403, 403, 403, 403, 404, 404, 404),
    "activity:settle sent": ("POST", "/activity/OPERATION/settle/", 422, 422, 403, 403, 403, 403, 404, 404, 404),
    "overview:end-tour": ("POST", "/first-steps/end/", 302, 302, 302, 302, 302, 302, 302, 302, 302),
    "approvals:answer": ("GET", "/activity/WAITING/answer/", 200, 200, 403, 403, 403, 403, 404, 404, 404),
    "approvals:approve": ("POST", "/activity/WAITING/approve/", 422, 422, 403, 403, 403, 403, 404, 404, 404),
    "approvals:reject": ("POST", "/activity/WAITING/reject/", 422, 422, 403, 403, 403, 403, 404, 404, 404),
    "teams:home": ("GET", "/teams/", 200, 200, 200, 200, 200, 200, 200, 200, 200),
    "teams:new": ("GET", "/teams/new/", 403, 403, 403, 403, 403, 403, 403, 403, 200),
    "teams:new sent": ("POST", "/teams/new/", 403, 403, 403, 403, 403, 403, 403, 403, 422),
    "teams:team": ("GET", "/teams/TEAM/", 200, 200, 200, 200, 200, 200, 404, 404, 200),
    "teams:rename": ("GET", "/teams/TEAM/rename/", 200, 403, 403, 403, 403, 403, 404, 404, 200),
    "teams:rename sent": ("POST", "/teams/TEAM/rename/", 422, 403, 403, 403, 403, 403, 404, 404, 422),
    "teams:rules": ("GET", "/teams/TEAM/rules/", 200, 403, 403, 403, 403, 403, 404, 404, 403),
    "teams:rules sent": ("POST", "/teams/TEAM/rules/", 302, 403, 403, 403, 403, 403, 404, 404, 403),
    "teams:invite": ("GET", "/teams/TEAM/invite/", 200, 200, 403, 403, 403, 403, 404, 404, 200),
    "teams:invite sent": ("POST", "/teams/TEAM/invite/", 422, 422, 403, 403, 403, 403, 404, 404, 422),
    "teams:withdraw": ("POST", "/teams/invitations/INVITATION/withdraw/", 302, 302, 403, 403, 403, 403, 404, 404, 302),
    "teams:role": ("GET", "/teams/members/MEMBER/role/", 200, 200, 403, 403, 403, 403, 404, 404, 200),
    "teams:role sent": ("POST", "/teams/members/MEMBER/role/", 422, 422, 403, 403, 403, 403, 404, 404, 422),
    "teams:remove": ("GET", "/teams/members/MEMBER/remove/", 200, 200, 403, 403, 403, 403, 404, 404, 200),
    "teams:remove sent": ("POST", "/teams/members/MEMBER/remove/", 302, 302, 403, 403, 403, 403, 404, 404, 302),
    "teams:leave another's": ("GET", "/teams/members/MEMBER/leave/", 404, 404, 404, 404, 404, 404, 404, 404, 404),
    "teams:leave another's sent": ("POST", "/teams/members/MEMBER/leave/", 404, 404, 404, 404, 404, 404, 404, 404, 404),
    "teams:key-add": ("GET", "/teams/TEAM/keys/add/", 200, 200, 403, 403, 403, 403, 404, 404, 403),
    "teams:key-add sent": ("POST", "/teams/TEAM/keys/add/", 422, 422, 403, 403, 403, 403, 404, 404, 403),
    "teams:key-remove": ("GET", "/teams/keys/KEY/remove/", 200, 200, 403, 403, 403, 403, 404, 404, 404),
    "teams:key-remove sent": ("POST", "/teams/keys/KEY/remove/", 302, 302, 403, 403, 403, 403, 404, 404, 404),
    "teams:give": ("GET", "/teams/give/", 200, 200, 403, 403, 403, 403, 403, 200, 403),
    "teams:give sent": ("POST", "/teams/give/", 422, 422, 403, 403, 403, 403, 403, 422, 403),
    "teams:roles": ("GET", "/roles/", 200, 200, 200, 200, 200, 200, 200, 200, 200),
    "teams:people": ("GET", "/people/", 403, 403, 403, 403, 403, 403, 403, 403, 200),
    "teams:disable": ("GET", "/people/PERSON/disable/", 403, 403, 403, 403, 403, 403, 403, 403, 200),
    "teams:disable sent": ("POST", "/people/PERSON/disable/", 403, 403, 403, 403, 403, 403, 403, 403, 302),
    "teams:enable": ("POST", "/people/PERSON/enable/", 403, 403, 403, 403, 403, 403, 403, 403, 302),
    "teams:administrator": ("GET", "/people/PERSON/administrator/", 403, 403, 403, 403, 403, 403, 403, 403, 200),
    "teams:administrator sent": ("POST", "/people/PERSON/administrator/", 403, 403, 403, 403, 403, 403, 403, 403, 302),
    "inbox:home": ("GET", "/inbox/", 200, 200, 200, 200, 200, 200, 200, 200, 200),
    "inbox:count": ("GET", "/inbox/count/", 200, 200, 200, 200, 200, 200, 200, 200, 200),
    "inbox:open another's": ("POST", "/inbox/NOTICE/open/", 404, 404, 404, 404, 404, 404, 404, 404, 404),
    "inbox:read": ("POST", "/inbox/read/", 302, 302, 302, 302, 302, 302, 302, 302, 302),
    "inbox:wanted": ("GET", "/inbox/wanted/", 200, 200, 200, 200, 200, 200, 200, 200, 200),
    "audit:home": ("GET", "/record/", 200, 200, 403, 403, 403, 403, 403, 200, 200),
    "audit:export": ("GET", "/record/export/csv/", 200, 200, 403, 403, 403, 403, 403, 200, 200),
    "audit:check": ("POST", "/record/check/", 302, 302, 403, 403, 403, 403, 403, 302, 302),
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
    "invitation": ("/invitation/garbage/", 404),
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
    """The addresses of the table name row 1 and words in capitals; the rows of this test have other ids."""
    machine, by = planned.instances.get(), Asker(0, "somebody@example.org")
    operation = open_operation(KINDS["shutdown"], machine, by=by, client_key="key", now=clock()).row
    waiting = open_operation(KINDS["delete"], machine, by=by, client_key="two", now=clock(), takes_two=True).row
    run = Run.objects.create(
        client_key="key", kind="reboot", actor_id=0, created_at=clock(),
        refused=[Refused(machine.label, "It is off.", machine.pk, team.pk).packed()],
    )  # fmt: skip
    kim = person("kim@example.org", team, Role.VIEWER)
    return {
        "/instances/1/": f"/instances/{machine.pk}/",
        "/accounts/1/": f"/accounts/{planned.pk}/",
        "OPERATION": operation.pk,
        "WAITING": waiting.pk,
        "RUN": run.pk,
        "TEAM": str(team.pk),
        "MEMBER": str(kim.memberships.get().pk),
        "PERSON": str(kim.pk),
        "INVITATION": str(_invitation(team, clock).pk),
        "KEY": str(_key(team, clock).pk),
        "NOTICE": str(Notice.objects.create(user=kim, kind=Kind.ACCESS, at=clock(), words="for Kim alone").pk),
    }


def _invitation(team: Team, clock: Hands) -> Invitation:
    return Invitation.objects.create(
        team=team, email="new@example.org", role=Role.VIEWER, secret_hash="0" * 64, invited_by=0,
        created_at=system_clock(), expires_at=system_clock() + timedelta(hours=1),
    )  # fmt: skip


def _key(team: Team, clock: Hands) -> TeamKey:
    return TeamKey.objects.create(
        team=team, name="laptop", line="ssh-ed25519 AAAA", kind="ssh-ed25519", fingerprint="f", created_at=clock()
    )


def real(address: str, ids: dict[str, str]) -> str:
    for wanted, given in ids.items():
        address = address.replace(wanted, given)
    return address


def actor(who: Role | str, team: Team) -> User:
    """Somebody of the table's columns."""
    if isinstance(who, Role):
        return person("who@example.org", team, who)
    if who == "another team's admin":
        return person("who@example.org", Team.objects.create(name="Another"), Role.ADMIN)
    user = person("who@example.org", None)
    user.is_administrator = who == "administrator"
    user.save(update_fields=["is_administrator"])
    return user


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
