"""What a reader does on the site: search, copy a cell, take a notebook, read in the dark, print."""

import json
from pathlib import Path

import nbformat
import pytest

CHAPTER = "chapters/03_through_time.html"
JUDGED = (
    "index.html",
    "chapters/00_start_here.html",
    "reference/rnn_tutorial.cells.gates.html",
    "benchmarks/README.html",
    "assignments/README.html",
    "search.html?q=forget+gate",
)
COPIED = """
() => {
  window.copied = "";
  document.addEventListener("copy", () => { window.copied = getSelection().toString(); }, true);
}
"""


HEADINGS = """
() => {
  const sizes = {};
  for (const h of document.querySelectorAll("article :is(h1, h2, h3, h4)")) {
    (sizes[h.tagName] ??= []).push(getComputedStyle(h).fontSize);
  }
  const once = ([level, all]) => [level, [...new Set(all)]];
  return Object.fromEntries(Object.entries(sizes).map(once));
}
"""

# The letters of a formula are hidden from screen readers, which are given its MathML. In the fourth
# row of a table and below, a cell with nothing but words or numbers is like the one above.
LEFT_OUT = {"exclude": [["mjx-math"], ["tbody tr:nth-child(n+4) td > p:only-child:not(:has(*))"]]}
VIOLATIONS = {"resultTypes": ["violations"]}
# What depends on the theme is its colours.
COLOURS = {"runOnly": ["color-contrast"], **VIOLATIONS}


@pytest.mark.parametrize("path", JUDGED)
def test_a_page_is_accessible(visit, path):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = visit(path, reduced_motion="reduce").page  # colours change at once
    light = axe.run(page, context=LEFT_OUT, options=VIOLATIONS).response["violations"]
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    dark = axe.run(page, context=LEFT_OUT, options=COLOURS).response["violations"]
    found = [(rule["id"], node["html"][:200]) for rule in light + dark for node in rule["nodes"]]
    assert found == []


def test_a_page_follows_the_theme_of_the_system(visit):
    seen = visit("index.html", theme="dark")
    assert seen.page.locator("html[data-theme=dark]").count() == 1 and seen.errors == []


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("path", ["index.html", CHAPTER])
def test_nothing_moves_while_a_page_loads(look, path, width):
    page = look(path, width).page
    page.evaluate("() => new Promise((drawn) => setTimeout(drawn, 50))")
    assert page.evaluate("window.shifted") < 0.1


def test_headings_of_one_level_have_one_size(look):
    """In a chapter, whether a link, an equation or code follows them."""
    sizes = look("chapters/17_make_it_fast.html", 1280).page.evaluate(HEADINGS)
    assert set(sizes) == {"H1", "H2", "H3", "H4"}
    assert [level for level, found in sizes.items() if len(found) > 1] == []


def test_a_chapter_is_as_wide_before_the_contents_next_to_it_have_come(visit):
    page = visit(CHAPTER).page
    after = page.locator("article").bounding_box()
    page.evaluate("document.getElementById('pst-secondary-sidebar').remove()")
    assert page.locator("article").bounding_box() == after


def test_a_page_from_a_server_asks_for_nothing_elsewhere(look, address):
    seen = look(CHAPTER)
    assert seen.failed == [] and seen.errors == [] and seen.outside(address) == []


def test_no_formula_is_a_stop_of_the_tab_key_and_each_has_its_mathml(visit):
    page = visit("chapters/10_the_lstm_backward.html").page
    assert page.locator("mjx-container[tabindex], mjx-container [tabindex]").count() == 0
    formulas = page.locator("mjx-container").count()
    assert formulas > 300 and page.locator("mjx-assistive-mml > math").count() == formulas


def test_the_number_of_a_wide_equation_is_in_sight_on_a_phone(look):
    page = look(CHAPTER, 390).page
    outside = page.evaluate(
        """() => [...document.querySelectorAll('[id^="mjx-eqn:"]')]
             .filter(n => !n.closest("details:not([open])"))
             .filter(n => n.getBoundingClientRect().right > 390)
             .map(n => n.id)"""
    )
    assert outside == []


