"""What was asked here and how it went; what the provider works on, whoever started it."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cloud.operations.models import Operation
from cloud.operations.states import State
from panel.actions import services, shown
from panel.actions.answers import note
from panel.actions.forms import SettleForm, new_key
from panel.activity.queries import VIEWS, page_of, visible_operations, visible_tasks
from panel.activity.words import words
from panel.http import PanelRequest, asks, asks_of_one, page_or_part
from panel.teams import policy
from panel.teams.policy import Permission

PAGE = 50


@require_safe
@asks(Permission.INSTANCE_VIEW)
def home(request: PanelRequest) -> HttpResponse:
    """Operations: all, or one of VIEWS."""
    view = request.GET.get("show", "")
    view = view if view in VIEWS else ""
    number = _number(request)
    rows, has_more = page_of(visible_operations(request.actor).filter(VIEWS[view]), number, PAGE)
    context = {
        "rows": [shown.told(row, request.actor) for row in rows],
        "view": view,
        "number": number,
        "has_more": has_more,
        "key": new_key(),
    }
    return page_or_part(request, "activity/home.html", context)


@require_safe
@asks(Permission.INSTANCE_VIEW)
def count(request: PanelRequest) -> HttpResponse:
    """The figure in the side bar, for a page that heard that it changed."""
    return render(request, "frame/_count.html")


@require_safe
@asks_of_one(Permission.INSTANCE_VIEW)
def operation(request: PanelRequest, pk: UUID) -> HttpResponse:
    """One operation with each of its steps."""
    row = _row(request, pk)
    context = {
        "told": shown.told(row, request.actor),
        "events": row.events.all(),
        "attempts": row.sent.all(),
        "evidence": shown.evidence(row),
        "key": new_key(),
    }
    return page_or_part(request, "activity/operation.html", context)


@require_POST
@asks_of_one(Permission.INSTANCE_VIEW)
def undo(request: PanelRequest, pk: UUID) -> HttpResponse:
    row = _row(request, pk)
    try:
        services.undo(actor=request.actor, row=row)
    except services.TooLate as error:
        if error.row.state == State.CANCELLED:
            return _answer(request, row, _("It was taken back already. Nothing was changed."))
        return _answer(request, row, _("It was too late: it is being sent already. You see here how it goes."))
    return _answer(request, row, _("Taken back. Nothing was changed."))


@require_POST
@asks_of_one(Permission.INSTANCE_VIEW)
def retry(request: PanelRequest, pk: UUID) -> HttpResponse:
    """The same again; the button carries a key, so that pressed twice it is one."""
    row = _row(request, pk)
    try:
        opened = services.retry(actor=request.actor, row=row, client_key=request.POST.get("key", "")[:64] or new_key())
    except services.TooLate:
        return _answer(request, row, _("It cannot be tried again as it is now."))
    except services.Refusal as error:
        return _answer(request, row, error.words)
    except services.Taken as error:
        if error.holder.target_id != row.target_id:
            return _answer(request, row, _("The name is promised to another machine by now."))
        said = {"verb": shown.verb(error.holder), "who": error.holder.actor_label}
        return _answer(request, row, _("“%(verb)s” by %(who)s has the machine now. Try again when it is done.") % said)
    return _answer(request, opened.row, shown.said(opened.row))


@require_http_methods(["GET", "HEAD", "POST"])
@asks_of_one(Permission.OPERATION_SETTLE)
def settle(request: PanelRequest, pk: UUID) -> HttpResponse:
    """A person says how an unclear operation ended: what we know, what they found, and why they think so."""
    row = _row(request, pk)
    policy.require(request.actor, Permission.OPERATION_SETTLE, row)
    form = SettleForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.settle(actor=request.actor, row=row, **form.cleaned_data)
        except services.TooLate:
            return _answer(request, row, _("Somebody was faster: it is settled."))
        return _answer(request, row, _("Noted, with your reason, on the record."))
    context = {"form": form, "told": shown.told(row, request.actor), "evidence": shown.evidence(row)}
    return page_or_part(request, "activity/settle.html", context, status=422 if request.method == "POST" else 200)


@require_POST
@asks_of_one(Permission.INSTANCE_VIEW)
def put_aside(request: PanelRequest, pk: UUID) -> HttpResponse:
    row = _row(request, pk)
    services.put_aside(actor=request.actor, row=row)
    return _answer(request, row, _("Put aside. It stays in Activity and on the record."))


@require_safe
@asks(Permission.TASK_VIEW)
def provider_tasks(request: PanelRequest) -> HttpResponse:
    number = _number(request)
    found, has_more = visible_tasks(request.actor).page(number, PAGE)
    context = {"rows": [(task, *words(task)) for task in found], "number": number, "has_more": has_more}
    return page_or_part(request, "activity/provider_tasks.html", context)


def _answer(request: PanelRequest, row: Operation, said: str) -> HttpResponse:
    """In place a note; without JavaScript the page of the operation, which says how it stands."""
    if request.htmx:
        row.refresh_from_db(fields=["state", "next_check_at"])
        return note(request, said, row)
    return redirect("activity:operation", row.pk)


def _row(request: PanelRequest, pk: UUID) -> Operation:
    row: Operation = get_object_or_404(visible_operations(request.actor), pk=str(pk))
    return row


def _number(request: HttpRequest) -> int:
    wanted = request.GET.get("page", "1")
    return min(max(int(wanted), 1), 1000) if wanted.isdecimal() and len(wanted) < 6 else 1
