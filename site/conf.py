"""The book as a static site, from the stored outputs of the chapters. No cell runs."""

import gc
import sys
from pathlib import Path

project = "Recurrent networks, derived and proved"
author = "The rnn-tutorial contributors"
copyright = "2026, the rnn-tutorial contributors. Code BSD-3-Clause, text and figures CC BY 4.0"

# The pages stay in memory until the end: to look for garbage among them again and again takes long.
gc.set_threshold(200_000, 50, 50)

sys.path.insert(0, str(Path(__file__).parent / "extensions"))
extensions = ["myst_nb", "sphinx_copybutton"]
extensions += ["explorables"]
extensions += ["reference", "sources", "equations"]
extensions += ["mathematics", "icons", "pages", "downloads", "passages", "wrapping"]
include_patterns = [
    "index.md",
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
copybutton_selector = "div.highlight:not(.cell_output div) > pre"
html_favicon = "static/favicon.svg"
html_static_path = ["static"]
html_css_files = ["book.css"]
html_js_files = [("print.js", {"defer": "defer"})]
html_show_sphinx = False
html_context = {"default_mode": "auto"}
html_theme_options = {
    "show_toc_level": 2,
    "use_download_button": False,
    "use_fullscreen_button": False,
    "navbar_persistent": [],  # the side bar has the search already
    "article_header_end": ["take.html", "article-header-buttons.html"],
}
templates_path = ["templates"]
