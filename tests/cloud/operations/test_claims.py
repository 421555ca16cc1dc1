"""One hand at a time: the row count of a conditional update decides, and who read an older fence writes nothing."""

import threading
from collections.abc import Callable
from functools import partial

import httpx
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cloud.models import Instance
from cloud.operations import claims, engine, moves
from cloud.operations.models import Operation
from cloud.operations.opening import Taken
from cloud.operations.states import State
from cloud.timing import timing
from panel.actions import services, table
from panel.people.models import User
from panel.teams.actors import actor_by_id
from tests.cloud.operations.conftest import Open, World, trail

PACE = timing()


def _together(*works: Callable[[], object]) -> list[object]:
    """Run at the same time, each with a connection of its own; what each returned or raised."""
    said: list[object] = [None] * len(works)
    start = threading.Barrier(len(works))

    def run(place: int) -> None:
        start.wait()
        try:
            said[place] = works[place]()
        except Exception as error:  # noqa: BLE001 -- told to the test
            said[place] = error
        connection.close()

    hands = [threading.Thread(target=run, args=(place,)) for place in range(len(works))]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    return said


@pytest.mark.django_db(transaction=True)
def test_of_many_hands_one_gets_it_and_it_is_sent_once(asked: Open, world: World) -> None:
    row = asked("reboot")
    world.accepts("reboot")
    took = _together(*[lambda: engine.advance(row.pk, world.clock)] * 8)
    assert (sorted(map(bool, took)), world.writes("reboot")) == ([False] * 7 + [True], 1)


@pytest.mark.django_db(transaction=True)
def test_who_asks_and_who_ends_at_the_same_time_never_wait_for_each_other(
    asked: Open, world: World, olga: User
) -> None:
    world.refuses("reboot", 409, "busy")
    row = asked("reboot")
    for number in range(12):

        def ask(key: str = f"form-{number}") -> Operation:
            action, machine = table.ACTIONS["reboot"], Instance.objects.get()
            return services.request(actor=actor_by_id(olga.pk), machine=machine, action=action, client_key=key).row

        ended, *answers = _together(partial(engine.advance, row.pk, world.clock), ask, ask)
        assert ended is True
        assert all(isinstance(answer, Operation | Taken) for answer in answers), answers
        row = next((answer for answer in answers if isinstance(answer, Operation)), None) or asked("reboot")


def test_ten_messages_of_one_operation_send_it_once_and_cost_one_query_each(asked: Open, world: World) -> None:
    row = asked("reboot")
    world.accepts("reboot")
    world.advance(row)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        for _ in range(9):
            assert not engine.advance(row.pk, world.clock)
    assert (world.writes("reboot"), len(queries)) == (1, 9)


def test_a_message_that_is_three_days_late_does_nothing(asked: Open, world: World) -> None:
    row = asked("rename")
    world.answers("rename", httpx.Response(200, json={"new_name": "trainer-new"}))
    ended = world.advance(row)
    world.clock.move(3 * 86400)
    assert not engine.advance(row.pk, world.clock)
    assert world.now(row).fence == ended.fence


def test_who_has_a_lease_is_left_alone(asked: Open, world: World) -> None:
    row = asked("reboot")
    turn = claims.claim(row.pk, world.clock(), PACE)
    assert turn is not None
    world.clock.move(PACE.lease_s - 1)
    assert claims.claim(row.pk, world.clock(), PACE) is None
    assert claims.due(world.clock(), PACE) == []


def test_a_lease_that_ran_out_while_it_was_sent_permits_looking_only(asked: Open, world: World) -> None:
    row = asked("shutdown")
    turn = claims.claim(row.pk, world.clock(), PACE)
    assert turn is not None
    until = turn.row.leased_until
    assert moves.move(turn.row, State.SENDING, now=world.clock(), again_at=until, sent_at=world.clock())
    world.clock.move(PACE.lease_s + 1)
    assert world.advance(row).state == State.CHECKING
    assert world.writes("shutdown") == 0


def test_a_hand_that_slept_through_its_lease_writes_nothing(asked: Open, world: World) -> None:
    row = asked("reboot")
    sleeper = claims.claim(row.pk, world.clock(), PACE)
    assert sleeper is not None
    world.clock.move(PACE.lease_s + 1)
    world.accepts("reboot")
    row = world.advance(row)
    assert not claims.keep(sleeper, world.clock(), tries=99)
    assert not moves.move(sleeper.row, State.SENDING, now=world.clock(), again_at=world.clock())
    assert (world.now(row).state, world.now(row).tries, world.writes("reboot")) == (State.RUNNING, 0, 1)


def test_the_fence_keeps_a_sleeper_out_even_when_the_state_is_the_same_again(asked: Open, world: World) -> None:
    row = asked("shutdown")
    sleeper = claims.claim(row.pk, world.clock(), PACE)
    assert sleeper is not None
    world.clock.move(PACE.lease_s + 1)
    world.refuses("shutdown", 429, "rate_limited", **{"Retry-After": "200"})
    row = world.advance(row)
    assert (row.state, sleeper.row.state) == (State.QUEUED, State.QUEUED)
    assert not moves.move(sleeper.row, State.SENDING, now=world.clock(), again_at=world.clock())
    assert not claims.keep(sleeper, world.clock(), tries=99)
    assert (world.now(row).fence, world.now(row).next_check_at) == (row.fence, row.next_check_at)


