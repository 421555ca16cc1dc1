from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, transaction

from panel.audit import export, record
from panel.teams.policy import Actor

FORMATS = {"jsonl": export.json_lines, "csv": export.csv_lines}


class Command(BaseCommand):
    help = "Writes the record out, a line a row. That it was is on the record, as its last row."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--format", choices=FORMATS, default="jsonl")
        parser.add_argument("--since", type=int, default=1, metavar="SEQ", help="the first row's number (default: 1)")
        parser.add_argument("--output", metavar="FILE", help="default: standard output")

    def handle(self, *, format: str, since: int, output: str | None, **options: Any) -> None:  # noqa: A002 -- the option
        self._tell(format, since)
        lines = FORMATS[format](export.since(since))
        if output:
            _write(Path(output), lines)
        else:
            for line in lines:
                self.stdout.write(line, ending="")

    def _tell(self, form: str, since: int) -> None:
        """A record that somebody broke can still be read."""
        try:
            with transaction.atomic():
                record.append("record.exported", actor=Actor(label="terminal"), detail={"format": form, "since": since})
        except DatabaseError as error:
            self.stderr.write(f"This export is not on the record: {error}")


def _write(path: Path, lines: Iterator[str]) -> None:
    try:
        with path.open("w", newline="") as file:
            file.writelines(lines)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}.") from None
