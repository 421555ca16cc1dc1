"""What people see of themselves, and the door's plain pages that allauth has no words of ours for."""

from typing import Any

from allauth.account.views import PasswordResetFromKeyView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from panel.http import PanelRequest, public, signed_in
from panel.people import lockout
from panel.people.models import User


@require_safe
@signed_in
def you(request: PanelRequest) -> HttpResponse:
    person = User.objects.prefetch_related("memberships__team").get(email=request.actor.label)
    return render(request, "people/you.html", {"person": person, "is_changed": request.GET.get("done") == "password"})


class NewPassword(PasswordResetFromKeyView):  # type: ignore[misc]  # allauth has no types
    """A new password by a mail's link. Who reads that person's mail is no stranger: the lock opens for them."""

    def form_valid(self, form: Any) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        lockout.remember_device(self.request, response, self.reset_user.email)
        lockout.note_success(self.request, self.reset_user.email)
        return response


@public
@require_safe
def inactive(request: HttpRequest) -> HttpResponse:
    return render(request, "account/inactive.html")


@public
@require_safe
def new_password_set(request: HttpRequest) -> HttpResponse:
    return render(request, "account/password_reset_from_key_done.html")
