"""Clients for accounts, in processes that hold the workers' key. One HTTP connection pool an account and process."""

import threading

import httpx
from django.conf import settings

from cloud.breaker import Breaker
from cloud.budget import Budget, Lane, Limits
from cloud.client import Client
from cloud.endpoints import Endpoints
from cloud.models import Account
from cloud.seal import unseal
from cloud.store import store
from cloud.transport import open_http

_lock = threading.Lock()
_pools: dict[int, httpx.Client] = {}


def client_for(account: Account, *, lane: Lane) -> Client:
    """A client that shares the account's budget and breaker with every process. Raises CannotOpen in a web process."""
    redis, limits = store(), Limits(rate=settings.CALLS_PER_SECOND, burst=1.5 * settings.CALLS_PER_SECOND)
    return Client(
        account.base_url,
        unseal(account.sealed_key),
        http=_pool(account.pk),
        budget=Budget(redis, str(account.pk), limits=limits),
        breaker=Breaker(redis, str(account.pk), limits=limits),
        endpoints=Endpoints.with_overrides(settings.BLUELOBSTER_ENDPOINTS),
        lane=lane,
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


def _pool(account_id: int) -> httpx.Client:
    with _lock:
        if account_id not in _pools:
            _pools[account_id] = open_http()
        return _pools[account_id]
