"""Why is an answer wrong? A cause is named only if its mistake gives the numbers of the answer.

All outputs of a question have to agree, in every case: one mistake is tried, then slips that can
happen in any leaf (a sign, a mean for a sum, blocks of gates in another order, …), then a mistake
and slips, then two mistakes at once. An answer that nothing explains is described: which outputs
and entries, which step, which gate. No right number is ever shown, and no text that a submission
chose.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from rnn_course.judge.judge import Answer, Exam, Part, Verdict
from rnn_course.judge.mistake import Cause, with_mistakes
from rnn_course.judge.scoring import shortfall
from rnn_course.judge.slips import slips
from rnn_tutorial.gradient_check.check import relative_error
from rnn_tutorial.tree import tree_leaves
from rnn_tutorial.types import Array

__all__ = ["Finding", "diagnose", "place_of"]

MATCH = 1e-6


class Finding(NamedTuple):
    """One thing to tell a student: what was seen, and what probably causes it."""

    outputs: tuple[str, ...]  # the leaves it is about
    cause: str  # a name that the class summary counts
    hint: str
    where: str  # which entries, step, gate; "" if this is not known


def diagnose(exam: Exam, verdict: Verdict, answers: list[Answer]) -> list[Finding]:
    """Return the Findings on a verdict, the most important first; none for a right answer."""
    raised = of_errors(answers)
    wrong = [place for place, part in enumerate(verdict.parts) if part.credit < 1]
    faulty = [verdict.parts[place] for place in wrong if verdict.parts[place].fault]
    findings = raised + of_whole(verdict) + ([] if raised else of_faults(faulty))
    not_finite = [place for place in wrong if not finite(verdict.parts[place])]
    if not_finite:
        findings.append(of_nan(exam, verdict, not_finite, answers))
    if exam.question.scoring:
        enough = verdict.score is None or not wrong
        return findings + (
            [] if enough else [Finding((), *row, "") for row in shortfall(exam, verdict)]
        )
    if any(not verdict.parts[place].fault and place not in not_finite for place in wrong):
        findings += of_numbers(exam, verdict)
    return findings


def finite(part: Part) -> bool:
    """Return True if all values of a leaf are finite; a leaf that cannot be compared counts so."""
    return part.fault is not None or all(np.isfinite(value).all() for value in part.values)


def of_errors(answers: list[Answer]) -> list[Finding]:
    """Return the Finding that the function raised, if it did: the type, and where."""
    error = next((answer.error for answer in answers if answer.error is not None), None)
    if error is None:
        return []
    return [Finding((), "raises an exception", f"It raises {error['type']}.", place_of(error))]


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
            "Asked the same thing twice, your function gives two answers. Either something "
            "outlives the call, such as a global or a default, or a part of an array that "
            "np.empty made is never written."
        )
        findings.append(Finding((), "two answers to one question", hint, ""))
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


OPERATIONS = ("divide by zero", "overflow", "invalid value")  # as NumPy calls them


def of_nan(exam: Exam, verdict: Verdict, places: list[int], answers: list[Answer]) -> Finding:
    """Return the Finding on NaN and infinity: in which outputs and steps, from which line."""
    born = next((answer.born for answer in answers if answer.born is not None), None)
    hint = "There is a NaN or an infinity in what you return."
    if born is not None:
        known = (word for word in OPERATIONS if word in born["message"])
        kind = f": {word}" if (word := next(known, "")) else ""
        hint += f" The first is made in {place_of(born) or 'your code'}{kind}."
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


# Which mistakes give these numbers?


class Explanation(NamedTuple):
    """Causes and slips which together give the numbers of an answer."""

    causes: tuple[Cause, ...]
    slips: dict[int, tuple[str, str]]  # of a leaf its (name, hint)


def of_numbers(exam: Exam, verdict: Verdict) -> list[Finding]:
    """Return the Findings on leaves that can be compared and are wrong."""
    places = [k for k, part in enumerate(verdict.parts) if not part.fault and finite(part)]
    found = next(explanations(exam, verdict, places), None)
    if found is None:
        return [of_unknown(exam, verdict, [k for k in places if verdict.parts[k].credit < 1])]
    by_hint: dict[tuple[str, str], list[int]] = {}
    for place, row in found.slips.items():
        by_hint.setdefault(row, []).append(place)
    for cause in found.causes:
        wrong = [k for k in places if verdict.parts[k].credit < 1 and k not in found.slips]
        by_hint.setdefault((cause.mistake.name, cause.mistake.hint), []).extend(wrong)
    return [
        Finding(tuple(verdict.parts[k].name for k in wrong), *row, where_of(exam, verdict, wrong))
        for row, wrong in by_hint.items()
    ]


def explanations(exam: Exam, verdict: Verdict, places: list[int]) -> Iterator[Explanation]:
    """Yield the Explanations of an answer, the simplest first.

    places: the leaves that have to agree.
    """
    wrong = {place for place in places if verdict.parts[place].credit < 1}
    slip = slips_of(exam, verdict, wrong)
    effects = []
    for cause in exam.question.causes:
        effect = effect_of(exam, verdict, places, wrong, cause)
        if effect.changed == wrong == effect.fits:
            yield Explanation((cause,), {})
        effects += [effect] if effect.changed else []
    if wrong <= slip.keys():
        yield Explanation((), slip)
    for effect in effects:
        left = wrong - effect.changed
        if effect.changed <= effect.fits and left <= slip.keys():
            yield Explanation((effect.cause,), {place: slip[place] for place in sorted(left)})
    for one, other in combinations(effects, 2):
        fit = one.changed - other.changed <= one.fits and other.changed - one.changed <= other.fits
        if fit and one.changed | other.changed == wrong:
            pair = one.cause, other.cause
            if agreeing(verdict, places, numbers_of(exam, pair)) == set(places):
                yield Explanation(pair, {})


class Effect(NamedTuple):
    """What a cause makes of the right answer, next to what came back."""

    cause: Cause
    changed: set[int]  # the leaves that it changes
    fits: set[int]  # of these, the leaves that have the values which came back


def effect_of(
    exam: Exam, verdict: Verdict, places: list[int], wrong: set[int], cause: Cause
) -> Effect:
    """Return the Effect of a cause.

    It is said to change nothing if it does not run through, or if it changes a leaf that is right
    in the answer: then it explains nothing.
    """
    changed, fits = set[int](), set(places)
    for k, leaves in enumerate(numbers_of(exam, [cause])):
        if leaves is None:
            return Effect(cause, set(), set())
        expected, values = exam.expected[k], [part.values[k] for part in verdict.parts]
        changed |= {place for place in places if not near(leaves[place], expected[place])}
        if not changed <= wrong:
            return Effect(cause, set(), set())
        fits = {place for place in fits & wrong if near(values[place], leaves[place])}
    return Effect(cause, changed, fits & changed)


def numbers_of(exam: Exam, causes: Sequence[Cause]) -> Iterator[list[Array] | None]:
    """Yield the leaves that the solution with these mistakes gives, case by case.

    Yield None for a case in which it gives none, or leaves of other shapes.
    """
    try:
        wrong = with_mistakes(exam.question.reference, causes)
    except (SyntaxError, ValueError):  # the first mistake has replaced the text of the second
        yield None
        return
    for case, expected in zip(exam.cases, exam.expected):
        try:
            with np.errstate(all="ignore"):
                leaves = [np.asarray(leaf) for leaf in tree_leaves(wrong(*case))]
        except Exception:  # two mistakes together may not even run
            leaves = []
        same = [leaf.shape for leaf in leaves] == [leaf.shape for leaf in expected]
        yield leaves if same else None


def agreeing(
    verdict: Verdict, places: Iterable[int], predicted: Iterable[list[Array] | None]
) -> set[int]:
    """Return the places whose values are those predicted, in every case."""
    same, cases = set(places), 0
    for k, leaves in enumerate(predicted):
        if leaves is None:
            return set()
        same = {place for place in same if near(verdict.parts[place].values[k], leaves[place])}
        cases += 1
        if not same:
            break
    return same if cases else set()


def near(value: Any, want: Any) -> bool:
    """Return True if a value is the wanted one, to 1e-6."""
    return np.shape(value) == np.shape(want) and relative_error(value, want) <= MATCH


def slips_of(exam: Exam, verdict: Verdict, places: Iterable[int]) -> dict[int, tuple[str, str]]:
    """Return {place: (name, hint)} of the leaves that a slip in this leaf alone explains."""
    found = {}
    for place in sorted(places):
        part, wants = verdict.parts[place], [leaves[place] for leaves in exam.expected]
        axes = list(exam.question.outputs.values())[place].split()
        rows = (
            (name, hint)
            for name, hint, wrong in slips(exam, axes, place)
            if all(map(near, part.values, wrong)) and not all(map(near, wrong, wants))
        )
        row = FEW_DIGITS if part.credit == 0.5 else next(rows, None)
        if row:
            found[place] = row
    return found


FEW_DIGITS = (
    "right to a few digits only",
    "This is close, and not equal. Something is float32, or is a difference quotient, or a small "
    "number is added that the formula does not have.",
)


def of_unknown(exam: Exam, verdict: Verdict, places: list[int]) -> Finding:
    """Return the Finding that says where leaves are wrong that no known cause explains."""
    where = []
    for place in places:
        off = entries_off(exam, verdict, place)
        words = [f"{int(off.sum())} of {off.size} entries", *narrowed(exam, verdict, place)]
        where.append(f"{verdict.parts[place].name} differs in {', '.join(words)}")
    names = tuple(verdict.parts[place].name for place in places)
    hint = "This is not right, and no mistake that is known here gives these numbers."
    return Finding(names, "unknown", hint, "; ".join(where))


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
    if axes and axes[-1] in exam.question.gates:
        gates = exam.question.gates[axes[-1]]
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


def numbers(found: Any) -> str:
    """Return whole numbers in words, runs shortened: [1, 2, 3, 5] -> "1-3, 5"."""
    runs = np.split(found, np.flatnonzero(np.diff(found) != 1) + 1)
    return ", ".join(
        str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs if len(run)
    )
