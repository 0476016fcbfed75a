"""Why is an answer wrong? A cause is named only if its mistake gives the numbers of the answer.

For every leaf that is wrong, in every case, the question's causes are computed and compared; then
the slips that can happen in any leaf (a sign, a mean for a sum, blocks of gates in another order,
…). A leaf that no cause explains is described: which entries, which step, which gate. No right
number is ever shown.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from rnn_course.judge.judge import Answer, Exam, Part, Verdict
from rnn_course.judge.question import Cause
from rnn_course.judge.scoring import shortfall
from rnn_course.judge.slips import GATES, slips
from rnn_tutorial.gradient_check.check import relative_error
from rnn_tutorial.tree import tree_leaves
from rnn_tutorial.types import Array

__all__ = [
    "Finding",
    "diagnose",
    "explains",
]

MATCH = 1e-6


class Finding(NamedTuple):
    """One thing to tell a student: what was seen, and what probably causes it."""

    outputs: tuple[str, ...]  # the leaves it is about
    cause: str  # a name that the class summary counts
    hint: str
    where: str  # which entries, step, gate; "" if this is not known


def diagnose(exam: Exam, verdict: Verdict, answers: list[Answer]) -> list[Finding]:
    """Return the Findings on a verdict, the most important first; none for a right answer."""
    findings = of_errors(answers) + of_whole(verdict)
    wrong = [place for place, part in enumerate(verdict.parts) if part.credit < 1]
    comparable = [place for place in wrong if verdict.parts[place].fault is None]
    if not of_errors(answers):
        findings += of_faults(
            [verdict.parts[place] for place in wrong if verdict.parts[place].fault]
        )
    not_finite = [
        place
        for place in comparable
        if not all(np.isfinite(value).all() for value in verdict.parts[place].values)
    ]
    if not_finite:
        findings.append(of_nan(exam, verdict, not_finite, answers))
    if exam.question.scoring:
        enough = verdict.score is None or not wrong
        return merged(findings) + (
            [] if enough else [Finding((), *row, "") for row in shortfall(exam, verdict)]
        )
    left = [place for place in comparable if place not in not_finite]
    for explain in (by_causes, by_two_causes):
        explained, left = explain(exam, verdict, left)
        findings += explained
    return merged(findings) + [of_leaf(exam, verdict, place) for place in left]


def of_errors(answers: list[Answer]) -> list[Finding]:
    """Return the Finding that the function raised, if it did."""
    errors = [answer.error for answer in answers if answer.error is not None]
    if not errors:
        return []
    error = errors[0]
    where = place_of(error)
    message = f"{error['type']}: {error['message']}".strip().rstrip(":")
    return [Finding((), "raises an exception", message, where)]


def place_of(error: dict[str, Any]) -> str:
    """Return in words where in the student's code an error was raised, "" if it is not known."""
    cell = "your cell" if error["cell"] is None else f"cell {error['cell']}"
    return f"line {error['line']} of {cell}" if error["line"] else ""


def of_whole(verdict: Verdict) -> list[Finding]:
    """Return the Findings on changed arguments and on answers that depend on earlier calls."""
    findings = []
    if verdict.changed:
        hint = (
            "Your function writes into an array of its caller, who still needs it. "
            "Make a new one: `a = a + b`, not `a += b`."
        )
        findings.append(Finding(tuple(verdict.changed), "caller's array changed", hint, ""))
    if verdict.remembers:
        hint = (
            "Asked the same thing twice, your function gives two answers. "
            "Something outlives the call: a global, a default."
        )
        findings.append(Finding((), "state kept between calls", hint, ""))
    return findings


def of_faults(parts: list[Part]) -> list[Finding]:
    """Return a Finding for each kind of fault: another shape, another type."""
    faults: dict[Any, list[str]] = {}
    for part in parts:
        faults.setdefault(part.fault, []).append(part.name)
    return [
        Finding(
            tuple(names),
            "shape or type",
            f"{names[0]} {fault}." if fault.startswith(("is ", "has ", "holds ")) else f"{fault}.",
            "",
        )
        for fault, names in faults.items()
    ]


