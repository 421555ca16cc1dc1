"""Somebody signs in before the provider was ever read: the page says so, and fills by itself."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.support.processes import stack

pytestmark = pytest.mark.browser


def test_the_first_reading_fills_the_open_page(chromium: Browser, tmp_path: Path) -> None:
    # So slow a budget that the first call goes out seconds after the door is open.
    with stack(tmp_path / "data", BLUELOBSTER_CALLS_PER_SECOND="0.25") as running:
        context = chromium.new_context(base_url=running.url)
        page = context.new_page()
        email, password = running.owner
        page.goto("/sign-in/?next=/instances/")
        page.fill("#id_login", email)
        page.fill("#id_password", password)
        page.click("button[type=submit]")
        expect(page.locator("#fresh")).to_contain_text("Not read yet")
        expect(page.get_by_role("heading", name="No machines yet")).to_be_visible()
        expect(page.locator("tbody tr")).to_have_count(24, timeout=90_000)
        expect(page.locator("#fresh")).to_contain_text("Live")
        expect(page.locator("#machine-count")).to_have_text("24")
        context.close()
