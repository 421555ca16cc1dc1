"""`/live`: one open page's stream of server-sent events, in raw ASGI before Django.

Inside a Django view each stream would hold a thread and its database connection for its whole life (dependencies.md).
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings
from django.http.request import validate_host

from cloud.timing import timing
from panel.fleet.queries import visible_instances
from panel.live import rights
from panel.live.hub import Hub, Stream
from panel.teams.policy import Actor, Permission, allowed

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

TOPICS = {
    "instances": Permission.INSTANCE_VIEW,
    "overview": Permission.INSTANCE_VIEW,
    "operations": Permission.INSTANCE_VIEW,
    "tasks": Permission.TASK_VIEW,
    "catalogue": Permission.INSTANCE_VIEW,
    "health": Permission.HEALTH_VIEW,
    "record": Permission.RECORD_VIEW,
    "record-all": Permission.RECORD_VIEW_ALL,
}
ONE_INSTANCE = re.compile(r"instance:[1-9]\d{0,17}")
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'"),
]


async def live(hub: Hub, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one stream until the browser leaves, the session ends, or the process stops."""
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    key = _session_key(headers.get(b"cookie", ""))
    host = headers.get(b"host", "").rpartition(":")[0] or headers.get(b"host", "")
    if scope["method"] != "GET":
        return await _refuse(send, 405)
    if headers.get(b"sec-fetch-site") == "cross-site" or not validate_host(host, settings.ALLOWED_HOSTS):
        return await _refuse(send, 403)
    actor = (await hub.ask(rights.actors_of, {key})).get(key) if key else None
    if actor is None or key is None:
        return await _refuse(send, 401)
    query = {name: values[0] for name, values in parse_qs(scope["query_string"].decode("latin-1")).items()}
    wanted = query.get("topics", "").split(",")
    topics = await hub.ask(_allowed_topics, actor, wanted[:20])
    stream = Stream(key, actor, topics)
    if hub.is_full(key):
        return await _refuse(send, 429)
    try:
        await hub.add(stream, _moment(query.get("since", "")))
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await _pour(stream, receive, send)
    finally:
        hub.remove(stream)


async def _pour(stream: Stream, receive: Receive, send: Send) -> None:
    gone = asyncio.create_task(_until_gone(receive))
    try:
        await send({"type": "http.response.body", "body": b"retry: 2000\n: hello\n\n", "more_body": True})
        while not gone.done():
            getter = asyncio.create_task(stream.queue.get())
            await asyncio.wait({getter, gone}, timeout=timing().stream_comment_s, return_when=asyncio.FIRST_COMPLETED)
            if not getter.done():
                getter.cancel()
                data: bytes | None = b": still here\n\n"
            else:
                data = getter.result()
            if data is None or gone.done():
                break
            await send({"type": "http.response.body", "body": data, "more_body": True})
        if not gone.done():
            await send({"type": "http.response.body", "body": b"", "more_body": False})
    finally:
        gone.cancel()


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _refuse(send: Send, status: int) -> None:
    """204 tells an EventSource to stop for good; 401 and 403 do the same and say why."""
    await send({"type": "http.response.start", "status": status, "headers": HEADERS})
    await send({"type": "http.response.body", "body": b""})


def _moment(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _session_key(cookie: str) -> str | None:
    try:
        morsel = SimpleCookie(cookie).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return None
    return morsel.value if morsel and morsel.value.isalnum() else None


def _allowed_topics(actor: Actor, wanted: list[str]) -> frozenset[str]:
    """Of the topics asked for, those that exist and that the actor may see; frames are narrowed by team besides."""
    return frozenset(
        topic
        for topic in wanted
        if (topic in TOPICS and allowed(actor, TOPICS[topic])) or _may_see_machine(actor, topic)
    )


def _may_see_machine(actor: Actor, topic: str) -> bool:
    if not ONE_INSTANCE.fullmatch(topic):
        return False
    return visible_instances(actor).filter(pk=int(topic.partition(":")[2])).exists()
