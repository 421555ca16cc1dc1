"""The log of every call that came in, whatever became of it. It is bounded and lives in memory only."""

import uuid
from collections import deque

from msgspec import Struct

KEPT_CALLS = 20_000


class CallEntry(Struct):
    """`status` and `seconds` are None while the call is open; a call that was cut off keeps `status` None.

    `fault` names the kind of fault that was played on it; `name` is what a launch asks to be called.
    """

    seq: int
    at: float
    method: str
    path: str
    query: str
    endpoint: str
    user_agent: str
    request_id: str
    status: int | None = None
    seconds: float | None = None
    fault: str | None = None
    name: str = ""


class Journal:
    """Numbered from 1; numbers go on when old entries fall out. `id` tells one log from that of the next process."""

    def __init__(self) -> None:
        self.id = uuid.uuid4().hex
        self.entries: deque[CallEntry] = deque(maxlen=KEPT_CALLS)
        self.count = 0

    def open(self, entry: CallEntry) -> CallEntry:
        """Take the entry in under the next number."""
        self.count += 1
        entry.seq = self.count
        self.entries.append(entry)
        return entry

    def since(self, seq: int, limit: int) -> list[CallEntry]:
        """Entries after `seq`, oldest first."""
        first = self.entries[0].seq if self.entries else 1
        skip = max(0, seq - first + 1)
        return [self.entries[at] for at in range(skip, min(len(self.entries), skip + limit))]
