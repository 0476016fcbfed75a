"""The self-check that a student sees, and nbgrader's hidden test: right, or wrong and where."""

import json
import re
import sys
from types import ModuleType

import numpy as np
import pytest

from assignments.bank.entry import solutions, student_json
from rnn_course import check, hidden_test
from rnn_course.check import NotRight, Unanswered, in_time
from rnn_course.grading import questions
from rnn_course.judge.judge import prepare
from rnn_course.judge.mistake import edited
from rnn_course.libraries import missing_libraries
from rnn_course.mistakes.vanilla import MISTAKES
from rnn_course.sandbox.outside import Limits

NAME = "01_vanilla"
RIGHT = {name: source for name, source in solutions(NAME).items() if name in questions(NAME)}
GIVEN = [
    "".join(cell["source"])
    for cell in json.loads(student_json(NAME))["cells"]
    if cell["metadata"].get("nbgrader", {}).get("grade_id", "").startswith("given_")
]


def notebook(**changes):
    """Return the namespace of a notebook with the instructor's answers, some of them changed.

    changes: {question: (old, new)} in the text of its answer, or {question: source}.
    """
    namespace = {"__name__": "__main__"}
    for source in GIVEN:
        exec(source, namespace)
    for name, source in RIGHT.items():
        change = changes.get(name, ("", ""))
        source = change if isinstance(change, str) else source.replace(*change)
        assert name not in changes or source != RIGHT[name]
        exec(compile(source, "<ipython-input-1>", "exec"), namespace)
    return namespace


def test_a_right_function_is_said_to_be_right_and_what_cannot_be_known(capsys):
    check(NAME, notebook()["rnn_step"])
    first, second, third = capsys.readouterr().out.splitlines()
    assert first.startswith("rnn_step: right ✓   3 cases, largest relative error ")
    assert re.fullmatch(
        r"Its calls took 0\.\d s of processor time here; "
        r"all answers together have 10 s when graded\.",
        second,
    )
    assert third.startswith("The grader asks on other networks, of other sizes")
    assert hidden_test(NAME, notebook()["rnn_step"], 3) == 3
    assert capsys.readouterr().out == "rnn_step: right, 3 of 3 points\n"


@pytest.mark.parametrize("mistake", MISTAKES["rnn_step_backward"], ids=lambda m: m.name)
def test_the_check_says_what_the_grader_says(mistake, capsys):
    """Output by output, cause by cause, hint by hint; where it is wrong depends on the cases."""
    source = edited(RIGHT["rnn_step_backward"], mistake)
    function = notebook(rnn_step_backward=source)["rnn_step_backward"]
    with pytest.raises(NotRight) as caught:
        check(NAME, function)
    first, *lines = str(caught.value).split("\n")
    assert first.startswith("rnn_step_backward: not right yet ✗   right so far: ")
    assert caught.value._render_traceback_() == [first, *lines]  # what a notebook shows
    assert f"{mistake.name}. {mistake.hint}" in lines[0]
    assert hidden_test(NAME, function, 6) < 6
    graded = capsys.readouterr().out.splitlines()[1:]
    assert [line.partition(" (")[0] for line in graded] == [
        line.partition(" (")[0] for line in lines
    ]


def test_an_unanswered_one_is_met_with_a_kind_word_and_earns_nothing():
    def stub(params, x, h_previous):
        raise NotImplementedError

    stub.__name__ = "rnn_step"
    with pytest.raises(Unanswered, match="^rnn_step: not answered yet"):
        check(NAME, stub)
    assert hidden_test(NAME, stub, 3) == 0


def test_a_right_function_is_not_blamed_for_an_earlier_one():
    wrong = notebook(rnn_step_backward=("params.W_h.T", "params.W_h"))
    with pytest.raises(
        NotRight, match="^rnn_unroll_backward: your rnn_step_backward is wrong, mend"
    ):
        check(NAME, wrong["rnn_unroll_backward"])
    odd = notebook(rnn_step_backward="def rnn_step_backward(*a):\n    return 1, 2")
    with pytest.raises(NotRight, match="your rnn_step_backward is wrong, mend"):
        check(NAME, odd["rnn_unroll_backward"])  # it raises, for it cannot unpack
    empty = notebook(rnn_step="def rnn_step(*a):\n    raise NotImplementedError")
    with pytest.raises(NotRight, match="your rnn_step has no answer yet, mend"):
        check(NAME, empty["rnn_unroll"])


