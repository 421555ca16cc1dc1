"""The page that launches: what it asks, what it writes down, and what it says to bad input."""

import json
from typing import Any

import pytest
from django.test import Client

from cloud.models import Account, Instance, InstanceType
from cloud.operations import moves
from cloud.operations.models import NameReservation, Operation
from cloud.operations.states import State
from panel.audit.models import Entry
from panel.people.models import SshKey, User
from panel.people.ssh_keys import checked
from panel.teams.models import Membership, Team
from panel.teams.policy import Role
from tests.panel.launch.conftest import PUBLIC, THERE
from tests.support.fleet import fill

NEW, OWN = "/launch/", "/launch/own-size/"
PRIVATE = "-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0c2VjcmV0\n-----END OPENSSH PRIVATE KEY-----"
Filled = dict[str, Any]


def _html(answer: Any) -> str:
    return str(answer.content.decode())


def test_a_launch_is_written_down_and_its_page_shows_it(as_olga: Client, filled: Filled, team: Team) -> None:
    answer = as_olga.post(NEW, filled)
    machine = Instance.objects.get()
    assert (answer.status_code, answer.url) == (302, f"/instances/{machine.pk}/")  # type: ignore[attr-defined]
    row = Operation.objects.get()
    assert (row.kind, row.state, row.team_id, row.target_id) == ("launch", State.QUEUED, team.pk, machine.pk)
    assert row.params == {
        "name": "trainer-10",
        "region": "igl",
        "instance_type": "v1_gpu_1x_a4000",
        "template_name": "UBUNTU-22-04-NV",
        "ssh_key": PUBLIC,
        "metadata": {"project": "vision"},
    }
    shown = (machine.name, machine.region, machine.type_label, machine.price_cents_per_hour, machine.labels)
    assert shown == ("trainer-10", "Wilmington", "1× A4000", 20, {"project": "vision"})
    page = _html(as_olga.get(answer.url))  # type: ignore[attr-defined]
    assert "Launching…" in page
    assert "You can close this page" in page
    assert "trainer-10" in _html(as_olga.get("/instances/"))


def test_it_stands_on_the_record_with_its_price_and_without_the_key(as_olga: Client, filled: Filled) -> None:
    as_olga.post(NEW, filled)
    entry = Entry.objects.get(code="instance.launch.requested")
    detail = json.loads(entry.detail)
    assert (detail["cents_per_hour"], detail["fingerprint"]) == (20, checked(PUBLIC).fingerprint)
    assert "AAAAC3Nza" not in entry.detail


def test_an_own_size_is_launched_without_a_price_that_nobody_listed(as_olga: Client, filled_own: Filled) -> None:
    as_olga.post(OWN, filled_own)
    row = Operation.objects.get()
    assert row.kind == "launch_custom"
    assert {name: row.params[name] for name in ("vcpus", "gpu_count", "gpu_model")} == {
        "vcpus": 16, "gpu_count": 2, "gpu_model": "A4000",
    }  # fmt: skip
    assert Instance.objects.get().price_cents_per_hour is None


def test_a_saved_key_is_chosen_and_noted_as_used(as_olga: Client, olga: User, filled: Filled, clock: Any) -> None:
    key = checked(PUBLIC)
    saved = SshKey.objects.create(
        user=olga, name="laptop", line=key.line, kind=key.kind, fingerprint=key.fingerprint, created_at=clock()
    )
    assert "laptop" in _html(as_olga.get(NEW))
    as_olga.post(NEW, filled | {"ssh": str(saved.pk), "public_key": ""})
    saved.refresh_from_db()
    assert (Operation.objects.get().params["ssh_key"], saved.last_used_at is not None) == (PUBLIC, True)


def test_another_persons_key_cannot_be_chosen(as_olga: Client, vera: User, filled: Filled, clock: Any) -> None:
    key = checked(PUBLIC)
    hers = SshKey.objects.create(
        user=vera, name="hers", line=key.line, kind=key.kind, fingerprint=key.fingerprint, created_at=clock()
    )
    answer = as_olga.post(NEW, filled | {"ssh": str(hers.pk), "public_key": ""})
    assert answer.status_code == 422
    assert not Operation.objects.exists()


