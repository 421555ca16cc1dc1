"""The list of machines: what it costs, what it finds, and that it survives what a provider may say."""

import gzip

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cloud.models import Account, Instance
from panel.fleet import fragments, listing
from panel.teams.models import Team
from tests.fixtures import Hands
from tests.support.fleet import STARTED, fill

PART = {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": "fleet"}


def queries_of(client: Client, address: str, **headers: str) -> int:
    client.get(address, **headers)  # type: ignore[arg-type]
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address, **headers).status_code == 200  # type: ignore[arg-type]
    return len(queries)


@pytest.mark.parametrize("machines", [100, 10_000, 100_000])
def test_queries_do_not_grow_with_the_fleet(planned: Account, team: Team, as_olga: Client, machines: int) -> None:
    """performance.md 4."""
    fill(planned, team.pk, machines)
    assert queries_of(as_olga, "/instances/") <= 6
    assert queries_of(as_olga, "/instances/?q=trainer-9&sort=-price", **PART) <= 4
    assert queries_of(as_olga, f"/instances/{Instance.objects.latest('pk').pk}/") <= 8


def test_bytes_of_a_full_page(planned: Account, team: Team, as_olga: Client) -> None:
    """performance.md 5: list, part, one row, and the list as it travels."""
    fill(planned, team.pk, 10_000)
    page = as_olga.get("/instances/").content
    part = as_olga.get("/instances/?q=trainer", **PART).content  # type: ignore[arg-type]
    (_pk, row), *_rest = fragments.rows(team.pk, [Instance.objects.latest("pk").pk])
    assert len(page) <= 40 * 1024
    assert len(part) <= 25 * 1024
    assert len(row.encode()) <= 1024
    assert len(gzip.compress(page)) <= 8 * 1024


@pytest.mark.parametrize("machines", [0, 1, 50, 51])
def test_lists_of_every_size(planned: Account, team: Team, as_olga: Client, machines: int) -> None:
    if machines:
        fill(planned, team.pk, machines)
    page = as_olga.get("/instances/").content.decode()
    assert page.count('<tr id="i') == min(machines, 50)
    assert ("No machines yet" in page) == (machines == 0)
    assert ('rel="next"' in page) == (machines > 50)


@pytest.mark.parametrize("order", [*listing.ORDERS, *(f"-{order}" for order in listing.ORDERS)])
def test_walking_the_pages_meets_every_machine_once_in_both_directions(
    planned: Account, team: Team, as_olga: Client, order: str
) -> None:
    fill(planned, team.pk, 230)
    Instance.objects.filter(pk__in=Instance.objects.values("pk")[:30]).update(price_cents_per_hour=None, name="twin")
    rows = Instance.objects.filter(team_id=team.pk)
    wish = listing.Wish.read(as_olga.get(f"/instances/?sort={order}").wsgi_request.GET)
    pages = [listing.page(rows, wish, 230)]
    while pages[-1].has_after:
        pages.append(listing.page(rows, read(pages[-1].after or "")))
    seen = [row.id for page in pages for row in page.rows]
    assert len(seen) == len(set(seen)) == 230
    assert [page.first for page in pages] == [1, 51, 101, 151, 201]

    last = listing.page(rows, read(pages[0].end(230) or ""), 230)
    assert [row.id for row in last.rows] == seen[200:]
    back = last
    for expected in [seen[150:200], seen[100:150], seen[50:100], seen[:50]]:
        back = listing.page(rows, read(back.before or ""))
        assert [row.id for row in back.rows] == expected
    assert not back.has_before
    prices = [
        -1 if row.price_cents_per_hour is None else row.price_cents_per_hour for page in pages for row in page.rows
    ]
    if order.endswith("price"):
        assert prices == sorted(prices, reverse=order.startswith("-"))
        assert prices.count(-1) == 30


def test_the_last_page_is_found_without_a_count(planned: Account, team: Team) -> None:
    fill(planned, team.pk, 130)
    rows = Instance.objects.filter(team_id=team.pk)
    first = listing.page(rows, read("?sort=name"))
    last = listing.page(rows, read(first.end(None) or ""))
    assert (len(last.rows), last.is_counted, last.has_after) == (50, False, False)
    before = listing.page(rows, read(last.before or ""))
    assert not before.is_counted
    assert before.rows[-1].name < last.rows[0].name


def read(address: str) -> listing.Wish:
    return listing.Wish.read(QueryDict(address.removeprefix("?")))


