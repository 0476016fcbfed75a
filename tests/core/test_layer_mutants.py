"""A test of the tests: every one-token slip in a layer is caught. See `test_mutants.py`."""

from unittest import mock

import numpy as np
import pytest
from mutation import surviving

from rnn_tutorial.cells import LSTM, Elman, LSTMState
from rnn_tutorial.gradient_check import (
    check_gradients,
    random_start,
)
from rnn_tutorial.layers import (
    Bidirectional,
    CannotContinue,
    Dense,
    Dropout,
    Embedding,
    Last,
    Recomputed,
    Recurrent,
    Residual,
    Reversed,
    Serial,
    VariationalDropout,
    Zoneout,
    dropout,
    recompute,
    reset_state,
    unroll_reversed,
    unroll_reversed_backward,
)
from rnn_tutorial.sequence import step
from rnn_tutorial.tree import tree_leaves, tree_map, tree_random_like, tree_zeros_like

T, B, D, H = 4, 3, 2, 5
MASK = np.arange(T)[:, None] < np.array([4, 2, 1])


def rng():
    return np.random.default_rng(0)


XS = rng().standard_normal((T, B, D))
BOTH_WAYS = Bidirectional(Recurrent(Elman, D, 4), Recurrent(LSTM, D, H))
CLASSES = np.random.default_rng(1).integers(0, H, (T, B))


def first_state_of(layer, params):
    """Return a random first state, or None for a layer that reads from the end."""
    try:
        return tree_random_like(layer.initial_state(params, B), np.random.default_rng(3), 0.3)
    except CannotContinue:
        return None


def check_layer_backward(layer, xs, mask=None, seed=None):
    """Return a check of all gradients of `backward(layer, params, cache, dys, dstate)`."""

    def check(backward):
        params, noise = tree_random_like(layer.init(rng()), rng(), 0.3), np.random.default_rng
        state, moving = first_state_of(layer, params), xs.dtype == float

        def forward(point):
            left = list(point[1:])
            ours_xs = left.pop(0) if moving else xs
            first = left.pop(0) if state is not None else None
            ys, last, cache = layer.forward(
                point[0], ours_xs, first, mask=mask, rng=None if seed is None else noise(seed)
            )
            return (ys, last), cache

        def gradients(cache, doutputs):
            dparams, dxs, dfirst = backward(layer, params, cache, *doutputs)
            return (dparams, *((dxs,) if moving else ()), *((dfirst,) if state is not None else ()))

        point = (params, *((xs,) if moving else ()), *((state,) if state is not None else ()))
        (ys, last), cache = forward(point)
        with pytest.raises((ValueError, TypeError), match="expected"):
            backward(layer, params, cache, ys[1:])
        check_gradients(forward, gradients, point, rng())
        assert_equal(
            backward(layer, params, cache, ys),
            backward(layer, params, cache, ys, tree_zeros_like(last)),
        )

    return check


