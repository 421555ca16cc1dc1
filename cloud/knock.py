"""Tells workers that something is due. Never raises into its caller, and remembers for a while that nobody opens.

The row is due with or without the message; what a lost knock leaves behind, the sweeper finds. Tasks are named, not
imported: whoever knocks need not know what the workers do.
"""

import logging
import time
from collections.abc import Iterable
from functools import cache

from celery import current_app
from celery.exceptions import OperationalError as CeleryError
from kombu import Connection
from kombu.exceptions import OperationalError as KombuError
from kombu.pools import producers
from redis.exceptions import RedisError

from cloud.timing import timing

log = logging.getLogger(__name__)
_down_until = 0.0
EXPIRES_S = 120  # who comes back after a long absence skips what was told meanwhile: the rows are still due


def knock(refresh_ids: Iterable[int]) -> bool:
    """Announce due refreshes; False when the broker is away, and the sweeper must do without it."""
    return all(_send("cloud.tasks.run_refresh", refresh_id) for refresh_id in refresh_ids)


def knock_operations(operation_ids: Iterable[str]) -> bool:
    """Announce due operations; False when the broker is away."""
    return all(_send("cloud.tasks.advance", operation_id) for operation_id in operation_ids)


def canary() -> bool:
    return _send("cloud.tasks.canary")


@cache
def _door() -> Connection:
    """A way to the broker for those who only tell: a worker waits long for messages, a click waits for nobody."""
    return current_app.connection_for_write(transport_options={"socket_timeout": 1, "socket_connect_timeout": 0.5})


def _send(task: str, *args: int | str) -> bool:
    global _down_until  # noqa: PLW0603 -- one memory a process, on purpose
    if time.monotonic() < _down_until:
        return False
    try:
        with producers[_door()].acquire(block=True) as producer:
            current_app.send_task(task, args, ignore_result=True, expires=EXPIRES_S, producer=producer)
    except (KombuError, CeleryError, RedisError, OSError) as error:
        _down_until = time.monotonic() + timing().broker_down_s
        log.warning("the broker does not answer: %s", type(error).__name__)
        return False
    return True
