"""How long to wait before something is tried again, and what to say of it meanwhile."""

import random

from django.utils.translation import gettext as _

from cloud.errors import CloudError, NotSent, NotSentReason
from cloud.timing import Timing

# Our own restraint says nothing about the provider and wears nobody out.
OURS = frozenset({NotSentReason.BUDGET, NotSentReason.POOL})
QUICK_TRIES = 5


def backoff_s(tries: int, pace: Timing) -> float:
    """1, 2, 4, 8, 16 seconds, then every 30, give or take half: many at once do not come in step."""
    base = pace.backoff_s * 2.0 ** max(tries - 1, 0) if tries <= QUICK_TRIES else pace.backoff_slow_s
    return base * random.uniform(0.5, 1.5)  # noqa: S311


def waiting_words(error: CloudError, tries: int) -> str:
    if isinstance(error, NotSent) and error.reason is NotSentReason.WRITES_OFF:
        return _("Blue Lobster does not accept the stored key; this waits until it does. Nothing was changed.")
    if tries > QUICK_TRIES:
        return _("Blue Lobster cannot be reached; trying again by ourselves. Nothing was changed.")
    return _("Blue Lobster is busy; trying again by ourselves (%(n)d of %(most)d). Nothing was changed.") % {
        "n": max(tries, 1),
        "most": QUICK_TRIES,
    }
