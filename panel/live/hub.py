"""One subscription a web process, any number of open pages.

Redis → hub → frames (drawn once, in a thread) → the queues of the streams that may see them. There is no replay: after
any gap, of Redis or of a browser, pages read their parts again.
"""

import asyncio
import contextlib
import functools
import json
import logging
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import redis.asyncio
from django.conf import settings
from django.db import close_old_connections, connections
from redis.exceptions import RedisError

from cloud import knock, schedule
from cloud.clock import system_clock
from cloud.models import Account, Refresh
from cloud.timing import timing
from panel.live import frames, rights
from panel.live.frames import Frame
from panel.live.news import CHANNEL, FLEET, WATCHED
from panel.teams.policy import Actor, Permission

T = TypeVar("T")
log = logging.getLogger(__name__)

EVERYTHING = frames.event("changed", "all")
GOODBYE = frames.event("goodbye", "")
REOPEN_S = 1.0
MOST_STREAMS, MOST_A_SESSION = 4000, 40
ACCESS = "access:"  # a person whose rights changed, or who is out


def shows_machines(topic: str) -> bool:
    return topic in {"instances", "overview"} or topic.startswith("instance:")


class Stream:
    """One open page: what it looks at, who looks, and the frames that wait to be sent."""

    def __init__(self, session_key: str, actor: Actor, topics: frozenset[str]) -> None:
        self.session_key = session_key
        own = {f"inbox:{actor.user_id}"}  # heard by one person's pages alone
        always = {"fresh", "accounts", "count", "all"}
        self.topics = topics | own | always | ({FLEET} if any(map(shows_machines, topics)) else set())
        self.queue: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=100)
        self.teams: frozenset[int] = frozenset()
        self.see_as(actor)

    def see_as(self, actor: Actor) -> None:
        self.actor = actor
        self.teams = frozenset(actor.teams_with(Permission.INSTANCE_VIEW))

    def put(self, data: bytes | None) -> None:
        """Queue a frame; a browser that cannot keep up loses them all and reads its parts again instead."""
        if self.queue.full():
            while not self.queue.empty():
                self.queue.get_nowait()
            self.queue.put_nowait(EVERYTHING)
        self.queue.put_nowait(data)