def of_nan(exam: Exam, verdict: Verdict, places: list[int], answers: list[Answer]) -> Finding:
    """Return the Finding on NaN and infinity: in which outputs and steps, from which line."""
    born = next((answer.born for answer in answers if answer.born is not None), None)
    hint = "There is a NaN or an infinity in what you return."
    if born is not None:
        hint += f" The first is made in {place_of(born) or 'your code'}: {born['message']}."
    axes, values = (
        list(exam.question.outputs.values())[places[0]].split(),
        verdict.parts[places[0]].values,
    )
    bad = next(~np.isfinite(value) for value in values if not np.isfinite(value).all())
    steps = np.flatnonzero(bad.reshape(len(bad), -1).any(axis=1)) + 1 if axes[:1] == ["T"] else ()
    where = f"step {numbers(steps)} of {len(bad)}" if len(steps) else ""
    return Finding(
        tuple(verdict.parts[place].name for place in places), "NaN or infinity", hint, where
    )


def by_causes(
    exam: Exam, verdict: Verdict, places: Iterable[int]
) -> tuple[list[Finding], list[int]]:
    """Return (Findings of the causes that explain leaves exactly, the places that none explains).

    The fewest causes that explain most leaves are preferred.
    """
    candidates = [
        (cause.name, cause.hint, explains(exam, verdict, places, tree_values(exam, cause)))
        for cause in exam.question.causes
    ]
    candidates += of_any_leaf(exam, verdict, places)
    findings, left = [], set(places)
    while left:
        name, hint, covered = max(
            candidates, key=lambda candidate: len(candidate[2] & left), default=("", "", set())
        )
        if not covered & left:
            break
        new = sorted(covered & left)
        where = where_of(exam, verdict, new)
        findings.append(
            Finding(tuple(verdict.parts[place].name for place in new), name, hint, where)
        )
        left -= covered
    return findings, sorted(left)


def by_two_causes(
    exam: Exam, verdict: Verdict, places: Iterable[int]
) -> tuple[list[Finding], list[int]]:
    """Return (Findings, places that are left) as `by_causes` does, for two mistakes at once."""
    findings, left = [], set(places)
    for one, other in combinations(exam.question.causes, 2) if left else ():
        if (both := together(one, other)) and (
            covered := explains(exam, verdict, left, tree_values(exam, both))
        ):
            names = tuple(verdict.parts[place].name for place in sorted(covered))
            where = where_of(exam, verdict, sorted(covered))
            findings += [Finding(names, cause.name, cause.hint, where) for cause in (one, other)]
            left -= covered
    return findings, sorted(left)


def together(one: Cause, other: Cause) -> Cause | None:
    """Return the Cause that makes both mistakes at once.

    Return None if they are of different functions or share a keyword.
    """
    a, b = one.mistake, other.mistake
    if (
        not (isinstance(a, partial) and isinstance(b, partial))
        or a.func is not b.func
        or a.keywords.keys() & b.keywords.keys()
    ):
        return None
    return Cause(one.name, one.hint, partial(a.func, **a.keywords, **b.keywords))


def tree_values(exam: Exam, cause: Cause) -> Iterator[list[Array] | None]:
    """Yield the leaves that the mistake of a cause gives, case by case; None if it gives none."""
    for case in exam.cases:
        try:
            with np.errstate(all="ignore"):
                leaves = tree_leaves(cause.mistake(*case))
        except (ValueError, IndexError):
            leaves = None
        yield leaves


def explains(
    exam: Exam,
    verdict: Verdict,
    places: Iterable[int],
    wrong: Iterable[list[Array] | None],
) -> set[int]:
    """Return the set of the places whose values are those of `wrong` in every case, and not right.

    wrong: the leaves of each case. They are computed only while a place is left: most causes are
    excluded by the first case.
    """
    same, not_right = set(places), set()
    for k, leaves in enumerate(wrong if places else ()):
        if leaves is None:
            return set()
        same = {place for place in same if near(verdict.parts[place].values[k], leaves[place])}
        not_right |= {place for place in same if not near(leaves[place], exam.expected[k][place])}
        if not same:
            break
    return same & not_right


def matches(values: Iterable[Any], wanted: Iterable[Any]) -> bool:
    """Return True if the values are the wanted ones, in every case."""
    return all(map(near, values, wanted))


def near(value: Any, want: Any) -> bool:
    """Return True if a value is the wanted one, to 1e-6."""
    return np.shape(value) == np.shape(want) and relative_error(value, want) <= MATCH


