"""The first steps of an installation, for who administers it: shown until they are done or put away."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists
from django.urls import reverse
from django.utils.translation import gettext as _

from cloud.clock import system_clock
from cloud.models import Account
from panel.people.models import User
from panel.teams import policy
from panel.teams.models import DEFAULT, Invitation, Membership, Team
from panel.teams.policy import Actor, Permission


@dataclass(frozen=True)
class Step:
    title: Any
    words: Any
    address: str
    is_done: bool


def steps(actor: Actor) -> list[Step]:
    """What is to be done and what is done; [] for everybody else, and once it is put away. One query."""
    if not policy.allowed(actor, Permission.TEAM_CREATE):
        return []
    person = _standing(actor)
    if person is None:
        return []
    found = [
        Step(
            _("Change the first password"),
            _("The one that was printed at the start is known to whoever saw that terminal."),
            reverse("account_change_password"),
            person["password_changed_at"] is not None,
        ),
        Step(
            _("Connect Blue Lobster"),
            _("With the company's key. Until then you may try everything in the sandbox."),
            reverse("accounts:add"),
            person["has_account"],
        ),
        Step(
            _("Make a team"),
            _("Each group of people sees its own machines. What is found at the provider is in Default first."),
            reverse("teams:new"),
            person["has_team"],
        ),
        Step(
            _("Invite somebody"),
            _("With the smallest role that does: a role can be raised later."),
            reverse("teams:home"),
            person["has_invited"] or person["has_others"],
        ),
    ]
    return [] if all(step.is_done for step in found) else found


def _standing(actor: Actor) -> Mapping[str, Any] | None:
    """What there is already; None when the person has put the first steps away."""
    own_id = policy.person_id(actor)
    rows = User.objects.filter(pk=own_id, tour_ended_at=None).annotate(
        has_account=Exists(Account.objects.filter(is_sandbox=False)),
        has_team=Exists(Team.objects.exclude(name=DEFAULT)),
        has_invited=Exists(Invitation.objects.all()),
        has_others=Exists(Membership.objects.exclude(user=own_id)),
    )
    return rows.values("password_changed_at", "has_account", "has_team", "has_invited", "has_others").first()


def end(*, actor: Actor) -> None:
    """Put the first steps away, for this person."""
    User.objects.filter(pk=policy.person_id(actor), tour_ended_at=None).update(tour_ended_at=system_clock())
