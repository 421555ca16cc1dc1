"""Health of every part, the answer for probes, and the banners that open pages read again."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from cloud.models import Refresh
from panel.health import checks
from panel.http import PanelRequest, asks, page_or_part, public, signed_in
from panel.teams.policy import Permission


@require_safe
@asks(Permission.HEALTH_VIEW)
def home(request: PanelRequest) -> HttpResponse:
    rows = Refresh.objects.filter(account__is_enabled=True).select_related("account").order_by("account__name", "part")
    return page_or_part(request, "health/home.html", {"findings": checks.findings(), "refreshes": rows})


@public
@require_safe
def alive(request: HttpRequest) -> HttpResponse:
    """For a load balancer: this process answers. Says nothing of anything else."""
    return HttpResponse("ok", content_type="text/plain")


@require_safe
@signed_in
def banners(request: PanelRequest) -> HttpResponse:
    """The banners of the frame, for a page that heard that an account's standing changed."""
    return render(request, "frame/heard.html")
