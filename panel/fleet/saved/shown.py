"""What stands around the list for one person: their views, and the ticks of its columns."""

from typing import Any

from panel.fleet import columns
from panel.fleet.listing import Wish
from panel.fleet.saved import services
from panel.teams.policy import Actor


def around(actor: Actor, wish: Wish) -> dict[str, Any]:
    """One query."""
    shelf = services.shelf_of(actor)
    view = shelf.current(wish)
    return {
        "shelf": shelf,
        "view": view,
        "is_whole": not services.query_of(wish),
        "can_save": bool(services.query_of(wish)) and view is None,
        "columns": columns.offered(shelf.hidden(wish)),
    }
