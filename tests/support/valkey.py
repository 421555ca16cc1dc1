"""A real Valkey for tests, on a socket of its own."""

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from panel.local import store
from panel.local.children import die_with


@contextlib.contextmanager
def running(unix_socket: Path, folder: Path) -> Iterator[int]:
    """The embedded server, ended with the block; yields its process id."""
    folder.mkdir(parents=True, exist_ok=True)
    command = store.command(store.server(), unix_socket, folder)
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        preexec_fn=die_with(os.getpid()),  # noqa: PLW1509 -- a killed run of tests leaves no server behind
    ) as process:
        try:
            deadline = time.monotonic() + 5
            while not store.running(unix_socket):
                assert process.poll() is None, "Valkey ended at once"
                assert time.monotonic() < deadline, "Valkey does not answer"
                time.sleep(0.01)
            yield process.pid
        finally:
            process.kill()
