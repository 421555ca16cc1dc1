"""Two times: the wall clock that is shown, and played seconds that run `speed` times as fast."""

from collections.abc import Callable
from datetime import UTC, datetime


def iso(at: float) -> str:
    """A wall clock moment (epoch seconds) as the provider writes it: `2024-01-15T10:30:00Z`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class SandboxClock:
    """Durations are counted in played seconds, so a launch of 90 s takes 9 s of wall time at speed 10.

    The anchors are saved with the state: played time runs on while the process is down.
    """

    def __init__(
        self, wall: Callable[[], float], *, speed: float, wall_anchor: float | None = None, played_anchor: float = 0.0
    ) -> None:
        self._wall = wall
        self.speed = speed
        self.wall_anchor = wall() if wall_anchor is None else wall_anchor
        self.played_anchor = played_anchor

    def now(self) -> float:
        """Wall clock, epoch seconds."""
        return self._wall()

    def played(self) -> float:
        """Played seconds since the state was made."""
        return self.played_anchor + (self.now() - self.wall_anchor) * self.speed

    def shown_at(self, played: float) -> float:
        """The wall clock moment of a played moment, never in the future."""
        return min(self.now(), self.wall_anchor + (played - self.played_anchor) / self.speed)

    def set_speed(self, speed: float) -> None:
        """Change the pace from now on; what has been played stays played."""
        self.played_anchor, self.wall_anchor = self.played(), self.now()
        self.speed = speed
