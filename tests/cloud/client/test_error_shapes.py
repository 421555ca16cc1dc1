"""F17: every shape of an error, with whatever else the provider may put beside it."""

from typing import Any

import httpx
import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.errors import Busy, CloudError, Refused, Unclear, from_answer
from tests.cloud.client.conftest import EXAMPLES, FEWER

WORDS = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=30)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
KNOWN = {"error", "message", "detail", "errors", "code", "msg"}
EXTRA = st.dictionaries(WORDS.filter(lambda name: name not in KNOWN), WORDS, max_size=3)


@st.composite
def told(draw: st.DrawFn) -> tuple[dict[str, Any], str, str | None, dict[str, str], dict[str, str]]:
    """A body, and the code, message, fields and extra values that must come out of it."""
    code, message, extra = draw(WORDS), draw(WORDS), draw(EXTRA)
    fields = draw(
        st.dictionaries(WORDS.filter(lambda n: n not in {"body", "query", "path", "header"}), WORDS, max_size=3)
    )
    rows = [{"field": name, "message": text} for name, text in fields.items()]
    places = [{"loc": ["body", name], "msg": text, "type": "x"} for name, text in fields.items()]
    flat: dict[str, Any] = {"error": code, "message": message}
    shapes: list[tuple[dict[str, Any], str, str | None, dict[str, str]]] = [
        (flat, code, message, {}),
        ({"detail": flat}, code, message, {}),
        ({**flat, "errors": rows}, code, message, fields),
        ({"detail": {**flat, "errors": rows}}, code, message, fields),
        ({"detail": message}, "", message, {}),
        ({"detail": [message]}, "", message, {}),
        ({"detail": places or [message]}, "", None if places else message, fields),
    ]
    body, expected_code, expected_message, expected_fields = draw(st.sampled_from(shapes))
    return {**extra, **body}, expected_code, expected_message, expected_fields, extra


def read(status: int, body: bytes, is_write: bool) -> CloudError:
    return from_answer(status, httpx.Headers(), body, is_write=is_write, secrets=("s3cret",))


@settings(EXAMPLES)
@given(told(), st.sampled_from([400, 403, 404, 409, 422, 429]), st.booleans())
def test_known_shapes_are_read_right(
    case: tuple[dict[str, Any], str, str | None, dict[str, str], dict[str, str]], status: int, is_write: bool
) -> None:
    body, code, message, fields, extra = case
    error = read(status, msgspec.json.encode(body), is_write)
    assert isinstance(error, Refused)
    assert isinstance(error, Busy) == (status == 429)
    assert (error.status, error.code, error.fields) == (status, code, fields)
    assert message is None or error.message == message
    if not error.detail.endswith("…"):
        kept = msgspec.json.decode(error.detail)
        assert all(kept[name] in {text, "[removed]"} for name, text in extra.items())


@settings(FEWER)
@given(JSON | st.dictionaries(st.sampled_from(sorted(KNOWN)), JSON), st.integers(100, 599), st.booleans())
def test_any_json_gives_a_clean_error(data: Any, status: int, is_write: bool) -> None:
    try:
        body = msgspec.json.encode(data)
    except OverflowError:
        body = repr(data).encode()
    check(read(status, body, is_write), status, is_write)


@settings(FEWER)
@given(st.binary(max_size=200), st.integers(100, 599), st.booleans())
def test_any_bytes_give_a_clean_error(body: bytes, status: int, is_write: bool) -> None:
    check(read(status, body, is_write), status, is_write)


def check(error: CloudError, status: int, is_write: bool) -> None:
    assert isinstance(error, Refused | Unclear)
    if status >= 500 or status < 400:
        assert isinstance(error, Unclear)
    assert 0 < len(error.message) <= 300
    assert len(error.detail) <= 4096
    texts = [error.message, error.detail]
    if isinstance(error, Refused):
        texts += [error.code, *error.fields, *error.fields.values()]
    assert all(character.isprintable() or character == " " for text in texts for character in text)
