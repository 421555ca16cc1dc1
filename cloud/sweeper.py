"""Finds what is due and has it done: by a message to the workers, or by itself while the broker is away.

Any number may run; one holds the lease and sweeps. There is no schedule beside it: periodic work is a row that is due.
"""

import logging
import threading
from dataclasses import dataclass
from datetime import datetime

from django.db import Error, close_old_connections

from cloud import knock, processes, refresh, schedule
from cloud.clock import Clock
from cloud.models import Lease
from cloud.operations import claims, engine
from cloud.ports import ports
from cloud.timing import Timing, seconds

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Announced:
    """What workers were told of, `times` in a row without any of them taking it up; since when it is due."""

    at: datetime
    times: int
    since: datetime | None = None


class Sweeper:
    """One sweeping process. `run` goes on until `stopped` is set."""

    def __init__(self, clock: Clock, pace: Timing, stopped: threading.Event) -> None:
        self.clock, self.pace, self.stopped = clock, pace, stopped
        self._announced: dict[int | str, Announced] = {}
        self._canary_at: datetime | None = None
        self._held_until: datetime | None = None
        self._tidied_at: datetime | None = None

    def run(self) -> None:
        while not self.stopped.is_set():
            try:
                self.sweep(self.clock())
            except Error:  # of the connection too, which is no DatabaseError
                log.exception("the database does not answer; trying again")
            except Exception:
                log.exception("a round of sweeping failed; the next one comes")
            close_old_connections()
            self.stopped.wait(self.pace.sweep_s)

    def sweep(self, now: datetime) -> int:
        """One round: how many due parts were handed on. Does nothing while another sweeper holds the lease."""
        if not self._holds_lease(now):
            return 0
        self._sing(now)
        self._checkpoint(now)
        parts, operations = schedule.due(now), claims.due_since(now, self.pace)
        self._announced = {pk: self._announced[pk] for pk in (*parts, *operations) if pk in self._announced}
        # What people asked for goes first; both are told at once when the broker is there.
        handed = [pk for pk, since in operations.items() if self._is_news(pk, now, since)]
        for pk in handed:
            self._note(pk, now, operations[pk])
            if not knock.knock_operations([pk]):
                engine.advance(pk, self.clock)
        due = [pk for pk in parts if self._is_news(pk, now)]
        for part in due:
            self._note(part, now)
            if not knock.knock([part]):
                refresh.run(part, self.clock)
        return len(due) + len(handed)

    def _note(self, pk: int | str, now: datetime, since: datetime | None = None) -> None:
        last = self._announced.get(pk)
        times = last.times + 1 if last and last.since == since else 1
        self._announced[pk] = Announced(now, times, since)

    def _checkpoint(self, now: datetime) -> None:
        """Signing may fail for want of a key or of a disk: what people asked for goes on."""
        try:
            ports().checkpoint(now)
        except Error:
            raise
        except Exception:
            log.exception("the record's end could not be signed")

    def _holds_lease(self, now: datetime) -> bool:
        """Taken for a while and renewed at its half: one write in some seconds, not one a round."""
        half = seconds(self.pace.sweeper_lease_s / 2)
        if self._held_until is None or now > self._held_until - half:
            is_ours = Lease.take("sweeper", processes.label(), now, self.pace.sweeper_lease_s)
            self._held_until = now + 2 * half if is_ours else None
        return self._held_until is not None

    def _is_news(self, pk: int | str, now: datetime, since: datetime | None = None) -> bool:
        """What was announced a moment ago is on its way: more messages would only fill the queue.

        What is due since another time was taken up meanwhile, and is due anew. With no worker there for hours they are
        told ever more rarely, up to 16 times the usual pause.
        """
        last = self._announced.get(pk)
        if last is None or last.since != since:
            return True
        return last.at <= now - seconds(self.pace.knock_again_s * min(2 ** (last.times - 1), 16))

    def _sing(self, now: datetime) -> None:
        if self._canary_at and self._canary_at > now - seconds(self.pace.canary_s):
            return
        self._canary_at = now
        knock.canary()
        processes.forget_old(now, self.pace)
        if self._tidied_at is None or self._tidied_at < now - seconds(self.pace.tidy_s):
            self._tidied_at = now
            ports().tidy()
