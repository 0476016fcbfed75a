"""Any cell over time: equal to the loop of steps, exact on ragged batches, the same in pieces."""

import numpy as np
import pytest
from example_cell import Leaky

from rnn_tutorial.cells import (
    LSTM,
    Elman,
    ElmanParams,
    ElmanState,
    elman_step,
    elman_step_backward,
    lstm,
)
from rnn_tutorial.gradient_check import check_cell, random_start, relative_error
from rnn_tutorial.sequence import jacobians, trace, trace_backward, unroll, unroll_backward
from rnn_tutorial.tree import tree_add, tree_cast, tree_leaves, tree_zeros_like
from rnn_tutorial.validation import NotFiniteError

T, B, D, H = 6, 3, 4, 5
LENGTHS = np.array([6, 4, 1])
MASK = np.arange(T)[:, None] < LENGTHS


@pytest.fixture
def problem(rng):
    """(params, xs, state), (dhs, dlast_state)"""
    params, state = random_start(Elman, rng, B, D, H)
    inputs = params, rng.standard_normal((T, B, D)), state
    return inputs, (rng.standard_normal((T, B, H)), ElmanState(rng.standard_normal((B, H))))


def loop_of_steps(params, xs, state):
    hs, caches = [], []
    for x in xs:
        state, cache = elman_step(params, x, state)
        hs.append(state.h)
        caches.append(cache)
    return (np.stack(hs), state), caches


def loop_of_steps_backward(params, caches, dhs, dstate):
    dparams, dxs = tree_zeros_like(params), []
    for cache, dh in zip(caches[::-1], dhs[::-1]):
        dparams_t, dx, dstate = elman_step_backward(params, cache, ElmanState(dstate.h + dh))
        dparams = tree_add(dparams, dparams_t)
        dxs.append(dx)
    return dparams, np.stack(dxs[::-1]), dstate


@pytest.mark.parametrize(
    "sizes", [(6, 3, 4, 5), (1, 3, 4, 5), (6, 1, 4, 5), (1, 1, 1, 1), (50, 2, 3, 7)]
)
def test_equals_the_loop_of_steps_forward_and_backward(sizes, rng):
    T, B, D, H = sizes
    params, state = random_start(Elman, rng, B, D, H)
    xs, dhs, dlast = (
        rng.standard_normal((T, B, D)),
        rng.standard_normal((T, B, H)),
        ElmanState(rng.standard_normal((B, H))),
    )
    (hs, last), cache = unroll(Elman, params, xs, state)
    (step_hs, step_last), caches = loop_of_steps(params, xs, state)
    fast = unroll_backward(Elman, params, cache, (dhs, dlast))
    slow = loop_of_steps_backward(params, caches, dhs, dlast)
    for ours, theirs in zip(
        tree_leaves(((hs, last), fast)), tree_leaves(((step_hs, step_last), slow)), strict=True
    ):
        assert relative_error(ours, theirs) < 1e-12


def test_padding_does_not_change_a_sequence(problem):
    """A padded batch gives each sequence the outputs and gradients that it gets alone."""
    (params, xs, state), (dhs, dlast) = problem
    (hs, last), cache = unroll(Elman, params, xs, state, MASK)
    dparams, dxs, dfirst = unroll_backward(Elman, params, cache, (dhs, dlast))
    total = tree_zeros_like(params)
    for b, n in enumerate(LENGTHS):
        one = slice(b, b + 1)
        (hs_alone, last_alone), cache = unroll(Elman, params, xs[:n, one], ElmanState(state.h[one]))
        dparams_alone, dxs_alone, dfirst_alone = unroll_backward(
            Elman, params, cache, (dhs[:n, one], ElmanState(dlast.h[one]))
        )
        total = tree_add(total, dparams_alone)
        np.testing.assert_allclose(hs[:n, one], hs_alone, rtol=1e-13)
        np.testing.assert_allclose(last.h[one], last_alone.h, rtol=1e-13)
        np.testing.assert_allclose(dxs[:n, one], dxs_alone, rtol=1e-12)
        np.testing.assert_allclose(dfirst.h[one], dfirst_alone.h, rtol=1e-12)
    assert max(relative_error(a, b) for a, b in zip(dparams, total)) < 1e-12


