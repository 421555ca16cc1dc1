"""A person's own page, and what they change on it. Everything here is found among what is theirs."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cloud.clock import system_clock
from panel.http import PanelRequest, signed_in
from panel.people import keys, services, sessions, zones
from panel.people.forms import KeyForm, ThemeForm, ZoneForm
from panel.people.models import Theme, User
from panel.teams import policy

# What has just been done, by the word in the address.
DONE: dict[str, tuple[Any, Any]] = {
    "password": (_("Your password is changed."), _("Your other sessions are signed out.")),
    "theme": (_("The theme is saved."), _("It follows you to other browsers.")),
    "zone": (_("The time zone is saved."), _("Times on all pages are shown in it.")),
    "key": (_("The SSH key is added."), _("You can choose it when you launch a machine.")),
    "key-removed": (_("The SSH key is removed."), _("Machines that have it keep it.")),
    "session": (_("The session is ended."), _("That browser is signed out.")),
    "sessions": (_("Your other sessions are ended."), _("Those browsers are signed out.")),
}


@require_safe
@signed_in
def you(request: PanelRequest) -> HttpResponse:
    return _page(request)


@require_POST
@signed_in
def theme(request: PanelRequest) -> HttpResponse:
    """By htmx while the page changes at once, or as a form without a script."""
    form = ThemeForm(request.POST)
    if not form.is_valid():
        return _page(request, status=422)
    services.set_theme(actor=request.actor, theme=form.cleaned_data["theme"])
    return HttpResponse(status=204) if request.htmx else _done("theme")


@require_POST
@signed_in
def zone(request: PanelRequest) -> HttpResponse:
    form = ZoneForm(request.POST)
    if not form.is_valid():
        return _page(request, status=422, zone_error=str(form.errors["zone"][0]))
    services.set_zone(actor=request.actor, zone=form.cleaned_data["zone"])
    return _done("zone")


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def add_key(request: PanelRequest) -> HttpResponse:
    form = KeyForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            keys.add_key(actor=request.actor, **form.cleaned_data)
        except keys.KeyRefused as refused:
            form.add_error(refused.field, refused.words)
        else:
            return _done("key")
    return render(request, "people/key_add.html", {"form": form}, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def remove_key(request: PanelRequest, pk: int) -> HttpResponse:
    key = get_object_or_404(keys.own_keys(policy.person_id(request.actor)), pk=pk)
    if request.method == "POST":
        keys.remove_key(actor=request.actor, key=key)
        return _done("key-removed")
    return render(request, "people/key_remove.html", {"key": key})


@require_POST
@signed_in
def end_session(request: PanelRequest, pk: int) -> HttpResponse:
    session = get_object_or_404(sessions.own_sessions(request.actor), pk=pk)
    sessions.end_session(actor=request.actor, session=session)
    return _done("session")


@require_POST
@signed_in
def end_sessions(request: PanelRequest) -> HttpResponse:
    sessions.end_others(actor=request.actor, key=request.session.session_key)
    return _done("sessions")


def _done(word: str) -> HttpResponse:
    return redirect(f"{reverse('you')}?done={word}")


def _page(request: PanelRequest, *, status: int = 200, zone_error: str = "") -> HttpResponse:
    own_id = policy.person_id(request.actor)
    context = {
        "person": User.objects.prefetch_related("memberships__team").get(pk=own_id),
        "done": DONE.get(request.GET.get("done", "")),
        "themes": Theme.choices,
        "zones": zones.options(),
        "zone_error": zone_error,
        "keys": keys.own_keys(own_id),
        "sessions": _with_this_one_first(request, sessions.open_of(own_id, system_clock())),
    }
    return render(request, "people/you.html", context, status=status)


def _with_this_one_first(request: HttpRequest, rows: list[Any]) -> list[tuple[Any, bool]]:
    """Pairs of a session and whether it is the one that asks."""
    pairs = [(row, row.session_key == request.session.session_key) for row in rows]
    return sorted(pairs, key=lambda pair: not pair[1])