def test_the_same_form_sent_again_is_the_same_launch(as_olga: Client, filled: Filled) -> None:
    first, second = as_olga.post(NEW, filled), as_olga.post(NEW, filled)
    assert first.url == second.url  # type: ignore[attr-defined]
    assert (Operation.objects.count(), Instance.objects.count()) == (1, 1)


def test_windows_asks_for_user_name_and_password_and_seals_them(as_olga: Client, filled: Filled) -> None:
    windows = filled | {"image": "WINDOWS-11", "public_key": ""}
    refused = _html(as_olga.post(NEW, windows))
    assert "Type a user name." in refused
    assert "Type a password." in refused
    as_olga.post(NEW, windows | {"username": "anna", "password": "correct horse 9"})
    row = Operation.objects.get()
    assert (row.params["username"], "ssh_key" in row.params) == ("anna", False)
    assert row.sealed_params != ""
    everything = json.dumps([row.params, row.sealed_params, *Entry.objects.values_list("detail", flat=True)])
    assert "correct horse" not in everything


def test_a_password_that_was_hidden_again_is_not_sent(as_olga: Client, filled: Filled) -> None:
    as_olga.post(NEW, filled | {"username": "anna", "password": "correct horse 9"})
    row = Operation.objects.get()
    assert ("username" in row.params, row.sealed_params) == (False, "")


@pytest.mark.parametrize(
    "address",
    ["", "ftp://example.org/a.iso", "https://", "javascript:alert(1)", "http://127.0.0.1/a.iso", "http://10.0.0.8/a.iso",
     "https://anna:pw@example.org/a.iso", "https://exa mple.org/a.iso", "https://nas.local/a.iso", "https://[::1]/a.iso",
     "https://example.org:abc/a.iso", "https://example.org/" + "a" * 2000],
)  # fmt: skip
def test_an_address_that_the_provider_cannot_fetch_is_refused(as_olga: Client, filled: Filled, address: str) -> None:
    answer = as_olga.post(
        NEW, filled | {"image": "iso", "iso_url": address, "username": "anna", "password": "correct horse 9"}
    )
    assert answer.status_code == 422
    assert 'id="id_iso_url_error"' in _html(answer)
    assert not Operation.objects.exists()


def test_an_iso_goes_along_instead_of_an_image(as_olga: Client, filled: Filled) -> None:
    iso = {"image": "iso", "iso_url": "https://example.org/a.iso", "username": "anna", "password": "correct horse 9"}
    as_olga.post(NEW, filled | iso)
    params = Operation.objects.get().params
    assert (params["iso_url"], "template_name" in params) == ("https://example.org/a.iso", False)


# --- Bad input

BAD = ["", "x" * 65, "y" * 100_000, "<b>bold</b>", "a\x00b", "a\nb\x1b[31m", "🦞🦞🦞", "-x-", "../../etc", "ab", "Zoë"]
ALWAYS_BAD = ["<script>alert(1)</script>", "🦞", "x" * 5000, "1e999", "a\x00b"]


@pytest.mark.parametrize("typed", BAD)
def test_a_bad_name_gets_a_sentence_beside_the_field_and_keeps_what_was_typed(
    as_olga: Client, filled: Filled, typed: str
) -> None:
    answer = as_olga.post(NEW, filled | {"name": typed})
    page = _html(answer)
    assert answer.status_code == 422
    assert 'class="invalid-feedback d-block" id="name-said"' in page
    assert "<b>bold</b>" not in page
    assert "trainer_kept" not in page
    assert "project=vision" in page
    assert not Operation.objects.exists()


@pytest.mark.parametrize("field", ["region", "instance_type", "image", "ssh", "public_key", "labels"])
@pytest.mark.parametrize("typed", ALWAYS_BAD)
def test_bad_input_of_every_other_field_is_refused_beside_it(
    as_olga: Client, filled: Filled, field: str, typed: str
) -> None:
    answer = as_olga.post(NEW, filled | {field: typed})
    page = _html(answer)
    assert answer.status_code == 422
    assert f'id="id_{field}_error"' in page
    assert "<script>alert" not in page
    assert 'value="trainer-10"' in page
    assert not Operation.objects.exists()


