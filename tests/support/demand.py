"""What a test needs from the machine: on a person's machine a reason to skip, in CI a failure."""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def everything() -> bool:
    """CI runs all tests or fails."""
    return os.environ.get("CI") == "true" or os.environ.get("TIDEPOOL_TEST_DEMAND_ALL") == "1"


def missing(what: str) -> NoReturn:
    if everything():
        pytest.fail(f"Everything is demanded here, and {what}", pytrace=False)
    pytest.skip(what)


def chromium() -> str | None:
    """A Chromium: named by TIDEPOOL_TEST_CHROMIUM, on the PATH, or the one that playwright installed."""
    named = os.environ.get("TIDEPOOL_TEST_CHROMIUM")
    found = named or next((path for path in map(shutil.which, CHROMIUMS) if path), None)
    return found or next((str(path) for path in sorted(_playwright_folder().glob("chromium-*/*/chrome"))), None)


def _playwright_folder() -> Path:
    return Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")
