"""A function that a chapter builds is the same code in the package."""

import ast
from functools import cache

import pytest
from chapter_files import NOTEBOOKS, ROOT, chapter, code_cells
from syntax_trees import Definition, bare_code, definitions

PACKAGE_FILES = sorted(  # a figure that moves is shown by a chapter, and not built by it
    path for path in (ROOT / "rnn_tutorial").rglob("*.py") if path.parent.name != "explore"
)


def shipped() -> dict[str, list[Definition]]:
    """Return every top-level definition of the package, by name.

    Two files may use the same name.
    """
    found = {}
    for path in PACKAGE_FILES:
        for name, node in definitions(path.read_text(encoding="utf-8")).items():
            found.setdefault(name, []).append(node)
    return found


@cache
def built_and_shipped() -> list:
    """Return every definition in a chapter whose name the package has too."""
    package = shipped()
    return [
        pytest.param(node, package[name], id=f"{path.stem}:{name}")
        for path in NOTEBOOKS
        for cell in code_cells(chapter(path))
        for name, node in definitions(cell.source).items()
        if name in package
    ]


@pytest.mark.parametrize(("node", "versions"), built_and_shipped())
def test_the_chapter_builds_what_the_package_ships(node, versions):
    code, codes = bare_code(node), [bare_code(version) for version in versions]
    assert code in codes or code == codes[0]  # the second comparison is there to be printed


def test_chapters_build_functions_that_the_package_ships():
    assert built_and_shipped()


PACKAGE = '''
@jit
def step(x: Array, h) -> Array:
    """The next state."""
    a = x @ W + h  # a comment
    return tanh(a)
'''


def same(chapter: str, package: str) -> bool:
    """Return whether the first definitions of two sources are the same code."""
    return bare_code(ast.parse(chapter).body[0]) == bare_code(ast.parse(package).body[0])


def test_docstrings_annotations_decorators_comments_and_layout_make_no_difference():
    assert same("def step(x, h):\n    a = (x @ W\n         + h)\n    return tanh(a)", PACKAGE)
    assert same(
        "class S(NamedTuple):\n    h: Any",
        'class S(NamedTuple):\n    """State."""\n    h: Array  # (B, H)',
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("+", "-"),
        ("tanh", "sigmoid"),
        ("x @ W", "W @ x"),
        ("(x: Array, h)", "(h, x)"),
        ("h)", "*h)"),
    ],
)
def test_one_changed_token_is_found(old, new):
    assert old in PACKAGE
    assert not same(PACKAGE.replace(old, new, 1), PACKAGE)


def test_a_lost_field_is_found():
    assert not same(
        "class S(NamedTuple):\n    h: Array", "class S(NamedTuple):\n    h: Array\n    c: Array"
    )
