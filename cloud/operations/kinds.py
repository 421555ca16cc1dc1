"""Each kind of action as one small class: how it is sent, what proves that it happened, and its flags.

The rules are reliability.md, 5. The names of the provider's tasks are guessed from its endpoints where no document
gives them; a task with another name is never taken for ours, and never taken as proof that nothing happened.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from django.db.models import F
from django.db.models.functions import Coalesce

from cloud.client import Client
from cloud.errors import Refused
from cloud.models import Instance
from cloud.operations.evidence import Evidence
from cloud.operations.kind import Kind, Seen, Sent, Tier, machine_of
from cloud.operations.launches import Launch, LaunchCustom
from cloud.operations.models import Operation
from cloud.operations.states import State
from cloud.tally import recount
from cloud.timing import Timing, seconds

Power = Instance.Power
# Uptimes are whole seconds, and may be some seconds old: a start so near to the request proves nothing. Not scaled.
UPTIME_EDGE_S = 2


class _Power(Kind):
    """A change of the power state: proven by two readings, if the machine was in another state when it was asked."""

    wanted: ClassVar[str]

    def is_done(self, seen: Seen, row: Operation) -> bool | None:
        if seen.power == Power.UNKNOWN or not seen.is_listed:
            return None
        if row.precondition.get("power") in {self.wanted, Power.UNKNOWN, None} and seen.power == self.wanted:
            return None  # it was so before, or may have been: the state proves nothing
        return seen.power == self.wanted

    def is_pointless(self, machine: Instance, params: Mapping[str, Any]) -> bool:
        return machine.power == self.wanted


class PowerOn(_Power):
    name, tier, sends, wanted = "power_on", Tier.INTERRUPTS, 2, Power.RUNNING
    task_names = frozenset({"power_on", "start", "start_instance"})

    def send(self, client: Client, row: Operation) -> Sent:
        return Sent.of(client.power_on(row.provider_id))


class Shutdown(_Power):
    name, tier, sends, wanted = "shutdown", Tier.INTERRUPTS, 2, Power.STOPPED
    task_names = frozenset({"shutdown", "stop", "shutdown_instance"})

    def send(self, client: Client, row: Operation) -> Sent:
        return Sent.of(client.shutdown(row.provider_id))


class ForceOff(_Power):
    """Sent again only when the machine was read as running after everything else."""

    name, tier, sends, wanted = "force_off", Tier.MAY_LOSE, 2, Power.STOPPED
    has_undo = needs_fresh_read = True
    task_names = frozenset({"power_off", "force_off", "force_stop"})

    def send(self, client: Client, row: Operation) -> Sent:
        return Sent.of(client.power_off(row.provider_id))


class _Restart(Kind):
    """Leaves the machine as it was, so only a task or a short uptime proves it; never sent again."""

    is_convergent = is_confirmed = False

    def look(self, client: Client, row: Operation, found: Evidence, now: datetime, pace: Timing) -> None:
        uptime_s = client.instance_stats(row.provider_id).uptime_s
        if uptime_s is None or row.sent_at is None:
            return
        started_s = (now - row.sent_at).total_seconds() - uptime_s  # after the request left; before it if negative
        if abs(started_s) < UPTIME_EDGE_S or uptime_s <= 0:
            return
        found.looked_at = now
        found.done, found.not_done = (2, 0) if started_s > 0 else (0, found.not_done + 1)


class Reboot(_Restart):
    name, tier = "reboot", Tier.INTERRUPTS
    task_names = frozenset({"reboot", "restart", "reboot_instance"})

    def send(self, client: Client, row: Operation) -> Sent:
        return Sent.of(client.reboot(row.provider_id))


class PowerCycle(_Restart):
    name, tier, has_undo = "power_cycle", Tier.MAY_LOSE, True
    task_names = frozenset({"power_cycle", "reset"})

    def send(self, client: Client, row: Operation) -> Sent:
        return Sent.of(client.power_cycle(row.provider_id))


class Rename(Kind):
    """Equal to what is wanted, or not: nothing else needs to be known."""

    name, tier, sends = "rename", Tier.REVERSIBLE, 5
    is_exclusive = has_task = False

    def send(self, client: Client, row: Operation) -> Sent:
        client.rename_instance(row.provider_id, row.params["name"])
        return Sent()

    def is_done(self, seen: Seen, row: Operation) -> bool | None:
        return seen.name == row.params["name"] if seen.is_listed else None

    def is_pointless(self, machine: Instance, params: Mapping[str, Any]) -> bool:
        return bool(machine.name == params["name"])


class Delete(Kind):
    """404 by id twice, a minute apart, and not in the list; or its task and not in the list."""

    name, tier, sends = "delete", Tier.IRREVERSIBLE, 3
    has_undo = is_stopped_by_lock = True
    task_names = frozenset({"delete_instance", "delete", "destroy"})

    def send(self, client: Client, row: Operation) -> Sent:
        return Sent.of(client.delete_instance(row.provider_id))

    def is_done(self, seen: Seen, row: Operation) -> bool | None:
        if seen.is_listed:
            return False
        return True if row.evidence.get("completed_at") else None

    def look(self, client: Client, row: Operation, found: Evidence, now: datetime, pace: Timing) -> None:
        try:
            client.get_instance(row.provider_id)
        except Refused as error:
            if error.status != 404:
                raise
        else:
            found.missing_at = None
            return
        found.looked_at = now
        found.missing_at = found.missing_at or now
        if now >= found.missing_at + seconds(pace.absent_again_s) and found.power == "absent":
            found.done, found.not_done = 2, 0

    def ended(self, row: Operation, to: State, now: datetime) -> None:
        """Its name is free at once; a list that has it after all brings the machine back."""
        present = machine_of(row).present()
        missing_since = Coalesce(F("missing_since"), now)
        columns = {"gone_at": now, "rank": Instance.Rank.GONE, "changed_at": now, "missing_since": missing_since}
        if to is State.SUCCEEDED and present.update(**columns, digest=""):
            recount(row.account)

    @property
    def wants_absence(self) -> bool:
        return True


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        PowerOn(),
        Shutdown(),
        Reboot(),
        Rename(),
        Delete(),
        ForceOff(),
        PowerCycle(),
        Launch(),
        LaunchCustom(),
    )
}
KNOWN_TASKS = frozenset().union(*(kind.task_names for kind in KINDS.values())) | {
    "create_backup",
    "restore_backup",
    "delete_backup",
}


class UnknownKind(Exception):
    """A kind that this version does not know: another one wrote it, and may run beside us."""


def kind_of(row: Operation) -> Kind:
    """The class behind a row. Raises UnknownKind."""
    try:
        return KINDS[row.kind]
    except KeyError:
        raise UnknownKind(row.kind) from None
