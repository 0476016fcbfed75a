"""The bank: wrong answers lose the right points and are told why, right ones lose none."""

from functools import cache
from importlib import import_module
from itertools import islice

import pytest

from assignments.bank.entry import (
    SECRET,
    graded,
    released,
    row_of,
    solutions,
    source_of,
    source_path,
    submission,
)
from rnn_course.check import answers_of
from rnn_course.course import load_course
from rnn_course.grading.exams import exams_of
from rnn_course.grading.row import grade_question
from rnn_course.judge import diagnose
from rnn_course.sandbox.inside.calls import call_on_cases
from rnn_course.sandbox.outside import Limits
from tools.assignments import COURSE, read_source

# The bank of 06_average is assignments/bank/average.py.
BANKS = {
    name: import_module(f"assignments.bank.{name.partition('_')[2]}")
    for name in load_course(COURSE).assignments
}
WRONG = [(assignment, entry) for assignment, bank in BANKS.items() for entry in bank.WRONG]
RIGHT = [(assignment, entry) for assignment, bank in BANKS.items() for entry in bank.RIGHT]


def names(entries):
    return [
        f"{assignment}-{entry.question}-{getattr(entry.answer, '__name__', 'text')}"
        for assignment, entry in entries
    ]


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("release")


# One wrong answer in 24 goes through the whole grader, and one right answer in four, and each entry
# that must not run here. All others are judged in this process, as `check` does.
NOT_HERE = {"stopped", "missing", "library not there"}
THROUGH = [
    (assignment, entry)
    for k, (assignment, entry) in enumerate(WRONG)
    if k % 24 == 0 or entry.causes & NOT_HERE
]
HERE = [one for one in WRONG if one not in THROUGH]
RIGHT_THROUGH = RIGHT[::4]
RIGHT_HERE = [one for one in RIGHT if one not in RIGHT_THROUGH]


@cache
def exams(assignment):
    return exams_of(assignment, SECRET, b"of the bank")


@pytest.fixture(scope="module", autouse=True)
def computed_once():
    """The exams are the same for all entries, and so are the numbers of each single mistake."""
    numbers_of, known = diagnose.numbers_of, {}

    def kept(exam, causes):
        if len(causes) > 1:
            return numbers_of(exam, causes)
        # The exam is kept too: so no other one gets its identity.
        _, numbers = known.setdefault(id(exam), (exam, {}))
        if causes[0] not in numbers:
            numbers[causes[0]] = list(numbers_of(exam, causes))
        return numbers[causes[0]]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(diagnose, "numbers_of", kept)
        yield


@cache
def given(assignment):
    """Return the sources of the cells that every notebook of an assignment has: not the answers."""
    cells = read_source(source_path(assignment)).cells
    about = [cell.metadata.get("nbgrader", {}) for cell in cells]
    return [
        cell.source
        for cell, its in zip(cells, about)
        if cell.cell_type == "code" and its.get("grade_id", "").startswith("given_")
    ]


def row_here(assignment, entry):
    """Return the row on an entry's question, asked in this process."""
    answers = solutions(assignment) | {entry.question: source_of(entry.question, entry.answer)}
    namespace = {"__name__": "__main__"}
    for number, source in enumerate([*given(assignment), *answers.values()]):
        try:
            exec(compile(source, f"<cell {number}>", "exec"), namespace)
        except Exception:  # as in the sandbox, the next cell is still run
            continue
    exam = exams(assignment)[entry.question]
    result = answers_of(exam, namespace[entry.question]).result
    return grade_question(exam, 1, result.answers, result.stopped)


CHECK = import_module("rnn_course.check")  # its function has the same name
TWO_ANSWERS = "two answers to one question"


def asked_once(function, cases, *others):
    """Return what call_on_cases gives, without the second turn, which finds what is remembered."""
    return islice(call_on_cases(function, cases, *others), len(cases))


