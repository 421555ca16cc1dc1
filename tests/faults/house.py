"""One running house: the processes of `script/up`, and hands on them. See keeper.py."""

import os
import queue
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from panel.local import ports
from panel.settings.paths import Paths
from tests.support.early import BASE
from tests.support.processes import environment

START_S = 90.0


@dataclass
class House:
    """`scale` is how much faster its clocks run; `owner` is who may sign in; pids are looked up at each call."""

    process: "subprocess.Popen[str]"
    files: Paths
    port: int
    scale: float
    database_url: str
    lines: "queue.Queue[str]" = field(default_factory=queue.Queue)
    owner: tuple[str, str] = ("", "")
    worker_names: tuple[str, ...] = ("worker",)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def sandbox_url(self) -> str:
        return f"http://127.0.0.1:{(self.files.data / 'sandbox_port').read_text().strip()}"

    @property
    def sandbox_key(self) -> str:
        return (self.files.keys / "sandbox_key").read_text().strip()

    def tell(self, *words: str) -> None:
        """Say something to the keeper."""
        if self.process.stdin:
            self.process.stdin.write(" ".join(words) + "\n")
            self.process.stdin.flush()

    def pid(self, name: str) -> int | None:
        try:
            return int((self.files.run / f"{name}.pid").read_text())
        except (FileNotFoundError, ValueError):
            return None

    def workers(self) -> dict[str, int]:
        """Those that run, by name."""
        found = {name: self.pid(name) for name in self.worker_names}
        return {name: pid for name, pid in found.items() if pid}

    def name_of(self, pid: int) -> str:
        """The kind of process (web, worker, sweeper …) that has this id; "" when none of ours."""
        for path in self.files.run.glob("*.pid"):
            if self.pid(path.stem) == pid:
                return path.stem.rstrip("0123456789")
        return ""

    def signal(self, name: str, number: signal.Signals) -> int | None:
        """Send it to the one process; its id, None when there is none now."""
        pid = self.pid(name)
        if pid is not None:
            send(pid, number)
        return pid

    def kill(self, name: str) -> int | None:
        return self.signal(name, signal.SIGKILL)

    @contextmanager
    def frozen(self, *names: str) -> Iterator[None]:
        """These processes stand still meanwhile, none of them with SQLite's one lock of all writers in its hand."""
        deadline = time.monotonic() + 10
        while True:
            pids = [pid for name in names if (pid := self.signal(name, signal.SIGSTOP))]
            try:
                if self._is_writable() or time.monotonic() > deadline:
                    yield
                    return
            finally:
                for pid in pids:
                    send(pid, signal.SIGCONT)
            time.sleep(0.05)

    def _is_writable(self) -> bool:
        """Can somebody write within a second? On PostgreSQL nobody waits for a whole database."""
        if not self.database_url.startswith("sqlite"):
            return True
        path = self.database_url.removeprefix("sqlite:///")
        with closing(sqlite3.connect(path, timeout=1, isolation_level=None)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return False
            connection.rollback()
        return True

    @contextmanager
    def away(self, name: str) -> Iterator[None]:
        """This process is killed and stays away meanwhile."""
        self.tell("hold", name)
        until(lambda: self._is_held_down(name), 10)
        try:
            yield
        finally:
            self.tell("free", name)
            until(lambda: self.pid(name), 10)

    def _is_held_down(self, name: str) -> bool:
        time.sleep(0.05)  # the keeper hears within a tick
        self.kill(name)
        time.sleep(0.05)
        return self.pid(name) is None

    def forget_store(self) -> None:
        """The store's files are lost. Only while it is away."""
        shutil.rmtree(self.files.store / "appendonlydir", ignore_errors=True)

    def flush_store(self) -> None:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(str(self.files.socket))
            connection.sendall(b"FLUSHALL\r\n")
            connection.recv(100)

    def answers(self) -> bool:
        return ports.status_of(self.port, "/healthz") == 200

    def log_tail(self, name: str, lines: int = 30) -> str:
        try:
            return "\n".join((self.files.logs / f"{name}.log").read_text(errors="replace").splitlines()[-lines:])
        except FileNotFoundError:
            return ""


def send(pid: int, number: signal.Signals) -> bool:
    """False when that process is gone already."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def until(condition: Callable[[], object], within_s: float, every_s: float = 0.02) -> bool:
    """Wait until it holds; False when it did not in time."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every_s)
    return True


@contextmanager
def house(
    folder: Path,
    *,
    scale: float = 20,
    machines: int = 60,
    calls: float = 60,
    database_url: str = "",
    workers: int = 1,
    **variables: str,
) -> Iterator[House]:
    """A house that said `ready`, all of it ended with the block. `folder` is kept."""
    port, files = ports.any_free(), Paths(folder / "data")
    more = {"DATABASE_URL": database_url} if database_url else {}
    known = environment(TIDEPOOL_TIME_SCALE=str(scale), BLUELOBSTER_CALLS_PER_SECOND=str(calls), **more, **variables)
    words = ("--data", str(files.data), "--port", str(port), "--machines", str(machines), "--speed", str(scale))
    folder.mkdir(parents=True, exist_ok=True)
    with (
        (folder / "keeper.log").open("w") as log,
        subprocess.Popen(
            [sys.executable, "-m", "tests.faults.keeper", *words],
            cwd=BASE, env=known, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
        ) as process,
    ):  # fmt: skip
        found = House(process, files, port, scale, database_url or f"sqlite:///{files.database}")
        threading.Thread(target=_read, args=(process, found.lines), daemon=True).start()
        try:
            ready = found.lines.get(timeout=START_S)
            said = dict(word.split("=", 1) for word in ready.split() if "=" in word)
            assert said, f"{(folder / 'keeper.log').read_text()}\n{found.log_tail('first_run')}{found.log_tail('web')}"
            found.owner = said["user"], said["password"]
            for number in range(2, workers + 1):
                found.tell("more", "worker")
                found.worker_names += (f"worker{number}",)
            yield found
        finally:
            _end(process)


def _read(process: "subprocess.Popen[str]", lines: "queue.Queue[str]") -> None:
    for line in process.stdout or ():
        lines.put(line.rstrip("\n"))
    lines.put("")


def _end(process: "subprocess.Popen[str]") -> None:
    if process.stdin:
        process.stdin.close()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()  # and with it, by the kernel, all that it started
        process.wait()
