"""Pages of machines: the list, one machine, its readings, the export. All from the cache."""

from django.db import transaction
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from cloud import loads
from cloud.operations.launches import NAMES
from panel.actions import shown as actions
from panel.actions import table
from panel.activity.queries import visible_operations
from panel.audit import record
from panel.bulk import offer
from panel.fleet import describe, listing, row, shown
from panel.fleet.export import lines
from panel.fleet.queries import visible_instances
from panel.fleet.saved import shown as saved
from panel.frame import frame_of
from panel.http import PanelRequest, asks, asks_of_one, page_or_part
from panel.launch import shown as launches
from panel.standing import stale_accounts
from panel.teams.policy import Permission


@require_safe
@asks(Permission.INSTANCE_VIEW)
def machines(request: PanelRequest) -> HttpResponse:
    wish = listing.Wish.read(request.GET)
    frame = frame_of(request)
    total = None if wish.is_narrowed or request.htmx else frame.machines
    page = listing.page(visible_instances(request.actor), wish, total)
    context = {
        "wish": wish,
        "page": page,
        "rows": row.rows(page.rows, stale_accounts(frame.standings)),
        "last_page": page.end(total),
        "heads": describe.heads(wish),
        "may_act": table.has_any(request.actor),
        "bulk": offer.offered(request.actor),
    }
    if not request.htmx or request.htmx.history_restore_request:
        context |= describe.filters(frame, wish) | saved.around(request.actor, wish)
    return page_or_part(request, "fleet/list.html", context)


@require_safe
@asks(Permission.INSTANCE_VIEW)
def sums(request: PanelRequest) -> HttpResponse:
    """The list's heading alone, for a page that heard that it changed."""
    return render(request, "fleet/_sums_again.html")


@require_safe
@asks_of_one(Permission.INSTANCE_VIEW)
def machine(request: PanelRequest, pk: int) -> HttpResponse:
    rows = visible_instances(request.actor).select_related("account").defer("raw", "search")
    instance = rows.filter(pk=pk).first()
    if instance is None:
        return _never_made(request, pk)
    state = shown.state_of(instance, stale_accounts(frame_of(request).standings))
    context = {"instance": instance, "state": state, "id": instance.pk, **describe.machine(request.actor, instance)}
    past = actions.history(request.actor, instance)
    context |= actions.offers(request.actor, instance) | past
    context |= launches.making(instance, past["current"].row if "current" in past else None)
    return page_or_part(request, "fleet/machine.html", context)


def _never_made(request: PanelRequest, pk: int) -> HttpResponse:
    """A launch promised this machine and it never came to be: the page of the launch says why."""
    row = visible_operations(request.actor).filter(kind__in=NAMES, target=None, precondition__promised=pk).first()
    if row is None:
        raise Http404
    there = reverse("activity:operation", args=[row.pk])
    return HttpResponse(headers={"HX-Redirect": there}) if request.htmx else redirect(there)


@require_safe
@asks_of_one(Permission.INSTANCE_VIEW)
def readings(request: PanelRequest, pk: int) -> HttpResponse:
    """The last hour's readings as a JSON array, for the charts to start with."""
    instance = get_object_or_404(visible_instances(request.actor).only("pk"), pk=pk)
    return HttpResponse(f"[{','.join(loads.kept(instance.pk))}]", content_type="application/json")


@require_safe
@asks(Permission.INSTANCE_EXPORT)
def export(request: PanelRequest) -> StreamingHttpResponse:
    """The whole narrowed list as CSV, in the wished order."""
    wish = listing.Wish.read(request.GET)
    # What is only being launched is no machine yet: it has neither an id nor a bill.
    known = visible_instances(request.actor, Permission.INSTANCE_EXPORT).filter(is_awaited=False)
    rows = wish.ordered(wish.narrow(known))
    teams = request.actor.teams_with(Permission.INSTANCE_EXPORT)
    with transaction.atomic():
        record.append(
            "instance.list.exported",
            actor=request.actor,
            team_id=teams[0] if len(teams) == 1 else None,
            detail={"teams": teams, "wish": request.GET.dict()},
        )
    response = StreamingHttpResponse(lines(rows), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="instances.csv"'
    return response
