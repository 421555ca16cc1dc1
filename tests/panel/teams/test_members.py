"""Who belongs to a team: nobody gives more than they have, a team keeps an owner, what ends ends at once (S05, S08)."""

import threading
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connections
from django.test import Client

from cloud.clock import system_clock
from cloud.models import Account, Instance
from cloud.operations.kinds import KINDS
from cloud.operations.models import Operation
from cloud.operations.opening import Asker, open_operation
from cloud.operations.states import State
from panel.audit.models import Entry
from panel.inbox.models import Notice
from panel.people.models import OpenSession, User
from panel.teams import members, people, policy
from panel.teams.members import Refused
from panel.teams.models import Membership, Team
from panel.teams.policy import ROLES, Role
from tests.fixtures import PASSWORD, Hands, browser_of, person
from tests.panel.teams.conftest import as_actor, member
from tests.support.fleet import fill
from tests.support.provider import Provider

BELOW: dict[Role, set[Role]] = {
    Role.OWNER: set(Role),
    Role.ADMIN: set(Role) - {Role.OWNER},
}


@pytest.mark.parametrize("role", Role)
def test_each_role_gives_at_most_what_it_has(vision: Team, role: Role) -> None:
    """S05, by trying every role on every member of every role."""
    giver = person("giver@example.org", vision, role)
    person("keeper@example.org", vision, Role.OWNER)
    assert set(policy.grantable(as_actor(giver), vision)) == BELOW.get(role, set())
    for before in Role:
        for after in Role:
            kim = person(f"{before}-{after}@example.org", vision, before)
            may = {before, after} <= BELOW.get(role, set())
            try:
                members.set_role(actor=as_actor(giver), member=member(kim, vision), role=after)
                assert may, f"{role} made {after} of {before}"
            except PermissionDenied:
                assert not may, f"{role} may not make {after} of {before}"


def test_nobody_raises_themselves(vision: Team, owner: User) -> None:
    ada = person("ada@example.org", vision, Role.ADMIN)
    with pytest.raises(PermissionDenied):
        members.set_role(actor=as_actor(ada), member=member(ada, vision), role=Role.OWNER)
    assert member(ada, vision).role == Role.ADMIN


def test_the_last_owner_cannot_leave_be_demoted_removed_or_disabled(vision: Team, owner: User, olga: User) -> None:
    actor, mine = as_actor(owner), member(owner, vision)
    with pytest.raises(Refused, match="last owner of Vision"):
        members.leave(actor=actor, member=mine)
    with pytest.raises(Refused, match="last owner"):
        members.set_role(actor=actor, member=mine, role=Role.VIEWER)
    with pytest.raises(Refused, match="last owner"):
        members.set_role(actor=actor, member=mine, role=Role.OWNER, ends_at=system_clock() + timedelta(days=1))
    with pytest.raises(Refused, match="last owner"):
        members.remove(actor=as_actor(olga), member=mine)  # an administrator of the installation
    with pytest.raises(Refused, match="last owner"):
        people.disable(actor=as_actor(olga), person=owner)
    assert member(owner, vision).role == Role.OWNER


@pytest.mark.parametrize("flaw", ["disabled", "for a time"])
def test_an_owner_who_does_not_stay_keeps_no_team(vision: Team, owner: User, flaw: str) -> None:
    other = person("other@example.org", vision, Role.OWNER)
    if flaw == "disabled":
        User.objects.filter(pk=other.pk).update(is_active=False)
    else:
        Membership.objects.filter(user=other).update(ends_at=system_clock() + timedelta(days=1))
    with pytest.raises(Refused, match="last owner"):
        members.leave(actor=as_actor(owner), member=member(owner, vision))


