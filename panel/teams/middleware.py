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
from panel.teams.policy import Actor


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
    if actor.is_known:
        timezone.activate(zone_of(actor.zone))
        sessions.touch(request.session.session_key or "", actor.origin.address, system_clock())
    return actor
