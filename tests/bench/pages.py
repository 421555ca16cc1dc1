"""performance.md 1, 2, 3: what a page costs beside one plain query and one plain template."""

from functools import cache
from typing import Any

from django.template import engines

from cloud.models import Instance
from panel.fleet.listing import PAGE
from panel.teams.models import default_team
from tests.bench.figures import Figure, Report
from tests.bench.fleets import Fleets
from tests.bench.measure import Work, interleaved
from tests.bench.visits import Desk

ROUNDS = 15
# Twelve of the columns that a row shows, as the database has them.
COLUMNS = (
    "id", "name", "power", "ip_address", "region", "type_label", "cpu_cores", "gpu_count", "gpu_model",
    "price_cents_per_hour", "started_at", "gone_at",
)  # fmt: skip
PLAIN = (
    "<table>{% for row in rows %}<tr>"
    + "".join(f"<td>{{{{ row.{column} }}}}</td>" for column in COLUMNS)
    + "</tr>{% endfor %}</table>"
)
PARTS = {
    "a filter": "/instances/?state=off",
    "a sort": "/instances/?sort=-price",
    "a search": "/instances/?q=trainer-9",
}


@cache
def plain_template() -> Any:
    return engines["django"].from_string(PLAIN)


def plain_rows(team: int) -> str:
    """The list's first page by one plain query and one plain template, no session and no rights."""
    rows = Instance.objects.filter(team_id=team, rank__lt=Instance.Rank.GONE).order_by("rank", "name", "id")
    return str(plain_template().render({"rows": rows.values_list(*COLUMNS, named=True)[:PAGE]}))


def lists(fleets: Fleets) -> Report:
    fleets.use("10000")
    desk, team = Desk(fleets.cookie), default_team().pk

    def floor() -> str:
        return plain_rows(team)

    parts = PARTS | {"the next page": desk.next_page("/instances/")}
    assert floor().count("<tr>") == desk.get("/instances/").count('<tr id="i') == PAGE
    for address in parts.values():
        assert desk.get(address, part=True).count('<tr id="i') == PAGE
    works = [Work("floor", floor), Work("page", lambda: desk.get("/instances/"))]
    works += [Work(name, lambda at=at: desk.get(at, part=True)) for name, at in parts.items()]  # type: ignore[misc]
    costs = interleaved(works, ROUNDS)
    plain = costs["floor"].cpu
    page = Figure(1, "list page, 50 of 10,000, CPU", costs["page"].cpu, "ms", plain, most_ratio=2.5)
    rest = [Figure(2, f"its partial: {name}, CPU", costs[name].cpu, "ms", plain, most_ratio=1.3) for name in parts]
    return Report([page, *rest])


def machine(fleets: Fleets) -> Report:
    fleets.use("10000")
    desk, template, pk = Desk(fleets.cookie), plain_template(), Instance.objects.latest("pk").pk

    def floor() -> str:
        return str(template.render({"rows": Instance.objects.filter(pk=pk).values_list(*COLUMNS, named=True)}))

    assert floor().count("<tr>") == 1
    works = (Work("floor", floor, times=20), Work("page", lambda: desk.get(f"/instances/{pk}/")))
    costs = interleaved(works, ROUNDS)
    return Report([Figure(3, "instance page, CPU", costs["page"].cpu, "ms", costs["floor"].cpu, most_ratio=10)])


def sizes(fleets: Fleets) -> Report:
    """performance.md 6. Elapsed time, since a database server's work is not this process's CPU."""
    desk = Desk(fleets.cookie)
    places = {}
    for fleet in ("1000", "100000"):
        fleets.use(fleet)
        places[fleet, "first"] = "/instances/"
        places[fleet, "last"] = desk.last_page("/instances/")
        places[fleet, "sorted"] = "/instances/?sort=name"

    def work(fleet: str, end: str) -> Work:
        def prepare() -> None:
            fleets.use(fleet)
            desk.get(places[fleet, end])  # a new connection reads its pages into its cache

        return Work(f"{end} {fleet}", lambda: desk.get(places[fleet, end]), prepare)

    costs = interleaved([work(fleet, end) for fleet, end in places], ROUNDS)
    at = {name: cost.elapsed for name, cost in costs.items()}
    large, small = at["first 100000"], at["first 1000"]
    return Report(
        [
            Figure(6, "list at 100,000 machines beside 1,000", large, "ms", small, most_ratio=1.2),
            Figure(6, "the same sorted by name", at["sorted 100000"], "ms", at["sorted 1000"], most_ratio=1.2),
            Figure(6, "last page beside the first, 100,000", at["last 100000"], "ms", large, most_ratio=1.3),
            Figure(6, "last page beside the first, 1,000", at["last 1000"], "ms", small, most_ratio=1.3),
        ]
    )
