"""The life of an operation: from an intent to an outcome that is true, with one request on the wire."""

import json

import httpx

from cloud.models import Instance
from cloud.operations.models import Attempt
from cloud.operations.states import State
from tests.cloud.operations.conftest import ID, Open, World
from tests.support.provider import said, streamed

SHUTDOWN = f"/instances/{ID}/shutdown"


def test_a_shutdown_is_sent_once_polled_and_seen(asked: Open, world: World) -> None:
    row = asked("shutdown")
    assert row.state == State.QUEUED
    world.accepts("shutdown")
    row = world.advance(row)
    assert (row.state, row.task_id) == (State.RUNNING, "task-1")
    world.clock.move(3)
    world.read("tasks")
    assert world.now(row).state == State.RUNNING
    world.provider.tasks = [world.task("COMPLETED")]
    world.provider.machines[0]["power_status"] = "stopped"
    world.clock.move(3)
    world.read("tasks")
    world.read("instances")
    row = world.now(row)
    assert (row.state, row.next_check_at) == (State.SUCCEEDED, None)
    assert world.provider.count("POST", SHUTDOWN) == 1
    assert [event.after for event in row.events.all()] == ["queued", "sending", "running", "succeeded"]
    assert Instance.objects.get().attention == Instance.Attention.CALM


def test_an_unclear_answer_is_looked_for_and_found_by_its_task(asked: Open, world: World) -> None:
    row = asked("reboot")

    def take(_request: httpx.Request) -> httpx.Response:
        world.provider.tasks = [world.task("PROCESSING", "reboot")]
        raise httpx.ReadTimeout("cut")

    world.provider.answers[f"POST /instances/{ID}/reboot"] = take
    row = world.advance(row)
    assert row.state == State.CHECKING
    world.read("tasks")
    row = world.now(row)
    assert (row.state, row.task_id) == (State.RUNNING, "task-1")
    world.provider.tasks = [world.task("COMPLETED", "reboot")]
    world.clock.move(3)
    world.read("tasks")
    assert world.now(row).state == State.SUCCEEDED
    assert world.provider.count("POST", f"/instances/{ID}/reboot") == 1


def test_a_reboot_that_left_no_trace_did_not_happen_and_is_not_sent_again(asked: Open, world: World) -> None:
    row = asked("reboot")
    world.provider.answers[f"POST /instances/{ID}/reboot"] = httpx.ReadTimeout("cut")
    row = world.advance(row)
    world.provider.answers[f"GET /instances/{ID}/stats"] = httpx.Response(200, json={"uptime_seconds": 90_000})
    row = world.pass_s(300, row)
    assert row.state == State.NOT_DONE
    assert world.provider.count("POST", f"/instances/{ID}/reboot") == 1


def test_a_shutdown_that_left_no_trace_is_sent_twice_at_most(asked: Open, world: World) -> None:
    row = asked("shutdown")
    world.provider.answers[f"POST {SHUTDOWN}"] = httpx.ReadTimeout("cut")
    row = world.advance(row)
    row = world.pass_s(600, row, step_s=20)
    assert row.state == State.NOT_DONE
    assert world.provider.count("POST", SHUTDOWN) == Attempt.objects.count() == 2


def test_a_delete_without_an_answer_needs_two_proofs_of_absence(asked: Open, world: World) -> None:
    row = asked("delete")
    assert row.state == State.HELD
    world.clock.move(11)

    def take(_request: httpx.Request) -> httpx.Response:
        world.provider.machines = []
        raise httpx.ReadTimeout("cut")

    world.provider.answers[f"DELETE /instances/{ID}"] = take
    row = world.advance(row)
    assert row.state == State.CHECKING
    row = world.pass_s(45, row)
    assert row.state == State.CHECKING
    row = world.pass_s(60, row)
    assert row.state == State.SUCCEEDED
    assert world.provider.count("DELETE", f"/instances/{ID}") == 1


def test_a_rename_is_done_with_its_answer(asked: Open, world: World) -> None:
    row = asked("rename", name="trainer-new")
    world.answers("rename", said(200, {"message": "ok", "new_name": "trainer-new"}))
    assert world.advance(row).state == State.SUCCEEDED


def test_looking_that_says_nothing_ends_with_a_person_even_when_readings_are_rare(asked: Open, world: World) -> None:
    """A machine that was started when the request left: its uptime says neither, however long one looks."""
    row = asked("reboot")
    world.provider.answers[f"POST /instances/{ID}/reboot"] = httpx.ReadTimeout("cut")
    row = world.advance(row)
    sent = world.clock()

    def stats(_request: httpx.Request) -> httpx.Response:
        return streamed(200, json.dumps({"uptime_seconds": (world.clock() - sent).total_seconds()}).encode())

    world.provider.answers[f"GET /instances/{ID}/stats"] = stats
    row = world.pass_s(3600, row, step_s=100)
    assert row.state == State.UNCLEAR
    assert (world.clock() - sent).total_seconds() < 1800


def test_a_task_of_the_operation_before_is_nobody_elses_proof(asked: Open, world: World) -> None:
    """The first restart is shown by the uptime at once, its task is listed later; the second never takes effect."""
    first = asked("reboot")
    world.provider.answers[f"POST /instances/{ID}/reboot"] = httpx.ReadTimeout("cut")
    first = world.advance(first)
    task = world.task("COMPLETED", "reboot")
    world.clock.move(30)
    world.provider.answers[f"GET /instances/{ID}/stats"] = httpx.Response(200, json={"uptime_seconds": 20})
    first = world.advance(first)
    assert first.state == State.CHECKING
    world.provider.tasks = [task]
    first = world.pass_s(30, first)
    assert (first.state, first.task_id) == (State.SUCCEEDED, "task-1")
    second = world.advance(asked("reboot"))
    world.read("tasks")
    assert world.now(second).state == State.CHECKING


def test_a_task_list_that_nobody_could_read_for_a_lease_is_waited_for(asked: Open, world: World) -> None:
    """Its reader was killed, the next one comes when the lease is over: only then is the task claimed. (Seed 110.)"""
    row = asked("reboot")
    world.provider.answers[f"POST /instances/{ID}/reboot"] = httpx.ReadTimeout("cut")
    row = world.advance(row)
    task = world.task("COMPLETED", "reboot")
    world.later(30)
    for uptime_s in (20, 95):
        world.provider.answers[f"GET /instances/{ID}/stats"] = httpx.Response(200, json={"uptime_seconds": uptime_s})
        assert world.advance(row).state == State.CHECKING
        world.later(75)
    world.provider.tasks = [task]
    world.read("tasks")
    row = world.now(row)
    assert (row.state, row.task_id) == (State.SUCCEEDED, "task-1")
