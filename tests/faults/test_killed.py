"""Processes are killed between two steps of an operation. Numbers as in README.md."""

import signal
import threading
import time
import uuid

import pytest

from tests.faults import acts
from tests.faults.acts import all_well, ask, ended, fresh, reached
from tests.faults.book import Machine
from tests.faults.door import fault
from tests.faults.house import until
from tests.faults.seeds import Stage

pytestmark = pytest.mark.processes


def test_f03_web_killed_between_commit_and_knock(stage: Stage) -> None:
    """It runs within ten seconds, and the browser's repeat is answered by the same operation."""
    machines = fresh(stage)
    key = uuid.uuid4().hex
    with stage.house.frozen("valkey"):
        sending = threading.Thread(target=ask, args=(stage, machines[0], "reboot", key))
        sending.start()
        assert until(lambda: stage.book.operation(key), 5, 0.002)
        stage.house.kill("web")
    written_at = time.time()
    row = reached(stage, key, "running", "succeeded")
    assert (row.sent_at or 0) - written_at < 10
    sending.join(30)
    assert ended(stage, key).state == "succeeded"
    cases = all_well(stage, machines)
    assert [len(case.commits) for case in cases] == [1]


def test_f03_web_killed_between_knock_and_reply(stage: Stage) -> None:
    machines = fresh(stage)
    key = uuid.uuid4().hex
    sending = threading.Thread(target=ask, args=(stage, machines[0], "shutdown", key))
    sending.start()
    assert until(lambda: stage.book.operation(key), 5, 0.001)
    stage.house.kill("web")
    sending.join(30)
    first = ended(stage, key)
    ask(stage, machines[0], "shutdown", key)
    assert ended(stage, key).id == first.id
    assert len(all_well(stage, machines)) == 1


def test_f01_worker_killed_with_the_effect_done_and_nothing_said(stage: Stage) -> None:
    """Every kind: the effect stands in the log, the sender is dead, and looking finds out."""
    machines = {kind: fresh(stage, 1, acts.STOPPED if kind == "power_on" else acts.RUNNING)[0] for kind in KINDS}
    stage.door.add_faults(*(fault("hang", "after_commit", m.provider_id, asks=kind) for kind, m in machines.items()))
    keys = {kind: ask(stage, machine, kind) for kind, machine in machines.items()}
    assert until(lambda: any(acts.row_of(stage, key).state == "sending" for key in keys.values()), 10, 0.002)
    time.sleep(0.3)
    struck = [acts.row_of(stage, key).state for key in keys.values()]
    stage.house.kill("worker")
    assert "sending" in struck
    assert {kind: ended(stage, key).state for kind, key in keys.items()} == dict.fromkeys(KINDS, "succeeded")
    assert [len(case.commits) for case in all_well(stage, list(machines.values()))] == [1] * len(KINDS)


KINDS = ("power_on", "shutdown", "reboot", "rename", "delete", "force_off", "power_cycle")


def test_f01_worker_told_to_end_finishes_what_it_sends(stage: Stage) -> None:
    machines = fresh(stage)
    stage.door.add_faults(fault("latency", "after_commit", machines[0].provider_id, asks="reboot", seconds=1.0))
    key = ask(stage, machines[0], "reboot")
    reached(stage, key, "sending")
    stage.house.signal("worker", signal.SIGTERM)
    assert ended(stage, key).state == "succeeded"
    all_well(stage, machines)


def test_f04_sweeper_away_then_another_takes_over(stage: Stage) -> None:
    """Messages go on without it; one that is started beside a dead one's lease sweeps within thirty scaled seconds."""
    with stage.house.away("sweeper"):
        machines = fresh_unread(stage)
        key = ask(stage, machines[0], "rename")
        assert ended(stage, key, 5).state == "succeeded"
        stage.house.tell("more", "sweeper")
        held = ask(stage, machines[0], "power_cycle")  # its undo time ends for the sweeper alone
        assert until(lambda: is_beating(stage, "sweeper2"), 30)  # how long a process takes to start is not its doing
        began = time.time()
        assert ended(stage, held, 30).state == "succeeded"
        took_s = ((acts.row_of(stage, held).sent_at or 0) - began) * stage.house.scale
        assert took_s < 10 + 30 + 20, f"{took_s:.0f} scaled seconds"  # undo time, lease, a round of each
        stage.house.tell("drop", "sweeper2")
    all_well(stage, machines)


def is_beating(stage: Stage, name: str) -> bool:
    """It has said that it lives."""
    return str(stage.house.pid(name)) in {label.rsplit(":", 2)[1] for label in stage.book.processes()}


def fresh_unread(stage: Stage) -> list[Machine]:
    """A machine that the panel knows already: nobody reads while the sweeper is away."""
    rows = stage.book.machines("gone_at IS NULL AND power = 'running' AND attention = 50")
    return rows[:1]


def test_f05_two_sweepers_ask_no_more_than_one(stage: Stage) -> None:
    alone = _calls_in(stage, 4.0)
    stage.house.tell("more", "sweeper")
    try:
        assert until(lambda: stage.house.pid("sweeper2"), 5)
        time.sleep(2)
        together = _calls_in(stage, 4.0)
    finally:
        stage.house.tell("drop", "sweeper2")
    assert together <= alone * 1.3 + 3, (alone, together)


def _calls_in(stage: Stage, seconds: float) -> int:
    before = len(stage.door.watch())
    time.sleep(seconds)
    return len(stage.door.watch()) - before
