"""A person's inbox: what concerns them, and what of it they want to be told."""

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from panel.actions.shown import told
from panel.approvals.services import waiting_for
from panel.http import PanelRequest, page_or_part, signed_in
from panel.inbox import services
from panel.inbox.models import Kind, Notice, Silence
from panel.teams import policy

PAGE = 50


@require_safe
@signed_in
def home(request: PanelRequest) -> HttpResponse:
    """What waits for an answer first, then what there is to know."""
    rows = list(_own(request)[:PAGE])
    context = {
        "waiting": [told(row, request.actor) for row in waiting_for(request.actor)[:PAGE]],
        "rows": rows,
        "has_unread": any(row.read_at is None for row in rows),
    }
    return page_or_part(request, "inbox/home.html", context)


@require_safe
@signed_in
def count(request: PanelRequest) -> HttpResponse:
    """The figure in the side bar, for a page that heard that it changed."""
    return render(request, "frame/_unread.html")


@require_POST
@signed_in
def open_notice(request: PanelRequest, pk: int) -> HttpResponse:
    """It is read by that, and one goes where something can be done about it."""
    notice = get_object_or_404(_own(request), pk=pk)
    services.read(actor=request.actor, pk=notice.pk)
    return redirect(notice.address or "inbox:home")


@require_POST
@signed_in
def read_all(request: PanelRequest) -> HttpResponse:
    services.read(actor=request.actor)
    return redirect("inbox:home")


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def wanted(request: PanelRequest) -> HttpResponse:
    """Which kinds are told here, and which of these by mail."""
    if request.method == "POST":
        here, by_mail = request.POST.getlist("here"), request.POST.getlist("mail")
        services.set_wanted(actor=request.actor, here=here, by_mail=by_mail)
        return redirect("inbox:home")
    silent = set(Silence.objects.filter(user=policy.person_id(request.actor)).values_list("kind", "is_mail"))
    rows = [(kind, kind.label, (kind, False) not in silent, (kind, True) not in silent) for kind in Kind]
    return render(request, "inbox/wanted.html", {"rows": rows})


def _own(request: PanelRequest) -> QuerySet[Notice]:
    return Notice.objects.filter(user=policy.person_id(request.actor))
