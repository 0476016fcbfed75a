"""The GRU in both forms: by the formula, by the complex step, by four libraries.

And where the two forms agree and where they do not.
"""

import math

import numpy as np
import pytest
from judges import (
    GRID,
    assert_close,
    onnx_feed,
    onnx_run,
    reorder_gates,
    torch_gru,
    torch_or_skip,
    torch_unroll,
)
from mutation import without_crosscheck

from rnn_tutorial import activations, initializers
from rnn_tutorial.activations import hard_sigmoid, relu, sigmoid, tanh
from rnn_tutorial.cells import (
    GRU,
    GRUBefore,
    GRUBeforeParams,
    GRUGates,
    GRUParams,
    GRUState,
    GRUValues,
    gate_blocks,
    gru,
    gru_before,
    gru_before_step,
    gru_before_step_backward,
    gru_gates_backward,
    gru_step,
    gru_step_backward,
    join_gates,
    split_gates,
)
from rnn_tutorial.gradient_check import (
    GradientError,
    check_cell,
    check_gradients,
    random_start,
    relative_error,
)
from rnn_tutorial.sequence import unroll, unroll_backward
from rnn_tutorial.tree import tree_add, tree_cast, tree_leaves, tree_random_like, tree_zeros_like
from rnn_tutorial.validation import NotFiniteError

T, B, D, H = 6, 3, 4, 5
FORMS = {"after": GRU, "before": GRUBefore}
each_form = pytest.mark.parametrize("cell", FORMS.values(), ids=FORMS)
STEPS = {GRU: (gru_step, gru_step_backward), GRUBefore: (gru_before_step, gru_before_step_backward)}
each_maker = pytest.mark.parametrize("make", [gru, gru_before], ids=FORMS)


def step(cell, params, x, state):
    """Return the state after one step."""
    (_, last), _ = unroll(cell, params, x[None], state)
    return last


def before_from_after(params):
    """Return the weights of the GRU as those of the other form, which has no b_hn."""
    return join_gates(split_gates(params, GRUGates), GRUBeforeParams)


# The formula


@each_form
def test_the_step_is_the_formula_one_number_at_a_time(cell, rng):
    params, state = random_start(cell, rng, B, D, H)
    x = rng.standard_normal((B, D))
    new = step(cell, params, x, state)
    by_formula, _ = STEPS[cell][0](params, x, state)
    np.testing.assert_allclose(by_formula.h, new.h, rtol=1e-13)
    for row in range(B):
        h_previous = state.h[row]
        r = [
            logistic(from_input(params, x[row], k) + from_state(params.W_h, h_previous, k))
            for k in range(H)
        ]
        for k in range(H):
            z = logistic(
                from_input(params, x[row], H + k) + from_state(params.W_h, h_previous, H + k)
            )
            if cell is GRU:
                seen = r[k] * (from_state(params.W_h, h_previous, 2 * H + k) + params.b_hn[k])
            else:
                seen = from_state(params.W_hn, r * h_previous, k)
            n = math.tanh(from_input(params, x[row], 2 * H + k) + seen)
            assert new.h[row, k] == pytest.approx(z * h_previous[k] + (1 - z) * n, rel=1e-13)


def from_input(params, x, column):
    return params.b[column] + math.fsum(x[j] * params.W_x[j, column] for j in range(D))


def from_state(W, h, column):
    return math.fsum(h[j] * W[j, column] for j in range(H))


def logistic(a):
    return 1 / (1 + math.exp(-a))


def with_bias(params, gate, value):
    """Return the parameters with `value` added to one bias; +-1000 holds a sigmoid at 1 or 0."""
    b = params.b.copy()
    getattr(gate_blocks(b, GRUGates), gate)[:] += value
    return params._replace(b=b)


@each_form
def test_z_says_how_much_of_the_old_state_is_kept(cell, rng):
    params, state = random_start(cell, rng, B, D, H)
    xs = rng.standard_normal((T, B, D))
    (_, last), _ = unroll(cell, with_bias(params, "z", 1000.0), xs, state)
    np.testing.assert_array_equal(last.h, state.h)  # z = 1: the old state is kept
    (hs, _), cache = unroll(cell, with_bias(params, "z", -1000.0), xs, state)
    np.testing.assert_array_equal(
        hs, [values.n for values in cache.steps]
    )  # z = 0: the candidate alone


