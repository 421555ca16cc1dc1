"""The deadline, the cap, and "was it sent", over real sockets. Figures are scaled: 0.4 s stand for 45."""

import socket
import ssl
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from cloud.client import Client
from cloud.endpoints import BODY_CAP
from cloud.errors import NoAnswer, NotSent, NotSentReason, Unclear, UnclearReason
from cloud.transport import VERSION, Timeouts, Transport, open_http
from tests.cloud.client.conftest import plenty, raw_server

TIMEOUTS = Timeouts(connect_s=0.3, write_s=0.3, read_s=0.3, pool_s=0.3, total_s=0.5)
Talk = Callable[[socket.socket], None]


def client_to(port: int, scheme: str = "http", timeouts: Timeouts = TIMEOUTS) -> Client:
    return Client(f"{scheme}://127.0.0.1:{port}/api/v1", "key", timeouts=timeouts, budget=plenty())


def read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (chunk := connection.recv(65536)):
            raise OSError("gone")
        data += chunk
    return data


def reply(body: bytes, headers: str = "") -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


def trickle(connection: socket.socket, data: bytes) -> None:
    for byte in data:
        connection.sendall(bytes([byte]))
        time.sleep(0.05)


def trickle_headers(connection: socket.socket) -> None:
    read_request(connection)
    trickle(connection, b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 200)


