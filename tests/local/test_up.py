"""`script/up` as a person meets it: what it prints, what it survives, what it leaves behind."""

import os
import signal
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from subprocess import DEVNULL, Popen

import pytest

from panel.local.children import command_of
from panel.local.ports import HOST, any_free
from panel.settings.paths import BASE, Paths
from tests.support.processes import Stack, command, environment, eventually, refused, stack
from tests.support.visitor import Visitor

pytestmark = pytest.mark.processes
APPS = {"web", "worker", "sweeper", "sandbox", "valkey"}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("up") / "data"


@pytest.fixture(scope="module")
def first(data: Path) -> Iterator[Stack]:
    """The first start on this data; the tests of this file go on with it in their order."""
    with stack(data, "--machines", "7") as running:
        yield running


def rows(data: Path, query: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(f"file:{data}/tidepool.sqlite3?mode=ro", uri=True)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def machines(data: Path) -> int:
    return len(rows(data, "SELECT 1 FROM cloud_instance WHERE gone_at IS NULL"))


def test_the_first_start_prints_one_line_that_signs_in(first: Stack, data: Path) -> None:
    email, password = first.owner
    assert first.ready == f"ready {first.url} user={email} password={password}"
    with Visitor(first.url) as visitor:
        page = visitor.sign_in(email, password)
        assert page.status_code == 200
        assert not page.url.path.startswith("/sign-in")
    assert first.lines.empty()


def test_the_sandboxs_machines_arrive(first: Stack, data: Path) -> None:
    eventually(lambda: machines(data) == 7, 30)


def test_what_it_keeps_is_readable_by_its_user_alone(first: Stack, data: Path) -> None:
    assert not [path for path in data.rglob("*") if path.is_file() and path.stat().st_mode & 0o077]
    assert not (data / "first-password").exists()


def test_a_second_start_on_the_same_data_is_refused(first: Stack, data: Path) -> None:
    assert "runs already" in refused(data)


def test_a_taken_port_is_refused(first: Stack, tmp_path: Path) -> None:
    assert f"Port {first.port} is taken" in refused(tmp_path, port=first.port)


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot be written" in refused(tmp_path / "file")


def test_a_killed_child_is_started_again(first: Stack) -> None:
    before = first.children()["worker"]
    os.kill(before, signal.SIGKILL)
    eventually(lambda: first.children().get("worker", before) != before)
    assert set(first.children()) == APPS


def test_after_sigkill_the_next_start_adopts_valkey_and_doubles_nothing(first: Stack, data: Path) -> None:
    before = first.children()
    first.end(signal.SIGKILL)
    with stack(data, port=first.port) as second:
        assert second.ready == f"ready {second.url}"
        after = second.children()
        assert set(after) == APPS
        assert after["valkey"] == before["valkey"]
        assert not [name for name, pid in before.items() if name != "valkey" and command_of(pid)]
        assert machines(data) == 7
        _ends_in_time(second)


def _ends_in_time(running: Stack) -> None:
    children = running.children()
    assert running.end(signal.SIGTERM) < 5
    assert running.process.returncode == 0
    assert not [name for name, pid in children.items() if command_of(pid)]
    assert not running.files.run.exists()


def test_a_port_taken_by_a_stranger_is_refused(tmp_path: Path) -> None:
    with socket.create_server((HOST, any_free())) as stranger:
        assert "is taken" in refused(tmp_path, port=stranger.getsockname()[1])


def test_ctrl_c_while_starting_leaves_nothing_behind(tmp_path: Path) -> None:
    """The signal comes when children already run and `ready` was not said."""
    files = Paths(tmp_path / "data")
    with Popen(command(files.data, any_free()), cwd=BASE, env=environment(), stdout=DEVNULL) as process:
        eventually((files.run / "sandbox.pid").exists)
        children = [int(path.read_text()) for path in files.run.glob("*.pid")]
        process.send_signal(signal.SIGINT)
        assert process.wait(5) == 0
    assert not [pid for pid in children if command_of(pid)]
    assert not files.run.exists()
