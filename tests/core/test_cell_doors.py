"""Every function that takes a cell refuses, by name, parameters and caches of another cell.

And it takes a cell that does not read h.
"""

import numpy as np
import pytest
from every_cell import CELLS, Light
from example_cell import Leaky
from judges import torch_or_skip

from rnn_tutorial.cells import (
    LSTM,
)
from rnn_tutorial.gradient_check import (
    check_cell,
    check_layer,
    random_start,
    relative_error,
)
from rnn_tutorial.layers import Bidirectional, Dense, Recomputed, Recurrent, Serial, Zoneout
from rnn_tutorial.sequence import (
    fused_unroll,
    fused_unroll_backward,
    jacobians,
    step,
    step_backward,
    trace,
    trace_backward,
    truncated_backward,
    unroll,
    unroll_backward,
)
from rnn_tutorial.tree import tree_cast, tree_leaves, tree_map, tree_zeros_like

T, B, D, H = 6, 3, 4, 5
MASK = np.arange(T)[:, None] < np.array([6, 4, 1])
each_cell = pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
each_mask = pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "ragged"])


def doors(cell):
    """Return the functions that run a cell, each as a function of (params, xs, state)."""
    return {
        "unroll": lambda p, xs, s: unroll(cell, p, xs, s),
        "fused_unroll": lambda p, xs, s: fused_unroll(cell, p, xs, s),
        "step": lambda p, xs, s: step(cell, p, xs[0], s),
        "trace": lambda p, xs, s: trace(cell, p, xs, s),
        "jacobians": lambda p, xs, s: jacobians(cell, p, xs, s),
        "initial_state": lambda p, xs, s: cell.initial_state(p, B),
        "Recurrent": lambda p, xs, s: Recurrent(cell, D, H).forward(p, xs),
        "Recurrent from a state": lambda p, xs, s: Recurrent(cell, D, H).forward(p, xs, s),
        "Zoneout": lambda p, xs, s: Zoneout(cell, D, H, cell.State(*[0.5] * len(s))).forward(p, xs),
        "Recomputed": lambda p, xs, s: Recomputed(Recurrent(cell, D, H)).forward(p, xs),
    }


DOORS = list(doors(LSTM))
each_door = pytest.mark.parametrize("door", DOORS)


def spoiled_parameters(cell, rng):
    """Return (parameters that are not those of the cell, the error that names what is wrong)."""
    params = cell.init(rng, D, H)
    last = params._fields[-1]
    cases = [
        (
            tuple(params),
            TypeError,
            rf"params: expected {cell.Params.__name__}\(W_x, W_h, b.*\), got tuple",
        ),
        (None, TypeError, rf"params: expected {cell.Params.__name__}\(.*\), got NoneType"),
        (
            params._replace(W_x=params.W_x[:, :-1]),
            ValueError,
            r"W_x: expected shape \(4, \d+\), got \(4, \d+\)",
        ),
        (params._replace(b=params.b[:1]), ValueError, r"b: expected shape \(\d+,\), got \(1,\)"),
        (
            params._replace(b=np.zeros(len(params.b), "f4")),
            TypeError,
            "b: expected dtype float64, got float32",
        ),
        (
            params._replace(**{last: getattr(params, last)[None]}),
            ValueError,
            rf"{last}: expected shape \(.*\), got \(1, ",
        ),
        (
            params._replace(W_x=params.W_x.tolist()),
            (TypeError, ValueError),
            "W_x: expected a NumPy array",
        ),
        (params._replace(b=params.b.tolist()), TypeError, "b: expected a NumPy array"),
        (
            params._replace(W_h=params.W_h[0]),
            ValueError,
            "W_h: expected a NumPy array with two axes, got shape",
        ),
        (
            tree_map(lambda leaf: leaf.astype(int), params),
            TypeError,
            "expected .*floating-point numbers, got int64",
        ),
    ]
    if params.W_h.shape[1]:
        cases += [
            (
                params._replace(W_h=params.W_h[:, :1]),
                ValueError,
                r"W_h: expected shape \(5, \d+\), got \(5, 1\)",
            )
        ] * (params.W_h.shape[1] > 1)
        cases += [
            (
                params._replace(W_h=params.W_h.astype("f4")),
                TypeError,
                "W_h: expected dtype float64, got float32",
            )
        ]
    return cases


@each_door
@each_cell
def test_parameters_that_are_not_its_own_are_refused_by_name(cell, door, rng):
    xs, state = rng.standard_normal((T, B, D)), cell.initial_state(cell.init(rng, D, H), B)
    for params, error, message in spoiled_parameters(cell, rng):
        with pytest.raises(error, match=message):
            doors(cell)[door](params, xs, state)


@each_door
@each_cell
def test_the_parameters_of_every_other_cell_are_refused(cell, door, rng):
    xs, state = rng.standard_normal((T, B, D)), cell.initial_state(cell.init(rng, D, H), B)
    for other in CELLS.values():
        if other.Params is not cell.Params:
            expected, got = cell.Params.__name__, other.Params.__name__
            with pytest.raises(TypeError, match=rf"params: expected {expected}\(.*\), got {got}"):
                doors(cell)[door](other.init(rng, D, H), xs, state)


@each_door
@each_cell
def test_parameters_of_tensors_are_refused(cell, door, rng):
    torch = torch_or_skip()
    params, xs = cell.init(rng, D, H), rng.standard_normal((T, B, D))
    state = cell.initial_state(params, B)
    with pytest.raises((TypeError, ValueError), match="W_x: expected a NumPy array"):
        doors(cell)[door](tree_map(torch.tensor, params), xs, state)


