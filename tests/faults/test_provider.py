"""A provider that fails in every way, under every kind of action; real sockets. Numbers as in README.md."""

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.faults.acts import RUNNING, STOPPED, all_well, ask, ended, fresh, reached, row_of
from tests.faults.book import Machine
from tests.faults.door import fault
from tests.faults.house import until
from tests.faults.judge import Case
from tests.faults.run import SCALE
from tests.faults.seeds import Stage

pytestmark = pytest.mark.processes
KINDS = ("power_on", "shutdown", "reboot", "rename", "delete", "force_off", "power_cycle")
NEVER_AGAIN = frozenset({"reboot", "power_cycle"})
TIMEOUTS: tuple[dict[str, Any], ...] = ({"kind": "hang", "when": "after_commit"},)
RESETS: tuple[dict[str, Any], ...] = (
    {"kind": "reset", "when": "before_commit"},
    {"kind": "reset", "when": "after_commit"},
)
STATUSES: tuple[dict[str, Any], ...] = tuple(
    {"kind": "status", "when": when, "status": status}
    for status in (500, 502, 503, 504)
    for when in ("before_commit", "after_commit")
)
BODIES: tuple[dict[str, Any], ...] = (
    {"kind": "truncated", "when": "after_commit"},
    {"kind": "empty", "when": "after_commit"},
    {"kind": "empty", "when": "before_commit"},
    {"kind": "html", "when": "after_commit", "status": 200},
    {"kind": "wrong_type", "when": "after_commit"},
    {"kind": "huge", "when": "after_commit", "megabytes": 50},
    {"kind": "deep", "when": "after_commit"},
    {"kind": "garbage", "when": "before_commit"},
)


@dataclass
class Try:
    """One kind of action under one fault."""

    number: str
    kind: str
    rule: dict[str, Any]
    machine: Machine
    key: str = ""

    @property
    def expected(self) -> str:
        is_lost = self.rule["when"] == "before_commit" and self.kind in NEVER_AGAIN
        return "not_done" if is_lost else "succeeded"


@dataclass
class Tried:
    tries: list[Try]
    cases: dict[str, Case]  # by key

    def of(self, number: str) -> Iterator[tuple[Try, Case]]:
        return ((each, self.cases[each.key]) for each in self.tries if each.number == number)


def table() -> list[tuple[str, str, dict[str, Any]]]:
    """(number, kind, fault): timeouts and resets under every kind, the rest under two kinds each."""
    rows = [("F11", kind, rule) for rule in TIMEOUTS for kind in KINDS]
    rows += [("F13", kind, rule) for rule in RESETS for kind in KINDS]
    for number, rules in (("F15", STATUSES), ("F16", BODIES)):
        for at, rule in enumerate(rules):
            rows += [(number, KINDS[(at + more) % len(KINDS)], rule) for more in (0, 3)]
    return rows


@pytest.fixture(scope="module")
def tried(shared: Stage) -> Tried:
    """All of the table, side by side, come to rest and judged by the invariants."""
    rows = table()
    stopped = fresh(shared, sum(kind == "power_on" for _, kind, _ in rows), STOPPED)
    running = fresh(shared, sum(kind != "power_on" for _, kind, _ in rows), RUNNING)
    tries = []
    for number, kind, rule in rows:
        machine = (stopped if kind == "power_on" else running).pop()
        shared.door.add_faults(fault(machine=machine.provider_id, asks=kind, **rule))
        tries.append(Try(number, kind, rule, machine))
    for each in tries:
        each.key = ask(shared, each.machine, each.kind)
    cases = all_well(shared, [each.machine for each in tries], within_s=120)
    return Tried(tries, {case.row.client_key: case for case in cases})


@pytest.mark.parametrize("number", ["F11", "F13", "F15", "F16"])
def test_every_kind_comes_to_its_true_end_after_one_effect(tried: Tried, number: str) -> None:
    """F11 timeouts, F13 resets, F15 server errors, F16 answers that nobody can read."""
    for each, case in tried.of(number):
        told = f"{each.kind} under {each.rule}: {case.row.state}, {len(case.commits)} effects"
        assert case.row.state == each.expected, told
        assert len(case.commits) == (each.expected == "succeeded"), told
        assert next(event.after for event in case.events if event.before == "sending") == "checking", told


def test_f16_no_page_of_the_provider_reaches_a_person(tried: Tried) -> None:
    for _, case in tried.of("F16"):
        words = [case.row.outcome, *(event.words for event in case.events)]
        assert not any("<" in word or "{" in word for word in words)


