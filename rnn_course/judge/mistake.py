"""A mistake: one edit of the instructor's solution, with the name that it has and a hint.

The solutions of an assignment are the functions of its module in `rnn_course/questions`. A mistake
replaces one piece of the text of one of them. The edited function stands among the other solutions
as they are, so a mistake in the step of a network is also a mistake of all that runs this step.
"""

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from types import CodeType, FunctionType
from typing import Any, NamedTuple

__all__ = [
    "Cause",
    "Mistake",
    "causes_of",
    "edited",
    "solutions_behind",
    "with_mistakes",
]


class Mistake(NamedTuple):
    """A row of the table of mistakes: (name, hint, old text, new text)."""

    name: str  # a few words, the same in every assignment: the class summary counts them
    hint: str  # one or two sentences for the student: what to look at, never the answer
    old: str  # occurs once in the source of the solution
    new: str
    also: tuple[tuple[str, str], ...] = ()  # further (old, new), where one place is not enough


class Cause(NamedTuple):
    """A Mistake and the name of the solution that it edits."""

    solution: str
    mistake: Mistake


def edited(source: str, mistake: Mistake) -> str:
    """Return the source with the mistake in it.

    Raises: ValueError for a piece of text that does not occur exactly once.

    Example:
        edited("return np.tanh(a + b)", Mistake("bias missing", "…", " + b", ""))
    """
    for old, new in ((mistake.old, mistake.new), *mistake.also):
        if (found := source.count(old)) != 1:
            raise ValueError(
                f"mistake {mistake.name!r}: expected {old!r} once in the solution, found it "
                f"{found} times"
            )
        source = source.replace(old, new)
    return source


def solutions_behind(solution: Callable[..., Any]) -> dict[str, FunctionType]:
    """Return {name: function}: the solution and all functions of its module that it calls."""
    behind: dict[str, FunctionType] = {}
    todo = [solution]
    while todo:
        function = todo.pop()
        if isinstance(function, FunctionType) and function.__module__ == solution.__module__:
            if function.__name__ not in behind:
                behind[function.__name__] = function
                called = names_in(function.__code__)
                todo += [function.__globals__[n] for n in called if n in function.__globals__]
    return behind


def names_in(code: CodeType) -> Iterator[str]:
    """Yield the global names and attributes in a piece of code and in the code inside it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from names_in(constant)


def causes_of(
    solution: Callable[..., Any], mistakes: Mapping[str, Iterable[Mistake]]
) -> tuple[Cause, ...]:
    """Return the Causes of a solution: the mistakes in it, then those in all that it calls.

    mistakes: {name of a solution: its mistakes}, for the whole assignment.
    """
    return tuple(
        Cause(name, mistake)
        for name in solutions_behind(solution)
        for mistake in mistakes.get(name, ())
    )


def with_mistakes(solution: Callable[..., Any], causes: Sequence[Cause]) -> Callable[..., Any]:
    """Return the solution as it is with the mistakes of `causes` made in it, or behind it.

    Raises: ValueError if a piece of text to replace does not occur exactly once.
    """
    behind = solutions_behind(solution)
    namespace = dict(vars(sys.modules[solution.__module__]))
    for name, function in behind.items():
        source = source_of(function)
        for cause in causes:
            source = edited(source, cause.mistake) if cause.solution == name else source
        exec(compiled(source), namespace)
    wrong: Callable[..., Any] = namespace[solution.__name__]
    return wrong


@cache
def source_of(function: FunctionType) -> str:
    """Return the source of a function of a module."""
    return inspect.getsource(function)


@cache
def compiled(source: str) -> CodeType:
    """Return the code that defines what is in the source."""
    return compile(source, "<a mistake>", "exec")
