"""Every duration of the house in one object: real by default, scaled in tests. Seconds throughout."""

from dataclasses import dataclass, fields
from datetime import timedelta

from django.conf import settings


@dataclass(frozen=True)
class Timing:
    """How often, how long, how old. Sources: design.md ("The cache") and reliability.md (4, 5, 6)."""

    instances_watched_s: float = 15  # while somebody looks at a list
    instances_idle_s: float = 60
    catalogue_s: float = 60  # types with their live capacity
    templates_s: float = 3600
    tasks_watched_s: float = 5
    tasks_idle_s: float = 60
    health_s: float = 30
    stats_slice_s: float = 1 / 0.3  # one call for all looked-at machines together: the fixed slice of the budget
    retry_s: float = 15  # after a refresh that failed
    refresh_lease_s: float = 60  # longer than the client's deadline of 45 s
    missing_again_s: float = 60  # a row must be missing twice, this far apart, before it may be called gone
    stale_s: float = 180  # older data is shown as "last known"
    silent_s: float = 20  # the provider is called silent when it failed this long
    watch_s: float = 30  # a page counts as looking for this long after its last sign
    stream_check_s: float = 5  # how often an open stream's session and rights are read again
    stream_comment_s: float = 15
    sweep_s: float = 1
    sweeper_lease_s: float = 15
    knock_again_s: float = 5  # a due row whose message may be lost is announced again
    canary_s: float = 20
    tidy_s: float = 3600
    worker_healthy_s: float = 60
    broker_down_s: float = 5  # how long a dead broker is remembered before the next try

    def scaled(self, factor: float) -> "Timing":
        """The same durations, `factor` times as fast."""
        return Timing(**{field.name: getattr(self, field.name) / factor for field in fields(self)})


def timing() -> Timing:
    """The installation's timing (TIDEPOOL_TIME_SCALE, 1 outside tests)."""
    return Timing() if settings.TIME_SCALE == 1 else Timing().scaled(settings.TIME_SCALE)


def seconds(amount: float) -> timedelta:
    return timedelta(seconds=amount)
