"""The record on a page: who sees which rows, filters, before and after, downloads, and whether it is whole."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client

from cloud.clock import system_clock
from panel.audit import record, verification, words
from panel.audit.models import Entry, Outcome, Verification
from panel.people.models import User
from panel.teams.actors import actor_by_id
from panel.teams.models import Team
from panel.teams.policy import Permission, Role
from tests.fixtures import Hands, browser_of, person

Counts = dict[str, int]


def say(code: str, actor: User, team: Team | None = None, **more: object) -> None:
    about = {"team_id": team.pk, "team_label": team.name} if team else {}
    with transaction.atomic():
        record.append(code, actor=actor_by_id(actor.pk), **about, **more)  # type: ignore[arg-type]


@pytest.fixture
def rows(team: Team, olga: User, omar: User) -> Team:
    """Of two teams and of the installation; the other team's name and machine are canaries."""
    other = Team.objects.create(name="CANARY-TEAM")
    say("instance.reboot.requested", omar, team, target_kind="instance", target_id="7", target_label="trainer-07")
    say("instance.reboot.failed", omar, team, target_kind="instance", target_label="trainer-07", outcome=Outcome.FAIL)
    say("team.role.changed", olga, team, target_kind="person", target_label="kim@example.org",
        detail={"before": {"role": "viewer"}, "after": {"role": "operator"}})  # fmt: skip
    say("instance.delete.requested", olga, other, target_kind="instance", target_label="CANARY-MACHINE")
    say("account.added", olga, target_kind="account", target_label="CANARY-ACCOUNT")
    return other


def lines(client: Client, query: str = "") -> list[dict[str, object]]:
    answer = client.get(f"/record/export/jsonl/{query}")
    return [json.loads(line) for line in b"".join(answer.streaming_content).splitlines()]  # type: ignore[attr-defined]


def test_an_admin_sees_their_teams_rows_and_no_others(rows: Team, team: Team) -> None:
    """S03: page, filters and downloads."""
    ada = browser_of(person("ada@example.org", team, Role.ADMIN))
    pages = [
        ada.get(f"/record/{query}").content.decode() for query in ("", f"?team={rows.pk}", "?machine=CANARY-MACHINE")
    ]
    assert "trainer-07" in pages[0]
    assert not any("CANARY-TEAM" in page or "CANARY-ACCOUNT" in page for page in pages)
    assert [page.count('class="chev"') for page in pages] == [3, 0, 0]
    assert {line["target_label"] for line in lines(ada)} == {"trainer-07", "kim@example.org"}


def test_an_administrator_sees_all(rows: Team, as_olga: Client) -> None:
    page = as_olga.get("/record/").content.decode()
    for word in ("CANARY-TEAM", "CANARY-MACHINE", "CANARY-ACCOUNT", "trainer-07"):
        assert word in page


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("person=omar@example.org", 2),
        ("person=OMAR@example.org", 2),
        ("person=kim@example.org", 1),
        ("machine=trainer-07", 2),
        ("kind=teams", 1),
        ("kind=accounts", 1),
        ("result=fail", 1),
        ("result=denied", 0),
        ("kind=machines&result=ok", 2),
        ("since=2000-01-01", 5),
        ("until=2001-01-01", 0),
        ("person=nobody", 0),
        ("kind=nonsense&result=nonsense&team=x&since=yesterday&before=-1", 5),
        ("since=9999-99-99", 5),
    ],
)
def test_filters_stand_in_the_address(rows: Team, as_olga: Client, query: str, expected: int) -> None:
    page = as_olga.get(f"/record/?{query}").content.decode()
    assert page.count('class="chev"') == expected


def test_before_and_after_stand_side_by_side(rows: Team, as_olga: Client) -> None:
    entry = Entry.objects.get(code="team.role.changed")
    page = as_olga.get(f"/record/?open={entry.sequence}").content.decode()
    assert "Role: <b>viewer</b>" in page
    assert "Role: <b>operator</b>" in page
    assert entry.hash[:12] in page
    assert as_olga.get("/record/?open=" + "9" * 40).status_code == 200


