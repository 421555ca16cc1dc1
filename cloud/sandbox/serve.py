"""The server process around the application: uvicorn, quiet, and quick to end."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from cloud.sandbox.transport import WiredProtocol


class PromptServer(uvicorn.Server):
    """Ends within a second of SIGTERM or SIGINT, with exit code 0, whoever still hangs on."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        with super().capture_signals():
            yield
            # Else uvicorn would raise the signal again, and the process would end as if killed by it.
            self._captured_signals.clear()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        self.force_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Cut the connections first: calls that hang in a fault see that and end by themselves.
        for connection in list(self.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()
        await asyncio.sleep(0.05)
        for task in list(self.server_state.tasks):
            task.cancel()
        await super().shutdown(sockets)


def serve(app: ASGIApp, *, host: str, port: int) -> None:
    """Serve until a signal says to end."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=WiredProtocol,
        ws="none",
        lifespan="off",
        loop="asyncio",
        log_level="error",
        access_log=False,
        timeout_graceful_shutdown=1,
    )
    PromptServer(config).run()
