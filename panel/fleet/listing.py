"""What a list of machines is asked for (the address bar) and the page of rows that answers it.

Paging is by key: a page starts behind the last row of the one before, so that the last page costs what the first does
and nothing is skipped when rows come and go. Queries: one a page.
"""

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.db.models import Expression, F, Func, IntegerField, Q
from django.db.models.functions import Coalesce
from django.http import QueryDict
from django.utils.functional import cached_property

from cloud.models import Instance, InstanceQuerySet

PAGE = 50
UNCOUNTED = -1
LONGEST = 2000  # characters of a cursor
CALM = Q(attention=Instance.Attention.CALM)  # with what goes on, a machine is in that state and no other
PREPARES = Q(rank=Instance.Rank.RUNNING, prepares_until__isnull=False)
STATES = {
    "attention": Q(attention__lte=Instance.Attention.UNCLEAR, gone_at=None),
    "busy": Q(attention=Instance.Attention.BUSY, gone_at=None) | (PREPARES & CALM),
    "running": Q(rank=Instance.Rank.RUNNING, prepares_until=None) & CALM,
    "off": Q(rank__in=(Instance.Rank.OFF, Instance.Rank.PAUSED)) & CALM,
    "unknown": Q(rank=Instance.Rank.UNKNOWN) & CALM,
    "gone": Q(rank=Instance.Rank.GONE),
}

# What a list can be sorted by: the columns of the key, ending in a unique one. Each has its index (cloud/models.py).
ORDERS: dict[str, tuple[str, ...]] = {
    "state": ("attention", "rank", "name", "id"),
    "name": ("name", "id"),
    "type": ("type_label", "name", "id"),
    "region": ("region", "name", "id"),
    "price": ("price_key", "name", "id"),
    "age": ("started_at", "id"),
}


def _whole(value: Any) -> int:
    """A whole number that a database column can be compared with."""
    if not isinstance(value, int) or abs(value) >= 2**63:
        raise ValueError(value)
    return value


def _text(value: Any) -> str:
    """A text that every database takes: no NUL, no half of a surrogate pair."""
    if not isinstance(value, str) or "\0" in value:
        raise ValueError(value)
    value.encode()
    return value


def _moment(value: Any) -> datetime:
    return datetime.fromisoformat(value).astimezone(UTC)


KINDS: dict[str, Callable[[Any], Any]] = {
    "id": _whole,
    "attention": _whole,
    "rank": _whole,
    "price_key": _whole,
    "name": _text,
    "type_label": _text,
    "region": _text,
    "started_at": _moment,
}
# Written out, not a parameter: SQLite finds the index of an expression only by the same text.
PRICE_KEY = Coalesce("price_cents_per_hour", Func(template="-1", output_field=IntegerField()))


@dataclass(frozen=True)
class Cursor:
    """Where a page starts: behind (or, going back, before) a key; without a key at one of the ends.

    `at` counts the rows before it, for words only; UNCOUNTED where nobody has counted them.
    """

    key: tuple[Any, ...] = ()
    is_back: bool = False
    at: int = 0

    def text(self) -> str:
        packed = json.dumps([self.is_back, self.at, *self.key], default=str, separators=(",", ":"))
        return base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")

    @classmethod
    def read(cls, text: str, columns: Sequence[str]) -> "Cursor":
        """The cursor of an address; one that somebody mangled is the first page, not an error."""
        if len(text) > LONGEST:
            return cls()
        try:
            padded = text + "=" * (-len(text) % 4)
            is_back, at, *key = json.loads(base64.urlsafe_b64decode(padded.encode()))
            typed = tuple(KINDS[column](value) for column, value in zip(columns, key, strict=True)) if key else ()
        except (ValueError, TypeError, OverflowError, RecursionError):
            return cls()
        if not isinstance(at, int):
            return cls()
        return cls(typed, bool(is_back), min(max(at, UNCOUNTED), 10**9))


@dataclass(frozen=True)
class Wish:
    """What the address bar asks for; nonsense in it falls back to the default."""

    q: str = ""
    state: str = ""
    region: str = ""
    type: str = ""
    team: str = ""
    order: str = "state"
    is_descending: bool = False
    cursor: Cursor = Cursor()

    @classmethod
    def read(cls, query: QueryDict) -> "Wish":
        sort = query.get("sort", "")
        order = sort.lstrip("-")
        order = order if order in ORDERS else "state"
        state = query.get("state", "")
        return cls(
            q=" ".join(query.get("q", "").replace("\0", "").split())[:100],
            state=state if state in STATES else "",
            region=query.get("region", "").replace("\0", "")[:128],
            type=query.get("type", "").replace("\0", "")[:160],
            team=_number(query.get("team", "")),
            order=order,
            is_descending=sort.startswith("-"),
            cursor=Cursor.read(query.get("from", ""), ORDERS[order]),
        )

    @property
    def sort(self) -> str:
        return ("-" if self.is_descending else "") + self.order

    @property
    def is_filtered(self) -> bool:
        return bool(self.state or self.region or self.type or self.team)

    @property
    def is_narrowed(self) -> bool:
        return bool(self.q) or self.is_filtered

    def address(self, **changes: Any) -> str:
        """The query part of the address with some values changed; a change of anything starts at the first page."""
        wish = replace(self, **({"cursor": Cursor()} | changes))
        parts = {"q": wish.q, "state": wish.state, "region": wish.region, "type": wish.type, "team": wish.team}
        if wish.sort != "state":
            parts["sort"] = wish.sort
        if wish.cursor != Cursor():
            parts["from"] = wish.cursor.text()
        return "?" + urlencode({name: value for name, value in parts.items() if value})

    @property
    def filters(self) -> list[tuple[str, str]]:
        """The first page's address as fields of a form: (name, value)."""
        return parse_qsl(self.address().removeprefix("?"))

    @property
    def here(self) -> str:
        """This very page, for reading it again."""
        return self.address(cursor=self.cursor)

    def narrow(self, rows: InstanceQuerySet) -> InstanceQuerySet:
        rows = rows.filter(STATES[self.state] if self.state else self._present())
        if self.region:
            rows = rows.filter(region=self.region)
        if self.type:
            rows = rows.filter(type_label=self.type)
        if self.team:
            rows = rows.filter(team_id=int(self.team))
        for word in self.q.casefold().split():
            rows = rows.filter(search__contains=word)
        return rows

    def _present(self) -> Q:
        """Not gone, told by a column that does not lead SQLite away from the wished order's index."""
        return Q(rank__lt=Instance.Rank.GONE) if self.order == "state" else Q(gone_at=None)

    def ordered(self, rows: InstanceQuerySet) -> InstanceQuerySet:
        if self.order == "price":
            rows = rows.annotate(price_key=PRICE_KEY)
        return rows.order_by(*(_direction(column, self.is_descending) for column in ORDERS[self.order]))


