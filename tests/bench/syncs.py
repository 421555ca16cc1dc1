"""performance.md 14: a sync of 10,000 machines beside an in-memory diff and one plain write."""

from typing import Any

import msgspec
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from cloud import columns, sync
from cloud.clock import system_clock
from cloud.models import Account, Instance
from cloud.shapes import Instance as Machine
from cloud.shapes import InstanceList
from panel.teams.models import default_team
from tests.bench import fleets as databases
from tests.bench.figures import Figure, Report
from tests.bench.fleets import SYNCED, Fleets
from tests.bench.measure import Work, interleaved

ROUNDS = 9
UPDATE = "UPDATE cloud_instance SET power = %s, rank = %s, raw = %s, digest = %s, changed_at = %s WHERE id = %s"
WRITES = ("INSERT", "UPDATE", "DELETE")


class World:
    """What the provider says, which changes by 1 % when it is asked to, and the cache that follows."""

    def __init__(self) -> None:
        self.account, self.team = Account.objects.get(), default_team().pk
        self.rows = databases.listing()
        self.turn = 0
        self.body = b""
        self.items: tuple[Machine, ...] = ()
        self.tell()

    def tell(self) -> None:
        self.body = msgspec.json.encode(self.rows)
        self.items = InstanceList.parse(msgspec.json.decode(self.body)).items

    def change(self) -> None:
        self.turn += 1
        databases.change(self.rows, self.turn)
        self.tell()

    def sync(self, items: tuple[Machine, ...], *, written: int) -> None:
        now = system_clock()
        outcome = sync.instances(self.account, items, now=now, home_team=self.team, known_until=now)
        assert outcome.rows_written == written, f"{outcome.rows_written} rows written, not {written}"

    def floor(self, rows: list[dict[str, Any]], *, written: int) -> None:
        """Load marks, compute marks, compare; write the state of what differs with one bulk statement."""
        known = {
            provider_id: (pk, mark)
            for provider_id, pk, mark in Instance.objects.filter(account=self.account).values_list(
                "provider_id", "id", "digest"
            )
        }
        marks = [(row, columns.digest(row)) for row in rows]
        fresh = [(row, mark) for row, mark in marks if known[row["uuid"]][1] != mark]
        assert len(fresh) == written, len(fresh)
        if not fresh:
            return
        now = system_clock()
        ranks = {"running": Instance.Rank.RUNNING, "stopped": Instance.Rank.OFF}
        values = [
            (row["power_status"], ranks[row["power_status"]].value, _json(row), mark, now, known[row["uuid"]][0])
            for row, mark in fresh
        ]
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(UPDATE, values)


def _json(row: dict[str, Any]) -> str:
    return msgspec.json.encode(row).decode()


def run(fleets: Fleets) -> Report:
    fleets.use(SYNCED)
    world = World()
    works = (
        Work("floor", lambda: world.floor([item.raw for item in world.items], written=100), world.change, times=1),
        Work("sync", lambda: world.sync(world.items, written=100), world.change, times=1),
        Work("floor, parsing", lambda: world.floor(msgspec.json.decode(world.body), written=100), world.change, 1),
        Work("sync, parsing", lambda: world.sync(parsed(world.body), written=100), world.change, times=1),
        Work("floor, unchanged", lambda: world.floor([item.raw for item in world.items], written=0), times=1),
        Work("sync, unchanged", lambda: world.sync(world.items, written=0), times=1),
    )
    costs = {name: cost.elapsed for name, cost in interleaved(works, ROUNDS).items()}
    queries, rows = _counts(world)
    return Report(
        [
            Figure(14, "sync of 10,000, 1 % changed", costs["sync"], "ms", costs["floor"], most_ratio=1.5),
            Figure(14, "the same, unchanged", costs["sync, unchanged"], "ms", costs["floor, unchanged"], 1.5),
            Figure(14, "the same with parsing, 1 % changed", costs["sync, parsing"], "ms", costs["floor, parsing"]),
            Figure(14, "its queries", queries, "", most=10),
            Figure(14, "rows written (asserted: exactly 100; unchanged: 0)", rows, "", most=100),
        ]
    )


def parsed(body: bytes) -> tuple[Machine, ...]:
    return InstanceList.parse(msgspec.json.decode(body)).items


def _counts(world: World) -> tuple[int, int]:
    """Queries of one sync with 1 % changed, and the rows that bear its time afterwards."""
    world.change()
    began = system_clock()
    with CaptureQueriesContext(connection) as queries:
        world.sync(world.items, written=100)
    ours = [query["sql"] for query in queries if query["sql"].startswith(("SELECT", *WRITES))]
    world.change()
    world.change()
    with CaptureQueriesContext(connection) as idle:
        world.sync(world.items, written=0)
    assert not [query for query in idle if query["sql"].startswith(WRITES)]
    return len(ours), Instance.objects.filter(changed_at__gte=began).count()
