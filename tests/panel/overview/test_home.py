"""The first page: what needs somebody, what runs, what happened lately, and the fleet in figures."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from cloud.models import Account, Instance
from cloud.operations.models import Operation
from cloud.operations.states import State
from cloud.tally import recount
from panel.people.models import User
from panel.teams.models import Team
from tests.fixtures import Hands
from tests.support.fleet import fill

pytestmark = pytest.mark.django_db


@pytest.fixture
def fleet(account: Account, team: Team, clock: Hands) -> Account:
    fill(account, team.pk, 12)
    return account


def noted(machine: Instance, attention: int, state: str, at: Any, **fields: Any) -> Operation:
    ended = (
        {"ended_at": at, "next_check_at": None}
        if state not in {State.RUNNING, State.UNCLEAR}
        else {"next_check_at": at}
    )
    row = Operation.objects.create(
        client_key=f"{machine.pk}-{state}",
        body_hash="",
        team_id=machine.team_id,
        actor_id=1,
        actor_label="omar@example.org",
        account=machine.account,
        target=machine,
        target_label=machine.name,
        provider_id=machine.provider_id,
        kind="reboot",
        is_exclusive=True,
        state=state,
        created_at=at - timedelta(seconds=42),
        changed_at=at,
        sent_at=at,
        **ended,
        **fields,
    )
    Instance.objects.filter(pk=machine.pk).update(
        attention=attention, operation_id=row.pk, operation_kind="reboot", operation_state=state, operation_at=at
    )
    return row


def _html(client: Client) -> str:
    return client.get("/").content.decode()


def test_what_failed_or_is_unclear_stands_first_until_it_is_seen_to(
    fleet: Account, as_olga: Client, clock: Hands
) -> None:
    first, second, third = Instance.objects.order_by("pk")[:3]
    failed = noted(first, Instance.Attention.FAILED, State.FAILED, clock(), outcome="Blue Lobster could not do it.")
    noted(second, Instance.Attention.UNCLEAR, State.UNCLEAR, clock())
    noted(third, Instance.Attention.BUSY, State.RUNNING, clock())
    page = _html(as_olga)
    needs, _rule, rest = page.partition('aria-labelledby="h-run"')
    assert "Needs you" in needs
    assert "Blue Lobster could not do it." in needs
    assert "See evidence" in needs
    assert third.name in rest
    Operation.objects.filter(pk=failed.pk).update(is_put_aside=True)
    assert "Blue Lobster could not do it." not in _html(as_olga).partition('aria-labelledby="h-run"')[0]


def test_what_was_done_lately_says_who_and_how_long(fleet: Account, as_vera: Client, clock: Hands) -> None:
    machine = Instance.objects.order_by("pk")[0]
    noted(machine, Instance.Attention.CALM, State.SUCCEEDED, clock())
    page = _html(as_vera)
    assert "by omar@example.org, took 42 s" in page.replace("\n", " ")


def test_the_fleet_adds_up_whatever_goes_on(fleet: Account, as_olga: Client, clock: Hands) -> None:
    first, second = Instance.objects.filter(rank=Instance.Rank.RUNNING).order_by("pk")[:2]
    noted(first, Instance.Attention.FAILED, State.FAILED, clock())
    noted(second, Instance.Attention.BUSY, State.RUNNING, clock())
    recount(fleet)
    answer = as_olga.get("/")
    shares = {share.look: share.machines for share in answer.context["shares"]}
    assert (shares["bad"], shares["busy"], sum(shares.values())) == (1, 1, 12)
    # And what a share links to is a list of just as many.
    for share in answer.context["shares"]:
        rows = as_olga.get("/instances/" + share.address).context["page"].rows
        assert len(rows) == share.machines, share


def test_another_teams_work_is_not_here(fleet: Account, as_olga: Client, stan: User, clock: Hands) -> None:
    machine = Instance.objects.order_by("pk")[0]
    noted(machine, Instance.Attention.FAILED, State.FAILED, clock(), outcome="canary")
    hidden = Team.objects.create(name="Hidden")
    Instance.objects.filter(pk=machine.pk).update(team_id=hidden.pk)
    Operation.objects.update(team_id=hidden.pk)
    page = _html(as_olga)
    assert "canary" not in page
    assert f'/instances/{machine.pk}/"' not in page


def test_it_costs_few_queries_however_large_the_fleet(
    fleet: Account, as_olga: Client, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(16):
        as_olga.get("/")