@each_form
def test_with_the_reset_gate_shut_the_candidate_sees_the_input_alone(cell, rng):
    params, state = random_start(cell, rng, B, D, H)
    params = with_bias(with_bias(params, "r", -1000.0), "z", -1000.0)
    x = rng.standard_normal((B, D))
    a = gate_blocks(x @ params.W_x + params.b, GRUGates)
    np.testing.assert_allclose(step(cell, params, x, state).h, np.tanh(a.n), rtol=1e-13)


@each_form
def test_with_r_open_and_z_shut_it_is_the_vanilla_cell(cell, rng):
    params, state = random_start(cell, rng, B, D, H)
    params = with_bias(with_bias(params, "r", 1000.0), "z", -1000.0)
    x = rng.standard_normal((B, D))
    W_hn, b_hn = (params.W_h[:, -H:], params.b_hn) if cell is GRU else (params.W_hn, 0)
    a = x @ params.W_x[:, -H:] + params.b[-H:] + state.h @ W_hn + b_hn
    np.testing.assert_allclose(step(cell, params, x, state).h, np.tanh(a), rtol=1e-13)


# Two functions by one name


def outputs_of_both(params, xs, state):
    (after, _), _ = unroll(GRU, params, xs, state)
    (before, _), _ = unroll(GRUBefore, before_from_after(params), xs, state)
    return after, before


def no_second_bias(params):
    return params._replace(b_hn=np.zeros_like(params.b_hn))


def same_reset_for_all_units(params):
    """r still depends on x and h, but is one number a row: a number goes through a matrix."""
    W_x, W_h, b = (leaf.copy() for leaf in params[:3])
    for leaf in (W_x, W_h, b):
        gate_blocks(leaf, GRUGates).r[:] = leaf[..., :1]
    return no_second_bias(GRUParams(W_x, W_h, b, params.b_hn))


def diagonal_W_hn(params):
    """No unit sees another: the matrix is diagonal, and mixes no units."""
    W_h = params.W_h.copy()
    W_hn = gate_blocks(W_h, GRUGates).n
    W_hn[:] = np.diag(np.diag(W_hn))
    return no_second_bias(params._replace(W_h=W_h))


def open_reset(params):
    """r = 1: the reset has no effect."""
    return with_bias(no_second_bias(params), "r", 1000.0)


def test_the_same_weights_give_different_outputs(rng):
    params, state = random_start(GRU, rng, B, D, H)
    after, before = outputs_of_both(no_second_bias(params), rng.standard_normal((T, B, D)), state)
    assert (
        np.abs(after - before).min(axis=(1, 2)).max() > 0 and relative_error(before, after) > 1e-2
    )


@pytest.mark.parametrize("alike", [same_reset_for_all_units, diagonal_W_hn, open_reset])
def test_the_two_forms_agree_where_the_reset_does_not_mix_units(alike, rng):
    params, state = random_start(GRU, rng, B, D, H)
    after, before = outputs_of_both(alike(params), rng.standard_normal((T, B, D)), state)
    assert_close("hs", before, after, 1e-13)


def test_one_unit_or_one_step_from_zero_cannot_tell_the_two_forms_apart(rng):
    params, state = random_start(GRU, rng, B, D, 1)
    after, before = outputs_of_both(no_second_bias(params), rng.standard_normal((T, B, D)), state)
    assert_close("one unit", before, after, 1e-13)
    params, _ = random_start(GRU, rng, B, D, H)
    after, before = outputs_of_both(
        no_second_bias(params), rng.standard_normal((1, B, D)), GRUState(np.zeros((B, H)))
    )
    assert_close("one step from zero", before, after, 1e-13)


def test_the_second_bias_is_part_of_the_first_while_the_reset_is_open_and_not_otherwise(rng):
    params, state = random_start(GRU, rng, B, D, H)
    xs = rng.standard_normal((T, B, D))
    moved = no_second_bias(params)._replace(
        b=params.b + np.concatenate([np.zeros(2 * H), params.b_hn])
    )
    for reset, same in ((1000.0, True), (0.0, False)):
        (one, _), _ = unroll(GRU, with_bias(params, "r", reset), xs, state)
        (other, _), _ = unroll(GRU, with_bias(moved, "r", reset), xs, state)
        assert (relative_error(one, other) < 1e-13) == same


# The gradients


@each_form
def test_every_gradient_over_time_is_the_slope(cell, rng):
    check_cell(cell, rng)
    check_cell(cell, rng, T=1, B=3)
    check_cell(cell, rng, T=5, B=1)
    check_cell(cell, rng, T=1, B=1, D=1, H=1)


