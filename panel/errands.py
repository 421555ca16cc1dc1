"""What the house does beside the provider's work, every few seconds: mail, memberships that end, the record's check.

Run by a thread of the sweeper's own, so that a slow mail server or a long record holds nobody up. Each errand is
claimed in the database: any number of processes may run them.
"""

import logging
from collections.abc import Callable

from django.db import Error, close_old_connections

from cloud.clock import Clock
from panel.audit import verification
from panel.inbox import post
from panel.teams import members

log = logging.getLogger(__name__)
ERRANDS: tuple[Callable[[Clock], object], ...] = (
    lambda clock: members.forget_ended(clock()),
    lambda clock: post.deliver(clock()),
    verification.run_if_due,
)


def run(clock: Clock) -> None:
    """Every errand that is due. One that fails does not keep the others."""
    for errand in ERRANDS:
        try:
            errand(clock)
        except Error:
            log.warning("an errand waits for the database", exc_info=True)
        except Exception:
            log.exception("an errand failed; it is tried again")
    close_old_connections()
