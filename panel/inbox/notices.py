"""Telling people what concerns them. Called within the transaction of what happened, before its record."""

from collections.abc import Iterable

from django.db import transaction
from django.urls import reverse

from cloud.clock import system_clock
from cloud.ports import Change, ports
from panel.inbox.models import Kind, Notice, Silence
from panel.people.models import User

MOST_WORDS = 300


def tell(user_ids: Iterable[int], kind: Kind, words: str, address: str = "") -> None:
    """One notice each; the same one is not repeated while it is unread, and who silenced its kind gets none. Nor does
    somebody who is not here any more.
    """
    here = User.objects.filter(pk__in=set(user_ids), is_active=True).order_by("pk")
    people, now = list(here.values_list("pk", flat=True)), system_clock()
    if not people:
        return
    words = words[:MOST_WORDS]
    silences = set(Silence.objects.filter(user__in=people, kind=kind).values_list("user_id", "is_mail"))
    same = Notice.objects.filter(user__in=people, kind=kind, words=words, address=address, read_at=None)
    known = set(same.values_list("user_id", flat=True))
    told = [pk for pk in people if (pk, False) not in silences and pk not in known]
    Notice.objects.bulk_create(
        Notice(
            user_id=pk, kind=kind, at=now, words=words, address=address,
            mail_at=None if (pk, True) in silences else now,
        )
        for pk in told
    )  # fmt: skip
    announce(told)


def settle(kind: Kind, address: str) -> None:
    """What was told there needs nobody any more: it counts as read by all."""
    unread = Notice.objects.filter(kind=kind, address=address, read_at=None)
    people = list(unread.values_list("user_id", flat=True))
    if unread.update(read_at=system_clock(), mail_at=None):
        announce(people)


def announce(user_ids: Iterable[int]) -> None:
    """After the commit: their open pages read their figure again."""
    topics = frozenset(f"inbox:{pk}" for pk in user_ids)
    if topics:
        transaction.on_commit(lambda: ports().tell(Change(0, topics=topics)), robust=True)


def access_changed(user_id: int, words: str) -> None:
    tell([user_id], Kind.ACCESS, words, reverse("you"))
