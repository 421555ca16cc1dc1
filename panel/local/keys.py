"""The keys of an installation on this machine, made once, readable by its user alone."""

import base64
import secrets

from nacl.public import PrivateKey

from panel.local.home import keep_secret, secret_of
from panel.settings.paths import Paths

# No letters or digits that people take for one another.
LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"


def make(files: Paths) -> None:
    """The keys that are missing. The workers' public key follows from the private one."""
    secret_of(files.keys / "secret_key")
    private, public = files.keys / "worker.key", files.keys / "worker.pub"
    if not private.exists():
        keep_secret(private, base64.b64encode(bytes(PrivateKey.generate())).decode())
        public.unlink(missing_ok=True)
    if not public.exists():
        key = PrivateKey(base64.b64decode(private.read_text()))
        keep_secret(public, base64.b64encode(bytes(key.public_key)).decode())


def new_password() -> str:
    """80 bits in four groups that can be read out and typed."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(4))
