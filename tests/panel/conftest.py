"""A world with one of everything that a route can name."""

from datetime import timedelta

import pytest

from cloud.clock import system_clock
from cloud.models import Account
from cloud.operations.kinds import KINDS
from cloud.operations.opening import Asker, open_operation
from panel.bulk.choice import Refused
from panel.bulk.models import Run
from panel.inbox.models import Kind, Notice
from panel.teams.models import Invitation, Team, TeamKey
from panel.teams.policy import Role
from tests.fixtures import *  # noqa: F403 -- the cast is shared by rooms
from tests.fixtures import Hands, person
from tests.support.fleet import fill
from tests.support.provider import Provider


@pytest.fixture
def world(planned: Account, provider: Provider, team: Team) -> None:
    fill(planned, team.pk, 1)


@pytest.fixture
def ids(world: None, planned: Account, team: Team, clock: Hands) -> dict[str, str]:
    """The addresses of the table name row 1 and words in capitals; the rows of this test have other ids."""
    machine, by = planned.instances.get(), Asker(0, "somebody@example.org")
    operation = open_operation(KINDS["shutdown"], machine, by=by, client_key="key", now=clock()).row
    waiting = open_operation(KINDS["delete"], machine, by=by, client_key="two", now=clock(), takes_two=True).row
    run = Run.objects.create(
        client_key="key", kind="reboot", actor_id=0, created_at=clock(),
        refused=[Refused(machine.label, "It is off.", machine.pk, team.pk).packed()],
    )  # fmt: skip
    kim = person("kim@example.org", team, Role.VIEWER)
    return {
        "/instances/1/": f"/instances/{machine.pk}/",
        "/accounts/1/": f"/accounts/{planned.pk}/",
        "OPERATION": operation.pk,
        "WAITING": waiting.pk,
        "RUN": run.pk,
        "TEAM": str(team.pk),
        "MEMBER": str(kim.memberships.get().pk),
        "PERSON": str(kim.pk),
        "INVITATION": str(_invitation(team, clock).pk),
        "KEY": str(_key(team, clock).pk),
        "NOTICE": str(Notice.objects.create(user=kim, kind=Kind.ACCESS, at=clock(), words="for Kim alone").pk),
    }


def _invitation(team: Team, clock: Hands) -> Invitation:
    return Invitation.objects.create(
        team=team, email="new@example.org", role=Role.VIEWER, secret_hash="0" * 64, invited_by=0,
        created_at=system_clock(), expires_at=system_clock() + timedelta(hours=1),
    )  # fmt: skip


def _key(team: Team, clock: Hands) -> TeamKey:
    return TeamKey.objects.create(
        team=team, name="laptop", line="ssh-ed25519 AAAA", kind="ssh-ed25519", fingerprint="f", created_at=clock()
    )
