"""A question that is judged by a score: what it is worth; only what the answer can do earns it."""

from functools import partial

import numpy as np
import pytest

from rnn_course.grading import Program, grade_question, run_once
from rnn_course.judge.diagnose import diagnose
from rnn_course.judge.judge import Answer, judge, prepare
from rnn_course.judge.question import Question
from rnn_course.judge.scoring import Scoring, credit_of, in_percent
from rnn_course.sandbox.outside import Limits

RUNGS = ((0.5, 0.25), (0.9, 1.0))
SECRET = 0.625  # stands in no case


def line_cases(rng):
    """One case: a slope to start from, and points of a line with noise."""
    x = rng.standard_normal(50)
    return [(np.array([0.5]), x, SECRET * x + 0.01 * rng.standard_normal(50))]


def line_held_out(rng):
    ((_, x, _),) = line_cases(rng)
    return x + 1, SECRET * (x + 1)


def share_near(leaves, held_out):
    x, y = held_out
    return np.mean(np.abs(leaves[0][0] * x - y) < 0.05)


def seen(leaves, case, held_out):
    return ("never updated",) if np.array_equal(leaves[0], case[0]) else ()


def fit_line(slope, x, y):
    return np.array([x @ y / (x @ x)])


HINTS = {"never updated": "What you return is what you were given."}
LINE = Question(
    "fit_line",
    {"slope": "N"},
    line_cases,
    fit_line,
    scoring=Scoring(line_held_out, share_near, RUNGS, "of the points", seen, HINTS),
    seconds=3,
)
EXAM = prepare(LINE, b"0")
PROGRAM = Program([], [], {1: "pass"}, [], {1: "pass"}, frozenset())


def answers(*values):
    return [Answer(0, turn, value, EXAM.cases[0]) for turn, value in enumerate(values)]


def graded(*values):
    row = grade_question(EXAM, 8, answers(*values), None)
    return row["points"], row["status"], [finding["cause"] for finding in row["findings"]]


@pytest.mark.parametrize(
    ("score", "credit"),
    [(None, 0), (0.0, 0), (0.4999, 0), (0.5, 0.25), (0.8999, 0.25), (0.9, 1), (1.0, 1)],
)
def test_a_score_earns_what_its_highest_rung_earns(score, credit):
    assert credit_of(score, RUNGS) == credit


def test_the_reference_has_full_marks_and_its_score_is_in_the_report():
    value = fit_line(*EXAM.cases[0])
    assert graded(value, value) == (8, "right", [])
    assert grade_question(EXAM, 8, answers(value, value), None)["score"] == 1


@pytest.mark.parametrize(
    ("value", "cause"),
    [
        (np.array([0.5]), "never updated"),
        (np.array([-3.0]), "below the target"),
        (np.array([1e308]), "below the target"),
        (np.array([np.nan]), "NaN or infinity"),
        (np.array([SECRET, SECRET]), "shape or type"),
        (np.array([SECRET + 0j]), "shape or type"),
        (None, "shape or type"),
    ],
)
def test_what_cannot_do_it_earns_nothing_and_is_told_why(value, cause):
    points, status, causes = graded(value, value)
    assert points <= 2 and causes[0] == cause and "unknown" not in causes
    assert status == ("partly right" if points else "wrong")


def test_the_message_has_the_score_and_the_next_rung_and_not_the_answer():
    value = EXAM.cases[0][0]
    finding = diagnose(EXAM, judge(EXAM, answers(value, value)), answers(value, value))[-1]
    score = share_near([value], EXAM.held_out)
    assert (
        finding.hint
        == f"Your answer gets {in_percent(score)} of the points. More points begin at 50 %."
    )
    assert str(SECRET) not in finding.hint


def test_a_score_is_never_shown_as_one_that_it_does_not_reach():
    assert [in_percent(share) for share in (0.84, 0.8399999, 0.29, 1.0)] == [
        "84 %",
        "83.9 %",
        "29 %",
        "100 %",
    ]


def test_who_answers_differently_the_second_time_or_changes_an_argument_has_half():
    value = fit_line(*EXAM.cases[0])
    assert graded(value, value + 1e-4) == (4, "partly right", ["two answers to one question"])
    touched = [
        Answer(0, turn, value, (EXAM.cases[0][0] + 1, *EXAM.cases[0][1:])) for turn in (0, 1)
    ]
    assert grade_question(EXAM, 8, touched, None)["points"] == 4


def test_the_same_draw_makes_the_case_and_what_it_is_judged_by_and_another_seed_another():
    again, other = prepare(LINE, b"0"), prepare(LINE, b"1")
    assert np.array_equal(EXAM.held_out[0], EXAM.cases[0][1] + 1) and np.array_equal(
        again.held_out, EXAM.held_out
    )
    assert not np.array_equal(other.held_out, EXAM.held_out)


def test_nothing_held_out_travels_into_the_sandbox(monkeypatch):
    sent = []
    monkeypatch.setattr("rnn_course.sandbox.outside.run", partial(catch, sent))
    with pytest.raises(Caught):
        run_once({"fit_line": EXAM}, PROGRAM, Limits(seconds=2), ["fit_line"])
    ((task, limits),) = sent
    assert EXAM.cases[0][1].tobytes() in task
    assert (
        not any(array.tobytes() in task for array in EXAM.held_out)
        and np.array(SECRET).tobytes() not in task
    )
    assert limits.seconds == 5


class Caught(Exception):
    """Raised in the place of a sandbox."""


def catch(sent, task, limits):
    sent.append((task, limits))
    raise Caught
