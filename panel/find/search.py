"""What fits the words of one person, in groups: pages, views, machines, and what they may do. At most two queries.

What one may not see does not occur, and an action that one may not do is not offered.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from cloud.models import Instance
from panel.actions import table
from panel.actions.table import Action
from panel.find.places import Page
from panel.find.ranking import Fit, fit_of, occurs, rank_of
from panel.find.verbs import Meant, meant
from panel.fleet import shown
from panel.fleet.queries import visible_instances
from panel.fleet.saved.services import shelf_of
from panel.teams import policy
from panel.teams.policy import Actor, Permission

LONGEST = 100
MOST = 8  # machines, and actions
MEANT = -1  # before every fit: somebody typed a verb and a machine


@dataclass(frozen=True)
class Option:
    """One thing to choose. `asks` opens the confirmation; `fills` is the name that the field takes up on →."""

    label: str
    address: str
    icon: str
    fit: int
    note: str = ""
    asks: bool = False
    is_risky: bool = False
    fills: str = ""
    more: str = ""  # where a machine's actions stand, for the page without a script


@dataclass(frozen=True)
class Group:
    name: str
    options: Sequence[Option]

    @property
    def fit(self) -> int:
        return min(option.fit for option in self.options)


def search(actor: Actor, q: str, places: Iterable[Page]) -> list[Group]:
    """Groups with something in them; what fits best stands first."""
    groups = [Group(_("Go to"), _pages(q, places))]
    if policy.allowed(actor, Permission.INSTANCE_VIEW):
        wanted = meant(q)
        machines = _machines(actor, q, wanted)
        may_act = table.has_any(actor)
        groups += [
            Group(_("Views"), _views(actor, q)),
            Group(_("Machines"), [_machine(row, may_act) for row in machines]),
            Group(_("Do"), _actions(actor, wanted, machines)[:MOST]),
        ]
    return sorted((group for group in groups if group.options), key=lambda group: group.fit)


def _pages(q: str, places: Iterable[Page]) -> list[Option]:
    fits = ((fit_of(str(place.label), q), place) for place in places)
    return _ranked(Option(str(place.label), place.address, place.icon, fit) for fit, place in fits if fit is not None)


def _views(actor: Actor, q: str) -> list[Option]:
    """One query."""
    base = reverse("fleet:list")
    fits = ((fit_of(view.name, q), view) for view in shelf_of(actor).views)
    return _ranked(Option(view.name, f"{base}?{view.query}", "bookmark", fit) for fit, view in fits if fit is not None)


def _ranked(options: Iterable[Option]) -> list[Option]:
    return sorted(options, key=lambda option: option.fit)


def _machines(actor: Actor, q: str, wanted: Meant) -> list[Any]:
    """The machines that are named, with or without a verb beside them, the best first. One query."""
    phrases = [phrase for phrase in (q, wanted.rest) if phrase]
    if not q:
        return []
    condition = occurs(phrases[0])
    for phrase in phrases[1:]:
        condition |= occurs(phrase)
    rows = visible_instances(actor).filter(condition, rank__lt=Instance.Rank.GONE)
    return list(rows.defer("raw", "search").annotate(fit=rank_of(*phrases)).order_by("fit", "name", "id")[:MOST])


def _machine(row: Any, may_act: bool) -> Option:
    address = reverse("fleet:detail", args=[row.pk])
    option = Option(row.label, address, "server", row.fit, note=_note(row))
    return replace(option, fills=row.name, more=reverse("actions:menu", args=[row.pk])) if may_act else option


def _note(row: Instance) -> str:
    """What it is and where; what goes on with it, if anything does."""
    goes_on = shown.state_of(row, {}).word if row.attention != Instance.Attention.CALM else ""
    return " · ".join(part for part in (goes_on, row.type_label, row.ip_address) if part)


def _actions(actor: Actor, wanted: Meant, machines: Sequence[Any]) -> list[Option]:
    """What was typed as a verb, for each machine named beside it; else all that the one machine offers."""
    if wanted.rest:
        offers = ((action, row) for row in machines for action in table.offered_to(actor, row))
        return [_action(action, row, MEANT) for action, row in offers if action in wanted.actions]
    alone = machines[:1] if len(machines) == 1 or (machines and machines[0].fit == Fit.EXACT) else []
    return [_action(action, row, row.fit) for row in alone for action in table.offered_to(actor, row)]


def _action(action: Action, row: Instance, fit: int) -> Option:
    label = _("%(verb)s %(name)s") % {"verb": action.verb, "name": row.label}
    address = reverse("actions:do", args=[row.pk, action.name])
    return Option(label, address, action.icon, fit, note=_note(row), asks=True, is_risky=action.may_lose)
