"""Counts for headings, filters and the overview, made when a sync changed something, so that no page counts."""

from collections import Counter, defaultdict
from typing import Any

from django.db import transaction
from django.db.models import Count, Sum

from cloud.models import Account, Instance, Tally

MOST_CHOICES = 60  # a filter with more values is a search


def recount(account: Account) -> None:
    """Count the account's machines anew and write the tallies that differ. Three queries at most."""
    with transaction.atomic():
        _recount(account)


def _recount(account: Account) -> None:
    # Locked first: two that count at once would each miss what the other has not committed, and write that down.
    kept = Tally.objects.select_for_update(no_key=True).filter(account=account).order_by("team_id")
    stored = {tally.team_id: tally for tally in kept}
    groups = (
        Instance.objects.filter(account=account)
        .values("team_id", "rank", "region", "type_label")
        .annotate(machines=Count("id"), cents=Sum("price_cents_per_hour"), priced=Count("price_cents_per_hour"))
        .order_by()
    )
    fresh = _summed([dict(group) for group in groups])
    rows = []
    for team in sorted(fresh.keys() | stored.keys()):  # two that count at once lock the rows in one order
        values = fresh.get(team) or _EMPTY
        old = stored.get(team)
        if old is None or any(getattr(old, name) != value for name, value in values.items()):
            rows.append(Tally(account=account, team_id=team, **values))
    Tally.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=("account", "team_id"), update_fields=tuple(_EMPTY)
    )


_EMPTY: dict[str, Any] = {"states": {}, "cents_per_hour": 0, "unpriced": 0, "regions": [], "types": []}


def _summed(groups: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    states: dict[int, Counter[str]] = defaultdict(Counter)
    cents: Counter[int] = Counter()
    unpriced: Counter[int] = Counter()
    regions: dict[int, Counter[str]] = defaultdict(Counter)
    types: dict[int, Counter[str]] = defaultdict(Counter)
    for group in groups:
        team, machines = group["team_id"], group["machines"]
        states[team][str(group["rank"])] += machines
        regions[team][group["region"]] += machines
        types[team][group["type_label"]] += machines
        if group["rank"] not in {
            Instance.Rank.GONE,
            Instance.Rank.AWAITED,
            Instance.Rank.UNMADE,
        }:  # what is not there yet costs nothing
            cents[team] += group["cents"] or 0
            unpriced[team] += machines - group["priced"]
    return {
        team: {
            "states": dict(sorted(counts.items())),
            "cents_per_hour": cents[team],
            "unpriced": unpriced[team],
            "regions": _choices(regions[team]),
            "types": _choices(types[team]),
        }
        for team, counts in states.items()
    }


def _choices(values: Counter[str]) -> list[str]:
    return sorted(value for value, _machines in values.most_common(MOST_CHOICES) if value)
