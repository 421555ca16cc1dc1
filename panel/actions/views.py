"""Doing something with a machine: the confirmation, its answer, the menu of a row, protection."""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cloud.models import Instance
from cloud.operations.models import Operation
from panel.actions import proof, services, shown, table
from panel.actions.answers import note
from panel.actions.forms import ActionForm, PasswordForm, form_for, new_key
from panel.actions.table import Action
from panel.fleet.queries import visible_instances
from panel.http import PanelRequest, asks_of_one, page_or_part
from panel.teams import policy
from panel.teams.policy import Permission


@require_safe
@asks_of_one(Permission.INSTANCE_VIEW)
def menu(request: PanelRequest, pk: int) -> HttpResponse:
    """What this person may do with this machine: the menu of a row, or a page of its own."""
    machine = _machine(request, pk)
    return page_or_part(request, "actions/menu.html", {"machine": machine, **shown.offers(request.actor, machine)})


@require_http_methods(["GET", "HEAD", "POST"])
@asks_of_one(Permission.INSTANCE_VIEW)
def do(request: PanelRequest, pk: int, kind: str) -> HttpResponse:
    """The confirmation of one action; sent, it is written down."""
    machine = _machine(request, pk)
    action = table.of(kind)
    if action is None or action.makes:
        raise Http404
    if not policy.may_ask(request.actor, action.permission, action.name, machine):
        policy.deny(action.permission)
    if request.method != "POST":
        return _ask(request, action, machine, form_for(action)(action, machine, initial={"key": new_key()}))
    form = form_for(action)(action, machine, request.POST)
    password = proof.form_of(request, action)
    is_valid = form.is_valid()  # both are looked at: two errors are told at once
    if not proof.is_given(request, password) or not is_valid:
        return _ask(request, action, machine, form, password, status=422)
    return _request(request, action, machine, form)


@require_POST
@asks_of_one(Permission.INSTANCE_LOCK)
def protect(request: PanelRequest, pk: int) -> HttpResponse:
    return _set_lock(request, pk, is_locked=True)


@require_POST
@asks_of_one(Permission.INSTANCE_UNLOCK)
def unprotect(request: PanelRequest, pk: int) -> HttpResponse:
    return _set_lock(request, pk, is_locked=False)


def _set_lock(request: PanelRequest, pk: int, *, is_locked: bool) -> HttpResponse:
    machine = _machine(request, pk)
    services.set_lock(actor=request.actor, machine=machine, is_locked=is_locked)
    if not request.htmx:
        return redirect("fleet:detail", pk)
    words = _("%(name)s is protected from deletion.") if is_locked else _("%(name)s can be deleted again.")
    return note(request, words % {"name": machine.label}, machine_id=pk)


def _request(request: PanelRequest, action: Action, machine: Instance, form: ActionForm) -> HttpResponse:
    try:
        opened = services.request(
            actor=request.actor,
            machine=machine,
            action=action,
            client_key=form.cleaned_data["key"],
            params=form.params(),
        )
    except services.Refusal as error:
        form.add_error("name" if action.name == "rename" else None, error.words)
    except services.Taken as error:
        if error.holder.target_id != machine.pk:  # another machine's, perhaps of another team: only the name is told
            form.add_error("name", _("This name is promised to another machine."))
            return _ask(request, action, machine, form, status=409)
        return _ask(request, action, machine, form, holder=error.holder, status=409)
    except services.KeyReused:
        form.add_error(None, _("This form was sent before with other contents. Open it again."))
    else:
        return _written(request, opened.row)
    return _ask(request, action, machine, form, status=422)


def _written(request: PanelRequest, row: Operation) -> HttpResponse:
    """It stands in the database: the page shows it as pending at once."""
    if not request.htmx:
        return redirect("fleet:detail", row.target_id)
    return note(request, shown.said(row), row)


def _ask(
    request: PanelRequest,
    action: Action,
    machine: Instance,
    form: ActionForm,
    password: PasswordForm | None = None,
    *,
    holder: Operation | None = None,
    status: int = 200,
) -> HttpResponse:
    if password is None and proof.is_needed(request, action):
        password = PasswordForm()
    context = {
        "action": action,
        "machine": machine,
        "form": form,
        "password": password,
        "holder": shown.holder(holder) if holder else None,
        **shown.question(request.actor, action, machine),
    }
    return page_or_part(request, "actions/ask.html", context, status=status)


def _machine(request: PanelRequest, pk: int) -> Instance:
    rows = visible_instances(request.actor).select_related("account").defer("raw", "search")
    found: Instance = get_object_or_404(rows, pk=pk)
    return found