@pytest.mark.parametrize("field", ["vcpus", "memory_gib", "storage_gib", "gpu_count"])
@pytest.mark.parametrize("typed", ["", "-1", "1.5", "many", "999999999", "١٢٣٤٥٦٧٨", *ALWAYS_BAD])
def test_bad_sizes_are_refused_with_their_bounds(as_olga: Client, filled_own: Filled, field: str, typed: str) -> None:
    answer = as_olga.post(OWN, filled_own | {field: typed})
    page = _html(answer)
    assert answer.status_code == 422
    assert f'id="id_{field}_error"' in page
    assert "A whole number from" in page
    assert not Operation.objects.exists()


@pytest.mark.parametrize("field", ["username", "password"])
@pytest.mark.parametrize("typed", ["", "a b", "🦞", "<b>", "x" * 100])
def test_bad_user_names_and_passwords_are_refused(as_olga: Client, filled: Filled, field: str, typed: str) -> None:
    windows = filled | {"image": "WINDOWS-11", "username": "anna", "password": "correct horse 9"}
    answer = as_olga.post(NEW, windows | {field: typed})
    page = _html(answer)
    assert answer.status_code == 422
    assert f'id="id_{field}_error"' in page
    assert "correct horse" not in page
    assert not Operation.objects.exists()


@pytest.mark.parametrize("field", ["public_key", "name", "labels"])
def test_a_private_key_is_recognised_and_shown_to_nobody(
    as_olga: Client, filled: Filled, field: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = as_olga.post(NEW, filled | {field: PRIVATE})
    page = _html(answer)
    assert answer.status_code == 422
    assert "This is a private key." in page
    assert "c2VjcmV0" not in page + caplog.text + "".join(Entry.objects.values_list("detail", flat=True))


def test_a_form_without_any_field_is_answered_in_words(as_olga: Client, catalogue: None) -> None:
    for page in (NEW, OWN):
        assert as_olga.post(page, {}).status_code == 422


# --- What is not possible


def test_a_type_without_room_is_refused_in_words(as_olga: Client, filled: Filled) -> None:
    answer = as_olga.post(NEW, filled | {"region": "phl"})
    assert "No 1× A4000 is free in Philadelphia now." in _html(answer)
    assert not Operation.objects.exists()


def test_a_name_in_use_or_promised_is_refused(as_olga: Client, filled: Filled, account: Account) -> None:
    as_olga.post(NEW, filled)
    answer = as_olga.post(NEW, filled | {"key": "another"})
    assert "This name is taken in this account." in _html(answer)
    assert Operation.objects.count() == 1
    NameReservation.objects.update(name="promised")
    assert "taken" in _html(as_olga.get("/launch/name/", {"name": "promised", "account": str(account.pk)}))


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("trainer-11", "It is free."),
        ("", "Give it a name."),
        ("a_b_c", "Only letters"),
        ("x" * 65, "3 to 64 characters"),
    ],
)
def test_names_are_looked_at_while_they_are_typed(as_olga: Client, filled: Filled, typed: str, said: str) -> None:
    assert said in _html(as_olga.get("/launch/name/", {"name": typed, "account": str(filled["account"])}))


def test_of_two_teams_only_those_that_one_may_launch_for_are_offered(
    as_olga: Client, olga: User, filled: Filled
) -> None:
    mine, hers = Team.objects.create(name="Mine"), Team.objects.create(name="Only to look at")
    Membership.objects.create(team=mine, user=olga, role=Role.LAUNCHER)
    Membership.objects.create(team=hers, user=olga, role=Role.VIEWER)
    page = _html(as_olga.get(NEW))
    assert "Mine" in page
    assert "Only to look at" not in page
    assert as_olga.post(NEW, filled | {"team": hers.pk}).status_code == 422
    as_olga.post(NEW, filled | {"team": mine.pk})
    assert Operation.objects.get().team_id == mine.pk