def test_outputs_on_padding_are_zero_and_no_gradient_leaks_from_it(problem, rng):
    (params, xs, state), (dhs, dlast) = problem
    (hs, last), cache = unroll(Elman, params, xs, state, MASK)
    assert (hs[~MASK] == 0).all()
    noisy_xs, noisy_dhs = xs.copy(), dhs.copy()
    noisy_xs[~MASK] = 1e3 * rng.standard_normal(noisy_xs[~MASK].shape)
    noisy_dhs[~MASK] = 1e3
    (noisy_hs, noisy_last), noisy_cache = unroll(Elman, params, noisy_xs, state, MASK)
    clean = unroll_backward(Elman, params, cache, (dhs, dlast))
    noisy = unroll_backward(Elman, params, noisy_cache, (noisy_dhs, dlast))
    assert (clean[1][~MASK] == 0).all()
    for a, b in zip(
        tree_leaves((hs, last, clean)), tree_leaves((noisy_hs, noisy_last, noisy)), strict=True
    ):
        np.testing.assert_array_equal(a, b)


def test_a_mask_may_have_holes(problem, rng):
    """The state waits while a sequence pauses: the same as leaving those steps out."""
    (params, xs, state), _ = problem
    pauses = np.array([True, False, True, True, False, True])
    (hs, last), _ = unroll(Elman, params, xs, state, np.repeat(pauses[:, None], B, axis=1))
    (dense_hs, dense_last), _ = unroll(Elman, params, xs[pauses], state)
    np.testing.assert_allclose(hs[pauses], dense_hs, rtol=1e-13)
    np.testing.assert_allclose(last.h, dense_last.h, rtol=1e-13)


def test_two_pieces_make_the_whole_forward_and_backward(problem):
    (params, xs, state), (dhs, dlast) = problem
    (hs, last), cache = unroll(Elman, params, xs, state)
    whole = unroll_backward(Elman, params, cache, (dhs, dlast))
    (hs_1, middle), cache_1 = unroll(Elman, params, xs[:2], state)
    (hs_2, end), cache_2 = unroll(Elman, params, xs[2:], middle)
    dparams_2, dxs_2, dmiddle = unroll_backward(Elman, params, cache_2, (dhs[2:], dlast))
    dparams_1, dxs_1, dfirst = unroll_backward(Elman, params, cache_1, (dhs[:2], dmiddle))
    pieces = (tree_add(dparams_1, dparams_2), np.concatenate([dxs_1, dxs_2]), dfirst)
    np.testing.assert_allclose(hs, np.concatenate([hs_1, hs_2]), rtol=1e-13)
    np.testing.assert_allclose(last.h, end.h, rtol=1e-13)
    for a, b in zip(tree_leaves(whole), tree_leaves(pieces), strict=True):
        assert relative_error(a, b) < 1e-12


def test_sequences_of_a_batch_do_not_meet(problem):
    (params, xs, state), _ = problem
    (hs, _), _ = unroll(Elman, params, xs, state)
    changed = xs.copy()
    changed[:, 1] += 1
    (other, _), _ = unroll(Elman, params, changed, state)
    np.testing.assert_array_equal(hs[:, [0, 2]], other[:, [0, 2]])


def test_the_gradient_of_a_single_sequence_and_a_single_step(rng):
    check_cell(Elman, rng, T=1, B=3)
    check_cell(Elman, rng, T=5, B=1)
    check_cell(Elman, rng, T=1, B=1, D=1, H=1)


def test_float32_stays_float32_and_is_right_to_its_own_precision(problem):
    (params, xs, state), doutputs = problem
    outputs, cache = unroll(Elman, params, xs, state, MASK)
    gradients = unroll_backward(Elman, params, cache, doutputs)
    params, xs, state, doutputs = (
        tree_cast(part, np.float32) for part in (params, xs, state, doutputs)
    )
    outputs_32, cache = unroll(Elman, params, xs, state, MASK)
    gradients_32 = unroll_backward(Elman, params, cache, doutputs)
    for single, double in zip(
        tree_leaves((outputs_32, gradients_32)), tree_leaves((outputs, gradients)), strict=True
    ):
        assert single.dtype == np.float32
        assert relative_error(single, double) < 1e-5


