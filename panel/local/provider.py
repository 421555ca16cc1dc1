"""The provider account that `script/up` looks after: the sandbox, or the real one of BLUELOBSTER_API_KEY."""

import hashlib
import hmac
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import transaction

from cloud.models import Account
from panel.accounts import services
from panel.teams.policy import Actor

SANDBOX, REAL = "Sandbox", "Blue Lobster"


@dataclass(frozen=True)
class Provider:
    base_url: str
    key: str
    is_sandbox: bool

    @property
    def name(self) -> str:
        return SANDBOX if self.is_sandbox else REAL

    def mark(self) -> str:
        """Tells this provider and key from any other without giving the key away."""
        words = f"{self.name}\n{self.base_url}\n{self.key}"
        return hmac.new(settings.SECRET_KEY.encode(), words.encode(), hashlib.sha256).hexdigest()


def settle(provider: Provider, *, actor: Actor, mark_file: Path) -> None:
    """Give the installation this provider's account; switch off the one of the other kind.

    Does nothing when the last start had the same provider and key, so what people changed since in Settings stays.
    """
    account = Account.objects.filter(name=provider.name, is_sandbox=provider.is_sandbox).first()
    if account and mark_file.is_file() and mark_file.read_text() == provider.mark():
        return
    with transaction.atomic():
        if account is None:
            services.add_account(
                actor=actor,
                name=provider.name,
                base_url=provider.base_url,
                key=provider.key,
                is_sandbox=provider.is_sandbox,
            )
        else:
            _renew(account, provider, actor)
        other = Account.objects.filter(name=REAL if provider.is_sandbox else SANDBOX, is_enabled=True)
        for unused in other.exclude(is_sandbox=provider.is_sandbox):
            services.set_enabled(actor=actor, account=unused, is_enabled=False)
    mark_file.write_text(provider.mark())


def _renew(account: Account, provider: Provider, actor: Actor) -> None:
    Account.objects.filter(pk=account.pk).update(base_url=provider.base_url, key_state=Account.Key.UNTESTED)
    account.base_url, account.key_state = provider.base_url, Account.Key.UNTESTED  # the old key is for the old address
    services.replace_key(actor=actor, account=account, key=provider.key)
    if not account.is_enabled:
        services.set_enabled(actor=actor, account=account, is_enabled=True)
