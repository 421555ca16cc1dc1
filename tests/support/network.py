"""The closed network: tests reach this machine and nothing else."""

import ipaddress
import socket
from typing import Any

import pytest

Address = Any  # a path, or (host, port, …)


class NetworkIsClosed(RuntimeError):
    """A test tried to leave this machine. Not an OSError: code under test must not take it for a provider's failure."""


def _is_local(address: Address) -> bool:
    if isinstance(address, str | bytes):
        return True  # a Unix socket
    host = str(address[0])
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def close(patch: pytest.MonkeyPatch) -> None:
    """Let only loopback addresses, Unix sockets and names that are none (.invalid) through."""
    connect, connect_ex, resolve = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: Address) -> None:
        _check(address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Address) -> int:
        _check(address)
        return connect_ex(self, address)

    def guarded_resolve(host: Any, *args: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name and name.endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        _check((name or "127.0.0.1",))
        return resolve(host, *args, **options)

    patch.setattr(socket.socket, "connect", guarded_connect)
    patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
    patch.setattr(socket, "getaddrinfo", guarded_resolve)


def _check(address: Address) -> None:
    if not _is_local(address):
        raise NetworkIsClosed(f"A test wanted to reach {address!r}.")
