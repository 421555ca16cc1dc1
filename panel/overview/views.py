"""What a person sees first: what needs somebody, what runs, what happened lately, the fleet in figures."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from cloud.clock import system_clock
from cloud.models import Instance
from panel.actions import shown as actions
from panel.activity.queries import VIEWS, visible_operations, visible_tasks
from panel.activity.words import words
from panel.fleet import shown
from panel.fleet.listing import PREPARES
from panel.fleet.queries import visible_instances
from panel.frame import frame_of
from panel.http import PanelRequest, page_or_part, signed_in
from panel.overview import fleet, tour
from panel.standing import stale_accounts
from panel.teams import policy
from panel.teams.policy import Permission

SHOWN = 6


@require_safe
@signed_in
def home(request: PanelRequest) -> HttpResponse:
    """The fleet at a glance; for who sees no machines, what to do first."""
    if not policy.allowed(request.actor, Permission.INSTANCE_VIEW):
        return render(request, "overview/no_team.html", {"tour": tour.steps(request.actor)})
    actor, frame = request.actor, frame_of(request)
    instances = visible_instances(actor).defer("raw", "search")
    stale = stale_accounts(frame.standings)
    operations = visible_operations(actor)
    needs = list(operations.filter(VIEWS["trouble"])[: SHOWN + 1])
    lately = operations.filter(VIEWS["done"]).order_by("-ended_at", "-id")[:SHOWN]
    elsewhere = visible_tasks(actor).unfinished(is_ours=False)
    preparing = instances.filter(PREPARES, attention=Instance.Attention.CALM, gone_at=None)
    unknown = instances.filter(rank=Instance.Rank.UNKNOWN, attention=Instance.Attention.CALM)
    context: dict[str, Any] = {
        "today": system_clock(),
        "tour": tour.steps(actor),
        "shares": fleet.shares(instances, frame),
        "needs": [actions.told(row, actor) for row in needs[:SHOWN]],
        "has_more_needs": len(needs) > SHOWN,
        "going": actions.with_usual([actions.told(row, actor) for row in operations.filter(VIEWS["running"])[:SHOWN]]),
        "preparing": [
            (one, shown.prepares_since(one.prepares_until))
            for one in preparing.order_by("-pk")[:SHOWN]
            if one.prepares_until
        ],
        "lately": [actions.told(row, actor) for row in lately],
        "unknown": [(one, shown.state_of(one, stale)) for one in unknown.order_by("name")[:SHOWN]],
        "tasks": [(task, *words(task)) for task in elsewhere[:SHOWN]],
        "went": instances.filter(rank=Instance.Rank.GONE).order_by("-gone_at")[:SHOWN],
    }
    return page_or_part(request, "overview/home.html", context)


@require_POST
@signed_in
def end_tour(request: PanelRequest) -> HttpResponse:
    """No more first steps on the overview."""
    tour.end(actor=request.actor)
    return redirect("overview:home")
