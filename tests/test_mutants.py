"""A test of the tests: every one-token slip in a backward pass is caught by the checks that the chapters and tests use."""

import functools
from unittest import mock

import numpy as np
import pytest
from example_cell import Leaky
from mutation import mutants

from rnn_tutorial import dropout, gradient_check, losses
from rnn_tutorial.activations import elu, leaky_relu, sigmoid, tanh
from rnn_tutorial.cells import elman as elman_module
from rnn_tutorial.cells import gru as gru_module
from rnn_tutorial.cells import lstm as lstm_module
from rnn_tutorial.cells.coupled_lstm import coupled_lstm, coupled_lstm_pointwise_backward
from rnn_tutorial.cells.elman import Elman, elman
from rnn_tutorial.cells.gru import GRUActivations, gru_pointwise_backward
from rnn_tutorial.cells.gru_before import gru_before, gru_before_pointwise_backward
from rnn_tutorial.cells.lstm import LSTM, LSTMActivations, LSTMState, lstm_pointwise_backward
from rnn_tutorial.cells.lstm_1997 import LSTM1997Activations, lstm_1997, lstm_1997_pointwise_backward
from rnn_tutorial.cells.norm_lstm import NormLSTM, norm_lstm_pointwise_backward, normalize, normalize_backward
from rnn_tutorial.cells.peephole_lstm import peephole_lstm, peephole_lstm_pointwise_backward
from rnn_tutorial.directions import (
    Bidirectional,
    Reversed,
    unroll_reversed,
    unroll_reversed_backward,
)
from rnn_tutorial.dropout import Dropout, VariationalDropout, Zoneout
from rnn_tutorial.gradient_check import (
    central_difference_slope,
    check_cell,
    check_gradients,
    complex_step_slope,
    numerical_gradient,
    random_start,
    relative_error,
)
from rnn_tutorial.layer import CannotContinue, reset_state
from rnn_tutorial.layers import Dense, Embedding, Last, Recurrent, Residual, Serial
from rnn_tutorial.recompute import Recomputed
from rnn_tutorial.step import step, step_backward
from rnn_tutorial.trace import trace, trace_backward
from rnn_tutorial.tree import tree_leaves, tree_map, tree_random_like, tree_zeros_like
from rnn_tutorial.unroll import unroll, unroll_backward

T, B, D, H = 4, 3, 2, 5
MASK = np.arange(T)[:, None] < np.array([4, 2, 1])


def rng():
    return np.random.default_rng(0)


def check_step_backward(backward):
    params, state = random_start(Elman, rng(), B, D, H)
    point = params, rng().standard_normal((B, D)), state
    check_gradients(lambda p: elman_module.elman_step(*p), lambda cache, d: backward(params, cache, d), point, rng())


def check_pointwise_backward(backward):
    check_cell(elman(sigmoid).replace(pointwise_backward=lambda *a: backward(*a, activation=sigmoid)), rng(), T=T, B=B, D=D, H=H)


# One activation for each gate, and another for every other: a slip from gate to gate shows.
GRU_ACTIVATIONS = GRUActivations(r=sigmoid, z=elu(0.7), n=tanh)
LSTM_ACTIVATIONS = LSTMActivations(i=sigmoid, f=elu(0.7), o=tanh, g=leaky_relu(0.3), c=elu(1.3))
NO_FORGET_GATE = LSTM1997Activations(i=sigmoid, o=elu(0.7), g=leaky_relu(0.3), c=tanh)
COUPLED_GATES = LSTM1997Activations(*NO_FORGET_GATE)


def check_gated_backward(make, activations):
    """Return a check of the backward of the cell that `make` makes with the activations."""

    def check(backward):
        cell = make(**activations._asdict())
        backward = functools.partial(backward, activations=activations)
        check_cell(cell.replace(pointwise_backward=backward), rng(), T=T, B=6, D=D, H=H)  # 3 rows could be 3 peepholes

    return check


def check_lstm_step_backward(backward):
    params, state = random_start(lstm_module.LSTM, rng(), B, D, H)
    point = params, rng().standard_normal((B, D)), state
    check_gradients(lambda p: lstm_module.lstm_step(*p), lambda cache, d: backward(params, cache, d), point, rng())


def check_lstm_gates_backward(backward):
    with mock.patch.object(lstm_module, "lstm_gates_backward", backward):
        check_gated_backward(lstm_module.lstm, LSTM_ACTIVATIONS)(lstm_pointwise_backward)


