"""Somebody comes in: by the door, or by an invitation that made them. Everything that a sign-in leaves behind."""

from django.contrib.auth import login
from django.http import HttpRequest

from cloud.clock import system_clock
from panel.people import fresh, recorded, sessions
from panel.people.models import User

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def enter(request: HttpRequest, user: User) -> None:
    """Sign this person in, whose password was set a moment ago."""
    login(request, user, backend=BACKEND)
    entered(request, user)


def entered(request: HttpRequest, user: User) -> None:
    """The session is theirs by now."""
    now = system_clock()
    recorded.signed_in(request, user)
    fresh.note(request.session, now)
    sessions.opened(request, user, now)