@pytest.mark.parametrize("door", ["Recurrent", "Recurrent from a state", "Zoneout", "Recomputed"])
@each_cell
def test_a_layer_holds_its_parameters_to_its_own_sizes(cell, door, rng):
    """Parameters of H = 6 in a layer of 5, or of D = 3 in a layer of 4, are refused."""
    for sizes, message in (
        ((D, H + 1), r"W_x: expected shape \(4, "),
        ((D - 1, H), r"W_x: expected shape \(4, "),
    ):
        params, xs = cell.init(rng, *sizes), rng.standard_normal((T, B, D))
        state = cell.initial_state(params, B)
        with pytest.raises(ValueError, match=message):
            doors(cell)[door](params, xs, state)
        with pytest.raises(ValueError, match=message):
            Recurrent(cell, D, H).initial_state(params, B)


@each_cell
def test_the_cache_of_another_cell_is_refused_everywhere(cell, rng):
    (params, xs), state = (cell.init(rng, D, H), rng.standard_normal((T, B, D))), None
    state = cell.initial_state(params, B)
    (hs, last), readable = unroll(cell, params, xs, state)
    _, fused = fused_unroll(cell, params, xs, state)
    _, one = step(cell, params, xs[0], state)
    _, caches = trace(cell, params, xs, state)
    for other in CELLS.values():
        if other is cell:
            continue
        theirs, dlast = other.init(rng, D, H), other.initial_state(other.init(rng, D, H), B)
        for backward in (
            lambda other=other, p=theirs, d=dlast: unroll_backward(other, p, readable, (hs, d)),
            lambda other=other, p=theirs, d=dlast: fused_unroll_backward(other, p, fused, (hs, d)),
            lambda other=other, p=theirs, d=dlast: step_backward(other, p, one, d),
            lambda other=other, p=theirs, d=dlast: trace_backward(other, p, caches, (hs, d)),
            lambda other=other, p=theirs, d=dlast: Recurrent(other, D, H).backward(p, fused, hs, d),
            lambda other=other, p=theirs: truncated_backward(
                other, p, fused, hs, stride=2, window=2
            ),
        ):
            with pytest.raises(
                TypeError,
                match=f"cell: expected the one whose forward made the cache.* got {other.name}",
            ):
                backward()


# A cell that does not read h


@each_mask
def test_a_cell_that_does_not_read_h_is_right_everywhere(mask, rng):
    check_cell(Light, rng)
    check_cell(Light, rng, T=1, B=1, D=1, H=1)
    xs = rng.standard_normal((T, B, D))
    for layer in (
        Recurrent(Light, D, H),
        Bidirectional(Recurrent(Light, D, H), Recurrent(LSTM, D, 2)),
        Recomputed(Recurrent(Light, D, H), 2),
        Serial((Recurrent(Light, D, H), Recurrent(Leaky, H, 3), Dense(3, 2))),
        Zoneout(Light, D, H, Light.State(0.2, 0.3)),
    ):
        check_layer(layer, xs, rng, mask=mask)


def test_a_cell_that_does_not_read_h_is_its_formula(rng):
    params, state = random_start(Light, rng, B, D, H)
    xs = rng.standard_normal((T, B, D))
    (hs, last), cache = unroll(Light, params, xs, state)
    W, b, c = np.split(params.W_x, 4, axis=1), np.split(params.b, 4), state.c
    for t, x in enumerate(xs):
        g, f, r, skip = (x @ W_k + b_k for W_k, b_k in zip(W, b))
        f, r = 1 / (1 + np.exp(-(f + params.v * c))), 1 / (1 + np.exp(-r))
        c = f * c + (1 - f) * g
        np.testing.assert_allclose(hs[t], r * c + (1 - r) * skip, rtol=1e-13)
    dparams, _, dfirst = unroll_backward(
        Light, params, cache, (np.ones_like(hs), tree_zeros_like(last))
    )
    assert dparams.W_h.shape == (H, 0) and (dfirst.h == 0).all() and (dfirst.c != 0).all()


def test_a_cell_that_does_not_read_h_can_be_looked_into(rng):
    params, state = random_start(Light, rng, B, D, H)
    xs = rng.standard_normal((T, B, D))
    (hs, last), cache = unroll(Light, params, xs, state, MASK)
    traced, caches = trace(Light, params, xs, state, MASK)
    assert traced.a_hs.shape == (T, B, 0)
    np.testing.assert_allclose(traced.states.h[MASK], hs[MASK], rtol=1e-13)
    dhs = rng.standard_normal(hs.shape)
    back = trace_backward(Light, params, caches, (dhs, last))
    dparams, dxs, _ = unroll_backward(Light, params, cache, (dhs, last))
    assert back.da_hs.shape == (T, B, 0) and relative_error(back.da_xs @ params.W_x.T, dxs) < 1e-12
    found = jacobians(Light, params, xs, state)
    np.testing.assert_array_equal(found[0], np.broadcast_to(np.eye(H), (B, H, H)))
    assert (found[1:] == 0).all()  # no path leads from one h to the next
    _, dxs = truncated_backward(Light, params, cache, dhs, stride=1, window=T)
    assert dxs.shape == xs.shape


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_cell_that_does_not_read_h_keeps_its_dtype(dtype, rng):
    layer = Recurrent(Light, D, H)
    params, xs = tree_cast(layer.init(rng), dtype), rng.standard_normal((T, B, D)).astype(dtype)
    hs, last, cache = layer.forward(params, xs)
    assert {
        leaf.dtype for leaf in tree_leaves((hs, last, layer.backward(params, cache, hs, last)))
    } == {np.dtype(dtype)}
