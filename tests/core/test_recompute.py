"""A sequence in stretches gives the same, for every layer and stretch, and keeps less memory."""

import functools
import re

import numpy as np
import pytest
from every_layer import every_layer, reads_symbols
from example_cell import Leaky
from test_unroll import BAD

from rnn_tutorial.cells import GRU, LSTM, Elman, LSTMState
from rnn_tutorial.gradient_check import check_gradients, check_layer, random_start, relative_error
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
    forward_in_stretches,
)
from rnn_tutorial.tree import tree_leaves, tree_random_like, tree_size

T, B, D, H = 7, 3, 4, 5
MASK = np.arange(T)[:, None] < np.array([7, 4, 1])
STACK = Serial(
    (Dense(D, D), Residual(Recurrent(LSTM, D, D)), Serial((Recurrent(GRU, D, H), Dense(H, 2))))
)
LAYERS = {cell.name: Recurrent(cell, D, H) for cell in (Elman, LSTM, GRU, Leaky)} | {
    "stack": STACK,
    "dense": Dense(D, 2),
    "zoneout": Zoneout(LSTM, D, H, LSTMState(0.2, 0.5)),
    "symbols": Serial((Embedding(9, D), Recurrent(LSTM, D, H))),
    "recomputed": Recomputed(Recurrent(LSTM, D, H), 2),
}
each_layer = pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
each_mask = pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "ragged"])


def problem(layer, rng, T=T):
    """Return (params, xs, state), all random."""
    params = tree_random_like(layer.init(rng), rng, 0.3)
    reads_symbols = isinstance(layer, Serial) and isinstance(layer.layers[0], Embedding)
    xs = rng.integers(0, 9, (T, B)) if reads_symbols else rng.standard_normal((T, B, D))
    return params, xs, tree_random_like(layer.initial_state(params, B), rng, 0.3)


def assert_same(tree, reference, rtol=1e-12):
    for ours, theirs in zip(tree_leaves(tree), tree_leaves(reference), strict=True):
        assert (ours is None and theirs is None) or relative_error(ours, theirs) <= rtol


@each_layer
@each_mask
@pytest.mark.parametrize("every", [None, 1, 2, 3, 7, 100])
def test_stretches_change_nothing(layer, mask, every, rng):
    params, xs, state = problem(layer, rng)
    frugal = Recomputed(layer, every)
    ys, last, cache = layer.forward(params, xs, state, mask=mask)
    frugal_ys, frugal_last, frugal_cache = frugal.forward(params, xs, state, mask=mask)
    assert_same((frugal_ys, frugal_last), (ys, last))
    dys, dlast = rng.standard_normal(ys.shape), tree_random_like(last, rng)
    assert_same(
        frugal.backward(params, frugal_cache, dys, dlast), layer.backward(params, cache, dys, dlast)
    )
    assert_same(frugal.backward(params, frugal_cache, dys), layer.backward(params, cache, dys))
    assert_same(
        forward_in_stretches(layer, params, xs, state, mask=mask, every=every or 32), (ys, last)
    )


@each_layer
def test_a_state_that_is_left_out_is_the_first(layer, rng):
    params, xs, _ = problem(layer, rng)
    ys, last, _ = layer.forward(params, xs)
    assert_same(Recomputed(layer).forward(params, xs)[:2], (ys, last))
    assert_same(forward_in_stretches(layer, params, xs, every=3), (ys, last))


@each_mask
def test_the_gradient_is_the_slope(mask, rng):
    frugal = Recomputed(STACK)

    def forward(point):
        ys, last, cache = frugal.forward(*point, mask=mask)
        return (ys, last), cache

    point = problem(STACK, rng)
    check_gradients(
        forward, lambda cache, doutputs: frugal.backward(point[0], cache, *doutputs), point, rng
    )


@each_mask
@pytest.mark.parametrize("every", [None, 3])
def test_the_parameters_are_those_of_the_layer_that_it_wraps(mask, every, rng):
    frugal = Recomputed(Recurrent(GRU, D, H), every)
    assert_same(
        frugal.init(np.random.default_rng(1)), frugal.layer.init(np.random.default_rng(1)), rtol=0
    )
    check_layer(frugal, rng.standard_normal((T, B, D)), rng, mask=mask)


