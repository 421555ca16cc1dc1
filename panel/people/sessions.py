"""A person's open sessions: which there are, and how one ends.

Two rows each: Django's holds the session itself and ends it by being gone, ours says where and when (OpenSession).
"""

import logging
import time
from datetime import datetime, timedelta

from django.contrib.sessions.models import Session
from django.db import DatabaseError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from panel.audit import record
from panel.people.models import OpenSession, User
from panel.teams import policy
from panel.teams.actors import actors_of
from panel.teams.origins import origin_of, session_hash
from panel.teams.policy import Actor

log = logging.getLogger(__name__)
TOUCH_S = 60
MOST_SHOWN = 50
MOST_REMEMBERED = 10_000
touched: dict[str, float] = {}  # of this process, by session: spares a statement a request


def opened(request: HttpRequest, user: User, now: datetime) -> None:
    """Somebody signed in. What they opened before and has ended since is forgotten here."""
    key, origin = request.session.session_key, origin_of(request)
    ended = OpenSession.objects.filter(user=user).exclude(session_key__in=Session.objects.values("session_key"))
    ended.delete()
    if key:
        facts = {"user": user, "address": origin.address, "agent": origin.agent, "signed_in_at": now, "seen_at": now}
        OpenSession.objects.update_or_create(session_key=key, defaults=facts)


def renamed(old: str | None, new: str | None) -> None:
    """The session goes on under another key, as it does when its person changes the password."""
    if old and new and old != new:
        OpenSession.objects.filter(session_key=old).update(session_key=new)


def touch(key: str, address: str, now: datetime) -> None:
    """It was seen just now, and from where. At most one statement a minute for each process.

    A database that cannot be written to just now costs nobody their page.
    """
    at = time.monotonic()
    if at - touched.get(key, -TOUCH_S) < TOUCH_S:
        return
    if len(touched) >= MOST_REMEMBERED:
        touched.clear()
    touched[key] = at
    due = OpenSession.objects.filter(session_key=key, seen_at__lte=now - timedelta(seconds=TOUCH_S))
    try:
        due.update(seen_at=now, address=address)
    except DatabaseError as error:
        log.warning("a session could not be marked as seen: %s", type(error).__name__)


def open_of(user_id: int, now: datetime) -> list[OpenSession]:
    """Those that would still be let in, the last seen first. Three queries."""
    rows = list(OpenSession.objects.filter(user_id=user_id).order_by("-seen_at", "-pk")[:MOST_SHOWN])
    alive = Session.objects.filter(session_key__in=[row.session_key for row in rows], expire_date__gt=now)
    good = actors_of({session.session_key: session.get_decoded() for session in alive})
    return [row for row in rows if row.session_key in good]


def own_sessions(actor: Actor) -> QuerySet[OpenSession]:
    return OpenSession.objects.filter(user_id=policy.person_id(actor))


def end_session(*, actor: Actor, session: OpenSession) -> None:
    """End one session of the actor's own: its next request is a stranger's, its open pages hear nothing more.

    Somebody else's is not touched.
    """
    _end(actor, own_sessions(actor).filter(pk=session.pk))


def end_others(*, actor: Actor, key: str | None) -> int:
    """End all of the actor's sessions but the one with this key; how many were there."""
    return _end(actor, own_sessions(actor).exclude(session_key=key))


def forget_all_but(user: User, key: str | None) -> None:
    """The password is another: sessions that were opened with the old one are over, so their rows go. No record."""
    _delete(list(OpenSession.objects.filter(user=user).exclude(session_key=key).values_list("session_key", flat=True)))


def forget(key: str | None) -> None:
    """Somebody signed out."""
    OpenSession.objects.filter(session_key=key or "").delete()


def forget_ended() -> None:
    """Rows whose session is gone. For the sweeper, once in a while."""
    OpenSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()


def _end(actor: Actor, rows: QuerySet[OpenSession]) -> int:
    with transaction.atomic():
        ended = list(rows.select_for_update())
        if not ended:
            return 0
        _delete([row.session_key for row in ended])
        record.append(
            "person.session.ended",
            actor=actor,
            target_kind="person",
            target_id=str(actor.user_id),
            target_label=actor.label,
            detail={
                "sessions": [f"{session_hash(row.session_key)}: {row.device}, {row.address}" for row in ended],
                "count": len(ended),
            },
        )
    return len(ended)


def _delete(keys: list[str]) -> None:
    Session.objects.filter(session_key__in=keys).delete()
    OpenSession.objects.filter(session_key__in=keys).delete()
