"""Fifteen seeds on PostgreSQL, the same at every run: real processes, really killed."""

from pathlib import Path

import pytest

from tests.faults.playing import met_sending, play
from tests.support import demand, postgres

pytestmark = pytest.mark.processes


def test_fifteen_seeds_on_postgresql(tmp_path: Path) -> None:
    if postgres.programs() is None:
        demand.missing("there is no PostgreSQL: install its server's programs.")
    assert met_sending(play(tmp_path, "--runs", "15", "--seed", "1", "--points", "2", "--postgres")) >= 5
