"""Below HTTP: a protocol that hands its connection to the application, and what faults do to that connection."""

import asyncio
import socket
import struct
from collections.abc import MutableMapping
from email.utils import formatdate
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LINGER_ZERO = struct.pack("ii", 1, 0)
STATE_KEY = "wire"


class WiredProtocol(HttpToolsProtocol):
    """uvicorn's own protocol; the application finds the connection in `scope["state"]["wire"]`."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"][STATE_KEY] = Wire(self.transport)


class Wire:
    """One client's connection. What is written here goes past uvicorn, so close it when done."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    @property
    def gone(self) -> bool:
        return self._transport.is_closing()

    def write(self, data: bytes) -> None:
        if not self.gone:
            self._transport.write(data)

    def close(self) -> None:
        """An orderly end (FIN) after what was written."""
        self._transport.close()

    def reset(self) -> None:
        """An abrupt end: with a linger of zero the kernel sends RST, and the client reads ECONNRESET."""
        sock = self._transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
        self._transport.abort()


def wire_of(scope: MutableMapping[str, Any]) -> Wire | None:
    """The connection of a call, None when the application runs without a server."""
    wire = scope.get("state", {}).get(STATE_KEY)
    return wire if isinstance(wire, Wire) else None


def head(status: int, headers: list[tuple[bytes, bytes]]) -> bytes:
    """Status line and headers as they go over the wire."""
    phrase = HTTPStatus(status).phrase if status in HTTPStatus.__members__.values() else ""
    lines = [f"HTTP/1.1 {status} {phrase}".encode(), b"date: " + formatdate(usegmt=True).encode()]
    lines += [name + b": " + value for name, value in headers]
    return b"\r\n".join([*lines, b"connection: close", b"", b""])
