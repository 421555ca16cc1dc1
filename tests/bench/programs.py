"""The panel's own processes on a fleet, as `script/up` starts them, each ended as a group with its block."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace

from panel.local.children import Program
from panel.local.options import Options
from panel.local.ports import any_free, status_of
from panel.local.programs import Programs
from panel.settings.paths import BASE, Paths
from tests.support.early import DATA

END_S = 5.0


def programs(environment: Mapping[str, str], port: int = 0) -> Programs:
    return Programs(Options(port or any_free(), Paths(DATA), machines=0, speed=1, api_key=""), environment)


@contextlib.contextmanager
def running(program: Program) -> Iterator["subprocess.Popen[bytes]"]:
    """The started program, to be written to and read from; its errors are shown when it failed."""
    log = DATA / f"bench-{program.name}.log"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            program.command,
            cwd=BASE,
            env=program.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
    try:
        yield process
        assert process.poll() is None, f"{program.name} ended:\n{log.read_text()}"
    finally:
        _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(END_S)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe:
            pipe.close()


@contextlib.contextmanager
def web(environment: Mapping[str, str], application: str = "") -> Iterator[str]:
    """A web process that answers; yields its address. With `application` it serves that one instead of the panel."""
    port = any_free()
    program = programs(environment, port).web()
    if application:
        words = tuple(application if word == "panel.asgi:application" else word for word in program.command)
        program = replace(program, command=words)
    with running(program):
        deadline = time.monotonic() + 30
        while not status_of(port, "/healthz"):
            assert time.monotonic() < deadline, "the web process does not answer"
            time.sleep(0.05)
        yield f"http://localhost:{port}"
