"""What stands in the database, read by plain SQL beside the panel: rows, events, attempts, the record; locks on it."""

import hashlib
import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, TypeVar

import psycopg

ENDS = frozenset({"succeeded", "failed", "not_done", "cancelled", "expired"})
GENESIS = "0" * 64
# What of a row of the record its hash covers, besides version, sequence and the hash before.
BODY = (
    "actor_id", "actor_label", "address", "agent", "at", "code", "detail", "operation_id", "outcome", "session_hash",
    "target_id", "target_kind", "target_label", "team_id", "team_label", "token_id",
)  # fmt: skip


@dataclass(frozen=True)
class Operation:
    """A row of the table of operations; times in seconds since 1970."""

    id: str
    client_key: str
    kind: str
    team_id: int
    target_id: int | None
    provider_id: str
    is_exclusive: bool
    params: dict[str, Any]
    precondition: dict[str, Any]
    state: str
    fence: int
    lease_owner: str
    leased_until: float | None
    next_check_at: float | None
    attempts: int
    tries: int
    task_id: str
    evidence: dict[str, Any]
    outcome: str
    created_at: float
    changed_at: float
    queued_at: float | None
    sent_at: float | None
    deadline_at: float | None
    ended_at: float | None
    is_put_aside: bool

    @property
    def is_over(self) -> bool:
        return self.state in ENDS

    @property
    def owner_pid(self) -> int | None:
        """Of the process that has it now."""
        parts = self.lease_owner.rsplit(":", 2)
        return int(parts[1]) if len(parts) == 3 else None


@dataclass(frozen=True)
class Event:
    operation_id: str
    fence: int
    at: float
    before: str
    after: str
    by: str
    words: str


@dataclass(frozen=True)
class Attempt:
    operation_id: str
    fence: int
    sender: str
    marked_at: float
    ended_at: float | None
    result: str
    status: int | None
    body: str


@dataclass(frozen=True)
class Machine:
    id: int
    provider_id: str
    name: str
    power: str
    gone_at: float | None
    attention: int
    operation_state: str
    team_id: int
    is_awaited: bool


R = TypeVar("R", Operation, Event, Attempt, Machine)
TABLES: dict[type[Any], tuple[str, str]] = {
    Operation: ("operations_operation", "id"),
    Event: ("operations_operationevent", "id"),
    Attempt: ("operations_attempt", "id"),
    Machine: ("cloud_instance", "id"),
}


