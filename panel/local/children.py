"""One child process: started in a group of its own, ended as a group, found again after a killed run."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from panel.settings.paths import BASE, Paths

LOG_LIMIT_BYTES = 5_000_000
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Program:
    """What to run under which name. `dies_with_us`: the kernel ends it when the supervisor is killed (Linux)."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    dies_with_us: bool = True


class Child:
    """A running program: a process that we started, or one that an earlier run left and we adopt."""

    def __init__(self, program: Program, files: Paths, adopted: int | None = None) -> None:
        self.program, self._files = program, files
        self._process: subprocess.Popen[bytes] | None = None
        self.pid = adopted or self._start()

    def _start(self) -> int:
        with _log(self._files.logs / f"{self.program.name}.log") as log:
            self._process = subprocess.Popen(
                self.program.command,
                cwd=BASE,
                env=self.program.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with(os.getpid()) if self.program.dies_with_us else None,  # noqa: PLW1509 -- one thread
            )
        _pid_file(self._files, self.program.name).write_text(str(self._process.pid))
        return self._process.pid

    def how_it_ended(self) -> str | None:
        """In words, None while it runs."""
        if self._process is None:
            return None if command_of(self.pid) else "is gone"
        code = self._process.poll()
        if code is None:
            return None
        return f"ended by signal {-code}" if code < 0 else f"ended with exit code {code}"

    @property
    def exit_code(self) -> int | None:
        return self._process.poll() if self._process else None

    def tell(self, number: signal.Signals) -> None:
        """A signal to the whole group; to the one process where an adopted one leads none."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if self._process or os.getpgid(self.pid) == self.pid:
                os.killpg(self.pid, number)
            else:
                os.kill(self.pid, number)

    def forget(self) -> None:
        """The leader is gone: nothing of its group may stay."""
        self.tell(signal.SIGKILL)
        _pid_file(self._files, self.program.name).unlink(missing_ok=True)


def end_left_behind(program: Program, files: Paths) -> None:
    """End this program when a killed run left it behind. We hold the data folder's lock: nobody else needs it."""
    try:
        pid = int(_pid_file(files, program.name).read_text())
    except (FileNotFoundError, ValueError):
        return
    if " ".join(program.command[1:4]) in command_of(pid):  # not a stranger that was given the number since
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
    _pid_file(files, program.name).unlink(missing_ok=True)


def command_of(pid: int) -> str:
    """The command line of a living process, empty when there is none."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except FileNotFoundError:
        if sys.platform == "linux":
            return ""
    found = subprocess.run(["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return found.stdout.strip()


def _pid_file(files: Paths, name: str) -> Path:
    return files.run / f"{name}.pid"


@contextlib.contextmanager
def _log(path: Path) -> Iterator[BinaryIO]:
    """The program's log, for appending; one that grew too large becomes `.old`."""
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_size > LOG_LIMIT_BYTES:
            path.replace(path.with_suffix(".old.log"))
    with path.open("ab") as log:
        yield log


def die_with(parent: int) -> Callable[[], None] | None:
    """For the child, before it runs its program: ask the kernel to kill it when the supervisor dies."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl

    def ask() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it died before we could ask
            os._exit(1)

    return ask
