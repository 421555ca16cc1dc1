"""Load of machines on somebody's screen: whose turn it is, and what a reading says.

Readings are kept for an hour in Redis, for charts to start with; a longer history is another matter and another table.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from redis.exceptions import RedisError

from cloud import shapes
from cloud.models import Account, Instance
from cloud.ports import Point
from cloud.store import store, text

KEPT = 720
KEPT_S = 3600
_TURNS = "tidepool:loads:read"


def next_to_read(account: Account, looked_at: Sequence[int]) -> Instance | None:
    """Of the machines that are looked at, the account's one whose last turn is the longest ago; it is marked."""
    rows = {
        row.pk: row
        for row in Instance.objects.filter(account=account, gone_at=None, is_awaited=False, pk__in=looked_at[:500])
    }
    if not rows:
        return None
    try:
        turns = dict(zip(rows, store().zmscore(_TURNS, [str(pk) for pk in rows]), strict=True))
        chosen = min(rows, key=lambda pk: turns[pk] or 0.0)
        now_s, _micro = store().time()
        pipe = store().pipeline(transaction=False)
        pipe.zadd(_TURNS, {str(chosen): now_s + _micro / 1e6})
        pipe.zremrangebyscore(_TURNS, 0, now_s - KEPT_S)
        pipe.execute()
    except RedisError:
        return None
    return rows[chosen]


def point(stats: shapes.Stats, now: datetime) -> Point:
    return Point(
        at=now.timestamp(),
        cpu_percent=stats.cpu_percent,
        memory_used=stats.memory_used_bytes,
        memory_total=stats.memory_total_bytes,
        disk_read=stats.disk_read_bytes_s,
        disk_write=stats.disk_write_bytes_s,
        net_in=stats.network_in_bytes_s,
        net_out=stats.network_out_bytes_s,
        uptime_s=stats.uptime_s,
    )


def keep(instance_id: int, reading: Point) -> str:
    """Store the reading and return it as the JSON text that charts take. Raises RedisError."""
    packed = json.dumps(asdict(reading))
    key = f"tidepool:loads:{instance_id}"
    pipe = store().pipeline(transaction=False)
    pipe.rpush(key, packed)
    pipe.ltrim(key, -KEPT, -1)
    pipe.expire(key, KEPT_S)
    pipe.execute()
    return packed


def kept(instance_id: int) -> list[str]:
    """The readings of the last hour, oldest first, as JSON texts; none while Redis is away."""
    try:
        return [text(item) for item in store().lrange(f"tidepool:loads:{instance_id}", 0, -1)]
    except RedisError:
        return []