@pytest.mark.parametrize("assignment, entry", HERE, ids=names(HERE))
def test_a_wrong_answer_loses_its_points_and_is_told_why(monkeypatch, assignment, entry):
    if exams(assignment)[entry.question].question.scoring and TWO_ANSWERS not in entry.causes:
        monkeypatch.setattr(CHECK, "call_on_cases", asked_once)  # a training takes a second
    row = row_here(assignment, entry)
    assert row["points"] == pytest.approx(entry.credit, abs=0.01)
    assert {finding["cause"] for finding in row["findings"]} == entry.causes


def submitted(assignment, entry):
    """Return (the bytes of an entry, the points of what it leaves out).

    A question that is answered by training takes seconds. It is left out unless the entry is about
    it.
    """
    trained = {name for name, exam in exams(assignment).items() if exam.question.scoring}
    left_out = trained - {entry.question}
    answers = solutions(assignment) | {entry.question: source_of(entry.question, entry.answer)}
    kept = {name: source for name, source in answers.items() if name not in left_out}
    points = load_course(COURSE).assignments[assignment].points
    return submission(assignment, kept), sum(points[name] for name in left_out)


@pytest.mark.parametrize("assignment, entry", THROUGH, ids=names(THROUGH))
def test_the_grader_says_the_same_and_takes_no_other_points(folder, assignment, entry):
    data, less = submitted(assignment, entry)
    report = graded(released(assignment, folder), data)
    row = row_of(report, entry.question)
    assert row["points"] == pytest.approx(entry.credit * row["out_of"], abs=0.01)
    other = report["out_of"] - row["out_of"] - less
    assert report["points"] == pytest.approx(other + row["points"])
    assert {finding["cause"] for finding in row["findings"]} == entry.causes


@pytest.mark.parametrize("assignment, entry", RIGHT_HERE, ids=names(RIGHT_HERE))
def test_a_right_answer_written_differently_has_full_marks(assignment, entry):
    row = row_here(assignment, entry)
    assert row["points"] == row["out_of"] and row["findings"] == []


@pytest.mark.parametrize("assignment, entry", RIGHT_THROUGH, ids=names(RIGHT_THROUGH))
def test_so_it_has_from_the_grader(folder, assignment, entry):
    data, less = submitted(assignment, entry)
    report = graded(released(assignment, folder), data)
    assert report["points"] == report["out_of"] - less
    assert row_of(report, entry.question)["findings"] == []


def test_most_wrong_answers_are_named():
    for assignment in BANKS:
        causes = [entry.causes for name, entry in WRONG if name == assignment]
        assert sum("unknown" not in found for found in causes) >= 0.85 * len(causes)


def test_an_answer_that_rests_on_a_wrong_one_loses_nothing_and_says_so(folder):
    broken = solutions("01_vanilla") | {
        "rnn_step": "def rnn_step(params, x, h_previous):\n    return 0 * h_previous, h_previous"
    }
    report = graded(released("01_vanilla", folder), submission("01_vanilla", broken))
    assert report["points"] == report["out_of"] - 3
    (finding,) = row_of(report, "rnn_unroll")["findings"]
    assert finding["cause"] == "rests on an earlier question" and "rnn_step" in finding["hint"]


def test_an_unanswered_notebook_earns_nothing_and_nobody_answers_for_it(folder):
    report = graded(released("01_vanilla", folder), submission("01_vanilla", {}))
    assert report["points"] == 0 and {row["status"] for row in report["questions"]} == {
        "unanswered"
    }
    later = graded(
        released("01_vanilla", folder),
        submission("01_vanilla", {"rnn_unroll": "rnn_unroll = lambda *a: rnn_step(*a)"}),
    )
    assert later["points"] == 0


def test_a_cell_that_never_ends_costs_nothing_and_is_noted(folder):
    answers = solutions("01_vanilla") | {
        "rnn_step": "def rnn_step(params, x, h_previous):\n    return 0 * h_previous, h_previous"
    }
    report = graded(
        released("01_vanilla", folder),
        submission("01_vanilla", answers, ["while True: pass"]),
        limits=Limits(seconds=0.5),
    )
    assert report["points"] == report["out_of"] - 3
    (note,) = report["notes"]
    assert note["message"].startswith("It did not come to an end within 0.5 s of ")
