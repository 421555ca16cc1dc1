"""A person's own page in a real browser: what they wish follows them, and a session that they end is over."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.panel.people.made import ed25519

pytestmark = pytest.mark.browser
Who = tuple[str, str]


def test_a_theme_is_painted_at_once_and_in_the_next_browser_without_a_script(
    new_page: Callable[..., Page], colleague: Who
) -> None:
    page = new_page(who=colleague, color_scheme="light")
    page.goto("/you/")
    with page.expect_response("**/you/theme/") as told:
        page.get_by_label("Dark").check()
    assert told.value.status == 204
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    expect(page.get_by_role("button", name="Save the theme")).to_be_hidden()
    plain = new_page(who=colleague, color_scheme="light", java_script_enabled=False)
    plain.goto("/")
    expect(plain.locator("html")).to_have_attribute("data-bs-theme", "dark")
    plain.goto("/you/")
    plain.get_by_label("As the system").check()
    plain.get_by_role("button", name="Save the theme").click()
    expect(plain.locator("html")).not_to_have_attribute("data-bs-theme", re.compile("."))
    page.goto("/")
    expect(page.locator("html")).not_to_have_attribute("data-bs-theme", re.compile("."))


def test_times_are_in_the_chosen_zone_and_not_in_the_browsers(new_page: Callable[..., Page], colleague: Who) -> None:
    page = new_page(who=colleague, timezone_id="America/New_York")
    page.goto("/you/")
    page.get_by_label("Time zone").select_option("Asia/Tokyo")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("The time zone is saved.")).to_be_visible()
    page.evaluate(
        """() => {
          document.querySelector("h1").innerHTML = '<time datetime="2026-01-15T23:30:00Z" data-as="exact"></time>';
          tidepool.drawTimes(document);
        }"""
    )
    expect(page.locator("h1")).to_have_text("16 Jan 2026, 08:30")
    page.get_by_label("Time zone").select_option("")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("html")).to_have_attribute("data-zone", "")


def test_a_key_is_added_and_removed_with_the_keyboard(new_page: Callable[..., Page], colleague: Who) -> None:
    page = new_page(who=colleague)
    page.goto("/you/")
    page.get_by_role("link", name="Add a key").press("Enter")
    page.get_by_label("Public key").fill(ed25519(comment="vera@desk"))
    page.get_by_role("button", name="Add the key").press("Enter")
    expect(page.get_by_text("The SSH key is added.")).to_be_visible()
    page.get_by_role("link", name="Remove vera@desk").press("Enter")
    expect(page.get_by_role("link", name="Cancel")).to_be_focused()
    page.get_by_role("button", name="Remove vera@desk").press("Enter")
    expect(page.get_by_text("The SSH key is removed.")).to_be_visible()


def test_an_ended_session_hears_nothing_more_and_is_at_the_door(new_page: Callable[..., Page], colleague: Who) -> None:
    other = new_page(signed_in=False, user_agent="Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Firefox/145.0")
    other.goto("/sign-in/?next=/instances/")
    other.fill("#id_login", colleague[0])
    other.fill("#id_password", colleague[1])
    other.click("button[type=submit]")
    expect(other).to_have_url(re.compile("/instances/"))
    page = new_page(who=colleague)
    page.goto("/you/")
    page.locator("li", has_text="Firefox on macOS").get_by_role("button").click()
    expect(page.get_by_text("The session is ended.")).to_be_visible()
    expect(other).to_have_url(re.compile("/sign-in/"))
