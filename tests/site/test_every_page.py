"""What is true of every page: links, names, formulas, weight, width on a phone, moving figures."""

import re
from functools import cache
from html import unescape
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

import pytest
from chapter_files import ROOT, TEXTS

KILOBYTE = 1000
PHONE = 390  # pixels
TAGS = re.compile(r"<(a|img|link|script)\b[^>]*>")
# The width of the page beyond that of the window, and the elements that reach out of it.
TOO_WIDE = """
() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  const scrolls = (one) =>
    one && (getComputedStyle(one).overflowX !== "visible" || scrolls(one.parentElement));
  return [...document.querySelectorAll("main *")]
    .filter((one) => one.getBoundingClientRect().right > width + 1 && !scrolls(one.parentElement))
    .map((one) => `${one.tagName} ${one.textContent.slice(0, 60)}`).slice(0, 5)
    .concat(`the page is ${document.documentElement.scrollWidth} wide`);
}
"""
FIGURE = re.compile(r"^explore\.(\w+)\(.*\)\n```", re.MULTILINE)
FIGURES = [
    (path.stem, name) for path in TEXTS for name in FIGURE.findall(path.read_text(encoding="utf-8"))
]


class Page(NamedTuple):
    """The links, the anchors, the images and the loaded files of a page."""

    links: list[str]
    ids: set[str]
    images: list[dict[str, str]]
    loaded: list[str]


def attributes(tag: str) -> dict[str, str]:
    """Return the attributes of a tag."""
    return {name: unescape(said) for name, said in re.findall(r'([\w-]+)="([^"]*)"', tag)}


def read(html: str) -> Page:
    """Return what a page says."""
    tags = [(match[1], attributes(match[0])) for match in TAGS.finditer(html)]
    sheets = [said for name, said in tags if name == "link" and said.get("rel") == "stylesheet"]
    scripts = [said for name, said in tags if name == "script" and "src" in said]
    return Page(
        links=[said["href"] for name, said in tags if name == "a" and said.get("href")],
        ids=set(re.findall(r'<[^>]*\sid="([^"]+)"', html)),
        images=[said for name, said in tags if name == "img"],
        loaded=[said["href"] for said in sheets] + [said["src"] for said in scripts],
    )


@cache
def page_at(path: Path) -> Page:
    """Return a page, which is read once."""
    return read(path.read_text(encoding="utf-8"))


def pages_of(site: Path) -> list[Path]:
    """Return all pages of the site."""
    return [path for path in sorted(site.rglob("*.html")) if "_static" not in path.parts]


def file_of(page: Path, address: str) -> Path:
    """Return the file to which a relative address on a page leads."""
    return (page.parent / unquote(re.sub("[?#].*", "", address))).resolve()


def broken_links(page: Path) -> list[str]:
    """Return the addresses on a page that lead to no file, or to no place in it."""
    found = page_at(page)
    broken = []
    for address in [*found.links, *found.loaded, *(image["src"] for image in found.images)]:
        if re.match(r"\w+:", address):
            continue
        anchor = unquote(address.partition("#")[2])
        target = file_of(page, address) if not address.startswith("#") else page
        if not target.is_file():
            broken.append(address)
        elif anchor and target.suffix == ".html" and anchor not in page_at(target).ids:
            broken.append(address)
    return broken


def test_no_link_is_broken(built_site):
    broken = {path.name: broken_links(path) for path in pages_of(built_site)}
    assert {name: links for name, links in broken.items() if links} == {}


def test_a_broken_link_is_found(tmp_path):
    page = tmp_path / "a.html"
    page.write_text('<a href="b.html">b</a> <a href="#no">no</a> <a id="x" href="a.html#x">x</a>')
    assert broken_links(page) == ["b.html", "#no"]


def test_a_page_loads_nothing_from_elsewhere_and_less_than_two_megabytes(built_site):
    for path in pages_of(built_site):
        loaded = page_at(path).loaded
        assert not any(re.match(r"\w+:|//", address) for address in loaded), path
        figures = [address for address in loaded if "/explore/" in address]
        files = {file_of(path, address) for address in set(loaded) - set(figures)}
        weight = sum(file.stat().st_size for file in {path, *files})
        most = 3.5 if path.name == "search.html" else 2  # the search loads the text of the book
        assert weight < most * KILOBYTE**2, (path.name, weight)


def test_every_image_has_a_description_and_a_size(built_site):
    for path in pages_of(built_site):
        for image in page_at(path).images:
            assert image.get("alt"), (path, image)
            if "_images/" in image["src"] and image["src"].endswith(".png"):
                start = file_of(path, image["src"]).read_bytes()[:24]
                size = [int.from_bytes(start[k : k + 4]) for k in (16, 20)]
                assert size == [int(image["width"]), int(image["height"])], path


def test_every_icon_has_its_picture(built_site):
    styles = (built_site / "_static/icons.css").read_text(encoding="utf-8")
    for path in pages_of(built_site):
        for name in re.findall(r"fa-solid fa-([a-z-]+)", path.read_text(encoding="utf-8")):
            assert f".fa-{name} {{" in styles, (path.name, name)


