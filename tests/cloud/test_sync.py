"""The diff between what the provider said and what the cache knew: what is written, and what is not."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from cloud import shapes, sync
from cloud.models import Account, Instance, Tally
from panel.teams.models import Team
from tests.fixtures import Hands
from tests.support.provider import machine

WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE")


def listing(rows: list[dict[str, Any]]) -> list[shapes.Instance]:
    return list(shapes.InstanceList.parse(rows).items)


def do(account: Account, rows: list[dict[str, Any]], clock: Hands, team: Team) -> sync.Outcome:
    return sync.instances(account, listing(rows), now=clock(), home_team=team.pk, known_until=clock())


def test_first_sync_writes_every_machine_and_counts_them(account: Account, team: Team, clock: Hands) -> None:
    do(account, [machine(1), machine(2, power_status="off")], clock, team)
    first, second = Instance.objects.order_by("provider_id")
    assert (first.name, first.power, first.type_label, first.team_id) == (
        "trainer-000001",
        "running",
        "1× A4000",
        team.pk,
    )
    assert second.rank == Instance.Rank.OFF
    tally = Tally.objects.get()
    assert tally.states == {"60": 1, "85": 1}
    assert tally.cents_per_hour == 40
    assert tally.regions == ["Wilmington"]


def test_an_unchanged_sync_of_10_000_writes_no_row(
    account: Account, team: Team, clock: Hands, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    rows = [machine(number) for number in range(10_000)]
    do(account, rows, clock, team)
    items = listing(rows)
    with CaptureQueriesContext(connection) as queries:
        outcome = sync.instances(account, items, now=clock.move(15), home_team=team.pk, known_until=clock())
    assert not [query["sql"][:80] for query in queries if query["sql"].lstrip().upper().startswith(WRITES)]
    assert outcome.rows_written == 0
    assert len([q for q in queries if q["sql"].startswith("SELECT")]) == 1


def test_one_percent_changed_writes_exactly_these_rows_in_at_most_10_queries(
    account: Account, team: Team, clock: Hands
) -> None:
    rows = [machine(number) for number in range(10_000)]
    do(account, rows, clock, team)
    for row in rows[::100]:
        row["power_status"] = "stopped"
    before = clock.move(15)
    with CaptureQueriesContext(connection) as queries:
        outcome = do(account, rows, clock, team)
    assert outcome.rows_written == 100
    assert Instance.objects.filter(changed_at=before).count() == 100
    data = [query["sql"][:60] for query in queries if "SAVEPOINT" not in query["sql"]]
    assert len(data) <= 10, data
    assert outcome.lists == {team.pk}
    assert len(outcome.changed[team.pk]) == 100


def test_a_change_that_moves_nothing_pushes_the_row_alone(account: Account, team: Team, clock: Hands) -> None:
    do(account, [machine(1)], clock, team)
    outcome = do(account, [machine(1, ip_address="203.0.113.9")], clock, team)
    assert not outcome.lists
    assert list(outcome.changed) == [team.pk]


def test_an_unknown_power_keeps_what_was_known_and_when(account: Account, team: Team, clock: Hands) -> None:
    do(account, [machine(1)], clock, team)
    known = clock()
    clock.move(60)
    sync.instances(account, listing([machine(1, power_status=None)]), now=clock(), home_team=team.pk, known_until=known)
    row = Instance.objects.get()
    assert (row.power, row.last_power, row.last_power_at) == ("unknown", "running", known)
    clock.move(60)
    do(account, [machine(1, power_status="hibernating")], clock, team)
    row.refresh_from_db()
    assert (row.power, row.last_power, row.last_power_at) == ("unknown", "running", known)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"uuid": "vm_xyz/7:8%41?#"},
        {"uuid": 17},
        {"name": "<b>bold</b> \"quoted\" 'single' & {{ x }}"},
        {"name": "n" * 5000, "region": "r" * 5000, "gpu_model": ["RTX A4000", "x" * 999]},
        {"name": "nul\0byte", "ip_address": "<script>alert(1)</script>"},
        {"cpu_cores": -4, "memory": "32", "gpu_count": 10**30, "price_cents_per_hour": 9.5},
        {"created_at": "yesterday", "power_status": 17, "memory": [], "region": {}},
        {"metadata": {"a": [1, {"b": None}]}, "brand_new_field": "kept"},
    ],
)
def test_whatever_the_provider_says_of_a_machine_is_stored(
    account: Account, team: Team, clock: Hands, fields: dict[str, Any]
) -> None:
    do(account, [machine(1, **fields)], clock, team)
    row = Instance.objects.get()
    assert row.provider_id == str(fields.get("uuid", "vm-000001"))
    do(account, [machine(1, **fields)], clock, team)
    assert Instance.objects.count() == 1


def test_nulls_in_every_field_are_stored_as_not_known(account: Account, team: Team, clock: Hands) -> None:
    nothing = dict.fromkeys(machine(1)) | {"uuid": "vm-1"}
    do(account, [nothing], clock, team)
    row = Instance.objects.get()
    assert (row.name, row.power, row.price_cents_per_hour, row.started_at) == ("", "unknown", None, clock())


def test_two_machines_may_share_a_name(account: Account, team: Team, clock: Hands) -> None:
    do(account, [machine(1, name="twin"), machine(2, name="twin")], clock, team)
    assert Instance.objects.filter(name="twin").count() == 2


def test_a_machine_listed_again_is_no_longer_missing_or_gone(account: Account, team: Team, clock: Hands) -> None:
    do(account, [machine(1)], clock, team)
    Instance.objects.update(gone_at=clock(), missing_since=clock(), rank=Instance.Rank.GONE, digest="")
    outcome = do(account, [machine(1)], clock, team)
    row = Instance.objects.get()
    assert (row.gone_at, row.missing_since, row.rank) == (None, None, Instance.Rank.RUNNING)
    assert outcome.lists == {team.pk}


def test_a_listing_with_unreadable_rows_proves_no_absence(account: Account, team: Team, clock: Hands) -> None:
    do(account, [machine(1), machine(2)], clock, team)
    outcome = sync.instances(
        account, listing([machine(1)]), now=clock(), home_team=team.pk, known_until=None, is_complete=False
    )
    assert not outcome.missing
    assert not Instance.objects.exclude(missing_since=None)
