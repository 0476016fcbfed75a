"""Packed sequences: PyTorch's arrays exactly, and the loop over them is the masked loop."""

import numpy as np
import pytest
from every_cell import CELLS
from judges import (
    GRID,
    assert_close,
    reorder_gates,
    torch_gru,
    torch_lstm,
    torch_or_skip,
    torch_unroll,
)

from rnn_tutorial.cells import GRU, LSTM
from rnn_tutorial.data import lengths_to_mask
from rnn_tutorial.gradient_check import check_gradients, random_start
from rnn_tutorial.sequence import (
    Packed,
    pack,
    packed_unroll,
    packed_unroll_backward,
    take_rows,
    unpack,
    unroll,
    unroll_backward,
)
from rnn_tutorial.tree import tree_leaves, tree_random_like

RAGGED = [(T, B, D, H, lengths) for B, T, D, H, lengths in GRID] + [(5, 4, 3, 2, [2, 5, 2, 5])]
THEIR_GATES = {"LSTM": "ifgo", "GRU": "rzn"}
MASK = lengths_to_mask([1, 4, 2, 4], 4)


def problem(cell, rng, T, B, D, H):
    """Return ((params, xs, state), (dhs, dlast_state)), all of them random."""
    params, state = random_start(cell, rng, B, D, H)
    dlast = tree_random_like(state, rng)
    return (params, rng.standard_normal((T, B, D)), state), (rng.standard_normal((T, B, H)), dlast)


def packed_gradients(cell, inputs, doutputs, mask):
    """Return ((hs, last), (dparams, dxs, dfirst_state)) through pack, loop and unpack."""
    (params, xs, state), (dhs, dlast) = inputs, doutputs
    (hs, last), cache = packed_unroll(cell, params, pack(xs, mask), state)
    dparams, dxs, dfirst = packed_unroll_backward(cell, params, cache, (pack(dhs, mask), dlast))
    return (unpack(hs, len(xs))[0], last), (dparams, unpack(dxs, len(xs))[0], dfirst)


@pytest.mark.parametrize("sizes", RAGGED)
@pytest.mark.parametrize("name", CELLS)
def test_the_packed_loop_is_the_masked_loop(name, sizes, rng):
    *sizes, lengths = sizes
    cell, mask = CELLS[name], lengths_to_mask(lengths, sizes[0])
    inputs, doutputs = problem(cell, rng, *sizes)
    outputs, cache = unroll(cell, *inputs, mask)
    gradients = unroll_backward(cell, inputs[0], cache, doutputs)
    ours = packed_gradients(cell, inputs, doutputs, mask)
    for got, want in zip(tree_leaves(ours), tree_leaves((outputs, gradients)), strict=True):
        assert_close(name, got, want, 1e-12)


@pytest.mark.parametrize("name", CELLS)
def test_every_gradient_is_the_slope(name, rng):
    cell = CELLS[name]
    (params, xs, state), _ = problem(cell, rng, 4, 4, 3, 2)
    batch_sizes, order = pack(xs, MASK)[1:]

    def forward(point):
        params, data, state = point
        (hs, last), cache = packed_unroll(cell, params, Packed(data, batch_sizes, order), state)
        return (hs.data, last), cache

    def backward(cache, doutputs):
        dhs, dlast = doutputs
        packed = Packed(dhs, batch_sizes, order), dlast
        dparams, dxs, dfirst = packed_unroll_backward(cell, params, cache, packed)
        return dparams, dxs.data, dfirst

    check_gradients(forward, backward, (params, pack(xs, MASK).data, state), rng)


@pytest.mark.parametrize("enforce_sorted", [True, False])
@pytest.mark.parametrize("sizes", RAGGED)
def test_the_arrays_are_those_of_pytorch(sizes, enforce_sorted, rng):
    torch = torch_or_skip()
    T, B, D, _, lengths = sizes
    lengths = sorted(lengths, reverse=True) if enforce_sorted else lengths
    xs = rng.standard_normal((T, B, D))
    theirs = torch.nn.utils.rnn.pack_padded_sequence(
        torch.tensor(xs), torch.tensor(lengths), enforce_sorted=enforce_sorted
    )
    ours = pack(xs, lengths_to_mask(lengths, T))
    np.testing.assert_array_equal(ours.data, theirs.data)
    np.testing.assert_array_equal(ours.batch_sizes, theirs.batch_sizes)
    order = np.arange(B) if enforce_sorted else theirs.sorted_indices
    np.testing.assert_array_equal(ours.order, order)
    padded, _ = torch.nn.utils.rnn.pad_packed_sequence(theirs, total_length=T)
    np.testing.assert_array_equal(unpack(ours, T)[0], padded)


