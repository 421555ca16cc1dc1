"""Names of machines that are to be: which are allowed, which are free, and one to propose."""

import re

from django.utils.translation import gettext as _

from cloud.models import Account, Instance
from cloud.operations.models import NameReservation
from panel.fleet.queries import visible_instances
from panel.teams.policy import Actor

# What a launch takes is stricter than what a rename does (upstream-api.md, 4).
NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]")
SHORTEST, LONGEST = 3, 64
_NUMBERED = re.compile(r"(.*?)(\d{1,4})")
TRIES, MOST = 200, 5000


def fault(name: str) -> str:
    """What is wrong with a name, in words; "" when it is allowed."""
    if not name:
        return _("Give it a name.")
    if not SHORTEST <= len(name) <= LONGEST:
        return _("A name has 3 to 64 characters; this one has %(n)d.") % {"n": len(name)}
    if not NAME.fullmatch(name):
        return _("Only letters A to Z, digits and hyphens; it starts and ends with a letter or a digit.")
    return ""


def is_taken(account: Account, name: str) -> bool:
    """By a machine of the account or by what somebody else is about to make. Two queries."""
    machines = Instance.objects.present().filter(account=account, name=name)
    promised = NameReservation.objects.filter(account=account, name=name, is_open=True)
    return machines.exists() or promised.exists()


def proposal(actor: Actor, account: Account) -> str:
    """The next one after the newest numbered machine that the person can see: trainer-10 after trainer-09. Three
    queries.
    """
    newest = visible_instances(actor).present().filter(account=account, is_awaited=False)
    names = newest.order_by("-started_at", "-id").values_list("name", flat=True)[:20]
    found = next((match for name in names if (match := _NUMBERED.fullmatch(name)) and not fault(name)), None)
    stem, digits = (found[1], found[2]) if found else ("machine-", "00")
    taken = _taken(account, stem)
    wanted = (f"{stem}{number:0{len(digits)}d}" for number in range(int(digits) + 1, int(digits) + TRIES))
    return next((name for name in wanted if name not in taken and not fault(name)), "")


def _taken(account: Account, stem: str) -> set[str]:
    machines = Instance.objects.present().filter(account=account, name__startswith=stem)
    promised = NameReservation.objects.filter(account=account, name__startswith=stem, is_open=True)
    return {*machines.values_list("name", flat=True)[:MOST], *promised.values_list("name", flat=True)[:MOST]}
