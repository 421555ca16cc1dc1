"""performance.md 19: from exec to the first list page, with 10,000 machines in place."""

import http.client
import statistics
import subprocess
import sys
import time

from django.conf import settings

from panel.local.ports import HOST, any_free
from panel.settings.paths import BASE
from tests.bench.figures import Figure, Report
from tests.bench.fleets import SYNCED, Fleets
from tests.bench.programs import programs, running

ROUNDS = 5
SETUP = (sys.executable, "-c", "import django; django.setup()")


def run(fleets: Fleets) -> Report:
    environment = fleets.environment(SYNCED)
    floors, starts = [], []
    for turn in range(ROUNDS + 1):
        floor, start = _setup(environment), _first_page(environment, fleets.cookie)
        if turn:  # the first compiles what was not compiled
            floors.append(floor)
            starts.append(start)
    note = f"19: median of {ROUNDS} starts; the floor is a process that does `django.setup()` alone."
    figure = Figure(
        19, "web process: exec → first list page", statistics.median(starts), "s", statistics.median(floors), most=1.2
    )
    return Report([figure], [note])


def _setup(environment: dict[str, str]) -> float:
    begin = time.perf_counter()
    subprocess.run(SETUP, cwd=BASE, env=environment | {"DJANGO_SETTINGS_MODULE": "panel.settings"}, check=True)
    return time.perf_counter() - begin


def _first_page(environment: dict[str, str], cookie: str) -> float:
    port = any_free()
    begin = time.perf_counter()
    with running(programs(environment, port).web()):
        while _status(port, cookie) != http.client.OK:
            assert time.perf_counter() - begin < 30, "the web process does not answer"
            time.sleep(0.005)
        return time.perf_counter() - begin


def _status(port: int, cookie: str) -> int:
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    headers = {"Host": f"localhost:{port}", "Cookie": f"{settings.SESSION_COOKIE_NAME}={cookie}"}
    try:
        connection.request("GET", "/instances/", headers=headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    except ConnectionError:
        return 0
    finally:
        connection.close()
