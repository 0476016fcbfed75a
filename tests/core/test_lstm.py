"""The LSTM: the step and its backward, by the formula and by the complex step.

It is compared with other libraries. Bad input is refused.
"""

import math

import numpy as np
import pytest
from judges import GRID, assert_close, reorder_gates, torch_lstm, torch_or_skip, torch_unroll
from mutation import without_crosscheck

from rnn_tutorial import activations, initializers
from rnn_tutorial.cells import (
    LSTM,
    LSTM1997,
    LSTMActivations,
    LSTMGates,
    LSTMParams,
    LSTMState,
    LSTMValues,
    gate_blocks,
    lstm,
    lstm_gates_backward,
    lstm_pointwise,
    lstm_pointwise_backward,
    lstm_step,
    lstm_step_backward,
)
from rnn_tutorial.gradient_check import (
    GradientError,
    check_cell,
    check_gradients,
    numerical_gradient,
    random_start,
)
from rnn_tutorial.sequence import unroll, unroll_backward
from rnn_tutorial.tree import tree_cast, tree_dot, tree_leaves, tree_map, tree_random_like
from rnn_tutorial.validation import NotFiniteError

B, D, H = 3, 4, 5


@pytest.fixture
def start(rng):
    params, state = random_start(LSTM, rng, B, D, H)
    return params, rng.standard_normal((B, D)), state


def sigmoid(a):
    return 1 / (1 + math.exp(-a))


def test_the_step_is_the_formula_one_number_at_a_time(start):
    params, x, state = start
    new, cache = lstm_step(params, x, state)
    for row in range(B):
        for k in range(H):
            a_i, a_f, a_o, a_g = (
                params.b[column]
                + math.fsum(x[row, j] * params.W_x[j, column] for j in range(D))
                + math.fsum(state.h[row, j] * params.W_h[j, column] for j in range(H))
                for column in (k, H + k, 2 * H + k, 3 * H + k)
            )
            i, f, o, g = sigmoid(a_i), sigmoid(a_f), sigmoid(a_o), math.tanh(a_g)
            c = f * state.c[row, k] + i * g
            expected = {"i": i, "f": f, "o": o, "g": g, "tanh_c": math.tanh(c)}
            assert {name: getattr(cache, name)[row, k] for name in expected} == pytest.approx(
                expected, rel=1e-13
            )
            assert new.c[row, k] == pytest.approx(c, rel=1e-13)
            assert new.h[row, k] == pytest.approx(o * math.tanh(c), rel=1e-13)


def test_every_gradient_of_the_step_is_the_slope(start, rng):
    check_gradients(
        lambda point: lstm_step(*point),
        lambda cache, d: lstm_step_backward(start[0], cache, d),
        start,
        rng,
    )


def test_the_step_is_what_unroll_runs(start, rng):
    """One step of `unroll` has the values and the gradients of the specification."""
    params, x, state = start
    new, cache = lstm_step(params, x, state)
    dstate = tree_random_like(new, rng)
    dparams, dx, dprevious = lstm_step_backward(params, cache, dstate)

    (hs, last), unroll_cache = unroll(LSTM, params, x[None], state)
    unrolled = unroll_backward(LSTM, params, unroll_cache, (np.zeros((1, B, H)), dstate))
    once_by_h = unroll_backward(
        LSTM, params, unroll_cache, (dstate.h[None], dstate._replace(h=np.zeros((B, H))))
    )
    ours = (hs[0], last, unroll_cache.steps[0], unrolled, once_by_h)
    values = LSTMValues(state.c, cache.i, cache.f, cache.o, cache.g, cache.tanh_c)
    gradients = dparams, dx[None], dprevious
    for value, reference in zip(
        tree_leaves(ours), tree_leaves((new.h, new, values, gradients, gradients)), strict=True
    ):
        assert_close("step", value, reference, 1e-14)


