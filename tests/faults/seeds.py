"""Plays one seed: makes its machines, sends its forms, strikes at its points, waits until all is over, judges it."""

import threading
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property, partial

from tests.faults import promises
from tests.faults.book import Book, Machine, Operation
from tests.faults.door import ENDPOINTS, LAUNCHES, Commit, Door, fault
from tests.faults.house import House, until
from tests.faults.judge import LAUNCHED, Broken, Case, attribute, judge, overlaps
from tests.faults.launching import CREW, LaunchScene
from tests.faults.person import NoAnswer, Person
from tests.faults.plans import NEEDS, STOPPED, Ask, Plan
from tests.faults.points import POINTS
from tests.faults.scene import Hit, Scene

READY_S, END_S = 40.0, 75.0
LEAST_ABSENCE_S = 180.0


@dataclass
class Stage:
    """What all seeds share. One blow at a time, and only on a house that stands: `blows` are its times of trouble."""

    house: House
    book: Book
    door: Door
    person: Person
    turn: threading.Lock = field(default_factory=threading.Lock)
    blows: list[tuple[float, float]] = field(default_factory=list)
    is_stopped: bool = False

    @cached_property
    def crew(self) -> int:
        """The team that launches; only launched machines are its own."""
        with self.turn:
            return self.book.team(CREW, self.house.owner[0])

    def close(self) -> None:
        for each in (self.book, self.door, self.person):
            each.close()


@dataclass
class Played:
    """One seed as it went."""

    plan: Plan
    machines: list[Machine] = field(default_factory=list)
    scenes: list[Scene] = field(default_factory=list)
    hits: list[Hit] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    skipped: int = 0
    began_at: float = field(default_factory=time.time)
    snapshots: dict[str, str] = field(default_factory=dict)  # of ended rows, to see whether they change afterwards


def play(stage: Stage, plan: Plan) -> Played:
    """The whole of one seed; blocks until it is judged."""
    played = Played(plan)
    if not _prepare(stage, played):
        return played
    threads = [
        threading.Thread(target=_chain, args=(stage, played, machine, asks), daemon=True)
        for machine, asks in zip(played.machines, plan.chains, strict=True)
    ]
    threads.append(threading.Thread(target=_launches, args=(stage, played), daemon=True))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    _clear(stage, played)
    _judge(stage, played)
    return played


def _prepare(stage: Stage, played: Played) -> bool:
    """Machines of its own, in the wanted state, known to the panel; False when it does not come to know them."""
    plan = played.plan
    ids = stage.door.add(f"s{plan.seed}", len(plan.powers))
    for machine, power in zip(ids, plan.powers, strict=True):
        if power == STOPPED:
            stage.door.change("set", id=machine, fields={"power_status": STOPPED})

    def known() -> list[Machine]:
        rows = stage.book.machines(f"provider_id IN ({', '.join('?' * len(ids))})", *ids)
        return [row for row in rows if row.power == plan.powers[ids.index(row.provider_id)]]

    if not until(lambda: len(known()) == len(ids), READY_S, every_s=0.1):
        played.broken.append(Broken("I4", f"the panel does not know the machines of seed {plan.seed}"))
        return False
    played.machines = sorted(known(), key=lambda row: ids.index(row.provider_id))
    return True


def _chain(stage: Stage, played: Played, machine: Machine, asks: Sequence[Ask]) -> None:
    """One machine's asks, one after the other, but for the hasty ones."""
    mine: list[Scene] = []
    for number, ask in enumerate(asks):
        if stage.is_stopped:
            return
        truth = stage.door.truth(machine.provider_id) or {"gone_at": 1}
        if truth.get("gone_at") or (NEEDS[ask.kind] not in {None, truth.get("power")} and not ask.point):
            played.skipped += 1
            continue
        fresh = replace(ask, kind=_fitting(ask.kind, str(truth.get("power")))) if ask.point else ask
        scene = Scene(stage.house, stage.book, stage.door, stage.person, fresh, machine)
        mine.append(scene)
        played.scenes.append(scene)
        if ask.point:
            _strike(stage, played, scene)
        else:
            _ask(scene)
        if number + 1 == len(asks) or not asks[number + 1].is_hasty:
            until(lambda: all(_is_settled(each) for each in mine), END_S, every_s=0.1)
    until(lambda: not open_of(stage, machine), END_S, every_s=0.1)


