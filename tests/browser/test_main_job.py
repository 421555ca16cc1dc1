"""The main job from the door to a deleted machine: with the mouse, and with the keyboard alone on a small screen."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import World
from tests.support.processes import Stack

pytestmark = pytest.mark.browser
NewPage = Callable[..., Page]
PUBLIC = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl olga@laptop"


@pytest.fixture(autouse=True)
def _room(world: World) -> None:
    """Room for every type: what is free comes and goes by chance otherwise."""
    world.change(do="capacity", available=True)


def head(page: Page) -> Locator:
    return page.locator("#machine .head .st")


def made(world: World, name: str) -> list[str]:
    return [row["uuid"] for row in world.machines() if row["name"] == name]


def test_with_the_mouse(new_page: NewPage, panel: Stack, world: World) -> None:
    page = new_page(signed_in=False)
    page.goto("/")
    page.get_by_label("E-mail").fill(panel.owner[0])
    page.get_by_label("Password").fill(panel.owner[1])
    page.get_by_role("button", name="Sign in").click()
    page.locator(".head").get_by_role("link", name="Launch").click()
    page.locator("#types label", has_text="1× A4000").click()
    expect(page.locator("#cost")).to_contain_text("$0.20")
    expect(page.locator("#cost")).to_contain_text("$146.00")
    page.get_by_label("Name", exact=True).fill("mouse-1")
    expect(page.locator("#name-said")).to_contain_text("It is free.")
    page.get_by_label("Public key").fill("-----BEGIN OPENSSH PRIVATE KEY-----")
    expect(page.locator("#private-key-said")).to_contain_text("did not leave this page")
    expect(page.get_by_label("Public key")).to_have_value("")
    page.get_by_role("button", name="Launch mouse-1").click()
    expect(page.locator("#id_public_key_error")).to_contain_text("Paste a public key")
    expect(page.get_by_label("Name", exact=True)).to_have_value("mouse-1")
    page.get_by_label("Public key").fill(PUBLIC)
    page.get_by_role("button", name="Launch mouse-1").dblclick()
    expect(head(page)).to_contain_text("Launching…")
    expect(page.locator("#machine")).to_contain_text("You can close this page")
    page.evaluate("window.unreloaded = true")
    expect(head(page)).to_contain_text("Preparing", timeout=60_000)
    expect(page.locator("#machine")).to_contain_text("builds its GPU drivers")
    [machine] = made(world, "mouse-1")

    page.get_by_label("More actions").click()
    page.get_by_role("link", name="Rename").click()
    page.get_by_label("New name").fill("mouse-2")
    page.get_by_role("button", name="Rename mouse-1").click()
    expect(page.locator("h1")).to_have_text("mouse-2")
    page.get_by_role("link", name="Restart").click()
    page.get_by_role("button", name="Restart mouse-2").click()
    expect(head(page)).to_contain_text("Restarting…")
    expect(page.locator("#lately li", has_text="Restart")).to_contain_text("Done")
    page.get_by_label("More actions").click()
    page.get_by_role("link", name="Delete").click()
    page.get_by_label("Type mouse-2 to confirm").fill("mouse-2")
    page.get_by_role("button", name="Delete mouse-2").click()
    expect(head(page)).to_contain_text("Deleting in")
    expect(head(page)).to_contain_text("Gone", timeout=60_000)
    assert page.evaluate("window.unreloaded")
    assert made(world, "mouse-2") == []
    assert [world.commits(what, machine) for what in WRITES] == [1, 1, 1, 1]


WRITES = ("launch_instance", "rename_instance", "reboot", "delete_instance")


class Keys:
    """Hands that have a keyboard and nothing else."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def to(self, wanted: Locator) -> None:
        """Press Tab until it has the focus."""
        expect(wanted).to_be_visible()
        for _ in range(150):
            if wanted.evaluate("element => element === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab never comes to {wanted}")

    def press(self, wanted: Locator, key: str = "Enter") -> None:
        self.to(wanted)
        self.page.keyboard.press(key)

    def type(self, wanted: Locator, text: str) -> None:
        self.to(wanted)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)


