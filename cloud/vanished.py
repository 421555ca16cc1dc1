"""When may a machine that the list lacks be called gone?

After it was absent twice, a minute apart, and its own address says 404. A mass disappearance (over a fifth and more
than three) is held for a person: it is more often a fault of the list than of the machines. Rule: reliability.md, 5.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from django.db import transaction

from cloud.models import Account, Instance
from cloud.operations.models import Operation
from cloud.operations.states import State
from cloud.tally import recount
from cloud.timing import Timing, seconds

MASS_SHARE = 0.2
MASS_LEAST = 3
LATELY_S = 3600
LOOKS_A_ROUND = 3  # calls spent on proof in one sync: the rest waits for the next

DoesExist = Callable[[str], bool | None]


def settle(
    account: Account, missing: Sequence[Instance], *, does_exist: DoesExist, now: datetime, timing: Timing
) -> list[Instance]:
    """Call gone what is proven gone, hold what is too much, and return the rows that are gone now.

    `does_exist` asks the provider for one id: False is its 404, None means that it gave no answer.
    """
    # What somebody deletes right now is missed by nobody.
    missing = [row for row in missing if not _is_being_deleted(row)]
    present, lately = _counts(account, now) if missing else (0, 0)
    # What was called gone lately counts: a mass that vanishes in slices is one too.
    is_mass = len(missing) + lately > max(MASS_LEAST, MASS_SHARE * (present + lately))
    gone = list(_confirmed(account, missing)) if is_mass else list(_proven(missing, does_exist, now, timing))
    held = len(missing) - len(gone) if is_mass else 0
    with transaction.atomic():
        if held != account.held_missing:  # before the machines: a launch locks the account first, too
            Account.objects.filter(pk=account.pk).update(held_missing=held)
            account.held_missing = held
        if gone:
            _mark(gone, now)
            recount(account)
    return gone


def _is_being_deleted(row: Instance) -> bool:
    return row.operation_kind == "delete" and row.attention == Instance.Attention.BUSY


def _counts(account: Account, now: datetime) -> tuple[int, int]:
    """Machines that are present, and those called gone within LATELY_S that no person confirmed."""
    rows = Instance.objects.filter(account=account, is_awaited=False)
    lately = rows.filter(gone_at__gt=now - seconds(LATELY_S))
    deleted = Operation.objects.filter(account=account, kind="delete", state=State.SUCCEEDED, target__isnull=False)
    lately = lately.exclude(pk__in=deleted.values("target_id"))
    if account.missing_confirmed_at:
        lately = lately.exclude(missing_since__lte=account.missing_confirmed_at)
    return rows.filter(gone_at=None).count(), lately.count()


def _proven(missing: Iterable[Instance], does_exist: DoesExist, now: datetime, timing: Timing) -> Iterable[Instance]:
    ripe = now - seconds(timing.missing_again_s)
    due = [row for row in missing if row.missing_since is not None and row.missing_since <= ripe]
    # By lot: three that are unlisted and yet exist would otherwise be asked for ever, and the others never.
    return (row for row in random.sample(due, min(LOOKS_A_ROUND, len(due))) if does_exist(row.provider_id) is False)


def _confirmed(account: Account, missing: Iterable[Instance]) -> Iterable[Instance]:
    """What was already missing when a person said that it is gone."""
    said = account.missing_confirmed_at
    return (row for row in missing if said and row.missing_since and row.missing_since <= said)


def _mark(gone: list[Instance], now: datetime) -> None:
    """Only what is still missing: a newer list may have brought a machine back meanwhile."""
    ids = Instance.objects.filter(pk__in=[row.pk for row in gone]).order_by("pk").values_list("pk", flat=True)
    still = Instance.objects.filter(
        pk__in=list(ids.select_for_update(no_key=True)), gone_at=None, missing_since__isnull=False
    )
    still.update(gone_at=now, rank=Instance.Rank.GONE, changed_at=now)
