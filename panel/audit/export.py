"""The record as lines, page by page: a million rows cost no more memory than one page."""

import csv
import io
from collections.abc import Iterator
from typing import Any

import msgspec
from django.db.models import QuerySet

from panel.audit.canonical import COLUMNS, instant
from panel.audit.models import Entry
from panel.fleet.export import cell

# `detail` is the text that was hashed: whoever gets a line can check its hash (canonical.py).
HEADS = ("sequence", "version", *COLUMNS, "previous_hash", "hash")
AT = HEADS.index("at")
PAGE = 2000


def since(sequence: int) -> QuerySet[Entry]:
    """Everything from there on."""
    return Entry.objects.filter(sequence__gte=sequence)


def json_lines(entries: QuerySet[Entry], page: int = PAGE) -> Iterator[str]:
    """A JSON object a row, the oldest first."""
    for row in _rows(entries, page):
        yield f"{msgspec.json.encode(dict(zip(HEADS, row, strict=True))).decode()}\n"


def csv_lines(entries: QuerySet[Entry], page: int = PAGE) -> Iterator[str]:
    """The heads, then a line a row. Cells that a spreadsheet would run begin with an apostrophe."""
    yield _csv(HEADS)
    for row in _rows(entries, page):
        yield _csv([cell(value) for value in row])


def _rows(entries: QuerySet[Entry], size: int) -> Iterator[list[Any]]:
    last = -1
    while True:
        page = list(entries.filter(sequence__gt=last).order_by("sequence").values_list(*HEADS)[:size])
        for row in page:
            yield [*row[:AT], instant(row[AT]), *row[AT + 1 :]]
        if len(page) < size:
            return
        last = page[-1][0]


def _csv(values: Any) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(values)
    return line.getvalue()
