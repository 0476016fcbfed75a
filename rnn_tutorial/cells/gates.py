"""Gates side by side: what the LSTM, the GRU and their relatives share about their blocks of weights.

A cell with G gates keeps one matrix W_x (D, G*H), one W_h (H, G*H) and one b (G*H,), gate after gate along the last axis: one
product computes all the pre-activations. Many texts write a matrix for each gate instead, U, V and b; `split_gates` and
`join_gates` go from one form to the other. Values and gradients change form alike, for both are only moved.
"""

from typing import NamedTuple

import numpy as np
from numpy import ndarray as Array

from rnn_tutorial.validation import check_array, check_fields, check_finite, check_positive

__all__ = [
    "GateParams",
    "check_blocks",
    "check_step_inputs",
    "gate_blocks",
    "init_gates",
    "join_gates",
    "split_gates",
]


class GateParams(NamedTuple):
    """The parameters of one gate: its pre-activation is x @ U + h_previous @ V + b."""

    U: Array  # (D, H)
    V: Array  # (H, H)
    b: Array  # (H,)


def gate_blocks(a, Gates):
    """Return the equal blocks of the last axis of a as a `Gates`, such as LSTMGates: (..., 4H) -> four of (..., H), views."""
    H = a.shape[-1] // len(Gates._fields)
    return Gates(
        *(a[..., k * H : (k + 1) * H] for k in range(len(Gates._fields)))
    )  # np.split does the same, slowly


def split_gates(params, Gates):
    """Return a `Gates`, such as LSTMGates, of GateParams: one block a gate, from parameters with all in one block.

    Of gradients too: `split_gates(dparams, LSTMGates).f.V` is dV of the forget gate. Parameters after W_x, W_h and b, such as
    peepholes, are left out. Errors: ValueError or TypeError unless each of the three holds as many blocks as Gates has fields.
    """
    check_blocks(params, len(Gates._fields))
    W_x, W_h, b = (gate_blocks(leaf, Gates) for leaf in (params.W_x, params.W_h, params.b))
    return Gates(*map(GateParams, W_x, W_h, b))


def join_gates(gates, Params):
    """Return `Params`, such as LSTMParams, with all gates in one block, from a NamedTuple of GateParams.

    The inverse of `split_gates`. Errors: TypeError for a gate that is no GateParams, ValueError for gates of different shapes.
    """
    D = H = None  # the first gate says
    for name, gate in zip(gates._fields, gates):
        check_fields(name, gate, "U", "V", "b")
        check_array(f"{name}.U", gate.U, D=D, H=H)
        D, H = gate.U.shape
        check_array(f"{name}.V", gate.V, H_previous=H, H=H)
        check_array(f"{name}.b", gate.b, H=H)
    return Params(*(np.concatenate(blocks, axis=-1) for blocks in zip(*gates)))


def init_gates(rng, input_size, hidden_size, count, W_x, W_h, b):
    """Return (W_x, W_h, b) of `count` gates, each gate's block drawn by itself by the initializers W_x, W_h and b.

    With `orthogonal` for W_h, each block is orthogonal. Errors: ValueError for sizes that are not positive whole numbers.
    """
    check_positive("input_size", input_size)
    check_positive("hidden_size", hidden_size)
    shapes = (input_size, hidden_size), (hidden_size, hidden_size), (hidden_size,)
    blocks = (
        [initializer(rng, shape) for _ in range(count)]
        for initializer, shape in zip((W_x, W_h, b), shapes)
    )
    return tuple(np.concatenate(block, axis=-1) for block in blocks)


def check_blocks(params, count):
    """Raise ValueError or TypeError unless W_x, W_h and b hold `count` blocks of H columns."""
    check_fields("params", params, "W_x", "W_h", "b")
    H = len(params.W_h)
    check_array("W_h", params.W_h, H=H, **{f"{count}H": count * H})
    check_array("W_x", params.W_x, D=None, **{f"{count}H": count * H})
    check_array("b", params.b, **{f"{count}H": count * H})


def check_step_inputs(params, x, state):
    """Raise ValueError or TypeError unless x and state fit the parameters: (B, D) and (B, H), one dtype, finite numbers.

    And unless W_x, W_h and b fit each other: NumPy would broadcast one column of W_h over all gates.
    """
    check_array("W_x", params.W_x, D=None, A=len(params.b))
    check_array("W_h", params.W_h, H=None, A=len(params.b))
    check_array("x", x, dtype=params.b.dtype, B=None, D=len(params.W_x))
    check_finite("x", x)
    for name, leaf in zip(state._fields, state):
        check_array(f"state.{name}", leaf, dtype=params.b.dtype, B=len(x), H=len(params.W_h))
        check_finite(f"state.{name}", leaf)
