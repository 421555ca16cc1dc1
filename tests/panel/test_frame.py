"""The side bar's count of operations, which comes beside the tallies: the same with tallies and without."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cloud.models import Account, Tally
from cloud.operations.kinds import KINDS
from cloud.operations.opening import Asker, open_operation
from panel.teams.models import Team
from tests.fixtures import Hands
from tests.support.fleet import fill


def counted(client: Client, address: str) -> str:
    found = re.search(r'id="operation-count"[^>]*>([^<]*)<', client.get(address).content.decode())
    assert found
    return found[1]


@pytest.mark.parametrize("address", ["/", "/you/", "/activity/count/"])
def test_the_operations_that_go_on_are_counted_once(
    planned: Account, team: Team, as_vera: Client, clock: Hands, address: str
) -> None:
    fill(planned, team.pk, 3)
    assert counted(as_vera, address) == ""
    for machine in planned.instances.all()[:2]:
        by = Asker(0, "somebody@example.org")
        open_operation(KINDS["reboot"], machine, by=by, client_key=f"key {machine.pk}", now=clock())
    second = Account.objects.create(name="Second", base_url="http://b.test", sealed_key="x", key_stored_at=clock())
    Tally.objects.create(account=second, team_id=team.pk)
    assert counted(as_vera, address) == "2"
    Tally.objects.all().delete()
    assert counted(as_vera, address) == "2"


def test_the_count_costs_no_query_beside_the_tallies(planned: Account, team: Team, as_vera: Client) -> None:
    fill(planned, team.pk, 3)
    with CaptureQueriesContext(connection) as queries:
        as_vera.get("/keys/")
    counts = [query["sql"] for query in queries if "operations_operation" in query["sql"]]
    assert len(counts) == 1
    assert "cloud_tally" in counts[0]
