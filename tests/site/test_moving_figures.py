"""The figures that a reader can move are on their pages, and move when opened from a file."""

import re

import pytest
from chapter_files import ROOT

CELL = re.compile(r"^explore\.(\w+)\(.*\)\n```", re.MULTILINE)
PLACES = [
    (path.stem, name)
    for path in sorted((ROOT / "chapters").glob("*.md"))
    for name in CELL.findall(path.read_text(encoding="utf-8"))
]


def test_figures_are_in_several_chapters():
    assert ("01_the_recurrence", "one_unit") in PLACES and len(PLACES) >= 2


@pytest.mark.parametrize("chapter, name", PLACES)
def test_the_figure_of_a_chapter_moves(visit, file_address, chapter, name):
    seen = visit(f"chapters/{chapter}.html", width=390, base=file_address)
    figure = seen.page.locator(f".ex[data-figure={name}]")
    assert figure.count() == 1
    assert not seen.page.locator(f"[data-explorable={name}] .ex-still").is_visible()
    slider = figure.get_by_role("slider").first
    slider.focus()
    values = []
    for key in ("Home", "End"):
        slider.press(key)
        values.append(figure.evaluate("root => JSON.stringify(root.explorable.values())"))
    assert values[0] != values[1]
    assert seen.errors == [] and seen.outside("file:") == []
    width = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    assert seen.page.evaluate(width)


def test_without_scripts_the_picture_is_there(visit, file_address):
    seen = visit("chapters/01_the_recurrence.html", base=file_address, java_script_enabled=False)
    picture = seen.page.locator("[data-explorable=one_unit] .ex-still img")
    assert picture.is_visible() and "staircase" in picture.get_attribute("alt")