def _launches(stage: Stage, played: Played) -> None:
    """What is launched, one after the other."""
    is_free = True
    names: set[str] = set()
    for ask in played.plan.launches:
        if stage.is_stopped or (ask.name in names and not is_free):
            played.skipped += 1
            continue
        names.add(ask.name)
        scene = LaunchScene(stage.house, stage.book, stage.door, stage.person, ask, team=stage.crew)
        played.scenes.append(scene)
        if ask.has_stranger:
            stage.door.launch(f"{ask.name}-other")
        if ask.point:
            _strike(stage, played, scene)
            scene.come_beside()
        else:
            scene.play()
        until(partial(_is_settled, scene), END_S, every_s=0.1)
        is_free = ask.is_deleted and _delete(stage, played, scene)


def _delete(stage: Stage, played: Played, launch: Scene) -> bool:
    """Delete what a launch made; True when it is gone."""
    row = launch.row()
    made = stage.book.machines("id = ?", row.target_id) if row and row.state == "succeeded" else []
    if not made:
        return False
    scene = Scene(stage.house, stage.book, stage.door, stage.person, Ask("delete"), made[0])
    played.scenes.append(scene)
    scene.submit()
    until(lambda: _is_settled(scene), END_S, every_s=0.1)
    deleted = scene.row()
    return deleted is not None and deleted.state == "succeeded"


def open_of(stage: Stage, machine: Machine) -> list[Operation]:
    """What still moves: neither over nor waiting for a person."""
    rows = stage.book.operations("target_id = ?", machine.id)
    return [row for row in rows if not row.is_over and row.state != "unclear"]


def _fitting(kind: str, power: str) -> str:
    return kind if NEEDS[kind] in {None, power} else "rename"


def _is_settled(scene: Scene) -> bool:
    """It is at rest, and every form was answered."""
    row = scene.row()
    return not scene.is_sending and (row is None or row.is_over or row.state == "unclear")


def _ask(scene: Scene) -> None:
    """With the faults that were drawn for it."""
    ask, machine = scene.ask, scene.machine.provider_id
    rules = [fault(asks=ask.kind, machine=machine, **each) for each in ask.breaks]
    rules += [fault(machine=machine, when="before_commit", **each) for each in ask.reads]
    if rules:
        scene.rules += scene.door.add_faults(*rules)
    scene.submit()
    scene.rivals.extend(_rival(scene))
    row = scene.row()
    if ask.is_undone and row:
        with suppress(Exception):
            scene.answers.append(scene.person.undo(row.id).status_code)


def _rival(scene: Scene) -> Iterator[int]:
    """Somebody else's form for the same machine: refused while the operation has it."""
    if scene.ask.rival and scene.ask.kind != "rename":
        words = {"name": scene.machine.name} if scene.ask.rival == "delete" else {}
        with suppress(NoAnswer):
            yield scene.person.insist(scene.machine.id, scene.ask.rival, f"rival-{scene.key}"[:64], **words).status_code


def _strike(stage: Stage, played: Played, scene: Scene) -> None:
    """The blow, and the wait until the house stands again: the next one meets a whole one."""
    with stage.turn:
        stands(stage)
        began = time.time()
        try:
            played.hits.append(POINTS[scene.ask.point](scene))
        finally:
            stands(stage)
            stage.blows.append((began, time.time()))


def stands(stage: Stage, within_s: float = 20.0) -> bool:
    """Every process of the house is there and has said so since it was started."""
    house = stage.house

    def is_whole() -> bool:
        pids = [house.pid(name) for name in (*house.worker_names, "sweeper")]
        beating = {label.rsplit(":", 2)[1] for label, at in stage.book.processes().items() if at > time.time() - 3}
        return all(str(pid) in beating for pid in pids) and bool(house.pid("valkey")) and house.answers()

    return until(is_whole, within_s, every_s=0.1)


def _clear(stage: Stage, played: Played) -> None:
    rules = [rule for scene in played.scenes for rule in scene.rules]
    if rules:
        stage.door.clear(*rules)


