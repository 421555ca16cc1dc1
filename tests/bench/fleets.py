"""Databases to measure in, one a fleet: the same team, owner, session and account in each, and so many machines."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client

from cloud import schedule, sync
from cloud.clock import system_clock
from cloud.models import Account, Instance, Refresh
from cloud.seal import seal_key
from cloud.shapes import InstanceList
from panel.people.models import User
from panel.teams.installation import found_owner
from panel.teams.models import default_team
from tests.support.early import DATA
from tests.support.fleet import fill
from tests.support.provider import machine

BASE = "tidepool_bench_base"
SYNCED = "synced"  # 10,000 machines that came by a sync, with all that the provider said


@dataclass
class Fleets:
    """The databases of this run. Rows have the same ids in all, since all are copies of one."""

    given: str = field(default_factory=lambda: str(settings.DATABASES["default"]["NAME"]))
    made: list[str] = field(default_factory=list)
    cookie: str = ""

    @property
    def is_sqlite(self) -> bool:
        return connection.vendor == "sqlite"

    def use(self, fleet: str) -> None:
        """From now on this process reads and writes that fleet, made when first used; `synced_x` is a copy."""
        name = f"tidepool_bench_{fleet}"
        origin, _sign, is_copy = fleet.partition("_")
        if name not in self.made and is_copy:
            self.use(origin)
            self._create(name, f"tidepool_bench_{origin}")
        elif name not in self.made:
            self._create(name, BASE)
            self._connect(name)
            _fill(fleet)
        self._connect(name)

    def environment(self, fleet: str) -> dict[str, str]:
        """For a process that works on the fleet."""
        self.use(fleet)
        if self.is_sqlite:
            url = f"sqlite:///{connection.settings_dict['NAME']}"
        else:
            url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/tidepool_bench_{fleet}").geturl()
        return {**os.environ, "DATABASE_URL": url, "BLUELOBSTER_CALLS_PER_SECOND": "2"}

    def owner(self) -> User:
        return User.objects.get()

    def _connect(self, name: str) -> None:
        place = name if not self.is_sqlite or name == self.given else str(DATA / f"{name}.sqlite3")
        if connection.settings_dict["NAME"] != place:
            connection.close()
            settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = place

    def make_base(self) -> None:
        self._create(BASE, "")
        self._connect(BASE)
        call_command("migrate", verbosity=0)
        self.cookie = _people_and_account()

    def _create(self, name: str, template: str) -> None:
        self.made.append(name)
        self._connect(self.given)  # nobody may be connected to what is copied; SQLite folds its WAL in
        if self.is_sqlite:
            if template:
                shutil.copy(DATA / f"{template}.sqlite3", DATA / f"{name}.sqlite3")
            return
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {name}")
            cursor.execute(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))

    def drop(self) -> None:
        self._connect(self.given)
        if not self.is_sqlite:
            with connection.cursor() as cursor:
                for name in self.made:
                    cursor.execute(f"DROP DATABASE IF EXISTS {name}")
        connection.close()


@contextmanager
def fleets() -> Iterator[Fleets]:
    made = Fleets()
    try:
        made.make_base()
        yield made
    finally:
        made.drop()


def _people_and_account() -> str:
    """The cast; returns the value of the owner's session cookie."""
    owner = found_owner("olga@example.org", "correct horse battery staple")
    now = system_clock()
    account = Account.objects.create(
        name="Production", base_url="http://127.0.0.1:9/api/v1",
        sealed_key=seal_key("a-key-for-benchmarks", "http://127.0.0.1:9/api/v1"),
        key_hint="arks", key_state=Account.Key.ACCEPTED, key_stored_at=now,
    )  # fmt: skip
    schedule.plan(account, now)
    calm()
    client = Client()
    client.force_login(owner)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def calm() -> None:
    """Nothing is due, and what is shown was read just now, for as long as a benchmark lasts."""
    later = system_clock() + timedelta(hours=1)
    Refresh.objects.update(due_at=later, done_at=later, leased_until=None, failures=0, failure="", failed_at=None)
    Account.objects.update(silent_since=None)


def listing(machines: int = 10_000) -> list[dict[str, Any]]:
    """What the provider lists, as decoded JSON."""
    return [machine(number) for number in range(machines)]


def change(rows: list[dict[str, Any]], turn: int) -> None:
    """Give every hundredth machine another state than it had: 1 % changed."""
    for row in rows[::100]:
        row["power_status"] = "stopped" if turn % 2 else "running"


def _fill(fleet: str) -> None:
    account, team = Account.objects.get(), default_team()
    if fleet == SYNCED:
        items = InstanceList.parse(listing()).items
        sync.instances(account, items, now=system_clock(), home_team=team.pk, known_until=None)
    else:
        fill(account, team.pk, int(fleet))
    assert Instance.objects.count() == (10_000 if fleet == SYNCED else int(fleet))