MIXED = [
    dict(r=hard_sigmoid(), z=sigmoid, n=activations.relu),
    dict(r=activations.elu(0.7), z=hard_sigmoid(0.2), n=activations.identity),
    dict(r=tanh, z=activations.leaky_relu(0.2), n=sigmoid),
    dict(r=activations.identity, z=tanh, n=activations.elu(1.3)),
]


@each_maker
@pytest.mark.parametrize(
    "choice", MIXED, ids=lambda choice: "-".join(a.name for a in choice.values())
)
def test_every_gradient_is_the_slope_for_every_activation_of_each_gate(make, choice, rng):
    check_cell(make(**choice), rng)


@each_maker
def test_each_gate_has_the_activation_that_is_named_for_it(make, rng):
    choice = dict(r=relu, z=tanh, n=sigmoid)
    cell = make(**choice)
    params, state = random_start(cell, rng, B, D, H)
    x = rng.standard_normal((B, D))
    r, z, n = (activation.f for activation in choice.values())
    assert_close(
        "h", step(cell, params, x, state).h, plain_step(np, params, x, state.h, r, z, n), 1e-13
    )


def plain_step(xp, params, x, h, r, z, n):
    """Return h after one step of either form, gate by gate.

    r, z and n are functions; xp is NumPy or a module like it.
    """
    before = len(params.W_h[0]) < len(params.b)
    W_xr, W_xz, W_xn = xp.split(params.W_x, 3, axis=1)
    b_r, b_z, b_n = xp.split(params.b, 3)
    W_hr, W_hz, W_hn = (
        (*xp.split(params.W_h, 2, axis=1), params.W_hn)
        if before
        else xp.split(params.W_h, 3, axis=1)
    )
    reset = r(xp.dot(x, W_xr) + xp.dot(h, W_hr) + b_r)
    kept = z(xp.dot(x, W_xz) + xp.dot(h, W_hz) + b_z)
    seen = xp.dot(reset * h, W_hn) if before else reset * (xp.dot(h, W_hn) + params.b_hn)
    return kept * h + (1 - kept) * n(xp.dot(x, W_xn) + b_n + seen)


@each_form
def test_agrees_with_autograd(cell, rng):
    """Every gradient, by automatic differentiation of a plain loop over the formula."""
    anp = pytest.importorskip("autograd.numpy")
    from autograd import grad

    params, state = random_start(cell, rng, B, D, H)
    xs, dhs, dlast = (
        rng.standard_normal((T, B, D)),
        rng.standard_normal((T, B, H)),
        GRUState(rng.standard_normal((B, H))),
    )

    def loss(*point):
        params_, xs_, h = type(params)(*point[:4]), *point[4:]
        total = 0.0
        for t in range(T):
            h = plain_step(
                anp,
                params_,
                xs_[t],
                h,
                lambda a: 1 / (1 + anp.exp(-a)),
                lambda a: 1 / (1 + anp.exp(-a)),
                anp.tanh,
            )
            total = total + anp.sum(h * dhs[t])
        return total + anp.sum(h * dlast.h)

    _, cache = unroll(cell, params, xs, state)
    dparams, dxs, dfirst = unroll_backward(cell, params, cache, (dhs, dlast))
    for k, ours in enumerate((*dparams, dxs, dfirst.h)):
        assert_close(f"argument {k}", ours, grad(loss, k)(*params, xs, state.h), 1e-12)


def after_lost_reset(params, cache, dstate):
    """h_previous @ W_hn is multiplied by r on the way forward, and not on the way back."""
    down, da_x, da_h, dprevious = GRU.pointwise_backward(params, cache, dstate)
    return down, da_x, da_x, dprevious


def after_lost_path(params, cache, dstate):
    """The state has no path past the matrices, as in a vanilla network."""
    down, da_x, da_h, dprevious = GRU.pointwise_backward(params, cache, dstate)
    return down, da_x, da_h, GRUState(np.zeros_like(dprevious.h))


def after_bias_outside(params, cache, dstate):
    """The gradient of b_hn as if it stood outside the reset."""
    down, da_x, da_h, dprevious = GRU.pointwise_backward(params, cache, dstate)
    return {"b_hn": da_x[:, -H:].sum(axis=0)}, da_x, da_h, dprevious


def before_lost_path(params, cache, dstate):
    """The path of the old state through r * h_previous is lost, except in W_h."""
    down, da_x, da_h, dprevious = GRUBefore.pointwise_backward(params, cache, dstate)
    return down, da_x, da_h, GRUState(dstate.h * cache.z)


