"""Where a person is signed in: shown, seen, ended at once, and nobody else's business."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from cloud.clock import system_clock
from panel.audit.models import Entry
from panel.live import rights
from panel.live.news import tidy
from panel.people import sessions
from panel.people.devices import described
from panel.people.models import OpenSession, User
from panel.teams.origins import session_hash
from tests.fixtures import PASSWORD

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.1 Mobile/15E148 Safari/604.1"
)
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
)
NEW = "a sentence that nobody guesses"


def signed_in(user: User, agent: str = FIREFOX, address: str = "198.51.100.9") -> Client:
    client = Client(headers={"user-agent": agent}, REMOTE_ADDR=address)
    assert client.post("/sign-in/", {"login": user.email, "password": PASSWORD}).status_code == 302
    return client


def row_of(client: Client) -> OpenSession:
    return OpenSession.objects.get(session_key=client.session.session_key)


def is_in(client: Client) -> bool:
    return client.get("/you/").status_code == 200


def test_the_page_names_each_browser_and_which_one_this_is(olga: User) -> None:
    here, phone = signed_in(olga), signed_in(olga, SAFARI, "203.0.113.7")
    page = here.get("/you/").content.decode()
    for shown in ("Firefox on Linux", "198.51.100.9", "Safari on iPhone", "203.0.113.7"):
        assert shown in page
    assert page.index("This one") < page.index("Safari on iPhone")
    assert page.count("This one") == 1
    for client in (here, phone):
        assert str(client.session.session_key) not in page


def test_an_ended_session_is_out_at_its_next_request(olga: User) -> None:
    here, phone = signed_in(olga), signed_in(olga, SAFARI, "203.0.113.7")
    row, key = row_of(phone), str(phone.session.session_key)
    assert rights.actors_of({key})
    page = here.post(f"/you/sessions/{row.pk}/end/", follow=True).content.decode()
    assert "The session is ended." in page
    assert "iPhone" not in page
    assert phone.get("/").status_code == 302
    assert not rights.actors_of({key})  # what open live streams are asked for
    assert is_in(here)


def test_ending_is_on_the_record_without_the_key(olga: User) -> None:
    here, phone = signed_in(olga), signed_in(olga, SAFARI, "203.0.113.7")
    key = str(phone.session.session_key)
    here.post(f"/you/sessions/{row_of(phone).pk}/end/")
    row = Entry.objects.filter(code="person.session.ended").get()
    assert (row.actor_id, row.target_kind, row.target_label) == (olga.pk, "person", olga.email)
    assert row.details == {"sessions": [f"{session_hash(key)}: Safari on iPhone, 203.0.113.7"], "count": 1}
    assert key not in row.detail


def test_all_others_end_and_this_one_stays(olga: User, vera: User) -> None:
    here, others, colleague = signed_in(olga), [signed_in(olga) for _ in range(3)], signed_in(vera)
    assert "Your other sessions are ended." in here.post("/you/sessions/end/", follow=True).content.decode()
    assert [is_in(client) for client in (here, colleague, *others)] == [True, True, False, False, False]
    assert Entry.objects.get(code="person.session.ended").details["count"] == 3
    here.post("/you/sessions/end/")  # nothing is left to end, nothing is written down
    assert Entry.objects.filter(code="person.session.ended").count() == 1


def test_somebody_elses_session_does_not_exist(olga: User, as_vera: Client, as_stan: Client) -> None:
    client = signed_in(olga)
    for stranger in (as_vera, as_stan):
        assert stranger.post(f"/you/sessions/{row_of(client).pk}/end/").status_code == 404
        assert "198.51.100.9" not in stranger.get("/you/").content.decode()
    assert is_in(client)


def test_a_new_password_ends_the_others_and_keeps_this_one_in_the_list(olga: User) -> None:
    here, phone = signed_in(olga), signed_in(olga, SAFARI)
    since, phone_key = row_of(here).signed_in_at, phone.session.session_key
    here.post("/you/password/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})
    assert is_in(here)
    assert not is_in(phone)
    row = OpenSession.objects.get()
    assert (row.session_key, row.signed_in_at) == (here.session.session_key, since)
    assert "This one" in here.get("/you/").content.decode()
    assert not Session.objects.filter(session_key=phone_key).exists()


def test_signing_out_and_running_out_leave_the_list(olga: User) -> None:
    here, left, late = signed_in(olga), signed_in(olga, SAFARI), signed_in(olga, CHROME)
    left.post("/sign-out/")
    late_key = late.session.session_key
    Session.objects.filter(session_key=late_key).update(expire_date=system_clock())
    page = here.get("/you/").content.decode()
    assert "iPhone" not in page
    assert "Windows" not in page
    tidy()
    assert OpenSession.objects.get() == row_of(here)


def test_being_seen_costs_two_statements_a_minute(olga: User, django_assert_num_queries: Any) -> None:
    client = signed_in(olga)
    row, now = row_of(client), system_clock()
    sessions.touched.clear()
    with django_assert_num_queries(2):
        for _ in range(3):
            assert sessions.is_good(row.session_key, "203.0.113.7", now + timedelta(minutes=2))
    row.refresh_from_db()
    assert (row.seen_at, row.address) == (now + timedelta(minutes=2), "203.0.113.7")
    sessions.touched.clear()
    sessions.is_good(row.session_key, "192.0.2.1", now + timedelta(minutes=2, seconds=30))  # another process saw it too
    row.refresh_from_db()
    assert row.address == "203.0.113.7"


def test_a_request_is_what_counts_as_seen(olga: User) -> None:
    client = signed_in(olga)
    long_ago = system_clock() - timedelta(minutes=20)
    OpenSession.objects.update(seen_at=long_ago)
    sessions.touched.clear()
    client.get("/healthz")
    assert row_of(client).seen_at == long_ago
    client.get("/")
    assert row_of(client).seen_at > long_ago


def test_an_idle_session_ends_after_half_an_hour_and_no_session_lives_longer_than_twelve(olga: User) -> None:
    """S08. What a page asks for by itself keeps none alive."""
    for field, age in (("seen_at", timedelta(minutes=31)), ("signed_in_at", timedelta(hours=12, minutes=1))):
        client = signed_in(olga)
        row = row_of(client)
        OpenSession.objects.filter(pk=row.pk).update(**{field: system_clock() - age})
        sessions.touched.clear()
        assert client.get("/you/").status_code == 302, field
        assert not Session.objects.filter(session_key=row.session_key).exists()


def test_what_a_page_asks_for_by_itself_is_nothing_that_its_person_did(olga: User) -> None:
    client = signed_in(olga)
    before = system_clock() - timedelta(minutes=20)
    OpenSession.objects.update(seen_at=before)
    sessions.touched.clear()
    assert client.get("/inbox/count/", HTTP_X_BACKGROUND="1").status_code == 200
    assert row_of(client).seen_at == before
    OpenSession.objects.update(seen_at=before - timedelta(minutes=11))
    sessions.touched.clear()
    assert client.get("/inbox/count/", HTTP_X_BACKGROUND="1").status_code == 302


def test_after_twelve_hours_an_open_page_reads_nothing_more_either(olga: User) -> None:
    """Although its person was busy a moment ago, in this very process."""
    row, now = row_of(signed_in(olga)), system_clock()
    sessions.touched.clear()
    assert sessions.is_good(row.session_key, "192.0.2.1", now)
    OpenSession.objects.update(signed_in_at=now - timedelta(hours=12))
    assert not sessions.is_good(row.session_key, "192.0.2.1", now, is_background=True)


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox on Linux"),
        (SAFARI, "Safari on iPhone"),
        (CHROME, "Chrome on Windows"),
        (f"{CHROME} Edg/131.0.0.0", "Edge on Windows"),
        (CHROME.replace("Windows NT 10.0; Win64; x64", "Linux; Android 14; Pixel 8"), "Chrome on Android"),
        (CHROME.replace("Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7"), "Chrome on macOS"),
        ("curl/8.5.0", "curl"),
        ("python-requests/2.32", "python-requests"),
        ("Mozilla/5.0 (Windows NT 10.0)", "Windows"),
        ("Mozilla/5.0", "Unknown browser"),
        ("", "Unknown browser"),
        ("<script>alert(1)</script>/1", "Unknown browser"),
    ],
)
def test_a_browser_is_named_in_words(agent: str, words: str) -> None:
    assert described(agent) == words
