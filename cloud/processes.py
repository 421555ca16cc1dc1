"""Signs of life of workers and sweepers, for the health page and for whoever must know that a sender is dead."""

import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from datetime import datetime
from functools import cache

from django.db import Error, close_old_connections, connection

from cloud.clock import Clock
from cloud.models import Process
from cloud.timing import Timing, seconds

log = logging.getLogger(__name__)
EX_TEMPFAIL = 75


def label() -> str:
    """This process, in a word that no other process ever has: a process id alone is given again."""
    return _label(os.getpid())


@cache
def _label(pid: int) -> str:
    return f"{socket.gethostname()[:80]}:{pid}:{secrets.token_hex(4)}"


def worker_lives(now: datetime) -> None:
    lives(Process.Kind.WORKER, now)


def lives(kind: str, now: datetime) -> None:
    """Note that this process is alive."""
    Process.objects.update_or_create(
        label=label(),
        defaults={"kind": kind, "seen_at": now},
        create_defaults={"kind": kind, "seen_at": now, "started_at": now},
    )


def is_gone(sender: str, sent_at: datetime, now: datetime, pace: Timing) -> bool:
    """True when the process that sent something then has given no sign for so long that nothing of it can still leave.

    One without a row was forgotten, or never had a heart: that is known when it sent before the oldest row kept.
    """
    seen_at = Process.objects.filter(label=sender).values_list("seen_at", flat=True).first()
    if seen_at is None:
        return sent_at <= now - seconds(_kept_s(pace))
    return seen_at <= now - seconds(pace.sender_gone_s)


def forget_old(now: datetime, pace: Timing) -> None:
    """Drop the rows of processes that have long been dead."""
    Process.objects.filter(seen_at__lt=now - seconds(_kept_s(pace))).delete()


def _kept_s(pace: Timing) -> float:
    return 2 * pace.sender_gone_s


class Heart:
    """A thread that says that this process lives, and ends the process when it could not say so for too long.

    A process that others presume dead must be: what it has half done, they look for and may send again. `end` is how a
    process ends without asking anybody; `also` runs after each beat, for what could not be saved before.
    """

    def __init__(
        self,
        kind: str,
        clock: Clock,
        pace: Timing,
        *,
        end: Callable[[int], object] = os._exit,
        also: Callable[[], object] = lambda: None,
    ) -> None:
        self._kind, self._clock, self._pace, self._end, self._also = kind, clock, pace, end, also
        self._stopped = threading.Event()
        self._beaten = time.monotonic()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._beat_on, self._watch)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopped.set()

    def _beat_on(self) -> None:
        while not self._stopped.is_set():
            try:
                lives(self._kind, self._clock())
                self._beaten = time.monotonic()
                self._also()
            except Error:
                log.warning("the database takes no heartbeat")
            close_old_connections()
            self._stopped.wait(self._pace.heartbeat_s)
        connection.close()  # this thread's own

    def _watch(self) -> None:
        """A thread of its own: a database that hangs holds the other one."""
        while not self._stopped.wait(self._pace.heartbeat_s / 2):
            if time.monotonic() - self._beaten > self._pace.watchdog_s:
                log.error(
                    "no heartbeat for %g s: this process ends, another will take up its work", self._pace.watchdog_s
                )
                self._end(EX_TEMPFAIL)
