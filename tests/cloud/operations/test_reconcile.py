"""What looking proves, kind by kind: the table of reliability.md, 5, and what proves nothing."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from django.db import Error, transaction

from cloud import processes
from cloud.operations import engine, evidence, unsaved
from cloud.operations.models import Attempt, Operation
from cloud.operations.states import State
from cloud.timing import timing
from tests.cloud.operations.conftest import ID, WRITES, Open, World, found
from tests.cloud.operations.playing import Killed
from tests.support.provider import streamed

CUT = httpx.ReadTimeout("cut")
POWER = {"power_on": "stopped", "shutdown": "running", "force_off": "running"}
AFTER = {"power_on": "running", "shutdown": "stopped", "force_off": "stopped"}


@pytest.fixture
def unclear(asked: Open, world: World) -> Any:
    """An operation of a kind whose one request got no answer: it is being looked for."""

    def make(kind: str, error: Exception = CUT, **how: Any) -> Operation:
        if kind in POWER:
            how.setdefault("power", POWER[kind])
            world.sees(power_status=how["power"] if how["power"] != "unknown" else None)
        row = asked(kind, **how)
        if kind not in WRITES or WRITES[kind] not in world.provider.answers:
            world.answers(kind, error)
        row = world.advance(row)
        assert row.state == State.CHECKING
        return row

    return make


# --- It happened


@pytest.mark.parametrize("kind", sorted(POWER))
def test_two_readings_of_the_power_prove_it(unclear: Any, world: World, kind: str) -> None:
    row = unclear(kind)
    world.sees(power_status=AFTER[kind])
    world.later(5)
    world.read("instances")
    assert world.now(row).state == State.CHECKING
    world.later(5)
    world.read("instances")
    assert world.now(row).state == State.CHECKING  # its task may be listed by now: it must not be left to another
    world.read("tasks")
    assert world.now(row).state == State.SUCCEEDED
    assert world.writes(kind) == 1


@pytest.mark.parametrize("kind", ["power_on", "shutdown", "force_off", "reboot", "power_cycle", "delete"])
def test_its_task_in_the_list_proves_it(unclear: Any, world: World, kind: str) -> None:
    name = {"delete": "delete_instance", "force_off": "power_off"}.get(kind, kind)
    row = unclear(kind)
    world.later(20)
    world.provider.tasks = [world.task("PROCESSING", name)]
    world.read("tasks")
    row = world.now(row)
    assert (row.state, row.task_id, world.writes(kind)) == (State.RUNNING, "task-1", 1)


@pytest.mark.parametrize("kind", ["reboot", "power_cycle"])
@pytest.mark.parametrize(
    ("uptime_s", "state"), [(40, "succeeded"), (59, "checking"), (61, "checking"), (90, "checking")]
)
def test_an_uptime_surely_shorter_than_the_time_since_it_left_proves_a_restart(
    unclear: Any, world: World, kind: str, uptime_s: int, state: str
) -> None:
    row = unclear(kind)
    world.later(60)
    world.provider.answers[f"GET /instances/{ID}/stats"] = httpx.Response(200, json={"uptime_seconds": uptime_s})
    row = world.advance(row)
    assert found(row).get("not_done", 0) == (1 if uptime_s == 90 else 0)
    world.read("tasks")
    assert world.now(row).state == state


def test_the_wanted_name_proves_a_rename(unclear: Any, world: World) -> None:
    row = unclear("rename", name="trainer-x")
    world.sees(name="trainer-x")
    world.later(5)
    world.read("instances")
    assert world.now(row).state == State.SUCCEEDED


def test_a_delete_whose_task_is_done_is_proven_by_the_list(unclear: Any, world: World) -> None:
    row = unclear("delete")
    world.provider.tasks = [world.task("COMPLETED", "delete_instance")]
    world.read("tasks")
    world.provider.machines = []
    world.later(5)
    world.read("instances")
    assert world.now(row).state == State.SUCCEEDED


def test_a_delete_is_not_proven_while_the_list_still_has_the_machine(unclear: Any, world: World) -> None:
    row = unclear("delete")
    world.provider.answers[f"GET /instances/{ID}"] = httpx.Response(404, json={"error": "not_found"})
    row = world.pass_s(400, row, step_s=20)
    assert (row.state, world.writes("delete")) == (State.CHECKING, 1)
    row = world.pass_s(400, row, step_s=20)
    assert row.state == State.UNCLEAR


# --- It did not happen: sent again or never


@pytest.mark.parametrize(
    ("kind", "sends"), [("power_on", 2), ("shutdown", 2), ("force_off", 2), ("delete", 3), ("rename", 5)]
)
def test_what_looking_disproved_is_sent_again_so_often_and_no_more(
    unclear: Any, world: World, kind: str, sends: int
) -> None:
    row = world.pass_s(2000, unclear(kind), step_s=45)
    assert row.state == State.NOT_DONE
    assert world.writes(kind) == Attempt.objects.filter(operation=row).count() == sends


@pytest.mark.parametrize("kind", ["reboot", "power_cycle"])
def test_a_restart_is_never_sent_again(unclear: Any, world: World, kind: str) -> None:
    row = unclear(kind)
    world.provider.answers[f"GET /instances/{ID}/stats"] = httpx.Response(200, json={"uptime_seconds": 90_000})
    row = world.pass_s(600, row, step_s=20)
    assert (row.state, world.writes(kind)) == (State.NOT_DONE, 1)


@pytest.mark.parametrize("kind", ["shutdown", "reboot", "delete", "rename"])
def test_nothing_is_disproved_before_the_call_and_its_window_are_over(unclear: Any, world: World, kind: str) -> None:
    row = unclear(kind)
    world.provider.answers[f"GET /instances/{ID}/stats"] = httpx.Response(200, json={"uptime_seconds": 90_000})
    row = world.pass_s(timing().call_s + timing().window_s - 10, row, step_s=15)
    assert (row.state, world.writes(kind)) == (State.CHECKING, 1)


def test_requests_that_never_left_do_not_count_as_sends(unclear: Any, asked: Open, world: World) -> None:
    row = asked("shutdown")
    world.answers("shutdown", httpx.ConnectError("refused"))
    for _ in range(3):
        row = world.advance(row)
        world.later(10)
    world.answers("shutdown", CUT)
    row = world.pass_s(900, row, step_s=20)
    assert row.state == State.NOT_DONE
    assert [attempt.result for attempt in row.sent.all()] == ["not_sent"] * 3 + ["unclear"] * 2


def test_a_forced_stop_is_sent_again_only_to_a_machine_that_is_read_as_running(unclear: Any, world: World) -> None:
    row = unclear("force_off")
    world.sees(power_status="paused")
    row = world.pass_s(400, row, step_s=20)
    assert (row.state, world.writes("force_off")) == (State.QUEUED, 1)
    row = world.pass_s(700, row, step_s=45)
    assert (row.state, world.writes("force_off")) == (State.EXPIRED, 1)


# --- What proves nothing


def _clutter(world: World, number: int, at: datetime) -> list[dict[str, Any]]:
    word = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return [
        world.task("COMPLETED", "create_backup", task_id=f"other-{i}", vm_uuid="vm-b", created_at=word)
        for i in range(number)
    ]


@pytest.mark.parametrize(("number", "age_s", "state"), [(100, 0, "checking"), (99, 0, "queued"), (100, 900, "queued")])
def test_a_task_list_that_may_be_cut_proves_no_absence(
    unclear: Any, world: World, number: int, age_s: int, state: str
) -> None:
    row = unclear("shutdown")
    for _ in range(20):
        world.later(10)
        world.provider.tasks = _clutter(world, number, world.clock() - timedelta(seconds=age_s))
        world.read()
    assert world.now(row).state == state


@pytest.mark.parametrize("head", [{"limit": 20}, {"total": 5000}])
def test_a_list_that_the_provider_itself_cut_shorter_proves_no_absence(unclear: Any, world: World, head: Any) -> None:
    row = unclear("shutdown")
    for _ in range(20):
        world.later(10)
        tasks = _clutter(world, 20, world.clock())
        world.provider.answers["GET /tasks"] = httpx.Response(200, json={"tasks": tasks, **head})
        world.read()
    assert world.now(row).state == State.CHECKING


def test_an_unreadable_row_in_the_task_list_proves_no_absence(unclear: Any, world: World) -> None:
    row = unclear("shutdown")
    world.provider.tasks = [world.task("COMPLETED", "create_backup", vm_uuid="vm-b"), {"status": "PENDING"}]
    for _ in range(20):
        world.later(10)
        world.read()
    assert world.now(row).state == State.CHECKING


def test_after_a_week_no_task_list_proves_an_absence(unclear: Any, world: World) -> None:
    row = unclear("shutdown")
    world.later(8 * 86400)
    world.read()
    world.later(5)
    world.read()
    assert "clean_at" not in found(row)
    assert world.now(row).state != State.QUEUED


@pytest.mark.parametrize(
    "fields",
    [{"operation": "vm.halt"}, {"operation": ""}, {"operation": "shutdown", "vm_uuid": None}, {"created_at": None}],
    ids=["a name we do not know", "no name", "no machine", "no date"],
)
def test_a_strange_task_of_the_time_makes_it_unclear_and_nothing_is_sent_again(
    unclear: Any, world: World, fields: dict[str, Any]
) -> None:
    row = unclear("shutdown")
    world.provider.tasks = [world.task("COMPLETED", **fields)]
    row = world.pass_s(1000, row, step_s=45)
    assert (row.state, world.writes("shutdown")) == (State.UNCLEAR, 1)


def test_two_tasks_that_could_be_it_make_it_unclear(unclear: Any, world: World) -> None:
    row = unclear("reboot")
    world.provider.answers[f"GET /instances/{ID}/stats"] = httpx.Response(200, json={"uptime_seconds": 90_000})
    world.provider.tasks = [world.task("COMPLETED", "reboot", task_id=f"task-{i}") for i in (1, 2)]
    row = world.pass_s(1000, row, step_s=45)
    assert row.state == State.UNCLEAR
    assert "more than one task" in row.outcome


@pytest.mark.parametrize(
    "fields", [{"vm_uuid": "vm-other"}, {"operation": "power_on"}, {"created_at": "2026-11-23T13:00:00Z"}]
)
def test_another_machines_another_actions_and_an_older_task_are_not_taken_for_it(
    unclear: Any, world: World, fields: dict[str, Any]
) -> None:
    row = unclear("shutdown")
    world.provider.tasks = [world.task("COMPLETED", **{"operation": "shutdown"} | fields)]
    world.later(5)
    world.read("tasks")
    assert (world.now(row).state, world.now(row).task_id) == (State.CHECKING, "")


def test_the_task_of_an_earlier_operation_is_not_taken_for_it(unclear: Any, asked: Open, world: World) -> None:
    first = asked("reboot")
    world.accepts("reboot")
    first = world.advance(first)
    world.provider.tasks = [world.task("COMPLETED", "reboot")]
    world.read("tasks")
    assert world.now(first).state == State.SUCCEEDED
    world.later(10)
    world.answers("reboot", CUT)
    second = world.advance(asked("reboot"))
    world.read("tasks")
    assert (world.now(second).state, world.now(second).task_id) == (State.CHECKING, "")


@pytest.mark.parametrize("word", [None, "warming up", 7])
def test_a_power_state_that_says_nothing_is_never_proof(unclear: Any, world: World, word: Any) -> None:
    row = unclear("shutdown")
    world.sees(power_status=word, ip_address=None)
    row = world.pass_s(1000, row, step_s=45)
    assert (row.state, world.writes("shutdown")) == (State.UNCLEAR, 1)


def test_a_state_that_was_so_before_proves_nothing(unclear: Any, world: World) -> None:
    row = unclear("shutdown", power="unknown")
    world.sees(power_status="stopped")
    row = world.pass_s(1000, row, step_s=45)
    assert (row.state, world.writes("shutdown")) == (State.UNCLEAR, 1)


def test_the_list_is_believed_where_the_detail_says_nothing(unclear: Any, world: World) -> None:
    row = unclear("shutdown")
    world.sees(power_status="stopped")
    world.provider.answers[f"GET /instances/{ID}"] = httpx.Response(200, json={"uuid": ID, "power_status": None})
    row = world.pass_s(30, row)
    assert row.state == State.SUCCEEDED


def test_a_list_with_rows_that_nobody_can_read_proves_no_delete(unclear: Any, world: World) -> None:
    row = unclear("delete")
    world.provider.machines = [{"uuid": "vm-b", "name": "other"}, {"name": "without an id"}]
    row = world.pass_s(300, row, step_s=20)
    assert (row.state, world.writes("delete")) == (State.CHECKING, 1)


def test_while_the_provider_says_nothing_nobody_gives_up(unclear: Any, world: World) -> None:
    row = unclear("shutdown")
    world.provider.failure = httpx.Response(503)
    row = world.pass_s(3600, row, step_s=120)
    assert row.state == State.CHECKING
    world.provider.failure = None
    world.sees(power_status="stopped")
    row = world.pass_s(300, row, step_s=20)
    assert row.state == State.SUCCEEDED


def test_of_a_disabled_account_nobody_can_look_and_a_person_is_told(unclear: Any, world: World) -> None:
    row = unclear("shutdown")
    type(world.account).objects.update(is_enabled=False)
    row = world.pass_s(1000, row, step_s=60)
    assert row.state == State.UNCLEAR
    assert "disabled" in row.outcome


# --- Who sent it


def _killed_while_sending(asked: Open, world: World) -> Operation:
    row = asked("shutdown")
    processes.lives("worker", world.clock())

    def kill(_request: httpx.Request) -> httpx.Response:
        raise Killed

    world.answers("shutdown", kill)
    with pytest.raises(Killed):
        world.advance(row)
    world.answers("shutdown", CUT)
    return world.now(row)


def test_a_dead_senders_request_is_not_sent_again_before_its_process_was_silent_for_long(
    asked: Open, world: World
) -> None:
    row = _killed_while_sending(asked, world)
    assert (row.state, row.sent.get().ended_at) == (State.SENDING, None)
    row = world.pass_s(290, row, step_s=10)
    assert (row.state, world.writes("shutdown")) == (State.CHECKING, 1)
    row = world.pass_s(30, row, step_s=10)
    assert world.writes("shutdown") == 2


def test_while_the_senders_process_lives_nothing_is_sent_again_and_nothing_disproved(asked: Open, world: World) -> None:
    row = _killed_while_sending(asked, world)
    for _ in range(40):
        processes.lives("worker", world.clock())
        row = world.pass_s(20, row, step_s=20)
    assert (row.state, world.writes("shutdown")) == (State.UNCLEAR, 1)


def test_an_end_that_the_database_refused_is_saved_with_a_later_heartbeat(asked: Open, world: World) -> None:
    row = asked("shutdown")

    def answer_while_the_database_refuses(_request: httpx.Request) -> httpx.Response:
        transaction.set_rollback(True)
        return streamed(200, b'{"task_id": "task-9"}')

    world.answers("shutdown", answer_while_the_database_refuses)
    with pytest.raises(Error):
        engine.advance(row.pk, world.clock)
    transaction.set_rollback(False)
    assert (world.now(row).state, row.sent.get().ended_at) == (State.SENDING, None)
    unsaved.save()
    unsaved.save()  # and once is enough
    assert (row.sent.get().result, row.sent.get().body) == ("accepted", "task-9")


# --- Clocks


@pytest.mark.parametrize("offset_s", [-600, 600])
def test_the_window_is_read_by_the_providers_clock(unclear: Any, world: World, offset_s: int) -> None:
    row = unclear("reboot")
    told = format_datetime(datetime.now(UTC) + timedelta(seconds=offset_s), usegmt=True)
    at = (world.clock() + timedelta(seconds=offset_s)).strftime("%Y-%m-%dT%H:%M:%SZ")
    task = world.task("PROCESSING", "reboot", created_at=at)
    world.provider.answers["GET /tasks"] = httpx.Response(200, json={"tasks": [task]}, headers={"Date": told})
    world.later(5)
    world.read("tasks")
    assert world.now(row).state == State.RUNNING


def test_evidence_of_a_newer_version_is_read_without_complaint(unclear: Any, world: World) -> None:
    row = unclear("shutdown")
    Operation.objects.filter(pk=row.pk).update(evidence={"done": 1, "something_new": [1]})
    assert evidence.of(world.now(row)).done == 1
