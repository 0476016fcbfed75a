"""Gates side by side or one by one: the same numbers, the same function, the same gradients.

Other shapes are refused.
"""

from collections import namedtuple
from typing import NamedTuple

import numpy as np
import pytest
from every_cell import PACKAGE
from judges import assert_close

from rnn_tutorial import initializers
from rnn_tutorial.cells import (
    LSTM,
    CoupledLSTMParams,
    GateParams,
    GRUBefore,
    GRUBeforeParams,
    GRUGates,
    GRUParams,
    LinearCell,
    LSTM1997Gates,
    LSTM1997Params,
    LSTMGates,
    LSTMParams,
    LSTMState,
    check_blocks,
    check_step_inputs,
    gate_blocks,
    init_gates,
    join_gates,
    lstm_step,
    split_gates,
)
from rnn_tutorial.gradient_check import random_start
from rnn_tutorial.sequence import unroll, unroll_backward
from rnn_tutorial.tree import tree_cast, tree_leaves, tree_zeros_like
from rnn_tutorial.validation import NotFiniteError

T, B, D, H = 6, 3, 4, 5


def test_blocks_are_the_quarters_of_the_last_axis_in_the_order_of_the_fields():
    a = np.arange(24.0).reshape(2, 12)
    gates = gate_blocks(a, LSTMGates)
    assert gates._fields == ("i", "f", "o", "g")
    np.testing.assert_array_equal(gates.i, a[:, :3])
    np.testing.assert_array_equal(gates.f, a[:, 3:6])
    np.testing.assert_array_equal(gates.o, a[:, 6:9])
    np.testing.assert_array_equal(gates.g, a[:, 9:])
    assert all(np.shares_memory(block, a) for block in gates)
    assert gate_blocks(np.zeros((7, 2, 12)), LSTM1997Gates).o.shape == (7, 2, 4)


GATED = {name: cell for name, cell in PACKAGE.items() if not isinstance(cell, LinearCell)}
each_cell = pytest.mark.parametrize("cell", GATED.values(), ids=GATED)  # with matrices for h


def parts_of(cell, params):
    """Return (Gates, params gate by gate, what belongs to no gate by name)."""
    Gates = namedtuple("Gates", list(cell.gates))
    matrices = {f"W_h{gate}" for gate in cell.gates}
    rest = {name: getattr(params, name) for name in cell.extra if name not in matrices}
    return Gates, split_gates(params, Gates), rest


@each_cell
def test_split_and_join_lead_back_exactly(cell, rng):
    """Values and gradients of every cell: a gradient has the type of its parameters."""
    params, _ = random_start(cell, rng, B, D, H)
    Gates, gates, rest = parts_of(cell, params)
    again = join_gates(gates, type(params), **rest)
    assert type(gates) is Gates and type(again) is type(params)
    for new, old in zip(again, params, strict=True):
        np.testing.assert_array_equal(new, old)
        assert not np.shares_memory(new, old)
    for new, old in zip(tree_leaves(split_gates(again, Gates)), tree_leaves(gates), strict=True):
        np.testing.assert_array_equal(new, old)


@each_cell
def test_the_pre_activation_of_every_gate_is_that_of_its_own_three_arrays(cell, rng):
    """x @ U + h @ V + b is what the blocks give, whichever matrix the candidate waits for."""
    params, state = random_start(cell, rng, B, D, H)
    _, gates, _ = parts_of(cell, params)
    x = rng.standard_normal((B, D))
    a_x, a_h = x @ params.W_x + params.b, state.h @ params.W_h
    own = [k for k, gate in enumerate(cell.gates) if f"W_h{gate}" in cell.extra]
    for k in own:
        W = getattr(params, f"W_h{cell.gates[k]}")
        a_h = np.insert(a_h, [k * H], state.h @ W, axis=1)
    for k, gate in enumerate(gates):
        columns = slice(k * H, (k + 1) * H)
        np.testing.assert_allclose(
            x @ gate.U + state.h @ gate.V + gate.b, (a_x + a_h)[:, columns], rtol=1e-12
        )


