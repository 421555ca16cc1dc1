"""What takes two people: asked for, seen by who may approve, everything asked once more, and never approved alone."""

from datetime import timedelta

import pytest
from django.test import Client

from cloud.clock import system_clock
from cloud.models import Account, Instance
from cloud.operations import engine
from cloud.operations.models import Operation, OperationEvent
from cloud.operations.states import State
from panel.actions.asked_again import why_not
from panel.audit.models import Entry
from panel.inbox.models import Notice
from panel.people.models import User
from panel.teams.models import Membership, Team
from panel.teams.policy import Role
from tests.fixtures import PASSWORD, browser_of, person
from tests.support.fleet import fill
from tests.support.provider import Provider


@pytest.fixture
def machine(planned: Account, provider: Provider, team: Team) -> Instance:
    """Running, in a team in which a delete and a force off take two people."""
    Team.objects.filter(pk=team.pk).update(approval_kinds=["delete", "force_off"])
    fill(planned, team.pk, 2)
    Instance.objects.update(power=Instance.Power.RUNNING, rank=Instance.Rank.RUNNING)
    return Instance.objects.order_by("pk")[0]


def ask(client: Client, machine: Instance, kind: str = "delete", key: str = "form-1") -> int:
    form = {"key": key, "name": machine.name, "password": PASSWORD, "sure": "on"}
    return client.post(f"/instances/{machine.pk}/do/{kind}/", form).status_code


def approve(client: Client, row: Operation) -> int:
    return client.post(f"/activity/{row.pk}/approve/", {"password": PASSWORD}).status_code


@pytest.fixture
def waiting(machine: Instance, as_omar: Client) -> Operation:
    """Omar, who may only operate machines, asked for a delete."""
    assert ask(as_omar, machine) == 302
    return Operation.objects.get()


def state(row: Operation) -> str:
    row.refresh_from_db()
    return row.state


def test_who_may_not_delete_may_ask_for_it_and_it_waits(
    waiting: Operation, machine: Instance, as_omar: Client, provider: Provider
) -> None:
    assert (waiting.state, waiting.kind, waiting.actor_label) == (State.WAITING_APPROVAL, "delete", "omar@example.org")
    assert "Waiting for approval" in as_omar.get("/instances/").content.decode()
    page = as_omar.get(f"/instances/{machine.pk}/").content.decode()
    assert "Withdraw" in page
    assert "Approve or reject" not in page
    entry = Entry.objects.get(code="instance.delete.requested")
    assert entry.details["waits_for_approval"] is True
    assert not provider.calls


def test_where_no_rule_asks_for_two_people_an_operator_cannot_ask(
    machine: Instance, team: Team, as_omar: Client
) -> None:
    Team.objects.filter(pk=team.pk).update(approval_kinds=["force_off"])
    assert ask(as_omar, machine) == 403
    assert "Delete" not in as_omar.get(f"/instances/{machine.pk}/actions/").content.decode()
    assert ask(as_omar, machine, "force_off") == 302


def test_who_may_approve_is_told_and_sees_what_is_destroyed(
    olga: User, vera: User, waiting: Operation, as_olga: Client
) -> None:
    assert Notice.objects.get(user=olga).words == "omar@example.org asks to delete trainer-0."
    assert not Notice.objects.exclude(user=olga).exists()
    assert "Waiting for you" in as_olga.get("/inbox/").content.decode()
    page = as_olga.get(f"/activity/{waiting.pk}/answer/").content.decode()
    for words in (
        "Delete trainer-0?",
        "Asked for by omar@example.org",
        "Its address 198.51.0.0",
        "Saves $0.20 an hour",
    ):
        assert words in page


def test_approved_it_goes_the_usual_way_with_its_undo_time(waiting: Operation, as_olga: Client, olga: User) -> None:
    assert approve(as_olga, waiting) == 302
    assert state(waiting) == State.HELD
    assert (waiting.approved_by, waiting.approved_by_label) == (olga.pk, olga.email)
    events = list(OperationEvent.objects.filter(operation=waiting).values_list("before", "after", "by"))
    assert events == [("", "waiting_approval", "omar@example.org"), ("waiting_approval", "held", "olga@example.org")]
    entry = Entry.objects.get(code="instance.delete.approved")
    assert (entry.actor_label, entry.details["asked_by"]) == ("olga@example.org", "omar@example.org")
    assert Notice.objects.get(kind="answer").words == "olga@example.org approved: Delete trainer-0."
    assert not why_not(waiting)


