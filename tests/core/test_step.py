"""One step of any cell: the step of the chapters, `unroll` with T = 1, with right gradients."""

from importlib import import_module

import numpy as np
import pytest
from every_cell import CELLS, PACKAGE
from judges import assert_close
from mutation import mutants

from rnn_tutorial.cells import (
    GRU,
    LSTM,
    Elman,
    GRUBefore,
    LSTMState,
    elman_step,
    elman_step_backward,
    gru_before_step,
    gru_before_step_backward,
    gru_step,
    gru_step_backward,
    lstm,
    lstm_step,
    lstm_step_backward,
)
from rnn_tutorial.gradient_check import check_gradients, random_start
from rnn_tutorial.sequence import step, step_backward, unroll, unroll_backward
from rnn_tutorial.tree import tree_cast, tree_leaves, tree_map, tree_paths, tree_random_like
from rnn_tutorial.validation import NotFiniteError

step_module = import_module("rnn_tutorial.sequence.step")

B, D, H = 3, 4, 5
each_cell = pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)


def problem(cell, rng):
    """Return (params, x, state) and the gradient of the new state, all random."""
    params, state = random_start(cell, rng, B, D, H)
    return (params, rng.standard_normal((B, D)), state), tree_random_like(state, rng)


def assert_same(tree, reference, rtol):
    for (path, ours), (_, theirs) in zip(tree_paths(tree), tree_paths(reference), strict=True):
        assert_close(path, ours, theirs, rtol)


def test_every_cell_of_the_package_is_found():
    assert {
        "Elman",
        "LSTM",
        "GRU",
        "GRUBefore",
        "LSTM1997",
        "CoupledLSTM",
        "PeepholeLSTM",
        "NormLSTM",
    } <= set(PACKAGE)


STEPS = [
    (Elman, elman_step, elman_step_backward),
    (LSTM, lstm_step, lstm_step_backward),
    (GRU, gru_step, gru_step_backward),
    (GRUBefore, gru_before_step, gru_before_step_backward),
]


@pytest.mark.parametrize(
    "cell, one, one_backward", STEPS, ids=lambda part: getattr(part, "name", "")
)
def test_it_is_the_step_that_the_chapters_build(cell, one, one_backward, rng):
    inputs, dstate = problem(cell, rng)
    new, cache = step(cell, *inputs)
    their_new, their_cache = one(*inputs)
    assert_same(new, their_new, 1e-14)
    back = step_backward(cell, inputs[0], cache, dstate)
    assert_same(back, one_backward(inputs[0], their_cache, dstate), 1e-14)


@each_cell
def test_it_is_unroll_of_one_step(cell, rng):
    (params, x, state), dstate = problem(cell, rng)
    new, cache = step(cell, params, x, state)
    (hs, last), unroll_cache = unroll(cell, params, x[None], state)
    assert_same((new, new.h), (last, hs[0]), 1e-14)
    dparams, dx, dprevious = step_backward(cell, params, cache, dstate)
    dhs = np.zeros((1, B, H))
    unrolled = unroll_backward(cell, params, unroll_cache, (dhs, dstate))
    assert_same((dparams, dx[None], dprevious), unrolled, 1e-14)
    by_output = unroll_backward(
        cell, params, unroll_cache, (dstate.h[None], dstate._replace(h=dhs[0]))
    )
    assert_same((dparams, dx[None], dprevious), by_output, 1e-14)


@each_cell
def test_every_gradient_is_the_slope(cell, rng):
    point, _ = problem(cell, rng)
    check_gradients(
        lambda p: step(cell, *p),
        lambda cache, d: step_backward(cell, point[0], cache, d),
        point,
        rng,
    )


@each_cell
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_types_and_dtypes_are_those_that_were_handed_in(cell, dtype, rng):
    (params, x, state), dstate = tree_cast(problem(cell, rng), dtype)
    new, cache = step(cell, params, x, state)
    dparams, dx, dprevious = step_backward(cell, params, cache, dstate)
    assert (type(new), type(dparams), type(dprevious)) == (cell.State, cell.Params, cell.State)
    for ours, theirs in zip(
        tree_leaves((new, dparams, dx, dprevious)),
        tree_leaves((state, params, x, state)),
        strict=True,
    ):
        assert ours.shape == theirs.shape and ours.dtype == dtype


