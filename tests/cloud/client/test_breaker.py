"""One table of rules, judged by a real server and by one process alone: both must say the same."""

import contextlib
import time

import pytest
from redis import Redis

from cloud.breaker import Breaker, Outcome, Phase
from cloud.budget import Limits
from tests.cloud.client.conftest import FakeTime, Valkey, connect

QUICK = Limits(open_s=0.2, probe_s=0.3, window_s=5.0)


@pytest.fixture(params=["shared", "local"])
def breaker(request: pytest.FixtureRequest, redis: "Redis", account: str) -> Breaker:
    return Breaker(redis if request.param == "shared" else None, account, limits=QUICK)


def fail(breaker: Breaker, times: int, outcome: Outcome = Outcome.NO_CONNECTION) -> None:
    for _ in range(times):
        breaker.record(outcome)


def may(breaker: Breaker, *, write: bool = False) -> bool:
    return breaker.allow(is_write=write).is_allowed


def test_closed_at_first(breaker: Breaker) -> None:
    assert may(breaker, write=True)
    assert breaker.state().phase is Phase.CLOSED


def test_five_connections_in_a_row_open_it(breaker: Breaker) -> None:
    fail(breaker, 4)
    assert may(breaker)
    fail(breaker, 1)
    verdict = breaker.allow(is_write=False)
    assert not verdict.is_allowed
    assert 0 < verdict.retry_in_s <= 0.2
    assert breaker.state().phase is Phase.OPEN


def test_an_answer_in_between_starts_the_row_anew(breaker: Breaker) -> None:
    fail(breaker, 4)
    breaker.record(Outcome.OK)
    fail(breaker, 4)
    breaker.record(Outcome.FAILED)
    fail(breaker, 4)
    assert may(breaker)


def test_half_of_twenty_calls_open_it(breaker: Breaker) -> None:
    fail(breaker, 10, Outcome.OK)
    fail(breaker, 9, Outcome.FAILED)
    assert may(breaker)
    fail(breaker, 1, Outcome.FAILED)
    assert not may(breaker)


def test_less_than_half_does_not(breaker: Breaker) -> None:
    for _ in range(20):
        breaker.record(Outcome.OK)
        breaker.record(Outcome.OK)
        breaker.record(Outcome.FAILED)
    assert may(breaker)


def test_one_probe_which_is_a_read(breaker: Breaker) -> None:
    fail(breaker, 5)
    time.sleep(0.25)
    assert breaker.state().phase is Phase.PROBING
    assert not may(breaker, write=True)
    assert breaker.allow(is_write=False).is_probe
    assert not may(breaker), "one probe, not two"
    breaker.record(Outcome.OK)
    assert may(breaker, write=True)
    fail(breaker, 4)
    assert may(breaker), "what was before is forgotten"


def test_a_failed_probe_opens_it_again(breaker: Breaker) -> None:
    fail(breaker, 5)
    time.sleep(0.25)
    assert may(breaker)
    breaker.record(Outcome.FAILED)
    assert breaker.state().phase is Phase.OPEN
    assert not may(breaker)


def test_a_probe_that_was_not_sent_or_got_lost_frees_its_place(breaker: Breaker) -> None:
    fail(breaker, 5)
    time.sleep(0.25)
    assert may(breaker)
    breaker.abandon()
    assert may(breaker)
    assert not may(breaker)
    time.sleep(0.35)
    assert may(breaker)


def test_reading_the_state_takes_no_probe(breaker: Breaker) -> None:
    fail(breaker, 5)
    time.sleep(0.25)
    breaker.state()
    assert may(breaker)


def test_a_refused_key_stops_writes_only(breaker: Breaker) -> None:
    breaker.key_refused()
    assert may(breaker)
    verdict = breaker.allow(is_write=True)
    assert not verdict.is_allowed
    assert verdict.are_writes_off
    assert breaker.state().are_writes_off
    breaker.key_accepted()
    assert may(breaker, write=True)


def test_closing_does_not_turn_writes_on(breaker: Breaker) -> None:
    breaker.key_refused()
    fail(breaker, 5)
    breaker.record(Outcome.OK)
    assert breaker.state().are_writes_off


def test_all_processes_share_it(redis: "Redis", valkey: Valkey, account: str) -> None:
    with contextlib.closing(connect(valkey.socket)) as other:
        fail(Breaker(redis, account, limits=QUICK), 3)
        fail(Breaker(other, account, limits=QUICK), 2)
        assert not may(Breaker(redis, account, limits=QUICK))
        assert may(Breaker(redis, f"{account}-other", limits=QUICK))


def test_old_calls_leave_the_window(redis: "Redis", account: str, fake_time: FakeTime) -> None:
    shared = Breaker(redis, account, limits=Limits(window_s=0.2))
    local = Breaker(None, account, limits=Limits(), clock=fake_time.clock)
    for breaker in (shared, local):
        fail(breaker, 19, Outcome.FAILED)
    time.sleep(0.25)
    fake_time.now += 31
    for breaker in (shared, local):
        fail(breaker, 1, Outcome.FAILED)
        assert may(breaker)


def test_a_dead_server_is_replaced_by_our_own_judgement(fake_time: FakeTime) -> None:
    nowhere = connect("/nonexistent/v.sock")
    breaker = Breaker(nowhere, "x", clock=fake_time.clock)
    fail(breaker, 5)
    assert not may(breaker)
    fake_time.now += 30
    assert breaker.allow(is_write=False).is_probe
