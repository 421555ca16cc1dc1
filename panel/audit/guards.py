"""The database itself keeps the record append-only: no update, no delete, no truncate, only the next row is added.

Installed after every `migrate`: on SQLite a migration that rebuilds a table drops its triggers without a word.
`faults` says whether they stand as written here.
"""

from collections.abc import Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, transaction

from panel.audit import guards_postgresql as postgresql
from panel.audit import guards_sqlite as sqlite
from panel.audit.models import Entry


def faults() -> list[str]:
    """What is wrong with the guards, a sentence each; empty when all stand as written. One query."""
    written, found = _written(), _found()
    said = [f"The guard {name} is missing from the database." for name in written.keys() - found.keys()]
    said += [
        f"The guard {name} is not as it was written."
        for name in written.keys() & found.keys()
        if found[name] != written[name]
    ]
    said += [f"{name} stands on the record's tables and is no guard of ours." for name in found.keys() - written.keys()]
    return sorted(said)


def install() -> None:
    """Put up what is missing or changed."""
    if faults():
        _run([*_drops(), *_creates()])


def lift() -> None:
    """Take all guards away. For migrations of the record's own tables, and for tests that empty the database."""
    _run(_drops())


def before_migrations(*, plan: Sequence[tuple[Any, bool]], using: str, **_signal: Any) -> None:
    """SQLite refuses to rename a rebuilt table while a trigger of another one names it."""
    is_ours = any(migration.app_label == "audit" for migration, _is_backwards in plan)
    if using == DEFAULT_DB_ALIAS and connection.vendor == "sqlite" and is_ours:
        lift()


def after_migrations(*, using: str, **_signal: Any) -> None:
    if using == DEFAULT_DB_ALIAS and Entry._meta.db_table in connection.introspection.table_names():
        install()


def _run(statements: Sequence[str]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _drops() -> Sequence[str]:
    return sqlite.DROPS if connection.vendor == "sqlite" else postgresql.DROPS


def _creates() -> Sequence[str]:
    if connection.vendor == "sqlite":
        return sqlite.TRIGGERS
    return [*postgresql.FUNCTIONS.values(), *postgresql.TRIGGERS]


def _written() -> dict[str, tuple[Any, ...]]:
    if connection.vendor == "sqlite":
        return dict(map(sqlite.shape_of, sqlite.TRIGGERS))
    return dict(map(postgresql.shape_of, postgresql.TRIGGERS))


def _found() -> dict[str, tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sqlite.FOUND if connection.vendor == "sqlite" else postgresql.FOUND)
        return {name: tuple(rest) for name, *rest in cursor.fetchall()}
