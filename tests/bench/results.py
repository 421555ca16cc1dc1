"""RESULTS.md: one section a database, replaced by the newest whole run on it."""

import os
import platform
import re
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import django
from django.db import connection

from tests.bench import busy, dead, pages, record, start, syncs
from tests.bench.figures import Report, table

FILE = Path(__file__).with_name("RESULTS.md")
HEAD = """# Benchmarks

Written by `script/bench`; each section by the last whole run on that database. Targets: performance.md. Every figure
is the median of rounds in which floor and subject alternate.

What the figures include:

- **1, 2, 3: CPU of this process** (with PostgreSQL, the server's CPU is not in it, neither in the floor nor in the
  subject). The *floor* is a function called directly: one plain query for twelve columns of the same rows, in the same
  order by the same index, and one plain Django template that escapes and prints these twelve values a row; no request,
  no session, no rights, no middleware, no frame around it. For 3 it is one row by its primary key. The *subject* is the
  whole request through the WSGI application: all middlewares, the session's and the actor's queries, rights of an owner
  of one team, the view, the whole page (or, for 2, the answer to htmx), real settings, `DEBUG` off.
- **6, 14, 15, 16, 19: time elapsed.** 6 goes through the same WSGI application, each fleet in a database of its own.
- **14**: the floor loads id and mark of 10,000 rows with one query, computes the marks of 10,000 dicts with the panel's
  own function, compares, and writes five columns of the 100 rows that differ with one `executemany` in a transaction.
  The subject is `cloud.sync.instances` with the parsed listing: it writes whole rows, and counts the tally anew.
- **15, 16**: a uvicorn process as `script/up` starts it, on loopback; the floor is the same page while nothing else
  happens.
- **20**: time elapsed. A record of a million rows, with a checkpoint a thousand, in a database of its own; the floor
  reads the same pages of it and hashes each row's text.
- The machine's two cores are shared with whatever else runs on it: single figures move by some percent between runs.
"""


def about() -> str:
    """One line: what was measured on. No names and paths of the machine."""
    server = connection.vendor
    if server == "sqlite":
        base = f"SQLite {sqlite3.sqlite_version} (WAL, IMMEDIATE, synchronous FULL)"
    else:
        connection.ensure_connection()
        base = f"PostgreSQL {connection.pg_version // 10000}.{connection.pg_version % 10000}"  # type: ignore[attr-defined]
    parts = {"1, 2, 3, 6": pages, "14": syncs, "15": busy, "16": dead, "19": start, "20": record}
    rounds = ", ".join(f"{part.ROUNDS} ({numbers})" for numbers, part in parts.items())
    python = f"Python {platform.python_version()}"
    today = datetime.now(UTC).date().isoformat()
    return f"{base}, Django {django.__version__}, {python}, {os.cpu_count()} cores; rounds: {rounds}; {today}."


def write(report: Report, line: str) -> None:
    name = line.split(maxsplit=1)[0]
    notes = "".join(f"- {note}\n" for note in report.notes)
    sections = _sections() | {name: f"{line}\n\n{table(report.figures)}\n\n{notes}"}
    FILE.write_text(HEAD + "".join(f"\n## {name}\n\n{text}" for name, text in sorted(sections.items(), reverse=True)))


def _sections() -> dict[str, str]:
    """The sections of the file as it stands, by database."""
    if not FILE.is_file():
        return {}
    _head, *parts = re.split(r"^## ", FILE.read_text(), flags=re.MULTILINE)
    return {part.split("\n", 1)[0]: part.split("\n", 1)[1].strip("\n") + "\n" for part in parts}
