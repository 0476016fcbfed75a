"""Real-time recurrent learning, compared with the complex step, PyTorch and backpropagation."""

import numpy as np
import pytest

from rnn_tutorial.cells import Elman, ElmanParams, ElmanState, elman_step
from rnn_tutorial.gradient_check import (
    complex_step_slope,
    numerical_gradient,
    random_start,
    relative_error,
)
from rnn_tutorial.sequence import (
    elman_rtrl,
    elman_sensitivity,
    elman_sensitivity_step,
    unroll,
    unroll_backward,
)
from rnn_tutorial.tree import tree_cast, tree_dot, tree_leaves, tree_random_like, tree_zeros_like

SIZES = [(1, 1, 1, 1), (1, 2, 3, 4), (6, 3, 4, 5), (9, 1, 2, 6)]  # T, B, D, H


def problem(T=6, B=3, D=4, H=5, seed=0):
    """Return random params, xs, first state and upstream dhs, nothing of it zero."""
    rng = np.random.default_rng(seed)
    params, state = random_start(Elman, rng, B, D, H)
    return params, rng.standard_normal((T, B, D)), state, rng.standard_normal((T, B, H))


def states(params, xs, state):
    return unroll(Elman, params, xs, state)[0][0]


def largest_error(dparams, reference):
    return max(
        relative_error(d, r)
        for d, r in zip(tree_leaves(dparams), tree_leaves(reference), strict=True)
    )


@pytest.mark.parametrize("sizes", SIZES)
def test_forward_and_backward_in_time_give_one_gradient(sizes):
    params, xs, state, dhs = problem(*sizes)
    (_, last_state), cache = unroll(Elman, params, xs, state)
    dparams, _, _ = unroll_backward(Elman, params, cache, (dhs, tree_zeros_like(last_state)))
    assert largest_error(elman_rtrl(params, xs, state, dhs), dparams) < 1e-12


@pytest.mark.parametrize("sizes", SIZES)
def test_the_gradient_is_the_slope_along_a_random_direction(sizes):
    params, xs, state, dhs = problem(*sizes)
    direction = tree_random_like(params, np.random.default_rng(1))
    slope = complex_step_slope(
        lambda p: tree_dot(states(p, xs.astype(complex), tree_cast(state, complex)), dhs),
        params,
        direction,
    )
    assert tree_dot(elman_rtrl(params, xs, state, dhs), direction) == pytest.approx(
        slope, rel=1e-12
    )


def test_the_sensitivity_is_the_slope_of_the_state():
    params, xs, state, _ = problem(T=4)
    now, sensitivity = state, elman_sensitivity(params, state)
    for t, x in enumerate(xs):
        now, sensitivity = elman_sensitivity_step(params, x, now, sensitivity)
        for n, k in [(0, 0), (2, 3)]:
            d = numerical_gradient(
                lambda p, t=t, n=n, k=k: states(p, *tree_cast((xs, state), complex))[t, n, k],
                params,
            )
            assert relative_error(sensitivity[n, :, :, k], np.vstack([d.W_x, d.W_h, d.b])) < 1e-12


def test_the_state_goes_forward_as_in_the_step():
    params, xs, state, _ = problem()
    after, _ = elman_sensitivity_step(params, xs[0], state, elman_sensitivity(params, state))
    np.testing.assert_array_equal(after.h, elman_step(params, xs[0], state)[0].h)


def test_a_gradient_that_arrives_at_one_step_ignores_the_steps_after_it():
    params, xs, state, dhs = problem()
    dhs[3:] = 0
    cut = elman_rtrl(params, xs[:3], state, dhs[:3])
    assert largest_error(elman_rtrl(params, xs, state, dhs), cut) < 1e-12


def test_pytorch_agrees():
    torch = pytest.importorskip("torch")
    params, xs, state, dhs = problem()
    leaves = [torch.tensor(leaf, requires_grad=True) for leaf in params]
    h, loss = torch.tensor(state.h), 0.0
    for x, dh in zip(xs, dhs, strict=True):
        h = torch.tanh(torch.tensor(x) @ leaves[0] + h @ leaves[1] + leaves[2])
        loss = loss + (h * torch.tensor(dh)).sum()
    loss.backward()
    reference = ElmanParams(*(leaf.grad.numpy() for leaf in leaves))
    assert largest_error(elman_rtrl(params, xs, state, dhs), reference) < 1e-12


def test_float32_stays_float32():
    params, xs, state, dhs = tree_cast(problem(), np.float32)
    assert {leaf.dtype for leaf in tree_leaves(elman_rtrl(params, xs, state, dhs))} == {
        np.dtype(np.float32)
    }


def test_nothing_of_the_caller_is_changed():
    point = problem()
    before = [leaf.copy() for leaf in tree_leaves(point)]
    elman_rtrl(*point)
    assert all(
        np.array_equal(old, new) for old, new in zip(before, tree_leaves(point), strict=True)
    )


def test_bad_input_is_named():
    params, xs, state, dhs = problem()
    with pytest.raises(ValueError, match=r"dhs: expected shape \(6, 3, 5\), got \(5, 3, 5\)"):
        elman_rtrl(params, xs, state, dhs[1:])
    with pytest.raises(ValueError, match=r"x: expected shape"):
        elman_rtrl(params, xs[..., 1:], state, dhs)
    with pytest.raises(ValueError, match=r"state.h: expected shape"):
        elman_rtrl(params, xs, ElmanState(state.h[1:]), dhs)
    with pytest.raises(TypeError, match=r"dhs: expected dtype float64, got float32"):
        elman_rtrl(params, xs, state, dhs.astype(np.float32))
    with pytest.raises(ValueError, match=r"sensitivity: expected shape \(3, 10, 5, 5\)"):
        elman_sensitivity_step(params, xs[0], state, np.zeros((3, 10, 5, 4)))
