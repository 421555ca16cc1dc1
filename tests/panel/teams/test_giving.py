"""Machines go from team to team: by choice and by pattern, and are seen by nobody else from then on."""

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client

from cloud.models import Account, Instance, Tally
from cloud.operations.kinds import KINDS
from cloud.operations.opening import Asker, open_operation
from panel.audit.models import Entry
from panel.people.models import User
from panel.teams import giving
from panel.teams.members import Refused
from panel.teams.models import Membership, Team
from panel.teams.policy import Role
from tests.fixtures import Hands, browser_of, person
from tests.panel.teams.conftest import as_actor
from tests.support.fleet import fill


@pytest.fixture
def fleet(planned: Account, team: Team) -> list[int]:
    fill(planned, team.pk, 12)
    return list(Instance.objects.order_by("pk").values_list("pk", flat=True))


def test_who_gave_and_who_got_see_what_is_theirs(
    fleet: list[int], vision: Team, as_olga: Client, as_vera: Client, as_owner: Client
) -> None:
    answer = as_olga.post("/teams/give/", {"ids": f"{fleet[0]},{fleet[1]}", "team": str(vision.pk)})
    assert answer.status_code == 302
    assert as_vera.get(f"/instances/{fleet[0]}/").status_code == 404
    assert as_owner.get(f"/instances/{fleet[0]}/").status_code == 200
    assert "trainer-0<" not in as_vera.get("/instances/").content.decode()
    tallies = {tally.team_id: sum(tally.states.values()) for tally in Tally.objects.all()}
    assert tallies[vision.pk] == 2
    entry = Entry.objects.filter(code="instance.given").first()
    assert entry is not None
    assert (entry.details["before"], entry.details["after"]) == ({"team": "Default"}, {"team": "Vision"})


def test_a_pattern_shows_first_which_fit(fleet: list[int], vision: Team, olga: User, as_olga: Client) -> None:
    assert len(giving.fitting(as_actor(olga), "TRAINER-1*")) == 3
    assert [row.name for row in giving.fitting(as_actor(olga), "trainer-?")] == [f"trainer-{n}" for n in range(10)]
    page = as_olga.get("/teams/give/?pattern=trainer-1*").content.decode()
    assert "3 machines" in page
    assert "trainer-11" in page
    assert as_olga.get("/teams/give/?pattern=%3Cscript%3E").status_code == 422
    assert Instance.objects.filter(team_id=vision.pk).count() == 0


def test_only_into_a_team_in_which_one_may_do_the_same(fleet: list[int], vision: Team, team: Team) -> None:
    ada = person("ada@example.org", team, Role.ADMIN)
    with pytest.raises(PermissionDenied):
        giving.give(actor=as_actor(ada), ids=fleet, team=vision)
    Membership.objects.create(team=vision, user=ada, role=Role.VIEWER)
    with pytest.raises(PermissionDenied):
        giving.give(actor=as_actor(ada), ids=fleet, team=vision)
    Membership.objects.filter(team=vision).update(role=Role.ADMIN)
    assert giving.give(actor=as_actor(ada), ids=fleet, team=vision) == 12


def test_another_teams_machines_are_not_given(fleet: list[int], vision: Team, owner: User, team: Team) -> None:
    Membership.objects.create(team=Team.objects.create(name="Third"), user=owner, role=Role.OWNER)
    assert giving.give(actor=as_actor(owner), ids=fleet, team=Team.objects.get(name="Third")) == 0
    assert Instance.objects.filter(team_id=team.pk).count() == 12


def test_not_while_something_goes_on_with_one(
    fleet: list[int], vision: Team, olga: User, omar: User, clock: Hands
) -> None:
    machine = Instance.objects.get(pk=fleet[0])
    open_operation(KINDS["reboot"], machine, by=Asker(omar.pk, omar.email), client_key="k", now=clock())
    with pytest.raises(Refused, match="trainer-0"):
        giving.give(actor=as_actor(olga), ids=fleet, team=vision)
    assert Instance.objects.filter(team_id=vision.pk).count() == 0


def test_whoever_may_give_nothing_is_refused(fleet: list[int], vision: Team, as_omar: Client) -> None:
    assert as_omar.post("/teams/give/", {"ids": str(fleet[0]), "team": str(vision.pk)}).status_code == 403


def test_nonsense_gets_a_sentence(fleet: list[int], as_olga: Client) -> None:
    for form in ({"ids": "1,2", "team": "x"}, {"ids": "", "team": "1"}, {"ids": "9" * 30, "team": "-1"}):
        assert as_olga.post("/teams/give/", form).status_code == 422
    assert browser_of(person("b@example.org", None)).get("/teams/give/").status_code == 403
