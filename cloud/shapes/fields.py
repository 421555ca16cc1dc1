"""Turning one value of the provider's JSON into one field, or None. Nothing in here raises.

The service is in beta: numbers come as text, empty text means missing, and fields change their type. A field that
cannot be read is None; its neighbours are not touched.
"""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, ClassVar, Self, TypeVar, get_origin, get_type_hints

from msgspec import Struct, structs

TEXT_CAP = 4096
_INT_CAP = 2**63
_TRUE = frozenset({"1", "true", "yes", "on", "enabled"})
_FALSE = frozenset({"0", "false", "no", "off", "disabled"})
# Times outside are typing errors or other units, not moments of a cloud's life.
_EPOCH_MIN, _EPOCH_MAX = 946_684_800, 4_102_444_800


class ShapeError(ValueError):
    """The answer as a whole is not what the endpoint gives; one odd row or field never is a reason."""


def text(value: Any) -> str | None:
    """Text without NUL characters, at most 4096 long, markup left alone; numbers become text; "" becomes None."""
    if isinstance(value, str):
        if "\0" in value:
            value = value.replace("\0", "")
        return value[:TEXT_CAP] or None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, int) and abs(value) >= _INT_CAP:
        return None
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def number(value: Any) -> float | None:
    """A finite float; "32" and "32.5" are read, true and false are no numbers."""
    if isinstance(value, bool):
        return None
    try:
        found = float(value[:40]) if isinstance(value, str) else float(value)
    except (ValueError, TypeError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def integer(value: Any) -> int | None:
    """A whole number that fits 64 bits (so that a database takes it); 32.0 and "32" are 32, 32.5 is None."""
    if type(value) is int:
        return value if -_INT_CAP <= value < _INT_CAP else None
    if isinstance(value, str) and len(value) <= 20:
        try:
            return integer(int(value))
        except ValueError:
            pass
    found = number(value)
    return int(found) if found is not None and found.is_integer() and abs(found) < _INT_CAP else None


def cents(value: Any) -> int | None:
    """A price in whole cents. A fraction is rounded up: a budget must not be overrun by a rounding."""
    found = number(value)
    return math.ceil(found) if found is not None and abs(found) < _INT_CAP else None


def boolean(value: Any) -> bool | None:
    """True and false in the spellings that were met: booleans, 1 and 0, and words for them."""
    if isinstance(value, bool | int | float):
        return bool(value) if value in (0, 1) else None
    word = value.strip().casefold() if isinstance(value, str) else None
    return True if word in _TRUE else False if word in _FALSE else None


def moment(value: Any) -> datetime | None:
    """Aware UTC. ISO 8601, without a zone taken as UTC; a number is seconds since 1970."""
    try:
        if isinstance(value, str) and not value.replace(".", "", 1).isdigit():
            found = datetime.fromisoformat(value[:64])
            return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        seconds = number(value)
        is_moment = seconds is not None and _EPOCH_MIN <= seconds <= _EPOCH_MAX
        return datetime.fromtimestamp(seconds, UTC) if seconds is not None and is_moment else None
    except (ValueError, OverflowError):
        return None


def mapping(value: Any) -> dict[str, Any] | None:
    return value if isinstance(value, dict) else None


def texts(value: Any) -> tuple[str, ...]:
    """A list of texts; one text is a list of one."""
    found = value if isinstance(value, list) else [value]
    return tuple(one for one in map(text, found) if one is not None)


def joined(value: Any) -> str | None:
    """One text of a text or a list of texts. The provider gives `gpu_model` in both ways."""
    return text(value) if isinstance(value, str) else ", ".join(texts(value)) or None


def known(value: Any) -> str | None:
    """Text, and None for the provider's "N/A"."""
    found = text(value)
    return None if found is None or found.strip().casefold() in {"n/a", "none"} else found


Convert = Callable[[Any], Any]
_BY_TYPE: dict[Any, Convert] = {
    str: lambda value: text(value) or "",
    str | None: text,
    int | None: integer,
    float | None: number,
    bool | None: boolean,
    datetime | None: moment,
    dict[str, Any] | None: mapping,
    tuple[str, ...]: texts,
}

Cents = Annotated[int | None, cents]
Joined = Annotated[str | None, joined]
Known = Annotated[str | None, known]


class Shape(Struct, frozen=True, kw_only=True):
    """One answer or row. The annotation of a field decides how it is read; `raw` is the row as it came.

    `aliases` names other spellings of a field, in the order in which they are believed; `wrappers` names keys in
    which the whole answer may be wrapped.
    """

    raw: dict[str, Any] = {}
    aliases: ClassVar[dict[str, tuple[str, ...]]] = {}
    wrappers: ClassVar[tuple[str, ...]] = ("data",)

    @classmethod
    def read(cls, row: dict[str, Any]) -> Self:
        """One row. Missing, null and unreadable fields get the field's default. Never raises."""
        found: dict[str, Any] = {"raw": row}
        for name, keys, convert in _plan(cls):
            for key in keys:
                value = row.get(key)
                if value is not None:
                    found[name] = convert(value)
                    break
        return cls(**found)

    @classmethod
    def parse(cls, answer: Any, *, is_write: bool = False) -> Self:
        """A whole answer, unwrapped. Raises ShapeError when it is no object or, for a read, has no known field."""
        row = unwrapped(answer, cls.wrappers)
        if not is_write and not any(key in row for _, keys, _ in _plan(cls) for key in keys):
            raise ShapeError(f"the answer has no field of {cls.__name__}")
        return cls.read(row)


@cache
def _plan(shape: type[Shape]) -> tuple[tuple[str, tuple[str, ...], Convert], ...]:
    hints = get_type_hints(shape, include_extras=True)
    aliases = shape.aliases
    return tuple(
        (name, (*aliases.get(name, ()), name), _converter(hints[name]))
        for name in shape.__struct_fields__
        if name != "raw" and _converter(hints[name]) is not None
    )


def _converter(hint: Any) -> Any:
    """None for fields that a shape fills by itself, such as its rows."""
    if get_origin(hint) is Annotated:
        return hint.__metadata__[0]
    return _BY_TYPE.get(hint)


def unwrapped(answer: Any, wrappers: tuple[str, ...]) -> dict[str, Any]:
    """The object in an answer. Raises ShapeError for a list, a text, null, and for a 2xx that says no."""
    if not isinstance(answer, dict):
        raise ShapeError("the answer is not an object")
    if answer.get("success") is False or (answer.get("error") and "task_id" not in answer):
        raise ShapeError("the answer has a good status and says no")
    return next((answer[key] for key in wrappers if isinstance(answer.get(key), dict)), answer)


def rows(answer: Any, *keys: str) -> list[Any]:
    """The list in an answer: bare, or under one of `keys` or `data`. Raises ShapeError when there is none.

    An answer without a list must never be read as "there are none".
    """
    if isinstance(answer, list):
        return answer
    if isinstance(answer, dict):
        for key in (*keys, "data"):
            found = answer.get(key)
            if isinstance(found, list):
                return found
            if isinstance(found, dict) and any(isinstance(found.get(inner), list) for inner in keys):
                return rows(found, *keys)
    raise ShapeError("the answer has no list")


T = TypeVar("T", bound=Shape)


def readable(shape: type[T], found: list[Any], key: str = "") -> tuple[tuple[T, ...], int]:
    """The rows that can be read, and how many cannot: no object, or without its `key` field.

    Raises ShapeError when not one of the rows can be read: such a list is garbage, and not an empty one.
    """
    read = [shape.read(row) for row in found if isinstance(row, dict)]
    good = tuple(row for row in read if not key or getattr(row, key))
    if found and not good:
        raise ShapeError(f"none of {len(found)} rows can be read")
    return good, len(found) - len(good)


class Rows(Shape, frozen=True, kw_only=True):
    """An answer that is a list: `items`. With `skipped` rows the absence of something proves nothing.

    A subclass names the shape of a row, the key under which the rows may stand, and the field a row cannot lack.
    """

    row_type: ClassVar[type[Shape]]
    row_key: ClassVar[str]
    row_id: ClassVar[str]

    skipped: int = 0

    @property
    def is_complete(self) -> bool:
        return self.skipped == 0

    @classmethod
    def parse(cls, answer: Any, *, is_write: bool = False) -> Self:
        found, skipped = readable(cls.row_type, rows(answer, cls.row_key), cls.row_id)
        head = cls.read(answer if isinstance(answer, dict) else {})
        return structs.replace(head, items=found, skipped=skipped)
