"""The search: every section of every page is a passage of its own, found by its words.

All passages are in one script, which only the page of the search loads. So the search works without
a server. `search.js` ranks them: titles first, then what says most about the words that are asked
for. The glossary's sentence on a term or symbol is shown above them, and the passage to which the
glossary leads is the first of them.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

SCRIPT = "passages.js"
# Pages that list what other pages say.
LISTS = ("index", "reference/index")
TAG = re.compile(r"\\tag\{([\w.]+)\}")
# What a passage does not have: its own sections, pictures, what only other writers see.
NOT_TEXT = (
    addnodes.desc,
    addnodes.glossary,
    addnodes.toctree,
    nodes.comment,
    nodes.image,
    nodes.raw,
    nodes.section,
    nodes.system_message,
    nodes.title,
)


def texts(node: nodes.Node) -> Iterator[str]:
    """Yield the texts of a node without those of its sections and of printed outputs."""
    for child in node.children:
        if isinstance(child, nodes.Text):
            yield child.astext()
        elif not isinstance(child, NOT_TEXT) and "cell_output" not in child.get("classes", []):
            yield from texts(child)
            if not child.children or isinstance(child, nodes.TextElement):
                yield "" if isinstance(child, nodes.Inline) else "\n"


def sections_of(doctree: nodes.document) -> Iterator[tuple[str, str, nodes.Element]]:
    """Yield (anchor, title, node) for every section of a page."""
    for section in doctree.findall(nodes.section):
        top = isinstance(section.parent, nodes.document)
        title = next(iter(section.findall(nodes.title))).astext()
        yield "" if top else section["ids"][0], title, section


def definitions_of(doctree: nodes.document) -> Iterator[tuple[str, str, nodes.Element]]:
    """Yield (anchor, name, node) for everything that a page of the reference defines."""
    for described in doctree.findall(addnodes.desc):
        signature = described[0]
        if signature["ids"]:
            yield signature["ids"][0], signature["ids"][0], described


def passages_of(doctree: nodes.document) -> list[list[Any]]:
    """Return [anchor, title, text, the numbers of its equations] for every passage of a page."""
    found = []
    for anchor, title, node in [*sections_of(doctree), *definitions_of(doctree)]:
        text = re.sub(r"\s+", " ", "".join(texts(node))).strip()
        found.append([anchor, title, text, TAG.findall(text)])
    return found


def explained_at(definition: nodes.Element) -> str:
    """Return the page and the anchor of the passage that explains a term."""
    for link in definition.findall(addnodes.pending_xref):
        return f"{link['reftarget']}.html#{link.get('reftargetid') or ''}"
    return ""


def terms_of(doctree: nodes.document) -> list[list[Any]]:
    """Return [anchor, title, sentence, [], its names, where it is explained] for every term."""
    found = []
    for glossary in doctree.findall(addnodes.glossary):
        for item in glossary.findall(nodes.definition_list_item):
            terms = [child for child in item.children if isinstance(child, nodes.term)]
            names = [term.astext() for term in terms]
            anchor, sentence = terms[0]["ids"][0], item[-1].astext().partition("\n")[0]
            found.append([anchor, ", ".join(names), sentence, [], names, explained_at(item[-1])])
    return found


def symbols_of(doctree: nodes.document) -> list[list[Any]]:
    """Return the same for every symbol: the rows of the tables on the page of the glossary."""
    found = []
    if next(doctree.findall(addnodes.glossary), None):
        for body in doctree.findall(nodes.tbody):
            for row in body.children:
                symbol, code, sentence, where = (cell.astext() for cell in row.children)
                names = [literal.astext() for literal in row[1].findall(nodes.literal)]
                row["ids"].append(f"symbol-{len(found) + 1}")
                text = f"{sentence}, {where}"
                found.append([row["ids"][0], code or symbol, text, [], [*names, symbol], ""])
    return found


def read(app: Sphinx, doctree: nodes.document) -> None:
    """Remember the passages of a page."""
    found = passages_of(doctree) + terms_of(doctree) + symbols_of(doctree)
    app.env.passages[app.env.docname] = found


def forget(app: Sphinx, env: BuildEnvironment, page: str) -> None:
    """Forget the passages of a page that is read again, or gone."""
    env.passages.pop(page, None)


def start(app: Sphinx) -> None:
    """Take over the search from Sphinx, whose index knows pages only."""
    app.env.passages = getattr(app.env, "passages", {})
    app.builder.search = False
    app.config.html_additional_pages = {**app.config.html_additional_pages, "search": "search.html"}


def finish(app: Sphinx, error: Exception | None) -> None:
    """Write the passages next to the pages."""
    if error is None and app.builder.format == "html":
        pages = [
            {"url": app.builder.get_target_uri(page), "title": found[0][1], "passages": found}
            for page, found in sorted(app.env.passages.items())
            if found and page not in LISTS
        ]
        text = json.dumps(pages, ensure_ascii=False, separators=(",", ":"))
        path = Path(app.outdir) / "_static" / SCRIPT
        path.write_text(f"window.PAGES = {text};\n", encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Search by passage."""
    app.connect("builder-inited", start)
    app.connect("doctree-read", read)
    app.connect("env-purge-doc", forget)
    app.connect("build-finished", finish)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
