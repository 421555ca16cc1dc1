"""The application: the provider's API under /api/v1, the control door beside it, the gate around both."""

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute
from starlette.types import ASGIApp

from cloud.sandbox.control import control_app
from cloud.sandbox.errors import ApiError
from cloud.sandbox.gate import Gate, naming
from cloud.sandbox.routes import ROUTERS
from cloud.sandbox.routes.call import answer
from cloud.sandbox.sandbox import Sandbox


def endpoints() -> list[tuple[str, str, str]]:
    """(name, method, path after /api/v1) of every endpoint, in the order in which they are tried."""
    return [
        (route.name, method, route.path)
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in sorted(route.methods or ())
    ]


def create_app(sandbox: Sandbox) -> ASGIApp:
    """The ASGI application of one sandbox."""
    api = FastAPI(
        title="Blue Lobster Instance API (sandbox)",
        version="1",
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    api.state.sandbox = sandbox
    for router in ROUTERS:
        api.include_router(router)
    api.add_exception_handler(ApiError, _refuse)
    return Gate(sandbox, api, control_app(sandbox), naming(endpoints()))


async def _refuse(request: Request, error: Exception) -> Response:
    if not isinstance(error, ApiError):
        raise error
    sandbox: Sandbox = request.app.state.sandbox
    response = answer(error.body(mixed_shapes=sandbox.world.meta.quirks["error_shapes"]))
    response.status_code = error.status
    return response
