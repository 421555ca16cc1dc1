"""Production's second role on PostgreSQL: made by the migrations, and allowed no more than it needs."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from pytest_django.fixtures import Settings

from panel.audit import roles
from tests.panel.audit.cast import tell

pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no roles")
MAY = "SELECT has_table_privilege(%s, %s, %s)"


def may(table: str, what: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(MAY, ["panel_of_the_test", table, what])
        return bool(cursor.fetchone()[0])


@pytest.fixture
def granted(db: None, settings: Settings) -> None:
    settings.APP_ROLE, settings.APP_PASSWORD = "panel_of_the_test", "it's secret"
    roles.after_migrations(using="default")
    roles.after_migrations(using="default")  # as the next `migrate` does


@pytest.mark.parametrize(
    ("table", "rights"),
    [
        ("audit_entry", {"SELECT", "INSERT"}),
        ("audit_checkpoint", {"SELECT", "INSERT"}),
        ("audit_head", {"SELECT", "INSERT", "UPDATE"}),
        ("audit_fold", {"SELECT", "INSERT", "UPDATE", "DELETE"}),
        ("cloud_instance", {"SELECT", "INSERT", "UPDATE", "DELETE"}),
        ("django_migrations", {"SELECT"}),
    ],
)
def test_it_may_do_what_it_needs(granted: None, table: str, rights: set[str]) -> None:
    every = {"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"}
    assert {right for right in every if may(table, right)} == rights


def test_it_can_write_on_the_record(granted: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE panel_of_the_test")
        assert [row.sequence for row in tell(2)] == [1, 2]
        cursor.execute("RESET ROLE")


def test_the_owner_is_not_taken_for_the_second_role(db: None, settings: Settings) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        settings.APP_ROLE = cursor.fetchone()[0]
    with pytest.raises(ImproperlyConfigured, match="Name another"):
        roles.after_migrations(using="default")


def test_a_role_that_is_not_there_needs_a_password(db: None, settings: Settings) -> None:
    settings.APP_ROLE = "nobody_of_the_test"
    with pytest.raises(ImproperlyConfigured, match="TIDEPOOL_APP_PASSWORD"):
        roles.after_migrations(using="default")
