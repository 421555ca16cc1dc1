"""Where the record ends, signed every few minutes with a key that the database does not hold, and kept outside it.

    due → row in the database (its number decides between two sweepers) → line in the file → line on standard output

Killed anywhere between, the next call adds to the file what it lacks. Nothing here holds the record's head.
"""

import contextlib
import logging
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, transaction

from cloud.timing import seconds, timing
from panel.audit import claims, outside
from panel.audit.canonical import instant
from panel.audit.claims import Claim, NoKey
from panel.audit.models import Checkpoint, Head

log = logging.getLogger(__name__)
MOST_ROWS = 1000
BATCH = 1000
_complained_at: dict[str, datetime] = {}


def checkpoint_if_due(now: datetime) -> bool:
    """Sign where the record stands if the last checkpoint is too old or too far back; True when this call did.

    For the sweeper, every second or so: two short queries and a look at the file's end when nothing is due. Any
    number of processes may call it. What fails is logged, and tried again by the next call.
    """
    last = Checkpoint.objects.order_by("-number").first()
    head = Head.objects.filter(pk=Head.ROW).first() or Head()
    made = _make(last, head, now) if _is_due(last, head, now) else None
    newest = made or last
    if newest:
        _copy_out(newest, made, now)
    return made is not None


def _is_due(last: Checkpoint | None, head: Head, now: datetime) -> bool:
    """A last one in the future was made before the clock went back."""
    if last is None or head.sequence - last.sequence >= MOST_ROWS:
        return True
    return abs(now - last.at) >= seconds(timing().checkpoint_s)


def _make(last: Checkpoint | None, head: Head, now: datetime) -> Checkpoint | None:
    """The next checkpoint; None when another sweeper was faster, or when it cannot be."""
    try:
        key = claims.signing_key()
    except NoKey as error:
        _complain(str(error), now)
        return None
    number = last.number + 1 if last else 1
    claim = Claim(number, instant(now), head.sequence, head.hash, claims.key_id(key.verify_key))
    signature = claims.signed(claim, key).signature
    row = Checkpoint(number, now, head.sequence, head.hash, claim.key_id, signature)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        if not Checkpoint.objects.filter(number=number).exists():
            _complain(f"the database refuses a checkpoint of the record (run audit_verify): {error}", now)
        return None
    return row


def _copy_out(newest: Checkpoint, made: Checkpoint | None, now: datetime) -> None:
    """To the file and to standard output. Without the file, what was just made at least goes to the latter."""
    try:
        lines: Sequence[Claim] = outside.catch_up(Path(settings.CHECKPOINT_FILE), newest.number, _after)
    except OSError as error:
        _complain(f"checkpoints of the record cannot be written to their file: {error.strerror}", now)
        lines = [claims.claim_of(made)] if made else []
    except outside.Ahead as ahead:
        _complain(
            f"the file of checkpoints ends with {ahead.number}, the database with {newest.number}: rows were taken"
            " out of the database, or it is an older copy (run audit_verify)",
            now,
        )
        lines = [claims.claim_of(made)] if made else []
    with contextlib.suppress(OSError):  # whoever read it may have gone
        for claim in lines:
            sys.stdout.write(claim.line())
        sys.stdout.flush()


def _after(number: int) -> list[Claim]:
    return [claims.claim_of(row) for row in Checkpoint.objects.filter(number__gt=number).order_by("number")[:BATCH]]


def _complain(words: str, now: datetime) -> None:
    """The same words once in a while, not every second."""
    last = _complained_at.get(words)
    if last is None or abs(now - last) >= seconds(timing().checkpoint_s):
        _complained_at[words] = now
        log.error("%s", words)
