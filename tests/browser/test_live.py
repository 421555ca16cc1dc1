"""Changes come to open pages by themselves, and whatever was cut in between, the page ends up right."""

import os
import signal
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import World
from tests.support.processes import Stack

pytestmark = pytest.mark.browser


def state(page: Page, name: str) -> Locator:
    return page.locator("tbody tr", has=page.get_by_role("link", name=name, exact=True)).locator(".st")


def opened(page: Page, address: str = "/instances/") -> Page:
    """The page with its stream open, and a mark that a reload would take away."""
    page.goto(address)
    expect(page.locator("#fresh")).to_contain_text("Live")
    page.evaluate("window.unreloaded = true")
    return page


def test_a_machine_changes_state_on_the_open_page(page: Page, world: World) -> None:
    opened(page)
    world.change(do="set", id=world.named("bastion"), fields={"power_status": "stopped"})
    expect(state(page, "bastion")).to_contain_text("Off")
    world.change(do="set", id=world.named("bastion"), fields={"power_status": "running"})
    expect(state(page, "bastion")).to_have_text("Running")
    assert page.evaluate("window.unreloaded")


def test_the_head_of_a_machines_page_changes_too(page: Page, world: World) -> None:
    opened(page)
    page.get_by_role("link", name="web-01", exact=True).click()
    expect(page.locator("#fresh")).to_contain_text("Live")
    page.evaluate("window.unreloaded = true")
    world.change(do="set", id=world.named("web-01"), fields={"power_status": "off", "name": "web-01"})
    expect(page.locator("#machine .head .st").first).to_contain_text("Off")
    world.change(do="set", id=world.named("web-01"), fields={"power_status": "running"})
    expect(page.locator("#machine .head .st").first).to_have_text("Running")
    assert page.evaluate("window.unreloaded")


def test_a_new_machine_enters_the_open_list_and_a_hostile_name_is_text(page: Page, world: World) -> None:
    opened(page)
    world.change(do="add", name="late-comer", instance_type="v1_cpu_medium", region="igl")
    expect(page.get_by_role("link", name="late-comer", exact=True)).to_be_visible()
    hostile = "<img src=x onerror=document.title='hacked'> \"'&"
    world.change(do="set", id=world.named("late-comer"), fields={"name": hostile})
    expect(page.get_by_role("link", name=hostile, exact=True)).to_be_visible()
    assert "hacked" not in page.title()
    world.change(
        do="set", id=next(r["uuid"] for r in world.machines() if r["name"] == hostile), fields={"name": "tame"}
    )
    expect(page.get_by_role("link", name="tame", exact=True)).to_be_visible()
    assert page.evaluate("window.unreloaded")


def test_the_stream_is_cut_the_world_changes_and_the_page_is_right(panel: Stack, page: Page, world: World) -> None:
    opened(page)
    os.kill(panel.children()["web"], signal.SIGKILL)
    expect(page.locator("#fresh")).to_contain_text("Not live")
    world.change(do="set", id=world.named("license-server"), fields={"power_status": "stopped"})
    expect(page.locator("#fresh")).to_contain_text("Live,", timeout=20_000)
    expect(state(page, "license-server")).to_contain_text("Off")
    assert page.evaluate("window.unreloaded")
    world.change(do="set", id=world.named("license-server"), fields={"power_status": "running"})


def test_eight_pages_at_once_keep_working(new_page: Callable[..., Page], world: World) -> None:
    """All eight count as shown here, which is harder than eight tabs of which one is."""
    first = opened(new_page())
    others = [first.context.new_page() for _ in range(7)]
    for page in others:
        page.goto("/instances/", timeout=10_000)
    began = time.monotonic()
    for page in others:
        page.goto("/instances/?sort=name", timeout=10_000)
        expect(page.locator("tbody tr").first).to_be_visible()
    assert time.monotonic() - began < 20
    world.change(do="set", id=world.named("queue-worker-01"), fields={"power_status": "off"})
    for page in [first, *others]:
        expect(state(page, "queue-worker-01")).to_contain_text("Off", timeout=15_000)
    world.change(do="set", id=world.named("queue-worker-01"), fields={"power_status": "running"})


def test_redis_is_gone_and_pages_still_answer(panel: Stack, page: Page, world: World) -> None:
    opened(page)
    valkey = panel.children()["valkey"]
    os.kill(valkey, signal.SIGSTOP)
    try:
        for address in ("/", "/instances/", "/provider-tasks/", "/settings/"):
            began = time.monotonic()
            page.goto(address)
            expect(page.locator("h1")).to_be_visible()
            assert time.monotonic() - began < 5
    finally:
        os.kill(valkey, signal.SIGCONT)
    opened(page)
    world.change(do="set", id=world.named("notebook-old"), fields={"power_status": "off"})
    expect(state(page, "notebook-old")).to_contain_text("Off", timeout=30_000)
    world.change(do="set", id=world.named("notebook-old"), fields={"power_status": "running"})


def test_a_silent_provider_gets_a_banner_and_loses_it_by_itself(page: Page, world: World) -> None:
    opened(page)
    rows = page.locator("tbody tr").count()
    world.fails(kind="reset")
    try:
        expect(page.locator("#banners")).to_contain_text("has not answered since", timeout=40_000)
        page.goto("/")
        expect(page.locator("#banners")).to_contain_text("has not answered since")
        page.goto("/instances/")
        expect(page.locator("tbody tr")).to_have_count(rows)
        expect(page.locator("#answers")).to_contain_text("is silent")
    finally:
        world.recovers()
    expect(page.locator("#banners")).not_to_contain_text("has not answered", timeout=60_000)
    expect(page.locator("#answers")).to_contain_text("answers")


def test_the_charts_of_a_machine_that_somebody_looks_at_move(page: Page, world: World) -> None:
    page.goto("/instances/?q=trainer-01")
    page.get_by_role("link", name="trainer-01", exact=True).click()
    expect(page.locator("#load-fresh")).to_contain_text("ago", timeout=20_000)
    expect(page.locator("[data-plot=cpu] [data-now]")).to_contain_text("%")
    expect(page.locator("[data-plot=memory] [data-now]")).to_contain_text("GiB")
    assert page.locator("canvas").count() == 4


def test_a_tested_key_says_its_outcome_by_itself(page: Page, panel: Stack, world: World) -> None:
    port = (panel.files.data / "sandbox_port").read_text().strip()
    page.goto("/settings/accounts/add/")
    page.get_by_label("Name").fill("Wrong key")
    page.get_by_label("Address of the API").fill(f"http://127.0.0.1:{port}/api/v1")
    page.get_by_label("API key").fill("not-the-right-key")
    page.get_by_role("button", name="Store and test").click()
    card = page.locator("section.card", has=page.get_by_role("heading", name="Wrong key"))
    expect(card).to_contain_text("Key refused", timeout=20_000)
    expect(page.locator("#banners")).to_contain_text("rejected the stored key of Wrong key")
    card.get_by_role("link", name="Disable").click()
    page.get_by_role("button", name="Disable Wrong key").click()
    expect(page.locator("#banners")).not_to_contain_text("rejected")
