"""A real Chromium against the processes of `script/up`, whose clocks run ten times as fast."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.support import demand
from tests.support.early import BASE
from tests.support.processes import Stack, environment, stack

FASTER = 10
UNDO_S = 6  # real seconds in which a test can press Undo
COLLEAGUE = "vera@example.org", "another horse battery staple"
HIRE = """
import sys
import django
django.setup()
from panel.people.models import User
from panel.teams.models import Membership, default_team
user = User.objects.create_user(sys.argv[1], sys.argv[2])
Membership.objects.create(team=default_team(), user=user, role="viewer")
"""
expect.set_options(timeout=20_000)
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


class World:
    """The sandbox's control door: what happens behind the panel's back."""

    def __init__(self, running: Stack) -> None:
        port = int((running.files.data / "sandbox_port").read_text())
        self._key = (running.files.keys / "sandbox_key").read_text().strip()
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=10)

    def close(self) -> None:
        self._http.close()

    def change(self, **action: Any) -> None:
        self._post("world", action)

    def fails(self, **rule: Any) -> None:
        self.goes_wrong(rule)

    def goes_wrong(self, *rules: dict[str, Any]) -> None:
        """These faults and no others; the first that fits a call is played."""
        self._post("faults", {"rules": list(rules), "replace": True})

    def recovers(self) -> None:
        self._http.delete("/__sandbox__/faults").raise_for_status()

    def machines(self) -> list[dict[str, Any]]:
        """What the provider lists, asked for as any client would"""
        return list(self._http.get("/api/v1/instances", headers={"X-API-Key": self._key}).raise_for_status().json())

    def named(self, name: str) -> str:
        return str(next(row["uuid"] for row in self.machines() if row["name"] == name))

    def commits(self, endpoint: str, target: str) -> int:
        """How often a write took effect on one machine."""
        rows = self._http.get("/__sandbox__/commits?limit=10000").raise_for_status().json()["commits"]
        return sum(row["endpoint"] == endpoint and row["target"] == target for row in rows)

    def calls(self) -> int:
        return int(self._http.get("/__sandbox__/requests?limit=1").raise_for_status().json()["last"])

    def _post(self, door: str, body: Any) -> None:
        answer = self._http.post(f"/__sandbox__/{door}", json=body)
        assert answer.is_success, answer.text


@pytest.fixture(scope="session")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("panel") / "data"
    with stack(
        folder,
        TIDEPOOL_TIME_SCALE=str(FASTER),
        TIDEPOOL_UNDO_SECONDS=str(UNDO_S * FASTER),
        BLUELOBSTER_CALLS_PER_SECOND="20",
    ) as running:
        yield running


@pytest.fixture(scope="session")
def colleague(panel: Stack) -> tuple[str, str]:
    """Vera, who may look: her address and password."""
    variables = environment(TIDEPOOL_DATA=str(panel.files.data), DJANGO_SETTINGS_MODULE="panel.settings")
    subprocess.run([sys.executable, "-W", "ignore", "-c", HIRE, *COLLEAGUE], cwd=BASE, env=variables, check=True)
    return COLLEAGUE


@pytest.fixture(scope="session")
def world(panel: Stack) -> Iterator[World]:
    door = World(panel)
    yield door
    door.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=demand.chromium(), args=ARGUMENTS)
        yield browser
        browser.close()


# A status above 399 that the page shows in words, and requests that a page which is left takes with it.
EXPECTED = ("Failed to load resource", "htmx:sendAbort", "htmx:afterRequest")


class Visits:
    """Browser contexts of signed-in people; what the console says against us fails the test."""

    def __init__(self, browser: Browser, panel: Stack) -> None:
        self.browser, self.panel = browser, panel
        self.contexts: list[BrowserContext] = []
        self.complaints: list[str] = []
        self._cookies: dict[str, Any] = {}

    def context(self, *, signed_in: bool = True, who: tuple[str, str] | None = None, **options: Any) -> BrowserContext:
        context = self.browser.new_context(base_url=self.panel.url, **options)
        context.set_default_timeout(20_000)
        self.contexts.append(context)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        context.on("console", self._console)
        if signed_in:
            self._sign_in(context, who or self.panel.owner)
        return context

    def _console(self, message: Any) -> None:
        if message.type == "error" and not message.text.startswith(EXPECTED):
            self.complaints.append(message.text)

    def _sign_in(self, context: BrowserContext, who: tuple[str, str]) -> None:
        email, password = who
        if email not in self._cookies:
            page = self.browser.new_page(base_url=self.panel.url)
            page.goto("/sign-in/")
            page.fill("#id_login", email)
            page.fill("#id_password", password)
            page.click("button[type=submit]")
            page.wait_for_url("**/")
            self._cookies[email] = page.context.cookies()
            page.context.close()
        context.add_cookies(self._cookies[email])


@pytest.fixture(scope="module")
def visits(chromium: Browser, panel: Stack) -> Iterator[Visits]:
    visits = Visits(chromium, panel)
    yield visits
    for context in visits.contexts:
        context.close()


@pytest.fixture
def new_page(visits: Visits, world: World) -> Iterator[Callable[..., Page]]:
    """Opens pages of the owner in contexts of their own; a complaint in the console fails the test."""
    visits.complaints.clear()
    opened: list[BrowserContext] = []

    def open_page(**options: Any) -> Page:
        opened.append(visits.context(**options))
        return opened[-1].new_page()

    yield open_page
    for context in opened:
        context.close()
        visits.contexts.remove(context)
    assert not visits.complaints


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    return new_page()