def of_any_leaf(
    exam: Exam, verdict: Verdict, places: Iterable[int]
) -> list[tuple[str, str, set[int]]]:
    """Return the candidates (name, hint, places explained) that depend on the right leaf alone."""
    found: dict[tuple[str, str], set[int]] = {}
    for place in places:
        axes = list(exam.question.outputs.values())[place].split()
        values, wants = verdict.parts[place].values, [leaves[place] for leaves in exam.expected]
        for name, hint, wrong in slips(exam, axes, place):
            if matches(values, wrong) and not matches(wrong, wants):
                found.setdefault((name, hint), set()).add(place)
        if verdict.parts[place].credit == 0.5:
            hint = (
                "The formula is right, but it was computed in few digits: "
                "something is float32, or a difference quotient."
            )
            found.setdefault(("float32 or few digits", hint), set()).add(place)
    return [(name, hint, covered) for (name, hint), covered in found.items()]


def of_leaf(exam: Exam, verdict: Verdict, place: int) -> Finding:
    """Return the Finding that describes where a leaf is wrong when no cause explains it."""
    part, off = verdict.parts[place], entries_off(exam, verdict, place)
    where = (
        f"{int(off.sum())} of {off.size} entries differ, "
        f"by up to {100 * part.error:.2g} % of the largest"
    )
    hint = "This is not right, and no common mistake gives these numbers."
    return Finding(
        (part.name,), "unknown", hint, "; ".join([where, *narrowed(exam, verdict, place)])
    )


def entries_off(exam: Exam, verdict: Verdict, place: int) -> Array:
    """Return the boolean array of the wrong entries of a leaf, in the case where it is worst."""
    values, wants = verdict.parts[place].values, [leaves[place] for leaves in exam.expected]
    value, want = max(zip(values, wants), key=lambda pair: relative_error(*pair))
    return np.abs(value - want) > MATCH * np.max(np.abs(want), initial=1e-300)


def narrowed(exam: Exam, verdict: Verdict, place: int) -> list[str]:
    """Return in words which steps, sequences and gates of a leaf are wrong, if others are right."""
    axes, off = (
        list(exam.question.outputs.values())[place].split(),
        entries_off(exam, verdict, place),
    )
    words = []
    for axis, singular in (("T", "step"), ("B", "sequence")):
        if axis in axes:
            size = off.shape[axes.index(axis)]
            slices = np.moveaxis(off, axes.index(axis), 0).reshape(size, -1)
            wrong = np.flatnonzero(slices.any(axis=1)) + 1
            words += [f"{singular} {numbers(wrong)} of {size}"] if 0 < len(wrong) < size else []
    if axes and axes[-1] in GATES:
        gates = GATES[axes[-1]]
        blocks = zip(gates, np.split(off, len(gates), axis=-1))
        wrong_gates = [gate for gate, block in blocks if block.any()]
        words += [f"gate {', '.join(wrong_gates)}"] if 0 < len(wrong_gates) < len(gates) else []
    return words


def where_of(exam: Exam, verdict: Verdict, places: Iterable[int]) -> str:
    """Return in words where the leaves are wrong, for those that are only partly wrong."""
    found = {verdict.parts[place].name: narrowed(exam, verdict, place) for place in places}
    return "; ".join(
        f"{name} is wrong at {', '.join(words)}" for name, words in found.items() if words
    )


def merged(findings: list[Finding]) -> list[Finding]:
    """Return the findings, those of the same cause and hint merged, in the order of the first."""
    found: dict[tuple[str, str], tuple[list[str], list[str]]] = {}
    for outputs, cause, hint, where in findings:
        seen = found.setdefault((cause, hint), ([], []))
        seen[0].extend(name for name in outputs if name not in seen[0])
        seen[1].extend([where] if where and where not in seen[1] else [])
    return [
        Finding(tuple(outputs), cause, hint, "; ".join(where))
        for (cause, hint), (outputs, where) in found.items()
    ]


def numbers(found: Any) -> str:
    """Return whole numbers in words, runs shortened: [1, 2, 3, 5] -> "1-3, 5"."""
    runs = np.split(found, np.flatnonzero(np.diff(found) != 1) + 1)
    return ", ".join(
        str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs if len(run)
    )
