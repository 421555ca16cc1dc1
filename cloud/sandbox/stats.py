"""The moving numbers of one machine: smooth, plausible, and a pure function of seed, machine and time."""

from math import pi, sin
from typing import Any

from cloud.sandbox.chance import fraction
from cloud.sandbox.state import Instance

GIB = 2**30
PERIODS_S = (97.0, 1291.0, 17011.0, 86400.0)
# How long a fresh GPU machine rebuilds its driver, in played seconds.
REBUILD_S = (7 * 60.0, 19 * 60.0)


def wave(seed: int, uuid: str, what: str, at: float) -> float:
    """Between 0 and 1; moves by less than 0.01 in a second, so that curves look drawn."""
    base = 0.2 + 0.6 * fraction(seed, uuid, what)
    swing = 0.0
    for number, period in enumerate(PERIODS_S):
        phase = 2 * pi * fraction(seed, uuid, what, number)
        swing += (0.12 - 0.02 * number) * sin(2 * pi * at / period + phase)
    return min(1.0, max(0.0, base + swing))


def rebuilding_driver(seed: int, instance: Instance, played_up_s: float) -> bool:
    """Whether a GPU machine, up for so many played seconds, is still busy with its driver."""
    low, high = REBUILD_S
    return instance.gpu_count > 0 and played_up_s < low + (high - low) * fraction(seed, instance.uuid, "driver")


def stats(seed: int, instance: Instance, *, now: float, rebuilding: bool) -> dict[str, Any]:
    """The answer of `instance_stats`; a machine that is not running shows zeros."""
    running = instance.power == "running"
    uptime_s = int(now - instance.booted_at) if running and instance.booted_at is not None else 0

    def moving(what: str) -> float:
        return wave(seed, instance.uuid, what, now) if running else 0.0

    total = instance.memory * GIB
    used = int(total * (0.08 + 0.8 * moving("memory"))) if running else 0
    cpu = 88.0 + 11.0 * moving("cpu") if rebuilding and running else 100 * moving("cpu") ** 2
    return {
        "instance_id": instance.uuid,
        "status": "running" if running else "stopped",
        "cpu": {"usage_percent": round(cpu, 1), "cores": instance.cpu_cores},
        "memory": {"used_bytes": used, "total_bytes": total, "usage_percent": round(100 * used / total, 1)},
        "disk": {
            "read_bytes_sec": int(90_000_000 * moving("read") ** 4),
            "write_bytes_sec": int(60_000_000 * moving("write") ** 4),
        },
        "network": {
            "in_bytes_sec": int(30_000_000 * moving("in") ** 4),
            "out_bytes_sec": int(20_000_000 * moving("out") ** 4),
        },
        "uptime_seconds": max(0, uptime_s),
    }
