"""What a person does with their inbox: read it, and say what they want to be told."""

from collections.abc import Collection

from django.db import transaction

from cloud.clock import system_clock
from panel.inbox import notices
from panel.inbox.models import Kind, Notice, Silence
from panel.teams import policy
from panel.teams.policy import Actor


def read(*, actor: Actor, pk: int | None = None) -> None:
    """One notice was seen, or all of them."""
    own_id = policy.person_id(actor)
    rows = Notice.objects.filter(user=own_id, read_at=None)
    with transaction.atomic():
        if (rows if pk is None else rows.filter(pk=pk)).update(read_at=system_clock()):
            notices.announce([own_id])


def set_wanted(*, actor: Actor, here: Collection[str], by_mail: Collection[str]) -> None:
    """The kinds that the person wants in the inbox, and of these by mail."""
    own_id = policy.person_id(actor)
    silent = [Silence(user_id=own_id, kind=kind, is_mail=False) for kind in Kind if kind not in here]
    silent += [Silence(user_id=own_id, kind=kind, is_mail=True) for kind in Kind if kind not in by_mail]
    with transaction.atomic():
        Silence.objects.filter(user=own_id).delete()
        Silence.objects.bulk_create(silent)