def test_the_ticks_of_a_check_are_in_sight_on_a_phone(look):
    page = look(CHAPTER, 390).page
    assert page.locator("div.ticks pre").count() > 3
    assert page.evaluate(
        """() => [...document.querySelectorAll("div.ticks pre")]
             .every(pre => pre.scrollWidth <= pre.clientWidth + 1)"""
    )


ASKED = {
    "vanishing gradient": "chapters/06_why_it_forgets.html#one-factor",
    "exploding gradients": "chapters/06_why_it_forgets.html#explosion",
    "BPTT": "chapters/03_through_time.html#why-one-walk-is-enough",
    "teacher forcing": "chapters/20_one_sequence_into_another.html#teacher-forcing",
    "attention": "chapters/21_where_to_look.html",
    "equation 10.14": "chapters/10_the_lstm_backward.html#",
    "(10.14)": "chapters/10_the_lstm_backward.html#",
    "lstm_step_backward": "reference/rnn_tutorial.cells.lstm.html#",
    "beam search": "chapters/20_one_sequence_into_another.html#beam-search",
}


DEFINED = {"BPTT": "one walk", "peepholes": "to a gate", "W_h": "weights of the old state"}


def test_the_search_puts_the_right_passage_first_without_a_server(visit, file_address):
    page = visit("search.html", base=file_address).page
    for words, place in ASKED.items():
        page.goto(f"{file_address}search.html?q={words}")
        first = page.locator(".search-answers li").first
        assert first.locator("a").get_attribute("href").startswith(place), words
        assert first.locator("p").inner_text(), words


def test_the_search_begins_with_what_the_glossary_says(visit, file_address):
    page = visit("search.html", base=file_address).page
    for words, sentence in DEFINED.items():
        page.goto(f"{file_address}search.html?q={words}")
        (defined,) = page.locator(".search-definitions p").all()
        assert sentence in defined.inner_text(), words
    page.goto(f"{file_address}search.html?q=teacher forcing with")
    assert page.locator(".search-definitions p").count() == 0
    marked = page.locator(".search-answers li").first.locator("mark").all_inner_texts()
    assert {"teacher", "forcing"} <= {word.lower() for word in marked}
    page.goto(f"{file_address}search.html?q=zzzz")
    assert "No passage" in page.get_by_role("status").inner_text()


def test_the_search_is_reached_from_a_chapter(visit):
    page = visit(CHAPTER).page
    page.keyboard.press("Control+k")
    page.keyboard.type("forget gate")
    page.keyboard.press("Enter")
    page.wait_for_selector(".search-answers li")
    assert "q=forget+gate" in page.url


def test_a_cell_is_copied_and_an_output_has_no_button(visit):
    page = visit(CHAPTER).page
    page.evaluate(COPIED)
    assert page.locator(".cell_output button.copybtn").count() == 0
    cell = page.locator("div.cell_input div.highlight").nth(1)
    cell.hover()
    cell.locator("button.copybtn").click()
    assert page.evaluate("window.copied").strip() == cell.locator("pre").inner_text().strip()


def test_the_notebook_of_a_chapter_is_taken_from_its_page(visit):
    page = visit(CHAPTER).page
    with page.expect_download() as download:
        page.get_by_role("link", name="Notebook").click()
    assert download.value.suggested_filename == "03_through_time.ipynb"
    text = Path(download.value.path()).read_text(encoding="utf-8")
    nbformat.validate(nbformat.from_dict(json.loads(text)))


def test_the_first_page_leads_to_the_first_chapter_above_the_figure(visit):
    page = visit("index.html").page
    start = page.get_by_role("link", name="Start reading")
    assert start.bounding_box()["y"] < page.locator("main img").first.bounding_box()["y"]
    assert [text.split(":")[0] for text in page.locator("p.caption").all_inner_texts()][:4] == [
        "Part I",
        "Part II",
        "Part III",
        "Part IV",
    ]
    start.click()
    assert page.url.endswith("chapters/00_start_here.html")


def test_folded_solutions_are_printed(visit):
    page = visit(CHAPTER).page
    folded = page.locator("details:not([open])")
    count = folded.count()
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert count > 5 and folded.count() == 0
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert folded.count() == count
