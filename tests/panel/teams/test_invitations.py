"""S06: an invitation is seen once, good once, for one address, for 72 hours, and never above its inviter's role."""

import re
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client

from cloud.clock import system_clock
from panel.audit.models import Entry
from panel.people.models import User
from panel.teams import invitations, members
from panel.teams.members import Refused
from panel.teams.models import Invitation, Membership, Team
from panel.teams.policy import Role
from tests.fixtures import PASSWORD, browser_of, person
from tests.panel.teams.conftest import as_actor, member

GOOD = "a long enough passphrase"


@pytest.fixture
def link(vision: Team, owner: User) -> str:
    """The path of an invitation of Kim, who is new here, as operator."""
    made = invitations.invite(actor=as_actor(owner), team=vision, email="Kim@Example.org", role=Role.OPERATOR)
    return made.link.removeprefix("http://testserver").removeprefix("http://localhost:8000")


def test_somebody_new_joins_with_a_password_and_is_signed_in(link: str, vision: Team, client: Client) -> None:
    page = client.get(link)
    assert page.status_code == 200
    assert "kim@example.org" in page.content.decode()
    assert client.post(link, {"name": "Kim", "password": GOOD}).status_code == 302
    kim = User.objects.get(email="kim@example.org")
    assert (kim.name, member(kim, vision).role) == ("Kim", Role.OPERATOR)
    assert client.get("/instances/").status_code == 200
    codes = list(Entry.objects.order_by("sequence").values_list("code", flat=True))
    assert codes == ["team.invitation.made", "team.invitation.accepted", "person.added", "person.signed_in"]


def test_the_link_is_good_once(link: str, client: Client) -> None:
    assert client.post(link, {"password": GOOD}).status_code == 302
    for other in (client, Client()):
        assert other.get(link).status_code == 404
        assert other.post(link, {"password": GOOD}).status_code == 404


def test_only_the_hash_is_kept_and_no_page_shows_the_link_again(link: str, vision: Team, as_owner: Client) -> None:
    secret = link.strip("/").rsplit("/", 1)[1]
    row = Invitation.objects.get()
    assert secret not in str(row.__dict__)
    assert secret not in as_owner.get(f"/teams/{vision.pk}/").content.decode()
    assert not any(secret in entry.detail + entry.target_id for entry in Entry.objects.all())


def test_it_is_shown_once_to_the_inviter_and_mailed(vision: Team, as_owner: Client) -> None:
    answer = as_owner.post(f"/teams/{vision.pk}/invite/", {"email": "kim@example.org", "role": "viewer", "until": ""})
    assert answer.status_code == 200
    assert re.search(r"/invitation/[\w-]{43}/", answer.content.decode())


def test_the_mail_says_what_to_sign_in_with(vision: Team, owner: User, omar: User) -> None:
    for email, words in (
        ("new@example.org", "a password that you choose"),
        (omar.email, "that you have there already"),
    ):
        row = invitations.invite(actor=as_actor(owner), team=vision, email=email, role=Role.VIEWER).row
        letter = invitations.letter_of(row, "https://panel.example.org/invitation/x/")
        assert letter.to == [email]
        assert words in letter.body
        assert "https://panel.example.org/invitation/x/" in letter.body


def test_somebody_else_who_is_signed_in_gets_nothing(link: str, vision: Team, as_stan: Client, stan: User) -> None:
    for answer in (as_stan.get(link), as_stan.post(link, {"password": GOOD})):
        assert answer.status_code == 403
        assert "kim@example.org" not in answer.content.decode()
        assert "Vision" not in answer.content.decode()
    assert not stan.memberships.exists()


def test_who_has_an_account_signs_in_first_and_then_joins(link: str, vision: Team, client: Client) -> None:
    kim = person("kim@example.org", None)
    page = client.get(link).content.decode()
    assert "Sign in as <b>kim@example.org</b>" in page
    assert client.post(link, {"password": GOOD}).status_code == 403
    assert not kim.memberships.exists()
    client.post("/sign-in/", {"login": kim.email, "password": PASSWORD})
    assert client.post(link).status_code == 302
    assert member(kim, vision).role == Role.OPERATOR


@pytest.mark.parametrize("flaw", ["over", "withdrawn", "inviter removed", "inviter demoted", "inviter disabled"])
def test_it_gives_no_more_than_its_inviter_may_give_now(
    link: str, vision: Team, owner: User, client: Client, flaw: str
) -> None:
    person("other@example.org", vision, Role.OWNER)
    if flaw == "over":
        Invitation.objects.update(expires_at=system_clock() - timedelta(seconds=1))
    elif flaw == "withdrawn":
        invitations.withdraw(actor=as_actor(owner), invitation=Invitation.objects.get())
    elif flaw == "inviter removed":
        members.leave(actor=as_actor(owner), member=member(owner, vision))
    elif flaw == "inviter demoted":
        Membership.objects.filter(user=owner).update(role=Role.VIEWER)
    else:
        User.objects.filter(pk=owner.pk).update(is_active=False)
    assert client.get(link).status_code == 404
    assert client.post(link, {"password": GOOD}).status_code == 404
    assert not User.objects.filter(email="kim@example.org").exists()


def test_nobody_invites_above_their_own_role(vision: Team, owner: User) -> None:
    ada = person("ada@example.org", vision, Role.ADMIN)
    with pytest.raises(PermissionDenied):
        invitations.invite(actor=as_actor(ada), team=vision, email="kim@example.org", role=Role.OWNER)
    answer = browser_of(ada).post(f"/teams/{vision.pk}/invite/", {"email": "kim@example.org", "role": "owner"})
    assert (answer.status_code, Invitation.objects.count()) == (422, 0)
    assert "Choose one of the roles that you may give." in answer.content.decode()


def test_a_member_is_not_invited_again_and_a_second_invitation_ends_the_first(
    link: str, vision: Team, owner: User, client: Client
) -> None:
    with pytest.raises(Refused, match="belongs to this team already"):
        invitations.invite(actor=as_actor(owner), team=vision, email=owner.email, role=Role.VIEWER)
    invitations.invite(actor=as_actor(owner), team=vision, email="kim@example.org", role=Role.VIEWER)
    assert client.get(link).status_code == 404
    assert invitations.open_of(vision).count() == 1


@pytest.mark.parametrize("password", ["short", "password1234", "123456789012", "kim@example.org"])
def test_a_weak_password_is_refused_with_words_and_nobody_is_made(link: str, client: Client, password: str) -> None:
    answer = client.post(link, {"name": "Kim", "password": password})
    assert answer.status_code == 422
    assert "invalid-feedback" in answer.content.decode()
    assert 'value="Kim"' in answer.content.decode()
    assert not User.objects.filter(email="kim@example.org").exists()


def test_a_membership_may_end_by_itself(vision: Team, as_owner: Client, client: Client, owner: User) -> None:
    day = (system_clock() + timedelta(days=30)).date()
    form = {"email": "kim@example.org", "role": "viewer", "until": day.isoformat()}
    page = as_owner.post(f"/teams/{vision.pk}/invite/", form).content.decode()
    found = re.search(r"/invitation/[\w-]{43}/", page)
    assert found
    client.post(found[0], {"password": GOOD})
    ends_at = member(User.objects.get(email="kim@example.org"), vision).ends_at
    assert ends_at is not None
    assert timedelta(days=29) < ends_at - system_clock() < timedelta(days=32)
    late = as_owner.post(f"/teams/{vision.pk}/invite/", form | {"email": "x@example.org", "until": "2020-01-01"})
    assert (late.status_code, "This day is over" in late.content.decode()) == (422, True)
