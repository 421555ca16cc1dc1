"""Many intents at once: the same rows as one by one, at the provider's pace, and none lost or doubled."""

from collections.abc import Callable
from itertools import pairwise

import httpx
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from cloud import refresh, schedule
from cloud.models import Account, Instance, Refresh
from cloud.operations import batches, claims, engine, opening
from cloud.operations.batches import Batch
from cloud.operations.kinds import KINDS
from cloud.operations.models import Operation, OperationEvent
from cloud.operations.opening import Asker
from cloud.operations.states import State
from cloud.timing import timing
from panel.people.models import User
from tests.cloud.operations.conftest import World
from tests.fixtures import Hands
from tests.support.provider import Provider, machine, said

Open = Callable[..., Batch]


@pytest.fixture
def fleet(planned: Account, provider: Provider, clock: Hands) -> list[Instance]:
    """Forty running machines that were read a moment ago."""
    provider.machines = [machine(number) for number in range(40)]
    refresh.run(Refresh.objects.get(account=planned, part="instances").pk, clock)
    return list(Instance.objects.order_by("pk"))


@pytest.fixture
def ask(fleet: list[Instance], olga: User, clock: Hands, settings: Settings) -> Open:
    settings.CALLS_PER_SECOND = 2

    def write(kind: str = "reboot", machines: list[Instance] = fleet, batch_id: str = "batch") -> Batch:
        by = Asker(olga.pk, olga.email)
        with transaction.atomic():
            held = batches.locked(Instance.objects.filter(pk__in=[row.pk for row in machines]))
            return batches.open_many(KINDS[kind], held, by=by, batch_id=batch_id, now=clock())

    return write


def test_the_rows_are_those_of_one_machine(ask: Open, fleet: list[Instance], olga: User, clock: Hands) -> None:
    by = Asker(olga.pk, olga.email)
    for kind in ("reboot", "force_off"):
        single = opening.open_operation(KINDS[kind], fleet[0], by=by, client_key=f"single-{kind}", now=clock()).row
        (among,) = ask(kind, [fleet[1]], batch_id=kind).opened
        names = [field.attname for field in Operation._meta.concrete_fields]
        its_own = {"id", "client_key", "body_hash", "target_id", "target_label", "provider_id", "precondition"}
        different = [name for name in names if getattr(single, name) != getattr(among, name)]
        assert set(different) - its_own == {"batch_id"}
        signs = Instance.objects.filter(pk__in=(fleet[0].pk, fleet[1].pk))
        assert len(set(signs.values_list("attention", "operation_kind", "operation_state", "operation_at"))) == 1
        events = OperationEvent.objects.filter(operation__in=(single, among))
        assert len(set(events.values_list("fence", "at", "before", "after", "by", "words"))) == 1
        Operation.objects.all().delete()


def test_a_machine_that_somebody_has_is_left_out(ask: Open, fleet: list[Instance]) -> None:
    first = ask("shutdown", fleet[:2], batch_id="first").opened
    batch = ask("reboot", fleet[:4])
    assert [row.target_id for row in batch.opened] == [fleet[2].pk, fleet[3].pk]
    assert batch.taken == {row.target_id: row for row in first}