@each_cell
def test_the_cache_keeps_copies_and_nothing_is_changed(cell, rng):
    """x, the old state and the new one may be changed before the backward."""
    (params, x, state), dstate = problem(cell, rng)
    before = tree_map(np.copy, (params, x, state, dstate))
    new, cache = step(cell, params, x, state)
    expected = step_backward(cell, params, cache, dstate)
    assert all(
        np.array_equal(a, b)
        for a, b in zip(tree_leaves(before), tree_leaves((params, x, state, dstate)), strict=True)
    )
    for leaf in tree_leaves((x, state, new)):
        leaf[...] = 7.0
    for ours, theirs in zip(
        tree_leaves(step_backward(cell, params, cache, dstate)), tree_leaves(expected), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


BAD = [
    (lambda p, x, s: (p, x[0], s), ValueError, r"x: expected shape \(B, D=4\), got \(4,\)"),
    (lambda p, x, s: (p, x[:, :3], s), ValueError, r"x: expected shape \(B, D=4\), got \(3, 3\)"),
    (lambda p, x, s: (p, x[:1], s), ValueError, r"state.h: expected shape \(1, 5\), got \(3, 5\)"),
    (
        lambda p, x, s: (p, x.astype(int), s),
        TypeError,
        "x: expected dtype float64, the dtype of the parameters, got int64",
    ),
    (lambda p, x, s: (p, x.astype("f4"), s), TypeError, "x: expected dtype float64.* got float32"),
    (
        lambda p, x, s: (p, x.tolist(), s),
        TypeError,
        r"x: expected a NumPy array of shape \(B, D=4\), got list",
    ),
    (
        lambda p, x, s: (p, x * np.nan, s),
        NotFiniteError,
        r"x: expected finite numbers, got nan at index \(0, 0\)",
    ),
    (lambda p, x, s: (p, x, s.h), TypeError, r"state: expected \w+State\(.*\), got ndarray"),
    (lambda p, x, s: (p, x, tuple(s)), TypeError, r"state: expected \w+State\(.*\), got tuple"),
    (
        lambda p, x, s: (p, x, s._replace(h=s.h[0])),
        ValueError,
        r"state.h: expected shape \(3, 5\), got \(5,\)",
    ),
    (
        lambda p, x, s: (p, x, s._replace(h=s.h[:, :1])),
        ValueError,
        r"state.h: expected shape \(3, 5\), got \(3, 1\)",
    ),
    (
        lambda p, x, s: (p, x, s._replace(h=s.h.tolist())),
        TypeError,
        "state.h: expected a NumPy array.* got list",
    ),
    (
        lambda p, x, s: (p, x, tree_cast(s, "f4")),
        TypeError,
        "state.h: expected dtype float64.* got float32",
    ),
    (
        lambda p, x, s: (p, x, s._replace(h=s.h + np.inf)),
        NotFiniteError,
        r"state.h: expected finite numbers, got inf",
    ),
    (
        lambda p, x, s: (tuple(p), x, s),
        TypeError,
        r"params: expected \w+Params\(W_x, W_h, b.*\), got tuple",
    ),
    (
        lambda p, x, s: (p._replace(W_x=p.W_x[:, :1]), x, s),
        ValueError,
        r"W_x: expected shape \(4, \d+\), got \(4, 1\)",
    ),
    (
        lambda p, x, s: (p._replace(b=p.b[:1]), x, s),
        ValueError,
        r"b: expected shape \(\d+,\), got \(1,\)",
    ),
    (
        lambda p, x, s: (p._replace(b=p.b.astype("f4")), x, s),
        TypeError,
        "b: expected dtype float64, got float32",
    ),
]


@each_cell
@pytest.mark.parametrize("spoil, error, message", BAD)
def test_bad_input_is_refused_by_name(cell, spoil, error, message, rng):
    inputs, _ = problem(cell, rng)
    with pytest.raises(error, match=message):
        step(cell, *spoil(*inputs))


def test_another_part_of_the_state_must_fit_too(rng):
    (params, x, state), _ = problem(LSTM, rng)
    for c, error, message in (
        (state.c[:1], ValueError, r"state.c: expected shape \(3, 5\), got \(1, 5\)"),
        (state.c * np.nan, NotFiniteError, "state.c: expected finite numbers"),
        (0.0, TypeError, "state.c: expected a NumPy array"),
    ):
        with pytest.raises(error, match=message):
            step(LSTM, params, x, state._replace(c=c))


BAD_GRADIENTS = [
    (lambda d: d.h, ValueError, "dstate: trees of different structure: expected LSTMState"),
    (
        lambda d: LSTMState(d.h[0], d.c),
        ValueError,
        r"dstate.h: expected shape \(3, 5\), got \(5,\)",
    ),
    (
        lambda d: LSTMState(d.h, d.c[:, :1]),
        ValueError,
        r"dstate.c: expected shape \(3, 5\), got \(3, 1\)",
    ),
    (
        lambda d: LSTMState(d.h, d.c.astype("f4")),
        TypeError,
        "dstate.c: expected dtype float64, got float32",
    ),
    (lambda d: LSTMState(d.h, d.c.tolist()), TypeError, "dstate.c: expected a NumPy array"),
]


@pytest.mark.parametrize("spoil, error, message", BAD_GRADIENTS)
def test_a_gradient_that_is_not_of_the_type_of_its_thing_is_refused(spoil, error, message, rng):
    inputs, dstate = problem(LSTM, rng)
    _, cache = step(LSTM, *inputs)
    with pytest.raises(error, match=message):
        step_backward(LSTM, inputs[0], cache, spoil(dstate))


def test_the_cache_of_another_cell_is_refused(rng):
    inputs, dstate = problem(LSTM, rng)
    _, cache = step(LSTM, *inputs)
    for other in (GRU, CELLS["PeepholeLSTM"], CELLS["Leaky"]):
        with pytest.raises(
            TypeError,
            match=f"cell: expected the one whose forward made the cache, LSTM, got {other.name}",
        ):
            step_backward(other, other.init(rng, D, H), cache, dstate)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ((D, H + 1), r"W_x: expected shape \(4, 20\), got \(4, 24\)"),
        ((D + 1, H), r"W_x: expected shape \(4, 20\), got \(5, 20\)"),
        ((D, 1), r"W_x: expected shape \(4, 20\), got \(4, 4\)"),
    ],
)
def test_the_parameters_of_another_size_are_refused(changed, message, rng):
    inputs, dstate = problem(LSTM, rng)
    _, cache = step(LSTM, *inputs)
    with pytest.raises(ValueError, match=message):
        step_backward(LSTM, LSTM.init(rng, *changed), cache, dstate)


