"""What every page has: a description for search engines and shared links, and sizes of images.

A browser keeps room for an image whose size it knows, so nothing moves when it arrives.
"""

import re
import struct
from pathlib import Path
from typing import Any

from addresses import home
from docutils import nodes
from sphinx.application import Sphinx

NO_TITLE = '<th class="head"><p></p></th>'  # the first column of many tables has none
PICTURE = "_images/readme.png"  # the figure of the README, which the first page has
SHORTEST, LONGEST = 40, 200  # letters of a description


def description_of(doctree: nodes.document | None, otherwise: str) -> str:
    """Return the beginning of the first long paragraph of a page, up to the end of a word."""
    paragraphs = doctree.findall(nodes.paragraph) if doctree else ()
    texts = (re.sub(r"\s+", " ", paragraph.astext()) for paragraph in paragraphs)
    text = next((text for text in texts if len(text) >= SHORTEST), otherwise)
    return text if len(text) <= LONGEST else text[:LONGEST].rsplit(" ", 1)[0] + " …"


def size_of(picture: Path) -> tuple[int, int]:
    """Return (width, height) of a PNG, which are in its first bytes."""
    return struct.unpack(">II", picture.read_bytes()[16:24])


def with_sizes(html: str, pictures: dict[str, Path]) -> str:
    """Return the HTML of a page in which every PNG has its size, and is loaded when it is near."""

    def sized(match: re.Match[str]) -> str:
        width, height = size_of(pictures[match[2]])
        return f'{match[1]} width="{width}" height="{height}" loading="lazy" '

    return re.sub(r'(<img [^>]*src="[^"]*/?_images/([^"/]+\.png)") ?(?![^>]*width=)', sized, html)


def with_lists(html: str) -> str:
    """Return the HTML of a page in which the parameters below a long name are a list.

    Sphinx writes a <dl> without any <dt>, which screen readers cannot read out.
    """

    def listed(match: re.Match[str]) -> str:
        items = match[1].replace("<dd>", "<li>").replace("</dd>", "</li>")
        return f'<ul class="sig-params">{items}</ul>'

    return re.sub(r'<dl>\s*((?:<dd><em class="sig-param">.*?</dd>\s*)+)</dl>', listed, html)


def complete(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Add the description of a page and the address of its picture, and the sizes of its images."""
    context["description"] = description_of(doctree, app.config.project)
    context["here"] = f"{home()}{page}.html" if home() else ""
    context["picture"] = home() + PICTURE if home() else context["pathto"](PICTURE, resource=True)
    pictures = {name: app.srcdir / path for path, name in app.builder.images.items()}
    if "body" in context:
        body = with_lists(with_sizes(context["body"], pictures))
        context["body"] = body.replace(NO_TITLE, "<td></td>")


def setup(app: Sphinx) -> dict[str, bool]:
    """Complete every page."""
    app.connect("html-page-context", complete)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
