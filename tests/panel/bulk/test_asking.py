"""Before it is done: which machines would get it, which would not, and why."""

import re

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from cloud.models import Account, Instance
from cloud.operations.models import Operation
from panel.bulk import choice
from panel.teams.models import Membership, Team
from panel.teams.policy import Role
from tests.fixtures import browser_of, person
from tests.panel.bulk.conftest import HTMX, Send, ids
from tests.support.fleet import STARTED, fill


def asked(client: Client, kind: str, query: str) -> str:
    return client.get(f"/instances/bulk/do/{kind}/?{query}").content.decode().partition('id="ask"')[2]


def ticked(machines: list[Instance]) -> str:
    return "&".join(f"m={machine.pk}" for machine in machines)


def carried(page: str, name: str) -> list[int]:
    """The ids that the confirmation would send."""
    found = re.search(rf'name="{name}" value="([\d,]*)"', page)
    assert found
    return choice.numbers(found[1].split(","))


def test_each_machine_is_told_with_its_reason(machines: list[Instance], as_olga: Client, send: Send) -> None:
    off, paused, gone, busy, free = machines
    Instance.objects.filter(pk=off.pk).update(power="stopped")
    Instance.objects.filter(pk=paused.pk).update(power="paused")
    Instance.objects.filter(pk=gone.pk).update(gone_at=STARTED, rank=Instance.Rank.GONE)
    send("reboot", [busy.pk])
    page = asked(as_olga, "shutdown", ticked(machines) + "&m=999999&m=nonsense")
    assert carried(page, "ids") == [free.pk]
    assert carried(page, "left") == [off.pk, paused.pk, gone.pk, busy.pk, 999999]
    for words in ("Off already.", "It is paused.", "It no longer exists.", "“Restart” by olga@example.org since"):
        assert words in page
    assert "It is not there any more, or not yours to see." in page
    assert "Shut down 1 machine<" in page


def test_a_protected_machine_can_be_restarted(machines: list[Instance], as_olga: Client) -> None:
    Instance.objects.update(is_locked=True)
    assert carried(asked(as_olga, "reboot", ticked(machines)), "ids") == ids(machines)


def test_a_machine_of_a_team_in_which_one_only_looks_is_refused_and_a_strangers_is_not_named(
    machines: list[Instance], team: Team
) -> None:
    looked_at, hidden = Team.objects.create(name="Looked at"), Team.objects.create(name="Hidden")
    Instance.objects.filter(pk=machines[0].pk).update(team_id=looked_at.pk)
    Instance.objects.filter(pk=machines[1].pk).update(team_id=hidden.pk, name="CANARY")
    omar = person("omar@example.org", team, Role.OPERATOR)
    Membership.objects.create(team=looked_at, user=omar, role=Role.VIEWER)
    page = asked(browser_of(omar), "reboot", ticked(machines))
    assert carried(page, "ids") == ids(machines[2:])
    assert "Your role in its team does not allow this." in page
    assert "CANARY" not in page


def test_all_that_match_are_those_of_the_address_on_every_page(planned: Account, team: Team, as_olga: Client) -> None:
    fill(planned, team.pk, 120)
    running = set(Instance.objects.filter(power="running", name__contains="trainer-1").values_list("pk", flat=True))
    assert len(running) > 20
    page = asked(as_olga, "reboot", "all=1&q=trainer-1&state=running")
    assert set(carried(page, "ids")) == running
    assert f"Restart {len(running)} machines" in page


def test_more_than_a_run_takes_is_said_and_cut(
    planned: Account, team: Team, as_olga: Client, settings: Settings
) -> None:
    settings.CALLS_PER_SECOND = 2
    fill(planned, team.pk, choice.MOST + 1)
    page = asked(as_olga, "reboot", "all=1")
    assert len(carried(page, "ids")) + len(carried(page, "left")) == choice.MOST
    assert "More than 1000 machines match" in page
    assert "the last one in about 11 min" in page


def test_no_machine_is_no_button(machines: list[Instance], as_olga: Client) -> None:
    for query in ("", "m=", "m=-1&m=%F0%9F%A6%9E&m=" + "9" * 40):
        page = asked(as_olga, "reboot", query)
        assert "No machine was chosen" in page
        assert "btn-primary" not in page


def test_what_they_cost_is_told_together(machines: list[Instance], as_olga: Client) -> None:
    Instance.objects.update(power="stopped", price_cents_per_hour=20)
    Instance.objects.filter(pk=machines[0].pk).update(price_cents_per_hour=None)
    page = asked(as_olga, "power_on", ticked(machines))
    assert "Together $0.80 an hour, $584.00 a month. 1 of unknown price not counted." in page
    assert "Production" in page


def test_queries_do_not_grow_with_the_machines(planned: Account, team: Team, as_olga: Client) -> None:
    fill(planned, team.pk, 700)
    counts = []
    for query in ("all=1&q=trainer-7", "all=1"):
        as_olga.get(f"/instances/bulk/do/reboot/?{query}", **HTMX)  # type: ignore[arg-type]
        with CaptureQueriesContext(connection) as queries:
            as_olga.get(f"/instances/bulk/do/reboot/?{query}", **HTMX)  # type: ignore[arg-type]
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 9


def test_hostile_names_are_text(machines: list[Instance], as_olga: Client, send: Send) -> None:
    Instance.objects.update(name="<script>alert(1)</script>\"'&")
    assert "<script>alert" not in asked(as_olga, "reboot", ticked(machines))
    answer = send("reboot", ids(machines))
    assert "<script>alert" not in as_olga.get(answer.url).content.decode()


def test_asking_changes_nothing(machines: list[Instance], as_olga: Client) -> None:
    asked(as_olga, "reboot", ticked(machines))
    assert not Operation.objects.exists()


def test_a_viewer_gets_no_boxes_to_send(machines: list[Instance], as_vera: Client, as_olga: Client) -> None:
    assert 'id="bulk"' in as_olga.get("/instances/").content.decode()
    page = as_vera.get("/instances/").content.decode()
    assert 'id="bulk"' not in page
    assert "no-acts" in page
    assert "/instances/bulk/" not in page


def test_a_gone_machine_has_no_box(machines: list[Instance], as_olga: Client) -> None:
    Instance.objects.filter(pk=machines[0].pk).update(gone_at=STARTED, rank=Instance.Rank.GONE)
    assert "<input type=checkbox name=m" not in as_olga.get("/instances/?state=gone").content.decode()
    assert as_olga.get("/instances/").content.decode().count("<input type=checkbox name=m") == 4


def test_the_form_of_the_list_carries_its_filter(machines: list[Instance], as_olga: Client) -> None:
    page = as_olga.get("/instances/?q=trainer&state=running&sort=-name").content.decode().partition('id="bulk"')[2]
    for name, value in (("q", "trainer"), ("state", "running"), ("sort", "-name")):
        assert f'<input type="hidden" name="{name}" value="{value}">' in page
