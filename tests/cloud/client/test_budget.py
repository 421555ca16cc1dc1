"""The budget against a real server: its pace, its lanes, 429, a lost state, and a server that is away."""

import contextlib
import subprocess
import sys
import textwrap
import threading
import time
from typing import Any

import pytest
from redis import Redis

from cloud.budget import Budget, Lane, Limits
from tests.cloud.client.conftest import FakeTime, Valkey, connect

FAST = Limits(rate=20.0, burst=3.0, in_flight=1000)


def seeded(redis: "Redis", account: str, limits: Limits = FAST) -> Budget:
    """A budget in its normal state: at the full rate, with a full bucket."""
    fields: dict[Any, Any] = {
        "tokens": limits.burst,
        "quiet": 1,
        "factor": 1,
        "at": time.time(),
        "blocked": 0,
        "halved": 0,
    }
    redis.hset(f"tidepool:budget:{{{account}}}", mapping=fields)
    return Budget(redis, account, limits=limits)


def taken(budget: Budget, lane: Lane, seconds: float) -> int:
    ends, count = time.monotonic() + seconds, 0
    while budget.acquire(lane, max(0.0, ends - time.monotonic())):
        count += 1
    return count


def test_a_burst_then_the_rate(redis: "Redis", account: str) -> None:
    budget = seeded(redis, account)
    assert [budget.acquire(Lane.PEOPLE, 0) is not None for _ in range(4)] == [True, True, True, False]
    assert 8 <= taken(budget, Lane.PEOPLE, 0.5) <= 11
    assert budget.snapshot().is_shared


def test_background_gets_half(redis: "Redis", account: str) -> None:
    assert 4 <= taken(seeded(redis, account), Lane.BACKGROUND, 0.5) <= 6


def test_background_leaves_half_of_the_places(redis: "Redis", account: str) -> None:
    budget = seeded(redis, account, Limits(rate=1e6, burst=1e6))
    leases = [budget.acquire(Lane.BACKGROUND, 0) for _ in range(2)]
    assert all(leases)
    assert budget.acquire(Lane.BACKGROUND, 0) is None
    assert budget.acquire(Lane.PEOPLE, 0) is not None


def test_at_most_four_are_in_flight_and_a_place_comes_back(redis: "Redis", account: str) -> None:
    budget = seeded(redis, account, Limits(rate=1e6, burst=1e6))
    leases = [budget.acquire(Lane.PEOPLE, 0) for _ in range(4)]
    assert all(leases)
    assert budget.acquire(Lane.PEOPLE, 0.1) is None
    assert budget.snapshot().in_flight == 4
    assert leases[0] is not None
    budget.release(leases[0])
    assert budget.acquire(Lane.PEOPLE, 0) is not None


def test_a_killed_process_gives_its_place_back(redis: "Redis", account: str) -> None:
    budget = seeded(redis, account, Limits(rate=1e6, burst=1e6, in_flight=1, in_flight_ttl_s=0.2))
    assert budget.acquire(Lane.PEOPLE, 0) is not None
    assert budget.acquire(Lane.PEOPLE, 0) is None
    assert budget.acquire(Lane.PEOPLE, 0.5) is not None


def test_waits_as_told_and_never_longer_than_it_may(redis: "Redis", account: str, fake_time: FakeTime) -> None:
    budget = Budget(redis, account, limits=Limits(), clock=fake_time.clock, sleep=fake_time.sleep)
    assert budget.acquire(Lane.PEOPLE, 0.5) is None
    assert fake_time.slept == []  # it was told a second: no use in sleeping half of it
    assert budget.acquire(Lane.PEOPLE, 3) is None
    assert 0 < sum(fake_time.slept) <= 3


def test_429_halves_the_rate_for_everyone_and_it_comes_back(redis: "Redis", account: str) -> None:
    limits = Limits(rate=20, in_flight=1000, recovery_per_min=60.0)  # a share of 1 a second
    budget = seeded(redis, account, limits)
    budget.punish(0)
    other = Budget(redis, account, limits=limits)
    assert 10 <= other.snapshot().rate < 12
    assert other.acquire(Lane.PEOPLE, 0) is not None
    assert other.acquire(Lane.PEOPLE, 0) is None, "the burst is gone too"
    time.sleep(0.3)
    assert 15 < other.snapshot().rate < 18
    time.sleep(0.4)
    assert other.snapshot().rate == 20


def test_several_429_of_one_moment_are_one_and_later_ones_stop_at_the_floor(redis: "Redis", account: str) -> None:
    budget = seeded(redis, account)
    for _ in range(4):
        budget.punish(0)
    assert 10 <= budget.snapshot().rate < 10.1
    unkind = seeded(redis, account, Limits(rate=20, halve_gap_s=0))
    for _ in range(10):
        unkind.punish(0)
    assert 2 <= unkind.snapshot().rate < 2.1


@pytest.mark.parametrize(("told", "blocked"), [(None, 5), (0, 0), (0.3, 0.3), (7, 7), (9999, 300), (-5, 0)])
def test_retry_after_blocks_everyone(redis: "Redis", account: str, told: float | None, blocked: float) -> None:
    seeded(redis, account).punish(told)
    assert Budget(redis, account, limits=FAST).snapshot().blocked_s == pytest.approx(blocked, abs=0.1)


def test_no_call_goes_earlier_than_told(redis: "Redis", account: str) -> None:
    budget = seeded(redis, account)
    budget.punish(0.4)
    started = time.monotonic()
    assert budget.acquire(Lane.PEOPLE, 0.1) is None
    assert budget.acquire(Lane.PEOPLE, 2) is not None
    assert time.monotonic() - started >= 0.4


