"""Every function that takes a cell takes every gated cell.

Over time, in layers, truncated, stored, sampled, trained.
"""

import numpy as np
import pytest

from rnn_tutorial.cells import (
    GRU,
    LSTM,
    LSTM1997,
    CoupledLSTM,
    Elman,
    GRUBefore,
    NormLSTM,
    PeepholeLSTM,
)
from rnn_tutorial.checkpoint import CheckpointError, load, save
from rnn_tutorial.gradient_check import (
    check_layer,
    complex_step_slope,
    random_start,
    relative_error,
)
from rnn_tutorial.layers import Dense, Embedding, Last, Recurrent, Serial
from rnn_tutorial.sequence import jacobians, trace, truncated_backward, unroll, unroll_backward
from rnn_tutorial.summary import summary
from rnn_tutorial.train import adam, generate, sample_symbols, softmax_cross_entropy
from rnn_tutorial.tree import (
    tree_add,
    tree_cast,
    tree_dot,
    tree_leaves,
    tree_map,
    tree_random_like,
    tree_size,
    tree_zeros_like,
)

T, B, D, H, V = 7, 3, 4, 5, 6
LENGTHS = np.array([7, 4, 1])
MASK = np.arange(T)[:, None] < LENGTHS
CELLS = {cell.name: cell for cell in (LSTM, LSTM1997, PeepholeLSTM, CoupledLSTM, GRU, GRUBefore)}
PARAMETERS = {  # of D = 4 inputs and H = 5 units
    "LSTM": 4 * 5 * (4 + 5 + 1),
    "LSTM1997": 3 * 5 * (4 + 5 + 1),
    "PeepholeLSTM": 4 * 5 * (4 + 5 + 1) + 3 * 5,
    "CoupledLSTM": 3 * 5 * (4 + 5 + 1),
    "GRU": 3 * 5 * (4 + 5 + 1) + 5,
    "GRUBefore": 3 * 5 * (4 + 5 + 1),
}
each_cell = pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
each_mask = pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "ragged"])


def problem(cell, rng):
    """Return (params, xs, state), (dhs, dlast_state), all random."""
    params, state = random_start(cell, rng, B, D, H)
    inputs = params, rng.standard_normal((T, B, D)), state
    return inputs, (rng.standard_normal((T, B, H)), tree_random_like(state, rng))


def assert_same(tree, reference, rtol=1e-12):
    for ours, theirs in zip(tree_leaves(tree), tree_leaves(reference), strict=True):
        assert relative_error(ours, theirs) < rtol


@each_cell
def test_two_pieces_make_the_whole_forward_and_backward(cell, rng):
    (params, xs, state), (dhs, dlast) = problem(cell, rng)
    (hs, last), cache = unroll(cell, params, xs, state)
    (hs_1, middle), cache_1 = unroll(cell, params, xs[:3], state)
    (hs_2, end), cache_2 = unroll(cell, params, xs[3:], middle)
    dparams_2, dxs_2, dmiddle = unroll_backward(cell, params, cache_2, (dhs[3:], dlast))
    dparams_1, dxs_1, dfirst = unroll_backward(cell, params, cache_1, (dhs[:3], dmiddle))
    assert_same((np.concatenate([hs_1, hs_2]), end), (hs, last), 1e-13)
    pieces = tree_add(dparams_1, dparams_2), np.concatenate([dxs_1, dxs_2]), dfirst
    assert_same(pieces, unroll_backward(cell, params, cache, (dhs, dlast)))


@each_cell
def test_padding_does_not_change_a_sequence(cell, rng):
    """In a padded batch a sequence has the same outputs, last state and gradients as alone."""
    (params, xs, state), (dhs, dlast) = problem(cell, rng)
    (hs, last), cache = unroll(cell, params, xs, state, MASK)
    dparams, dxs, dfirst = unroll_backward(cell, params, cache, (dhs, dlast))
    total = tree_zeros_like(params)
    for b, n in enumerate(LENGTHS):
        one = slice(b, b + 1)
        state_alone, dlast_alone, last_padded, dfirst_padded = (
            tree_map(lambda leaf, one=one: leaf[one], tree) for tree in (state, dlast, last, dfirst)
        )
        (hs_alone, last_alone), cache = unroll(cell, params, xs[:n, one], state_alone)
        dparams_alone, dxs_alone, dfirst_alone = unroll_backward(
            cell, params, cache, (dhs[:n, one], dlast_alone)
        )
        total = tree_add(total, dparams_alone)
        assert_same((hs[:n, one], last_padded), (hs_alone, last_alone), 1e-13)
        assert_same((dxs[:n, one], dfirst_padded), (dxs_alone, dfirst_alone))
    assert_same(dparams, total)
    assert (hs[~MASK] == 0).all() and (dxs[~MASK] == 0).all()


@each_mask
@each_cell
def test_every_gradient_of_a_stack_of_three_is_the_slope(cell, mask, rng):
    model = Serial(
        (Recurrent(cell, D, H), Recurrent(cell, H, 2), Recurrent(cell, 2, 7), Last(), Dense(7, 2))
    )
    check_layer(model, rng.standard_normal((T, B, D)), rng, mask=mask)
    language_model = Serial((Embedding(V, D), Recurrent(cell, D, H), Dense(H, V)))
    check_layer(language_model, rng.integers(0, V, (T, B)), rng, mask=mask)


def states_before(traced, first):
    """Return the states before steps 0, 1, ..., T - 1."""
    return [first, *(tree_map(lambda leaf, t=t: leaf[t], traced.states) for t in range(T - 1))]


