"""The site's figures that a reader can move.

A code cell whose last line is `explore.NAME(…)` has a still picture as its output. On the site that
picture is put into an element `<div data-explorable="NAME">`, and the script of the figure, which
is written next to the pages, mounts the figure there. Without scripts the picture stays.
"""

import re
import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from rnn_tutorial import explore  # noqa: E402

LAST_LINE = re.compile(r"^explore\.(\w+)\(.*\)\s*\Z", re.MULTILINE)
FOLDER = "explore"  # in _static


class explorable(nodes.General, nodes.Element):  # noqa: N801, docutils names nodes in small letters
    """The place of a figure; its children are the still picture."""


def visit(translator: nodes.NodeVisitor, node: explorable) -> None:
    """Open the place of a figure."""
    translator.body.append(
        f'<div class="explorable" data-explorable="{node["name"]}"><div class="ex-still">'
    )


def depart(translator: nodes.NodeVisitor, node: explorable) -> None:
    """Close it."""
    translator.body.append("</div></div>\n")


def figure_of(cell: nodes.Element) -> explore.Explorable | None:
    """Return the Explorable of a code cell, or None."""
    source = next(iter(cell.findall(nodes.literal_block)), None)
    match = source and LAST_LINE.search(source.astext())
    return eval(match[0], {"explore": explore}) if match else None


def add_figures(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put the picture of each such cell into the place of its figure, and write its script."""
    if app.builder.format != "html":
        return
    names = []
    for cell in list(doctree.findall(nodes.container)):
        if "cell" not in cell.get("classes", []):
            continue
        made = figure_of(cell)
        picture = next(iter(cell.findall(nodes.image)), None)
        if made and picture:
            place = explorable(name=made.name)
            picture.replace_self(place)
            place += picture
            names.append(made.name)
            write(app, f"{made.name}.js", explore.page_script(made))
    if names:
        write(app, "explore.css", explore.style_sheet())
        doctree["explorables"] = names


def write(app: Sphinx, name: str, text: str) -> None:
    """Write a file into the folder of the figures, where the pages find it."""
    path = Path(app.outdir) / "_static" / FOLDER / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def add_scripts(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Let a page load the scripts of the figures that are on it."""
    names = doctree.get("explorables", []) if doctree else []
    if names:
        app.add_css_file(f"{FOLDER}/explore.css")
    for name in names:
        app.add_js_file(f"{FOLDER}/{name}.js", loading_method="defer")


def setup(app: Sphinx) -> dict[str, bool]:
    """Mount the figures that a reader can move."""
    app.add_node(explorable, html=(visit, depart))
    app.connect("doctree-resolved", add_figures)
    app.connect("html-page-context", add_scripts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
