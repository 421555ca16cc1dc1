"""A PostgreSQL that can be killed and started again: what it said is committed must be on disk."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from panel.local.ports import any_free
from tests.support import postgres


class Server:
    """A context: a cluster of its own, removed with the block."""

    def __init__(self) -> None:
        folder = postgres.programs()
        assert folder, "PostgreSQL's programs are not there"
        self._programs, self._port = folder, any_free()
        self._home = Path(tempfile.mkdtemp(prefix="tp-pg-"))
        self._as: dict[str, Any] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"postgresql://tidepool@127.0.0.1:{self._port}/postgres"

    def __enter__(self) -> "Server":
        if os.getuid() == 0:  # PostgreSQL refuses to run as root
            entry = next(each for each in pwd.getpwall() if each.pw_name in postgres.OTHER_USERS)
            self._as = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
            os.chown(self._home, entry.pw_uid, entry.pw_gid)
        words = ("-D", self._home / "data", "-U", "tidepool", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        initdb = (self._programs / "initdb", *words)
        subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, cwd="/", **self._as)
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        shutil.rmtree(self._home, ignore_errors=True)

    def start(self) -> None:
        words = ("-D", self._home / "data", "-k", self._home, "-p", str(self._port), "-h", "127.0.0.1")
        with (self._home / "log").open("ab") as log:
            self._process = subprocess.Popen(
                (self._programs / "postgres", *words),
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                **self._as,
            )
        state, deadline = self._home / "data" / "postmaster.pid", time.monotonic() + 30
        while not (state.exists() and state.read_text().rstrip().endswith("ready")):
            assert time.monotonic() < deadline, (self._home / "log").read_text()
            time.sleep(0.02)

    def kill(self) -> None:
        """All of its processes at once, as a power cut would; what the system had not written yet may be lost."""
        if self._process and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            (self._home / "data" / "postmaster.pid").unlink(missing_ok=True)
