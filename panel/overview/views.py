"""What a person sees first: what needs somebody, what runs, what came and went, the fleet in figures."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from cloud.clock import system_clock
from cloud.models import Instance
from panel.activity.queries import visible_tasks
from panel.activity.words import words
from panel.fleet import shown
from panel.fleet.queries import visible_instances
from panel.frame import Frame, frame_of
from panel.http import PanelRequest, asks, page_or_part
from panel.standing import stale_accounts
from panel.teams.policy import Permission

SHOWN = 6


@dataclass(frozen=True)
class Share:
    """One state's part of the fleet: for the list and for the bar, `x` and `width` in percent."""

    look: str
    word: str
    machines: int
    address: str
    x: float = 0
    width: float = 0


@require_safe
@asks(Permission.INSTANCE_VIEW)
def home(request: PanelRequest) -> HttpResponse:
    frame = frame_of(request)
    instances = visible_instances(request.actor).defer("raw", "search")
    stale = stale_accounts(frame.standings)
    context: dict[str, Any] = {
        "today": system_clock(),
        "shares": shares(frame),
        "unknown": _listed(instances.filter(rank=Instance.Rank.UNKNOWN).order_by("name")[:SHOWN], stale),
        "tasks": [(task, *words(task)) for task in visible_tasks(request.actor).unfinished()[:SHOWN]],
        "came": instances.present().order_by("-started_at", "-id")[:SHOWN],
        "went": instances.filter(rank=Instance.Rank.GONE).order_by("-gone_at")[:SHOWN],
    }
    return page_or_part(request, "overview/home.html", context)


def _listed(instances: Any, stale: Any) -> list[tuple[Instance, shown.State]]:
    return [(instance, shown.state_of(instance, stale)) for instance in instances]


def shares(frame: Frame) -> list[Share]:
    """The fleet by state, as parts of a bar that leaves a little air between them."""
    off_words = _("Off, may still cost") if shown.off_note() else _("Off")
    rank = Instance.Rank
    groups = [
        Share("run", _("Running"), frame.states.get(rank.RUNNING, 0), "?state=running"),
        Share("unknown", _("Unknown"), frame.states.get(rank.UNKNOWN, 0), "?state=unknown"),
        Share("off", off_words, frame.states.get(rank.OFF, 0) + frame.states.get(rank.PAUSED, 0), "?state=off"),
    ]
    total, x, placed = max(frame.machines, 1), 0.0, []
    for group in (group for group in groups if group.machines):
        width = 100 * group.machines / total
        placed.append(Share(group.look, group.word, group.machines, group.address, round(x, 2), round(width, 2)))
        x += width
    return placed
