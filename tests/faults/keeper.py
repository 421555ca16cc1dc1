"""The processes of `script/up` without its patience: what ends is started again at once, and on word it stays ended.

Reads words from standard input, one line each, until that is closed; then all of them end:

    hold NAME     when it ends, it stays ended
    free NAME     it is kept running again
    more NAME     one more of the same beside it, as NAME2, NAME3 …
    drop NAME     it is ended and forgotten

The supervisor of script/up waits longer after every death, up to ten seconds: right for a person, too slow for a
suite that kills something every few seconds. Everything else (commands, environment, order) is taken from it.
"""

import os
import select
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace

from panel.local import home, keys, options, ports, store
from panel.local.children import Child, Program
from panel.local.options import Options
from panel.local.programs import SANDBOX_KEY, Programs

TICK_S, PAUSE_S, START_S, END_S = 0.02, 0.1, 60.0, 3.0


class Keeper:
    def __init__(self, said: Options) -> None:
        self._said = said
        self._programs = Programs(said, os.environ)
        self._children: dict[str, Child] = {}
        self._ended_at: dict[str, float] = {}
        self._held: set[str] = set()
        self._heard = b""

    def run(self) -> None:
        try:
            self._start_all()
            person = home.first_sign_in(self._said.files)
            words = f" user={person[0]} password={person[1]}" if person else ""
            sys.stdout.write(f"ready {self._said.site_url}{words}\n")
            sys.stdout.flush()
            while self._listen():
                self._look_after()
        finally:
            self._end_all()

    def _start_all(self) -> None:
        files, programs = self._said.files, self._programs
        self._start(store.program(files, programs.common))
        self._wait(lambda: bool(store.running(files.socket)))
        port = ports.kept(files.data / "sandbox_port")
        self._start(programs.sandbox(port, home.secret_of(files.keys / SANDBOX_KEY)))
        self._run_once(programs.first_run(f"http://127.0.0.1:{port}/api/v1"))
        for program in (programs.web(), programs.worker(), programs.sweeper()):
            self._start(program)
        self._wait(lambda: ports.status_of(self._said.port, "/healthz") == 200)
        self._wait(lambda: ports.status_of(port, "/api/v1/health") > 0)

    def _start(self, program: Program) -> None:
        # With us: a killed run of tests leaves nothing behind, not even the store.
        self._children[program.name] = Child(replace(program, dies_with_us=True), self._said.files)

    def _run_once(self, program: Program) -> None:
        child = Child(program, self._said.files)
        self._wait(lambda: child.exit_code is not None)
        child.forget()
        if child.exit_code:
            raise SystemExit(f"first_run failed: see {self._said.files.logs}")

    def _wait(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_S
        while not condition():
            if time.monotonic() > deadline:
                raise SystemExit(f"the house does not come up: see {self._said.files.logs}")
            time.sleep(TICK_S)

    def _look_after(self) -> None:
        now = time.monotonic()
        for name, child in self._children.items():
            if name not in self._ended_at and child.how_it_ended():
                child.forget()
                self._ended_at[name] = now
            elif name in self._ended_at and name not in self._held and now > self._ended_at[name] + PAUSE_S:
                del self._ended_at[name]
                self._children[name] = Child(child.program, self._said.files)

    def _listen(self) -> bool:
        """Do what was said within a tick; False when nobody will say anything any more."""
        if not select.select([0], [], [], TICK_S)[0]:
            return True
        heard = os.read(0, 4096)
        *lines, self._heard = (self._heard + heard).split(b"\n")
        for line in lines:
            self._obey(*line.decode().split())
        return bool(heard)

    def _obey(self, word: str, name: str) -> None:
        if word == "hold":
            self._held.add(name)
        elif word == "free":
            self._held.discard(name)
        elif word == "more":
            number = sum(each.startswith(name) for each in self._children) + 1
            self._start(replace(self._children[name].program, name=f"{name}{number}"))
        elif word == "drop":
            child = self._children.pop(name)
            self._ended_at.pop(name, None)
            child.forget()

    def _end_all(self) -> None:
        children = [child for name, child in self._children.items() if name not in self._ended_at]
        for child in children:
            child.tell(signal.SIGCONT)
            child.tell(signal.SIGTERM)
        deadline = time.monotonic() + END_S
        while time.monotonic() < deadline and not all(child.how_it_ended() for child in children):
            time.sleep(TICK_S)
        for child in children:
            child.forget()
        self._said.files.socket.unlink(missing_ok=True)


def main() -> int:
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(143))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a person's Ctrl-C ends the suite, and that closes our input
    said = options.read(None)
    with home.claimed(said.files):
        keys.make(said.files)
        Keeper(said).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
