"""One public key and nothing else: what OpenSSH makes is taken, what is private or changed is refused in words."""

import base64
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from panel.people.ssh_keys import KINDS, MAX_COMMENT, BadKey, PrivateKey, checked, is_private
from tests.panel.people.made import ecdsa, ed25519, mpint, packed, rsa, written

ED25519 = b"ssh-ed25519"
STICK = b"sk-ssh-ed25519@openssh.com"
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
needs_openssh = pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="OpenSSH is not installed")


def refusal(text: str) -> str:
    with pytest.raises(BadKey) as refused:
        checked(text)
    assert not isinstance(refused.value, PrivateKey), refused.value.words
    return refused.value.words


@needs_openssh
@pytest.mark.parametrize("wanted", ["ed25519", "rsa -b 2048", "ecdsa -b 256", "ecdsa -b 384", "ecdsa -b 521"])
@pytest.mark.parametrize("form", ["RFC4716", "PEM", "PKCS8"])
def test_what_openssh_makes_is_known_for_what_it_is(tmp_path: Path, wanted: str, form: str) -> None:
    file = tmp_path / "key"
    command = ["ssh-keygen", "-q", "-m", form, "-N", "", "-C", "olga@work", "-f", str(file), "-t", *wanted.split()]
    subprocess.run(command, check=True)
    text = file.with_suffix(".pub").read_text()
    key = checked(text)
    said = subprocess.run(["ssh-keygen", "-lf", str(file)], capture_output=True, text=True, check=True).stdout
    assert key.fingerprint == said.split()[1]
    assert key.line == text.strip()
    private = file.read_text()
    with pytest.raises(PrivateKey):
        checked(private)
    for line in private.splitlines()[:-2]:  # the last line of the body may be a few signs
        assert is_private(line), line


@pytest.mark.parametrize(
    ("text", "short"),
    [
        (ed25519(), "ed25519 …"),
        (rsa(2048), "rsa …"),
        (rsa(16384), "rsa …"),
        (ecdsa(), "ecdsa-nistp256 …"),
        (ecdsa(b"nistp384", 48), "ecdsa-nistp384 …"),
        (ecdsa(b"nistp521", 66), "ecdsa-nistp521 …"),
        (written(STICK.decode(), packed(STICK, bytes(32), b"ssh:")), "sk-ed25519 …"),
        (
            written(KINDS[-1], packed(KINDS[-1].encode(), b"nistp256", b"\x04" + bytes(64), b"ssh:")),
            "sk-ecdsa-nistp256 …",
        ),
    ],
)
def test_every_kind_that_the_provider_takes_is_taken(text: str, short: str) -> None:
    key = checked(f"\n  {text}\t\r\n\r\n")
    assert key.line == text
    assert key.short.startswith(short)
    assert key.short.endswith(key.blob.rstrip("=")[-4:])


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----",
        "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----",
        "-----BEGIN OPENSSH PRIVA",
        "NSSH PRIVATE KEY-----",
        "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none",
        "Private-Lines: 1\nAAAAIGZ",
        "Private-MAC: 00",
        "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAE",
        "x" * 64,
        f"{ed25519()}\n-----BEGIN OPENSSH PRIVATE KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----\n" + "\n".join(["MIIE" * 16] * 400),
        "-----begin openssh private key-----",
    ],
)
def test_a_private_key_and_a_piece_of_one_are_recognised(text: str) -> None:
    for typed in (text, text.replace("\n", "\r\n"), f"\n\n  {text}\n"):
        with pytest.raises(PrivateKey) as refused:
            checked(typed)
        assert "never leave your computer" in refused.value.words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Paste a public key"),
        (" \r\n\t", "Paste a public key"),
        (f"{ed25519()}\n{ed25519('vera')}", "several keys"),
        (f"{ed25519()} {ed25519('vera')}", "several keys"),
        (f"{ed25519()[:40]}\n{ed25519()[40:]}", "on one line"),
        (f"# my key\n{ed25519()}", "on one line"),
        (f'command="rm -rf /" {ed25519()}', "options in front"),
        (f"no-pty,no-X11-forwarding {ed25519()}", "options in front"),
        (f"ssh-dss {ed25519().split()[1]}", "DSA keys"),
        ("ssh-ed25519-cert-v01@openssh.com AAAA", "not a public SSH key"),
        ("hello", "not a public SSH key"),
        (ed25519().split()[1], "type in front is missing"),
        ("ssh-ed25519", "key itself is missing"),
        ("ssh-ed25519 not-base64!", "damaged"),
        ("ssh-ed25519 ÄÖÜ", "damaged"),
        ("ssh-ed25519 AA", "damaged"),
        (ed25519().replace("ssh-ed25519", "ssh-rsa", 1), "damaged"),
        (written("ssh-ed25519", packed(ED25519, bytes(31))), "damaged"),
        (written("ssh-ed25519", packed(ED25519, bytes(32), b"more")), "damaged"),
        (written("ssh-ed25519", packed(ED25519, bytes(32)) + b"\0"), "damaged"),
        (written("ssh-ed25519", packed(ED25519)), "damaged"),
        (written(STICK.decode(), packed(STICK, bytes(32))), "damaged"),
        (written("ecdsa-sha2-nistp256", packed(b"ecdsa-sha2-nistp256", b"nistp384", b"\x04" + bytes(96))), "damaged"),
        (written("ecdsa-sha2-nistp256", packed(b"ecdsa-sha2-nistp256", b"nistp256", b"\x02" + bytes(64))), "damaged"),
        (written("ssh-rsa", packed(b"ssh-rsa", mpint(65537))), "damaged"),
        (written("ssh-rsa", packed(b"ssh-rsa", mpint(65536), mpint((1 << 2047) + 1))), "damaged"),
        (written("ssh-rsa", packed(b"ssh-rsa", mpint(65537), b"\xff" * 256)), "damaged"),
        (rsa(2047), "2047 bits"),
        (rsa(16385), "16385 bits"),
        (f"{ed25519()}\0", "control characters"),
        (f"{ed25519()} a\x1b[31mred", "control characters"),
        (f"{ed25519()} {'x ' * 9000}", "too long"),
        ("-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA\n", "another form"),
        ('---- BEGIN SSH2 PUBLIC KEY ----\nComment: "x"\nAAAAB3NzaC1yc2E', "another form"),
    ],
)
def test_what_is_no_public_key_is_refused_in_plain_words(text: str, words: str) -> None:
    assert words in refusal(text)


