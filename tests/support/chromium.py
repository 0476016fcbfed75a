"""A headless Chromium for the tests: the fixture `browser`, known to every folder."""

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome")
# Two pages of the address bar, which nobody sees, take as much time as the page of a test. The
# switch replaces that of playwright, hence the others of it that matter here.
FEATURES = "WebUIOmniboxPopup,WebUIOmniboxAimPopup"
FEATURES += ",DestroyProfileOnBrowserClose,HttpsUpgrades,MediaRouter,OptimizationHints,PaintHolding"
SWITCHES = ["--no-sandbox", f"--disable-features={FEATURES}"]


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """Yield the Chromium of this machine, without a window; skip where there is none.

    One browser a file: playwright keeps an event loop running, in which no notebook could run.
    """
    playwright = pytest.importorskip("playwright.sync_api")
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip("no Chromium is installed here")
    with playwright.sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=program, args=SWITCHES)
        yield chromium
        chromium.close()
