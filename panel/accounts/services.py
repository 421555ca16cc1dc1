"""What is done with provider accounts. The key is sealed here and never read again; a worker tests it."""

from datetime import datetime
from typing import Any

from django.db import transaction

from cloud import knock, schedule
from cloud.clock import system_clock
from cloud.models import Account, Refresh
from cloud.ports import Change, ports
from cloud.seal import seal_key
from panel.audit import record
from panel.teams import policy
from panel.teams.policy import Actor, Permission

TESTS = (Refresh.Part.INSTANCES, Refresh.Part.HEALTH)


def add_account(*, actor: Actor, name: str, base_url: str, key: str, is_sandbox: bool = False) -> Account:
    """Store an account; a worker reads all its parts at once, which tests the key. Raises PermissionDenied."""
    policy.require(actor, Permission.ACCOUNT_MANAGE)
    now = system_clock()
    with transaction.atomic():
        account = Account.objects.create(
            name=name, base_url=base_url, is_sandbox=is_sandbox, key_stored_at=now, **_sealed(key, base_url)
        )
        rows = schedule.plan(account, now)
        transaction.on_commit(lambda: _announce(account, rows))
        _record("account.added", actor, account, base_url=base_url)
    return account


def replace_key(*, actor: Actor, account: Account, key: str) -> None:
    """Put a new key in the old one's place: at once if that is no good, else when the provider accepts the new one.

    What the old key still hears changes nothing (cloud/standing.py).
    """
    policy.require(actor, Permission.ACCOUNT_MANAGE)
    with transaction.atomic():
        sealed = _sealed(key, account.base_url)
        changes: dict[str, Any] = {"is_next_key_refused": False}
        if account.key_state == Account.Key.ACCEPTED:
            changes |= {f"next_{name}": value for name, value in sealed.items()}
        else:
            changes |= {**sealed, "key_state": Account.Key.UNTESTED, "key_stored_at": system_clock()}
        Account.objects.filter(pk=account.pk).update(**changes)
        transaction.on_commit(lambda: _read_again(account))
        _record("account.key.replaced", actor, account)


def test_account(*, actor: Actor, account: Account) -> None:
    """Have a worker try the key now. The outcome comes to the open page by itself."""
    policy.require(actor, Permission.ACCOUNT_MANAGE)
    with transaction.atomic():
        Account.objects.filter(pk=account.pk).update(key_state=Account.Key.UNTESTED)
        transaction.on_commit(lambda: _read_again(account))
        _record("account.test.requested", actor, account)


def set_enabled(*, actor: Actor, account: Account, is_enabled: bool) -> None:
    """A disabled account is not read and its machines are shown as last known; nothing is deleted."""
    policy.require(actor, Permission.ACCOUNT_MANAGE)
    with transaction.atomic():
        Account.objects.filter(pk=account.pk).update(is_enabled=is_enabled)
        transaction.on_commit(lambda: _read_again(account) if is_enabled else _announce(account, []))
        _record("account.enabled" if is_enabled else "account.disabled", actor, account)


def confirm_missing(*, actor: Actor, account: Account, until: datetime) -> None:
    """A person says that the machines which vanished until then, all at once, are really gone."""
    policy.require(actor, Permission.ACCOUNT_MANAGE)
    with transaction.atomic():
        Account.objects.filter(pk=account.pk).update(missing_confirmed_at=until)
        transaction.on_commit(lambda: _read_again(account))
        _record("account.missing.confirmed", actor, account, until=until)


def _record(code: str, actor: Actor, account: Account, **detail: Any) -> None:
    """Last in each transaction: from here to its commit all other records wait."""
    record.append(
        code, actor=actor, target_kind="account", target_id=str(account.pk), target_label=account.name, detail=detail
    )


def _sealed(key: str, base_url: str) -> dict[str, str]:
    return {"sealed_key": seal_key(key, base_url), "key_hint": key[-4:] if len(key) >= 16 else ""}


def _read_again(account: Account) -> None:
    _announce(account, schedule.anew(account.pk, *TESTS, now=system_clock()))


def _announce(account: Account, rows: list[int]) -> None:
    knock.knock(rows)
    ports().tell(Change(account.pk, topics=frozenset({"accounts", "instances", "overview"})))
