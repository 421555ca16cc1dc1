"""Reading the provider again, part by part. The row says what is due; a message is only a hint that it might be.

    due → (claimed: fence + 1, lease) → done, due later | failed, due soon

Whoever claims a part reads the provider, writes the cache, and saves the outcome only if the fence is still its own.
"""

import logging
from datetime import datetime

from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from cloud import parts, standing, trial
from cloud.budget import Lane
from cloud.clock import Clock
from cloud.connect import client_for
from cloud.errors import CloudError
from cloud.models import Account, Refresh
from cloud.parts import Superseded, Turn
from cloud.ports import Change, ports
from cloud.seal import CannotOpen
from cloud.timing import seconds, timing

log = logging.getLogger(__name__)


def due(now: datetime) -> list[int]:
    """Ids of the parts that are due and in nobody's hands, the oldest first. One query."""
    rows = Refresh.objects.filter(_free(now), _ripe(now), account__is_enabled=True)
    return list(rows.order_by("due_at").values_list("pk", flat=True)[:100])


def run(refresh_id: int, clock: Clock) -> bool:
    """Read one part again if it is due. Safe to run twice, late, or never. True when this call did it."""
    turn = _claim(refresh_id, clock())
    if turn is None:
        return False
    try:
        if turn.row.part == Refresh.Part.INSTANCES:
            trial.settle(turn.account, clock())
        client = client_for(turn.account, lane=_lane(turn))
        wait_s = parts.READERS[Refresh.Part(turn.row.part)](turn, client)
    except Superseded:
        log.warning("refreshing %s took too long; another hand has it", turn.row)
    except CloudError as error:
        _failed(turn, error.message, clock())
        standing.failed(turn.account, error, clock())
    except CannotOpen:
        _failed(turn, _("The stored key was sealed for another worker or another address. Store it again."), clock())
        standing.failed(turn.account, None, clock())
    except Exception:
        log.exception("refreshing %s failed", turn.row)
        _failed(turn, _("Tidepool could not process the answer; the worker's log has the details."), clock())
    else:
        _done(turn, wait_s, clock())
    return True


def soon(account_id: int, *wanted: str, now: datetime, every_s: float = 0) -> list[int]:
    """Make parts due when they are `every_s` old, at once if they are older; returns what is due now."""
    rows = Refresh.objects.filter(account_id=account_id, part__in=wanted)
    is_old = Q(done_at=None) | Q(done_at__lte=now - seconds(every_s))
    rows.filter(is_old, due_at__gt=now).update(due_at=now)
    ripe_at = F("done_at") + seconds(every_s)
    rows.exclude(is_old).filter(due_at__gt=ripe_at).update(due_at=ripe_at)
    return list(rows.filter(due_at__lte=now).order_by("due_at").values_list("pk", flat=True))


def anew(account_id: int, *wanted: str, now: datetime) -> list[int]:
    """Read parts at once, and let what is under way no longer count: it was asked with the old key."""
    rows = Refresh.objects.filter(account_id=account_id, part__in=wanted)
    rows.update(due_at=now, fence=F("fence") + 1, leased_until=None)
    return list(rows.values_list("pk", flat=True))


def plan(account: Account, now: datetime) -> list[int]:
    """The rows of an account: every part once, due at once, the machines first."""
    Refresh.objects.bulk_create(
        [
            Refresh(account=account, part=part, due_at=now - seconds(len(Refresh.Part) - place))
            for place, part in enumerate(Refresh.Part)
        ],
        ignore_conflicts=True,
    )
    return soon(account.pk, *Refresh.Part, now=now)


def _free(now: datetime) -> Q:
    """In nobody's hand. A lease that ends later than any can was given before the clock went back."""
    too_late = now + seconds(2 * timing().refresh_lease_s)
    return Q(leased_until=None) | Q(leased_until__lt=now) | Q(leased_until__gt=too_late)


def _ripe(now: datetime) -> Q:
    """Due, or due later than anything can be: the clock went back."""
    return Q(due_at__lte=now) | Q(due_at__gt=now + seconds(2 * timing().templates_s))


def _lane(turn: Turn) -> Lane:
    """Somebody waits for an account's very first machines; all later readings are background work."""
    is_first = turn.row.part == Refresh.Part.INSTANCES and turn.row.done_at is None
    return Lane.PEOPLE if is_first else Lane.BACKGROUND


def _claim(refresh_id: int, now: datetime) -> Turn | None:
    pace = timing()
    free = Refresh.objects.filter(_free(now), _ripe(now), pk=refresh_id, account__is_enabled=True)
    lease = {"fence": F("fence") + 1, "leased_until": now + seconds(pace.refresh_lease_s)}
    if free.filter(leased_until=None).update(**lease):
        is_inherited = False
    elif free.update(**lease):
        is_inherited = True
    else:
        return None
    row = Refresh.objects.select_related("account").get(pk=refresh_id)
    return Turn(row, row.account, now, pace, is_inherited)


def _done(turn: Turn, wait_s: float, now: datetime) -> None:
    saved = _mine(turn).update(
        due_at=turn.now + seconds(wait_s), leased_until=None, done_at=now, failures=0, failure="", failed_at=None
    )
    if not saved:
        return
    standing.answered(turn.account, turn.row.part)
    if turn.is_inherited:  # the hand that died may have written what it never told
        ports().tell(Change(turn.account.pk, topics=frozenset({"all"})))
    if turn.row.part == Refresh.Part.INSTANCES:
        ports().say_fresh(turn.account.pk, now)


def _failed(turn: Turn, words: str, now: datetime) -> None:
    _mine(turn).update(
        due_at=now + seconds(turn.timing.retry_s),
        leased_until=None,
        failed_at=now,
        failures=F("failures") + 1,
        failure=words[:300],
    )


def _mine(turn: Turn) -> QuerySet[Refresh]:
    return Refresh.objects.filter(pk=turn.row.pk, fence=turn.row.fence)