class Book:
    """Reads the database at this URL. Threads may share it."""

    def __init__(self, url: str) -> None:
        self.url, self.is_sqlite = url, url.startswith("sqlite")
        self._lock = threading.Lock()
        self._idle: list[Any] = []  # connections that nobody reads by now

    def close(self) -> None:
        with self._lock:
            for connection in self._idle:
                connection.close()
            self._idle.clear()

    def operations(self, where: str = "1 = 1", *values: Any) -> list[Operation]:
        return self._read(Operation, where, values)

    def operation(self, client_key: str) -> Operation | None:
        return next(iter(self.operations("client_key = ?", client_key)), None)

    def events(self, operation_id: str) -> list[Event]:
        return self._read(Event, "operation_id = ?", (operation_id,))

    def attempts(self, operation_id: str) -> list[Attempt]:
        return self._read(Attempt, "operation_id = ?", (operation_id,))

    def machines(self, where: str = "1 = 1", *values: Any) -> list[Machine]:
        return self._read(Machine, where, values)

    def processes(self) -> dict[str, float]:
        """Labels of workers and sweepers, with their last sign of life."""
        return {
            row["label"]: _time(row["seen_at"]) or 0.0 for row in self.rows("SELECT label, seen_at FROM cloud_process")
        }

    def record_of(self, operation_id: str) -> list[str]:
        """The codes that the record has of an operation, in their order."""
        sql = "SELECT code FROM audit_entry WHERE operation_id = ? ORDER BY sequence"
        return [row["code"] for row in self.rows(sql, operation_id)]

    def launches(self, *names: str) -> list[Operation]:
        """The launches of machines with these names."""
        rows = self.operations("kind IN ('launch', 'launch_custom')")
        return [row for row in rows if row.params.get("name") in names]

    def launches_done(self, before: float) -> list[Operation]:
        rows = self.operations("kind IN ('launch', 'launch_custom') AND state = 'succeeded'")
        return [row for row in rows if (row.ended_at or before) < before]

    def team(self, name: str, email: str) -> int:
        """The id of the team with this name, made when there is none, with this person as its owner."""
        known = self.rows("SELECT id FROM teams_team WHERE name = ?", name)
        if known:
            return int(known[0]["id"])
        now = datetime.now(UTC)
        person = self.rows("SELECT id FROM people_user WHERE email = ?", email)[0]["id"]
        at = str(now.replace(tzinfo=None)) if self.is_sqlite else now
        team = self._insert("teams_team", name=name, created_at=at, approval_kinds="[]")
        self._insert("teams_membership", team_id=team, user_id=person, role="owner")
        return team

    def _insert(self, table: str, **values: Any) -> int:
        marks = ", ".join("?" if self.is_sqlite else "%s" for _ in values)
        sql = f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks}) RETURNING id"  # noqa: S608
        with closing(sqlite3.connect(self._path, timeout=20) if self.is_sqlite else self._connect()) as connection:
            found = connection.execute(sql, tuple(values.values())).fetchone()
            connection.commit()
        return int(found[0]) if found else 0

    def rows(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        """Plain rows by column. `?` stands for a value."""
        with self._lock:
            known = self._idle.pop() if self._idle else None
        try:
            return self._rows(known or self._reading(), sql, values)
        except psycopg.OperationalError:  # the server was killed under this connection
            return self._rows(self._reading(), sql, values)

    def _rows(self, connection: Any, sql: str, values: Sequence[Any]) -> list[dict[str, Any]]:
        """Read, and leave the connection to the next; one that failed is closed."""
        try:
            cursor = connection.execute(sql if self.is_sqlite else sql.replace("?", "%s"), values)
            names = [column[0] for column in cursor.description]
            found = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        except (psycopg.Error, sqlite3.Error):
            connection.close()
            raise
        with self._lock:
            self._idle.append(connection)
        return found

    def snapshot(self, operation_id: str) -> str:
        """The whole row as text, to see whether it ever changes again."""
        return str(self.rows("SELECT * FROM operations_operation WHERE id = ?", operation_id))

    def broken_links(self) -> list[str]:
        """What is wrong with the record's chain, computed here from its documented form alone."""
        found, last, hash_before = [], 0, GENESIS
        for row in self.rows("SELECT * FROM audit_entry ORDER BY sequence"):
            if row["sequence"] != last + 1 or row["previous_hash"] != hash_before:
                found.append(f"after {last} comes {row['sequence']}")
            if hash_of(row) != row["hash"]:
                found.append(f"the hash of {row['sequence']} is wrong")
            last, hash_before = row["sequence"], row["hash"]
        head = self.rows("SELECT sequence, hash FROM audit_head")
        if head and (head[0]["sequence"], head[0]["hash"]) != (last, hash_before):
            found.append("the head is not the last row")
        return found

    @contextmanager
    def writes_held(self) -> Iterator[None]:
        """Nobody else writes operations meanwhile (SQLite: nobody writes anything)."""
        with self.locked("LOCK TABLE operations_operation, operations_attempt IN EXCLUSIVE MODE"):
            yield

    @contextmanager
    def locked(self, statement: str) -> Iterator[None]:
        """A lock from outside, given back with the block; on SQLite always the one lock of all writers."""
        with closing(
            sqlite3.connect(self._path, timeout=20, isolation_level=None) if self.is_sqlite else self._connect()
        ) as held:
            if isinstance(held, sqlite3.Connection):
                held.execute("BEGIN IMMEDIATE")
            else:
                held.autocommit = False
                held.execute(statement.encode())
            try:
                yield
            finally:
                held.rollback()

    @property
    def _path(self) -> str:
        return self.url.removeprefix("sqlite:///")

    def _read(self, kind: type[R], where: str, values: Sequence[Any]) -> list[R]:
        table, order = TABLES[kind]
        names = [field.name for field in fields(kind)]
        found = self.rows(f"SELECT {', '.join(names)} FROM {table} WHERE {where} ORDER BY {order}", *values)  # noqa: S608
        return [kind(**{name: _read_as(name, row[name]) for name in names}) for row in found]

    def _reading(self) -> Any:
        if not self.is_sqlite:
            return self._connect()
        address = f"file:{self._path}?mode=ro"
        return sqlite3.connect(address, uri=True, timeout=20, isolation_level=None, check_same_thread=False)

    def _connect(self) -> "psycopg.Connection[Any]":
        return psycopg.connect(self.url, autocommit=True)


def hash_of(row: dict[str, Any]) -> str:
    """SHA-256( version LF sequence LF previous hash LF body ), body being JSON with sorted names and no blanks."""
    body = {name: row[name] for name in BODY}
    at = row["at"] if isinstance(row["at"], datetime) else _stamp(row["at"])
    body["at"] = at.astimezone(UTC).isoformat(timespec="microseconds")
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    head = f"{row['version']}\n{row['sequence']}\n{row['previous_hash']}\n"
    return hashlib.sha256((head + text).encode()).hexdigest()


def _read_as(name: str, value: Any) -> Any:
    if name.endswith(("_at", "_until")) or name == "at":
        return _time(value)
    if name in {"params", "evidence", "precondition"} and isinstance(value, str):
        return json.loads(value)
    return bool(value) if name.startswith("is_") else value


def _time(value: Any) -> float | None:
    if value is None:
        return None
    return (value if isinstance(value, datetime) else _stamp(value)).timestamp()


def _stamp(text: str) -> datetime:
    """SQLite keeps times as text, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
