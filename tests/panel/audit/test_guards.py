"""The database itself refuses whatever is not an append."""

import pytest
from django.core.management import call_command
from django.core.management.sql import emit_pre_migrate_signal
from django.db import IntegrityError, connection, models, transaction
from django.db.migrations import Migration

from panel.audit import checkpoints, guards
from panel.audit.models import Checkpoint, Entry, Head
from tests.fixtures import Hands
from tests.panel.audit.cast import say, tell

HEAD_BACK = "UPDATE audit_head SET sequence = 2, hash = (SELECT hash FROM audit_entry WHERE sequence = 2)"
REFUSED = {
    "an edited row": "UPDATE audit_entry SET actor_label = 'somebody else' WHERE sequence = 2",
    "an edited row, by OR REPLACE": "UPDATE audit_entry SET sequence = 3 WHERE sequence = 2",
    "an empty edit": "UPDATE audit_entry SET code = code",
    "a deleted row": "DELETE FROM audit_entry WHERE sequence = 3",
    "all rows deleted": "DELETE FROM audit_entry",
    "a head that goes back": HEAD_BACK,
    "a head ahead of its rows": "UPDATE audit_head SET sequence = 4, hash = 'made up'",
    "a deleted head": "DELETE FROM audit_head",
    "an edited checkpoint": "UPDATE audit_checkpoint SET sequence = 1",
    "a deleted checkpoint": "DELETE FROM audit_checkpoint",
}
COPY = """INSERT INTO audit_entry (sequence, version, at, code, actor_label, session_hash, address, agent, team_label,
  target_kind, target_id, target_label, operation_id, outcome, detail, previous_hash, hash)
SELECT %s, version, at, 'made.up', actor_label, session_hash, address, agent, team_label, target_kind, target_id,
  target_label, operation_id, outcome, detail, %s, 'made up' FROM audit_entry WHERE sequence = 1"""
REPLACE = COPY.replace("INSERT INTO", "INSERT OR REPLACE INTO")


@pytest.fixture
def three(db: None, clock: Hands) -> list[Entry]:
    rows = tell(3)
    assert checkpoints.checkpoint_if_due(clock())
    return rows


def refuses(statement: str, *values: int | str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_append_is_refused(three: list[Entry], what: str) -> None:
    refuses(REFUSED[what])
    assert list(Entry.objects.order_by("sequence").values_list("hash", flat=True)) == [row.hash for row in three]
    assert Head.objects.get().sequence == Checkpoint.objects.get().sequence == 3


@pytest.mark.parametrize("table", ["audit_entry", "audit_head", "audit_checkpoint"])
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no TRUNCATE")
def test_an_emptied_table_is_refused(three: list[Entry], table: str) -> None:
    refuses(
        {"audit_entry": "TRUNCATE audit_entry", "audit_head": "TRUNCATE audit_head"}.get(
            table, "TRUNCATE audit_checkpoint"
        )
    )


@pytest.mark.parametrize("sequence", [0, 1, 3, 5, -1])
def test_only_the_next_row_is_added(three: list[Entry], sequence: int) -> None:
    refuses(COPY, sequence, three[-1].hash)


def test_the_next_row_must_carry_the_hash_of_the_last(three: list[Entry]) -> None:
    refuses(COPY, 4, three[0].hash)


@pytest.mark.parametrize("sequence", [1, 3])
@pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite's own way round a delete trigger")
def test_a_replaced_row_is_refused(three: list[Entry], sequence: int) -> None:
    refuses(REPLACE, sequence, three[-1].hash)
    assert Entry.objects.filter(code="made.up").count() == 0


def test_a_record_that_has_rows_gets_no_second_head(three: list[Entry]) -> None:
    guards.lift()
    Head.objects.all().delete()
    guards.install()
    with pytest.raises(IntegrityError):
        say()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite's temporary tables are named apart")
def test_a_temporary_table_does_not_stand_in_for_the_record(three: list[Entry]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE audit_entry AS SELECT 6::bigint AS sequence, 'made up' AS hash")
    into_the_record = COPY.replace("INTO audit_entry", "INTO public.audit_entry")
    refuses(into_the_record.replace("FROM audit_entry", "FROM public.audit_entry"), 7, "made up")


def test_guards_that_are_missing_or_changed_are_told(three: list[Entry]) -> None:
    assert guards.faults() == []
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DROP TRIGGER audit_entry_next")
            cursor.execute("DROP TRIGGER audit_head_step")
            cursor.execute("CREATE TRIGGER audit_head_step BEFORE UPDATE ON audit_head WHEN 1 = 2 BEGIN SELECT 1; END")
        else:
            cursor.execute("DROP TRIGGER audit_entry_next ON audit_entry")
            cursor.execute("ALTER TABLE audit_head DISABLE TRIGGER audit_head_step")
    assert guards.faults() == [
        "The guard audit_entry_next is missing from the database.",
        "The guard audit_head_step is not as it was written.",
    ]
    guards.install()
    assert guards.faults() == []


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no functions and no rules in the database")
def test_an_emptied_guard_function_and_a_rule_are_told(three: list[Entry]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE OR REPLACE FUNCTION audit_entry_next() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
        )
        cursor.execute("CREATE RULE quiet AS ON INSERT TO audit_entry DO INSTEAD NOTHING")
    assert guards.faults() == [
        "The guard audit_entry_next is not as it was written.",
        "quiet stands on the record's tables and is no guard of ours.",
    ]


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL keeps triggers when a table changes")
def test_the_guards_are_back_after_a_migration_that_rebuilt_the_table(clock: Hands) -> None:
    rows = tell(3)
    plan = [(Migration("0002_of_the_test", "audit"), False)]
    emit_pre_migrate_signal(0, False, "default", plan=plan)
    old, new = Entry._meta.get_field("agent"), models.CharField(max_length=201, blank=True)
    new.set_attributes_from_name("agent")
    with connection.schema_editor() as editor:
        editor.alter_field(Entry, old, new)
    assert "The guard audit_entry_no_update is missing from the database." in guards.faults()
    call_command("migrate", verbosity=0)
    assert guards.faults() == []
    assert say().previous_hash == rows[-1].hash
    refuses(REFUSED["an edited row"])
