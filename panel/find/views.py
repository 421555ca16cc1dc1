"""Find or do: one field for pages, machines, actions and views. And the page of the keys."""

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from panel.find import search
from panel.find.places import places
from panel.frame import frame_of
from panel.http import PanelRequest, page_or_part, signed_in


@require_safe
@signed_in
def find(request: PanelRequest) -> HttpResponse:
    """What fits the words: a page with a form, or for the palette its list alone."""
    q = " ".join(request.GET.get("q", "").replace("\0", "").split())[: search.LONGEST]
    groups = search.search(request.actor, q, places(frame_of(request)))
    context = {"q": q, "groups": groups, "n": sum(len(group.options) for group in groups)}
    return page_or_part(request, "find/results.html", context)


@require_safe
@signed_in
def keys(request: PanelRequest) -> HttpResponse:
    """Which keys do what: a dialog, or a page."""
    return page_or_part(request, "find/keys.html", {})
