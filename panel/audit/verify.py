"""Is the record whole? Every link, the head, the guards, the signatures, and the copies outside the database.

What each of them finds: a changed, missing or swapped row breaks the chain; a cut end does not fit the head; a chain
that was forged from some row on does not fit a checkpoint; and who forges checkpoints too lacks the key and the copies.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from nacl.signing import VerifyKey

from panel.audit import guards
from panel.audit.canonical import VERSION, hash_of
from panel.audit.claims import Claim, claim_of, is_signed
from panel.audit.models import GENESIS, Checkpoint

PAGE = 10_000
LAG = 2  # checkpoints that may be on their way to the file
# The hashed columns in the order of canonical.COLUMNS, the time as it is hashed. By the database's own functions: a
# time that somebody made unreadable must be found, not stumble over.
SQLITE = """SELECT sequence, version, previous_hash, hash, actor_id, actor_label, address, agent,
  replace(at, ' ', 'T') || CASE length(at) WHEN 19 THEN '.000000' ELSE '' END || '+00:00', code, detail, operation_id,
  outcome, session_hash, target_id, target_kind, target_label, team_id, team_label, token_id
FROM audit_entry WHERE sequence > %s AND sequence <= %s ORDER BY sequence LIMIT %s"""
POSTGRESQL = """SELECT sequence, version, previous_hash, hash, actor_id, actor_label, address, agent,
  to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'), code, detail, operation_id,
  outcome, session_hash, target_id, target_kind, target_label, team_id, team_label, token_id
