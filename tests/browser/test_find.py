"""Find or do, the keys, saved views and columns in a real browser, mostly with the keyboard alone."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import World
from tests.browser.test_pages import VIEWS, judge

pytestmark = pytest.mark.browser
NewPage = Callable[..., Page]


def palette(page: Page) -> Locator:
    page.keyboard.press("Control+k")
    found = page.locator("#palette")
    expect(found).to_be_visible()
    expect(found.get_by_role("option").first).to_be_visible()
    return found


def chosen(page: Page) -> Locator:
    return page.locator("#found [aria-selected=true] .cut").first


def test_a_machine_is_restarted_faster_than_the_page_answers(page: Page, world: World) -> None:
    machine = world.named("license-server")
    page.goto("/activity/")
    page.keyboard.press("Control+k")
    page.keyboard.type("restart license")
    page.keyboard.press("Enter")  # before the answer: it is carried out when it is there
    dialog = page.locator("#dialog")
    expect(dialog).to_contain_text("Restart license-server?")
    expect(page.locator("#palette")).not_to_be_visible()
    dialog.get_by_role("button", name="Restart license-server").click()
    expect(page.locator("#toasts")).to_contain_text("Restart license-server")
    expect(page.locator("#operations li", has_text="license-server").first).to_contain_text("Done")
    assert world.commits("reboot", machine) == 1


def test_the_keyboard_walks_the_palette_and_the_focus_returns(page: Page) -> None:
    page.goto("/instances/")
    csv = page.get_by_role("link", name="CSV")
    csv.focus()
    palette(page)
    field = page.get_by_role("combobox")
    expect(field).to_be_focused()
    expect(chosen(page)).to_have_text("Overview")
    page.keyboard.press("ArrowDown")
    expect(chosen(page)).to_have_text("Instances")
    assert field.get_attribute("aria-activedescendant") == page.locator("#found [aria-selected=true]").get_attribute(
        "id"
    )
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(page.locator("#found [role=option]").last).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(csv).to_be_focused()
    palette(page)
    page.keyboard.type("act")
    expect(chosen(page)).to_have_text("Activity")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/activity/$"))


def test_the_arrow_takes_up_a_machines_name_and_shows_its_actions(page: Page) -> None:
    page.goto("/")
    palette(page)
    page.keyboard.type("licen")
    expect(chosen(page)).to_have_text("license-server")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("combobox")).to_have_value("license-server ")
    page.keyboard.type("ren")
    expect(chosen(page)).to_have_text("Rename license-server")
    page.keyboard.press("Enter")
    expect(page.locator("#dialog").get_by_label("New name")).to_be_visible()
    page.keyboard.press("Escape")
    palette(page)
    page.keyboard.type("nothing-of-the-kind")
    expect(page.locator("#found-said")).to_have_text("Nothing fits “nothing-of-the-kind”.")


def test_a_viewer_finds_machines_and_no_actions(new_page: NewPage, colleague: tuple[str, str]) -> None:
    page = new_page(who=colleague)
    page.goto("/")
    palette(page)
    page.keyboard.type("restart license-server")
    expect(chosen(page)).to_have_text("license-server")
    expect(page.locator("#found [data-ask]")).to_have_count(0)


def test_after_going_back_everything_still_opens(page: Page) -> None:
    page.goto("/instances/")
    page.fill("#q", "license")
    expect(page).to_have_url(re.compile("q=license"))
    page.go_back()
    expect(page.locator("#q")).to_have_value("")
    palette(page)
    page.keyboard.type("restart license-server")
    page.keyboard.press("Enter")
    expect(page.locator("#dialog")).to_contain_text("Restart license-server?")


def test_without_a_script_it_is_a_page(new_page: NewPage) -> None:
    page = new_page(java_script_enabled=False)
    page.goto("/")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Find or do").click()
    page.fill("#q", "restart license-server")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name="Restart license-server").click()
    expect(page.get_by_role("button", name="Restart license-server")).to_be_visible()


def test_the_help_tells_the_keys_of_the_page_and_switches_single_ones_off(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("?")
    dialog = page.locator("#dialog")
    expect(dialog).to_contain_text("Find or do")
    expect(dialog.get_by_text("In the list of machines")).not_to_be_visible()
    expect(dialog.get_by_text("Search on this page")).not_to_be_visible()
    page.keyboard.press("Escape")
    page.goto("/instances/")
    page.keyboard.press("/")
    page.keyboard.type("?")  # typed, not asked
    expect(page.locator("#q")).to_have_value("?")
    expect(dialog).not_to_be_visible()
    page.goto("/instances/")
    link = page.locator("tbody th a").first
    link.focus()
    page.keyboard.press("?")
    expect(dialog.get_by_text("In the list of machines")).to_be_visible()
    dialog.get_by_label("Single keys do something").uncheck()
    page.keyboard.press("Escape")
    expect(dialog).not_to_be_visible()
    expect(link).to_be_focused()
    page.keyboard.press("/")
    page.keyboard.press("?")
    expect(link).to_be_focused()
    page.reload()
    page.get_by_role("link", name="Keys").click()
    tick = dialog.get_by_label("Single keys do something")
    expect(tick).not_to_be_checked()
    tick.check()
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).not_to_be_visible()
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()


def test_a_view_is_saved_renamed_and_deleted_with_the_keyboard(page: Page) -> None:
    page.goto("/instances/")
    expect(page.get_by_role("link", name="Save view")).not_to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("licen")
    save = page.get_by_role("link", name="Save view")
    expect(save).to_be_visible()
    save.press("Enter")
    dialog = page.locator("#dialog")
    expect(dialog.get_by_label("Name")).to_be_focused()
    page.keyboard.type("   ")
    page.keyboard.press("Enter")
    expect(dialog.locator("#id_name_error")).to_have_text("Give it a name.")
    dialog.get_by_label("Name").fill("Licences")
    page.keyboard.press("Enter")
    views = page.get_by_role("navigation", name="Saved views")
    expect(views.get_by_role("link", name="Licences")).to_have_attribute("aria-current", "page")
    expect(page).to_have_url(re.compile(r"\?q=licen$"))
    page.locator("thead").get_by_role("link", name="Name").click()
    expect(views.get_by_role("link", name="Licences")).not_to_have_attribute("aria-current", "page")
    expect(save).to_be_visible()
    views.get_by_role("link", name="Edit views").press("Enter")
    page.get_by_role("link", name="Rename Licences").press("Enter")
    dialog.get_by_label("Name").fill("Keys")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Keys", exact=True).last).to_be_visible()
    page.get_by_role("link", name="Delete Keys").press("Enter")
    expect(dialog.get_by_role("link", name="Cancel")).to_be_focused()
    dialog.get_by_role("button", name="Delete the view").press("Enter")
    expect(page.get_by_text("None yet.")).to_be_visible()


def test_columns_are_hidden_at_once_and_stay_so_when_rows_change(page: Page, world: World) -> None:
    page.goto("/instances/?q=sim-worker-01")
    region = page.locator(".fleet :is(th, td)", has_text=re.compile("Region|Wilmington|Philadelphia"))
    expect(region.first).to_be_visible()
    page.locator("summary", has_text="Columns").click()
    with page.expect_response("**/columns/"):
        page.get_by_label("Region").uncheck()
    for cell in region.all():
        expect(cell).not_to_be_visible()
    expect(page.locator(".fleet .copy").first).to_be_visible()
    world.change(do="set", id=world.named("sim-worker-01"), fields={"power_status": "off"})
    expect(page.locator("tbody .st")).to_contain_text("Off")
    expect(region.last).not_to_be_visible()
    page.reload()
    expect(region.last).not_to_be_visible()
    expect(page.locator("thead th", has_text="Age")).to_be_visible()
    page.locator("summary", has_text="Columns").click()
    with page.expect_response("**/columns/"):
        page.get_by_label("Region").check()
    world.change(do="set", id=world.named("sim-worker-01"), fields={"power_status": "running"})


@pytest.mark.parametrize("view", ["dark", "narrow"])
def test_what_opens_is_accessible(new_page: NewPage, view: str) -> None:
    page = new_page(**VIEWS[view])
    page.goto("/instances/?state=running")
    opened = palette(page)
    found = judge(page, "palette")
    page.keyboard.type("restart license")
    expect(chosen(page)).to_have_text("Restart license-server")
    found += judge(page, "palette with results")
    page.fill("#palette-q", "nothing-of-the-kind")
    expect(page.locator("#found-said")).to_contain_text("Nothing fits")
    found += judge(page, "palette without results")
    page.keyboard.press("Escape")
    expect(opened).not_to_be_visible()
    page.keyboard.press("?")
    expect(page.locator("#dialog").get_by_label("Single keys do something")).to_be_visible()
    found += judge(page, "keys")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Save view").click()
    expect(page.locator("#dialog").get_by_label("Name")).to_be_visible()
    found += judge(page, "saving a view")
    page.keyboard.press("Escape")
    if view == "dark":
        page.locator("summary", has_text="Columns").click()
        found += judge(page, "columns")
    assert not found
