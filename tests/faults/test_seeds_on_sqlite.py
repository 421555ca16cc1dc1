"""Thirty seeds on SQLite, the same at every run: real processes, really killed."""

from pathlib import Path

import pytest

from tests.faults.playing import met_sending, play

pytestmark = pytest.mark.processes


def test_thirty_seeds_on_sqlite(tmp_path: Path) -> None:
    assert met_sending(play(tmp_path, "--runs", "30", "--seed", "1", "--points", "1")) >= 5