def check_gru_gates_backward(backward):
    with mock.patch.object(gru_module, "gru_gates_backward", backward):
        check_gated_backward(gru_module.gru, GRU_ACTIVATIONS)(gru_pointwise_backward)


def check_trace_backward(backward):
    """What `unroll_backward` says of inputs, parameters, and the first state of the sequence that is left after each step."""
    params, state = random_start(Leaky, rng(), B, D, H)
    dhs, dlast = tree_random_like((np.empty((T, B, H)), state), rng())
    for mask in (None, MASK):
        traced, caches = trace(Leaky, params, XS, state, mask)
        back = backward(Leaky, params, caches, (dhs, dlast))
        _, cache = unroll(Leaky, params, XS, state, mask)
        dparams, dxs, _ = unroll_backward(Leaky, params, cache, (dhs, dlast))
        assert relative_error(back.da_xs @ params.W_x.T, dxs) < 1e-12
        assert relative_error(np.einsum("tbh,tba->ha", cache.previous_hs, back.da_hs), dparams.W_h) < 1e-12
        for t in range(T - 1):
            after, rest = tree_map(lambda leaf, t=t: leaf[t], traced.states), slice(t + 1, None)
            _, cache = unroll(Leaky, params, XS[rest], after, None if mask is None else mask[rest])
            _, _, dafter = unroll_backward(Leaky, params, cache, (dhs[rest], dlast))
            dh = dafter.h + dhs[t] * (1 if mask is None else mask[t][:, None])
            assert relative_error(back.dstates.h[t], dh) < 1e-12 and relative_error(back.dstates.c[t], dafter.c) < 1e-12
        assert relative_error(back.dstates.c[-1], dlast.c) < 1e-12


def check_unroll_backward(backward):
    params, state = random_start(Leaky, rng(), B, D, H)
    point = params, rng().standard_normal((T, B, D)), state
    for mask in (None, MASK):
        check_gradients(lambda p, mask=mask: unroll(Leaky, *p, mask), lambda c, d: backward(Leaky, params, c, d), point, rng())


def first_state_of(layer, params):
    """Return a random first state, or None for a layer that reads from the end."""
    try:
        return tree_random_like(layer.initial_state(params, B), np.random.default_rng(3), 0.3)
    except CannotContinue:
        return None


def check_layer_backward(layer, xs, mask=None, seed=None):
    """Return a check of `backward(layer, params, cache, dys, dstate)`: every gradient out of every gradient in."""

    def check(backward):
        params, noise = tree_random_like(layer.init(rng()), rng(), 0.3), np.random.default_rng
        state, moving = first_state_of(layer, params), xs.dtype == float

        def forward(point):
            left = list(point[1:])
            ours_xs = left.pop(0) if moving else xs
            first = left.pop(0) if state is not None else None
            ys, last, cache = layer.forward(point[0], ours_xs, first, mask=mask, rng=None if seed is None else noise(seed))
            return (ys, last), cache

        def gradients(cache, doutputs):
            dparams, dxs, dfirst = backward(layer, params, cache, *doutputs)
            return (dparams, *((dxs,) if moving else ()), *((dfirst,) if state is not None else ()))

        point = (params, *((xs,) if moving else ()), *((state,) if state is not None else ()))
        (ys, last), cache = forward(point)
        with pytest.raises((ValueError, TypeError), match="expected"):
            backward(layer, params, cache, ys[1:])
        check_gradients(forward, gradients, point, rng())
        assert_equal(backward(layer, params, cache, ys), backward(layer, params, cache, ys, tree_zeros_like(last)))

    return check


