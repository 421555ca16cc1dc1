"""Who is behind a session, asked for many at once: open streams are checked again every few seconds."""

from collections.abc import Collection

from django.contrib.sessions.models import Session

from cloud.clock import system_clock
from panel.people import sessions as people
from panel.teams import actors
from panel.teams.policy import Actor


def actors_of(session_keys: Collection[str]) -> dict[str, Actor]:
    """Actors of the sessions that are still good; the others are missing. Three queries for any number."""
    now = system_clock()
    over = people.over_of(session_keys, now)
    sessions = Session.objects.filter(session_key__in=session_keys, expire_date__gt=now)
    good = {one.session_key: one.get_decoded() for one in sessions if one.session_key not in over}
    return actors.actors_of(good)