@pytest.mark.parametrize("gates, own", [("rzn", "n"), ("nrz", "n"), ("nrz", "rn"), ("zrn", "")])
def test_a_gate_s_own_matrix_may_be_that_of_any_gate(gates, own, rng):
    """Only the name says which: W_hn is the matrix of n, wherever n is."""
    Gates = namedtuple("Gates", list(gates))
    Params = namedtuple("Params", ["W_x", "W_h", "b", *(f"W_h{gate}" for gate in own)])
    one_by_one = Gates(
        *(
            GateParams(*(rng.standard_normal(shape) for shape in ((D, H), (H, H), (H,))))
            for _ in gates
        )
    )
    params = join_gates(one_by_one, Params)
    assert params.W_h.shape == (H, (3 - len(own)) * H)
    for gate in own:
        np.testing.assert_array_equal(getattr(params, f"W_h{gate}"), getattr(one_by_one, gate).V)
    for new, old in zip(
        tree_leaves(split_gates(params, Gates)), tree_leaves(one_by_one), strict=True
    ):
        np.testing.assert_array_equal(new, old)


def three_gates(**changed):
    """Return GRUGates of three gates of zeros."""
    return GRUGates(gate(), gate(), gate())._replace(**changed)


@pytest.mark.parametrize(
    "Params, own, message",
    [
        (GRUParams, {}, "the other parameters of GRUParams, b_hn, got none"),
        (GRUBeforeParams, {"b_hn": np.zeros(H)}, "of GRUBeforeParams, none, got b_hn"),
        (GRUBeforeParams, {"W_hn": np.zeros((H, H))}, "of GRUBeforeParams, none, got W_hn"),
        (GRUParams, {"b_n": np.zeros(H)}, "the other parameters of GRUParams, b_hn, got b_n"),
    ],
)
def test_a_parameter_that_is_missing_or_surplus_is_named(Params, own, message):
    with pytest.raises(TypeError, match=message):
        join_gates(three_gates(), Params, **own)


def test_the_matrix_of_a_gate_that_is_not_named_is_not_lost():
    """W_hn belongs to a gate n, which the LSTM does not have."""
    with pytest.raises(TypeError, match="of GRUBeforeParams, W_hn, got none"):
        join_gates(LSTM1997Gates(gate(), gate(), gate()), GRUBeforeParams)


@pytest.mark.parametrize(
    "changed, message",
    [
        ({"W_h": np.zeros((H, 3 * H))}, r"W_h: expected shape \(H=5, 2H=10\), got \(5, 15\)"),
        ({"W_hn": np.zeros((H, 1))}, r"W_hn: expected shape \(H_previous=5, H=5\), got \(5, 1\)"),
        ({"b": np.zeros(2 * H)}, r"b: expected shape \(3H=15,\), got \(10,\)"),
    ],
)
def test_a_matrix_of_its_own_has_no_block_in_W_h(changed, message, rng):
    params = GRUBefore.init(rng, D, H)._replace(**changed)
    with pytest.raises(ValueError, match=message):
        split_gates(params, GRUGates)


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def one_gate_at_a_time(gates, xs, h, c):
    """Return (hs, h, c, caches) of the LSTM with three arrays for each gate."""
    hs, steps = [], []
    for x in xs:
        i = sigmoid(x @ gates.i.U + h @ gates.i.V + gates.i.b)
        f = sigmoid(x @ gates.f.U + h @ gates.f.V + gates.f.b)
        o = sigmoid(x @ gates.o.U + h @ gates.o.V + gates.o.b)
        g = np.tanh(x @ gates.g.U + h @ gates.g.V + gates.g.b)
        c_new = f * c + i * g
        steps.append((x, h, c, i, f, o, g, c_new))
        h, c = o * np.tanh(c_new), c_new
        hs.append(h)
    return np.stack(hs), h, c, steps


