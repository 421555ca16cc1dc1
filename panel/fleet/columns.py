"""The columns of the list that a person may hide.

Rows are the same for all readers, so the style sheet hides the cells of what is not ticked in the menu (panel.css).
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

COLUMNS: dict[str, Any] = {
    "type": _("Type"),
    "region": _("Region"),
    "address": _("Address"),
    "cost": _("Cost an hour"),
    "age": _("Age"),
}


@dataclass(frozen=True)
class Column:
    """One tick of the menu."""

    name: str
    words: Any
    is_shown: bool


def offered(hidden: Collection[str]) -> list[Column]:
    return [Column(name, words, name not in hidden) for name, words in COLUMNS.items()]


def hidden_of(shown: Iterable[str]) -> list[str]:
    """The columns that are not among those that somebody ticked; unknown names are nothing."""
    ticked = set(shown)
    return [name for name in COLUMNS if name not in ticked]
