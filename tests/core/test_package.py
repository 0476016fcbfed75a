"""The package as a whole: its help is true, its names exist, and its functions say what they do."""

import ast
import doctest
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import rnn_course
import rnn_tutorial

ROOT = Path(rnn_tutorial.__file__).parents[1]
FILES = sorted(
    path
    for package in (rnn_tutorial, rnn_course)
    for path in Path(package.__path__[0]).rglob("*.py")
)
MODULES = [module.name for module in pkgutil.walk_packages(rnn_tutorial.__path__, "rnn_tutorial.")]
# Files that are run as they are, and not imported.
INSIDE = Path(rnn_course.__file__).parent / "sandbox" / "inside"
# A docstring says what a function does: it begins with one of these words.
VERBS = set(
    """Return Raise Yield Accept Add Become Call Compute Draw Drop Fill Grade Kill Leave Lower Plot
    Print Put Read Remove Run Save Set Show Start Stop Store Use Write""".split()
)


def functions_of(path: Path) -> list[tuple[str, ast.FunctionDef]]:
    """Return the public functions of a file and the public methods of its public classes."""
    return list(public_functions(ast.parse(path.read_text(encoding="utf-8")).body))


def public_functions(body: list, prefix: str = "") -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield prefix + node.name, node
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public_functions(node.body, f"{prefix}{node.name}.")


def untyped(function: ast.FunctionDef) -> tuple[int, list[str]]:
    """Return (number of arguments, names of those without a type); self and cls do not count."""
    given = function.args
    named = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    arguments = [argument for argument in named if argument and argument.arg not in ("self", "cls")]
    return len(arguments), [argument.arg for argument in arguments if argument.annotation is None]


def where(path: Path, name: str) -> str:
    return f"{path.relative_to(ROOT)}: {name}"


def test_the_example_in_the_help_of_the_package_runs_as_shown():
    failed, attempted = doctest.testmod(rnn_tutorial)
    assert attempted > 10 and failed == 0


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_every_docstring_run_as_shown(name):
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert failed == 0


def test_the_help_of_the_package_names_every_package_and_module():
    names = [module.name for module in pkgutil.iter_modules(rnn_tutorial.__path__)]
    table = rnn_tutorial.__doc__.split("continues from there.")[1].split("Import from")[0]
    words = re.findall(r"\w+", table)
    assert [name for name in names if name not in words] == []


@pytest.mark.parametrize("name", rnn_tutorial.__all__)
def test_a_name_at_the_top_is_the_one_of_its_package(name):
    package = importlib.import_module(f"rnn_tutorial.{rnn_tutorial._PACKAGE_OF[name]}")
    assert getattr(rnn_tutorial, name) is getattr(package, name)
    assert name in dir(rnn_tutorial)


def test_type_checkers_see_the_names_that_are_there():
    tree = ast.parse(Path(rnn_tutorial.__file__).read_text(encoding="utf-8"))
    checked = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {
        name.asname: node.module
        for node in checked.body
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    }
    packages = rnn_tutorial._PACKAGE_OF.items()
    assert seen == {name: f"rnn_tutorial.{package}" for name, package in packages}


def test_no_name_at_the_top_hides_a_package_or_module():
    names = {module.name for module in pkgutil.iter_modules(rnn_tutorial.__path__)}
    assert names.isdisjoint(rnn_tutorial.__all__)
    packages = [
        module.name for module in pkgutil.iter_modules(rnn_tutorial.__path__) if module.ispkg
    ]
    assert sorted(rnn_tutorial._PACKAGES) == packages


def run(code: str) -> str:
    """Return what a new Python prints."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_importing_the_package_imports_nothing_else():
    code = "import sys; old = set(sys.modules); import rnn_tutorial; print(set(sys.modules) - old)"
    assert run(code).strip() == "{'rnn_tutorial'}"


def test_the_packages_train_and_gradient_check_stay_packages():
    code = """
import rnn_tutorial
before = rnn_tutorial.train, rnn_tutorial.gradient_check
from rnn_tutorial import adam, check_cell, gradient_check, train
from rnn_tutorial.train import train as loop
assert (rnn_tutorial.train, rnn_tutorial.gradient_check) == before == (train, gradient_check)
print(train.__name__, gradient_check.__name__, train.train is loop)
"""
    assert run(code).split() == ["rnn_tutorial.train", "rnn_tutorial.gradient_check", "True"]


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("Zoneout", "; write: from rnn_tutorial.layers import Zoneout"),
        ("plot_gates", "; write: from rnn_tutorial.plotting import plot_gates"),
        ("lstn", "; help(rnn_tutorial) lists its packages and what they have"),
        ("_private", ""),
    ],
)
def test_the_error_for_an_unknown_name_says_where_to_look(name, advice):
    with pytest.raises(AttributeError) as caught:
        getattr(rnn_tutorial, name)
    assert str(caught.value) == f"rnn_tutorial has no name {name!r}{advice}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_gives_names_that_exist_and_say_what_they_are(path):
    if path.name in ("__init__.py", "__main__.py") or path.parent == INSIDE:
        return  # a face gives what its modules give; the others are not imported
    module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    assert module.__doc__
    for name in module.__all__:
        value = getattr(module, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert value.__doc__, name
            generated = value.__doc__.startswith(f"{name}(")  # by dataclass or NamedTuple
            assert not generated, name
    assert len(set(module.__all__)) == len(module.__all__)


def test_every_argument_of_a_public_function_has_a_type():
    count, without = 0, []
    for path in FILES:
        for name, function in functions_of(path):
            number, names = untyped(function)
            count += number
            without += [where(path, f"{name}({argument})") for argument in names]
    assert count > 1000
    assert without == [], f"{1 - len(without) / count:.1%} of {count} arguments have a type"


def test_the_docstring_of_every_public_function_begins_with_a_verb():
    without = []
    for path in FILES:
        for name, function in functions_of(path):
            decorators = [ast.unparse(decorator) for decorator in function.decorator_list]
            first = (ast.get_docstring(function) or "none").split()[0].rstrip(",.")
            is_property = {"property", "cached_property"} & set(decorators)
            if not is_property and first not in VERBS:
                without.append(where(path, f"{name}: {first}"))
    assert without == []


def test_errors_are_under_raises():
    old = [where(path, "") for path in FILES if "Errors:" in path.read_text(encoding="utf-8")]
    assert old == []
