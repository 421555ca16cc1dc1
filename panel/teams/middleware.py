"""Says who asks: `request.actor`, read when first used, once a request, in one query beside the session's."""

from collections.abc import Callable
from dataclasses import replace

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from cloud.clock import system_clock
from panel.people import sessions
from panel.people.zones import zone_of
from panel.teams.actors import actor_of
from panel.teams.origins import origin_of
from panel.teams.policy import NOBODY, Actor

BACKGROUND = "X-Background"  # what an open page asks for by itself (static/js/page.js)


class ActorMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.actor = SimpleLazyObject(lambda: _actor(request))  # type: ignore[attr-defined]
        try:
            return self.get_response(request)
        finally:
            timezone.deactivate()  # the thread's next request is somebody else's


def _actor(request: HttpRequest) -> Actor:
    """Who asks. From here on times are drawn in their zone, and their session counts as seen."""
    actor = replace(actor_of(request.session), origin=origin_of(request))
    if not actor.is_known:
        return actor
    key, is_background = request.session.session_key or "", BACKGROUND in request.headers
    if not sessions.is_good(key, actor.origin.address, system_clock(), is_background=is_background):
        return replace(NOBODY, origin=actor.origin)
    timezone.activate(zone_of(actor.zone))
    return actor
