"""Why is an answer wrong? A cause is named only when the mistake it stands for gives the very numbers that came back.

For every leaf that is wrong, in every case, the question's causes are computed and compared; then the slips that any leaf can
have (a sign, a mean for a sum, blocks of gates in another order, …). What no cause explains is described: which entries, which
step, which gate. No right number is ever told.
"""

from functools import partial
from itertools import combinations, permutations
from typing import NamedTuple

import numpy as np

from rnn_tutorial.grade.question import Cause
from rnn_tutorial.gradient_check import relative_error
from rnn_tutorial.tree import tree_leaves

MATCH = 1e-6
GATES = {"4H": ("i", "f", "o", "g"), "3H": ("r", "z", "n"), "2H": ("r", "z")}


class Finding(NamedTuple):
    """One thing to tell a student: what was seen, and what it is likely to come from."""

    outputs: tuple  # the leaves it is about
    cause: str  # a name that the class summary counts
    hint: str
    where: str  # which entries, step, gate; "" where there is nothing to add


def diagnose(exam, verdict, answers):
    """Return the list of Findings on a verdict, the most telling first; empty for a right answer."""
    findings = of_errors(answers) + of_whole(verdict)
    wrong = [place for place, part in enumerate(verdict.parts) if part.credit < 1]
    comparable = [place for place in wrong if verdict.parts[place].fault is None]
    if not of_errors(answers):
        findings += of_faults([verdict.parts[place] for place in wrong if verdict.parts[place].fault])
    not_finite = [place for place in comparable if not all(np.isfinite(value).all() for value in verdict.parts[place].values)]
    if not_finite:
        findings.append(of_nan(exam, verdict, not_finite, answers))
    left = [place for place in comparable if place not in not_finite]
    for explain in (by_causes, by_two_causes):
        explained, left = explain(exam, verdict, left)
        findings += explained
    return findings + [of_leaf(exam, verdict, place) for place in left]


def of_errors(answers):
    """Return the Finding that the function raised, if it did."""
    raised = [answer for answer in answers if answer.error is not None]
    if not raised:
        return []
    error = raised[0].error
    where = place_of(error)
    message = f"{error['type']}: {error['message']}".strip().rstrip(":")
    return [Finding((), "raises an exception", message, where)]


def place_of(error):
    """Return in words where in the student's code an error was raised, "" if it is not known."""
    cell = "your cell" if error["cell"] is None else f"cell {error['cell']}"
    return f"line {error['line']} of {cell}" if error["line"] else ""


def of_whole(verdict):
    """Return the Findings about arguments that were changed and answers that depend on earlier calls."""
    findings = []
    if verdict.changed:
        hint = "Your function writes into an array of its caller, who still needs it. Make a new one: `a = a + b`, not `a += b`."
        findings.append(Finding(tuple(verdict.changed), "caller's array changed", hint, ""))
    if verdict.remembers:
        hint = "Asked the same thing twice, your function gives two answers. Something outlives the call: a global, a default."
        findings.append(Finding((), "state kept between calls", hint, ""))
    return findings


def of_faults(parts):
    """Return a Finding for each kind of fault: another shape, another type."""
    faults = {}
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


def of_nan(exam, verdict, places, answers):
    """Return the Finding on NaN and infinity: in which outputs, at which steps, and in which line the first was made."""
    born = next((answer.born for answer in answers if answer.born is not None), None)
    hint = "There is a NaN or an infinity in what you return."
    if born is not None:
        hint += f" The first is made in {place_of(born)}: {born['message']}."
    place = places[0]
    axes = list(exam.question.outputs.values())[place].split()
    bad = ~np.isfinite(np.asarray(verdict.parts[place].values[0]))
    where = f"steps {numbers(np.flatnonzero(bad.any(axis=(1, 2)[: bad.ndim - 1])) + 1)}" if axes[0] == "T" and bad.any() else ""
    return Finding(tuple(verdict.parts[place].name for place in places), "NaN or infinity", hint, where)