def assert_equal(tree, reference):
    for ours, theirs in zip(tree_leaves(tree), tree_leaves(reference), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def check_dfirst(backward, layer, params, parts):
    """What comes back for the first state, which no one can hand in, is what the layers inside say of theirs."""
    ys, last, cache = layer.forward(params, XS, mask=MASK)
    dys, dlast = tree_random_like((ys, last), np.random.default_rng(4))
    assert_equal(backward(layer, params, cache, dys, dlast)[2], parts(dys, dlast))


def one_layer_backward(layer, params, xs, mask, dys, dlast):
    return layer.backward(params, layer.forward(params, xs, mask=mask)[2], dys, dlast)[2]


def check_reversed_backward(backward):
    layer = Reversed(Recurrent(LSTM, D, H))
    check_layer_backward(layer, XS, MASK)(backward)
    check_layer_backward(Reversed(Serial((Recurrent(LSTM, D, H), Last()))), XS, MASK)(backward)
    params = layer.init(rng())
    turned = XS[::-1], MASK[::-1]
    check_dfirst(backward, layer, params, lambda dys, d: one_layer_backward(layer.layer, params, *turned, dys[::-1], d))


def check_unroll_reversed_backward(backward):
    params, state = random_start(LSTM, rng(), B, D, H)
    point = params, rng().standard_normal((T, B, D)), state
    for mask in (None, MASK):
        check_gradients(
            lambda p, mask=mask: unroll_reversed(LSTM, *p, mask), lambda c, d: backward(LSTM, params, c, d), point, rng()
        )


def check_bidirectional_backward(backward):
    check_layer_backward(BOTH_WAYS, XS, MASK)(backward)
    read = Serial((Embedding(H, D), Recurrent(Elman, D, 4)))
    check_layer_backward(Bidirectional(read, read), CLASSES)(backward)  # symbols have no gradient
    params = BOTH_WAYS.init(rng())

    def parts(dys, dlast):
        forwards = one_layer_backward(BOTH_WAYS.forwards, params.forwards, XS, MASK, dys[..., :4], dlast.forwards)
        turned = XS[::-1], MASK[::-1], dys[::-1, :, 4:]
        return forwards, one_layer_backward(BOTH_WAYS.backwards, params.backwards, *turned, dlast.backwards)

    check_dfirst(backward, BOTH_WAYS, params, parts)


def check_zoneout_backward(backward):
    layer = Zoneout(LSTM, D, H, LSTMState(h=0.2, c=0.5))
    params = layer.init(rng())
    _, _, cache = layer.forward(params, XS)
    with pytest.raises(ValueError, match="expected"):
        backward(layer, params, cache, np.zeros((T, B, 1)))
    for mask in (None, MASK):
        check_layer_backward(layer, XS, mask, seed=7)(backward)


def check_recomputed_backward(backward):
    """Over a whole number of stretches and not, with noise that must be drawn again, and with symbols."""
    for every in (3, T):
        check_layer_backward(Recomputed(Recurrent(LSTM, D, H), every), XS, MASK)(backward)
    check_layer_backward(Recomputed(Zoneout(LSTM, D, H, LSTMState(h=0.2, c=0.5)), 2), XS, MASK, seed=7)(backward)
    check_layer_backward(Recomputed(Serial((Embedding(H, D), Recurrent(Elman, D, 4))), 3), CLASSES)(backward)
    layer = Recomputed(Dropout(0.5), 2)
    _, _, cache = layer.forward((), XS, rng=rng())
    assert_equal(backward(layer, (), cache, XS)[1], backward(layer, (), cache, XS)[1])  # no generator is moved


def check_any_step_backward(backward):
    params, state = random_start(Leaky, rng(), B, D, H)
    point = params, rng().standard_normal((B, D)), state
    check_gradients(lambda p: step(Leaky, *p), lambda cache, d: backward(Leaky, params, cache, d), point, rng())


def check_reset_state(reset):
    """Every array of a state, whatever its other axes: zero where a sequence begins, else as it was; the old one stays."""
    state = tree_random_like((LSTMState(np.empty((B, H)), np.empty((B, 2, 2))), (), np.empty(B)), rng())
    before = [leaf.copy() for leaf in tree_leaves(state)]
    after = reset(state, np.array([False, True, False]))
    for old, new, kept in zip(before, tree_leaves(after), tree_leaves(state), strict=True):
        np.testing.assert_array_equal(kept, old)
        np.testing.assert_array_equal(new[1], 0 * old[1])
        np.testing.assert_array_equal(new[[0, 2]], old[[0, 2]])
    integers = reset((np.arange(1, 4),), np.array([False, True, False]))[0]
    assert integers.dtype == np.arange(3).dtype and list(integers) == [1, 0, 3]


def patched(module, name, check):
    """Return a check that puts what it is given in the place of `module.name`."""

    def checked(function):
        with mock.patch.object(module, name, function):
            check()

    return checked


def check_variational_dropout():
    """Each factor 0 or 1 / (1 - rate), one noise a sequence, drawn anew where it is zero; the backward multiplies by it."""
    layer, ones = VariationalDropout(0.3), np.ones((2, 30, 40))
    ys, noise, cache = layer.forward((), ones, rng=rng())
    assert noise.shape == (30, 40) and (0 < noise).all() and (noise <= 1).all() and abs(noise.mean() - 0.5) < 0.03
    np.testing.assert_array_equal(ys, np.broadcast_to(np.where(noise <= 0.7, 1 / 0.7, 0), ones.shape))
    np.testing.assert_array_equal(layer.backward((), cache, 3 * ones)[1], 3 * ys)
    begun = np.arange(30) % 3 != 0
    before = np.where(begun[:, None], noise, 0)
    kept = before.copy()
    again, after, _ = layer.forward((), ones, before, rng=np.random.default_rng(1))
    np.testing.assert_array_equal(before, kept)
    np.testing.assert_array_equal(after[begun], noise[begun])
    assert (after[~begun] > 0).all() and (after[~begun] != noise[~begun]).any(axis=1).all()
    np.testing.assert_array_equal(again[0] > 0, after <= 0.7)
    whole = layer.forward((), ones, noise, rng=np.random.default_rng(1))[1]
    np.testing.assert_array_equal(whole, noise)
    assert whole is not noise
    for rest in (None, (), noise):
        evaluated, passed_on, cache = layer.forward((), ones, rest)
        np.testing.assert_array_equal(evaluated, ones)
        np.testing.assert_array_equal(layer.backward((), cache, 3 * ones)[1], 3 * ones)
        assert passed_on is (() if rest is None else rest)
    np.testing.assert_array_equal(layer.forward((), ones, (), rng=rng())[1], noise)
    one = layer.forward((), ones[:, :1], noise[:1], rng=np.random.default_rng(1))[1]
    np.testing.assert_array_equal(one, noise[:1])
    for noise in (None, rng()):
        assert layer.forward((), ones + 0j, rng=noise)[2].factors.dtype == float
    single = layer.forward((), ones.astype("float32"), rng=rng())
    assert single[0].dtype == np.float32 and {float(y) for y in np.unique(single[0])} == {0, float(np.float32(1 / 0.7))}
    np.testing.assert_array_equal(layer.forward((), ones.astype("float32"))[0], ones)
    assert layer.forward((), ones.astype("float32"))[0].dtype == np.float32


def check_norm_lstm_backward(backward):
    check_cell(NormLSTM.replace(pointwise_backward=backward), rng(), T=T, B=6, D=D, H=H)


def check_normalize_backward(backward):
    def forward(point):
        normed = normalize(*point)
        return normed.y, normed

    check_gradients(forward, lambda cache, dy: (backward(cache, dy),), (rng().standard_normal((B, H)),), np.random.default_rng(1))


def check_loss(plain, targets, slope, options):
    """Return a check of the value, by a formula written out, and of the gradient, by its slope; whole and masked."""

    def check(loss):
        with np.errstate(all="raise", under="ignore"):
            assert np.isfinite(loss(np.where(targets_of(targets) > 0, -1e4, 1e4), targets, **options)[1]).all()
        ys = rng().standard_normal((T, B, H))
        for mask in (None, MASK):
            value, dys = loss(ys, targets, mask=mask, **options)
            counted = np.ones((T, B), bool) if mask is None else mask
            rows = [plain(ys[t, b], targets[t, b], **options) for t, b in np.argwhere(counted)]
            assert abs(value - np.mean(rows)) < 1e-12
            reference = numerical_gradient(lambda p, mask=mask: loss(p[0], targets, mask=mask, **options)[0], (ys,), slope)[0]
            assert relative_error(dys, reference) < (1e-12 if slope is not central_difference_slope else 1e-6)

    return check


def targets_of(targets):
    """Return the targets as the outputs would be: class numbers as one-hot rows."""
    return targets if targets.ndim == 3 else np.eye(H)[targets]


def plain_softmax_cross_entropy(logits, target, temperature):
    e = np.exp(logits / temperature)
    return -np.log(e[target] / e.sum())


def plain_binary_cross_entropy(logits, targets, temperature):
    p = 1 / (1 + np.exp(-logits / temperature))
    return np.mean(-targets * np.log(p) - (1 - targets) * np.log(1 - p))


XS = rng().standard_normal((T, B, D))
REAL_TARGETS = np.random.default_rng(1).standard_normal((T, B, H))
BITS = np.random.default_rng(1).integers(0, 2, (T, B, H)).astype(float)
BOTH_WAYS = Bidirectional(Recurrent(Elman, D, 4), Recurrent(LSTM, D, H))
CLASSES = np.random.default_rng(1).integers(0, H, (T, B))
complex_step = complex_step_slope

CHECKS = {  # the function, and the check that must fail for each of its mutants
    "elman_step_backward": (elman_module.elman_step_backward, check_step_backward),
    "elman_pointwise_backward": (elman_module.elman_pointwise_backward, check_pointwise_backward),
    "lstm_step_backward": (lstm_module.lstm_step_backward, check_lstm_step_backward),
    "lstm_pointwise_backward": (lstm_pointwise_backward, check_gated_backward(lstm_module.lstm, LSTM_ACTIVATIONS)),
    "lstm_gates_backward": (lstm_module.lstm_gates_backward, check_lstm_gates_backward),
    "lstm_1997_pointwise_backward": (lstm_1997_pointwise_backward, check_gated_backward(lstm_1997, NO_FORGET_GATE)),
    "coupled_lstm_pointwise_backward": (coupled_lstm_pointwise_backward, check_gated_backward(coupled_lstm, COUPLED_GATES)),
    "peephole_lstm_pointwise_backward": (peephole_lstm_pointwise_backward, check_gated_backward(peephole_lstm, LSTM_ACTIVATIONS)),
    "gru_pointwise_backward": (gru_pointwise_backward, check_gated_backward(gru_module.gru, GRU_ACTIVATIONS)),
    "gru_gates_backward": (gru_module.gru_gates_backward, check_gru_gates_backward),
    "gru_before_pointwise_backward": (gru_before_pointwise_backward, check_gated_backward(gru_before, GRU_ACTIVATIONS)),
    "trace_backward": (trace_backward, check_trace_backward),
    "unroll_backward": (unroll_backward, check_unroll_backward),
    "Recurrent.backward": (Recurrent.backward, check_layer_backward(Recurrent(LSTM, D, H), XS, MASK)),
    "Last.backward": (Last.backward, check_layer_backward(Last(), XS, MASK)),
    "Dense.backward": (Dense.backward, check_layer_backward(Dense(D, H), XS)),
    "Embedding.backward": (Embedding.backward, check_layer_backward(Embedding(H, D), CLASSES)),
    "Serial.backward": (
        Serial.backward,
        check_layer_backward(Serial((Dense(D, H), Recurrent(LSTM, H, 7), Recurrent(Elman, 7, 4), Dense(4, 2))), XS),
    ),
    "Residual.backward": (Residual.backward, check_layer_backward(Residual(Serial((Recurrent(Elman, D, H), Dense(H, D)))), XS)),
    "Bidirectional.backward": (Bidirectional.backward, check_bidirectional_backward),
    "Reversed.backward": (Reversed.backward, check_reversed_backward),
    "unroll_reversed_backward": (unroll_reversed_backward, check_unroll_reversed_backward),
    "Zoneout.backward": (Zoneout.backward, check_zoneout_backward),
    "Recomputed.backward": (Recomputed.backward, check_recomputed_backward),
    "VariationalDropout.forward": (VariationalDropout.forward, patched(VariationalDropout, "forward", check_variational_dropout)),
    "VariationalDropout, _continued_noise": (
        dropout._continued_noise,
        patched(dropout, "_continued_noise", check_variational_dropout),
    ),
    "VariationalDropout, _factors": (dropout._factors, patched(dropout, "_factors", check_variational_dropout)),
    "step_backward": (step_backward, check_any_step_backward),
    "reset_state": (reset_state, check_reset_state),
    "norm_lstm_pointwise_backward": (norm_lstm_pointwise_backward, check_norm_lstm_backward),
    "normalize_backward": (normalize_backward, check_normalize_backward),
    "mean_squared_error": (
        losses.mean_squared_error,
        check_loss(lambda y, t: np.mean((y - t) ** 2), REAL_TARGETS, complex_step, {}),
    ),
    "mean_absolute_error": (
        losses.mean_absolute_error,
        check_loss(lambda y, t: np.mean(np.abs(y - t)), REAL_TARGETS, central_difference_slope, {}),
    ),
    "binary_cross_entropy": (
        losses.binary_cross_entropy,
        check_loss(plain_binary_cross_entropy, BITS, complex_step, {"temperature": 1.7}),
    ),
    "softmax_cross_entropy": (
        losses.softmax_cross_entropy,
        check_loss(plain_softmax_cross_entropy, CLASSES, complex_step, {"temperature": 1.7}),
    ),
}
HARMLESS = {
    "trace_backward": [  # what it says of rows that are held is not used
        "_, _, dprevious = step_backward(cell, params, cache, dnew)  ->  "
        "_, _, dprevious = step_backward(cell, params, cache, dstate)",
    ],
    "reset_state": [  # to NumPy any negative length means "as many as fit"
        "return np.where(first.reshape(-1, *[1] * (leaf.ndim - 1)), np.zeros_like(leaf), leaf)  ->  "
        "return np.where(first.reshape(-2, *[1] * (leaf.ndim - 1)), np.zeros_like(leaf), leaf)",
    ],
    "VariationalDropout, _continued_noise": [  # noise is never zero: a row has no zero, or nothing else
        "return state.copy() if begun.all() else np.where(begun, state, _noise(rng, shape))  ->  "
        f"return state.copy() if {begun}.all() else np.where({where}, state, _noise(rng, shape))"
        for begun, where in (("begun", "state"), ("state", "begun"))
    ],
    "VariationalDropout, _factors": ["real = dtype.type(0).real.dtype  ->  real = dtype.type(1).real.dtype"],
    "Zoneout.backward": [  # zeros like the last state of one step or of another
        "dstate = tree_zeros_like(cache.steps[-1].state) if dstate is None else dstate  ->  "
        f"dstate = tree_zeros_like(cache.steps[{step}].state) if dstate is None else dstate"
        for step in (1, -2)
    ],
    "norm_lstm_pointwise_backward": [  # zeros of the one shape that all of them have
        "return (dextra, da_x, da_h, LSTMState(h=np.zeros_like(dc), c=dc * f))  ->  "
        f"return (dextra, da_x, da_h, LSTMState(h=np.zeros_like({other}), c=dc * f))"
        for other in ("df", "dg")
    ],
    "Dense.backward": [  # to NumPy any negative length means "as many as fit"
        "flat_xs, flat_dys = (xs.reshape(-1, self.input_size), dys.reshape(-1, self.output_size))  ->  "
        "flat_xs, flat_dys = (xs.reshape(-2, self.input_size), dys.reshape(-1, self.output_size))",
        "flat_xs, flat_dys = (xs.reshape(-1, self.input_size), dys.reshape(-1, self.output_size))  ->  "
        "flat_xs, flat_dys = (xs.reshape(-1, self.input_size), dys.reshape(-2, self.output_size))",
    ],
    "softmax_cross_entropy": [  # as many rows as targets
        "return (-np.mean(log_p[rows, target]), _spread(dz / (len(rows) * temperature), counted))  ->  "
        "return (-np.mean(log_p[rows, target]), _spread(dz / (len(target) * temperature), counted))",
    ],
    "lstm_1997_pointwise_backward": [  # zeros of the one shape that all of them have
        "return ({}, da, da, LSTMState(h=np.zeros_like(dc), c=dc))  ->  "
        f"return ({{}}, da, da, LSTMState(h=np.zeros_like({other}), c=dc))"
        for other in ("dg", "di", "do")
    ],
    "coupled_lstm_pointwise_backward": [  # zeros of the one shape that all of them have
        "return ({}, da, da, LSTMState(h=np.zeros_like(dc), c=dc * (1 - i)))  ->  "
        f"return ({{}}, da, da, LSTMState(h=np.zeros_like({other}), c=dc * (1 - i)))"
        for other in ("dg", "di", "do")
    ],
    "peephole_lstm_pointwise_backward": [  # zeros of the one shape that both have
        "return (dextra, da, da, LSTMState(h=np.zeros_like(dc), c=dc_previous))  ->  "
        "return (dextra, da, da, LSTMState(h=np.zeros_like(dc_previous), c=dc_previous))",
    ],
    "binary_cross_entropy": [  # exp(z) is as good as exp(-z) while z is small
        "positive = z.real > 0  ->  positive = z.real > 1",
    ],
}


def caught(check, mutant):
    try:
        with np.errstate(all="ignore"):
            check(mutant)
    except (Exception, pytest.fail.Exception):
        return True
    return False


@pytest.mark.parametrize("name", CHECKS)
def test_the_original_passes(name):
    function, check = CHECKS[name]
    check(function)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CHECKS)
def test_every_slip_is_caught(name, monkeypatch):
    monkeypatch.setattr(gradient_check, "numerical_gradient", lambda loss, point, slope: point)  # no diagnosis: it is slow
    function, check = CHECKS[name]
    verdicts = {description: caught(check, mutant) for description, mutant in mutants(function)}
    survivors = [description for description, found in verdicts.items() if not found]
    assert len(verdicts) >= 15, f"only {len(verdicts)} slips were tried"
    assert survivors == HARMLESS.get(name, []), "\n".join(survivors)