def trickle_body(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    trickle(connection, b" " * 200)


def endless_informational(connection: socket.socket) -> None:
    read_request(connection)
    for _ in range(200):
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        time.sleep(0.05)


@pytest.mark.parametrize("talk", [trickle_headers, trickle_body, endless_informational])
def test_a_trickled_answer_ends_with_the_deadline(talk: Talk) -> None:
    with raw_server(talk) as port, client_to(port) as client:
        started = time.monotonic()
        with pytest.raises(Unclear) as caught:
            client.reboot("vm-1")
        assert time.monotonic() - started < 1.0
        assert type(caught.value) is Unclear
        assert caught.value.reason is UnclearReason.DEADLINE


def test_silence_after_a_trickle_gets_only_what_is_left() -> None:
    def trickle_then_silence(connection: socket.socket) -> None:
        read_request(connection)
        trickle(connection, b"HTTP/1.1 200 OK"[:14])  # 0.7 s of the 1.0
        time.sleep(1.5)

    timeouts = Timeouts(read_s=0.9, total_s=1.0)
    with raw_server(trickle_then_silence) as port, client_to(port, timeouts=timeouts) as client:
        started = time.monotonic()
        with pytest.raises(NoAnswer) as caught:
            client.get_task("t")
        assert time.monotonic() - started < 1.3
        assert caught.value.reason is UnclearReason.DEADLINE


def test_silence_is_a_timeout() -> None:
    def silent(connection: socket.socket) -> None:
        read_request(connection)
        connection.recv(1)  # until the other side gives up

    patient = Timeouts(read_s=0.2, total_s=10)
    with raw_server(silent) as port, client_to(port, timeouts=patient) as client, pytest.raises(Unclear) as caught:
        client.reboot("vm-1")
    assert caught.value.reason is UnclearReason.TIMEOUT


def test_a_cut_answer_is_unclear_for_a_write_and_may_be_asked_again_for_a_read() -> None:
    def cut(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")

    with raw_server(cut) as port, client_to(port) as client:
        with pytest.raises(NoAnswer):
            client.get_instance("vm-1")
        with pytest.raises(Unclear) as caught:
            client.reboot("vm-1")
        assert type(caught.value) is Unclear
        assert caught.value.reason is UnclearReason.CUT


def test_fifty_megabytes_stop_at_the_cap() -> None:
    sent = 0

    def flood(connection: socket.socket) -> None:
        nonlocal sent
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(50):
            connection.sendall(b"100000\r\n" + b" " * 0x100000 + b"\r\n")
            sent += 0x100000

    patient = Timeouts(total_s=10)
    with raw_server(flood) as port, client_to(port, timeouts=patient) as client:
        with pytest.raises(Unclear) as caught:
            client.get_task("t")
        assert caught.value.reason is UnclearReason.TOO_LARGE
    assert sent < BODY_CAP + 20 * 1024 * 1024  # what the kernel's buffers held


def test_an_account_wide_list_may_be_larger() -> None:
    rows = b'[{"uuid":"vm-1","name":"' + b"x" * (3 * 1024 * 1024) + b'"}]'

    def large(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(reply(rows))

    with raw_server(large) as port, client_to(port, timeouts=Timeouts(total_s=10)) as client:
        assert client.list_instances().items[0].uuid == "vm-1"
        with pytest.raises(NoAnswer):
            client.get_instance("vm-1")


def test_refused_connection_is_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with client_to(port) as client, pytest.raises(NotSent) as caught:
        client.reboot("vm-1")
    assert caught.value.reason is NotSentReason.CONNECT


def test_failed_look_up_is_not_sent() -> None:
    with Client("https://nothing.invalid/api/v1", "key", budget=plenty()) as client, pytest.raises(NotSent) as caught:
        client.reboot("vm-1")
    assert caught.value.reason is NotSentReason.DNS


def test_failed_tls_is_not_sent() -> None:
    def plain(connection: socket.socket) -> None:
        connection.recv(1024)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with raw_server(plain) as port, client_to(port, "https") as client, pytest.raises(NotSent) as caught:
        client.reboot("vm-1")
    assert caught.value.reason is NotSentReason.TLS


def test_a_silent_handshake_is_not_sent() -> None:
    def silent(connection: socket.socket) -> None:
        time.sleep(0.6)

    with raw_server(silent) as port, client_to(port, "https") as client, pytest.raises(NotSent):
        client.reboot("vm-1")


def test_a_full_pool_is_not_sent(provider_error: Callable[[Exception], Client]) -> None:
    with provider_error(httpx.PoolTimeout("full")) as client, pytest.raises(NotSent) as caught:
        client.reboot("vm-1")
    assert caught.value.reason is NotSentReason.POOL


@pytest.fixture
def provider_error() -> Callable[[Exception], Client]:
    def made(error: Exception) -> Client:
        def fail(request: httpx.Request) -> httpx.Response:
            raise error

        return Client("https://provider.test", "key", transport=httpx.MockTransport(fail), budget=plenty())

    return made


@pytest.mark.parametrize(
    "error",
    [
        httpx.ReadError("x"),
        httpx.WriteError("x"),
        httpx.WriteTimeout("x"),
        httpx.ReadTimeout("x"),
        httpx.RemoteProtocolError("x"),
        httpx.CloseError("x"),
        httpx.DecodingError("x"),
        OSError("x"),
    ],
)
def test_everything_after_the_connection_is_unclear(
    error: Exception, provider_error: Callable[[Exception], Client]
) -> None:
    with provider_error(error) as client:
        with pytest.raises(Unclear) as caught:
            client.reboot("vm-1")
        assert type(caught.value) is Unclear
        with pytest.raises(NoAnswer):
            client.get_task("t")


def test_a_kept_alive_connection_that_dies_under_a_write_is_unclear() -> None:
    seen: list[bytes] = []

    def once(connection: socket.socket) -> None:
        seen.append(read_request(connection))
        connection.sendall(reply(b'{"status":"healthy"}'))
        seen.append(read_request(connection))  # and away, without a word

    with raw_server(once) as port, client_to(port) as client:
        client.health()
        with pytest.raises(Unclear) as caught:
            client.reboot("vm-1")
    assert type(caught.value) is Unclear
    assert len(seen) == 2


def test_an_idle_connection_that_was_closed_is_not_used_again() -> None:
    count = 0

    def one_answer(connection: socket.socket) -> None:
        nonlocal count
        read_request(connection)
        count += 1
        connection.sendall(reply(b'{"status":"healthy"}'))

    with raw_server(one_answer) as port, client_to(port) as client:
        client.health()
        time.sleep(0.1)
        client.health()
    assert count == 2


def test_keeps_connections_and_says_who_it_is() -> None:
    seen: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        while True:
            seen.append(read_request(connection))
            connection.sendall(reply(b'{"status":"healthy"}'))

    with raw_server(serve) as port, client_to(port) as client:
        client.health()
        client.health()
    head = seen[1].decode().lower()
    assert f"user-agent: tidepool/{VERSION}" in head
    assert "x-api-key: key" in head
    assert "accept-encoding: identity" in head


def test_no_redirect_is_followed() -> None:
    def moved(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")

    with raw_server(moved) as port, client_to(port) as client, pytest.raises(Unclear) as caught:
        client.reboot("vm-1")
    assert caught.value.reason is UnclearReason.REDIRECT


def test_a_packed_answer_is_not_unpacked() -> None:
    def packed(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(reply(b"\x1f\x8b...", "Content-Encoding: gzip\r\n"))

    with raw_server(packed) as port, client_to(port) as client, pytest.raises(NoAnswer) as caught:
        client.health()
    assert caught.value.reason is UnclearReason.UNREADABLE


def test_the_environment_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(reply(b'{"status":"healthy"}'))

    with raw_server(serve) as port, client_to(port) as client:
        assert client.health().status == "healthy"


def test_a_given_tls_context_is_used() -> None:
    context = ssl.create_default_context()
    with open_http(Transport(context)) as http:
        assert http.trust_env is False
        assert http.follow_redirects is False


def test_the_version_is_the_projects() -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())
    assert project["project"]["version"] == VERSION