def test_the_pointwise_part_is_the_step_without_its_products(start, rng):
    params, x, state = start
    new, cache = lstm_step(params, x, state)
    dstate = tree_random_like(new, rng)
    dparams, dx, dprevious = lstm_step_backward(params, cache, dstate)
    pointwise_new, values = lstm_pointwise(
        params, x @ params.W_x + params.b, state.h @ params.W_h, state
    )
    dextra, da_x, da_h, dpointwise = lstm_pointwise_backward(params, values, dstate)
    assert dextra == {} and (dpointwise.h == 0).all()
    pairs = {
        "h": (pointwise_new.h, new.h),
        "c": (pointwise_new.c, new.c),
        "dW_x": (x.T @ da_x, dparams.W_x),
        "dW_h": (state.h.T @ da_h, dparams.W_h),
        "db": (da_x.sum(axis=0), dparams.b),
        "dx": (da_x @ params.W_x.T, dx),
        "dh_previous": (da_h @ params.W_h.T, dprevious.h),
        "dc_previous": (dpointwise.c, dprevious.c),
    }
    for name, (ours, theirs) in pairs.items():
        assert_close(name, ours, theirs, 1e-13)


ACTIVATIONS = [
    activations.tanh,
    activations.sigmoid,
    activations.relu,
    activations.elu(0.7),
    activations.leaky_relu(0.2),
    activations.hard_sigmoid(),
    activations.identity,
]
TURNS = [LSTMActivations(*(ACTIVATIONS[(turn + k) % 7] for k in range(5))) for turn in range(7)]


@pytest.mark.parametrize("turn", TURNS, ids=lambda turn: turn.i.name)
def test_every_gradient_over_time_is_the_slope_for_every_activation_in_every_gate(turn, rng):
    """No two gates have the same activation, so one taken for another's is seen."""
    check_cell(lstm(**turn._asdict()), rng)


def test_every_gradient_over_time_is_the_slope(rng):
    check_cell(LSTM, rng)
    check_cell(LSTM, rng, T=1, B=1, D=1, H=1)


@pytest.mark.parametrize(
    "turn", [LSTMActivations(), TURNS[0], TURNS[3]], ids=lambda turn: turn.i.name
)
def test_every_intermediate_gradient_is_the_slope(turn, rng):
    """di, df, do, dg, dc and the four da: each agrees with the complex step of the loss."""
    a, c_previous, dstate = (
        rng.standard_normal((B, 4 * H)),
        rng.standard_normal((B, H)),
        LSTMState(*rng.standard_normal((2, B, H))),
    )
    previous = LSTMState(np.zeros((B, H)), c_previous)
    params, zeros = None, np.zeros((B, 4 * H))
    new, values = lstm_pointwise(params, a, zeros, previous, activations=turn)
    dgates, dc = lstm_gates_backward(values, dstate, activations=turn)
    _, da, da_h, dprevious = lstm_pointwise_backward(params, values, dstate, activations=turn)

    def loss_of_c(c, o=values.o):
        return tree_dot(LSTMState(h=o * turn.c.f(c), c=c), dstate)

    def loss_of_gates(i, f, o, g):
        return loss_of_c(f * c_previous + i * g, o)

    def loss_of_a(a, c_previous=c_previous):
        i, f, o, g = gate_blocks(a, LSTMGates)
        return loss_of_c(turn.f.f(f) * c_previous + turn.i.f(i) * turn.g.f(g), turn.o.f(o))

    gates = LSTMGates(values.i, values.f, values.o, values.g)
    assert_close("dc", dc, numerical_gradient(lambda p: loss_of_c(*p), (new.c,))[0], 1e-12)
    for name, ours, slope in zip(
        "ifog", dgates, numerical_gradient(lambda p: loss_of_gates(*p), gates)
    ):
        assert_close(f"d{name}", ours, slope, 1e-12)
    da_slope, dc_slope = numerical_gradient(lambda p: loss_of_a(*p), (a, c_previous))
    for name, ours, slope in zip(
        "ifog", gate_blocks(da, LSTMGates), gate_blocks(da_slope, LSTMGates)
    ):
        assert_close(f"da_{name}", ours, slope, 1e-12)
    assert_close("dc_previous", dprevious.c, dc_slope, 1e-12)
    np.testing.assert_array_equal(da_h, da)


