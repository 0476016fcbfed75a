"""The built site for the tests of this folder, and a way to visit its pages.

A test asks for `visit` and gets pages with what the browser has noticed:

    def test_a_chapter_loads(visit):
        seen = visit("chapters/03_through_time.html", width=390, theme="dark")
        assert seen.errors == [] and seen.page.title().startswith("03")
"""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from chapter_files import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

# Names a site that has just been built (make site). Without it, the tests build their own.
VARIABLE = "RNN_TUTORIAL_SITE"
NEEDED = ("sphinx", "myst_nb", "sphinx_book_theme", "sphinx_copybutton", "py_mini_racer")

# Counts what moved although nobody touched anything, as Chromium reports it.
SHIFTS = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""


class Seen(NamedTuple):
    """A page that is open, and what the browser noticed since it was asked for."""

    page: "Page"
    errors: list[str]  # errors on the console, and exceptions
    requests: list[str]  # every address that was asked for
    failed: list[str]  # those that were not answered, or with an error

    def outside(self, address: str) -> list[str]:
        """Return the requests that went neither to this address nor into the page itself."""
        return [url for url in self.requests if not url.startswith((address, "data:", "blob:"))]


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files, and prints nothing."""

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


@pytest.fixture(scope="session")
def built_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the built site: that of the environment variable, or a new one."""
    if VARIABLE in os.environ:
        return (ROOT / os.environ[VARIABLE]).resolve()
    for name in NEEDED:
        if find_spec(name) is None:
            pytest.skip(f"could not import '{name}'")
    folder = tmp_path_factory.mktemp("site") / "site"
    options = ["-W", "--keep-going", "-q", "-c", "site", ".", str(folder)]
    build = subprocess.run(
        [sys.executable, "-m", "sphinx", *options], cwd=ROOT, capture_output=True, text=True
    )
    assert build.returncode == 0, build.stderr
    return folder


@pytest.fixture(scope="session")
def address(built_site: Path) -> Iterator[str]:
    """Yield the address (http://…/) of a server of the built site."""
    handler = partial(QuietHandler, directory=str(built_site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="session")
def file_address(built_site: Path) -> str:
    """Return the address (file:///…/) of the built site without a server."""
    return f"{built_site.as_uri()}/"


def watch(context: "BrowserContext", url: str) -> Seen:
    """Return the page at this address; everything is loaded."""
    seen = Seen(context.new_page(), [], [], [])
    page = seen.page
    page.on("console", lambda note: note.type == "error" and seen.errors.append(note.text))
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    page.on("request", lambda request: seen.requests.append(request.url))
    page.on("requestfailed", lambda request: seen.failed.append(request.url))
    page.on("response", lambda answer: answer.status >= 400 and seen.failed.append(answer.url))
    page.add_init_script(SHIFTS)
    page.goto(url)
    return seen


@pytest.fixture(scope="module")
def window(browser: "Browser") -> Callable[..., "BrowserContext"]:
    """Return a function that returns the window of a width and a theme, one for all tests."""

    @cache
    def context_of(width: int, theme: str, **options: object) -> "BrowserContext":
        size = {"width": width, "height": 800}
        return browser.new_context(viewport=size, color_scheme=theme, **options)

    return context_of


@pytest.fixture
def visit(window: Callable[..., "BrowserContext"], address: str) -> Iterator[Callable[..., Seen]]:
    """Yield visit(path, width=1280, theme="light", base=address), which opens a page of the site.

    Give `base=file_address` for a page that is opened without a server, and more options of a
    browser's context by name (`reduced_motion="reduce"`).
    """
    opened = []

    def open_page(
        path: str,
        *,
        width: int = 1280,
        theme: str = "light",
        base: str = address,
        **options: object,
    ) -> Seen:
        opened.append(watch(window(width, theme, **options), base + path))
        return opened[-1]

    yield open_page
    for seen in opened:
        seen.page.close()


@pytest.fixture(scope="module")
def look(window: Callable[..., "BrowserContext"], address: str) -> Callable[..., Seen]:
    """Return look(path, width=1280): the same open page for all tests, which only look at it."""

    @cache
    def open_page(path: str, width: int = 1280) -> Seen:
        return watch(window(width, "light"), address + path)

    return open_page
