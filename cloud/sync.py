"""Brings the cache of one account up to date with what the provider just said, and says what changed.

One diff in memory by digest; only rows that changed are written. No network in here: the lists are handed in.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from cloud import columns, shapes
from cloud.models import Account, Instance
from cloud.tally import recount

# What a sync does not know of: identity, and what the panel itself says of a machine.
OURS = {
    "id",
    "account",
    "provider_id",
    "team_id",
    "first_seen_at",
    "is_locked",
    "prepares_until",
    "labels",
    "attention",
}
OURS |= {f"operation_{part}" for part in ("id", "kind", "state", "at")}
# Values that a list is ordered or filtered by: when one changes, rows move and lists are read again.
MOVES = ("name", "rank", "region", "type_label", "price_cents_per_hour", "gone_at")
SHOWN = tuple(column.name for column in Instance._meta.concrete_fields if column.name not in OURS)


Claims = Callable[[str, str], int | None]  # the provider's id and the name of a new machine → the team that it is of


def nobody_claims(_provider_id: str, _name: str) -> None:
    """No launch waits for a machine."""


@dataclass(frozen=True)
class Home:
    """Whose a new machine is: the team that claims it, else the one for all that was found."""

    team: int
    claims: Claims


@dataclass
class Outcome:
    """What one sync of instances did. `changed` maps team to the ids of changed rows."""

    changed: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    lists: set[int] = field(default_factory=set)
    missing: list[Instance] = field(default_factory=list)  # absent from the list, not yet called gone
    rows_written: int = 0


def instances(
    account: Account,
    listing: Sequence[shapes.Instance],
    *,
    now: datetime,
    home_team: int,
    known_until: datetime | None,
    claims: Claims = nobody_claims,
    is_complete: bool = True,
    hold: Callable[[], None] = lambda: None,
) -> Outcome:
    """Write what changed in the listing. `known_until` is when the cache was last right: the age of a last known state.
    A new machine belongs to `home_team`, unless a team `claims` it.

    `hold` is the first statement of the transaction: it raises when another hand has the part by now.
    A listing that is not complete (some rows could not be read) proves no absence. Queries: 1 to compare, and about
    one for 30 changed rows on SQLite (one for all on PostgreSQL), plus 3 for the tally when anything changed.
    """
    known = _known(account)
    said = {item.uuid[:255]: (item, columns.digest(item.raw)) for item in listing}
    fresh = [(item, mark) for provider_id, (item, mark) in said.items() if known.get(provider_id, _NEW)[1] != mark]
    outcome = Outcome()
    with transaction.atomic():
        hold()
        absent = [known[provider_id][0] for provider_id in known.keys() - said.keys()] if is_complete else []
        _lock([*absent, *(known[item.uuid[:255]][0] for item, _mark in fresh if item.uuid[:255] in known)])
        _write(account, fresh, outcome, now=now, home=Home(home_team, claims), known_until=known_until)
        if absent:
            _note_absent(absent, outcome, now)
        if outcome.rows_written:
            recount(account)
    return outcome


_NEW = (0, "")


def _lock(ids: list[int]) -> None:
    """All that is written here at once and in order of ids, as whoever else locks several machines (batches.py)."""
    if connection.features.has_select_for_update:
        for chunk in _chunks(sorted(ids)):
            list(Instance.objects.select_for_update(no_key=True).filter(pk__in=chunk).order_by("pk").values_list("pk"))


def _known(account: Account) -> dict[str, tuple[int, str]]:
    """Id and digest of every present row by the provider's id: enough to see that nothing changed.

    A row that is missing has no digest, so that it differs from whatever is said of it; one that is gone and listed
    again is found when it is written.
    """
    rows = Instance.objects.filter(account=account, gone_at=None, is_awaited=False)
    told = rows.values_list("provider_id", "id", "digest")
    return {provider_id: (row_id, mark) for provider_id, row_id, mark in told}


def _write(
    account: Account,
    fresh: list[tuple[shapes.Instance, str]],
    outcome: Outcome,
    *,
    now: datetime,
    home: Home,
    known_until: datetime | None,
) -> None:
    if not fresh:
        return
    before = {row.provider_id: row for row in _rows(account, [item.uuid[:255] for item, _mark in fresh])}
    rows = []
    # By id, as whoever else locks several machines at once (operations/batches.py); new ones first, nobody has those.
    fresh.sort(key=lambda one: before[uuid].pk if (uuid := one[0].uuid[:255]) in before else 0)
    for item, mark in fresh:
        old = before.get(item.uuid[:255])
        values = columns.of_instance(item, old.started_at if old else now)
        row = _row(account, item.uuid[:255], old, values, now=now, home=home, known_until=known_until)
        row.digest = mark
        rows.append(row)
        if old is None or any(getattr(old, name) != getattr(row, name) for name in MOVES):
            outcome.lists.add(row.team_id)
        if old is not None:
            outcome.changed[row.team_id].append(old.pk)
    Instance.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=("account", "provider_id"), update_fields=SHOWN
    )
    outcome.rows_written += len(rows)


def _row(
    account: Account,
    provider_id: str,
    old: Instance | None,
    values: dict[str, Any],
    *,
    now: datetime,
    home: Home,
    known_until: datetime | None,
) -> Instance:
    row = Instance(
        account=account,
        provider_id=provider_id,
        team_id=old.team_id if old else home.claims(provider_id, values["name"]) or home.team,
        first_seen_at=old.first_seen_at if old else now,
        changed_at=now,
        **values,
    )
    if old and row.power == Instance.Power.UNKNOWN:
        was_known = old.power != Instance.Power.UNKNOWN
        row.last_power = old.power if was_known else old.last_power
        row.last_power_at = (known_until or old.changed_at) if was_known else old.last_power_at
    return row


def _rows(account: Account, provider_ids: list[str]) -> Iterable[Instance]:
    rows = Instance.objects.filter(account=account).defer("raw")
    # A database takes only so many values in one statement; a first sync or a rebuilt world reads them all instead.
    return rows.filter(provider_id__in=provider_ids) if len(provider_ids) <= 500 else rows


def _note_absent(absent: list[int], outcome: Outcome, now: datetime) -> None:
    """Rows that the list lacks: remember since when. Only `vanished` may call them gone."""
    rows = list(_by_chunks(absent))
    first = [row.pk for row in rows if row.missing_since is None]
    for row in rows:
        if row.missing_since is None:
            outcome.changed[row.team_id].append(row.pk)
    for chunk in _chunks(first):
        outcome.rows_written += Instance.objects.filter(pk__in=chunk).update(missing_since=now, digest="")
    for row in rows:
        row.missing_since = row.missing_since or now
    outcome.missing = rows


def _by_chunks(ids: list[int]) -> Iterable[Instance]:
    """Locked, for the caller writes them."""
    for chunk in _chunks(ids):
        rows = Instance.objects.select_for_update(no_key=True).filter(id__in=chunk)
        yield from rows.order_by("pk").defer("raw", "search")


def _chunks(ids: list[int]) -> Iterable[list[int]]:
    return (ids[start : start + 500] for start in range(0, len(ids), 500))
