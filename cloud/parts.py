"""One reader for each part of the cache: ask the provider, write what changed, say what changed.

A reader returns the seconds until the part is to be read again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from cloud import catalogue, loads, sync, vanished
from cloud.client import Client
from cloud.clock import Clock
from cloud.errors import CloudError, Refused
from cloud.models import Account, ProviderTask, Refresh
from cloud.operations import judging, launches, listening, waiting
from cloud.ports import Change, ports
from cloud.timing import Timing, seconds


@dataclass(frozen=True)
class Turn:
    """One claimed part, and what its reader needs."""

    row: Refresh
    account: Account
    now: datetime
    timing: Timing
    clock: Clock
    is_inherited: bool = False  # from a hand that died: its lease ran out

    def hold(self) -> None:
        """Renew the lease before the cache is written. Raises Superseded when the part is in another hand by now."""
        mine = Refresh.objects.filter(pk=self.row.pk, fence=self.row.fence)
        if not mine.update(leased_until=self.clock() + seconds(self.timing.refresh_lease_s)):
            raise Superseded


class Superseded(Exception):
    """This hand was presumed dead, or the key was replaced: what it read is old."""


def read_instances(turn: Turn, client: Client) -> float:
    listing = client.list_instances()
    launches.recognise(turn.account, listing.items, now=turn.now, offset_s=client.clock_offset_s)
    outcome = sync.instances(
        turn.account,
        listing.items,
        now=turn.now,
        home_team=ports().home_team(),
        known_until=turn.row.done_at,
        claims=launches.Claims(turn.account, turn.now).team_of,
        is_complete=not listing.skipped,
        hold=turn.hold,
    )
    lists = set(outcome.lists)
    was_held = turn.account.held_missing
    if not listing.skipped:  # an incomplete list says nothing of absence, nor that a mass has come back
        gone = vanished.settle(
            turn.account,
            outcome.missing,
            does_exist=lambda provider_id: _does_exist(client, provider_id),
            now=turn.now,
            timing=turn.timing,
        )
        for row in gone:
            lists.add(row.team_id)
            outcome.changed[row.team_id].append(row.pk)
    for team, ids in launches.prepared(turn.account, turn.now).items():
        outcome.changed[team] += ids
    topics = {"accounts"} if was_held != turn.account.held_missing else set()
    ports().tell(Change(turn.account.pk, outcome.changed, frozenset(lists), frozenset(topics)))
    listening.saw(
        turn.account,
        listing.items,
        is_complete=not listing.skipped,
        asked_at=turn.now,
        now=turn.clock(),
        pace=turn.timing,
        offset_s=client.clock_offset_s,
    )
    usual_s = turn.timing.instances_watched_s if ports().is_watched("fleet") else turn.timing.instances_idle_s
    return waiting.machines_every_s(turn.account.pk, turn.timing, usual_s)


def read_catalogue(turn: Turn, client: Client) -> float:
    if catalogue.types(turn.account, client.list_available().items):
        ports().tell(Change(turn.account.pk, topics=frozenset({"catalogue"})))
    return turn.timing.instances_watched_s if ports().is_watched("catalogue") else turn.timing.catalogue_s


def read_templates(turn: Turn, client: Client) -> float:
    catalogue.templates(turn.account, client.list_templates().items)
    return turn.timing.templates_s


def read_tasks(turn: Turn, client: Client) -> float:
    """One list for the page of tasks and for all operations that run."""
    listing = client.list_tasks(limit=listening.LIMIT, days=judging.TASK_DAYS)
    if catalogue.tasks(turn.account, listing.items, turn.now):
        ports().tell(Change(turn.account.pk, topics=frozenset({"tasks"})))
    listening.heard(
        turn.account,
        listing,
        asked_at=turn.now,
        now=turn.clock(),
        pace=turn.timing,
        offset_s=client.clock_offset_s,
    )
    is_busy = ProviderTask.objects.filter(account=turn.account, status__in=ProviderTask.UNFINISHED).exists()
    is_seen = ports().is_watched("tasks")
    usual_s = turn.timing.tasks_watched_s if is_busy and is_seen else turn.timing.tasks_idle_s
    return waiting.tasks_every_s(turn.account.pk, turn.timing, usual_s)


def read_health(turn: Turn, client: Client) -> float:
    said = (client.health().status or "")[:32]
    if said != turn.account.health:
        Account.objects.filter(pk=turn.account.pk).update(health=said)
        ports().tell(Change(turn.account.pk, topics=frozenset({"accounts"})))
    return turn.timing.health_s


def read_stats(turn: Turn, client: Client) -> float:
    """One call for the machine that somebody looks at and whose last reading is the oldest: a fixed slice for all."""
    row = loads.next_to_read(turn.account, ports().looked_at())
    if row is None:
        return turn.timing.instances_idle_s
    try:
        ports().show_point(row.pk, loads.point(client.instance_stats(row.provider_id), turn.now))
    except Refused as error:
        if error.status != 404:  # it vanished between two lists: the next sync says so
            raise
    return turn.timing.stats_slice_s


READERS: dict[Refresh.Part, Callable[[Turn, Client], float]] = {
    Refresh.Part.INSTANCES: read_instances,
    Refresh.Part.CATALOGUE: read_catalogue,
    Refresh.Part.TEMPLATES: read_templates,
    Refresh.Part.TASKS: read_tasks,
    Refresh.Part.HEALTH: read_health,
    Refresh.Part.STATS: read_stats,
}


def _does_exist(client: Client, provider_id: str) -> bool | None:
    try:
        client.get_instance(provider_id)
    except Refused as error:
        return False if error.status == 404 else None
    except CloudError:
        return None
    return True
