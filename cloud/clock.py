"""The one clock. Code that waits or compares times is handed one; tests hand in their own."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """The present as an aware UTC time."""
    return datetime.now(UTC)
