"""Asking for actions through the pages: what is refused and how, the same form twice, undo, retry, settling, locks."""

import threading
from collections.abc import Callable

import pytest
from django.db import connections
from django.test import Client

from cloud.models import Account, Instance
from cloud.operations import moves
from cloud.operations.models import Operation
from cloud.operations.states import State
from panel.audit.models import Entry
from panel.people.models import User
from panel.teams.models import Membership, Team
from panel.teams.policy import Role
from tests.fixtures import PASSWORD, Hands, browser_of, person
from tests.support.fleet import fill
from tests.support.provider import Provider

HTMX = {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": "ask"}
SURE = {"force_off": {"sure": "on"}, "power_cycle": {"sure": "on"}}


@pytest.fixture
def machine(planned: Account, provider: Provider, team: Team) -> Instance:
    fill(planned, team.pk, 2)
    rows = Instance.objects.order_by("pk")
    rows.update(power=Instance.Power.RUNNING, rank=Instance.Rank.RUNNING)
    first = rows[0]
    assert first is not None
    return first


Send = Callable[..., int]


@pytest.fixture
def send(machine: Instance, as_olga: Client) -> Send:
    """Sends the form of an action as Olga; the status."""

    def post(kind: str, client: Client = as_olga, key: str = "form-1", **form: str) -> int:
        data = {"key": key, **SURE.get(kind, {}), **form}
        return client.post(f"/instances/{machine.pk}/do/{kind}/", data).status_code

    return post


def codes() -> list[str]:
    return list(Entry.objects.filter(code__startswith="instance.").order_by("sequence").values_list("code", flat=True))


def test_a_form_sent_twice_is_one_operation(send: Send, provider: Provider) -> None:
    assert [send("reboot"), send("reboot"), send("reboot")] == [302, 302, 302]
    assert Operation.objects.count() == 1
    assert codes() == ["instance.reboot.requested"]
    assert not provider.calls


def test_the_same_key_with_other_contents_is_refused(send: Send, machine: Instance) -> None:
    assert send("rename", name="new-name") == 302
    assert send("rename", name="other-name") == 422
    assert Operation.objects.get().params == {"name": "new-name"}


def test_the_second_is_told_who_has_the_machine(send: Send, machine: Instance, team: Team) -> None:
    omar = browser_of(person("omar@example.org", team, Role.OPERATOR))
    assert send("reboot") == 302
    answer = omar.post(f"/instances/{machine.pk}/do/shutdown/", {"key": "another"})
    assert answer.status_code == 409
    assert "“Restart” by olga@example.org has this machine since" in answer.content.decode()
    assert Operation.objects.count() == 1


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "Give it a name."),
        ("ab", "A name has 3 to 64 characters"),
        ("x" * 65, "A name has 3 to 64 characters"),
        ("with blank", "Only letters A to Z"),
        ("-begins", "Only letters A to Z"),
        ("ends_", "Only letters A to Z"),
        ("<b>bold</b>", "Only letters A to Z"),
        ("new\x00line", "Null characters are not allowed"),
        ("näme", "Only letters A to Z"),
        ("🦞🦞🦞", "Only letters A to Z"),
        ("trainer-0", "It has this name already."),
        ("trainer-1", "This name is taken in this account."),
    ],
)
def test_a_bad_name_is_told_beside_its_field_and_kept(
    machine: Instance, as_olga: Client, provider: Provider, name: str, words: str
) -> None:
    answer = as_olga.post(f"/instances/{machine.pk}/do/rename/", {"key": "k", "name": name})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in page
    assert "<b>bold" not in page
    assert not Operation.objects.exists()
    assert not provider.calls


def test_a_promised_name_is_promised_once(send: Send, machine: Instance, as_olga: Client) -> None:
    assert send("rename", name="the-name") == 302
    other = Instance.objects.exclude(pk=machine.pk).get()
    answer = as_olga.post(f"/instances/{other.pk}/do/rename/", {"key": "k2", "name": "the-name"})
    assert answer.status_code == 409
    assert "promised to another machine" in answer.content.decode()
    assert machine.name not in answer.content.decode().partition('id="main"')[2]


