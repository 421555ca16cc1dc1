"""The one way of a call: the table, the budget, the breaker, the deadline, and the errors. See `Caller.call`."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

import httpx
import msgspec

from cloud.breaker import Breaker, Outcome, Verdict
from cloud.budget import Budget, Lane, Lease
from cloud.deadline import Deadline
from cloud.endpoints import Endpoint, Endpoints
from cloud.error_bodies import decode
from cloud.errors import (
    Busy,
    CloudError,
    NotSent,
    NotSentReason,
    Refused,
    UnclearReason,
    from_answer,
    http_date,
    may_repeat,
    unclear,
)
from cloud.shapes import Shape, ShapeError
from cloud.transport import Answer, Timeouts, exchange

S = TypeVar("S", bound=Shape)
_NO_CONNECTION = frozenset({NotSentReason.CONNECT, NotSentReason.DNS, NotSentReason.TLS})


@dataclass(frozen=True, slots=True)
class Place:
    """A call that may go now: the breaker's word, its place in the budget, and the end of its time."""

    verdict: Verdict
    lease: Lease
    deadline: Deadline


@dataclass
class Caller:
    """What a client is made of. `wait_s` is how long a call may wait for its place in the budget.

    Clocks and sleepers are handed in: `clock` is monotonic seconds, `now` is aware UTC, `rand` gives [0, 1).
    """

    base_url: str
    api_key: str = field(repr=False)
    http: httpx.Client
    budget: Budget
    breaker: Breaker
    endpoints: Endpoints
    lane: Lane
    timeouts: Timeouts
    wait_s: float
    repeat_reads: bool
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    rand: Callable[[], float] = random.random
    clock_offset_s: float | None = None
    place: Place | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        try:
            url = httpx.URL(self.base_url)
        except httpx.InvalidURL as error:
            raise ValueError("the base URL is not a URL") from error
        if url.scheme not in {"http", "https"} or not url.host or url.userinfo or url.query or url.fragment:
            raise ValueError("the base URL must be http(s)://host/path, without user, query or fragment")
        if not self.api_key or not self.api_key.isascii() or not self.api_key.isprintable() or " " in self.api_key:
            raise ValueError("the key must be printable ASCII without spaces")
        self.base_url = self.base_url.rstrip("/")

    def call(
        self,
        shape: type[S],
        name: str,
        path: Mapping[str, str | int] | None = None,
        query: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> S:
        """Call one row of the table and read its answer as `shape`.

        Raises ValueError before anything is sent, and after that nothing but CloudError. Writes are never repeated
        here; reads are when the client was made with `repeat_reads`.
        """
        endpoint = self.endpoints[name]
        url = self.base_url + endpoint.target(path or {}, query)
        sent = {key: value for key, value in body.items() if value is not None} if body is not None else None
        content = msgspec.json.encode(sent) if sent is not None else None
        attempt = 1
        while True:
            try:
                return self._once(shape, endpoint, url, content, _secrets(self.api_key, sent))
            except CloudError as error:
                is_repeatable = self.repeat_reads and not endpoint.is_write
                delay = may_repeat(endpoint.is_write, error, attempt, self.rand()) if is_repeatable else None
                if delay is None:
                    raise
            self.sleep(delay)
            attempt += 1

    def reserve(self, *, is_write: bool) -> None:
        """Get a place for the next call now. Its deadline begins now too: who is frozen meanwhile sends nothing late.

        Raises NotSent when the breaker is open, writes are off, or the budget has no place within `wait_s`.
        """
        self.place = self._place(is_write)

    def give_back(self) -> None:
        """The reserved call is not made after all."""
        place, self.place = self.place, None
        if place is not None:
            self.budget.release(place.lease)
            if place.verdict.is_probe:
                self.breaker.abandon()

    def _place(self, is_write: bool) -> Place:
        verdict = self.breaker.allow(is_write=is_write)
        if verdict.are_writes_off and is_write:
            raise NotSent(NotSentReason.WRITES_OFF, "The provider does not accept the key: nothing is changed with it.")
        if not verdict.is_allowed:
            words = "The provider has not been answering; the next try comes by itself."
            raise NotSent(NotSentReason.BREAKER, words, verdict.retry_in_s)
        lease = self.budget.acquire(self.lane, self.wait_s)
        if lease is None:
            if verdict.is_probe:
                self.breaker.abandon()
            raise NotSent(NotSentReason.BUDGET, "Too many calls to the provider are waiting already.")
        return Place(verdict, lease, Deadline(self.timeouts.total_s, self.clock))

    def _once(self, shape: type[S], endpoint: Endpoint, url: str, content: bytes | None, secrets: tuple[str, ...]) -> S:
        request = self.http.build_request(endpoint.method, url, content=content, headers=self._headers(content))
        place, self.place = self.place or self._place(endpoint.is_write), None
        try:
            read = self._read(shape, endpoint, self._send(endpoint, request, place.deadline), secrets)
        except CloudError as error:
            self._note(endpoint, place.verdict, error)
            raise
        finally:
            self.budget.release(place.lease)
        self._note(endpoint, place.verdict, None)
        return read

    def _headers(self, content: bytes | None) -> dict[str, str]:
        headers = {"X-API-Key": self.api_key}
        return headers if content is None else {**headers, "Content-Type": "application/json"}

    def _send(self, endpoint: Endpoint, request: httpx.Request, deadline: Deadline) -> Answer:
        answer = exchange(
            self.http, request, deadline, is_write=endpoint.is_write, body_cap_bytes=endpoint.body_cap_bytes
        )
        if date := http_date(answer.headers.get("date")):
            self.clock_offset_s = (date - self.now()).total_seconds()
        return answer

    def _read(self, shape: type[S], endpoint: Endpoint, answer: Answer, secrets: tuple[str, ...]) -> S:
        if not 200 <= answer.status < 300:
            raise from_answer(answer.status, answer.headers, answer.body, is_write=endpoint.is_write, secrets=secrets)
        try:
            # 204 is by definition a yes without words; any other empty answer is one that was lost on the way.
            data = {} if answer.status == 204 and endpoint.is_write else decode(answer.body)
            return shape.parse(data, is_write=endpoint.is_write)
        except (ShapeError, ValueError) as error:
            words = "The provider's answer cannot be read."
            raise unclear(endpoint.is_write, UnclearReason.UNREADABLE, words, answer.status) from error

    def _note(self, endpoint: Endpoint, verdict: Verdict, error: CloudError | None) -> None:
        """Tell budget and breaker how the call ended."""
        if isinstance(error, NotSent):
            if error.reason in _NO_CONNECTION:
                self.breaker.record(Outcome.NO_CONNECTION)
            elif verdict.is_probe:
                self.breaker.abandon()
            return
        if isinstance(error, Busy):
            self.budget.punish(error.retry_after_s)
        self.breaker.record(Outcome.OK if error is None or isinstance(error, Refused) else Outcome.FAILED)
        # A single 403 may be about one machine; on the list of all machines it is about the key.
        is_locked_out = isinstance(error, Refused) and error.status == 403 and endpoint.name == "list_instances"
        if is_locked_out or (isinstance(error, Refused) and error.is_bad_key):
            self.breaker.key_refused()
        elif error is None and verdict.are_writes_off and endpoint.proves_key:
            self.breaker.key_accepted()


def _secrets(api_key: str, body: Mapping[str, Any] | None) -> tuple[str, ...]:
    """What must not come back in an error's text: the framework's 422 echoes what was sent."""
    password = body.get("password") if body else None
    return (api_key, password) if isinstance(password, str) and password else (api_key,)
