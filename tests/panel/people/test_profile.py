"""Theme and time zone: kept with the person, shown on every page, without a query more."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.template import Context, Template
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from panel.audit.models import Entry
from panel.http import broken
from panel.people.models import User
from panel.people.zones import names, options, zone_of
from tests.fixtures import browser_of

WINTER = datetime(2026, 1, 15, 23, 30, tzinfo=UTC)


def head(client: Client, address: str = "/you/") -> str:
    found = re.search(r"<html[^>]*>", client.get(address).content.decode())
    assert found
    return found[0]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_theme_follows_the_person_to_another_browser(olga: User, as_olga: Client, theme: str) -> None:
    page = as_olga.post("/you/theme/", {"theme": theme}, follow=True).content.decode()
    assert "The theme is saved." in page
    assert f'value="{theme}" checked' in page
    elsewhere = browser_of(olga)
    for address in ("/you/", "/you/password/", "/", "/nothing-here/"):
        assert f'data-bs-theme="{theme}"' in head(elsewhere, address)


def test_as_the_system_is_no_theme_of_ours(olga: User, as_olga: Client) -> None:
    as_olga.post("/you/theme/", {"theme": "dark"})
    as_olga.post("/you/theme/", {"theme": ""})
    assert "data-bs-theme" not in head(as_olga)
    assert 'data-theme=""' in head(as_olga)


def test_with_a_script_the_page_stays(as_olga: Client, olga: User) -> None:
    answer = as_olga.post("/you/theme/", {"theme": "dark"}, headers={"HX-Request": "true"})
    assert (answer.status_code, answer.content) == (204, b"")
    olga.refresh_from_db()
    assert olga.theme == "dark"


def test_one_persons_wishes_are_not_anothers(as_olga: Client, as_vera: Client, client: Client) -> None:
    as_olga.post("/you/theme/", {"theme": "dark"})
    as_olga.post("/you/zone/", {"zone": "Asia/Tokyo"})
    assert "dark" not in head(as_vera)
    assert 'data-zone=""' in head(as_vera)
    assert "data-" not in head(client, "/sign-in/")


def test_the_page_for_a_broken_server_asks_nobody_who_reads_it(rf: RequestFactory) -> None:
    """Without a database there would be no answer."""
    request = rf.get("/")
    request.actor = SimpleLazyObject(lambda: pytest.fail("the actor was read"))  # type: ignore[attr-defined]
    assert broken(request).status_code == 500


def test_a_change_is_on_the_record_once(as_olga: Client, olga: User) -> None:
    for _ in range(2):
        as_olga.post("/you/zone/", {"zone": "Asia/Tokyo"})
    row = Entry.objects.get()
    assert (row.code, row.actor_id, row.details) == ("person.profile.changed", olga.pk, {"zone": "Asia/Tokyo"})


@pytest.mark.parametrize("zone", ["Mars/Phobos", "../../etc/passwd", "Europe/berlin", "x" * 70])
def test_an_unknown_zone_is_refused_beside_its_field(as_olga: Client, olga: User, zone: str) -> None:
    answer = as_olga.post("/you/zone/", {"zone": zone})
    assert answer.status_code == 422
    assert 'id="zone-about"' in answer.content.decode()
    olga.refresh_from_db()
    assert olga.zone == ""


def test_an_unknown_theme_changes_nothing(as_olga: Client, olga: User) -> None:
    assert as_olga.post("/you/theme/", {"theme": "pink"}).status_code == 422
    assert not Entry.objects.exists()


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("Europe/Berlin", "16 Jan 2026, 00:30 CET"),
        ("America/Sao_Paulo", "15 Jan 2026, 20:30 UTC-03"),
        ("", "15 Jan 2026, 23:30 UTC"),
        ("Mars/Phobos", "15 Jan 2026, 23:30 UTC"),  # it was known when it was chosen
    ],
)
def test_times_without_a_script_are_in_the_persons_zone(olga: User, as_olga: Client, zone: str, shown: str) -> None:
    User.objects.update(zone=zone)
    from_then = as_olga.get("/you/").wsgi_request
    with timezone.override(zone_of(from_then.actor.zone)):  # type: ignore[attr-defined]
        assert shown in Template("{{ at|exact }}").render(Context({"at": WINTER}))
        assert 'datetime="2026-01-15T23:30:00Z"' in Template("{{ at|clock }}").render(Context({"at": WINTER}))


def test_the_next_request_of_the_thread_is_not_in_the_last_ones_zone(as_olga: Client, olga: User) -> None:
    User.objects.update(zone="Asia/Tokyo")
    as_olga.get("/you/")
    assert timezone.get_current_timezone_name() == "UTC"


def test_a_page_is_drawn_in_the_zone_of_its_reader(as_olga: Client, as_vera: Client, olga: User, account: Any) -> None:
    type(account).objects.update(key_stored_at=WINTER)
    User.objects.filter(pk=olga.pk).update(zone="Europe/Berlin")
    assert "16 Jan 2026, 00:30 CET" in as_olga.get("/settings/").content.decode()


def test_the_list_of_zones_is_of_places() -> None:
    assert {"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"} <= names()
    assert not {"EST5EDT", "Etc/GMT+5", "localtime", "US/Eastern"} & names()
    assert '<option value="America/New_York">New York</option>' in options()


def test_the_page_costs_few_queries(as_olga: Client, olga: User) -> None:
    as_olga.get("/you/")
    with CaptureQueriesContext(connection) as queries:
        as_olga.get("/you/")
    assert len(queries) <= 11, [query["sql"] for query in queries]
