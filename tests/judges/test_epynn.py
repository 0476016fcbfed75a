"""EpyNN's LSTM and GRU have U, V and b for each gate: gradients and intermediates, gate by gate.

EpyNN starts from a state of zeros and has no lengths. Its GRU resets before the matrix, and its z
is ours: h = z h + (1 - z) n.
"""

import numpy as np
import pytest
from judges import assert_close, epynn_or_skip

from rnn_tutorial.cells import (
    LSTM,
    GRUBefore,
    GRUGates,
    LSTMGates,
    gate_blocks,
    lstm_gates_backward,
    split_gates,
)
from rnn_tutorial.gradient_check import random_start
from rnn_tutorial.sequence import trace, trace_backward, unroll, unroll_backward
from rnn_tutorial.tree import tree_zeros_like

T, B, D, H = 7, 3, 4, 5


@pytest.fixture(scope="module")
def layers(tmp_path_factory):
    """Return EpyNN's LSTM and GRU by name."""
    return epynn_or_skip(tmp_path_factory.mktemp("epynn"))


CELLS = {  # our cell, its gates, and EpyNN's names of these gates
    "LSTM": (LSTM, LSTMGates, "ifog"),
    "GRU": (GRUBefore, GRUGates, ("r", "z", "hh")),
}


def problem(cell, T, B, D, H):
    """Return params, xs, state, (dhs, dlast_state); the two states are zeros."""
    rng = np.random.default_rng(T)
    params, state = random_start(cell, rng, B, D, H)
    zeros = tree_zeros_like(state)
    return params, rng.standard_normal((T, B, D)), zeros, (rng.standard_normal((T, B, H)), zeros)


def epynn(Layer, gates, names, xs, dhs):
    """Return a layer of EpyNN after its forward and backward; its arrays have the batch first."""
    layer = Layer(unit_cells=dhs.shape[2], sequences=True, clip_gradients=False)
    for name, gate in zip(names, gates, strict=True):
        layer.p |= {f"U{name}": gate.U, f"V{name}": gate.V, f"b{name}": gate.b[None]}
    layer.forward(xs.swapaxes(0, 1))
    layer.backward(dhs.swapaxes(0, 1))
    layer.compute_gradients()
    return layer


@pytest.mark.parametrize("T, B, D, H", [(T, B, D, H), (1, B, D, H), (30, 1, 2, 6)])
@pytest.mark.parametrize("name", CELLS)
def test_the_gradient_of_every_gate_is_theirs(name, T, B, D, H, layers):
    cell, Gates, names = CELLS[name]
    params, xs, state, (dhs, dlast) = problem(cell, T, B, D, H)
    (hs, _), cache = unroll(cell, params, xs, state)
    dparams, dxs, dfirst = unroll_backward(cell, params, cache, (dhs, dlast))

    layer = epynn(layers[name], split_gates(params, Gates), names, xs, dhs)
    assert_close("hs", hs, layer.fc["h"].swapaxes(0, 1), 1e-12)
    assert_close("dxs", dxs, layer.bc["dX"].swapaxes(0, 1), 1e-12)
    for ours, theirs in zip(dfirst, ("dh", "dC")):
        assert_close(f"first {theirs}", ours, layer.bc[theirs][:, 0], 1e-12)
    for gate, dgate in zip(names, split_gates(dparams, Gates)):
        assert_close(f"dU{gate}", dgate.U, layer.g[f"dU{gate}"], 1e-12)
        assert_close(f"dV{gate}", dgate.V, layer.g[f"dV{gate}"], 1e-12)
        assert_close(f"db{gate}", dgate.b, layer.g[f"db{gate}"][0], 1e-12)


@pytest.mark.parametrize("name", CELLS)
def test_every_gate_and_the_gradient_of_its_pre_activation_are_theirs_at_every_step(name, layers):
    cell, Gates, names = CELLS[name]
    params, xs, state, (dhs, dlast) = problem(cell, T, B, D, H)
    traced, caches = trace(cell, params, xs, state)
    back = trace_backward(cell, params, caches, (dhs, dlast))
    gates = split_gates(params, Gates)

    layer = epynn(layers[name], gates, names, xs, dhs)
    for theirs, ours, da in zip(names, gates._fields, gate_blocks(back.da_xs, type(gates))):
        assert_close(ours, getattr(traced.values, ours), layer.fc[theirs].swapaxes(0, 1), 1e-12)
        assert_close(f"da_{ours}", da, layer.bc[f"d{theirs}_"].swapaxes(0, 1), 1e-12)
    assert_close("dh", back.dstates.h, layer.bc["dh_"].swapaxes(0, 1), 1e-12)
    if name == "LSTM":
        _, dc = lstm_gates_backward(traced.values, back.dstates)  # with the path through h
        assert_close("dc", dc, layer.bc["dC_"].swapaxes(0, 1), 1e-12)