class Hub:
    def __init__(self) -> None:
        self.streams: dict[str, set[Stream]] = defaultdict(set)
        self.is_connected = False
        self._connected_at = float("inf")
        self._lately: deque[tuple[float, str]] = deque(maxlen=1000)  # when news of which topic came
        # A thread each for drawing and for asking who may see: neither waits for the other, each keeps its connection.
        self._drawing, self._asking = ThreadPoolExecutor(1, "live-draw"), ThreadPoolExecutor(1, "live-ask")
        self._redis = redis.asyncio.Redis.from_url(
            settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=5, retry=None
        )
        self._tasks: list[asyncio.Task[None]] = []
        self._access_changed = asyncio.Event()

    def start(self) -> None:
        loops: tuple[Callable[[], Any], ...] = (self._listen, self._recheck, self._sign)
        self._tasks = [asyncio.create_task(loop()) for loop in loops]

    async def stop(self) -> None:
        for stream in self._all():
            stream.put(None)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._redis.aclose()
        for pool in (self._drawing, self._asking):
            pool.submit(connections.close_all)
            pool.shutdown()

    async def ask(self, question: Callable[..., T], *args: Any) -> T:
        """Run something that reads the database, off the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._asking, _fresh, question, *args)

    def is_full(self, session_key: str) -> bool:
        """More streams than one person's windows need, or than this process bears."""
        everyone = self._all()
        return (
            len(everyone) >= MOST_STREAMS or sum(one.session_key == session_key for one in everyone) >= MOST_A_SESSION
        )

    async def add(self, stream: Stream, since: float | None = None) -> None:
        """Open a stream. `since` is when its page was drawn: what was said between then and now is said again."""
        for topic in stream.topics:
            self.streams[topic].add(stream)
        if since is not None and self._was_said(stream, since):
            stream.put(EVERYTHING)
        await self._say_watched(stream.topics)
        await self.ask(_look_again, stream.topics)

    def remove(self, stream: Stream) -> None:
        for topic in stream.topics:
            self.streams[topic].discard(stream)
            if not self.streams[topic]:
                del self.streams[topic]

    def _was_said(self, stream: Stream, since: float) -> bool:
        reaches_back = self._connected_at < since and (len(self._lately) < 1000 or self._lately[0][0] < since)
        return not reaches_back or any(at >= since and topic in stream.topics for at, topic in self._lately)

    def send(self, frames_made: Iterable[Frame]) -> None:
        for frame in frames_made:
            for stream in self.streams.get(frame.topic, ()):
                if frame.team is None or frame.team in stream.teams:
                    stream.put(frame.data)

    def _all(self) -> set[Stream]:
        return set().union(*self.streams.values())

    async def _listen(self) -> None:
        while True:
            try:
                async with self._redis.pubsub() as subscription:
                    await subscription.subscribe(CHANNEL)
                    self._connected(True)
                    while True:
                        message = await subscription.get_message(ignore_subscribe_messages=True, timeout=1)
                        if message:
                            await self._handle(message["data"])
            except (RedisError, OSError) as error:
                log.warning("live: Redis does not answer: %s", type(error).__name__)
                self._connected(False)
                await asyncio.sleep(REOPEN_S)

    async def _handle(self, data: bytes) -> None:
        try:
            message = json.loads(data)
            news = frames.topics_of(message)
            self._lately.extend((time.time(), topic) for topic in news)
            if any(topic.startswith(ACCESS) for topic in news):
                self._access_changed.set()
            draw = functools.partial(_fresh, frames.of_message, message, frozenset(self.streams))
            made = await asyncio.get_running_loop().run_in_executor(self._drawing, draw)
        except Exception:
            log.exception("live: a message could not be drawn")
            made = [Frame("fresh", EVERYTHING)]
        self.send(made)

    def _connected(self, is_connected: bool) -> None:
        """After a gap every page reads its parts again: what was said meanwhile nobody repeats."""
        if is_connected == self.is_connected:
            return
        self.is_connected = is_connected
        self._connected_at = time.time() if is_connected else float("inf")
        self.send([Frame("fresh", frames.event("live", "on" if is_connected else "off"))])
        if is_connected:
            self.send([Frame("fresh", EVERYTHING)])

    async def _recheck(self) -> None:
        """Ends streams whose session is over or whose rights changed: at once when somebody says so, else soon."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timing().stream_check_s):
                    await self._access_changed.wait()
            self._access_changed.clear()
            open_now = self._all()
            if not open_now:
                continue
            try:
                actors = await self.ask(rights.actors_of, {stream.session_key for stream in open_now})
            except Exception:
                log.warning("live: sessions could not be checked", exc_info=True)
                continue
            for stream in open_now:
                actor = actors.get(stream.session_key)
                if actor is None or actor != stream.actor:  # the page opens again, with the rights of now
                    stream.put(GOODBYE)
                    stream.put(None)

    async def _sign(self) -> None:
        """Tells the workers what is looked at, as long as it is."""
        while True:
            await asyncio.sleep(timing().watch_s / 3)
            await self._say_watched(self.streams.keys())

    async def _say_watched(self, topics: Iterable[str]) -> None:
        now = time.time()
        seen = dict.fromkeys(topics, now)
        if not seen:
            return
        try:
            await self._redis.zadd(WATCHED, seen)
            await self._redis.zremrangebyscore(WATCHED, 0, now - timing().watch_s * 4)
        except (RedisError, OSError):
            log.debug("live: nobody was told what is looked at")


def _fresh(work: Callable[..., T], *args: Any) -> T:
    """The work over a database connection that is still good, as a request of Django's has it."""
    close_old_connections()
    try:
        return work(*args)
    finally:
        close_old_connections()


def _look_again(topics: frozenset[str]) -> None:
    """Somebody opened a page: what it shows is read again unless it is fresh. At most once a watched interval."""
    wanted = {Refresh.Part.INSTANCES: timing().instances_watched_s} if FLEET in topics else {}
    if "catalogue" in topics:
        wanted[Refresh.Part.CATALOGUE] = timing().instances_watched_s
    if "tasks" in topics:
        wanted[Refresh.Part.TASKS] = timing().tasks_watched_s
    if any(topic.startswith("instance:") for topic in topics):
        wanted[Refresh.Part.STATS] = timing().stats_slice_s
    for account_id in Account.objects.filter(is_enabled=True).values_list("pk", flat=True) if wanted else ():
        for part, age_s in wanted.items():
            knock.knock(schedule.soon(account_id, part, now=system_clock(), every_s=age_s))
