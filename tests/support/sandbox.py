"""A sandbox of the provider as a process of the test's own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from panel.local.ports import HOST, any_free, status_of
from tests.support.early import BASE
from tests.support.processes import eventually


@contextmanager
def sandbox(folder: Path, key: str, machines: int) -> Iterator[str]:
    """A running one; yields the base URL of its API."""
    port = any_free()
    words = ("--port", str(port), "--machines", str(machines), "--state", str(folder / "world.state"))
    command = (sys.executable, "-m", "cloud.sandbox", *words)
    with subprocess.Popen(command, cwd=BASE, env=os.environ | {"SANDBOX_API_KEY": key}) as process:
        try:
            eventually(lambda: status_of(port, "/api/v1/health"))
            yield f"http://{HOST}:{port}/api/v1"
        finally:
            process.terminate()
