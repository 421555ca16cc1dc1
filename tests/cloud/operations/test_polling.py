"""What runs is watched with one list for all, asked for by itself where the list lacks it, and given up in time."""

from itertools import pairwise
from typing import Any

import httpx
import pytest

from cloud.models import Instance
from cloud.operations import claims, engine
from cloud.operations.models import Operation
from cloud.operations.states import State
from cloud.timing import timing
from tests.cloud.operations.conftest import ID, Open, World
from tests.support.provider import machine, said

PACE = timing()


def _running(asked: Open, world: World, kind: str = "shutdown", **how: Any) -> Operation:
    row = asked(kind, **how)
    world.accepts(kind, {"delete": "delete_instance"}.get(kind, kind))
    row = world.advance(row)
    assert row.state == State.RUNNING
    return row


def _many_run(asked: Open, world: World, number: int) -> None:
    """So many reboots of so many machines, whose tasks stand first in the provider's list."""
    world.provider.machines = [machine(place) for place in range(1, number + 1)]
    world.later(5)
    world.read("instances")
    Operation.objects.all().delete()
    row, machines = asked("reboot"), Instance.objects.order_by("provider_id")
    row.state, row.sent_at, row.next_check_at = State.RUNNING, world.clock(), world.clock.move(PACE.limit_s)
    world.clock.move(-PACE.limit_s)
    rows = []
    for place, one in enumerate(machines, start=1):
        fields = {"pk": f"op-{place}", "client_key": f"form-{place}", "target_id": one.pk, "task_id": f"task-{place}"}
        rows.append(Operation(**{**_columns(row), **fields, "provider_id": one.provider_id}))
    Operation.objects.all().delete()
    Operation.objects.bulk_create(rows)
    world.provider.tasks = [
        world.task("PROCESSING", "reboot", task_id=row.task_id, vm_uuid=row.provider_id) for row in rows[:100]
    ]
    for row in rows[100:]:
        task = world.task("PROCESSING", "reboot", task_id=row.task_id, vm_uuid=row.provider_id)
        world.provider.answers[f"GET /tasks/{row.task_id}"] = said(200, task)
    world.provider.calls.clear()


def _columns(row: Operation) -> dict[str, Any]:
    return {column.attname: getattr(row, column.attname) for column in Operation._meta.concrete_fields}


def test_a_hundred_that_run_cost_one_list_a_poll(asked: Open, world: World) -> None:
    _many_run(asked, world, 100)
    world.clock.move(3)
    world.read("tasks")
    assert dict(world.provider.calls) == {"GET /tasks": 1}
    for task in world.provider.tasks:
        task["status"] = "COMPLETED"
    world.clock.move(3)
    world.read("tasks")
    assert dict(world.provider.calls) == {"GET /tasks": 2}
    assert Operation.objects.filter(state=State.SUCCEEDED).count() == 100


def test_what_the_list_lacks_is_asked_for_two_at_a_time_however_many_run(asked: Open, world: World) -> None:
    _many_run(asked, world, 250)
    for _ in range(20):  # a minute
        world.clock.move(3)
        world.read("tasks")
        for pk in claims.due(world.clock(), PACE):
            engine.advance(pk, world.clock)
    assert world.provider.calls.pop("GET /tasks") == 20
    assert set(world.provider.calls.values()) == {1}  # each in its turn, none twice
    assert sum(world.provider.calls.values()) == 2 * 20


def test_while_one_runs_the_list_is_read_every_three_seconds(asked: Open, world: World) -> None:
    _running(asked, world)
    world.read("tasks")
    due_at = world.account.refreshes.get(part="tasks").due_at
    assert (due_at - world.clock()).total_seconds() == PACE.poll_s


def test_a_task_that_the_list_lacks_is_asked_for_by_itself_ever_more_rarely(asked: Open, world: World) -> None:
    row = _running(asked, world)
    world.provider.answers["GET /tasks/task-1"] = said(200, world.task("PROCESSING"))
    world.provider.tasks = []
    asked_at = []
    for _ in range(90):
        world.later(1)
        world.read("tasks")
        before = world.provider.count("GET", "/tasks/task-1")
        world.advance(row)
        if world.provider.count("GET", "/tasks/task-1") > before:
            asked_at.append(world.clock())
    pauses = [(b - a).total_seconds() for a, b in pairwise(asked_at)]
    assert pauses[0] <= 7
    assert all(11 <= pause <= PACE.poll_most_s + 1 for pause in pauses[3:])


def test_a_task_that_never_ends_becomes_unclear_and_others_go_on(asked: Open, world: World) -> None:
    row, other = _running(asked, world), asked("rename")
    world.provider.answers["GET /tasks/task-1"] = said(200, world.task("PROCESSING"))
    world.clock.move(PACE.limit_s - 5)
    world.read("tasks")
    assert world.advance(row).state == State.RUNNING
    world.clock.move(6)
    world.read("tasks")
    assert world.advance(row).state == State.UNCLEAR
    world.answers("rename", said(200, {"new_name": "trainer-new"}))
    Operation.objects.filter(pk=other.pk).update(queued_at=world.clock())
    assert world.advance(other).state == State.SUCCEEDED
    assert Instance.objects.get().attention == Instance.Attention.UNCLEAR


