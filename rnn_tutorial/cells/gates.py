"""Gates side by side: the blocks of weights of the LSTM, the GRU and their relatives.

A cell with G gates has one matrix W_x (D, G*H), one W_h (H, G*H) and one b (G*H,), gate after gate
along the last axis: one product computes all the pre-activations. Many texts write a matrix for
each gate instead, U, V and b. `split_gates` and `join_gates` go from one form to the other. Both
only move numbers, so they are right for gradients as well as for values.

The names of the other parameters say to which gate they belong: W_hn is the recurrent matrix of the
gate n, which then has no block in W_h, and b_hn is its second bias.
"""

from collections.abc import Sequence
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
    "own_matrices",
    "recurrent_matrices",
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
    gate. The arrays are views. Parameters that are not U, V or b of a gate, such as peepholes or
    b_hn of the GRU, are left out.

    Raises: ValueError or TypeError unless every gate has a block of W_x and of b, and either a
    block of W_h or a matrix of its own.
    """
    check_blocks(params, Gates._fields)
    V = recurrent_matrices(params, Gates._fields)
    U, b = gate_blocks(params.W_x, Gates), gate_blocks(params.b, Gates)
    return Gates(*map(GateParams, U, (V[gate] for gate in Gates._fields), b))


def join_gates(gates: Any, Params: type[Any], **own: Array) -> Any:
    """Return `Params`, such as LSTMParams, with all gates side by side.

    gates: a NamedTuple of GateParams. own: the parameters that `split_gates` leaves out, by name.
    The function is the inverse of `split_gates`. The arrays are copies.

    Raises: TypeError for a gate that is not a GateParams, and for an `own` that is missing or not a
    parameter of the cell; ValueError for gates of different shapes.

    Example: the GRU has one parameter that is not U, V or b of a gate.

    >>> import numpy as np
    >>> from rnn_tutorial.cells import GRU, GRUGates, GRUParams, join_gates, split_gates
    >>> params = GRU.init(np.random.default_rng(0), 4, 5)
    >>> gates = split_gates(params, GRUGates)
    >>> joined = join_gates(gates, GRUParams, b_hn=params.b_hn)
    >>> all(np.array_equal(new, old) for new, old in zip(joined, params))
    True
    """
    D = H = None  # the first gate sets them
    for name, gate in zip(gates._fields, gates):
        check_fields(name, gate, "U", "V", "b")
        check_array(f"{name}.U", gate.U, D=D, H=H)
        D, H = gate.U.shape
        check_array(f"{name}.V", gate.V, H_previous=H, H=H)
        check_array(f"{name}.b", gate.b, H=H)
    U, V, b = (dict(zip(gates._fields, leaves)) for leaves in zip(*gates))
    matrices = {
        name: V.pop(gate).copy() for gate, name in own_matrices(Params, gates._fields).items()
    }
    wanted = set(Params._fields) - {"W_x", "W_h", "b"} - set(matrices)
    if own.keys() != wanted:
        expected, got = (", ".join(sorted(names)) or "none" for names in (wanted, own.keys()))
        raise TypeError(
            f"own: expected the other parameters of {Params.__name__}, {expected}, got {got}"
        )
    W_x, W_h, biases = (np.concatenate(list(blocks.values()), axis=-1) for blocks in (U, V, b))
    copies = {name: np.array(leaf) for name, leaf in own.items()}
    return Params(W_x=W_x, W_h=W_h, b=biases, **matrices, **copies)


def recurrent_matrices(params: Any, gates: Sequence[str]) -> dict[str, Array]:
    """Return {gate: its recurrent matrix}: a block of W_h, or a parameter of its own."""
    own = {gate: getattr(params, name) for gate, name in own_matrices(params, gates).items()}
    in_W_h = [gate for gate in gates if gate not in own]
    return dict(zip(in_W_h, np.split(params.W_h, len(in_W_h), axis=-1))) | own


def own_matrices(params: Any, gates: Sequence[str]) -> dict[str, str]:
    """Return {gate: name} of the recurrent matrices that are not blocks of W_h, such as W_hn.

    params: a Params, or its type.
    """
    return {gate: f"W_h{gate}" for gate in gates if f"W_h{gate}" in params._fields}


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


def check_blocks(params: Any, gates: Sequence[str]) -> None:
    """Raise ValueError or TypeError unless W_x, W_h and b have a block of H columns for each gate.

    A gate with a recurrent matrix of its own has no block in W_h.
    """
    check_fields("params", params, "W_x", "W_h", "b")
    own, H = own_matrices(params, gates), len(params.W_h)

    def columns(G: int) -> dict[str, Any]:
        return {f"{G}H": G * H}

    check_array("W_h", params.W_h, H=H, **columns(len(gates) - len(own)))
    for name in own.values():
        check_array(name, getattr(params, name), H_previous=H, H=H)
    check_array("W_x", params.W_x, D=None, **columns(len(gates)))
    check_array("b", params.b, **columns(len(gates)))


def check_step_inputs(params: Any, x: Array, state: Any) -> None:
    """Raise ValueError or TypeError unless x and state fit the parameters.

    They must have the dtype of the parameters and finite numbers. W_x, W_h and b must fit each
    other too, and a W_h or b of a single gate must fit W_h: NumPy would broadcast one column of W_h
    over all gates.

    Shapes: x (B, D), every field of state (B, H).
    """
    H, A = len(params.W_h), len(params.b)
    matrices = [name for name in params._fields if name.startswith("W_h") and name != "W_h"]
    biases = [name for name in params._fields if name.startswith("b_h")]
    check_array("W_x", params.W_x, D=None, A=A)
    check_array("W_h", params.W_h, H=None, A=A - len(matrices) * H)
    for name in matrices:
        check_array(name, getattr(params, name), H_previous=H, H=H)
    for name in biases:
        check_array(name, getattr(params, name), H=H)
    check_array("x", x, dtype=params.b.dtype, B=None, D=len(params.W_x))
    check_finite("x", x)
    for name, leaf in zip(state._fields, state):
        check_array(f"state.{name}", leaf, dtype=params.b.dtype, B=len(x), H=H)
        check_finite(f"state.{name}", leaf)
