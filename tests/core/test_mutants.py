"""A test of the tests: the checks of the chapters and tests catch every one-token slip."""

import functools
from importlib import import_module
from unittest import mock

import numpy as np
import pytest
from example_cell import Leaky
from mutation import surviving

from rnn_tutorial.activations import elu, leaky_relu, sigmoid, tanh
from rnn_tutorial.cells import (
    GRU,
    LSTM,
    Elman,
    GRUActivations,
    GRUBefore,
    LSTM1997Activations,
    LSTMActivations,
    NormLSTM,
    coupled_lstm,
    coupled_lstm_pointwise_backward,
    elman,
    gru_before,
    gru_before_pointwise_backward,
    gru_before_step,
    gru_before_step_backward,
    gru_pointwise_backward,
    gru_step,
    gru_step_backward,
    lstm_1997,
    lstm_1997_pointwise_backward,
    lstm_pointwise_backward,
    norm_lstm_pointwise_backward,
    normalize,
    normalize_backward,
    peephole_lstm,
    peephole_lstm_pointwise_backward,
)
from rnn_tutorial.gradient_check import (
    central_difference_slope,
    check_cell,
    check_gradients,
    complex_step_slope,
    numerical_gradient,
    random_start,
    relative_error,
)
from rnn_tutorial.sequence import (
    step,
    step_backward,
    trace,
    trace_backward,
    unroll,
    unroll_backward,
)
from rnn_tutorial.train import losses
from rnn_tutorial.tree import tree_map, tree_random_like

elman_module = import_module("rnn_tutorial.cells.elman")
gru_module = import_module("rnn_tutorial.cells.gru")
lstm_module = import_module("rnn_tutorial.cells.lstm")

T, B, D, H = 3, 4, 2, 5
MASK = np.arange(T)[:, None] < np.array([3, 2, 2, 1])


def rng():
    return np.random.default_rng(0)


def check_step_backward(backward):
    params, state = random_start(Elman, rng(), B, D, H)
    point = params, rng().standard_normal((B, D)), state
    check_gradients(
        lambda p: elman_module.elman_step(*p),
        lambda cache, d: backward(params, cache, d),
        point,
        rng(),
    )


def check_pointwise_backward(backward):
    check_cell(
        elman(sigmoid).replace(pointwise_backward=lambda *a: backward(*a, activation=sigmoid)),
        rng(),
        T=T,
        B=B,
        D=D,
        H=H,
    )


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
        check_cell(
            cell.replace(pointwise_backward=backward), rng(), T=T, B=6, D=D, H=H
        )  # 3 rows could be 3 peepholes

    return check


def check_step_of(cell, forward):
    """Return a check of the backward of one step as one function."""

    def check(backward):
        params, state = random_start(cell, rng(), B, D, H)
        point = params, rng().standard_normal((B, D)), state
        check_gradients(
            lambda p: forward(*p), lambda cache, d: backward(params, cache, d), point, rng()
        )

    return check


def check_lstm_gates_backward(backward):
    with mock.patch.object(lstm_module, "lstm_gates_backward", backward):
        check_gated_backward(lstm_module.lstm, LSTM_ACTIVATIONS)(lstm_pointwise_backward)


def check_gru_gates_backward(backward):
    with mock.patch.object(gru_module, "gru_gates_backward", backward):
        check_gated_backward(gru_module.gru, GRU_ACTIVATIONS)(gru_pointwise_backward)


