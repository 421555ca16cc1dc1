"""The words around a list and a machine: heads, chips, facts. Templates print what stands here."""

import re
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from cloud.models import Instance
from panel.fleet import shown
from panel.fleet.listing import Wish
from panel.frame import Frame
from panel.money import a_month, dollars
from panel.teams.policy import Actor, Permission

SAFE_LOGIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}")
SAFE_ADDRESS = re.compile(r"[0-9A-Fa-f.:]{3,45}")


@dataclass(frozen=True)
class Head:
    """A column's head: its words, where a click sorts, and `aria-sort`."""

    words: str
    classes: str
    address: str = ""
    sorted: str = ""


@dataclass(frozen=True)
class Chip:
    """A filter that is set (`address` takes it away) or that is offered (`address` sets it)."""

    words: str
    address: str
    kind: str = ""


def heads(wish: Wish) -> list[Head]:
    columns = (
        ("state", _("State"), ""),
        ("name", _("Name"), ""),
        ("type", _("Type"), ""),
        ("region", _("Region"), "w"),
        ("", _("Address"), "w"),
        ("price", _("$/h"), "r"),
        ("age", _("Age"), "w r"),
    )
    return [_head(wish, order, words, classes) for order, words, classes in columns]


def _head(wish: Wish, order: str, words: str, classes: str) -> Head:
    if not order:
        return Head(words, classes)
    is_sorted = wish.order == order
    turned = not wish.is_descending if is_sorted else order == "age"
    # The youngest come first when starts descend: to people that is ages ascending.
    is_up = wish.is_descending == (order == "age")
    direction = ("ascending" if is_up else "descending") if is_sorted else ""
    return Head(words, classes, wish.address(order=order, is_descending=turned), direction)


def filters(frame: Frame, wish: Wish) -> dict[str, Any]:
    """The chips that are set, and the groups that the filter menu offers."""
    states = {
        "attention": _("Needs attention"),
        "busy": _("Busy"),
        "running": _("Running"),
        "off": _("Off"),
        "unknown": _("Unknown"),
        "gone": _("Gone"),
    }
    regions = sorted({region for tally in frame.tallies for region in tally.regions})
    types = sorted({label for tally in frame.tallies for label in tally.types})
    teams = _teams(frame.actor)
    chips = [
        Chip(words, wish.address(**{field: ""}), kind)
        for field, kind, words in (
            ("state", _("State"), states.get(wish.state, "")),
            ("region", _("Region"), wish.region),
            ("type", _("Type"), wish.type),
            ("team", _("Team"), teams.get(wish.team, "")),
        )
        if words
    ]
    groups = [
        (_("State"), [Chip(words, wish.address(state=state)) for state, words in states.items()]),
        (_("Region"), [Chip(region, wish.address(region=region)) for region in regions]),
        (_("Type"), [Chip(label, wish.address(type=label)) for label in types]),
        (_("Team"), [Chip(name, wish.address(team=pk)) for pk, name in teams.items()]),
    ]
    return {"chips": chips, "groups": [group for group in groups if group[1]]}


def _teams(actor: Actor) -> dict[str, str]:
    """The teams among which somebody can choose: none for who sees one."""
    mine = actor.teams_with(Permission.INSTANCE_VIEW)
    names = sorted((actor.teams.get(pk, ""), str(pk)) for pk in mine) if len(mine) > 1 else []
    return {pk: name for name, pk in names}


def machine(actor: Actor, instance: Instance) -> dict[str, Any]:
    """Facts of one machine: how to connect, what it is, its type in words."""
    parts = (instance.type_label, shown.type_note(instance.gpu_model, instance.gpu_count, instance.cpu_cores))
    kind = ", ".join(part for part in parts if part)
    cost = _("%(hour)s an hour, %(month)s a month")
    price = instance.price_cents_per_hour
    said = cost % {"hour": dollars(price), "month": dollars(a_month(price))} if price is not None else ""
    line = (kind, instance.region, _("price not known") if price is None else said)
    return {
        "connect": connect(instance),
        "team": _teams(actor).get(str(instance.team_id), ""),
        "connect_with": _("Remote Desktop") if instance.os_type.lower().startswith("win") else _("Connect"),
        "type": kind,
        "line": " · ".join(part for part in (line[:2] if instance.gone_at else line) if part),
        "has_costs": not instance.gone_at and price is not None and not _is_failed(instance),
        "is_off": instance.power in {Instance.Power.STOPPED, Instance.Power.PAUSED},
    }


def _is_failed(instance: Instance) -> bool:
    """Its launch failed, and no list has it."""
    return instance.is_awaited and instance.attention == Instance.Attention.FAILED


def connect(instance: Instance) -> str:
    """The command or address to reach the machine with, or nothing: what a shell could misread is never offered."""
    address = instance.ip_address
    # The address of a launch that failed was given back, and may be anybody's by now.
    if instance.gone_at or _is_failed(instance) or not SAFE_ADDRESS.fullmatch(address):
        return ""
    if instance.os_type.lower().startswith("win"):
        return address
    if instance.is_awaited and not instance.os_type:
        return ""  # an own ISO: an installer boots there, and nobody knows what it lets in
    login = instance.username or "ubuntu"  # the provider's documented default
    return f"ssh {login}@{address}" if SAFE_LOGIN.fullmatch(login) else ""
