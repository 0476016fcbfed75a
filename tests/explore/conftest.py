"""A page in which the tests move a figure.

`open_figure(explore.one_unit())` opens a page with the figure from a file, as the site has it:
the still picture, the style sheet and the script. When the test ends, each page that it opened must
have asked for nothing but its own file, and must have printed no error.
"""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from rnn_tutorial.explore.explorable import Explorable, blank, page_script, style_sheet

PAGE = """<!doctype html>
<html lang="en" data-theme="{theme}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{name}</title><style>{style}</style>
<style>html {{ background: {paper}; color-scheme: {theme} }}
main {{ max-width: 54rem; margin: auto }}</style></head>
<body><main><h1>{name}</h1>
<div class="explorable" data-explorable="{name}"><div class="ex-still">
<img src="still.png" alt="still"></div></div>
</main><script>{script}</script></body></html>
"""
PAPERS = {"light": "#ffffff", "dark": "#121212"}


class Figure:
    """A figure in an open page."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.root = page.locator(".ex")

    def values(self) -> dict[str, Any]:
        """Return the numbers that the figure shows now."""
        return self.root.evaluate("root => root.explorable.values()")

    def slide(self, label: str, value: float) -> None:
        """Put the slider whose label has these words to a value, as a reader who drags it does."""
        self.root.get_by_label(label).fill(str(value))

    def press(self, label: str, *keys: str) -> None:
        """Press keys on the control whose label has these words."""
        control = self.root.get_by_label(label)
        control.focus()
        for key in keys:
            control.press(key)

    def drag(self, selector: str, dx: float, dy: float, button: str = "left") -> None:
        """Drag an element of a drawing by dx and dy pixels with a button of the mouse."""
        box = self.root.locator(selector).bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self.page.mouse.move(x, y)
        self.page.mouse.down(button=button)
        self.page.mouse.move(x + dx, y + dy, steps=4)
        self.page.mouse.up(button=button)

    def said(self) -> str:
        """Return what a screen reader is given, once the reader rests."""
        # What changed is drawn in the next frame, and said when it has not changed for a while.
        self.page.evaluate(
            "() => new Promise((f) => requestAnimationFrame(() => requestAnimationFrame(f)))"
        )
        said = self.root.locator(".ex-said")
        self.page.wait_for_function(
            "said => said.textContent === said.previousElementSibling.textContent",
            arg=said.element_handle(),
        )
        return said.inner_text()

    def scrolls_sideways(self) -> bool:
        """Return whether the page is wider than the window."""
        return self.page.evaluate(
            "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        )

    def violations(self) -> list[str]:
        """Return what axe finds."""
        axe = pytest.importorskip("axe_playwright_python.sync_playwright")
        found = axe.Axe().run(self.page).response["violations"]
        return [
            f"{rule['id']}: {node['html'][:200]} {node['failureSummary']}"
            for rule in found
            for node in rule["nodes"]
        ]


@pytest.fixture(scope="session")
def picture() -> bytes:
    """Return a picture in place of every still one, which takes longer to draw."""
    return Explorable("", "", "", {}, lambda: blank(3, 2)).png()


@pytest.fixture(scope="module")
def window(browser: Any) -> Callable[[bool], Any]:
    """Return a function that returns the page for figures with scripts, or that without.

    Each is one window for all tests of a file: a figure keeps nothing when another page is opened.
    """

    @cache
    def page_of(scripts: bool) -> Any:
        context = browser.new_context(java_script_enabled=scripts)
        context.set_default_timeout(5000)
        return context.new_page()

    return page_of


@pytest.fixture
def open_figure(
    window: Callable[[bool], Any], picture: bytes, tmp_path: Path
) -> Iterator[Callable[..., Figure]]:
    """Return a function that opens a figure, in place of the one before.

    Its options: the width of the window, the theme, whether scripts run, whether they may fail.
    """
    listened, troubles = [], []
    note = troubles.append

    def listen(page: Any, event: str, listener: Callable[[Any], Any]) -> None:
        page.on(event, listener)
        listened.append((page, event, listener))

    def open_page(
        explorable: Explorable,
        *,
        width: int = 1000,
        theme: str = "light",
        scripts: bool = True,
        may_fail: bool = False,
    ) -> Figure:
        file = tmp_path / f"{explorable.name}.html"
        (tmp_path / "still.png").write_bytes(picture)
        text = PAGE.format(
            name=explorable.name,
            theme=theme,
            paper=PAPERS[theme],
            style=style_sheet(),
            script=page_script(explorable),
        )
        file.write_text(text, encoding="utf-8")
        page = window(scripts)
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(reduced_motion="no-preference")
        page.mouse.move(0, 0)
        if not may_fail:
            listen(page, "console", lambda line: line.type == "error" and note(line.text))
            listen(page, "pageerror", lambda error: note(str(error)))
        listen(page, "request", lambda asked: asked.url.startswith("file:") or note(asked.url))
        page.goto(file.as_uri())
        return Figure(page)

    yield open_page
    for page, event, listener in listened:
        page.remove_listener(event, listener)
    assert troubles == []
