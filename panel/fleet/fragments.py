"""Rows and heads of machines as live events carry them: the same templates as the pages, with nothing personal."""

from collections.abc import Iterable, Sequence

from django.template.loader import get_template

from cloud.models import Instance
from panel import standing
from panel.fleet import listing, row, shown


def rows(team_id: int, ids: Sequence[int]) -> list[tuple[int, str]]:
    """(row id, HTML of its `<tr>`) of those machines that are the team's by now, in no order. Two queries."""
    values = list(Instance.objects.filter(team_id=team_id, pk__in=ids).values_list(*listing.COLUMNS, named=True))
    return [(value.id, html) for value, html in zip(values, row.rows(values, standing.stale_accounts()), strict=True)]


def heads(team_id: int, ids: Sequence[int]) -> Iterable[tuple[int, str]]:
    """(row id, HTML of the state in a machine's page head), of those that are the team's by now."""
    if not ids:
        return
    stale = standing.stale_accounts()
    template = get_template("fleet/_state.html")
    for instance in Instance.objects.filter(team_id=team_id, pk__in=ids).defer("raw", "search"):
        yield instance.pk, template.render({"state": shown.state_of(instance, stale), "id": instance.pk})


def team_of(pk: int) -> int | None:
    """Whose the machine is now; None when it is not there."""
    found: int | None = Instance.objects.filter(pk=pk).values_list("team_id", flat=True).first()
    return found
