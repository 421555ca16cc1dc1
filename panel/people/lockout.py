"""Guessing passwords is made slow: a few wrong tries in a window, then a pause that ends by itself.

Counted in the database, in statements of their own, so that a request that rolls back still counts and a cache that
forgets does not help. Two keys: the account (whoever tries) and the address block (whatever it tries). A stranger who
locks an account cannot lock its owner out: a browser that has signed in before carries a signed cookie and is counted
by itself (the idea is OWASP's "device cookies").
"""

import hashlib
from datetime import datetime, timedelta

from django.core.signing import BadSignature, TimestampSigner
from django.db.models import F
from django.http import HttpRequest, HttpResponse

from panel.addresses import block_of
from panel.people.models import SignInFailures, folded_email

WINDOW = timedelta(minutes=5)
TRIES_ACCOUNT = 10
TRIES_BLOCK = 50  # an office behind one address has many people
MAILS, MAIL_WINDOW = 5, timedelta(hours=1)
COOKIE = "tidepool_device"
COOKIE_S = 180 * 24 * 3600
_SALT = "tidepool.device"


def may_try(request: HttpRequest, email: str, now: datetime) -> bool:
    """Count this try; False when one of its counters is full. Before the password is looked at, so that tries side by
    side cannot overtake the count. A few short statements, each committed by itself.
    """
    # Both are counted, also when the first is full already.
    counted = [_count(key, limit, WINDOW, now) for key, limit in _keys(request, email).items()]
    return all(counted)


def note_success(request: HttpRequest, email: str) -> None:
    """The account's count begins anew; the block gets its one try back."""
    account, block = _keys(request, email)
    SignInFailures.objects.filter(key=account).delete()
    SignInFailures.objects.filter(key=block, count__gt=0).update(count=F("count") - 1)


def may_mail(email: str, now: datetime) -> bool:
    """Whether this person gets another mail that somebody, perhaps a stranger, asked for."""
    return _count(f"mail:{_mark(folded_email(email))}", MAILS, MAIL_WINDOW, now)


def forget_old(now: datetime) -> None:
    SignInFailures.objects.filter(since__lt=now - MAIL_WINDOW).delete()


def _count(key: str, limit: int, window: timedelta, now: datetime) -> bool:
    row = SignInFailures.objects.filter(key=key)
    SignInFailures.objects.get_or_create(key=key, defaults={"since": now})
    if row.filter(since__lte=now - window).update(since=now, count=1):
        return True
    return bool(row.filter(count__lt=limit).update(count=F("count") + 1))


def remember_device(request: HttpRequest, response: HttpResponse, email: str) -> None:
    """Leave the cookie that keeps this browser apart from strangers who guess at the same account."""
    response.set_cookie(
        COOKIE,
        TimestampSigner(salt=_SALT).sign(_mark(folded_email(email))),
        max_age=COOKIE_S,
        secure=request.is_secure(),
        httponly=True,
        samesite="Lax",
    )


def _keys(request: HttpRequest, email: str) -> dict[str, int]:
    """Counter keys of this try with their limits, the account's first."""
    mark = _mark(folded_email(email))
    account = f"device:{mark}" if _is_known_device(request, mark) else f"account:{mark}"
    return {account: TRIES_ACCOUNT, f"block:{block_of(request.META.get('REMOTE_ADDR', ''))}": TRIES_BLOCK}


def _is_known_device(request: HttpRequest, mark: str) -> bool:
    try:
        return bool(TimestampSigner(salt=_SALT).unsign(request.COOKIES.get(COOKIE, ""), max_age=COOKIE_S) == mark)
    except BadSignature:
        return False


def _mark(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