def test_the_gradients_of_the_gates_are_elementwise_and_take_all_steps_at_once(rng):
    values, dstate = (
        LSTMValues(*rng.standard_normal((6, 7, B, H))),
        LSTMState(*rng.standard_normal((2, 7, B, H))),
    )
    whole = lstm_gates_backward(values, dstate)
    for t in range(7):
        one = lstm_gates_backward(
            tree_map(lambda v, t=t: v[t], values), tree_map(lambda v, t=t: v[t], dstate)
        )
        for all_steps, step in zip(tree_leaves(whole), tree_leaves(one), strict=True):
            np.testing.assert_array_equal(all_steps[t], step)


def with_change(change):
    """Return the LSTM with `change(values, dstate, *parts) -> parts` in its backward.

    parts: da_x, da_h, dprevious.
    """

    def backward(params, values, dstate):
        _, *parts = lstm_pointwise_backward(params, values, dstate)
        return {}, *change(values, dstate, *parts)

    return LSTM.replace(pointwise_backward=backward)


def forgetting_c(values, dstate, da_x, da_h, dprevious):
    return da_x, da_h, dprevious._replace(c=np.zeros_like(dprevious.c))


def keeping_c_whole(values, dstate, da_x, da_h, dprevious):
    return da_x, da_h, dprevious._replace(c=dprevious.c / values.f)


def without_the_path_through_h(values, dstate, da_x, da_h, dprevious):
    _, da_x, da_h, dprevious = lstm_pointwise_backward(
        None, values, dstate._replace(h=np.zeros_like(dstate.h))
    )
    return da_x, da_h, dprevious


def without_the_slope_of_f(values, dstate, da_x, da_h, dprevious):
    da_i, da_f, da_o, da_g = np.split(da_x, 4, axis=1)
    da = np.concatenate([da_i, da_f / (values.f * (1 - values.f)), da_o, da_g], axis=1)
    return da, da, dprevious


def with_i_and_g_exchanged(values, dstate, da_x, da_h, dprevious):
    return reorder_gates(da_x, "ifog", "gfoi"), reorder_gates(da_h, "ifog", "gfoi"), dprevious


def with_a_gradient_of_h_twice(values, dstate, da_x, da_h, dprevious):
    return da_x, da_h, dprevious._replace(h=dstate.h)


BROKEN = [
    forgetting_c,
    keeping_c_whole,
    without_the_path_through_h,
    without_the_slope_of_f,
    with_i_and_g_exchanged,
    with_a_gradient_of_h_twice,
]


@pytest.mark.parametrize("change", BROKEN)
def test_a_broken_backward_is_caught_and_named(change, rng):
    with without_crosscheck(), pytest.raises(GradientError, match=r"\[0\].W_x: relative error"):
        check_cell(with_change(change), rng, T=3)


def test_the_recurrent_weights_alone_are_named_when_they_alone_are_wrong(rng):
    wrong = with_change(lambda values, dstate, da_x, da_h, dprevious: (da_x, 0.5 * da_h, dprevious))
    with pytest.raises(GradientError, match=r"\[0\].W_h: relative error"):
        check_cell(wrong, rng, T=1)


def test_a_step_that_loses_the_path_of_c_is_caught_and_named(start, rng):
    def backward(cache, dstate):
        return lstm_step_backward(start[0], cache, dstate._replace(c=np.zeros((B, H))))

    with pytest.raises(GradientError, match=r"\[2\].c: relative error"):
        check_gradients(lambda point: lstm_step(*point), backward, start, rng)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_of_the_parameters_is_the_dtype_of_everything(start, dtype):
    params, x, state = (tree_cast(part, dtype) for part in start)
    new, cache = lstm_step(params, x, state)
    dstate = tree_map(np.ones_like, new)
    (hs, last), unroll_cache = unroll(LSTM, params, np.stack([x] * 3), state)
    back = unroll_backward(LSTM, params, unroll_cache, (hs, last))
    everything = (
        new,
        cache,
        lstm_step_backward(params, cache, dstate),
        LSTM.initial_state(params, 2),
        hs,
        last,
        back,
    )
    assert {leaf.dtype for leaf in tree_leaves((everything, unroll_cache.steps))} == {
        np.dtype(dtype)
    }


