"""Redis killed, emptied, away, frozen: a message is only a hint. Numbers as in README.md."""

import shutil
import time

import pytest

from tests.faults.acts import all_well, ask, ended, fresh, reached, row_of
from tests.faults.door import fault
from tests.faults.house import until
from tests.faults.person import Person
from tests.faults.seeds import Stage

pytestmark = pytest.mark.processes


def test_f06_twenty_queued_are_not_lost_with_an_empty_store(stage: Stage) -> None:
    machines = fresh(stage, 20)
    with stage.house.frozen(*stage.house.workers()):
        keys = [ask(stage, machine, "rename") for machine in machines]
        with stage.house.away("valkey"):
            shutil.rmtree(stage.house.files.store / "appendonlydir", ignore_errors=True)
    back_at = time.time()
    rows = [ended(stage, key) for key in keys]
    assert {row.state for row in rows} == {"succeeded"}
    assert max(row.sent_at or 0 for row in rows) - back_at < 10
    all_well(stage, machines)


def test_f07_without_the_store_an_intent_is_accepted_and_the_sweeper_carries_it_out(stage: Stage) -> None:
    machines = fresh(stage, 3)
    with stage.house.away("valkey"):
        took = []
        for machine in machines:
            began = time.monotonic()
            key = ask(stage, machine, "reboot")
            took.append(time.monotonic() - began)
        row = ended(stage, key)
        began = time.monotonic()
        somebody = Person(stage.house.url, *stage.house.owner)
        somebody.sign_in()
        took_door = time.monotonic() - began
        somebody.close()
    assert row.state == "succeeded"
    senders = {attempt.sender.rsplit(":", 2)[1] for attempt in stage.book.attempts(row.id)}
    assert senders == {str(stage.house.pid("sweeper"))}
    assert max(took) < 1.5, took
    assert took_door < 3, took_door
    all_well(stage, machines)


def test_f07_a_frozen_store_does_not_hold_people_up_for_long(stage: Stage) -> None:
    """It takes connections and never answers: worse than a dead one."""
    machines = fresh(stage, 1)
    with stage.house.frozen("valkey"):
        began = time.monotonic()
        key = ask(stage, machines[0], "reboot")
        took = time.monotonic() - began
    assert took < 3, took
    assert ended(stage, key).state == "succeeded"
    all_well(stage, machines)


def test_f08_flushed_under_load_nothing_is_done_twice(stage: Stage) -> None:
    machines = fresh(stage, 12)
    rules = [fault("latency", "after_commit", each.provider_id, asks="reboot", seconds=0.4) for each in machines]
    stage.door.add_faults(*rules)
    keys = [ask(stage, machine, "reboot") for machine in machines]
    reached(stage, keys[0], "sending", "running", "succeeded")
    for _ in range(3):
        stage.house.flush_store()
        time.sleep(0.2)
    assert {ended(stage, key).state for key in keys} == {"succeeded"}
    assert [len(case.commits) for case in all_well(stage, machines)] == [1] * 12


def test_f18_messages_that_come_ten_times_and_late_dispatch_once(stage: Stage) -> None:
    machines = fresh(stage, 1)
    with stage.house.frozen(*stage.house.workers()):
        key = ask(stage, machines[0], "reboot")
        _deliver(stage, row_of(stage, key).id, 10)
    row = ended(stage, key)
    _deliver(stage, row.id, 10)
    time.sleep(1)
    assert stage.book.snapshot(row.id) == stage.book.snapshot(row.id)
    assert row_of(stage, key).fence == row.fence
    cases = all_well(stage, machines)
    assert (len(cases[0].attempts), len(cases[0].commits)) == (1, 1)


def _deliver(stage: Stage, operation_id: str, times: int) -> None:
    """The message of an operation, so many times."""
    from celery import Celery  # noqa: PLC0415 -- a program of its own beside the panel's

    with Celery("elsewhere", broker=f"redis+socket://{stage.house.files.socket}", set_as_current=False) as app:
        app.conf.broker_transport_options = {"global_keyprefix": "tidepool:celery:"}
        for _ in range(times):
            app.send_task("cloud.tasks.advance", (operation_id,), ignore_result=True)
    assert until(lambda: True, 1)
