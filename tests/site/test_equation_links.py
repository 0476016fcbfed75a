"""The number of an equation is a link to it in every sentence, and shows it."""

import re
from pathlib import Path

import pytest
from chapter_files import TEXTS

NUMBERED = {
    number
    for path in TEXTS
    for number in re.findall(r"\\tag\{([\d.]+)\}", path.read_text(encoding="utf-8"))
}
LINK = re.compile(r'<a [^>]*href="([^"]*)#(equation-[\d.]+)"[^>]*>')
# Code, formulas, links, titles and what a solution is called: a number in them is no mention.
OTHER = re.compile(
    r"<(pre|code|script|style|a|h\d|summary|mjx-container)\b.*?</\1>",
    flags=re.DOTALL,
)
FORMULA = re.compile(r"<(pre|code|script|mjx-container)\b.*?</\1>", flags=re.DOTALL)


@pytest.fixture(scope="module")
def pages(built_site) -> dict[Path, str]:
    """Return the HTML of every page that has sentences."""
    paths = [
        path for path in built_site.rglob("*.html") if built_site / "sources" not in path.parents
    ]
    return {path: path.read_text(encoding="utf-8") for path in paths}


def test_every_number_in_a_sentence_is_a_link(pages):
    for path, html in pages.items():
        text = re.sub(r"<[^>]*>", "", OTHER.sub(" ", html))
        left = NUMBERED.intersection(re.findall(r"(?<![\w.])\((\d+\.\d+)\)", text))
        assert left == set(), path


def test_every_link_leads_to_an_equation(pages):
    seen = set()
    for path, html in pages.items():
        for page, anchor in LINK.findall(html):
            target = (path.parent / page).resolve() if page else path
            assert f'id="{anchor}"' in pages[target], (path, anchor)
            seen.add(anchor.removeprefix("equation-"))
    assert len(NUMBERED) > 300 and len(seen) > 0.8 * len(NUMBERED)


def test_no_link_is_inside_code_or_a_formula(pages):
    for path, html in pages.items():
        assert not any(LINK.search(match[0]) for match in FORMULA.finditer(html)), path


def test_the_equation_is_shown_under_the_pointer_and_with_the_focus(visit, file_address):
    page = visit("reference/rnn_tutorial.cells.lstm.html", base=file_address).page
    link, box = page.locator('a[href$="#equation-10.20"]').first, page.locator(".equation-box")
    link.focus()
    box.locator("mjx-container").wait_for()
    assert box.locator("span").last.inner_text() == "(10.20)"
    assert link.get_attribute("aria-describedby") == box.get_attribute("id")
    page.keyboard.press("Escape")
    assert box.count() == 0 and link.get_attribute("aria-describedby") is None
    page.locator("article h1").click()
    link.hover()
    box.wait_for()
    box.hover()  # the box can be read and copied from
    page.wait_for_timeout(200)  # longer than the box waits
    assert box.count() == 1
    page.mouse.move(0, 0)
    box.wait_for(state="detached")


def test_a_link_to_an_equation_in_a_folded_derivation_unfolds_it(visit, file_address):
    page = visit("chapters/02_one_step_back.html", base=file_address).page
    folded = page.locator("details:not([open]) [id^=equation-]").first.get_attribute("id")
    page.evaluate(f"location.hash = '#{folded}'")
    page.wait_for_function(f"document.getElementById('{folded}').checkVisibility()")
