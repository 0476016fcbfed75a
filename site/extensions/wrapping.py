"""Where a narrow page may break a text without spaces: a long name, and the line of a check.

A name breaks after an underscore, a dot or a slash, never within a word. A printed line with a
tick is wrapped, so that the tick is in sight.
"""

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

LONG = 20  # letters that fit in a line of a table on a phone


def with_breaks(html: str) -> str:
    """Return the HTML with places to break in its long names, which are in <span class="pre">."""

    def broken(match: re.Match[str]) -> str:
        name = re.sub(r"(?<=[_./])(?=\w)|(?<=::)", "<wbr />", match[1])
        return f'<span class="pre long">{name}</span>'

    return re.sub(rf'<span class="pre">([^<\s]{{{LONG},}})</span>', broken, html)


def mark_ticks(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Give the class `ticks` to the outputs that say whether a check holds."""
    for block in doctree.findall(nodes.literal_block):
        if "output" in block["classes"] and re.search("[✓✗]", block.astext()):
            block["classes"].append("ticks")


def wrap(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Break the long names of a page."""
    if "body" in context:
        context["body"] = with_breaks(context["body"])


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the breaks to every page."""
    app.connect("doctree-resolved", mark_ticks)
    app.connect("html-page-context", wrap)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
