from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from nacl.signing import VerifyKey

from panel.audit import claims, outside
from panel.audit.claims import Claim
from panel.audit.models import Checkpoint
from panel.audit.verify import verify


class Command(BaseCommand):
    help = "Checks that nobody changed the record: every link, its guards, and the signed checkpoints outside it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--checkpoints", metavar="FILE", help="copies of checkpoints; a log of the sweeper will do")
        parser.add_argument("--public-key", metavar="FILE", help="public keys that prove them, one a line")

    def handle(self, *, checkpoints: str | None, public_key: str | None, **options: Any) -> None:
        try:
            report = verify(_keys(public_key), _copies(checkpoints))
        except DatabaseError as error:
            raise CommandError(f"The record cannot be read: {error}", returncode=1) from None
        if not report.is_whole:
            raise CommandError("The record is BROKEN.\n" + "\n".join(report.faults), returncode=1)
        self.stdout.write(
            f"The record is whole: {report.rows} rows, {report.checkpoints} checkpoints, {report.copies} copies of"
            f" them. The last row's hash is {report.last_hash}."
        )


def _keys(file: str | None) -> dict[str, VerifyKey]:
    try:
        return claims.public_keys(Path(file).read_text() if file else settings.RECORD_PUBLIC_KEY)
    except (OSError, ValueError) as error:
        raise CommandError(f"The public key cannot be read: {error}") from None


def _copies(file: str | None) -> list[Claim] | None:
    """None where there are none yet: neither a checkpoint nor a file."""
    path = Path(file or settings.CHECKPOINT_FILE)
    try:
        return outside.read(path)
    except OSError as error:
        if not file and not Checkpoint.objects.exists():
            return None
        raise CommandError(
            f"The copies of checkpoints cannot be read from {path}: {error.strerror}. Name them with --checkpoints."
        ) from None
