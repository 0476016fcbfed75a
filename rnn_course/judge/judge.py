"""Is an answer right? What a submission returned is compared with the reference.

This is done outside the submission's process. Everything here is data that came through
`transport`. Each leaf of a question's outputs is judged separately and earns its share of the
points. It earns all of it if its largest relative error is at most 1e-8 over all cases, both times
it was asked. It earns half if the error is at most 1e-4, and otherwise 0. Where no single answer is
right, all leaves together earn what their score is worth: see `scoring.py`.
"""

import hashlib
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from rnn_course.judge.question import Question, argument_names
from rnn_course.judge.scoring import credit_of, score_of
from rnn_course.sandbox.inside.transport import Other
from rnn_tutorial.gradient_check.check import relative_error
from rnn_tutorial.tree import tree_leaves
from rnn_tutorial.types import Array, Tree

__all__ = [
    "Answer",
    "Exam",
    "Part",
    "Verdict",
    "judge",
    "prepare",
]

EXACT, ROUGH = 1e-8, 1e-4

Aligned: TypeAlias = list[tuple[Any, str | None]] | str
"""(leaf, fault) for each leaf of the right answer, or the fault of the whole."""


class Exam(NamedTuple):
    """A question with the cases that are asked and their right answers."""

    question: Question
    cases: list[tuple[Any, ...]]
    expected: list[list[Array]]  # of each case the leaves, in the order of the question's outputs
    trees: list[Tree]  # the right answers as trees; of a question with a score, of the right shapes
    held_out: Any = None  # what the answer to a question with a score is tried on


class Answer(NamedTuple):
    """What a function did with one case."""

    case: int
    turn: int  # 0 the first time, 1 the second
    outputs: Tree = None
    arguments: Tree = None  # the arguments as they were afterwards
    error: dict[str, Any] | None = None  # what it raised instead: type, message, cell, line
    born: dict[str, Any] | None = None  # where the first NaN was made


class Part(NamedTuple):
    """The verdict on one leaf of what a function returns."""

    name: str
    credit: float  # 0 to 1
    error: float  # the largest relative error, infinite if it cannot be compared
    fault: str | None  # why it cannot be compared, in words
    values: list[Any]  # the leaf of each case, at the first call; None where there is none


class Verdict(NamedTuple):
    """The verdict on one question."""

    credit: float  # 0 to 1, over all leaves
    parts: list[Part]
    changed: list[str]  # names of the arguments that the function changed
    remembers: bool  # True if the second call on the same case returned something else
    score: float | None = None  # of a question with a score


def prepare(question: Question, entropy: bytes) -> Exam:
    """Return the Exam of a question, its cases drawn from `entropy`, any bytes.

    The generator is seeded with the SHA-256 of the entropy and the name of the question, so that no
    case tells anything about another question, or about the entropy.
    """
    key = list(hashlib.sha256(entropy + question.name.encode()).digest())
    scoring = question.scoring
    cases = question.cases(np.random.default_rng(key))
    trees = [case[0] if scoring else question.reference(*case) for case in cases]
    expected = [[np.asarray(leaf) for leaf in tree_leaves(tree)] for tree in trees]
    held_out = scoring.held_out(np.random.default_rng(key)) if scoring else None
    return Exam(question, cases, expected, trees, held_out)


def judge(exam: Exam, answers: list[Answer]) -> Verdict:
    """Return the Verdict on the answers, which may be anything."""
    first = {answer.case: answer for answer in answers if answer.turn == 0}
    again = {answer.case: answer for answer in answers if answer.turn == 1}
    aligned = [align(first.get(k), exam, k) for k in range(len(exam.cases))]
    repeated = [align(again.get(k), exam, k) for k in range(len(exam.cases))]
    parts = [
        judge_leaf(place, name, exam, aligned) for place, name in enumerate(exam.question.outputs)
    ]
    changed = [
        name
        for place, name in enumerate(argument_names(exam.question))
        if any(is_changed(answer, exam.cases, place) for answer in answers)
    ]
    remembers = any(differ(a, b) for a, b in zip(aligned, repeated))
    score = score_of(exam, parts) if exam.question.scoring else None
    if exam.question.scoring:
        parts = [
            part._replace(credit=credit_of(score, exam.question.scoring.rungs)) for part in parts
        ]
    credit = sum(part.credit for part in parts) / len(parts)
    return Verdict(credit / 2 if changed or remembers else credit, parts, changed, remembers, score)


def judge_leaf(place: int, name: str, exam: Exam, aligned: list[Aligned]) -> Part:
    """Return the Part of one leaf over all cases."""
    values, faults, errors = [], [], []
    for k, leaves in enumerate(aligned):
        value, fault = leaves[place] if isinstance(leaves, list) else (None, leaves)
        fault = fault or fault_of(value, exam, k, place)
        values.append(None if fault else value)
        faults.append(fault)
        errors.append(float("inf") if fault else relative_error(value, exam.expected[k][place]))
    fault = next((fault for fault in faults if fault), None)
    single = any(
        value is not None and value.dtype.itemsize < 8 and value.dtype.kind == "f"
        for value in values
    )
    worst = max(errors)
    credit = 1.0 if worst <= EXACT and not single else 0.5 if worst <= ROUGH else 0.0
    return Part(name, credit, worst, fault, values)


