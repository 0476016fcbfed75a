"""A sequence in pieces is the whole sequence: for every layer of the package, and a user's own.

The layers are found by code (`every_layer.py`): a new one is tested without being named here.
"""

from dataclasses import dataclass

import numpy as np
import pytest
from every_layer import D, V, every_layer, layer_classes, reads_symbols

from rnn_tutorial.cells import GRU, LSTM
from rnn_tutorial.layers import (
    CannotContinue,
    Dense,
    Last,
    Layer,
    Recomputed,
    Recurrent,
    Residual,
    Serial,
    reset_state,
)
from rnn_tutorial.tree import tree_add, tree_leaves, tree_map, tree_random_like

T, B = 8, 3
MASK = np.arange(T)[:, None] < np.array([8, 6, 3])  # the third sequence ends in the first piece
LAYERS = every_layer()


@dataclass(frozen=True)
class Scaled:
    """A user's wrapper, which carries the state of its layer."""

    layer: Layer

    def init(self, rng):
        return self.layer.init(rng)

    def initial_state(self, params, batch_size):
        return self.layer.initial_state(params, batch_size)

    def forward(self, params, xs, state=None, *, mask=None, rng=None):
        ys, state, cache = self.layer.forward(params, xs, state, mask=mask, rng=rng)
        return 2 * ys, state, cache

    def backward(self, params, cache, dys, dstate=None):
        return self.layer.backward(params, cache, 2 * dys, dstate)


OWN = {
    "a user's wrapper": Scaled(Recurrent(LSTM, D, D)),
    "a user's wrapper of a wrapper of a stack": Scaled(
        Residual(Serial((Recurrent(GRU, D, 5), Dense(5, D))))
    ),
    "a user's wrapper inside": Serial(
        (Dense(D, D), Recomputed(Scaled(Recurrent(LSTM, D, D)), 2), Dense(D, 2))
    ),
}


def continues(layer):
    """Whether a layer can go on from a state."""
    try:
        layer.initial_state(layer.init(np.random.default_rng(0)), B)
    except CannotContinue:
        return False
    return True


GO_ON = {name: layer for name, layer in (LAYERS | OWN).items() if continues(layer)}
FROM_THE_END = {name: layer for name, layer in LAYERS.items() if name not in GO_ON}


def inputs(layer, rng):
    return rng.integers(V, size=(T, B)) if reads_symbols(layer) else rng.standard_normal((T, B, D))


def random_problem(layer, rng):
    """Return (params, xs, first state) with nothing at zero."""
    params = tree_random_like(layer.init(rng), rng, 0.4)
    return params, inputs(layer, rng), tree_random_like(layer.initial_state(params, B), rng, 0.4)


def assert_same(left, right, rtol=1e-12):
    left, right = tree_leaves(left), tree_leaves(right)
    assert len(left) == len(right)
    for a, b in zip(left, right, strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-13)


def test_the_layers_are_found():
    names = {kind.__name__ for kind in layer_classes()}
    assert {
        "Recurrent",
        "Serial",
        "Residual",
        "Recomputed",
        "Zoneout",
        "Bidirectional",
        "Dropout",
        "Embedding",
    } <= names
    assert set(FROM_THE_END) == {"Bidirectional", "Reversed", "Reversed of a stack"}


def of_mask(mask):
    return "whole" if mask is None else "ragged"


def of_seed(seed):
    return "training" if seed else "evaluation"


def pieces_cases():
    """Every layer, whole and ragged, in evaluation and in training, but for two cases.

    Last refuses a piece in which a sequence has no real step. The layers of a stack draw from one
    generator in turn, so in pieces they draw other noise: in training each is tested by itself.
    """
    return [
        pytest.param(layer, mask, seed, id=f"{name}-{of_mask(mask)}-{of_seed(seed)}")
        for name, layer in GO_ON.items()
        for mask in (None, MASK)
        for seed in (None, 5)
        if not (isinstance(layer, Last) and mask is not None) and not (seed and "stack" in name)
    ]


