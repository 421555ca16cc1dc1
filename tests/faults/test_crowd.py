"""Many at once: the same form fifty times, two people on one machine, two hundred operations beside fifty readers."""

import random
import statistics
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.faults.acts import all_well, ask, ended, fresh
from tests.faults.person import Person
from tests.faults.seeds import Stage

pytestmark = pytest.mark.processes


def test_r01_fifty_parallel_forms_of_one_key_are_one_operation(stage: Stage) -> None:
    machine = fresh(stage)[0]
    key = uuid.uuid4().hex
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: stage.person.ask(machine.id, "reboot", key), range(50)))
    assert {(answer.status_code, answer.headers.get("location")) for answer in answers} == {
        (302, f"/instances/{machine.id}/")
    }
    assert ended(stage, key).state == "succeeded"
    cases = all_well(stage, [machine])
    assert (len(cases), len(cases[0].commits)) == (1, 1)


def test_r02_of_two_people_one_is_accepted_and_the_other_is_told_who_and_when(stage: Stage) -> None:
    machine = fresh(stage)[0]
    others = [Person(stage.house.url, *stage.house.owner) for _ in range(2)]
    for other in others:
        other.sign_in()
    took: list[float] = []

    def press(other: Person, kind: str) -> httpx.Response:
        began = time.monotonic()
        answer = other.ask(machine.id, kind, uuid.uuid4().hex, **({"name": machine.name} if kind == "delete" else {}))
        took.append(time.monotonic() - began)
        return answer

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(press, others, ("delete", "shutdown")))
    assert sorted(answer.status_code for answer in answers) == [302, 409]
    words = next(answer.text for answer in answers if answer.status_code == 409)
    assert stage.house.owner[0] in words
    assert "<time" in words
    assert max(took) <= 1.0, took
    assert len(all_well(stage, [machine])) == 1
    for other in others:
        other.close()


def test_f30_two_hundred_operations_beside_fifty_readers(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    machines = fresh(stage, 200)
    stopped = threading.Event()
    times: list[float] = []
    readers = [
        threading.Thread(target=_read, args=(stage, stopped, times, number), daemon=True) for number in range(50)
    ]
    for reader in readers:
        reader.start()
    kinds = [random.Random(1).choice(("reboot", "rename", "shutdown", "power_cycle")) for _ in machines]
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda pair: ask(stage, *pair), zip(machines, kinds, strict=True)))
    states = {ended(stage, key, 120).state for key in keys}
    stopped.set()
    for reader in readers:
        reader.join(30)
    assert states == {"succeeded"}
    all_well(stage, machines)
    for name in ("web", "worker", "sweeper"):
        assert "database is locked" not in (stage.house.files.logs / f"{name}.log").read_text(errors="replace")
    p99 = statistics.quantiles(times, n=100)[98]
    with capsys.disabled():
        print(f" [{len(times)} pages: median {statistics.median(times):.3f} s, p99 {p99:.3f} s]", end="")  # noqa: T201
    assert p99 < 3.0


def _read(stage: Stage, stopped: threading.Event, times: list[float], number: int) -> None:
    """Opens a page about every three seconds."""
    dice = random.Random(number)
    stopped.wait(dice.random() * 3)
    while not stopped.is_set():
        began = time.monotonic()
        stage.person.get(dice.choice(("/", "/instances/", "/activity/"))).raise_for_status()
        times.append(time.monotonic() - began)
        stopped.wait(2 + 2 * dice.random())