FROM public.audit_entry WHERE sequence > %s AND sequence <= %s ORDER BY sequence LIMIT %s"""
# Appends go on meanwhile: one statement sees head and rows of the same moment.
END = """SELECT (SELECT sequence FROM audit_head WHERE id = 1), (SELECT hash FROM audit_head WHERE id = 1),
  (SELECT coalesce(max(sequence), 0) FROM audit_entry)"""


@dataclass
class Report:
    """How much was looked at, and what is wrong, a sentence each: of the chain only its first broken link."""

    rows: int = 0
    checkpoints: int = 0
    copies: int = 0
    last_hash: str = GENESIS
    faults: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        return not self.faults


def verify(keys: Mapping[str, VerifyKey], copies: Sequence[Claim] | None, page: int = PAGE) -> Report:
    """Look at everything. `copies` are the claims from outside the database, None when there are none to be had.

    No transaction and no lock; memory for one page of rows and for all checkpoints.
    """
    report = Report(faults=guards.faults())
    # Before the end is read: a checkpoint that is made meanwhile would speak of later rows.
    stored = [claim_of(row) for row in Checkpoint.objects.order_by("number")]
    report.checkpoints, report.copies = len(stored), len(copies or ())
    report.faults += _numbering(stored)
    report.faults += _signatures({*stored, *(copies or ())}, keys)
    if copies is not None:
        report.faults += _copies(stored, copies)
    _walk(report, {*stored, *(copies or ())}, page)
    return report


def _walk(report: Report, claims: Iterable[Claim], page: int) -> None:
    """Follow the chain to its end or to its first broken link; claims are held against the rows that they name."""
    with connection.cursor() as cursor:
        cursor.execute(END)
        head, head_hash, newest = cursor.fetchone()
    claimed: dict[int, list[Claim]] = {}
    for claim in claims:
        claimed.setdefault(claim.sequence, []).append(claim)
    report.faults += _disagreements(claimed.get(0, ()), GENESIS)
    for sequence, link, fault in _links(newest, page):
        if fault:
            report.faults.append(fault)
            return
        report.rows, report.last_hash = sequence, link
        if sequence in claimed:
            report.faults += _disagreements(claimed[sequence], link)
    report.faults += _end(report, head, head_hash)
    report.faults += [
        f"Checkpoint {claim.number} was made at row {claim.sequence}, but the record ends with row {report.rows}:"
        " rows were cut off its end."
        for claim in _first(claim for claim in claims if claim.sequence > report.rows)
    ]


def _links(newest: int, page: int) -> Iterator[tuple[int, str, str]]:
    """Sequence and hash of each row in order; with a sentence at the first that does not fit, which is the last one."""
    before, before_hash = 0, GENESIS
    for row in rows(newest, page):
        fault = _fault(row, before, before_hash)
        yield row[0], row[3], fault
        if fault:
            return
        before, before_hash = row[0], row[3]


def _fault(row: tuple[Any, ...], before: int, before_hash: str) -> str:
    """Why this row does not follow that one; "" when it does."""
    sequence, version, previous, found, *values = row
    if type(sequence) is not int or type(version) is not int:  # SQLite keeps any type in any column
        return f"What comes after row {before} is no row of the record: its number or its version is none."
    if sequence < 1:
        return f"Row {sequence} stands before the first one."
    if sequence != before + 1:
        return f"Row {before + 1} is missing: after row {before} comes row {sequence}."
    if previous != before_hash:
        return f"Row {sequence} does not follow row {before}: it carries another row's hash."
    if found != hash_of(version, sequence, previous, values):
        return f"Row {sequence} was changed: what it says does not have the hash that it carries."
    return "" if version == VERSION else f"Row {sequence} is of version {version}, which this Tidepool does not know."


def rows(newest: int, size: int) -> Iterator[tuple[Any, ...]]:
    """All rows up to `newest`, page by page: no long transaction, and no copy of the whole at the server."""
    query = SQLITE if connection.vendor == "sqlite" else POSTGRESQL
    last = -(2**62)
    with connection.cursor() as cursor:
        while True:
            cursor.execute(query, [last, newest, size])
            page = cursor.fetchall()
            yield from page
            if len(page) < size:
                return
            last = page[-1][0]


def _end(report: Report, head: int | None, head_hash: str | None) -> list[str]:
    if head is None:
        return ["The head of the record is missing."] if report.rows else []
    if head > report.rows:
        return [f"The head names row {head}, but the last one is {report.rows}: its end is cut off."]
    if (head, head_hash) != (report.rows, report.last_hash):
        return [f"The head names row {head}, but it is not the last one, {report.rows}, or has another hash."]
    return []


def _numbering(stored: Sequence[Claim]) -> list[str]:
    for place, claim in enumerate(stored, start=1):
        if claim.number != place:
            return [f"Checkpoint {place} is missing from the database."]
    return []


def _signatures(claims: Iterable[Claim], keys: Mapping[str, VerifyKey]) -> list[str]:
    if claims and not keys:
        return ["There is no public key to prove the checkpoints with: name its file."]
    wrong = _first(claim for claim in claims if not is_signed(claim, keys))
    return [f"The signature of checkpoint {claim.number} is not by a key that is known." for claim in wrong]


def _copies(stored: Sequence[Claim], copies: Sequence[Claim]) -> list[str]:
    """The newest may not have reached the file when that was read; all others stand in both."""
    known = {claim.number: claim for claim in stored}
    wrong = _first(claim for claim in copies if known.get(claim.number) != claim)
    faults = [
        f"Checkpoint {claim.number} stands outside the database, and not, or otherwise, inside." for claim in wrong
    ]
    newest = max((claim.number for claim in copies), default=0)
    if stored and newest < stored[-1].number - LAG:
        faults.append(f"The copies outside end with checkpoint {newest}, the database with {stored[-1].number}.")
    return faults


def _disagreements(claims: Iterable[Claim], link: str) -> list[str]:
    wrong = _first(claim for claim in claims if claim.hash != link)
    return [
        f"Row {claim.sequence} is not the one that checkpoint {claim.number} was made at: the record was replaced."
        for claim in wrong
    ]


def _first(claims: Iterable[Claim]) -> list[Claim]:
    """The one with the lowest number, if any."""
    return sorted(claims, key=lambda claim: claim.number)[:1]