def before_state_not_reset(params, cache, dstate):
    """dW_hn from h_previous, as in the other form, where it should be r * h_previous."""
    down, da_x, da_h, dprevious = GRUBefore.pointwise_backward(params, cache, dstate)
    return {"W_hn": cache.h_previous.T @ da_x[:, -H:]}, da_x, da_h, dprevious


BROKEN = [
    (GRU, after_lost_reset, r"\[0\].W_h: relative error"),
    (GRU, after_lost_path, r"\[2\].h: relative error"),
    (GRU, after_bias_outside, r"wrong gradient\n\[0\].b_hn: relative error[^\n]*$"),
    (GRUBefore, before_lost_path, r"\[2\].h: relative error"),
    (GRUBefore, before_state_not_reset, r"wrong gradient\n\[0\].W_hn: relative error[^\n]*$"),
]


@pytest.mark.parametrize(
    "cell, broken, message", BROKEN, ids=lambda part: getattr(part, "__name__", "")
)
def test_a_broken_backward_is_caught_and_named(cell, broken, message, rng):
    with without_crosscheck(), pytest.raises(GradientError, match=message):
        check_cell(cell.replace(pointwise_backward=broken), rng)


def test_the_gradient_of_each_gate_is_the_slope_of_what_follows_it(rng):
    """`gru_gates_backward`, one step: h as a function of r, z, n and of s, which n is made of."""
    values = GRUValues(*(rng.uniform(-0.9, 0.9, (B, H)) for _ in GRUValues._fields))
    a_xn = np.arctanh(values.n) - values.r * values.s

    def f(point):
        r, z, n, s = point
        n = n + np.tanh(a_xn + r * s)  # n is moved by itself, and by r and s
        return z * values.h_previous + (1 - z) * n, None

    def f_backward(_, dh):
        dgates, ds = gru_gates_backward(values, GRUState(dh))
        return *dgates, ds

    check_gradients(f, f_backward, (values.r, values.z, np.zeros((B, H)), values.s), rng)


# Other libraries


@pytest.mark.parametrize("B, T, D, H, lengths", GRID)
def test_agrees_with_pytorch(B, T, D, H, lengths):
    """Outputs, last state and every gradient agree to 1e-12 in float64."""
    torch = torch_or_skip()
    rng = np.random.default_rng(B * T + H)
    params, state = random_start(GRU, rng, B, D, H)
    xs, dhs, dlast = (
        rng.standard_normal((T, B, D)),
        rng.standard_normal((T, B, H)),
        GRUState(rng.standard_normal((B, H))),
    )
    (hs, last), cache = unroll(GRU, params, xs, state, np.arange(T)[:, None] < np.array(lengths))
    dparams, dxs, dfirst = unroll_backward(GRU, params, cache, (dhs, dlast))

    their_hs, their_last, theirs = torch_unroll(
        torch, torch_gru(torch, params), xs, state, lengths, dhs, dlast
    )
    assert_close("hs", hs, their_hs, 1e-12)
    assert_close("last state", last.h, their_last.h, 1e-12)
    for name in ("W_x", "W_h", "b"):
        assert_close(name, getattr(dparams, name), theirs[name], 1e-12)
    db_h = np.concatenate(
        [dparams.b[: 2 * H], dparams.b_hn]
    )  # for r and z the second bias is the first one again
    assert_close("b_h", db_h, theirs["b_h"], 1e-12)
    assert_close("xs", dxs, theirs["xs"], 1e-12)
    assert_close("first state", dfirst.h, theirs["state"].h, 1e-12)


@each_form
def test_agrees_with_keras(cell, rng):
    """Keras: gates in the order z, r, h, batch first.

    `reset_after` selects the form, and adds the second bias.
    """
    keras = pytest.importorskip("keras")
    params, state = (tree_cast(part, np.float32) for part in random_start(cell, rng, B, D, H))
    xs = rng.standard_normal((T, B, D)).astype(np.float32)
    W_x, W_h, b, b_h = (reorder_gates(leaf, "rzn", "zrn") for leaf in with_two_biases(params))
    layer = keras.layers.GRU(H, return_sequences=True, reset_after=cell is GRU)
    layer.build((B, T, D))
    layer.set_weights([W_x, W_h, np.stack([b, b_h]) if cell is GRU else b])
    theirs = layer(xs.swapaxes(0, 1), initial_state=state.h)
    (hs, _), _ = unroll(cell, params, xs, state)
    assert_close("hs", hs.swapaxes(0, 1), np.asarray(keras.ops.convert_to_numpy(theirs)), 1e-6)