def check_trace_backward(backward):
    """The gradients of `unroll_backward`, for the rest of the sequence after each step."""
    params, state = random_start(Leaky, rng(), B, D, H)
    dhs, dlast = tree_random_like((np.empty((T, B, H)), state), rng())
    for mask in (None, MASK):
        traced, caches = trace(Leaky, params, XS, state, mask)
        back = backward(Leaky, params, caches, (dhs, dlast))
        _, cache = unroll(Leaky, params, XS, state, mask)
        dparams, dxs, _ = unroll_backward(Leaky, params, cache, (dhs, dlast))
        assert relative_error(back.da_xs @ params.W_x.T, dxs) < 1e-12
        assert (
            relative_error(np.einsum("tbh,tba->ha", cache.previous_hs, back.da_hs), dparams.W_h)
            < 1e-12
        )
        for t in range(T - 1):
            after, rest = tree_map(lambda leaf, t=t: leaf[t], traced.states), slice(t + 1, None)
            _, cache = unroll(Leaky, params, XS[rest], after, None if mask is None else mask[rest])
            _, _, dafter = unroll_backward(Leaky, params, cache, (dhs[rest], dlast))
            dh = dafter.h + dhs[t] * (1 if mask is None else mask[t][:, None])
            assert (
                relative_error(back.dstates.h[t], dh) < 1e-12
                and relative_error(back.dstates.c[t], dafter.c) < 1e-12
            )
        assert relative_error(back.dstates.c[-1], dlast.c) < 1e-12


def check_unroll_backward(backward):
    params, state = random_start(Leaky, rng(), B, D, H)
    point = params, rng().standard_normal((T, B, D)), state
    for mask in (None, MASK):
        check_gradients(
            lambda p, mask=mask: unroll(Leaky, *p, mask),
            lambda c, d: backward(Leaky, params, c, d),
            point,
            rng(),
        )


def check_any_step_backward(backward):
    params, state = random_start(Leaky, rng(), B, D, H)
    point = params, rng().standard_normal((B, D)), state
    check_gradients(
        lambda p: step(Leaky, *p), lambda cache, d: backward(Leaky, params, cache, d), point, rng()
    )


def check_norm_lstm_backward(backward):
    check_cell(NormLSTM.replace(pointwise_backward=backward), rng(), T=T, B=6, D=D, H=H)


def check_normalize_backward(backward):
    def forward(point):
        normed = normalize(*point)
        return normed.y, normed

    check_gradients(
        forward,
        lambda cache, dy: (backward(cache, dy),),
        (rng().standard_normal((B, H)),),
        np.random.default_rng(1),
    )


def check_loss(plain, targets, slope, options):
    """Return a check of value (by its formula) and gradient (by its slope), whole and masked."""

    def check(loss):
        with np.errstate(all="raise", under="ignore"):
            assert np.isfinite(
                loss(np.where(targets_of(targets) > 0, -1e4, 1e4), targets, **options)[1]
            ).all()
        ys = rng().standard_normal((T, B, H))
        for mask in (None, MASK):
            value, dys = loss(ys, targets, mask=mask, **options)
            counted = np.ones((T, B), bool) if mask is None else mask
            rows = [plain(ys[t, b], targets[t, b], **options) for t, b in np.argwhere(counted)]
            assert abs(value - np.mean(rows)) < 1e-12
            reference = numerical_gradient(
                lambda p, mask=mask: loss(p[0], targets, mask=mask, **options)[0], (ys,), slope
            )[0]
            assert relative_error(dys, reference) < (
                1e-12 if slope is not central_difference_slope else 1e-6
            )

    return check


def within_softmax_cross_entropy(name):
    """Return a check of the function of `losses` that has this name: the loss which calls it."""
    check = check_loss(plain_softmax_cross_entropy, CLASSES, complex_step, {"temperature": 1.7})

    def check_within(function):
        with mock.patch.object(losses, name, function):
            check(losses.softmax_cross_entropy)

    return check_within


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
CLASSES = np.random.default_rng(1).integers(0, H, (T, B))
complex_step = complex_step_slope

