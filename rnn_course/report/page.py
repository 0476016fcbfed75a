"""Pages of HTML from the templates in `pages/`. All text of a submission is escaped."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import mistune
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from rnn_course.text import visible

__all__ = ["heading", "html_of", "linked", "page", "texts_of"]

HERE = Path(__file__).resolve().parent
CHAPTERS = HERE.parents[1] / "chapters"
EQUATION = re.compile(r"\((\d{1,2})\.(\d{1,2}[a-z]?)\)")
CHAPTER_LINK = re.compile(r"\[([^\]]*)\]\((?:[^()\s]*/)?(\d\d_\w+)\.(?:ipynb|md|html)\)")
MARKDOWN = mistune.create_markdown(escape=True, plugins=["table", "math"])


@cache
def environment() -> Environment:
    """Return Jinja's environment: everything is escaped, nothing missing is passed over."""
    found = Environment(
        loader=FileSystemLoader(HERE / "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    found.filters |= {"visible": visible, "number": number}
    return found


def page(template: str, **values: Any) -> str:
    """Return the page of a template with these values: the same text for the same values."""
    return environment().get_template(template).render(**({"width": "46rem"} | values))


def number(value: float) -> str:
    """Return a number of points for a reader: 7.5, 30, never 3e+01."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


@cache
def chapters() -> dict[str, str]:
    """Return {"03": "03_through_time"}: the chapters of the book next to this package."""
    return {path.stem[:2]: path.stem for path in sorted(CHAPTERS.glob("[0-9][0-9]_*.md"))}


def linked(text: str, book: str) -> Markup:
    """Return text, escaped, in which the number of an equation, (3.13), links to its chapter.

    book: the address of the book's site, "" if there is none; then there are no links.
    """
    found, end, text = Markup(), 0, visible(text)
    for match in EQUATION.finditer(text) if book else ():
        if chapter := chapters().get(match[1].zfill(2)):
            link = Markup('<a href="{}/{}.html">{}</a>').format(book, chapter, match[0])
            found, end = found + escape(text[end : match.start()]) + link, match.end()
    return found + escape(text[end:])


def heading(text: str, name: str) -> str:
    """Return the first line of a question's Markdown as a title, without the points.

    name: what to return if there is no text.
    """
    first = text.strip().partition("\n")[0].lstrip("# ").strip()
    return re.sub(r" \([\d.]+ points?\)$", "", first) or name


def html_of(text: str, book: str) -> Markup:
    """Return a question's Markdown, without its heading and its hints, as HTML.

    Equations stay as they are typed, in TeX. Links to chapters lead to the site of the book, or
    become plain words if there is none.
    """
    body = text.strip().partition("\n")[2].partition("<details>")[0]
    target = rf"[\1]({book}/\2.html)" if book else r"\1"
    html = str(MARKDOWN(CHAPTER_LINK.sub(target, body)))
    return Markup(html.replace("<th></th>", "<td></td>").replace("<th>", '<th scope="col">'))


def texts_of(texts: Mapping[str, str], book: str) -> dict[str, Markup]:
    """Return the text of each question as HTML."""
    return {name: html_of(text, book) for name, text in texts.items()}
