"""Every chapter reads the same in JupyterLab, on GitHub and on the site, and its links work."""

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from chapter_files import (
    NOTEBOOKS,
    ROOT,
    chapter,
    chapter_name,
    chapter_number,
    code_cells,
    prose,
    without_code,
)
from markdown_it import MarkdownIt

PAGES = [
    ROOT / name
    for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "assignments/README.md")
]
SECTIONS = ["What goes wrong", "Exercises", "Recap"]
NOT_PORTABLE = {
    "a directive": r"^:::|^`{3,}\{(?!code-cell)",
    "a role": r"\{[\w:-]+\}`",
    "an equation label": r"\$\$\s*\([\w:.-]+\)",
    "a target": r"^\([\w:.-]+\)=\s*$",
    "a comment": r"^%",
    "an indented equation": r"^ +\$\$",
    "a macro that GitHub refuses": r"\\operatorname",
}

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=chapter_name)
each_lesson = pytest.mark.parametrize(
    "path", [path for path in NOTEBOOKS if chapter_number(path)], ids=chapter_name
)


def faults(markdown: str) -> list[str]:
    """Return the names of the parts of this Markdown that some reader would see as raw text."""
    blocks_removed = re.sub(
        r"^```(python|text|bash|)\n.*?^```", "", markdown, flags=re.MULTILINE | re.DOTALL
    )
    return [
        name
        for name, pattern in NOT_PORTABLE.items()
        if re.search(pattern, blocks_removed, re.MULTILINE)
    ]


@cache
def links_and_images(markdown: str) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the targets of links, and (source, description) of images, without mathematics."""
    without_maths = re.sub(r"\$\$.*?\$\$|\$[^$\n]+\$", "", markdown, flags=re.DOTALL)
    inline = [
        token for block in MarkdownIt().parse(without_maths) for token in block.children or []
    ]
    links = [token.attrs["href"] for token in inline if token.type == "link_open"]
    images = [(token.attrs["src"], token.content) for token in inline if token.type == "image"]
    return links, images


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub makes from the headings of a Markdown page."""
    headings = re.findall(
        r"^#+ (.*)$", without_code(page.read_text(encoding="utf-8")), re.MULTILINE
    )
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(markdown: str, page: Path) -> list[str]:
    """Return the relative links and images of a page for which there is no file or no heading."""
    links, images = links_and_images(markdown)
    broken = []
    for target in links + [source for source, _ in images]:
        if re.match(r"\w+:", target):
            continue
        file, _, anchor = target.partition("#")
        path = (page.parent / file).resolve() if file else page
        if not path.exists() or (anchor and (path.suffix != ".md" or anchor not in anchors(path))):
            broken.append(target)
    return broken


@each_notebook
def test_the_prose_is_portable_markdown(path):
    assert faults(prose(chapter(path))) == []


@pytest.mark.parametrize(
    "sample",
    [
        ":::{note}\nText\n:::",
        "```{note}\nText\n```",
        "see {eq}`step`",
        "$$ a = b $$ (step)",
        "$$\na = b\n$$ (step)",
        "(step)=\n## Step",
        "% a comment",
        "- item\n\n  $$ a = b $$",
        r"$\operatorname{Im} z$",
    ],
)
def test_what_is_not_portable_is_found(sample):
    assert faults(sample)


@each_notebook
def test_every_link_of_a_chapter_leads_to_a_file(path):
    assert broken_links(prose(chapter(path)), path) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_the_repository_pages_leads_to_a_file_and_heading(page):
    assert broken_links(page.read_text(encoding="utf-8"), page) == []


def test_a_broken_link_or_image_is_found():
    links = "[a](no.ipynb) [b](README.md) [c](README.md#no-such) [e](https://x.org)"
    markdown = f"{links} ![d](no.png) $[f](g)$"
    assert broken_links(markdown, ROOT / "README.md") == ["no.ipynb", "README.md#no-such", "no.png"]


@each_notebook
def test_every_image_in_the_prose_has_a_description(path):
    _, images = links_and_images(prose(chapter(path)))
    assert all(alt.strip() for _, alt in images)
    assert not re.search(r"<img(?![^>]*\balt=\"[^\"]+\")", prose(chapter(path)))


@each_notebook
def test_every_figure_has_a_description_and_a_cell_of_its_own(path):
    for cell in code_cells(chapter(path)):
        pictures = [output for output in cell.outputs if "image/png" in output.get("data", {})]
        assert len(pictures) <= 1, cell.source
        description = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        assert bool(description.strip()) == bool(pictures), cell.source


@each_notebook
def test_no_traceback_names_a_folder_of_the_machine(path):
    outputs = [output for cell in code_cells(chapter(path)) for output in cell.outputs]
    traces = ["\n".join(o.traceback) for o in outputs if o.output_type == "error"]
    assert [found for trace in traces for found in re.findall(r"\S*/rnn_tutorial/\S*", trace)] == []


@each_notebook
def test_the_prose_is_wrapped_so_that_a_change_is_reviewed_line_by_line(path):
    lines = re.sub(
        r"^\$\$.*?^\$\$$", "", prose(chapter(path)), flags=re.MULTILINE | re.DOTALL
    ).splitlines()
    # A table row, an equation and a link cannot be broken.
    assert [
        line for line in lines if len(line) > 100 and not re.match(r"\||\$\$|<|\S+$", line)
    ] == []


@each_notebook
def test_a_chapter_begins_with_its_number_and_title(path):
    first = chapter(path).cells[0]
    assert first.cell_type == "markdown"
    assert re.match(rf"# 0?{chapter_number(path)}\b.*\w", first.source), first.source.splitlines()[
        0
    ]


@each_lesson
def test_a_chapter_has_the_sections_that_every_chapter_has(path):
    headings = re.findall(r"^## (.*)$", without_code(prose(chapter(path))), re.MULTILINE)
    found = [section for heading in headings for section in SECTIONS if heading.startswith(section)]
    assert found == SECTIONS


@each_notebook
def test_equations_are_numbered_once_with_the_number_of_their_chapter(path):
    numbers = re.findall(r"\\tag\{(.*?)\}", prose(chapter(path)))
    assert all(re.fullmatch(rf"{chapter_number(path)}\.\d+[a-z]?", number) for number in numbers)
    assert [number for number, count in Counter(numbers).items() if count > 1] == []


@cache
def tagged() -> set[str]:
    """Return the numbers of the equations of all chapters."""
    texts = [prose(chapter(path)) for path in NOTEBOOKS]
    return {number for text in texts for number in re.findall(r"\\tag\{(.*?)\}", text)}


@each_notebook
def test_every_equation_that_the_prose_names_exists(path):
    named = set(re.findall(r"[Ee]quations? \((\d+\.\d+[a-z]?)\)", prose(chapter(path))))
    assert named <= tagged()
