"""A person's open sessions: which there are, and how one ends.

Two rows each: Django's holds the session itself and ends it by being gone, ours says where and when (OpenSession).
"""

import logging
import time
from collections.abc import Collection
from datetime import datetime, timedelta

from django.contrib.sessions.models import Session
from django.db import DatabaseError, transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from panel.audit import record
from panel.people.models import OpenSession, User
from panel.teams import policy
from panel.teams.actors import actors_of
from panel.teams.origins import origin_of, session_hash
from panel.teams.policy import Actor

log = logging.getLogger(__name__)
TOUCH_S = 60
IDLE_S, WHOLE_S = 30 * 60, 12 * 3600
MOST_SHOWN = 50
MOST_REMEMBERED = 10_000
touched: dict[tuple[str, bool], float] = {}  # of this process: by session and `is_background`, when looked at


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


def is_good(key: str, address: str, now: datetime, *, is_background: bool = False) -> bool:
    """Does this session still count? It ends half an hour after its person last did something, and twelve hours after
    they signed in. What a page asks for by itself (`is_background`) is nothing that they did.

    Costs a statement or two once a minute for each process and each of these. A database that cannot be written to
    just now costs nobody their page.
    """
    at = time.monotonic()
    if at - touched.get((key, is_background), -TOUCH_S) < TOUCH_S:
        return True
    row = OpenSession.objects.filter(session_key=key).only("seen_at", "signed_in_at").first()
    if row is not None and is_over(row, now):
        _delete([key])
        return False
    if len(touched) >= MOST_REMEMBERED:
        touched.clear()
    touched[key, is_background] = at
    if row is not None and not is_background:
        _touch(key, address, now)
    return True


def is_over(row: OpenSession, now: datetime) -> bool:
    """Idle for too long, or opened too long ago."""
    idle, whole = timedelta(seconds=IDLE_S), timedelta(seconds=WHOLE_S)
    return row.seen_at <= now - idle or row.signed_in_at <= now - whole


def _touch(key: str, address: str, now: datetime) -> None:
    due = OpenSession.objects.filter(session_key=key, seen_at__lte=now - timedelta(seconds=TOUCH_S))
    try:
        due.update(seen_at=now, address=address)
    except DatabaseError as error:
        log.warning("a session could not be marked as seen: %s", type(error).__name__)


def over_of(keys: Collection[str], now: datetime) -> set[str]:
    """Of these sessions, those that do not count any more. One query."""
    idle, whole = now - timedelta(seconds=IDLE_S), now - timedelta(seconds=WHOLE_S)
    rows = OpenSession.objects.filter(Q(seen_at__lte=idle) | Q(signed_in_at__lte=whole), session_key__in=keys)
    return set(rows.values_list("session_key", flat=True))


def open_of(user_id: int, now: datetime) -> list[OpenSession]:
    """Those that would still be let in, the last seen first. Three queries."""
    rows = list(OpenSession.objects.filter(user_id=user_id).order_by("-seen_at", "-pk")[:MOST_SHOWN])
    alive = Session.objects.filter(session_key__in=[row.session_key for row in rows], expire_date__gt=now)
    good = actors_of({session.session_key: session.get_decoded() for session in alive})
    return [row for row in rows if row.session_key in good and not is_over(row, now)]


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


def end_all(user: User) -> None:
    """Every session of somebody whose access ends. No record: the caller's line says why."""
    _delete(list(OpenSession.objects.filter(user=user).values_list("session_key", flat=True)))


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