def test_f12_nobody_there_is_tried_again_and_never_called_unclear(stage: Stage) -> None:
    machines = fresh(stage, 2)
    with stage.house.away("sandbox"):
        keys = [ask(stage, machine, "reboot") for machine in machines]
        assert until(lambda: all(row_of(stage, key).tries for key in keys), 20)
        waiting = [row_of(stage, key) for key in keys]
    assert {row.state for row in waiting} <= {"queued", "sending"}
    assert [ended(stage, key).state for key in keys] == ["succeeded", "succeeded"]
    for case in all_well(stage, machines):
        assert not {"checking", "unclear"} & {event.after for event in case.events}
        assert len(case.commits) == 1


def test_f27_while_the_provider_is_down_pages_are_quick_and_old_intents_expire_unsent(stage: Stage) -> None:
    """Ten scaled minutes: what was asked at their beginning is given up, what was asked at their end is done."""
    machines = fresh(stage, 2)
    times = []
    with stage.house.away("sandbox"):
        early, began = ask(stage, machines[0], "reboot"), time.monotonic()
        while time.monotonic() - began < 600 / SCALE + 2:
            asked_at = time.monotonic()
            stage.person.get("/instances/").raise_for_status()
            times.append(time.monotonic() - asked_at)
            time.sleep(0.5)
        late = ask(stage, machines[1], "reboot")
        assert ended(stage, early, 20).state == "expired"
    assert ended(stage, late).state == "succeeded"
    assert statistics.median(times) < 0.3, times
    assert [len(case.commits) for case in all_well(stage, machines)] == [0, 1]


@pytest.mark.parametrize(("header", "pause_s"), [("2", 2.0), ("0", 0.0), ("soon", 5.0 / SCALE), (None, 5.0 / SCALE)])
def test_f14_no_call_before_the_told_time(stage: Stage, header: str | None, pause_s: float) -> None:
    """What must not be done twice is looked for before it is sent again. Without a word: five scaled seconds."""
    machine = fresh(stage)[0]
    headers = {"retry-after": header} if header else {}
    stage.door.add_faults(
        fault("status", "before_commit", machine.provider_id, asks="reboot", status=429, headers=headers)
    )
    key = ask(stage, machine, "reboot")
    assert ended(stage, key, 60).state == "succeeded"
    all_well(stage, [machine])
    calls = stage.door.watch()
    said = next(each for each in calls if each.machine == machine.provider_id and each.status == 429)
    later = [each for each in calls if each.at > said.at + 0.1]  # what was on its way already
    assert later[0].at - said.at >= pause_s - 0.1
    again = next(each for each in later if each.machine == machine.provider_id and each.method == "POST")
    assert any(each.endpoint == "list_tasks" and said.seq < each.seq < again.seq for each in calls)


def test_f26_a_refused_key_turns_writes_off_until_it_is_accepted(stage: Stage) -> None:
    machines = fresh(stage, 4)
    ids = stage.door.add_faults({"kind": "status", "status": 401, "body": {"error": "unauthorized", "message": "no"}})
    time.sleep(1.0)  # a reading has met it
    before = len(stage.door.watch())
    keys = [ask(stage, machine, "reboot") for machine in machines]
    time.sleep(2.0)
    writes = [each for each in stage.door.watch()[before:] if each.method != "GET"]
    assert len(writes) <= 1, writes
    stage.door.clear(*ids)
    states = {ended(stage, key, 60).state for key in keys}
    assert states <= {"succeeded", "failed"}, states
    all_well(stage, machines)


def test_f24_a_state_that_is_not_said_proves_nothing(stage: Stage) -> None:
    """The answer was lost and nothing happened; the list says null, then a word that nobody knows."""
    machine = fresh(stage)[0]
    stage.door.add_faults(fault("reset", "before_commit", machine.provider_id, asks="shutdown"))
    stage.door.change("set", id=machine.provider_id, fields={"power_status": None})
    key = ask(stage, machine, "shutdown")
    reached(stage, key, "checking")
    time.sleep(2)
    stage.door.change("set", id=machine.provider_id, fields={"power_status": "hibernating"})
    time.sleep(2)
    assert row_of(stage, key).state == "checking"
    stage.door.change("set", id=machine.provider_id, unset=["power_status"])
    row = ended(stage, key)
    assert row.state == "succeeded"
    case = all_well(stage, [machine])[0]
    assert (len(case.attempts), len(case.commits)) == (2, 1)