@pytest.mark.parametrize("turn", TURNS, ids=lambda turn: turn.i.name)
def test_other_activations_keep_float32_too(turn, start):
    params, x, state = (tree_cast(part, np.float32) for part in start)
    cell = lstm(**turn._asdict())
    outputs, cache = unroll(cell, params, x[None], state)
    back = unroll_backward(cell, params, cache, outputs)
    assert {leaf.dtype for leaf in tree_leaves((outputs, cache.steps, back))} == {
        np.dtype(np.float32)
    }


def test_nothing_is_changed_in_place(start, rng):
    new, cache = lstm_step(*start)
    dstate = tree_random_like(new, rng)
    _, values = lstm_pointwise(
        start[0], rng.standard_normal((B, 4 * H)), np.zeros((B, 4 * H)), start[2]
    )
    everything = start, new, cache, dstate, values
    copies = [leaf.copy() for leaf in tree_leaves(everything)]
    lstm_step(*start)
    lstm_step_backward(start[0], cache, dstate)
    lstm_pointwise_backward(start[0], values, dstate)
    lstm_gates_backward(values, dstate)
    assert all(
        np.array_equal(old, leaf) for old, leaf in zip(copies, tree_leaves(everything), strict=True)
    )


def test_the_first_state_is_zero(start):
    state = LSTM.initial_state(start[0], 2)
    assert type(state) is LSTMState and state.h is not state.c
    for leaf in state:
        np.testing.assert_array_equal(leaf, np.zeros((2, H)))


def test_initial_weights_each_gate_orthogonal_and_the_forget_gate_open():
    params = LSTM.init(np.random.default_rng(0), 2, 3)
    assert type(params) is LSTMParams
    assert [leaf.shape for leaf in params] == [(2, 12), (3, 12), (12,)]
    for V in gate_blocks(params.W_h, LSTMGates):
        np.testing.assert_allclose(V @ V.T, np.eye(3), atol=1e-12)
    assert np.abs(params.W_x).max() <= np.sqrt(
        6 / 5
    )  # the limit of Glorot for one gate of 3, not for a block of 12
    assert np.abs(params.W_x).max() > np.sqrt(6 / 14)
    np.testing.assert_array_equal(params.b, [0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0])


def test_initial_weights_come_from_the_initializers_given_and_the_forget_bias_is_added():
    cell = lstm(
        forget_bias=5,
        W_x=initializers.constant(2),
        W_h=initializers.identity(0.5),
        b=initializers.constant(-1),
    )
    params = cell.init(np.random.default_rng(0), 2, 3)
    np.testing.assert_array_equal(params.W_x, np.full((2, 12), 2.0))
    np.testing.assert_array_equal(params.W_h, np.tile(0.5 * np.eye(3), 4))
    np.testing.assert_array_equal(params.b, [-1] * 3 + [4] * 3 + [-1] * 6)
    np.testing.assert_array_equal(
        lstm(forget_bias=0).init(np.random.default_rng(0), 2, 3).b, np.zeros(12)
    )
    drawn = lstm(b=initializers.normal(1)).init(np.random.default_rng(0), 2, 3)
    without = lstm(b=initializers.normal(1), forget_bias=0.0).init(np.random.default_rng(0), 2, 3)
    np.testing.assert_allclose(drawn.b - without.b, [0] * 3 + [1] * 3 + [0] * 6, atol=1e-15)


def test_one_initializer_may_be_used_for_many_cells():
    """An initializer that returns the same array each time must not collect forget biases."""
    kept = np.zeros(3)
    cell = lstm(b=lambda rng, shape: kept)
    for _ in range(2):
        np.testing.assert_array_equal(
            cell.init(np.random.default_rng(0), 2, 3).b, [0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0]
        )
    assert (kept == 0).all()


@pytest.mark.parametrize(
    "sizes, name", [((0, 3), "input_size"), ((2, 0), "hidden_size"), ((2.0, 3), "input_size")]
)
def test_a_size_that_is_not_a_positive_whole_number_is_refused(sizes, name):
    with pytest.raises(ValueError, match=f"{name}: expected a positive whole number"):
        LSTM.init(np.random.default_rng(0), *sizes)


