"""Sockets on which every wait ends with the deadline of the call.

httpx's read timeout starts anew with every byte, so an answer that trickles in never ends. Here every step on the
socket is allowed at most what is left of the call's deadline. httpcore hands the timeout of a request through to the
socket as it is, so the deadline travels inside that number: see `Allowance`.
"""

import select
import socket
import ssl
import time
from collections.abc import Callable, Iterable

import httpcore

Clock = Callable[[], float]


class Deadline:
    """The end of one call, on a monotonic clock."""

    def __init__(self, total_s: float, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._ends = clock() + total_s

    def left_s(self) -> float:
        return self._ends - self._clock()

    def is_over(self) -> bool:
        return self.left_s() <= 0


class Allowance(float):
    """A step's timeout in seconds that knows the deadline of its call."""

    deadline: Deadline

    @classmethod
    def of(cls, timeout_s: float, deadline: Deadline) -> "Allowance":
        allowance = cls(max(0.0, min(timeout_s, deadline.left_s())))
        allowance.deadline = deadline
        return allowance


def _step(timeout: float | None, over: type[Exception]) -> float | None:
    """Seconds for the step that starts now; raises `over` when the call's deadline has passed."""
    if not isinstance(timeout, Allowance):
        return timeout
    left = timeout.deadline.left_s()
    if left <= 0:
        raise over("the call's deadline has passed")
    return min(float(timeout), left)


class _Stream(httpcore.NetworkStream):
    """A blocking socket on which every single wait ends with the deadline."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            self._sock.settimeout(_step(timeout, httpcore.ReadTimeout))
            return self._sock.recv(max_bytes)
        except TimeoutError as error:
            raise httpcore.ReadTimeout(error) from error
        except OSError as error:
            raise httpcore.ReadError(error) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        try:
            while buffer:
                self._sock.settimeout(_step(timeout, httpcore.WriteTimeout))
                buffer = buffer[self._sock.send(buffer) :]
        except TimeoutError as error:
            raise httpcore.WriteTimeout(error) from error
        except OSError as error:
            raise httpcore.WriteError(error) from error

    def close(self) -> None:
        self._sock.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        try:
            self._sock.settimeout(_step(timeout, httpcore.ConnectTimeout))
            return _Stream(ssl_context.wrap_socket(self._sock, server_hostname=server_hostname))
        except TimeoutError as error:
            self.close()
            raise httpcore.ConnectTimeout(error) from error
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            self.close()
            raise httpcore.ConnectError(error) from error
        except httpcore.ConnectTimeout:
            self.close()
            raise

    def get_extra_info(self, info: str) -> object:
        if info == "is_readable":  # how the pool notices that an idle connection has died
            return _is_readable(self._sock)
        return self._sock if info == "socket" else None


def _is_readable(sock: socket.socket) -> bool:
    if sock.fileno() < 0:
        return True
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))


class Network(httpcore.NetworkBackend):
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address that answers; all of them together get one timeout, not one each.

        The look-up itself has no timeout but the resolver's own. It counts: when it took too long, nothing is sent.
        """
        started = time.monotonic()
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(error) from error
        allowed = _step(timeout, httpcore.ConnectTimeout)
        last: OSError | None = None
        for left_over, found_one in zip(range(len(found), 0, -1), found, strict=True):
            spent = time.monotonic() - started
            share = None if allowed is None else max(0.05, (allowed - spent) / left_over)
            try:
                return _Stream(_connected(str(found_one[4][0]), port, share))
            except OSError as error:
                last = error
        over = httpcore.ConnectTimeout if isinstance(last, TimeoutError) else httpcore.ConnectError
        raise over(str(last)) from last


def _connected(address: str, port: int, timeout_s: float | None) -> socket.socket:
    sock = socket.create_connection((address, port), timeout_s)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock
