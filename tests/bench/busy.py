"""performance.md 15: pages over HTTP while another process syncs 10,000 machines."""

import statistics
import subprocess
import sys
import threading

from panel.local.children import Program
from tests.bench.figures import Figure, Report
from tests.bench.fleets import SYNCED, Fleets
from tests.bench.measure import p95
from tests.bench.programs import running, web
from tests.bench.visits import GAP_S, THREADS, paced

ROUNDS = 8
VISITS = 80
EVERY_S = 2.0


class Syncs:
    """Asks the syncing process for a sync every two seconds, for as long as the block lasts."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process
        self.taken: list[float] = []

    def __enter__(self) -> None:
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _ask(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        while not self._ended.is_set():
            self._process.stdin.write(b"\n")
            self._process.stdin.flush()
            self.taken.append(float(self._process.stdout.readline()))
            self._ended.wait(max(EVERY_S - self.taken[-1] / 1000, 0))


def run(fleets: Fleets) -> Report:
    environment = fleets.environment(SYNCED)
    syncing = Program("syncing", (sys.executable, "-m", "tests.bench.syncing"), environment)
    idle: list[list[float]] = []
    busy: list[list[float]] = []
    with web(environment) as url, running(syncing) as process:
        syncs = Syncs(process)
        with syncs:
            paced(url, fleets.cookie, VISITS)
        for _ in range(ROUNDS):
            idle.append(paced(url, fleets.cookie, VISITS))
            with syncs:
                busy.append(paced(url, fleets.cookie, VISITS))
    return Report(
        [
            Figure(15, "list page over HTTP during a sync, p95", _p95(busy), "ms", _p95(idle), most_ratio=1.5),
            Figure(15, "its median", _median(busy), "ms", _median(idle)),
        ],
        [
            f"15: {ROUNDS} blocks of {VISITS} visits idle and as many beside a process that parses and syncs 10,000 "
            f"machines, 1 % changed, every {EVERY_S:g} s ({statistics.median(syncs.taken):.0f} ms a sync); {THREADS} "
            f"browsers, {THREADS / GAP_S:g} visits a second. p95 is the median of the blocks' p95: one burst of the "
            "machine spoils one block, not the figure."
        ],
    )


def _p95(blocks: list[list[float]]) -> float:
    return statistics.median(p95(block) for block in blocks)


def _median(blocks: list[list[float]]) -> float:
    return statistics.median(taken for block in blocks for taken in block)
