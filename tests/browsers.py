"""The browser of the tests: a Chromium of the machine, or the one that playwright installs."""

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium() -> str:
    """The path of a Chromium; skips the test where there is none."""
    for name in _NAMES:
        if found := shutil.which(name):
            return found
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    if Path(own).exists():
        return own
    pytest.skip(
        "There is no Chromium: apt install chromium, or .venv/bin/playwright install chromium"
    )