def test_a_task_that_is_listed_and_not_known_by_its_address_goes_round_for_a_while_only(
    asked: Open, world: World
) -> None:
    row = _running(asked, world)
    for _ in range(30):
        world.later(60)
        world.read("tasks")
        row = world.advance(row)
    assert (row.state, world.writes("shutdown")) == (State.UNCLEAR, 1)


def test_while_the_task_list_cannot_be_read_nothing_is_given_up(asked: Open, world: World) -> None:
    row = _running(asked, world)
    world.provider.failure = httpx.Response(503)
    world.clock.move(PACE.limit_s + 60)
    world.read("tasks")
    row = world.advance(row)
    assert row.state == State.RUNNING
    world.provider.failure = None
    world.provider.tasks = [world.task("COMPLETED")]
    world.sees(power_status="stopped")
    world.later(60)
    world.read()
    assert world.now(row).state == State.SUCCEEDED


def test_a_running_one_of_a_disabled_account_is_handed_to_a_person_at_its_limit(asked: Open, world: World) -> None:
    row = _running(asked, world)
    type(world.account).objects.update(is_enabled=False)
    world.clock.move(PACE.limit_s + 1)
    assert world.advance(row).state == State.UNCLEAR


def test_a_task_that_the_provider_does_not_know_any_more_is_looked_for(asked: Open, world: World) -> None:
    row = _running(asked, world)
    world.provider.tasks = []
    world.clock.move(5)
    world.read("tasks")
    world.clock.move(5)
    row = world.advance(row)
    assert row.state == State.CHECKING
    world.sees(power_status="stopped")
    row = world.pass_s(30, row)
    assert (row.state, world.writes("shutdown")) == (State.SUCCEEDED, 1)


def test_its_own_task_is_taken_up_again_when_it_comes_back(asked: Open, world: World) -> None:
    row = _running(asked, world)
    Operation.objects.update(state=State.CHECKING)
    world.later(5)
    world.read("tasks")
    assert (world.now(row).state, world.now(row).task_id) == (State.RUNNING, "task-1")


@pytest.mark.parametrize("fields", [{"vm_uuid": "vm-other"}, {"operation": "delete_instance"}])
def test_a_task_of_another_machine_or_action_never_ends_it(asked: Open, world: World, fields: dict[str, str]) -> None:
    row = _running(asked, world)
    world.provider.tasks = [world.task("COMPLETED", **{"operation": "shutdown"} | fields)]
    world.clock.move(3)
    world.read("tasks")
    assert world.now(row).state == State.CHECKING


@pytest.mark.parametrize("status", ["FAILED", "CANCELLED", "canceled"])
def test_a_failed_task_is_a_failure_with_the_providers_own_words(asked: Open, world: World, status: str) -> None:
    row = _running(asked, world)
    world.provider.tasks = [world.task(status, message="no host")]
    world.clock.move(3)
    world.read("tasks")
    row = world.now(row)
    assert (row.state, row.evidence["task_said"]) == (State.FAILED, "no host")


@pytest.mark.parametrize("status", ["LEVITATING", None])
def test_a_status_that_nobody_knows_ends_nothing(asked: Open, world: World, status: Any) -> None:
    row = _running(asked, world)
    world.provider.tasks = [world.task(status)]
    world.clock.move(3)
    world.read("tasks")
    assert world.now(row).state == State.RUNNING


def test_a_done_task_that_the_machine_never_shows_is_unclear_after_a_minute(asked: Open, world: World) -> None:
    row = _running(asked, world)
    world.provider.tasks = [world.task("COMPLETED")]
    for _ in range(5):
        world.later(10)
        world.read()
    assert world.now(row).state == State.RUNNING
    world.later(20)
    world.read()
    row = world.now(row)
    assert row.state == State.UNCLEAR
    assert "does not show it" in row.outcome


def test_a_list_that_lags_behind_the_task_is_waited_for(asked: Open, world: World) -> None:
    row = _running(asked, world, "delete")
    world.provider.tasks = [world.task("COMPLETED", "delete_instance")]
    for _ in range(3):
        world.later(10)
        world.read()
    world.provider.machines = []
    world.later(10)
    world.read("instances")
    assert world.now(row).state == State.SUCCEEDED


def test_a_done_task_is_believed_where_the_machine_says_nothing(asked: Open, world: World) -> None:
    row = _running(asked, world)
    world.provider.tasks = [world.task("COMPLETED")]
    world.sees(power_status=None, ip_address=None)
    world.later(5)
    world.read()
    world.later(5)
    world.read("instances")
    assert world.now(row).state == State.SUCCEEDED


def test_a_reading_that_began_before_the_task_was_done_says_nothing(asked: Open, world: World) -> None:
    row = _running(asked, world)
    world.provider.tasks = [world.task("COMPLETED")]

    def hear() -> None:
        world.provider.meanwhile = None
        world.clock.move(1)
        world.read("tasks")

    world.provider.meanwhile = hear
    world.read("instances")
    assert "contradicted" not in world.now(row).evidence
    assert world.provider.count("GET", f"/instances/{ID}") == 0
