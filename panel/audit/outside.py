"""The copies of checkpoints outside the database: a file with a line each. Lines are only ever added.

A process that was killed may leave half a line. It stays, the next line begins on one of its own, and readers pass
over it: the claim that it was to hold follows whole.
"""

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from panel.audit.claims import Claim, read_line

TAIL_BYTES = 8192


def read(path: Path) -> list[Claim]:
    """All claims of the file, in its order. Raises OSError."""
    with path.open(encoding="utf-8", errors="replace") as file:
        return [claim for claim in map(read_line, file) if claim]


def catch_up(path: Path, newest: int, after: Callable[[int], Sequence[Claim]]) -> list[Claim]:
    """Add what the file lacks up to number `newest`; `after` gives the claims behind a number. Returns what was added.

    Safe for two processes at once. On the disk when it returns. Raises OSError, and Ahead when the file knows more.
    """
    with _locked(path) as file:
        known, is_line_whole = _end_of(file)
        if known > newest:
            raise Ahead(known)
        claims = after(known) if known < newest else []
        if claims:
            text = ("" if is_line_whole else "\n") + "".join(claim.line() for claim in claims)
            _write(file, text.encode())
        return list(claims)


class Ahead(Exception):
    """The file holds checkpoints that the database does not have any more; `number` is its newest."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    file = os.open(path, os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file
    finally:
        os.close(file)


def _end_of(file: int) -> tuple[int, bool]:
    """The number of the file's last whole claim (0 without one), and whether its last line is ended."""
    size = os.fstat(file).st_size
    for length in (min(size, TAIL_BYTES), size):
        tail = os.pread(file, length, size - length)
        claims = [claim for claim in map(read_line, tail.decode(errors="replace").splitlines()) if claim]
        if claims:
            return max(claim.number for claim in claims), tail.endswith(b"\n")
    return 0, size == 0 or tail.endswith(b"\n")


def _write(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]
    os.fsync(file)
