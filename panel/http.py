"""What every view shares: the typed request, page or part, and the two middlewares that watch over answers."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.utils.translation import gettext as _
from django_htmx.middleware import HtmxDetails

from panel.audit import record
from panel.teams import policy
from panel.teams.actors import people_with
from panel.teams.policy import Actor, Permission

P = ParamSpec("P")
Next = Callable[[HttpRequest], HttpResponse]


class PanelRequest(HttpRequest):
    """A request as views see it, after the middlewares."""

    actor: Actor
    htmx: HtmxDetails


PUBLIC, SIGNED_IN = "public", "signed in"

View = Callable[Concatenate[PanelRequest, P], HttpResponseBase]


def asks(permission: Permission) -> Callable[[View[P]], View[P]]:
    """Marks a view with the permission that it needs somewhere, and refuses who has it nowhere.

    A view of one thing of a team is marked by `asks_of_one` instead. `public` marks the few that ask nothing; a view
    without any mark is for signed-in people only, and fails the tests.
    """

    def mark(view: View[P]) -> View[P]:
        @wraps(view)
        def asked(request: PanelRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            policy.require(request.actor, permission)
            return view(request, *args, **kwargs)

        asked.permission = permission  # type: ignore[attr-defined]
        return asked

    return mark


def asks_of_one(permission: Permission) -> Callable[[View[P]], View[P]]:
    """Marks a view of one thing of a team: it finds that among what the actor sees, and asks for the permission then.
    So 404 comes before 403: what one may not see does not exist, whatever one may do elsewhere.
    """

    def mark(view: View[P]) -> View[P]:
        view.permission = permission  # type: ignore[attr-defined]
        return view

    return mark


def signed_in(view: View[P]) -> View[P]:
    """Marks a view that any signed-in person may see: what is about themselves."""
    view.permission = SIGNED_IN  # type: ignore[attr-defined]
    return view


def public(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Marks a view that answers strangers too."""
    view.permission = PUBLIC  # type: ignore[attr-defined]
    return view


def page_or_part(request: PanelRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """The page `room/name.html`, or for htmx its part `room/_name.html` alone. Going back in history gets the page."""
    wants_part = request.htmx and not (request.htmx.boosted and not request.htmx.target)
    if wants_part and not request.htmx.history_restore_request:
        room, _, name = template.rpartition("/")
        template = f"{room}/_{name}"
    response = render(request, template, context, status=status)
    response.headers["Vary"] = "HX-Request, Cookie"
    return response


class SignInFirst:
    """Sends strangers to the door. Htmx gets the door as a whole page, never inside a row."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: PanelRequest, view: Callable[..., HttpResponse], _args: object, _kwargs: object
    ) -> HttpResponse | None:
        if getattr(view, "permission", SIGNED_IN) == PUBLIC or request.actor.is_known:
            return None
        door = resolve_url(settings.LOGIN_URL)
        if request.htmx:
            here = request.htmx.current_url_abs_path or "/"
            return HttpResponse(headers={"HX-Redirect": f"{door}?{urlencode({'next': here})}"})
        return redirect(f"{door}?{urlencode({'next': request.get_full_path()})}")


class SafeAnswers:
    """Headers on every answer, and no page of a signed-in person in any cache."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()")
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("Cache-Control", "no-store")
        return response


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404 in words: what one may not see does not exist, and both look the same."""
    context = {
        "title": _("Nothing here"),
        "words": _(
            "It does not exist, or it is not yours to see. A machine that moved to another team is not, either."
        ),
    }
    is_known = hasattr(request, "actor") and request.actor.is_known
    return render(request, "errors/framed.html" if is_known else "errors/404.html", context, status=404)


def refused(request: PanelRequest, exception: PermissionDenied | None = None) -> HttpResponse:
    """403 in words: what the role lacks, and who has it."""
    lacking = exception.args[0] if exception and exception.args else None
    _record_refusal(request, lacking)
    context: dict[str, Any] = {"title": _("Your role does not allow this")}
    if isinstance(lacking, Permission):
        context["words"] = _("It takes the permission: %(sentence)s") % {"sentence": policy.SENTENCES[lacking]}
        context["people"] = people_with(request.actor, lacking)
    return render(request, "errors/framed.html", context, status=403)


def _record_refusal(request: PanelRequest, lacking: object) -> None:
    """By the route's name: an address may hold what opens a door."""
    match = request.resolver_match
    where = {"method": request.method, "route": match.view_name if match else ""}
    permission = lacking.value if isinstance(lacking, Permission) else ""
    record.denied("access.denied", actor=request.actor, target_kind="permission", target_id=permission, detail=where)


def broken(request: HttpRequest) -> HttpResponse:
    """500 in words, from a template that asks for nothing: no database, no session, no context."""
    return render(request, "errors/500.html", status=500, using=None)


def csrf_refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that grew old, or came from another site."""
    return render(request, "errors/csrf.html", status=403)
