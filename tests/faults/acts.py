"""What the named tests do with a house: fresh machines, forms, and the same judgement as the seeds'."""

import uuid
from collections.abc import Sequence

from tests.faults import promises
from tests.faults.book import Machine, Operation
from tests.faults.house import until
from tests.faults.judge import Case
from tests.faults.launching import errors
from tests.faults.seeds import Stage, judged, open_of, stands

RUNNING, STOPPED = "running", "stopped"


def fresh(stage: Stage, count: int = 1, power: str = RUNNING) -> list[Machine]:
    """Machines of the test's own, known to the panel."""
    ids = stage.door.add(f"t{uuid.uuid4().hex[:8]}", count)
    for machine in ids if power != RUNNING else ():
        stage.door.change("set", id=machine, fields={"power_status": power})
    found: list[Machine] = []

    def known() -> bool:
        rows = stage.book.machines(f"provider_id IN ({', '.join('?' * len(ids))})", *ids)
        found[:] = [row for row in rows if row.power == power]
        return len(found) == count

    assert until(known, 40, every_s=0.05), "the panel does not come to know new machines"
    return found


def ask(stage: Stage, machine: Machine, kind: str, key: str = "", **more: str) -> str:
    """Send a form until it is answered with a yes; its key."""
    key = key or uuid.uuid4().hex
    if kind == "delete":
        more["name"] = machine.name
    if kind == "rename":
        more.setdefault("name", f"new-{key[:12]}")
    answer = stage.person.insist(machine.id, kind, key, **more)
    assert answer.status_code == 302, f"{kind}: {answer.status_code} {answer.text[:2000]}"
    return key


def launch(stage: Stage, name: str, kind: str = "launch", key: str = "") -> str:
    """Send the launch page's form until it is answered with a yes; its key."""
    key = key or uuid.uuid4().hex
    answer = stage.person.insist_launch(kind, name, key, stage.crew)
    assert answer.status_code == 302, f"{kind} {name}: {answer.status_code} {errors(answer)}"
    return key


def a_name(word: str = "t") -> str:
    return f"{word}-{uuid.uuid4().hex[:8]}"


def row_of(stage: Stage, key: str) -> Operation:
    found = stage.book.operation(key)
    assert found, f"{key} stands nowhere"
    return found


def ended(stage: Stage, key: str, within_s: float = 45) -> Operation:
    """The operation once it is over."""
    assert until(lambda: row_of(stage, key).is_over, within_s, every_s=0.05), row_of(stage, key)
    return row_of(stage, key)


def reached(stage: Stage, key: str, *states: str, within_s: float = 15) -> Operation:
    assert until(lambda: row_of(stage, key).state in states, within_s, every_s=0.005), row_of(stage, key)
    return row_of(stage, key)


def all_well(stage: Stage, machines: Sequence[Machine], within_s: float = 60) -> list[Case]:
    """Everything about these machines came to rest, and no invariant is broken."""
    assert until(lambda: not any(open_of(stage, each) for each in machines), within_s, every_s=0.1), [
        row for machine in machines for row in open_of(stage, machine)
    ]
    cases, broken = judged(stage, machines)
    assert not broken, [str(each) for each in broken]
    return cases


def stands_again(stage: Stage) -> None:
    assert stands(stage, 30), "the house does not come up again"


def launched_well(stage: Stage, *names: str) -> list[Case]:
    """No invariant of these launches is broken, and no promise is left alone."""
    cases, broken = judged(stage, [], names)
    broken += promises.alone(stage.book.machines(), stage.book.operations())
    assert not broken, [str(each) for each in broken]
    return cases
