"""The order and the run: what is written, what is refused, what is told, and to whom."""

import threading

import pytest
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cloud.models import Account, Instance
from cloud.operations import moves
from cloud.operations.models import Operation, OperationEvent
from cloud.operations.states import State
from panel.audit import verify
from panel.audit.models import Entry, Outcome
from panel.bulk.models import Run
from panel.people.models import User
from panel.teams.models import Membership, Team
from panel.teams.policy import Role
from tests.fixtures import Hands, browser_of, person
from tests.panel.bulk.conftest import HTMX, Send, ids
from tests.support.fleet import fill
from tests.support.provider import Provider


def page_of(client: Client) -> str:
    """The newest run as this person sees it, without its frame."""
    address = f"/instances/bulk/{Run.objects.latest('created_at').pk}/"
    return client.get(address).content.decode().partition('id="run"')[2]


def entries(code: str) -> list[Entry]:
    return list(Entry.objects.filter(code=code).order_by("sequence"))


def test_each_machine_gets_its_operation_its_sign_and_its_entry(
    send: Send, machines: list[Instance], as_olga: Client, provider: Provider
) -> None:
    answer = send("reboot", ids(machines))
    run = Run.objects.get()
    assert (answer.status_code, answer.url) == (302, f"/instances/bulk/{run.pk}/")
    rows = list(Operation.objects.order_by("target"))
    assert [(row.target_id, row.state, row.batch_id, row.kind) for row in rows] == [
        (machine.pk, "queued", run.pk, "reboot") for machine in machines
    ]
    assert OperationEvent.objects.count() == 5
    signs = Instance.objects.order_by("pk").values_list("attention", "operation_id", "operation_state")
    assert list(signs) == [(Instance.Attention.BUSY, row.pk, "queued") for row in rows]
    told = entries("instance.reboot.requested")
    assert sorted(entry.operation_id for entry in told) == sorted(row.pk for row in rows)
    assert {entry.details["batch"] for entry in told} == {run.pk}
    assert not provider.calls
    page = page_of(as_olga)
    assert "5 going on" in page
    assert all(machine.name in page for machine in machines)
    assert f"/instances/bulk/{run.pk}/" in as_olga.get(f"/activity/{rows[0].pk}/").content.decode()


def test_the_record_stays_whole_and_takes_the_next_row(send: Send, machines: list[Instance]) -> None:
    send("reboot", ids(machines)[:3])
    send("shutdown", ids(machines), key="form-2")
    report = verify.verify({}, None)
    assert report.is_whole, report.faults
    assert report.rows == Entry.objects.count()


def test_one_refusal_does_not_stop_the_others_and_stays_in_the_run(
    send: Send, machines: list[Instance], as_olga: Client
) -> None:
    busy, off, *free = machines
    send("shutdown", [busy.pk], key="first")
    Instance.objects.filter(pk=off.pk).update(power="stopped")
    send("reboot", [*ids(free), off.pk], left=str(busy.pk), key="second")
    assert Operation.objects.filter(kind="reboot").count() == 3
    page = page_of(as_olga)
    assert "2 refused" in page
    assert "3 going on" in page
    assert "“Shut down” by olga@example.org since" in page
    assert "It is off." in page


def test_what_was_shown_as_busy_is_left_alone_though_it_is_free_by_now(
    send: Send, machines: list[Instance], as_olga: Client
) -> None:
    send("reboot", [machines[0].pk], left=str(machines[1].pk))
    assert Operation.objects.get().target_id == machines[0].pk
    assert "It could not get it when you looked, and was left alone." in page_of(as_olga)


def test_a_form_sent_twice_is_one_run_and_with_other_contents_none(send: Send, machines: list[Instance]) -> None:
    first, again = send("reboot", ids(machines)), send("reboot", ids(machines))
    assert first.url == again.url
    other = send("reboot", ids(machines)[:1])
    assert other.status_code == 422
    assert "sent before with other contents" in other.content.decode()
    assert (Run.objects.count(), Operation.objects.count()) == (1, 5)


def test_rights_are_asked_for_each_machine_and_a_refusal_is_on_the_record(
    send: Send, machines: list[Instance], team: Team
) -> None:
    looked_at, hidden = Team.objects.create(name="Looked at"), Team.objects.create(name="Hidden")
    Instance.objects.filter(pk=machines[0].pk).update(team_id=looked_at.pk)
    Instance.objects.filter(pk=machines[1].pk).update(team_id=hidden.pk)
    omar = person("omar@example.org", team, Role.OPERATOR)
    Membership.objects.create(team=looked_at, user=omar, role=Role.VIEWER)
    assert send("reboot", ids(machines), client=browser_of(omar)).status_code == 302
    assert set(Operation.objects.values_list("target", flat=True)) == set(ids(machines[2:]))
    (denial,) = entries("instance.reboot.denied")
    assert (denial.target_id, denial.outcome) == (str(machines[0].pk), Outcome.DENIED)


