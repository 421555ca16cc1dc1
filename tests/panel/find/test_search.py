"""Find or do: the best fit first, nothing that is not theirs, no action that they may not do, four queries."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cloud.models import Account, Instance
from panel.fleet.models import SavedView
from panel.people.models import User
from panel.teams.models import Team
from panel.teams.policy import Role
from tests.fixtures import browser_of, person
from tests.support.fleet import STARTED, fill

PART = {"HTTP_HX_REQUEST": "true"}
OPTION = re.compile(
    r'<a role="option"[^>]*href="([^"]+)"[^>]*?( data-ask)?[^>]*>.*?<span class="cut">([^<]*)</span>', re.S
)


@pytest.fixture
def fleet(planned: Account, team: Team) -> None:
    fill(planned, team.pk, 30)


def part(client: Client, q: str) -> str:
    response = client.get("/find/", {"q": q}, **PART)  # type: ignore[arg-type]
    assert response.status_code == 200
    return response.content.decode()


def labels(client: Client, q: str) -> list[str]:
    return [label for _address, _asks, label in OPTION.findall(part(client, q))]


def groups(client: Client, q: str) -> list[str]:
    return re.findall(r'<div class="group"[^>]*>([^<]+)</div>', part(client, q))


def named(number: int, name: str) -> Instance:
    row = Instance.objects.get(name=f"trainer-{number}")
    row.name, row.search = name, f"{name} {row.ip_address} 1× a4000".casefold()
    row.save()
    return row


def test_nothing_typed_shows_the_pages_that_one_may_open(fleet: None, as_olga: Client, as_vera: Client) -> None:
    assert labels(as_olga, "")[:3] == ["Overview", "Instances", "Activity"]
    assert {"Settings", "Health", "You"} <= set(labels(as_olga, ""))
    assert not {"Settings", "Health"} & set(labels(as_vera, ""))
    assert "You" in labels(as_vera, "")


def test_the_exact_name_stands_first_then_beginnings_then_words_then_the_rest(fleet: None, as_vera: Client) -> None:
    for number, name in enumerate(("lab-node", "node", "nodes-02", "minode"), start=1):
        named(number, name)
    assert labels(as_vera, "NODE") == ["node", "nodes-02", "lab-node", "minode"]


def test_machines_are_found_by_address_and_type_too_and_at_most_eight(fleet: None, as_vera: Client) -> None:
    named(12, "node")
    assert labels(as_vera, "198.51.0.12") == ["node"]
    assert len(labels(as_vera, "trainer a4000")) == 8


def test_signs_of_the_database_are_signs(fleet: None, as_vera: Client) -> None:
    named(4, "100%_done")
    assert labels(as_vera, "%_") == ["100%_done"]
    assert labels(as_vera, "_rainer") == []


def test_a_verb_and_a_machine_are_an_action_with_its_confirmation(fleet: None, as_olga: Client) -> None:
    machine = Instance.objects.get(name="trainer-7")
    first, *_others = OPTION.findall(part(as_olga, "restart trainer-7"))
    assert first == (f"/instances/{machine.pk}/do/reboot/", " data-ask", "Restart trainer-7")
    assert groups(as_olga, "restart trainer-7") == ["Do", "Machines"]
    assert as_olga.get(first[0], **PART).status_code == 200  # type: ignore[arg-type]


def test_one_machine_alone_shows_all_that_can_be_done_with_it(fleet: None, as_olga: Client) -> None:
    found = labels(as_olga, "trainer-7")
    assert found[0] == "trainer-7"
    assert {"Restart trainer-7", "Shut down trainer-7", "Delete trainer-7"} <= set(found)
    assert "Start trainer-7" not in found  # it runs
    assert not any(label.startswith("Restart") for label in labels(as_olga, "trainer"))


@pytest.mark.parametrize(
    ("role", "offered"),
    [
        (Role.OWNER, {"Restart trainer-7", "Force off trainer-7", "Delete trainer-7"}),
        (Role.OPERATOR, {"Restart trainer-7"}),
        (Role.VIEWER, set()),
        (Role.BILLING, set()),
    ],
)
def test_no_permission_no_action(fleet: None, team: Team, role: Role, offered: set[str]) -> None:
    client = browser_of(person("who@example.org", team, role))
    asked = {label for verb in ("restart", "force off", "delete") for label in labels(client, f"{verb} trainer-7")}
    assert asked == offered | {"trainer-7"}
    assert ("/do/" in part(client, "trainer-7")) == bool(offered)
    assert ("data-fills" in part(client, "trainer-7")) == bool(offered)
    assert ("/actions/" in client.get("/find/?q=trainer-7").content.decode()) == bool(offered)


def test_nobody_finds_another_teams_machine(fleet: None, as_olga: Client, as_stan: Client) -> None:
    """The canary: by name, part, address, verb, with or without a script."""
    other = Team.objects.create(name="Other")
    hidden = named(5, "CANARY-5")
    Instance.objects.filter(pk=hidden.pk).update(team_id=other.pk)
    for q in ("canary-5", "can", "198.51.0.5", "restart canary-5", "delete can", "5"):
        for client in (as_olga, as_stan):
            assert "CANARY" not in part(client, q)
            assert "CANARY" not in client.get("/find/", {"q": q}).content.decode()
            assert f"/instances/{hidden.pk}/" not in part(client, q)
    assert "CANARY" in part(browser_of(person("tom@example.org", other)), "canary")


def test_a_stranger_to_all_teams_finds_only_themselves(fleet: None, as_stan: Client) -> None:
    assert labels(as_stan, "") == ["Inbox", "Teams", "You"]
    assert labels(as_stan, "trainer") == []


def test_machines_that_are_gone_are_not_found(fleet: None, as_olga: Client) -> None:
    Instance.objects.filter(name="trainer-7").update(gone_at=STARTED, rank=Instance.Rank.GONE)
    assert labels(as_olga, "trainer-7") == []


def test_ones_own_views_are_found_and_nobody_elses(fleet: None, olga: User, vera: User) -> None:
    SavedView.objects.create(user_id=olga.pk, name="Night training", query="state=off")
    SavedView.objects.create(user_id=olga.pk, name="", hidden=["age"])
    assert labels(browser_of(olga), "train")[:1] == ["trainer-0"]  # a beginning is better than a word
    assert ("/instances/?state=off", "", "Night training") in OPTION.findall(part(browser_of(olga), "night"))
    assert "Night training" in labels(browser_of(olga), "")
    assert "Night training" not in part(browser_of(vera), "night")


def test_hostile_names_are_text(fleet: None, as_olga: Client) -> None:
    named(3, '<script>alert(1)</script>" x')
    for page in (part(as_olga, "alert"), as_olga.get("/find/?q=alert").content.decode()):
        assert "<script>alert" not in page
        assert "&lt;script&gt;" in page


@pytest.mark.parametrize("q", ["\0", "a" * 5000, "%00", "' OR 1=1", "restart", "   ", "<b>"])
def test_odd_words_are_an_answer(fleet: None, as_olga: Client, q: str) -> None:
    part(as_olga, q)
    assert as_olga.get("/find/", {"q": q}).status_code == 200


@pytest.mark.parametrize("q", ["", "trainer", "trainer-7", "restart trainer", "nowhere"])
def test_four_queries_at_most(fleet: None, as_olga: Client, q: str) -> None:
    part(as_olga, q)
    with CaptureQueriesContext(connection) as queries:
        part(as_olga, q)
    assert len(queries) <= 4


def test_without_a_script_it_is_a_page_with_links(fleet: None, as_olga: Client) -> None:
    page = as_olga.get("/find/?q=restart+trainer-7").content.decode()
    machine = Instance.objects.get(name="trainer-7")
    assert f'<a href="/instances/{machine.pk}/do/reboot/">Restart trainer-7</a>' in page
    assert f"/instances/{machine.pk}/actions/" in page
    assert 'href="/find/"' in as_olga.get("/").content.decode()


def test_the_keys_are_a_page_and_a_part(as_vera: Client) -> None:
    assert "<h1>Keys</h1>" in as_vera.get("/keys/").content.decode()
    assert 'method="dialog"' in as_vera.get("/keys/", **PART).content.decode()  # type: ignore[arg-type]
