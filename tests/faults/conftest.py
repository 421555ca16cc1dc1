"""One house for the named tests: every process real, its clocks twenty times as fast."""

from collections.abc import Iterator

import pytest

from tests.faults.acts import stands_again
from tests.faults.book import Book
from tests.faults.door import Door
from tests.faults.house import House, house, until
from tests.faults.person import Person
from tests.faults.seeds import Stage
from tests.fixtures import *  # noqa: F403 -- the cast is shared by rooms


def stage_of(home: House) -> Stage:
    """The hands on a house, with its owner signed in."""
    person = Person(home.url, *home.owner)
    person.sign_in()
    return Stage(home, Book(home.database_url), Door(home.sandbox_url, home.sandbox_key), person)


def is_read(book: Book) -> bool:
    """The provider's types and machines are known: before that nothing can be launched."""
    known = book.rows("SELECT part FROM cloud_refresh WHERE done_at IS NOT NULL")
    return {"catalogue", "templates", "instances"} <= {row["part"] for row in known}


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with house(tmp_path_factory.mktemp("house")) as home:
        stage = stage_of(home)
        stands_again(stage)
        assert until(lambda: is_read(stage.book), 30), "the first reading does not come"
        yield stage
        assert not stage.book.broken_links()
        stage.close()


@pytest.fixture
def stage(shared: Stage) -> Iterator[Stage]:
    """A whole house without faults, left as such."""
    yield shared
    shared.door.clear()
    stands_again(shared)
