"""The fast path: equal to `unroll` over a whole grid, right by itself, with the same errors."""

import dataclasses
import functools

import numpy as np
import pytest
from example_cell import Leaky
from judges import (
    GRID,
    assert_close,
    torch_elman,
    torch_gru,
    torch_lstm,
    torch_or_skip,
    torch_unroll,
)
from mutation import mutants
from test_unroll import BAD, BAD_GRADIENTS

from rnn_tutorial.activations import identity, relu
from rnn_tutorial.cells import GRU, LSTM, Elman, GRUBefore, GRUParams, LSTMParams, elman, gru, lstm
from rnn_tutorial.cells.kernels import elman as elman_kernel
from rnn_tutorial.cells.kernels import gru as gru_kernel
from rnn_tutorial.cells.kernels import lstm as lstm_kernel
from rnn_tutorial.gradient_check import check_gradients, check_layer, random_start, relative_error
from rnn_tutorial.initializers import normal
from rnn_tutorial.layers import Bidirectional, Recurrent
from rnn_tutorial.sequence import (
    FusedCache,
    UnrollCache,
    fused_unroll,
    fused_unroll_backward,
    unroll,
    unroll_backward,
)
from rnn_tutorial.sequence import fused as sequence
from rnn_tutorial.tree import tree_cast, tree_leaves, tree_map, tree_random_like

T, B, D, H = 6, 3, 4, 5
MASK = np.arange(T)[:, None] < np.array([6, 4, 1])
HOLES = np.array(
    [[1, 0, 1], [0, 0, 1], [1, 1, 1], [1, 0, 0], [1, 1, 0], [0, 1, 1]], bool
)  # padding may stand anywhere
CELLS = {cell.name: cell for cell in (Elman, LSTM, GRU)}
SIZES = [(6, 3, 4, 5), (1, 3, 4, 5), (6, 1, 4, 5), (1, 1, 1, 1), (90, 2, 3, 7), (9, 8, 7, 6)]
each_cell = pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
each_mask = pytest.mark.parametrize("mask", [None, MASK, HOLES], ids=["whole", "ragged", "holes"])


def problem(cell, rng, T=T, B=B, D=D, H=H):
    """Return (params, xs, state), (dhs, dlast_state), all random."""
    params, state = random_start(cell, rng, B, D, H)
    return (params, rng.standard_normal((T, B, D)), state), (
        rng.standard_normal((T, B, H)),
        tree_random_like(state, rng),
    )


def both_ways(forward, backward, cell, inputs, doutputs, mask=None):
    """Return everything that a forward and its backward return, but for the cache."""
    outputs, cache = forward(cell, *inputs, mask)
    return outputs, backward(cell, inputs[0], cache, doutputs)


def assert_twins(cell, inputs, doutputs, mask=None, rtol=1e-12):
    readable = both_ways(unroll, unroll_backward, cell, inputs, doutputs, mask)
    assert_fast(cell, inputs, doutputs, mask, readable, rtol)


def assert_fast(cell, inputs, doutputs, mask, readable, rtol=1e-12):
    twin = both_ways(
        sequence.fused_unroll, sequence.fused_unroll_backward, cell, inputs, doutputs, mask
    )
    assert type(twin[0][1]) is type(readable[0][1])
    for ours, theirs in zip(tree_leaves(twin), tree_leaves(readable), strict=True):
        error = relative_error(ours, theirs)  # by itself: a failed assert would print both arrays
        assert ours.dtype == theirs.dtype and error < rtol


@each_cell
@pytest.mark.parametrize(
    ("T", "B", "D", "H"),
    [(6, 3, 4, 5), (1, 3, 4, 5), (6, 1, 4, 5), (1, 1, 1, 1), (90, 2, 3, 7), (9, 8, 7, 6)],
)
@pytest.mark.parametrize("ragged", [False, True], ids=["whole", "ragged"])
def test_the_twin_equals_the_readable_cell(cell, T, B, D, H, ragged, rng):
    """Outputs, last state, and the gradients of parameters, inputs and first state, to 1e-12."""
    mask = np.arange(T)[:, None] < np.linspace(T, 1, B).astype(int) if ragged else None
    assert_twins(cell, *problem(cell, rng, T, B, D, H), mask)


@each_cell
@each_mask
def test_the_gradient_of_the_twin_is_the_slope_of_the_twin(cell, mask, rng):
    point, _ = problem(cell, rng)
    check_gradients(
        lambda p: fused_unroll(cell, *p, mask),
        lambda cache, d: fused_unroll_backward(cell, point[0], cache, d),
        point,
        rng,
    )


