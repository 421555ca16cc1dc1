"""performance.md 18: what an idle `script/up` keeps in memory, without the sandbox. Linux; 0 elsewhere."""

import time
from pathlib import Path

from tests.bench.figures import Figure, Report
from tests.bench.fleets import Fleets
from tests.support.early import DATA
from tests.support.processes import Stack, stack

IDLE_S = 30.0
LEFT_OUT = "sandbox"


def run(_fleets: Fleets) -> Report:
    with stack(DATA / "memory") as running:
        time.sleep(IDLE_S)
        parts = {name: _pss_mib(pid) for name, pid in _processes(running).items()}
    told = ", ".join(f"{name} {size:.0f}" for name, size in sorted(parts.items()))
    figure = Figure(
        18, "idle memory of script/up without the sandbox (PSS)", round(sum(parts.values()), 1), "MiB", most=375
    )
    return Report([figure], [f"18: after {IDLE_S:g} s with 24 machines and no browser; MiB by process: {told}."])


def _processes(running: Stack) -> dict[str, int]:
    """All but the sandbox, the supervisor included, and what they started."""
    known = {"supervisor": running.process.pid} | running.children()
    known.pop(LEFT_OUT, None)
    for name, pid in list(known.items()):
        if name != "supervisor":
            known |= {f"{name} {child}": child for child in _children(pid)}
    return known


def _children(pid: int) -> list[int]:
    threads = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for thread in threads for child in thread.read_text().split()]


def _pss_mib(pid: int) -> float:
    """Its proportional share of what is in memory: pages that several processes share count once."""
    rollup = Path(f"/proc/{pid}/smaps_rollup")
    if not rollup.exists():
        return 0.0
    line = next(line for line in rollup.read_text().splitlines() if line.startswith("Pss:"))
    return int(line.split()[1]) / 1024
