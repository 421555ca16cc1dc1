"""Reading the body of an error, in every shape that was met, into plain words.

`{"error", "message"}`, the same within `detail` or with `errors: [{field, message}]`, `{"detail": "text"}`, the web
framework's `{"detail": [{"loc", "msg"}]}`, HTML from the edge, and nothing at all. What comes out holds no markup, no
control characters and no secret. Source: the provider's reference, and answers of the live service.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

_MESSAGE, _CODE, _DETAIL, _FIELDS, _DEPTH = 300, 64, 4096, 50, 6

_TAG = re.compile(r"<[a-zA-Z/!?][^>]*(?:>|$)")
_BLOCK = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|$)", re.IGNORECASE | re.DOTALL)
# "input" is what FastAPI echoes in a 422: the value that was sent, passwords included.
_SECRET_NAME = re.compile(r"pass|secret|token|ticket|api.?key|authori[sz]ation|cookie|credential|private|^input$", re.I)
_REMOVED = "[removed]"
# The web framework puts the place of a field in front of its name.
_PLACES = frozenset({"body", "query", "path", "header", "__root__"})


@dataclass(frozen=True, slots=True)
class Told:
    """What an error body says. `is_readable` is False for HTML, an empty body, and JSON of no known shape."""

    code: str = ""
    message: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    detail: str = ""
    is_readable: bool = False


def decode(body: bytes) -> Any:
    """The JSON value of a body. Raises ValueError for anything else, a bottomless nesting included."""
    try:
        return msgspec.json.decode(body)
    except (ValueError, RecursionError, OverflowError, MemoryError) as error:
        raise ValueError("the body is not JSON") from error


def read_error(body: bytes, secrets: tuple[str, ...] = ()) -> Told:
    """Code, text and fields of an error body in any of the shapes that were met."""
    try:
        data = decode(body)
    except ValueError:
        return Told(detail=f"(no JSON, {len(body)} bytes)" if body.strip() else "")
    source = _flat(data)
    inner, errors = source.get("detail"), source.get("errors")
    code = clean(source.get("error") or source.get("code"), _CODE, secrets)
    words = [source.get("message"), source.get("msg"), inner, "; ".join((*_loose(errors), *_loose(inner)))]
    message = next((text for word in words if (text := clean(word, _MESSAGE, secrets))), "")
    if not message and " " in code:  # a sentence in the place of the code
        message = code
    fields = {
        clean(name, _CODE, secrets): clean(text, _MESSAGE, secrets)
        for name, text in (*_fields(errors), *_fields(inner))
    }
    detail = msgspec.json.encode(_redacted(data, secrets)).decode()
    return Told(code, message, fields, _cut(detail, _DETAIL), bool(code or message or fields))


def _flat(data: Any) -> dict[str, Any]:
    """One level of names: what stands in `detail` or in `error` is lifted up; a bare text or list becomes `detail`."""
    source = dict(data) if isinstance(data, dict) else {"detail": data}
    for wrapper in ("error", "detail"):
        inner = source.get(wrapper)
        if isinstance(inner, dict):
            source.pop(wrapper)
            source |= inner
    return source


def _place(row: Any) -> str:
    """The field a row of errors is about, "" for none. The framework gives a path, the provider a name."""
    loc = row.get("loc") if isinstance(row, dict) else None
    parts = loc if isinstance(loc, list) else [row.get("field")] if isinstance(row, dict) else []
    return ".".join(clean(part, _CODE) for part in parts if isinstance(part, str | int) and part not in _PLACES)


def _text(row: Any) -> str:
    text = (row.get("message") or row.get("msg")) if isinstance(row, dict) else row
    return text if isinstance(text, str) else ""


def _fields(errors: Any) -> Iterator[tuple[str, str]]:
    """(field, message) of `[{field, message}]`, of the framework's `[{loc, msg}]`, and of `{field: message}`."""
    if isinstance(errors, dict):
        errors = [{"field": name, "message": text} for name, text in errors.items()]
    for row in errors[:_FIELDS] if isinstance(errors, list) else []:
        if _place(row) and _text(row):
            yield _place(row), _text(row)


def _loose(errors: Any) -> Iterator[str]:
    """Texts of a list that belong to no field."""
    for row in errors[:_FIELDS] if isinstance(errors, list) else []:
        if _text(row) and not _place(row):
            yield _text(row)[:_MESSAGE]


def _redacted(value: Any, secrets: tuple[str, ...], depth: int = 0) -> Any:
    if depth > _DEPTH:
        return "…"
    if isinstance(value, dict):
        return {
            clean(name, _CODE, secrets): _REMOVED
            if _SECRET_NAME.search(name[:_DETAIL])
            else _redacted(one, secrets, depth + 1)
            for name, one in list(value.items())[:_FIELDS]
        }
    if isinstance(value, list):
        return [_redacted(one, secrets, depth + 1) for one in value[:_FIELDS]]
    if isinstance(value, int) and value.bit_length() > 63:  # JSON has no limit, encoders do
        return "…"
    return clean(value, _MESSAGE, secrets) if isinstance(value, str) else value


def clean(value: Any, length: int, secrets: tuple[str, ...] = ()) -> str:
    """One line of plain text: no markup, no control or direction characters, no secret, at most `length` long.

    A number becomes its digits; anything else is "".
    """
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() < 64:
        return str(value)
    if not isinstance(value, str):
        return ""
    for secret in filter(None, secrets):
        value = value.replace(secret, _REMOVED)
    # Cut before the patterns run: they are quadratic on hostile text. Invisible characters go first, or a tag that
    # is split by one would come together behind the pattern's back.
    text = "".join(c for c in value[: 4 * length] if c.isspace() or unicodedata.category(c)[0] != "C")
    return _cut(" ".join(_TAG.sub(" ", _BLOCK.sub(" ", text)).split()), length)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
