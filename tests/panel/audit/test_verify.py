"""With the guards out of the way: what somebody changed all the same is found, and the first broken row is named."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from panel.audit import canonical, checkpoints, claims, guards
from panel.audit.models import GENESIS, Checkpoint, Entry, Head
from panel.audit.verify import verify
from tests.fixtures import Hands
from tests.panel.audit.cast import tell


def found(capsys: pytest.CaptureFixture[str], *options: str) -> str:
    """What audit_verify says, or "" when all is well."""
    try:
        call_command("audit_verify", *options)
    except CommandError as error:
        return str(error) if error.returncode == 1 else "another exit code"
    return "" if "The record is whole" in capsys.readouterr().out else "nothing said"


@pytest.fixture
def five(db: None) -> list[Entry]:
    """Five rows and, after the test has looked on, no guard that still stands in its way."""
    rows = tell(5)
    guards.lift()
    return rows


def forge(rows: list[Entry]) -> None:
    """Hash the rows anew, so that each fits the one before, and let the head fit the last."""
    before = GENESIS
    for row in rows:
        row.previous_hash = before
        row.hash = before = canonical.hash_of_entry(row)
        row.save()
    Head.objects.update(sequence=rows[-1].sequence, hash=before)


def test_an_untouched_record_is_whole(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert found(capsys) == ""
    tell(5)
    assert found(capsys) == ""


@pytest.mark.parametrize("column", [*canonical.COLUMNS, "version"])
def test_no_column_is_changed_unseen(five: list[Entry], column: str, capsys: pytest.CaptureFixture[str]) -> None:
    value = {"at": "2026-01-01T00:00:00Z", "version": 2}.get(column, 9)
    Entry.objects.filter(sequence=3).update(**{column: value})
    guards.install()
    assert "Row 3 was changed" in found(capsys)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL keeps to the types of columns")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET version = 'one' WHERE sequence = 3",
        "UPDATE audit_entry SET at = 'never' WHERE sequence = 3",
        "UPDATE audit_entry SET code = x'fffe' WHERE sequence = 3",
        "UPDATE audit_entry SET code = CAST(x'fffe' AS TEXT) WHERE sequence = 3",
        "UPDATE audit_entry SET sequence = 'three' WHERE sequence = 3",
    ],
)
def test_what_fits_no_column_is_found_too(
    five: list[Entry], statement: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
    assert re.search("Row 3 was changed|Row 3 is missing|after row 2|cannot be read", found(capsys))


def test_a_deleted_row_is_named(five: list[Entry], capsys: pytest.CaptureFixture[str]) -> None:
    Entry.objects.filter(sequence__in=(3, 4)).delete()
    assert "Row 3 is missing: after row 2 comes row 5." in found(capsys)


def test_swapped_rows_are_named(five: list[Entry], capsys: pytest.CaptureFixture[str]) -> None:
    Entry.objects.filter(sequence=2).update(sequence=99)
    Entry.objects.filter(sequence=4).update(sequence=2)
    Entry.objects.filter(sequence=99).update(sequence=4)
    assert "Row 2 does not follow row 1" in found(capsys)


def test_an_inserted_row_is_named(five: list[Entry], capsys: pytest.CaptureFixture[str]) -> None:
    row = five[0]
    row.sequence = 0
    row.save(force_insert=True)
    assert "Row 0 stands before the first one." in found(capsys)


def test_a_row_added_without_its_head_is_found(five: list[Entry], capsys: pytest.CaptureFixture[str]) -> None:
    row = five[-1]
    row.sequence, row.previous_hash = 6, row.hash
    row.hash = canonical.hash_of_entry(row)
    row.save(force_insert=True)
    assert "The head names row 5, but it is not the last one, 6" in found(capsys)


def test_an_end_that_was_cut_off_does_not_fit_the_head(five: list[Entry], capsys: pytest.CaptureFixture[str]) -> None:
    Entry.objects.filter(sequence=5).delete()
    assert "The head names row 5, but the last one is 4: its end is cut off." in found(capsys)


def test_a_row_behind_the_head_is_found(five: list[Entry], capsys: pytest.CaptureFixture[str]) -> None:
    Head.objects.update(sequence=4, hash=five[3].hash)
    assert "The head names row 4" in found(capsys)


def test_a_head_that_is_gone_is_found(five: list[Entry], capsys: pytest.CaptureFixture[str]) -> None:
    Head.objects.all().delete()
    assert "The head of the record is missing." in found(capsys)


def test_missing_guards_are_found(five: list[Entry], capsys: pytest.CaptureFixture[str]) -> None:
    assert "The guard audit_entry_next is missing from the database." in found(capsys)
    call_command("migrate", verbosity=0)
    assert found(capsys) == ""


def test_a_record_forged_from_some_row_on_does_not_fit_its_checkpoints(
    db: None, clock: Hands, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = tell(5)
    assert checkpoints.checkpoint_if_due(clock())
    guards.lift()
    rows[1].actor_label = "somebody else"
    forge(rows)
    guards.install()
    assert "Row 5 is not the one that checkpoint 1 was made at: the record was replaced." in found(capsys)


def test_forged_checkpoints_lack_the_key_and_the_copies(
    db: None, clock: Hands, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = tell(5)
    assert checkpoints.checkpoint_if_due(clock())
    guards.lift()
    rows[1].actor_label = "somebody else"
    forge(rows)
    Checkpoint.objects.update(hash=rows[-1].hash)
    guards.install()
    words = found(capsys)
    assert "The signature of checkpoint 1 is not by a key that is known." in words
    assert "Checkpoint 1 stands outside the database, and not, or otherwise, inside." in words


def test_a_record_cut_off_with_its_head_and_checkpoints_is_found_from_outside(
    db: None, clock: Hands, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tell(2)
    assert checkpoints.checkpoint_if_due(clock())
    tell(3)
    assert checkpoints.checkpoint_if_due(clock.move(300))
    guards.lift()
    Entry.objects.filter(sequence__gt=2).delete()
    Checkpoint.objects.filter(sequence__gt=2).delete()
    Head.objects.update(sequence=2, hash=kept[-1].hash)
    guards.install()
    words = found(capsys)
    assert "Checkpoint 2 stands outside the database" in words
    assert "Checkpoint 2 was made at row 5, but the record ends with row 2: rows were cut off its end." in words


def test_a_checkpoint_taken_from_the_database_is_found(
    db: None, clock: Hands, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(3):
        assert checkpoints.checkpoint_if_due(clock.move(300))
    guards.lift()
    Checkpoint.objects.filter(number=2).delete()
    assert "Checkpoint 2 is missing from the database." in found(capsys)


def test_copies_that_are_missing_are_said_to_be(
    db: None, clock: Hands, copies: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert checkpoints.checkpoint_if_due(clock())
    copies.unlink()
    assert "The copies of checkpoints cannot be read" in found(capsys)


def test_a_log_of_the_sweeper_proves_as_well_as_the_file(
    db: None, clock: Hands, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tell(2)
    capsys.readouterr()
    assert checkpoints.checkpoint_if_due(clock())
    log = tmp_path / "sweeper.log"
    log.write_text(f"sweeper-1  | something else\nsweeper-1  | {capsys.readouterr().out}sweeper-1  | more\n")
    public = tmp_path / "public"
    public.write_text(f"{claims.new_keys()[1]}\n{settings.RECORD_PUBLIC_KEY}\n")
    assert found(capsys, "--checkpoints", str(log), "--public-key", str(public)) == ""
    public.write_text(claims.new_keys()[1])
    assert "not by a key that is known" in found(capsys, "--checkpoints", str(log), "--public-key", str(public))


@pytest.mark.parametrize("rows", [1, 2, 4, 5])
def test_it_walks_over_pages(db: None, rows: int) -> None:
    tell(rows)
    report = verify({}, None, page=2)
    assert (report.rows, report.faults) == (rows, [])
