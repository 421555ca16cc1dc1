"""What may be written down: no secrets, nothing endless, nothing that one database keeps and the other refuses."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from panel.redaction import is_secret, redacted

MOST_BYTES = 4096
# A text is cut to the first of these with which the whole fits.
TEXT_SIZES = (500, 100, 20)
MOST_ITEMS, MOST_DEPTH = 50, 5
# Beyond it JSON readers round: such a number is written as text.
SAFE_BITS, MOST_BITS = 53, 256
CUT = '{"cut":true}'
_encode = msgspec.json.Encoder(order="deterministic").encode


def plain(value: object, most: int) -> str:
    """Text of at most `most` characters without secrets; what PostgreSQL or UTF-8 cannot hold becomes a mark.

    Those are NUL, and halves of surrogate pairs.
    """
    text = redacted(str(value)[: most * 10])
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "\ufffd")
    return text if len(text) <= most else f"{text[: most - 1]}…"


def detail_text(detail: Mapping[str, Any] | None) -> str:
    """The detail as canonical JSON: keys sorted, no blanks, only objects, lists, texts, integers, booleans and null.

    Keys that sound like a secret are left out. At most 4 KiB of UTF-8; what cannot be cut to that is `{"cut":true}`.
    """
    for size in TEXT_SIZES:
        encoded = _encode(_cleaned(detail or {}, size, MOST_DEPTH))
        if len(encoded) <= MOST_BYTES:
            return encoded.decode()
    return CUT


def _cleaned(value: Any, size: int, depth: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return _number(int(value))
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        return _collection(value, size, depth - 1) if depth else "…"
    return "…" if isinstance(value, bytes) else plain(value, size)


def _number(value: int) -> int | str:
    if value.bit_length() <= SAFE_BITS:
        return value
    return str(value) if value.bit_length() <= MOST_BITS else "…"


def _collection(value: Any, size: int, depth: int) -> dict[str, Any] | list[Any]:
    if isinstance(value, Mapping):
        named = [(plain(key, size), item) for key, item in list(value.items())[:MOST_ITEMS]]
        return {key: _cleaned(item, size, depth) for key, item in named if not is_secret(key)}
    items = sorted(value, key=str) if isinstance(value, set | frozenset) else value
    return [_cleaned(item, size, depth) for item in items[:MOST_ITEMS]]
