"""Redis for small shared state: short waits and no retries, since its absence is an answer too."""

from functools import cache

from django.conf import settings
from redis import Redis


@cache
def store() -> Redis:
    """The process's one connection pool. Every call may raise RedisError, at once rather than late."""
    return Redis.from_url(settings.REDIS_URL, socket_connect_timeout=0.5, socket_timeout=1, retry=None)


def text(value: object) -> str:
    """A value of Redis as text: with our client they are bytes, whatever the library's types say."""
    return value.decode() if isinstance(value, bytes) else str(value)