@pytest.mark.parametrize("enforce_sorted", [True, False])
@pytest.mark.parametrize("sizes", RAGGED)
@pytest.mark.parametrize(("cell", "theirs"), [(LSTM, torch_lstm), (GRU, torch_gru)])
def test_outputs_and_all_gradients_are_those_of_pytorch(cell, theirs, sizes, enforce_sorted, rng):
    torch = torch_or_skip()
    *sizes, lengths = sizes
    lengths = sorted(lengths, reverse=True) if enforce_sorted else lengths
    inputs, doutputs = problem(cell, rng, *sizes)
    hs, last, gradients = torch_unroll(
        torch, theirs(torch, inputs[0]), *inputs[1:], lengths, *doutputs, enforce_sorted
    )
    (our_hs, our_last), (dparams, dxs, dfirst) = packed_gradients(
        cell, inputs, doutputs, lengths_to_mask(lengths, sizes[0])
    )
    for name in ("W_x", "W_h", "b"):
        want = reorder_gates(gradients[name], THEIR_GATES[cell.name], cell.gates)
        assert_close(name, getattr(dparams, name), want, 1e-12)
    if cell is GRU:
        assert_close("b_hn", dparams.b_hn, gradients["b_h"][2 * sizes[3] :], 1e-12)
    assert_close("hs", our_hs, hs, 1e-12)
    assert_close("dxs", dxs, gradients["xs"], 1e-12)
    pairs = (our_last, last), (dfirst, gradients["state"])
    for got, want in (leaves for pair in pairs for leaves in zip(*pair, strict=True)):
        assert_close("state", got, want, 1e-12)


def test_pack_and_unpack_move_numbers_there_and_back(rng):
    for trailing in ((), (3,), (2, 3)):
        xs = rng.integers(1, 100, (4, 4, *trailing)) * MASK.reshape(4, 4, *[1] * len(trailing))
        packed = pack(xs, MASK)
        assert len(packed.data) == MASK.sum() and (packed.data > 0).all()
        for got, want in zip(unpack(packed), (xs, MASK), strict=True):
            np.testing.assert_array_equal(got, want)


def test_sequences_of_one_length_keep_their_order():
    """PyTorch promises no order for them; for few sequences, its sort keeps it too."""
    lengths = [2, 3, 1] * 20
    order = pack(np.ones((3, 60)), lengths_to_mask(lengths, 3)).order
    assert order.tolist() == sorted(range(60), key=lambda b: -lengths[b])


def test_steps_that_no_sequence_has_are_dropped_and_come_back_by_number():
    xs, mask = np.ones((6, 2)), lengths_to_mask([1, 3], 6)
    packed = pack(xs, mask)
    assert packed.batch_sizes.tolist() == [2, 1, 1]
    assert len(unpack(packed)[0]) == 3
    np.testing.assert_array_equal(unpack(packed, 6)[1], mask)
    with pytest.raises(ValueError, match="T: expected at least 3, the longest length, got 2"):
        unpack(packed, 2)


def test_each_sequence_keeps_its_own_state_though_the_batch_is_sorted(rng):
    """The last state and its gradient have the order of the caller, not that of `data`."""
    (params, xs, state), (dhs, dlast) = problem(LSTM, rng, 4, 4, 3, 2)
    (_, last), (_, _, dfirst) = packed_gradients(LSTM, (params, xs, state), (dhs, dlast), MASK)
    for b, n in enumerate(MASK.sum(axis=0)):
        one = slice(b, b + 1)
        outputs, cache = unroll(LSTM, params, xs[:n, one], take_rows(state, one))
        gradients = unroll_backward(LSTM, params, cache, (dhs[:n, one], take_rows(dlast, one)))
        for got, want in zip((*last, *dfirst), (*outputs[1], *gradients[2]), strict=True):
            assert_close("state", got[one], want, 1e-12)


