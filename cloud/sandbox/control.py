"""The control door, /__sandbox__/: look inside, break things, change the world. No key; bind it to loopback only.

    GET    state                 the whole picture; ?instance=ID gives one machine as it truly is
    GET    commits?since=0&limit=1000     writes that took effect: {commits, last}
    GET    requests?since=0&limit=1000    calls that came in: {requests, last, log}
    GET    faults                rules in force, with `played`
    POST   faults                {"rules": [{"kind": …}], "replace": false, "seed": null} -> {"ids": [1]}; see faults
    DELETE faults                all, or ?id=1&id=2
    POST   quirks                {"detail_power_null": false} or {"all": false}   see quirks.QUIRKS
    POST   world                 one action {"do": "set", "id": …, "fields": {…}} or {"actions": [ … ]}   see changes
    POST   reset                 {"machines": 24, "seed": 7, "speed": 1}, each optional
    POST   speed                 {"speed": 20}

A body that is not understood answers 400 `{"error": "bad_request", "message": …}` and changes nothing.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cloud.sandbox.capacity import regions_with_room
from cloud.sandbox.catalogue import TYPES
from cloud.sandbox.changes import AnyChange
from cloud.sandbox.clock import iso
from cloud.sandbox.errors import ApiError
from cloud.sandbox.faults import Fault
from cloud.sandbox.quirks import QUIRKS
from cloud.sandbox.sandbox import DEFAULT_MACHINES, Sandbox
from cloud.sandbox.tasks import OPEN_STATES
from cloud.sandbox.world import set_speed

MAX_LIMIT = 10_000


class FaultsBody(msgspec.Struct, forbid_unknown_fields=True):
    """`seed` throws the dice of `probability` anew."""

    rules: list[Fault]
    replace: bool = False
    seed: int | None = None


class ActionsBody(msgspec.Struct, forbid_unknown_fields=True):
    actions: list[AnyChange]


class ResetBody(msgspec.Struct, forbid_unknown_fields=True):
    machines: int = DEFAULT_MACHINES
    seed: int | None = None
    speed: float | None = None


class SpeedBody(msgspec.Struct, forbid_unknown_fields=True):
    speed: float


def control_app(sandbox: Sandbox) -> Starlette:
    """The door's own application, so that it is not in the provider's openapi.json."""
    door = Door(sandbox)
    routes = [
        ("GET", "state", door.state),
        ("GET", "commits", door.commits),
        ("GET", "requests", door.requests),
        ("GET", "faults", door.faults),
        ("POST", "faults", door.add_faults),
        ("DELETE", "faults", door.clear_faults),
        ("POST", "quirks", door.quirks),
        ("POST", "world", door.world),
        ("POST", "reset", door.reset),
        ("POST", "speed", door.speed),
    ]
    return Starlette(
        routes=[Route(f"/__sandbox__/{path}", _json(handler), methods=[method]) for method, path, handler in routes],
        exception_handlers={msgspec.MsgspecError: _bad_request, ValueError: _bad_request, ApiError: _refused},
    )


def _json(handler: Callable[[Request], Awaitable[Any]]) -> Callable[[Request], Awaitable[Response]]:
    async def respond(request: Request) -> Response:
        return Response(msgspec.json.encode(await handler(request)), media_type="application/json")

    return respond


async def _bad_request(_request: Request, error: Exception) -> Response:
    return JSONResponse({"error": "bad_request", "message": str(error)}, 400)


async def _refused(_request: Request, error: Exception) -> Response:
    if not isinstance(error, ApiError):
        raise error
    return JSONResponse(error.body(mixed_shapes=False), error.status)


def _window(request: Request) -> tuple[int, int]:
    """`since` and `limit` of the query."""
    query = request.query_params
    return int(query.get("since", 0)), min(MAX_LIMIT, max(0, int(query.get("limit", 1000))))


class Door:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def state(self, request: Request) -> Any:
        world = self._sandbox.world
        wanted = request.query_params.get("instance")
        if wanted is not None:
            return world.instances.get(wanted) or world.gone.get(wanted)
        played = world.clock.played()
        return {
            "now": iso(world.clock.now()),
            "played_s": played,
            "speed": world.clock.speed,
            "seed": world.meta.seed,
            "instances": len(world.instances),
            "creating": [each.uuid for each in world.instances.values() if each.creating],
            "gone": list(world.gone),
            "tasks": len(world.tasks),
            "open_tasks": [each for each in world.tasks.values() if each.status in OPEN_STATES],
            "tasks_frozen": world.meta.tasks_frozen,
            "plans": world.meta.plans,
            "quirks": world.meta.quirks,
            "capacity": {name: regions_with_room(world.meta, name, played) for name in TYPES},
            "faults": self._sandbox.plan.rules,
            "last_commit": world.seq,
            "requests": self._sandbox.journal.count,
        }

    async def commits(self, request: Request) -> Any:
        return {"commits": self._sandbox.store.commits(*_window(request)), "last": self._sandbox.world.seq}

    async def requests(self, request: Request) -> Any:
        journal = self._sandbox.journal
        return {"requests": journal.since(*_window(request)), "last": journal.count, "log": journal.id}

    async def faults(self, _request: Request) -> Any:
        return {"rules": self._sandbox.plan.rules}

    async def add_faults(self, request: Request) -> Any:
        body = msgspec.json.decode(await request.body(), type=FaultsBody)
        if body.replace:
            self._sandbox.plan.clear()
        if body.seed is not None:
            self._sandbox.plan.reseed(body.seed)
        return {"ids": self._sandbox.plan.add(body.rules)}

    async def clear_faults(self, request: Request) -> Any:
        ids = [int(each) for each in request.query_params.getlist("id")]
        self._sandbox.plan.clear(ids or None)
        return {"rules": self._sandbox.plan.rules}

    async def quirks(self, request: Request) -> Any:
        switches = msgspec.json.decode(await request.body(), type=dict[str, bool])
        world = self._sandbox.world
        wanted = dict.fromkeys(QUIRKS, switches.pop("all")) if "all" in switches else {}
        unknown = switches.keys() - QUIRKS.keys()
        if unknown:
            raise ValueError("no such quirk: " + ", ".join(sorted(unknown)))
        world.set_quirks(wanted | switches)
        world.save()
        return world.meta.quirks

    async def world(self, request: Request) -> Any:
        raw = msgspec.json.decode(await request.body())
        many = isinstance(raw, dict) and "actions" in raw
        actions = msgspec.convert(raw if many else {"actions": [raw]}, ActionsBody).actions
        results = [action.apply(self._sandbox.world) for action in actions]
        self._sandbox.world.save()
        return {"results": results} if many else results[0]

    async def reset(self, request: Request) -> Any:
        body = msgspec.json.decode(await request.body() or b"{}", type=ResetBody)
        world = self._sandbox.world
        seed = world.meta.seed if body.seed is None else body.seed
        self._sandbox.reset(machines=body.machines, seed=seed, speed=_pace(body.speed or world.clock.speed))
        return {"machines": len(self._sandbox.world.instances), "seed": seed}

    async def speed(self, request: Request) -> Any:
        body = msgspec.json.decode(await request.body(), type=SpeedBody)
        set_speed(self._sandbox.world, _pace(body.speed))
        self._sandbox.world.save()
        return {"speed": body.speed}


def _pace(speed: float) -> float:
    if speed <= 0:
        raise ValueError("speed must be above 0")
    return speed
