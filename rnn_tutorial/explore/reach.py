"""How far a gradient reaches in a fresh network of each cell (chapters 06, 10 and 12)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from rnn_tutorial.activations import sigmoid
from rnn_tutorial.cells.cell import Cell
from rnn_tutorial.cells.elman import Elman, ElmanParams
from rnn_tutorial.cells.gates import gate_blocks
from rnn_tutorial.cells.gru import GRU, GRUGates
from rnn_tutorial.cells.lstm import LSTM, LSTMGates, lstm
from rnn_tutorial.explore.explorable import Explorable, blank
from rnn_tutorial.explore.weights import pack, unpack
from rnn_tutorial.initializers import glorot_uniform
from rnn_tutorial.plotting.curves import plot_jacobian_norms
from rnn_tutorial.sequence.jacobians import jacobian_norms
from rnn_tutorial.types import Array
from rnn_tutorial.validation import check_choice, check_number, describe

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["reach", "reach_draws", "reach_network", "reach_norms", "reach_path"]

_D, _H, _T, _DRAWS = 4, 16, 50, 4
_CELLS: dict[str, Cell] = {"tanh": Elman, "LSTM": LSTM, "GRU": GRU}
_STARTS = {"tanh": 0.9, "LSTM": 1.0, "GRU": 0.0}


def reach() -> Explorable:
    """Return the figure of the norm of dh_T / dh_t over the distance, for three cells.

    The radius of W_h, or the bias of the gate that keeps, can be moved, and so can the size of the
    inputs and the distance at which the numbers are read.

    Source: equations (6.4), (6.9) and (10.27).
    """
    return Explorable(
        name="reach",
        title="How far a gradient reaches",
        description=(
            "The norm of dh_T/dh_t over the distance T - t, on a logarithmic axis, and the bound. "
            "Choose a cell, and move the spectral radius of W_h or the bias of the gate that keeps."
        ),
        data={"starts": _STARTS, "draws": [_packed(draw) for draw in reach_draws()]},
        still=_still,
    )


def reach_draws() -> list[dict[str, Any]]:
    """Return the random numbers of each draw: its inputs (T, 1, D) and the weights of each cell.

    Those of the tanh network are the ones of chapter 06, with a W_h of radius 1; seed 0 is the
    chapter's own. The weights of the gated cells are as the package starts them, with all biases at
    zero, and rounded to float32.
    """
    return [_draw(seed) for seed in range(_DRAWS)]


def reach_network(cell: str, value: float, draw: dict[str, Any]) -> Any:
    """Return the parameters of a cell of a draw.

    value: the spectral radius of W_h for "tanh", the forget bias for "LSTM", the bias of the update
    gate for "GRU".

    Raises: ValueError for another cell, and unless the value is a finite number, which is not
    negative for "tanh"; TypeError unless `draw` is one of `reach_draws`.
    """
    _check(cell, value, draw)
    own = draw[cell]
    if cell == "tanh":
        return own._replace(W_h=value * own.W_h)
    b = own.b.copy()
    if cell == "LSTM":
        gate_blocks(b, LSTMGates).f[:] = value
    else:
        gate_blocks(b, GRUGates).z[:] = value
    return own._replace(b=b)


def reach_norms(cell: str, value: float, size: float, draw: dict[str, Any]) -> Array:
    """Return the norms of dh_T / dh_t over the distance, (T + 1,); size multiplies the inputs.

    Raises: what `reach_network` raises; ValueError unless `size` is a finite number of at least 0.
    """
    size = check_number("size", size, at_least=0)
    params = reach_network(cell, value, draw)
    state = _CELLS[cell].initial_state(params, 1)
    return jacobian_norms(_CELLS[cell], params, size * draw["xs"], state)[:, 0]


def reach_path(cell: str, value: float, draw: dict[str, Any]) -> Array:
    """Return what the norms are compared with, (T + 1,): factor^n at each distance n.

    For tanh the factor is sigma_max(W_h), and the power is the bound (6.9). For the gated cells it
    is the gate that keeps, sigmoid(bias): the path without a matrix, which bounds nothing.

    Raises: what `reach_network` raises.
    """
    _check(cell, value, draw)
    if cell == "tanh":
        factor = np.linalg.norm(reach_network(cell, value, draw).W_h, ord=2)
    else:
        factor = sigmoid.f(np.array([value]))[0]
    return np.array(factor ** np.arange(_T + 1))


def _check(cell: object, value: object, draw: object) -> None:
    """Raise an error for bad arguments of `reach_network`."""
    check_choice("cell", cell, _CELLS)
    check_number("value", value, at_least=0 if cell == "tanh" else None)
    if not isinstance(draw, Mapping) or not {"xs", *_CELLS} <= draw.keys():
        raise TypeError(f"draw: expected one of reach_draws(), got {describe(draw)}")


def _draw(seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    gaussian = rng.standard_normal((_H, _H))  # in the order of chapter 06
    radius_one = gaussian / np.abs(np.linalg.eigvals(gaussian)).max()
    W_x, xs = glorot_uniform(rng, (_D, _H)), rng.standard_normal((_T, 1, _D))
    return {
        "xs": xs,
        "tanh": ElmanParams(W_x, radius_one, np.zeros(_H)),
        "LSTM": _rounded(lstm(forget_bias=0.0).init(rng, _D, _H)),
        "GRU": _rounded(GRU.init(rng, _D, _H)),
    }


def _rounded(params: Any) -> Any:
    """Return the parameters as the page has them: float64 numbers with the digits of float32."""
    return type(params)(*(unpack(pack(leaf, "float32")) for leaf in params))


def _packed(draw: dict[str, Any]) -> dict[str, Any]:
    """Return the draw as the page reads it, without the biases, which are zero."""
    dtypes = {"tanh": "float64", "LSTM": "float32", "GRU": "float32"}
    weights = {
        cell: {name: pack(getattr(draw[cell], name), dtype) for name in ("W_x", "W_h")}
        for cell, dtype in dtypes.items()
    }
    return {"xs": pack(draw["xs"][:, 0]), **weights}


def _still() -> "Figure":
    figure = blank(7.6, 4.2)
    draw = _draw(0)
    norms = {
        "tanh, radius 0.9": ("tanh", 0.9),
        "LSTM, forget bias 1": ("LSTM", 1.0),
        "LSTM, forget bias 5": ("LSTM", 5.0),
        "GRU, update bias 0": ("GRU", 0.0),
        "GRU, update bias 3": ("GRU", 3.0),
    }
    plot_jacobian_norms(
        {label: reach_norms(cell, value, 1.0, draw) for label, (cell, value) in norms.items()},
        {"tanh, radius 0.9": reach_path("tanh", 0.9, draw)},
        ax=figure.subplots(),
    )
    return figure