def test_a_hand_whose_lease_ran_out_while_it_read_brings_nothing_forward(asked: Open, world: World) -> None:
    row = asked("force_off")
    world.refuses("force_off", 429, "rate_limited", **{"Retry-After": "200"})

    def sleep() -> None:
        world.provider.meanwhile = None
        world.clock.move(PACE.lease_s + 1)
        engine.advance(row.pk, world.clock)  # another hand sends it, and is told to wait

    world.provider.meanwhile = sleep
    row = world.advance(row)
    assert (row.state, world.writes("force_off")) == (State.QUEUED, 1)
    assert row.next_check_at == world.clock.move(200)


def test_an_answer_that_comes_after_the_lease_is_not_saved_as_the_outcome(asked: Open, world: World) -> None:
    row = asked("reboot")

    def slow(_request: httpx.Request) -> httpx.Response:
        world.clock.move(PACE.lease_s + 1)
        engine.advance(row.pk, world.clock)  # another hand finds it left
        raise httpx.ReadError("and then the line is cut")

    world.answers("reboot", slow)
    world.advance(row)
    assert trail(row) == ["queued", "sending", "checking"]
    assert row.sent.get().ended_at == world.clock()  # but that its sender is done is known


def test_with_too_little_of_its_lease_left_it_is_not_sent(asked: Open, world: World) -> None:
    row = asked("force_off")

    def slow() -> None:
        if world.provider.calls["GET /instances"] == 2:  # the fresh read before it leaves
            world.clock.move(PACE.lease_s - PACE.send_margin_s + 1)

    world.provider.meanwhile = slow
    row = world.advance(row)
    assert (row.state, row.leased_until, world.writes("force_off")) == (State.QUEUED, None, 0)
    world.accepts("force_off", "power_off")
    assert world.advance(row).state == State.RUNNING


def test_after_the_clock_went_back_a_lease_and_a_due_time_far_ahead_hold_nobody_up(asked: Open, world: World) -> None:
    row = asked("reboot")
    world.clock.move(86400)
    turn = claims.claim(row.pk, world.clock(), PACE)
    assert turn is not None
    world.clock.move(-86400)
    assert claims.due(world.clock(), PACE) == [row.pk]
    Operation.objects.update(leased_until=None, next_check_at=world.clock.move(86400))
    world.clock.move(-86400)
    assert claims.due(world.clock(), PACE) == [row.pk]
    world.accepts("reboot")
    assert world.advance(row).state == State.RUNNING


def test_what_waits_for_a_person_is_not_ripe_before_its_time(asked: Open, world: World) -> None:
    row = asked("reboot")
    Operation.objects.update(state=State.UNCLEAR, next_check_at=world.clock.move(3600))
    world.clock.move(-3600)
    assert claims.due(world.clock(), PACE) == []
    assert claims.claim(row.pk, world.clock(), PACE) is None


def test_the_longest_due_comes_first(asked: Open, world: World) -> None:
    first, second = asked("reboot"), asked("rename")
    Operation.objects.filter(pk=second.pk).update(next_check_at=world.clock())
    Operation.objects.filter(pk=first.pk).update(next_check_at=world.clock.move(5))
    assert claims.due(world.clock(), PACE) == [second.pk, first.pk]


def test_a_kind_of_another_version_is_left_to_that_one_and_given_up_when_none_comes(asked: Open, world: World) -> None:
    row = asked("reboot")
    Operation.objects.update(kind="levitate")
    row = world.advance(row)
    assert (row.state, row.leased_until) == (State.QUEUED, None)
    world.clock.move(PACE.expire_s + 10)
    assert world.advance(row).state == State.EXPIRED


def test_a_running_one_of_another_version_disturbs_no_reading_and_ends_with_a_person(asked: Open, world: World) -> None:
    row, other = asked("reboot"), asked("rename")
    world.accepts("reboot")
    world.advance(row)
    world.answers("rename", httpx.ReadTimeout("cut"))
    world.advance(other)
    Operation.objects.filter(pk=row.pk).update(kind="levitate", next_check_at=world.clock())
    world.sees(name="trainer-new")
    world.later(5)
    world.read()
    assert world.now(other).state == State.SUCCEEDED
    assert world.advance(row).state == State.RUNNING
    world.clock.move(25 * 3600)
    assert world.advance(row).state == State.UNCLEAR


def test_what_nobody_thought_of_leaves_the_row_free_for_another_turn(asked: Open, world: World) -> None:
    row = asked("reboot")
    type(world.account).objects.update(base_url="not a url")
    row = world.advance(row)
    assert (row.state, row.leased_until) == (State.QUEUED, None)
    assert row.next_check_at is not None
    assert row.next_check_at > world.clock()