def test_what_a_team_launches_is_not_seen_by_others(
    as_vera: Client, as_olga: Client, olga: User, filled: Filled
) -> None:
    mine = Team.objects.create(name="Mine")
    Membership.objects.create(team=mine, user=olga, role=Role.OWNER)
    as_olga.post(NEW, filled | {"team": mine.pk, "name": "secret-1"})
    pages = ("/", "/instances/", "/activity/", f"/instances/{Instance.objects.get().pk}/")
    assert "secret-1" not in "".join(_html(as_vera.get(page)) for page in pages)


def test_without_an_account_the_page_says_what_to_do(as_olga: Client) -> None:
    assert "Connect an account" in _html(as_olga.get(NEW))


def test_a_disabled_account_is_not_offered(as_olga: Client, filled: Filled) -> None:
    Account.objects.update(is_enabled=False)
    as_olga.post(NEW, filled)
    assert not Operation.objects.exists()


# --- After it failed


def _failed(filled: Filled, as_olga: Client) -> Operation:
    as_olga.post(NEW, filled)
    Operation.objects.update(state=State.FAILED, next_check_at=None, outcome="There is no room.")
    NameReservation.objects.update(is_open=False)
    Instance.objects.update(attention=Instance.Attention.FAILED, operation_state=State.FAILED)
    return Operation.objects.get()


def test_a_launch_that_failed_offers_what_is_free_instead(as_olga: Client, filled: Filled) -> None:
    row = _failed(filled, as_olga)
    InstanceType.objects.filter(name="v1_gpu_1x_a4000").update(regions=[THERE])
    page = _html(as_olga.get(f"/instances/{row.target_id}/"))
    assert "1× A4000, Philadelphia, $0.20" in page
    assert "1× A5000, Wilmington, $0.30" in page
    assert "Launch again" in page


def test_launched_again_it_has_the_same_inputs_and_the_old_one_is_put_aside(as_olga: Client, filled: Filled) -> None:
    row = _failed(filled, as_olga)
    page = _html(as_olga.get(NEW, {"again": row.pk}))
    assert 'value="trainer-10"' in page
    assert PUBLIC in page
    as_olga.post(NEW, filled | {"key": "second", "again": row.pk})
    row.refresh_from_db()
    new = Operation.objects.exclude(pk=row.pk).get()
    assert (row.is_put_aside, row.target_id, new.retry_of) == (True, None, row.pk)
    assert Instance.objects.get().pk == new.target_id
    codes = list(Entry.objects.order_by("sequence").values_list("code", flat=True))[-2:]
    assert codes == ["instance.launch.put_aside", "instance.launch.requested"]


def test_another_teams_failed_launch_tells_nothing(
    as_vera: Client, as_olga: Client, filled: Filled, team: Team
) -> None:
    row = _failed(filled, as_olga)
    Membership.objects.filter(user__email="vera@example.org").update(role=Role.LAUNCHER)
    Operation.objects.update(team_id=team.pk + 100)
    assert PUBLIC not in _html(as_vera.get(NEW, {"again": row.pk}))


def test_a_viewer_finds_no_launch_anywhere(as_vera: Client, filled: Filled) -> None:
    assert as_vera.get(NEW).status_code == 403
    assert as_vera.post(NEW, filled).status_code == 403
    assert "/launch/" not in _html(as_vera.get("/instances/")) + _html(as_vera.get("/"))


