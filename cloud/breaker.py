"""Stops calling a provider that does not answer, for all processes at once, and writes with a key it refuses.

    closed → open (5 connections in a row failed, or half of at least 20 calls in 30 s) → after 30 s one probe, a read
    probe failed → open        probe succeeded → closed

Shared in Redis by one script on Redis's clock; while Redis is away each process judges for itself.
"""

import threading
import time
import uuid
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from redis import Redis

from cloud.budget import Clock, Limits, SharedStore


class Phase(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    PROBING = "probing"  # the open time is over: one read may try


class Outcome(StrEnum):
    """How a call ended. A refusal is OK here: somebody answered."""

    OK = "ok"
    NO_CONNECTION = "no_connection"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class State:
    """For a page. `retry_in_s` is 0 when closed; `are_writes_off` means that the provider refused the key."""

    phase: Phase
    retry_in_s: float
    are_writes_off: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """May this call go? `retry_in_s` is set when not; `is_probe` when it is the one call that may.

    `are_writes_off` is told to reads too: the one that succeeds then says so by `key_accepted`.
    """

    is_allowed: bool
    is_probe: bool = False
    retry_in_s: float = 0.0
    are_writes_off: bool = False


_ALLOW = """
local t = redis.call('TIME')
local now = tonumber(t[1]) + tonumber(t[2]) / 1000000
local write, ask, probe_s, open_s = ARGV[1] == '1', ARGV[2] == '1', tonumber(ARGV[3]), tonumber(ARGV[4])
local s = redis.call('HMGET', KEYS[1], 'open_until', 'probe_until', 'writes_off')
local open_until = math.min(tonumber(s[1]) or 0, now + open_s)
local probe_until = math.min(tonumber(s[2]) or 0, now + probe_s)
local off = s[3] and 1 or 0
if open_until == 0 then return {0, 0, off, 0} end
if now < open_until then return {1, math.ceil((open_until - now) * 1000), off, 0} end
if write or now < probe_until then
  return {2, math.ceil(math.max(1, math.min(probe_until - now, open_s)) * 1000), off, 0}
end
if ask then
  redis.call('HSET', KEYS[1], 'probe_until', string.format('%.6f', now + probe_s))
end
return {2, 0, off, 1}
"""

_RECORD = """
local t = redis.call('TIME')
local now = tonumber(t[1]) + tonumber(t[2]) / 1000000
local outcome, id = ARGV[1], ARGV[2]
local row_limit, window_s, window_calls = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local share, open_s = tonumber(ARGV[6]), tonumber(ARGV[7])
local open_until = tonumber(redis.call('HGET', KEYS[1], 'open_until')) or 0
if outcome == 'ok' then
  redis.call('HDEL', KEYS[1], 'row', 'open_until', 'probe_until')
  if open_until > 0 then redis.call('DEL', KEYS[2]) end
elseif open_until > now then
  return {1}
end
redis.call('ZADD', KEYS[2], string.format('%.6f', now), (outcome == 'ok' and '1:' or '0:') .. id)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%.6f', now - window_s))
redis.call('EXPIRE', KEYS[2], math.ceil(window_s) + 1)
if outcome == 'ok' then return {0} end
local row = 0
if outcome == 'no_connection' then row = redis.call('HINCRBY', KEYS[1], 'row', 1)
else redis.call('HDEL', KEYS[1], 'row') end
local calls, failed = redis.call('ZRANGE', KEYS[2], 0, -1), 0
for _, one in ipairs(calls) do if string.sub(one, 1, 1) == '0' then failed = failed + 1 end end
if open_until > 0 or row >= row_limit or (#calls >= window_calls and failed >= share * #calls) then
  redis.call('HDEL', KEYS[1], 'row', 'probe_until')
  redis.call('HSET', KEYS[1], 'open_until', string.format('%.6f', now + open_s))
  redis.call('DEL', KEYS[2])
  return {1}
end
return {0}
"""

_ABANDON = "return {redis.call('HDEL', KEYS[1], 'probe_until')}"
_WRITES_OFF = "return {redis.call('HSET', KEYS[1], 'writes_off', '1')}"
_WRITES_ON = "return {redis.call('HDEL', KEYS[1], 'writes_off')}"


class _LocalBreaker:
    """The same rules for one process, while Redis is away."""

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self._limits, self._clock = limits, clock
        self._lock = threading.Lock()
        self._calls: deque[tuple[float, bool]] = deque()
        self._row = 0
        self._open_until: float | None = None
        self._probe_until = float("-inf")
        self.are_writes_off = False

    def allow(self, is_write: bool, ask: bool) -> tuple[float, float, float, float]:
        off = float(self.are_writes_off)
        with self._lock:
            now = self._clock()
            if self._open_until is None:
                return (0, 0, off, 0)
            if now < self._open_until:
                return (1, (self._open_until - now) * 1000, off, 0)
            if is_write or now < self._probe_until:
                return (2, max(1.0, min(self._probe_until - now, self._limits.open_s)) * 1000, off, 0)
            if ask:
                self._probe_until = now + self._limits.probe_s
            return (2, 0, off, 1)

    def record(self, outcome: Outcome) -> None:
        with self._lock:
            now = self._clock()
            if outcome is Outcome.OK:
                self._row, self._open_until, self._probe_until = 0, None, float("-inf")
            elif self._open_until is not None and now < self._open_until:
                return
            self._calls.append((now, outcome is Outcome.OK))
            while self._calls and self._calls[0][0] <= now - self._limits.window_s:
                self._calls.popleft()
            if outcome is not Outcome.OK:
                self._row = self._row + 1 if outcome is Outcome.NO_CONNECTION else 0
                self._open_if_due(now)

    def _open_if_due(self, now: float) -> None:
        limits, calls = self._limits, len(self._calls)
        failed = sum(not ok for _, ok in self._calls)
        is_half = calls >= limits.window_calls and failed >= limits.failed_share * calls
        if self._open_until is not None or self._row >= limits.connect_failures or is_half:
            self._open_until, self._probe_until, self._row = now + limits.open_s, float("-inf"), 0
            self._calls.clear()

    def abandon(self) -> None:
        with self._lock:
            self._probe_until = float("-inf")


class Breaker:
    """The breaker of one account. `redis` may be None or away at any time."""

    def __init__(
        self,
        redis: "Redis | None",
        account: str,
        *,
        limits: Limits | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        self.limits = limits or Limits()
        self._store = SharedStore(redis, self.limits.store_down_s, clock)
        self._keys = [f"tidepool:breaker:{{{account}}}", f"tidepool:breaker:calls:{{{account}}}"]
        self._local = _LocalBreaker(self.limits, clock)

    def allow(self, *, is_write: bool) -> Verdict:
        """May this call go? Take the answer just before the call: a probe's place is taken by asking."""
        phase, wait_ms, off, is_probe = self._ask(is_write, take_probe=True)
        is_allowed = (phase == 0 or bool(is_probe)) and not (is_write and off)
        return Verdict(is_allowed, bool(is_probe), wait_ms / 1000, bool(off))

    def abandon(self) -> None:
        """The probe was allowed and then not sent: somebody else may try."""
        if self._run(_ABANDON) is None:
            self._local.abandon()

    def record(self, outcome: Outcome) -> None:
        """How a call that was allowed has ended."""
        limits = self.limits
        figures = [limits.connect_failures, limits.window_s, limits.window_calls, limits.failed_share, limits.open_s]
        if self._run(_RECORD, outcome.value, uuid.uuid4().hex, *figures) is None:
            self._local.record(outcome)

    def key_refused(self) -> None:
        """The provider said 401: no write goes out until a read succeeds or the key is replaced."""
        self._local.are_writes_off = True
        self._run(_WRITES_OFF)

    def key_accepted(self) -> None:
        """A read that needs the key succeeded, or the key was replaced."""
        self._local.are_writes_off = False
        self._run(_WRITES_ON)

    def state(self) -> State:
        """For a page. Changes nothing."""
        phase, wait_ms, off, _ = self._ask(False, take_probe=False)
        phases = (Phase.CLOSED, Phase.OPEN, Phase.PROBING)
        return State(phases[int(phase)], wait_ms / 1000, bool(off))

    def _ask(self, is_write: bool, *, take_probe: bool) -> tuple[float, float, float, float]:
        answer = self._run(_ALLOW, int(is_write), int(take_probe), self.limits.probe_s, self.limits.open_s)
        if answer is None:
            return self._local.allow(is_write, take_probe)
        phase, wait_ms, off, is_probe = answer
        return phase, wait_ms, off, is_probe

    def _run(self, script: str, *args: Any) -> list[float] | None:
        return self._store.run(script, self._keys, list(args))
