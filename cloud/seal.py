"""Secrets for the workers: anybody may seal, only a worker can open.

A sealed box (X25519, XSalsa20-Poly1305; PyNaCl) needs the public key alone. Web processes are given just that: they
can store a provider's key and cannot read one.
"""

import base64
import json
from functools import cache
from pathlib import Path

from django.conf import settings
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox


class CannotOpen(Exception):
    """This process holds no workers' key, or the text was sealed to another one."""


def new_keys() -> tuple[str, str]:
    """A fresh pair (private, public), each as base64 text."""
    private = PrivateKey.generate()
    return _text(bytes(private)), _text(bytes(private.public_key))


def seal(secret: str) -> str:
    """The secret as base64 text that only a worker can open."""
    box = SealedBox(PublicKey(base64.b64decode(settings.WORKER_PUBLIC_KEY)))
    return _text(box.encrypt(secret.encode()))


def seal_key(key: str, base_url: str) -> str:
    """A provider's key together with the address that it is for: whoever can write the row cannot send it elsewhere."""
    return seal(json.dumps({"key": key, "base_url": base_url}))


def unseal_key(sealed: str, base_url: str) -> str:
    """The key again. Raises CannotOpen outside a worker, and for another address than it was sealed for."""
    try:
        told = json.loads(unseal(sealed))
        is_for_this = told["base_url"] == base_url
    except (ValueError, KeyError, TypeError) as error:
        raise CannotOpen("This is no provider's key.") from error
    if not is_for_this:
        raise CannotOpen("The address is not the one that this key was stored for.")
    return str(told["key"])


def unseal(sealed: str) -> str:
    """The secret again. Raises CannotOpen outside a worker."""
    try:
        return SealedBox(_private_key()).decrypt(base64.b64decode(sealed)).decode()
    except (CryptoError, ValueError, TypeError) as error:
        raise CannotOpen("This secret was sealed to another worker key.") from error


@cache
def _private_key() -> PrivateKey:
    try:
        return PrivateKey(base64.b64decode(Path(settings.WORKER_PRIVATE_KEY_FILE).read_text().strip()))
    except OSError as error:
        raise CannotOpen("This process holds no workers' key.") from error


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
