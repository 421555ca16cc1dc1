"""The door's pages that allauth has no words of ours for, and its views that leave something of ours undone."""

from typing import Any

from allauth.account.views import PasswordChangeView, PasswordResetFromKeyView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from panel.http import public
from panel.people import lockout, sessions


class ChangedPassword(PasswordChangeView):  # type: ignore[misc]  # allauth has no types
    """This session goes on under a new key; the others end (adapter.py)."""

    def form_valid(self, form: Any) -> HttpResponse:
        before = self.request.session.session_key
        response: HttpResponse = super().form_valid(form)
        sessions.renamed(before, self.request.session.session_key)
        return response


class NewPassword(PasswordResetFromKeyView):  # type: ignore[misc]
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
