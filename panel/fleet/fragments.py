"""Rows and heads of machines as live events carry them: the same templates as the pages, with nothing personal."""

from collections.abc import Iterable, Sequence

from django.template.loader import get_template

from cloud.models import Instance
from panel import standing
from panel.fleet import listing, row, shown


def rows(ids: Sequence[int]) -> list[tuple[int, str]]:
    """(row id, HTML of its `<tr>`) of the machines, in no order. Two queries."""
    values = list(Instance.objects.filter(pk__in=ids).values_list(*listing.COLUMNS, named=True))
    return [(value.id, html) for value, html in zip(values, row.rows(values, standing.stale_accounts()), strict=True)]


def heads(ids: Sequence[int]) -> Iterable[tuple[int, str]]:
    """(row id, HTML of the state in a machine's page head)."""
    if not ids:
        return
    stale = standing.stale_accounts()
    template = get_template("fleet/_state.html")
    for instance in Instance.objects.filter(pk__in=ids).defer("raw", "search"):
        yield instance.pk, template.render({"state": shown.state_of(instance, stale), "id": instance.pk})
