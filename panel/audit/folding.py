"""Ten thousand wrong passwords are a few rows: the first of a kind in a minute is written, the others are counted.

(nothing) → open, count 0 → count 1, 2, … → the minute is over → open again by the next | closed by `settle`
"""

import hashlib
from datetime import datetime, timedelta

import msgspec
from django.db.models import F, Q, QuerySet

from panel.addresses import block_of
from panel.audit.models import Entry, Fold

WINDOW = timedelta(minutes=1)
TRIES = 3
# What the first of a kind said, kept for the row that tells how many followed.
KEPT = (
    "version", "code", "actor_id", "actor_label", "token_id", "session_hash", "address", "agent", "team_id",
    "team_label", "target_kind", "target_id", "target_label", "operation_id", "outcome", "detail",
)  # fmt: skip


def take(draft: Entry, now: datetime) -> int | None:
    """None when the draft is one of many and was counted; else it is to be written, with so many before it untold.

    One conditional update decides. A minute that begins in the future was opened before the clock went back.
    """
    row = Fold.objects.filter(key=_key(draft))
    for _ in range(TRIES):
        if row.filter(since__gt=now - WINDOW, since__lte=now + WINDOW).update(count=F("count") + 1):
            return None
        fresh = {"since": now, "entry": _kept(draft)}
        last, is_new = Fold.objects.get_or_create(key=_key(draft), defaults=fresh)
        if is_new:
            return 0
        if now - WINDOW < last.since <= now + WINDOW:
            continue  # another's, made in this very moment: to be counted there, not opened anew
        if row.filter(since=last.since, count=last.count).update(count=0, **fresh):
            return last.count
    return 0  # others were always faster: rather a row too many than one too few


def over(now: datetime) -> QuerySet[Fold]:
    """Kinds whose minute is over, the oldest first."""
    return Fold.objects.filter(Q(since__lte=now - WINDOW) | Q(since__gt=now + WINDOW)).order_by("since")


def close(fold: Fold) -> bool:
    """Whether this call ended it, unchanged since it was read."""
    deleted, _rows = Fold.objects.filter(pk=fold.pk, since=fold.since, count=fold.count).delete()
    return bool(deleted)


def first_of(fold: Fold) -> Entry:
    """What was written when the minute began, as a new row without a place."""
    return Entry(**msgspec.json.decode(fold.entry))


def _kept(draft: Entry) -> str:
    return msgspec.json.encode({name: getattr(draft, name) for name in KEPT}).decode()


def _key(draft: Entry) -> str:
    kind = [block_of(draft.address), draft.actor_id, draft.code, draft.target_kind, draft.target_id]
    return hashlib.sha256(msgspec.json.encode(kind)).hexdigest()
