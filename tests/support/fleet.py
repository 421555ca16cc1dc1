"""Many machines in the cache at once, copied inside the database: 100,000 rows one by one would take minutes."""

from datetime import UTC, datetime

from django.db import connection

from cloud.models import Account, Instance
from cloud.tally import recount

STARTED = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)
COMPUTED = {
    "id": "{base} + n",
    "provider_id": "'vm-' || n",
    "name": "'trainer-' || n",
    "ip_address": "'198.51.' || (n / 250 %% 250) || '.' || (n %% 250)",
    "rank": "CASE WHEN n %% 9 = 0 THEN 85 WHEN n %% 31 = 0 THEN 70 ELSE 60 END",
    "power": "CASE WHEN n %% 9 = 0 THEN 'stopped' WHEN n %% 31 = 0 THEN 'unknown' ELSE 'running' END",
    "price_cents_per_hour": "n %% 7 * 10",
    "search": "'trainer-' || n || ' 1× a4000'",
}


def fill(account: Account, team_id: int, machines: int) -> None:
    """Give the account `machines` different rows, and its tally."""
    first = Instance.objects.create(
        account=account, provider_id="vm-0", team_id=team_id, name="trainer-0", region="Wilmington",
        type_label="1× A4000", type_name="v1_gpu_1x_a4000", gpu_model="RTX A4000", gpu_count=1, cpu_cores=8,
        price_cents_per_hour=20, started_at=STARTED, first_seen_at=STARTED, changed_at=STARTED,
        power=Instance.Power.RUNNING, rank=Instance.Rank.RUNNING, ip_address="198.51.0.0", search="trainer-0",
    )  # fmt: skip
    columns = [str(column.column) for column in Instance._meta.concrete_fields]
    values = [COMPUTED.get(name, f"i.{name}").format(base=first.pk) for name in columns]
    numbers = "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < %s)"
    names = ", ".join(f'"{name}"' for name in columns)
    picked = ", ".join(values)
    if machines > 1:
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO cloud_instance ({names}) {numbers} SELECT {picked} "  # noqa: S608 -- our own words
                "FROM numbers, cloud_instance i WHERE i.id = %s",
                [machines, first.pk],
            )
    recount(account)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE cloud_instance")
