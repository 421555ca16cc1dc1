"""Reading the provider again, part by part. The row says what is due; a message is only a hint that it might be.

    due → (claimed: fence + 1, lease) → done, due later | failed, due soon

Whoever claims a part reads the provider, writes the cache, and saves the outcome only if the fence is still its own.
"""

import logging
from datetime import datetime

from django.db.models import Case, DateTimeField, F, QuerySet, Value, When
from django.db.models.functions import Least
from django.utils.translation import gettext as _

from cloud import parts, standing, trial
from cloud.budget import Lane
from cloud.clock import Clock
from cloud.connect import client_for
from cloud.errors import CloudError
from cloud.models import Refresh
from cloud.operations import waiting
from cloud.parts import Superseded, Turn
from cloud.ports import Change, ports
from cloud.schedule import is_free, is_ripe
from cloud.seal import CannotOpen
from cloud.timing import seconds, timing

log = logging.getLogger(__name__)


def run(refresh_id: int, clock: Clock) -> bool:
    """Read one part again if it is due. Safe to run twice, late, or never. True when this call did it."""
    turn = _claim(refresh_id, clock)
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


def _lane(turn: Turn) -> Lane:
    """Somebody waits for an account's very first machines, and for what an operation waits for."""
    is_first = turn.row.part == Refresh.Part.INSTANCES and turn.row.done_at is None
    is_awaited = is_first or waiting.wants(turn.account.pk, turn.row.part)
    return Lane.PEOPLE if is_awaited else Lane.BACKGROUND


def _claim(refresh_id: int, clock: Clock) -> Turn | None:
    pace, now = timing(), clock()
    free = Refresh.objects.filter(is_free(now), is_ripe(now), pk=refresh_id, account__is_enabled=True)
    lease = {"fence": F("fence") + 1, "leased_until": now + seconds(pace.refresh_lease_s)}
    if free.filter(leased_until=None).update(**lease):
        is_inherited = False
    elif free.update(**lease):
        is_inherited = True
    else:
        return None
    row = Refresh.objects.select_related("account").get(pk=refresh_id)
    return Turn(row, row.account, now, pace, clock, is_inherited)


def _done(turn: Turn, wait_s: float, now: datetime) -> None:
    saved = _mine(turn).update(
        due_at=_next(turn, turn.now + seconds(wait_s)),
        leased_until=None,
        done_at=now,
        failures=0,
        failure="",
        failed_at=None,
    )
    if not saved:
        return
    standing.answered(turn.account, turn.row.part)
    if turn.is_inherited:  # the hand that died may have written what it never told
        ports().tell(Change(turn.account.pk, topics=frozenset({"all"})))
    if turn.row.part == Refresh.Part.INSTANCES:
        ports().say_fresh(turn.account.pk, now)


def _next(turn: Turn, at: datetime) -> Case:
    """Due then, or before if somebody wished so while this was read."""
    wished = Least(F("due_at"), Value(at))
    return Case(When(due_at__lte=turn.now, then=Value(at)), default=wished, output_field=DateTimeField())


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
