from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import msgspec
import pytest

from cloud.error_bodies import clean, read_error
from cloud.errors import (
    Busy,
    CloudError,
    NoAnswer,
    NotSent,
    NotSentReason,
    Refused,
    Unclear,
    UnclearReason,
    from_answer,
    may_repeat,
    retry_after_s,
)

REFUSED = Refused(409)
UNCLEAR = Unclear(UnclearReason.CUT, "cut")
NO_ANSWER = NoAnswer(UnclearReason.CUT, "cut")


def refused(status: int, body: object, *, is_write: bool = True, headers: dict[str, str] | None = None) -> CloudError:
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return from_answer(status, httpx.Headers(headers), content, is_write=is_write, secrets=("s3cret-key",))


@pytest.mark.parametrize(
    ("body", "code", "message", "fields"),
    [
        ({"error": "invalid_state", "message": "Not ready"}, "invalid_state", "Not ready", {}),
        ({"detail": {"error": "conflict", "message": "Busy"}}, "conflict", "Busy", {}),
        (
            {"error": "invalid", "message": "Bad", "errors": [{"field": "name", "message": "too short"}]},
            "invalid",
            "Bad",
            {"name": "too short"},
        ),
        (
            {"detail": {"error": "invalid", "message": "Bad", "errors": [{"field": "name", "message": "short"}]}},
            "invalid",
            "Bad",
            {"name": "short"},
        ),
        ({"detail": "Not Found"}, "", "Not Found", {}),
        ({"detail": [{"loc": ["body", "ssh_key"], "msg": "Field required"}]}, "", None, {"ssh_key": "Field required"}),
        ({"detail": [{"loc": ["body", "specs", 0, "gpu"], "msg": "no"}]}, "", None, {"specs.0.gpu": "no"}),
        ({"detail": ["one", "two"]}, "", "one; two", {}),
        ({"detail": [{"msg": "loose"}]}, "", "loose", {}),
        ({"errors": {"name": "short"}}, "", None, {"name": "short"}),
        ({"error": {"code": "gone", "message": "It left"}}, "gone", "It left", {}),
        ({"error": "Something went wrong"}, "Something went wrong", "Something went wrong", {}),
        ("plain text", "", "plain text", {}),
        (["a", "b"], "", "a; b", {}),
    ],
)
def test_shapes_of_errors(body: object, code: str, message: str | None, fields: dict[str, str]) -> None:
    error = refused(422, body)
    assert isinstance(error, Refused)
    assert (error.code, error.fields) == (code, fields)
    assert error.message == (message or "The provider says that some values are not valid.")


@pytest.mark.parametrize("body", [b"", b"<html><h1>Bad</h1></html>", b"{", b"{}", b"[]", b"null", b"[" * 10000])
def test_a_no_without_words_settles_a_read_but_not_a_write(body: bytes) -> None:
    assert isinstance(refused(404, body, is_write=False), Refused)
    error = refused(404, body, is_write=True)
    assert isinstance(error, Unclear)
    assert error.reason is UnclearReason.UNEXPECTED
    assert "<" not in error.detail


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 422])
def test_a_no_in_words_is_definite(status: int) -> None:
    error = refused(status, {"error": "no", "message": "No."})
    assert isinstance(error, Refused)
    assert error.status == status
    assert error.is_bad_key == (status == 401)


