"""Gates side by side: the blocks of weights of the LSTM, the GRU and their relatives.

A cell with G gates has one matrix W_x (D, G*H), one W_h (H, G*H) and one b (G*H,), gate after gate
along the last axis: one product computes all the pre-activations. Many texts write a matrix for
each gate instead, U, V and b. `split_gates` and `join_gates` go from one form to the other. Both
only move numbers, so they are right for gradients as well as for values.
"""

from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.types import Array, Initializer, Rng
from rnn_tutorial.validation import (
    check_array,
    check_fields,
    check_finite,
    check_positive,
    check_rng,
)

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


def gate_blocks(a: Array, Gates: type[Any]) -> Any:
    """Return the equal blocks of the last axis of a as a `Gates`, such as LSTMGates.

    The blocks are views.

    Shapes: a (..., G*H) -> G blocks of (..., H).
    """
    H = a.shape[-1] // len(Gates._fields)
    return Gates(
        *(a[..., k * H : (k + 1) * H] for k in range(len(Gates._fields)))
    )  # np.split does the same, slowly


def split_gates(params: Any, Gates: type[Any]) -> Any:
    """Return a `Gates`, such as LSTMGates, of GateParams: the parameters, gate by gate.

    Gradients are split in the same way: `split_gates(dparams, LSTMGates).f.V` is dV of the forget
    gate. Parameters other than W_x, W_h and b, such as peepholes, are left out.

    Raises: ValueError or TypeError unless W_x, W_h and b each have as many blocks as Gates has
    fields.
    """
    check_blocks(params, len(Gates._fields))
    W_x, W_h, b = (gate_blocks(leaf, Gates) for leaf in (params.W_x, params.W_h, params.b))
    return Gates(*map(GateParams, W_x, W_h, b))


def join_gates(gates: Any, Params: type[Any]) -> Any:
    """Return `Params`, such as LSTMParams, with all gates side by side.

    gates: a NamedTuple of GateParams. The function is the inverse of `split_gates`.

    Raises: TypeError for a gate that is not a GateParams, ValueError for gates of different shapes.
    """
    D = H = None  # the first gate sets them
    for name, gate in zip(gates._fields, gates):
        check_fields(name, gate, "U", "V", "b")
        check_array(f"{name}.U", gate.U, D=D, H=H)
        D, H = gate.U.shape
        check_array(f"{name}.V", gate.V, H_previous=H, H=H)
        check_array(f"{name}.b", gate.b, H=H)
    return Params(*(np.concatenate(blocks, axis=-1) for blocks in zip(*gates)))


def init_gates(
    rng: Rng,
    input_size: int,
    hidden_size: int,
    count: int,
    W_x: Initializer,
    W_h: Initializer,
    b: Initializer,
) -> tuple[Array, Array, Array]:
    """Return (W_x, W_h, b) of `count` gates, drawn by the initializers W_x, W_h and b.

    Each gate's block is drawn by itself: with `orthogonal` for W_h, each block is orthogonal.

    Raises: TypeError unless `rng` is a generator, ValueError for sizes that are not positive whole
    numbers.
    """
    check_rng(rng)
    check_positive("input_size", input_size)
    check_positive("hidden_size", hidden_size)

    def drawn(initializer: Initializer, *shape: int) -> Array:
        return np.concatenate([initializer(rng, shape) for _ in range(count)], axis=-1)

    return (
        drawn(W_x, input_size, hidden_size),
        drawn(W_h, hidden_size, hidden_size),
        drawn(b, hidden_size),
    )


def check_blocks(params: Any, count: int) -> None:
    """Raise ValueError or TypeError unless W_x, W_h and b have `count` blocks of H columns."""
    check_fields("params", params, "W_x", "W_h", "b")
    H = len(params.W_h)
    columns: dict[str, Any] = {f"{count}H": count * H}
    check_array("W_h", params.W_h, H=H, **columns)
    check_array("W_x", params.W_x, D=None, **columns)
    check_array("b", params.b, **columns)


def check_step_inputs(params: Any, x: Array, state: Any) -> None:
    """Raise ValueError or TypeError unless x and state fit the parameters.

    They must have the dtype of the parameters and finite numbers. W_x, W_h and b must fit each
    other too: NumPy would broadcast one column of W_h over all gates.

    Shapes: x (B, D), every field of state (B, H).
    """
    check_array("W_x", params.W_x, D=None, A=len(params.b))
    check_array("W_h", params.W_h, H=None, A=len(params.b))
    check_array("x", x, dtype=params.b.dtype, B=None, D=len(params.W_x))
    check_finite("x", x)
    for name, leaf in zip(state._fields, state):
        check_array(f"state.{name}", leaf, dtype=params.b.dtype, B=len(x), H=len(params.W_h))
        check_finite(f"state.{name}", leaf)
