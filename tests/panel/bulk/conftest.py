"""Machines on which much is asked at once."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from cloud.models import Account, Instance
from panel.teams.models import Team
from tests.support.fleet import fill
from tests.support.provider import Provider

HTMX = {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": "ask"}
Send = Callable[..., Any]


@pytest.fixture
def machines(planned: Account, provider: Provider, team: Team) -> list[Instance]:
    """Five that run, oldest first."""
    fill(planned, team.pk, 5)
    Instance.objects.update(power=Instance.Power.RUNNING, rank=Instance.Rank.RUNNING)
    return list(Instance.objects.order_by("pk"))


@pytest.fixture
def send(as_olga: Client) -> Send:
    """Confirms an action on machines as Olga; the answer."""

    def post(kind: str, ids: list[int], client: Client = as_olga, key: str = "form-1", **form: str) -> Any:
        data = {"key": key, "ids": ",".join(map(str, ids)), **form}
        return client.post(f"/instances/bulk/do/{kind}/", data)

    return post


def ids(machines: list[Instance]) -> list[int]:
    return [machine.pk for machine in machines]
