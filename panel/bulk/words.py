"""An action on many machines, in words."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext

from cloud.models import Instance
from cloud.operations import batches
from panel.actions.table import Action
from panel.money import a_month, dollars

EFFECTS: dict[str, Any] = {
    "power_on": _lazy("They are turned on and cost their full price from then on."),
    "reboot": _lazy("Programs on them close, data on their disks stays. Usually back within a minute."),
    "shutdown": _lazy("Their systems are asked to stop: programs close, data stays."),
    "force_off": _lazy("Like pulling the plug: what is not saved is lost."),
    "power_cycle": _lazy("Off and on again, like pulling the plug: what is not saved is lost."),
}
LONG_S = 10  # a wait that is worth a word


def with_count(action: Action, count: int) -> str:
    """What a button says: "Restart 12 machines"."""
    said = ngettext("%(verb)s %(n)d machine", "%(verb)s %(n)d machines", count)
    return said % {"verb": action.verb, "n": count}


def effects(action: Action, machines: Sequence[Instance]) -> list[tuple[str, str]]:
    """(icon, sentence): what it does to all of them, and to the bill."""
    found = [(action.icon, str(EFFECTS[action.name]))]
    prices = [machine.price_cents_per_hour for machine in machines if machine.price_cents_per_hour is not None]
    bill = _bill(action, sum(prices), len(machines) - len(prices))
    return [*found, ("coin", bill)] if bill else found


def last_in_s(count: int) -> float:
    """Seconds until the last of so many is asked, for Blue Lobster takes few calls a second; 0 when it is soon."""
    wait_s = batches.delay_s(count - 1)
    return wait_s if wait_s > LONG_S else 0


def _bill(action: Action, cents: int, unpriced: int) -> str:
    named = {"hour": dollars(cents), "month": dollars(a_month(cents)), "n": unpriced}
    if not cents:
        return ""
    if action.name == "power_on":
        words = _("Together %(hour)s an hour, %(month)s a month.")
    elif action.name in {"shutdown", "force_off"} and settings.OFF_MAY_COST:
        words = _("Together they may still cost %(hour)s an hour while they are off.")
    else:
        return ""
    return f"{words} {_('%(n)d of unknown price not counted.')}" % named if unpriced else words % named
