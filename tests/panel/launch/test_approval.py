"""Launches above a price take two people, and the price is looked at once more."""

from typing import Any

import pytest
from django.test import Client

from cloud.models import Instance, InstanceType
from cloud.operations.models import NameReservation, Operation
from cloud.operations.states import State
from panel.people.models import User
from panel.teams.models import Team
from panel.teams.policy import Role
from tests.fixtures import browser_of, person

Filled = dict[str, Any]
NEW = "/launch/"


@pytest.fixture
def waiting(filled: Filled, team: Team, as_olga: Client) -> Operation:
    """A launch for 20 cents an hour, where more than 10 take two people."""
    Team.objects.filter(pk=team.pk).update(approval_cents_per_hour=10)
    assert as_olga.post(NEW, filled).status_code == 302
    return Operation.objects.get()


@pytest.fixture
def as_ada(team: Team) -> Client:
    return browser_of(person("ada@example.org", team, Role.ADMIN))


def test_it_waits_under_its_name_and_goes_on_when_approved(waiting: Operation, as_olga: Client, as_ada: Client) -> None:
    assert waiting.state == State.WAITING_APPROVAL
    assert NameReservation.objects.get(operation=waiting).is_open
    assert "Waiting for approval" in as_olga.get("/instances/").content.decode()
    page = as_ada.get(f"/activity/{waiting.pk}/answer/").content.decode()
    assert "$0.20 an hour, $146.00 a month" in page
    assert "v1_gpu_1x_a4000" in page
    assert as_ada.post(f"/activity/{waiting.pk}/approve/", {"price": "20"}).status_code == 302
    waiting.refresh_from_db()
    assert waiting.state == State.QUEUED


@pytest.mark.parametrize("seen", ["20", "", "0", "x"])
def test_another_price_meanwhile_is_said_before_anything_goes_on(waiting: Operation, as_ada: Client, seen: str) -> None:
    InstanceType.objects.filter(name="v1_gpu_1x_a4000").update(price_cents_per_hour=75)
    page = as_ada.get(f"/activity/{waiting.pk}/answer/").content.decode()
    assert "$0.20 when it was asked for" in page
    assert as_ada.post(f"/activity/{waiting.pk}/approve/", {"price": seen}).status_code == 422
    waiting.refresh_from_db()
    assert waiting.state == State.WAITING_APPROVAL
    assert as_ada.post(f"/activity/{waiting.pk}/approve/", {"price": "75"}).status_code == 302


def test_at_or_below_the_price_nobody_is_asked(filled: Filled, team: Team, as_olga: Client) -> None:
    Team.objects.filter(pk=team.pk).update(approval_cents_per_hour=20)
    as_olga.post(NEW, filled)
    assert Operation.objects.get().state == State.QUEUED


def test_an_own_size_is_judged_by_its_estimate_and_an_unknown_price_takes_two(
    filled_own: Filled, team: Team, as_olga: Client
) -> None:
    Team.objects.filter(pk=team.pk).update(approval_cents_per_hour=100_000)
    InstanceType.objects.update(price_cents_per_hour=None)
    as_olga.post("/launch/own-size/", filled_own)
    assert Operation.objects.get().state == State.WAITING_APPROVAL


def test_rejected_its_name_is_free_and_its_row_is_gone(waiting: Operation, as_ada: Client, olga: User) -> None:
    assert as_ada.post(f"/activity/{waiting.pk}/reject/", {"reason": "too dear"}).status_code == 302
    assert not Instance.objects.exists()
    assert not NameReservation.objects.get(operation=waiting).is_open


def test_the_form_of_a_launch_that_waits_sent_twice_is_one(waiting: Operation, filled: Filled, as_olga: Client) -> None:
    assert as_olga.post(NEW, filled).status_code == 302
    assert Operation.objects.count() == 1
