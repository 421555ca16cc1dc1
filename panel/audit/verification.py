"""When the whole record is looked at: once a day, at the sweeper's start, and when somebody asks for it."""

import logging
import time
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from cloud.clock import Clock
from cloud.ports import Change, ports
from cloud.timing import seconds, timing
from panel.audit import claims, outside, record
from panel.audit.models import Checkpoint, Verification
from panel.audit.verify import Report, verify
from panel.teams import policy
from panel.teams.policy import Actor, Permission

log = logging.getLogger(__name__)
MOST_FAULTS = 20
NEWS = frozenset({"record", "record-all"})


def latest() -> Verification:
    return Verification.objects.filter(pk=Verification.ROW).first() or Verification()


def ask(*, actor: Actor, now: datetime) -> None:
    """Have it looked at now, by the sweeper: it alone has the copies. Raises PermissionDenied."""
    if not policy.allowed(actor, Permission.RECORD_VIEW_ALL):
        policy.require(actor, Permission.RECORD_VIEW)
    with transaction.atomic():
        Verification.objects.update_or_create(pk=Verification.ROW, defaults={"asked_at": now})
        record.append("record.check.requested", actor=actor)


def run_if_due(clock: Clock) -> bool:
    """Look at everything if that is due; True when this call did. Any number of processes may call it."""
    now = clock()
    Verification.objects.get_or_create(pk=Verification.ROW)
    day = now - seconds(timing().verify_s)
    is_due = Q(at=None) | Q(at__lte=day) | Q(at__gt=now) | Q(asked_at__gt=F("at"))
    is_free = Q(begun_at=None) | Q(begun_at__lte=now - seconds(timing().verify_lease_s)) | Q(begun_at__gt=now)
    row = Verification.objects.filter(is_due, is_free, pk=Verification.ROW)
    if not row.exists() or not row.update(begun_at=now):
        return False
    began = time.monotonic()
    report = _looked()
    Verification.objects.filter(pk=Verification.ROW, begun_at=now).update(
        at=now,
        begun_at=None,
        rows=report.rows,
        checkpoints=report.checkpoints,
        took_s=time.monotonic() - began,
        faults=report.faults[:MOST_FAULTS],
    )
    ports().tell(Change(0, topics=NEWS))
    for fault in report.faults:
        log.error("the record is broken: %s", fault)
    return True


def _looked() -> Report:
    """With the copies outside the database; what keeps one from reading them is a fault like any other."""
    try:
        keys = claims.public_keys(settings.RECORD_PUBLIC_KEY)
        copies = outside.read(Path(settings.CHECKPOINT_FILE))
    except FileNotFoundError:
        if not Checkpoint.objects.exists():
            return verify(keys, None)
        return Report(faults=["The file of checkpoints is missing."])
    except (OSError, ValueError) as error:
        return Report(faults=[f"The copies of checkpoints cannot be read: {error}"])
    return verify(keys, copies)
