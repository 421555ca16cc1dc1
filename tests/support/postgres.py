"""A PostgreSQL of our own in a temporary folder: `python -m tests.support.postgres COMMAND…` runs COMMAND on one.

PostgreSQL refuses to run as root: then another user of the machine runs it.
"""

import contextlib
import glob
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

OTHER_USERS = ("postgres", "nobody")
# Nothing here outlives the tests, so nothing needs to reach the disk.
FAST = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")


def programs() -> Path | None:
    """The folder of initdb and postgres: on the PATH, else Debian's newest."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += [Path(path).parent for path in sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), reverse=True)]
    return next((folder for folder in folders if (folder / "postgres").exists()), None)


def _runner() -> dict[str, Any]:
    """Who runs it, as arguments of Popen: nobody special, unless we are root."""
    if os.getuid() != 0:
        return {}
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    user = next(known[name] for name in OTHER_USERS if name in known)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


@contextlib.contextmanager
def cluster(port: int | None = None) -> Iterator[str]:
    """A running server, ended and removed with the block; yields the URL of an empty database.

    On a Unix socket; with `port` also on 127.0.0.1, where anybody on this machine is let in as `tidepool`.
    """
    folder = programs()
    if folder is None:
        raise FileNotFoundError("initdb and postgres were not found.")
    home = Path(tempfile.mkdtemp(prefix="tp-pg-"))  # short: a socket's path has 107 bytes at most
    runner = _runner()
    if runner:
        os.chown(home, runner["user"], runner["group"])
    try:
        initdb = (
            folder / "initdb",
            "-D",
            home / "data",
            "-U",
            "tidepool",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "-N",
        )
        subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, cwd="/", **runner)
        with _server(folder, home, port, runner):
            yield f"postgresql://tidepool@{str(home).replace('/', '%2F')}:{port or 5432}/postgres"
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextlib.contextmanager
def _server(folder: Path, home: Path, port: int | None, runner: dict[str, Any]) -> Iterator[None]:
    listen = ("-p", str(port or 5432), "-h", "127.0.0.1" if port else "")
    command: Sequence[str | Path] = (folder / "postgres", "-D", home / "data", "-k", home, *listen, *FAST)
    with (
        (home / "log").open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log, cwd="/", start_new_session=True, **runner) as server,
    ):
        try:
            _wait_until_ready(home, server)
            yield
        finally:
            server.send_signal(signal.SIGINT)  # ends open sessions
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)


def _wait_until_ready(home: Path, server: "subprocess.Popen[bytes]") -> None:
    state = home / "data" / "postmaster.pid"
    deadline = time.monotonic() + 20
    while not (state.exists() and state.read_text().rstrip().endswith("ready")):
        if server.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"PostgreSQL did not start:\n{(home / 'log').read_text()}")
        time.sleep(0.02)


def main(command: Sequence[str]) -> int:
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(143))
    with cluster() as url:
        return subprocess.run(command, env=os.environ | {"TEST_DATABASE_URL": url}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
