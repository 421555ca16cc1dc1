"""One budget of calls for each account, shared by every process of the panel.

The provider bears about two calls a second for one key. A token bucket in Redis, moved by one script on Redis's own
clock, gives them out in two lanes: people's actions, and background work with at most half the rate. While Redis is
away each worker lives on its share, with a bucket of its own.
"""

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from cloud.errors import RETRY_AFTER_CAP_S

Clock = Callable[[], float]
Sleeper = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Limits:
    """Every figure of the budget and of the breaker. Seconds, calls a second, shares of 1."""

    rate: float = 2.0
    burst: float = 3.0
    in_flight: int = 4
    in_flight_ttl_s: float = 60.0  # a killed process gives its places back after this; longer than any call
    background_share: float = 0.5
    low: float = 0.5  # share of the rate after a lost Redis, which may have been full of debts
    floor: float = 0.1  # repeated 429 halve the rate down to this share, not to nothing
    recovery_per_min: float = 0.1
    halve_gap_s: float = 1.0  # several 429 of the same moment are one message
    retry_after_default_s: float = 5.0
    retry_after_cap_s: float = RETRY_AFTER_CAP_S
    worker_share: int = 4  # the rate is divided by this while Redis is away
    store_down_s: float = 5.0  # how long a dead Redis is not asked again
    connect_failures: int = 5
    window_s: float = 30.0
    window_calls: int = 20
    failed_share: float = 0.5
    open_s: float = 30.0
    probe_s: float = 60.0  # a probe that never came back frees its place; longer than any call


class Lane(IntEnum):
    """PEOPLE: what somebody waits for, its polls, and reconciling. BACKGROUND: everything else."""

    PEOPLE = 1
    BACKGROUND = 2


@dataclass(frozen=True, slots=True)
class Lease:
    """A place in flight. Give it back with `Budget.release`; it ends by itself after `in_flight_ttl_s`."""

    id: str
    lane: Lane
    is_local: bool


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The budget right now. `blocked_s` is the rest of a Retry-After, 0 when nothing is blocked."""

    rate: float
    blocked_s: float
    in_flight: int
    is_shared: bool


class SharedStore:
    """Scripts in Redis that may be away. After a failure it is not asked again for `store_down_s`.

    The client must have short timeouts and no retries, or every call waits for a dead Redis first.
    """

    def __init__(self, redis: "Redis | None", down_s: float, clock: Clock) -> None:
        self._redis = redis
        self._down_s = down_s
        self._clock = clock
        self._down_until = float("-inf")

    def run(self, script: str, keys: list[str], args: list[Any]) -> list[float] | None:
        """The script's list of numbers, or None while Redis is away, loading, full, read-only or being replaced."""
        if self._redis is None or self._clock() < self._down_until:
            return None
        try:
            answer: Any = self._redis.eval(script, len(keys), *keys, *args)
            return [float(one) for one in answer]
        except (RedisError, OSError):
            self._down_until = self._clock() + self._down_s
            return None


# State: tokens of lane 1 and 2, the share of the rate ("factor"), when it was written, until when all is blocked.
# A state that is missing (first start, FLUSHALL) is the low one: half the rate and an empty bucket.
_STATE = """
local t = redis.call('TIME')
local now = tonumber(t[1]) + tonumber(t[2]) / 1000000
local rate, burst, low, recovery = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local share, cap = tonumber(ARGV[5]), tonumber(ARGV[6])
local s = redis.call('HMGET', KEYS[1], 'tokens', 'quiet', 'factor', 'at', 'blocked', 'halved')
local tokens, quiet, factor = tonumber(s[1]) or 0, tonumber(s[2]) or 0, tonumber(s[3]) or low
local gone = math.max(0, now - (tonumber(s[4]) or now))
local blocked, halved = math.min(tonumber(s[5]) or 0, now + cap), math.min(tonumber(s[6]) or 0, now)
tokens = math.min(factor >= 1 and burst or 1, tokens + gone * rate * factor)
quiet = math.min(1, quiet + gone * rate * factor * share)
factor = math.min(1, factor + gone * recovery)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
local flying = redis.call('ZRANGE', KEYS[2], 0, -1)
local function save()
  local f = function(x) return string.format('%.6f', x) end
  redis.call('HSET', KEYS[1], 'tokens', f(tokens), 'quiet', f(quiet), 'factor', f(factor), 'at', f(now),
    'blocked', f(blocked), 'halved', f(halved))
  redis.call('EXPIRE', KEYS[1], 604800)
end
"""