def align(answer: Answer | None, exam: Exam, k: int) -> Aligned:
    """Return [(leaf, fault)] in the order of the right leaves, or the fault of the whole."""
    if answer is None:
        return "there is no answer"
    if answer.error is not None:
        return "the function raised " + answer.error["type"]
    return align_tree(answer.outputs, exam.trees[k], "what you return")


def align_tree(got: Tree, expected: Tree, name: str) -> Aligned:
    """Return the list of (leaf, fault) of `got`, branch by branch next to `expected`.

    If the whole does not fit, return the fault in words.
    """
    if not isinstance(expected, tuple):
        number = isinstance(got, (float, int, np.generic))
        return [(np.asarray(got) if number else got, None)]
    names = getattr(expected, "_fields", None)
    what = (
        f"{type(expected).__name__}({', '.join(names)})" if names else f"a tuple of {len(expected)}"
    )
    if not isinstance(got, (tuple, list)) or len(got) != len(expected):
        size = f" of {len(got)}" if isinstance(got, (tuple, list)) else ""
        return f"{name} is {kind_of(got)}{size}, expected {what}"
    if names and hasattr(got, "_fields") and set(got._fields) == set(names):
        got = [getattr(got, field) for field in names]
    leaves: list[tuple[Any, str | None]] = []
    for place, (branch, wanted) in enumerate(zip(got, expected)):
        found = align_tree(branch, wanted, f"number {place + 1} of {name}")
        leaves += found if isinstance(found, list) else [(None, found)] * len(tree_leaves(wanted))
    return leaves


KINDS = ("dict", "str", "set", "function", "method", "generator", "zip", "map", "bytes")


def kind_of(value: object) -> str:
    """Return the kind of a value in words, in one of a few that are known."""
    if value is None:
        return "None"
    if isinstance(value, Other):
        return f"a {value.kind}" if value.kind in KINDS else "something else"
    if isinstance(value, np.ndarray):
        return "an array"
    return f"a {'tuple' if isinstance(value, tuple) else 'list'}"


def fault_of(value: object, exam: Exam, k: int, place: int) -> str | None:
    """Return in words why a value cannot be compared with the right leaf, or None if it can.

    The words are made of the names of axes. A submission chooses the numbers of a shape, and could
    say with them what it was asked.
    """
    axes = list(exam.question.outputs.values())[place].split()
    wanted = f"({', '.join(axes)}{',' if len(axes) == 1 else ''})"
    if not isinstance(value, np.ndarray):
        return f"is {kind_of(value)}, expected an array of shape {wanted}"
    if value.shape != exam.expected[k][place].shape:
        return f"has {shape_in_words(value.shape, axes_sizes(exam, k))}, expected {wanted}"
    if value.dtype.kind not in "fiub":
        return "holds no real numbers, expected float64"
    return None


def axes_sizes(exam: Exam, k: int) -> dict[str, int]:
    """Return {axis: size} of case k, from the shapes of its right answers."""
    pairs = zip(exam.question.outputs.values(), exam.expected[k])
    return {axis: n for axes, leaf in pairs for axis, n in zip(axes.split(), leaf.shape)}


def shape_in_words(shape: tuple[int, ...], sizes: dict[str, int]) -> str:
    """Return a shape by the names of its axes, if all its sizes are known, else their number."""
    names = {size: axis for axis, size in sizes.items()} | {1: "1"}
    if len(shape) <= 4 and all(n in names for n in shape):
        letters = ", ".join(names[n] for n in shape)
        return f"the shape ({letters}{',' if len(shape) == 1 else ''})"
    many = "no axes" if not shape else "1 axis" if len(shape) == 1 else f"{len(shape)} axes"
    return f"{many} of other sizes" if len(shape) <= 4 else "many axes"


def is_changed(answer: Answer, cases: list[Any], place: int) -> bool:
    """Return True if the function changed its argument at `place`."""
    if answer.arguments is None or not 0 <= answer.case < len(cases):
        return False
    before = tree_leaves(cases[answer.case][place])
    after = tree_leaves(answer.arguments[place]) if place < len(answer.arguments) else []
    return len(before) != len(after) or not all(
        np.array_equal(a, b, equal_nan=True) for a, b in zip(before, after)
    )


def differ(one: Aligned, other: Aligned) -> bool:
    """Return True if two aligned answers to one case are not the same within rounding."""
    if not (isinstance(one, list) and isinstance(other, list)):
        return isinstance(one, list) and other != "there is no answer"
    for (a, _), (b, _) in zip(one, other):
        if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
            if a.shape != b.shape or a.dtype.kind not in "fiub" or b.dtype.kind not in "fiub":
                return a.shape != b.shape
            if not np.allclose(a, b, rtol=1e-9, atol=1e-9, equal_nan=True):
                return True
    return False
