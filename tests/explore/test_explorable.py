"""The frame of the figures: one text for two hosts, a still picture, pages that work offline."""

import ast
import base64
import json
import re
import sys
import types
from collections import Counter

import nbformat
import numpy as np
import pytest

from rnn_tutorial import explore
from rnn_tutorial.explore import explorable
from rnn_tutorial.explore.explorable import (
    Explorable,
    modules,
    page_script,
    style_sheet,
    widget_module,
)
from rnn_tutorial.explore.weights import pack, unpack
from tools.chapters import WIDGET_VIEW, remove_widget_views

FIGURES = [
    name
    for name in explore.__dict__
    if (explorable._STATIC / f"{name}.js").is_file() and callable(getattr(explore, name))
]
TOP_LEVEL = re.compile(r"^(?:async )?(?:function\*?|const|let|class) (\w+)", re.MULTILINE)


def test_every_script_with_mount_has_a_function_in_the_face():
    scripts = {
        path.name[:-3]
        for path in explorable._STATIC.iterdir()
        if path.name.endswith(".js") and "\nexport function mount(" in path.read_text("utf-8")
    }
    assert scripts == set(FIGURES)
    assert "one_unit" in scripts


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_small_and_its_modules_share_no_name(name):
    figure = getattr(explore, name)()
    assert isinstance(figure, Explorable) and figure.name == name
    assert len(page_script(figure).encode()) + len(style_sheet().encode()) <= 150_000
    names = Counter(TOP_LEVEL.findall(modules(name)))
    assert [own for own, times in names.items() if times > 1] == []
    assert "mount" in names
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", page_script(figure))


@pytest.mark.parametrize("name", ["kit", *FIGURES])
def test_every_class_of_a_script_has_a_rule(name):
    style, script = style_sheet(), (explorable._STATIC / f"{name}.js").read_text(encoding="utf-8")
    for own in set(re.findall(r"\bex-[a-z][\w-]*", script)):  # ex-lstm-${kind}: ex-lstm-
        assert f".{own}" in style or f"--{own}" in style, own


@pytest.mark.parametrize("name", FIGURES)
def test_the_picture_is_the_same_each_time_and_fits_on_a_page(name):
    figure = getattr(explore, name)()
    png = figure.png()
    assert png == figure.png()
    width, height = (int.from_bytes(png[i : i + 4], "big") for i in (16, 20))
    assert width <= 1250 and height <= 1000


def test_modules_are_joined_without_imports_and_exports():
    text = widget_module("one_unit")
    assert not re.search(r"^import\b", text, re.MULTILINE)
    assert re.findall(r"^export\b.*", text, re.MULTILINE) == [
        'export default { render: renderWith("one_unit", mount) };'
    ]
    with pytest.raises(ValueError, match="'nothing' is not one of the scripts"):
        modules("nothing")


def test_a_line_that_cannot_be_joined_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(explorable, "_STATIC", tmp_path)
    (tmp_path / "bad.js").write_text('import * as kit from "./kit.js";\n', encoding="utf-8")
    with pytest.raises(ValueError, match="bad.js: the line 'import . as kit"):
        modules("bad")


def test_a_notebook_stores_words_and_a_picture_and_a_kernel_adds_a_view(monkeypatch):
    figure = explore.one_unit()
    assert figure._repr_mimebundle_().keys() == {"text/plain", "image/png"}
    pytest.importorskip("anywidget")
    shell = types.SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    bundle = explorable._widget_view(figure)
    (view,) = bundle.values()
    assert bundle.keys() == {WIDGET_VIEW}
    assert view["model_id"]


# As anywidget does it. What changes in a figure after its `unmount` is counted.
WIDGETS = """
async (figures) => {
  const shown = {};
  let changes = 0;
  for (const { name, module, data } of figures) {
    const url = URL.createObjectURL(new Blob([module], { type: "text/javascript" }));
    const { default: { render } } = await import(url);
    const el = document.createElement("div");
    document.body.append(el);
    const unmount = render({ model: { get: (key) => ({ data })[key] }, el });
    shown[name] = el.querySelector(".ex").explorable.values();
    unmount();
    const observer = new MutationObserver((found) => (changes += found.length));
    observer.observe(el, { attributes: true, characterData: true, childList: true, subtree: true });
  }
  await new Promise((resolve) => setTimeout(resolve, 450));
  return [shown, changes];
}
"""


