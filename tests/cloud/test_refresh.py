"""The row decides who reads the provider and when; a message is only a hint. And what a failure says of the account."""

import threading
from datetime import timedelta

import httpx
import pytest

from cloud import refresh, schedule, standing
from cloud.models import Account, Instance, Lease, Refresh
from cloud.store import store
from cloud.sweeper import Sweeper
from cloud.timing import Timing
from panel.live.news import CHANNEL
from tests.fixtures import Hands
from tests.support.provider import Provider, machine


def row(account: Account, part: str = "instances") -> Refresh:
    return Refresh.objects.get(account=account, part=part)


def test_a_due_part_is_read_and_due_again_later(planned: Account, provider: Provider, clock: Hands) -> None:
    provider.machines = [machine(1)]
    assert refresh.run(row(planned).pk, clock)
    done = row(planned)
    assert (done.done_at, done.failures, done.leased_until) == (clock(), 0, None)
    assert (done.due_at - clock()).total_seconds() == 60
    assert Instance.objects.count() == 1


def test_ten_messages_for_one_part_read_it_once(planned: Account, provider: Provider, clock: Hands) -> None:
    assert [refresh.run(row(planned).pk, clock) for _ in range(10)].count(True) == 1
    assert provider.count("GET", "/instances") == 1


def test_a_part_in_a_hand_is_left_alone_until_the_lease_is_over(
    planned: Account, provider: Provider, clock: Hands
) -> None:
    Refresh.objects.update(leased_until=clock.move(30))
    clock.move(-20)
    assert not refresh.run(row(planned).pk, clock)
    assert row(planned).pk not in schedule.due(clock())
    clock.move(21)
    assert refresh.run(row(planned).pk, clock)


def test_a_hand_that_was_presumed_dead_cannot_write_its_outcome(
    planned: Account, provider: Provider, clock: Hands
) -> None:
    provider.meanwhile = lambda: Refresh.objects.filter(pk=row(planned).pk).update(fence=99)
    refresh.run(row(planned).pk, clock)
    assert row(planned).done_at is None


def test_a_failure_is_counted_and_tried_again_soon(planned: Account, provider: Provider, clock: Hands) -> None:
    provider.failure = httpx.Response(502, text="<html>bad gateway</html>")
    refresh.run(row(planned).pk, clock)
    failed = row(planned)
    assert (failed.failures, failed.done_at) == (1, None)
    assert (failed.due_at - clock()).total_seconds() == Timing().retry_s
    assert "<" not in failed.failure
    assert failed.failure


def test_silence_is_noted_once_and_ends_with_the_first_answer(
    planned: Account, provider: Provider, clock: Hands
) -> None:
    provider.failure = httpx.ConnectError("refused")
    since = clock()
    for _round in range(2):
        refresh.run(row(planned).pk, clock)
        clock.move(15)
    planned.refresh_from_db()
    assert planned.silent_since == since
    provider.failure = None
    refresh.run(row(planned).pk, clock)
    planned.refresh_from_db()
    assert planned.silent_since is None


def test_a_refusal_is_not_silence(planned: Account, provider: Provider, clock: Hands) -> None:
    provider.failure = httpx.Response(403, json={"error": "forbidden", "message": "no"})
    refresh.run(row(planned).pk, clock)
    planned.refresh_from_db()
    assert planned.silent_since is None
    assert planned.key_state == Account.Key.ACCEPTED


def test_a_rejected_key_is_said_and_an_accepted_one_too(planned: Account, provider: Provider, clock: Hands) -> None:
    provider.failure = httpx.Response(401, json={"error": "unauthorized", "message": "Invalid or missing API key"})
    refresh.run(row(planned).pk, clock)
    planned.refresh_from_db()
    assert planned.key_state == Account.Key.REJECTED
    provider.failure = None
    clock.move(60)
    refresh.run(row(planned).pk, clock)
    planned.refresh_from_db()
    assert planned.key_state == Account.Key.ACCEPTED


def test_an_answer_to_an_old_key_says_nothing_about_the_new_one(
    planned: Account, provider: Provider, clock: Hands
) -> None:
    stale = row(planned).account
    Account.objects.update(key_stored_at=clock.move(1), key_state=Account.Key.UNTESTED)
    standing.answered(stale, Refresh.Part.INSTANCES)
    planned.refresh_from_db()
    assert planned.key_state == Account.Key.UNTESTED


