"""Calling a function that a student wrote.

It needs the standard library and NumPy alone: the worker in the sandbox imports it. The function is
called on every case, then on the same cases in the opposite order, each time on fresh arrays, so
that anything it keeps between calls is seen. Nothing is judged here.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np


def call_on_cases(
    function: Callable[..., Any],
    cases: Sequence[Any],
    namespace: dict[str, Any],
    own: str = "<cell ",
) -> Iterator[tuple[dict[str, Any], Any]]:
    """Yield (event, tree) for each call.

    After an answer: {"what": "answer", "born": …} and (outputs, arguments). After an exception:
    {"what": "raised", …} and None. own: how the file names of the student's code begin, so that
    `describe` finds the line in it.
    """
    for turn, order in enumerate((range(len(cases)), reversed(range(len(cases))))):
        for k in order:
            event = {"case": k, "turn": turn}
            arguments = fresh(cases[k], namespace)
            try:
                outputs = function(*arguments)
            except BaseException as error:  # SystemExit too: the next case is still called
                yield event | {"what": "raised", "error": describe(error, own)}, None
            else:
                born = (
                    None
                    if finite(outputs)
                    else birth_of_nan(function, fresh(cases[k], namespace), own)
                )
                yield event | {"what": "answer", "born": born}, (outputs, arguments)


def fresh(tree: Any, namespace: dict[str, Any]) -> Any:
    """Return a copy of the tree. Its NamedTuples are of the notebook's classes, if it has them.

    A number stays the kind of number that it is: it cannot be changed in place.
    """
    if isinstance(tree, (tuple, list)):
        branches = [fresh(branch, namespace) for branch in tree]
        fields = getattr(tree, "_fields", None)
        if fields is None:
            return type(tree)(branches)
        kind: Any = namespace.get(type(tree).__name__)
        return (kind if getattr(kind, "_fields", None) == fields else type(tree))(*branches)
    return np.array(tree) if isinstance(tree, np.ndarray) else tree


def finite(tree: Any) -> bool:
    """Return False if there is a NaN or an infinity in the tree."""
    if isinstance(tree, (tuple, list)):
        return all(map(finite, tree))
    number = isinstance(tree, (np.ndarray, np.generic)) and tree.dtype.kind in "fc"
    return not (number or isinstance(tree, float)) or bool(np.isfinite(tree).all())


def birth_of_nan(function: Callable[..., Any], arguments: Any, own: str) -> dict[str, Any] | None:
    """Return the error where the first NaN or infinity is made, or None if NumPy sees none made."""
    try:
        with np.errstate(invalid="raise", over="raise", divide="raise"):
            function(*arguments)
    except FloatingPointError as error:
        return describe(error, own)
    except BaseException:
        pass
    return None


def describe(error: BaseException, own: str = "<cell ") -> dict[str, Any]:
    """Return type and place of an exception, and of a library that is missing its name.

    The place is the last line of the student's own code that it passed through.
    """
    name = line = None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename.startswith(own):
            name, line = trace.tb_frame.f_code.co_filename, trace.tb_lineno
        trace = trace.tb_next
    if isinstance(error, SyntaxError) and str(error.filename).startswith(own):
        name, line = error.filename, error.lineno
    try:
        message = str(error)[:500]
    except BaseException:
        message = ""
    cell = int(name[6:-1]) if name and name.startswith("<cell ") else None
    library = str(error.name).partition(".")[0] if isinstance(error, ModuleNotFoundError) else None
    known = (kind.__name__ for kind in type(error).__mro__ if kind.__module__ == "builtins")
    return {
        "type": type(error).__name__[:80],
        "base": next(known, "Exception"),
        "message": message,
        "cell": cell,
        "line": line,
        "library": library,
    }