def test_401_is_believed_without_words() -> None:
    assert isinstance(refused(401, b""), Refused)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (500, UnclearReason.SERVER_ERROR),
        (502, UnclearReason.SERVER_ERROR),
        (503, UnclearReason.SERVER_ERROR),
        (504, UnclearReason.SERVER_ERROR),
        (302, UnclearReason.REDIRECT),
        (408, UnclearReason.UNEXPECTED),
        (101, UnclearReason.UNEXPECTED),
    ],
)
def test_everything_else_is_unclear(status: int, reason: UnclearReason) -> None:
    write, read = refused(status, {"detail": "x"}), refused(status, {"detail": "x"}, is_write=False)
    assert type(write) is Unclear
    assert write.reason is reason
    assert type(read) is NoAnswer


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 0),
        ("7", 7),
        ("1.5", 1.5),
        ("9999", 300),
        ("99999999999999999999", None),
        ("-5", None),
        ("soon", None),
        ("²", None),
        ("inf", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 60),
        ("Wed, 21 Oct 2015 07:00:00 GMT", 0),
        ("Wed, 21 Oct 2099 07:28:00 GMT", 300),
    ],
)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    assert retry_after_s(header, "Wed, 21 Oct 2015 07:27:00 GMT") == seconds


def test_retry_after_date_without_a_date_header_uses_our_clock() -> None:
    value = retry_after_s(format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True))
    assert value is not None
    assert 55 < value <= 60


def test_429_is_busy_whatever_its_body() -> None:
    error = refused(429, b"<html>", headers={"Retry-After": "12"})
    assert isinstance(error, Busy)
    assert error.retry_after_s == 12


@pytest.mark.parametrize(
    ("is_write", "error", "attempt", "delay"),
    [
        (False, NO_ANSWER, 1, 1.0),
        (False, NO_ANSWER, 2, 2.0),
        (False, NO_ANSWER, 4, 8.0),
        (False, NO_ANSWER, 5, None),
        (False, REFUSED, 1, None),
        (False, Busy(429, None, 20.0), 1, 20.0),
        (False, NotSent(NotSentReason.CONNECT, "x"), 1, 1.0),
        (True, UNCLEAR, 1, None),
        (True, REFUSED, 1, None),
        (True, Busy(429, None, 1.0), 1, None),
        (True, NotSent(NotSentReason.DNS, "x"), 1, 1.0),
        (True, NotSent(NotSentReason.BREAKER, "x", 30.0), 1, 30.0),
        (True, NotSent(NotSentReason.DNS, "x"), 5, 16.0),
        (True, NotSent(NotSentReason.DNS, "x"), 6, None),
        (True, NotSent(NotSentReason.WRITES_OFF, "x"), 1, None),
    ],
)
def test_may_repeat(is_write: bool, error: CloudError, attempt: int, delay: float | None) -> None:
    assert may_repeat(is_write, error, attempt) == delay


def test_jitter_spreads_the_delay() -> None:
    assert may_repeat(False, NO_ANSWER, 1, 0.0) == 0.5
    assert may_repeat(False, NO_ANSWER, 1, 0.999) == pytest.approx(1.499)


def test_secrets_do_not_come_back() -> None:
    body = {
        "detail": [{"loc": ["body", "password"], "msg": "s3cret-key is weak", "input": {"password": "hunter2"}}],
        "api_key": "other",
        "request": {"authorization": "Bearer x", "kept": "yes"},
    }
    error = refused(422, body)
    assert isinstance(error, Refused)
    everything = f"{error} {error.fields} {error.detail}"
    assert "s3cret-key" not in everything
    assert "hunter2" not in everything
    assert "Bearer" not in everything
    assert '"kept":"yes"' in error.detail


def test_unknown_fields_are_kept() -> None:
    told = read_error(b'{"error":"x","message":"y","trace_id":"t-1","big":123456789012345678901234567890}')
    assert msgspec.json.decode(told.detail)["trace_id"] == "t-1"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("a\x00b\x1b[31m\u202ec", "ab[31mc"),
        ("line\r\n two\t\u2028three", "line two three"),
        ("<b>bold</b> text", "bold text"),
        ("<script>alert(1)</script>ok", "ok"),
        ("<\x00b>x", "x"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("cut <img src=x onerror=", "cut"),
        ("\ud800x", "x"),
        ("x" * 500, "x" * 299 + "…"),
        (None, ""),
        (7, "7"),
        (True, ""),
    ],
)
def test_clean(given: object, shown: str) -> None:
    assert clean(given, 300) == shown