def test_what_may_lose_data_wants_its_tick(send: Send, machines: list[Instance]) -> None:
    answer = send("force_off", ids(machines))
    assert answer.status_code == 422
    assert "Tick this if that is so." in answer.content.decode()
    assert not Operation.objects.exists()
    assert send("force_off", ids(machines), sure="on").status_code == 302
    assert set(Operation.objects.values_list("state", flat=True)) == {State.HELD}


@pytest.mark.parametrize("kind", ["delete", "rename", "launder"])
def test_what_is_not_for_many_is_not_there(send: Send, machines: list[Instance], kind: str) -> None:
    assert send(kind, ids(machines)).status_code == 404


def test_what_was_not_sent_yet_is_taken_back_together(
    send: Send, machines: list[Instance], as_olga: Client, clock: Hands
) -> None:
    send("force_off", ids(machines), sure="on")
    sent = Operation.objects.order_by("target")[0]
    moves.move(sent, State.QUEUED, now=clock(), again_at=clock())
    moves.move(sent, State.SENDING, now=clock(), again_at=clock())
    Operation.objects.filter(pk=sent.pk).update(attempts=1)
    assert "Take back the 4 not sent yet" in page_of(as_olga)
    assert as_olga.post(f"/instances/bulk/{Run.objects.get().pk}/undo/").status_code == 302
    states = list(Operation.objects.order_by("target").values_list("state", flat=True))
    assert states == [State.SENDING, *[State.CANCELLED] * 4]
    assert Instance.objects.filter(attention=Instance.Attention.CALM, operation_id="").count() == 4
    assert len(entries("instance.force_off.undone")) == 4
    trails = [list(row.events.values_list("fence", flat=True)) for row in Operation.objects.filter(state="cancelled")]
    assert trails == [[0, 1]] * 4
    page = page_of(as_olga)
    assert "4 not carried out" in page
    assert "Take back" not in page


def fail(rows: list[Operation], clock: Hands) -> None:
    for row in rows:
        if row.state == State.HELD:
            moves.move(row, State.QUEUED, now=clock(), again_at=clock())
        moves.move(row, State.SENDING, now=clock(), again_at=clock())
        moves.move(row, State.FAILED, now=clock(), words="Blue Lobster refused. Nothing was changed.")


def test_the_failed_ones_are_tried_again_as_a_run_of_their_own(
    send: Send, machines: list[Instance], as_olga: Client, clock: Hands
) -> None:
    send("reboot", ids(machines))
    first = Run.objects.get()
    bad = list(Operation.objects.order_by("target")[:2])
    fail(bad, clock)
    page = page_of(as_olga)
    assert "2 failed" in page
    assert "Try the 2 failed again" in page
    question = as_olga.get(f"/instances/bulk/do/reboot/?again={first.pk}").content.decode()
    assert "Restart 2 machines" in question
    assert as_olga.get(f"/instances/bulk/do/shutdown/?again={first.pk}").status_code == 404
    assert send("shutdown", ids(machines)[:2], again=first.pk, key="form-2").status_code == 404
    assert send("reboot", ids(machines)[:2], again=first.pk, key="form-2").status_code == 302
    second = Run.objects.exclude(pk=first.pk).get()
    assert second.retry_of == first.pk
    retried = Operation.objects.filter(batch_id=second.pk).order_by("target")
    assert [row.retry_of for row in retried] == [row.pk for row in bad]
    assert set(Operation.objects.filter(pk__in=[row.pk for row in bad]).values_list("is_put_aside", flat=True)) == {
        True
    }
    assert len(entries("instance.reboot.put_aside")) == 2
    first_page = as_olga.get(f"/instances/bulk/{first.pk}/").content.decode()
    assert "failed again" not in first_page


def test_what_may_lose_data_is_tried_again_with_its_confirmation(
    send: Send, machines: list[Instance], as_olga: Client, clock: Hands
) -> None:
    send("force_off", ids(machines), sure="on")
    fail(list(Operation.objects.all()), clock)
    run = Run.objects.get()
    assert 'name="sure"' in as_olga.get(f"/instances/bulk/do/force_off/?again={run.pk}").content.decode()
    assert send("force_off", ids(machines), again=run.pk, key="form-2").status_code == 422
    assert Operation.objects.count() == 5


