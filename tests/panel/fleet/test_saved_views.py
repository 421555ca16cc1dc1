"""A person's own views of the list and its columns: kept, replaced, renamed, deleted, and nobody else's."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cloud.models import Account
from panel.audit.models import Entry
from panel.fleet import describe
from panel.fleet.columns import COLUMNS
from panel.fleet.listing import Wish
from panel.fleet.models import SavedView
from panel.fleet.saved.services import MOST
from panel.people.models import User
from panel.teams.models import Team
from tests.fixtures import browser_of
from tests.support.fleet import fill

NEW = "/instances/views/new/"


@pytest.fixture
def fleet(planned: Account, team: Team) -> None:
    fill(planned, team.pk, 30)


def save(client: Client, name: str, query: str = "state=off", **more: str) -> Any:
    return client.post(NEW, {"name": name, "query": query, **more})


def tabs(client: Client, address: str = "/instances/") -> list[tuple[str, bool]]:
    """The views above the list, and which of them is marked."""
    page = client.get(address).content.decode()
    found = re.findall(
        r'<a class="nav-link( active" aria-current="page)?" href="[^"]*" data-view="\d*">([^<]+)</a>', page
    )
    return [(name, bool(mark)) for mark, name in found]


def ticked(client: Client, address: str = "/instances/") -> set[str]:
    page = client.get(address).content.decode()
    return set(re.findall(r'name="column" value="(\w+)" checked', page))


def test_a_view_keeps_filter_search_and_order_and_is_marked_at_its_address(fleet: None, as_vera: Client) -> None:
    assert tabs(as_vera) == []
    response = save(as_vera, "Off and dear", "sort=-price&state=off&from=garbage&q=trainer&x=1")
    assert response["Location"] == "/instances/?q=trainer&state=off&sort=-price"
    assert tabs(as_vera) == [("All", True), ("Off and dear", False)]
    assert tabs(as_vera, "/instances/?state=off&sort=-price&q=trainer") == [("All", False), ("Off and dear", True)]
    assert tabs(as_vera, "/instances/?state=off") == [("All", False), ("Off and dear", False)]


def test_saving_is_offered_only_where_there_is_something_new_to_keep(fleet: None, as_vera: Client) -> None:
    save(as_vera, "Off")
    for address, is_offered in (("/instances/", False), ("/instances/?state=off", False), ("/instances/?q=x", True)):
        link = re.search(r'<a [^>]*id="save-view"[^>]*>', as_vera.get(address).content.decode())
        assert link
        assert (" hidden" not in link[0]) == is_offered


def test_the_form_opens_with_the_address_of_the_list(fleet: None, as_vera: Client) -> None:
    page = as_vera.get(NEW + "?state=off&q=a%26b&bogus=1").content.decode()
    assert 'name="query" value="q=a%26b&amp;state=off"' in page


@pytest.mark.parametrize(
    ("name", "query", "words"),
    [
        ("", "state=off", "Give it a name."),
        ("   ", "state=off", "Give it a name."),
        ("x" * 41, "state=off", "at most 40 characters; this one has 41"),
        ("\x07bell", "state=off", "Only letters, digits and signs that can be seen."),
        ("All of it", "", "This is the whole list."),
        ("All of it", "state=bogus", "This is the whole list."),
        ("Long", "q=" + "%E2%82%AC" * 100 + "&region=" + "%E2%82%AC" * 128, "too long to be kept"),
    ],
)
def test_bad_input_is_said_beside_the_field_and_stays_typed(
    fleet: None, as_vera: Client, name: str, query: str, words: str
) -> None:
    response = save(as_vera, name, query)
    page = response.content.decode()
    assert response.status_code == 422
    assert words in page.split('id="id_name_error"')[1].split("</p>")[0]
    assert f'name="name" value="{name.strip()}"' in page or not name.strip()
    assert not SavedView.objects.exists()


def test_a_name_of_forty_signs_fits_and_blanks_are_tidied(fleet: None, as_vera: Client) -> None:
    assert save(as_vera, "  é" + "x" * 36 + "  \t 日").status_code == 302
    assert SavedView.objects.get().name == "é" + "x" * 36 + " 日"


def test_a_name_is_there_once_and_is_replaced_only_when_one_says_so(fleet: None, as_vera: Client, vera: User) -> None:
    save(as_vera, "Mine")
    response = save(as_vera, "mine", "state=running")
    page = response.content.decode()
    assert response.status_code == 422
    assert "You have a view of this name." in page
    assert 'name="may_replace"' in page
    assert 'name="may_replace"' not in as_vera.get(NEW + "?q=x").content.decode()
    assert SavedView.objects.get().query == "state=off"
    assert save(as_vera, "mine", "state=running", may_replace="on").status_code == 302
    assert (SavedView.objects.get().name, SavedView.objects.get().query) == ("Mine", "state=running")


def test_the_same_list_is_kept_once(fleet: None, as_vera: Client) -> None:
    save(as_vera, "Off")
    assert "You keep this already, as “Off”." in save(as_vera, "Also off").content.decode()


def test_thirty_views_and_no_more(fleet: None, as_vera: Client) -> None:
    for number in range(MOST):
        assert save(as_vera, f"View {number}", f"q={number}").status_code == 302
    assert "more do not fit" in save(as_vera, "One more").content.decode()
    assert save(as_vera, "View 3", "q=again", may_replace="on").status_code == 302
    assert SavedView.objects.count() == MOST


def test_rename_move_and_delete(fleet: None, as_vera: Client) -> None:
    for number in (1, 2, 3):
        save(as_vera, f"View {number}", f"q={number}")
    first, second, third = SavedView.objects.all()
    assert as_vera.post(f"/instances/views/{third.pk}/up/").status_code == 302
    assert as_vera.post(f"/instances/views/{first.pk}/up/").status_code == 302
    assert [name for name, _mark in tabs(as_vera)] == ["All", "View 1", "View 3", "View 2"]
    address = f"/instances/views/{second.pk}/rename/"
    assert 'value="View 2"' in as_vera.get(address).content.decode()
    page = as_vera.post(address, {"name": "VIEW 1"})
    assert page.status_code == 422
    assert "You have another view of this name." in page.content.decode()
    assert 'value="VIEW 1"' in page.content.decode()
    assert as_vera.post(address).status_code == 422
    assert as_vera.post(address, {"name": "view 2"}).status_code == 302
    assert "Delete the view “View 1”?" in as_vera.get(f"/instances/views/{first.pk}/delete/").content.decode()
    assert as_vera.post(f"/instances/views/{first.pk}/delete/").status_code == 302
    assert [name for name, _mark in tabs(as_vera)] == ["All", "View 3", "view 2"]


@pytest.mark.parametrize("door", ["rename/", "delete/", "up/"])
def test_another_persons_view_does_not_exist(fleet: None, olga: User, vera: User, door: str) -> None:
    view = SavedView.objects.create(user_id=olga.pk, name="Olga's", query="state=off")
    plain = SavedView.objects.create(user_id=vera.pk, name="", hidden=["age"])
    for pk in (view.pk, plain.pk):  # her own row without a name is no view either
        assert browser_of(vera).post(f"/instances/views/{pk}/{door}", {"name": "taken"}).status_code == 404
    assert browser_of(vera).post("/instances/columns/", {"view": view.pk}).status_code == 404
    assert "Olga" not in browser_of(vera).get("/instances/views/").content.decode()
    assert SavedView.objects.get(pk=view.pk).name == "Olga's"


def test_two_people_may_use_the_same_name(fleet: None, as_olga: Client, as_vera: Client) -> None:
    assert save(as_olga, "Mine").status_code == save(as_vera, "Mine").status_code == 302
    assert SavedView.objects.filter(name="Mine").count() == 2


def test_columns_are_kept_for_the_person_and_a_view_has_its_own(fleet: None, as_vera: Client, as_olga: Client) -> None:
    assert ticked(as_vera) == set(COLUMNS)
    response = as_vera.post("/instances/columns/", {"column": ["type", "age"], "query": "state=off&from=x"})
    assert response["Location"] == "/instances/?state=off"
    assert ticked(as_vera) == ticked(as_vera, "/instances/?state=off") == {"type", "age"}
    save(as_vera, "Off")
    view = SavedView.objects.get(name="Off")
    sent = as_vera.post("/instances/columns/", {"column": ["cost"], "view": view.pk}, HTTP_HX_REQUEST="true")
    assert sent.status_code == 204
    assert ticked(as_vera, "/instances/?state=off") == {"cost"}
    assert ticked(as_vera) == {"type", "age"}
    assert ticked(as_olga) == set(COLUMNS)


def test_the_style_sheet_counts_the_columns_that_the_table_has() -> None:
    """panel.css hides the last cells but one by their number from the end."""
    heads = [str(head.words) for head in describe.heads(Wish())]
    assert heads[-5:] == ["Type", "Region", "Address", "$/h", "Age"]
    assert list(COLUMNS) == ["type", "region", "address", "cost", "age"]


@pytest.mark.parametrize("form", [{"column": "bogus"}, {"view": "x"}, {"view": 2**70}, {"view": -1}])
def test_nonsense_hides_no_column(fleet: None, as_vera: Client, form: dict[str, Any]) -> None:
    assert as_vera.post("/instances/columns/", form).status_code == 302
    assert ticked(as_vera) == set(COLUMNS)


def test_views_cost_no_query_beyond_the_lists_own(fleet: None, as_vera: Client) -> None:
    for number in range(10):
        save(as_vera, f"View {number}", f"q={number}")
    as_vera.post("/instances/columns/", {"column": ["type"]})
    part = {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": "fleet"}
    for most, headers in ((6, {}), (4, part)):
        with CaptureQueriesContext(connection) as queries:
            as_vera.get("/instances/?q=3", **headers)  # type: ignore[arg-type]
        assert len(queries) <= most


def test_going_back_in_history_gets_the_whole_page(fleet: None, as_vera: Client) -> None:
    headers = {"HTTP_HX_REQUEST": "true", "HTTP_HX_HISTORY_RESTORE_REQUEST": "true"}
    page = as_vera.get("/instances/?state=off", **headers).content.decode()  # type: ignore[arg-type]
    assert 'id="columns"' in page
    assert 'class="chip"' in page


def test_a_preference_is_nobodys_record(fleet: None, as_vera: Client) -> None:
    before = Entry.objects.count()
    save(as_vera, "Mine")
    as_vera.post("/instances/columns/", {"column": ["type"]})
    assert Entry.objects.count() == before


def test_a_dialog_is_left_for_the_view_that_was_saved(fleet: None, as_vera: Client) -> None:
    response = as_vera.post(NEW, {"name": "Mine", "query": "state=off"}, HTTP_HX_REQUEST="true")
    assert response["HX-Redirect"] == "/instances/?state=off"
    refused = as_vera.post(NEW, {"name": "", "query": "q=1"}, HTTP_HX_REQUEST="true")
    assert refused.status_code == 422
    assert "<html" not in refused.content.decode()


def test_hostile_names_are_text(fleet: None, as_vera: Client) -> None:
    save(as_vera, '<script>alert(1)</script>"')
    for address in ("/instances/", "/instances/views/", "/find/?q=alert"):
        assert "<script>alert" not in as_vera.get(address).content.decode()