@pytest.mark.parametrize("bias", [float("nan"), float("inf"), "1", None, True])
def test_a_forget_bias_that_is_not_a_finite_number_is_refused(bias):
    with pytest.raises(ValueError, match="forget_bias: expected a finite number, got"):
        lstm(forget_bias=bias)


@pytest.mark.parametrize("gate", ["i", "f", "o", "g", "c"])
def test_a_function_in_the_place_of_an_activation_is_refused(gate):
    with pytest.raises(
        TypeError, match=f"^{gate}: expected an Activation, such as activations.tanh, got ufunc"
    ):
        lstm(**{gate: np.tanh})


BAD_STEPS = [
    (lambda p, x, s: (p, x[:, :1], s), ValueError, r"x: expected shape \(B, D=4\), got \(3, 1\)"),
    (
        lambda p, x, s: (p, x[:1], s),
        ValueError,
        r"state.h: expected shape \(B=1, H=5\), got \(3, 5\)",
    ),
    (
        lambda p, x, s: (p, x, s._replace(c=s.c[0])),
        ValueError,
        r"state.c: expected shape \(B=3, H=5\), got \(5,\)",
    ),
    (
        lambda p, x, s: (p, x.astype("float32"), s),
        TypeError,
        "x: expected dtype float64.* got float32",
    ),
    (
        lambda p, x, s: (p, x, s._replace(c=s.c * np.nan)),
        NotFiniteError,
        r"state.c: expected finite numbers, got nan",
    ),
]


@pytest.mark.parametrize("spoil, error, message", BAD_STEPS)
def test_a_step_refuses_what_does_not_fit(start, spoil, error, message):
    with pytest.raises(error, match=message):
        lstm_step(*spoil(*start))


BAD_GRADIENTS = [
    (lambda d: d._replace(h=d.h[0]), ValueError, r"dstate.h: expected shape \(3, 5\), got \(5,\)"),
    (
        lambda d: d._replace(c=d.c[:, :1]),
        ValueError,
        r"dstate.c: expected shape \(3, 5\), got \(3, 1\)",
    ),
    (
        lambda d: d._replace(c=d.c.astype("float32")),
        TypeError,
        "dstate.c: expected dtype float64, got float32",
    ),
    (
        lambda d: d.h,
        ValueError,
        r"dstate: trees of different structure: expected LSTMState\(h, c\), got array",
    ),
]


@pytest.mark.parametrize("spoil, error, message", BAD_GRADIENTS)
def test_a_gradient_that_is_not_of_the_type_of_the_state_is_refused(start, spoil, error, message):
    new, cache = lstm_step(*start)
    with pytest.raises(error, match=message):
        lstm_step_backward(start[0], cache, spoil(new))


BAD_PARAMS = [
    (
        lambda p: p._replace(W_h=p.W_h[:, :5]),
        ValueError,
        r"W_h: expected shape \(5, 20\), got \(5, 5\)",
    ),
    (
        lambda p: p._replace(W_h=p.W_h[:, :1]),
        ValueError,
        r"W_h: expected shape \(5, 20\), got \(5, 1\)",
    ),
    (
        lambda p: LSTM1997.init(np.random.default_rng(0), D, H),
        TypeError,
        r"expected LSTMParams\(W_x, W_h, b\), got LSTM1997",
    ),
]


@pytest.mark.parametrize("spoil, error, message", BAD_PARAMS)
def test_parameters_of_another_number_of_gates_are_refused(start, spoil, error, message):
    """NumPy would broadcast one block of W_h, or one column, over all four gates."""
    params, x, state = start
    with pytest.raises(error, match=message):
        unroll(LSTM, spoil(params), x[None], state)
    with pytest.raises(error, match=message):
        LSTM.initial_state(spoil(params), B)


def test_a_batch_of_size_zero_is_refused(start):
    with pytest.raises(ValueError, match="batch_size: expected a positive whole number, got 0"):
        LSTM.initial_state(start[0], 0)


