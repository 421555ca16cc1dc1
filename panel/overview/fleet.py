"""The fleet by state, as a list and as parts of a bar."""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Count, Q
from django.utils.translation import gettext as _

from cloud.models import Instance, InstanceQuerySet
from panel.fleet import shown
from panel.fleet.listing import PREPARES
from panel.frame import Frame

Rank, Attention = Instance.Rank, Instance.Attention


@dataclass(frozen=True)
class Share:
    """One state's part of the fleet: for the list and for the bar, `x` and `width` in percent."""

    look: str
    word: Any
    machines: int
    address: str
    x: float = 0
    width: float = 0


def shares(instances: InstanceQuerySet, frame: Frame) -> list[Share]:
    """What is going on with some of them first, then all the others by their power. One query: the rest was counted
    when it was synced.
    """
    noted = instances.filter(Q(attention__lt=Attention.CALM) | PREPARES, gone_at=None).exclude(rank=Rank.UNMADE)
    by_attention, by_rank = Counter[int](), Counter[int](frame.states)
    for attention, rank, machines in noted.values_list("attention", "rank").annotate(Count("pk")).order_by():
        by_attention[Attention.BUSY if attention == Attention.CALM else attention] += machines
        by_rank[rank] -= machines
    off = _("Off, may still cost") if shown.off_note() else _("Off")
    groups = [
        Share("bad", _("Need attention"), by_attention[Attention.FAILED], "?state=attention"),
        Share("check", _("To check"), by_attention[Attention.UNCLEAR], "?state=attention"),
        Share("busy", _("Busy"), by_attention[Attention.BUSY], "?state=busy"),
        Share("run", _("Running"), by_rank[Rank.RUNNING], "?state=running"),
        Share("unknown", _("Unknown"), by_rank[Rank.UNKNOWN], "?state=unknown"),
        Share("off", off, by_rank[Rank.OFF] + by_rank[Rank.PAUSED], "?state=off"),
    ]
    return _placed([group for group in groups if group.machines > 0])


def _placed(groups: list[Share]) -> list[Share]:
    total, x, placed = max(sum(group.machines for group in groups), 1), 0.0, []
    for group in groups:
        width = 100 * group.machines / total
        placed.append(replace(group, x=round(x, 2), width=round(width, 2)))
        x += width
    return placed
