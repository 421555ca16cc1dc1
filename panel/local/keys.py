"""The keys of an installation on this machine, made once, readable by its user alone."""

import base64
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import SupportsBytes

from nacl.public import PrivateKey
from nacl.signing import SigningKey

from panel.local.home import keep_secret, secret_of
from panel.settings.paths import Paths

# No letters or digits that people take for one another.
LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"


def make(files: Paths) -> None:
    """The keys that are missing. Public ones follow from the private ones."""
    secret_of(files.keys / "secret_key")
    _pair(files.keys / "worker.key", PrivateKey.generate, lambda raw: bytes(PrivateKey(raw).public_key))
    _pair(files.keys / "record.key", SigningKey.generate, lambda raw: bytes(SigningKey(raw).verify_key))


def _pair(private: Path, new: Callable[[], SupportsBytes], public_of: Callable[[bytes], bytes]) -> None:
    public = private.with_suffix(".pub")
    if not private.exists():
        keep_secret(private, base64.b64encode(bytes(new())).decode())
        public.unlink(missing_ok=True)
    if not public.exists():
        keep_secret(public, base64.b64encode(public_of(base64.b64decode(private.read_text()))).decode())


def new_password() -> str:
    """80 bits in four groups that can be read out and typed."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(4))
