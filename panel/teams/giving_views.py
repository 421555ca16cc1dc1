"""Giving machines to another team: which they would be, to whom, and then it is done."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from cloud.models import Instance
from panel.bulk.choice import asked_for
from panel.http import PanelRequest, asks
from panel.teams import giving, members
from panel.teams.forms import GiveForm, PatternForm
from panel.teams.policy import Permission


@require_http_methods(["GET", "HEAD", "POST"])
@asks(Permission.INSTANCE_GIVE)
def give(request: PanelRequest) -> HttpResponse:
    """Ticked machines, all that a list shows, or those whose name fits a pattern."""
    if request.method == "POST":
        return _given(request)
    form = PatternForm(request.GET if "pattern" in request.GET else None)
    found: list[Instance] = []
    if form.is_bound and form.is_valid():
        found = giving.fitting(request.actor, form.cleaned_data["pattern"]) if form.cleaned_data["pattern"] else []
    elif not form.is_bound:
        found = giving.chosen(request.actor, asked_for(request.actor, request.GET)[0])
    return _page(request, form, found)


def _given(request: PanelRequest) -> HttpResponse:
    form = GiveForm(request.POST)
    ids = form.cleaned_data.get("ids", []) if form.is_valid() else []
    wanted = request.POST.get("team", "")
    is_number = wanted.isdecimal() and len(wanted) < 19
    team = giving.receivers(request.actor).filter(pk=int(wanted)).first() if is_number else None
    if team is None or not ids:
        return _page(
            request, PatternForm(), giving.chosen(request.actor, ids), _("Choose machines, and a team of yours.")
        )
    try:
        giving.give(actor=request.actor, ids=ids, team=team)
    except members.Refused as error:
        return _page(request, PatternForm(), giving.chosen(request.actor, ids), error.words)
    return redirect("teams:team", team.pk)


def _page(request: PanelRequest, form: PatternForm, found: list[Instance], trouble: str = "") -> HttpResponse:
    context = {
        "form": form,
        "machines": found,
        "ids": ",".join(str(row.pk) for row in found),
        "teams": giving.receivers(request.actor),
        "trouble": trouble,
        "most": giving.MOST,
    }
    return render(request, "teams/give.html", context, status=422 if trouble or form.errors else 200)
