"""Launches: a machine is promised, found again by id or by name, and never made twice."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from django.db import IntegrityError

from cloud import shapes
from cloud.models import Account, Instance, Tally
from cloud.operations import launches, opening
from cloud.operations.kinds import KINDS
from cloud.operations.models import Operation
from cloud.operations.opening import Asker, Taken
from cloud.operations.states import State
from cloud.seal import seal
from cloud.timing import timing
from panel.people.models import User
from panel.teams.models import Team
from panel.teams.policy import Role
from tests.cloud.operations.conftest import World, trail
from tests.fixtures import Hands, person
from tests.support.provider import Provider, machine, said, streamed

PATH = "POST /instances/launch-instance"
LOST = httpx.ReadTimeout("cut")
Ask = Callable[..., Operation]


@pytest.fixture
def crew(db: None) -> Team:
    """A team of its own: what is launched for it is nobody else's."""
    return Team.objects.create(name="Crew")


@pytest.fixture
def asked(planned: Account, crew: Team, clock: Hands, provider: Provider, world: World) -> Ask:
    """Writes a launch down, in the name of one of the crew. The provider's machines were read before."""
    world.read("instances")
    lena = person("lena@example.org", crew, Role.LAUNCHER)
    count = iter(range(1000))

    def write(name: str = "trainer-9", key: str = "", **params: Any) -> Operation:
        wanted = launches.machine_to_be(planned, crew.pk, name, clock(), gpu_count=1, gpu_model="RTX A4000")
        asked = {"name": name, "region": "igl", "instance_type": "v1_gpu_1x_a4000", "ssh_key": "ssh-ed25519 AAAA"}
        return opening.open_launch(
            KINDS["launch"],
            wanted,
            by=Asker(lena.pk, lena.email),
            client_key=key or f"key-{next(count)}",
            now=clock(),
            params=asked | params,
            sealed_params=seal(json.dumps({"password": "hush"})) if "username" in params else "",
        ).row

    return write


def takes(world: World, uuid: str = "vm-new", error: Exception | None = None, status: str = "PROCESSING") -> None:
    """The provider takes the next launch and works on it; with `error` its answer is lost."""

    def take(_request: httpx.Request) -> httpx.Response:
        world.provider.tasks = [world.task(status, "create_instance", vm_uuid=uuid)]
        if error:
            raise error
        body = {"task_id": "task-1", "vm_uuid": uuid, "assigned_ip": "203.0.113.9", "status": "PENDING"}
        return streamed(200, json.dumps(body).encode())

    world.provider.answers[PATH] = take


def is_built(world: World, uuid: str = "vm-new", name: str = "trainer-9", made_at: datetime | None = None) -> None:
    for task in world.provider.tasks:
        task["status"] = "COMPLETED"
    made_at = made_at or world.clock()
    world.provider.machines.append(machine(9, uuid=uuid, name=name, created_at=made_at.isoformat()))


def row_of(operation: Operation) -> Instance:
    return Instance.objects.get(operations=operation)


def test_a_launch_stands_in_the_list_from_the_click_to_the_machine(asked: Ask, world: World, crew: Team) -> None:
    row = asked()
    promised = row_of(row)
    assert (promised.is_awaited, promised.team_id, promised.attention) == (True, crew.pk, Instance.Attention.BUSY)
    tally = Tally.objects.get(team_id=crew.pk)
    assert (tally.states, tally.cents_per_hour, tally.unpriced) == ({str(Instance.Rank.AWAITED): 1}, 0, 0)
    takes(world)
    row = world.advance(row)
    assert (row.state, row_of(row).provider_id, row_of(row).ip_address) == (State.RUNNING, "vm-new", "203.0.113.9")
    world.later(30)
    world.read()
    assert row_of(row).missing_since is None  # the provider lists it when it is built, not before
    is_built(world)
    world.read()
    row = world.now(row)
    machine_now = row_of(row)
    assert (row.state, machine_now.pk, machine_now.is_awaited) == (State.SUCCEEDED, promised.pk, False)
    assert (machine_now.team_id, machine_now.attention) == (crew.pk, Instance.Attention.CALM)
    assert Instance.objects.count() == 1


def test_a_new_gpu_machine_prepares_its_driver_and_is_done_by_itself(asked: Ask, world: World) -> None:
    row = asked()
    takes(world)
    world.advance(row)
    is_built(world)
    world.read()
    until = row_of(row).prepares_until
    assert until is not None
    assert (until - world.clock()).total_seconds() == timing().preparing_s
    world.later(timing().preparing_s + 1)
    world.read("instances")
    assert row_of(row).prepares_until is None