@each_cell
def test_every_jacobian_agrees_with_the_complex_step(cell, rng):
    """d h_T / d h_t, the other parts of the state at t held: the c between them carries too."""
    (params, xs, state), _ = problem(cell, rng)
    found = jacobians(cell, params, xs, state)
    traced, _ = trace(cell, params, xs, state)
    complex_params, complex_xs, states = tree_cast(
        (params, xs, states_before(traced, state)), complex
    )
    for t in range(T):
        for k, unit in enumerate(np.eye(H)):
            start = states[t]._replace(h=states[t].h + 1e-20j * unit)
            (hs, _), _ = unroll(cell, complex_params, complex_xs[t:], start)
            np.testing.assert_allclose(
                found[T - t][..., k], hs[-1].imag / 1e-20, rtol=1e-12, atol=1e-15
            )
    np.testing.assert_array_equal(found[0], np.broadcast_to(np.eye(H), (B, H, H)))


@each_mask
@pytest.mark.parametrize(("stride", "window"), [(1, 3), (3, 3), (2, 5), (1, T)])
@each_cell
def test_a_truncated_gradient_counts_the_paths_inside_the_windows(cell, stride, window, mask, rng):
    """Each step's loss is that of a forward pass from an earlier state that is held constant."""
    (params, xs, state), (dhs, _) = problem(cell, rng)
    states = states_before(trace(cell, params, xs, state, mask)[0], state)
    _, cache = unroll(cell, params, xs, state, mask)
    value = truncated_backward(cell, params, cache, dhs, stride=stride, window=window)

    def loss_cut_by_hand(point):
        params, xs = point
        total = 0
        for t in range(T):
            first = max(stride * (t // stride + 1) - window, 0)
            piece = None if mask is None else mask[first : t + 1]
            (hs, _), _ = unroll(
                cell, params, xs[first : t + 1], tree_cast(states[first], xs.dtype), piece
            )
            total = total + np.sum(hs[-1] * dhs[t])
        return total

    direction = tree_random_like((params, xs), rng)
    assert tree_dot(value, direction) == pytest.approx(
        complex_step_slope(loss_cut_by_hand, (params, xs), direction), rel=1e-11
    )


@each_cell
def test_parameters_and_state_come_back_from_a_file_bit_for_bit(cell, rng, tmp_path):
    saved = random_start(cell, rng, B, D, H)
    save(tmp_path / "cell.npz", saved)
    loaded = load(tmp_path / "cell.npz", random_start(cell, rng, B, D, H))
    assert type(loaded[0]) is type(saved[0]) and type(loaded[1]) is type(saved[1])
    assert all(
        np.array_equal(a, b) for a, b in zip(tree_leaves(saved), tree_leaves(loaded), strict=True)
    )


def test_one_form_of_the_gru_is_not_loaded_as_the_other(rng, tmp_path):
    save(tmp_path / "gru.npz", GRU.init(rng, D, H))
    with pytest.raises(
        CheckpointError,
        match=r"tree.W_h has float64 \(5, 15\), expected .*\(5, 10\); .*tree.b_hn is surplus",
    ):
        load(tmp_path / "gru.npz", GRUBefore.init(rng, D, H))


@each_cell
def test_the_summary_names_and_counts_every_parameter(cell, rng):
    model = Serial((Recurrent(cell, D, H), Dense(H, 2)))
    params = model.init(rng)
    table = summary(model, params)
    for field in params[0]._fields:
        assert f"[0].{field} " in table
    assert tree_size(params[0]) == PARAMETERS[cell.name]
    assert table.splitlines()[-1].startswith(f"{PARAMETERS[cell.name] + 12:,} entries")


@each_cell
def test_carrying_the_state_writes_what_rereading_everything_writes(cell, rng):
    model = Serial((Embedding(V, D), Recurrent(cell, D, H), Recurrent(cell, H, 3), Dense(3, V)))
    params, text = tree_random_like(model.init(rng), rng), rng.integers(V, size=(T, 20))
    written = generate(model, params, np.random.default_rng(1), text, 12)
    again = np.random.default_rng(1)
    for _ in range(12):
        text = np.concatenate([text, [sample_symbols(again, model.forward(params, text)[0][-1])]])
    np.testing.assert_array_equal(written, text[T:])
    assert len(np.unique(written)) > 2


@each_cell
def test_it_learns_what_stood_first(cell, rng):
    """Name the first of four symbols; chance is log 4 = 1.39 nats."""
    model = Serial((Embedding(V, D), Recurrent(cell, D, 10), Last(), Dense(10, V)))
    params, optimizer = model.init(rng), adam(0.03)
    symbols = rng.integers(V, size=(4, 64))
    state = optimizer.init(params)
    for _ in range(120):
        logits, _, caches = model.forward(params, symbols)
        value, dlogits = softmax_cross_entropy(logits, symbols[0])
        dparams, _, _ = model.backward(params, caches, dlogits)
        update, state = optimizer.update(dparams, state)
        params = tree_add(params, update)
    assert value < 0.1


@pytest.mark.parametrize("other", [*CELLS.values(), Elman, NormLSTM], ids=lambda other: other.name)
@each_cell
def test_the_parameters_of_another_cell_are_refused_even_where_their_blocks_fit(cell, other, rng):
    params, xs = other.init(rng, D, H), rng.standard_normal((T, B, D))
    if other is cell:
        unroll(cell, params, xs, cell.initial_state(params, B))
        return
    with pytest.raises((TypeError, ValueError), match="expected"):
        Recurrent(cell, D, H).forward(params, xs)
