"""Many seeds over one house: a new one every second while earlier ones come to rest. Says how it goes on stderr."""

import sys
import threading
import time
import traceback
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.faults import audit, promises, story
from tests.faults.book import Book
from tests.faults.door import LAUNCHES, Door
from tests.faults.house import House, house
from tests.faults.judge import Broken, is_late
from tests.faults.launch_plans import draw_all
from tests.faults.person import Person
from tests.faults.points import POINTS
from tests.faults.seeds import Played, Stage, play, stands

SCALE, CALLS, AT_ONCE = 20.0, 60.0, 12
BASE_MACHINES = 60
PROGRESS_EVERY = 10
FEWEST = 10  # seeds of a run that must meet a row in `sending`; fewer are a look at one of them


@dataclass
class Whole:
    """One run. `pace` holds the panel's calls of each second, by the sandbox's log."""

    database: str
    seeds: range
    played: list[Played] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    blows: list[tuple[float, float]] = field(default_factory=list)
    calls: list[float] = field(default_factory=list)
    calls_limit: float = CALLS
    seconds: float = 0.0

    @property
    def hits_sending(self) -> int:
        return sum(hit.hit_sending for played in self.played for hit in played.hits)

    @property
    def violations(self) -> list[Broken]:
        return [*self.broken, *(each for played in self.played for each in played.broken)]


def run(
    folder: Path, seeds: range, *, database_url: str = "", points_each: int = 2, every_s: float = 1.0, struck: int = 1
) -> Whole:
    """Play these seeds on a fresh house in `folder`. Only every `struck`th is struck: blows come one after the other,
    and what goes wrong at the provider needs none.
    """
    began = time.monotonic()
    whole = Whole("PostgreSQL" if database_url else "SQLite", seeds)
    with house(folder, scale=SCALE, machines=BASE_MACHINES, calls=CALLS, database_url=database_url, workers=2) as home:
        stage = _stage(home)
        stopped = threading.Event()
        watcher = threading.Thread(target=_watch, args=(stage, stopped), daemon=True)
        watcher.start()
        try:
            _play_all(stage, whole, points_each, every_s, struck)
            _last_words(stage, whole)
        finally:
            stopped.set()
            watcher.join()
            stage.close()
    whole.seconds = time.monotonic() - began
    if len(seeds) >= FEWEST and not whole.hits_sending:
        whole.broken.append(Broken("run", "no blow met a row in `sending`: this run proves nothing"))
    return whole


def _stage(home: House) -> Stage:
    person = Person(home.url, *home.owner)
    person.sign_in()
    stage = Stage(home, Book(home.database_url), Door(home.sandbox_url, home.sandbox_key), person)
    assert stands(stage, 30), "the house does not stand"
    return stage


def _watch(stage: Stage, stopped: threading.Event) -> None:
    while not stopped.wait(2):
        try:
            stage.door.watch()
        except (OSError, httpx.HTTPError):
            traceback.print_exc()


def _play_all(stage: Stage, whole: Whole, points_each: int, every_s: float, struck: int) -> None:
    names = tuple(POINTS)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures: list[Future[Played]] = []
        for seed in whole.seeds:
            first = seed // struck * points_each
            blows = points_each if seed % struck == 0 else 0
            points = tuple(names[(first + number) % len(names)] for number in range(blows))
            futures.append(pool.submit(_play_one, stage, seed, points))
            time.sleep(every_s)
            _collect(whole, futures)
        while futures:
            time.sleep(0.2)
            _collect(whole, futures)
    whole.blows = stage.blows


def _play_one(stage: Stage, seed: int, points: tuple[str, ...]) -> Played:
    plan = draw_all(seed, points)
    try:
        played = play(stage, plan)
    except Exception:  # noqa: BLE001 -- one seed that breaks the suite itself must not end the others
        played = Played(plan)
        played.broken.append(Broken("suite", traceback.format_exc()))
    if played.broken:
        sys.stderr.write(story.tell(stage, played))
    for machine in played.machines:
        if (stage.door.truth(machine.provider_id) or {"gone_at": 1}).get("gone_at") is None:
            stage.door.change("remove", id=machine.provider_id)
    return played


def _collect(whole: Whole, futures: list[Future[Played]]) -> None:
    for future in [each for each in futures if each.done()]:
        futures.remove(future)
        whole.played.append(future.result())
        if len(whole.played) % PROGRESS_EVERY == 0:
            operations = sum(len(played.cases) for played in whole.played)
            sys.stderr.write(
                f"{len(whole.played)} of {len(whole.seeds)} seeds, {operations} operations, "
                f"{whole.hits_sending} blows met `sending`, {len(whole.violations)} violations\n"
            )
            sys.stderr.flush()


def _last_words(stage: Stage, whole: Whole) -> None:
    """What can only be asked at the end: nothing that ended has changed, the record is whole, the pace was kept."""
    for played in whole.played:
        for operation_id, snapshot in played.snapshots.items():
            if stage.book.snapshot(operation_id) != snapshot:
                whole.broken.append(Broken("I7", "changed after its end", operation_id))
    whole.broken += [Broken("I8", words) for words in (*stage.book.broken_links(), *audit.complaints(stage.house))]
    whole.broken += _machines(stage)
    cases = [case for played in whole.played for case in played.cases]
    late = [case.row for case in cases if is_late(case, stage.blows, SCALE)]
    whole.broken += [Broken("I9", f"{row.kind} came to rest too late", row.id) for row in late]
    whole.calls = sorted(request.at for request in stage.door.watch())
    whole.broken += _too_fast(whole.calls)


def _machines(stage: Stage) -> list[Broken]:
    """I4: each machine of the provider is one row, in the team that it is of, and no promise is left alone."""
    machines = stage.book.machines()
    rows = [row.provider_id for row in machines]
    broken = [Broken("I4", f"{each} has two rows") for each in {each for each in rows if rows.count(each) > 1}]
    operations = stage.book.operations()
    names = {row.params.get("name") for row in operations if row.kind in promises.KINDS}
    ours = {each.machine for each in stage.door.commits() if each.endpoint in LAUNCHES and each.params["name"] in names}
    broken += promises.alone(machines, operations)
    return [*broken, *promises.strayed(machines, ours, stage.crew)]


def _too_fast(calls: list[float]) -> list[Broken]:
    """I10: in any second at most the rate and the burst of the budget."""
    most = most_in_a_second(calls)
    return [Broken("I10", f"{most} calls in one second")] if most > 2.5 * CALLS else []


def most_in_a_second(calls: list[float]) -> int:
    most = begin = 0
    for end, at in enumerate(calls):
        while calls[begin] < at - 1:
            begin += 1
        most = max(most, end - begin + 1)
    return most
