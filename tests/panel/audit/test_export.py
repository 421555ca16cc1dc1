"""The record as lines: all of it, and nothing that a spreadsheet runs."""

import csv
import hashlib
import io
import json
from pathlib import Path

import pytest
from django.core.management import call_command

from panel.audit import export
from tests.panel.audit.cast import say, tell


def test_each_line_can_be_checked_by_itself(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    rows = tell(3)
    call_command("audit_export")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["hash"] for line in lines[:3]] == [row.hash for row in rows]
    for line in lines:
        head = f"{line.pop('version')}\n{line.pop('sequence')}\n{line.pop('previous_hash')}\n"
        said = line.pop("hash")
        body = json.dumps(line, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert hashlib.sha256((head + body).encode()).hexdigest() == said


def test_the_export_is_on_the_record_too(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("audit_export")
    (line,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (line["code"], line["actor_label"]) == ("record.exported", "terminal")


def test_it_begins_where_it_is_told_and_goes_into_a_file(db: None, tmp_path: Path) -> None:
    tell(5)
    file = tmp_path / "record.csv"
    call_command("audit_export", "--format", "csv", "--since", "4", "--output", str(file))
    rows = list(csv.DictReader(io.StringIO(file.read_text())))
    assert [row["sequence"] for row in rows] == ["4", "5", "6"]
    assert rows[0]["target_id"] == "vm-4"


@pytest.mark.parametrize("name", ["=HYPERLINK()", "+1", "-1", "@SUM(A1)", "\t=1", "＝1"])
def test_no_cell_is_a_formula(db: None, name: str) -> None:
    say(target_label=name)
    (row,) = csv.DictReader(io.StringIO("".join(export.csv_lines(export.since(1)))))
    assert row["target_label"] == f"'{name}"


@pytest.mark.parametrize("rows", [0, 1, 2, 4, 5])
def test_it_goes_over_pages(db: None, rows: int) -> None:
    tell(rows)
    assert len(list(export.json_lines(export.since(1), page=2))) == rows
