"""One operation under the hands of a kill point: its form is sent, its row is watched, a process is struck."""

import signal
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.faults.book import Book, Machine, Operation
from tests.faults.door import Door, Request, fault
from tests.faults.house import House, send, until
from tests.faults.person import NoAnswer, Person
from tests.faults.plans import Ask

SENDING = "sending"


@dataclass(frozen=True)
class Hit:
    """What a blow met: the process, what it did to it, and the state of the operation's row just then."""

    point: str
    process: str
    state: str
    is_owner: bool = False  # the row was in the struck process's hands
    was_on_wire: bool = False  # its request had reached the provider

    @property
    def hit_sending(self) -> bool:
        return self.state == SENDING and self.is_owner


@dataclass
class Scene:
    """`answers` are the statuses that the form got; `notes` is what went otherwise than meant."""

    house: House
    book: Book
    door: Door
    person: Person
    ask: Ask
    machine: Machine
    key: str = field(default_factory=lambda: uuid.uuid4().hex)
    answers: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    rivals: list[int] = field(default_factory=list)  # the statuses that somebody else's form got meanwhile
    rules: list[int] = field(default_factory=list)  # of the sandbox, to be cleared in the end
    sent: threading.Thread | None = None

    def submit(self) -> None:
        """Send the form until it is answered."""
        for _ in range(200):
            try:
                answer = self.send_form()
            except NoAnswer as error:
                self.notes.append(str(error))
                return
            # 422: the name that was typed is not the machine's any more, a rename came between.
            if answer.status_code == 422 and self.ask.kind == "delete" and "typed" not in self.notes:
                self.notes.append("typed")
                continue
            self.answers.append(answer.status_code)
            if answer.status_code != 409:
                return
            time.sleep(0.2)  # the operation before it is about to end

    def send_form(self) -> httpx.Response:
        """Until it is answered. Raises NoAnswer."""
        return self.person.insist(self.machine.id, self.ask.kind, self.key, **self._words())

    def _words(self) -> dict[str, str]:
        if self.ask.kind == "rename":
            return {"name": self.ask.name}
        if self.ask.kind == "delete":
            row = next(iter(self.book.machines("id = ?", self.machine.id)), self.machine)
            return {"name": row.name}
        return {}

    def submit_meanwhile(self) -> None:
        self.sent = threading.Thread(target=self.submit, daemon=True)
        self.sent.start()

    @property
    def is_sending(self) -> bool:
        """Its form has no answer yet."""
        return self.sent is not None and self.sent.is_alive()

    def row(self) -> Operation | None:
        return self.book.operation(self.key)

    def reach(self, *states: str, within_s: float = 12.0) -> Operation | None:
        """The row once it is in one of these states; None when it was not in time."""
        found: list[Operation] = []

        def is_there() -> bool:
            row = self.row()
            if row is not None and (not states or row.state in states):
                found.append(row)
            return bool(found) or (row is not None and row.is_over)

        until(is_there, within_s, every_s=0.003)
        if not found:
            self.notes.append(f"{self.ask.point}: never {' or '.join(states)}")
        return found[0] if found else None

    def spoil_write(self, kind: str, when: str, **more: Any) -> None:
        """Let the one write of this operation go wrong."""
        self.rules += self.door.add_faults(fault(kind, when, self.machine.provider_id, asks=self.ask.kind, **more))

    def is_mine(self, call: Request) -> bool:
        """Is it about this operation's machine?"""
        return call.machine == self.machine.provider_id

    def calls(self, is_wanted: Callable[[Request], bool], within_s: float = 6.0) -> bool:
        """Until such a call is at the provider."""
        return until(lambda: any(is_wanted(each) for each in self.door.recent()), within_s, every_s=0.01)

    def committed(self, within_s: float = 6.0) -> bool:
        """Until its write took effect."""
        machine = self.machine.provider_id
        return until(lambda: self.door.commits(machine), within_s, every_s=0.02)

    def strike(self, *names: str, number: signal.Signals = signal.SIGKILL) -> Hit:
        """Strike these processes now; what the row was then."""
        pids = {name: pid for name in names if (pid := self.house.signal(name, number))}
        return self._hit({name.rstrip("0123456789") for name in pids}, set(pids.values()))

    def strike_owner(self, row: Operation | None, number: signal.Signals = signal.SIGKILL) -> Hit:
        """Strike the process that had the row when it was read."""
        pid = row.owner_pid if row else None
        if pid is None or not send(pid, number):
            self.notes.append(f"{self.ask.point}: nobody to strike")
            return Hit(self.ask.point, "", row.state if row else "")
        name = self.house.name_of(pid) or "worker"
        return self._hit({name}, {pid})

    def _hit(self, names: set[str], pids: set[int]) -> Hit:
        row = self.row()
        is_owner = row is not None and row.owner_pid in pids
        return Hit(
            self.ask.point, "+".join(sorted(names)), row.state if row else "(no row)", is_owner, self._is_on_wire()
        )

    def _is_on_wire(self) -> bool:
        """Has its write reached the provider? A frozen one says nothing: it has not."""
        try:
            calls = self.door.recent(timeout_s=1.0)
        except httpx.HTTPError:
            return False
        return any(self.is_mine(call) and call.method != "GET" for call in calls)