# → {1, 0} taken, {0, milliseconds until it is worth asking again}. Background fills half the places at most.
_ACQUIRE = f"""{_STATE}
local lane, id, places, ttl = tonumber(ARGV[7]), ARGV[8], tonumber(ARGV[9]), tonumber(ARGV[10])
local wait, background = math.max(0, blocked - now), 0
for _, one in ipairs(flying) do if string.sub(one, 1, 1) == '2' then background = background + 1 end end
if #flying >= places or (lane == 2 and background >= math.max(1, math.floor(places / 2))) then
  wait = math.max(wait, 0.05)
end
if tokens < 1 then wait = math.max(wait, (1 - tokens) / (rate * factor)) end
if lane == 2 and quiet < 1 then wait = math.max(wait, (1 - quiet) / (rate * factor * share)) end
if wait == 0 then
  tokens = tokens - 1
  if lane == 2 then quiet = quiet - 1 end
  redis.call('ZADD', KEYS[2], string.format('%.6f', now + ttl), lane .. ':' .. id)
  redis.call('EXPIRE', KEYS[2], math.ceil(ttl) + 1)
end
save()
return {{wait == 0 and 1 or 0, math.ceil(wait * 1000)}}
"""

_PUNISH = f"""{_STATE}
if now - halved >= tonumber(ARGV[9]) then
  factor = math.max(tonumber(ARGV[8]), factor / 2)
  halved = now
end
tokens = math.min(tokens, 1)
blocked = math.max(blocked, now + tonumber(ARGV[7]))
save()
return {{1}}
"""

_SNAPSHOT = f"""{_STATE}
return {{math.floor(rate * factor * 1000), math.ceil(math.max(0, blocked - now) * 1000), #flying}}
"""

_RELEASE = "return {redis.call('ZREM', KEYS[1], ARGV[1])}"


class _LocalBucket:
    """One worker's share while Redis is away: no burst, one place in flight, and both lanes as in the script."""

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self._limits, self._clock = limits, clock
        self._rate = limits.rate / limits.worker_share
        self._lock = threading.Lock()
        self._tokens = self._quiet = 0.0
        self._factor, self._at, self._blocked, self._halved = 1.0, clock(), float("-inf"), float("-inf")
        self._flying: dict[str, float] = {}

    def restart(self) -> None:
        """Redis has just gone: what it gave out a moment ago is not given out once more."""
        with self._lock:
            self._refill()
            self._tokens = self._quiet = 0.0

    def _refill(self) -> float:
        now = self._clock()
        gone, self._at = max(0.0, now - self._at), now
        pace = self._rate * self._factor
        self._tokens = min(1.0, self._tokens + gone * pace)
        self._quiet = min(1.0, self._quiet + gone * pace * self._limits.background_share)
        self._factor = min(1.0, self._factor + gone * self._limits.recovery_per_min / 60)
        self._flying = {one: ends for one, ends in self._flying.items() if ends > now}
        return now

    def take(self, lane: Lane, lease_id: str) -> float:
        """0 when a call may go, else seconds until it is worth asking again."""
        with self._lock:
            now = self._refill()
            pace = self._rate * self._factor
            quiet = (1 - self._quiet) / (pace * self._limits.background_share) if lane is Lane.BACKGROUND else 0.0
            wait = max(0.0, self._blocked - now, (1 - self._tokens) / pace, quiet, 0.05 if self._flying else 0.0)
            if wait <= 1e-9:
                self._tokens -= 1
                self._quiet -= lane is Lane.BACKGROUND
                self._flying[lease_id] = now + self._limits.in_flight_ttl_s
                return 0.0
            return wait

    def release(self, lease_id: str) -> None:
        with self._lock:
            self._flying.pop(lease_id, None)

    def punish(self, block_s: float) -> None:
        with self._lock:
            now = self._refill()
            if now - self._halved >= self._limits.halve_gap_s:
                self._factor, self._halved = max(self._limits.floor, self._factor / 2), now
            self._blocked = max(self._blocked, now + block_s)

    def snapshot(self) -> Snapshot:
        with self._lock:
            now = self._refill()
            return Snapshot(self._rate * self._factor, max(0.0, self._blocked - now), len(self._flying), False)


