"""Launches: the kinds, and how their machines are found again.

A launch promises a machine: its row stands in the cache from the moment it was asked for, with `is_awaited`, until a
list has it. Found again is only what bears the promised name and was not there before; a task is never taken for a
launch's own, because a stranger's would hand a stranger's machine to the team.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext as _

from cloud import shapes
from cloud.client import Client
from cloud.errors import Refused
from cloud.models import Account, Instance, type_label
from cloud.operations.kind import Kind, Seen, Sent, Tier, machine_of
from cloud.operations.models import Attempt, Operation
from cloud.operations.states import SOUGHT, State
from cloud.tally import recount
from cloud.timing import Timing, seconds, timing

PROMISE = "launch:"
NAMES = ("launch", "launch_custom")  # of the kinds here
HISTORY = 20
EDGE_S = 3  # the provider's times and its Date header are whole seconds. Not scaled.
LATE_S = 86400  # so long a machine with a launch's name is taken for its own, for the sake of whose team it is


class _Launch(Kind):
    """Never sent again by itself. That it happened, the list says, by id or by name."""

    tier, is_convergent, is_sent_alone, adopts_tasks, absent_looks = Tier.INTERRUPTS, False, True, False, 3
    task_names = frozenset({"create_instance", "launch_instance", "launch", "create"})

    def is_done(self, seen: Seen, row: Operation) -> bool | None:
        return seen.is_listed

    def reason_against(self, row: Operation) -> str:
        others = Instance.objects.present().filter(account=row.account_id, name=row.params["name"])
        if others.exclude(operations=row).exists():
            return _("Another machine took this name meanwhile. Nothing was sent.")
        return ""

    def no_words(self, error: Refused) -> str:
        if error.status == 409:
            return _("There is no room for this machine in this region now. Nothing was launched.")
        if error.status in {400, 422}:
            return _("Blue Lobster did not accept what was asked for. Nothing was launched.")
        return ""

    def accepted(self, row: Operation, sent: Sent) -> None:
        if sent.machine_id and bind(row, sent.machine_id, sent.address):
            Operation.objects.filter(pk=row.pk).update(provider_id=sent.machine_id[:255])
            row.provider_id = sent.machine_id[:255]

    def ended(self, row: Operation, to: State, now: datetime) -> None:
        if to is State.SUCCEEDED:
            _found(row, now)
        elif to is State.CANCELLED:
            let_go(row)
        elif machine_of(row).filter(is_awaited=True).update(rank=Instance.Rank.UNMADE):
            recount(row.account)

    def put_aside(self, row: Operation) -> None:
        let_go(row)

    def limit_s(self, pace: Timing) -> float:
        return pace.launch_limit_s

    def patience_s(self, pace: Timing) -> float:
        return pace.launch_limit_s

    def absence_s(self, row: Operation, pace: Timing) -> float:
        """Longer than the slowest launch of this account took by half. One query."""
        done = Operation.objects.filter(account=row.account_id, kind__in=NAMES, state=State.SUCCEEDED)
        spans = done.exclude(sent_at=None).order_by("-created_at").values_list("sent_at", "ended_at")[:HISTORY]
        slowest_s = max((((ended - sent).total_seconds()) for sent, ended in spans if sent and ended), default=0.0)
        return min(max(pace.absence_s, 1.5 * slowest_s), pace.launch_limit_s / 2)


class Launch(_Launch):
    name = "launch"

    def send(self, client: Client, row: Operation) -> Sent:
        asked = row.params
        started = client.launch_instance(
            region=asked["region"],
            instance_type=asked["instance_type"],
            ssh_key=asked.get("ssh_key"),
            password=row.opened.get("password"),
            name=asked["name"],
            username=asked.get("username"),
            metadata=asked.get("metadata"),
            template_name=asked.get("template_name"),
            iso_url=asked.get("iso_url"),
        )
        return Sent.of(started)


class LaunchCustom(_Launch):
    name = "launch_custom"

    def send(self, client: Client, row: Operation) -> Sent:
        asked = row.params
        started = client.launch_custom(
            region=asked["region"],
            vcpus=asked["vcpus"],
            memory_gib=asked["memory_gib"],
            storage_gib=asked["storage_gib"],
            gpu_count=asked["gpu_count"],
            gpu_model=asked.get("gpu_model"),
            ssh_key=asked["ssh_key"],
            name=asked["name"],
            template_name=asked.get("template_name"),
        )
        return Sent.of(started)


# --- the promised machine ---------------------------------------------------------------------------------------------


def machine_to_be(account: Account, team_id: int, name: str, now: datetime, **columns: Any) -> Instance:
    """The row of a machine that is about to be launched, not saved: what was chosen, as the provider would list it."""
    machine = Instance(account=account, team_id=team_id, name=name, is_awaited=True, rank=Instance.Rank.AWAITED)
    for column, value in (columns | {"started_at": now, "first_seen_at": now, "changed_at": now}).items():
        setattr(machine, column, value)
    machine.type_label = type_label(machine.gpu_count, machine.gpu_model)
    said = (name, machine.type_label, machine.type_name, machine.gpu_model)
    machine.search = " ".join(part for part in said if part).casefold()
    return machine


def promise(row: Operation, machine: Instance) -> None:
    """Write the row of the machine that a launch is to make. In the transaction that writes the launch."""
    machine.pk, machine.provider_id, machine.is_awaited = None, f"{PROMISE}{row.pk}", True
    machine.save(force_insert=True)
    row.target = machine
    row.precondition["promised"] = machine.pk  # where people watch it, also when the row is gone


def bind(row: Operation, machine_id: str, address: str = "") -> bool:
    """The provider's id of the promised machine is known. False when that id is another machine's, or it is listed."""
    known = {"provider_id": machine_id[:255]} | ({"ip_address": address[:64]} if address else {})
    try:
        with transaction.atomic():
            return bool(machine_of(row).filter(is_awaited=True).update(**known))
    except IntegrityError:
        return False


def let_go(row: Operation) -> None:
    """What was promised never came to be: its row goes, and the operations keep its name."""
    machine = machine_of(row).filter(is_awaited=True).first()
    if machine is None:
        return
    Operation.objects.filter(target=machine).update(target=None)
    machine.delete()
    row.target = None
    recount(row.account)


def _found(row: Operation, now: datetime) -> None:
    machine = machine_of(row).filter(is_awaited=False).first()
    if machine is None:  # a person said that it happened, and no list has it
        let_go(row)
        return
    row.provider_id = machine.provider_id
    Operation.objects.filter(pk=row.pk).update(provider_id=machine.provider_id)
    if machine.gpu_count and not machine.os_type.lower().startswith("win"):
        machine.prepares_until = now + seconds(timing().preparing_s)
        machine.save(update_fields=["prepares_until"])


def prepared(account: Account, now: datetime) -> Mapping[int, Sequence[int]]:
    """End the time in which new machines build their drivers, where it is over; team → their row ids. One query."""
    over = list(Instance.objects.filter(account=account, prepares_until__lte=now).values_list("team_id", "pk"))
    for _team, pk in over:  # one by one: nobody waits for two of them
        Instance.objects.filter(pk=pk).update(prepares_until=None)
    return {team: [pk for other, pk in over if other == team] for team, _pk in over}


# --- found again ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Namesakes:
    """Machines that bear a launch's name and were not known before it was sent: those that can be its own, and those
    that the provider itself dates before the request. An elder is nobody's own, and proves nothing either.
    """

    candidates: list[str]
    elders: list[str]


def namesakes(row: Operation, machines: Iterable[shapes.Instance], offset_s: float | None) -> Namesakes:
    """Sort the listed machines of its name; `offset_s` is the provider's clock minus ours. One query where any is."""
    named = {machine.uuid[:255]: machine for machine in machines if machine.name == row.params["name"]}
    if not named or row.sent_at is None:
        return Namesakes([], [])
    known = Instance.objects.filter(account=row.account_id, provider_id__in=named, first_seen_at__lte=row.sent_at)
    old = set(known.exclude(operations=row).values_list("provider_id", flat=True))
    edge_s = EDGE_S if offset_s is not None else timing().window_s
    since = row.sent_at + seconds((offset_s or 0.0) - edge_s)
    fresh = [(machine_id, machine.created_at) for machine_id, machine in named.items() if machine_id not in old]
    elders = [machine_id for machine_id, made_at in fresh if made_at is not None and made_at < since]
    return Namesakes([machine_id for machine_id, _at in fresh if machine_id not in elders], elders)


