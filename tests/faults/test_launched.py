"""Launches under faults: answers that are lost, tasks that lie, the same name at once. Numbers as in README.md."""

import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.faults.acts import a_name, ask, ended, launch, launched_well, reached, row_of
from tests.faults.book import Machine
from tests.faults.door import LAUNCHES, Commit, launch_fault
from tests.faults.house import until
from tests.faults.judge import Case
from tests.faults.launching import TOLD
from tests.faults.seeds import Stage, judged

pytestmark = pytest.mark.processes
KINDS = ("launch", "launch_custom")
TABLE: tuple[tuple[str, dict[str, Any]], ...] = (
    ("F11", {"kind": "hang", "when": "after_commit"}),
    ("F13", {"kind": "reset", "when": "before_commit"}),
    ("F13", {"kind": "reset", "when": "after_commit"}),
    ("F15", {"kind": "status", "when": "before_commit", "status": 503}),
    ("F15", {"kind": "status", "when": "after_commit", "status": 500}),
    ("F16", {"kind": "truncated", "when": "after_commit"}),
    ("F16", {"kind": "html", "when": "after_commit", "status": 200}),
    ("F16", {"kind": "empty", "when": "before_commit"}),
)
# One send in a line of launches: its call, its place in the budget, and asking whether it is its turn.
TURN_S = 45.0 + 5.0 + 1.0


@dataclass
class Try:
    number: str
    kind: str
    name: str
    when: str
    case: Case

    @property
    def expected(self) -> str:
        return "succeeded" if self.when == "after_commit" else "not_done"


@dataclass
class Tried:
    tries: list[Try]
    strangers: list[str]

    def of(self, number: str) -> Iterator[Try]:
        return (each for each in self.tries if each.number == number)


@pytest.fixture(scope="module")
def tried(shared: Stage) -> Tried:
    """Every fault under both kinds at once, with strangers who launch machines of their own meanwhile."""
    rows = [(number, kind, a_name(number.lower()), fault) for number, fault in TABLE for kind in KINDS]
    shared.door.add_faults(*(launch_fault(name=name, **fault) for _, _, name, fault in rows))
    strangers = [a_name("stranger") for _ in range(3)]
    keys = {}
    for number, (_, kind, name, _fault) in enumerate(rows):
        keys[name] = launch(shared, name, kind)
        if number < len(strangers):
            shared.door.launch(strangers[number])
    for key in keys.values():
        ended(shared, key, 120)
    cases = {str(case.row.params["name"]): case for case in launched_well(shared, *keys)}
    return Tried([Try(number, kind, name, fault["when"], cases[name]) for number, kind, name, fault in rows], strangers)


@pytest.mark.parametrize("number", ["F11", "F13", "F15", "F16"])
def test_a_launch_comes_to_its_true_end_and_is_never_sent_again(tried: Tried, number: str) -> None:
    for each in tried.of(number):
        case = each.case
        told = f"{each.kind} {each.when}: {case.row.state}, {len(case.commits)} machines"
        assert case.row.state == each.expected, told
        assert (len(case.attempts), len(case.commits)) == (1, each.expected == "succeeded"), told
        assert next(event.after for event in case.events if event.before == "sending") == "checking", told
        assert "<" not in case.row.outcome, told


def test_what_strangers_launched_meanwhile_stays_in_the_team_for_all(shared: Stage, tried: Tried) -> None:
    assert len(tried.strangers) == 3
    for name in tried.strangers:
        rows = named(shared, name)
        assert [(row.team_id == shared.crew, row.is_awaited) for row in rows] == [(False, False)]


def test_two_machines_of_our_name_in_one_reading_are_for_a_person(stage: Stage) -> None:
    """The answer was lost, and somebody else made a machine with the very name: the first list shows both."""
    name = a_name("twin")
    unread = stage.door.add_faults({"kind": "status", "status": 500, "endpoint": "list_instances"})
    stage.door.add_faults(launch_fault("hang", "after_commit", name))
    key = launch(stage, name)
    reached(stage, key, "checking", within_s=20)
    stage.door.launch(name)
    made = made_as(stage, name)
    assert len(made) == 2
    assert until(lambda: all(not (stage.door.truth(each.machine) or {})["creating"] for each in made), 20, 0.1)
    stage.door.clear(*unread)
    row = reached(stage, key, "unclear", within_s=40)
    assert "More than one" in row.outcome
    assert until(lambda: len(found := named(stage, name)) == 3 and {one.team_id for one in found} == {stage.crew}, 10)
    calls = [each for each in stage.door.watch() if each.name == name]
    assert len(calls) == 1


def test_f23_a_machine_that_its_task_promised_and_nobody_sees_is_for_a_person(stage: Stage) -> None:
    name = planned(stage, status="COMPLETED", effect=False)
    row = reached(stage, launch(stage, name), "unclear", within_s=40)
    assert "does not show it" in row.outcome
    launched_well(stage, name)


def test_f23_a_machine_whose_task_failed_is_kept_and_shown(stage: Stage) -> None:
    """The one case in which a failed launch leaves a machine, played on purpose: judge and people see it."""
    name = planned(stage, status="FAILED", effect=True)
    row = ended(stage, launch(stage, name, "launch_custom"))
    assert row.state == "failed"
    assert until(lambda: [one.is_awaited for one in named(stage, name)] == [False], 20, 0.1)
    kept = named(stage, name)[0]
    assert (kept.id, kept.team_id, kept.operation_state) == (row.target_id, stage.crew, "failed")
    _cases, broken = judged(stage, [], [name])
    assert [each.invariant for each in broken] == ["I3"]