@pytest.mark.parametrize(
    "query",
    [
        "from=garbage", "from=W10", "from=WzEsMCwicmFuayJd", "from=" + "A" * 5000, "sort=bogus&state=bogus",
        "sort=age&from=WzAsMCwibm90IGEgdGltZSIsMV0", "q=%00%25_'\"<script>", "q=" + "x" * 3000, "region=%00",
        "from=WzAsMCw2MCwibiIsOTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5XQ",
    ],
)  # fmt: skip
def test_a_mangled_address_is_a_page_not_an_error(planned: Account, team: Team, as_olga: Client, query: str) -> None:
    fill(planned, team.pk, 60)
    response = as_olga.get(f"/instances/?{query}")
    assert response.status_code == 200
    assert b"<script>alert" not in response.content


HOSTILE = "<b>\"x\" 'y' &amp; {{ 7*7 }} </td><script>alert(1)</script>"


def test_hostile_names_are_text_everywhere(planned: Account, team: Team, as_olga: Client) -> None:
    fill(planned, team.pk, 3)
    Instance.objects.update(
        name=HOSTILE, region=HOSTILE, type_label=HOSTILE, ip_address="<i>1</i>", template_label=HOSTILE,
        username="$(run-me)", host_id=HOSTILE,
    )  # fmt: skip
    pk = Instance.objects.earliest("pk").pk
    for address in ("/", "/instances/", f"/instances/{pk}/", "/instances/?q=%3Cb%3E"):
        page = as_olga.get(address).content.decode()
        assert "<script>alert" not in page
        assert "<i>1</i>" not in page
    assert "run-me" not in as_olga.get(f"/instances/{pk}/").content.decode()
    for _pk, row in fragments.rows(team.pk, [pk]):
        assert "<script" not in row


def test_search_finds_by_name_address_and_type_and_treats_signs_as_signs(
    planned: Account, team: Team, as_olga: Client
) -> None:
    fill(planned, team.pk, 120)
    Instance.objects.filter(name="trainer-7").update(name="100%_done", search="100%_done 198.51.0.7 1× a4000")

    def found(q: str) -> int:
        return as_olga.get("/instances/", {"q": q}).content.decode().count('<tr id="i')

    assert found("TRAINER-11") == 11
    assert found("198.51.0.7 a4000") == 1
    assert found("%_") == 1
    assert found("nowhere") == 0


def test_filters_narrow_and_gone_machines_are_shown_only_when_asked_for(
    planned: Account, team: Team, as_olga: Client, clock: Hands
) -> None:
    fill(planned, team.pk, 40)
    Instance.objects.filter(name="trainer-3").update(gone_at=STARTED, rank=Instance.Rank.GONE)
    assert "trainer-3<" not in as_olga.get("/instances/").content.decode()
    gone = as_olga.get("/instances/?state=gone").content.decode()
    assert gone.count('<tr id="i') == 1
    assert "is-gone" in gone
    off = as_olga.get("/instances/?state=off").content.decode()
    assert off.count("st-off") == off.count('<tr id="i') == 4


def test_the_export_has_every_machine_and_no_formula(planned: Account, team: Team, as_olga: Client) -> None:
    fill(planned, team.pk, 120)
    Instance.objects.filter(name="trainer-3").update(name='=HYPERLINK("http://x")')
    lines = b"".join(as_olga.get("/instances/instances.csv").streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert len(lines) == 121
    assert sum(line.startswith("\"'=HYPERLINK") for line in lines) == 1


def test_a_stranger_sees_no_machine_by_any_door(planned: Account, team: Team, as_stan: Client) -> None:
    fill(planned, team.pk, 3)
    assert as_stan.get("/instances/").status_code == 403
    assert as_stan.get(f"/instances/{Instance.objects.latest('pk').pk}/").status_code == 404


def test_a_machine_of_another_team_does_not_exist(planned: Account, team: Team, as_vera: Client) -> None:
    fill(planned, team.pk, 3)
    other = Team.objects.create(name="Other")
    hidden = Instance.objects.latest("pk")
    Instance.objects.filter(pk=hidden.pk).update(team_id=other.pk, name="CANARY")
    for address in (f"/instances/{hidden.pk}/", f"/instances/{hidden.pk}/readings/"):
        assert as_vera.get(address).status_code == 404
    for address in ("/", "/instances/", "/instances/?q=canary", "/provider-tasks/"):
        assert "CANARY" not in as_vera.get(address).content.decode()
    assert b"CANARY" not in b"".join(as_vera.get("/instances/instances.csv").streaming_content)  # type: ignore[attr-defined]


def test_stale_data_is_shown_as_last_known_with_its_time(planned: Account, team: Team, as_vera: Client) -> None:
    fill(planned, team.pk, 3)
    planned.refreshes.filter(part="instances").update(done_at=STARTED)
    page = as_vera.get("/instances/").content.decode()
    assert page.count("st-unknown") >= 3
    assert "running at" in page
    assert "older than it should be" in page
