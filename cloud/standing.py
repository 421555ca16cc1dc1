"""How an account stands with the provider: does it answer, does it take the key? Written only when that changes."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from cloud.errors import CloudError, NotSent, NotSentReason, Refused
from cloud.models import Account, Refresh
from cloud.ports import Change, ports

# Our own restraint says nothing about the provider.
NEWS = frozenset({"accounts", "instances", "overview"})  # rows say "last known" of an account that is silent
OURS = frozenset({NotSentReason.BUDGET, NotSentReason.POOL, NotSentReason.WRITES_OFF})
PROVES_KEY = frozenset({Refresh.Part.INSTANCES, Refresh.Part.TASKS})  # the others may answer without any key


def answered(account: Account, part: str) -> None:
    """A part was read: the provider is not silent, and maybe the key is good."""
    _write(account, ~Q(silent_since=None), silent_since=None)
    if part in PROVES_KEY:
        _write(account, ~Q(key_state=Account.Key.ACCEPTED), key_state=Account.Key.ACCEPTED)


def failed(account: Account, error: CloudError | None, now: datetime) -> None:
    """A part was not read. A refusal is an answer too; a full budget of our own is none of the provider's doing."""
    if isinstance(error, Refused):
        if error.is_bad_key:
            _refuse(account)
        return
    if isinstance(error, NotSent) and error.reason in OURS:
        return
    if error is not None:
        _write(account, Q(silent_since=None), silent_since=now)
    ports().tell(Change(account.pk, topics=NEWS))


def _refuse(account: Account) -> None:
    with transaction.atomic():
        if _write(account, ~Q(key_state=Account.Key.REJECTED), key_state=Account.Key.REJECTED):
            ports().key_refused(account)


def _write(account: Account, unless_so: Q, **changes: Any) -> bool:
    """One conditional update, so that the row decides and not what was read a while ago.

    Only if the key is still the one that was used: an answer to an old key says nothing about its successor.
    """
    rows = Account.objects.filter(unless_so, pk=account.pk, key_stored_at=account.key_stored_at)
    if not rows.update(**changes):
        return False
    transaction.on_commit(lambda: ports().tell(Change(account.pk, topics=NEWS)), robust=True)
    return True
