"""Who has an operation now. The row count of one conditional update decides, on every database."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q

from cloud import processes
from cloud.operations.models import Operation
from cloud.operations.states import HOLDING, State
from cloud.timing import Timing, seconds

# What waits for no person, and is looked at again within minutes.
GOES_ON = HOLDING - {State.UNCLEAR}


@dataclass
class Turn:
    """One claimed operation: the row as claimed, when, until when, and at what pace."""

    row: Operation
    now: datetime
    pace: Timing


def due(now: datetime, pace: Timing) -> list[str]:
    """Ids of the operations that are due and in nobody's hands, the oldest first. One query."""
    return list(due_since(now, pace))


def due_since(now: datetime, pace: Timing) -> dict[str, datetime]:
    """The same, with the time since which each is due: it changes with every turn that was taken."""
    rows = Operation.objects.filter(is_free(now, pace), is_ripe(now, pace))
    found = rows.order_by("next_check_at").values_list("pk", "next_check_at")[:200]
    return {pk: since for pk, since in found if since is not None}


def claim(pk: str, now: datetime, pace: Timing) -> Turn | None:
    """Take a due operation for one lease; None when it is not due or in another hand. Changes lease and fence only."""
    free = Operation.objects.filter(is_free(now, pace), is_ripe(now, pace), pk=pk)
    lease = {"lease_owner": processes.label(), "leased_until": now + seconds(pace.lease_s)}
    if not free.update(fence=F("fence") + 1, **lease):
        return None
    row = Operation.objects.select_related("account", "target").defer("target__raw", "target__search").get(pk=pk)
    is_mine = row.lease_owner == lease["lease_owner"] and row.leased_until == lease["leased_until"]
    return Turn(row, now, pace) if is_mine else None


def keep(turn: Turn, again_at: datetime, **columns: object) -> bool:
    """End a turn without a change of state; False when the row is in another hand by now."""
    mine = Operation.objects.filter(pk=turn.row.pk, state=turn.row.state, fence=turn.row.fence)
    return bool(mine.update(next_check_at=again_at, leased_until=None, lease_owner="", **columns))


def is_free(now: datetime, pace: Timing) -> Q:
    """In nobody's hand. A lease that ends later than any can was given before the clock went back."""
    too_late = now + seconds(2 * pace.lease_s)
    return Q(leased_until=None) | Q(leased_until__lt=now) | Q(leased_until__gt=too_late)


def is_ripe(now: datetime, pace: Timing) -> Q:
    """Due, or due later than anything that goes on can be: the clock went back."""
    too_late = now + seconds(2 * pace.limit_s)
    return Q(next_check_at__lte=now) | Q(next_check_at__gt=too_late, state__in=sorted(GOES_ON))
