"""Who is behind a session, asked for many at once: open streams are checked again every few seconds."""

from collections.abc import Collection

from django.contrib.sessions.models import Session

from cloud.clock import system_clock
from panel.teams import actors
from panel.teams.policy import Actor


def actors_of(session_keys: Collection[str]) -> dict[str, Actor]:
    """Actors of the sessions that are still good; the others are missing. Two queries for any number."""
    sessions = Session.objects.filter(session_key__in=session_keys, expire_date__gt=system_clock())
    return actors.actors_of({session.session_key: session.get_decoded() for session in sessions})