def test_every_formula_is_typeset(built_site):
    for path in pages_of(built_site):
        html = path.read_text(encoding="utf-8")
        formulas = re.findall(r'<(?:span|div) class="[^"]*\bmath\b[^"]*"[^>]*>(.{15})', html)
        assert all(start.startswith("<mjx-container") for start in formulas), path.name
        assert "<mjx-merror" not in html and html.count("<math ") == len(formulas), path.name
        assert path.parent != built_site / "chapters" or len(formulas) > 50, path.name


def test_the_style_sheet_has_every_font_of_the_formulas(built_site):
    styles = (built_site / "_static/mathematics.css").read_text(encoding="utf-8")
    texts = (path.read_text(encoding="utf-8") for path in built_site.glob("chapters/*.html"))
    fonts = {font for text in texts for font in re.findall(r'class="[^"]*(TEX-\w+)', text)}
    assert "TEX-I" in fonts
    for font in fonts:
        assert re.search(rf'@font-face[^}}]*MJX{font};\s*src: url\("data:font/woff', styles), font


def test_the_text_and_the_site_have_the_same_numbered_equations(built_site):
    for notebook in sorted((ROOT / "chapters").glob("*.md")):
        numbers = set(re.findall(r"\\tag\{([\w.]+)\}", notebook.read_text(encoding="utf-8")))
        ids = page_at(built_site / "chapters" / f"{notebook.stem}.html").ids
        assert {f"mjx-eqn:{number}" for number in numbers} <= ids


def test_every_page_describes_itself_and_has_the_icon_of_the_book(built_site):
    for path in pages_of(built_site):
        html = path.read_text(encoding="utf-8")
        if "sources" in path.parts:
            continue
        assert re.search(r'<meta name="description" content="[^"]{20,}"', html), path.name
        assert html.count('rel="icon"') == 1, path.name


def opened(site: Path) -> list[Path]:
    """Return the pages that a browser opens: of the reference the longest, of sources none."""
    folders = [(path.relative_to(site).parts[0], path) for path in pages_of(site)]
    reference = [path for folder, path in folders if folder == "reference"]
    reference.sort(key=lambda path: path.stat().st_size)
    return [path for folder, path in folders if folder not in ("reference", "sources")] + [
        *reference[-3:]
    ]


class Noticed(NamedTuple):
    """What was noticed on a page that was opened as a file on a phone."""

    wide: list[str]  # what reaches out of the page
    errors: list[str]  # errors on the console, and exceptions
    outside: list[str]  # addresses that were asked for and are no files, or not there
    figures: dict[str, list[str]]  # what each figure showed at both ends of its first slider
    stills: int  # still pictures in sight, in place of their figures


def move(figure) -> list[str]:
    """Move a figure to both ends of its first slider; return what it shows at each."""
    slider, shown = figure.get_by_role("slider").first, []
    slider.focus()
    for key in ("Home", "End"):
        slider.press(key)
        shown.append(figure.evaluate("root => JSON.stringify(root.explorable.values())"))
    return shown


@pytest.fixture(scope="module")
def phone(window, file_address, built_site):
    """Return {page: what was noticed}; the figures of a page were moved."""
    page = window(PHONE, "light", has_touch=True).new_page()
    errors: list[str] = []
    asked: list[str] = []
    failed: list[str] = []
    page.on("console", lambda note: note.type == "error" and errors.append(note.text))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.on("requestfailed", lambda request: failed.append(request.url))
    noticed = {}
    for path in opened(built_site):
        inside = path.relative_to(built_site)
        errors.clear()
        asked.clear()
        failed.clear()
        page.goto(file_address + inside.as_posix())
        wide = page.evaluate(TOO_WIDE)
        figures = page.locator(".ex[data-figure]").all()
        moved = {figure.get_attribute("data-figure"): move(figure) for figure in figures}
        wide += page.evaluate(TOO_WIDE) if moved else []
        stills = page.locator("[data-explorable] .ex-still >> visible=true").count()
        outside = [url for url in asked if not url.startswith(("file:", "data:", "blob:"))]
        noticed[inside.as_posix()] = Noticed(wide, [*errors], outside + failed, moved, stills)
    return noticed


def test_no_page_scrolls_sideways_on_a_phone(phone):
    assert {name: seen.wide for name, seen in phone.items() if seen.wide} == {}


def test_no_page_prints_an_error(phone):
    assert {name: seen.errors for name, seen in phone.items() if seen.errors} == {}


def test_no_page_that_is_opened_as_a_file_asks_for_anything_else(phone):
    assert {name: seen.outside for name, seen in phone.items() if seen.outside} == {}


def test_the_figures_of_the_chapters_are_on_their_pages_and_move(phone):
    found = [(Path(page).stem, name) for page, seen in phone.items() for name in seen.figures]
    assert sorted(found) == sorted(FIGURES)
    assert not any(seen.stills for seen in phone.values())
    assert ("01_the_recurrence", "one_unit") in FIGURES and len(FIGURES) >= 2
    for page, seen in phone.items():
        for name, (first, last) in seen.figures.items():
            assert first != last, (page, name)


def test_without_scripts_the_picture_is_there(visit, file_address):
    seen = visit("chapters/01_the_recurrence.html", base=file_address, java_script_enabled=False)
    picture = seen.page.locator("[data-explorable=one_unit] .ex-still img")
    assert picture.is_visible() and "staircase" in picture.get_attribute("alt")
