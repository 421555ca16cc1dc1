"""What a row's hash covers, byte for byte: the same from SQLite, from PostgreSQL and from an exported line.

    hash = SHA-256( version LF sequence LF previous hash LF body ), in hex
    body = JSON of all other columns: names sorted, no blanks, UTF-8, times in UTC as 2026-11-23T14:00:00.000000+00:00

The body is what `json.dumps(…, sort_keys=True, separators=(",", ":"), ensure_ascii=False)` gives as well, so that
anybody can check a row without this code. `detail` is a text column and stands in the body as that text.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from panel.audit.models import Entry

VERSION = 1


class Body(msgspec.Struct):
    """The hashed columns in the order in which they are written: by name."""

    actor_id: int | None
    actor_label: str
    address: str
    agent: str
    at: str
    code: str
    detail: str
    operation_id: str
    outcome: str
    session_hash: str
    target_id: str
    target_kind: str
    target_label: str
    team_id: int | None
    team_label: str
    token_id: int | None


COLUMNS = Body.__struct_fields__
_encode = msgspec.json.Encoder().encode


def instant(at: datetime) -> str:
    """A time as it is hashed. The database's own form differs by vendor, and by whether there are microseconds."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def hash_of(version: int, sequence: int, previous_hash: str, values: Sequence[Any]) -> str:
    """The hash of a row whose COLUMNS hold `values`, `at` among them as text (`instant`)."""
    head = b"%d\n%d\n%s\n" % (version, sequence, previous_hash.encode())
    return hashlib.sha256(head + _encode(Body(*values))).hexdigest()


def hash_of_entry(entry: Entry) -> str:
    values = [instant(entry.at) if name == "at" else getattr(entry, name) for name in COLUMNS]
    return hash_of(entry.version, entry.sequence, entry.previous_hash, values)