def test_a_machine_that_is_taken_without_its_lock_is_refused_alone(
    ask: Open, fleet: list[Instance], olga: User, clock: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows say no, not the look before it: here the look saw nothing."""
    rival = ask("shutdown", fleet[:1], batch_id="rival").opened[0]
    monkeypatch.setattr(batches, "holders", lambda _ids: {})
    batch = ask("reboot", fleet[:3])
    assert batch.taken == {fleet[0].pk: rival}
    assert [row.target_id for row in batch.opened] == [fleet[1].pk, fleet[2].pk]
    assert OperationEvent.objects.filter(operation__batch_id="batch").count() == 2
    assert Instance.objects.get(pk=fleet[0].pk).operation_id == rival.pk


def test_an_empty_one_is_nothing(ask: Open) -> None:
    assert ask("reboot", []).opened == []


def test_what_is_not_exclusive_is_refused(ask: Open, fleet: list[Instance]) -> None:
    with pytest.raises(ValueError, match="rename"):
        ask("rename", fleet[:2])


def test_they_become_due_at_the_providers_pace(ask: Open, clock: Hands) -> None:
    ask()
    due = []
    for _second in range(31):
        due.append(len(claims.due(clock(), timing())))
        clock.move(1)
    assert due[:4] == [1, 2, 3, 5]  # four in three seconds: two thirds of two a second
    assert (due[29], due[30]) == (39, 40)


def test_the_undo_time_of_the_last_is_not_shorter(ask: Open, fleet: list[Instance], clock: Hands) -> None:
    ask("force_off")
    ends = [row.next_check_at for row in Operation.objects.order_by("target") if row.next_check_at]
    assert ends == sorted(ends)
    assert len(ends) == 40
    assert min(ends) >= clock()
    shown = list(Instance.objects.order_by("pk").values_list("operation_at", flat=True))
    assert shown == ends


def test_none_is_due_so_late_that_it_seems_forgotten(ask: Open, settings: Settings, clock: Hands) -> None:
    settings.CALLS_PER_SECOND = 0.1
    ask()
    assert claims.due(clock(), timing()) == [Operation.objects.order_by("next_check_at")[0].pk]
    settings.CALLS_PER_SECOND = 0.001
    Operation.objects.all().delete()
    ask(batch_id="slower")
    assert len(claims.due(clock(), timing())) == 1
    settings.UNDO_SECONDS = 600
    Operation.objects.all().delete()
    ask("force_off", batch_id="undone for long")
    assert claims.due(clock(), timing()) == []


def test_waiting_for_its_place_in_the_batch_expires_nothing(
    ask: Open, provider: Provider, clock: Hands, settings: Settings
) -> None:
    settings.CALLS_PER_SECOND = 0.07  # the last one's turn comes after more than ten minutes
    last = ask().opened[-1]
    provider.answers[f"POST /instances/{last.provider_id}/reboot"] = taken(last.provider_id)
    clock.move(batches.LATEST * timing().limit_s)
    engine.advance(last.pk, clock)
    assert Operation.objects.get(pk=last.pk).state == State.RUNNING


def test_forty_restarts_keep_to_the_pace_and_all_are_done(
    ask: Open, world: World, provider: Provider, planned: Account, clock: Hands
) -> None:
    """The real engine and the real client over a played wire: every machine once, two a second."""
    for row in provider.machines:
        provider.answers[f"POST /instances/{row['uuid']}/reboot"] = taken(row["uuid"])
    ask()
    sent = [0]
    for _step in range(33):
        for pk in claims.due(clock(), timing()):
            engine.advance(pk, clock)
        sent.append(provider.count("POST"))
        world.later(1)
    assert max(now - before for before, now in pairwise(sent)) <= 2
    assert sent[-1] == 40
    assert set(Operation.objects.values_list("state", flat=True)) == {State.RUNNING}
    provider.tasks = [done(row.task_id, row.provider_id, clock) for row in Operation.objects.all()]
    schedule.soon(planned.pk, "tasks", now=clock())
    refresh.run(Refresh.objects.get(account=planned, part="tasks").pk, clock)
    assert set(Operation.objects.values_list("state", flat=True)) == {State.SUCCEEDED}
    assert provider.count("POST") == 40


def taken(uuid: str) -> httpx.Response:
    return said(200, {"task_id": f"task-{uuid}", "status": "PENDING"})


def done(task_id: str, uuid: str, clock: Hands) -> dict[str, str]:
    at = clock().strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "task_id": task_id, "status": "COMPLETED", "operation": "reboot", "vm_uuid": uuid, "created_at": at,
        "updated_at": at,
    }  # fmt: skip


def test_taking_back_ends_what_was_not_sent_and_nothing_else(ask: Open, clock: Hands) -> None:
    rows = ask("force_off").opened
    with transaction.atomic():
        ended = batches.take_back("batch", [row.pk for row in rows[:3]], by="olga", now=clock(), words="Taken back.")
        assert batches.take_back("another", [rows[5].pk], by="olga", now=clock(), words="") == []
    assert {row.pk for row in ended} == {row.pk for row in rows[:3]}
    assert Operation.objects.filter(state=State.CANCELLED, next_check_at=None, ended_at=clock()).count() == 3
    assert Operation.objects.filter(state=State.HELD).count() == 37
    with transaction.atomic():
        assert batches.take_back("batch", [rows[0].pk], by="olga", now=clock(), words="Again.") == []
    clock.move(60)
    engine.advance(rows[0].pk, clock)
    assert Operation.objects.get(pk=rows[0].pk).state == State.CANCELLED


def test_the_statements_do_not_grow_with_the_machines(ask: Open, fleet: list[Instance]) -> None:
    counts = []
    for number in (1, 40):
        with CaptureQueriesContext(connection) as queries:
            ask("reboot", fleet[:number], batch_id=f"of-{number}")
        counts.append(len(queries))
        Operation.objects.all().delete()
    assert counts[1] - counts[0] <= (1 if connection.vendor == "sqlite" else 0)
    assert counts[1] <= 12
