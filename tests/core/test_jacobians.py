"""The Jacobian of a late state by an early one, compared with the complex step and PyTorch."""

import numpy as np
import pytest

from rnn_tutorial.activations import relu
from rnn_tutorial.cells import Elman, ElmanParams, ElmanState, elman, elman_step
from rnn_tutorial.gradient_check import random_start
from rnn_tutorial.initializers import identity
from rnn_tutorial.sequence import elman_jacobian, jacobian_norms, jacobians, unroll
from rnn_tutorial.tree import tree_cast

T, B, D, H = 5, 3, 4, 6


@pytest.fixture
def problem():
    rng = np.random.default_rng(5)
    params, state = random_start(Elman, rng, B, D, H)
    return params, rng.standard_normal((T, B, D)), state


def last_state(params, xs, h):
    """Return h_T of the Elman network, one step after another; accepts complex numbers."""
    for x in xs:
        h = np.tanh(x @ params.W_x + h @ params.W_h + params.b)
    return h


def complex_step_jacobian(f, h, step=1e-20):
    """Return d f(h)[b, k] / d h[b, i] as (B, k, i).

    Unit i of all sequences is moved at once, since no sequence sees another.
    """
    columns = [np.imag(f(h + 1j * step * unit)) / step for unit in np.eye(h.shape[1])]
    return np.stack(columns, axis=-1)


def states_before(params, xs, state):
    """Return h_0, h_1, ..., h_T."""
    return [last_state(params, xs[:t], state.h) for t in range(len(xs) + 1)]


def test_every_entry_at_every_distance_agrees_with_the_complex_step(problem):
    params, xs, state = problem
    found = jacobians(Elman, params, xs, state)
    assert found.shape == (T + 1, B, H, H)
    for distance in range(T + 1):
        t = T - distance
        h = states_before(params, xs, state)[t]
        want = complex_step_jacobian(lambda h, t=t: last_state(params, xs[t:], h), h)
        np.testing.assert_allclose(found[distance], want, rtol=1e-12, atol=1e-15)


def test_one_elman_step_agrees_with_the_complex_step(problem):
    params, xs, state = problem
    new_state, _ = elman_step(params, xs[0], state)
    want = complex_step_jacobian(lambda h: last_state(params, xs[:1], h), state.h)
    np.testing.assert_allclose(elman_jacobian(params, new_state.h), want, rtol=1e-12, atol=1e-15)


def test_the_product_of_the_steps_is_the_jacobian(problem):
    params, xs, state = problem
    (hs, _), _ = unroll(Elman, params, xs, state)
    product, found = np.eye(H), jacobians(Elman, params, xs, state)
    for distance, h in enumerate(hs[::-1], start=1):
        product = product @ elman_jacobian(params, h)
        np.testing.assert_allclose(found[distance], product, rtol=1e-12, atol=1e-15)


def test_the_norm_is_the_largest_stretch_of_any_direction(problem):
    params, xs, state = problem
    norms, found = jacobian_norms(Elman, params, xs, state), jacobians(Elman, params, xs, state)
    assert norms.shape == (T + 1, B)
    np.testing.assert_allclose(
        norms**2, np.linalg.eigvalsh(found @ found.swapaxes(-1, -2))[..., -1], rtol=1e-10
    )
    directions = np.random.default_rng(0).standard_normal((1000, 1, 1, 1, H))
    stretch = np.linalg.norm(directions @ found, axis=-1) / np.linalg.norm(directions, axis=-1)
    assert (stretch.max(axis=0)[..., 0] <= norms * (1 + 1e-12)).all()


def test_a_linear_identity_network_loses_nothing_over_time():
    cell = elman(relu, W_h=identity())
    rng = np.random.default_rng(0)
    params = cell.init(rng, D, H)
    params = params._replace(W_x=np.abs(params.W_x))  # every unit stays above zero
    norms = jacobian_norms(cell, params, rng.random((T, B, D)), ElmanState(np.ones((B, H))))
    assert (norms == 1).all()


def test_the_norm_never_passes_the_bound_of_chapter_06(problem):
    params, xs, state = problem
    sigma = np.linalg.norm(params.W_h, ord=2)
    bound = sigma ** np.arange(T + 1)[:, None]
    assert (jacobian_norms(Elman, params, xs, state) <= bound * (1 + 1e-12)).all()


def test_a_sequence_does_not_depend_on_the_others_of_its_batch(problem):
    params, xs, state = problem
    alone = jacobians(Elman, params, xs[:, 1:2], ElmanState(state.h[1:2]))
    np.testing.assert_allclose(
        jacobians(Elman, params, xs, state)[:, 1:2], alone, rtol=1e-13, atol=1e-16
    )


def test_float32_stays_float32(problem):
    single = tree_cast(problem, np.float32)
    assert jacobians(Elman, *single).dtype == np.float32
    assert elman_jacobian(single[0], single[2].h).dtype == np.float32


def test_the_arguments_are_not_changed(problem):
    params, xs, state = problem
    before = tree_cast(problem, np.float64)
    jacobians(Elman, params, xs, state)
    for old, new in zip((*before[0], before[1], *before[2]), (*params, xs, *state), strict=True):
        assert np.array_equal(old, new)


def test_a_state_without_its_batch_axis_is_refused(problem):
    params, xs, state = problem
    with pytest.raises(ValueError, match=r"h: expected shape \(B, H=6\), got \(6,\)"):
        elman_jacobian(params, state.h[0])


def test_a_state_that_does_not_fit_the_inputs_is_refused(problem):
    params, xs, state = problem
    with pytest.raises(ValueError, match="state"):
        jacobians(Elman, params, xs, ElmanState(state.h[:, :-1]))
    with pytest.raises(ValueError, match=r"state.h: expected shape \(3, 6\), got \(2, 6\)"):
        jacobians(Elman, params, xs, ElmanState(state.h[:-1]))


def test_the_jacobian_agrees_with_pytorch(problem):
    torch = pytest.importorskip("torch")
    params, xs, state = problem
    W_x, W_h, b = map(torch.as_tensor, ElmanParams(*params))

    def run(h):
        for x in torch.as_tensor(xs[:, 0]):
            h = torch.tanh(x @ W_x + h @ W_h + b)
        return h

    want = torch.autograd.functional.jacobian(run, torch.as_tensor(state.h[0])).numpy()
    np.testing.assert_allclose(
        jacobians(Elman, params, xs, state)[T, 0], want, rtol=1e-12, atol=1e-15
    )