def test_the_page_costs_few_queries(as_olga: Client, filled: Filled, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(20):
        as_olga.get(NEW)


# --- What a review found


def test_launched_again_it_stays_in_its_account_and_team(as_olga: Client, olga: User, filled: Filled) -> None:
    other = Team.objects.create(name="A team before")
    Membership.objects.create(team=other, user=olga, role=Role.LAUNCHER)
    zeta = Team.objects.create(name="Zeta")
    Membership.objects.create(team=zeta, user=olga, role=Role.LAUNCHER)
    row = _failed(filled | {"team": zeta.pk}, as_olga)
    Account.objects.create(name="A first", base_url="http://other.test", sealed_key="", key_stored_at=row.created_at)
    page = as_olga.get(NEW, {"again": row.pk})
    assert page.context["account"].pk == row.account_id
    assert f'<option value="{zeta.pk}" selected>' in _html(page)


def test_the_same_form_again_after_the_last_room_went_is_still_the_same_launch(as_olga: Client, filled: Filled) -> None:
    first = as_olga.post(NEW, filled)
    InstanceType.objects.update(regions=[])
    second = as_olga.post(NEW, filled)
    assert second.status_code == 302
    assert second.url == first.url  # type: ignore[attr-defined]
    assert Operation.objects.count() == 1


def test_the_same_form_with_another_password_is_another(as_olga: Client, filled: Filled) -> None:
    windows = filled | {"image": "WINDOWS-11", "username": "anna", "password": "correct horse 9"}
    as_olga.post(NEW, windows)
    assert "sent before with other contents" in _html(as_olga.post(NEW, windows | {"password": "battery staple 9"}))
    assert as_olga.post(NEW, windows).status_code == 302


def test_a_price_that_changed_meanwhile_is_told_before_anything_is_launched(as_olga: Client, filled: Filled) -> None:
    assert 'name="cents.v1_gpu_1x_a4000" value="20"' in _html(as_olga.get(NEW))
    seen = filled | {"cents.v1_gpu_1x_a4000": "20"}
    InstanceType.objects.filter(name="v1_gpu_1x_a4000").update(price_cents_per_hour=2000)
    assert "$20.00 an hour now" in _html(as_olga.post(NEW, seen))
    assert not Operation.objects.exists()


def test_all_that_is_wrong_is_said_at_once(as_olga: Client, filled: Filled) -> None:
    as_olga.post(NEW, filled)
    page = _html(as_olga.post(NEW, filled | {"key": "another", "public_key": "nonsense"}))
    assert "This name is taken in this account." in page
    assert 'id="id_public_key_error"' in page


def test_a_chosen_region_is_kept_though_it_is_full_and_said_to_be(as_olga: Client, filled: Filled) -> None:
    asked = {"account": filled["account"], "instance_type": "v1_gpu_1x_a4000", "region": "phl"}
    page = _html(as_olga.get("/launch/quote/", asked))
    assert '<option value="phl" selected>' in page
    assert "No 1× A4000 is free in Philadelphia now." in page


def test_what_was_never_made_is_neither_counted_nor_priced(as_olga: Client, filled: Filled, clock: Any) -> None:
    as_olga.post(NEW, filled)
    row = Operation.objects.get()
    row.state = State.RUNNING
    row.save()
    moves.move(row, State.FAILED, now=clock(), words="No room.")
    page = as_olga.get("/instances/")
    assert (page.context["frame"].machines, page.context["frame"].cents_per_hour) == (0, 0)
    assert "trainer-10" in _html(page)
    Instance.objects.update(ip_address="203.0.113.9")
    page = as_olga.get(f"/instances/{row.target_id}/")
    assert "ssh ubuntu@" not in _html(page)
    assert "An hour" not in _html(page)


def test_the_proposed_name_costs_as_many_queries_however_many_are_taken(
    as_olga: Client, filled: Filled, account: Account, team: Team, django_assert_max_num_queries: Any
) -> None:
    fill(account, team.pk, 150)
    with django_assert_max_num_queries(20):
        assert 'value="trainer-150"' in _html(as_olga.get(NEW))


def test_who_watches_a_launch_that_was_given_up_lands_where_it_says_why(
    as_olga: Client, as_vera: Client, filled: Filled, clock: Any
) -> None:
    as_olga.post(NEW, filled)
    row = Operation.objects.get()
    page = f"/instances/{row.target_id}/"
    moves.move(row, State.CANCELLED, now=clock(), words="The account was disabled meanwhile.")
    answer = as_olga.get(page)
    assert answer.url == f"/activity/{row.pk}/"  # type: ignore[attr-defined]
    assert "The account was disabled meanwhile." in _html(as_olga.get(answer.url))  # type: ignore[attr-defined]
    part = as_olga.get(page, headers={"HX-Request": "true"})
    assert part.headers["HX-Redirect"] == f"/activity/{row.pk}/"
    Operation.objects.update(team_id=row.team_id + 100)
    assert as_vera.get(page).status_code == 404
