"""Clients for accounts, in processes that hold the workers' key. One HTTP connection pool an account and process."""

import threading
from dataclasses import replace

import httpx
from django.conf import settings

from cloud.breaker import Breaker
from cloud.budget import Budget, Lane, Limits
from cloud.client import Client
from cloud.endpoints import Endpoints
from cloud.models import Account
from cloud.seal import unseal_key
from cloud.store import store
from cloud.timing import timing
from cloud.transport import Timeouts, open_http

_lock = threading.Lock()
_pools: dict[int, httpx.Client] = {}
_guards: dict[int, tuple[Budget, Breaker]] = {}


def client_for(account: Account, *, lane: Lane, sealed_key: str = "", wait_s: float = 10.0) -> Client:
    """A client that shares the account's budget and breaker with every process. Raises CannotOpen in a web process."""
    budget, breaker = _guard(account.pk)
    return Client(
        account.base_url,
        unseal_key(sealed_key or account.sealed_key, account.base_url),
        http=_pool(account.pk),
        budget=budget,
        breaker=breaker,
        endpoints=Endpoints.with_overrides(settings.BLUELOBSTER_ENDPOINTS),
        lane=lane,
        wait_s=wait_s,
        timeouts=_timeouts(),
    )


def lend(account_id: int, http: httpx.Client) -> None:
    """Use this HTTP client for the account from now on: the seam at which tests put a played provider."""
    with _lock:
        _pools[account_id] = http


def forget() -> None:
    """Close and drop all clients, as a process does that ends."""
    with _lock:
        for http in _pools.values():
            http.close()
        _pools.clear()
        _guards.clear()


def _guard(account_id: int) -> tuple[Budget, Breaker]:
    """One pair a process: while Redis is away it must remember by itself what the provider said."""
    with _lock:
        if account_id not in _guards:
            limits = _limits()
            name = str(account_id)
            _guards[account_id] = Budget(store(), name, limits=limits), Breaker(store(), name, limits=limits)
        return _guards[account_id]


def _limits() -> Limits:
    """The account's figures; the clocks that tests scale run faster here too."""
    usual, faster = Limits(), settings.TIME_SCALE
    return replace(
        usual,
        rate=settings.CALLS_PER_SECOND,
        burst=1.5 * settings.CALLS_PER_SECOND,
        in_flight_ttl_s=usual.in_flight_ttl_s / faster,
        window_s=usual.window_s / faster,
        open_s=usual.open_s / faster,
        probe_s=usual.probe_s / faster,
        store_down_s=usual.store_down_s / faster,
        recovery_per_min=usual.recovery_per_min * faster,
        retry_after_default_s=usual.retry_after_default_s / faster,
    )


def _timeouts() -> Timeouts:
    """One call's time in all is Timing.call_s; its steps are shares of it."""
    usual, total_s = Timeouts(), timing().call_s
    share = total_s / usual.total_s
    return Timeouts(usual.connect_s * share, usual.write_s * share, usual.read_s * share, usual.pool_s * share, total_s)


def _pool(account_id: int) -> httpx.Client:
    with _lock:
        if account_id not in _pools:
            _pools[account_id] = open_http(None, _timeouts())
        return _pools[account_id]