@pytest.mark.parametrize("cut", [1, 4, 7])
@pytest.mark.parametrize(("layer", "mask", "seed"), pieces_cases())
def test_in_two_pieces_is_whole(layer, mask, seed, cut):
    rng = np.random.default_rng(1)
    params, xs, first = random_problem(layer, rng)
    noise = [None if seed is None else np.random.default_rng(seed) for _ in range(2)]
    ys, last, cache = layer.forward(params, xs, first, mask=mask, rng=noise[0])
    masks = (None, None) if mask is None else (mask[:cut], mask[cut:])
    ys_1, middle, cache_1 = layer.forward(params, xs[:cut], first, mask=masks[0], rng=noise[1])
    ys_2, last_2, cache_2 = layer.forward(params, xs[cut:], middle, mask=masks[1], rng=noise[1])
    one_answer = ys.ndim == 2
    assert_same(ys, ys_2 if one_answer else np.concatenate([ys_1, ys_2]))
    assert_same(last, last_2)

    dys, dlast = rng.standard_normal(ys.shape), tree_random_like(last, rng)
    dparams, dxs, dfirst = layer.backward(params, cache, dys, dlast)
    dys_1, dys_2 = (np.zeros_like(ys_1), dys) if one_answer else (dys[:cut], dys[cut:])
    dparams_2, dxs_2, dmiddle = layer.backward(params, cache_2, dys_2, dlast)
    dparams_1, dxs_1, dfirst_1 = layer.backward(params, cache_1, dys_1, dmiddle)
    assert_same(dparams, tree_add(dparams_1, dparams_2))
    assert_same(dfirst, dfirst_1)
    if dxs is not None:
        assert_same(dxs, np.concatenate([dxs_1, dxs_2]))


@pytest.mark.parametrize("name", GO_ON)
def test_a_state_that_is_left_out_is_the_first_state_and_a_gradient_that_is_left_out_is_zero(name):
    layer, rng = GO_ON[name], np.random.default_rng(2)
    params, xs, _ = random_problem(layer, rng)
    ys, last, cache = layer.forward(params, xs)
    from_first = layer.forward(params, xs, layer.initial_state(params, B))
    assert_same((ys, last), from_first[:2], rtol=0)
    dys = rng.standard_normal(ys.shape)
    zeros = tree_map(np.zeros_like, last)
    for left_out, given in zip(
        layer.backward(params, cache, dys), layer.backward(params, cache, dys, zeros), strict=True
    ):
        if left_out is not None:
            assert_same(left_out, given, rtol=0)


@pytest.mark.parametrize("name", GO_ON)
def test_the_state_is_a_tree_of_arrays_with_a_row_a_sequence_and_so_is_its_gradient(name):
    layer, rng = GO_ON[name], np.random.default_rng(3)
    params, xs, first = random_problem(layer, rng)
    ys, last, cache = layer.forward(params, xs, first)
    assert all(len(leaf) == B for leaf in tree_leaves((first, last)))
    _, _, dfirst = layer.backward(params, cache, np.ones_like(ys), tree_map(np.ones_like, last))
    assert_same(tree_map(np.zeros_like, first), tree_map(np.zeros_like, dfirst))


@pytest.mark.parametrize("name", FROM_THE_END)
def test_a_layer_that_reads_from_the_end_refuses_a_state_and_takes_the_gradient_of_its_last(name):
    layer, rng = FROM_THE_END[name], np.random.default_rng(4)
    params, xs = layer.init(rng), rng.standard_normal((T, B, D))
    _, last, cache = layer.forward(params, xs, mask=MASK)
    with pytest.raises(CannotContinue, match="reads from the end"):
        layer.forward(params, xs, last)
    with pytest.raises(CannotContinue, match="reads from the end"):
        Serial((Dense(D, D), layer)).initial_state(((), params), B)
    with pytest.raises(CannotContinue, match="reads from the end"):
        Recomputed(layer).forward(params, xs)
    ys, states, _ = Serial((Dense(D, D), layer)).forward((Dense(D, D).init(rng), params), xs)
    with pytest.raises(CannotContinue, match="reads from the end"):
        Serial((Dense(D, D), layer)).forward((Dense(D, D).init(rng), params), xs, states)

    dlast = tree_random_like(last, rng)
    dparams, _, _ = layer.backward(params, cache, np.zeros_like(ys), dlast)
    at = tree_random_like(params, rng)
    step = 1e-6
    ahead, behind = (
        layer.forward(tree_map(lambda p, v, s=sign: p + s * step * v, params, at), xs, mask=MASK)[1]
        for sign in (1, -1)
    )
    slope = sum(
        np.sum(d * (a - b))
        for d, a, b in zip(*map(tree_leaves, (dlast, ahead, behind)), strict=True)
    ) / (2 * step)
    gradient = sum(
        np.sum(d * v) for d, v in zip(tree_leaves(dparams), tree_leaves(at), strict=True)
    )
    assert gradient == pytest.approx(slope, rel=1e-6)


