"""Provider accounts: a key goes in sealed, a worker tries it, and no page gives it back."""

from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.test import Client, override_settings
from pytest_django import DjangoCaptureOnCommitCallbacks

from cloud import refresh, schedule, seal
from cloud.clock import system_clock
from cloud.models import Account, Refresh
from panel.accounts import services
from panel.people.models import User
from panel.teams.models import Team
from panel.teams.policy import Actor, Role
from tests.fixtures import Hands
from tests.support.fleet import fill
from tests.support.provider import Provider

SECRET = "blk_live_0123456789abcdefCANARY"
FORM = {"name": "Production", "base_url": "https://api.bluelobster.ai/api/v1", "key": SECRET}


def test_a_key_is_stored_sealed_and_planned_for_a_test(as_olga: Client) -> None:
    assert as_olga.post("/settings/accounts/add/", FORM).status_code == 302
    account = Account.objects.get()
    assert SECRET not in str(vars(account))
    assert seal.unseal_key(account.sealed_key, account.base_url) == SECRET
    assert account.key_state == Account.Key.UNTESTED
    assert account.refreshes.count() == len(Refresh.Part)


def test_no_page_gives_a_key_back(as_olga: Client) -> None:
    as_olga.post("/settings/accounts/add/", FORM)
    pk = Account.objects.get().pk
    bad = as_olga.post("/settings/accounts/add/", FORM | {"name": ""}).content.decode()
    for page in (bad, *(as_olga.get(a).content.decode() for a in ("/settings/", f"/settings/accounts/{pk}/key/"))):
        assert SECRET not in page
    assert 'value="https://api.bluelobster.ai/api/v1"' in bad


@override_settings(WORKER_PRIVATE_KEY_FILE="/nowhere/worker.key")
def test_a_web_process_cannot_open_a_key(team: Team) -> None:
    seal._private_key.cache_clear()
    try:
        with pytest.raises(seal.CannotOpen):
            seal.unseal(seal.seal(SECRET))
    finally:
        seal._private_key.cache_clear()


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", "", "Give it a name."),
        ("name", "x" * 65, "at most 64"),
        ("name", "bell\x07", "control characters"),
        ("key", "", "Paste the key."),
        ("key", "short", "too short"),
        ("key", "has a blank in it", "without blanks"),
        ("key", "schlüssel-ist-das", "letters, digits and signs"),
        ("key", "k" * 513, "at most 512"),
        ("base_url", "not an address", "must look like"),
        ("base_url", "http://api.example.org/api/v1", "must begin with https://"),
        ("base_url", "https://user:pass@api.example.org/", "without a password"),
    ],
)
def test_bad_input_gets_a_sentence_beside_the_field(as_olga: Client, field: str, value: str, words: str) -> None:
    response = as_olga.post("/settings/accounts/add/", FORM | {field: value})
    assert response.status_code == 422
    assert words in response.content.decode()
    assert not Account.objects.exists()


def test_two_accounts_cannot_share_a_name(account: Account, as_olga: Client) -> None:
    page = as_olga.post("/settings/accounts/add/", FORM | {"name": "production"})
    assert "an account of this name already" in page.content.decode()


def test_a_rejected_key_is_said_to_the_owner_and_gently_to_others(
    planned: Account, as_olga: Client, as_vera: Client
) -> None:
    Account.objects.update(key_state=Account.Key.REJECTED)
    assert "Replace the key" in as_olga.get("/").content.decode()
    page = as_vera.get("/").content.decode()
    assert "needs an administrator" in page
    assert "Replace the key" not in page


def test_replacing_a_bad_key_is_done_at_once_and_makes_the_test_due(
    planned: Account, as_olga: Client, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    Account.objects.update(key_state=Account.Key.REJECTED)
    Refresh.objects.update(due_at=system_clock() + timedelta(hours=1), done_at=None)
    with django_capture_on_commit_callbacks(execute=True):
        as_olga.post(f"/settings/accounts/{planned.pk}/key/", {"key": SECRET})
    planned.refresh_from_db()
    assert seal.unseal_key(planned.sealed_key, planned.base_url) == SECRET
    assert planned.key_state == Account.Key.UNTESTED
    due = Refresh.objects.filter(part__in=services.TESTS, due_at__lte=system_clock())
    assert due.count() == len(services.TESTS)


@pytest.mark.parametrize("status", [200, 401, 404, 503])
def test_a_good_key_stays_until_its_successor_is_accepted(
    planned: Account, provider: Provider, as_olga: Client, clock: Hands, status: int
) -> None:
    as_olga.post(f"/settings/accounts/{planned.pk}/key/", {"key": SECRET})
    assert "Testing the new key" in as_olga.get("/settings/").content.decode()
    provider.failing_key = SECRET if status != 200 else ""
    provider.failure = httpx.Response(status, json={"error": "x", "message": "no"}) if status != 200 else None
    refresh.run(Refresh.objects.get(part=Refresh.Part.INSTANCES).pk, clock)
    planned.refresh_from_db()
    now_used = seal.unseal_key(planned.sealed_key, planned.base_url)
    page = as_olga.get("/settings/").content.decode()
    if status == 200:
        assert (now_used, planned.key_hint, planned.next_sealed_key) == (SECRET, SECRET[-4:], "")
        assert "Key accepted" in page
    elif status == 401:
        assert (now_used, planned.key_state, planned.next_sealed_key) == ("a-key-for-tests", "accepted", "")
        assert "New key refused" in page
        assert "the old one is still used" in page
    else:
        assert now_used == "a-key-for-tests"
        assert planned.next_sealed_key
    assert Refresh.objects.get(part=Refresh.Part.INSTANCES).done_at, "the old key's reading goes on"


def test_disabling_stops_reading_and_hides_nothing(planned: Account, as_olga: Client, clock: Hands) -> None:
    as_olga.post(f"/settings/accounts/{planned.pk}/disable/")
    assert schedule.due(clock()) == []
    assert "Disabled" in as_olga.get("/settings/").content.decode()
    as_olga.post(f"/settings/accounts/{planned.pk}/enable/")
    assert schedule.due(clock()) != []


def test_machines_of_a_disabled_account_are_shown_as_last_known(planned: Account, team: Team, as_olga: Client) -> None:
    fill(planned, team.pk, 3)
    Refresh.objects.update(done_at=system_clock())
    assert "st-unknown" not in as_olga.get("/instances/").content.decode()
    Account.objects.update(is_enabled=False)
    page = as_olga.get("/instances/").content.decode()
    assert page.count('<tr id="i') == page.count("running at") == 3
    assert "3 machines" in page


def test_services_refuse_whoever_lacks_the_permission(planned: Account, vera: User, team: Team) -> None:
    actor = Actor(vera.pk, vera.email, roles={team.pk: Role.VIEWER})
    for act in (
        lambda: services.add_account(actor=actor, name="x", base_url="https://x.test", key=SECRET),
        lambda: services.replace_key(actor=actor, account=planned, key=SECRET),
        lambda: services.test_account(actor=actor, account=planned),
        lambda: services.set_enabled(actor=actor, account=planned, is_enabled=False),
        lambda: services.confirm_missing(actor=actor, account=planned, until=system_clock()),
    ):
        with pytest.raises(PermissionDenied):
            act()


def test_the_settings_hold_no_private_key() -> None:
    private = Path(settings.WORKER_PRIVATE_KEY_FILE).read_text().strip()
    assert private not in str({name: getattr(settings, name) for name in dir(settings)})
