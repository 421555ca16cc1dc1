"""What the provider accepts. Each check gives the value back, or raises ApiError 400 naming the field."""

import base64
import binascii
import ipaddress
import re

from cloud.sandbox.errors import invalid

LAUNCH_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]")
RENAME_NAME = re.compile(r"[a-zA-Z0-9_-]{3,64}")
USERNAME = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
KEY_TYPES = frozenset(
    {
        "ssh-rsa",
        "ssh-ed25519",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "sk-ssh-ed25519@openssh.com",
        "sk-ecdsa-sha2-nistp256@openssh.com",
    }
)
MAX_PORT = 65535


def launch_name(name: str, *, strict: bool) -> str:
    """2 to 64 characters at launch; not strict means the rules of rename."""
    if not strict:
        return rename_name(name)
    if len(name) > 64 or not LAUNCH_NAME.fullmatch(name):
        raise invalid("name", "must match ^[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]$ and have at most 64 characters")
    return name


def rename_name(name: str) -> str:
    if not RENAME_NAME.fullmatch(name):
        raise invalid("name", "must be 3-64 characters, alphanumeric with hyphens and underscores")
    return name


def username(name: str) -> str:
    if not USERNAME.fullmatch(name):
        raise invalid("username", "must be a valid Linux user name")
    return name


def ssh_key(key: str, *, newline_rejected: bool) -> str:
    """`type base64 [comment]`, where the base64 begins with the same type, as OpenSSH writes it."""
    if newline_rejected and key != key.rstrip("\r\n"):
        raise invalid("ssh_key", "must not end with a newline")
    parts = key.strip().split(None, 2)
    if len(parts) < 2 or parts[0] not in KEY_TYPES or "\n" in key.strip():
        raise invalid("ssh_key", "must be one public key: type, base64 and an optional comment")
    try:
        blob = base64.b64decode(parts[1], validate=True)
    except (binascii.Error, ValueError):
        raise invalid("ssh_key", "is not valid base64") from None
    kind = parts[0].encode()
    if not blob.startswith(len(kind).to_bytes(4, "big") + kind):
        raise invalid("ssh_key", "its data is not that of a " + parts[0])
    return key.strip()


def ports(name: str, text: str) -> str:
    """`22`, a range `80:443`, or a list `80,443` (which may hold ranges)."""
    for part in text.split(","):
        ends = part.split(":")
        # isascii: "²".isdigit() is true and int() of it fails.
        if len(ends) > 2 or not all(end.isascii() and end.isdigit() and 1 <= int(end[:6]) <= MAX_PORT for end in ends):
            raise invalid(name, "must be a port, a range like 80:443 or a list like 80,443")
        if len(ends) == 2 and int(ends[0]) >= int(ends[1]):
            raise invalid(name, "the range must go upwards")
    return text


def network(name: str, text: str) -> str:
    """An address or a CIDR whose host bits are zero."""
    try:
        ipaddress.ip_network(text, strict=True)
    except ValueError:
        raise invalid(name, "must be an IP address or a CIDR such as 192.168.1.0/24") from None
    return text


def one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise invalid(name, "must be one of " + ", ".join(allowed))
    return value


def between(name: str, value: int, low: int, high: int) -> int:
    if not low <= value <= high:
        raise invalid(name, f"must be between {low} and {high}")
    return value


def time_of_day(text: str) -> tuple[int, int]:
    """`03:00` as hour and minute."""
    match = re.fullmatch(r"([01][0-9]|2[0-3]):([0-5][0-9])", text)
    if not match:
        raise invalid("time_utc", "must be a time such as 03:00")
    return int(match[1]), int(match[2])
