"""Imported before the settings (tests/settings.py): the environment that all tests of one process share.

Nothing of the person's own installation is seen: data folder, keys, Redis and database belong to this process alone.
"""

import atexit
import base64
import os
import shutil
import tempfile
from pathlib import Path

from nacl.public import PrivateKey
from nacl.signing import SigningKey

BASE = Path(__file__).resolve().parent.parent.parent
DATA = Path(tempfile.mkdtemp(prefix="tp-test-"))
atexit.register(shutil.rmtree, DATA, ignore_errors=True)


def _set_environment() -> None:
    (DATA / "keys").mkdir()
    for name in [name for name in os.environ if name.startswith(("TIDEPOOL_", "BLUELOBSTER_", "EMAIL_"))]:
        if not name.startswith("TIDEPOOL_TEST_"):
            del os.environ[name]
    private = PrivateKey.generate()
    (DATA / "keys" / "worker.key").write_bytes(base64.b64encode(bytes(private)))
    (DATA / "keys" / "worker.pub").write_bytes(base64.b64encode(bytes(private.public_key)))
    signing = SigningKey.generate()
    (DATA / "keys" / "record.key").write_bytes(base64.b64encode(bytes(signing)))
    (DATA / "keys" / "record.pub").write_bytes(base64.b64encode(bytes(signing.verify_key)))
    os.environ |= {
        "DATABASE_URL": os.environ.get("TEST_DATABASE_URL") or f"sqlite:///{DATA / 'tidepool.sqlite3'}",
        "REDIS_URL": f"unix://{DATA / 'valkey.sock'}",
        "TIDEPOOL_DATA": str(DATA),
        "TIDEPOOL_SECRET_KEY": "only for tests, long enough for the checks of Django's own deployment list",
        # Shared between runs and processes: it holds what the sources say, or is made again.
        "TIDEPOOL_STATIC_ROOT": str(BASE / "build" / "static"),
        "TIDEPOOL_URL": "http://localhost",
        "BLUELOBSTER_CALLS_PER_SECOND": "1000",
    }


_set_environment()