def test_nothing_is_remembered_between_calls_and_nothing_is_changed_in_place(problem):
    (params, xs, state), doutputs = problem
    before = [leaf.copy() for leaf in tree_leaves(problem)]
    (hs, _), cache = unroll(Elman, params, xs, state, MASK)
    kept = hs.copy()
    unroll(Elman, params, -xs, state)  # an evaluation between forward and backward
    hs *= 0  # what is returned is the caller's
    first = unroll_backward(Elman, params, cache, doutputs)
    second = unroll_backward(Elman, params, cache, doutputs)
    (again, _), _ = unroll(Elman, params, xs, state, MASK)
    np.testing.assert_array_equal(again, kept)
    assert all(np.array_equal(a, b) for a, b in zip(tree_leaves(first), tree_leaves(second)))
    assert all(np.array_equal(a, b) for a, b in zip(before, tree_leaves(problem)))


def test_what_is_returned_shares_no_memory_with_the_cache(problem):
    (params, xs, state), doutputs = problem
    for mask in (None, MASK):
        (hs, _), cache = unroll(Elman, params, xs, state, mask)
        expected = unroll_backward(Elman, params, cache, doutputs)
        hs[...] = 7.0
        for a, b in zip(
            tree_leaves(expected), tree_leaves(unroll_backward(Elman, params, cache, doutputs))
        ):
            np.testing.assert_array_equal(a, b)


def test_a_cell_may_have_parameters_and_a_state_of_its_own(rng):
    check_cell(Leaky, rng)


def test_the_gradient_of_a_second_part_of_the_state_must_fit_too(rng):
    params, state = random_start(Leaky, rng, B, D, H)
    (hs, last), cache = unroll(Leaky, params, rng.standard_normal((T, B, D)), state)
    with pytest.raises(ValueError, match=r"dlast_state.c: expected shape \(3, 5\), got \(5,\)"):
        unroll_backward(Leaky, params, cache, (hs, last._replace(c=last.c[0])))


BAD = [
    (
        lambda p, xs, s, m: (p, xs[0], s, None),
        ValueError,
        r"xs: expected shape \(T, B, D=4\), got \(3, 4\)",
    ),
    (
        lambda p, xs, s, m: (p, xs[..., :3], s, m),
        ValueError,
        r"xs: expected shape \(T, B, D=4\), got \(6, 3, 3\)",
    ),
    (
        lambda p, xs, s, m: (p, xs[:, :1], s, None),
        ValueError,
        r"state.h: expected shape \(1, 5\), got \(3, 5\)",
    ),
    (
        lambda p, xs, s, m: (p, xs, ElmanState(s.h[0]), m),
        ValueError,
        r"state.h: expected shape \(3, 5\), got \(5,\)",
    ),
    (
        lambda p, xs, s, m: (p, xs, s.h, m),
        TypeError,
        r"state: expected ElmanState\(h\), got ndarray",
    ),
    (
        lambda p, xs, s, m: (p, xs[:0], s, None),
        ValueError,
        r"xs: expected at least one step and one sequence, got \(0, 3, 4\)",
    ),
    (
        lambda p, xs, s, m: (p, xs.astype(int), s, m),
        TypeError,
        "xs: expected dtype float64, the dtype of the parameters, got int64",
    ),
    (
        lambda p, xs, s, m: (p, xs.astype("float32"), s, m),
        TypeError,
        "xs: expected dtype float64.* got float32",
    ),
    (lambda p, xs, s, m: (p, xs.tolist(), s, m), TypeError, "xs: expected a NumPy array"),
    (
        lambda p, xs, s, m: (p, xs, tree_cast(s, "float32"), m),
        TypeError,
        "state.h: expected dtype float64, got float32",
    ),
    (
        lambda p, xs, s, m: (p._replace(W_h=p.W_h.astype("float32")), xs, s, m),
        TypeError,
        "W_h: expected dtype float64",
    ),
    (
        lambda p, xs, s, m: (p._replace(W_x=p.W_x[:, :3]), xs, s, m),
        ValueError,
        r"W_x: expected shape \(4, 5\), got \(4, 3\)",
    ),
    (
        lambda p, xs, s, m: (p, xs, s, m.T),
        ValueError,
        r"mask: expected shape \(T=6, B=3\), got \(3, 6\)",
    ),
    (
        lambda p, xs, s, m: (p, xs, s, m[..., None]),
        ValueError,
        r"mask: expected shape \(T=6, B=3\), got \(6, 3, 1\)",
    ),
    (
        lambda p, xs, s, m: (p, xs, s, m.astype(float)),
        TypeError,
        "mask: expected a boolean array.* got float64",
    ),
    (
        lambda p, xs, s, m: (p, xs * np.nan, s, m),
        NotFiniteError,
        r"xs: expected finite numbers, got nan at index \(0, 0, 0\)",
    ),
    (
        lambda p, xs, s, m: (tuple(p), xs, s, m),
        TypeError,
        r"params: expected ElmanParams\(W_x, W_h, b\), got tuple",
    ),
    (
        lambda p, xs, s, m: (p, xs, ElmanState(s.h * np.nan), m),
        NotFiniteError,
        r"state.h: expected finite numbers, got nan at index",
    ),
]


