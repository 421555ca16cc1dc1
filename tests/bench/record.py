"""performance.md 20: a record of a million rows checked, beside the same rows read and hashed without any rule."""

import hashlib
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import connection

from panel.audit import canonical, claims, guards
from panel.audit.claims import Claim
from panel.audit.models import GENESIS, Checkpoint, Entry, Head
from panel.audit.verify import PAGE, rows, verify
from tests.bench.figures import Figure, Report
from tests.bench.fleets import Fleets

ROUNDS = 3
ROWS, BATCH = 1_000_000, 1000  # and a checkpoint a batch
DATABASE = "1_record"  # a copy of the smallest fleet
START = datetime(2026, 1, 1, tzinfo=UTC)


def run(fleets: Fleets) -> Report:
    fleets.use(DATABASE)
    copies = _fill()
    keys = claims.public_keys(settings.RECORD_PUBLIC_KEY)
    floors, checks = [], []
    for turn in range(ROUNDS):
        works: list[tuple[list[float], Callable[[], object]]] = [
            (floors, _floor),
            (checks, lambda: _check(keys, copies)),
        ]
        for taken, work in works if turn % 2 else works[::-1]:
            begin = time.perf_counter()
            work()
            taken.append(time.perf_counter() - begin)
    seconds, floor = statistics.median(checks), statistics.median(floors)
    each = (
        f"20: {ROWS / seconds:,.0f} rows a second; the floor reads the same pages and hashes each row's text, no more."
    )
    return Report([Figure(20, "audit_verify, 1,000,000 rows", seconds, "s", floor, most=15)], [each])


def _check(keys: dict[str, claims.VerifyKey], copies: list[Claim]) -> None:
    report = verify(keys, copies)
    assert (report.rows, report.checkpoints, report.faults) == (ROWS, ROWS // BATCH, []), report


def _floor() -> None:
    for row in rows(ROWS, PAGE):
        hashlib.sha256("\n".join(map(str, row)).encode()).hexdigest()


def _fill() -> list[Claim]:
    """A million rows in their chain, faster than by a million appends, and the copies of its checkpoints."""
    guards.lift()
    Entry.objects.all().delete()  # what founding the fleet left
    key, made, before = claims.signing_key(), [], GENESIS
    key_id = claims.key_id(key.verify_key)
    for first in range(1, ROWS + 1, BATCH):
        batch = list(_entries(first, before))
        before = batch[-1].hash
        Entry.objects.bulk_create(batch)
        number, at = first // BATCH + 1, batch[-1].at
        made.append(claims.signed(Claim(number, canonical.instant(at), batch[-1].sequence, before, key_id), key))
        Checkpoint.objects.create(
            number=number, at=at, sequence=batch[-1].sequence, hash=before, key_id=key_id, signature=made[-1].signature
        )
    Head.objects.all().delete()
    Head.objects.create(pk=Head.ROW, sequence=ROWS, hash=before)
    guards.install()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return made


def _entries(first: int, before: str) -> Iterator[Entry]:
    for sequence in range(first, first + BATCH):
        entry = Entry(
            sequence=sequence, at=START + timedelta(seconds=sequence, microseconds=sequence % 1000),
            actor_id=sequence % 97, code="instance.shutdown.requested", actor_label="somebody@example.org", session_hash="0123456789abcdef",
            address="198.51.100.9", agent="Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
            team_id=sequence % 7, team_label="Research", target_kind="instance", target_id=f"vm-{sequence}",
            target_label=f"gpu-{sequence}", operation_id=f"0192f0c1-7b1e-7cc3-9b4e-{sequence:012d}",
            detail=f'{{"number":{sequence},"reason":"the weekly maintenance of the cluster"}}', previous_hash=before,
        )  # fmt: skip
        entry.hash = before = canonical.hash_of_entry(entry)
        yield entry
