"""Tasks that never end, vanish, are another's, or say what the machine does not show. Numbers as in README.md."""

import time
from dataclasses import dataclass

import pytest

from tests.faults.acts import ask, ended, fresh, reached, row_of
from tests.faults.book import Operation
from tests.faults.door import fault
from tests.faults.house import until
from tests.faults.seeds import Stage

pytestmark = pytest.mark.processes


@dataclass
class Ends:
    """How each strange task ended."""

    pending: Operation
    beside_pending: Operation
    vanished: Operation
    foreign: Operation
    lying: Operation


@pytest.fixture(scope="module")
def ends(shared: Stage) -> Ends:
    """All of them side by side: a task that stays open takes ten scaled minutes."""
    door = shared.door
    stuck, beside, vanishing, strange, liar = fresh(shared, 5)
    door.change("next_task", operation="reboot", stays="PENDING")
    pending = ask(shared, stuck, "reboot")
    reached(shared, pending, "running")
    door.change("next_task", operation="shutdown", status="COMPLETED", effect=False)
    lying = ask(shared, liar, "shutdown")
    reached(shared, lying, "running")
    vanished = ask(shared, vanishing, "force_off")
    door.change("remove_task", task_id=reached(shared, vanished, "running").task_id)
    foreign_task = door.change("add_task", operation="reboot", id=beside.provider_id, status="COMPLETED")["task_id"]
    answer = {"task_id": foreign_task, "status": "PENDING"}
    door.add_faults(fault("status", "before_commit", strange.provider_id, asks="reboot", status=200, body=answer))
    foreign = ask(shared, strange, "reboot")
    other = ask(shared, beside, "rename")
    assert until(lambda: all(_rests(shared, key) for key in (pending, lying, vanished, foreign, other)), 70, 0.1)
    return Ends(*(row_of(shared, key) for key in (pending, other, vanished, foreign, lying)))


def _rests(stage: Stage, key: str) -> bool:
    row = row_of(stage, key)
    return row.is_over or row.state == "unclear"


def test_f21_a_task_that_never_ends_is_unclear_and_others_go_on(ends: Ends) -> None:
    assert ends.pending.state == "unclear"
    assert ends.beside_pending.state == "succeeded"


def test_f22_a_task_that_vanished_is_looked_for_by_the_machine(ends: Ends) -> None:
    """It was forgotten and never ended; the machine runs on, so nobody calls it done."""
    assert ends.vanished.state in {"failed", "not_done", "unclear"}
    assert ends.vanished.outcome


def test_f22_the_task_of_another_machine_proves_nothing(ends: Ends) -> None:
    assert ends.foreign.state == "not_done"


def test_f23_a_task_that_is_done_with_a_machine_that_does_not_show_it(ends: Ends) -> None:
    assert ends.lying.state == "unclear"
    assert "does not show it" in ends.lying.outcome


def test_f23_a_task_that_failed_is_never_called_done(stage: Stage) -> None:
    machine = fresh(stage)[0]
    stage.door.change("next_task", operation="power_cycle", status="FAILED")
    row = ended(stage, ask(stage, machine, "power_cycle"))
    assert row.state == "failed"
    assert time.time() - row.created_at < 20
