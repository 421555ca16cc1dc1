"""Everybody who may sign in, for administrators of the installation."""

from collections.abc import Callable

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from panel.http import PanelRequest, asks
from panel.people.models import User
from panel.teams import members, people, shown
from panel.teams.policy import Permission


@require_safe
@asks(Permission.PERSON_VIEW)
def people_list(request: PanelRequest) -> HttpResponse:
    return render(request, "teams/people.html", {"rows": shown.people(request.actor, people.everybody())})


@require_http_methods(["GET", "HEAD", "POST"])
@asks(Permission.PERSON_DISABLE)
def disable(request: PanelRequest, pk: int) -> HttpResponse:
    person = get_object_or_404(User, pk=pk)
    return _asked(request, person, "teams/disable.html", lambda: people.disable(actor=request.actor, person=person))


@require_POST
@asks(Permission.PERSON_DISABLE)
def enable(request: PanelRequest, pk: int) -> HttpResponse:
    people.enable(actor=request.actor, person=get_object_or_404(User, pk=pk))
    return redirect("teams:people")


@require_http_methods(["GET", "HEAD", "POST"])
@asks(Permission.PERSON_PROMOTE)
def administrator(request: PanelRequest, pk: int) -> HttpResponse:
    """Give somebody the installation, or take it; which of the two, the form says."""
    person = get_object_or_404(User, pk=pk)
    wanted = request.POST.get("administrator") == "yes"
    return _asked(
        request,
        person,
        "teams/administrator.html",
        lambda: people.set_administrator(actor=request.actor, person=person, is_administrator=wanted),
    )


def _asked(request: PanelRequest, person: User, template: str, act: Callable[[], None]) -> HttpResponse:
    trouble = ""
    if request.method == "POST":
        try:
            act()
            return redirect("teams:people")
        except members.Refused as error:
            trouble = error.words
    return render(request, template, {"person": person, "trouble": trouble}, status=422 if trouble else 200)
