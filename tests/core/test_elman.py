"""The vanilla cell: the step and its backward, by the formula and by the complex step.

It is compared with PyTorch, Keras, onnxruntime and autograd. Bad input is refused.
"""

import math

import numpy as np
import pytest
from judges import GRID, assert_close, onnx_feed, onnx_run, torch_elman, torch_or_skip, torch_unroll

from rnn_tutorial import activations, initializers
from rnn_tutorial.cells import (
    Elman,
    ElmanParams,
    ElmanState,
    elman,
    elman_step,
    elman_step_backward,
)
from rnn_tutorial.gradient_check import GradientError, check_cell, check_gradients, random_start
from rnn_tutorial.sequence import unroll, unroll_backward
from rnn_tutorial.tree import tree_cast, tree_leaves
from rnn_tutorial.validation import NotFiniteError

B, D, H = 3, 4, 5


@pytest.fixture
def start(rng):
    params, state = random_start(Elman, rng, B, D, H)
    return params, rng.standard_normal((B, D)), state


def test_the_step_is_the_formula_one_number_at_a_time(start):
    params, x, state = start
    new, _ = elman_step(params, x, state)
    for row in range(B):
        for k in range(H):
            a = params.b[k]
            a += math.fsum(x[row, j] * params.W_x[j, k] for j in range(D))
            a += math.fsum(state.h[row, j] * params.W_h[j, k] for j in range(H))
            assert new.h[row, k] == pytest.approx(math.tanh(a), rel=1e-13)


def test_every_gradient_of_the_step_is_the_slope(start, rng):
    def backward(cache, dstate):
        dparams, dx, dprevious = elman_step_backward(start[0], cache, dstate)
        return dparams, dx, dprevious

    check_gradients(lambda point: elman_step(*point), backward, start, rng)


ACTIVATIONS = [
    activations.tanh,
    activations.sigmoid,
    activations.relu,
    activations.elu(0.7),
    activations.leaky_relu(0.2),
    activations.hard_sigmoid(),
    activations.identity,
]


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=lambda a: a.name)
def test_every_gradient_over_time_is_the_slope_for_every_activation(activation, rng):
    check_cell(elman(activation), rng)


def test_a_broken_backward_is_caught_and_named(rng):
    def lost(params, cache, dstate):
        down, da_x, da_h, dprevious = Elman.pointwise_backward(params, cache, dstate)
        return down, da_x, 0.5 * da_h, dprevious

    with pytest.raises(GradientError, match=r"\[0\].W_h: relative error"):
        check_cell(Elman.replace(pointwise_backward=lost), rng)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_of_the_parameters_is_the_dtype_of_everything(start, dtype):
    params, x, state = (tree_cast(part, dtype) for part in start)
    new, cache = elman_step(params, x, state)
    everything = (
        new,
        cache,
        *elman_step_backward(params, cache, new),
        Elman.initial_state(params, 2),
    )
    assert {leaf.dtype for leaf in tree_leaves(everything)} == {np.dtype(dtype)}


def test_nothing_is_changed_in_place(start):
    copies = [leaf.copy() for leaf in tree_leaves(start)]
    new, cache = elman_step(*start)
    dstate = ElmanState(np.ones((B, H)))
    elman_step_backward(start[0], cache, dstate)
    assert all(np.array_equal(old, leaf) for old, leaf in zip(copies, tree_leaves(start)))
    assert (dstate.h == 1).all()


def test_initial_weights_come_from_the_initializers_given():
    cell = elman(
        W_x=initializers.constant(2), W_h=initializers.identity(0.5), b=initializers.constant(-1)
    )
    params = cell.init(np.random.default_rng(0), 2, 3)
    np.testing.assert_array_equal(params.W_x, np.full((2, 3), 2.0))
    np.testing.assert_array_equal(params.W_h, 0.5 * np.eye(3))
    np.testing.assert_array_equal(params.b, [-1.0, -1.0, -1.0])
    default = Elman.init(np.random.default_rng(0), 2, 3)
    np.testing.assert_allclose(default.W_h @ default.W_h.T, np.eye(3), atol=1e-12)
    assert (default.b == 0).all() and np.abs(default.W_x).max() <= np.sqrt(6 / 5)


@pytest.mark.parametrize(
    "sizes, name", [((0, 3), "input_size"), ((2, 0), "hidden_size"), ((2.0, 3), "input_size")]
)
def test_a_size_that_is_not_a_positive_whole_number_is_refused(sizes, name):
    with pytest.raises(ValueError, match=f"{name}: expected a positive whole number"):
        Elman.init(np.random.default_rng(0), *sizes)


def test_checking_a_cell_wants_a_generator():
    with pytest.raises(TypeError, match="rng: expected a generator.* got int"):
        check_cell(Elman, 0)


def test_a_function_in_the_place_of_an_activation_is_refused():
    with pytest.raises(
        TypeError, match="activation: expected an Activation, such as activations.tanh, got ufunc"
    ):
        elman(np.tanh)


