"""Where an installation keeps its files, derived from TIDEPOOL_DATA alone."""

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

BASE = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Paths:
    """The layout of a data folder. `run` stands elsewhere: a Unix socket's path must stay under 108 bytes."""

    data: Path

    @property
    def database(self) -> Path:
        return self.data / "tidepool.sqlite3"

    @property
    def keys(self) -> Path:
        return self.data / "keys"

    @property
    def mail(self) -> Path:
        return self.data / "mail"

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    @property
    def store(self) -> Path:
        return self.data / "valkey"

    @property
    def run(self) -> Path:
        mark = hashlib.sha256(str(self.data.resolve()).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"tidepool-{os.getuid()}-{mark}"

    @property
    def socket(self) -> Path:
        return self.run / "valkey.sock"


def from_environment() -> Paths:
    return Paths(Path(os.environ.get("TIDEPOOL_DATA") or BASE / ".tidepool").absolute())
