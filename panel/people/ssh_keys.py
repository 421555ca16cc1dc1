"""Is this text one public SSH key? It goes into machines as it stands here, so the shape is checked to the last byte.

A private key is recognised first, also a piece of one: its words say so, and who gets `PrivateKey` shows nothing of it.
Source: RFC 4253 6.6 (RSA), RFC 5656 3.1 (ECDSA), RFC 8709 4 (Ed25519), OpenSSH's PROTOCOL.u2f ("sk-").
"""

import base64
import binascii
import hashlib
import re
import unicodedata
from dataclasses import dataclass

from django.utils.translation import gettext as _

MAX_LENGTH = 16 * 1024
MAX_COMMENT = 100
RSA_BITS = range(2048, 16384 + 1)  # below is refused by us, above by OpenSSH
_CURVES = {b"nistp256": 32, b"nistp384": 48, b"nistp521": 66}  # the length of one coordinate

KINDS = (
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
)

_PRIVATE = re.compile(
    r"BEGIN\s+(?:[A-Z0-9]+\s+){0,3}PRIV|PRIVATE\s+KEY\s*-"  # PEM and OpenSSH, first or last line
    r"|PuTTY-User-Key-File|^[ \t]*Private-(?:Lines|MAC|Hash)\s*:"
    r"|b3BlbnNzaC1rZXktdjE",  # "openssh-key-v1" in base64: the body without its first line
    re.IGNORECASE | re.MULTILINE,
)
# A long line of bare base64 that is not a public key's, which begins with the length and the name of its type.
# Four times "A" alone may begin a line of a private key too.
_TYPES = "B3NzaC1|C3NzaC1lZDI1NTE5|E2VjZHNhLXNoYTIt|GnNrLXNzaC1|InNrLWVjZHNh"
_BARE_BODY = re.compile(rf"^[ \t]*(?!AAAA(?:{_TYPES}))[A-Za-z0-9+/]{{40,}}={{0,2}}[ \t]*$", re.MULTILINE)


class BadKey(ValueError):
    """`words`: a sentence for the person who typed it. Holds nothing of what was typed."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class PrivateKey(BadKey):
    """A secret, or what looks like one: never stored, never shown again."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "This is a private key. It must never leave your computer: it was not stored. "
                "Paste the file that ends in .pub."
            )
        )


@dataclass(frozen=True)
class PublicKey:
    kind: str
    blob: str
    comment: str = ""

    @property
    def line(self) -> str:
        """As it stands in an authorized_keys file, without a newline."""
        return f"{self.kind} {self.blob} {self.comment}".strip()

    @property
    def fingerprint(self) -> str:
        """As `ssh-keygen -l` prints it."""
        digest = hashlib.sha256(base64.b64decode(self.blob)).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")

    @property
    def short(self) -> str:
        """Enough to tell two keys apart: "ed25519 …f3Qk", with the last signs of the key as its file shows them."""
        kind = self.kind.partition("@")[0].replace("ssh-", "").replace("ecdsa-sha2-", "ecdsa-")
        return f"{kind} …{self.blob.rstrip('=')[-4:]}"


def checked(text: str) -> PublicKey:
    """The one public key in `text`. Raises PrivateKey, or BadKey with words that say what to paste instead."""
    if is_private(text):
        raise PrivateKey
    if len(text.encode(errors="replace")) > MAX_LENGTH:
        raise BadKey(_("This is too long for a public key. It is one line from the file that ends in .pub."))
    kind, blob, comment = _parts(_one_line(text))
    try:
        data = base64.b64decode(blob, validate=True)
    except (binascii.Error, ValueError):
        raise _damaged() from None
    if base64.b64encode(data).decode() != blob:  # left-over bits: two spellings of one key
        raise _damaged()
    _check_data(kind, data)
    return PublicKey(kind, blob, comment)


def is_private(text: str) -> bool:
    """Also true for a piece of one: long lines of base64 that no public key has."""
    text = text.replace("\r", "\n")
    if _PRIVATE.search(text):
        return True
    is_public = "PUBLIC KEY" in text or text.lstrip().startswith(KINDS)
    return not is_public and _BARE_BODY.search(text) is not None


