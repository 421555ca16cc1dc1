"""How an account stands with the provider: does it answer, does it take the key? Written only when that changes."""

from datetime import datetime

from cloud.errors import CloudError, NotSent, NotSentReason, Refused
from cloud.models import Account, Refresh
from cloud.ports import Change, ports

# Our own restraint says nothing about the provider.
OURS = frozenset({NotSentReason.BUDGET, NotSentReason.POOL, NotSentReason.WRITES_OFF})
PROVES_KEY = frozenset({Refresh.Part.INSTANCES, Refresh.Part.TASKS})  # the others may answer without any key


def answered(account: Account, part: str) -> None:
    """A part was read: the provider is not silent, and maybe the key is good."""
    changes: dict[str, object] = {}
    if account.silent_since is not None:
        changes["silent_since"] = None
    if part in PROVES_KEY and account.key_state != Account.Key.ACCEPTED:
        changes["key_state"] = Account.Key.ACCEPTED
    _write(account, changes)


def failed(account: Account, error: CloudError | None, now: datetime) -> None:
    """A part was not read. A refusal is an answer too; a full budget of our own is none of the provider's doing."""
    if isinstance(error, Refused):
        rejected = error.is_bad_key and account.key_state != Account.Key.REJECTED
        _write(account, {"key_state": Account.Key.REJECTED} if rejected else {})
        return
    if isinstance(error, NotSent) and error.reason in OURS:
        return
    if error is not None and account.silent_since is None:
        _write(account, {"silent_since": now})
    else:
        ports().tell(Change(account.pk, topics=frozenset({"accounts"})))


def _write(account: Account, changes: dict[str, object]) -> None:
    """Only if the key is still the one that was used: an answer to an old key says nothing about its successor."""
    if not changes:
        return
    rows = Account.objects.filter(pk=account.pk, key_stored_at=account.key_stored_at)
    if rows.update(**changes):
        for name, value in changes.items():
            setattr(account, name, value)
        ports().tell(Change(account.pk, topics=frozenset({"accounts"})))
