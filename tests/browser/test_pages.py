"""Every page in a real browser: axe finds nothing, nothing scrolls sideways, and the keyboard alone is enough."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import World
from tests.support.processes import Stack

pytestmark = pytest.mark.browser

PAGES = (
    "/", "/instances/", "/instances/?q=nowhere", "/instances/?state=running&region=Wilmington",
    "/instances/?state=gone", "/instances/bulk/do/reboot/?all=1", "/instances/bulk/do/force_off/?m=1",
    "machine", "menu", "reboot", "rename", "force", "delete", "/activity/",
    "/activity/?show=trouble", "/provider-tasks/", "/settings/", "/settings/accounts/add/", "key",
    "disable", "missing", "/health/", "/you/", "/you/?done=key", "/you/keys/add/", "/you/password/", "/nothing-here/",
    "/launch/", "/launch/own-size/", "/launch/?vram=24&free=1",
    "/inbox/", "/inbox/wanted/", "/teams/", "/teams/new/", "team", "invite", "rules", "team key", "role", "/roles/",
    "/roles/?person=owner@tidepool.localhost&permission=instance.launch", "/people/", "administrator", "/record/",
    "/record/?open=1", "/record/?person=nobody", "/teams/give/?pattern=*", "/find/?q=restart+tr",
    "/find/?q=nowhere-at-all", "/keys/", "/instances/views/", "/instances/views/new/?state=off",
)  # fmt: skip
DOOR = (
    "/sign-in/", "/password/forgotten/", "/password/forgotten/sent/", "/password/new/1-x/", "/no-access/",
    "/invitation/x/",
)  # fmt: skip
VIEWS = {
    "light": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "narrow": {"viewport": {"width": 320, "height": 640}, "color_scheme": "light"},
    "narrow dark": {"viewport": {"width": 320, "height": 640}, "color_scheme": "dark"},
}
# Colours and widths do not depend on each other: two views judge all four.
JUDGED = ("light", "narrow dark")
AXE, VIOLATIONS = Axe(), {"resultTypes": ["violations"]}  # nothing else is told in full: that would be megabytes


def addresses(page: Page) -> dict[str, str]:
    """The pages that are named after a row."""
    page.goto("/instances/")
    machine = page.locator("tbody th a").first.get_attribute("href") or ""
    page.goto("/settings/")
    key = page.get_by_role("link", name="Replace the key").first.get_attribute("href") or ""
    page.goto("/teams/")
    team = page.locator(".rows a").first.get_attribute("href") or ""
    page.goto(team)
    role = page.get_by_role("link", name="Role").first.get_attribute("href") or ""
    page.goto("/people/")
    administrator = page.get_by_role("link", name="administrator").first.get_attribute("href") or ""
    return {
        "team": team,
        "invite": f"{team}invite/",
        "rules": f"{team}rules/",
        "team key": f"{team}keys/add/",
        "role": role,
        "administrator": administrator,
        "machine": machine,
        "menu": f"{machine}actions/",
        "reboot": f"{machine}do/reboot/",
        "rename": f"{machine}do/rename/",
        "force": f"{machine}do/force_off/",
        "delete": f"{machine}do/delete/",
        "key": key,
        "disable": key.replace("/key/", "/disable/"),
        "missing": key.replace("/key/", "/missing/"),
    }


def judge(page: Page, where: str) -> list[str]:
    found = [
        f"{where}: {violation['id']} at {[node['target'] for node in violation['nodes']][:3]}"
        for violation in AXE.run(page, options=VIOLATIONS).response["violations"]
    ]
    wide, shown = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    if wide > shown:
        found.append(f"{where}: scrolls sideways, {wide} px in {shown}")
    return found


@pytest.mark.parametrize("view", JUDGED)
def test_axe_finds_nothing_and_nothing_scrolls_sideways(new_page: Callable[..., Page], view: str) -> None:
    page = new_page(**VIEWS[view])
    named = addresses(page)
    found: list[str] = []
    for address in PAGES:
        page.goto(named.get(address, address))
        found += judge(page, address)
    stranger = new_page(signed_in=False, **VIEWS[view])
    for address in DOOR:
        stranger.goto(address)
        found += judge(stranger, address)
    assert not found


def test_open_menus_and_errors_are_accessible_too(new_page: Callable[..., Page]) -> None:
    page = new_page(**VIEWS["narrow"])
    page.goto("/instances/")
    page.locator("summary", has_text="Filter").click()
    found = judge(page, "open filters")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Menu").click()
    found += judge(page, "open menu")
    page.goto("/settings/accounts/add/")
    page.get_by_role("button", name="Store and test").click()
    expect(page.get_by_text("Paste the key.")).to_be_visible()
    found += judge(page, "form with errors")
    assert not found


def test_search_finds_while_typing_and_the_address_bar_knows(page: Page) -> None:
    page.goto("/instances/")
    page.keyboard.press("/")
    page.keyboard.type("finetune")
    expect(page.locator("tbody tr")).to_have_count(3)
    expect(page).to_have_url(re.compile(r"q=finetune"))
    page.locator("thead").get_by_role("link", name="Name").click()
    expect(page).to_have_url(re.compile(r"q=finetune.*sort=name"))
    page.locator("thead").get_by_role("link", name="Name").click()
    expect(page.locator("tbody th a").first).to_have_text("finetune-03")
    page.locator("summary", has_text="Filter").click()
    page.locator(".filters").get_by_role("link", name="Philadelphia").click()
    expect(page).to_have_url(re.compile(r"region=Philadelphia.*q=finetune"))
    expect(page.locator(".chips")).to_contain_text("Philadelphia")
    assert "sort=-name" in page.url
    expect(page.locator("#export")).to_have_attribute("href", re.compile(r"region=Philadelphia"))
    page.locator(".chips a").first.click()
    expect(page.locator("tbody tr")).to_have_count(3)
    page.go_back()
    expect(page.locator(".chips")).to_contain_text("Philadelphia")
    page.reload()
    expect(page.locator("#q")).to_have_value("finetune")


def test_pages_of_a_long_list_are_walked_without_a_reload(page: Page, world: World) -> None:
    names = {row["name"] for row in world.machines()}
    if not any(name.startswith("batch-") for name in names):
        world.change(do="add", name="batch-01", instance_type="v1_cpu_medium", region="phl", count=100)
    page.goto("/instances/?sort=name")
    expect(page.locator("#sums")).to_contain_text(re.compile(r"1\d\d machines"), timeout=30_000)
    page.goto("/instances/?sort=name")
    page.evaluate("window.unreloaded = true")
    first = page.locator("tbody th a").first.text_content()
    page.get_by_role("link", name="Next").click()
    expect(page.locator(".pager")).to_contain_text("51 to 100")
    page.get_by_role("link", name="Next").click()
    expect(page.locator(".pager")).to_contain_text("101 to")
    page.get_by_role("link", name="Before").click()
    expect(page.locator(".pager")).to_contain_text("51 to 100")
    page.get_by_role("link", name="First").click()
    expect(page.locator("tbody th a").first).to_have_text(first or "")
    assert page.evaluate("window.unreloaded")


def test_the_keyboard_alone_reaches_a_machine_at_320_px(new_page: Callable[..., Page]) -> None:
    page = new_page(**VIEWS["narrow"])
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    menu = page.get_by_role("button", name="Menu")
    for _press in range(5):
        page.keyboard.press("Tab")
        if menu.evaluate("element => element === document.activeElement"):
            break
    page.keyboard.press("Enter")
    places = page.get_by_role("navigation", name="Main")
    expect(places).to_be_visible()
    instances = places.get_by_role("link", name="Instances")
    for _press in range(8):
        page.keyboard.press("Tab")
        if instances.evaluate("element => element === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Instances")).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("license")
    expect(page.locator("tbody tr")).to_have_count(1)
    for _press in range(25):
        page.keyboard.press("Tab")
        if page.locator("tbody th a").evaluate("element => element === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="license-server")).to_be_visible()


def test_focus_stays_when_a_row_changes_under_it(page: Page, world: World) -> None:
    page.goto("/instances/?q=sim-worker")
    link = page.get_by_role("link", name="sim-worker-01", exact=True)
    link.focus()
    world.change(do="set", id=world.named("sim-worker-01"), fields={"power_status": "off"})
    expect(page.locator("tbody .st")).to_contain_text("Off")
    expect(link).to_be_focused()
    world.change(do="set", id=world.named("sim-worker-01"), fields={"power_status": "running"})


def test_without_script_the_list_the_search_and_the_door_work(new_page: Callable[..., Page], panel: Stack) -> None:
    page = new_page(signed_in=False, java_script_enabled=False)
    email, password = panel.owner
    page.goto("/instances/")
    page.fill("#id_login", email)
    page.fill("#id_password", password)
    page.click("button[type=submit]")
    expect(page.get_by_role("heading", name="Instances")).to_be_visible()
    page.fill("#q", "trainer")
    page.press("#q", "Enter")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.goto("/you/")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_the_chosen_theme_stays(page: Page) -> None:
    page.goto("/you/")
    page.get_by_label("Dark").check()
    page.goto("/")
    assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"
    page.goto("/you/")
    expect(page.get_by_label("Dark")).to_be_checked()
    page.get_by_label("As the system").check()
    page.reload()
    assert page.evaluate("document.documentElement.dataset.bsTheme ?? ''") == ""


def test_an_address_is_copied(new_page: Callable[..., Page]) -> None:
    page = new_page(permissions=["clipboard-read", "clipboard-write"])
    page.goto("/instances/?q=license")
    page.locator("tbody .copy").click()
    expect(page.locator("#said")).to_contain_text("Copied 198.51.100")
    page.get_by_role("link", name="license-server", exact=True).click()
    page.get_by_role("button", name="Copy").first.click()
    assert "ssh " in page.evaluate("navigator.clipboard.readText()")


def test_times_are_made_local(new_page: Callable[..., Page]) -> None:
    def started(zone: str) -> Any:
        page = new_page(timezone_id=zone)
        page.goto("/instances/?q=license")
        page.get_by_role("link", name="license-server", exact=True).click()
        return page.locator("dt:has-text('Started') + dd time").text_content()

    assert started("Asia/Tokyo") != started("America/New_York")
