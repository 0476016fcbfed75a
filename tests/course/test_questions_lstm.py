"""Assignment 2: its solutions against independent judges, and what a copied chapter earns."""

from pathlib import Path

import numpy as np
import pytest

from rnn_course.course import load_course
from rnn_course.judge.judge import Answer, judge, prepare
from rnn_course.questions import lstm as mine
from rnn_course.release import questions_of
from rnn_course.sandbox.inside.calls import call_on_cases
from rnn_tutorial.activations import identity, tanh
from rnn_tutorial.cells import CoupledLSTM, LSTMParams, LSTMState, lstm
from rnn_tutorial.gradient_check import numerical_gradient
from rnn_tutorial.gradient_check.check import relative_error
from rnn_tutorial.sequence import unroll, unroll_backward
from rnn_tutorial.sequence.trace import trace
from rnn_tutorial.tree import tree_add, tree_leaves, tree_zeros_like

EXAMS = {name: prepare(question, b"1") for name, question in questions_of("02_lstm").items()}

# The package's LSTM that shows o * c. The tanh round it is one more link of the chain rule.
SHOWN = lstm(c=identity)


def four_gates(params):
    """The parameters whose forget rows are the negative input rows, so that f = 1 - i."""
    blocks = [np.split(leaf, 3, axis=-1) for leaf in params]
    return LSTMParams(*[np.concatenate([i, -i, o, g], axis=-1) for i, o, g in blocks])


def three_gates(dparams):
    """The chain rule of `four_gates`: what arrives at -i comes back to i with a minus sign."""
    blocks = [np.split(leaf, 4, axis=-1) for leaf in dparams]
    return mine.LSTMParams(*[np.concatenate([i - f, o, g], axis=-1) for i, f, o, g in blocks])


def step(params, x, previous):
    traced, _ = trace(SHOWN, four_gates(params), x[None], LSTMState(*previous))
    h, c = (leaf[0] for leaf in traced.states)
    values = traced.values
    return mine.LSTMState(tanh.f(h), c), mine.LSTMGates(values.i[0], values.o[0], values.g[0])


def step_backward(params, x, previous, gates, state, dstate):
    _, cache = unroll(SHOWN, four_gates(params), x[None], LSTMState(*previous))
    dshown = dstate.h * tanh.derivative(state.h)
    dfour, dxs, dfirst = unroll_backward(
        SHOWN, four_gates(params), cache, (dshown[None], LSTMState(0 * dshown, dstate.c))
    )
    return three_gates(dfour), dxs[0], mine.LSTMState(*dfirst)


def gate_gradients(gates, c_previous, state, dh, dc_next):
    """With weights of one and no old h, the gradient of an input is that of its pre-activation."""
    H, no_h = dh.shape[1], 0 * dh
    a = [np.log(gates.i / (1 - gates.i)), np.log(gates.o / (1 - gates.o)), np.arctanh(gates.g)]
    params = mine.LSTMParams(np.eye(3 * H), np.zeros((H, 3 * H)), np.zeros(3 * H))
    _, da, dprevious = step_backward(
        params,
        np.concatenate(a, axis=1),
        mine.LSTMState(no_h, c_previous),
        gates,
        state,
        mine.LSTMState(dh, dc_next),
    )
    return mine.LSTMGates(*np.split(da, 3, axis=1)), dprevious.c


def all_steps(params, xs, first):
    states, gates, state = [], [], first
    for x in xs:
        state, values = step(params, x, state)
        states.append(state)
        gates.append(values)
    return (
        mine.LSTMState(*map(np.stack, zip(*states))),
        mine.LSTMGates(*map(np.stack, zip(*gates))),
    )


def all_steps_backward(params, xs, first, states, gates, dhs, dlast):
    befores = [first, *(mine.LSTMState(*pair) for pair in zip(*states))]
    dparams, dxs, (dh, dc) = tree_zeros_like(params), [], dlast
    for t in range(len(xs) - 1, -1, -1):
        arriving = mine.LSTMState(dh + dhs[t], dc)
        part, dx, (dh, dc) = step_backward(
            params, xs[t], befores[t], None, befores[t + 1], arriving
        )
        dparams, dxs = tree_add(dparams, part), [dx, *dxs]
    return dparams, np.stack(dxs), mine.LSTMState(dh, dc)


PACKAGE = {
    "lstm_step": step,
    "gate_gradients": gate_gradients,
    "lstm_step_backward": step_backward,
    "lstm_unroll": all_steps,
    "lstm_unroll_backward": all_steps_backward,
}


@pytest.mark.parametrize("name", EXAMS)
def test_a_solution_is_the_packages_lstm_with_coupled_gates(name):
    for case, leaves in zip(EXAMS[name].cases, EXAMS[name].expected):
        for leaf, want in zip(leaves, tree_leaves(PACKAGE[name](*case)), strict=True):
            assert relative_error(leaf, want) <= 1e-12


@pytest.mark.parametrize("k", range(3))
def test_the_gradients_of_a_step_are_the_slopes(k):
    params, x, previous, gates, state, dstate = EXAMS["lstm_step_backward"].cases[k]

    def loss(point):
        after, _ = mine.lstm_step(*point)
        return np.sum(dstate.h * after.h) + np.sum(dstate.c * after.c)

    want = numerical_gradient(loss, (params, x, previous))
    got = mine.lstm_step_backward(params, x, previous, gates, state, dstate)
    assert all(relative_error(*pair) <= 1e-12 for pair in zip(tree_leaves(got), tree_leaves(want)))


