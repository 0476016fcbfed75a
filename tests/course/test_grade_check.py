"""The self-check that a student sees, and nbgrader's hidden test: right, or wrong and where."""

import numpy as np
import pytest

from rnn_course import check, hidden_test
from rnn_course.check import NotRight, Unanswered
from rnn_course.questions.vanilla import rnn_step as right

NAME = "01_vanilla"


def named(name, function):
    """Return the function under the name of a question."""
    function.__name__ = name
    return function


def test_a_right_function_is_said_to_be_right(capsys):
    check(NAME, right)
    assert capsys.readouterr().out.startswith(
        "rnn_step: right ✓   3 cases, largest relative error "
    )
    assert hidden_test(NAME, right, 3) == 3
    assert capsys.readouterr().out == "rnn_step: right, 3 of 3 points\n"


def test_a_wrong_one_is_told_its_outputs_and_its_cause_and_earns_its_share(capsys):
    def transposed(params, x, h_previous, h, dh):
        da = dh * (1 - h**2)
        return (x.T @ da, h_previous.T @ da, da.sum(axis=0)), da @ params.W_x.T, da @ params.W_h

    function = named("rnn_step_backward", transposed)
    with pytest.raises(NotRight) as caught:
        check(NAME, function)
    first, second = str(caught.value).split("\n")
    assert (
        first == "rnn_step_backward: not right yet ✗   right so far: "
        "dparams.W_x, dparams.W_h, dparams.b, dx"
    )
    assert second.startswith("  dh_previous: weight transposed. ")
    assert caught.value._render_traceback_() == [first, second]  # what a notebook shows
    assert hidden_test(NAME, function, 5) == 4
    assert "4 of 5 points\n  dh_previous: weight transposed. " in capsys.readouterr().out


def test_an_unanswered_one_is_met_with_a_kind_word_and_earns_nothing():
    def stub(params, x, h_previous):
        raise NotImplementedError

    with pytest.raises(Unanswered, match="^rnn_step: not answered yet"):
        check(NAME, named("rnn_step", stub))
    assert hidden_test(NAME, stub, 3) == 0


def test_what_a_function_raises_is_shown_as_it_is():
    with pytest.raises(ZeroDivisionError):
        check(NAME, named("rnn_step", lambda params, x, h_previous: 1 / 0))


def test_the_line_where_a_nan_is_born_is_told():
    def roots(params, x, h_previous):
        return np.sqrt(right(params, x, h_previous))

    with (
        np.errstate(invalid="ignore"),
        pytest.raises(
            NotRight, match=rf"line {roots.__code__.co_firstlineno + 1} of your cell: invalid"
        ),
    ):
        check(NAME, named("rnn_step", roots))


def test_what_is_no_question_is_refused_by_name():
    with pytest.raises(ValueError, match="function: expected one of rnn_step, .*, got print"):
        check(NAME, print)
    with pytest.raises(
        ValueError, match="assignment: expected a name like 01_vanilla, got 'vanilla'"
    ):
        check("vanilla", right)
    with pytest.raises(ValueError, match="'09_nothing' has no questions"):
        check("09_nothing", right)
