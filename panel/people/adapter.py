"""How allauth is held: no sign-up of one's own, our lock-out, our words."""

from typing import Any, NoReturn

from allauth.account.adapter import DefaultAccountAdapter
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from cloud.clock import system_clock
from panel.people import lockout
from panel.people.models import User


class Door(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """People come by invitation or from an administrator."""
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        if lockout.is_locked(request, credentials.get("email") or "", system_clock()):
            self._refuse()

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        lockout.note_failure(request, credentials.get("email") or "", system_clock())

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        lockout.note_success(request, user.email)
        response: HttpResponse = super().post_login(request, user, **kwargs)
        lockout.remember_device(request, response, user.email)
        return response

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Allauth's "successfully signed in" says what the page already shows."""

    def get_client_ip(self, request: HttpRequest) -> str:
        return str(request.META.get("REMOTE_ADDR", ""))

    def _refuse(self) -> NoReturn:
        raise ValidationError(_("Too many wrong passwords. Wait five minutes, then try again, or reset the password."))
