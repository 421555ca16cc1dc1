"""The pages that one can go to: those of the side bar, and the few that stand elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import NoReverseMatch, resolve, reverse
from django.utils.translation import gettext as _

from panel.frame import Frame
from panel.http import SIGNED_IN
from panel.teams import policy
from panel.teams.policy import Actor, Permission


@dataclass(frozen=True)
class Page:
    label: Any
    address: str
    icon: str


def places(frame: Frame) -> Sequence[Page]:
    """No permission, no page. No query."""
    found = [Page(place.label, place.address, place.icon) for place in (*frame.places, *frame.organisation)]
    others = (("launch:new", _("Launch a machine"), "plus"), ("you", _("You"), "user-circle"))
    for name, label, icon in others:
        address = _address(name, frame.actor)
        if address and address not in {page.address for page in found}:
            found.append(Page(label, address, icon))
    return found


def _address(name: str, actor: Actor) -> str:
    """Of a page that exists and that this person may open; else nothing."""
    try:
        address = reverse(name)
    except NoReverseMatch:
        return ""
    mark = getattr(resolve(address).func, "permission", None)
    may = mark == SIGNED_IN or (isinstance(mark, Permission) and policy.allowed(actor, mark))
    return address if may else ""
