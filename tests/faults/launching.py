"""One launch under their hands: as scene.py, for a machine that is not there yet."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.faults.book import Machine
from tests.faults.door import LAUNCHES, Request, launch_fault
from tests.faults.house import until
from tests.faults.person import NoAnswer
from tests.faults.scene import Scene

CREW = "Crew"  # what is launched belongs to it, what is only found to Default
NOBODY = Machine(0, "", "", "", None, 0, "", 0, is_awaited=False)
TOLD = ("is taken", "is promised")  # the two ways in which a name is refused in words


@dataclass
class LaunchScene(Scene):
    """`places` are the pages that the form and its repeats led to: one, whoever was first."""

    machine: Machine = NOBODY
    team: int = 0
    places: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._before = len(self._commits())  # asked now: a blow may stop the provider before the form is sent

    def send_form(self) -> httpx.Response:
        answer = self.person.insist_launch(self.ask.kind, self.ask.name, self.key, self.team)
        if answer.status_code == 302:
            self.places.add(answer.headers["location"])
        elif answer.status_code == 422:
            self.notes.append(" / ".join(errors(answer)))
        return answer

    def spoil_write(self, kind: str, when: str, **more: Any) -> None:
        self.rules += self.door.add_faults(launch_fault(kind, when, self.ask.name, **more))

    def is_mine(self, call: Request) -> bool:
        return call.name == self.ask.name

    def committed(self, within_s: float = 6.0) -> bool:
        return until(lambda: len(self._commits()) > self._before, within_s, every_s=0.02)

    def play(self) -> None:
        """Send the form, and what comes beside it, with the faults that were drawn for it."""
        rules = [launch_fault(name=self.ask.name, **each) for each in self.ask.breaks]
        rules += [{"when": "before_commit", **each} for each in self.ask.reads]
        if rules:
            self.rules += self.door.add_faults(*rules)
        with ThreadPoolExecutor(4) as pool:
            forms = [pool.submit(self.submit)]
            forms += [pool.submit(self._repeat) for _ in range(self.ask.repeats)]
            for form in forms:
                form.result()
        self.come_beside()

    def come_beside(self) -> None:
        """Another form with the same name, once this one was taken."""
        if self.ask.has_twin and 302 in self.answers:
            with suppress(NoAnswer):
                answer = self.person.insist_launch("launch", self.ask.name, uuid.uuid4().hex, self.team)
                is_told = answer.status_code == 422 and any(word in answer.text for word in TOLD)
                self.rivals.append(422 if is_told else answer.status_code or -1)

    def _repeat(self) -> None:
        with suppress(NoAnswer):
            self.send_form()

    def _commits(self) -> list[object]:
        name = self.ask.name
        return [each for each in self.door.commits() if each.endpoint in LAUNCHES and each.params.get("name") == name]


def errors(answer: httpx.Response) -> list[str]:
    """The lines of a refused form that say why."""
    lines = [line.strip() for line in answer.text.splitlines()]
    return [line[:200] for line in lines if "error" in line.lower()][:6]
