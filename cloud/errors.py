"""What can go wrong with a call, by what may have happened at the provider.

CloudError
├── Refused      they said no: nothing happened; status, code, message, fields
│   └── Busy     429: ask again after `retry_after_s`
├── NotSent      it never left: no connection, no budget, breaker open; safe to send again
└── Unclear      it may have happened: look before anything is sent again
    └── NoAnswer the same for a read, which may simply be asked again

No text in here holds HTML, control characters, or a secret: see `cloud.error_bodies`.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

from cloud.error_bodies import Told, read_error

RETRY_AFTER_CAP_S = 300.0
READ_REPEATS = 4
WRITE_REPEATS = 5
# 408, 425 and 499 are about the transfer, not about the request: they do not say that nothing happened.
_NOT_A_DEFINITE_NO = frozenset({408, 425, 499})
_WORDS = {
    400: "The provider says that the request is not valid.",
    401: "The provider does not accept the key.",
    403: "The provider does not allow this with our key.",
    404: "The provider does not know this.",
    409: "The provider cannot do this now: it is busy or has no capacity.",
    422: "The provider says that some values are not valid.",
    429: "The provider asks us to slow down.",
}


class NotSentReason(StrEnum):
    CONNECT = "connect"
    DNS = "dns"
    TLS = "tls"
    POOL = "pool"
    BUDGET = "budget"
    BREAKER = "breaker"
    WRITES_OFF = "writes_off"


class UnclearReason(StrEnum):
    CUT = "cut"
    TIMEOUT = "timeout"
    DEADLINE = "deadline"
    SERVER_ERROR = "server_error"
    UNREADABLE = "unreadable"
    TOO_LARGE = "too_large"
    REDIRECT = "redirect"
    UNEXPECTED = "unexpected"


class CloudError(Exception):
    """Every failure of a call. `message` is one plain sentence that a page may show (escaped)."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Refused(CloudError):
    """A definite no. `detail` is the redacted body, at most 4 KiB; `code` is "" when they gave none."""

    def __init__(self, status: int, told: Told | None = None, retry_after_s: float | None = None) -> None:
        told = told or Told()
        super().__init__(told.message or _WORDS.get(status, f"The provider refused this (status {status})."))
        self.status = status
        self.code = told.code
        self.fields = dict(told.fields)
        self.detail = told.detail
        self.retry_after_s = retry_after_s

    @property
    def is_bad_key(self) -> bool:
        return self.status == 401


class Busy(Refused):
    """429. `retry_after_s` is None when the provider did not say for how long, or not in words we know."""


class NotSent(CloudError):
    """Certainly not sent. `retry_in_s` is set when we know from when on it can work."""

    def __init__(self, reason: NotSentReason, message: str, retry_in_s: float | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.retry_in_s = retry_in_s


class Unclear(CloudError):
    """It may have happened. `status` is None when no status line arrived."""

    def __init__(self, reason: UnclearReason, message: str, status: int | None = None, detail: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.status = status
        self.detail = detail


class NoAnswer(Unclear):
    """A read that gave nothing usable: nothing can have happened, it may be asked again."""


def unclear(
    is_write: bool, reason: UnclearReason, message: str, status: int | None = None, detail: str = ""
) -> Unclear:
    return (Unclear if is_write else NoAnswer)(reason, message, status, detail)


def may_repeat(is_write: bool, error: CloudError, attempt: int, jitter: float = 0.5) -> float | None:
    """Seconds to wait before the same call may be sent again, or None: not by itself.

    `attempt` counts the tries so far, from 1; `jitter` is a random figure in [0, 1) handed in by the caller. A write
    repeats only after NotSent; a read also after 429 and after anything unclear.
    """
    if attempt > (WRITE_REPEATS if is_write else READ_REPEATS):
        return None
    backoff = 2.0 ** (attempt - 1) * (0.5 + jitter)
    if isinstance(error, NotSent):
        return None if error.reason is NotSentReason.WRITES_OFF else max(backoff, error.retry_in_s or 0.0)
    if is_write:
        return None
    if isinstance(error, Busy):
        return max(backoff, error.retry_after_s or 0.0)
    return backoff if isinstance(error, Unclear) else None


def from_answer(
    status: int, headers: Mapping[str, str], body: bytes, *, is_write: bool, secrets: tuple[str, ...] = ()
) -> CloudError:
    """The error for a status outside 2xx. `headers` is looked up in lower case; `secrets` are cut out of all texts."""
    told = read_error(body, secrets)
    if status == 429:
        return Busy(status, told, retry_after_s(headers.get("retry-after"), headers.get("date")))
    if status >= 500:
        words = f"The provider had an error of its own (status {status})."
        return unclear(is_write, UnclearReason.SERVER_ERROR, words, status, told.detail)
    if 300 <= status < 400:
        return unclear(is_write, UnclearReason.REDIRECT, "The provider answered with a redirect.", status)
    # A page from the edge, or an empty answer, is not the provider's no: for a write it proves nothing.
    is_definite = status >= 400 and status not in _NOT_A_DEFINITE_NO and (told.is_readable or not is_write)
    if is_definite or status == 401:
        return Refused(status, told, retry_after_s(headers.get("retry-after"), headers.get("date")))
    words = f"The provider answered in a way that says neither yes nor no (status {status})."
    return unclear(is_write, UnclearReason.UNEXPECTED, words, status, told.detail)


def retry_after_s(value: str | None, date: str | None = None) -> float | None:
    """Seconds from a Retry-After header (seconds or an HTTP date), 0 to 300; None when missing or nonsense.

    A date is read against the answer's own Date header, so that a wrong clock on either side does not matter.
    Source: RFC 9110, 10.2.3.
    """
    text = (value or "").strip()
    if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,6})?", text):
        return min(float(text), RETRY_AFTER_CAP_S)
    until = http_date(text)
    if until is None:
        return None
    return min(max((until - (http_date(date) or datetime.now(UTC))).total_seconds(), 0.0), RETRY_AFTER_CAP_S)


def http_date(value: str | None) -> datetime | None:
    """An HTTP date in aware UTC, or None."""
    try:
        parsed = parsedate_to_datetime((value or "")[:64])
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
