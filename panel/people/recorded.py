"""What people do at the door, as the record tells it. What is typed there may be a password in the wrong field."""

from django.db import transaction
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from panel.audit import record
from panel.audit.models import Outcome
from panel.people.models import User, folded_email
from panel.teams.origins import origin_of
from panel.teams.policy import Actor, Origin

_SALT = "tidepool.typed"


def signed_in(request: HttpRequest, user: User) -> None:
    with transaction.atomic():
        record.append("person.signed_in", actor=_actor(request, user))


def signed_out(user: User, origin: Origin) -> None:
    with transaction.atomic():
        record.append("person.signed_out", actor=Actor(user.pk, user.email, user.is_administrator, origin=origin))


def password_set(request: HttpRequest, user: User, *, is_by_mail: bool) -> None:
    """Last in the transaction that stores the new password."""
    code = "person.password.set_by_mail" if is_by_mail else "person.password.changed"
    record.append(
        code, actor=_actor(request, user), target_kind="person", target_id=str(user.pk), target_label=user.email
    )


def proved(request: HttpRequest, user: User) -> None:
    """The password once more, before something that cannot be undone."""
    with transaction.atomic():
        record.append("person.proved", actor=_actor(request, user))


def not_proved(request: HttpRequest, typed: str) -> None:
    _failed("person.proof.failed", request, typed, Outcome.FAIL)


def sign_in_failed(request: HttpRequest, typed: str) -> None:
    _failed("person.sign_in.failed", request, typed, Outcome.FAIL)


def sign_in_refused(request: HttpRequest, typed: str) -> None:
    """The lock was closed; nobody looked at the password."""
    _failed("person.sign_in.refused", request, typed, Outcome.DENIED)


def _failed(code: str, request: HttpRequest, typed: str, outcome: Outcome) -> None:
    """A known address is told in full. Others only by a mark that needs the installation's secret to be tried out;
    all of one address block are folded together, so that a list of made-up people fills no table.
    """
    stranger = Actor(origin=origin_of(request))
    known = User.objects.filter(email=folded_email(typed)).only("pk", "email").first()
    if known:
        about: record.About = {"target_kind": "person", "target_id": str(known.pk), "target_label": known.email}
        record.denied(code, actor=stranger, outcome=outcome, **about)
    else:
        mark = salted_hmac(_SALT, folded_email(typed), algorithm="sha256").hexdigest()[:12] if "@" in typed else ""
        record.denied(
            code, actor=stranger, outcome=outcome, target_kind="person", detail={"unknown": mark or "no address"}
        )


def _actor(request: HttpRequest, user: User) -> Actor:
    return Actor(user.pk, user.email, user.is_administrator, origin=origin_of(request))