def test_a_comment_is_cut_and_strange_signs_are_dropped() -> None:
    key = checked(f"{ed25519(comment='')}   olga\u202e \u200bat\u2028 work {'x' * 200}")
    assert key.comment.startswith("olga at work x")
    assert len(key.comment) == MAX_COMMENT
    assert checked(ed25519(comment="")).line == ed25519(comment="")


def test_a_comment_may_speak_of_private_keys() -> None:
    assert checked(ed25519(comment="pair of my private key")).comment == "pair of my private key"


@given(st.binary(min_size=32, max_size=32), st.text(max_size=120))
def test_what_is_taken_is_taken_again_unchanged(point: bytes, comment: str) -> None:
    try:
        key = checked(written("ssh-ed25519", packed(ED25519, point), comment))
    except BadKey:
        return
    assert checked(key.line) == key
    assert key.line.isprintable()
    assert len(key.line.split("\n")) == 1


@given(st.data())
def test_no_sign_of_a_key_can_be_changed_in_its_frame(data: st.DataObject) -> None:
    """The first 25 signs hold the lengths and the type; the point itself may be any 32 bytes."""
    kind, blob = ed25519(comment="").split()
    place = data.draw(st.integers(0, 24))
    sign = data.draw(st.sampled_from([one for one in ALPHABET if one != blob[place]]))
    refusal(f"{kind} {blob[:place]}{sign}{blob[place + 1 :]}")


@given(st.integers(0, 67))
def test_no_key_that_was_cut_is_taken(length: int) -> None:
    kind, blob = ed25519(comment="").split()
    with pytest.raises(BadKey):
        checked(f"{kind} {blob[:length]}")


@given(st.binary(max_size=120), st.sampled_from(KINDS))
@example(b"\xff\xff\xff\xff", "ssh-rsa")
def test_whatever_stands_in_the_blob_it_is_refused_or_kept_as_it_is(data: bytes, kind: str) -> None:
    for blob in (data, packed(kind.encode()) + data, packed(kind.encode(), data)):
        with suppress(BadKey):
            assert base64.b64decode(checked(written(kind, blob)).blob) == blob


@given(st.text(max_size=300))
def test_whatever_is_typed_the_answer_is_words(text: str) -> None:
    with pytest.raises(BadKey):
        checked(text)


def test_a_long_text_is_judged_at_once() -> None:
    for text in ("\n" * 200_000, " " * 200_000 + "x", "BEGIN " * 40_000, "A" * 200_000, "x" * 200_000 + "!"):
        with pytest.raises(BadKey):
            checked(text)
