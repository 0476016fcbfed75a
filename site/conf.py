"""The book as a static site, made from the stored outputs of the chapters: nothing is run and nothing downloaded."""

import importlib.util
import json
import shutil
from pathlib import Path

from docutils import nodes

project = "Recurrent networks, derived and proved"
author = "The rnn-tutorial contributors"
copyright = "2026, the rnn-tutorial contributors. Code BSD-3-Clause, text and figures CC BY 4.0"

extensions = ["myst_nb"]
root_doc = "README"
include_patterns = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "assignments/README.md",
    "benchmarks/README.md",
]
include_patterns += ["chapters/*.ipynb"]
nb_execution_mode = "off"
myst_enable_extensions = ["amsmath", "dollarmath"]
myst_heading_anchors = 3
suppress_warnings = ["mystnb.unknown_mime_type"]

html_theme = "sphinx_book_theme"
html_title = project
html_static_path = ["static"]
html_css_files = ["book.css"]
html_show_sphinx = False
html_theme_options = {
    "show_toc_level": 2,
    "use_download_button": False,
    "use_fullscreen_button": False,
    "navbar_persistent": [],  # the side bar has the search already
}

# MathJax in one file, served by the site itself.
MATHJAX = (
    Path(importlib.util.find_spec("sphinx-mathjax-offline").origin).parent
    / "static/mathjax/tex-svg-full.js"
)
mathjax_path = MATHJAX.name

CONTENTS = """
```{toctree}
:hidden:
:caption: Chapters
:glob:

chapters/*
```

```{toctree}
:hidden:
:caption: The project

assignments/README
CONTRIBUTING
CHANGELOG
benchmarks/README
```
"""


def add_contents(app, docname, source):
    """The README is the first page; the list of pages beside it is not for GitHub, so it is added here."""
    if docname == root_doc:
        source[0] += CONTENTS


def describe_figures(app, docname, source):
    """myst-nb looks for the alternative text of a figure in the metadata of its cell; ours stands with the figure."""
    if not docname.startswith("chapters/"):
        return
    notebook = json.loads(source[0])
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            alt = output.get("metadata", {}).get("image/png", {}).get("alt")
            if alt:
                cell["metadata"]["mystnb"] = {"image": {"alt": alt}}
    source[0] = json.dumps(notebook)


def keep_equations(app, doctree):
    """Sphinx puts equations of several lines into an environment that allows no tag; ours need none of its own."""
    for equation in doctree.findall(nodes.math_block):
        equation["no-wrap"] = equation["nowrap"] = True
        equation.children = [nodes.Text(rf"\[{equation.astext()}\]")]


def finish(app, error):
    """Lay MathJax beside the pages, and the README where a browser looks first."""
    if error is None:
        output = Path(app.outdir)
        shutil.copy(MATHJAX, output / "_static")
        shutil.copy(output / "README.html", output / "index.html")


def setup(app):
    app.connect("source-read", add_contents)
    app.connect("source-read", describe_figures)
    app.connect("doctree-read", keep_equations)
    app.connect("build-finished", finish)
