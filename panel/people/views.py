"""What people see of themselves, and the door's plain pages that allauth has no words of ours for."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from panel.http import PanelRequest, public, signed_in
from panel.people.models import User


@require_safe
@signed_in
def you(request: PanelRequest) -> HttpResponse:
    person = User.objects.prefetch_related("memberships__team").get(email=request.actor.label)
    return render(request, "people/you.html", {"person": person})


@public
@require_safe
def inactive(request: HttpRequest) -> HttpResponse:
    return render(request, "account/inactive.html")


@public
@require_safe
def new_password_set(request: HttpRequest) -> HttpResponse:
    return render(request, "account/password_reset_from_key_done.html")
