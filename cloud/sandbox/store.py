"""The file: one SQLite database in WAL mode. What `save` returned from survives a kill at any time."""

import sqlite3
from collections.abc import Iterable, Iterator

import msgspec

from cloud.sandbox.state import Commit

Change = tuple[str, str, bytes | None]  # kind, id, the encoded thing or None to forget it

SCHEMA = """
CREATE TABLE IF NOT EXISTS thing (kind TEXT, id TEXT, body BLOB NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS commits (seq INTEGER PRIMARY KEY, body BLOB NOT NULL);
"""


class Store:
    """Things by kind and id, and the commit log. `path` may be `:memory:`."""

    def __init__(self, path: str) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        # One process owns the file: a second one on the same file fails instead of mixing two worlds.
        self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(SCHEMA)

    def load(self, kind: str) -> Iterator[bytes]:
        """Every thing of a kind, in the order of its ids."""
        for (body,) in self._db.execute("SELECT body FROM thing WHERE kind = ? ORDER BY id", (kind,)):
            yield body

    def save(self, changes: Iterable[Change], commit: Commit | None = None) -> None:
        """Write the changes and the log entry, all or nothing, on disk before this returns."""
        puts: list[tuple[str, str, bytes]] = []
        drops: list[tuple[str, str]] = []
        for kind, key, body in changes:
            if body is None:
                drops.append((kind, key))
            else:
                puts.append((kind, key, body))
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.executemany("INSERT OR REPLACE INTO thing VALUES (?, ?, ?)", puts)
            self._db.executemany("DELETE FROM thing WHERE kind = ? AND id = ?", drops)
            if commit is not None:
                self._db.execute("INSERT INTO commits VALUES (?, ?)", (commit.seq, msgspec.json.encode(commit)))
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise

    def last_seq(self) -> int:
        """The number of the newest log entry, 0 when there is none."""
        (seq,) = self._db.execute("SELECT COALESCE(MAX(seq), 0) FROM commits").fetchone()
        return int(seq)

    def commits(self, since: int, limit: int) -> list[Commit]:
        """Entries after `since`, oldest first."""
        rows = self._db.execute("SELECT body FROM commits WHERE seq > ? ORDER BY seq LIMIT ?", (since, limit))
        return [msgspec.json.decode(body, type=Commit) for (body,) in rows]

    def clear(self) -> None:
        """Forget everything, the log as well."""
        self._db.executescript("BEGIN; DELETE FROM thing; DELETE FROM commits; COMMIT;")

    def close(self) -> None:
        self._db.close()
