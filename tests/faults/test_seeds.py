"""Thirty seeds on SQLite and fifteen on PostgreSQL, the same at every run: real processes, really killed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import demand, postgres
from tests.support.early import BASE

pytestmark = pytest.mark.processes


def play(folder: Path, *words: str) -> str:
    """What `script/faults` says of these seeds; fails with their stories when anything was broken."""
    command = (sys.executable, "-m", "tests.faults", "--folder", str(folder), *words)
    done = subprocess.run(command, cwd=BASE, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, f"{done.stderr}\n{done.stdout}"
    return done.stdout


def met_sending(said: str) -> int:
    found = re.search(r"Blows that met a row in `sending` \| (\d+)", said)
    return int(found[1]) if found else 0


def test_thirty_seeds_on_sqlite(tmp_path: Path) -> None:
    assert met_sending(play(tmp_path, "--runs", "30", "--seed", "1", "--points", "1")) >= 5


def test_fifteen_seeds_on_postgresql(tmp_path: Path) -> None:
    if postgres.programs() is None:
        demand.missing("there is no PostgreSQL: install its server's programs.")
    assert met_sending(play(tmp_path, "--runs", "15", "--seed", "1", "--points", "2", "--postgres")) >= 5
