"""Ends of attempts that the database did not take. Without them nobody could know that their sender is done."""

import threading
from typing import Any

from cloud.operations.models import Attempt

_lock = threading.Lock()
_ends: dict[int, dict[str, Any]] = {}


def keep(attempt_id: int, ended: dict[str, Any]) -> None:
    with _lock:
        _ends[attempt_id] = ended


def save() -> None:
    """Called after each heartbeat. Raises the database's errors; what was not saved stays."""
    with _lock:
        ends = dict(_ends)
    for attempt_id, ended in ends.items():
        Attempt.objects.filter(pk=attempt_id, ended_at=None).update(**ended)
        with _lock:
            _ends.pop(attempt_id, None)
