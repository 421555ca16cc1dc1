"""A checkpoint as text: what is signed, what stands in a line outside the database, and whose signature it is.

Ed25519 (PyNaCl). The private key stands in a file that the sweeper alone may read; anybody may have the public one.
"""

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import msgspec
from django.conf import settings
from nacl.exceptions import CryptoError
from nacl.signing import SigningKey, VerifyKey

from panel.audit.canonical import instant
from panel.audit.models import Checkpoint

PURPOSE = b"tidepool checkpoint 1\n"  # so that no signature of ours means anything else
MARK = '{"checkpoint":'


class NoKey(Exception):
    """This process holds no key to sign with."""


class Claim(msgspec.Struct, frozen=True, rename={"number": "checkpoint"}):
    """At `at` the record ended with row `sequence`, whose hash was `hash`."""

    number: int
    at: str
    sequence: int
    hash: str
    key_id: str
    signature: str = ""

    def line(self) -> str:
        """One line of JSON, as it stands in the file and on standard output."""
        return f"{msgspec.json.encode(self).decode()}\n"

    def statement(self) -> bytes:
        """What is signed: all of it but the signature."""
        return PURPOSE + msgspec.json.encode(msgspec.structs.replace(self, signature=""))


def claim_of(row: Checkpoint) -> Claim:
    return Claim(row.number, instant(row.at), row.sequence, row.hash, row.key_id, row.signature)


def read_line(line: str) -> Claim | None:
    """The claim in a line of the file, or of a log with something before it; None when it holds no whole one."""
    start = line.find(MARK)
    try:
        return msgspec.json.decode(line[start:], type=Claim) if start >= 0 else None
    except (msgspec.DecodeError, UnicodeEncodeError):
        return None


def new_keys() -> tuple[str, str]:
    """A fresh pair (private, public), each as base64 text."""
    key = SigningKey.generate()
    return _text(bytes(key)), _text(bytes(key.verify_key))


def public_of(private: str) -> str:
    return _text(bytes(SigningKey(base64.b64decode(private)).verify_key))


def signed(claim: Claim, key: SigningKey) -> Claim:
    return msgspec.structs.replace(claim, signature=_text(key.sign(claim.statement()).signature))


def is_signed(claim: Claim, keys: Mapping[str, VerifyKey]) -> bool:
    """Whether one of the public keys, by their ids, signed just this."""
    key = keys.get(claim.key_id)
    try:
        return key is not None and bool(key.verify(claim.statement(), base64.b64decode(claim.signature)))
    except (CryptoError, ValueError):
        return False


def signing_key() -> SigningKey:
    """This process's key. Raises NoKey."""
    return _read_key(settings.RECORD_KEY_FILE)


@cache
def _read_key(path: str) -> SigningKey:
    try:
        return SigningKey(base64.b64decode(Path(path).read_text().strip()))
    except (OSError, ValueError, CryptoError) as error:
        raise NoKey(f"{path} holds no key to sign checkpoints of the record with.") from error


def key_id(key: VerifyKey) -> str:
    return hashlib.sha256(bytes(key)).hexdigest()[:16]


def public_keys(text: str) -> dict[str, VerifyKey]:
    """Public keys by id, from base64 text with blanks between them: a key that was replaced still proves old claims.

    Raises ValueError.
    """
    try:
        keys = [VerifyKey(base64.b64decode(word)) for word in text.split()]
    except CryptoError as error:
        raise ValueError("This is no public key.") from error
    return {key_id(key): key for key in keys}


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
