"""performance.md 20: a record of a million rows checked, beside the same rows read and hashed without any rule."""

import hashlib
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from nacl.signing import SigningKey, VerifyKey

from panel.audit import canonical, claims, guards
from panel.audit.claims import Claim
from panel.audit.models import GENESIS, Checkpoint, Entry, Head
from panel.audit.verify import PAGE, rows, verify
from tests.bench.figures import Figure, Report
from tests.bench.fleets import Fleets

ROUNDS = 3
ROWS, BATCH = 1_000_000, 1000  # and a checkpoint a batch
DATABASE = "1_record"  # a copy of the smallest fleet
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
INSERT = """INSERT INTO audit_entry (sequence, version, actor_id, actor_label, address, agent, at, code, detail,
  operation_id, outcome, session_hash, target_id, target_kind, target_label, team_id, team_label, token_id,
  previous_hash, hash) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"""
START = datetime(2026, 1, 1, tzinfo=UTC)


def run(fleets: Fleets) -> Report:
    fleets.use(DATABASE)
    copies = _fill()
    keys = claims.public_keys(settings.RECORD_PUBLIC_KEY)
    floors: list[float] = []
    checks: list[float] = []
    for _turn in range(ROUNDS):
        floors.append(_seconds(_floor))
        checks.append(_seconds(lambda: _check(keys, copies)))
    seconds, floor = statistics.median(checks), statistics.median(floors)
    each = (
        f"20: {ROWS / seconds:,.0f} rows a second; the floor reads the same pages and hashes each row's text, no more."
    )
    return Report([Figure(20, "audit_verify, 1,000,000 rows", seconds, "s", floor, most=15)], [each])


def _seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def _check(keys: dict[str, VerifyKey], copies: list[Claim]) -> None:
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
    with transaction.atomic(), connection.cursor() as cursor:
        for first in range(1, ROWS + 1, BATCH):
            batch = list(_values(first, before))
            cursor.executemany(INSERT, batch)
            before = batch[-1][-1]
            made.append(_checkpoint(key, first // BATCH + 1, first + BATCH - 1, before))
        Head.objects.all().delete()
        Head.objects.create(pk=Head.ROW, sequence=ROWS, hash=before)
    guards.install()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return made


def _checkpoint(key: SigningKey, number: int, sequence: int, link: str) -> Claim:
    at = START + timedelta(seconds=sequence)
    key_id = claims.key_id(key.verify_key)
    claim = claims.signed(Claim(number, canonical.instant(at), sequence, link, key_id), key)
    Checkpoint.objects.create(
        number=number, at=at, sequence=sequence, hash=link, key_id=key_id, signature=claim.signature
    )
    return claim


def _values(first: int, before: str) -> Iterator[tuple[Any, ...]]:
    """Rows in the order of INSERT, each with the hash of the one before."""
    for sequence in range(first, first + BATCH):
        at = START + timedelta(seconds=sequence, microseconds=sequence % 1000)
        said = (
            "instance.shutdown.requested", f'{{"number":{sequence},"reason":"the weekly maintenance of the cluster"}}',
            f"0192f0c1-7b1e-7cc3-9b4e-{sequence:012d}", "ok", "0123456789abcdef", f"vm-{sequence}", "instance",
            f"gpu-{sequence}", sequence % 7, "Research", None,
        )  # fmt: skip
        who = (sequence % 97, "somebody@example.org", "198.51.100.9", AGENT)
        link = canonical.hash_of(1, sequence, before, (*who, canonical.instant(at), *said))
        yield (sequence, 1, *who, connection.ops.adapt_datetimefield_value(at), *said, before, link)
        before = link
