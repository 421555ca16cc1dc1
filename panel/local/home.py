"""The folders of one installation on this machine, and the lock that keeps a second start out."""

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from panel.local.options import CannotStart
from panel.settings.paths import Paths

PASSWORD_FILE = "first-password"  # noqa: S105 -- a file's name


@contextlib.contextmanager
def claimed(files: Paths) -> Iterator[None]:
    """Make the folders and hold the data folder for this process alone. Raises CannotStart."""
    os.umask(0o077)
    try:
        for folder in (files.data, files.keys, files.logs, files.mail, files.store):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (files.data / "lock").open("w")
    except OSError as error:
        raise CannotStart(f"The data folder {files.data} cannot be written: {error.strerror}.") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(
                f"Tidepool runs already on the data folder {files.data}: use that, or another --data."
            ) from None
        _make_run_folder(files.run)
        try:
            yield
        finally:
            with contextlib.suppress(OSError):  # what a child left in there stays for the next start
                files.run.rmdir()


def _make_run_folder(run: Path) -> None:
    """Sockets stand in a folder below the machine's temporary one: it must be ours alone."""
    with contextlib.suppress(FileExistsError):
        run.mkdir(mode=0o700)
    found = run.lstat()
    if found.st_uid != os.getuid() or not run.is_dir() or run.is_symlink():
        raise CannotStart(f"The folder {run} for sockets belongs to somebody else: remove it, or set TMPDIR.")
    run.chmod(0o700)


def keep_secret(path: Path, text: str) -> None:
    """Write a file that only we may read, whole or not at all."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with open(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def secret_of(path: Path) -> str:
    """The secret that the file keeps; a new random one at the first call."""
    if not path.exists():
        keep_secret(path, secrets.token_urlsafe(48))
    return path.read_text().strip()


def first_sign_in(files: Paths) -> tuple[str, str] | None:
    """Address and password of the first person, until they were printed once."""
    try:
        email, password = (files.data / PASSWORD_FILE).read_text().split()
    except (FileNotFoundError, ValueError):
        return None
    return email, password


def forget_first_sign_in(files: Paths) -> None:
    (files.data / PASSWORD_FILE).unlink(missing_ok=True)
