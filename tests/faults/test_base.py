"""The database refuses, is full, is copied in a power cut, is killed. Numbers as in README.md."""

import resource
import shutil
import sqlite3
import threading
import time
import uuid
from pathlib import Path

import httpx
import pytest

from tests.faults.acts import all_well, ask, ended, fresh, reached, row_of, stands_again
from tests.faults.conftest import stage_of
from tests.faults.door import fault
from tests.faults.house import house
from tests.faults.seeds import Stage
from tests.faults.server import Server
from tests.support import demand, postgres

pytestmark = pytest.mark.processes


def test_f10_the_database_refuses_for_a_minute_after_the_effect(stage: Stage) -> None:
    """The worker has the answer and cannot save it; it ends itself; nothing is sent twice."""
    machines = fresh(stage, 3)
    kinds = ("reboot", "shutdown", "delete")
    rules = [
        fault("latency", "after_commit", each.provider_id, asks=kind, seconds=0.5)
        for each, kind in zip(machines, kinds, strict=True)
    ]
    stage.door.add_faults(*rules)
    keys = [ask(stage, machine, kind) for machine, kind in zip(machines, kinds, strict=True)]
    reached(stage, keys[0], "sending")
    with stage.book.writes_held():
        time.sleep(60 / stage.house.scale + 1)
    assert [ended(stage, key, 60).state for key in keys] == ["succeeded"] * 3
    for case in all_well(stage, machines):
        assert (len(case.requests), len(case.commits)) == (1, 1)


def test_f29_a_full_disk_refuses_people_and_sends_nothing(stage: Stage) -> None:
    """No file may grow any more: an intent that cannot be written is refused, one that cannot be marked is not sent."""
    machines = fresh(stage, 2)
    with stage.house.frozen("worker", "sweeper"):
        waiting = ask(stage, machines[0], "reboot")
        pids = [pid for name in ("web", "worker", "sweeper") if (pid := stage.house.pid(name))]
        before = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY)) for pid in pids}
    refused = uuid.uuid4().hex
    answer = stage.person.ask(machines[1].id, "reboot", refused)
    time.sleep(1.0)
    sent = [each for each in stage.door.commits() if each.machine in {row.provider_id for row in machines}]
    assert (answer.status_code >= 500, sent, stage.book.operation(refused)) == (True, [], None)
    assert row_of(stage, waiting).state == "queued"
    for pid, limits in before.items():
        try:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
        except ProcessLookupError:  # it could not say that it lives, and ended itself
            continue
    assert ended(stage, waiting).state == "succeeded"
    assert [len(case.commits) for case in all_well(stage, machines)] == [1]


def test_f09_a_copy_as_after_a_power_cut_holds_every_accepted_intent(stage: Stage, tmp_path: Path) -> None:
    machines = fresh(stage, 10)
    answered: list[str] = []

    def people() -> None:
        answered.extend(ask(stage, machine, "rename") for machine in machines)

    writing = threading.Thread(target=people)
    writing.start()
    time.sleep(0.4)
    promised = list(answered)
    database = stage.house.files.database
    for name in (database.name, f"{database.name}-wal"):  # the shared memory is lost with the power
        shutil.copy(database.with_name(name), tmp_path / name)
    writing.join()
    copy = sqlite3.connect(tmp_path / database.name)
    try:
        assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        kept = {key for (key,) in copy.execute("SELECT client_key FROM operations_operation")}
    finally:
        copy.close()
    assert promised
    assert set(promised) <= kept
    all_well(stage, machines)


def test_f09_postgresql_killed_and_started_again(tmp_path: Path) -> None:
    """What was accepted stands there; who had an answer and could not save it lets others look."""
    if postgres.programs() is None:
        demand.missing("there is no PostgreSQL: install its server's programs.")
    with Server() as server, house(tmp_path, database_url=server.url) as home:
        stage = stage_of(home)
        stands_again(stage)
        machines = fresh(stage, 6)
        rules = [
            fault("latency", "after_commit", each.provider_id, asks="reboot", seconds=0.6) for each in machines[:2]
        ]
        stage.door.add_faults(*rules)
        keys = [ask(stage, machine, "reboot") for machine in machines[:2]]
        reached(stage, keys[0], "sending", "running")
        keys += [ask(stage, machine, "rename") for machine in machines[2:]]
        server.kill()
        with pytest.raises(httpx.HTTPStatusError):
            stage.person.get("/instances/").raise_for_status()
        time.sleep(1)
        server.start()
        assert {ended(stage, key, 60).state for key in keys} == {"succeeded"}
        assert [len(case.commits) for case in all_well(stage, machines)] == [1] * 6
        assert not stage.book.broken_links()
        stage.close()