def test_a_disabled_account_is_not_read(planned: Account, provider: Provider, clock: Hands) -> None:
    Account.objects.update(is_enabled=False)
    assert not refresh.run(row(planned).pk, clock)
    assert schedule.due(clock()) == []
    assert not provider.calls


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text=""),
        httpx.Response(200, text='[{"uuid": "vm-1"'),
        httpx.Response(200, json={"surprise": True}),
        httpx.Response(200, json="text"),
        httpx.Response(200, text="[" * 10_000 + "]" * 10_000),
        httpx.Response(429, headers={"Retry-After": "1"}),
        httpx.Response(302, headers={"Location": "http://elsewhere.test/"}),
    ],
)
def test_nonsense_leaves_the_cache_as_it_was(
    planned: Account, provider: Provider, clock: Hands, answer: httpx.Response
) -> None:
    provider.machines = [machine(1)]
    refresh.run(row(planned).pk, clock)
    provider.failure = answer
    clock.move(60)
    refresh.run(row(planned).pk, clock)
    assert Instance.objects.get().missing_since is None
    assert row(planned).failures == 1


def test_two_sweepers_are_one(planned: Account, provider: Provider, clock: Hands) -> None:
    """F05: the second does nothing, and takes over when the first is silent."""
    sweepers = [Sweeper(clock, Timing(), threading.Event()) for _ in range(2)]
    assert sweepers[0].sweep(clock()) == 6
    Lease.objects.update(holder="another process")
    assert sweepers[1].sweep(clock()) == 0
    clock.move(16)
    Refresh.objects.update(due_at=clock())
    assert sweepers[1].sweep(clock()) == 6


def test_a_due_part_is_announced_again_ever_more_rarely(planned: Account, provider: Provider, clock: Hands) -> None:
    """No worker for twenty minutes: the queue gets some messages a part, not hundreds."""
    sweeper = Sweeper(clock, Timing(), threading.Event())
    told = [sweeper.sweep(clock.move(1)) for _second in range(1200)]
    assert told[0] == 6
    assert told[1:5] == [0, 0, 0, 0]
    assert told[5] == 6
    assert 6 * 14 <= sum(told) <= 6 * 22
    refresh.run(row(planned).pk, clock)
    sweeper.sweep(clock.move(1))
    assert row(planned).pk not in schedule.due(clock())
    assert sweeper.sweep(clock.move(61)) >= 1


def test_who_begins_to_look_waits_for_the_pace_of_lookers_not_of_nobody(
    planned: Account, provider: Provider, clock: Hands
) -> None:
    refresh.run(row(planned).pk, clock)
    done = clock()
    assert schedule.soon(planned.pk, "instances", now=clock.move(5), every_s=15) == []
    assert (row(planned).due_at - done).total_seconds() == 15
    Refresh.objects.update(due_at=clock() + timedelta(seconds=40))
    assert schedule.soon(planned.pk, "instances", now=clock.move(11), every_s=15) == [row(planned).pk]
    assert row(planned).due_at == clock()


def test_a_hand_that_was_overtaken_does_not_write_the_cache_either(
    planned: Account, provider: Provider, clock: Hands
) -> None:
    provider.machines = [machine(1)]
    provider.meanwhile = lambda: schedule.anew(planned.pk, "instances", now=clock())
    refresh.run(row(planned).pk, clock)
    assert not Instance.objects.exists()
    provider.meanwhile = None
    assert refresh.run(row(planned).pk, clock)
    assert Instance.objects.count() == 1


def test_a_clock_that_goes_back_a_day_stops_nothing(planned: Account, provider: Provider, clock: Hands) -> None:
    refresh.run(row(planned).pk, clock)
    Refresh.objects.exclude(part="instances").update(leased_until=clock.move(30), due_at=clock())
    clock.move(-86400)
    assert len(schedule.due(clock())) == 6
    assert Lease.take("sweeper", "one", clock.move(86400), 15)
    assert Lease.take("sweeper", "two", clock.move(-86400), 15)


def test_a_key_is_not_sent_to_an_address_that_it_was_not_stored_for(
    planned: Account, provider: Provider, clock: Hands
) -> None:
    Account.objects.update(base_url="https://elsewhere.test/api/v1")
    refresh.run(row(planned).pk, clock)
    assert not provider.calls
    assert "Store it again" in row(planned).failure


def test_what_a_dead_hand_wrote_is_told_by_the_next(planned: Account, provider: Provider, clock: Hands) -> None:
    """A worker killed between its commit and its news: the next reading finds nothing new, and yet pages must hear."""
    heard = store().pubsub()  # type: ignore[no-untyped-call]
    heard.subscribe(CHANNEL)
    for lease, is_told in ((None, False), (clock() - timedelta(seconds=1), True)):
        Refresh.objects.update(due_at=clock(), leased_until=lease)
        assert refresh.run(row(planned).pk, clock)
        said = [message["data"] for message in iter(lambda: heard.get_message(timeout=0.2), None)]
        assert any(b'"all"' in data for data in said if isinstance(data, bytes)) == is_told
    heard.close()