@each_cell
@each_mask
@pytest.mark.parametrize("steps", [1, 2, 4])
def test_how_many_steps_are_computed_at_once_changes_nothing(cell, mask, steps, rng, monkeypatch):
    inputs, doutputs = problem(cell, rng)
    monkeypatch.setattr(sequence, "SEGMENT_BYTES", steps * cell.fast.slots * B * H * 8)
    assert len(sequence.segments(T, cell.fast.slots * B * H * 8)) == -(-T // steps)
    assert_twins(cell, inputs, doutputs, mask)


@each_cell
@pytest.mark.parametrize(("largest", "blocks"), [(120, 1), (60, 2), (1, 4)])
def test_in_how_many_blocks_a_matrix_is_cut_changes_nothing(
    cell, largest, blocks, rng, monkeypatch
):
    """H = 4 can be halved twice. A product of (3, 10) and (10, 4) takes 120 multiplications."""
    monkeypatch.setattr(sequence, "SMALL_PRODUCT", largest)
    assert sequence.cut_columns(np.ones((1, 10, 4)), 3).shape[1] == blocks
    assert_twins(cell, *problem(cell, rng, D=5, H=4), MASK)


@pytest.mark.parametrize(
    ("B", "K", "H", "blocks"),
    [(3, 10, 4, 1), (4, 10, 4, 2), (3, 20, 4, 2), (3, 21, 4, 4), (3, 10, 9, 1), (7, 10, 6, 2)],
)
def test_a_matrix_is_halved_until_its_products_are_small(B, K, H, blocks, rng, monkeypatch):
    """Its blocks are contiguous, and each product lands in its columns; 9 cannot be halved."""
    monkeypatch.setattr(sequence, "SMALL_PRODUCT", 120)
    whole, rows, out = (
        rng.standard_normal((2, K, H)),
        rng.standard_normal((B, K)),
        np.ones((2, B, H)),
    )
    cut = sequence.cut_columns(whole, B)
    assert cut.shape == (2, blocks, K, H // blocks) and cut.flags.c_contiguous
    np.matmul(rows, cut, sequence.like_columns(out, cut))
    np.testing.assert_allclose(out, rows @ whole, rtol=1e-12)


@each_cell
def test_float32_in_float32_out(cell, rng):
    inputs, doutputs = tree_cast(problem(cell, rng), np.float32)
    assert_twins(cell, inputs, doutputs, MASK, rtol=2e-5)


@each_cell
@each_mask
def test_nothing_is_changed_and_nothing_is_remembered(cell, mask, rng):
    """Neither inputs nor cache: a backward may run twice, and outputs belong to the caller."""
    inputs, doutputs = problem(cell, rng)
    before = tree_map(np.copy, (inputs, doutputs))
    outputs, cache = fused_unroll(cell, *inputs, mask)
    first = fused_unroll_backward(cell, inputs[0], cache, doutputs)
    for leaf in tree_leaves((outputs, first)):
        leaf[...] = 7.0
    second = fused_unroll_backward(cell, inputs[0], cache, doutputs)
    again = both_ways(fused_unroll, fused_unroll_backward, cell, inputs, doutputs, mask)
    assert all(
        np.array_equal(a, b)
        for a, b in zip(tree_leaves(before), tree_leaves((inputs, doutputs)), strict=True)
    )
    assert all(
        np.array_equal(a, b)
        for a, b in zip(tree_leaves(second), tree_leaves(again[1]), strict=True)
    )


@each_cell
def test_saturated_gates_give_no_warning_and_no_nan(cell, rng):
    (params, xs, state), doutputs = problem(cell, rng)
    with np.errstate(all="raise", under="ignore"):
        assert_twins(cell, (params, 1e6 * xs, state), doutputs)


@pytest.mark.parametrize(
    ("cell", "kernel"),
    [
        (Elman, elman_kernel.ELMAN_KERNEL),
        (LSTM, lstm_kernel.LSTM_KERNEL),
        (GRU, gru_kernel.GRU_KERNEL),
        (
            lstm(forget_bias=3.0, W_h=normal(0.1)),
            lstm_kernel.LSTM_KERNEL,
        ),  # starts elsewhere, computes the same
        (elman(relu), None),
        (lstm(c=identity), None),
        (gru(r=identity), None),
        (GRUBefore, None),
        (Leaky, None),
        (LSTM.replace(pointwise=lambda *a: LSTM.pointwise(*a)), None),
        (LSTM.replace(pointwise_backward=lambda *a: LSTM.pointwise_backward(*a)), None),
    ],
)
def test_only_what_computes_the_same_has_a_twin(cell, kernel):
    assert cell.fast == kernel


@pytest.mark.parametrize(
    "cell", [elman(relu), lstm(c=identity), gru(r=identity), GRUBefore, Leaky], ids=lambda c: c.name
)
def test_a_cell_without_a_twin_goes_the_readable_way(cell, rng):
    inputs, doutputs = problem(cell, rng)
    twin = both_ways(fused_unroll, fused_unroll_backward, cell, inputs, doutputs, MASK)
    readable = both_ways(unroll, unroll_backward, cell, inputs, doutputs, MASK)
    assert all(
        np.array_equal(a, b) for a, b in zip(tree_leaves(twin), tree_leaves(readable), strict=True)
    )


@each_cell
@each_mask
def test_a_layer_trains_on_the_twin_in_both_directions(cell, mask, rng):
    layer = Recurrent(cell, D, H)
    assert isinstance(layer.forward(layer.init(rng), np.zeros((T, B, D)))[2], FusedCache)
    check_layer(Bidirectional(layer, layer), rng.standard_normal((T, B, D)), rng, mask=mask)


@pytest.mark.parametrize(
    "name, torch_cell", [("Elman", torch_elman), ("LSTM", torch_lstm), ("GRU", torch_gru)]
)
@pytest.mark.parametrize(("B", "T", "D", "H", "lengths"), GRID)
def test_agrees_with_pytorch(name, torch_cell, B, T, D, H, lengths, rng):
    """Outputs, last state, and the gradients of inputs and first state, to 1e-12."""
    torch = torch_or_skip()
    cell = CELLS[name]
    inputs, (dhs, dlast) = problem(cell, rng, T, B, D, H)
    mask = np.arange(T)[:, None] < np.array(lengths)
    (hs, last), (_, dxs, dfirst) = both_ways(
        fused_unroll, fused_unroll_backward, cell, inputs, (dhs, dlast), mask
    )
    params, xs, state = inputs
    their_hs, their_last, theirs = torch_unroll(
        torch, torch_cell(torch, params), xs, state, lengths, dhs, dlast
    )
    pairs = [("hs", hs, their_hs), ("dxs", dxs, theirs["xs"])]
    pairs += zip(
        ("last state", "first state"), (last.h, dfirst.h), (their_last.h, theirs["state"].h)
    )
    for what, ours, their in pairs:
        assert_close(what, ours, their, 1e-12)


@pytest.mark.parametrize("spoil, error, message", BAD)
def test_bad_input_is_refused_by_name(spoil, error, message, rng):
    (params, xs, state), _ = problem(Elman, rng)
    with pytest.raises(error, match=message):
        fused_unroll(Elman, *spoil(params, xs, state, MASK))


@pytest.mark.parametrize("spoil, error, message", BAD_GRADIENTS)
def test_a_gradient_that_is_not_of_the_type_of_its_thing_is_refused(spoil, error, message, rng):
    (params, xs, state), doutputs = problem(Elman, rng)
    _, cache = fused_unroll(Elman, params, xs, state)
    with pytest.raises(error, match=message):
        fused_unroll_backward(Elman, params, cache, spoil(*doutputs))


def test_the_cache_of_one_cell_is_refused_by_another(rng):
    (params, xs, state), doutputs = problem(LSTM, rng)
    _, cache = fused_unroll(LSTM, params, xs, state)
    for other in (
        lstm(c=identity),
        LSTM.replace(name="mine", pointwise_backward=lambda *a: LSTM.pointwise_backward(*a)),
    ):
        with pytest.raises(
            TypeError,
            match=f"cell: expected the one whose forward made the cache, got {other.name}",
        ):
            fused_unroll_backward(other, params, cache, doutputs)


# The tests above must fail for every one-token slip in a twin.

TWINS = [
    *(
        (elman_kernel, name, [Elman])
        for name in ("elman_forward", "elman_slopes", "elman_backward")
    ),
    *(
        (lstm_kernel, name, [LSTM])
        for name in ("lstm_forward", "lstm_slopes", "lstm_backward", "lstm_values", "product_minus")
    ),
    *(
        (gru_kernel, name, [GRU])
        for name in ("gru_forward", "gru_slopes", "gru_backward", "gru_values")
    ),
    *(
        (sequence, name, [Elman, GRU, Leaky])
        for name in (
            "fused_unroll",
            "numpy_steps",
            "fused_unroll_backward",
            "numpy_steps_back",
            "products_backward",
        )
    ),
    *(
        (sequence, name, [Elman, LSTM, GRU])
        for name in (
            "after",
            "backward_weights",
            "each",
            "forward_weights",
            "held_rows",
            "hold_rows",
            "like_columns",
            "products",
            "rows_of",
            "slopes_of",
            "states_in",
            "step_inputs",
            "zero_rows",
        )
    ),
]
HARMLESS = {
    "gru_forward": ["kept = a[0]  ->  kept = a[1]"],  # neither is in use any more
    "gru_backward": ["slopes *= dh  ->  slopes *= dstate"],  # a tuple of one array
    "fused_unroll": [
        *(  # no kernel has a buffer of its own
            "values, work = (kernel.values(T, B, H, dtype), kernel.work(params, B))  ->  "
            f"values, work = (kernel.values(T, B, H, dtype), kernel.work(params, {other}))"
            for other in "HT_"
        ),
        "last = type(state)(*(leaf[-1].copy() for leaf in states))  ->  "
        "last = type(states)(*(leaf[-1].copy() for leaf in states))",
        *(  # none of these kernels has a loop of its own
            "loop_of(kernel, zs, H).forward(kernel, work, weights, zs, states, values, mask)  ->  "
            f"loop_of(kernel, zs, {other}).forward(kernel, work, weights, zs, states, values, mask)"
            for other in ("T", "_", "cell")
        ),
    ],
    "numpy_steps_back": [
        *(  # in how many blocks a matrix is cut
            "dh, W_h_transposed = (dstate.h, cut_columns(W_h_transposed, B))  ->  "
            f"dh, W_h_transposed = (dstate.h, cut_columns(W_h_transposed, {other}))"
            for other in "HT"
        ),
        "dh  ->  dhs",  # how many steps are computed at once
        *(  # a copy that nobody needs
            "kept = None if held is None else tree_map(np.copy, dstate)  ->  "
            f"kept = None if {other} is None else tree_map(np.copy, dstate)"
            for other in ("kernel", "path_columns")
        ),
    ],
    "held_rows": [  # asks of all steps what was asked of one: more is held, by what it was anyway
        "return repeat(None) if mask is None else "
        "[None if real.all() else ~real[:, None] for real in mask[some]]  ->  "
        "return repeat(None) if mask is None else "
        "[None if mask.all() else ~real[:, None] for real in mask[some]]",
    ],
    "hold_rows": ["held  ->  old"],  # to NumPy, where=None is nowhere
    "products": [  # in how many blocks a matrix is cut
        "W = cut_columns(weights[blocks, rows], a.shape[1])  ->  "
        "W = cut_columns(weights[blocks, rows], a.shape[2])"
    ],
    "rows_of": [  # more is read than must be, by weights of zero
        "found = [(slice(h.start, x.start), slice(0, H + 1)), (slice(x.start, h.stop), "
        "slice(0, None)), (slice(h.stop, x.stop), slice(H, None))]  ->  "
        f"found = [(slice(h.start, x.start), slice(0, {first})), (slice(x.start, {stop}), "
        "slice(0, None)), (slice(h.stop, x.stop), slice(H, None))]"
        for first, stop in (("H + 2", "h.stop"), ("H + 1", "x.stop"))
    ],
}


def mutant_cases():
    return [pytest.param(module, name, cells, id=name) for module, name, cells in TWINS]


@functools.cache
def questions(cell):
    """Return (inputs, doutputs, mask, what the readable cell answers) for some masks.

    All sizes differ. H = 10 can be halved, so a matrix can be cut.
    """
    rng, found = np.random.default_rng(0), []
    for B, mask in ((2, None), (2, MASK[:, 1:]), (2, HOLES[:, :2]), (1, HOLES[:, 2:])):
        twice = None if mask is None else np.repeat(mask, 2, axis=0)
        inputs, doutputs = problem(cell, rng, T=12, B=B, D=7, H=10)
        readable = both_ways(unroll, unroll_backward, cell, inputs, doutputs, twice)
        for leaf in tree_leaves((inputs, doutputs, readable)):
            leaf.flags.writeable = False  # a mutant that changes them is found, and alone
        found.append((inputs, doutputs, twice, readable))
    return found


def seen(cells, broken):
    """Return whether some cells answer otherwise with the `broken` kernels."""
    try:
        with np.errstate(all="ignore"):
            for cell, other in zip(cells, broken, strict=True):
                for question in questions(cell):
                    assert_fast(other, *question)
    except Exception:
        return True
    return False


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("module", "name", "cells"), mutant_cases())
def test_every_slip_in_a_twin_is_caught(module, name, cells, monkeypatch):
    original = getattr(module, name)
    monkeypatch.setattr(sequence, "SEGMENT_BYTES", 2 * 2 * 10 * 8 * 4)  # two steps at once, or more
    monkeypatch.setattr(sequence, "SMALL_PRODUCT", 180)  # two blocks for two sequences
    survivors, loop = [], sequence.NUMPY_LOOP
    for description, mutant in mutants(original):
        monkeypatch.setattr(module, name, mutant)
        monkeypatch.setattr(sequence, "NUMPY_LOOP", with_part(loop, original, mutant))
        before, after = description.split("  ->  ")
        broken = [with_mutant(cell, original, mutant) for cell in cells]
        if after.replace("-2", "-1") != before and not seen(
            cells, broken
        ):  # in reshape, any negative length is "as many as fit"
            survivors.append(description)
        monkeypatch.setattr(module, name, original)
        monkeypatch.setattr(sequence, "NUMPY_LOOP", loop)
    assert not seen(cells, cells)
    assert survivors == HARMLESS.get(name, []), "\n".join(survivors)


def with_mutant(cell, old, new):
    """Return the cell with the function `new` in the place of `old` in its kernel."""
    if cell.fast is None:
        return cell
    return cell.with_fast(with_part(cell.fast, old, new))


def with_part(functions, old, new):
    """Return the NamedTuple of functions with `new` in the place of `old`."""
    return type(functions)(*(new if value is old else value for value in functions))


def test_the_parameters_come_back_as_the_type_they_were(rng):
    for cell, Params in ((LSTM, LSTMParams), (GRU, GRUParams)):
        inputs, doutputs = problem(cell, rng)
        _, (dparams, _, dfirst) = both_ways(
            fused_unroll, fused_unroll_backward, cell, inputs, doutputs
        )
        assert type(dparams) is Params and type(dfirst) is type(inputs[2])


def test_a_cell_with_other_functions_has_no_kernel_unless_it_is_given_one(rng):
    """`replace` (the cell's or that of dataclasses) drops it; `with_fast` adds or removes one."""
    for cell in CELLS.values():
        assert cell.replace(name="mine").fast == cell.fast
        for changed in (
            cell.replace(pointwise=cell.pointwise),
            dataclasses.replace(cell, pointwise=cell.pointwise),
        ):
            assert cell.fast is not None and changed.fast is None
        assert (
            cell.with_fast(None).fast is None and cell.with_fast(None).with_fast(cell.fast) == cell
        )
        assert cell.with_fast(None) != cell
        inputs, _ = problem(cell, rng)
        assert isinstance(fused_unroll(cell.with_fast(None), *inputs)[1], UnrollCache)
        assert isinstance(fused_unroll(cell, *inputs)[1], FusedCache)


def test_the_cache_of_a_sequence_with_other_sizes_is_refused(rng):
    for cell in CELLS.values():
        (params, xs, state), doutputs = problem(cell, rng)
        for forward, backward in ((unroll, unroll_backward), (fused_unroll, fused_unroll_backward)):
            _, cache = forward(cell, params, xs, state)
            for other in (cell.init(rng, D, H + 1), cell.init(rng, D + 1, H)):
                with pytest.raises(
                    ValueError,
                    match=r"params: expected those .* \(4, 5\), got \(D, H\) = \([45], [56]\)",
                ):
                    backward(cell, other, cache, doutputs)


@each_cell
def test_each_backward_says_which_cache_it_takes(cell, rng):
    """`fused_unroll_backward` takes the caches of both, `unroll_backward` its own alone."""
    (params, xs, state), doutputs = problem(cell, rng)
    _, readable = unroll(cell, params, xs, state)
    _, fused = fused_unroll(cell, params, xs, state)
    for ours, theirs in zip(
        tree_leaves(fused_unroll_backward(cell, params, readable, doutputs)),
        tree_leaves(unroll_backward(cell, params, readable, doutputs)),
        strict=True,
    ):
        np.testing.assert_array_equal(ours, theirs)
    with pytest.raises(
        TypeError, match="cache: expected the UnrollCache that the forward returned, got FusedCache"
    ):
        unroll_backward(cell, params, fused, doutputs)
    with pytest.raises(
        TypeError, match="cache: expected the UnrollCache that the forward returned, got list"
    ):
        fused_unroll_backward(cell, params, [fused], doutputs)