def test_older_ones_follow_on_the_next_page(team: Team, olga: User, as_olga: Client) -> None:
    for number in range(60):
        say("person.signed_in", olga, target_label=f"n{number}")
    page = as_olga.get("/record/").content.decode()
    assert page.count('class="chev"') == 50
    assert "?before=11" in page
    assert as_olga.get("/record/?before=11").content.decode().count('class="chev"') == 10


def test_it_costs_few_queries_whatever_it_shows(
    rows: Team, as_olga: Client, django_assert_max_num_queries: object
) -> None:
    as_olga.get("/record/")
    with django_assert_max_num_queries(10):  # type: ignore[operator]
        as_olga.get("/record/?open=1")


def test_a_download_is_on_the_record_itself(rows: Team, as_olga: Client) -> None:
    answer = as_olga.get("/record/export/csv/?result=fail")
    body = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    assert len(body.splitlines()) == 2
    assert answer["Content-Disposition"] == 'attachment; filename="tidepool-record.csv"'
    entry = Entry.objects.get(code="record.exported")
    assert entry.details == {"filters": "result=fail", "form": "csv"}
    assert as_olga.get("/record/export/exe/").status_code == 404


def test_hostile_strings_are_words(team: Team, olga: User, as_olga: Client) -> None:
    bad = "<script>alert(1)</script>"
    say("instance.renamed", olga, team, target_label=bad, detail={bad: bad, "before": {bad: bad}, "after": {bad: "x"}})
    page = as_olga.get(f"/record/?open={Entry.objects.latest('sequence').sequence}&person={bad}").content.decode()
    assert "<script>alert" not in page + as_olga.get("/record/").content.decode()


def test_every_code_that_is_written_has_words() -> None:
    """Found in our own sources: a new code without words would be shown raw."""
    found = set()
    for file in Path("panel").rglob("*.py"):
        found |= set(
            re.findall(
                r'"((?:person|team|account|access|installation|record)\.[a-z_]+(?:\.[a-z_]+)*)"', file.read_text()
            )
        )
    names = {permission.value for permission in Permission}
    names |= {"record.key", "record.pub"}  # files
    lacking = {code for code in found - names if code not in words.WORDS and not code.endswith(".")}
    assert not lacking


def test_it_is_verified_when_due_and_the_page_says_when(
    rows: Team, as_olga: Client, settings: Any, tmp_path: object
) -> None:
    settings.CHECKPOINT_FILE = f"{tmp_path}/none"
    hands = Hands()
    hands.at = system_clock()
    assert "Not verified yet" in as_olga.get("/record/").content.decode()
    assert verification.run_if_due(hands)
    assert not verification.run_if_due(hands)
    assert "Whole: 5 entries verified" in as_olga.get("/record/").content.decode()
    hands.move(86401)
    assert verification.run_if_due(hands)
    hands.move(10)
    verification.ask(actor=actor_by_id(User.objects.get(email="olga@example.org").pk), now=hands())
    hands.move(1)
    assert verification.run_if_due(hands)
    assert Verification.objects.get().rows == 6  # that somebody asked is a row, too


def test_one_process_at_a_time_looks_and_a_dead_one_is_followed(rows: Team) -> None:
    hands = Hands()
    hands.at = system_clock()
    Verification.objects.create(pk=1, begun_at=hands() - timedelta(seconds=5))
    assert not verification.run_if_due(hands)
    hands.move(901)
    assert verification.run_if_due(hands)


def test_a_broken_record_is_said_loudly(rows: Team, as_olga: Client) -> None:
    Verification.objects.create(pk=1, at=system_clock(), rows=3, faults=["Row 3 was changed."])
    page = as_olga.get("/record/").content.decode()
    assert "The record is broken." in page
    assert "Row 3 was changed." in page
    assert connection.vendor in {"sqlite", "postgresql"}
