"""When a machine may be called gone: twice absent, a minute apart, its own address 404; never in masses."""

import pytest

from cloud import refresh, schedule
from cloud.models import Account, Instance, Refresh
from panel.fleet import shown
from tests.fixtures import Hands
from tests.support.provider import Provider, machine


@pytest.fixture
def fleet(planned: Account, provider: Provider, clock: Hands) -> Provider:
    provider.machines = [machine(number) for number in range(10)]
    read(planned, clock)
    return provider


def read(account: Account, clock: Hands) -> None:
    row = Refresh.objects.get(account=account, part=Refresh.Part.INSTANCES)
    schedule.soon(account.pk, row.part, now=clock())
    assert refresh.run(row.pk, clock)


def test_absent_once_is_missing_not_gone(fleet: Provider, planned: Account, clock: Hands) -> None:
    del fleet.machines[0]
    clock.move(15)
    read(planned, clock)
    row = Instance.objects.get(provider_id="vm-000000")
    assert row.missing_since == clock()
    assert row.gone_at is None
    assert fleet.count("GET", "/instances/vm-") == 0


def test_a_missing_machine_is_said_to_be_unknown_at_once(fleet: Provider, planned: Account, clock: Hands) -> None:
    del fleet.machines[0]
    clock.move(15)
    read(planned, clock)
    missing, *_rest = Instance.objects.order_by("provider_id")
    state = shown.state_of(missing, {})
    assert (state.look, state.note, state.at) == ("unknown", "running at", clock())


def test_absent_twice_a_minute_apart_and_404_is_gone(fleet: Provider, planned: Account, clock: Hands) -> None:
    del fleet.machines[0]
    for _round in range(3):
        clock.move(31)
        read(planned, clock)
    row = Instance.objects.get(provider_id="vm-000000")
    assert row.gone_at == clock()
    assert row.rank == Instance.Rank.GONE
    assert fleet.count("GET", "/instances/vm-000000") == 1


def test_absent_from_the_list_but_answering_by_id_stays(fleet: Provider, planned: Account, clock: Hands) -> None:
    hidden = fleet.machines.pop(0)
    everything = fleet._body
    fleet._body = lambda path: hidden if path == "/instances/vm-000000" else everything(path)  # type: ignore[method-assign]
    for _round in range(4):
        clock.move(61)
        read(planned, clock)
    assert Instance.objects.get(provider_id="vm-000000").gone_at is None


def test_a_mass_disappearance_is_held_for_a_person(fleet: Provider, planned: Account, clock: Hands) -> None:
    del fleet.machines[:5]
    for _round in range(3):
        clock.move(61)
        read(planned, clock)
    planned.refresh_from_db()
    assert planned.held_missing == 5
    assert Instance.objects.present().count() == 10
    assert fleet.count("GET", "/instances/vm-") == 0


def test_what_a_person_confirms_is_gone(fleet: Provider, planned: Account, clock: Hands) -> None:
    del fleet.machines[:5]
    clock.move(61)
    read(planned, clock)
    Account.objects.update(missing_confirmed_at=clock.move(1))
    read(planned, clock)
    planned.refresh_from_db()
    assert planned.held_missing == 0
    assert Instance.objects.present().count() == 5


def test_machines_that_come_back_end_the_hold(fleet: Provider, planned: Account, clock: Hands) -> None:
    kept, fleet.machines = fleet.machines, []
    clock.move(15)
    read(planned, clock)
    fleet.machines = kept
    clock.move(15)
    read(planned, clock)
    planned.refresh_from_db()
    assert planned.held_missing == 0
    assert not Instance.objects.exclude(missing_since=None)


def test_a_mass_that_vanishes_in_slices_is_held_too(fleet: Provider, planned: Account, clock: Hands) -> None:
    fleet.machines += [machine(number) for number in range(10, 30)]
    read(planned, clock)
    for _slice in range(10):
        del fleet.machines[:3]
        for _round in range(3):
            clock.move(31)
            read(planned, clock)
    planned.refresh_from_db()
    assert planned.held_missing > 0
    assert Instance.objects.present().count() >= 30 * 0.7


def test_unlisted_machines_that_exist_do_not_keep_others_from_being_proven(
    fleet: Provider, planned: Account, clock: Hands
) -> None:
    fleet.machines += [machine(number) for number in range(10, 40)]
    read(planned, clock)
    hidden = {row["uuid"]: row for row in fleet.machines[:3]}
    del fleet.machines[:4]
    everything = fleet._body
    fleet._body = lambda path: hidden.get(path.removeprefix("/instances/")) or everything(path)  # type: ignore[method-assign]
    for _round in range(30):
        clock.move(61)
        read(planned, clock)
    assert Instance.objects.get(provider_id="vm-000003").gone_at is not None
    assert Instance.objects.filter(provider_id__in=hidden, gone_at=None).count() == 3


def test_what_vanished_after_a_person_looked_is_not_confirmed(fleet: Provider, planned: Account, clock: Hands) -> None:
    del fleet.machines[:5]
    clock.move(61)
    read(planned, clock)
    Account.objects.update(missing_confirmed_at=clock())
    fleet.machines = []
    clock.move(61)
    read(planned, clock)
    assert Instance.objects.present().count() == 5
    planned.refresh_from_db()
    assert planned.held_missing == 5


def test_an_incomplete_list_does_not_end_the_hold(fleet: Provider, planned: Account, clock: Hands) -> None:
    del fleet.machines[:5]
    clock.move(61)
    read(planned, clock)
    fleet.machines.append({"name": "no id"})
    clock.move(61)
    read(planned, clock)
    planned.refresh_from_db()
    assert planned.held_missing == 5