def with_two_biases(params):
    """Return (W_x, W_h, b, b_h) of either form as libraries have them, gates in our order."""
    b_h = np.zeros_like(params.b)
    if isinstance(params, GRUBeforeParams):
        return params.W_x, np.concatenate([params.W_h, params.W_hn], axis=1), params.b, b_h
    gate_blocks(b_h, GRUGates).n[:] = params.b_hn
    return params.W_x, params.W_h, params.b, b_h


ONNX_ACTIVATIONS = {
    "Sigmoid": sigmoid,
    "Tanh": tanh,
    "Relu": relu,
    "HardSigmoid": hard_sigmoid(0.2),
}


@pytest.mark.parametrize("case", range(40))
def test_agrees_with_onnxruntime(case):
    """Random sizes, lengths, first states, activations, both forms and both directions."""
    rng = np.random.default_rng(case)
    make = (gru, gru_before)[case % 2]
    gates, candidate = (str(name) for name in rng.choice(list(ONNX_ACTIVATIONS), 2))
    cell = make(r=ONNX_ACTIVATIONS[gates], z=ONNX_ACTIVATIONS[gates], n=ONNX_ACTIVATIONS[candidate])
    B, T, D, H = (int(size) for size in rng.integers(1, 9, 4))
    lengths = rng.integers(1, T + 1, B) if rng.random() < 0.7 else np.full(B, T)
    params, state = random_start(cell, rng, B, D, H)
    state = state if rng.random() < 0.7 else cell.initial_state(params, B)
    params, state, xs = tree_cast((params, state, rng.standard_normal((T, B, D))), np.float32)
    direction = str(rng.choice(["forward", "reverse"]))
    weights = [reorder_gates(leaf, "rzn", "zrn") for leaf in with_two_biases(params)]
    Y, Y_h = onnx_run(
        "GRU", onnx_feed(xs, weights, state, lengths), ["Y", "Y_h"],
        activations=[gates, candidate], linear_before_reset=int(make is gru), direction=direction,
    )  # fmt: skip

    reverse = direction == "reverse"
    (hs, last), _ = unroll(
        cell,
        params,
        reversed_each(xs, lengths) if reverse else xs,
        state,
        np.arange(T)[:, None] < lengths,
    )
    assert_close("hs", reversed_each(hs, lengths) if reverse else hs, Y[:, 0], 1e-6)
    assert_close("last state", last.h, Y_h[0], 1e-6)


def reversed_each(xs, lengths):
    """Return each sequence read from its own end, its padding left where it is."""
    return np.stack(
        [np.concatenate([xs[:n, k][::-1], xs[n:, k]]) for k, n in enumerate(lengths)], axis=1
    )


# Types, copies and starts


@each_form
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_of_the_parameters_is_the_dtype_of_everything(cell, dtype, rng):
    params, state = tree_cast(random_start(cell, rng, B, D, H), dtype)
    outputs, cache = unroll(cell, params, rng.standard_normal((T, B, D)).astype(dtype), state)
    everything = (
        outputs,
        cache[1:],
        unroll_backward(cell, params, cache, outputs),
        cell.initial_state(params, 2),
    )
    assert {leaf.dtype for leaf in tree_leaves(everything) if leaf is not None} == {np.dtype(dtype)}


@each_form
def test_nothing_is_changed_in_place_and_nothing_is_remembered(cell, rng):
    params, state = random_start(cell, rng, B, D, H)
    point = params, rng.standard_normal((T, B, D)), state
    doutputs = rng.standard_normal((T, B, H)), GRUState(rng.standard_normal((B, H)))
    before = [leaf.copy() for leaf in tree_leaves((point, doutputs))]
    outputs, cache = unroll(cell, *point)
    first = unroll_backward(cell, params, cache, doutputs)
    unroll(cell, params, -point[1], state)
    again, second = unroll(cell, *point)[0], unroll_backward(cell, params, cache, doutputs)
    for a, b in zip(tree_leaves((outputs, first)), tree_leaves((again, second)), strict=True):
        np.testing.assert_array_equal(a, b)
    assert all(
        np.array_equal(a, b) for a, b in zip(before, tree_leaves((point, doutputs)), strict=True)
    )