@pytest.mark.parametrize("spoil, error, message", BAD)
def test_bad_input_is_refused_by_name(problem, spoil, error, message):
    (params, xs, state), _ = problem
    with pytest.raises(error, match=message):
        unroll(Elman, *spoil(params, xs, state, MASK))


BAD_GRADIENTS = [
    (lambda dhs, d: (dhs[:-1], d), ValueError, r"dhs: expected shape \(6, 3, 5\), got \(5, 3, 5\)"),
    (
        lambda dhs, d: (dhs[..., :1], d),
        ValueError,
        r"dhs: expected shape \(6, 3, 5\), got \(6, 3, 1\)",
    ),
    (
        lambda dhs, d: (dhs.astype("float32"), d),
        TypeError,
        "dhs: expected dtype float64, got float32",
    ),
    (
        lambda dhs, d: (dhs, ElmanState(d.h[:1])),
        ValueError,
        r"dlast_state.h: expected shape \(3, 5\), got \(1, 5\)",
    ),
]


@pytest.mark.parametrize("spoil, error, message", BAD_GRADIENTS)
def test_a_gradient_that_is_not_of_the_type_of_its_thing_is_refused(problem, spoil, error, message):
    (params, xs, state), doutputs = problem
    _, cache = unroll(Elman, params, xs, state)
    with pytest.raises(error, match=message):
        unroll_backward(Elman, params, cache, spoil(*doutputs))


def test_params_come_back_as_the_type_they_were(problem):
    (params, xs, state), doutputs = problem
    _, cache = unroll(Elman, params, xs, state)
    dparams, dxs, dfirst = unroll_backward(Elman, params, cache, doutputs)
    assert type(dparams) is ElmanParams and type(dfirst) is ElmanState and dxs.shape == xs.shape


@pytest.mark.parametrize("cell, got", [("lstm", "str"), (lstm, "function"), (None, "NoneType")])
def test_a_cell_that_is_not_a_cell_is_refused_first(cell, got, rng):
    message = f"^cell: expected a Cell, such as LSTM .* got {got}$"
    params, state = random_start(LSTM, rng, 3, 4, 5)
    xs = rng.standard_normal((6, 3, 4))
    (hs, last), cache = unroll(LSTM, params, xs, state)
    with pytest.raises(TypeError, match=message):
        unroll(cell, params, xs, state)
    with pytest.raises(TypeError, match=message):
        unroll_backward(cell, params, cache, (hs, last))
    with pytest.raises(TypeError, match=message):
        trace(cell, params, xs, state)
    with pytest.raises(TypeError, match=message):
        trace_backward(cell, params, trace(LSTM, params, xs, state)[1], (hs, last))
    with pytest.raises(TypeError, match=message):
        jacobians(cell, params, xs, state)
