"""The worker's side of live pages: what changed goes to Redis as one small message, who looks is read from there.

Nothing here may fail a sync: while Redis is away nobody is told, and pages catch up when they come back.
"""

import json
import logging
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib.sessions.models import Session
from redis.exceptions import RedisError

from cloud import loads
from cloud.clock import system_clock
from cloud.ports import Change, Point
from cloud.store import store, text
from cloud.timing import timing
from panel.audit import record
from panel.people import lockout, sessions
from panel.teams.models import default_team

log = logging.getLogger(__name__)

CHANNEL = "tidepool:live"
FLEET = "fleet"  # watched by every page that shows machines
WATCHED = "tidepool:watched"  # topic → when a web process last said that somebody looks at it


def tell(change: Change) -> None:
    if change:
        _publish(
            {
                "kind": "change",
                "account": change.account,
                "instances": {str(team): list(ids) for team, ids in change.instances.items()},
                "lists": sorted(change.lists),
                "topics": sorted(change.topics),
            }
        )


def show_point(instance_id: int, point: Point) -> None:
    try:
        _publish({"kind": "point", "id": instance_id, "text": loads.keep(instance_id, point)})
    except RedisError as error:
        log.warning("a reading was not kept: %s", type(error).__name__)


def say_fresh(account_id: int, at: datetime) -> None:
    _publish({"kind": "fresh", "account": account_id, "at": at.isoformat()})


def is_watched(topic: str) -> bool:
    try:
        seen = store().zscore(WATCHED, topic)
    except RedisError:
        return False
    return seen is not None and seen > time.time() - timing().watch_s


def looked_at() -> Sequence[int]:
    """Row ids of machines whose page somebody has open, in no order."""
    try:
        topics = store().zrangebyscore(WATCHED, time.time() - timing().watch_s, "+inf")
    except RedisError:
        return ()
    names = (text(topic).partition(":") for topic in topics)
    return [int(rest) for kind, _colon, rest in names if kind == "instance" and rest.isdigit()]


def home_team() -> int:
    return default_team().pk


def tidy() -> None:
    """Rows that nobody needs any more: sessions that ended, failures that are forgotten."""
    Session.objects.filter(expire_date__lt=system_clock()).delete()
    sessions.forget_ended()
    lockout.forget_old(system_clock())
    record.settle(system_clock())


def _publish(message: dict[str, Any]) -> None:
    try:
        store().publish(CHANNEL, json.dumps(message))
    except RedisError as error:
        log.warning("news was not published: %s", type(error).__name__)
