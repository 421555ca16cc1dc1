"""The page behind an invitation's link: for who is signed in, for who has an account, for who is new."""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from panel.audit import record
from panel.http import PanelRequest, public
from panel.people import entering
from panel.people.models import User
from panel.teams import invitations, policy, shown
from panel.teams.forms import JoinForm
from panel.teams.members import Refused
from panel.teams.models import Invitation
from panel.teams.origins import origin_of
from panel.teams.people import about
from panel.teams.policy import Actor, Role


@public
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: PanelRequest, secret: str) -> HttpResponse:
    row = invitations.found(secret)
    if row is None:
        return render(request, "teams/invitation_over.html", status=404)
    if request.actor.is_known:
        return _for_somebody(request, row, secret)
    known = User.objects.filter(email=row.email).first()
    if known is not None:
        return _page(request, row, "teams/invitation_sign_in.html", status=200 if request.method != "POST" else 403)
    return _for_a_new_person(request, row, secret)


def _for_somebody(request: PanelRequest, row: Invitation, secret: str) -> HttpResponse:
    user = User.objects.filter(pk=policy.person_id(request.actor), is_active=True).first()
    if user is None or user.email != row.email:
        return render(request, "teams/invitation_other.html", status=403)
    if request.method == "POST":
        try:
            invitations.accept(user=user, secret=secret, actor=request.actor)
        except Refused:
            return render(request, "teams/invitation_over.html", status=404)
        return redirect("overview:home")
    return _page(request, row, "teams/invitation_join.html")


def _for_a_new_person(request: PanelRequest, row: Invitation, secret: str) -> HttpResponse:
    """Their account is made together with the membership, or not at all."""
    form = JoinForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        user = User(email=row.email, name=form.cleaned_data["name"])
        try:
            validate_password(form.cleaned_data["password"], user)
        except ValidationError as error:
            form.add_error("password", error)
        else:
            return _made(request, user, form.cleaned_data["password"], secret)
    return _page(request, row, "teams/invitation_new.html", form=form, status=422 if form.is_bound else 200)


def _made(request: PanelRequest, user: User, password: str, secret: str) -> HttpResponse:
    user.set_password(password)  # slow on purpose: before the transaction
    try:
        with transaction.atomic():
            user.save(force_insert=True)
            actor = Actor(user.pk, user.email, origin=origin_of(request))
            invitations.accept(user=user, secret=secret, actor=actor)
            record.append("person.added", actor=actor, detail={"by": _("invitation")}, **about(user))
    except (Refused, IntegrityError):
        return render(request, "teams/invitation_over.html", status=404)
    entering.enter(request, user)
    return redirect("overview:home")


def _page(
    request: PanelRequest, row: Invitation, template: str, *, form: JoinForm | None = None, status: int = 200
) -> HttpResponse:
    words = shown.ROLE_WORDS[Role(row.role)]
    context = {"row": row, "role": row.get_role_display(), "words": words, "form": form, "here": request.path}
    return render(request, template, context, status=status)