class Budget:
    """The calls of one account. `redis` may be None (then only this process's share) or away at any time."""

    def __init__(
        self,
        redis: "Redis | None",
        account: str,
        *,
        limits: Limits | None = None,
        clock: Clock = time.monotonic,
        sleep: Sleeper = time.sleep,
    ) -> None:
        self.limits = limits or Limits()
        self._store = SharedStore(redis, self.limits.store_down_s, clock)
        # The braces keep both keys in one slot of a Redis cluster.
        self._keys = [f"tidepool:budget:{{{account}}}", f"tidepool:budget:flying:{{{account}}}"]
        self._clock, self._sleep = clock, sleep
        self._local = _LocalBucket(self.limits, clock)
        self._was_shared = True

    def acquire(self, lane: Lane, wait_s: float) -> Lease | None:
        """A place for one call, or None when there is none within `wait_s`. Never sleeps longer than that."""
        lease_id, ends = uuid.uuid4().hex, self._clock() + wait_s
        while True:
            wait, is_local = self._ask(lane, lease_id)
            if wait <= 0:
                return Lease(lease_id, lane, is_local)
            if wait > ends - self._clock():
                return None
            self._sleep(wait)

    def _ask(self, lane: Lane, lease_id: str) -> tuple[float, bool]:
        limits = self.limits
        answer = self._run(_ACQUIRE, int(lane), lease_id, limits.in_flight, limits.in_flight_ttl_s)
        if answer is None:
            if self._was_shared:
                self._local.restart()
            self._was_shared = False
            return self._local.take(lane, lease_id), True
        self._was_shared = True
        return (0.0 if answer[0] else max(answer[1] / 1000, 0.001)), False

    def release(self, lease: Lease) -> None:
        """Give the place back. Cannot fail: a place that Redis did not hear of ends by itself."""
        if lease.is_local:
            self._local.release(lease.id)
        else:
            self._store.run(_RELEASE, self._keys[1:], [f"{int(lease.lane)}:{lease.id}"])

    def punish(self, retry_after_s: float | None) -> None:
        """The provider said 429: half the rate for everyone, and nothing at all for as long as it said.

        None (it did not say, or not in words we know) counts as `retry_after_default_s`.
        """
        limits = self.limits
        block_s = limits.retry_after_default_s if retry_after_s is None else retry_after_s
        block_s = min(max(block_s, 0.0), limits.retry_after_cap_s)
        # Here too, so that the word is kept when Redis goes away in the meantime.
        self._local.punish(block_s)
        self._run(_PUNISH, block_s, limits.floor, limits.halve_gap_s)

    def snapshot(self) -> Snapshot:
        """What is left, for a page. Changes nothing."""
        answer = self._run(_SNAPSHOT)
        if answer is None:
            return self._local.snapshot()
        return Snapshot(answer[0] / 1000, answer[1] / 1000, int(answer[2]), True)

    def _run(self, script: str, *args: Any) -> list[float] | None:
        limits = self.limits
        figures = [limits.rate, limits.burst, limits.low, limits.recovery_per_min / 60]
        return self._store.run(script, self._keys, [*figures, limits.background_share, limits.retry_after_cap_s, *args])
