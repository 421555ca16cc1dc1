"""performance.md 15: pages over HTTP while another process syncs 10,000 machines."""

import os
import statistics
import sys

from panel.local.children import Program
from tests.bench.figures import Figure, Report
from tests.bench.fleets import SYNCED, Fleets
from tests.bench.measure import p95
from tests.bench.programs import running, web
from tests.bench.syncing import EVERY_S
from tests.bench.visits import GAP_S, THREADS, paced

ROUNDS = 4
VISITS = 200


def run(fleets: Fleets) -> Report:
    environment = fleets.environment(SYNCED)
    syncing = Program("syncing", (sys.executable, "-m", "tests.bench.syncing"), environment)
    idle: list[list[float]] = []
    busy: list[list[float]] = []
    syncs: list[float] = []
    with web(environment) as url:
        paced(url, fleets.cookie, VISITS // 2)
        for _ in range(ROUNDS):
            idle.append(paced(url, fleets.cookie, VISITS))
            with running(syncing) as process:
                assert process.stdout
                process.stdout.readline()  # it syncs
                busy.append(paced(url, fleets.cookie, VISITS))
                syncs += said(process.stdout.fileno())
    calm, under = block_p95(idle), block_p95(busy)
    p50 = Figure(15, "its median", _median(busy), "ms", _median(idle))
    return Report(
        [Figure(15, "list page over HTTP during a sync, p95", under, "ms", calm, most_ratio=1.5), p50],
        [
            f"15: {ROUNDS} blocks of {VISITS} visits idle and as many beside a process that parses and syncs 10,000 "
            f"machines, 1 % changed, every {EVERY_S:g} s ({statistics.median(syncs):.0f} ms a sync); "
            f"{THREADS} browsers, {THREADS / GAP_S:g} visits a second. p95 is the median of the blocks' p95."
        ],
    )


def said(pipe: int) -> list[float]:
    """What the syncing process has said until now."""
    return [float(line) for line in os.read(pipe, 65536).split()]


def block_p95(blocks: list[list[float]]) -> float:
    """The median of the blocks' p95: one burst of the machine spoils one block, not the figure."""
    return statistics.median(p95(block) for block in blocks)


def _median(blocks: list[list[float]]) -> float:
    return statistics.median(taken for block in blocks for taken in block)
