"""Pages of a person's own views of the list, and of the columns that it shows."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from panel.fleet.models import SavedView
from panel.fleet.saved import services
from panel.fleet.saved.forms import ColumnsForm, NameForm, SaveForm
from panel.http import PanelRequest, asks, page_or_part
from panel.teams.policy import Permission


@require_safe
@asks(Permission.INSTANCE_VIEW)
def home(request: PanelRequest) -> HttpResponse:
    """All views of this person, to be renamed, moved and deleted."""
    return render(request, "fleet/views.html", {"shelf": services.shelf_of(request.actor)})


@require_http_methods(["GET", "HEAD", "POST"])
@asks(Permission.INSTANCE_VIEW)
def save(request: PanelRequest) -> HttpResponse:
    """Keep what the list shows under a name. The address of the form is the address of the list."""
    if request.method != "POST":
        query = services.query_of(services.wish_of(request.GET.urlencode()))
        return _ask_save(request, SaveForm(initial={"query": query}))
    form = SaveForm(request.POST)
    if not form.is_valid():
        return _ask_save(request, form, status=422)
    try:
        view = services.save(
            actor=request.actor,
            name=form.cleaned_data["name"],
            wish=services.wish_of(form.cleaned_data["query"]),
            may_replace=form.cleaned_data["may_replace"],
        )
    except services.Refusal as error:
        form.add_error("name", error.words)
        return _ask_save(request, form, is_taken=isinstance(error, services.NameTaken), status=422)
    return _go(request, f"{reverse('fleet:list')}?{view.query}")


@require_http_methods(["GET", "HEAD", "POST"])
@asks(Permission.INSTANCE_VIEW)
def rename(request: PanelRequest, pk: int) -> HttpResponse:
    view = _own(request, pk)
    is_sent = request.method == "POST"
    form = NameForm(request.POST) if is_sent else NameForm(initial={"name": view.name})
    if is_sent and form.is_valid():
        try:
            services.rename(actor=request.actor, view=view, name=form.cleaned_data["name"])
        except services.NameTaken as error:
            form.add_error("name", error.words)
        else:
            return _go(request, reverse("fleet:views"))
    told = {"title": _("Rename the view"), "button": _("Rename"), "back": reverse("fleet:views")}
    return _ask(request, {"form": form, **told}, status=422 if is_sent else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@asks(Permission.INSTANCE_VIEW)
def delete(request: PanelRequest, pk: int) -> HttpResponse:
    view = _own(request, pk)
    if request.method == "POST":
        services.delete(view=view)
        return _go(request, reverse("fleet:views"))
    context = {
        "title": _("Delete the view “%(name)s”?") % {"name": view.name},
        "words": _("Only the view goes; the machines in it stay as they are."),
        "button": _("Delete the view"),
        "back": reverse("fleet:views"),
    }
    return _ask(request, context)


@require_POST
@asks(Permission.INSTANCE_VIEW)
def move_up(request: PanelRequest, pk: int) -> HttpResponse:
    services.move_up(actor=request.actor, view=_own(request, pk))
    return redirect("fleet:views")


@require_POST
@asks(Permission.INSTANCE_VIEW)
def set_columns(request: PanelRequest) -> HttpResponse:
    """The ticks of the menu "Columns"; a script sends them one by one and has hidden the cells already."""
    form = ColumnsForm(request.POST)
    if not form.is_valid():
        return redirect("fleet:list")
    pk = form.cleaned_data["view"]
    view = _own(request, pk) if pk else None
    services.set_columns(actor=request.actor, hidden=form.hidden(), view=view)
    if request.htmx:
        return HttpResponse(status=204)
    return redirect(reverse("fleet:list") + services.wish_of(form.cleaned_data["query"]).address())


def _own(request: PanelRequest, pk: int) -> SavedView:
    """Another person's view does not exist."""
    found: SavedView = get_object_or_404(services.kept_by(request.actor).exclude(name=""), pk=pk)
    return found


def _ask_save(request: PanelRequest, form: SaveForm, *, is_taken: bool = False, status: int = 200) -> HttpResponse:
    query = form["query"].value() or ""
    context = {
        "form": form,
        "title": _("Save this view"),
        "words": _("Search, filters, order and columns as they are now."),
        "button": _("Save the view"),
        "is_taken": is_taken,
        "back": reverse("fleet:list") + services.wish_of(query).address(),
    }
    return _ask(request, context, status=status)


def _ask(request: PanelRequest, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    return page_or_part(request, "fleet/views_ask.html", context, status=status)


def _go(request: PanelRequest, address: str) -> HttpResponse:
    """Done: on to a page that shows it, also out of a dialog."""
    return HttpResponseClientRedirect(address) if request.htmx else redirect(address)
