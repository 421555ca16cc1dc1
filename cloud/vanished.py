"""When may a machine that the list lacks be called gone?

After it was absent twice, a minute apart, and its own address says 404. A mass disappearance (over a fifth and more
than three) is held for a person: it is more often a fault of the list than of the machines. Rule: reliability.md, 5.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from django.db import transaction

from cloud.models import Account, Instance
from cloud.tally import recount
from cloud.timing import Timing, seconds

MASS_SHARE = 0.2
MASS_LEAST = 3
LOOKS_A_ROUND = 3  # calls spent on proof in one sync: the rest waits for the next

DoesExist = Callable[[str], bool | None]


def settle(
    account: Account, missing: Sequence[Instance], *, does_exist: DoesExist, now: datetime, timing: Timing
) -> list[Instance]:
    """Call gone what is proven gone, hold what is too much, and return the rows that are gone now.

    `does_exist` asks the provider for one id: False is its 404, None means that it gave no answer.
    """
    present = Instance.objects.filter(account=account, gone_at=None).count() if missing else 0
    is_mass = len(missing) > max(MASS_LEAST, MASS_SHARE * present)
    gone = list(_confirmed(account, missing)) if is_mass else list(_proven(missing, does_exist, now, timing))
    held = len(missing) - len(gone) if is_mass else 0
    with transaction.atomic():
        if gone:
            _mark(gone, now)
            recount(account)
        if held != account.held_missing:
            Account.objects.filter(pk=account.pk).update(held_missing=held)
            account.held_missing = held
    return gone


def _proven(missing: Iterable[Instance], does_exist: DoesExist, now: datetime, timing: Timing) -> Iterable[Instance]:
    ripe = now - seconds(timing.missing_again_s)
    due = [row for row in missing if row.missing_since is not None and row.missing_since <= ripe]
    return (row for row in due[:LOOKS_A_ROUND] if does_exist(row.provider_id) is False)


def _confirmed(account: Account, missing: Iterable[Instance]) -> Iterable[Instance]:
    """What was already missing when a person said that it is gone."""
    said = account.missing_confirmed_at
    return (row for row in missing if said and row.missing_since and row.missing_since <= said)


def _mark(gone: list[Instance], now: datetime) -> None:
    for row in gone:
        row.gone_at, row.rank, row.changed_at = now, Instance.Rank.GONE, now
    Instance.objects.bulk_update(gone, ("gone_at", "rank", "changed_at"), batch_size=200)
