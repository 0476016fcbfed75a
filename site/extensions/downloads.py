"""What a chapter offers for download: its notebook, and buttons that open it in Colab or on Binder.

The buttons need the address of a repository on GitHub; without one they are left out.
"""

from typing import Any
from urllib.parse import quote

from addresses import repository
from docutils import nodes
from sphinx.application import Sphinx

GITHUB = "https://github.com/"


def elsewhere(page: str, address: str) -> list[dict[str, Any]]:
    """Return the buttons that open a chapter in other places."""
    if not address.startswith(GITHUB):
        return []
    name = address.removeprefix(GITHUB)
    colab = f"https://colab.research.google.com/github/{name}/blob/main/{page}.ipynb"
    binder = f"https://mybinder.org/v2/gh/{name}/main?urlpath={quote(f'lab/tree/{page}.ipynb')}"
    return [
        {"name": "Colab", "url": colab, "title": "Run this chapter in Colab"},
        {"name": "Binder", "url": binder, "title": "Run this chapter on Binder"},
    ]


def offer(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Give a chapter's page its links."""
    if page.startswith("chapters/"):
        source = context["pathto"](f"_sources/{context['sourcename']}", resource=True)
        notebook = {
            "name": "Notebook",
            "url": source,
            "file": True,
            "title": "Download this chapter as a Jupyter notebook",
        }
        context["take"] = [notebook, *elsewhere(page, repository())]


def setup(app: Sphinx) -> dict[str, bool]:
    """Offer the downloads."""
    app.connect("html-page-context", offer)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
