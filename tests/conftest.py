"""What every test stands on: a closed network, a real Valkey, real static files. See also support/early.py."""

import os
import shutil
from collections.abc import Iterator

import pytest
from django.conf import settings

from cloud.store import store
from panel.audit import guards
from panel.local import statics
from tests.support import demand, network
from tests.support import valkey as embedded
from tests.support.early import DATA


@pytest.fixture(scope="session")
def _valkey_of_the_session() -> Iterator[int]:
    with embedded.running(DATA / "valkey.sock", DATA / "valkey") as pid:
        yield pid


@pytest.fixture(scope="session")
def valkey(_valkey_of_the_session: int) -> int:
    """The process id of the Valkey behind REDIS_URL. A folder of tests may have another one by this name."""
    return _valkey_of_the_session


@pytest.fixture(scope="session")
def static_files() -> None:
    """The real collected files, so that a page that names a missing one fails here as it would in production."""
    statics.collect()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None, static_files: None) -> None:
    """Who needs the database may render pages. SQLite stands in a file, as in script/up: threads see one database."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        database.setdefault("TEST", {})["NAME"] = str(DATA / "test.sqlite3")


@pytest.fixture(autouse=True)
def _closed_network(monkeypatch: pytest.MonkeyPatch) -> None:
    network.close(monkeypatch)


@pytest.fixture(autouse=True)
def _empty_store(_valkey_of_the_session: int) -> Iterator[None]:
    yield
    store().flushall()


@pytest.fixture(autouse=True)
def _flush_finds_no_guards(request: pytest.FixtureRequest) -> Iterator[None]:
    """Tests that commit end with a flush, which the record's guards refuse. The flush's own `post_migrate` puts them
    up again. The one place where they are lifted for the tests' sake.
    """
    marker = request.node.get_closest_marker("django_db")
    commits = marker is not None and marker.kwargs.get("transaction", False)
    commits = commits or bool({"transactional_db", "live_server"} & set(request.fixturenames))
    if commits:
        request.getfixturevalue("transactional_db")  # set up before us, so ended after us
    yield
    if commits:
        guards.lift()


# Whole files go to one process each; the longest begin first, so that neither process ends long after the other.
LONGEST = (
    "test_seeds_on_sqlite",
    "test_seeds_on_postgresql",
    "test_provider",
    "test_launched",
    "test_actions",
    "test_pages",
    "test_live",
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """An order among files, which xdist hands out as they come. With TIDEPOOL_TEST_DATABASE_ALONE what never touches
    the database is left out: another run on another database has proven it.
    """
    ranks = {name: rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(item.path.stem, len(ranks)))
    if os.environ.get("TIDEPOOL_TEST_DATABASE_ALONE"):
        config.hook.pytest_deselected(items=[item for item in items if not _needs_database(item)])
        items[:] = [item for item in items if _needs_database(item)]


def _needs_database(item: pytest.Item) -> bool:
    fixtures = {"db", "transactional_db", "live_server"} & set(getattr(item, "fixturenames", ()))
    return bool(fixtures) or item.get_closest_marker("django_db") is not None


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("browser") and not demand.chromium():
        demand.missing("there is no Chromium: install it, or let script/test do so.")


def pytest_unconfigure() -> None:
    shutil.rmtree(DATA, ignore_errors=True)  # a process of pytest-xdist ends without its atexit functions