def test_a_launch_that_failed_leaves_nothing_and_its_name_is_free_when_it_is_put_aside(stage: Stage) -> None:
    name = planned(stage, status="FAILED", effect=False)
    row = ended(stage, launch(stage, name))
    assert (row.state, [one.is_awaited for one in named(stage, name)]) == ("failed", [True])
    assert stage.person.post(f"/activity/{row.id}/put-aside/").status_code == 302
    assert not named(stage, name)
    assert ended(stage, launch(stage, name)).state == "succeeded"
    assert sorted(case.effects for case in launched_well(stage, name)) == [0, 1]


def test_a_name_freed_by_a_delete_is_launched_again_at_once(stage: Stage) -> None:
    name = a_name("freed")
    first = ended(stage, launch(stage, name))
    machine = stage.book.machines("id = ?", first.target_id)[0]
    assert ended(stage, ask(stage, machine, "delete")).state == "succeeded"
    second = ended(stage, launch(stage, name, "launch_custom"))
    assert (first.state, second.state, len(launched_well(stage, name))) == ("succeeded", "succeeded", 2)


def test_f01_a_worker_killed_with_the_machine_made_and_nothing_said(stage: Stage) -> None:
    """Its machine is found by its name; who waits behind it in the line goes on."""
    first, second = a_name("killed"), a_name("behind")
    stage.door.add_faults(launch_fault("hang", "after_commit", first))
    key = launch(stage, first)
    reached(stage, key, "sending")
    assert until(lambda: made_as(stage, first), 5)
    behind = launch(stage, second, "launch_custom")
    struck = row_of(stage, key).state
    stage.house.kill("worker")
    assert struck == "sending"
    assert [ended(stage, each).state for each in (key, behind)] == ["succeeded", "succeeded"]
    assert [len(case.commits) for case in launched_well(stage, first, second)] == [1, 1]


def test_r01_fifty_parallel_forms_of_one_key_are_one_machine(stage: Stage) -> None:
    name, key = a_name("once"), uuid.uuid4().hex
    answers = fifty(lambda _: stage.person.launch("launch", name, key, stage.crew))
    assert len({(answer.status_code, answer.headers.get("location")) for answer in answers}) == 1
    row = ended(stage, key)
    assert answers[0].headers["location"] == f"/instances/{row.target_id}/"
    assert (row.state, len(launched_well(stage, name)), len(made_as(stage, name))) == ("succeeded", 1, 1)


def test_r01_of_fifty_forms_with_one_name_one_is_taken_and_the_others_are_told(stage: Stage) -> None:
    name = a_name("only")
    answers = fifty(lambda _: stage.person.launch("launch", name, uuid.uuid4().hex, stage.crew))
    assert sorted(answer.status_code for answer in answers) == [302, *[422] * 49]
    assert all(any(word in answer.text for word in TOLD) for answer in answers if answer.status_code == 422)
    rows = stage.book.launches(name)
    assert len(rows) == 1
    assert ended(stage, rows[0].client_key).state == "succeeded"
    assert (len(launched_well(stage, name)), len(made_as(stage, name))) == (1, 1)


def test_twelve_launches_at_once_under_faults_end_in_the_time_of_the_slowest(stage: Stage) -> None:
    """Half of what they ask goes wrong. The last one ends no later than the slowest would alone, from its send to its
    end, plus the time in which twelve are sent one after the other.
    """
    writes = {"endpoint": sorted(LAUNCHES), "probability": 0.17}
    stage.door.add_faults(
        {"kind": "hang", "when": "after_commit", **writes},
        {"kind": "reset", "when": "after_commit", **writes},
        {"kind": "reset", "when": "before_commit", **writes},
        {"kind": "status", "status": 429, **writes},
        {"kind": "status", "status": 500, "endpoint": ["list_instances", "list_tasks"], "probability": 0.5},
    )
    names, began = [a_name(f"twelve{number}") for number in range(12)], time.time()
    with ThreadPoolExecutor(12) as pool:
        keys = list(pool.map(lambda pair: launch(stage, pair[1], KINDS[pair[0] % 2]), enumerate(names)))
    rows = [ended(stage, key, 150) for key in keys]
    assert {row.state for row in rows} <= {"succeeded", "not_done"}, [(row.state, row.outcome) for row in rows]
    cases = launched_well(stage, *names)
    assert [len(case.commits) for case in cases] == [int(case.row.state == "succeeded") for case in cases]
    slowest_s = max((row.ended_at or 0) - (row.sent_at or 0) for row in rows)
    took_s = max(row.ended_at or 0 for row in rows) - began
    assert took_s <= slowest_s + len(names) * TURN_S / stage.house.scale, (took_s, slowest_s)


def planned(stage: Stage, **how: Any) -> str:
    """A name; the next creation at the provider goes so."""
    stage.door.change("next_task", operation="create_instance", **how)
    return a_name("task")


def named(stage: Stage, name: str) -> list[Machine]:
    return stage.book.machines("name = ? AND gone_at IS NULL", name)


def made_as(stage: Stage, name: str) -> list[Commit]:
    """What was truly made under this name, by whomever."""
    return [each for each in stage.door.commits() if each.endpoint in LAUNCHES and each.params.get("name") == name]


def fifty(send: Any) -> list[httpx.Response]:
    with ThreadPoolExecutor(50) as pool:
        return list(pool.map(send, range(50)))