def by_causes(exam, verdict, places):
    """Return (Findings of the causes that explain leaves exactly, the places that none explains); few causes before many."""
    candidates = [
        (cause.name, cause.hint, explains(exam, verdict, places, tree_values(exam, cause))) for cause in exam.question.causes
    ]
    candidates += of_any_leaf(exam, verdict, places)
    findings, left = [], set(places)
    while left:
        name, hint, covered = max(candidates, key=lambda candidate: len(candidate[2] & left), default=("", "", set()))
        if not covered & left:
            break
        findings.append(Finding(tuple(verdict.parts[place].name for place in sorted(covered & left)), name, hint, ""))
        left -= covered
    return findings, sorted(left)


def by_two_causes(exam, verdict, places):
    """Return (Findings, the places that are left) as `by_causes` does, of two mistakes of the question made at once."""
    findings, left = [], set(places)
    for one, other in combinations(exam.question.causes, 2) if left else ():
        if (both := together(one, other)) and (covered := explains(exam, verdict, left, tree_values(exam, both))):
            names = tuple(verdict.parts[place].name for place in sorted(covered))
            findings += [Finding(names, cause.name, cause.hint, "") for cause in (one, other)]
            left -= covered
    return findings, sorted(left)


def together(one, other):
    """Return the Cause that throws the switches of two, or None if they are of different functions or share a switch."""
    a, b = one.mistake, other.mistake
    if not (isinstance(a, partial) and isinstance(b, partial)) or a.func is not b.func or a.keywords.keys() & b.keywords.keys():
        return None
    return Cause(one.name, one.hint, partial(a.func, **a.keywords, **b.keywords))


def tree_values(exam, cause):
    """Return the leaves that the mistake of a cause gives, case by case; None for a case where it cannot be made."""
    values = []
    for case in exam.cases:
        try:
            with np.errstate(all="ignore"):
                values.append(tree_leaves(cause.mistake(*case)))
        except (ValueError, IndexError):
            values.append(None)
    return values


def explains(exam, verdict, places, wrong):
    """Return the set of the places whose values are those of `wrong` in every case, and not the right ones."""
    if any(leaves is None for leaves in wrong):
        return set()
    same = {place for place in places if matches(verdict.parts[place].values, [leaves[place] for leaves in wrong])}
    return {
        place for place in same if not matches([leaves[place] for leaves in wrong], [right[place] for right in exam.expected])
    }


def matches(values, wanted):
    """Return True if the values are the wanted ones, in every case, to 1e-6."""
    return all(np.shape(value) == np.shape(want) and relative_error(value, want) <= MATCH for value, want in zip(values, wanted))


def of_any_leaf(exam, verdict, places):
    """Return the candidates (name, hint, places explained) that need nothing but the right leaf."""
    found = {}
    for place in places:
        axes = list(exam.question.outputs.values())[place].split()
        values, wants = verdict.parts[place].values, [leaves[place] for leaves in exam.expected]
        for name, hint, change in slips(exam, axes, place):
            wrong = [change(want, k) for k, want in enumerate(wants)]
            if all(w is not None for w in wrong) and matches(values, wrong) and not matches(wrong, wants):
                found.setdefault((name, hint), set()).add(place)
        if verdict.parts[place].credit == 0.5:
            hint = "The formula is right, but it was computed in few digits: something is float32, or a difference quotient."
            found.setdefault(("float32 or few digits", hint), set()).add(place)
    return [(name, hint, covered) for (name, hint), covered in found.items()]


