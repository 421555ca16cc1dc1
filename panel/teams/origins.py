"""From where a request comes, as the record keeps it."""

import hashlib

from django.http import HttpRequest

from panel.teams.policy import Origin

MOST_AGENT = 200


def origin_of(request: HttpRequest) -> Origin:
    """Address, browser and session of a request, as they are now: signing in gives a session another key."""
    key = request.session.session_key
    return Origin(
        address=str(request.META.get("REMOTE_ADDR", "")),
        agent=request.headers.get("User-Agent", "")[:MOST_AGENT],
        session_hash=session_hash(key) if key else "",
    )


def session_hash(key: str) -> str:
    """A name for a session that opens nothing. Keys are random, so a plain hash of one cannot be turned back."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]