def recognise(account: Account, machines: Sequence[shapes.Instance], *, now: datetime, offset_s: float | None) -> None:
    """Before a listing is written: whose is the machine with a promised name? One query when nothing is promised.

    Only for what was sent and whose answer is in or lost: before that, a machine of the name is somebody else's. The
    row of a dead sender stays in `sending` until somebody comes: its machine must find the promise all the same, for a
    row of its own, which the listing would write, would keep the promise from it for ever.
    """
    is_left = Q(state=State.SENDING, leased_until__lt=now)
    rows = Operation.objects.filter(
        target__account=account, target__is_awaited=True, target__provider_id__startswith=PROMISE, attempts__gt=0
    )
    for row in rows.filter(is_left | Q(state__in=(*SOUGHT, State.UNCLEAR)), kind__in=NAMES):
        found = namesakes(row, machines, offset_s).candidates
        if len(found) == 1:
            bind(row, found[0])


class Claims:
    """Which team a new machine is of, because a launch of theirs made it or may have. Read when it is first asked for:
    a listing without new machines costs nothing.
    """

    def __init__(self, account: Account, now: datetime) -> None:
        self._account, self._now = account, now

    def team_of(self, provider_id: str, name: str) -> int | None:
        return self._by_id.get(provider_id) or self._by_name.get(name)

    @cached_property
    def _by_id(self) -> dict[str, int]:
        """Of launches whose answer named their machine, and whose promise was let go before a list had it."""
        rows = Operation.objects.filter(account=self._account, kind__in=NAMES, target=None).exclude(provider_id="")
        return dict(rows.order_by("created_at").values_list("provider_id", "team_id"))

    @cached_property
    def _by_name(self) -> dict[str, int]:
        """Of launches that may have had an effect and whose machine was never found. A definite no claims nothing."""
        sent = Attempt.objects.filter(operation=OuterRef("pk")).exclude(result__in=("not_sent", "refused"))
        rows = Operation.objects.filter(Exists(sent), account=self._account, kind__in=NAMES, provider_id="")
        lately = rows.filter(created_at__gt=self._now - seconds(LATE_S)).order_by("created_at")
        return {params["name"]: team for params, team in lately.values_list("params", "team_id")}


def machine_ids(rows: Sequence[Operation]) -> dict[str, str]:
    """The provider's id of each operation's machine: as its row says, or as it was recognised since. One query."""
    told = {row.pk: row.provider_id for row in rows if row.provider_id}
    open_ones = [row.pk for row in rows if not row.provider_id]
    if not open_ones:
        return told
    since = Operation.objects.filter(pk__in=open_ones, target__isnull=False).annotate(bound=F("target__provider_id"))
    return told | {pk: bound for pk, bound in since.values_list("pk", "bound") if not bound.startswith(PROMISE)}


def is_line_free(row: Operation) -> bool:
    """Is no other launch of the account being sent right now?"""
    sending = Operation.objects.filter(account=row.account_id, kind__in=NAMES, state=State.SENDING)
    return not sending.exclude(pk=row.pk).exists()