def slips(exam, axes, place):
    """Yield (name, hint, change), with change(want, case number) -> what this slip makes of the right leaf, or None."""
    size = lambda k, axis: sizes(exam, k).get(axis)  # noqa: E731
    yield "sign", "The sign is the wrong way round.", lambda want, k: -want
    yield "never written", "This is all zeros: it was made and never written to, or multiplied away.", lambda want, k: 0 * want
    yield "factor of two", "This is twice what it should be: something is counted twice.", lambda want, k: 2 * want
    yield "factor of two", "This is half of what it should be.", lambda want, k: want / 2
    for axis, word in (("B", "batch"), ("T", "steps")):
        if axis not in axes:
            hint = f"This is a mean over the {word}, where a sum is due: no 1/{axis} stands in the equations."
            yield "mean for sum", hint, lambda want, k, axis=axis: want / size(k, axis) if size(k, axis) else None
    if len(axes) == 2 and axes[0] == axes[1]:
        yield "weight transposed", "Rows and columns of this gradient are exchanged.", lambda want, k: want.T
    if axes[0] == "T":
        yield (
            "time runs backwards",
            "The steps are in the opposite order: the loop runs back, the result does not.",
            lambda want, k: want[::-1],
        )
    if axes[-1] in GATES:
        yield from exchanged_gates(axes[-1])
    for other, name in enumerate(exam.question.outputs):
        if other != place:
            hint = f"This is {name}: two things that you return stand in each other's place."
            yield "outputs exchanged", hint, lambda want, k, other=other: exam.expected[k][other]


def exchanged_gates(axis):
    """Yield the slips that have the right blocks of gates in a wrong order."""
    gates = GATES[axis]
    for order in permutations(range(len(gates))):
        if order != tuple(range(len(gates))):
            is_order = ", ".join(gates[k] for k in order)
            hint = f"The gates are right, their order is not: yours is {is_order}, the order here is {', '.join(gates)}."
            yield (
                "gates in another order",
                hint,
                lambda want, k, order=order: np.concatenate([np.split(want, len(order), axis=-1)[g] for g in order], axis=-1),
            )


def sizes(exam, k):
    """Return {axis: size} of one case, read off its right answers."""
    pairs = zip(exam.question.outputs.values(), exam.expected[k])
    return {axis: n for axes, leaf in pairs for axis, n in zip(axes.split(), np.shape(leaf))}


def of_leaf(exam, verdict, place):
    """Return the Finding that describes where a leaf is wrong, without a cause: entries, steps, gates."""
    part, axes = verdict.parts[place], list(exam.question.outputs.values())[place].split()
    k = max(range(len(part.values)), key=lambda k: relative_error(part.values[k], exam.expected[k][place]))
    value, want = part.values[k], exam.expected[k][place]
    off = np.abs(value - want) > MATCH * np.max(np.abs(want), initial=1e-300)
    where = [f"{int(off.sum())} of {off.size} entries differ, by up to {part.error:.0e} of the largest entry"]
    if axes[0] == "T":
        wrong = np.flatnonzero(off.reshape(len(off), -1).any(axis=1)) + 1
        where.append(f"steps {numbers(wrong)} of {len(off)} are wrong" if len(wrong) < len(off) else "every step is wrong")
    if "B" in axes:
        rows = np.moveaxis(off, axes.index("B"), 0)
        wrong = np.flatnonzero(rows.reshape(len(rows), -1).any(axis=1)) + 1
        where += [f"only sequences {numbers(wrong)} of {len(rows)}"] if len(wrong) < len(rows) else []
    if axes[-1] in GATES:
        blocks = zip(GATES[axes[-1]], np.split(off, len(GATES[axes[-1]]), axis=-1))
        wrong = [gate for gate, block in blocks if block.any()]
        where.append(
            f"the blocks of the gates {', '.join(wrong)} are wrong"
            if len(wrong) < len(GATES[axes[-1]])
            else "every gate is wrong"
        )
    return Finding((part.name,), "unknown", "This is not right, and no common mistake gives these numbers.", "; ".join(where))


def numbers(found):
    """Return whole numbers in words, runs shortened: [1, 2, 3, 5] -> "1-3, 5"."""
    runs = np.split(found, np.flatnonzero(np.diff(found) != 1) + 1)
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs if len(run))