@pytest.mark.parametrize("name", ["Dense", "Dropout", "Embedding", "Last"])
def test_a_layer_without_a_state_refuses_one(name):
    layer, rng = LAYERS[name], np.random.default_rng(5)
    params, xs, _ = random_problem(layer, rng)
    assert layer.initial_state(params, B) == layer.forward(params, xs, ())[1] == ()
    with pytest.raises(TypeError, match=f"state: {name} has none"):
        layer.forward(params, xs, np.zeros((B, D)))


@pytest.mark.parametrize(
    "spoil",
    [lambda h: h[:1], lambda h: h[:, :1], lambda h: h.astype(np.float32), lambda h: h * np.nan],
)
def test_a_state_that_does_not_fit_is_refused_by_name(spoil):
    layer, rng = Recurrent(LSTM, D, D), np.random.default_rng(6)
    params, xs, first = random_problem(layer, rng)
    with pytest.raises((ValueError, TypeError), match=r"state\.c"):
        layer.forward(params, xs, first._replace(c=spoil(first.c)))


def test_a_stack_refuses_a_state_with_another_number_of_parts():
    stack, rng = Serial((Recurrent(LSTM, D, D), Dense(D, D))), np.random.default_rng(7)
    params, xs, first = random_problem(stack, rng)
    for wrong in (first[:1], first[0]._replace(h=first[0].h), np.zeros(2)):
        with pytest.raises((ValueError, TypeError), match="state"):
            stack.forward(params, xs, wrong if wrong is not first[0] else (*wrong, ()))
    ys, _, cache = stack.forward(params, xs, first)
    with pytest.raises(ValueError, match="dstate: expected a tuple of 2"):
        stack.backward(params, cache, np.zeros_like(ys), first[:1])


def test_a_variational_mask_stays_with_its_sequence_and_a_new_sequence_draws_anew():
    layer, rng = LAYERS["VariationalDropout"], np.random.default_rng(8)
    ones = np.ones((2, B, 50))
    first, state, _ = layer.forward((), ones, rng=rng)
    second, state_2, _ = layer.forward((), ones, state, rng=rng)
    np.testing.assert_array_equal(second, first)
    begins = np.array([False, True, False])
    third, _, _ = layer.forward((), ones, reset_state(state_2, begins), rng=rng)
    np.testing.assert_array_equal(third[:, ~begins], first[:, ~begins])
    assert (third[:, begins] != first[:, begins]).any()


def test_a_sequence_that_begins_anew_forgets_and_the_others_do_not():
    model, rng = Serial((Recurrent(LSTM, D, D), Dense(D, 2))), np.random.default_rng(9)
    params, xs, first = random_problem(model, rng)
    begins = np.array([False, True, False])
    ys, _, _ = model.forward(params, xs, reset_state(first, begins))
    np.testing.assert_array_equal(ys[:, begins], model.forward(params, xs)[0][:, begins])
    np.testing.assert_array_equal(ys[:, ~begins], model.forward(params, xs, first)[0][:, ~begins])


@pytest.mark.parametrize(
    ("first", "error", "message"),
    [
        (np.array([1, 0, 0]), TypeError, "first: expected a boolean array"),
        ([True, False, False], TypeError, "first: expected a boolean array"),
        (np.array([True, False]), ValueError, r"first: expected shape \(3,\)"),
    ],
)
def test_what_does_not_say_who_begins_is_refused(first, error, message):
    state = LSTM.initial_state(LSTM.init(np.random.default_rng(0), D, D), B)
    with pytest.raises(error, match=message):
        reset_state(state, first)
