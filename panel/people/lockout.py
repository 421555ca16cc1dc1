"""Guessing passwords is made slow: a few wrong tries in a window, then a pause that ends by itself.

Counted in the database, in statements of their own, so that a request that rolls back still counts and a cache that
forgets does not help. Two keys: the account (whoever tries) and the address block (whatever it tries). A stranger who
locks an account cannot lock its owner out: a browser that has signed in before carries a signed cookie and is counted
by itself (the idea is OWASP's "device cookies").
"""

import hashlib
import ipaddress
from datetime import datetime, timedelta

from django.core.signing import BadSignature, Signer
from django.db.models import F
from django.http import HttpRequest, HttpResponse

from panel.people.models import SignInFailures, folded_email

WINDOW = timedelta(minutes=5)
TRIES_ACCOUNT = 10
TRIES_BLOCK = 50  # an office behind one address has many people
COOKIE = "tidepool_device"
_SALT = "tidepool.device"


def is_locked(request: HttpRequest, email: str, now: datetime) -> bool:
    """True while one of the request's counters is full. One query."""
    limits = _keys(request, email)
    rows = SignInFailures.objects.filter(key__in=limits, since__gt=now - WINDOW)
    return any(row.count >= limits[row.key] for row in rows)


def note_failure(request: HttpRequest, email: str, now: datetime) -> None:
    for key in _keys(request, email):
        fresh = SignInFailures.objects.filter(key=key, since__gt=now - WINDOW)
        if fresh.update(count=F("count") + 1):
            continue
        SignInFailures.objects.update_or_create(key=key, defaults={"since": now, "count": 1})


def note_success(request: HttpRequest, email: str) -> None:
    key = next(iter(_keys(request, email)))
    SignInFailures.objects.filter(key=key).delete()


def remember_device(request: HttpRequest, response: HttpResponse, email: str) -> None:
    """Leave the cookie that keeps this browser apart from strangers who guess at the same account."""
    response.set_cookie(
        COOKIE,
        Signer(salt=_SALT).sign(_mark(folded_email(email))),
        max_age=180 * 24 * 3600,
        secure=request.is_secure(),
        httponly=True,
        samesite="Lax",
    )


def _keys(request: HttpRequest, email: str) -> dict[str, int]:
    """Counter keys of this try with their limits, the account's first."""
    mark = _mark(folded_email(email))
    account = f"device:{mark}" if _is_known_device(request, mark) else f"account:{mark}"
    return {account: TRIES_ACCOUNT, f"block:{_block(request.META.get('REMOTE_ADDR', ''))}": TRIES_BLOCK}


def _is_known_device(request: HttpRequest, mark: str) -> bool:
    try:
        return bool(Signer(salt=_SALT).unsign(request.COOKIES.get(COOKIE, "")) == mark)
    except BadSignature:
        return False


def _mark(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _block(address: str) -> str:
    """One IPv4 address, or the /64 that one IPv6 customer holds."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    return str(ipaddress.ip_network(f"{parsed}/{64 if parsed.version == 6 else 32}", strict=False))
