"""Plays seeds with `script/faults` as its own process, for the tests."""

import re
import subprocess
import sys
from pathlib import Path

from tests.support.early import BASE


def play(folder: Path, *words: str) -> str:
    """What `script/faults` says of these seeds; fails with their stories when anything was broken."""
    command = (sys.executable, "-m", "tests.faults", "--folder", str(folder), *words)
    done = subprocess.run(command, cwd=BASE, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, f"{done.stderr}\n{done.stdout}"
    return done.stdout


def met_sending(said: str) -> int:
    found = re.search(r"Blows that met a row in `sending` \| (\d+)", said)
    return int(found[1]) if found else 0
