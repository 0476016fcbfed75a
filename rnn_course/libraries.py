"""The libraries that a function needs, and that are not there when it is graded."""

import dis
import sys
from collections.abc import Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any, TypeGuard

from rnn_course.sandbox.inside.statements import inner_codes, loaded

__all__ = ["called_by", "missing_libraries"]

THERE = frozenset(sys.stdlib_module_names) | {"numpy", "builtins", "__main__", "__mp_main__"}


def missing_libraries(function: FunctionType) -> list[str]:
    """Return the names of the libraries that a function of a notebook needs, it alone or through
    others of the notebook, and that are not there when it is graded.

    Example:
    >>> missing_libraries(lambda x: print(x))
    []
    """
    found: set[str] = set()
    for one in called_by(function):
        found |= {library_of(name, one) or "numpy" for name in loaded(one.__code__)}
        found |= set(imports_of(one.__code__))
    return sorted(found - THERE)


def called_by(function: FunctionType) -> list[FunctionType]:
    """Return the function and all functions of its notebook that it calls."""
    found: list[FunctionType] = []
    todo = [function]
    while todo:
        one = todo.pop()
        if not any(one is other for other in found):
            found.append(one)
            used = [function.__globals__.get(name) for name in loaded(one.__code__)]
            todo += [value for value in used if is_of(value, function)]
    return found


def is_of(value: object, function: FunctionType) -> TypeGuard[FunctionType]:
    """Return True for a function of the same notebook as `function`."""
    return isinstance(value, FunctionType) and value.__globals__ is function.__globals__


def library_of(name: str, function: FunctionType) -> str | None:
    """Return the library that the global `name` is from; None if it is the notebook's own."""
    value = function.__globals__.get(name)
    if isinstance(value, ModuleType):
        return root(value.__name__)
    module = getattr(value, "__module__", None)
    if module is None and callable(value):
        module = home_of(value)
    return root(module) if isinstance(module, str) and module != function.__module__ else None


def imports_of(code: CodeType) -> Iterator[str]:
    """Yield the libraries that code imports itself."""
    yield from (root(s.argval) for s in dis.get_instructions(code) if s.opname == "IMPORT_NAME")
    for inner in inner_codes(code):
        yield from imports_of(inner)


def root(module: str) -> str:
    """Return the name of the library of a module."""
    return module.partition(".")[0]


def home_of(value: Any) -> str | None:
    """Return the name of a module that has a value which does not know its own, such as a ufunc."""
    homes = [
        name
        for name, module in list(sys.modules.items())
        if getattr(module, "__dict__", {}).get(getattr(value, "__name__", "")) is value
    ]
    return next((n for n in homes if root(n) in THERE), homes[0] if homes else None)