def one_gate_at_a_time_backward(gates, steps, dhs, dh, dc):
    """Return (dgates, dxs, dh, dc): twelve gradients, each summed over time by itself."""
    dgates = tree_zeros_like(gates)
    dxs = []
    for (x, h_previous, c_previous, i, f, o, g, c), dh_above in zip(steps[::-1], dhs[::-1]):
        dh = dh + dh_above
        dc = dc + dh * o * (1 - np.tanh(c) ** 2)
        da = LSTMGates(
            i=dc * g * i * (1 - i),
            f=dc * c_previous * f * (1 - f),
            o=dh * np.tanh(c) * o * (1 - o),
            g=dc * i * (1 - g**2),
        )
        for gate, dgate in zip(da, dgates):
            dgate.U[...] += x.T @ gate
            dgate.V[...] += h_previous.T @ gate
            dgate.b[...] += gate.sum(axis=0)
        dxs.append(
            da.i @ gates.i.U.T + da.f @ gates.f.U.T + da.o @ gates.o.U.T + da.g @ gates.g.U.T
        )
        dh = da.i @ gates.i.V.T + da.f @ gates.f.V.T + da.o @ gates.o.V.T + da.g @ gates.g.V.T
        dc = dc * f
    return dgates, np.stack(dxs[::-1]), dh, dc


def test_twelve_small_arrays_and_three_large_ones_are_one_function_with_one_gradient(rng):
    """Splitting the gradient of the blocks gives the gradients of U, V and b of each gate."""
    params, state = random_start(LSTM, rng, B, D, H)
    xs, dhs = rng.standard_normal((T, B, D)), rng.standard_normal((T, B, H))
    dlast = LSTMState(rng.standard_normal((B, H)), rng.standard_normal((B, H)))
    (hs, last), cache = unroll(LSTM, params, xs, state)
    dparams, dxs, dfirst = unroll_backward(LSTM, params, cache, (dhs, dlast))

    gates = split_gates(params, LSTMGates)
    gates_hs, h, c, steps = one_gate_at_a_time(gates, xs, *state)
    dgates, gates_dxs, dh, dc = one_gate_at_a_time_backward(gates, steps, dhs, *dlast)
    pairs = {"hs": (hs, gates_hs), "h": (last.h, h), "c": (last.c, c), "dxs": (dxs, gates_dxs)}
    pairs |= {"dh_first": (dfirst.h, dh), "dc_first": (dfirst.c, dc)}
    for name, gate, dgate in zip(LSTMGates._fields, split_gates(dparams, LSTMGates), dgates):
        pairs |= {
            f"d{field}_{name}": (ours, theirs)
            for field, ours, theirs in zip(gate._fields, gate, dgate)
        }
    pairs |= {
        f"joined {k}": pair for k, pair in enumerate(zip(dparams, join_gates(dgates, LSTMParams)))
    }
    assert len(pairs) == 6 + 12 + 3
    for name, (ours, theirs) in pairs.items():
        assert_close(name, ours, theirs, 1e-13)


@pytest.mark.parametrize("count", [2, 3, 4])
def test_each_gate_s_block_is_drawn_by_itself(count, rng):
    shapes = []

    def recorded(initializer):
        return lambda generator, shape: shapes.append(shape) or initializer(generator, shape)

    W_x, W_h, b = init_gates(
        rng,
        D,
        H,
        count,
        recorded(initializers.glorot_uniform),
        recorded(initializers.orthogonal),
        recorded(initializers.zeros),
    )
    assert shapes == [(D, H)] * count + [(H, H)] * count + [(H,)] * count
    assert W_x.shape == (D, count * H) and W_h.shape == (H, count * H) and b.shape == (count * H,)
    blocks = np.split(W_h, count, axis=1)
    for V in blocks:
        np.testing.assert_allclose(V @ V.T, np.eye(H), atol=1e-12)
    assert len({block.tobytes() for block in blocks}) == count


@pytest.mark.parametrize(
    "sizes, name", [((0, 3), "input_size"), ((2, 0), "hidden_size"), ((2.0, 3), "input_size")]
)
def test_a_size_that_is_not_a_positive_whole_number_is_refused(sizes, name, rng):
    with pytest.raises(ValueError, match=f"{name}: expected a positive whole number"):
        init_gates(rng, *sizes, 4, initializers.zeros, initializers.zeros, initializers.zeros)


