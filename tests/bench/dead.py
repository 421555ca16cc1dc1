"""performance.md 16: pages over HTTP while the workers' provider is dead, or takes connections and says nothing.

Each state is an installation of its own (database, Valkey, web process, worker, sweeper), and visits go round among
them, so that the machine's noise hits all alike.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection

from cloud.clock import system_clock
from cloud.models import Account, Refresh
from cloud.seal import seal_key
from panel.local.ports import any_free
from tests.bench.figures import Figure, Report
from tests.bench.fleets import SYNCED, Fleets
from tests.bench.measure import cpu_s, p95
from tests.bench.programs import programs, running, web
from tests.bench.visits import Browser
from tests.support import valkey
from tests.support.early import DATA

ROUNDS = 400
GAP_S = 0.12  # between the starts of two rounds of four visits
LONG = timedelta(hours=1)


@dataclass
class Installation:
    """One that runs. `own` holds the process ids of its worker and sweeper."""

    url: str
    own: tuple[int, ...]


@contextlib.contextmanager
def installation(fleets: Fleets, name: str, set_up: Callable[[], object], *, works: bool) -> Iterator[Installation]:
    environment = fleets.environment(f"{SYNCED}_{name}")
    set_up()
    connection.close()
    socket_file = DATA / f"{name}.sock"
    environment["REDIS_URL"] = f"unix://{socket_file}"
    with contextlib.ExitStack() as stack:
        stack.enter_context(valkey.running(socket_file, DATA / f"valkey-{name}"))
        url = stack.enter_context(web(environment))
        own = programs(environment)
        children = (own.worker(), own.sweeper()) if works else ()
        yield Installation(url, tuple(stack.enter_context(running(child)).pid for child in children))


@contextlib.contextmanager
def hole() -> Iterator[int]:
    """A port that takes connections and never answers."""
    taken: list[socket.socket] = []

    def take() -> None:
        with contextlib.suppress(OSError):
            while True:
                taken.append(server.accept()[0])

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=take, daemon=True).start()
        try:
            yield server.getsockname()[1]
        finally:
            assert taken, "no worker ever came to the hanging provider"
            server.shutdown(socket.SHUT_RDWR)
            for one in taken:
                one.close()


def _provider_at(port: int) -> Callable[[], object]:
    """All parts of the account are due, at a provider on this port."""

    def set_up() -> None:
        address = f"http://127.0.0.1:{port}/api/v1"
        Account.objects.update(base_url=address, sealed_key=seal_key("a-key-for-benchmarks", address))
        Refresh.objects.update(due_at=system_clock())

    return set_up


def _long_dead() -> None:
    """What is known is an hour old, and is shown as last known."""
    Refresh.objects.update(done_at=system_clock() - LONG)
    Account.objects.update(silent_since=system_clock() - LONG)


def run(fleets: Fleets) -> Report:
    with contextlib.ExitStack() as stack:
        silent = stack.enter_context(hole())
        known: dict[str, Installation] = {}
        for name, set_up, works in (
            ("normal", _nothing_due, True),
            ("dead", _provider_at(any_free()), True),
            ("hanging", _provider_at(silent), True),
            ("long", _long_dead, False),
        ):
            known[name] = stack.enter_context(installation(fleets, name, set_up, works=works))
        taken, shares = _visit(known, fleets.cookie)
        fleets.use(f"{SYNCED}_dead")
        assert Refresh.objects.filter(failures__gt=0).exists(), "the dead provider was never asked"
        connection.close()
    p95s = {name: p95(times) for name, times in taken.items()}
    whats = {
        "dead": "list page over HTTP, provider dead, p95",
        "hanging": "list page over HTTP, provider hanging, p95",
        "long": "list page over HTTP, dead for an hour: all rows as last known, p95",
    }
    return Report(
        [Figure(16, what, p95s[name], "ms", p95s["normal"], most_ratio=1.1) for name, what in whats.items()],
        [
            f"16: {ROUNDS} visits to each of four installations side by side, taking turns; normal has a worker and a "
            "sweeper with nothing due. Worker and sweeper together used "
            + ", ".join(f"{share:.1%} ({name})" for name, share in shares.items())
            + " of one core meanwhile."
        ],
    )


def _nothing_due() -> None:
    """As the fleet was made."""


def _visit(known: dict[str, Installation], cookie: str) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Milliseconds of each visit, and the share of a core that each installation's worker and sweeper used."""
    taken: dict[str, list[float]] = {name: [] for name in known}
    with contextlib.ExitStack() as stack:
        browsers = {name: stack.enter_context(Browser(one.url, cookie)) for name, one in known.items()}
        for browser in [*browsers.values()] * 20:
            browser.visit()
        used = {name: sum(map(cpu_s, one.own)) for name, one in known.items() if one.own}
        begin = time.perf_counter()
        names = [*known]
        for turn in range(ROUNDS):
            time.sleep(max(begin + turn * GAP_S - time.perf_counter(), 0))
            for place in range(len(names)):
                name = names[(turn + place) % len(names)]
                taken[name].append(browsers[name].visit())
        passed = time.perf_counter() - begin
        shares = {name: (sum(map(cpu_s, known[name].own)) - before) / passed for name, before in used.items()}
    return taken, shares