NOISY = {
    "dropout": Dropout(0.5),
    "variational dropout": VariationalDropout(0.5),
    "zoneout": Zoneout(LSTM, D, H, LSTMState(0.3, 0.5)),
}


@pytest.mark.parametrize("layer", NOISY.values(), ids=NOISY)
def test_in_training_the_noise_is_that_of_the_layer_and_the_same_again_in_the_backward(layer, rng):
    """The forward draws as often as the layer does; the backward does not move the generator."""
    params, xs, state = problem(layer, rng)
    one, other = np.random.default_rng(7), np.random.default_rng(7)
    ys, last, cache = layer.forward(params, xs, state, mask=MASK, rng=one)
    frugal = Recomputed(layer, 2)
    frugal_ys, frugal_last, frugal_cache = frugal.forward(params, xs, state, mask=MASK, rng=other)
    assert_same((frugal_ys, frugal_last), (ys, last), rtol=0)
    assert one.bit_generator.state == other.bit_generator.state
    dys = rng.standard_normal(ys.shape)
    expected = layer.backward(params, cache, dys)
    for _ in range(2):
        assert_same(frugal.backward(params, frugal_cache, dys), expected)
    assert one.bit_generator.state == other.bit_generator.state


@pytest.mark.parametrize(("T", "kept"), [(1, 1), (4, 2), (100, 10), (101, 10), (400, 20)])
def test_kept_is_a_state_for_every_stretch_of_about_the_root_of_the_steps(T, kept, rng):
    layer = Recurrent(LSTM, D, H)
    params, xs, state = problem(layer, rng, T=T)
    _, _, cache = Recomputed(layer).forward(params, xs, state)
    assert len(cache.starts) == kept
    assert tree_size([before for _, before, _ in cache.starts]) == kept * 2 * B * H
    assert [some.start for some, _, _ in cache.starts] + [T] == [0] + [
        some.stop for some, _, _ in cache.starts
    ]


def test_nothing_is_changed_and_nothing_is_remembered(rng):
    layer = Recomputed(STACK)
    inputs = problem(STACK, rng)
    params, xs, state = inputs
    before = [leaf.copy() for leaf in tree_leaves(inputs)]
    ys, last, cache = layer.forward(params, xs, state, mask=MASK)
    dys, dlast = np.random.default_rng(1).standard_normal(ys.shape), tree_random_like(last, rng)
    first = layer.backward(params, cache, dys, dlast)
    for leaf in tree_leaves((ys, last)):
        leaf[...] = 7.0
    second = layer.backward(params, cache, dys, dlast)
    assert_same(first, second, rtol=0)
    assert_same(before, tree_leaves(inputs), rtol=0)


def forwards():
    layer = Recurrent(Elman, 4, 5)
    return {
        "in stretches": lambda p, xs, s, m: forward_in_stretches(layer, p, xs, s, mask=m),
        "recomputed": lambda p, xs, s, m: Recomputed(layer, 6).forward(p, xs, s, mask=m),
    }


@pytest.mark.parametrize("forward", forwards().values(), ids=forwards())
@pytest.mark.parametrize("spoil, error, message", BAD)
def test_bad_input_is_refused_by_name(forward, spoil, error, message, rng):
    params, state = random_start(Elman, rng, 3, 4, 5)
    xs, mask = rng.standard_normal((6, 3, 4)), np.arange(6)[:, None] < np.array([6, 4, 1])
    with pytest.raises(error, match=message):
        forward(*spoil(params, xs, state, mask))


