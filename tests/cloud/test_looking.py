"""Open pages never raise the ceiling of provider calls (performance.md 9): the sweeper runs, the clock is moved."""

import time

import pytest

from cloud import loads, refresh, schedule
from cloud.models import Account, Instance, Refresh
from cloud.ports import ports
from cloud.store import store
from panel.live.news import WATCHED
from panel.teams.models import Team
from tests.fixtures import Hands
from tests.support.provider import Provider, machine

MINUTES = 3


def look(topics: list[str]) -> None:
    store().delete(WATCHED)
    if topics:
        store().zadd(WATCHED, dict.fromkeys(topics, time.time() + 3600))


def calls_of(account: Account, provider: Provider, clock: Hands) -> dict[str, int]:
    """Calls in MINUTES of a system that does what is due, second by second."""
    schedule.soon(account.pk, *Refresh.Part, now=clock())
    provider.calls.clear()
    for _second in range(MINUTES * 60):
        clock.move(1)
        for pk in schedule.due(clock()):
            refresh.run(pk, clock)
    stats = sum(count for call, count in provider.calls.items() if call.endswith("/stats"))
    return {"stats": stats, "all": sum(provider.calls.values())}


@pytest.fixture
def many(planned: Account, provider: Provider, clock: Hands, team: Team) -> list[int]:
    provider.machines = [machine(number) for number in range(1000)]
    refresh.run(Refresh.objects.get(part=Refresh.Part.INSTANCES).pk, clock)
    return list(Instance.objects.values_list("pk", flat=True))


def test_open_pages_on_different_machines_share_one_slice(
    planned: Account, provider: Provider, clock: Hands, many: list[int]
) -> None:
    counted = {}
    for pages in (1, 10, 200, 1000):
        look(["fleet", *(f"instance:{pk}" for pk in many[:pages])])
        counted[pages] = calls_of(planned, provider, clock)
    ceiling = MINUTES * 60 * 0.3 + 1
    assert all(figures["stats"] <= ceiling for figures in counted.values()), counted
    assert counted[1]["stats"] >= ceiling / 2
    assert max(figures["all"] for figures in counted.values()) <= counted[1]["all"] * 1.1
    assert max(figures["all"] for figures in counted.values()) <= MINUTES * 60  # half the budget of 2 a second


def test_machines_that_are_looked_at_take_turns(
    planned: Account, provider: Provider, clock: Hands, many: list[int]
) -> None:
    look([f"instance:{pk}" for pk in many[:10]])
    calls_of(planned, provider, clock)
    turns = sorted(count for call, count in provider.calls.items() if call.endswith("/stats"))
    assert len(turns) == 10
    assert turns[-1] - turns[0] <= 1


def test_nobody_looking_costs_no_reading(planned: Account, provider: Provider, clock: Hands, many: list[int]) -> None:
    look([])
    assert calls_of(planned, provider, clock)["stats"] == 0
    assert provider.calls["GET /instances"] <= MINUTES + 1


def test_a_reading_is_kept_for_the_chart_and_told(
    planned: Account, provider: Provider, clock: Hands, many: list[int]
) -> None:
    look([f"instance:{many[0]}"])
    assert list(ports().looked_at()) == [many[0]]
    calls_of(planned, provider, clock)
    kept = loads.kept(many[0])
    assert len(kept) > 10
    assert '"cpu_percent": 25.5' in kept[0]
