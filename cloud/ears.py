"""A worker that hears nothing ends itself, and is started anew.

Celery's consumer sometimes does not come back when its broker does: the process lives, its heart beats, messages wait,
and nobody takes them up (celery's issues 8030, 8091 and 10205; met by `script/faults` on seed 1081). It is deaf when
messages wait, it has nothing in hand, and it took nothing up for a minute.
"""

import logging
import os
import threading
import time
from collections.abc import Callable

from redis.exceptions import RedisError

from cloud.store import store
from cloud.timing import Timing

log = logging.getLogger(__name__)
EX_TEMPFAIL = 75
QUEUE = "tidepool:celery:celery"  # panel/celery.py: its prefix, and Celery's name for the one queue


def waiting() -> int:
    """Messages that nobody has taken up. Raises RedisError."""
    return int(store().llen(QUEUE))


class Ears:
    """`took_up` and `put_down` by the pool's threads, `check` after each heartbeat. `end` is how a process ends."""

    def __init__(
        self,
        pace: Timing,
        *,
        messages: Callable[[], int] = waiting,
        end: Callable[[int], object] = os._exit,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pace, self._messages, self._end, self._clock = pace, messages, end, clock
        self._lock = threading.Lock()
        self._in_hand, self._heard_at = 0, clock()
        self._waits_since: float | None = None

    def took_up(self, **_signal: object) -> None:
        with self._lock:
            self._in_hand, self._heard_at = self._in_hand + 1, self._clock()

    def put_down(self, **_signal: object) -> None:
        with self._lock:
            self._in_hand, self._heard_at = self._in_hand - 1, self._clock()

    def check(self) -> None:
        """End the process when it is deaf. A broker that is away says nothing of our ears."""
        try:
            is_waited = not self._in_hand and self._messages() > 0
        except RedisError:
            is_waited = False
        now = self._clock()
        self._waits_since = (now if self._waits_since is None else self._waits_since) if is_waited else None
        if self._waits_since is None or now - max(self._waits_since, self._heard_at) < self._pace.worker_healthy_s:
            return
        log.error("messages wait and none is heard for %g s: this process ends", self._pace.worker_healthy_s)
        self._end(EX_TEMPFAIL)
