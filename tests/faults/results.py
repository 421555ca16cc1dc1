"""The figures of a run, as text and as RESULTS.md."""

import argparse
import platform
import statistics
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from panel.local.ports import any_free
from tests.faults.judge import LAUNCHED, Broken, Case, rest_s
from tests.faults.run import SCALE, Whole, most_in_a_second
from tests.support import postgres
from tests.support.early import BASE

FILE = Path(__file__).with_name("RESULTS.md")


@contextmanager
def database(words: argparse.Namespace) -> Iterator[str]:
    """The URL that was said, that of a PostgreSQL made for this run, or "" for SQLite."""
    if not words.postgres:
        yield str(words.database_url)
        return
    with postgres.cluster(any_free()) as url:
        yield url


def said(whole: Whole) -> str:
    """All figures of a run, in Markdown."""
    lines = [f"## {whole.database}", ""]
    lines += _table("Figure", "Value", dict(_figures(whole)))
    cases = [case for played in whole.played for case in played.cases]
    ends = Counter((case.row.kind, case.row.state) for case in cases)
    lines += _table("Operation, end", "Number", {f"{kind}, {state}": n for (kind, state), n in sorted(ends.items())})
    blows = Counter((hit.point, hit.process, hit.state) for played in whole.played for hit in played.hits)
    lines += _table(
        "Blow (point; process; state of the row)", "Number", {"; ".join(key): n for key, n in sorted(blows.items())}
    )
    faults = Counter(
        _fault(rule)
        for played in whole.played
        for chain in (*played.plan.chains, played.plan.launches)
        for ask in chain
        for rule in ask.breaks
    )
    lines += _table("Fault of a write that was planned", "Number", dict(sorted(faults.items())))
    if whole.violations:
        lines += _table("Violation", "Number", Counter(_said(each) for each in whole.violations))
    return "\n".join(lines) + "\n"


def _said(broken: Broken) -> str:
    """Without its operation, which the story on stderr names. Of a traceback its last line: no paths."""
    return f"{broken.invariant}: {broken.words.strip().splitlines()[-1]}"


def _figures(whole: Whole) -> Iterator[tuple[str, object]]:
    cases = [case for played in whole.played for case in played.cases]
    times = sorted(rest_s(case, whole.blows) * SCALE for case in cases if case.row.ended_at)
    yield "Seeds", f"{len(whole.played)} ({whole.seeds.start} to {whole.seeds.stop - 1})"
    yield "Operations", len(cases)
    yield "Requests sent to the provider", sum(len(case.attempts) for case in cases)
    yield "Effects at the provider", sum(len(case.commits) for case in cases)
    yield "Operations whose outcome had to be looked for", sum(_had(case, "checking") for case in cases)
    yield "Blows", sum(len(played.hits) for played in whole.played)
    yield "Blows that met a row in `sending`", whole.hits_sending
    early = sum(hit.hit_sending and not hit.was_on_wire for played in whole.played for hit in played.hits)
    yield "Of these before its request had reached the provider", early
    yield "Invariant violations", len(whole.violations)
    yield from _launches(whole, cases)
    yield "Ended unclear", sum(case.row.state == "unclear" for case in cases)
    yield "Came to rest after its last fault (scaled s: median, p95, max)", _spread(times)
    missed = [note for played in whole.played for scene in played.scenes for note in scene.notes if ":" in note]
    yield (
        "Moments of a kill point that did not come",
        "; ".join(f"{n} × {note}" for note, n in Counter(missed).items()) or 0,
    )
    rivals = Counter(status for played in whole.played for scene in played.scenes for status in scene.rivals)
    yield "Forms of rivals: refused (409), accepted later (302)", f"{rivals[409]}, {rivals[302]}"
    span = whole.calls[-1] - whole.calls[0] if len(whole.calls) > 1 else 1
    yield (
        "Calls a second (mean, most in one second, budget)",
        (f"{len(whole.calls) / span:.1f}, {most_in_a_second(whole.calls)}, {whole.calls_limit:g}"),
    )
    yield "Wall time, clocks", f"{whole.seconds:.0f} s, {SCALE:g} times as fast"


def _launches(whole: Whole, cases: list[Case]) -> Iterator[tuple[str, object]]:
    rows = {case.row.id: case.row for case in cases if case.row.kind in LAUNCHED}
    states = Counter(row.state for row in rows.values())
    ends = [str(states[state]) for state in ("succeeded", "failed", "not_done", "unclear")]
    yield "Launches: asked, succeeded, failed, not_done, unclear", ", ".join([str(len(rows)), *ends])
    bad = Counter(each.invariant for each in whole.violations if each.operation_id in rows)
    wrong = (bad["I1"], bad["I4"] + bad["lost"], bad["I2"] + bad["I3"])
    yield "Launches: doubled, lost, untrue", ", ".join(map(str, wrong))


def _had(case: Case, state: str) -> bool:
    return any(event.after == state for event in case.events)


def _fault(rule: dict[str, object]) -> str:
    more = [str(rule[name]) for name in ("status", "part", "seconds") if name in rule]
    return " ".join([str(rule["kind"]), *more, str(rule["when"])])


def _spread(times: list[float]) -> str:
    if not times:
        return "none"
    return f"{statistics.median(times):.0f}, {times[int(len(times) * 0.95)]:.0f}, {times[-1]:.0f}"


def _table(name: str, value: str, rows: dict[str, object] | dict[str, int]) -> list[str]:
    return [f"| {name} | {value} |", "|---|---|", *(f"| {key} | {each} |" for key, each in rows.items()), ""]


def write(whole: Whole) -> None:
    """RESULTS.md: one part for each database; the other one's stays as it is."""
    head = f"# What `script/faults` found\n\n{_about()}\n\n"
    known = FILE.read_text().split("\n## ")[1:] if FILE.exists() else []
    others = [f"## {part}" for part in known if not part.startswith(whole.database)]
    FILE.write_text(head + "\n".join([*(part.rstrip() + "\n" for part in [*others, said(whole)])]))


def _about() -> str:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=BASE, capture_output=True, text=True, check=False
    )
    words = f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, commit {commit.stdout.strip() or '?'}"
    return f"Written by `script/faults --write-results`, {words}."
