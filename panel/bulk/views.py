"""The same action on many machines: who would get it, the order, and how it goes."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, resolve_url
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cloud.models import Account
from cloud.operations.kind import Tier
from panel.actions import table
from panel.actions.forms import new_key
from panel.actions.table import Action
from panel.bulk import choice, queries, services, shown, words
from panel.bulk.forms import RunForm, form_for
from panel.bulk.models import Run
from panel.http import PanelRequest, asks, asks_of_one, page_or_part
from panel.teams import policy
from panel.teams.policy import Permission


@require_http_methods(["GET", "HEAD", "POST"])
@asks(Permission.INSTANCE_POWER)
def do(request: PanelRequest, kind: str) -> HttpResponse:
    """Which of the chosen machines would get it and which would not; sent, it is written down for those shown."""
    action = _action(kind)
    policy.require(request.actor, action.permission)
    if request.method == "POST":
        return _sent(request, action)
    again = _again(request, action, request.GET.get("again"))
    if again:
        ids, is_cut = list(queries.failed(request.actor, again)), False
    else:
        ids, is_cut = choice.asked_for(request.actor, request.GET)
    return _ask(request, action, ids, again=again, is_cut=is_cut)


@require_safe
@asks_of_one(Permission.INSTANCE_VIEW)
def run(request: PanelRequest, pk: UUID) -> HttpResponse:
    """One run: how each of its machines fares."""
    return _shown(request, _run(request, pk))


@require_POST
@asks_of_one(Permission.INSTANCE_POWER)
def undo(request: PanelRequest, pk: UUID) -> HttpResponse:
    """Take back what was not sent yet; the page says what that was."""
    row = _run(request, pk)
    policy.require(request.actor, _action(row.kind).permission)
    services.take_back(actor=request.actor, run=row)
    return _shown(request, row) if request.htmx else redirect("bulk:run", row.pk)


def _shown(request: PanelRequest, row: Run) -> HttpResponse:
    action = _action(row.kind)
    found = shown.lines(list(queries.operations_of(request.actor, row)), queries.refused_of(request.actor, row))
    number = _number(request, len(found))
    context = {
        "run": row,
        "action": action,
        "title": words.with_count(action, len(found)),
        "counts": shown.counts(found),
        "lines": found[(number - 1) * shown.PAGE : number * shown.PAGE],
        "number": number,
        "has_more": len(found) > number * shown.PAGE,
        "failed": len(queries.failed(request.actor, row)),
        "unsent": len(queries.unsent(request.actor, row)),
    }
    return page_or_part(request, "bulk/run.html", context)


def _sent(request: PanelRequest, action: Action) -> HttpResponse:
    form = form_for(action)(request.POST)
    is_valid = form.is_valid()
    ids, left = form.cleaned_data.get("ids", []), form.cleaned_data.get("left", [])
    again = _again(request, action, form.cleaned_data.get("again"))
    if not is_valid or not ids:
        return _ask(request, action, [*ids, *left], form=form, again=again)
    try:
        row = services.start(
            actor=request.actor,
            action=action,
            ids=ids,
            left=left,
            client_key=form.cleaned_data["key"],
            again=again,
        )
    except services.KeyReused:
        form.add_error(None, _("This form was sent before with other contents. Open it again."))
        return _ask(request, action, [*ids, *left], form=form, again=again)
    if request.htmx:
        return HttpResponse(headers={"HX-Redirect": resolve_url("bulk:run", row.pk)})
    return redirect("bulk:run", row.pk)


def _ask(
    request: PanelRequest,
    action: Action,
    ids: list[int],
    *,
    form: RunForm | None = None,
    again: Run | None = None,
    is_cut: bool = False,
) -> HttpResponse:
    found = choice.judge(request.actor, action, ids, choice.chosen(request.actor, ids))
    fit, left = found.fit, [one.machine_id for one in found.refused]
    context: dict[str, Any] = {
        "action": action,
        "form": form or form_for(action)(),
        "fit": fit,
        "refused": found.refused,
        "key": new_key(),
        "ids": ",".join(str(machine.pk) for machine in fit),
        "left": ",".join(map(str, left)),
        "again": again,
        "most": choice.MOST if is_cut else 0,
        "title": words.with_count(action, len(fit)) if fit else action.verb,
        "effects": words.effects(action, fit),
        "accounts": Account.objects.filter(pk__in={machine.account_id for machine in fit}).order_by("name"),
        "last_in_s": words.last_in_s(len(fit)),
        "undo_s": settings.UNDO_SECONDS if action.kind.has_undo else 0,
    }
    return page_or_part(request, "bulk/ask.html", context, status=422 if form else 200)


def _action(kind: str) -> Action:
    """One that is offered for many at once: power alone. What cannot be undone is done one by one."""
    action = table.of(kind)
    if action is None or action.name not in words.EFFECTS or action.kind.tier is Tier.IRREVERSIBLE:
        raise Http404
    return action


def _again(request: PanelRequest, action: Action, pk: UUID | str | None) -> Run | None:
    """The run whose failed ones are tried again: with the same action, of course."""
    row = _run(request, pk) if pk else None
    if row is not None and row.kind != action.name:
        raise Http404
    return row


def _run(request: PanelRequest, pk: UUID | str) -> Run:
    """A run of which the actor may see something."""
    try:
        wanted = UUID(str(pk))
    except ValueError:
        raise Http404 from None
    row: Run = get_object_or_404(Run, pk=str(wanted))
    if not queries.operations_of(request.actor, row).exists() and not queries.refused_of(request.actor, row):
        raise Http404
    return row


def _number(request: PanelRequest, lines: int) -> int:
    wanted = request.GET.get("page", "1")
    last = max(-(-lines // shown.PAGE), 1)
    return min(max(int(wanted), 1), last) if wanted.isdecimal() and len(wanted) < 6 else 1