def test_an_answer_that_was_lost_is_found_by_the_name_and_never_sent_again(asked: Ask, world: World) -> None:
    row = asked()
    takes(world, error=LOST)
    assert world.advance(row).state == State.CHECKING
    world.pass_s(60, row)
    is_built(world)
    row = world.pass_s(30, row)
    assert (row.state, row.target_id) == (State.SUCCEEDED, row_of(row).pk)
    assert row_of(row).provider_id == "vm-new"
    assert (world.provider.calls[PATH], Instance.objects.count()) == (1, 1)


def test_what_never_came_to_be_is_said_after_three_minutes_of_looking(asked: Ask, world: World) -> None:
    row = asked()
    world.provider.answers[PATH] = LOST
    world.advance(row)
    sent_at = world.clock()
    row = world.pass_s(1200, row, 15)
    assert (row.state, world.provider.calls[PATH]) == (State.NOT_DONE, 1)
    assert (world.clock() - sent_at).total_seconds() >= timing().absence_s
    assert row_of(row).attention == Instance.Attention.FAILED
    opening.put_aside(row)
    assert not Instance.objects.exists()
    assert Operation.objects.get().target_label == "trainer-9"


def test_a_strangers_new_machine_is_not_taken_for_the_launch_that_was_lost(
    asked: Ask, world: World, team: Team
) -> None:
    row = asked()
    world.provider.answers[PATH] = LOST
    world.advance(row)
    world.provider.tasks = [world.task("PROCESSING", "create_instance", vm_uuid="vm-strange")]
    row = world.pass_s(60, row)
    is_built(world, "vm-strange", "somebody-else")
    row = world.pass_s(1200, row, 15)
    assert row.state == State.NOT_DONE
    assert Instance.objects.get(provider_id="vm-strange").team_id == team.pk


def test_while_a_new_machine_is_being_built_nobody_says_that_it_did_not_happen(asked: Ask, world: World) -> None:
    row = asked()
    takes(world, error=LOST)
    world.advance(row)
    assert world.pass_s(900, row, 15).state == State.CHECKING
    is_built(world)
    assert world.pass_s(30, row).state == State.SUCCEEDED


def test_two_new_machines_of_the_name_are_for_a_person(asked: Ask, world: World, crew: Team) -> None:
    row = asked()
    world.provider.answers[PATH] = LOST
    world.advance(row)
    is_built(world, "vm-one")
    is_built(world, "vm-two")
    row = world.pass_s(60, row)
    assert row.state == State.UNCLEAR
    found = Instance.objects.filter(provider_id__in=("vm-one", "vm-two"))
    assert list(found.values_list("team_id", flat=True)) == [crew.pk, crew.pk]  # one of them is theirs


def test_a_machine_that_bore_the_name_before_is_not_the_one(planned: Account, asked: Ask, world: World) -> None:
    world.provider.machines = [machine(1, name="trainer-9")]
    world.read("instances")
    row = asked()
    assert KINDS["launch"].reason_against(row) != ""  # nothing is sent under a name that is in use
    row.sent_at = world.clock()
    listed = [
        shapes.Instance.read(machine(1, uuid=uuid, name="trainer-9", created_at=None)) for uuid in ("vm-000001", "vm-x")
    ]
    assert launches.namesakes(row, listed, None).candidates == ["vm-x"]


def test_a_machine_that_the_provider_dates_before_the_request_is_nobodys_proof(
    asked: Ask, world: World, team: Team
) -> None:
    row = asked()
    world.provider.answers[PATH] = LOST
    world.advance(row)
    is_built(world, "vm-elder", made_at=world.clock() - timedelta(seconds=130))
    row = world.pass_s(2400, row, 15)
    assert row.state == State.UNCLEAR  # neither done by it nor said not to have happened beside it
    assert "made before we asked" in row.outcome
    assert row_of(row).is_awaited


def test_what_is_not_sent_yet_has_no_machine(asked: Ask, world: World) -> None:
    row = asked()
    world.provider.answers[PATH] = said(429, {"error": "slow down"}, **{"Retry-After": "30"})
    assert world.advance(row).state == State.QUEUED
    is_built(world, "vm-strange")
    world.later(31)
    world.read("instances")
    assert row_of(row).provider_id.startswith(launches.PROMISE)
    assert Instance.objects.filter(provider_id="vm-strange").exists()
    assert world.advance(row).state == State.CANCELLED  # its name is taken


def test_a_definite_no_claims_no_name(asked: Ask, world: World, team: Team) -> None:
    row = asked()
    world.provider.answers[PATH] = said(409, {"error": "no_capacity"})
    row = world.advance(row)
    opening.put_aside(row)
    is_built(world, "vm-later")
    world.read("instances")
    assert Instance.objects.get(provider_id="vm-later").team_id == team.pk


