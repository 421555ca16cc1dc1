"""Doing things with machines in a real browser: pending at once, then the result, and the truth at every moment."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import World

pytestmark = pytest.mark.browser
NewPage = Callable[..., Page]


def opened(page: Page, name: str) -> Page:
    """The machine's page with its stream open."""
    page.goto(f"/instances/?q={name}")
    page.get_by_role("link", name=name, exact=True).click()
    expect(page.locator("#fresh")).to_contain_text("Live")
    page.evaluate("window.unreloaded = true")
    return page


def head(page: Page) -> Locator:
    return page.locator("#machine .head .st")


def ask(page: Page, verb: str) -> Locator:
    """Press the button or the entry of the menu; the dialog."""
    link = page.locator("#machine .acts").get_by_role("link", name=verb)
    if not link.is_visible():
        page.locator("#machine .acts summary").click()
    link.click()
    dialog = page.locator("#dialog")
    expect(dialog.locator("form")).to_be_visible()
    return dialog


def test_shut_down_restart_and_rename_with_two_people_watching(
    new_page: NewPage, world: World, colleague: tuple[str, str]
) -> None:
    olga, vera = opened(new_page(), "web-01"), opened(new_page(who=colleague), "web-01")
    expect(vera.locator("#machine .acts a, #machine .acts button, #machine .acts summary")).to_have_count(0)
    machine = world.named("web-01")
    ask(olga, "Restart").get_by_role("button", name="Restart web-01").click()
    for page in (olga, vera):
        expect(head(page)).to_contain_text("Restarting…")
    for page in (olga, vera):
        expect(head(page)).to_have_text("Running")
        expect(page.locator("#lately")).to_contain_text("Done")
    ask(olga, "Shut down").get_by_role("button", name="Shut down web-01").click()
    expect(head(vera)).to_contain_text("Stopping…")
    for page in (olga, vera):
        expect(head(page)).to_contain_text("Off")
    dialog = ask(olga, "Rename")
    dialog.get_by_label("New name").fill("web-renamed")
    dialog.get_by_role("button", name="Rename web-01").click()
    for page in (olga, vera):
        expect(page.locator("h1")).to_have_text("web-renamed")
        assert page.evaluate("window.unreloaded")
    assert [world.commits(what, machine) for what in ("reboot", "shutdown", "rename_instance")] == [1, 1, 1]
    ask(olga, "Start").get_by_role("button", name="Start web-renamed").click()
    expect(head(vera)).to_have_text("Running")
    dialog = ask(olga, "Rename")
    dialog.get_by_label("New name").fill("web-01")
    dialog.get_by_role("button", name="Rename web-renamed").click()
    expect(vera.locator("h1")).to_have_text("web-01")


def test_an_open_menu_stays_open_when_the_machine_changes(page: Page, world: World) -> None:
    opened(page, "inference-02")
    page.locator("#machine .acts summary").click()
    world.change(do="set", id=world.named("inference-02"), fields={"power_status": "stopped"})
    expect(head(page)).to_contain_text("Off")
    expect(page.locator("#machine .acts").get_by_role("link", name="Rename")).to_be_visible()
    world.change(do="set", id=world.named("inference-02"), fields={"power_status": "running"})


def test_a_delete_is_taken_back_in_time(page: Page, world: World) -> None:
    machine = world.named("notebook-01")
    opened(page, "notebook-01")
    dialog = ask(page, "Delete")
    expect(dialog.get_by_role("link", name="Cancel")).to_be_focused()
    button = dialog.get_by_role("button", name="Delete notebook-01")
    expect(button).to_have_attribute("aria-disabled", "true")
    dialog.get_by_label("Type notebook-01 to confirm").fill("notebook-01")
    page.keyboard.press("Enter")  # confirms nothing that is irreversible
    expect(dialog).to_be_visible()
    button.click()
    expect(head(page)).to_have_text(re.compile(r"Deleting in 0:0\d"))
    page.locator("#toasts").get_by_role("button", name="Undo").click()
    expect(head(page)).to_have_text("Running")
    expect(page.locator("#toasts")).to_contain_text("Taken back. Nothing was changed.")
    assert world.commits("delete_instance", machine) == 0


def test_a_delete_is_carried_out_when_nobody_takes_it_back(page: Page, world: World) -> None:
    machine = world.named("notebook-02")
    opened(page, "notebook-02")
    dialog = ask(page, "Delete")
    dialog.get_by_label("Type notebook-02 to confirm").fill("notebook-02")
    dialog.get_by_role("button", name="Delete notebook-02").click()
    expect(head(page)).to_contain_text("Deleting in")
    expect(head(page)).to_contain_text("Deleting…")
    expect(page.locator("#lately")).to_contain_text("Done")
    expect(head(page)).to_contain_text("Gone", timeout=60_000)
    assert page.evaluate("window.unreloaded")
    assert world.commits("delete_instance", machine) == 1


