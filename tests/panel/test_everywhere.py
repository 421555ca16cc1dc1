"""What holds on every route: nothing of another team is told (S03), what changes something is recorded (S27)."""

import re

import pytest
from django.db import transaction
from django.test import Client

from cloud.models import Account, Instance
from cloud.operations.models import Operation
from cloud.tally import recount
from panel.audit import record
from panel.audit.models import Entry
from panel.bulk.models import Run
from panel.people.models import User
from panel.teams.models import Invitation, Team, TeamKey
from panel.teams.policy import Actor
from tests.fixtures import browser_of
from tests.panel.people.made import ed25519
from tests.panel.routes import TABLE, actor, real


@pytest.mark.parametrize("who", ["another team's admin", "stranger", "administrator"])
def test_no_page_tells_anything_of_a_team_that_one_is_not_in(
    world: None, ids: dict[str, str], team: Team, who: str
) -> None:
    """S03: a canary in every string of the team; lists, search, downloads, figures, palette, errors, the record."""
    canary(team)
    client = browser_of(actor(who, team))
    for name, (method, address, *_statuses) in TABLE.items():
        if method != "GET" or (who == "administrator" and name.split(":")[0] in {"accounts", "teams", "audit"}):
            continue  # an administrator sees accounts, who belongs to teams, and the whole record
        for query in ("", "CANARY"):
            path = f"{real(address, ids)}{'&' if '?' in address else '?'}q={query}&person={query}&machine={query}"
            response = client.get(path)
            body = b"".join(response) if response.streaming else response.content
            text = body.decode().replace("q=CANARY", "").replace('value="CANARY"', "")
            told = [text[max(at.start() - 80, 0) : at.end() + 40] for at in re.finditer("CANARY-", text)]
            assert not told, (path, told[:3])


def canary(team: Team) -> None:
    """Every string of the team that somebody else could be shown."""
    Team.objects.filter(pk=team.pk).update(name="CANARY-team")
    Instance.objects.update(
        name="CANARY-machine", search="canary-machine", ip_address="CANARY-ip", region="CANARY-region",
        type_label="CANARY-type", template_label="CANARY-image",
    )  # fmt: skip
    Operation.objects.update(target_label="CANARY-target", actor_label="CANARY-actor", outcome="CANARY-outcome")
    Run.objects.update(actor_label="CANARY-actor")
    TeamKey.objects.update(name="CANARY-key")
    Invitation.objects.update(email="CANARY-invited@example.org")
    User.objects.filter(email="kim@example.org").update(email="CANARY-kim@example.org")
    for account in Account.objects.all():
        recount(account)
    with transaction.atomic():
        record.append("team.renamed", actor=Actor(label="CANARY-actor"), team_id=team.pk, target_label="CANARY-target")


# What is one's own and nobody else's business: how pages look, and what one has read.
PERSONAL = {
    "fleet:save-view", "fleet:rename-view", "fleet:delete-view", "fleet:move-view", "fleet:columns", "inbox:open",
    "inbox:read", "inbox:wanted", "overview:end-tour",
}  # fmt: skip
SENT: dict[str, dict[str, str]] = {
    "teams:new sent": {"name": "Fresh"},
    "teams:rename sent": {"name": "Renamed"},
    "teams:rules sent": {"kinds": "delete"},
    "teams:invite sent": {"email": "x@example.org", "role": "viewer"},
    "teams:role sent": {"role": "operator"},
    "teams:key-add sent": {"key": ed25519("a key")},
    "teams:administrator sent": {"administrator": "yes"},
    "actions:do power sent": {"key": "another"},
    "actions:do rename sent": {"key": "another", "name": "renamed"},
    "approvals:reject": {"reason": "not now"},
    "you-theme": {"theme": "dark"},
    "you-zone": {"zone": "Europe/Berlin"},
    "you-key-add sent": {"key": ed25519("my key")},
}


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if row[0] == "POST"])
def test_what_changes_something_stands_on_the_record_in_the_name_of_the_person(
    world: None, ids: dict[str, str], team: Team, olga: User, as_olga: Client, name: str
) -> None:
    """S27. Olga owns and administers. What was refused for its contents changes nothing and leaves nothing."""
    Operation.objects.filter(kind="shutdown").update(state="cancelled", next_check_at=None)
    before = Entry.objects.count()
    response = as_olga.post(real(TABLE[name][1], ids), SENT.get(name, {}))
    written = Entry.objects.filter(sequence__gt=before)
    changed_nothing = (
        response.status_code in {404, 409, 422} or name in UNCHANGED or name.split(maxsplit=1)[0] in PERSONAL
    )
    assert bool(written) != changed_nothing, (response.status_code, [entry.code for entry in written])
    assert {entry.actor_id for entry in written} <= {olga.pk}


# Nothing of it was left to change in this world: the answer is the page that says so.
UNCHANGED = {
    "you-sessions-end", "activity:undo", "activity:retry", "bulk:undo", "teams:enable", "actions:unprotect",
    "accounts:confirm-missing",
}  # fmt: skip
