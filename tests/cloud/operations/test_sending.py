"""Before, during and after the one request: what keeps it back, what each answer means, and what is said of it."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from django.db import IntegrityError, transaction

from cloud import connect
from cloud.budget import Budget, Lane
from cloud.models import Account, Instance
from cloud.operations import opening
from cloud.operations.kinds import KINDS
from cloud.operations.models import NameReservation, Operation
from cloud.operations.opening import Asker, KeyReused, Taken, TooLate
from cloud.operations.states import State
from cloud.seal import seal
from cloud.store import store
from cloud.timing import timing
from panel.actions import services
from panel.audit.models import Entry
from panel.people.models import User
from panel.teams.actors import actor_by_id
from panel.teams.models import Membership
from panel.teams.policy import Role
from tests.cloud.operations.conftest import ID, Open, World, trail
from tests.support.provider import said

PACE = timing()
REFUSED = httpx.ConnectError("refused")


def _pause_s(world: World, row: Operation) -> float:
    assert row.next_check_at is not None
    return (row.next_check_at - world.clock()).total_seconds()


# --- It never left


@pytest.mark.parametrize(
    "error",
    [REFUSED, httpx.ConnectTimeout("slow"), httpx.ConnectError("[Errno -2] Name or service not known")],
)
def test_what_never_left_is_tried_again_ever_more_rarely_and_never_looked_for(
    asked: Open, world: World, error: Exception
) -> None:
    row = asked("reboot")
    world.answers("reboot", error)
    for base_s in (1, 2, 4, 8, 16, 30, 30):
        row = world.advance(row)
        assert (row.state, base_s / 2 <= _pause_s(world, row) <= base_s * 1.5) == (State.QUEUED, True)
        world.provider.answers["GET /health"] = said(200, {"status": "healthy"})
        world.later(_pause_s(world, row) + 0.001)
        _close_breaker(world)
    assert set(trail(row)) == {"queued", "sending"}
    assert {attempt.result for attempt in row.sent.all()} == {"not_sent"}


def _close_breaker(world: World) -> None:
    """A read that succeeds closes it, as the readings do."""
    connect.client_for(world.account, lane=Lane.PEOPLE).health()


def test_an_open_breaker_keeps_it_back_without_a_call(asked: Open, world: World) -> None:
    world.provider.failure = REFUSED
    for _ in range(6):
        world.clock.move(61)
        world.read("health")
    row, before = asked("reboot"), sum(world.provider.calls.values())
    row = world.advance(row)
    assert (row.state, trail(row), sum(world.provider.calls.values())) == (State.QUEUED, ["queued"], before)
    assert _pause_s(world, row) > 20  # it knows from when on the breaker lets a probe through


def test_a_full_budget_keeps_it_back_and_wears_nobody_out(asked: Open, world: World, settings: Any) -> None:
    settings.TIME_SCALE = 50  # a turn waits for its place by the real clock
    row = asked("reboot")
    for _ in range(4):  # all that may be in flight
        connect.client_for(world.account, lane=Lane.PEOPLE).reserve(is_write=True)
    row = world.advance(row)
    assert (row.state, row.tries, world.writes("reboot")) == (State.QUEUED, 0, 0)


def test_it_expires_when_it_could_not_be_sent_for_ten_minutes(asked: Open, world: World) -> None:
    row = asked("reboot")
    world.answers("reboot", REFUSED)
    world.advance(row)
    world.later(PACE.expire_s + 1)
    row = world.advance(row)
    assert (row.state, row.next_check_at, world.writes("reboot")) == (State.EXPIRED, None, 1)


def test_waiting_for_our_own_queue_does_not_count(asked: Open, world: World) -> None:
    row, other = asked("reboot"), asked("rename")
    world.later(PACE.expire_s + 1)
    Operation.objects.filter(pk=other.pk).update(queued_at=world.clock())
    world.answers("rename", said(200, {"new_name": "trainer-new"}))
    world.advance(other)  # others of the account are sent: it is only a long queue
    world.accepts("reboot")
    assert world.advance(row).state == State.RUNNING


# --- 429


@pytest.mark.parametrize(
    ("told", "least_s", "most_s"),
    [("7", 7, 7), ("0", 0.5, 1.5), ("9999", 300, 300), ("soon", 0.5, 1.5), (None, 0.5, 1.5), ("date", 58, 61)],
)
def test_no_call_comes_earlier_than_told(
    asked: Open, world: World, told: str | None, least_s: float, most_s: float
) -> None:
    row = asked("shutdown")
    if told == "date":
        told = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    world.refuses("shutdown", 429, "rate_limited", **({"Retry-After": told} if told else {}))
    row = world.advance(row)
    assert (row.state, least_s <= _pause_s(world, row) <= most_s) == (State.QUEUED, True)


def test_a_restart_is_looked_for_before_it_is_sent_again_after_a_429(asked: Open, world: World) -> None:
    row = asked("reboot")
    world.refuses("reboot", 429, "rate_limited", **{"Retry-After": "200"})
    world.advance(row)
    world.provider.tasks = [world.task("PROCESSING", "reboot")]
    world.later(201)
    row = world.advance(row)
    assert (row.state, row.task_id, world.writes("reboot")) == (State.RUNNING, "task-1", 1)


def test_a_restart_that_left_no_task_is_sent_again_after_a_429(asked: Open, world: World) -> None:
    row = asked("reboot")
    world.refuses("reboot", 429, "rate_limited")
    world.advance(row)
    world.accepts("reboot")
    world.later(10)
    assert world.advance(row).state == State.RUNNING
    assert (world.writes("reboot"), world.provider.count("GET", "/tasks")) == (2, 1)


def test_a_doubtful_task_after_a_429_is_looked_into_and_nothing_is_sent(asked: Open, world: World) -> None:
    row = asked("reboot")
    world.refuses("reboot", 429, "rate_limited")
    world.advance(row)
    world.provider.tasks = [world.task("COMPLETED", "reboot", task_id=f"task-{n}") for n in (1, 2)]
    world.later(10)
    row = world.advance(row)
    assert (row.state, world.writes("reboot")) == (State.CHECKING, 1)


# --- A definite no


def test_a_machine_that_is_not_ready_is_tried_again_for_five_minutes(asked: Open, world: World) -> None:
    row = asked("shutdown")
    world.refuses("shutdown", 400, "invalid_state")
    row = world.advance(row)
    assert row.state == State.QUEUED
    while row.state == State.QUEUED and world.writes("shutdown") < 40:
        world.later(_pause_s(world, row))
        row = world.advance(row)
    assert row.state == State.FAILED
    assert PACE.not_ready_s < (world.clock() - row.created_at).total_seconds() < PACE.not_ready_s + 50


@pytest.mark.parametrize(
    ("status", "error"), [(400, "bad"), (403, "forbidden"), (404, "not_found"), (409, "busy"), (422, "bad")]
)
def test_a_definite_no_fails_it_at_once_and_tells_why(asked: Open, world: World, status: int, error: str) -> None:
    row = asked("reboot")
    world.answers("reboot", said(status, {"error": error, "message": "not with us"}))
    row = world.advance(row)
    assert (row.state, row.evidence["task_said"], row.sent.get().status) == (State.FAILED, "not with us", status)
    assert Entry.objects.filter(code="instance.reboot.failed", operation_id=row.pk).count() == 1


def test_a_delete_of_what_is_gone_already_is_done(asked: Open, world: World) -> None:
    row = asked("delete")
    Instance.objects.update(missing_since=world.clock())
    world.refuses("delete", 404, "not_found")
    assert world.advance(row).state == State.SUCCEEDED


def test_a_delete_of_a_machine_that_is_listed_is_not_done_because_an_address_says_404(
    asked: Open, world: World
) -> None:
    row = asked("delete")
    world.refuses("delete", 404, "not_found")
    row = world.advance(row)
    assert row.state == State.CHECKING
    row = world.pass_s(2000, row, step_s=45)
    assert (row.state, world.writes("delete")) == (State.NOT_DONE, 3)


def test_a_delete_that_was_told_404_is_done_when_looking_shows_the_same(asked: Open, world: World) -> None:
    row = asked("delete")
    world.refuses("delete", 404, "not_found")
    world.advance(row)
    world.provider.machines = []
    row = world.pass_s(200, row, step_s=20)
    assert (row.state, world.writes("delete")) == (State.SUCCEEDED, 1)


def test_a_rejected_key_stops_all_writes_with_one_notice_and_the_rest_waits_and_expires(
    asked: Open, world: World
) -> None:
    first, second = asked("rename"), asked("shutdown")
    world.refuses("rename", 401, "unauthorized")
    assert world.advance(first).state == State.FAILED
    assert Account.objects.get().key_state == Account.Key.REJECTED
    for _ in range(8):
        second = world.advance(second)
        world.clock.move(30)
    assert (second.state, world.writes("shutdown")) == (State.QUEUED, 0)
    assert "does not accept the stored key" in second.outcome
    world.clock.move(PACE.expire_s)
    assert world.advance(second).state == State.EXPIRED


def test_what_our_own_client_would_not_send_fails_and_gives_its_place_back(asked: Open, world: World) -> None:
    row = asked("rename", name="no spaces allowed")
    row = world.advance(row)
    assert (row.state, row.sent.get().result, world.writes("rename")) == (State.FAILED, "not_sent", 0)
    assert Budget(store(), str(world.account.pk)).snapshot().in_flight == 0


# --- No clear answer


@pytest.mark.parametrize(
    "answer",
    [
        *(httpx.Response(status, json={"error": "oops"}) for status in (500, 502, 503, 504)),
        httpx.Response(200, content=b"<html>welcome</html>"),
        httpx.Response(200, content=b""),
        httpx.Response(200, content=b'{"task_id": "t'),
        httpx.Response(200, content=b"[" * 10_000),
        httpx.Response(200, content=b'{"success": false}'),
        httpx.Response(200, content=b"x" * (3 << 20)),
        httpx.Response(403, content=b"<html>edge</html>"),
        httpx.Response(302, headers={"Location": "https://elsewhere.test"}),
        httpx.ReadError("reset"),
        httpx.RemoteProtocolError("died"),
    ],
    ids=lambda answer: str(answer)[:40],
)
def test_an_answer_that_says_neither_yes_nor_no_is_looked_into(asked: Open, world: World, answer: Any) -> None:
    row = asked("shutdown")
    world.answers("shutdown", answer)
    row = world.advance(row)
    assert (row.state, world.writes("shutdown"), row.sent.get().result) == (State.CHECKING, 1, "unclear")
    assert "<" not in row.outcome
    assert "please do not repeat it" in row.outcome


def test_a_yes_without_a_task_is_looked_into(asked: Open, world: World) -> None:
    row = asked("shutdown")
    world.answers("shutdown", said(200, {"message": "ok"}))
    assert world.advance(row).state == State.CHECKING


# --- Asked again when it is taken up


def test_whose_rights_are_gone_is_denied_and_the_record_says_so(asked: Open, world: World, olga: User) -> None:
    row = asked("reboot")
    Membership.objects.filter(user=olga).update(role=Role.VIEWER)
    row = world.advance(row)
    assert (row.state, world.writes("reboot")) == (State.CANCELLED, 0)
    entry = Entry.objects.get(operation_id=row.pk)
    assert (entry.code, entry.outcome, entry.actor_label) == ("instance.reboot.denied", "denied", olga.email)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda: Instance.objects.update(is_locked=True), "protected"),
        (lambda: Instance.objects.update(gone_at=datetime.now(UTC)), "no longer exists"),
        (lambda: Account.objects.update(is_enabled=False), "disabled"),
    ],
)
def test_what_changed_meanwhile_keeps_it_from_being_sent(asked: Open, world: World, change: Any, words: str) -> None:
    row = asked("delete")
    change()
    row = world.advance(row)
    assert (row.state, world.writes("delete"), words in row.outcome) == (State.CANCELLED, 0, True)


def test_a_protection_in_the_very_last_moment_counts(asked: Open, world: World) -> None:
    row = asked("delete")
    Operation.objects.update(evidence={"is_look_first": True}, attempts=1, sent_at=world.clock(), state=State.QUEUED)
    world.provider.meanwhile = lambda: Instance.objects.update(is_locked=True)  # while it still looks
    row = world.advance(row)
    assert (row.state, world.writes("delete")) == (State.QUEUED, 0)
    assert world.advance(row).state == State.CANCELLED


def test_a_forced_stop_of_a_machine_that_is_read_as_off_is_not_sent(asked: Open, world: World) -> None:
    row = asked("force_off")
    world.sees(power_status="stopped")
    row = world.advance(row)
    assert (row.state, world.writes("force_off")) == (State.CANCELLED, 0)


def test_a_lock_stops_a_delete_only(asked: Open, world: World) -> None:
    row = asked("reboot")
    Instance.objects.update(is_locked=True)
    world.accepts("reboot")
    assert world.advance(row).state == State.RUNNING


# --- Opening


def _open(here: Instance, by: Asker, kind: str, key: str, world: World, **params: Any) -> opening.Opened:
    with transaction.atomic():
        return opening.open_operation(KINDS[kind], here, by=by, client_key=key, now=world.clock(), params=params)


def test_the_same_form_twice_is_one_operation_and_with_other_contents_none(
    here: Instance, olga: User, world: World
) -> None:
    by = Asker(olga.pk, olga.email)
    first = _open(here, by, "rename", "key", world, name="trainer-a")
    again = _open(here, by, "rename", "key", world, name="trainer-a")
    assert (first.is_new, again.is_new, again.row.pk) == (True, False, first.row.pk)
    with pytest.raises(KeyReused):
        _open(here, by, "rename", "key", world, name="trainer-b")


@pytest.mark.parametrize("second", ["shutdown", "delete", "reboot"])
def test_a_machine_has_one_exclusive_operation_at_a_time(
    asked: Open, here: Instance, world: World, second: str
) -> None:
    first = asked("reboot")
    with pytest.raises(Taken) as caught:
        _open(here, Asker(99, "vera@example.org"), second, "other", world)
    assert caught.value.holder == first


def test_the_database_itself_refuses_a_second_exclusive_operation(asked: Open) -> None:
    row = asked("reboot")
    row.pk, row.client_key = "another", "another"
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


def test_a_second_rename_waits_until_the_first_is_over(asked: Open, here: Instance, world: World) -> None:
    first = asked("rename", name="trainer-a")
    with pytest.raises(Taken) as caught:
        _open(here, Asker(99, "vera@example.org"), "rename", "other", world, name="trainer-b")
    assert caught.value.holder == first
    world.answers("rename", said(200, {"new_name": "trainer-a"}))
    world.advance(first)
    assert _open(here, Asker(99, "vera@example.org"), "rename", "third", world, name="trainer-b").is_new


def test_a_name_that_is_promised_is_promised_once_and_free_after_the_end(
    asked: Open, here: Instance, world: World
) -> None:
    first = asked("rename", name="trainer-a")
    other = Instance.objects.create(
        account=world.account, provider_id="vm-b", team_id=here.team_id, name="b",
        started_at=world.clock(), first_seen_at=world.clock(), changed_at=world.clock(),
    )  # fmt: skip
    with pytest.raises(Taken) as caught:
        _open(other, Asker(99, "vera@example.org"), "rename", "other", world, name="trainer-a")
    assert caught.value.holder == first
    world.refuses("rename", 422, "bad")
    world.advance(first)
    assert not NameReservation.objects.filter(is_open=True).exists()


# --- Undo, settle, put aside, retry


def _undo(row: Operation, world: World) -> None:
    with transaction.atomic():
        opening.take_back(row, by="olga", now=world.clock(), words="taken back")


def test_it_can_be_taken_back_in_time_and_then_nothing_is_sent(asked: Open, world: World) -> None:
    row = asked("delete", is_held=True)
    _undo(row, world)
    world.clock.move(60)
    row = world.advance(row)
    assert (row.state, row.outcome, world.writes("delete")) == (State.CANCELLED, "taken back", 0)
    assert Instance.objects.get().attention == Instance.Attention.CALM


def test_it_cannot_be_taken_back_once_it_is_sent(asked: Open, world: World) -> None:
    row = asked("reboot")
    world.answers("reboot", httpx.ReadTimeout("cut"))
    world.advance(row)
    with pytest.raises(TooLate) as caught:
        _undo(row, world)
    assert caught.value.row.state == State.CHECKING


def test_taken_back_while_a_worker_looks_it_is_not_sent(asked: Open, world: World) -> None:
    row = asked("force_off")
    world.provider.meanwhile = lambda: _undo(row, world) if world.now(row).state == State.QUEUED else None
    row = world.advance(row)
    assert (row.state, world.writes("force_off")) == (State.CANCELLED, 0)


def _unclear(asked: Open, world: World) -> Operation:
    row = asked("shutdown", power="unknown")
    world.answers("shutdown", httpx.ReadTimeout("cut"))
    world.sees(power_status=None, ip_address=None)
    row = world.pass_s(1000, world.advance(row), step_s=45)
    assert row.state == State.UNCLEAR
    return row


@pytest.mark.parametrize(("has_happened", "state"), [(True, "succeeded"), (False, "not_done")])
def test_a_person_settles_what_nobody_could_find_out(
    asked: Open, world: World, olga: User, has_happened: bool, state: str
) -> None:
    row = _unclear(asked, world)
    assert Instance.objects.get().attention == Instance.Attention.UNCLEAR
    services.settle(actor=actor_by_id(olga.pk), row=row, has_happened=has_happened, reason="I looked")
    row = world.now(row)
    assert (row.state, row.evidence["found"]) == (state, "I looked")
    assert Instance.objects.get().attention == Instance.Attention.CALM
    with pytest.raises(TooLate):
        services.settle(actor=actor_by_id(olga.pk), row=row, has_happened=True, reason="again")


def test_an_unclear_one_holds_the_machine_and_is_never_sent(asked: Open, world: World) -> None:
    row = _unclear(asked, world)
    with pytest.raises(Taken):
        asked("reboot")
    world.later(3700)
    assert world.advance(row).state == State.UNCLEAR
    assert world.writes("shutdown") == 1


def test_a_seen_failure_is_put_aside_and_can_be_asked_for_again(asked: Open, world: World, olga: User) -> None:
    row = asked("reboot")
    world.refuses("reboot", 409, "busy")
    row = world.advance(row)
    assert Instance.objects.get().attention == Instance.Attention.FAILED
    again = services.retry(actor=actor_by_id(olga.pk), row=row, client_key="again").row
    assert (again.retry_of, again.kind, again.state) == (row.pk, row.kind, State.QUEUED)
    assert (world.now(row).is_put_aside, world.now(row).state) == (True, State.FAILED)


def test_what_is_sealed_in_it_is_wiped_at_its_end(asked: Open, world: World) -> None:
    row = asked("reboot")
    Operation.objects.update(sealed_params=seal('{"password": "one"}'))
    world.refuses("reboot", 400, "bad")
    assert world.advance(row).sealed_params == ""


def test_each_end_stands_on_the_record_once(asked: Open, world: World) -> None:
    row = asked("shutdown")
    world.accepts("shutdown")
    world.advance(row)
    world.provider.tasks = [world.task("COMPLETED")]
    world.sees(power_status="stopped")
    row = world.pass_s(60, row)
    assert list(Entry.objects.filter(operation_id=row.pk).values_list("code", "outcome")) == [
        ("instance.shutdown.succeeded", "ok")
    ]
    assert world.provider.calls[f"POST /instances/{ID}/shutdown"] == 1
