"""Who may do what, and why somebody may not."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from panel.http import PanelRequest, signed_in
from panel.teams import members, reasons, shown
from panel.teams.forms import WhyForm


@require_safe
@signed_in
def roles(request: PanelRequest) -> HttpResponse:
    """The whole table of the policy; asked about a person, the reason as well."""
    teams = members.visible_teams(request.actor)
    form = WhyForm(request.GET if "person" in request.GET else None)
    context = {"form": form, "teams": teams, "answer": None, **shown.roles()}
    if form.is_bound and form.is_valid():
        data = form.cleaned_data
        team = teams.filter(pk=int(data["team"])).first() if data["team"].isdecimal() else None
        context["answer"] = reasons.why(request.actor, data["person"], data["permission"], team)
        context["chosen"] = team
    return render(request, "teams/roles.html", context)
