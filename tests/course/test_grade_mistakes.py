"""Causes are edits of the solutions: a name is given only if all outputs agree, in every case."""

import numpy as np
import pytest

from rnn_course.judge.diagnose import diagnose
from rnn_course.judge.judge import Answer, judge, prepare
from rnn_course.judge.mistake import (
    Cause,
    Mistake,
    causes_of,
    edited,
    solutions_behind,
    with_mistakes,
)
from rnn_course.judge.question import Question

# The solutions of a small assignment.


def inner(w, x):
    """Return the state and its slope."""
    h = np.tanh(w * x + 1)
    return h, 1 - h**2


def outer(w, x, dh):
    """Return (dw, dx)."""
    h, slope = inner(w, x)
    da = dh * slope
    return np.sum(da * x, axis=0), da * w


MISTAKES = {
    "inner": (
        Mistake("slope not squared", "Look at the power.", "1 - h**2", "1 - h"),
        Mistake("bias missing", "Look at the sum.", " + 1", ""),
        Mistake("both", "Look at both.", "1 - h**2", "1 + h", also=((" + 1", " + 2"),)),
    ),
    "outer": (
        Mistake("not added up", "Look at dw.", "np.sum(da * x, axis=0)", "(da * x)[0]"),
        Mistake("forward weight", "Look at dx.", "da * w", "da"),
    ),
}


def outer_cases(rng):
    return [
        (rng.standard_normal(H), rng.standard_normal((B, H)), rng.standard_normal((B, H)))
        for B, H in ((4, 3), (3, 5), (5, 4))
    ]


QUESTION = Question(
    "outer",
    {"dw": "H", "dx": "B H"},
    outer_cases,
    outer,
    causes=causes_of(outer, MISTAKES),
)
EXAM = prepare(QUESTION, b"any bytes")


def answers_of(function, exam=EXAM):
    return [
        Answer(k, turn, function(*case), case)
        for turn in (0, 1)
        for k, case in enumerate(exam.cases)
    ]


def found(function, exam=EXAM):
    """Return {(cause, outputs)} of a function."""
    answers = answers_of(function, exam)
    findings = diagnose(exam, judge(exam, answers), answers)
    return {(finding.cause, finding.outputs) for finding in findings}


def test_an_edit_needs_its_text_exactly_once():
    assert edited("a + b", Mistake("n", "h", " + b", "")) == "a"
    for old in ("c", "a"):
        with pytest.raises(ValueError, match=f"mistake 'n': expected '{old}' once"):
            edited("a + a", Mistake("n", "h", old, ""))


def test_further_edits_are_made_as_well():
    assert edited("a + b", Mistake("n", "h", "a", "c", also=(("b", "d"),))) == "c + d"


def test_the_solutions_behind_one_are_those_that_it_calls_and_it():
    assert set(solutions_behind(outer)) == {"outer", "inner"}
    assert set(solutions_behind(inner)) == {"inner"}


def test_a_mistake_inside_is_a_cause_outside():
    assert {cause.solution for cause in QUESTION.causes} == {"inner", "outer"}
    assert {cause.solution for cause in causes_of(inner, MISTAKES)} == {"inner"}


def test_the_edited_solution_runs_the_edited_inner_one_and_nothing_is_changed_for_good():
    w, x, dh = EXAM.cases[0]
    wrong = with_mistakes(outer, [Cause("inner", MISTAKES["inner"][0])])
    np.testing.assert_array_equal(wrong(w, x, dh)[1], dh * (1 - np.tanh(w * x + 1)) * w)
    np.testing.assert_array_equal(outer(w, x, dh)[1], EXAM.expected[0][1])


@pytest.mark.parametrize("cause", QUESTION.causes, ids=lambda cause: cause.mistake.name)
def test_each_mistake_is_found_in_all_outputs_that_it_changes(cause):
    names = {name for name, _ in found(with_mistakes(outer, [cause]))}
    assert names == {cause.mistake.name}


def test_two_mistakes_at_once_are_found():
    def both(w, x, dh):
        da = dh * (1 - np.tanh(w * x + 1))
        return (da * x)[0], da * w

    assert {name for name, _ in found(both)} == {"slope not squared", "not added up"}


def test_a_mistake_and_a_slip_are_found():
    def both(w, x, dh):
        dw, dx = outer(w, x, dh)
        return -dw, dh * (1 - np.tanh(w * x + 1) ** 2)

    assert found(both) == {("sign", ("dw",)), ("forward weight", ("dx",))}


def test_a_cause_that_fits_one_output_alone_is_not_named():
    def slope_in_one(w, x, dh):
        wrong = dh * (1 - np.tanh(w * x + 1))
        return np.sum(wrong * x, axis=0), outer(w, x, dh)[1] + 1

    assert found(slope_in_one) == {("unknown", ("dw", "dx"))}


@pytest.mark.parametrize("size", [len(x) for _, x, _ in EXAM.cases])
def test_a_cause_that_fits_one_case_alone_is_not_named(size):
    def sometimes(w, x, dh):
        wrong = with_mistakes(outer, [QUESTION.causes[0]])
        return wrong(w, x, dh) if len(x) == size else (0.3 * w, outer(w, x, dh)[1])

    assert {name for name, _ in found(sometimes)} == {"unknown"}


def test_what_is_unknown_is_said_once():
    answers = answers_of(lambda w, x, dh: (w + 1, x + 1))
    (finding,) = diagnose(EXAM, judge(EXAM, answers), answers)
    assert finding.cause == "unknown" and "dw" in finding.where and "dx" in finding.where


def test_a_formula_that_is_nearly_right_is_not_called_right():
    answers = answers_of(lambda w, x, dh: (outer(w, x, dh)[0] + 1e-6, outer(w, x, dh)[1]))
    (finding,) = diagnose(EXAM, judge(EXAM, answers), answers)
    assert finding.outputs == ("dw",) and finding.cause == "right to a few digits only"
    assert "formula is right" not in finding.hint


def test_an_edit_that_does_not_run_explains_nothing():
    broken = Mistake("broken", "It does not run.", "da * w", "da @ w @ w")
    exam = prepare(QUESTION._replace(causes=(Cause("outer", broken),)), b"1")
    assert {name for name, _ in found(lambda w, x, dh: (w + 1, x + 1), exam)} == {"unknown"}


def test_a_shape_is_said_in_the_names_of_axes_and_not_in_numbers():
    answers = answers_of(lambda w, x, dh: (np.zeros((977, 311)), outer(w, x, dh)[1].T))
    hints = [finding.hint for finding in diagnose(EXAM, judge(EXAM, answers), answers)]
    assert not any(digits in hint for hint in hints for digits in ("977", "311"))
    assert "dx has the shape (H, B), expected (B, H)." in hints


def test_the_cases_depend_on_the_bytes_they_are_drawn_from_and_on_nothing_else():
    again, other = prepare(QUESTION, b"any bytes"), prepare(QUESTION, b"other bytes")
    assert np.array_equal(again.cases[0][0], EXAM.cases[0][0])
    assert not np.array_equal(other.cases[0][0], EXAM.cases[0][0])
