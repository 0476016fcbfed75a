"""Numbers of equations as links: "(7.14)" leads to the equation, and shows it under the pointer.

An equation with \\tag{7.14} gets the id `equation-7.14`. A number in a sentence becomes a link if
there is such an equation, on every page. The equations of a chapter are in a script of their own,
`_static/equations/07.js`, which `equations.js` loads when the first of them is to be shown. Outside
the chapters, "chapter 07" becomes a link too.
"""

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from book import chapters, equations
from docutils import nodes
from mathematics import typeset
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

NUMBER = re.compile(r"(?<![\w.])\((\d+\.\d+)\)")
CHAPTER = re.compile(r"(?<=[Cc]hapter )\d\d\b|(?<=[Cc]hapters )\d\d\b|(?<=\d\d and )\d\d\b")
TAG = re.compile(r"\\tag\{([\d.]+)\}")
# In these a number is no mention of an equation: code, formulas, links, headings.
OTHER = (
    nodes.literal,
    nodes.FixedTextElement,
    nodes.math,
    nodes.reference,
    nodes.title,
    nodes.raw,
    addnodes.desc_signature,
    addnodes.pending_xref,
)


class LinkNumbers(SphinxTransform):
    """Ids for the equations of a page, and links for the numbers in its sentences."""

    default_priority = 500

    def apply(self, **kwargs: Any) -> None:
        """Change the page."""
        for equation in self.document.findall(nodes.math_block):
            equation["ids"] += [f"equation-{number}" for number in TAG.findall(equation.astext())]
        inside = self.env.docname.startswith("chapters/")
        for text in list(self.document.findall(nodes.Text)):
            if is_prose(text):
                parts = with_links(text, NUMBER, self.equation)
                if not inside:
                    parts = [p for part in parts for p in with_links(part, CHAPTER, self.chapter)]
                if parts != [text]:
                    text.parent.replace(text, parts)

    def equation(self, match: re.Match[str]) -> nodes.Node | None:
        """Return the link to an equation, if there is one with this number."""
        if match[1] not in equations():
            return None
        docname, _ = equations()[match[1]]
        return self.link(match[0], docname, f"#equation-{match[1]}")

    def chapter(self, match: re.Match[str]) -> nodes.Node | None:
        """Return the link to a chapter, if there is one with this number."""
        docname = chapters_by_number().get(match[0])
        return self.link(match[0], docname, "") if docname else None

    def link(self, text: str, docname: str, anchor: str) -> nodes.reference:
        """Return a link from this page to another, or to a place on this one."""
        here = self.env.docname
        page = "" if docname == here else f"{'../' * here.count('/')}{docname}.html"
        return nodes.reference("", text, internal=True, refuri=page + anchor)


@cache
def chapters_by_number() -> dict[str, str]:
    """Return {"07": the page of the chapter}."""
    return {chapter.number: chapter.docname for chapter in chapters()}


def is_prose(text: nodes.Text) -> bool:
    """Return whether a text is part of a sentence, not of code, a formula, a link or a title."""
    parent = text.parent
    while parent is not None:
        if isinstance(parent, OTHER):
            return False
        parent = parent.parent
    return True


def with_links(
    text: nodes.Node, pattern: re.Pattern[str], link: Callable[[re.Match[str]], nodes.Node | None]
) -> list[nodes.Node]:
    """Return the parts of a text, with a link for each match that has one."""
    return list(_parts(text, pattern, link)) if isinstance(text, nodes.Text) else [text]


def _parts(
    text: nodes.Text, pattern: re.Pattern[str], link: Callable[[re.Match[str]], nodes.Node | None]
) -> Iterator[nodes.Node]:
    end = 0
    for match in pattern.finditer(text):
        found = link(match)
        if found is not None:
            if match.start() > end:
                yield nodes.Text(text[end : match.start()])
            yield found
            end = match.end()
    if end == 0:
        yield text
    elif end < len(text):
        yield nodes.Text(text[end:])


def write_equations(app: Sphinx, error: Exception | None) -> None:
    """Write a script for each chapter that has equations: {number: the equation as HTML}."""
    if error is None and app.builder.format == "html":
        folder = Path(app.outdir) / "_static" / "equations"
        folder.mkdir(exist_ok=True)
        for chapter in chapters():
            found = {
                number: typeset(formula, True)
                for number, (docname, formula) in equations().items()
                if docname == chapter.docname
            }
            text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
            script = f"window.EQUATIONS = {{ ...window.EQUATIONS, ...{text} }};\n"
            (folder / f"{chapter.number}.js").write_text(script, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Link the numbers of equations and show the equations."""
    app.add_transform(LinkNumbers)
    app.add_css_file("equations.css")
    app.add_js_file("equations.js", loading_method="defer")
    app.connect("build-finished", write_equations)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