def test_a_delete_wants_the_name_and_a_fresh_sign_in(send: Send, machine: Instance) -> None:
    assert send("delete", name=machine.name) == 422  # the sign-in of this client left no time
    assert send("delete", name=machine.name, password="wrong") == 422
    assert send("delete", name="trainer", password=PASSWORD) == 422
    assert not Operation.objects.exists()
    assert send("delete", name=machine.name) == 302  # the password was right before, and counts for a while
    assert Operation.objects.get().state == State.HELD
    people = Entry.objects.filter(code__startswith="person.").order_by("sequence")
    assert list(people.values_list("code", flat=True)) == ["person.proof.failed", "person.proved"]


def test_what_may_lose_data_wants_a_tick(send: Send) -> None:
    assert send("force_off", sure="") == 422
    assert send("force_off") == 302


def test_an_undo_leaves_nothing_to_send(send: Send, machine: Instance, as_olga: Client) -> None:
    send("force_off")
    row = Operation.objects.get()
    assert machine_state(machine) == (Instance.Attention.BUSY, "held")
    assert as_olga.post(f"/activity/{row.pk}/undo/").status_code == 302
    row.refresh_from_db()
    assert (row.state, row.next_check_at) == (State.CANCELLED, None)
    assert "Taken back by olga@example.org" in row.outcome
    assert machine_state(machine) == (Instance.Attention.CALM, "")
    assert codes() == ["instance.force_off.requested", "instance.force_off.undone"]


def test_whoever_could_have_asked_may_undo_and_nobody_else(
    send: Send, team: Team, as_vera: Client, as_stan: Client
) -> None:
    send("force_off")
    row = Operation.objects.get()
    omar = browser_of(person("omar@example.org", team, Role.OPERATOR))
    ada = browser_of(person("ada@example.org", team, Role.ADMIN))
    undo = f"/activity/{row.pk}/undo/"
    assert [client.post(undo).status_code for client in (as_vera, as_stan, omar, ada)] == [403, 404, 403, 302]


def test_an_undo_that_comes_too_late_says_so(send: Send, as_olga: Client, clock: Hands) -> None:
    send("reboot")
    row = Operation.objects.get()
    moves.move(row, State.SENDING, now=clock(), again_at=clock())
    answer = as_olga.post(f"/activity/{row.pk}/undo/", **HTMX)  # type: ignore[arg-type]
    assert "It was too late" in answer.content.decode()
    assert Operation.objects.get().state == State.SENDING


def failed(row: Operation, clock: Hands) -> Operation:
    moves.move(row, State.SENDING, now=clock(), again_at=clock())
    moves.move(row, State.FAILED, now=clock(), words="Blue Lobster refused. Nothing was changed.")
    return row


def test_a_failure_is_shown_until_it_is_tried_again(
    send: Send, machine: Instance, as_olga: Client, clock: Hands
) -> None:
    send("reboot")
    row = failed(Operation.objects.get(), clock)
    assert "Needs attention" in as_olga.get(f"/instances/{machine.pk}/").content.decode()
    assert as_olga.post(f"/activity/{row.pk}/retry/", {"key": "again"}).status_code == 302
    assert as_olga.post(f"/activity/{row.pk}/retry/", {"key": "again"}).status_code == 302
    fresh = Operation.objects.get(state=State.QUEUED)
    assert (fresh.retry_of, fresh.kind, Operation.objects.count()) == (row.pk, "reboot", 2)
    assert "Needs attention" not in as_olga.get(f"/instances/{machine.pk}/").content.decode()


def test_what_may_lose_data_is_not_tried_again_without_its_confirmation(
    send: Send, machine: Instance, as_olga: Client, clock: Hands
) -> None:
    send("delete", name=machine.name, password=PASSWORD)
    row = Operation.objects.get()
    moves.move(row, State.QUEUED, now=clock(), again_at=clock())
    failed(row, clock)
    page = as_olga.get(f"/activity/{row.pk}/").content.decode()
    assert f"/activity/{row.pk}/retry/" not in page
    assert f"/instances/{machine.pk}/do/delete/" in page
    answer = as_olga.post(f"/activity/{row.pk}/retry/", {"key": "again"}, **HTMX)  # type: ignore[arg-type]
    assert "asked for anew" in answer.content.decode()
    assert Operation.objects.count() == 1


def test_a_failure_is_put_aside(send: Send, machine: Instance, as_olga: Client, clock: Hands) -> None:
    send("reboot")
    row = failed(Operation.objects.get(), clock)
    assert as_olga.post(f"/activity/{row.pk}/put-aside/").status_code == 302
    assert machine_state(machine) == (Instance.Attention.CALM, "")
    assert row.target_label not in as_olga.get("/activity/?show=trouble").content.decode()


