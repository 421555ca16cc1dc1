"""Pages on bad days: the provider silent, Redis gone, a held disappearance, tasks of all kinds."""

from typing import Any

import pytest
from django.test import Client

from cloud import refresh, schedule
from cloud.clock import system_clock
from cloud.models import Account, Instance, ProviderTask, Refresh
from cloud.store import store
from panel.teams.models import Team
from tests.fixtures import Hands
from tests.support.fleet import STARTED, fill
from tests.support.provider import Provider

PAGES = ["/", "/instances/", "/provider-tasks/", "/settings/", "/health/", "/you/", "/banners/"]


@pytest.fixture
def fleet(planned: Account, team: Team) -> Instance:
    fill(planned, team.pk, 60)
    return Instance.objects.earliest("pk")


@pytest.fixture
def no_redis(settings: Any) -> Any:
    settings.REDIS_URL = "unix:///nowhere/valkey.sock"
    store.cache_clear()
    yield
    store.cache_clear()


@pytest.mark.parametrize("page", [*PAGES, "machine", "readings"])
def test_pages_answer_while_redis_is_away(fleet: Instance, as_olga: Client, no_redis: None, page: str) -> None:
    special = {"machine": f"/instances/{fleet.pk}/", "readings": f"/instances/{fleet.pk}/readings/"}
    assert as_olga.get(special.get(page, page)).status_code == 200


def test_health_says_in_words_that_redis_is_away(fleet: Instance, as_olga: Client, no_redis: None) -> None:
    page = as_olga.get("/health/").content.decode()
    assert "Does not answer" in page
    assert "None at work" in page


@pytest.mark.parametrize("page", PAGES[:2])
def test_a_silent_provider_is_said_on_every_page_with_its_time(fleet: Instance, as_vera: Client, page: str) -> None:
    Account.objects.update(silent_since=STARTED)
    Refresh.objects.update(done_at=STARTED)
    text = as_vera.get(page).content.decode()
    assert "Production has not answered since" in text
    assert "Production is silent" in text
    assert 'datetime="2026-01-15T10:30:00Z"' in text


def test_a_short_silence_is_not_shouted(fleet: Instance, as_vera: Client) -> None:
    Account.objects.update(silent_since=system_clock())
    assert "has not answered" not in as_vera.get("/").content.decode()


def test_a_page_never_calls_the_provider(fleet: Instance, as_olga: Client, provider: Provider) -> None:
    for page in [*PAGES, f"/instances/{fleet.pk}/", "/instances/instances.csv"]:
        as_olga.get(page)
    assert not provider.calls


def test_no_account_yet_offers_the_first_step(as_olga: Client, as_vera: Client) -> None:
    assert "/settings/accounts/add/" in as_olga.get("/instances/").content.decode()
    page = as_vera.get("/instances/").content.decode()
    assert "not connected" in page
    assert "/settings/accounts/add/" not in page


def test_nothing_matches_offers_the_way_back(fleet: Instance, as_vera: Client) -> None:
    page = as_vera.get("/instances/?q=nowhere").content.decode()
    assert "No machine fits “nowhere”." in page
    assert "Show all machines" in page


def test_a_held_disappearance_is_shown_and_can_be_confirmed(fleet: Instance, as_olga: Client, as_vera: Client) -> None:
    account = fleet.account
    Account.objects.update(held_missing=30)
    Instance.objects.filter(pk=fleet.pk).update(missing_since=STARTED)
    assert "30 machines of Production are missing all at once" in as_vera.get("/").content.decode()
    page = as_olga.get(f"/settings/accounts/{account.pk}/missing/").content.decode()
    assert fleet.name in page
    address = f"/settings/accounts/{account.pk}/missing/"
    for nonsense in ("", "yesterday", "2026-01-15T10:30:00", "2999-01-01T00:00:00+00:00"):
        assert as_olga.post(address, {"until": nonsense}).status_code == 422
    assert f'value="{STARTED.isoformat()}"' in page
    assert as_olga.post(address, {"until": STARTED.isoformat()}).status_code == 302
    account.refresh_from_db()
    assert account.missing_confirmed_at == STARTED


@pytest.mark.parametrize(
    ("status", "words"),
    [("PENDING", "Waiting"), ("PROCESSING", "Running"), ("COMPLETED", "Done"), ("FAILED", "Failed"),
     ("CANCELLED", "Cancelled"), ("REWINDING", "Rewinding"), ("", "Unknown")],
)  # fmt: skip
def test_provider_tasks_in_words(fleet: Instance, as_vera: Client, status: str, words: str) -> None:
    ProviderTask.objects.create(
        account=fleet.account, task_id="task_1", operation="create_instance", status=status, first_seen_at=STARTED,
        instance_provider_id=fleet.provider_id, created_at=STARTED, message="<b>hostile</b>",
    )  # fmt: skip
    page = as_vera.get("/provider-tasks/").content.decode()
    assert words in page
    assert "Launch" in page
    assert fleet.name in page
    assert "<b>hostile" not in page


def test_a_task_of_no_known_machine_is_for_those_who_look_after_accounts(
    fleet: Instance, as_vera: Client, as_olga: Client
) -> None:
    ProviderTask.objects.create(
        account=fleet.account, task_id="task_1", operation="ghost_operation", status="PENDING", first_seen_at=STARTED,
        instance_provider_id="vm-unknown", created_at=STARTED,
    )  # fmt: skip
    assert "Ghost operation" in as_olga.get("/provider-tasks/").content.decode()
    assert "Ghost operation" not in as_vera.get("/provider-tasks/").content.decode()


@pytest.mark.parametrize("page", ["?page=0", "?page=-1", "?page=99999999999", "?page=x", "?page=²"])
def test_odd_page_numbers_are_a_page(fleet: Instance, as_vera: Client, page: str) -> None:
    assert as_vera.get(f"/provider-tasks/{page}").status_code == 200


def test_synced_tasks_are_written_once(planned: Account, provider: Provider, clock: Hands) -> None:
    provider.tasks = [{"task_id": f"t{n}", "status": "completed", "operation": "reboot"} for n in range(100)]
    row = Refresh.objects.get(part=Refresh.Part.TASKS)
    for _round in range(2):
        schedule.soon(planned.pk, row.part, now=clock.move(60))
        assert refresh.run(row.pk, clock)
    assert ProviderTask.objects.count() == 100
    assert set(ProviderTask.objects.values_list("status", "first_seen_at")) == {
        ("COMPLETED", ProviderTask.objects.earliest("pk").first_seen_at)
    }


def test_connect_is_offered_only_when_a_shell_cannot_misread_it(fleet: Instance, as_vera: Client) -> None:
    def page() -> str:
        return as_vera.get(f"/instances/{fleet.pk}/").content.decode()

    Instance.objects.update(ip_address="198.51.100.7", username="")
    assert "ssh ubuntu@198.51.100.7" in page()
    Instance.objects.update(username="x; rm -rf ~")
    assert "rm -rf" not in page()
    Instance.objects.update(username="ubuntu", ip_address="-oProxyCommand=x")
    assert "ssh ubuntu@-o" not in page()
    Instance.objects.update(ip_address="198.51.100.7", os_type="windows")
    assert "ssh " not in page()


def test_a_machine_that_is_gone_keeps_its_page(fleet: Instance, as_vera: Client) -> None:
    Instance.objects.filter(pk=fleet.pk).update(gone_at=STARTED, rank=Instance.Rank.GONE)
    page = as_vera.get(f"/instances/{fleet.pk}/").content.decode()
    assert "no longer exists" in page
    assert "ssh " not in page
