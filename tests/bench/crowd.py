"""performance.md 7: eight users at two web processes, beside as many of the floor behind the same server."""

import contextlib
import statistics
from collections.abc import Sequence

from tests.bench.figures import Figure, Report
from tests.bench.fleets import Fleets
from tests.bench.measure import p95
from tests.bench.programs import web
from tests.bench.visits import eager

USERS, PROCESSES = 8, 2
ROUNDS, ROUND_S = 5, 4.0
PLAIN = "tests.bench.plain:application"


def run(fleets: Fleets) -> Report:
    environment = fleets.environment("10000")
    with contextlib.ExitStack() as stack:
        ours = [stack.enter_context(web(environment)) for _ in range(PROCESSES)]
        floor = [stack.enter_context(web(environment, PLAIN)) for _ in range(PROCESSES)]
        for urls in (ours, floor):
            eager(urls * (USERS // PROCESSES), fleets.cookie, 1.0)  # warms up
        rounds = [(_round(ours, fleets.cookie), _round(floor, fleets.cookie)) for _ in range(ROUNDS)]
    each, slow = ([statistics.median(pair[place][which] for pair in rounds) for place in (0, 1)] for which in (0, 1))
    return Report(
        [
            Figure(7, "8 users, 2 processes: time a page, all together", each[0], "ms", each[1], most_ratio=2.5),
            Figure(7, "its p95 for one user", slow[0], "ms", slow[1], most_ratio=3),
        ],
        [
            f"7: {ROUNDS} rounds of {ROUND_S:g} s each, taking turns; the users share the two cores with the servers. "
            "At least 40 % of the floor's requests a second is at most 2.5 times its time a page. Any answer but 200 "
            "ends the run."
        ],
    )


def _round(urls: Sequence[str], cookie: str) -> tuple[float, float]:
    """Milliseconds a page over all users together, and the p95 of one visit."""
    taken, a_second = eager([*urls] * (USERS // PROCESSES), cookie, ROUND_S)
    return 1000 / a_second, p95(taken)
