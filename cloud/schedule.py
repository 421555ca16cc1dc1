"""When each part of an account's cache is to be read again. A wish moves the row; who reads is refresh."""

from datetime import datetime

from django.db.models import F, Q

from cloud.models import Account, Refresh
from cloud.timing import seconds, timing


def due(now: datetime) -> list[int]:
    """Ids of the parts that are due and in nobody's hands, the oldest first. One query."""
    rows = Refresh.objects.filter(is_free(now), is_ripe(now), account__is_enabled=True)
    return list(rows.order_by("due_at").values_list("pk", flat=True)[:100])


def soon(account_id: int, *wanted: str, now: datetime, every_s: float = 0) -> list[int]:
    """Make parts due when they are `every_s` old, at once if they are older; returns what is due now."""
    rows = Refresh.objects.filter(account_id=account_id, part__in=wanted)
    is_old = Q(done_at=None) | Q(done_at__lte=now - seconds(every_s))
    # What is being read now was asked before; a wish for something newer moves `due_at` past that (refresh._next).
    is_too_early = Q(leased_until__gt=now) if every_s == 0 else Q(pk=None)
    rows.filter(is_old, Q(due_at__gt=now) | is_too_early).update(due_at=now)
    ripe_at = F("done_at") + seconds(every_s)
    rows.exclude(is_old).filter(due_at__gt=ripe_at).update(due_at=ripe_at)
    return list(rows.filter(due_at__lte=now).order_by("due_at").values_list("pk", flat=True))


def no_later(account_id: int, *wanted: str, at: datetime) -> None:
    """Make parts due at that time unless they are due before; what is being read now does not count."""
    is_later = Q(due_at__gt=at) | Q(leased_until__gt=at)
    Refresh.objects.filter(is_later, account_id=account_id, part__in=wanted).update(due_at=at)


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


def is_free(now: datetime) -> Q:
    """In nobody's hand. A lease that ends later than any can was given before the clock went back."""
    too_late = now + seconds(2 * timing().refresh_lease_s)
    return Q(leased_until=None) | Q(leased_until__lt=now) | Q(leased_until__gt=too_late)


def is_ripe(now: datetime) -> Q:
    """Due, or due later than anything can be: the clock went back."""
    return Q(due_at__lte=now) | Q(due_at__gt=now + seconds(2 * timing().templates_s))
