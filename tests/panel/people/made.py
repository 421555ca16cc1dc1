"""Public keys made by hand, with nothing of ours: the type's fields, each with its length in front."""

import base64
import hashlib
import struct


def packed(*fields: bytes) -> bytes:
    return b"".join(struct.pack(">I", len(field)) + field for field in fields)


def written(kind: str, data: bytes, comment: str = "") -> str:
    return f"{kind} {base64.b64encode(data).decode()} {comment}".strip()


def mpint(number: int) -> bytes:
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def ed25519(seed: str = "olga", comment: str = "olga@laptop") -> str:
    """Always the same for one seed."""
    return written("ssh-ed25519", packed(b"ssh-ed25519", hashlib.sha256(seed.encode()).digest()), comment)


def rsa(bits: int) -> str:
    return written("ssh-rsa", packed(b"ssh-rsa", mpint(65537), mpint((1 << bits - 1) + 1)))


def ecdsa(curve: bytes = b"nistp256", size: int = 32) -> str:
    kind = b"ecdsa-sha2-" + curve
    return written(kind.decode(), packed(kind, curve, b"\x04" + bytes(2 * size)))