BAD_STEPS = [
    (lambda p, x, s: (p, x[0], s), ValueError, r"x: expected shape \(B, D=4\), got \(4,\)"),
    (lambda p, x, s: (p, x[:, :3], s), ValueError, r"x: expected shape \(B, D=4\), got \(3, 3\)"),
    (
        lambda p, x, s: (p, x[:1], s),
        ValueError,
        r"state.h: expected shape \(B=1, H=5\), got \(3, 5\)",
    ),
    (
        lambda p, x, s: (p, x, ElmanState(s.h[0])),
        ValueError,
        r"state.h: expected shape \(B=3, H=5\), got \(5,\)",
    ),
    (
        lambda p, x, s: (p, x.astype(int), s),
        TypeError,
        "x: expected dtype float64, the dtype of the parameters, got int64",
    ),
    (
        lambda p, x, s: (p, x.astype(np.float32), s),
        TypeError,
        "x: expected dtype float64.* got float32",
    ),
    (
        lambda p, x, s: (p, x, tree_cast(s, np.float32)),
        TypeError,
        "state.h: expected dtype float64.* got float32",
    ),
    (
        lambda p, x, s: (p, x * np.nan, s),
        NotFiniteError,
        r"x: expected finite numbers, got nan at index \(0, 0\)",
    ),
    (
        lambda p, x, s: (p, x, ElmanState(s.h / 0)),
        NotFiniteError,
        r"state.h: expected finite numbers, got -?inf",
    ),
]


@pytest.mark.parametrize("spoil, error, message", BAD_STEPS)
def test_a_step_refuses_what_does_not_fit(start, spoil, error, message):
    with np.errstate(divide="ignore"), pytest.raises(error, match=message):
        elman_step(*spoil(*start))


def test_a_gradient_of_another_shape_is_refused(start):
    _, cache = elman_step(*start)
    with pytest.raises(ValueError, match=r"dstate.h: expected shape \(3, 5\), got \(5,\)"):
        elman_step_backward(start[0], cache, ElmanState(np.ones(H)))


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
@pytest.mark.parametrize("B, T, D, H, lengths", GRID)
def test_agrees_with_pytorch(B, T, D, H, lengths, nonlinearity):
    """Outputs, last state and every gradient agree to 1e-12 in float64."""
    torch = torch_or_skip()
    rng = np.random.default_rng(B * T + H)
    cell = elman(getattr(activations, nonlinearity))
    params, state = random_start(cell, rng, B, D, H)
    xs, dhs = rng.standard_normal((T, B, D)), rng.standard_normal((T, B, H))
    dlast = ElmanState(rng.standard_normal((B, H)))
    mask = np.arange(T)[:, None] < np.array(lengths)
    (hs, last), cache = unroll(cell, params, xs, state, mask)
    dparams, dxs, dfirst = unroll_backward(cell, params, cache, (dhs, dlast))

    their_hs, their_last, theirs = torch_unroll(
        torch, torch_elman(torch, params, nonlinearity), xs, state, lengths, dhs, dlast
    )
    assert_close("hs", hs, their_hs, 1e-12)
    assert_close("last state", last.h, their_last.h, 1e-12)
    assert_close("dh_first", dfirst.h, theirs["state"].h, 1e-12)
    for name, ours in {"W_x": dparams.W_x, "W_h": dparams.W_h, "b": dparams.b, "xs": dxs}.items():
        assert_close(name, ours, theirs[name], 1e-12)


def test_agrees_with_keras():
    """The forward of Keras's SimpleRNN: kernels not transposed, batch first, one bias."""
    keras = pytest.importorskip("keras")
    rng = np.random.default_rng(3)
    params, state = (tree_cast(part, np.float32) for part in random_start(Elman, rng, B, D, H))
    xs = rng.standard_normal((6, B, D)).astype(np.float32)
    layer = keras.layers.SimpleRNN(H, return_sequences=True)
    layer.build((B, 6, D))
    layer.set_weights(list(params))
    theirs = layer(xs.swapaxes(0, 1), initial_state=state.h)
    (hs, _), _ = unroll(Elman, params, xs, state)
    assert_close("hs", hs.swapaxes(0, 1), np.asarray(keras.ops.convert_to_numpy(theirs)), 1e-6)


def test_agrees_with_onnxruntime():
    """The RNN operator of ONNX, with lengths and a first state. Its padded outputs are zero too."""
    rng = np.random.default_rng(4)
    T, lengths = 6, np.array([6, 4, 1])
    params, state = (tree_cast(part, np.float32) for part in random_start(Elman, rng, B, D, H))
    xs = rng.standard_normal((T, B, D)).astype(np.float32)
    Y, Y_h = onnx_run(
        "RNN", onnx_feed(xs, (*params, np.zeros_like(params.b)), state, lengths), ["Y", "Y_h"]
    )

    (hs, last), _ = unroll(Elman, params, xs, state, np.arange(T)[:, None] < lengths)
    assert_close("hs", hs, Y[:, 0], 1e-6)
    assert_close("last state", last.h, Y_h[0], 1e-6)


def test_agrees_with_autograd():
    """Automatic differentiation of a plain loop over the formula."""
    anp = pytest.importorskip("autograd.numpy")
    from autograd import grad

    rng = np.random.default_rng(5)
    params, state = random_start(Elman, rng, B, D, H)
    xs, dhs = rng.standard_normal((6, B, D)), rng.standard_normal((6, B, H))

    def loss(W_x, W_h, b, xs, h):
        total = 0.0
        for t in range(6):
            h = anp.tanh(anp.dot(xs[t], W_x) + anp.dot(h, W_h) + b)
            total = total + anp.sum(h * dhs[t])
        return total

    _, cache = unroll(Elman, params, xs, state)
    dparams, dxs, dfirst = unroll_backward(
        Elman, params, cache, (dhs, ElmanState(np.zeros((B, H))))
    )
    for k, ours in enumerate((*dparams, dxs, dfirst.h)):
        assert_close(f"argument {k}", ours, grad(loss, k)(*params, xs, state.h), 1e-12)


def test_params_have_the_fields_that_every_cell_begins_with():
    assert ElmanParams._fields == ("W_x", "W_h", "b")