def unclear(row: Operation, clock: Hands) -> Operation:
    moves.move(row, State.SENDING, now=clock(), again_at=clock())
    moves.move(row, State.CHECKING, now=clock(), again_at=clock())
    moves.move(row, State.UNCLEAR, now=clock(), words="We could not find out by looking.")
    return row


def test_an_unclear_outcome_is_settled_with_a_reason_on_the_record(
    send: Send, machine: Instance, as_olga: Client, clock: Hands
) -> None:
    send("reboot")
    row = unclear(Operation.objects.get(), clock)
    settle = f"/activity/{row.pk}/settle/"
    assert as_olga.post(settle, {"has_happened": "no", "reason": ""}).status_code == 422
    assert as_olga.post(settle, {"has_happened": "no", "reason": "Looked at its own log: no boot."}).status_code == 302
    row.refresh_from_db()
    assert (row.state, row.is_put_aside) == (State.NOT_DONE, True)
    assert machine_state(machine) == (Instance.Attention.CALM, "")
    last = Entry.objects.latest("sequence")
    assert (last.code, last.actor_label) == ("instance.reboot.settled", "olga@example.org")
    assert "Looked at its own log" in str(last.detail)
    assert as_olga.post(settle, {"has_happened": "yes", "reason": "Another thought."}).status_code == 302
    assert Operation.objects.get().state == State.NOT_DONE


def test_a_protected_machine_is_not_deleted(send: Send, machine: Instance, as_olga: Client) -> None:
    assert as_olga.post(f"/instances/{machine.pk}/protect/").status_code == 302
    assert send("delete", name=machine.name, password=PASSWORD) == 422
    assert not Operation.objects.exists()
    assert as_olga.post(f"/instances/{machine.pk}/unprotect/").status_code == 302
    assert send("delete", name=machine.name) == 302
    assert codes()[:2] == ["instance.protected", "instance.unprotected"]


def test_what_the_provider_says_is_text(send: Send, machine: Instance, as_olga: Client) -> None:
    send("reboot")
    hostile = "<script>alert(1)</script> {{ 7*7 }} \"'&"
    row = Operation.objects.get()
    Operation.objects.update(outcome=hostile, evidence={"task_said": hostile}, target_label=hostile)
    for address in (f"/instances/{machine.pk}/", "/activity/", f"/activity/{row.pk}/"):
        assert "<script>alert" not in as_olga.get(address).content.decode()


def test_another_teams_operations_do_not_exist(send: Send, olga: User) -> None:
    send("reboot")
    row = Operation.objects.get()
    others = Team.objects.create(name="Others")
    nina = person("nina@example.org", None)
    Membership.objects.create(team=others, user=nina, role=Role.OWNER)
    browser = browser_of(nina)
    assert row.target_label not in browser.get("/activity/").content.decode()
    for path in ("", "settle/"):
        assert browser.get(f"/activity/{row.pk}/{path}").status_code == 404
    for path in ("undo/", "retry/", "put-aside/"):
        assert browser.post(f"/activity/{row.pk}/{path}").status_code == 404
    assert browser.get(f"/instances/{row.target_id}/do/reboot/").status_code == 404


def test_the_viewer_sees_no_dead_control(send: Send, machine: Instance, as_vera: Client) -> None:
    send("force_off")
    for address in (f"/instances/{machine.pk}/", f"/instances/{machine.pk}/actions/", "/activity/"):
        page = as_vera.get(address).content.decode()
        assert "/do/" not in page
        assert "<form" not in page.partition('id="main"')[2]


@pytest.mark.django_db(transaction=True)
def test_fifty_at_once_with_one_key_are_one_operation(send: Send, machine: Instance, olga: User) -> None:
    """R01, on the rows: no order of fifty requests makes two."""
    statuses: list[int] = []
    clients = [browser_of(olga) for _ in range(10)]

    def press(client: Client) -> None:
        statuses.extend(send("reboot", client) for _ in range(5))
        connections.close_all()

    threads = [threading.Thread(target=press, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [302] * 50
    assert Operation.objects.count() == 1


def machine_state(machine: Instance) -> tuple[int, str]:
    return Instance.objects.values_list("attention", "operation_state").get(pk=machine.pk)
