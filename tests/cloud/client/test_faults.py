"""F12, F14 to F16, F24 through the whole client: budget, breaker, repeats, and what an answer may not do."""

import contextlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.breaker import Breaker, Phase
from cloud.budget import Budget, Limits
from cloud.client import Client
from cloud.endpoints import Endpoints
from cloud.errors import Busy, CloudError, NoAnswer, NotSent, NotSentReason, Refused, Unclear, UnclearReason
from tests.cloud.client.conftest import BASE, FEWER, KEY, FakeTime, Provider, make_client, plenty

OK = httpx.Response(200, json={"status": "healthy", "uuid": "vm-1", "task_id": "t"})
LISTED = httpx.Response(200, json=[])


class House:
    """The client with the real figures of budget and breaker, on a clock that moves by sleeping only."""

    def __init__(self, provider: Provider, time: FakeTime) -> None:
        limits = Limits(worker_share=1)
        self.time = time
        self.budget = Budget(None, "x", limits=limits, clock=time.clock, sleep=time.sleep)
        self.breaker = Breaker(None, "x", limits=limits, clock=time.clock)
        self.client = Client(
            BASE, KEY, transport=httpx.MockTransport(provider.handle), budget=self.budget, breaker=self.breaker,
            clock=time.clock, sleep=time.sleep, wait_s=10,
        )  # fmt: skip


@pytest.fixture
def house(provider: Provider, fake_time: FakeTime) -> Iterator[House]:
    made = House(provider, fake_time)
    yield made
    made.client.close()


def failing(call: Callable[[], Any]) -> CloudError:
    with pytest.raises(CloudError) as caught:
        call()
    return caught.value


DEEP = b"[" * 10000 + b"]" * 10000


@pytest.mark.parametrize(
    "body", [b'{"task_id": "t', b"", b"<html><script>x</script></html>", b'"text"', b"null", b"7", b"[]", DEEP, b"\xff"]
)
def test_a_good_status_with_garbage(body: bytes, client: Client, provider: Provider) -> None:
    """F16: a write is unclear, a read may be asked again, and the words hold nothing of the garbage."""
    provider.answers(httpx.Response(200, content=body))
    write, read = failing(lambda: client.reboot("vm-1")), failing(lambda: client.get_instance("vm-1"))
    assert type(write) is Unclear
    assert type(read) is NoAnswer
    assert write.reason is UnclearReason.UNREADABLE
    assert "<" not in str(write) + write.detail


def test_an_empty_204_is_a_yes(client: Client, provider: Provider) -> None:
    provider.answers(httpx.Response(204))
    assert client.backups.delete_backup_schedule("vm-1").task_id is None
    assert isinstance(failing(lambda: client.get_instance("vm-1")), NoAnswer)


def test_a_good_status_that_says_no_is_unclear(client: Client, provider: Provider) -> None:
    provider.answers(httpx.Response(200, json={"success": False, "message": "no"}))
    assert type(failing(lambda: client.reboot("vm-1"))) is Unclear


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_an_error_of_theirs_is_unclear_for_a_write_and_never_sent_again(
    status: int, provider: Provider, fake_time: FakeTime
) -> None:
    provider.answers(httpx.Response(status, text="<html>oops</html>"))
    with make_client(provider, fake_time, repeat_reads=True) as client:
        assert type(failing(lambda: client.reboot("vm-1"))) is Unclear
        assert len(provider.requests) == 1
        assert type(failing(lambda: client.get_instance("vm-1"))) is NoAnswer
    assert len(provider.requests) == 1 + 5, "once, and four times again"


def test_reads_repeat_only_if_asked_and_stop_when_answered(provider: Provider, fake_time: FakeTime) -> None:
    provider.answers(httpx.Response(502), OK)
    with make_client(provider, fake_time) as client:
        failing(client.health)
    provider.answers(httpx.Response(502), httpx.ReadError("cut"), OK)
    fake_time.slept.clear()
    with make_client(provider, fake_time, repeat_reads=True) as client:
        assert client.health().status == "healthy"
    assert [round(seconds) for seconds in fake_time.slept if seconds > 0.1] == [1, 2]


def test_a_definite_no_is_not_asked_again(provider: Provider, fake_time: FakeTime) -> None:
    provider.answers(httpx.Response(404, json={"detail": "Not Found"}))
    with make_client(provider, fake_time, repeat_reads=True) as client:
        error = failing(lambda: client.get_instance("vm-1"))
    assert isinstance(error, Refused)
    assert (error.status, len(provider.requests)) == (404, 1)


@pytest.mark.parametrize(
    ("headers", "blocked"),
    [
        ({}, 5),
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "0"}, 0),
        ({"Retry-After": "9999"}, 300),
        ({"Retry-After": "soon"}, 5),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT", "Date": "Wed, 21 Oct 2015 07:27:50 GMT"}, 10),
    ],
)
def test_429_blocks_and_halves(house: House, provider: Provider, headers: dict[str, str], blocked: float) -> None:
    """F14: no call earlier than told, and half the rate from now on."""
    provider.answers(httpx.Response(429, headers=headers), OK)
    assert isinstance(failing(house.client.health), Busy)
    at = house.time.now
    assert house.budget.snapshot().rate == 1.0
    if blocked > 10:
        error = failing(house.client.health)
        assert isinstance(error, NotSent)
        assert error.reason is NotSentReason.BUDGET
        house.time.now = at + blocked
    house.client.health()
    assert house.time.now >= at + blocked
    assert len(provider.requests) == 2