def test_initial_weights_come_from_the_initializers_given(rng):
    choice = dict(
        W_x=initializers.constant(2), W_h=initializers.identity(0.5), b=initializers.constant(-1)
    )
    eye = 0.5 * np.eye(3)
    params = gru(**choice).init(rng, 2, 3)
    np.testing.assert_array_equal(params.W_x, np.full((2, 9), 2.0))
    np.testing.assert_array_equal(params.W_h, np.concatenate([eye, eye, eye], axis=1))
    np.testing.assert_array_equal(params.b, np.full(9, -1.0))
    np.testing.assert_array_equal(params.b_hn, np.full(3, -1.0))
    params = gru_before(**choice).init(rng, 2, 3)
    np.testing.assert_array_equal(params.W_h, np.concatenate([eye, eye], axis=1))
    np.testing.assert_array_equal(params.W_hn, eye)


def test_by_default_each_gate_starts_from_an_orthogonal_matrix_of_its_own(rng):
    after, before = (
        GRU.init(np.random.default_rng(1), D, H),
        GRUBefore.init(np.random.default_rng(1), D, H),
    )
    blocks = [*np.split(after.W_h, 3, axis=1), *np.split(before.W_h, 2, axis=1), before.W_hn]
    for block in blocks:
        np.testing.assert_allclose(block @ block.T, np.eye(H), atol=1e-12)
    assert (
        len({block.tobytes() for block in blocks[:3]})
        == len({block.tobytes() for block in blocks[3:]})
        == 3
    )
    assert (after.b == 0).all() and (after.b_hn == 0).all() and (before.b == 0).all()
    assert np.abs(after.W_x).max() <= np.sqrt(
        6 / (D + H)
    )  # Glorot's bound is that of one gate, not of three
    np.testing.assert_array_equal(
        before_from_after(after).W_hn, before.W_hn
    )  # one seed, one start for both forms
    biases = gru(b=initializers.normal(1.0)).init(rng, D, H)
    assert len(set(biases.b) | set(biases.b_hn)) == 4 * H  # each is drawn
    with pytest.raises(ValueError, match="hidden_size: expected a positive whole number, got 0"):
        GRU.init(rng, D, 0)
    with pytest.raises(ValueError, match="input_size: expected a positive whole number, got 2.0"):
        GRUBefore.init(rng, 2.0, H)


def test_one_matrix_for_each_gate_is_the_same_cell(rng):
    params, _ = random_start(GRU, rng, B, D, H)
    gates = split_gates(params, GRUGates)
    np.testing.assert_array_equal(gates.z.V, params.W_h[:, H : 2 * H])
    joined = join_gates(gates, GRUParams, b_hn=params.b_hn)
    assert all(np.array_equal(a, b) for a, b in zip(joined, params, strict=True))


# One step as one function


@pytest.fixture(params=STEPS, ids=lambda cell: cell.name)
def one_step(request, rng):
    """Return (step, step backward, (params, x, state)) of one form."""
    params, state = random_start(request.param, rng, B, D, H)
    return *STEPS[request.param], (params, rng.standard_normal((B, D)), state)


def test_every_gradient_of_the_step_is_the_slope(one_step, rng):
    forward, backward, start = one_step
    check_gradients(
        lambda point: forward(*point), lambda cache, d: backward(start[0], cache, d), start, rng
    )


def loop_of_steps(forward, backward, params, xs, state, dhs, dlast):
    """Return (hs, dparams, dxs, dfirst) of a loop of steps, forward and back."""
    hs, caches, dxs = [], [], []
    for x in xs:
        state, cache = forward(params, x, state)
        hs.append(state.h)
        caches.append(cache)
    dstate, dparams = dlast, tree_zeros_like(params)
    for cache, dh_out in zip(reversed(caches), reversed(dhs)):
        dparams_t, dx, dstate = backward(params, cache, GRUState(dh_out + dstate.h))
        dparams = tree_add(dparams, dparams_t)
        dxs.append(dx)
    return np.stack(hs), dparams, np.stack(dxs[::-1]), dstate


@each_form
def test_a_loop_of_steps_is_what_unroll_computes(cell, rng):
    params, state = random_start(cell, rng, B, D, H)
    xs, dhs = rng.standard_normal((T, B, D)), rng.standard_normal((T, B, H))
    dlast = tree_random_like(state, rng)
    (hs, _), cache = unroll(cell, params, xs, state)
    ours = hs, *unroll_backward(cell, params, cache, (dhs, dlast))
    loop = loop_of_steps(*STEPS[cell], params, xs, state, dhs, dlast)
    for one, other in zip(tree_leaves(ours), tree_leaves(loop), strict=True):
        assert_close("loop", one, other, 1e-13)


