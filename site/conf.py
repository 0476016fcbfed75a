"""The book as a static site, from the stored outputs of the chapters. No code runs."""

import shutil
import sys
from pathlib import Path

project = "Recurrent networks, derived and proved"
author = "The rnn-tutorial contributors"
copyright = "2026, the rnn-tutorial contributors. Code BSD-3-Clause, text and figures CC BY 4.0"

sys.path.insert(0, str(Path(__file__).parent / "extensions"))
extensions = ["myst_nb"]
extensions += ["explorables"]
extensions += ["reference", "sources", "equations"]
extensions += ["mathematics"]
root_doc = "README"
include_patterns = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "CODE_OF_CONDUCT.md",
    "SECURITY.md",
    "assignments/README.md",
    "benchmarks/README.md",
]
include_patterns += ["chapters/*.ipynb", "site/glossary.md"]
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

reference/index
site/glossary
genindex
assignments/README
CONTRIBUTING
CHANGELOG
benchmarks/README
SECURITY
CODE_OF_CONDUCT
```
"""


def add_contents(app, docname, source):
    """Add the list of pages to the README, the first page of the site; GitHub does not need it."""
    if docname == root_doc:
        source[0] += CONTENTS


def finish(app, error):
    """Copy the README to index.html, which a browser opens first."""
    if error is None:
        output = Path(app.outdir)
        shutil.copy(output / "README.html", output / "index.html")


def setup(app):
    app.connect("source-read", add_contents)
    app.connect("build-finished", finish)
