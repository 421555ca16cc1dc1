"""A new key for an account whose key is good: tried first, and put in its place only when the provider accepts it."""

from datetime import datetime

from django.db.models import F

from cloud.budget import Lane
from cloud.connect import client_for
from cloud.errors import CloudError, Refused
from cloud.models import Account
from cloud.ports import Change, ports


def settle(account: Account, now: datetime) -> None:
    """Try the account's next key, if it has one; without a yes or a no it is tried again, and the old one goes on."""
    if not account.next_sealed_key:
        return
    mine = Account.objects.filter(pk=account.pk, next_sealed_key=account.next_sealed_key)
    try:
        client_for(account, lane=Lane.PEOPLE, sealed_key=account.next_sealed_key).list_tasks(limit=1)
    except CloudError as error:
        if not isinstance(error, Refused) or error.status not in {401, 403}:
            return
        mine.update(next_sealed_key="", next_key_hint="", is_next_key_refused=True)
    else:
        mine.update(
            sealed_key=F("next_sealed_key"),
            key_hint=F("next_key_hint"),
            key_state=Account.Key.ACCEPTED,
            key_stored_at=now,
            next_sealed_key="",
            next_key_hint="",
        )
    account.refresh_from_db()
    ports().tell(Change(account.pk, topics=frozenset({"accounts"})))
