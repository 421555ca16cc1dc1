"""performance.md 16: pages over HTTP while the workers' provider is dead, or takes connections and says nothing."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

from django.db import connection

from cloud.clock import system_clock
from cloud.models import Account, Refresh
from cloud.store import store
from panel.local.ports import any_free
from tests.bench.busy import block_p95
from tests.bench.figures import Figure, Report
from tests.bench.fleets import SYNCED, Fleets, calm
from tests.bench.programs import programs, running, web
from tests.bench.visits import paced

ROUNDS = 5
VISITS = 120
LONG = timedelta(hours=1)


class Hole:
    """A listening socket that takes connections and never answers."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.socket.getsockname()[1]
        self.taken = 0
        self._open: list[socket.socket] = []
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._open.append(self.socket.accept()[0])
                self.taken += 1

    def hang_up(self) -> None:
        while self._open:
            self._open.pop().close()

    def close(self) -> None:
        self.hang_up()
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


@contextlib.contextmanager
def hole() -> Iterator[Hole]:
    made = Hole()
    try:
        yield made
    finally:
        made.close()


class Provider:
    """The account's provider as the workers meet it; each method returns when the workers are in that state."""

    def __init__(self, silent: Hole) -> None:
        self.silent, self.closed_port = silent, any_free()

    def normal(self) -> None:
        """Nothing is due: the workers rest."""
        self._rest()

    def dead(self) -> None:
        self._rest()
        self._turn_to(self.closed_port)
        _until(lambda: Refresh.objects.filter(failures__gt=0).exists())

    def hanging(self) -> None:
        self._rest()
        before = self.silent.taken
        self._turn_to(self.silent.port)
        _until(lambda: self.silent.taken > before)

    def dead_for_long(self) -> None:
        """What is shown is an hour old, and is shown as last known."""
        self.dead()
        Refresh.objects.update(done_at=system_clock() - LONG)
        Account.objects.update(silent_since=system_clock() - LONG)

    def _turn_to(self, port: int) -> None:
        for key in store().scan_iter("tidepool:breaker:*"):
            store().delete(key)  # else the breaker of the block before spares this provider its calls
        Account.objects.update(base_url=f"http://127.0.0.1:{port}/api/v1")
        Refresh.objects.update(due_at=system_clock())

    def _rest(self) -> None:
        Refresh.objects.update(due_at=system_clock() + LONG)
        _until(self._is_at_rest)
        calm()

    def _is_at_rest(self) -> bool:
        self.silent.hang_up()  # again and again: calls that waited for the budget still arrive
        return not Refresh.objects.exclude(leased_until=None).exists()


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 45
    while not condition():
        assert time.monotonic() < deadline, "the workers do not come into the wanted state"
        time.sleep(0.05)


def run(fleets: Fleets) -> Report:
    environment = fleets.environment(SYNCED)
    own = programs(environment)
    with hole() as silent, web(environment) as url, running(own.worker()), running(own.sweeper()):
        provider = Provider(silent)
        states = (provider.normal, provider.dead, provider.hanging, provider.dead_for_long)
        blocks: dict[str, list[list[float]]] = {state.__name__: [] for state in states}
        paced(url, fleets.cookie, VISITS)
        for turn in range(ROUNDS):
            for state in states if turn % 2 else states[::-1]:
                state()
                blocks[state.__name__].append(paced(url, fleets.cookie, VISITS))
        provider.normal()
    connection.close()
    p95s = {name: block_p95(found) for name, found in blocks.items()}
    whats = {
        "dead": "list page over HTTP, provider dead, p95",
        "hanging": "list page over HTTP, provider hanging, p95",
        "dead_for_long": "list page over HTTP, dead for an hour (rows as last known), p95",
    }
    normal = p95s["normal"]
    return Report(
        [Figure(16, what, p95s[name], "ms", normal, most_ratio=1.1) for name, what in whats.items()],
        [
            f"16: {ROUNDS} blocks of {VISITS} visits in each state, with a worker and a sweeper running; normal is "
            "with nothing due. The breaker is closed anew before each block. p95 is the median of the blocks' p95."
        ],
    )