@pytest.mark.django_db(transaction=True)
def test_of_two_owners_who_demote_each_other_one_stays() -> None:
    team = Team.objects.create(name="Two")
    both = [person(f"{name}@example.org", team, Role.OWNER) for name in ("ann", "bob")]
    start, refused = threading.Barrier(2), []

    def demote(actor: User, other: User) -> None:
        try:
            start.wait(5)
            members.set_role(actor=as_actor(actor), member=member(other, team), role=Role.VIEWER)
        except (Refused, PermissionDenied) as error:
            refused.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=demote, args=pair) for pair in (both, both[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert Membership.objects.filter(team=team, role=Role.OWNER).count() == 1


def test_a_membership_that_is_over_gives_nothing_and_its_row_goes(vision: Team, clock: Hands) -> None:
    kim = person("kim@example.org", vision, Role.OPERATOR)
    Membership.objects.filter(user=kim).update(ends_at=system_clock() - timedelta(seconds=1))
    assert not as_actor(kim).roles
    assert browser_of(kim).get("/instances/").status_code == 403
    members.forget_ended(system_clock())
    assert not Membership.objects.filter(user=kim).exists()
    assert Entry.objects.get(code="team.member.ended").target_label == "kim@example.org"


@pytest.fixture
def asked(planned: Account, provider: Provider, vision: Team, omar: User, clock: Hands) -> list[Operation]:
    """What Omar asked for in two teams and nobody has sent, and one that is being sent."""
    fill(planned, vision.pk, 3)
    Membership.objects.create(team=vision, user=omar, role=Role.OPERATOR)
    rows = [
        open_operation(KINDS[kind], machine, by=Asker(omar.pk, omar.email), client_key=kind, now=clock()).row
        for kind, machine in zip(("reboot", "force_off", "shutdown"), Instance.objects.order_by("pk"), strict=True)
    ]
    Operation.objects.filter(pk=rows[2].pk).update(state=State.SENDING)
    return rows


@pytest.mark.parametrize("way", ["removed", "left", "disabled"])
def test_access_that_ends_ends_sessions_and_takes_back_what_nobody_sent(
    asked: list[Operation], vision: Team, owner: User, olga: User, omar: User, way: str
) -> None:
    client = Client()
    client.post("/sign-in/", {"login": omar.email, "password": PASSWORD})
    assert client.get("/instances/").status_code == 200
    if way == "removed":
        members.remove(actor=as_actor(owner), member=member(omar, vision))
    elif way == "left":
        members.leave(actor=as_actor(omar), member=member(omar, vision))
    else:
        people.disable(actor=as_actor(olga), person=omar)
    assert client.get("/instances/").status_code == 302
    assert not OpenSession.objects.filter(user=omar).exists()
    states = [Operation.objects.get(pk=row.pk).state for row in asked]
    assert states == [State.CANCELLED, State.CANCELLED, State.SENDING]
    withdrawn = Entry.objects.filter(code__endswith=".withdrawn")
    assert {entry.details["asked_by"] for entry in withdrawn} == {omar.email}
    last = Entry.objects.order_by("-sequence").first()
    assert last is not None
    assert (
        last.code == {"removed": "team.member.removed", "left": "team.member.left", "disabled": "person.disabled"}[way]
    )


def test_removed_from_one_team_what_was_asked_for_in_another_goes_on(
    asked: list[Operation], team: Team, olga: User, omar: User
) -> None:
    members.remove(actor=as_actor(olga), member=member(omar, team))
    assert Operation.objects.get(pk=asked[0].pk).state == State.QUEUED


def test_a_change_of_role_is_told_and_stands_on_the_record(vision: Team, owner: User) -> None:
    kim = person("kim@example.org", vision, Role.VIEWER)
    members.set_role(actor=as_actor(owner), member=member(kim, vision), role=Role.OPERATOR)
    assert Notice.objects.get(user=kim).words == "Your role in Vision is Operator now."
    entry = Entry.objects.get(code="team.role.changed")
    assert (entry.details["before"], entry.details["after"]) == ({"role": "viewer"}, {"role": "operator"})
    assert (entry.actor_label, entry.target_label, entry.team_label) == (owner.email, kim.email, "Vision")


def test_an_administrator_says_who_belongs_to_a_team_and_sees_none_of_its_machines(
    planned: Account, vision: Team, owner: User
) -> None:
    fill(planned, vision.pk, 1)
    ada = person("ada@example.org", None)
    User.objects.filter(pk=ada.pk).update(is_administrator=True)
    client, row = browser_of(ada), member(owner, vision)
    page = client.get(f"/teams/{vision.pk}/").content.decode()
    assert "owen@example.org" in page
    assert "trainer-0" not in page
    assert "1 machine" not in client.get("/teams/").content.decode()
    assert client.get(f"/teams/members/{row.pk}/role/").status_code == 200
    assert client.get("/instances/").status_code == 403
    assert client.get(f"/instances/{Instance.objects.get().pk}/").status_code == 404


def test_the_last_administrator_stays_one(olga: User) -> None:
    with pytest.raises(Refused, match="last administrator"):
        people.set_administrator(actor=as_actor(olga), person=olga, is_administrator=False)
    with pytest.raises(Refused, match="yourself"):
        people.disable(actor=as_actor(olga), person=olga)


def test_whoever_is_disabled_can_be_let_in_again_with_their_roles(olga: User, omar: User, as_olga: Client) -> None:
    assert as_olga.post(f"/people/{omar.pk}/disable/").status_code == 302
    assert as_olga.post(f"/people/{omar.pk}/enable/").status_code == 302
    assert browser_of(omar).get("/instances/").status_code == 200


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "Give it a name."),
        ("x" * 65, "At most 64 characters."),
        ("a\x07b", "control characters"),
        ("vision", "of this name already"),
    ],
)
def test_a_bad_name_of_a_team_gets_a_sentence_and_keeps_what_was_typed(
    as_olga: Client, vision: Team, name: str, words: str
) -> None:
    answer = as_olga.post("/teams/new/", {"name": name})
    assert answer.status_code == 422
    assert words in answer.content.decode()


def test_what_the_form_does_not_offer_is_ignored(as_owner: Client, vision: Team, owner: User) -> None:
    """S04: a role, a team or a right in a form that does not ask for it changes nothing."""
    kim = person("kim@example.org", vision, Role.VIEWER)
    fields = {"role": "viewer", "team": "999", "user": str(owner.pk), "is_administrator": "on", "is_active": "on"}
    assert as_owner.post(f"/teams/members/{member(kim, vision).pk}/role/", fields).status_code == 302
    kim.refresh_from_db()
    assert (kim.is_administrator, member(kim, vision).role) == (False, "viewer")
    assert as_owner.post(f"/teams/members/{member(kim, vision).pk}/role/", {"role": "emperor"}).status_code == 422


def test_every_role_is_a_part_of_the_one_above() -> None:
    assert ROLES[Role.VIEWER] <= ROLES[Role.OPERATOR] < ROLES[Role.LAUNCHER] < ROLES[Role.ADMIN] < ROLES[Role.OWNER]
