"""What people do leaves a row with their name, their place and no secret: at the door, in Settings, when refused."""

import re

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied
from django.test import Client

from cloud.models import Account
from panel.accounts import services
from panel.audit.models import Entry
from panel.people import lockout
from panel.people.models import User
from panel.teams.actors import actor_of
from panel.teams.installation import found_owner
from panel.teams.models import Team
from panel.teams.origins import session_hash
from tests.fixtures import PASSWORD
from tests.support.processes import eventually
from tests.support.provider import Provider

NEW = "a sentence that nobody guesses"


def sign_in(client: Client, password: str, email: str = "olga@example.org", address: str = "198.51.100.9") -> None:
    form = {"login": email, "password": password}
    client.post("/sign-in/", form, REMOTE_ADDR=address, headers={"User-Agent": "Firefox/145"})


def codes() -> list[str]:
    return list(Entry.objects.order_by("sequence").values_list("code", flat=True))


def test_signing_in_and_out_names_the_person_and_the_session(olga: User, client: Client) -> None:
    sign_in(client, PASSWORD)
    key = client.session.session_key
    client.post("/sign-out/")
    assert codes() == ["person.signed_in", "person.signed_out"]
    for row in Entry.objects.all():
        assert (row.actor_id, row.actor_label) == (olga.pk, olga.email)
        assert row.session_hash == session_hash(str(key))
        assert str(key) not in "".join(map(str, vars(row).values()))
    first = Entry.objects.get(sequence=1)
    assert (first.address, first.agent) == ("198.51.100.9", "Firefox/145")


def test_wrong_passwords_are_one_row_a_minute_about_the_person(olga: User) -> None:
    for number in range(5):
        sign_in(Client(), f"wrong-{number}")
    row = Entry.objects.get()
    assert (row.code, row.outcome, row.actor_id) == ("person.sign_in.failed", "fail", None)
    assert (row.target_kind, row.target_id, row.target_label) == ("person", str(olga.pk), olga.email)
    assert "wrong" not in "".join(map(str, vars(row).values()))


def test_what_a_stranger_typed_is_never_written_down(olga: User) -> None:
    for typed in ("my secret password!", "who@secret.example", "another@secret.example"):
        sign_in(Client(), "x", email=typed)
    row = Entry.objects.get()  # all of them folded into one
    assert row.target_label == ""
    assert not re.search("secret|who|another", "".join(map(str, vars(row).values())))


def test_a_closed_lock_is_a_denial(olga: User) -> None:
    for number in range(lockout.TRIES_ACCOUNT + 3):
        sign_in(Client(), "wrong", address=f"203.0.113.{number // 7}")
    refused = Entry.objects.filter(code="person.sign_in.refused")
    assert [(row.outcome, row.target_label) for row in refused] == [("denied", olga.email)]


def test_a_changed_password_is_on_the_record_and_is_not_in_it(olga: User, as_olga: Client) -> None:
    form = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    assert as_olga.post("/you/password/", form).status_code == 302
    row = Entry.objects.get()
    assert (row.code, row.actor_id, row.target_label) == ("person.password.changed", olga.pk, olga.email)
    assert NEW not in row.detail
    assert as_olga.get("/").status_code == 200


def test_a_password_set_by_mail_is_on_the_record(olga: User, client: Client) -> None:
    client.post("/password/forgotten/", {"email": olga.email})
    eventually(lambda: mail.outbox)
    link = re.search(r"http://localhost(/password/new/\S+)", str(mail.outbox[0].body))
    assert link
    page = client.get(link[1], follow=True)
    client.post(page.request["PATH_INFO"], {"password1": NEW, "password2": NEW})
    assert codes() == ["person.password.set_by_mail"]
    sign_in(Client(), NEW)
    assert codes()[-1] == "person.signed_in"


def test_a_refusal_names_the_permission_once_a_minute(as_vera: Client, vera: User) -> None:
    for _ in range(3):
        assert as_vera.get("/settings/").status_code == 403
    row = Entry.objects.get()
    assert (row.code, row.outcome, row.actor_label) == ("access.denied", "denied", vera.email)
    assert (row.target_kind, row.target_id) == ("permission", "account.view")
    assert row.details == {"method": "GET", "route": "accounts:list"}


def test_an_exported_list_is_on_the_record(as_vera: Client, vera: User, team: Team) -> None:
    as_vera.get("/instances/instances.csv?q=gpu")
    row = Entry.objects.get()
    assert (row.code, row.actor_id, row.team_id) == ("instance.list.exported", vera.pk, team.pk)
    assert row.details == {"teams": [team.pk], "wish": {"q": "gpu"}}


def test_what_is_done_with_accounts_is_on_the_record(as_olga: Client, provider: Provider, team: Team) -> None:
    account = Account.objects.get()
    url = f"/settings/accounts/{account.pk}"
    form = {"name": "Second", "base_url": "https://second.example.org/api/v1", "key": "CANARY-of-the-second"}
    as_olga.post("/settings/accounts/add/", form)
    as_olga.post(f"{url}/key/", {"key": "CANARY-which-is-new"})
    as_olga.post(f"{url}/test/")
    as_olga.post(f"{url}/disable/")
    as_olga.post(f"{url}/enable/")
    as_olga.post(f"{url}/missing/", {"until": "2026-11-23T14:00:00Z"})
    wanted = ["added", "key.replaced", "test.requested", "disabled", "enabled", "missing.confirmed"]
    assert codes() == [f"account.{word}" for word in wanted]
    for row in Entry.objects.all():
        assert "CANARY" not in "".join(map(str, vars(row).values()))
        assert row.target_label in {"Second", account.name}
        assert row.actor_label == "olga@example.org"


def test_the_first_owner_is_on_the_record(db: None) -> None:
    owner = found_owner("first@example.org", PASSWORD)
    row = Entry.objects.get()
    assert (row.code, row.actor_label, row.target_label) == ("installation.owner.added", "installation", owner.email)


def test_a_service_that_refuses_leaves_nothing(account: Account) -> None:
    with pytest.raises(PermissionDenied):
        services.replace_key(actor=actor_of({}), account=account, key="whatever")
    assert not Entry.objects.exists()