# The tests above must fail for every one-token slip in the two functions.


def seen(cells=("LSTM", "Leaky")):
    """Return whether a slip shows in two cells, beside `unroll` and in what the cache keeps."""
    try:
        for cell in (CELLS[name] for name in cells):
            (params, x, state), dstate = problem(cell, np.random.default_rng(0))
            new, cache = step_module.step(cell, params, x, state)
            (hs, last), unroll_cache = unroll(cell, params, x[None], state)
            unrolled = unroll_backward(cell, params, unroll_cache, (np.zeros((1, B, H)), dstate))
            assert_same((new, new.h, cache.state), (last, hs[0], last), 1e-14)
            for leaf in tree_leaves((x, state, new)):
                leaf[...] = 7.0
            dparams, dx, dprevious = step_module.step_backward(cell, params, cache, dstate)
            assert_same((dparams, dx[None], dprevious), unrolled, 1e-14)
            assert type(new) is cell.State and type(dparams) is cell.Params
    except Exception:
        return True
    return False


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["step", "unchecked_step", "step_backward", "affine_backward"])
def test_every_slip_is_caught(name, monkeypatch):
    assert not seen()
    tried, survivors = 0, []
    for description, mutant in mutants(getattr(step_module, name)):
        tried += 1
        with monkeypatch.context() as patch:
            patch.setattr(step_module, name, mutant)
            survivors += [] if seen() else [description]
    assert tried >= 5 and not survivors, "\n".join(survivors)


@pytest.mark.parametrize("cell, got", [("lstm", "str"), (lstm, "function"), (None, "NoneType")])
def test_a_cell_that_is_not_a_cell_is_refused_first(cell, got, rng):
    message = f"^cell: expected a Cell, such as LSTM .* got {got}$"
    point, dstate = problem(LSTM, rng)
    _, cache = step(LSTM, *point)
    with pytest.raises(TypeError, match=message):
        step(cell, *point)
    with pytest.raises(TypeError, match=message):
        step_backward(cell, point[0], cache, dstate)
