"""How fresh the cache is and which accounts answer, as every page's frame says it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cloud.clock import system_clock
from cloud.models import Account, Refresh
from cloud.timing import seconds, timing


@dataclass(frozen=True)
class Standing:
    """One account as the frame of a page sees it. `read_at` is the age of its machines; None before the first sync."""

    id: int
    name: str
    is_sandbox: bool
    is_enabled: bool
    key_state: str
    held_missing: int
    silent_since: datetime | None
    read_at: datetime | None

    @property
    def is_silent(self) -> bool:
        return (
            self.is_enabled
            and self.silent_since is not None
            and self.silent_since <= system_clock() - seconds(timing().silent_s)
        )

    @property
    def is_stale(self) -> bool:
        """A disabled account is not read: what is known of its machines is old from that moment."""
        if not self.is_enabled:
            return True
        now, old = system_clock(), seconds(timing().stale_s)
        return self.read_at is not None and not now - old < self.read_at < now + old  # ahead: the clock went back

    @property
    def is_doubtful(self) -> bool:
        """What is known may be wrong by now: it is old, or nobody answers who could say otherwise."""
        return self.is_stale or self.is_silent or self.is_rejected

    @property
    def is_rejected(self) -> bool:
        return self.key_state == Account.Key.REJECTED


def standings() -> Sequence[Standing]:
    """All accounts with the age of their machines. One query."""
    rows = Refresh.objects.filter(part=Refresh.Part.INSTANCES).order_by("account__name")
    return [
        Standing(*row)
        for row in rows.values_list(
            "account_id",
            "account__name",
            "account__is_sandbox",
            "account__is_enabled",
            "account__key_state",
            "account__held_missing",
            "account__silent_since",
            "done_at",
        )
    ]


def stale_accounts(known: Sequence[Standing] | None = None) -> dict[int, datetime]:
    """Accounts whose machines are shown as last known, with the time of that knowledge. One query, or none."""
    rows = standings() if known is None else known
    return {row.id: row.read_at for row in rows if row.is_doubtful and row.read_at}
