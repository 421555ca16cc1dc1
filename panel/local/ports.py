"""TCP ports on this machine: is one free, who answers there."""

import http.client
import socket
from pathlib import Path

HOST = "127.0.0.1"


def is_free(port: int) -> bool:
    """Can we listen there? A browser tries ::1 first for `localhost`: nobody else may answer there either."""
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
    except OSError:
        return False
    try:
        with socket.create_connection(("::1", port), timeout=0.2):
            return False
    except OSError:
        return True


def any_free() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def kept(file: Path) -> int:
    """The port written down in the file while it is free, else a new one, written down."""
    try:
        port = int(file.read_text())
    except (FileNotFoundError, ValueError):
        port = 0
    if not 0 < port < 65536 or not is_free(port):
        port = any_free()
        file.write_text(f"{port}\n")
    return port


def status_of(port: int, path: str) -> int:
    """The HTTP status that path answers with on this machine; 0 for no answer."""
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", path, headers={"Host": f"localhost:{port}", "Connection": "close"})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()
