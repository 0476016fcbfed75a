"""The rooms of the packages import in one direction only, and tools/structure.py counts right."""

import ast
from functools import cache
from pathlib import Path

import pytest
from chapter_files import ROOT

from tools.structure import (
    PACKAGES,
    count_typed,
    find_arrows,
    find_circles,
    find_floors,
    functions,
    measure,
)

structure_of = cache(measure)  # two tests ask for the tutorial's


@pytest.mark.parametrize("package", PACKAGES)
def test_no_circle_of_imports_between_rooms(package):
    structure = structure_of(ROOT / package)
    assert structure.circles == []
    assert sum(map(len, find_floors(structure.arrows))) == len(structure.arrows)


def test_the_tutorial_imports_nothing_of_the_course():
    for path in (ROOT / "rnn_tutorial").rglob("*.py"):
        assert "rnn_course" not in path.read_text(encoding="utf-8"), path


def test_every_module_is_in_a_room():
    structure = structure_of(ROOT / "rnn_tutorial")
    assert {"cells", "sequence", "layers", "train", "tree"} <= structure.arrows.keys()
    assert {"activations", "validation"} <= structure.arrows["cells"]
    assert structure.folders + structure.modules == len(structure.arrows)


def arrows(files: dict[str, str]) -> dict[str, set[str]]:
    """Return the arrows of a package `p` made of these files."""
    folder = Path("/p")
    return find_arrows({folder / name: ast.parse(text) for name, text in files.items()}, folder)


def test_a_circle_is_found_even_within_a_function():
    files = {
        "__init__.py": "from p.a import f",
        "a/x.py": "def f():\n    from p.b import g",
        "b.py": "import p.c.z",
        "c/z.py": "from p import a",
        "d.py": "from p.a.x import f\nimport numpy",
        "e.py": "",
    }
    found = arrows(files)
    assert found == {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}, "e": set()}
    assert find_circles(found) == [["a", "b", "c"]]
    assert find_floors(found) == [["e"]]


def test_rooms_stand_on_floors_where_there_is_no_circle():
    found = arrows({"a/x.py": "import p.b, p.c", "b.py": "from p.c import *", "c.py": ""})
    assert find_circles(found) == []
    assert find_floors(found) == [["c"], ["b"], ["a"]]


def test_typed_arguments_are_counted_without_self():
    source = """
class A:
    def f(self, x: int, *rest, y=1, **more: int):
        def inner(z): ...

def _g(a): ...
"""
    found = list(functions(ast.parse(source)))
    assert [(name, public) for name, _, public in found] == [
        ("A.f", True),
        ("A.f.inner", False),
        ("_g", False),
    ]
    assert count_typed([function for _, function, _ in found]) == (2, 6)