def test_a_loop_of_steps_agrees_with_pytorch(rng):
    torch = torch_or_skip()
    params, state = random_start(GRU, rng, B, D, H)
    xs, dhs = rng.standard_normal((T, B, D)), rng.standard_normal((T, B, H))
    dlast = tree_random_like(state, rng)
    hs, dparams, dxs, dfirst = loop_of_steps(*STEPS[GRU], params, xs, state, dhs, dlast)
    their_hs, _, theirs = torch_unroll(
        torch, torch_gru(torch, params), xs, state, [T] * B, dhs, dlast
    )
    db_h = np.concatenate([dparams.b[: 2 * H], dparams.b_hn])
    ours = {"W_x": dparams.W_x, "W_h": dparams.W_h, "b": dparams.b, "b_h": db_h, "xs": dxs}
    for name, gradient in ours.items():
        assert_close(name, gradient, theirs[name], 1e-12)
    assert_close("hs", hs, their_hs, 1e-12)
    assert_close("first state", dfirst.h, theirs["state"].h, 1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_step_keeps_the_dtype_and_changes_nothing(one_step, dtype, rng):
    forward, backward, start = one_step
    start = tree_cast(start, dtype)
    dstate = tree_random_like(start[2], rng)
    new, cache = forward(*start)
    everything = start, new, cache, dstate
    copies = [leaf.copy() for leaf in tree_leaves(everything)]
    forward(*start)
    back = backward(start[0], cache, dstate)
    assert {leaf.dtype for leaf in tree_leaves((everything, back))} == {np.dtype(dtype)}
    for old, leaf in zip(copies, tree_leaves(everything), strict=True):
        np.testing.assert_array_equal(old, leaf)


BAD_STEPS = [
    ({"W_h": np.zeros((H, 1))}, r"W_h: expected shape \(H, A=1[05]\), got \(5, 1\)"),
    ({"W_x": np.zeros((D, 1))}, r"W_x: expected shape \(D, A=15\), got \(4, 1\)"),
    ({"b_hn": np.zeros(1)}, r"b_hn: expected shape \(H=5,\), got \(1,\)"),
    ({"W_hn": np.zeros((H, 1))}, r"W_hn: expected shape \(H_previous=5, H=5\), got \(5, 1\)"),
]


@pytest.mark.parametrize("changed, message", BAD_STEPS, ids=lambda part: " ".join(part)[:6])
def test_the_step_refuses_parameters_that_numpy_would_broadcast(one_step, changed, message):
    forward, _, (params, x, state) = one_step
    if changed.keys() <= set(params._fields):
        with pytest.raises(ValueError, match=message):
            forward(params._replace(**changed), x, state)


def test_the_step_refuses_what_does_not_fit(one_step):
    forward, backward, (params, x, state) = one_step
    with pytest.raises(ValueError, match=r"x: expected shape \(B, D=4\), got \(3, 1\)"):
        forward(params, x[:, :1], state)
    with pytest.raises(ValueError, match=r"state.h: expected shape \(B=3, H=5\), got \(1, 5\)"):
        forward(params, x, GRUState(state.h[:1]))
    with pytest.raises(NotFiniteError, match="state.h: expected finite numbers"):
        forward(params, x, GRUState(state.h * np.nan))
    _, cache = forward(params, x, state)
    with pytest.raises(ValueError, match=r"h: expected shape \(3, 5\), got \(1, 5\)"):
        backward(params, cache, GRUState(state.h[:1]))


BAD_AFTER = [
    (
        lambda p, x, s: (before_from_after(p), x, s),
        TypeError,
        r"params: expected GRUParams\(W_x, W_h, b, b_hn\), got GRUBefore",
    ),
    (
        lambda p, x, s: (p._replace(W_h=p.W_h[:, :1]), x, s),
        ValueError,
        r"W_h: expected shape \(5, 15\), got \(5, 1\)",
    ),
    (
        lambda p, x, s: (p._replace(W_x=p.W_x[:, :H]), x, s),
        ValueError,
        r"W_x: expected shape \(4, 15\), got \(4, 5\)",
    ),
    (
        lambda p, x, s: (p._replace(W_x=p.W_x[:, :H], b=p.b[:H]), x, s),
        ValueError,
        r"W_x: expected shape \(4, 15\), got \(4, 5\)",
    ),
    (
        lambda p, x, s: (p._replace(b_hn=p.b_hn[:1]), x, s),
        ValueError,
        r"b_hn: expected shape \(5,\), got \(1,\)",
    ),
    (
        lambda p, x, s: (p._replace(b_hn=p.b), x, s),
        ValueError,
        r"b_hn: expected shape \(5,\), got \(15,\)",
    ),
    (
        lambda p, x, s: (p._replace(b_hn=p.b_hn[None]), x, s),
        ValueError,
        r"b_hn: expected shape \(5,\), got \(1, 5\)",
    ),
    (
        lambda p, x, s: (p._replace(b_hn=0.0), x, s),
        TypeError,
        r"b_hn: expected a NumPy array of shape \(5,\), got float",
    ),
    (
        lambda p, x, s: (p._replace(b_hn=p.b_hn.astype("f4")), x, s),
        TypeError,
        "b_hn: expected dtype float64.* got float32",
    ),
]
BAD_BEFORE = [
    (
        lambda p, x, s: (GRU.init(np.random.default_rng(0), D, H), x, s),
        TypeError,
        r"expected GRUBeforeParams\(.*, got GRUParams",
    ),
    (
        lambda p, x, s: (p._replace(W_h=p.W_h[:, :1]), x, s),
        ValueError,
        r"W_h: expected shape \(5, 10\), got \(5, 1\)",
    ),
    (
        lambda p, x, s: (p._replace(W_hn=p.W_hn[:1]), x, s),
        ValueError,
        r"W_hn: expected shape \(5, 5\), got \(1, 5\)",
    ),
    (
        lambda p, x, s: (p._replace(W_hn=p.W_hn[:, :1]), x, s),
        ValueError,
        r"W_hn: expected shape \(5, 5\), got \(5, 1\)",
    ),
    (
        lambda p, x, s: (p._replace(W_hn=p.W_hn.astype("f4")), x, s),
        TypeError,
        "W_hn: expected dtype float64.* got float32",
    ),
]
BAD_BOTH = [
    (
        lambda p, x, s: (p[:3], x, s),
        TypeError,
        r"params: expected GRU\w*Params\(W_x, W_h, b, \w+\), got tuple",
    ),
    (
        lambda p, x, s: (p._replace(b=p.b[:1]), x, s),
        ValueError,
        r"b: expected shape \(15,\), got \(1,\)",
    ),
    (
        lambda p, x, s: (p, x, GRUState(s.h[:1])),
        ValueError,
        r"state.h: expected shape \(3, 5\), got \(1, 5\)",
    ),
    (lambda p, x, s: (p, x, (s.h, s.h)), TypeError, r"state: expected GRUState\(h\), got tuple"),
    (
        lambda p, x, s: (p, x, GRUState(s.h * np.nan)),
        NotFiniteError,
        "state.h: expected finite numbers, got nan",
    ),
    (
        lambda p, x, s: (p, x[..., :1], s),
        ValueError,
        r"xs: expected shape \(T, B, D=4\), got \(6, 3, 1\)",
    ),
]
BAD = [(GRU, *bad) for bad in BAD_AFTER + BAD_BOTH] + [
    (GRUBefore, *bad) for bad in BAD_BEFORE + BAD_BOTH
]


@pytest.mark.parametrize("cell, spoil, error, message", BAD)
def test_bad_input_is_refused_by_name(cell, spoil, error, message, rng):
    params, state = random_start(cell, rng, B, D, H)
    with pytest.raises(error, match=message):
        unroll(cell, *spoil(params, rng.standard_normal((T, B, D)), state))


def test_parameters_without_the_cells_own_field_are_refused(rng):
    from rnn_tutorial.cells import LSTM1997

    params = LSTM1997.init(rng, D, H)  # three gates too
    with pytest.raises(
        TypeError, match=r"params: expected GRUParams\(W_x, W_h, b, b_hn\), got LSTM1997Params"
    ):
        GRU.initial_state(params, B)
    narrow = params._replace(W_h=params.W_h[:, : 2 * H])
    with pytest.raises(
        TypeError,
        match=r"params: expected GRUBeforeParams\(W_x, W_h, b, W_hn\), got LSTM1997Params",
    ):
        GRUBefore.initial_state(narrow, B)


@each_form
def test_a_batch_size_that_is_not_a_positive_whole_number_is_refused(cell, rng):
    with pytest.raises(ValueError, match="batch_size: expected a positive whole number, got 0"):
        cell.initial_state(cell.init(rng, D, H), 0)


@each_maker
@pytest.mark.parametrize("gate", GRUGates._fields)
def test_a_function_in_the_place_of_an_activation_is_refused(make, gate):
    with pytest.raises(
        TypeError, match=f"^{gate}: expected an Activation, such as activations.tanh, got ufunc"
    ):
        make(**{gate: np.tanh})
