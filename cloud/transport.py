"""The way to the provider: one total deadline, a capped body, and a true word on whether anything was sent.

The sockets, and how the deadline reaches them, are in `cloud.deadline`.
"""

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

import httpcore
import httpx

from cloud.deadline import Allowance, Deadline, Network
from cloud.errors import CloudError, NotSent, NotSentReason, UnclearReason, unclear

VERSION = "0.1.0"  # the project's, as in pyproject.toml
# The edge in front of the API rejects the default agents of some libraries.
USER_AGENT = f"Tidepool/{VERSION}"
# An error's body is read this far and no further; the status is what counts.
ERROR_BODY_CAP = 64 * 1024


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: for one step on the socket each, and for the whole call."""

    connect_s: float = 5.0
    write_s: float = 10.0
    read_s: float = 30.0
    pool_s: float = 5.0
    total_s: float = 45.0


class Transport(httpx.BaseTransport):
    """Straight to the provider: no proxy, no redirects, no retries, HTTP/1.1.

    Needs `deadline` in the request's extensions, as `exchange` sets it.
    """

    def __init__(self, ssl_context: ssl.SSLContext | None = None) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=ssl_context or httpx.create_ssl_context(trust_env=False),
            max_connections=10,
            max_keepalive_connections=4,
            # Shorter than any edge keeps an idle connection: a write on a dead one is unclear and costs a look.
            keepalive_expiry=15.0,
            retries=0,
            network_backend=Network(),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        deadline: Deadline = request.extensions["deadline"]
        steps = {name: Allowance.of(s, deadline) for name, s in request.extensions["timeout"].items()}
        url = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        inner = httpcore.Request(
            request.method,
            url,
            headers=request.headers.raw,
            content=request.read(),
            extensions={"timeout": steps},
        )
        try:
            answer = self._pool.handle_request(inner)
        except _CORE_ERRORS as error:
            raise _as_httpx(error) from error
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer))

    def close(self) -> None:
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._answer.iter_stream()
        except _CORE_ERRORS as error:
            raise _as_httpx(error) from error

    def close(self) -> None:
        self._answer.close()


_CORE_ERRORS = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.UnsupportedProtocol,
)


def _as_httpx(error: Exception) -> httpx.HTTPError:
    """The same error by its httpx name, so that a mock transport and the real one fail alike."""
    kind = getattr(httpx, type(error).__name__, httpx.ReadError)
    made = kind(str(error))
    return made if isinstance(made, httpx.HTTPError) else httpx.ReadError(str(error))


def open_http(transport: httpx.BaseTransport | None = None, timeouts: Timeouts | None = None) -> httpx.Client:
    """An httpx client as the provider needs it. Close it after use."""
    t = timeouts or Timeouts()
    return httpx.Client(
        transport=transport or Transport(),
        timeout=httpx.Timeout(connect=t.connect_s, write=t.write_s, read=t.read_s, pool=t.pool_s),
        # identity: a compressed answer of 2 MiB can be gigabytes when unpacked, and the cap counts what arrives.
        headers={"User-Agent": USER_AGENT, "Accept": "application/json", "Accept-Encoding": "identity"},
        trust_env=False,
        follow_redirects=False,
    )


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: httpx.Headers
    body: bytes


def exchange(
    http: httpx.Client, request: httpx.Request, deadline: Deadline, *, is_write: bool, body_cap_bytes: int
) -> Answer:
    """Send one request and read the whole answer. Raises NotSent or Unclear (NoAnswer for a read), nothing else."""
    request.extensions["deadline"] = deadline
    try:
        response = http.send(request, stream=True)
        try:
            return _read(response, deadline, is_write, body_cap_bytes)
        finally:
            response.close()
    except (httpx.HTTPError, httpx.StreamError, OSError, ValueError) as error:
        raise _failure(error, deadline, is_write) from error


def _read(response: httpx.Response, deadline: Deadline, is_write: bool, cap: int) -> Answer:
    status, is_error = response.status_code, response.status_code >= 400
    limit = ERROR_BODY_CAP if is_error else cap
    body = bytearray()
    for chunk in response.iter_raw():
        body += chunk
        if deadline.is_over():
            raise unclear(is_write, UnclearReason.DEADLINE, "The provider's answer took too long.", status)
        if len(body) > limit:
            if is_error:
                break
            raise unclear(is_write, UnclearReason.TOO_LARGE, "The provider's answer is too large.", status)
    encoding = response.headers.get("content-encoding", "identity")
    if encoding.strip().lower() not in ("", "identity") and not is_error:
        raise unclear(is_write, UnclearReason.UNREADABLE, "The provider's answer is packed in a way not asked for.")
    return Answer(status, response.headers, bytes(body[:limit]))


_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
# h11 refuses our own request before its first byte; a URL of another scheme has no connection at all.
_REFUSED_BY_US = (httpx.LocalProtocolError, httpx.UnsupportedProtocol)


def _failure(error: Exception, deadline: Deadline, is_write: bool) -> CloudError:
    if isinstance(error, httpx.PoolTimeout):
        return NotSent(NotSentReason.POOL, "All connections to the provider are in use.")
    if isinstance(error, _NEVER_SENT + _REFUSED_BY_US):
        return _no_connection(error)
    if deadline.is_over():
        return unclear(is_write, UnclearReason.DEADLINE, "The provider's answer took too long.")
    if isinstance(error, httpx.TimeoutException):
        return unclear(is_write, UnclearReason.TIMEOUT, "The provider did not answer in time.")
    # Everything else, a kept-alive connection that had died included: it was on its way.
    return unclear(is_write, UnclearReason.CUT, "The connection to the provider was cut.")


def _no_connection(error: BaseException) -> NotSent:
    """DNS, TLS or plain: told by what stands behind the error."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, socket.gaierror | UnicodeError):
            return NotSent(NotSentReason.DNS, "The provider's name cannot be looked up.")
        if isinstance(cause, ssl.SSLError):
            return NotSent(NotSentReason.TLS, "No safe connection to the provider: its certificate or TLS failed.")
        # httpcore's pool raises `from None`: the cause is then only to be had as the error's argument.
        inner = cause.args[0] if cause.args else None
        cause = cause.__cause__ or (inner if isinstance(inner, BaseException) else None)
    return NotSent(NotSentReason.CONNECT, "The provider cannot be reached.")
