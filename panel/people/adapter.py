"""How allauth is held: no sign-up of one's own, our lock-out, our words."""

from typing import Any, NoReturn
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from cloud.clock import system_clock
from panel.people import entering, letters, lockout, recorded, sessions
from panel.people.models import User
from panel.teams.origins import origin_of


class Door(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": _lazy("That address and password do not match."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """People come by invitation or from an administrator."""
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        if not lockout.may_try(request, credentials.get("email") or "", system_clock()):
            recorded.sign_in_refused(request, credentials.get("email") or "")
            self._refuse()

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Counted already, before the password was looked at."""
        recorded.sign_in_failed(request, credentials.get("email") or "")

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        lockout.note_success(request, user.email)
        entering.entered(request, user)
        response: HttpResponse = super().post_login(request, user, **kwargs)
        lockout.remember_device(request, response, user.email)
        return response

    def logout(self, request: HttpRequest) -> None:
        user, origin, key = request.user, origin_of(request), request.session.session_key  # before the session ends
        super().logout(request)
        sessions.forget(key)
        if isinstance(user, User):
            recorded.signed_out(user, origin)

    def set_password(self, user: User, password: str) -> None:
        """Hashing is slow on purpose: before the transaction."""
        user.set_password(password)
        match = self.request.resolver_match
        with transaction.atomic():
            user.password_changed_at = system_clock()
            user.save(update_fields=["password", "password_changed_at"])
            sessions.forget_all_but(user, self.request.session.session_key)
            is_by_mail = match is not None and match.url_name == "account_reset_password_from_key"
            recorded.password_set(self.request, user, is_by_mail=is_by_mail)

    def get_reset_password_from_key_url(self, key: str) -> str:
        """At our own address, whatever host the request named."""
        path = urlsplit(str(super().get_reset_password_from_key_url(key))).path
        return f"{settings.SITE_URL}{path}"

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """By a thread of its own: a slow or silent mail server neither holds a page nor tells who is known here."""
        if lockout.may_mail(email, system_clock()):
            letters.send(self.render_mail(template_prefix, email, context))

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("you") + "?done=password"

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Allauth's "successfully signed in" says what the page already shows."""

    def get_client_ip(self, request: HttpRequest) -> str:
        return str(request.META.get("REMOTE_ADDR", ""))

    def _refuse(self) -> NoReturn:
        raise ValidationError(
            _("Too many wrong passwords. Wait five minutes, or set a new one by mail: that opens the door at once.")
        )