def test_a_shorter_word_does_not_lift_a_longer_one(redis: "Redis", account: str) -> None:
    budget = seeded(redis, account)
    budget.punish(60)
    budget.punish(0)
    assert budget.snapshot().blocked_s > 59


def test_a_lost_state_starts_low(redis: "Redis", account: str) -> None:
    """F08: after FLUSHALL half the rate and no burst."""
    budget = seeded(redis, account)
    redis.flushall()
    assert budget.acquire(Lane.PEOPLE, 0) is None
    assert budget.snapshot().rate == 10
    assert 3 <= taken(budget, Lane.PEOPLE, 0.5) <= 6


def test_a_low_state_saves_up_no_burst(redis: "Redis", account: str) -> None:
    budget = Budget(redis, account, limits=FAST)
    assert budget.acquire(Lane.PEOPLE, 0) is None
    time.sleep(0.4)
    assert budget.acquire(Lane.PEOPLE, 0) is not None
    assert budget.acquire(Lane.PEOPLE, 0) is None


def test_a_clock_that_was_set_back_blocks_nobody_for_ever(redis: "Redis", account: str) -> None:
    budget = seeded(redis, account)
    budget.acquire(Lane.PEOPLE, 0)
    redis.hset(f"tidepool:budget:{{{account}}}", mapping={"at": time.time() + 86400, "blocked": time.time() + 86400})
    assert budget.snapshot().blocked_s <= 300


def test_threads_share_the_bucket(redis: "Redis", account: str, valkey: Valkey) -> None:
    seeded(redis, account)
    counts: list[int] = []

    def work() -> None:
        with contextlib.closing(connect(valkey.socket)) as own:
            counts.append(taken(Budget(own, account, limits=FAST), Lane.PEOPLE, 1.0))

    threads = [threading.Thread(target=work) for _ in range(6)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - began  # more than a second on a busy machine
    assert 10 <= sum(counts) <= 20 * took + 3


WORKER = textwrap.dedent("""
    import sys, time
    from redis import Redis
    from cloud.budget import Budget, Lane, Limits
    redis = Redis(unix_socket_path=sys.argv[1], socket_timeout=1)
    budget = Budget(redis, sys.argv[2], limits=Limits(rate=20.0, burst=3.0, in_flight=1000))
    ends = time.monotonic() + 1.5
    while budget.acquire(Lane.PEOPLE, max(0.0, ends - time.monotonic())):
        sys.stdout.write(f"{time.time()}\\n")
    redis.close()
""")


def test_processes_share_the_bucket(redis: "Redis", account: str, valkey: Valkey) -> None:
    seeded(redis, account)
    command = [sys.executable, "-c", WORKER, valkey.socket, account]
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    outputs = [worker.communicate(timeout=20)[0] for worker in workers]
    times = sorted(float(line) for output in outputs for line in output.split())
    assert len(times) > 20
    for index, start in enumerate(times):
        within = sum(1 for one in times[index:] if one < start + 1.0)
        assert within <= 20 + 3 + 2, "more than the rate and the burst within a second"


def away(fake_time: FakeTime, limits: Limits | None = None) -> Budget:
    nowhere = connect("/nonexistent/v.sock")
    return Budget(nowhere, "x", limits=limits, clock=fake_time.clock, sleep=fake_time.sleep)


def test_without_redis_each_worker_has_its_share(fake_time: FakeTime) -> None:
    budget = away(fake_time)
    lease = budget.acquire(Lane.PEOPLE, 10)
    assert lease is not None
    assert lease.is_local
    assert sum(fake_time.slept) == pytest.approx(2.0), "a quarter of two a second, and an empty bucket at first"
    assert budget.acquire(Lane.PEOPLE, 10) is None, "one place in flight"
    budget.release(lease)
    assert budget.acquire(Lane.PEOPLE, 10) is not None
    assert budget.snapshot() == budget.snapshot()
    assert budget.snapshot().rate == 0.5


def test_without_redis_background_gets_half_of_the_share(fake_time: FakeTime) -> None:
    budget = away(fake_time)
    for _ in range(3):
        lease = budget.acquire(Lane.BACKGROUND, 10)
        assert lease is not None
        budget.release(lease)
    assert sum(fake_time.slept) == pytest.approx(12.0)


def test_without_redis_429_is_kept_here(fake_time: FakeTime) -> None:
    budget = away(fake_time)
    budget.punish(30)
    assert budget.acquire(Lane.PEOPLE, 20) is None
    assert budget.snapshot().rate == 0.25
    assert budget.acquire(Lane.PEOPLE, 40) is not None
    assert fake_time.now >= 1030


def test_a_server_that_stops_and_comes_back(valkey: Valkey, account: str, fake_time: FakeTime) -> None:
    limits = Limits(rate=1000.0, low=1.0)
    with contextlib.closing(connect(valkey.socket)) as redis:
        budget = Budget(redis, account, limits=limits, clock=fake_time.clock, sleep=fake_time.sleep)
        time.sleep(0.01)
        assert budget.snapshot().is_shared
        valkey.stop()
        try:
            started = time.monotonic()
            lease = budget.acquire(Lane.PEOPLE, 5)
            assert lease is not None
            assert lease.is_local
            budget.release(lease)
            assert time.monotonic() - started < 0.5, "no long wait for a dead server"
        finally:
            valkey.start()
        assert not budget.snapshot().is_shared, "it is remembered as down"
        fake_time.now += limits.store_down_s
        assert budget.snapshot().is_shared


def test_a_full_server_counts_as_away(redis: "Redis", account: str, fake_time: FakeTime) -> None:
    redis.set(f"tidepool:budget:{{{account}}}", "not a hash")
    budget = Budget(redis, account, clock=fake_time.clock, sleep=fake_time.sleep)
    lease = budget.acquire(Lane.PEOPLE, 10)
    assert lease is not None
    assert lease.is_local