def test_a_launch_that_was_found_by_its_name_claims_it_no_more(asked: Ask, world: World, team: Team) -> None:
    row = asked()
    takes(world, error=LOST)
    world.advance(row)
    is_built(world)
    row = world.pass_s(30, row)
    assert (row.state, row.provider_id) == (State.SUCCEEDED, "vm-new")
    is_built(world, "vm-another")
    world.read("instances")
    assert Instance.objects.get(provider_id="vm-another").team_id == team.pk


def test_a_machine_whose_failed_launch_was_put_aside_comes_to_its_team(asked: Ask, world: World, crew: Team) -> None:
    row = asked()
    takes(world)
    world.advance(row)
    world.provider.tasks[0]["status"] = "FAILED"
    world.later(4)
    world.read()
    opening.put_aside(world.now(row))
    is_built(world)
    world.read("instances")
    assert Instance.objects.get(provider_id="vm-new").team_id == crew.pk


def test_a_machine_that_comes_late_belongs_to_the_team_that_asked_for_it(asked: Ask, world: World, crew: Team) -> None:
    row = asked()
    world.provider.answers[PATH] = LOST
    world.advance(row)
    row = world.pass_s(1200, row, 15)
    opening.put_aside(row)
    is_built(world, "vm-late")
    world.read("instances")
    assert Instance.objects.get(provider_id="vm-late").team_id == crew.pk
    assert world.now(row).state == State.NOT_DONE


def test_no_room_is_a_definite_no(asked: Ask, world: World) -> None:
    row = asked()
    world.provider.answers[PATH] = said(409, {"error": "no_capacity", "message": "No capacity"})
    row = world.advance(row)
    assert (row.state, world.provider.calls[PATH]) == (State.FAILED, 1)
    assert "no room" in row.outcome


def test_a_task_that_failed_leaves_no_machine_behind(asked: Ask, world: World) -> None:
    row = asked()
    takes(world)
    world.advance(row)
    world.provider.tasks[0]["status"] = "FAILED"
    world.later(4)
    world.read()
    row = world.now(row)
    assert row.state == State.FAILED
    opening.put_aside(row)
    assert not Instance.objects.exists()


def test_a_machine_that_is_there_although_its_task_failed_is_kept(asked: Ask, world: World) -> None:
    row = asked()
    takes(world)
    world.advance(row)
    is_built(world)
    world.provider.tasks[0]["status"] = "FAILED"
    world.later(4)
    world.read()
    row = world.now(row)
    opening.put_aside(row)
    assert (row.state, row_of(row).is_awaited) == (State.FAILED, False)


def test_a_name_is_promised_once_and_free_again_when_its_machine_is_deleted(
    asked: Ask, world: World, olga: User
) -> None:
    row = asked()
    with pytest.raises(Taken):
        asked()
    takes(world)
    world.advance(row)
    is_built(world)
    world.read()
    target = row_of(row)
    delete = opening.open_operation(
        KINDS["delete"], target, by=Asker(row.actor_id, "lena"), client_key="d", now=world.clock()
    ).row
    world.provider.answers["DELETE /instances/vm-new"] = said(200, {"task_id": "task-2", "status": "PENDING"})
    world.later(11)
    world.advance(delete)
    world.advance(delete)
    world.provider.machines.clear()
    world.provider.tasks = [world.task("COMPLETED", "delete_instance", task_id="task-2", vm_uuid="vm-new")]
    world.later(4)
    world.read()
    assert world.now(delete).state == State.SUCCEEDED
    target.refresh_from_db()
    assert target.gone_at is not None
    again = asked()
    takes(world, "vm-newer")
    assert world.advance(again).state == State.RUNNING


def test_one_launch_of_an_account_is_sent_at_a_time(asked: Ask, world: World) -> None:
    first, second = asked("one"), asked("two")
    Operation.objects.filter(pk=first.pk).update(state=State.SENDING)
    second = world.advance(second)
    assert (second.state, second.attempts, world.provider.count("POST")) == (State.QUEUED, 0, 0)
    with pytest.raises(IntegrityError):
        Operation.objects.filter(pk=second.pk).update(state=State.SENDING)


def test_while_one_is_being_checked_the_next_is_sent(asked: Ask, world: World) -> None:
    first = asked("one")
    world.provider.answers[PATH] = LOST
    world.advance(first)
    second = asked("two")
    takes(world, "vm-two")
    assert world.advance(second).state == State.RUNNING
    is_built(world, "vm-two", "two")
    assert world.pass_s(1200, first, 15).state == State.NOT_DONE
    assert world.now(second).state == State.SUCCEEDED


def test_a_password_is_sealed_sent_once_and_wiped(asked: Ask, world: World) -> None:
    row = asked(username="anna")
    said_of_it: dict[str, Any] = {}

    def listen(request: httpx.Request) -> httpx.Response:
        said_of_it.update(json.loads(request.content))
        return streamed(409, b'{"error": "no_capacity"}')

    assert "hush" not in json.dumps(Operation.objects.values_list("sealed_params", "params").get())
    world.provider.answers[PATH] = listen
    row = world.advance(row)
    assert (said_of_it["password"], said_of_it["username"], row.sealed_params) == ("hush", "anna", "")