def test_nobody_approves_their_own(machine: Instance, as_olga: Client, provider: Provider) -> None:
    assert ask(as_olga, machine) == 302
    row = Operation.objects.get()
    assert state(row) == State.WAITING_APPROVAL  # an owner, too, needs somebody else
    assert as_olga.get(f"/activity/{row.pk}/answer/").status_code == 403
    assert approve(as_olga, row) == 403
    assert state(row) == State.WAITING_APPROVAL
    assert not provider.calls


@pytest.mark.parametrize("role", [Role.LAUNCHER, Role.OPERATOR, Role.BILLING, Role.VIEWER])
def test_who_may_not_approve_is_refused(waiting: Operation, team: Team, role: Role) -> None:
    assert approve(browser_of(person("who@example.org", team, role)), waiting) == 403
    assert state(waiting) == State.WAITING_APPROVAL


def test_of_two_who_approve_at_once_one_is_first(waiting: Operation, team: Team, as_olga: Client) -> None:
    ada = browser_of(person("ada@example.org", team, Role.ADMIN))
    assert [approve(as_olga, waiting), approve(ada, waiting)] == [302, 302]
    assert Entry.objects.filter(code="instance.delete.approved").count() == 1
    assert OperationEvent.objects.filter(operation=waiting).count() == 2


def test_rejected_it_is_over_and_the_asker_reads_why(waiting: Operation, as_olga: Client, omar: User) -> None:
    address = f"/activity/{waiting.pk}/reject/"
    assert as_olga.post(address, {"reason": ""}).status_code == 422
    assert as_olga.post(address, {"reason": "still in use until Friday"}).status_code == 302
    assert state(waiting) == State.CANCELLED
    assert "still in use until Friday" in waiting.outcome
    assert "still in use until Friday" in Notice.objects.get(user=omar).words
    assert approve(as_olga, waiting) == 302
    assert state(waiting) == State.CANCELLED


def test_what_was_approved_is_rejected_no_more(waiting: Operation, team: Team, as_olga: Client) -> None:
    ada = browser_of(person("ada@example.org", team, Role.ADMIN))
    assert approve(as_olga, waiting) == 302
    assert ada.post(f"/activity/{waiting.pk}/reject/", {"reason": "too late"}).status_code == 302
    assert state(waiting) == State.HELD
    assert not Entry.objects.filter(code="instance.delete.rejected").exists()


def test_protected_meanwhile_it_is_not_approved(waiting: Operation, machine: Instance, as_olga: Client) -> None:
    Instance.objects.filter(pk=machine.pk).update(is_locked=True)
    answer = as_olga.post(f"/activity/{waiting.pk}/approve/", {"password": PASSWORD})
    assert (answer.status_code, "is protected from deletion" in answer.content.decode()) == (422, True)
    assert state(waiting) == State.WAITING_APPROVAL


def test_another_operation_has_the_machine_and_the_approval_waits(
    waiting: Operation, machine: Instance, as_olga: Client, as_omar: Client
) -> None:
    """What waits for approval holds nothing: a restart goes on meanwhile."""
    assert ask(as_omar, machine, "reboot", "form-2") == 302
    answer = as_olga.post(f"/activity/{waiting.pk}/approve/", {"password": PASSWORD})
    assert (answer.status_code, "has the machine now" in answer.content.decode()) == (422, True)
    assert state(waiting) == State.WAITING_APPROVAL


@pytest.mark.parametrize("flaw", ["asker removed", "asker looks only", "approver removed", "approver demoted"])
def test_rights_that_went_after_the_approval_stop_it_before_it_is_sent(
    waiting: Operation, team: Team, as_olga: Client, olga: User, omar: User, flaw: str
) -> None:
    """R04, with both people asked again when it is taken up."""
    approve(as_olga, waiting)
    who = omar if flaw.startswith("asker") else olga
    rows = Membership.objects.filter(user=who)
    if flaw.endswith("removed"):
        rows.delete()
    else:
        rows.update(role=Role.VIEWER)
    waiting.refresh_from_db()
    assert who.email in why_not(waiting)