def assert_equal(tree, reference):
    for ours, theirs in zip(tree_leaves(tree), tree_leaves(reference), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def check_dfirst(backward, layer, params, parts):
    """The gradient of the first state, which cannot be given, is that of the layers inside."""
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
    check_dfirst(
        backward,
        layer,
        params,
        lambda dys, d: one_layer_backward(layer.layer, params, *turned, dys[::-1], d),
    )


def check_unroll_reversed_backward(backward):
    params, state = random_start(LSTM, rng(), B, D, H)
    point = params, rng().standard_normal((T, B, D)), state
    for mask in (None, MASK):
        check_gradients(
            lambda p, mask=mask: unroll_reversed(LSTM, *p, mask),
            lambda c, d: backward(LSTM, params, c, d),
            point,
            rng(),
        )


def check_bidirectional_backward(backward):
    check_layer_backward(BOTH_WAYS, XS, MASK)(backward)
    read = Serial((Embedding(H, D), Recurrent(Elman, D, 4)))
    check_layer_backward(Bidirectional(read, read), CLASSES)(backward)  # symbols have no gradient
    params = BOTH_WAYS.init(rng())

    def parts(dys, dlast):
        forwards = one_layer_backward(
            BOTH_WAYS.forwards, params.forwards, XS, MASK, dys[..., :4], dlast.forwards
        )
        turned = XS[::-1], MASK[::-1], dys[::-1, :, 4:]
        return forwards, one_layer_backward(
            BOTH_WAYS.backwards, params.backwards, *turned, dlast.backwards
        )

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
    """In stretches of equal and unequal length, with noise that is drawn again, with symbols."""
    for every in (3, T):
        check_layer_backward(Recomputed(Recurrent(LSTM, D, H), every), XS, MASK)(backward)
    check_layer_backward(
        Recomputed(Zoneout(LSTM, D, H, LSTMState(h=0.2, c=0.5)), 2), XS, MASK, seed=7
    )(backward)
    check_layer_backward(Recomputed(Serial((Embedding(H, D), Recurrent(Elman, D, 4))), 3), CLASSES)(
        backward
    )
    layer = Recomputed(Dropout(0.5), 2)
    _, _, cache = layer.forward((), XS, rng=rng())
    assert_equal(
        backward(layer, (), cache, XS)[1], backward(layer, (), cache, XS)[1]
    )  # no generator is moved


def check_reset_state(reset):
    """Every array of a state: zero where a sequence begins, else as it was; the old one stays."""
    state = tree_random_like(
        (LSTMState(np.empty((B, H)), np.empty((B, 2, 2))), (), np.empty(B)), rng()
    )
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
    """Factors 0 or 1 / (1 - rate); one noise for each sequence, drawn anew where it is zero."""
    layer, ones = VariationalDropout(0.3), np.ones((2, 30, 40))
    ys, noise, cache = layer.forward((), ones, rng=rng())
    assert (
        noise.shape == (30, 40)
        and (0 < noise).all()
        and (noise <= 1).all()
        and abs(noise.mean() - 0.5) < 0.03
    )
    np.testing.assert_array_equal(
        ys, np.broadcast_to(np.where(noise <= 0.7, 1 / 0.7, 0), ones.shape)
    )
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
    assert single[0].dtype == np.float32 and {float(y) for y in np.unique(single[0])} == {
        0,
        float(np.float32(1 / 0.7)),
    }
    np.testing.assert_array_equal(layer.forward((), ones.astype("float32"))[0], ones)
    assert layer.forward((), ones.astype("float32"))[0].dtype == np.float32


def layer_and_problem(layer):
    """Return (params, xs, first state), nothing at zero."""
    params = tree_random_like(layer.init(rng()), rng(), 0.3)
    return params, XS, first_state_of(layer, params)


def check_serial_forward():
    """The layers one after another by hand, all with one mask and one generator."""
    layers = Recurrent(LSTM, D, H), VariationalDropout(0.4), Recurrent(Elman, H, 3), Dropout(0.5)
    model = Serial(layers)
    params, xs, state = layer_and_problem(model)
    one, other = rng(), rng()
    ys, last, caches = model.forward(params, xs, state, mask=MASK, rng=one)
    expected, states = xs, []
    for layer, part, first in zip(layers, params, state):
        expected, after, _ = layer.forward(part, expected, first, mask=MASK, rng=other)
        states.append(after)
    assert len(caches) == len(layers)
    assert_equal((ys, last), (expected, tuple(states)))
    assert_equal(
        model.forward(params, xs)[:2], model.forward(params, xs, model.initial_state(params, B))[:2]
    )
    check_layer_backward(model, xs, MASK, seed=7)(Serial.backward)


def check_residual_forward():
    layer = Residual(Serial((Zoneout(LSTM, D, D, LSTMState(0.5, 0.5)), Dense(D, D))))
    params, xs, state = layer_and_problem(layer)
    ys, last, _ = layer.forward(params, xs, state, mask=MASK, rng=rng())
    inside, expected, _ = layer.layer.forward(params, xs, state, mask=MASK, rng=rng())
    assert_equal((ys, last), (xs + inside, expected))
    check_layer_backward(layer, xs, MASK, seed=7)(Residual.backward)


def check_recomputed_forward():
    """Outputs, state, gradients, from a given state and from the first, for several stretches."""
    refuses_to_read_from_the_end(lambda layer: Recomputed(layer, T).forward(layer.init(rng()), XS))
    for steps, every in ((1, 1), (9, 3), (10, 4)):
        _, _, cache = Recomputed(Dropout(0.5)).forward((), np.ones((steps, B, D)))
        assert cache.starts[0][0] == slice(0, every)
    for layer in (Recurrent(LSTM, D, H), Zoneout(LSTM, D, H, LSTMState(h=0.2, c=0.5))):
        params, xs, state = layer_and_problem(layer)
        for every, kept in ((None, 2), (1, 4), (3, 2), (9, 1)):
            frugal = Recomputed(layer, every)
            for first, mask in ((state, MASK), (None, None)):
                given = tree_map(np.copy, (xs, first, mask)) if first else (xs.copy(), None, None)
                ys, last, cache = frugal.forward(
                    params, given[0], given[1], mask=given[2], rng=rng()
                )
                expected = layer.forward(params, xs, first, mask=mask, rng=rng())
                np.testing.assert_allclose(ys, expected[0], rtol=1e-13)
                assert len(cache.starts) == kept
                before = tree_map(np.copy, last)
                for leaf in tree_leaves((ys, last, given[0])) + (
                    tree_leaves(given[1:]) if first else []
                ):
                    leaf[...] = 7
                gradients = frugal.backward(params, cache, expected[0], before)
                for ours, theirs in zip(
                    tree_leaves((before, gradients)),
                    tree_leaves(
                        (expected[1], layer.backward(params, expected[2], expected[0], before))
                    ),
                    strict=True,
                ):
                    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


def refuses_to_read_from_the_end(run):
    with pytest.raises(CannotContinue):
        run(Reversed(Recurrent(LSTM, D, H)))  # in one stretch too


def check_forward_in_stretches(forward):
    refuses_to_read_from_the_end(lambda layer: forward(layer, layer.init(rng()), XS))
    layer = Recurrent(LSTM, D, H)
    params, xs, state = layer_and_problem(layer)
    for every in (1, 3, 4, 9):
        for first, mask in ((state, MASK), (None, None)):
            ours, theirs = (
                forward(layer, params, xs, first, mask=mask, every=every),
                layer.forward(params, xs, first, mask=mask),
            )
            for a, b in zip(tree_leaves(ours), tree_leaves(theirs[:2]), strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-13)


def check_stretches(stretches):
    assert stretches(7, 3) == [slice(0, 3), slice(3, 6), slice(6, 7)] and stretches(6, 3) == [
        slice(0, 3),
        slice(3, 6),
    ]
    assert stretches(2, 5) == [slice(0, 2)]


def check_zoneout_forward():
    """Each entry of the state is the old or the new one by a draw of its own; held where masked."""
    layer = Zoneout(LSTM, D, H, LSTMState(h=0.3, c=0.6))
    params, xs, first = layer_and_problem(layer)
    for mask in (None, MASK):
        for noise in (None, rng):
            ys, last, cache = layer.forward(params, xs, first, mask=mask, rng=noise and noise())
            draw, state = noise and noise(), first
            for t, x in enumerate(xs):
                new, _ = step(LSTM, params, x, state)
                taken = [
                    np.full((B, H), 1 - rate) if draw is None else draw.random((B, H)) >= rate
                    for rate in layer.rates
                ]
                mixed = [p * n + (1 - p) * o for p, n, o in zip(taken, new, state)]
                real = np.ones((B, 1), bool) if mask is None else mask[t][:, None]
                state = LSTMState(*(np.where(real, m, o) for m, o in zip(mixed, state)))
                np.testing.assert_allclose(ys[t], np.where(real, state.h, 0), rtol=1e-13)
            np.testing.assert_allclose((last.h, last.c), (state.h, state.c), rtol=1e-13)
            layer.backward(params, cache, ys, last)
    zero = layer.initial_state(params, B)
    assert_equal(layer.forward(params, xs)[:2], layer.forward(params, xs, zero)[:2])
    check_layer_backward(layer, xs, MASK, seed=7)(Zoneout.backward)


CHECKS = {  # the function, and the check that must fail for each of its mutants
    "Recurrent.backward": (
        Recurrent.backward,
        check_layer_backward(Recurrent(LSTM, D, H), XS, MASK),
    ),
    "Last.backward": (Last.backward, check_layer_backward(Last(), XS, MASK)),
    "Dense.backward": (Dense.backward, check_layer_backward(Dense(D, H), XS)),
    "Embedding.backward": (
        Embedding.backward,
        check_layer_backward(Embedding(H, D), np.maximum(CLASSES, 1)),  # symbol 0 is not read
    ),
    "Serial.backward": (
        Serial.backward,
        check_layer_backward(
            Serial((Dense(D, H), Recurrent(LSTM, H, 7), Recurrent(Elman, 7, 4), Dense(4, 2))), XS
        ),
    ),
    "Residual.backward": (
        Residual.backward,
        check_layer_backward(Residual(Serial((Recurrent(Elman, D, H), Dense(H, D)))), XS),
    ),
    "Serial.forward": (Serial.forward, patched(Serial, "forward", check_serial_forward)),
    "Residual.forward": (Residual.forward, patched(Residual, "forward", check_residual_forward)),
    "Recomputed.forward": (
        Recomputed.forward,
        patched(Recomputed, "forward", check_recomputed_forward),
    ),
    "forward_in_stretches": (recompute.forward_in_stretches, check_forward_in_stretches),
    "stretches": (recompute.stretches, check_stretches),
    "Zoneout.forward": (Zoneout.forward, patched(Zoneout, "forward", check_zoneout_forward)),
    "Bidirectional.backward": (Bidirectional.backward, check_bidirectional_backward),
    "Reversed.backward": (Reversed.backward, check_reversed_backward),
    "unroll_reversed_backward": (unroll_reversed_backward, check_unroll_reversed_backward),
    "Zoneout.backward": (Zoneout.backward, check_zoneout_backward),
    "Recomputed.backward": (Recomputed.backward, check_recomputed_backward),
    "VariationalDropout.forward": (
        VariationalDropout.forward,
        patched(VariationalDropout, "forward", check_variational_dropout),
    ),
    "VariationalDropout.backward": (
        VariationalDropout.backward,
        patched(VariationalDropout, "backward", check_variational_dropout),
    ),
    "VariationalDropout, _scale_backward": (
        dropout._scale_backward,
        patched(dropout, "_scale_backward", check_variational_dropout),
    ),
    "VariationalDropout, _continued_noise": (
        dropout._continued_noise,
        patched(dropout, "_continued_noise", check_variational_dropout),
    ),
    "VariationalDropout, _factors": (
        dropout._factors,
        patched(dropout, "_factors", check_variational_dropout),
    ),
    "reset_state": (reset_state, check_reset_state),
}
FEW = {"VariationalDropout.backward": 6, "VariationalDropout, _scale_backward": 3, "stretches": 14}
HARMLESS = {
    "reset_state": [  # to NumPy any negative length means "as many as fit"
        "return np.where(first.reshape(-1, *[1] * (leaf.ndim - 1)), np.zeros_like(leaf), leaf)"
        "  ->  "
        "return np.where(first.reshape(-2, *[1] * (leaf.ndim - 1)), np.zeros_like(leaf), leaf)",
    ],
    "VariationalDropout, _continued_noise": [  # a row is all zero, or has no zero
        "return state.copy() if begun.all() else np.where(begun, state, _noise(rng, shape))  ->  "
        f"return state.copy() if {begun}.all() else np.where({where}, state, _noise(rng, shape))"
        for begun, where in (("begun", "state"), ("state", "begun"))
    ],
    "VariationalDropout, _factors": [
        "real = dtype.type(0).real.dtype  ->  real = dtype.type(1).real.dtype"
    ],
    "Zoneout.backward": [  # zeros like the last state of one step or of another
        "dstate = tree_zeros_like(cache.steps[-1].state) if dstate is None else dstate  ->  "
        f"dstate = tree_zeros_like(cache.steps[{step}].state) if dstate is None else dstate"
        for step in (1, -2)
    ],
    "Dense.backward": [  # to NumPy any negative length means "as many as fit"
        "flat_xs, flat_dys = (xs.reshape(-1, self.input_size), dys.reshape(-1, self.output_size))"
        "  ->  "
        "flat_xs, flat_dys = (xs.reshape(-2, self.input_size), dys.reshape(-1, self.output_size))",
        "flat_xs, flat_dys = (xs.reshape(-1, self.input_size), dys.reshape(-1, self.output_size))"
        "  ->  "
        "flat_xs, flat_dys = (xs.reshape(-1, self.input_size), dys.reshape(-2, self.output_size))",
        *(  # as many rows of xs as of dys, and of one dtype
            f"db = np.ones(len(flat_dys), dys.dtype) @ flat_dys  ->  db = {ones} @ flat_dys"
            for ones in (
                "np.ones(len(flat_xs), dys.dtype)",
                "np.ones(len(flat_dys), flat_dys.dtype)",
                "np.ones(len(flat_dys), flat_xs.dtype)",
            )
        ),
    ],
    "Embedding.backward": [  # any negative length
        "symbols = indices.reshape(-1).astype(np.min_scalar_type(self.vocabulary_size))  ->  "
        "symbols = indices.reshape(-2).astype(np.min_scalar_type(self.vocabulary_size))",
        "rows = dys.reshape(-1, self.output_size).take(order, axis=0)  ->  "
        "rows = dys.reshape(-2, self.output_size).take(order, axis=0)",
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
    assert tried >= FEW.get(name, 15), f"only {tried} slips were tried"
    assert survivors == HARMLESS.get(name, []), "\n".join(survivors)
