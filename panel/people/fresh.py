"""Who signed in lately? What cannot be undone asks for the password again after some minutes.

Our own rule: allauth's helper says yes to people who have neither password nor second factor.
"""

from datetime import datetime

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest

from cloud.clock import system_clock
from panel.people import lockout, recorded
from panel.people.models import User

FRESH_S = 600.0
_KEY = "tidepool_signed_in_at"


def note(session: SessionBase, now: datetime) -> None:
    """The person has just shown who they are."""
    session[_KEY] = now.timestamp()


def is_fresh(session: SessionBase, now: datetime) -> bool:
    at = session.get(_KEY)
    return isinstance(at, int | float) and 0 <= now.timestamp() - at <= FRESH_S


def prove(request: HttpRequest, email: str, password: str) -> bool:
    """Check the password of the person who is signed in, counted as a try at the door is; True: they are fresh now."""
    now = system_clock()
    if not lockout.may_try(request, email, now):
        recorded.not_proved(request, email)
        return False
    person = User.objects.filter(email=email, is_active=True).first()
    if person is None or not person.check_password(password):
        recorded.not_proved(request, email)
        return False
    lockout.note_success(request, email)
    recorded.proved(request, person)
    note(request.session, now)
    return True
