"""The reference says what Python says of the package, and leads to the chapters and back."""

import importlib
import inspect
import pkgutil
import re
from html import unescape

import pytest
from chapter_files import ROOT

import rnn_tutorial

MODULES = [m.name for m in pkgutil.walk_packages(rnn_tutorial.__path__, "rnn_tutorial.")]


@pytest.fixture
def docstrings(monkeypatch):
    """Return the module that reads docstrings."""
    monkeypatch.syspath_prepend(str(ROOT / "site" / "extensions"))
    return importlib.import_module("docstrings")


@pytest.fixture(scope="module")
def page_of(built_site):
    """Return a function from the name of a module to the HTML of its page, "" without one."""

    def read(module: str) -> str:
        path = built_site / "reference" / f"{module}.html"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    return read


def given_names(module) -> list[str]:
    """Return the names that a module defines and lists in `__all__`."""
    if hasattr(module, "__path__"):
        return []
    source = inspect.getsource(module)
    return [
        name for name in module.__all__ if re.search(rf"^ *(def |class )?{name}\b", source, re.M)
    ]


def parameters_on(html: str, full: str) -> list[str]:
    """Return the names of the parameters in the signature of a function on its page."""
    signature = html.split(f'id="{full}"')[1].split("</dt>")[0]
    names = re.findall(r'<em class="sig-param">(.*?)</em>', signature, flags=re.DOTALL)
    texts = [unescape(re.sub("<[^>]*>", "", name)) for name in names]
    return [re.match(r"[*\w]*", text)[0].lstrip("*") for text in texts]


@pytest.mark.parametrize("name", MODULES)
def test_every_public_name_is_on_the_page_of_its_module_with_its_parameters(page_of, name):
    module, html = importlib.import_module(name), page_of(name)
    for given in given_names(module):
        full = f"{name}.{given}"
        assert f'id="{full}"' in html, full
        if inspect.isfunction(getattr(module, given)):
            expected = list(inspect.signature(getattr(module, given)).parameters)
            assert [p for p in parameters_on(html, full) if p] == expected, full


def test_no_method_is_shown_with_its_self(built_site):
    for path in (built_site / "reference").glob("*.html"):
        html = path.read_text(encoding="utf-8")
        assert not re.search(r'<em class="sig-param">(<[^>]*>)*(self|cls)\b', html), path.name


ROWS = """
## Recap

| equation | code | function | test |
|---|---|---|---|
| (1.2) to (1.4) | `a` | `lstm_step` | [`test_a`](../tests/core/test_a.py) |
| (1.7) | `b` | the same | the same |
"""


def test_a_row_of_a_recap_may_name_what_the_row_above_names(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "site" / "extensions"))
    first, second = importlib.import_module("book")._rows(ROWS)
    assert first.equations == ("1.2", "1.3", "1.4") and second.equations == ("1.7",)
    assert first.functions == second.functions == ("rnn_tutorial.cells.lstm.lstm_step",)
    assert first.tests == second.tests == (("test_a", "tests/core/test_a.py"),)


def test_a_figure_does_not_hide_the_function_whose_name_it_has(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "site" / "extensions"))
    resolve = importlib.import_module("package").resolve
    for near in ("", "rnn_tutorial.sequence"):
        assert resolve("lstm_step", near) == "rnn_tutorial.cells.lstm"
        assert resolve("pack", near) == "rnn_tutorial.sequence.packing"
    assert resolve("lstm_step", "rnn_tutorial.explore") == "rnn_tutorial.explore.lstm_step"
    assert resolve("constant") == "" and resolve("no_such_name") == ""


def test_no_private_name_has_an_entry(built_site):
    for path in (built_site / "reference").glob("*.html"):
        html = path.read_text(encoding="utf-8")
        assert not re.search(r'<dt class="sig[^>]* id="[\w.]*\._[a-z]', html), path.name


def test_a_page_has_the_formula_the_sections_and_the_way_to_the_book(page_of):
    html = page_of("rnn_tutorial.cells.lstm")
    entry = html.split('id="rnn_tutorial.cells.lstm.lstm_step_backward"')[1].split("</dd></dl>")[0]
    assert "<pre>" in entry and "dW_x = x^T da" in entry
    for section in ("Shapes", "Raises", "In the book", "Tests"):
        assert f">{section}<" in entry
    assert 'href="../chapters/10_the_lstm_backward.html#equation-10.20"' in entry
    assert 'href="../chapters/10_the_lstm_backward.html"' in entry
    assert "test_lstm.py.html#test_every_gradient_of_the_step_is_the_slope" in entry
    assert 'href="../sources/rnn_tutorial/cells/lstm.py.html#lstm_step_backward"' in entry
    assert 'href="rnn_tutorial.types.html#rnn_tutorial.types.Array"' in entry


def test_a_chapter_leads_to_the_functions_that_it_builds(built_site):
    html = (built_site / "chapters/10_the_lstm_backward.html").read_text(encoding="utf-8")
    target = "../reference/rnn_tutorial.cells.lstm.html#rnn_tutorial.cells.lstm.lstm_step_backward"
    assert f'href="{target}"' in html


def test_the_overview_lists_every_function_and_pages_are_light(built_site, page_of):
    overview = (built_site / "reference/index.html").read_text(encoding="utf-8")
    for name in MODULES:
        for given in given_names(importlib.import_module(name)):
            assert f'href="{name}.html#{name}.{given}"' in overview, given
    sizes = [path.stat().st_size for path in (built_site / "reference").glob("rnn*.html")]
    assert max(sizes) < 200_000 and len(overview) < 700_000


DOC = """Return `pad` * 2, not x_ or |y|.

    h = o * tanh(c)

rows     the rows, see `other`

Shapes: x (B, 4H), or (..., K); state.h too.
Raises: ValueError for a*b_.
Source: Gal (2016).

Example:
>>> 1 + 1
2
"""


def test_a_docstring_is_read_in_our_form(docstrings):
    lines = docstrings.to_rst(DOC, link=lambda name: f"<{name}>")
    text = "\n".join(lines).replace("\\ ", "")
    assert r"Return <pad> \* 2, not ``x_`` or \|y\|." in text
    assert ".. code-block:: python\n\n    h = o * tanh(c)" in text
    assert "``rows``\n    the rows, see <other>" in text
    assert ":Shapes:\n    x ``(B, 4H)``, or ``(..., K)``; ``state.h`` too." in text
    assert ":Raises:\n    ValueError for a\\*``b_``." in text
    assert ":Source:\n    Gal (2016)." in text
    assert ":Example:\n    >>> 1 + 1\n    2" in text