def test_the_asker_who_may_not_ask_any_more_is_not_served(waiting: Operation, as_olga: Client, omar: User) -> None:
    Membership.objects.filter(user=omar).update(role=Role.VIEWER)
    answer = as_olga.post(f"/activity/{waiting.pk}/approve/", {"password": PASSWORD})
    assert (answer.status_code, "may not ask for this any more" in answer.content.decode()) == (422, True)


def test_nobody_answers_for_three_days_and_it_is_given_up(waiting: Operation, omar: User) -> None:
    late = system_clock() + timedelta(hours=73)
    assert engine.advance(waiting.pk, lambda: late)
    assert state(waiting) == State.EXPIRED
    assert "Nobody approved it in time" in waiting.outcome
    assert Notice.objects.filter(user=omar, kind="trouble").exists()


def test_the_asker_withdraws_and_the_machine_is_calm_again(
    waiting: Operation, machine: Instance, as_omar: Client
) -> None:
    assert as_omar.post(f"/activity/{waiting.pk}/undo/").status_code == 302
    assert state(waiting) == State.CANCELLED
    machine.refresh_from_db()
    assert machine.attention == Instance.Attention.CALM


def test_an_answer_makes_the_question_read_for_everybody(
    olga: User, team: Team, waiting: Operation, as_olga: Client
) -> None:
    ada = person("ada@example.org", team, Role.ADMIN)
    Notice.objects.create(
        user=ada, kind="approval", at=system_clock(), words="the same", address=f"/activity/{waiting.pk}/"
    )
    assert Notice.objects.filter(kind="approval", read_at=None).count() == 2
    approve(as_olga, waiting)
    assert not Notice.objects.filter(kind="approval", read_at=None).exists()


def test_one_request_for_the_same_is_enough(waiting: Operation, machine: Instance, as_olga: Client) -> None:
    answer = as_olga.post(
        f"/instances/{machine.pk}/do/delete/", {"key": "other", "name": machine.name, "password": PASSWORD}
    )
    assert (answer.status_code, "omar@example.org asked for this already" in answer.content.decode()) == (422, True)


def test_in_bulk_what_takes_two_people_is_refused_for_each(machine: Instance, team: Team, as_olga: Client) -> None:
    page = as_olga.get(f"/instances/bulk/do/force_off/?m={machine.pk}").content.decode()
    assert "takes two people" in page
    form = {"key": "k", "ids": str(machine.pk), "left": "", "sure": "on"}
    as_olga.post("/instances/bulk/do/force_off/", form)
    assert not Operation.objects.exists()


def test_what_waits_comes_to_sight_again_when_a_restart_is_over(
    waiting: Operation, machine: Instance, as_omar: Client
) -> None:
    ask(as_omar, machine, "reboot", "form-2")
    row = Operation.objects.get(kind="reboot")
    machine.refresh_from_db()
    assert machine.operation_id == row.pk
    assert as_omar.post(f"/activity/{row.pk}/undo/").status_code == 302
    machine.refresh_from_db()
    assert (machine.operation_id, machine.operation_state) == (waiting.pk, State.WAITING_APPROVAL)


def test_the_rules_are_the_owners_and_stand_on_the_record(team: Team, as_olga: Client) -> None:
    address = f"/teams/{team.pk}/rules/"
    assert as_olga.post(address, {"kinds": ["delete"], "dollars": "0.5"}).status_code == 302
    team.refresh_from_db()
    assert (team.approval_kinds, team.approval_cents_per_hour) == (["delete"], 50)
    entry = Entry.objects.get(code="team.rules.changed")
    assert entry.details["after"] == {"kinds": ["delete"], "cents_per_hour": 50}
    for bad in ({"dollars": "a lot"}, {"dollars": "-1"}, {"dollars": "1.234"}, {"kinds": ["launder"]}):
        assert as_olga.post(address, bad).status_code == 422
    assert browser_of(person("ada@example.org", team, Role.ADMIN)).get(address).status_code == 403