class Other(NamedTuple):
    kernel: np.ndarray


def lstm_params(**changed):
    return LSTMParams(np.zeros((D, 4 * H)), np.zeros((H, 4 * H)), np.zeros(4 * H))._replace(
        **changed
    )


THREE_GATES = LSTM1997Params(np.zeros((D, 3 * H)), np.zeros((H, 3 * H)), np.zeros(3 * H))
BAD_BLOCKS = [
    (THREE_GATES, ValueError, r"W_h: expected shape \(H=5, 4H=20\), got \(5, 15\)"),
    (
        lstm_params(W_h=np.zeros((H, H))),
        ValueError,
        r"W_h: expected shape \(H=5, 4H=20\), got \(5, 5\)",
    ),
    (
        lstm_params(W_h=np.zeros((H, 1))),
        ValueError,
        r"W_h: expected shape \(H=5, 4H=20\), got \(5, 1\)",
    ),
    (
        lstm_params(W_h=np.zeros(4 * H)),
        ValueError,
        r"W_h: expected shape \(H=20, 4H=80\), got \(20,\)",
    ),
    (
        lstm_params(W_x=np.zeros((D, 4))),
        ValueError,
        r"W_x: expected shape \(D, 4H=20\), got \(4, 4\)",
    ),
    (
        lstm_params(W_x=np.zeros((D, 1))),
        ValueError,
        r"W_x: expected shape \(D, 4H=20\), got \(4, 1\)",
    ),
    (lstm_params(b=np.zeros(H)), ValueError, r"b: expected shape \(4H=20,\), got \(5,\)"),
    (
        lstm_params(b=np.zeros((1, 4 * H))),
        ValueError,
        r"b: expected shape \(4H=20,\), got \(1, 20\)",
    ),
    (
        lstm_params(b=[0.0] * 4 * H),
        TypeError,
        r"b: expected a NumPy array of shape \(4H=20,\), got list",
    ),
    (
        Other(np.zeros((D, 4 * H))),
        TypeError,
        r"params: expected parameters with the fields W_x, W_h, b, got Other\(kernel\)",
    ),
]


@pytest.mark.parametrize("params, error, message", BAD_BLOCKS)
def test_blocks_that_are_not_as_many_as_the_gates_are_refused(params, error, message):
    """NumPy would broadcast one block, or one column, over all four gates."""
    with pytest.raises(error, match=message):
        split_gates(params, LSTMGates)
    with pytest.raises(error, match=message):
        check_blocks(params, "ifog")


def gate(D=D, H=H):
    return GateParams(np.zeros((D, H)), np.zeros((H, H)), np.zeros(H))


BAD_GATES = [
    (gate(D + 1), ValueError, r"o.U: expected shape \(D=4, H=5\), got \(5, 5\)"),
    (gate(H=1), ValueError, r"o.U: expected shape \(D=4, H=5\), got \(4, 1\)"),
    (
        gate()._replace(V=np.zeros((1, H))),
        ValueError,
        r"o.V: expected shape \(H_previous=5, H=5\), got \(1, 5\)",
    ),
    (gate()._replace(b=np.zeros(1)), ValueError, r"o.b: expected shape \(H=5,\), got \(1,\)"),
    (tuple(gate()), TypeError, "o: expected parameters with the fields U, V, b, got tuple"),
    (np.zeros((D, H)), TypeError, "o: expected parameters with the fields U, V, b, got ndarray"),
]


@pytest.mark.parametrize("bad, error, message", BAD_GATES)
def test_gates_of_different_shapes_are_not_joined(bad, error, message):
    with pytest.raises(error, match=message):
        join_gates(LSTMGates(gate(), gate(), bad, gate()), LSTMParams)


