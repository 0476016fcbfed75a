"""The references of assignment 3 against the complex step, and the step of Chung et al."""

import numpy as np
import pytest

from rnn_course.questions import gru
from rnn_tutorial.activations import sigmoid
from rnn_tutorial.cells import GRUBeforeParams, GRUGates, GRUParams
from rnn_tutorial.gradient_check import numerical_gradient, relative_error
from rnn_tutorial.tree import tree_leaves

FORMS = pytest.mark.parametrize(
    "Params, step, backward",
    [
        (GRUParams, gru.gru_step, gru.gru_step_backward),
        (
            GRUBeforeParams,
            gru.gru_before_step,
            lambda *arguments: gru.gru_before_step_backward(*arguments)[1:],
        ),
    ],
    ids=["after", "before"],
)


def agree(one, other):
    return max(map(relative_error, tree_leaves(one), tree_leaves(other))) < 1e-12


def preactivations(gates):
    """Return the arguments of the sigmoids and of the tanh."""
    return GRUGates(*(np.log(gate / (1 - gate)) for gate in gates[:2]), np.arctanh(gates.n))


@FORMS
def test_the_gradients_of_a_step_are_slopes(Params, step, backward):
    rng = np.random.default_rng(3)
    params, x, h = gru.draw(rng, Params)
    dh = rng.standard_normal(h.shape)
    expected = numerical_gradient(lambda point: np.sum(dh * step(*point)[0]), (params, x, h))
    assert agree(backward(params, x, h, step(params, x, h)[1], dh), expected)


def test_the_gradients_of_the_gates_are_slopes_reset_after():
    params, h, gates, dh = gru.gate_cases(np.random.default_rng(4))[0]
    H = h.shape[1]
    s = h @ params.W_h[:, 2 * H :] + params.b_hn
    a = preactivations(gates)

    def loss(point):
        (a_r, a_z, a_xn), s = point
        z = sigmoid.f(a_z)
        return np.sum(dh * (z * h + (1 - z) * np.tanh(a_xn + sigmoid.f(a_r) * s)))

    assert agree(
        gru.gate_gradients(params, h, gates, dh),
        numerical_gradient(loss, (a._replace(n=a.n - gates.r * s), s)),
    )


def test_the_gradients_of_the_gates_are_slopes_reset_before():
    params, x, h, gates, dh = gru.before_step_backward_cases(np.random.default_rng(5))[0]
    a = preactivations(gates)

    def loss(point):
        z = sigmoid.f(point.z)
        return np.sum(
            dh * (z * h + (1 - z) * np.tanh(point.n + (sigmoid.f(point.r) * h) @ params.W_hn))
        )

    expected = numerical_gradient(loss, a._replace(n=a.n - (gates.r * h) @ params.W_hn))
    assert agree(gru.gru_before_step_backward(params, x, h, gates, dh)[0], expected)


@pytest.mark.parametrize(
    "convert, equal",
    [(gru.other_z, True), (lambda *arrays: arrays, False)],
    ids=["converted", "as it was"],
)
def test_z_on_the_candidate_gives_the_same_state_once_it_is_converted(convert, equal):
    params, x, h = gru.draw(np.random.default_rng(6), GRUParams)
    theirs = GRUParams(*convert(*params[:3]), params.b_hn)
    _, (_, z, n) = gru.gru_step(theirs, x, h)
    assert agree((1 - z) * h + z * n, gru.gru_step(params, x, h)[0]) == equal