def _number(text: str) -> str:
    return text if text.isascii() and text.isdecimal() and len(text) < 19 else ""


@dataclass(frozen=True)
class Page:
    """Rows of one page and the addresses around it; None where there is nothing in that direction."""

    rows: Sequence[Any]
    wish: Wish
    has_before: bool
    has_after: bool

    @property
    def is_counted(self) -> bool:
        return self.wish.cursor.at != UNCOUNTED

    @property
    def first(self) -> int:
        return self.wish.cursor.at + 1

    @property
    def last(self) -> int:
        return self.wish.cursor.at + len(self.rows)

    @property
    def first_address(self) -> str:
        return self.wish.address()

    @cached_property
    def before(self) -> str | None:
        if not self.has_before:
            return None
        at = max(self.wish.cursor.at - PAGE, 0) if self.is_counted else UNCOUNTED
        return self.wish.address(cursor=Cursor(_key(self.rows[0], self.wish), is_back=True, at=at))

    @cached_property
    def after(self) -> str | None:
        if not self.has_after:
            return None
        at = self.last if self.is_counted else UNCOUNTED
        return self.wish.address(cursor=Cursor(_key(self.rows[-1], self.wish), at=at))

    def end(self, total: int | None) -> str | None:
        """The last page; how many rows stand before it is said only if `total` is known."""
        if not self.has_after:
            return None
        return self.wish.address(cursor=Cursor(is_back=True, at=(total - 1) // PAGE * PAGE if total else UNCOUNTED))


def page(rows: InstanceQuerySet, wish: Wish, total: int | None = None) -> Page:
    """The wished page of `rows`, as values objects of COLUMNS. One query. `total` makes the last page end evenly."""
    cursor = wish.cursor
    rows = wish.ordered(wish.narrow(rows))
    if cursor.key:
        rows = rows.filter(_behind(wish))
    size = PAGE
    if cursor.is_back:
        rows = rows.reverse()
        if not cursor.key and total:
            size = (total - 1) % PAGE + 1  # the last page holds the rest, as it does when one walks there
    columns = (*COLUMNS, "price_key") if wish.order == "price" else COLUMNS
    found = list(rows.values_list(*columns, named=True)[: size + 1])
    has_more = len(found) > size
    found = found[:size]
    if cursor.is_back:
        return Page(found[::-1], wish, has_before=has_more, has_after=bool(cursor.key))
    return Page(found, wish, has_before=bool(cursor.key), has_after=has_more)


# Everything a row shows. `search`, `raw` and the like stay in the database.
COLUMNS = (
    "id", "account_id", "name", "power", "last_power", "last_power_at", "rank", "ip_address", "region", "type_label",
    "cpu_cores", "gpu_count", "gpu_model", "price_cents_per_hour", "started_at", "missing_since",
    "gone_at", "is_locked", "attention", "operation_kind", "operation_state", "operation_at", "prepares_until",
)  # fmt: skip


def _direction(column: str, is_descending: bool) -> Expression | Any:
    return F(column).desc() if is_descending else F(column).asc()


def _behind(wish: Wish) -> Q:
    """Rows behind the cursor's key in the wished order: a > x or (a = x and (b > y or …)), led by a >= x.

    The leading bound lets the database start inside the index; the rest is exact.
    """
    columns, key = ORDERS[wish.order], wish.cursor.key
    sign = "lt" if wish.is_descending != wish.cursor.is_back else "gt"
    exact = Q(**{f"{columns[-1]}__{sign}": key[-1]})
    for column, value in reversed(list(zip(columns[:-1], key[:-1], strict=True))):
        exact = Q(**{f"{column}__{sign}": value}) | (Q(**{column: value}) & exact)
    return Q(**{f"{columns[0]}__{sign}e": key[0]}) & exact


def _key(row: Any, wish: Wish) -> tuple[Any, ...]:
    return tuple(getattr(row, column) for column in ORDERS[wish.order])
