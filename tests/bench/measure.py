"""Medians of interleaved rounds: floor and subject alternate, so that the machine's noise hits both."""

import gc
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class Work:
    """`run` is measured `times` times in a row in each round, after `prepare`, which is not."""

    name: str
    run: Callable[[], object]
    prepare: Callable[[], object] = _nothing
    times: int = 5


@dataclass(frozen=True)
class Cost:
    """Milliseconds of one run: of this process's CPU, and elapsed."""

    cpu: float
    elapsed: float


def interleaved(works: Sequence[Work], rounds: int) -> dict[str, Cost]:
    """The median cost of each work over the rounds, by name. One round more goes first, to warm up."""
    taken: dict[str, list[Cost]] = {work.name: [] for work in works}
    for turn in range(rounds + 1):
        for work in works if turn % 2 else works[::-1]:
            work.prepare()
            cost = _cost(work)
            if turn:
                taken[work.name].append(cost)
    return {name: _median(costs) for name, costs in taken.items()}


def _cost(work: Work) -> Cost:
    gc.collect()  # one's garbage is not another's bill
    cpu, elapsed = time.process_time(), time.perf_counter()
    for _ in range(work.times):
        work.run()
    each = 1000 / work.times
    return Cost((time.process_time() - cpu) * each, (time.perf_counter() - elapsed) * each)


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(statistics.median(cost.cpu for cost in costs), statistics.median(cost.elapsed for cost in costs))


def p95(values: Sequence[float]) -> float:
    return sorted(values)[max(-(-len(values) * 95 // 100) - 1, 0)]


def cpu_s(pid: int) -> float:
    """Seconds of CPU that a living process has used (Linux; 0 elsewhere)."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return 0.0
    user, system = stat.read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
