"""A team's SSH keys are offered at its launches, and only at those."""

from typing import Any

import pytest
from django.test import Client

from cloud.models import Instance
from cloud.operations.models import Operation
from panel.people.models import User
from panel.people.ssh_keys import checked
from panel.teams import keys
from panel.teams.actors import actor_by_id
from panel.teams.models import Membership, Team, TeamKey
from panel.teams.policy import Role
from tests.panel.people.made import ed25519

Filled = dict[str, Any]


@pytest.fixture
def ci(team: Team, olga: User) -> TeamKey:
    return keys.add_key(actor=actor_by_id(olga.pk), team=team, name="ci", key=checked(ed25519("ci", "ci@host")))


def test_it_is_offered_used_and_noted(ci: TeamKey, as_olga: Client, filled: Filled) -> None:
    assert f'value="t{ci.pk}"' in as_olga.get("/launch/").content.decode()
    assert as_olga.post("/launch/", filled | {"ssh": f"t{ci.pk}", "public_key": ""}).status_code == 302
    assert Operation.objects.get().params["ssh_key"] == ci.line
    ci.refresh_from_db()
    assert ci.last_used_at is not None


def test_another_teams_key_is_neither_offered_nor_taken(
    ci: TeamKey, olga: User, as_olga: Client, filled: Filled
) -> None:
    other = Team.objects.create(name="Other")
    strange = TeamKey.objects.create(
        team=other, name="CANARY", line=ed25519("x"), kind="ssh-ed25519", fingerprint="x", created_at=ci.created_at
    )
    assert "CANARY" not in as_olga.get("/launch/").content.decode()
    answer = as_olga.post("/launch/", filled | {"ssh": f"t{strange.pk}", "public_key": ""})
    assert (answer.status_code, Instance.objects.count()) == (422, 0)
    Membership.objects.create(team=other, user=olga, role=Role.LAUNCHER)
    answer = as_olga.post("/launch/", filled | {"ssh": f"t{strange.pk}", "public_key": "", "team": str(ci.team_id)})
    assert answer.status_code == 422
    assert "This key is another team&#x27;s." in answer.content.decode()


def test_bad_keys_get_a_sentence_and_a_private_one_is_kept_nowhere(team: Team, as_olga: Client, ci: TeamKey) -> None:
    address = f"/teams/{team.pk}/keys/add/"
    for typed, words in (
        ("", "Paste a public key"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n", "This is a private key."),
        (ci.line, "The team has this key already."),
        ("ssh-ed25519 AAAA", "The key is damaged"),
    ):
        answer = as_olga.post(address, {"name": "x", "key": typed})
        assert answer.status_code == 422
        assert words in answer.content.decode()
        assert "c2VjcmV0" not in answer.content.decode()
    assert TeamKey.objects.count() == 1