@pytest.mark.parametrize("k", range(3))
def test_the_gradients_through_time_are_the_slopes(k):
    params, xs, first, states, gates, dhs, dlast = EXAMS["lstm_unroll_backward"].cases[k]

    def loss(point):
        after, _ = mine.lstm_unroll(*point)
        last = np.sum(dlast.h * after.h[-1]) + np.sum(dlast.c * after.c[-1])
        return np.sum(dhs * after.h) + last

    want = numerical_gradient(loss, (params, xs, first))
    got = mine.lstm_unroll_backward(params, xs, first, states, gates, dhs, dlast)
    assert all(relative_error(*pair) <= 1e-12 for pair in zip(tree_leaves(got), tree_leaves(want)))


@pytest.mark.parametrize("k", range(3))
def test_agrees_with_pytorch(k):
    torch = pytest.importorskip("torch")
    params, xs, first, states, gates, dhs, dlast = EXAMS["lstm_unroll_backward"].cases[k]
    W_x, W_h, b, inputs, h, c = leaves = [
        torch.tensor(leaf, requires_grad=True) for leaf in (*params, xs, *first)
    ]
    loss = 0.0
    for x, dh in zip(inputs, torch.tensor(dhs)):
        a_i, a_o, a_g = (x @ W_x + h @ W_h + b).chunk(3, dim=1)
        i, o, g = torch.sigmoid(a_i), torch.sigmoid(a_o), torch.tanh(a_g)
        c = (1 - i) * c + i * g
        h = torch.tanh(o * c)
        loss = loss + (dh * h).sum()
    (loss + (torch.tensor(dlast.h) * h).sum() + (torch.tensor(dlast.c) * c).sum()).backward()
    got = tree_leaves(mine.lstm_unroll_backward(params, xs, first, states, gates, dhs, dlast))
    for leaf, one in zip(leaves, got, strict=True):
        assert relative_error(one, leaf.grad.numpy()) <= 1e-12


# What the chapters print is no answer. Each copy is put into the form that the question asks for.


def gates_of_chapter_10(gates, c_previous, state, dh, dc_next):
    i, o, g = gates
    f, tanh_c = 1 - i, np.tanh(state.c)
    do, dc = dh * tanh_c, dc_next + dh * o * (1 - tanh_c**2)
    di, dg = dc * g, dc * i
    return mine.LSTMGates(di * i * (1 - i), do * o * (1 - o), dg * (1 - g**2)), dc * f


def gates_of_chapter_11(gates, c_previous, state, dh, dc_next):
    i, o, g = gates
    tanh_c = np.tanh(state.c)
    do, dc = dh * tanh_c, dc_next + dh * o * (1 - tanh_c**2)
    di, dg = dc * (g - c_previous), dc * i
    return mine.LSTMGates(di * i * (1 - i), do * o * (1 - o), dg * (1 - g**2)), dc * (1 - i)


def chapter_10_through_time(params, xs, first, states, gates, dhs, dlast):
    four = four_gates(params)
    _, cache = unroll(lstm(), four, xs, LSTMState(*first))
    dfour, dxs, dfirst = unroll_backward(lstm(), four, cache, (dhs, LSTMState(*dlast)))
    kept = [np.split(leaf, 4, axis=-1) for leaf in dfour]
    return (
        mine.LSTMParams(*[np.concatenate([i, o, g], axis=-1) for i, _, o, g in kept]),
        dxs,
        dfirst,
    )


def chapter_11_through_time(params, xs, first, states, gates, dhs, dlast):
    three = CoupledLSTM.Params(*params)
    _, cache = unroll(CoupledLSTM, three, xs, LSTMState(*first))
    return unroll_backward(CoupledLSTM, three, cache, (dhs, LSTMState(*dlast)))


def one_step(through_time):
    def backward(params, x, previous, gates, state, dstate):
        dparams, dxs, dfirst = through_time(
            params, x[None], previous, None, None, 0 * dstate.h[None], dstate
        )
        return dparams, dxs[0], dfirst

    return backward


COPIES = {
    "gate_gradients": (gates_of_chapter_10, gates_of_chapter_11),
    "lstm_step_backward": (one_step(chapter_10_through_time), one_step(chapter_11_through_time)),
    "lstm_unroll_backward": (chapter_10_through_time, chapter_11_through_time),
}


def credit(exam, function):
    answers = [
        Answer(e["case"], e["turn"], *(tree or (None, None)), e.get("error"), e.get("born"))
        for e, tree in call_on_cases(function, exam.cases, {})
    ]
    assert all(answer.error is None for answer in answers)
    return judge(exam, answers).credit


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_of_a_chapter_earns_nothing(name):
    assert [credit(EXAMS[name], copy) for copy in COPIES[name]] == [0, 0]


def test_every_question_of_four_points_or_more_is_tried_with_copies():
    course = load_course(Path(__file__).parents[2] / "assignments" / "course.toml")
    points = course.assignments["02_lstm"].points
    assert {name for name, worth in points.items() if worth >= 4} == COPIES.keys()
