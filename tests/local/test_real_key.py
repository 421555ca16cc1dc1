"""`script/up` with a provider's key: no sandbox, and the key stays with the one process that seals it."""

import sqlite3
import sys
from pathlib import Path

import pytest

from tests.support.processes import Stack, eventually, stack, variables_of
from tests.support.sandbox import sandbox

pytestmark = pytest.mark.processes
KEY = "bl_the_key_that_can_delete_everything"
CHANGED = f"{KEY}_changed"


def accounts(data: Path) -> dict[str, tuple[int, int, str, int]]:
    """Name: is it a sandbox, is it enabled, the state of its key, how many machines."""
    connection = sqlite3.connect(f"file:{data}/tidepool.sqlite3?mode=ro", uri=True)
    try:
        rows = connection.execute(
            "SELECT name, is_sandbox, is_enabled, key_state,"
            " (SELECT count(*) FROM cloud_instance AS i WHERE i.account_id = a.id) FROM cloud_account AS a"
        ).fetchall()
    finally:
        connection.close()
    return {name: (is_sandbox, is_enabled, state, count) for name, is_sandbox, is_enabled, state, count in rows}


def assert_nobody_knows_the_key(running: Stack) -> None:
    assert set(running.children()) == {"web", "worker", "sweeper", "valkey"}
    if sys.platform == "linux":
        for pid in running.children().values():
            assert KEY not in " ".join(variables_of(pid).values())
        web = variables_of(running.children()["web"])
        assert web["TIDEPOOL_WORKER_PRIVATE_KEY_FILE"] == "/dev/null"
    kept = [path for path in running.files.data.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]
    assert not kept


def test_the_real_provider_then_another_key_then_the_sandbox(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with sandbox(tmp_path, KEY, machines=3) as url:
        with stack(data, BLUELOBSTER_API_KEY=KEY, BLUELOBSTER_BASE_URL=url) as running:
            eventually(lambda: accounts(data) == {"Blue Lobster": (0, 1, "accepted", 3)}, 30)
            assert_nobody_knows_the_key(running)
        with stack(data, BLUELOBSTER_API_KEY=CHANGED, BLUELOBSTER_BASE_URL=url):
            eventually(lambda: accounts(data)["Blue Lobster"][2] == "rejected", 30)
    with stack(data, "--machines", "2"):
        eventually(lambda: accounts(data).get("Sandbox") == (1, 1, "accepted", 2), 30)
        assert accounts(data)["Blue Lobster"][:2] == (0, 0)
