"""Formulas are typeset while the site is built, by MathJax in a JavaScript engine.

A page then has its formulas as HTML, next to the MathML that screen readers read. It needs no
script for them, nothing moves while it loads, and the tab key does not stop at formulas. One style
sheet serves all pages. It contains its fonts, because in some browsers a page that is opened as a
file cannot load them from another file.
"""

import base64
import importlib.util
import json
import re
from functools import cache
from pathlib import Path

from docutils import nodes
from py_mini_racer import MiniRacer
from sphinx.application import Sphinx
from sphinx.util import logging

STYLES = "mathematics.css"
# Comes with the package sphinx-mathjax-offline.
FOLDER = Path(importlib.util.find_spec("sphinx-mathjax-offline").origin).parent / "static/mathjax"
COMPONENTS = (
    "core",
    "adaptors/liteDOM",
    "input/tex",
    "output/chtml",
    "output/chtml/fonts/tex",
    "a11y/assistive-mml",
)
# An unknown macro is an error, and nothing is loaded on demand.
SETTINGS = {
    "loader": {"load": []},
    "startup": {"typeset": False},
    "tex": {"packages": {"[-]": ["autoload", "require", "noundefined"]}},
}
FUNCTIONS = """
const typeset = (tex, display) =>
  MathJax.startup.adaptor.outerHTML(MathJax.tex2chtml(tex, { display }));
const styles = () => MathJax.startup.adaptor.textContent(MathJax.chtmlStylesheet());
"""
# What MathJax writes without a browser to measure in, or for a menu that is not there.
SUPERFLUOUS = re.compile(r' style="height: NaNem;"| unselectable="on"')


@cache
def engine() -> MiniRacer:
    """Return an engine in which MathJax is ready."""
    scripts = {name: (FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in COMPONENTS}
    running = MiniRacer()
    running.eval("var console = { log() {}, info() {}, warn() {}, error() {} };")
    running.eval(f"var MathJax = {json.dumps(SETTINGS)};")
    startup = (FOLDER / "startup.js").read_text(encoding="utf-8")
    preloaded = f"MathJax.loader.preLoad(...{json.dumps(COMPONENTS)});"
    running.eval("\n".join([startup, preloaded, *scripts.values(), FUNCTIONS]))
    return running


@cache
def typeset(tex: str, display: bool) -> str:
    """Return the HTML of a formula, with its MathML."""
    return SUPERFLUOUS.sub("", engine().call("typeset", tex, display))


def family_of(font_face: str) -> str:
    """Return the family that a rule @font-face defines."""
    return re.search(r"font-family: ([\w-]+)", font_face)[1]


def with_fonts(styles: str, families: set[str]) -> str:
    """Return the style sheet with the fonts of these families in it, and without the others."""

    def embedded(match: re.Match) -> str:
        if family_of(match[0]) not in families:
            return ""
        name = re.search(r"MathJax_[\w-]+\.woff", match[0])[0]
        letters = (FOLDER / "output/chtml/fonts/woff-v2" / name).read_bytes()
        data = f'url("data:font/woff;base64,{base64.b64encode(letters).decode()}")'
        return re.sub(r'url\("[^"]*"\)', data, match[0])

    return re.sub(r"@font-face[^}]*\}\n*", embedded, styles)


def style_sheet(formulas: set[tuple[str, bool]]) -> str:
    """Return the style sheet of these formulas."""
    pages = "".join(typeset(*formula) for formula in sorted(formulas))
    families = {f"MJX{name}" for name in re.findall(r"\bTEX(?:-\w+)?\b", pages)}
    return with_fonts(engine().eval("styles()"), families | {"MJXTEX", "MJXZERO"})


def formula_of(node: nodes.Element) -> tuple[str, bool]:
    """Return (TeX, whether it is on lines of its own) of a node."""
    return node.astext().strip(), isinstance(node, nodes.math_block)


def read(app: Sphinx, doctree: nodes.document) -> None:
    """Typeset the formulas of a page, and warn of those that TeX does not understand."""
    for kind in (nodes.math, nodes.math_block):
        for node in doctree.findall(kind):
            formula = formula_of(node)
            app.env.formulas.add(formula)
            error = re.search(r'data-mjx-error="([^"]*)"', typeset(*formula))
            if error:
                logging.getLogger(__name__).warning(
                    "%s: %s", error[1], formula[0], location=node, type="mathematics"
                )


def visit_math(translator: nodes.NodeVisitor, node: nodes.math) -> None:
    """Write a formula within a line."""
    translator.body.append(f'<span class="math">{typeset(*formula_of(node))}</span>')
    raise nodes.SkipNode


def visit_math_block(translator: nodes.NodeVisitor, node: nodes.math_block) -> None:
    """Write a formula on lines of its own."""
    start = translator.starttag(node, "div", "", CLASS="math")
    translator.body.append(f"{start}{typeset(*formula_of(node))}</div>\n")
    raise nodes.SkipNode


def start(app: Sphinx) -> None:
    """Remember the formulas of all pages, also of those that are not read again."""
    app.env.formulas = getattr(app.env, "formulas", set())


def finish(app: Sphinx, error: Exception | None) -> None:
    """Write the style sheet of all formulas."""
    if error is None and app.builder.format == "html":
        path = Path(app.outdir) / "_static" / STYLES
        path.write_text(style_sheet(app.env.formulas), encoding="utf-8")
    engine().close()
    engine.cache_clear()


def setup(app: Sphinx) -> dict[str, bool]:
    """Typeset the formulas."""
    app.add_html_math_renderer("mathematics", (visit_math, None), (visit_math_block, None))
    app.config.html_math_renderer = "mathematics"
    app.config.myst_update_mathjax = False
    app.add_css_file(STYLES)
    app.connect("builder-inited", start)
    app.connect("doctree-read", read)
    app.connect("build-finished", finish)
    return {"parallel_read_safe": False, "parallel_write_safe": False}