BAD_FIRST_GATES = [
    (tuple(gate()), TypeError, "i: expected parameters with the fields U, V, b, got tuple"),
    (gate()._replace(U=np.zeros(H)), ValueError, r"i.U: expected shape \(D, H\), got \(5,\)"),
    (gate(H=H + 1), ValueError, r"f.U: expected shape \(D=4, H=6\), got \(4, 5\)"),
]


@pytest.mark.parametrize("first, error, message", BAD_FIRST_GATES)
def test_the_first_gate_which_sets_the_shapes_is_checked_too(first, error, message):
    with pytest.raises(error, match=message):
        join_gates(LSTMGates(first, gate(), gate(), gate()), LSTMParams)


BAD_STEPS = [
    (lambda x, s: (x[0], s), ValueError, r"x: expected shape \(B, D=4\), got \(4,\)"),
    (lambda x, s: (x[:, :1], s), ValueError, r"x: expected shape \(B, D=4\), got \(3, 1\)"),
    (lambda x, s: (x[:1], s), ValueError, r"state.h: expected shape \(B=1, H=5\), got \(3, 5\)"),
    (
        lambda x, s: (x, s._replace(h=s.h[0])),
        ValueError,
        r"state.h: expected shape \(B=3, H=5\), got \(5,\)",
    ),
    (
        lambda x, s: (x, s._replace(c=s.c[:1])),
        ValueError,
        r"state.c: expected shape \(B=3, H=5\), got \(1, 5\)",
    ),
    (
        lambda x, s: (x, s._replace(c=s.c[:, :1])),
        ValueError,
        r"state.c: expected shape \(B=3, H=5\), got \(3, 1\)",
    ),
    (
        lambda x, s: (x, s._replace(c=0.0)),
        TypeError,
        r"state.c: expected a NumPy array of shape \(B=3, H=5\), got float",
    ),
    (
        lambda x, s: (x.astype(int), s),
        TypeError,
        "x: expected dtype float64, the dtype of the parameters, got int64",
    ),
    (
        lambda x, s: (x, tree_cast(s, np.float32)),
        TypeError,
        "state.h: expected dtype float64.* got float32",
    ),
    (
        lambda x, s: (x, s._replace(c=s.c.astype("float32"))),
        TypeError,
        "state.c: expected dtype float64.* got float32",
    ),
    (
        lambda x, s: (x * np.nan, s),
        NotFiniteError,
        r"x: expected finite numbers, got nan at index \(0, 0\)",
    ),
    (
        lambda x, s: (x, s._replace(c=s.c * np.inf)),
        NotFiniteError,
        r"state.c: expected finite numbers, got -?inf",
    ),
]


@pytest.mark.parametrize("spoil, error, message", BAD_STEPS)
def test_an_input_or_a_state_that_does_not_fit_is_refused(spoil, error, message, rng):
    params, state = random_start(LSTM, rng, B, D, H)
    x = rng.standard_normal((B, D))
    check_step_inputs(params, x, state)
    with pytest.raises(error, match=message):
        check_step_inputs(params, *spoil(x, state))


MISFITS = [
    ({"W_h": np.zeros((H, 1))}, r"W_h: expected shape \(H, A=20\), got \(5, 1\)"),
    ({"W_h": np.zeros((H, H))}, r"W_h: expected shape \(H, A=20\), got \(5, 5\)"),
    ({"W_x": np.zeros((D, 1))}, r"W_x: expected shape \(D, A=20\), got \(4, 1\)"),
    ({"b": np.zeros(1)}, r"W_x: expected shape \(D, A=1\), got \(4, 20\)"),
]


@pytest.mark.parametrize("changed, message", MISFITS)
def test_a_step_refuses_parameters_that_numpy_would_broadcast(changed, message):
    with pytest.raises(ValueError, match=message):
        lstm_step(
            lstm_params(**changed), np.zeros((B, D)), LSTMState(np.zeros((B, H)), np.zeros((B, H)))
        )


def test_parameters_are_known_by_their_own_names():
    for Params in (LSTMParams, LSTM1997Params, CoupledLSTMParams):
        assert Params._fields == ("W_x", "W_h", "b")