@pytest.mark.parametrize("T_mask", [6, 8])
def test_a_mask_of_other_steps_is_refused_before_it_is_cut(T_mask, rng):
    """With a mask that is too long, each stretch would receive a part that fits."""
    layer = Recurrent(LSTM, D, H)
    params, xs, state = problem(layer, rng)
    mask = np.ones((T_mask, B), bool)
    for run in (
        Recomputed(layer, 2).forward,
        lambda *a, **k: forward_in_stretches(layer, *a, every=2, **k),
    ):
        with pytest.raises(
            ValueError, match=rf"mask: expected shape \(T=7, B=3\), got \({T_mask}, 3\)"
        ):
            run(params, xs, state, mask=mask)
        with pytest.raises(TypeError, match="xs: expected a NumPy array"):
            run(params, xs.tolist())


def test_a_stretch_that_is_not_a_positive_whole_number_is_refused(rng):
    layer = Recurrent(LSTM, D, H)
    inputs = problem(layer, rng)
    for make in (
        lambda every: forward_in_stretches(layer, *inputs, every=every),
        lambda every: Recomputed(layer, every),
    ):
        for every in (0, 2.5):
            with pytest.raises(
                ValueError, match=f"every: expected a positive whole number, got {every}"
            ):
                make(every)


NOT_IN_STRETCHES = {"Last", "Bidirectional", "Reversed", "Reversed of a stack"}


def test_every_layer_of_the_package_is_recomputed_or_refused_by_name(rng):
    """Layers that read from the end, or give one answer a sequence, are refused."""
    verdicts = {name: in_stretches(layer, rng) for name, layer in every_layer().items()}
    assert {name for name, (one, other) in verdicts.items() if one and other} == NOT_IN_STRETCHES
    assert {text for pair in verdicts.values() for text in pair} == {
        "",
        "reads from the end",
        "expected an output at each step",
    }


def in_stretches(layer, rng):
    """Return why each of the two functions refuses a layer, "" if it does not."""
    params = layer.init(rng)
    xs = rng.integers(0, 7, (T, B)) if reads_symbols(layer) else rng.standard_normal((T, B, D))
    answers = []
    for run in (Recomputed(layer).forward, functools.partial(forward_in_stretches, layer)):
        try:
            run(params, xs)
            answers.append("")
        except (CannotContinue, ValueError) as error:
            (reason,) = re.findall("reads from the end|expected an output at each step", str(error))
            answers.append(reason)
    return answers


@pytest.mark.parametrize(
    "layer",
    [Bidirectional(Recurrent(LSTM, D, H), Recurrent(LSTM, D, H)), Reversed(Recurrent(LSTM, D, H))],
)
def test_a_layer_that_reads_from_the_end_is_not_read_in_stretches(layer, rng):
    params, xs = layer.init(rng), rng.standard_normal((T, B, D))
    for run in (Recomputed(layer).forward, lambda *a: forward_in_stretches(layer, *a)):
        with pytest.raises(
            CannotContinue,
            match=f"{type(layer).__name__} cannot carry a state on: it reads from the end",
        ):
            run(params, xs)


def test_one_answer_a_sequence_is_not_an_output_at_each_step(rng):
    layer = Serial((Recurrent(LSTM, D, H), Last()))
    params, xs = layer.init(rng), rng.standard_normal((T, B, D))
    for run in (Recomputed(layer).forward, lambda *a: forward_in_stretches(layer, *a)):
        with pytest.raises(
            ValueError,
            match=r"layer: expected an output at each step, \(T, B, N\), got .* shape \(3, 5\)",
        ):
            run(params, xs)


def test_a_gradient_that_is_not_of_the_type_of_its_thing_is_refused(rng):
    layer = Recomputed(Recurrent(LSTM, D, H))
    params, xs, state = problem(layer.layer, rng)
    ys, last, cache = layer.forward(params, xs, state)
    with pytest.raises(ValueError, match=r"dys: expected shape \(7, 3, 5\), got \(6, 3, 5\)"):
        layer.backward(params, cache, ys[1:], last)
    with pytest.raises(ValueError, match=r"dhs: expected shape .* got \(., 3, 1\)"):
        layer.backward(params, cache, ys[..., :1], last)
    with pytest.raises(ValueError, match=r"dlast_state.c: expected shape \(3, 5\), got \(1, 5\)"):
        layer.backward(params, cache, ys, last._replace(c=last.c[:1]))