def test_a_widget_shows_each_figure_and_leaves_nothing_running(browser):
    figures = [getattr(explore, name)() for name in FIGURES]
    given = [{"name": f.name, "module": widget_module(f.name), "data": f.data} for f in figures]
    page = browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    shown, changes = page.evaluate(WIDGETS, given)
    page.close()
    assert shown.keys() == set(FIGURES) and all(shown.values())
    assert changes == 0 and errors == []


def test_a_chapter_stores_the_picture_and_not_the_view_of_a_widget():
    data = {"text/plain": "words", "image/png": "iVBO", WIDGET_VIEW: {"model_id": "1"}}
    output = nbformat.v4.new_output("execute_result", data=data)
    cells = [nbformat.v4.new_markdown_cell(""), nbformat.v4.new_code_cell(outputs=[output])]
    notebook = nbformat.v4.new_notebook(cells=cells)
    remove_widget_views(notebook)
    assert cells[1].outputs[0].data == {"text/plain": "words", "image/png": "iVBO"}


def test_a_figure_needs_no_widgets_to_be_made():
    for file in explorable._STATIC.parent.iterdir():
        if file.name.endswith(".py"):
            tree = ast.parse(file.read_text(encoding="utf-8"))
            top = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
            assert not any("anywidget" in ast.unparse(node) for node in top)


def test_packed_weights_come_back_in_python_and_in_the_page(open_figure):
    rng = np.random.default_rng(0)
    array = np.concatenate([rng.standard_normal(7), [0.0, -0.0, 1e-7, -6e-5, 65504.0]])[:, None]
    for dtype in ("float16", "float32", "float64"):
        packed = json.loads(json.dumps(pack(array, dtype)))
        expected = array.astype(dtype).astype(float)
        np.testing.assert_array_equal(unpack(packed), expected)
        assert base64.b64decode(packed["base64"]) == array.astype(dtype).tobytes()
    figure = open_figure(explore.one_unit())
    for dtype in ("float16", "float32", "float64"):
        script = f"({{unpack}}) => {{ const a = unpack({json.dumps(pack(array, dtype))});"
        body = script + " return [a.shape, [...a.data]]; }"
        kit = "(() => {" + modules("kit") + " return { unpack }; })()"
        shape, data = figure.page.evaluate(f"({body})({kit})")
        assert shape == [12, 1]
        np.testing.assert_array_equal(data, array[:, 0].astype(dtype).astype(float))


def test_a_weight_that_a_float16_cannot_hold_is_refused():
    with pytest.raises(ValueError, match="not finite as float16"):
        pack(np.array([1e6]), "float16")
    with pytest.raises(ValueError, match="dtype is 'int8', expected one of"):
        pack(np.array([1.0]), "int8")
    with pytest.raises(TypeError, match="array: expected an array of floating-point numbers"):
        pack(np.array([1, 2]))
    with pytest.raises(ValueError, match="expected real numbers, got complex128"):
        pack(np.array([1j]))


@pytest.mark.parametrize("name", FIGURES)
def test_axe_finds_nothing_and_no_page_scrolls_sideways(open_figure, name):
    figure = open_figure(getattr(explore, name)())
    assert not figure.page.locator(".ex-still").is_visible()
    for width, theme in [(1000, "light"), (360, "dark")]:
        figure.page.set_viewport_size({"width": width, "height": 800})
        figure.page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
        assert figure.root.is_visible()
        assert not figure.scrolls_sideways()
        assert figure.violations() == []


def test_without_scripts_or_if_a_figure_fails_the_picture_stays(open_figure):
    figure = open_figure(explore.one_unit(), scripts=False)
    assert figure.page.locator(".ex-still img").is_visible()
    assert figure.root.count() == 0
    broken = explore.one_unit()._replace(data={})
    figure = open_figure(broken, may_fail=True)
    assert figure.page.locator(".ex-still img").is_visible()
    assert figure.root.count() == 0