@pytest.mark.parametrize("B, T, D, H, lengths", GRID)
def test_agrees_with_pytorch(B, T, D, H, lengths):
    """Outputs, last h and c and every gradient agree to 1e-12 in float64."""
    torch = torch_or_skip()
    rng = np.random.default_rng(B * T + H)
    params, state = random_start(LSTM, rng, B, D, H)
    xs, dhs, dlast = (
        rng.standard_normal((T, B, D)),
        rng.standard_normal((T, B, H)),
        tree_random_like(state, rng),
    )
    mask = np.arange(T)[:, None] < np.array(lengths)
    (hs, last), cache = unroll(LSTM, params, xs, state, mask)
    dparams, dxs, dfirst = unroll_backward(LSTM, params, cache, (dhs, dlast))

    their_hs, their_last, theirs = torch_unroll(
        torch, torch_lstm(torch, params), xs, state, lengths, dhs, dlast
    )
    assert_close("hs", hs, their_hs, 1e-12)
    assert_close("xs", dxs, theirs["xs"], 1e-12)
    for name in ("h", "c"):
        assert_close(f"last {name}", getattr(last, name), getattr(their_last, name), 1e-12)
        assert_close(
            f"d first {name}", getattr(dfirst, name), getattr(theirs["state"], name), 1e-12
        )
    pairs = {
        "W_x": dparams.W_x,
        "W_h": dparams.W_h,
        "b": dparams.b,
        "b_h": dparams.b,
    }  # two biases, one gradient
    for name, ours in pairs.items():
        assert_close(name, ours, reorder_gates(theirs[name], "ifgo", "ifog"), 1e-12)


def test_agrees_with_keras():
    """The forward of Keras: gates in the order i, f, g, o, batch first, forget bias from 1."""
    keras = pytest.importorskip("keras")
    rng = np.random.default_rng(3)
    params, state = (tree_cast(part, np.float32) for part in random_start(LSTM, rng, B, D, H))
    xs = rng.standard_normal((6, B, D)).astype(np.float32)
    layer = keras.layers.LSTM(H, return_sequences=True, return_state=True)
    layer.build((B, 6, D))
    np.testing.assert_array_equal(
        layer.get_weights()[2], reorder_gates(LSTM.init(rng, D, H).b, "ifog", "ifgo")
    )
    layer.set_weights([reorder_gates(leaf, "ifog", "ifgo") for leaf in params])
    theirs = [
        keras.ops.convert_to_numpy(part)
        for part in layer(xs.swapaxes(0, 1), initial_state=list(state))
    ]
    (hs, last), _ = unroll(LSTM, params, xs, state)
    for name, ours, reference in zip(
        ("hs", "h", "c"), (hs.swapaxes(0, 1), *last), theirs, strict=True
    ):
        assert_close(name, ours, reference, 1e-6)


def test_agrees_with_autograd():
    """Automatic differentiation of a plain loop over the formula."""
    anp = pytest.importorskip("autograd.numpy")
    from autograd import grad

    rng = np.random.default_rng(5)
    params, state = random_start(LSTM, rng, B, D, H)
    xs, dhs, dlast = (
        rng.standard_normal((6, B, D)),
        rng.standard_normal((6, B, H)),
        tree_random_like(state, rng),
    )

    def loss(W_x, W_h, b, xs, h, c):
        total = 0.0
        for t in range(6):
            a = anp.dot(xs[t], W_x) + anp.dot(h, W_h) + b
            i, f, o = (1 / (1 + anp.exp(-a[:, k * H : (k + 1) * H])) for k in range(3))
            c = f * c + i * anp.tanh(a[:, 3 * H :])
            h = o * anp.tanh(c)
            total = total + anp.sum(h * dhs[t])
        return total + anp.sum(h * dlast.h) + anp.sum(c * dlast.c)

    _, cache = unroll(LSTM, params, xs, state)
    dparams, dxs, dfirst = unroll_backward(LSTM, params, cache, (dhs, dlast))
    for k, ours in enumerate((*dparams, dxs, *dfirst)):
        assert_close(f"argument {k}", ours, grad(loss, k)(*params, xs, *state), 1e-12)
