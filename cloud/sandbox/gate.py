"""The way in, around the application: the request log, the edge, the key, the pace, and the faults."""

import asyncio
import json
import re
import time
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloud.sandbox import tasks, timetable
from cloud.sandbox.errors import unauthorized
from cloud.sandbox.journal import CallEntry
from cloud.sandbox.playing import play, read_whole
from cloud.sandbox.sandbox import Sandbox
from cloud.sandbox.transport import wire_of
from cloud.sandbox.world import Caller

BASE = "/api/v1"
CONTROL = "/__sandbox__/"
OPENAPI = f"{BASE}/openapi.json"
LAUNCHES = frozenset({"launch_instance", "launch_custom"})
# Far above the two calls a second of a careful client, and faster with the sandbox's speed.
CALLS_PER_S = 20.0
BURST = 200.0

Names = Callable[[str, str], str]  # method and path after /api/v1 -> endpoint name, "" for none


def naming(routes: list[tuple[str, str, str]]) -> Names:
    """How to name calls, from (name, method, path) rows in the order in which the application tries them."""
    rows = [(name, method, re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path))) for name, method, path in routes]

    def named(method: str, path: str) -> str:
        return next((name for name, verb, shape in rows if verb == method and shape.fullmatch(path)), "")

    return named


class Gate:
    """ASGI application around the provider's API (`api`) and the control door (`control`)."""

    def __init__(self, sandbox: Sandbox, api: ASGIApp, control: ASGIApp, named: Names) -> None:
        self._sandbox = sandbox
        self._api = api
        self._control = control
        self._named = named
        self._tokens, self._filled_at = BURST, 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._api(scope, receive, send)
        elif scope["path"].startswith(CONTROL):
            self._settle()
            await self._control(scope, receive, send)
        else:
            await self._provider(scope, receive, send)

    async def _provider(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        entry = self._sandbox.journal.open(self._entry(scope, headers))
        scope["caller"] = Caller(entry.endpoint, entry.method, entry.path, entry.request_id)
        scope["root_path"] = BASE
        started = time.monotonic()

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry.status = message["status"]
            await send(message)

        try:
            await self._answer(entry, headers, scope, receive, noting)
        except asyncio.CancelledError:
            # The process is ending and the connection is cut already: nobody is left to answer.
            if wire_of(scope) is None:
                raise
        finally:
            entry.seconds = round(time.monotonic() - started, 6)

    def _entry(self, scope: Scope, headers: Headers) -> CallEntry:
        sandbox, path, method = self._sandbox, scope["path"], scope["method"]
        return CallEntry(
            seq=0,
            at=sandbox.world.clock.now(),
            method=method,
            path=path,
            query=scope["query_string"].decode("latin-1"),
            endpoint=self._named(method, path.removeprefix(BASE)),
            user_agent=headers.get("user-agent", ""),
            request_id=headers.get("x-request-id") or sandbox.world.new_id(),
        )

    async def _answer(self, entry: CallEntry, headers: Headers, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(entry, headers)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        if entry.endpoint in LAUNCHES:
            body, receive = await read_whole(receive)
            entry.name = _name_in(body)
        fault = self._sandbox.plan.take(entry.endpoint, entry.method, entry.path.removeprefix(BASE), entry.name)
        if fault is None:
            await self._call(scope, receive, send)
        else:
            entry.fault = fault.kind
            await play(fault, self._call, scope, receive, send)

    async def _call(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._settle()
        await self._api(scope, receive, send)

    def _settle(self) -> None:
        """Bring the world to this moment before anybody looks at it."""
        world = self._sandbox.world
        timetable.run_due(world)
        tasks.settle(world)
        world.save()

    def _refusal(self, entry: CallEntry, headers: Headers) -> Response | None:
        """What keeps a call from getting in, None for nothing."""
        quirks = self._sandbox.world.meta.quirks
        if quirks["edge_rejects_agents"] and entry.user_agent.lower().startswith("python-urllib"):
            return HTMLResponse("<html><body><h1>403 Forbidden</h1>error code: 1010</body></html>", 403)
        if not entry.path.startswith(BASE + "/"):
            return JSONResponse({"detail": "Not Found"}, 404)
        if entry.path == OPENAPI:
            return None  # published: needs no key
        if headers.get("x-api-key") != self._sandbox.key:
            return JSONResponse(unauthorized().body(mixed_shapes=False), 401)
        if quirks["rate_limited"] and not self._token():
            body = {"error": "rate_limited", "message": "Too many requests"}
            return JSONResponse(body, 429, headers={"retry-after": "1"})
        return None

    def _token(self) -> bool:
        """Take one from the bucket, False when it is empty."""
        clock = self._sandbox.world.clock
        passed, self._filled_at = max(0.0, clock.now() - self._filled_at), clock.now()
        self._tokens = min(BURST, self._tokens + passed * CALLS_PER_S * max(1.0, clock.speed))
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


def _name_in(body: bytes) -> str:
    """What a launch asks for to be called; "" when it does not say."""
    try:
        asked = json.loads(body)
    except ValueError:
        return ""
    return str(asked.get("name") or "") if isinstance(asked, dict) else ""
