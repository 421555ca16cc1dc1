"""Who and what the record's tests write about."""

from typing import Any

from django.db import transaction

from panel.audit import record
from panel.audit.models import Entry
from panel.teams.policy import Actor, Origin

OLGA = Actor(7, "olga@example.org", origin=Origin("198.51.100.9", "Firefox", "abcd"))


def say(code: str = "instance.shutdown.requested", **more: Any) -> Entry:
    """One row, committed as far as the test commits."""
    with transaction.atomic():
        return record.append(code, actor=OLGA, **more)


def tell(rows: int) -> list[Entry]:
    return [say(target_id=f"vm-{number}", detail={"number": number}) for number in range(1, rows + 1)]
