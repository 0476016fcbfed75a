"""The icons that the pages use, in one style sheet. The theme's script has 2,000 icons.

Each is a mask in the colour of the text around it, so it is there before any script runs.
"""

import re
from pathlib import Path
from urllib.parse import quote

from sphinx.application import Sphinx

STYLES = "icons.css"
SCRIPT = "_static/scripts/fontawesome.js"
COMMON = """\
.fa-solid {
  display: inline-block;
  width: 1.25em;
  height: 1em;
  vertical-align: -0.125em;
  background: currentColor;
  -webkit-mask: var(--icon) center / contain no-repeat;
  mask: var(--icon) center / contain no-repeat;
}
.fa-lg { font-size: 1.25em; }
@media (forced-colors: active) { .fa-solid { background: ButtonText; } }
"""


def names_in(text: str) -> set[str]:
    """Return the names of the icons in a page or script."""
    return set(re.findall(r"fa-solid fa-([a-z-]+)", text))


def picture(name: str, script: str) -> str:
    """Return the icon of this name as an address of its own, from the theme's script."""
    width, height, path = re.search(
        rf'["{{,]{name}"?:\[(\d+),(\d+),\[[^\]]*\],"\w+","([^"]+)"\]', script
    ).groups()
    svg = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}'>"
    return "data:image/svg+xml," + quote(f"{svg}<path d='{path}'/></svg>", safe=" '=/:")


def style_sheet(names: set[str], script: str) -> str:
    """Return the style sheet of these icons."""
    rules = [f'.fa-{name} {{ --icon: url("{picture(name, script)}"); }}' for name in sorted(names)]
    return COMMON + "\n".join(rules) + "\n"


def finish(app: Sphinx, error: Exception | None) -> None:
    """Write the icons of all pages."""
    output = Path(app.outdir)
    if error is None and (output / SCRIPT).exists():
        files = [*output.rglob("*.html"), *(output / "_static/scripts").glob("*theme.js")]
        names = set().union(*(names_in(path.read_text(encoding="utf-8")) for path in files))
        script = (output / SCRIPT).read_text(encoding="utf-8")
        (output / "_static" / STYLES).write_text(style_sheet(names, script), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the style sheet of the icons."""
    app.add_css_file(STYLES)
    app.connect("build-finished", finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