CHECKS = {  # the function, and the check that must fail for each of its mutants
    "elman_step_backward": (elman_module.elman_step_backward, check_step_backward),
    "elman_pointwise_backward": (elman_module.elman_pointwise_backward, check_pointwise_backward),
    "lstm_step_backward": (
        lstm_module.lstm_step_backward,
        check_step_of(LSTM, lstm_module.lstm_step),
    ),
    "gru_step_backward": (gru_step_backward, check_step_of(GRU, gru_step)),
    "gru_before_step_backward": (
        gru_before_step_backward,
        check_step_of(GRUBefore, gru_before_step),
    ),
    "lstm_pointwise_backward": (
        lstm_pointwise_backward,
        check_gated_backward(lstm_module.lstm, LSTM_ACTIVATIONS),
    ),
    "lstm_gates_backward": (lstm_module.lstm_gates_backward, check_lstm_gates_backward),
    "lstm_1997_pointwise_backward": (
        lstm_1997_pointwise_backward,
        check_gated_backward(lstm_1997, NO_FORGET_GATE),
    ),
    "coupled_lstm_pointwise_backward": (
        coupled_lstm_pointwise_backward,
        check_gated_backward(coupled_lstm, COUPLED_GATES),
    ),
    "peephole_lstm_pointwise_backward": (
        peephole_lstm_pointwise_backward,
        check_gated_backward(peephole_lstm, LSTM_ACTIVATIONS),
    ),
    "gru_pointwise_backward": (
        gru_pointwise_backward,
        check_gated_backward(gru_module.gru, GRU_ACTIVATIONS),
    ),
    "gru_gates_backward": (gru_module.gru_gates_backward, check_gru_gates_backward),
    "gru_before_pointwise_backward": (
        gru_before_pointwise_backward,
        check_gated_backward(gru_before, GRU_ACTIVATIONS),
    ),
    "trace_backward": (trace_backward, check_trace_backward),
    "unroll_backward": (unroll_backward, check_unroll_backward),
    "step_backward": (step_backward, check_any_step_backward),
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
    "_cross_entropies": (
        losses._cross_entropies,
        within_softmax_cross_entropy("_cross_entropies"),
    ),
}
# Where the gradient of softmax_cross_entropy is written.
GRADIENT = "dflat = (np.empty if mask is None else np.zeros)(flat.shape, flat.dtype)"
HARMLESS = {
    "trace_backward": [  # of the products, that with W_h alone is looked at
        "_, _, dprevious = affine_backward(params, cache, dextra, da_x, da_h, dprevious)  ->  "
        "_, _, dprevious = affine_backward(params, cache, dextra, dh, da_h, dprevious)",
    ],
    "norm_lstm_pointwise_backward": [  # zeros of the one shape that all of them have
        "return (dextra, da_x, da_h, LSTMState(h=np.zeros_like(dc), c=dc * f))  ->  "
        f"return (dextra, da_x, da_h, LSTMState(h=np.zeros_like({other}), c=dc * f))"
        for other in ("df", "dg")
    ],
    "softmax_cross_entropy": [  # one dtype, any negative length, zeros for what is written anyway
        "flat  ->  logits",
        f"{GRADIENT}  ->  {GRADIENT.replace('flat.dtype', 'logits.dtype')}",
        "flat, classes = (logits.reshape(-1, V), targets.reshape(-1))  ->  "
        "flat, classes = (logits.reshape(-2, V), targets.reshape(-1))",
        "flat, classes = (logits.reshape(-1, V), targets.reshape(-1))  ->  "
        "flat, classes = (logits.reshape(-1, V), targets.reshape(-2))",
        *(f"{GRADIENT}  ->  {GRADIENT.replace('mask', other)}" for other in ("n", "targets")),
    ],
    "_cross_entropies": [  # there are as many classes as rows
        "z, places = (_shifted(logits, temperature), (np.arange(len(classes)), classes))  ->  "
        "z, places = (_shifted(logits, temperature), (np.arange(len(logits)), classes))",
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


@pytest.mark.parametrize("name", CHECKS)
def test_the_original_passes(name):
    function, check = CHECKS[name]
    check(function)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CHECKS)
def test_every_slip_is_caught(name):
    tried, survivors = surviving(*CHECKS[name])
    assert tried >= 15, f"only {tried} slips were tried"
    assert survivors == HARMLESS.get(name, []), "\n".join(survivors)
