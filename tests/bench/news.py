"""performance.md 12: from the provider's answer to the changed row in open pages, through a real web process."""

import json
import statistics
import sys
import time
from urllib.parse import urlsplit

import httpx
from django.conf import settings
from django.test import Client

from cloud import connect, refresh
from cloud.clock import system_clock
from cloud.models import Account, Refresh
from cloud.transport import open_http
from panel.local.children import Program
from tests.bench.figures import Figure, Report
from tests.bench.fleets import Fleets, listing
from tests.bench.measure import p95
from tests.bench.programs import running, web
from tests.support.provider import streamed

ROUNDS = {1: 30, 1000: 15}
PAGES_A_SESSION = 40  # as many as one session may have open
MOST_MS = {1: 60.0, 1000: 250.0}
MACHINES = 100


class Provider:
    """Lists its machines, of which one has changed each time, and notes when its answer was complete."""

    def __init__(self) -> None:
        self.rows = listing(MACHINES)
        self.at = 0.0

    def answer(self, _request: httpx.Request) -> httpx.Response:
        row = self.rows[0]
        row["power_status"] = "stopped" if row["power_status"] == "running" else "running"
        answer = streamed(200, json.dumps(self.rows).encode())
        self.at = time.time()
        return answer


def run(fleets: Fleets) -> Report:
    environment = fleets.environment("100_news")
    account = Account.objects.get()
    provider = Provider()
    connect.lend(account.pk, open_http(httpx.MockTransport(provider.answer)))
    _read(account)  # the rows of the fleet become those of the list
    figures = []
    try:
        with web(environment) as url:
            for pages in ROUNDS:
                taken = _rounds(fleets, environment, url, account, provider, pages)
                words = f"provider's answer → the row in {pages:,} open page{'s' if pages > 1 else ''}"
                figures += [Figure(12, f"{words}, p95", p95(taken), "ms", most=MOST_MS[pages])]
                figures += [Figure(12, "its median", statistics.median(taken), "ms")]
    finally:
        connect.forget()
    return Report(
        figures,
        [
            f"12: a reading of {MACHINES} machines of which one has changed: read, compared, written, told, drawn, "
            f"sent. p95 over all pages and {ROUNDS[1]} and {ROUNDS[1000]} rounds. One process on the same machine "
            "reads all pages; its own work counts too."
        ],
    )


def _read(account: Account) -> None:
    part = Refresh.objects.get(account=account, part=Refresh.Part.INSTANCES)
    Refresh.objects.filter(pk=part.pk).update(due_at=system_clock(), leased_until=None)
    assert refresh.run(part.pk, system_clock)


def _rounds(
    fleets: Fleets, environment: dict[str, str], url: str, account: Account, provider: Provider, pages: int
) -> list[float]:
    cookies = ",".join(_cookies(fleets, -(-pages // PAGES_A_SESSION)))
    command = (sys.executable, "-m", "tests.bench.watching", str(urlsplit(url).port), cookies, str(pages))
    taken: list[float] = []
    with running(Program("watching", command, environment)) as watching:
        assert watching.stdin
        assert watching.stdout
        assert watching.stdout.readline() == b"open\n"
        for _ in range(ROUNDS[pages]):
            watching.stdin.write(b"\n")
            watching.stdin.flush()
            assert watching.stdout.readline() == b"ready\n"
            _read(account)
            taken += [1000 * (at - provider.at) for at in json.loads(watching.stdout.readline())]
            time.sleep(0.3)
    return taken


def _cookies(fleets: Fleets, sessions: int) -> list[str]:
    made = []
    for _ in range(sessions):
        client = Client()
        client.force_login(fleets.owner())
        name = settings.SESSION_COOKIE_NAME
        made.append(f"{name}={client.cookies[name].value}")
    return made
