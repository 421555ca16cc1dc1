"""Runs the wanted parts one after the other and says, or writes down, what they found."""

import sys
import time
from collections.abc import Callable

from panel.local import statics
from tests.bench import busy, calls, click, crowd, dead, memory, news, pages, record, results, start, syncs
from tests.bench.figures import Report, table
from tests.bench.fleets import Fleets, fleets

Part = Callable[[Fleets], Report]
PARTS: tuple[tuple[set[int], Part], ...] = (
    ({1, 2}, pages.lists),
    ({3}, pages.machine),
    ({6}, pages.sizes),
    ({7}, crowd.run),
    ({10, 11}, calls.run),
    ({12}, news.run),
    ({14}, syncs.run),
    ({15}, busy.run),
    ({16}, dead.run),
    ({17}, click.run),
    ({18}, memory.run),
    ({19}, start.run),
    ({20}, record.run),
)


def run(wanted: set[int]) -> int:
    """Measure all, or only what is wanted. The exit status is 0 whatever the figures say: they are not tests."""
    known = set().union(*(numbers for numbers, _part in PARTS))
    if wanted - known:
        sys.stderr.write(f"script/bench measures {', '.join(map(str, sorted(known)))} of performance.md.\n")
        return 2
    statics.collect()
    whole = Report()
    with fleets() as databases:
        about = results.about()
        for numbers, part in PARTS:
            if not wanted or wanted & numbers:
                _add(whole, _timed(numbers, part, databases), wanted)
    sys.stdout.write("\n".join([table(whole.figures), "", *(f"- {note}" for note in whole.notes), ""]))
    if not wanted:
        results.write(whole, about)
    return 0


def _timed(numbers: set[int], part: Part, databases: Fleets) -> Report:
    begin = time.monotonic()
    report = part(databases)
    sys.stderr.write(f"{', '.join(map(str, sorted(numbers)))}: measured in {time.monotonic() - begin:.0f} s\n")
    return report


def _add(whole: Report, found: Report, wanted: set[int]) -> None:
    whole.figures += [figure for figure in found.figures if not wanted or figure.number in wanted]
    whole.notes += found.notes
