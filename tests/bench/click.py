"""performance.md 17: from a click to the request that leaves for the provider, through the real processes."""

import json
import re
import secrets
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
from django.conf import settings

from cloud import knock
from cloud.clock import system_clock
from cloud.models import Account, Instance, Process, Refresh
from cloud.seal import seal_key
from tests.bench.figures import Figure, Report
from tests.bench.fleets import Fleets
from tests.bench.measure import p95
from tests.bench.programs import programs, running, web

CLICKS = 40
GAP_S = 1.1
WARM_UP = 4


class Provider(ThreadingHTTPServer):
    """Takes restarts, notes when each came in, and says at the first look that it is done."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.arrived: dict[str, float] = {}
        self.tasks: list[dict[str, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/api/v1"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Provider

    def do_POST(self) -> None:
        at, machine = time.time(), self.path.split("/")[4]
        self.server.arrived[machine] = at
        stamp = datetime.fromtimestamp(at, UTC).isoformat()
        task = {"task_id": f"t-{machine}", "vm_uuid": machine, "operation": "reboot", "created_at": stamp}
        self.server.tasks.append(task | {"status": "COMPLETED"})
        self._say({"task_id": task["task_id"], "status": "PENDING"})

    def do_GET(self) -> None:
        self._say({"tasks": self.server.tasks} if self.path.startswith("/api/v1/tasks") else {"status": "healthy"})

    def _say(self, body: object) -> None:
        packed = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(packed)))
        self.end_headers()
        self.wfile.write(packed)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def provider() -> Iterator[Provider]:
    server = Provider()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def run(fleets: Fleets) -> Report:
    environment = fleets.environment("100_click")
    with provider() as server, web(environment) as url, running(programs(environment).worker()):
        _point_at(server)
        _wait_for_worker()
        sent, answered = _click(url, fleets.cookie, server)
        trips = [_round_trip() for _ in range(20)]
    return Report(
        [
            Figure(17, "click → request leaves, p95", p95(sent), "ms", most=50),
            Figure(17, "its median, beside a message to a worker and back into the database", statistics.median(sent),
                   "ms", statistics.median(trips)),
            Figure(17, "click → answer to the person, p95", p95(answered), "ms"),
        ],
        [
            f"17: {CLICKS} restarts of different machines, one every {GAP_S:g} s over HTTP, through a web process, the "
            "store and a worker; the provider stands in this process and notes when the request has arrived."
        ],
    )  # fmt: skip


def _point_at(server: Provider) -> None:
    """The account's provider is ours; its parts are not due, so that the house is idle."""
    Account.objects.update(base_url=server.url, sealed_key=seal_key("a-key-for-benchmarks", server.url))
    Instance.objects.update(power=Instance.Power.RUNNING)
    Refresh.objects.update(due_at=system_clock().replace(year=2099))


def _wait_for_worker() -> None:
    deadline = time.monotonic() + 60
    while not Process.objects.filter(kind=Process.Kind.WORKER).exists():
        assert time.monotonic() < deadline, "no worker"
        time.sleep(0.1)
    time.sleep(2)  # its budget begins at the low rate


def _click(url: str, cookie: str, server: Provider) -> tuple[list[float], list[float]]:
    """Milliseconds of each click until the request arrived, and until the person had the answer."""
    sent, answered = [], []
    machines = list(Instance.objects.order_by("pk").values_list("pk", "provider_id")[: CLICKS + WARM_UP])
    with httpx.Client(base_url=url, cookies={settings.SESSION_COOKIE_NAME: cookie}, trust_env=False) as person:
        for number, (pk, provider_id) in enumerate(machines):
            form = {"csrfmiddlewaretoken": _token(person, pk), "key": secrets.token_urlsafe(12)}
            begin = time.time()
            answer = person.post(f"/instances/{pk}/do/reboot/", data=form, headers={"Referer": url})
            took = time.time() - begin
            assert answer.status_code == 302, answer.status_code
            deadline = begin + 20
            while provider_id not in server.arrived:
                assert time.time() < deadline, "the request did not leave"
                time.sleep(0.002)
            if number >= WARM_UP:
                sent.append(1000 * (server.arrived[provider_id] - begin))
                answered.append(1000 * took)
            time.sleep(GAP_S)
    return sent, answered


def _token(person: httpx.Client, pk: int) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', person.get(f"/instances/{pk}/do/reboot/").text)
    assert found, "the form has no token"
    return found[1]


def _round_trip() -> float:
    """Milliseconds until a worker that was told something has written it down."""
    before = Process.objects.filter(kind=Process.Kind.WORKER).latest("seen_at").seen_at
    begin = time.perf_counter()
    assert knock.canary()
    while Process.objects.filter(kind=Process.Kind.WORKER).latest("seen_at").seen_at == before:
        assert time.perf_counter() < begin + 10
        time.sleep(0.001)
    taken = 1000 * (time.perf_counter() - begin)
    time.sleep(0.2)
    return taken