def test_what_is_given_may_be_changed_before_the_backward(rng):
    (params, xs, state), (dhs, dlast) = problem(GRU, rng, 4, 4, 3, 2)
    gradients = packed_gradients(GRU, (params, xs, state), (dhs, dlast), MASK)[1]
    packed = pack(xs, MASK)
    (hs, last), cache = packed_unroll(GRU, params, packed, state)
    for array in (xs, *packed, *state, hs.data, *last):
        array[...] = 0
    dparams, dxs, dfirst = packed_unroll_backward(GRU, params, cache, (pack(dhs, MASK), dlast))
    for got, want in zip(
        tree_leaves((dparams, unpack(dxs)[0], dfirst)), tree_leaves(gradients), strict=True
    ):
        np.testing.assert_array_equal(got, want)


HOLE = np.array([[1, 1], [1, 0], [1, 1]], bool)
BAD_MASKS = {
    "an empty sequence": (
        np.array([[1, 0], [1, 0]], bool),
        "mask: expected a real step in every sequence, got none in sequence 1",
    ),
    "a pause": (HOLE, "real steps of each sequence first.*got a real step 2 after padding in.* 1"),
    "padding first": (HOLE[1:], "got a real step 1 after padding in sequence 1"),
    "no step": (np.ones((0, 2), bool), "mask: expected a real step in every sequence"),
}


@pytest.mark.parametrize("mask, message", BAD_MASKS.values(), ids=BAD_MASKS)
def test_a_mask_that_is_not_real_steps_first_is_refused(mask, message):
    with pytest.raises(ValueError, match=message):
        pack(np.ones((*mask.shape, 2)), mask)


PACKED = pack(np.ones((4, 4, 3)), MASK)
BAD_PACKED = {
    "no Packed": (tuple(PACKED), TypeError, r"packed: expected Packed\(data, batch_sizes, order\)"),
    "too few rows": (PACKED._replace(data=PACKED.data[:-1]), ValueError, "data: expected 11 rows"),
    "a batch that grows": (
        PACKED._replace(batch_sizes=np.array([4, 2, 3, 2])),
        ValueError,
        "packed.batch_sizes: expected 4.*never grow",
    ),
    "a sequence that never begins": (
        PACKED._replace(batch_sizes=np.array([3, 3, 3, 2])),
        ValueError,
        "packed.batch_sizes: expected 4",
    ),
    "a sequence twice": (
        PACKED._replace(order=np.array([0, 1, 1, 3])),
        ValueError,
        r"packed.order: expected each of 0..3 once, got \[0, 1, 1, 3\]",
    ),
    "an order of numbers that are not whole": (
        PACKED._replace(order=np.arange(4.0)),
        TypeError,
        "packed.order: expected at least one whole number, got an array of float64",
    ),
}


@pytest.mark.parametrize("packed, error, message", BAD_PACKED.values(), ids=BAD_PACKED)
def test_arrays_that_do_not_fit_together_are_refused(packed, error, message, rng):
    params, state = random_start(LSTM, rng, 4, 3, 2)
    for use in (unpack, lambda packed: packed_unroll(LSTM, params, packed, state)):
        with pytest.raises(error, match=message):
            use(packed)


def test_a_gradient_of_another_packing_is_refused(rng):
    (params, xs, state), (dhs, dlast) = problem(LSTM, rng, 4, 4, 3, 2)
    _, cache = packed_unroll(LSTM, params, pack(xs, MASK), state)
    for other in (lengths_to_mask([4, 4, 1, 2], 4), lengths_to_mask([4, 4, 3, 1], 4)):
        with pytest.raises(ValueError, match="dhs"):
            packed_unroll_backward(LSTM, params, cache, (pack(dhs, other), dlast))
    with pytest.raises(ValueError, match="state.h: expected shape"):
        packed_unroll(LSTM, params, pack(xs, MASK), take_rows(state, slice(1)))
