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
    checkpoint_s: float = 300  # how often the record's end is signed, also when nothing happens
    verify_s: float = 86400  # how often the whole record is looked at
    verify_lease_s: float = 900  # how long that may take before another process begins anew
    errands_s: float = 5  # mail, memberships that end
    worker_healthy_s: float = 60
    broker_down_s: float = 5  # how long a dead broker is remembered before the next try
    # Operations (reliability.md 2, 3, 5)
    call_s: float = 45  # one call in all; connect, write and read are shares of it (cloud/connect.py)
    lease_s: float = 60  # one turn of one operation
    send_margin_s: float = 50  # of the lease that must be left when a request leaves
    place_s: float = 5  # how long a turn waits for its place in the budget before it comes again
    poll_s: float = 3  # the task list, while something runs
    poll_most_s: float = 15  # a task that the list no longer holds is asked for by itself, ever more rarely
    look_s: float = 5  # machines, while an outcome is being looked for
    window_s: float = 120  # around a call in which its task may be dated
    expire_s: float = 600  # an intent that could not be sent for so long is not sent at all
    queue_moves_s: float = 60  # something was sent so lately: what waits, waits for our own queue
    approval_s: float = 72 * 3600
    not_ready_s: float = 300  # how long `invalid_state` is answered with another try
    limit_s: float = 600  # a task that runs longer is unclear
    launch_limit_s: float = 1800
    in_line_s: float = 1  # launches are sent one at a time: how often the next one asks whether it is its turn
    absence_s: float = 180  # a machine must have been looked for so long before its launch is said not to have happened
    preparing_s: float = 1140  # the longest time that was seen until a new GPU machine had built its driver
    absent_again_s: float = 60  # between two 404 that prove a delete
    checking_s: float = 600  # looked for so long without a finding: unclear
    heard_s: float = 60  # a reading younger than this speaks for now
    silence_s: float = 180  # without any reading for so long, looking begins anew: those minutes say nothing
    unclear_again_s: float = 3600
    backoff_s: float = 1  # before the second try of what could not be sent; doubled each time
    backoff_slow_s: float = 30  # after five quick tries
    heartbeat_s: float = 10
    watchdog_s: float = 60  # a process that could not say so long that it lives, ends itself
    sender_gone_s: float = 300  # a process that said nothing for so long sends nothing any more

    def scaled(self, factor: float) -> "Timing":
        """The same durations, `factor` times as fast."""
        return Timing(**{field.name: getattr(self, field.name) / factor for field in fields(self)})


def timing() -> Timing:
    """The installation's timing (TIDEPOOL_TIME_SCALE, 1 outside tests)."""
    return Timing() if settings.TIME_SCALE == 1 else Timing().scaled(settings.TIME_SCALE)


def seconds(amount: float) -> timedelta:
    return timedelta(seconds=amount)
