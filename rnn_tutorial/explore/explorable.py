"""A figure that a reader can move: its data, its still picture and its script.

The script of a figure is `static/NAME.js`, a module with `mount(root, data)`. It imports from other
modules of the folder only, such as `kit.js`. `modules` joins them. The same text is then the module
of a widget (`widget_module`, for Jupyter) or the script of a page (`page_script`, for the site).
"""

import json
import re
import sys
from collections.abc import Callable
from importlib.resources import files
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple

from rnn_tutorial.plotting.style import house_style
from rnn_tutorial.validation import check_kind, check_number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Explorable", "blank", "modules", "page_script", "style_sheet", "widget_module"]

_STATIC = files("rnn_tutorial.explore") / "static"
_IMPORT = re.compile(r'^import \{[^}]*\} from "\./(\w+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|let|class)\b)", re.MULTILINE)


class Explorable(NamedTuple):
    """A figure that a reader can move.

    name         the script is static/NAME.js
    title        one line above the figure
    description  what the figure shows and what can be moved, in words
    data         what the script receives, as JSON: numbers that the package has computed
    still        draws the still picture, where no script runs

    In a notebook, a cell that ends in an Explorable shows it: as a widget if the extra `reader` is
    installed, as the still picture otherwise.
    """

    name: str
    title: str
    description: str
    data: dict[str, Any]
    still: Callable[[], "Figure"]

    def __repr__(self) -> str:
        return f"Explorable {self.name}: {self.title}. {self.description}"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        """Return what a notebook shows: the words, the still picture, and the widget's view."""
        return {"text/plain": repr(self), "image/png": self.png()} | _widget_view(self)

    def png(self) -> bytes:
        """Return the still picture, the same bytes each time."""
        buffer = BytesIO()
        with house_style():
            self.still().savefig(buffer, format="png", metadata={"Software": None})
        return buffer.getvalue()


def blank(width: float, height: float) -> "Figure":
    """Return an empty Figure in the house style, for a still picture; sizes in inches.

    It is not one of pyplot's figures, so a notebook does not show it a second time.

    Raises: ValueError unless both are finite numbers above 0.
    """
    width = check_number("width", width, above=0)
    height = check_number("height", height, above=0)
    from matplotlib.figure import Figure

    with house_style():
        return Figure(figsize=(width, height))


def modules(name: str) -> str:
    """Return the modules of a figure as one text, without imports and exports.

    A module is behind those that it imports from, and is there once.

    Raises: ValueError if there is no script of this name, or if a line that begins with import or
    export is not in one of the two forms of this package.
    """
    found: dict[str, str] = {}
    _collect(name, found)
    return "\n".join(found.values())


def widget_module(name: str) -> str:
    """Return the figure as an ES module whose default export has `render`, for anywidget."""
    return f"{modules(name)}\nexport default {{ render: renderWith({json.dumps(name)}, mount) }};\n"


def page_script(explorable: Explorable) -> str:
    """Return the figure as a classic script, which browsers also run from a file.

    It mounts the figure in every element `<div data-explorable="NAME">` of the page, and puts it in
    the place of the still picture there. If that fails, the still picture stays.

    Raises: TypeError for anything but an Explorable; what `modules` raises.
    """
    check_kind("explorable", explorable, Explorable)
    data = json.dumps(explorable.data, separators=(",", ":"), allow_nan=False)
    name = json.dumps(explorable.name)
    return f"(() => {{\n{modules(explorable.name)}\nmountAll({name}, mount, {data});\n}})();\n"


def style_sheet() -> str:
    """Return the style sheet of all figures."""
    return (_STATIC / "explore.css").read_text(encoding="utf-8")


def _collect(name: str, found: dict[str, str]) -> None:
    """Add the module and, before it, those that it imports from."""
    if name in found:
        return
    source = _STATIC / f"{name}.js"
    if not source.is_file():
        known = sorted(path.name[:-3] for path in _STATIC.iterdir() if path.name.endswith(".js"))
        raise ValueError(f"name: {name!r} is not one of the scripts {known}")
    text = source.read_text(encoding="utf-8")
    for needed in _IMPORT.findall(text):
        _collect(needed, found)
    text = _EXPORT.sub("", _IMPORT.sub("", text))
    left = re.search(r"^(?:import|export)\b.*", text, re.MULTILINE)
    if left:
        raise ValueError(f"{name}.js: the line {left[0]!r} cannot be joined with other modules")
    found[name] = text


def _widget_view(explorable: Explorable) -> dict[str, Any]:
    """Return the view of a new widget; nothing without anywidget, or where no notebook is open."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if getattr(shell, "kernel", None) is None:
        return {}
    try:
        from anywidget import AnyWidget
        from traitlets import Dict
    except ImportError:
        return {}
    members = {
        "_esm": widget_module(explorable.name),
        "_css": style_sheet(),
        "data": Dict(explorable.data).tag(sync=True),
    }
    data, _ = type("ExplorableWidget", (AnyWidget,), members)()._repr_mimebundle_()
    return {kind: view for kind, view in data.items() if kind.endswith("widget-view+json")}