def test_a_wrong_function_that_calls_a_right_one_is_blamed_itself():
    wrong = notebook(rnn_unroll_backward=("return dparams, dxs", "return dparams, 2 * dxs"))
    with pytest.raises(NotRight, match="^rnn_unroll_backward: not right yet"):
        check(NAME, wrong["rnn_unroll_backward"])


def test_what_a_function_raises_is_shown_as_it_is():
    function = notebook(rnn_step="def rnn_step(params, x, h_previous):\n    return 1 / 0")[
        "rnn_step"
    ]
    with pytest.raises(ZeroDivisionError):
        check(NAME, function)


def test_the_line_where_a_nan_is_born_is_told():
    source = "def rnn_step(params, x, h_previous):\n    return (np.sqrt(h_previous - 9),) * 2"
    with (
        np.errstate(invalid="ignore"),
        pytest.raises(NotRight, match=r"line 2 of your cell: invalid"),
    ):
        check(NAME, notebook(rnn_step=source)["rnn_step"])


def test_a_library_that_is_not_there_when_graded_is_told_before(monkeypatch):
    """In the function, behind it, imported by it, or a function that does not know its module."""
    library = ModuleType("fastmath")
    exec("def squash(a):\n    import numpy\n    return numpy.tanh(a)", vars(library))
    library.ufunc = np.frompyfunc(lambda a: np.tanh(a), 1, 1)
    library.ufunc_of_numpy = np.tanh
    monkeypatch.setitem(sys.modules, "fastmath", library)
    for first, call in (
        ("import fastmath", "fastmath.squash("),
        ("from fastmath import squash", "squash("),
        ("import fastmath as f\ndef squash(a):\n    return f.squash(a)", "squash("),
        ("", "__import__('fastmath'); import fastmath; n = fastmath.squash("),
    ):
        source = first + "\n" + RIGHT["rnn_step"].replace("np.tanh(", call)
        function = notebook(rnn_step=source)["rnn_step"]
        with pytest.raises(NotRight, match="It needs fastmath, which is not there when your"):
            check(NAME, function)
        assert hidden_test(NAME, function, 3) == 0
        assert missing_libraries(notebook(rnn_step=source)["rnn_unroll"]) == ["fastmath"]
    assert missing_libraries(notebook()["rnn_unroll_backward"]) == []
    assert missing_libraries(eval("lambda x: tanh(x)", {"tanh": np.tanh})) == []


def test_a_slow_answer_is_warned_of():
    exam = prepare(questions(NAME)["rnn_step"], b"1")
    limit = Limits().seconds
    assert not in_time(exam, limit / 10).startswith("⚠")
    assert in_time(exam, 0.6 * limit).startswith(
        "⚠ Near the limit: its calls took 6.0 s of processor"
    )
    assert in_time(exam, 1.1 * limit).startswith("⚠ Too slow: ")


def test_the_hidden_cases_of_nbgrader_are_drawn_anew_each_time(monkeypatch):
    drawn = []
    module = sys.modules["rnn_course.check"]
    monkeypatch.setattr(module, "prepare", lambda *a: drawn.append(prepare(*a)) or drawn[-1])
    for _ in range(2):
        hidden_test(NAME, notebook()["rnn_step"], 3)
    one, other = (exam.cases[0][1].ravel() for exam in drawn)
    assert one[0] != other[0]


def test_what_is_no_question_is_refused_by_name():
    with pytest.raises(ValueError, match="function: expected one of rnn_step, .*, got print"):
        check(NAME, print)
    function = notebook()["rnn_step"]
    with pytest.raises(
        ValueError, match="assignment: expected a name like 01_vanilla, got 'vanilla'"
    ):
        check("vanilla", function)
    with pytest.raises(ValueError, match="'09_nothing' has no questions"):
        check("09_nothing", function)