def test_a_run_is_seen_by_who_sees_its_machines_and_of_these_alone(
    send: Send, machines: list[Instance], team: Team, as_vera: Client, as_stan: Client
) -> None:
    others = Team.objects.create(name="Others")
    Operation.objects.all().delete()
    Instance.objects.filter(pk=machines[0].pk).update(power="stopped")
    send("reboot", [*ids(machines)[:2], 999999])
    Operation.objects.update(team_id=others.pk, target_label="CANARY")
    page = page_of(as_vera)
    assert "CANARY" not in page
    assert "trainer-0" in page
    assert "not yours to see" not in page
    assert "<form" not in page
    nina = person("nina@example.org", others, Role.VIEWER)
    seen = page_of(browser_of(nina))
    assert "CANARY" in seen
    assert "trainer-0" not in seen
    address = f"/instances/bulk/{Run.objects.get().pk}/"
    assert as_stan.get(address).status_code == 404
    Operation.objects.update(team_id=0)
    assert browser_of(nina).get(address).status_code == 404
    assert browser_of(nina).get("/instances/bulk/do/reboot/?again=nonsense").status_code == 403


def test_in_place_the_browser_is_sent_to_the_run(send: Send, machines: list[Instance], as_olga: Client) -> None:
    form = {"key": "k", "ids": str(machines[0].pk)}
    answer = as_olga.post("/instances/bulk/do/reboot/", form, **HTMX)  # type: ignore[arg-type]
    assert answer["HX-Redirect"] == f"/instances/bulk/{Run.objects.get().pk}/"


def test_many_lines_are_paged_with_trouble_first(
    planned: Account, team: Team, send: Send, as_olga: Client, clock: Hands
) -> None:
    fill(planned, team.pk, 130)
    Instance.objects.update(power="running")
    send("reboot", list(Instance.objects.values_list("pk", flat=True)))
    fail([Operation.objects.get(target__name="trainer-99")], clock)
    page = page_of(as_olga)
    assert page.count('<li id="o') == 100
    assert page.index("trainer-99") < page.index("trainer-0")
    run = Run.objects.get()
    assert as_olga.get(f"/instances/bulk/{run.pk}/?page=2").content.decode().count('<li id="o') == 30
    assert as_olga.get(f"/instances/bulk/{run.pk}/?page=junk").status_code == 200
    assert as_olga.get(f"/instances/bulk/{run.pk}/?page=99").content.decode().count('<li id="o') == 30


def test_queries_do_not_grow_with_the_run(planned: Account, team: Team, send: Send, as_olga: Client) -> None:
    """But for SQLite's limit of values in one statement: about one query for thirty machines there."""
    fill(planned, team.pk, 401)
    Instance.objects.update(power="running")
    every = list(Instance.objects.order_by("pk").values_list("pk", flat=True))
    send("reboot", every[:1], key="warm")
    counts = []
    for name, part in (("few", every[1:11]), ("many", every[1:401])):
        Operation.objects.all().delete()
        with CaptureQueriesContext(connection) as queries:
            assert send("shutdown", part, key=name).status_code == 302
        counts.append(len(queries))
    more = 40 if connection.vendor == "sqlite" else 0
    assert counts[0] <= 40
    assert counts[1] <= counts[0] + more
    page = as_olga.get(f"/instances/bulk/{Run.objects.latest('created_at').pk}/")
    assert page.status_code == 200


@pytest.mark.django_db(transaction=True)
def test_ten_at_once_with_one_key_are_one_run(send: Send, machines: list[Instance], olga: User) -> None:
    statuses: list[int] = []
    clients = [browser_of(olga) for _ in range(10)]

    def press(client: Client) -> None:
        statuses.append(send("reboot", ids(machines), client).status_code)
        connections.close_all()

    threads = [threading.Thread(target=press, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [302] * 10
    assert (Run.objects.count(), Operation.objects.count(), Entry.objects.filter(team_id__isnull=False).count()) == (
        1,
        5,
        5,
    )


@pytest.mark.django_db(transaction=True)
def test_runs_that_cross_each_other_never_wait_for_each_other_in_a_ring(
    send: Send, machines: list[Instance], olga: User
) -> None:
    """Both ask for the same machines in opposite order: each machine goes to one of them, none to both."""
    statuses: list[int] = []

    def press(client: Client, key: str, order: list[int]) -> None:
        statuses.append(send("reboot", order, client, key=key).status_code)
        connections.close_all()

    orders = [ids(machines), ids(machines)[::-1]] * 3
    threads = [
        threading.Thread(target=press, args=(browser_of(olga), f"k{number}", order))
        for number, order in enumerate(orders)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [302] * 6
    assert Operation.objects.count() == 5
    assert verify.verify({}, None).is_whole
