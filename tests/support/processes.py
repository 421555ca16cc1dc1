"""The real thing for tests: `script/up`'s own processes on free ports in a temporary folder, always ended."""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from panel.local.children import command_of
from panel.local.ports import any_free
from panel.settings.paths import Paths
from tests.support.early import BASE

START_S, END_S = 60.0, 5.0
OURS = ("uvicorn", "celery", "manage.py", "cloud.sandbox", "valkey-server", "redis-server")
HIDDEN = ("TIDEPOOL_", "BLUELOBSTER_", "DATABASE_URL", "REDIS_URL", "EMAIL_", "DJANGO_")


def environment(**more: str) -> dict[str, str]:
    """A person's environment: nothing of these tests' own, but for the static files that are collected already."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(HIDDEN)}
    return kept | {"TIDEPOOL_STATIC_ROOT": str(BASE / "build" / "static")} | more


def command(data: Path, port: int, *words: str) -> list[str]:
    return [sys.executable, "-m", "panel.local", "--data", str(data), "--port", str(port), *words]


@dataclass
class Stack:
    """A running `script/up`. `lines` is what it said on standard output."""

    process: "subprocess.Popen[str]"
    port: int
    files: Paths
    lines: "queue.Queue[str]" = field(default_factory=queue.Queue)
    ready: str = ""

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def owner(self) -> tuple[str, str]:
        """Address and password of the first person, as printed."""
        words = dict(word.split("=", 1) for word in self.ready.split() if "=" in word)
        return words["user"], words["password"]

    def children(self) -> dict[str, int]:
        """Process ids by name."""
        return {path.stem: int(path.read_text()) for path in self.files.run.glob("*.pid")}

    def end(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Send the signal; how many seconds it took until the supervisor was gone."""
        began = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(END_S * 3)
        return time.monotonic() - began


@contextmanager
def stack(data: Path, *words: str, port: int = 0, **variables: str) -> Iterator[Stack]:
    """A started stack that said `ready`; ended with the block, whatever happened."""
    port = port or any_free()
    process = subprocess.Popen(
        command(data, port, *words),
        cwd=BASE,
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    running = Stack(process, port, Paths(data))
    reader = threading.Thread(target=_read, args=(process, running.lines), daemon=True)
    reader.start()
    try:
        running.ready = running.lines.get(timeout=START_S)
        assert running.ready, process.stderr.read() if process.stderr else ""
        yield running
    finally:
        _end(running)
        reader.join(2)
        for pipe in (process.stdout, process.stderr):
            if pipe:
                pipe.close()


def _read(process: "subprocess.Popen[str]", lines: "queue.Queue[str]") -> None:
    """Line after line; an empty one at the end."""
    if process.stdout:
        for line in process.stdout:
            lines.put(line.rstrip("\n"))
    lines.put("")


def _end(running: Stack) -> None:
    """Nothing that we started may stay, even when the supervisor did not do its work."""
    children = running.children()
    if running.process.poll() is None:
        running.process.terminate()
        try:
            running.process.wait(END_S * 2)
        except subprocess.TimeoutExpired:
            running.process.kill()
            running.process.wait()
    for pid in children.values():
        if any(word in command_of(pid) for word in OURS):
            os.kill(pid, signal.SIGKILL)


def eventually(condition: Callable[[], object], within_s: float = 15) -> None:
    """Wait until the condition holds."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {within_s:g} s"
        time.sleep(0.05)


def refused(data: Path, *words: str, port: int = 0, **variables: str) -> str:
    """What a start says that must be refused: one sentence on stderr, nothing on stdout, exit code 2."""
    done = subprocess.run(
        command(data, port or any_free(), *words),
        cwd=BASE,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, ""), done
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def variables_of(pid: int) -> Mapping[str, str]:
    """The environment that a process was started with (Linux)."""
    pairs = Path(f"/proc/{pid}/environ").read_text().split("\0")
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)