def test_an_answer_that_names_another_machine_gives_nobody_that_machine(
    planned: Account, asked: Ask, world: World, team: Team
) -> None:
    world.provider.machines = [machine(1)]
    world.read("instances")
    row = asked()
    takes(world, "vm-000001")
    row = world.advance(row)
    assert row.provider_id == ""
    assert Instance.objects.get(provider_id="vm-000001").team_id == team.pk
    assert row_of(row).is_awaited


def test_a_launch_that_is_taken_back_leaves_nothing(asked: Ask, world: World) -> None:
    row = asked()
    opening.take_back(row, by="lena", now=world.clock(), words="")
    assert not Instance.objects.exists()
    assert trail(world.now(row)) == ["queued", "cancelled"]
    assert Tally.objects.get(team_id=row.team_id).states == {}
    asked()  # and its name is free


def test_the_same_form_sent_twice_is_one_machine(asked: Ask) -> None:
    first, second = asked(key="same"), asked(key="same")
    assert (first.pk, Instance.objects.count()) == (second.pk, 1)


def test_after_a_busy_answer_a_strangers_task_is_not_taken_for_the_launchs_own(asked: Ask, world: World) -> None:
    row = asked()
    world.provider.answers[PATH] = said(429, {"error": "rate_limited"})
    assert world.advance(row).state == State.QUEUED
    takes(world)
    world.provider.tasks = [world.task("PROCESSING", "create_instance", task_id="theirs", vm_uuid="vm-strange")]
    world.later(10)
    row = world.advance(row)
    assert (row.state, row.task_id) == (State.CHECKING, "")
    is_built(world, "vm-strange", "somebody-else")
    row = world.pass_s(1200, row, 15)
    assert (row.state, row.task_id) == (State.RUNNING, "task-1")  # looked, it had not happened, and was sent


def test_one_that_looks_before_it_is_sent_again_stays_in_line_when_another_was_faster(asked: Ask, world: World) -> None:
    first, second = asked("one"), asked("two")
    world.provider.answers[PATH] = said(429, {"error": "rate_limited"})
    first = world.advance(first)

    def list_tasks(_request: httpx.Request) -> httpx.Response:
        Operation.objects.filter(pk=second.pk).update(state=State.SENDING)
        tasks = [world.task("PROCESSING", "create_instance", task_id="theirs", vm_uuid="vm-strange")]
        return streamed(200, json.dumps({"tasks": tasks, "total": 1}).encode())

    world.provider.answers["GET /tasks"] = list_tasks
    world.later(10)
    first = world.advance(first)
    assert (first.state, first.leased_until, first.task_id) == (State.QUEUED, None, "")


def test_a_creation_that_never_ends_is_for_a_person_after_half_an_hour(asked: Ask, world: World) -> None:
    row = asked()
    takes(world)
    sent = world.clock()
    world.advance(row)
    world.provider.answers["GET /tasks/task-1"] = said(200, world.provider.tasks[0])
    row = world.pass_s(3600, row, step_s=100)
    assert row.state == State.UNCLEAR
    assert 1800 <= (world.clock() - sent).total_seconds() < 2100
    assert row_of(row).is_awaited


def test_a_machine_that_is_listed_while_its_launch_is_being_sent_is_its_own(asked: Ask, world: World) -> None:
    """Its sender is dead, and nobody has noticed yet (seed 116): the listing must not give it a row of its own."""
    row = asked()

    def die(_request: httpx.Request) -> httpx.Response:
        world.provider.tasks = [world.task("COMPLETED", "create_instance", vm_uuid="vm-new")]
        is_built(world)
        world.clock.move(timing().lease_s + 1)
        world.read("instances")
        raise LOST

    world.provider.answers[PATH] = die
    promised = row_of(row)
    row = world.advance(row)
    row = world.pass_s(30, row)
    assert (row.state, row_of(row).pk, Instance.objects.count()) == (State.SUCCEEDED, promised.pk, 1)


def test_while_a_machine_of_its_name_stands_beside_it_nobody_says_that_it_did_not_happen(
    planned: Account, asked: Ask, world: World, crew: Team
) -> None:
    """However that row came to be: it may be the very one."""
    row = asked()
    takes(world, error=LOST)
    row = world.advance(row)
    now = world.clock.move(1)
    Instance.objects.create(
        account=planned, provider_id="vm-new", team_id=crew.pk, name="trainer-9",
        started_at=now, first_seen_at=now, changed_at=now,
    )  # fmt: skip
    is_built(world)
    assert world.pass_s(2400, row, 20).state == State.UNCLEAR
