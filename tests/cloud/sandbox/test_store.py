"""What is on disk: a second process with the same file knows everything and goes on by the clock."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud.sandbox.addresses import AddressPool
from cloud.sandbox.app import create_app
from cloud.sandbox.sandbox import Sandbox
from cloud.sandbox.state import Commit
from cloud.sandbox.store import Store
from tests.cloud.sandbox.conftest import Provider, Wall


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "sandbox.db"


@pytest.fixture
def filed(file: Path) -> Iterator[Provider]:
    """A provider whose world is in a file."""
    wall = Wall()
    sandbox = Sandbox.open(str(file), machines=5, seed=3, wall=wall)
    yield Provider(sandbox, create_app(sandbox), wall)
    sandbox.close()


def reopened(provider: Provider, file: Path) -> Provider:
    """The same file in the hands of a new sandbox; the arguments of a new world do not count."""
    provider.sandbox.close()
    provider.sandbox = Sandbox.open(str(file), machines=99, seed=99, wall=provider.wall)
    provider.app = create_app(provider.sandbox)
    return provider


def test_everything_is_as_before_after_a_restart(filed: Provider, file: Path) -> None:
    filed.quirk(region_names=False)
    filed.call("PUT", f"/instances/{filed.machine()}/rename", {"name": "kept-name"})
    filed.control("POST", "world", {"do": "capacity", "region": "phl", "available": False})
    before = (filed.call("GET", "/instances"), filed.commits(), filed.call("GET", "/instances/available"))
    again = reopened(filed, file)
    assert (again.call("GET", "/instances"), again.commits(), again.call("GET", "/instances/available")) == before
    assert again.launch()
    assert [each["seq"] for each in again.commits()] == [1, 2]


def test_tasks_go_on_while_the_process_is_down(filed: Provider, file: Path) -> None:
    launched = filed.launch()
    rebooted = filed.call("POST", f"/instances/{filed.machine()}/reboot")
    filed.wait(5)
    filed.call("GET", "/health")
    filed.wait(130)
    again = reopened(filed, file)
    assert again.call("GET", f"/tasks/{launched['task_id']}")["status"] == "COMPLETED"
    assert again.call("GET", f"/tasks/{rebooted['task_id']}")["updated_at"] < "2026-05-28T20:27:15Z"
    again.call("GET", f"/instances/{launched['vm_uuid']}")


def test_speed_is_kept_and_played_time_does_not_jump(filed: Provider, file: Path) -> None:
    filed.wait(10)
    filed.control("POST", "speed", {"speed": 50})
    filed.wait(10)
    again = reopened(filed, file)
    state = again.control("GET", "state")
    assert (state["speed"], state["played_s"]) == (50.0, 510.0)


def test_addresses_in_use_are_not_given_out_after_a_restart(filed: Provider, file: Path) -> None:
    again = reopened(filed, file)
    used = {each["ip_address"] for each in again.call("GET", "/instances")}
    assert again.launch()["assigned_ip"] not in used


def test_one_file_has_one_owner(filed: Provider, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda path, **more: real(path, timeout=0, **more))
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        Sandbox.open(str(file))


def test_a_failed_write_leaves_nothing_behind() -> None:
    store = Store(":memory:")
    commit = Commit(1, "", "x", "POST", "/x", None, {}, "r", None)
    store.save([("task", "a", b"1")], commit)
    with pytest.raises(sqlite3.IntegrityError):
        store.save([("task", "b", b"2")], commit)
    assert list(store.load("task")) == [b"1"]
    store.close()


def test_benchmark_range_is_used_when_the_documentation_ranges_are_full() -> None:
    pool = AddressPool()
    taken = [pool.take() for _ in range(600)]
    assert len(set(taken)) == 600
    assert taken[0] == "198.51.100.1"
    assert taken[507] == "203.0.113.254"
    assert taken[508] == "198.18.0.1"
