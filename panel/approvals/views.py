"""The second person's page: what is asked, by whom, what it costs or destroys; approve, or reject with a reason."""

from uuid import UUID

from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from cloud.operations.models import Operation
from panel.actions import proof, table
from panel.actions import shown as actions
from panel.actions.answers import note
from panel.actions.forms import PasswordForm
from panel.activity.queries import visible_operations
from panel.approvals import services, shown
from panel.approvals.forms import ApproveForm, RejectForm
from panel.http import PanelRequest, asks_of_one, page_or_part
from panel.teams.policy import Permission


@require_safe
@asks_of_one(Permission.OPERATION_APPROVE)
def answer(request: PanelRequest, pk: UUID) -> HttpResponse:
    """What is asked for, before somebody answers."""
    return _ask(request, _row(request, pk))


@require_POST
@asks_of_one(Permission.OPERATION_APPROVE)
def approve(request: PanelRequest, pk: UUID) -> HttpResponse:
    row, form = _row(request, pk), ApproveForm(request.POST)
    password = proof.form_of(request, table.ACTIONS[row.kind])
    if not form.is_valid():
        return _ask(request, row, trouble=_("Open the page again and look once more."))
    if not proof.is_given(request, password):
        return _ask(request, row, password=password)
    try:
        fresh_row = services.approve(actor=request.actor, row=row, seen_price=form.cleaned_data["price"])
    except services.Refusal as error:
        return _ask(request, row, trouble=error.words)
    except services.Taken as error:
        said = {"verb": actions.verb(error.holder), "who": error.holder.actor_label}
        return _ask(
            request, row, trouble=_("“%(verb)s” by %(who)s has the machine now. Approve when it is done.") % said
        )
    except services.TooLate:
        return _done(request, row, _("It waits no more: somebody was faster."))
    return _done(request, fresh_row, _("Approved. It goes on by itself."))


@require_POST
@asks_of_one(Permission.OPERATION_APPROVE)
def reject(request: PanelRequest, pk: UUID) -> HttpResponse:
    row, form = _row(request, pk), RejectForm(request.POST)
    if not form.is_valid():
        return _ask(request, row, form=form)
    try:
        services.reject(actor=request.actor, row=row, reason=form.cleaned_data["reason"])
    except services.TooLate:
        return _done(request, row, _("It waits no more: somebody was faster."))
    return _done(request, row, _("Rejected. Nothing was sent, and they are told why."))


def _ask(
    request: PanelRequest,
    row: Operation,
    *,
    form: forms.Form | None = None,
    password: PasswordForm | None = None,
    trouble: str = "",
) -> HttpResponse:
    if password is None and proof.is_needed(request, table.ACTIONS[row.kind]):
        password = PasswordForm()
    context = {"form": form or RejectForm(), "password": password, "trouble": trouble, **shown.question(row)}
    return page_or_part(request, "approvals/answer.html", context, status=422 if request.method == "POST" else 200)


def _done(request: PanelRequest, row: Operation, words: str) -> HttpResponse:
    if request.htmx:
        row.refresh_from_db(fields=["state", "next_check_at"])
        return note(request, words, row)
    return redirect("activity:operation", row.pk)


def _row(request: PanelRequest, pk: UUID) -> Operation:
    """One that the actor may see; who may not answer it hears so when they try."""
    row: Operation = get_object_or_404(visible_operations(request.actor).select_related("account"), pk=str(pk))
    if table.of(row.kind) is None:
        raise Http404
    services.require(request.actor, row)
    return row