def test_with_the_keyboard_on_a_small_screen(new_page: NewPage, panel: Stack, world: World) -> None:
    page = new_page(signed_in=False, viewport={"width": 320, "height": 640})
    keys = Keys(page)
    page.goto("/")
    keys.type(page.get_by_label("E-mail"), panel.owner[0])
    keys.type(page.get_by_label("Password"), panel.owner[1])
    page.keyboard.press("Enter")
    keys.press(page.locator(".head").get_by_role("link", name="Launch"))
    keys.to(page.locator("[name=instance_type]:checked"))
    page.keyboard.press("ArrowDown")
    expect(page.locator("#cost")).to_contain_text("$0.15")
    keys.type(page.get_by_label("Public key"), PUBLIC)
    keys.type(page.get_by_label("Name", exact=True), "key")
    page.keyboard.type("-1")
    keys.press(page.get_by_role("button", name="Launch key-1"))
    expect(head(page)).to_contain_text("Launching…")
    expect(head(page)).to_contain_text("Preparing", timeout=60_000)
    [machine] = made(world, "key-1")

    keys.press(page.get_by_label("More actions"))
    keys.press(page.get_by_role("link", name="Rename"))
    keys.type(page.get_by_label("New name"), "key-2")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("key-2")
    keys.press(page.locator("#machine").get_by_role("link", name="Restart"))
    keys.press(page.locator("#dialog").get_by_role("button", name="Restart key-2"))
    expect(page.locator("#lately li", has_text="Restart")).to_contain_text("Done")
    keys.press(page.get_by_label("More actions"))
    keys.press(page.get_by_role("link", name="Delete"))
    keys.type(page.get_by_label("Type key-2 to confirm"), "key-2")
    keys.press(page.locator("#dialog").get_by_role("button", name="Delete key-2"))
    expect(head(page)).to_contain_text("Gone", timeout=60_000)
    wide, shown = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide <= shown
    assert [world.commits(what, machine) for what in WRITES] == [1, 1, 1, 1]


def test_a_type_that_was_chosen_while_the_cards_are_read_again_stays_chosen(page: Page) -> None:
    """The answer speaks of what was chosen when it was asked for; what is chosen since then counts."""
    held: list[Route] = []
    page.goto("/launch/")
    page.locator("#types label", has_text="1× A4000").click()
    page.route("**/launch/types/**", lambda route: held.append(route))  # noqa: PLW0108 -- playwright marks it
    page.evaluate("htmx.trigger('#types', 'refetch')")
    page.wait_for_timeout(300)
    page.locator("#types label", has_text="1× A6000").click()
    page.evaluate("document.querySelector('#types legend').dataset.old = '1'")
    held[0].continue_()
    expect(page.locator("#types legend[data-old]")).to_have_count(0)
    expect(page.get_by_role("radio", name="1× A6000")).to_be_checked()
    expect(page.locator("#cost")).to_contain_text("$0.55")


def test_a_launch_without_room_says_what_is_free_instead(new_page: NewPage, world: World) -> None:
    page = new_page()
    page.goto("/launch/")
    page.locator("#types label", has_text="1× A5000").click()
    expect(page.locator("#cost")).to_contain_text("$0.30")
    page.get_by_label("Public key").fill(PUBLIC)
    page.get_by_label("Name", exact=True).fill("no-room-1")
    # The last one was taken between the catalogue's last reading and the click.
    taken = {"error": "no_capacity", "message": "No capacity"}
    world.fails(kind="status", status=409, endpoint="launch_instance", name="no-room-1", body=taken, times=1)
    page.get_by_role("button", name="Launch no-room-1").click()
    expect(head(page)).to_contain_text("Needs attention")
    expect(page.locator("#machine")).to_contain_text("no room for this machine")
    page.get_by_role("link", name="Launch this").first.click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("no-room-1")
    page.get_by_role("button", name="Launch no-room-1").click()
    expect(head(page)).to_contain_text("Preparing", timeout=60_000)
    assert len(made(world, "no-room-1")) == 1


def test_without_a_script_a_machine_is_launched_too(new_page: NewPage, world: World) -> None:
    page = new_page(java_script_enabled=False)
    page.goto("/launch/own-size/")
    page.get_by_label("Public key").fill(PUBLIC)
    page.get_by_label("Name", exact=True).fill("plain-1")
    page.get_by_role("button", name="Launch").click()
    expect(page.locator("h1")).to_have_text("plain-1")
    expect(head(page)).to_contain_text("Launching…")
