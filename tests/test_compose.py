"""Production without Docker: the processes of docker-compose.yml on PostgreSQL and a real Redis."""

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import LiteralString

import httpx
import psycopg
import pytest

from cloud.seal import new_keys
from panel.audit import claims
from panel.local.ports import any_free
from tests.support import demand, postgres
from tests.support.compose import Service, services
from tests.support.early import BASE
from tests.support.processes import environment, eventually
from tests.support.sandbox import sandbox

pytestmark = pytest.mark.processes
URL = "https://panel.example.org"
KEY = "bl_key_of_the_compose_test"
AS_CADDY = {"Host": "panel.example.org", "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}
OUT_OF_REACH: tuple[LiteralString, ...] = (
    "UPDATE audit_entry SET code = 'made.up'",
    "DELETE FROM audit_entry",
    "TRUNCATE audit_entry",
    "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
    "ALTER TABLE audit_entry DISABLE TRIGGER audit_entry_next",
    "DROP TRIGGER audit_entry_next ON audit_entry",
    "DROP TABLE audit_entry",
    "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    "SET session_replication_role = replica",
    "DELETE FROM audit_head",
    "TRUNCATE audit_head",
    "UPDATE audit_checkpoint SET sequence = 0",
    "DELETE FROM audit_checkpoint",
    "DELETE FROM django_migrations",
    "CREATE TABLE made_up (id int)",
)
ADD_ACCOUNT = """
from cloud.models import Account
from panel.accounts.services import add_account
from panel.teams.installation import installer
add_account(actor=installer(), name="Sandbox", base_url="{url}", key="{key}", is_sandbox=True)
"""


@contextmanager
def running(service: Service, folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with (
        (folder / f"{service.name}.log").open("wb") as log,
        subprocess.Popen(
            service.command, cwd=BASE, env=environment(**service.environment), stdout=log, stderr=log
        ) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def once(service: Service, command: list[str]) -> str:
    """Run a command to its end where the service stands; what it printed."""
    variables = environment(**service.environment)
    done = subprocess.run(command, cwd=BASE, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def house(tmp_path: Path) -> dict[str, Service]:
    """The services, moved from their containers to free ports and files of this test."""
    private, public = new_keys()
    (tmp_path / "worker.key").write_text(private)
    signing, proving = claims.new_keys()
    (tmp_path / "record.key").write_text(signing)
    variables = {
        "POSTGRES_PASSWORD": "of-the-owner",
        "POSTGRES_APP_PASSWORD": "of-the-panels-role",
        "TIDEPOOL_RECORD_PUBLIC_KEY": proving,
        "TIDEPOOL_SECRET_KEY": "of the test, and longer than the fifty characters that Django asks for",
        "TIDEPOOL_URL": URL,
        "TIDEPOOL_WORKER_PUBLIC_KEY": public,
    }
    elsewhere = {
        "@postgres:5432": f"@127.0.0.1:{any_free()}",
        "redis:6379": f"127.0.0.1:{any_free()}",
        "/run/secrets/worker_key": str(tmp_path / "worker.key"),
        "/run/secrets/record_key": str(tmp_path / "record.key"),
        "/checkpoints/": f"{tmp_path}/",
        "--host 0.0.0.0 --port 8000": f"--host 127.0.0.1 --port {any_free()}",
    }
    found = services(variables, elsewhere)
    for name in ("web", "worker", "sweeper", "migrate"):
        found[name].environment["TIDEPOOL_DATA"] = str(tmp_path)
    return found


def port_of(address: str) -> int:
    return int(address.rsplit(":", 1)[1].split("/", maxsplit=1)[0])


def test_only_who_opens_keys_is_given_the_workers_key(house: Mapping[str, Service]) -> None:
    assert {name for name, service in house.items() if "worker_key" in service.secrets} == {"worker", "sweeper"}
    for name in ("web", "migrate", "caddy", "postgres", "redis"):
        assert house[name].environment.get("TIDEPOOL_WORKER_PRIVATE_KEY_FILE", "/dev/null") == "/dev/null"


def test_only_the_sweeper_signs_the_record(house: Mapping[str, Service]) -> None:
    assert {name for name, service in house.items() if "record_key" in service.secrets} == {"sweeper"}
    for name in ("web", "worker", "migrate"):
        assert house[name].environment["TIDEPOOL_RECORD_KEY_FILE"] == "/dev/null"


def test_only_migrations_connect_as_the_tables_owner(house: Mapping[str, Service]) -> None:
    for name in ("web", "worker", "sweeper"):
        assert house[name].environment["DATABASE_URL"].startswith("postgresql://tidepool_app:of-the-panels-role@")
        assert "of-the-owner" not in "".join(house[name].environment.values())


def test_the_services_bring_the_providers_machines_to_the_panel(house: Mapping[str, Service], tmp_path: Path) -> None:
    if postgres.programs() is None or shutil.which("redis-server") is None:
        demand.missing("PostgreSQL (initdb, postgres) or redis-server was not found.")
    web = house["web"]
    database = web.environment["DATABASE_URL"]
    where = ("--port", str(port_of(web.environment["REDIS_URL"])), "--bind", "127.0.0.1", "--dir", str(tmp_path))
    house["redis"].command.extend(where)
    with ExitStack() as started:
        server = started.enter_context(postgres.cluster(port_of(database)))
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute("CREATE DATABASE tidepool")
        started.enter_context(running(house["redis"], tmp_path))
        base_url = started.enter_context(sandbox(tmp_path, KEY, machines=6))
        once(house["migrate"], house["migrate"].command)
        manage = [web.command[0], "manage.py"]
        assert "password=" in once(web, [*manage, "create_owner", "olga@example.org"])
        for name in ("web", "worker", "sweeper"):
            started.enter_context(running(house[name], tmp_path))
        once(web, [*manage, "shell", "-c", ADD_ACCOUNT.format(url=base_url, key=KEY)])
        eventually(lambda: _machines(database) == 6, 40)
        _the_door_answers(web)
        _the_record_is_out_of_reach(database)
        eventually((tmp_path / "checkpoints.jsonl").exists, 20)
        assert "The record is whole: 2 rows" in once(house["sweeper"], [*manage, "audit_verify"])


def _machines(database: str) -> int:
    with psycopg.connect(database) as connection:
        row = connection.execute("SELECT count(*) FROM cloud_instance").fetchone()
    return int(row[0]) if row else 0


def _the_record_is_out_of_reach(database: str) -> None:
    """The panel's own role reads the record and adds to it, and that is all."""
    with psycopg.connect(database, autocommit=True) as connection:
        for statement in OUT_OF_REACH:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
        rows = connection.execute("SELECT code FROM audit_entry ORDER BY sequence").fetchall()
    assert [code for (code,) in rows] == ["installation.owner.added", "account.added"]


def _the_door_answers(web: Service) -> None:
    port = web.command[web.command.index("--port") + 1]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=AS_CADDY, trust_env=False) as http:
        door = http.get("/sign-in/")
        assert door.status_code == 200
        assert "max-age=" in door.headers["Strict-Transport-Security"]
        assert http.get("/", headers={"X-Forwarded-Proto": "http"}).headers["Location"].startswith(URL)
        assert http.get("/healthz", headers={"Host": "localhost:8000", "X-Forwarded-Proto": ""}).status_code == 200
