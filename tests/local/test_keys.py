"""The keys of a data folder: made once, private, and a pair."""

import base64
from pathlib import Path

import pytest
from nacl.public import PrivateKey, PublicKey, SealedBox
from nacl.signing import SigningKey

from panel.audit import claims
from panel.local import home, keys
from panel.settings.paths import Paths


@pytest.fixture
def files(tmp_path: Path) -> Paths:
    (tmp_path / "keys").mkdir()
    return Paths(tmp_path)


def test_keys_are_made_once_and_are_private(files: Paths) -> None:
    keys.make(files)
    before = {path.name: path.read_text() for path in files.keys.iterdir()}
    keys.make(files)
    assert before == {path.name: path.read_text() for path in files.keys.iterdir()}
    assert set(before) == {"secret_key", "worker.key", "worker.pub", "record.key", "record.pub"}
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in files.keys.iterdir())


def test_a_lost_public_key_is_made_again_from_the_private_one(files: Paths) -> None:
    keys.make(files)
    (files.keys / "worker.pub").unlink()
    keys.make(files)
    public = PublicKey(base64.b64decode((files.keys / "worker.pub").read_text()))
    private = PrivateKey(base64.b64decode((files.keys / "worker.key").read_text()))
    assert SealedBox(private).decrypt(SealedBox(public).encrypt(b"secret")) == b"secret"


def test_the_records_keys_are_a_pair(files: Paths) -> None:
    keys.make(files)
    (public,) = claims.public_keys((files.keys / "record.pub").read_text()).values()
    key = SigningKey(base64.b64decode((files.keys / "record.key").read_text()))
    assert public.verify(key.sign(b"said")) == b"said"


def test_the_first_password_is_kept_until_it_was_printed(files: Paths) -> None:
    assert home.first_sign_in(files) is None
    home.keep_secret(files.data / home.PASSWORD_FILE, "a@b.example secret")
    assert home.first_sign_in(files) == ("a@b.example", "secret")
    home.forget_first_sign_in(files)
    assert home.first_sign_in(files) is None