def _judge(stage: Stage, played: Played) -> None:
    names = {scene.ask.name for scene in played.scenes if isinstance(scene, LaunchScene)}
    played.machines += _launched(stage, names)
    played.cases, broken = judged(stage, played.machines, names)
    played.broken += broken
    for scene in played.scenes:
        if scene.row() is None and set(scene.answers) != {409}:
            words = f"{scene.ask.kind}: answered {scene.answers} and written nowhere {scene.notes}"
            played.broken.append(Broken("I8", words))
        if isinstance(scene, LaunchScene) and (len(scene.places) > 1 or not set(scene.rivals) <= {422}):
            words = f"{scene.ask.name} led to {scene.places}, and its twins were answered {scene.rivals}"
            played.broken.append(Broken("form", words))
        if not set(scene.answers) <= {302, 409}:
            played.broken.append(Broken("form", f"{scene.ask.kind} was answered {scene.answers}"))
    for case in played.cases:
        if not case.row.is_over and case.row.state != "unclear":
            played.broken.append(Broken("I9", f"is still {case.row.state} after {END_S:g} s", case.row.id))
        if case.row.is_over:
            played.snapshots[case.row.id] = stage.book.snapshot(case.row.id)


def _launched(stage: Stage, names: set[str]) -> list[Machine]:
    """The machines that came of these launches."""
    ids = [row.target_id for row in stage.book.launches(*names)]
    return [each for each in stage.book.machines("is_awaited = ?", False) if each.id in ids]


def judged(stage: Stage, machines: Sequence[Machine], names: Collection[str] = ()) -> tuple[list[Case], list[Broken]]:
    """Every operation of these machines and every launch of these names, and what is wrong with them."""
    cases = [case for machine in machines for case in _cases(stage, machine)]
    known = {case.row.id for case in cases}
    cases += [_case(stage, row) for row in stage.book.launches(*names) if row.id not in known]
    ids = {machine.provider_id for machine in machines}
    commits = [each for each in stage.door.commits() if each.machine in ids or _is_launch(each, names)]
    calls = [each for each in stage.door.requests if each.machine in ids and each.endpoint in ENDPOINTS.values()]
    calls += [each for each in stage.door.requests if each.name in names]
    broken = attribute(cases, commits, calls)
    for case in cases:
        _look_up(stage, case)
        broken += judge(case)
    broken += [*promises.owned(cases, stage.book.machines()), *promises.lost(cases)]
    return cases, broken + overlaps(cases)


def _is_launch(commit: Commit, names: Collection[str]) -> bool:
    return commit.endpoint in LAUNCHES and commit.params.get("name") in names


def _look_up(stage: Stage, case: Case) -> None:
    """What became of its effects: tasks that failed, machines that came."""
    if case.row.kind not in LAUNCHED:
        case.failed_tasks = frozenset(filter(None, (_failed(stage, commit.task_id) for commit in case.commits)))
        return
    gone = [each for each in case.commits if promises.never_came(stage.door.truth(each.machine))]
    case.failed_tasks = frozenset(each.task_id for each in gone if each.task_id)
    tasks = [stage.door.task(each.task_id) for each in case.commits if each.task_id]
    case.made_at = max((datetime.fromisoformat(task["updated_at"]).timestamp() for task in tasks if task), default=None)
    case.absence_s = _absence_s(stage, case)


def _absence_s(stage: Stage, case: Case) -> float:
    """As the engine counts it: half as long again as the slowest launch before."""
    rows = stage.book.launches_done(case.row.ended_at or time.time())
    spans = [(row.ended_at or 0) - (row.sent_at or 0) for row in rows if row.sent_at]
    return max(LEAST_ABSENCE_S, 1.5 * stage.house.scale * max(spans, default=0.0))


def _cases(stage: Stage, machine: Machine) -> Iterator[Case]:
    truth = stage.door.truth(machine.provider_id)
    for row in stage.book.operations("target_id = ?", machine.id):
        case = _case(stage, row)
        case.is_machine_gone = truth is None or bool(truth.get("gone_at"))
        yield case


def _case(stage: Stage, row: Operation) -> Case:
    book = stage.book
    return Case(row, book.events(row.id), book.attempts(row.id), book.record_of(row.id))


def _failed(stage: Stage, task_id: str | None) -> str | None:
    return task_id if task_id and stage.door.task(task_id).get("status") == "FAILED" else None
