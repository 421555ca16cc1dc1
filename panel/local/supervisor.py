"""Keeps the children running: starts them, starts again what dies, ends them all in time."""

import contextlib
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType

from panel.local.children import Child, Program
from panel.settings.paths import Paths

TICK_S = 0.1
# All are gone within 5 s: first whoever works on the data, then the store.
KILL_AFTER_S = 3.0
KILL_STORE_AFTER_S = 1.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 10.0
STEADY_AFTER_S = 30.0
TOO_OFTEN = 5


class CannotGoOn(Exception):
    """The house does not come up, as one sentence that says where to look."""


class _Place:
    """Where one program stands, with how its children fared."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self.started_at = time.monotonic()
        self.again_at: float | None = None
        self.deaths = 0

    @property
    def name(self) -> str:
        return self.child.program.name

    def died(self) -> None:
        now = time.monotonic()
        if now - self.started_at > STEADY_AFTER_S:
            self.deaths = 0
        self.again_at = now + min(FIRST_PAUSE_S * 2**self.deaths, LONGEST_PAUSE_S)
        self.deaths += 1

    def start_again(self, files: Paths) -> None:
        self.child = Child(self.child.program, files)
        self.started_at, self.again_at = time.monotonic(), None


class Supervisor:
    """The parent of all processes of `script/up`. One thread; signals only raise a flag."""

    def __init__(self, files: Paths) -> None:
        self._files = files
        self._places: list[_Place] = []
        self.is_ending = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # nohup means it; but a shell's `&` makes a child deaf to Ctrl-C, and whoever sends SIGINT means it too.
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._end)

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self.is_ending = True

    def start(self, program: Program, adopted: int | None = None) -> None:
        """Start a program, or adopt its process, and keep it running."""
        self._places.append(_Place(Child(program, self._files, adopted)))

    def run_once(self, program: Program) -> None:
        """Run a program to its end. Raises CannotGoOn when it fails."""
        child = Child(program, self._files)
        try:
            while child.exit_code is None and not self.is_ending:
                time.sleep(TICK_S / 10)
        finally:
            child.forget()
        if child.exit_code and not self.is_ending:
            raise CannotGoOn(f"Tidepool cannot start; the reason stands at the end of {self._log(program.name)}.")

    def wait_for(self, *conditions: Callable[[], bool]) -> bool:
        """Until all conditions held once; False when a signal came first. Raises CannotGoOn."""
        waiting = list(conditions)
        while waiting and not self.is_ending:
            self._look_after()
            for place in self._places:
                if place.deaths >= TOO_OFTEN:
                    raise CannotGoOn(f"{place.name} does not start; the reason stands in {self._log(place.name)}.")
            waiting = [condition for condition in waiting if not condition()]
            time.sleep(TICK_S / 4 if waiting else 0)
        return not self.is_ending

    def watch(self) -> None:
        """Go on until a signal says to end."""
        while not self.is_ending:
            self._look_after()
            time.sleep(TICK_S)

    def _look_after(self) -> None:
        for place in self._places:
            if place.again_at is None:
                ended = place.child.how_it_ended()
                if ended:
                    place.child.forget()
                    place.died()
                    say(f"{place.name} {ended}; starting it again.")
            elif time.monotonic() >= place.again_at:
                place.start_again(self._files)

    def end_all(self) -> None:
        """The store last: the others may still have something to say to it."""
        children = [place.child for place in self._places if place.again_at is None]
        _end_together([child for child in children if child.program.dies_with_us], KILL_AFTER_S)
        _end_together([child for child in children if not child.program.dies_with_us], KILL_STORE_AFTER_S)

    def _log(self, name: str) -> str:
        return str(self._files.logs / f"{name}.log")


def _end_together(children: list[Child], patience_s: float) -> None:
    for child in children:
        child.tell(signal.SIGTERM)
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline and not all(child.how_it_ended() for child in children):
        time.sleep(TICK_S / 5)
    for child in children:
        child.forget()
    deadline = time.monotonic() + 0.5  # killed: this does not last
    while time.monotonic() < deadline and not all(child.how_it_ended() for child in children):
        time.sleep(TICK_S / 10)


def say(sentence: str) -> None:
    """One line for the person at the terminal, who may have gone."""
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{sentence}\n")
        sys.stderr.flush()