def test_no_budget_is_not_sent(house: House, provider: Provider) -> None:
    house.budget.punish(300)
    error = failing(lambda: house.client.reboot("vm-1"))
    assert isinstance(error, NotSent)
    assert (error.reason, provider.requests) == (NotSentReason.BUDGET, [])


def test_places_in_flight_come_back_whatever_happens(house: House, provider: Provider) -> None:
    provider.answers(httpx.ReadError("x"), httpx.Response(500), httpx.Response(200, content=b"x"), OK)
    for _ in range(3):
        failing(lambda: house.client.reboot("vm-1"))
        assert house.budget.snapshot().in_flight == 0


def test_a_dead_provider_opens_the_breaker_and_a_read_closes_it(house: House, provider: Provider) -> None:
    """F12, F27: not sent each time; after five nothing is even tried for 30 s."""
    provider.answers(httpx.ConnectError("refused"))
    for _ in range(5):
        error = failing(lambda: house.client.reboot("vm-1"))
        assert isinstance(error, NotSent)
    assert house.breaker.state().phase is Phase.OPEN
    error = failing(house.client.health)
    assert isinstance(error, NotSent)
    assert error.reason is NotSentReason.BREAKER
    assert error.retry_in_s is not None
    house.time.now += error.retry_in_s
    assert isinstance(failing(lambda: house.client.reboot("vm-1")), NotSent), "a probe is a read"
    assert len(provider.requests) == 5
    provider.answers(OK)
    house.client.health()
    house.client.reboot("vm-1")
    assert house.breaker.state().phase is Phase.CLOSED


def test_a_probe_without_budget_leaves_its_place(house: House, provider: Provider) -> None:
    provider.answers(httpx.ConnectError("refused"))
    for _ in range(5):
        failing(house.client.health)
    house.time.now += 30
    house.budget.punish(20)
    failing(house.client.health)
    house.time.now += 20
    provider.answers(OK)
    assert house.client.health().status == "healthy"


def test_401_stops_writes_until_a_read_with_the_key_succeeds(house: House, provider: Provider) -> None:
    """F26."""
    provider.answers(httpx.Response(401, json={"error": "unauthorized", "message": "Invalid or missing API key"}))
    error = failing(lambda: house.client.get_instance("vm-1"))
    assert isinstance(error, Refused)
    assert error.is_bad_key
    provider.answers(OK)
    house.client.health()  # answers anybody: proves nothing
    error = failing(lambda: house.client.reboot("vm-1"))
    assert isinstance(error, NotSent)
    assert error.reason is NotSentReason.WRITES_OFF
    house.client.get_instance("vm-1")
    house.client.reboot("vm-1")


@pytest.mark.parametrize(("path", "is_off"), [("list", True), ("one", False)])
def test_403_on_the_list_is_about_the_key(path: str, is_off: bool, house: House, provider: Provider) -> None:
    provider.answers(httpx.Response(403, json={"detail": "Forbidden"}))
    failing(house.client.list_instances if path == "list" else lambda: house.client.get_instance("vm-1"))
    assert house.breaker.state().are_writes_off is is_off


def test_the_providers_clock_is_noted() -> None:
    provider = Provider()
    provider.answers(httpx.Response(200, headers={"Date": "Mon, 15 Jan 2024 10:30:10 GMT"}, json={"status": "ok"}))
    now = datetime(2024, 1, 15, 10, 30, tzinfo=UTC)
    http = httpx.Client(transport=httpx.MockTransport(provider.handle))
    with http, Client(BASE, KEY, http=http, budget=plenty(), now=lambda: now) as client:
        assert client.clock_offset_s is None
        client.health()
        assert client.clock_offset_s == 10
        assert not http.is_closed


def test_an_override_is_followed(provider: Provider) -> None:
    provider.answers(OK)
    table = Endpoints.with_overrides("power_off=POST /instances/{id}/stop")
    transport = httpx.MockTransport(provider.handle)
    with Client(BASE, KEY, transport=transport, endpoints=table, budget=plenty()) as client:
        client.power_off("vm-1")
    assert provider.requests[0].url.path == "/api/v1/instances/vm-1/stop"


def test_what_was_sent_does_not_come_back(client: Client, provider: Provider) -> None:
    echo = {"detail": [{"loc": ["body", "password"], "msg": "hunter2hunter2 is weak", "input": "hunter2hunter2"}]}
    provider.answers(httpx.Response(422, json={**echo, "seen": f"key {KEY}"}))
    error = failing(lambda: client.launch_instance(region="igl", instance_type="w", password="hunter2hunter2"))
    assert isinstance(error, Refused)
    everything = f"{error} {error.fields} {error.detail}"
    assert "hunter2" not in everything
    assert KEY not in everything


CALLS: list[Callable[[Client], Any]] = [
    lambda c: c.reboot("vm-1"),
    lambda c: c.list_instances(),
    lambda c: c.get_instance("vm-1"),
    lambda c: c.list_available(),
    lambda c: c.instance_stats("vm-1"),
    lambda c: c.network.get_firewall("vm-1"),
    lambda c: c.backups.get_backup_schedule("vm-1"),
]


@settings(FEWER)
@given(st.integers(200, 599), st.binary(max_size=60), st.sampled_from(CALLS))
def test_nothing_but_a_cloud_error_comes_out(status: int, body: bytes, call: Callable[[Client], Any]) -> None:
    provider = Provider()
    provider.answers(httpx.Response(status, content=body))
    with make_client(provider, FakeTime()) as client, contextlib.suppress(CloudError):
        call(client)