def test_the_provider_is_cut_off_in_the_middle_of_a_power_off(page: Page, world: World) -> None:
    machine = world.named("render-node-01")
    opened(page, "render-node-01")
    # It takes effect, the answer is lost, and from then on nothing answers.
    lost = {"kind": "reset", "when": "after_commit", "endpoint": "power_off"}
    deaf = {"kind": "reset", "endpoint": ["list_tasks", "get_instance"]}
    try:
        dialog = ask(page, "Force off")
        dialog.get_by_label("Nobody needs what is in its memory").check()
        dialog.get_by_role("button", name="Force off render-node-01").click()
        expect(head(page)).to_contain_text("Forcing off in")
        world.goes_wrong(lost, deaf)
        expect(head(page)).to_contain_text("Checking…")
        world.fails(kind="reset")
        expect(page.locator("#machine")).to_contain_text(
            "We are checking whether it happened; please do not repeat it."
        )
        expect(page.locator("#banners")).to_contain_text("has not answered since", timeout=40_000)
        expect(head(page)).to_contain_text("Checking…")
        expect(page.locator("#machine .acts")).to_contain_text("Other actions wait for")
        page.goto("/activity/")
        expect(page.locator("#operations li", has_text="render-node-01")).to_contain_text("Checking")
        page.go_back()
    finally:
        world.recovers()
    expect(head(page)).to_contain_text("Off", timeout=60_000)
    expect(page.locator("#lately")).to_contain_text("Done")
    assert world.commits("power_off", machine) == 1
    page.goto("/activity/?show=done")
    expect(page.locator("#operations li", has_text="render-node-01").first).to_contain_text("Done")


def test_what_blue_lobster_refuses_is_said_and_can_be_tried_again(page: Page, world: World) -> None:
    opened(page, "bastion")
    world.fails(
        kind="status", status=409, endpoint="reboot", body={"error": "busy", "message": "The host is in maintenance."}
    )
    try:
        ask(page, "Restart").get_by_role("button", name="Restart bastion").click()
        expect(head(page)).to_have_text("Needs attention restart failed")
        expect(page.locator("#machine")).to_contain_text("The host is in maintenance.")
    finally:
        world.recovers()
    page.get_by_role("button", name="Try again").click()
    expect(head(page)).to_contain_text("Restarting…")
    expect(head(page)).to_have_text("Running")


def test_a_protected_machine_cannot_be_deleted(page: Page) -> None:
    opened(page, "license-server")
    page.locator("#machine .acts summary").click()
    page.get_by_role("button", name="Protect from deletion").click()
    expect(page.locator("#machine .head")).to_contain_text("Protected")
    dialog = ask(page, "Delete")
    dialog.get_by_label("Type license-server to confirm").fill("license-server")
    dialog.get_by_role("button", name="Delete license-server").click()
    expect(dialog).to_contain_text("is protected from deletion")
    dialog.get_by_role("link", name="Cancel").click()
    page.locator("#machine .acts summary").click()
    page.get_by_role("button", name="Take the protection away").click()
    expect(page.locator("#machine .head")).not_to_contain_text("Protected")


def test_everything_works_without_a_script(new_page: NewPage, world: World) -> None:
    machine = world.named("queue-worker-01")
    page = new_page(java_script_enabled=False)
    page.goto("/instances/?q=queue-worker-01")
    page.get_by_role("link", name="Actions for queue-worker-01").click()
    page.get_by_role("link", name="Force off").click()
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Force off queue-worker-01").click()
    expect(head(page)).to_contain_text("Forcing off in")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#operation")).to_contain_text("Taken back by")
    page.goto("/instances/?q=queue-worker-01")
    page.get_by_role("link", name="Actions for queue-worker-01").click()
    page.get_by_role("link", name="Restart").click()
    page.get_by_role("button", name="Restart queue-worker-01").click()
    expect(head(page)).to_contain_text("Restarting…")
    page.wait_for_timeout(6000)
    page.reload()
    expect(page.locator("#lately")).to_contain_text("Done")
    assert (world.commits("power_off", machine), world.commits("reboot", machine)) == (0, 1)


def test_the_menu_of_a_row_is_worked_with_the_keyboard(page: Page) -> None:
    page.goto("/instances/?q=inference-01")
    more = page.get_by_role("link", name="Actions for inference-01")
    more.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#row-menu").get_by_role("link", name="Restart")).to_be_focused()
    page.keyboard.press("Escape")
    expect(more).to_be_focused()
    page.keyboard.press("Enter")
    page.locator("#row-menu").get_by_role("link", name="Restart").press("Enter")
    dialog = page.locator("#dialog")
    expect(dialog.get_by_role("link", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).not_to_be_visible()
    expect(more).to_be_focused()
