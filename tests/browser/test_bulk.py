"""Many machines at once in a real browser: by keys alone, with one that somebody has, and with changes in between."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import UNDO_S, World
from tests.browser.test_pages import JUDGED, VIEWS, judge

pytestmark = pytest.mark.browser
NewPage = Callable[..., Page]


def listed(page: Page, query: str, rows: int) -> Page:
    """The narrowed list with its stream open."""
    page.goto(f"/instances/?{query}")
    expect(page.locator("#fleet tbody tr")).to_have_count(rows)
    expect(page.locator("#fresh")).to_contain_text("Live")
    return page


def restart(page: Page, name: str) -> None:
    """Somebody else's order."""
    page.goto(f"/instances/?q={name}")
    page.get_by_role("link", name=f"Actions for {name}").click()
    page.locator("#row-menu").get_by_role("link", name="Restart").click()
    page.locator("#dialog").get_by_role("button", name=f"Restart {name}").click()


def test_two_are_restarted_and_a_busy_one_is_refused_by_keys_alone(new_page: NewPage, world: World) -> None:
    page = listed(new_page(), "q=inference", 3)
    names = page.locator("#fleet tbody th a").all_text_contents()
    world.fails(kind="reset", endpoint="list_tasks")  # it goes on until somebody can read how it went
    try:
        restart(new_page(), names[2])
        expect(page.locator("#fleet tbody")).to_contain_text("Restarting…")
        # What goes on comes first, a moment after its row has changed: rows that move under the keys are another test.
        expect(page.locator("#fleet tbody th a").first).to_have_text(names[2])
        names = page.locator("#fleet tbody th a").all_text_contents()
        order_by_keys(page)
        expect(page.locator("#run")).to_contain_text("1 refused")
        expect(page.locator("#run")).to_contain_text("2 going on")
    finally:
        world.recovers()
    expect(page.locator("#run")).to_contain_text("2 done", timeout=60_000)
    assert [world.commits("reboot", world.named(name)) for name in names] == [1, 1, 1]


def order_by_keys(page: Page) -> None:
    """Choose all three rows and restart them, without a mouse."""
    page.evaluate("window.unreloaded = true")
    page.keyboard.press("j")
    expect(page.locator("#fleet tbody th a").first).to_be_focused()
    page.keyboard.press("x")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("j")
    page.keyboard.press("Shift+X")
    expect(page.locator("#bulk-count")).to_have_text("3 chosen")
    page.keyboard.press("a")
    page.keyboard.press("Tab")
    expect(page.locator(".bulk").get_by_role("button", name="Restart")).to_be_focused()
    page.keyboard.press("Enter")
    dialog = page.locator("#dialog")
    expect(dialog).to_contain_text("Restart 2 machines?")
    expect(dialog).to_contain_text("Busy: “Restart” by")
    expect(dialog.get_by_role("link", name="Cancel")).to_be_focused()
    assert page.evaluate("window.unreloaded")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/instances/bulk/[0-9a-f-]{36}/"))


def test_a_tick_and_the_focus_survive_a_change_and_another_page_begins_anew(page: Page, world: World) -> None:
    listed(page, "q=sim-worker", 1)
    box = page.get_by_role("checkbox", name="sim-worker-01")
    box.check()
    expect(page.locator("#bulk-count")).to_have_text("1 chosen")
    machine = world.named("sim-worker-01")
    world.change(do="set", id=machine, fields={"power_status": "off"})
    try:
        expect(page.locator("#fleet tbody")).to_contain_text("Off")
        expect(box).to_be_checked()
        expect(box).to_be_focused()
        expect(page.locator("#bulk-count")).to_have_text("1 chosen")
        page.keyboard.press("Escape")
        expect(box).not_to_be_checked()
        expect(page.locator(".bulk")).not_to_be_visible()
        box.check()
        page.fill("#q", "sim")
        expect(page).to_have_url(re.compile(r"q=sim$"))
        expect(page.locator(".bulk")).not_to_be_visible()
    finally:
        world.change(do="set", id=machine, fields={"power_status": "running"})


def test_a_failure_is_tried_again_from_its_run(page: Page, world: World) -> None:
    listed(page, "q=bastion", 1)
    world.fails(kind="status", status=409, endpoint="reboot", body={"error": "busy", "message": "In maintenance."})
    try:
        page.locator("#all-here").check()
        page.locator(".bulk").get_by_role("button", name="Restart").click()
        page.locator("#dialog").get_by_role("button", name="Restart 1 machine").click()
        expect(page.locator("#run")).to_contain_text("1 failed")
    finally:
        world.recovers()
    page.get_by_role("link", name="Try the 1 failed again").click()
    page.locator("#dialog").get_by_role("button", name="Restart 1 machine").click()
    expect(page.locator("#run")).to_contain_text("1 done")
    page.get_by_role("link", name="the failed ones of this run").click()
    expect(page.locator("#run")).to_contain_text("1 failed")
    expect(page.get_by_role("link", name="Try the 1 failed again")).to_have_count(0)


def test_a_run_is_taken_back(page: Page, world: World) -> None:
    listed(page, "q=notebook-old", 1)
    page.locator("#all-here").check()
    page.locator("#bulk-more-button").click()
    page.locator("#bulk-more").get_by_role("button", name="Force off").click()
    page.locator("#dialog").get_by_label("Nobody needs what is in their memory").check()
    page.locator("#dialog").get_by_role("button", name="Force off 1 machine").click()
    page.get_by_role("button", name="Take back the 1 not sent yet").click()
    expect(page.locator("#run")).to_contain_text("1 not carried out")
    assert world.commits("power_off", world.named("notebook-old")) == 0


@pytest.mark.parametrize("view", JUDGED)
def test_the_bar_the_question_and_the_run_are_accessible(new_page: NewPage, view: str) -> None:
    page = new_page(**VIEWS[view])
    page.goto("/instances/?q=web-0")
    page.locator("#fleet tbody").get_by_role("checkbox").first.check()
    page.locator("#bulk-more-button").click()
    expect(page.locator("#bulk-more")).to_be_visible()
    found = judge(page, "the open bar")
    page.locator("#bulk-more").get_by_role("button", name="Force off").click()
    dialog = page.locator("#dialog")
    dialog.get_by_role("checkbox").check()
    found += judge(page, "the question")
    dialog.get_by_role("button", name="Force off 1 machine").click()
    page.get_by_role("button", name="Take back the 1 not sent yet").click()
    expect(page.locator("#run")).to_contain_text("1 not carried out")
    found += judge(page, "the run")
    assert not found


def test_it_works_without_a_script(new_page: NewPage, world: World) -> None:
    page = new_page(java_script_enabled=False)
    page.goto("/instances/?q=queue-worker")
    page.locator("#fleet tbody").get_by_role("checkbox").first.check()
    name = page.locator("#fleet tbody th a").first.text_content() or ""
    page.locator(".bulk").get_by_role("button", name="Restart").click()
    page.get_by_role("button", name="Restart 1 machine").click()
    expect(page.locator("#run")).to_contain_text(name)
    page.wait_for_timeout(UNDO_S * 1000)
    page.reload()
    expect(page.locator("#run")).to_contain_text("1 done")
    assert world.commits("reboot", world.named(name)) >= 1


def test_who_may_only_look_moves_and_sees_no_box(new_page: NewPage, colleague: tuple[str, str]) -> None:
    page = listed(new_page(who=colleague), "q=render-node", 4)
    expect(page.get_by_role("checkbox")).to_have_count(0)
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#fleet tbody th a").nth(1)).to_be_focused()
    expect(page.locator(".bulk")).to_have_count(0)
