"""Which of the chosen machines would get an action now, and why the others would not."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.http import QueryDict
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from cloud.models import Instance, InstanceQuerySet
from cloud.operations import batches
from cloud.operations.models import Operation
from cloud.operations.states import State
from panel.actions import shown
from panel.actions.table import Action
from panel.fleet.listing import Wish
from panel.fleet.queries import visible_instances
from panel.teams import policy
from panel.teams.policy import Actor

MOST = 1000  # machines in one run
LONGEST_ID = 18  # digits
# What judging, writing down and showing a machine takes.
NEEDED = (
    "account_id", "team_id", "provider_id", "name", "power", "gone_at", "is_awaited", "attention", "ip_address",
    "price_cents_per_hour",
)  # fmt: skip
Power = Instance.Power


@dataclass(frozen=True)
class Refused:
    """One machine that does not get it. `at` stands behind the words; `is_denied`: by the policy, not by its state."""

    label: str
    words: str
    machine_id: int | None = None
    team_id: int | None = None
    at: datetime | None = None
    is_denied: bool = False

    def packed(self) -> dict[str, Any]:
        return asdict(self) | {"at": self.at.isoformat() if self.at else ""}

    @classmethod
    def read(cls, packed: Mapping[str, Any]) -> "Refused":
        return cls(**{**packed, "at": parse_datetime(packed["at"]) if packed["at"] else None})


@dataclass
class Choice:
    fit: list[Instance] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


def asked_for(actor: Actor, query: QueryDict) -> tuple[list[int], bool]:
    """Ids of the machines that an address asks for, and whether there were too many: ticked ones, or all that match."""
    if "all" in query:
        wish = Wish.read(query)
        rows = wish.ordered(wish.narrow(visible_instances(actor)))
        found = list(rows.values_list("pk", flat=True)[: MOST + 1])
    else:
        found = numbers(query.getlist("m"))
    return found[:MOST], len(found) > MOST


def numbers(texts: Iterable[str]) -> list[int]:
    """Ids in the order given, each once; what is none is left out."""
    good = (text for text in texts if text.isascii() and text.isdecimal() and len(text) <= LONGEST_ID)
    return list(dict.fromkeys(int(text) for text in good))


def chosen(actor: Actor, ids: Collection[int]) -> InstanceQuerySet:
    """Those of the machines that the actor may see."""
    rows: InstanceQuerySet = visible_instances(actor).filter(pk__in=ids).only(*NEEDED)
    return rows


def judge(actor: Actor, action: Action, ids: Sequence[int], machines: Iterable[Instance]) -> Choice:
    """Sort the chosen machines in the order of `ids`; an id without a machine is refused without a name. One query."""
    found, by_id = Choice(), {machine.pk: machine for machine in machines}
    held = batches.holders(by_id)
    for pk in ids:
        machine = by_id.get(pk)
        refused = why_not(actor, action, machine, held.get(pk)) if machine else _unknown(pk)
        if refused is not None:
            found.refused.append(refused)
        elif machine is not None:
            found.fit.append(machine)
    return found


def why_not(actor: Actor, action: Action, machine: Instance, holder: Operation | None) -> Refused | None:
    """Why this machine does not get it now; None when it does."""
    if not policy.allowed(actor, action.permission, machine):
        return refusal(machine, _("Your role in its team does not allow this."), is_denied=True)
    if action.name in actor.pairs.get(machine.team_id, ()):
        return refusal(machine, _("In its team this takes two people: ask for it on its own page."))
    if machine.gone_at:
        return refusal(machine, _("It no longer exists."))
    if machine.is_awaited:
        is_failed = machine.attention == Instance.Attention.FAILED
        return refusal(machine, _("Its launch failed.") if is_failed else _("It is still being launched."))
    if holder is not None:
        return busy(machine, holder)
    if not action.fits(machine):
        return refusal(machine, _as_it_is(action, machine))
    return None


def busy(machine: Instance, holder: Operation) -> Refused:
    named = {"verb": shown.verb(holder), "who": holder.actor_label}
    if holder.state == State.UNCLEAR:
        return refusal(machine, _("Somebody must first check how “%(verb)s” by %(who)s ended.") % named)
    return refusal(machine, _("Busy: “%(verb)s” by %(who)s since") % named, at=holder.created_at)


def refusal(machine: Instance, words: str, *, at: datetime | None = None, is_denied: bool = False) -> Refused:
    return Refused(machine.label, words, machine.pk, machine.team_id, at, is_denied)


def _unknown(pk: int) -> Refused:
    return Refused(_("Unknown"), _("It is not there any more, or not yours to see."), pk)


def _as_it_is(action: Action, machine: Instance) -> str:
    if machine.power == Power.RUNNING:
        return _("Running already.")
    if machine.power == Power.PAUSED:
        return _("It is paused.")
    return _("Off already.") if action.kind.is_pointless(machine, {}) else _("It is off.")
