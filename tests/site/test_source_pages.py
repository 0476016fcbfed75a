"""A link to a function or a test shows it in its file, which is the file of the repository."""

import ast
import re
from functools import cache
from html import unescape

from chapter_files import ROOT

LINK = re.compile(r'href="((?:\.\./)*sources/[^"#]*)(?:#([^"]*))?"')


def without_tags(html: str) -> str:
    """Return the text of a piece of HTML."""
    return unescape(re.sub(r"<[^>]*>", "", html))


def test_no_page_makes_a_python_file_a_download(built_site):
    for path in built_site.rglob("*.html"):
        if built_site / "sources" not in path.parents:
            html = path.read_text(encoding="utf-8")
            assert not re.search(r'href="[^"]*_downloads/[^"]*\.py"', html), path


def test_every_link_leads_to_a_file_and_to_the_function_of_its_text(built_site):
    kinds, text_of = set(), cache(lambda page: page.read_text(encoding="utf-8"))
    for path in [*built_site.glob("chapters/*.html"), *built_site.glob("reference/*.html")]:
        for address, name in LINK.findall(path.read_text(encoding="utf-8")):
            page = (path.parent / address).resolve()
            html = text_of(page)
            kinds.add(address.split("sources/")[1].split("/")[0])
            if name:
                assert f'<span class="definition" id="{name}">' in html, (path, address, name)
    assert {"tests", "benchmarks", "rnn_tutorial"} <= kinds


def test_a_name_leads_to_its_definition(built_site):
    html = (built_site / "sources/rnn_tutorial/cells/lstm.py.html").read_text(encoding="utf-8")
    start = html.split('<span class="definition" id="lstm_step_backward">')[1]
    assert without_tags(start).startswith("def lstm_step_backward(")


def test_a_page_shows_its_file_as_it_is(built_site):
    for page in (built_site / "sources").rglob("*.html"):
        path = page.relative_to(built_site / "sources").with_suffix("")
        shown = re.search(r"<pre[^>]*>\n(.*)</pre>", page.read_text(encoding="utf-8"), re.DOTALL)[1]
        source = (ROOT / path).read_text(encoding="utf-8")
        assert without_tags(shown).strip("\n") == source.strip("\n"), path
        ast.parse(source)


def test_two_names_in_one_link_are_two_places(built_site):
    html = (built_site / "chapters/22_labels_without_an_alignment.html").read_text(encoding="utf-8")
    assert "sources/tests/core/test_ctc.py.html#test_the_gradient_is_the_slope" in html
    names = ("test_the_gradient_is_the_slope", "test_loss_and_gradient_are_those_of_pytorch")
    for name in names:
        assert f"sources/tests/core/test_ctc.py.html#{name}" in html