def _one_line(text: str) -> str:
    lines = [line.strip() for line in text.replace("\r", "\n").split("\n") if line.strip()]
    if not lines:
        raise BadKey(_("Paste a public key: the line from the file that ends in .pub."))
    if "PUBLIC KEY" in lines[0]:
        raise BadKey(
            _("This is a public key in another form. Paste the one line that begins with ssh-ed25519 or ssh-rsa.")
        )
    if sum(line.startswith(KINDS) for line in lines) > 1:
        raise _several()
    if len(lines) > 1:
        raise BadKey(_("The key must stand on one line. Copy it again without line breaks, and nothing beside it."))
    if any(unicodedata.category(sign) == "Cc" and sign != "\t" for sign in lines[0]):
        raise BadKey(_("There are control characters in the key. Copy it again from the file that ends in .pub."))
    return lines[0]


def _parts(line: str) -> tuple[str, str, str]:
    kind, *rest = line.split()
    if kind == "ssh-dss":
        raise BadKey(
            _("DSA keys (ssh-dss) are no longer safe and machines refuse them. Make a new one: ssh-keygen -t ed25519")
        )
    if kind not in KINDS:
        raise BadKey(_wrong_start(kind, rest))
    if not rest:
        raise BadKey(_("Only the type is here; the key itself is missing. Copy the whole line."))
    if any(word in KINDS for word in rest):
        raise _several()
    return kind, rest[0], printable(" ".join(rest[1:]))


def _wrong_start(first: str, rest: list[str]) -> str:
    if any(word in KINDS for word in rest):
        return _("There are options in front of the key. Paste only the part from its type on, such as ssh-ed25519.")
    if first.startswith("AAAA"):
        return _("The type in front is missing, such as ssh-ed25519. Copy the whole line.")
    return _("This is not a public SSH key that we know. It begins with ssh-ed25519, ssh-rsa or ecdsa-sha2-nistp256.")


def printable(text: str) -> str:
    return "".join(sign for sign in text if sign.isprintable())[:MAX_COMMENT].strip()


def _check_data(kind: str, data: bytes) -> None:
    """The fields inside must be those of the type outside, to the last byte."""
    fields = _fields(data)
    if fields[0] != kind.encode():
        raise _damaged()
    match kind.removesuffix("@openssh.com").removeprefix("sk-"), fields[1:]:
        case "ssh-rsa", [exponent, modulus]:
            _check_rsa(exponent, modulus)
        case "ssh-ed25519", [point, *application] if len(point) == 32:
            _check_application(kind, application)
        case name, [curve, point, *application] if name == f"ecdsa-sha2-{curve.decode(errors='replace')}":
            if not point.startswith(b"\x04") or len(point) != 1 + 2 * _CURVES[curve]:
                raise _damaged()
            _check_application(kind, application)
        case _:
            raise _damaged()


def _check_application(kind: str, application: list[bytes]) -> None:
    """Keys of a security stick name their application ("ssh:"), others have no such field."""
    if len(application) != kind.startswith("sk-") or b"" in application:
        raise _damaged()


def _check_rsa(exponent: bytes, modulus: bytes) -> None:
    e, n = int.from_bytes(exponent, "big", signed=True), int.from_bytes(modulus, "big", signed=True)
    if e < 3 or not e & 1 or n < 1 or not n & 1:
        raise _damaged()
    if n.bit_length() not in RSA_BITS:
        raise BadKey(
            _("This RSA key has %(bits)d bits. Use one with 2048 to 16384 bits, or better: ssh-keygen -t ed25519")
            % {"bits": n.bit_length()}
        )


def _fields(data: bytes) -> list[bytes]:
    """Each is four bytes of length and that many bytes."""
    fields = []
    while data:
        end = 4 + int.from_bytes(data[:4], "big")
        if len(data) < max(4, end):
            raise _damaged()
        fields.append(data[4:end])
        data = data[end:]
    if not fields:
        raise _damaged()
    return fields


def _damaged() -> BadKey:
    return BadKey(_("The key is damaged: something is missing or was changed. Copy the whole line again."))


def _several() -> BadKey:
    return BadKey(_("There are several keys here. Paste one; you can add the others after it."))
