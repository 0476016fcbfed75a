"""To and from the `state_dict` of torch.nn.RNN, LSTM and GRU, deep or not, in one direction or two.

    here                              PyTorch
    W_x (D, G*H), W_h (H, G*H)        weight_ih_l0 (G*H, D), weight_hh_l0 (G*H, H): W x, ours x W
    LSTM gates i, f, o, g             i, f, g, o
    GRU gates r, z, n                 r, z, n
    b, and b_hn of the GRU            bias_ih_l0 and bias_hh_l0, which act only through their sum,
                                      except for n of the GRU
    Bidirectional                     the same names with _reverse

    to_pytorch, from_pytorch          our weights, and a state_dict
    from_pytorch_module               the cell and its weights, from a torch.nn.RNN, LSTM or GRU
    gradients_to_pytorch              gradients, by the names of the parameters that they belong to

The way to PyTorch and back is exact: the second bias is written as zero. From PyTorch, two biases
become their sum; on the way back this sum is the first bias: the same network with other numbers. A
network with bias=False has biases of zero here.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.activations import relu
from rnn_tutorial.cells.cell import Cell, same_function
from rnn_tutorial.cells.elman import Elman, elman
from rnn_tutorial.cells.gru import GRU
from rnn_tutorial.cells.gru_before import GRUBefore
from rnn_tutorial.cells.lstm import LSTM
from rnn_tutorial.exchange.layout import (
    ExchangeError,
    arrays_of,
    describe,
    describe_layer,
    find_alike,
    one_bias,
    refuse,
    reorder_gates,
    two_bias_gradients,
    two_biases,
)
from rnn_tutorial.exchange.pytorch_names import (
    BIASES,
    depth_of,
    names_of,
    shapes_of,
    sizes_of,
    without_counterpart,
)
from rnn_tutorial.layers.bidirectional import Bidirectional, BidirectionalParams
from rnn_tutorial.layers.core import Recurrent
from rnn_tutorial.layers.layer import Layer
from rnn_tutorial.layers.merge import concat
from rnn_tutorial.layers.serial import Serial
from rnn_tutorial.types import Array
from rnn_tutorial.validation import check_fields, misfits

__all__ = [
    "from_pytorch",
    "from_pytorch_module",
    "gradients_to_pytorch",
    "to_pytorch",
]


class Known(NamedTuple):
    """A cell that PyTorch has too."""

    cell: Cell
    there: str  # PyTorch's gates from top to bottom, by our names
    mode: str  # the attribute of the module


KNOWN = (
    Known(Elman, "h", "RNN_TANH"),
    Known(elman(relu), "h", "RNN_RELU"),
    Known(LSTM, "ifgo", "LSTM"),
    Known(GRU, "rzn", "GRU"),
)


def gates_there(cell: Cell) -> str:
    """Return our names of the gates of a cell in PyTorch's order, such as "ifgo".

    Raises: ExchangeError for a cell that PyTorch does not have.
    """
    return _known(cell).there


def to_pytorch(model: Layer, params: Any) -> dict[str, Array]:
    """Return the state_dict of the torch.nn.RNN, LSTM or GRU that computes what `model` computes.

    model: a `Serial` of `Recurrent` layers, or of `Bidirectional` ones that concatenate, all of one
    cell; or one such layer alone. The result is a dict of arrays. In PyTorch, with
    `arrays = to_pytorch(model, params)`, write `rnn.load_state_dict({name: torch.tensor(array) for
    name, array in arrays.items()})`.

    This is for weights. Gradients have another second bias: see `gradients_to_pytorch`.

    Raises: ExchangeError for any other model, and for a GRU that resets before the matrix, which
    PyTorch does not have; ValueError or TypeError for parameters that are not those of the model.
    """
    return _to_dict(model, params, two_biases)


def gradients_to_pytorch(model: Layer, dparams: Any) -> dict[str, Array]:
    """Return our gradients as `.grad` of PyTorch's parameters: a dict of arrays by name.

    The same as `to_pytorch`, except that the gradient of the second bias is that of the first,
    because the two are added; n of the GRU has two different ones.

    Raises: as `to_pytorch`.
    """
    return _to_dict(model, dparams, two_bias_gradients)


def from_pytorch(
    state_dict: Mapping[str, Any], cell: Cell, prefix: str = ""
) -> tuple[Serial, tuple[Any, ...]]:
    """Return (model, params): the `Serial` of recurrent layers with the weights of a state_dict.

    state_dict: a dict of tensors or arrays. With a prefix such as "lstm.", only the names that
    begin with it are read, as they do when the network is an attribute of a module. The arrays are
    copies. xs is (T, B, D), whatever batch_first was in PyTorch.

    cell: Elman, LSTM or GRU, or `elman(relu)` for an RNN with nonlinearity="relu". A state_dict
    does not say its nonlinearity: that of a relu network has the names and shapes of a tanh
    network, so with the wrong cell the result is another network, and no error is raised. If you
    have the module, use `from_pytorch_module`, which knows.

    A state_dict without any bias is that of a network with bias=False: its biases are zero here. A
    state_dict with only some of its biases is damaged, and is refused.

    Raises: ExchangeError, listing every name that is missing or surplus, or of another shape, or of
    other numbers than float16, float32 or float64, and naming what does not exist here: proj_size,
    the parts of weight_norm, the names of LSTMCell, GRUCell and RNNCell; TypeError for a state_dict
    that is not a dict, or a cell that is not a Cell.
    """
    known = _known(cell)
    if not isinstance(state_dict, Mapping):
        hint = (
            "; from_pytorch_module takes the module itself"
            if hasattr(state_dict, "state_dict")
            else ""
        )
        wanted = "a dict of tensors or arrays, as .state_dict() gives"
        got = type(state_dict).__name__ + hint
        raise TypeError(f"state_dict: expected {wanted}, got {got}")
    named = {
        name.removeprefix(prefix): value
        for name, value in state_dict.items()
        if name.startswith(prefix)
    }
    refuse("state_dict", without_counterpart(named))
    arrays = arrays_of("state_dict", named)
    D, H = sizes_of(arrays)
    depth = depth_of(arrays)
    suffixes = ("", "_reverse") if any(name.endswith("_reverse") for name in arrays) else ("",)
    shapes = shapes_of(D, H, depth, suffixes, len(cell.gates))
    if not any(name.startswith(BIASES) for name in arrays):
        dtype = arrays["weight_ih_l0"].dtype
        arrays |= {
            name: np.zeros(shape, dtype)
            for name, shape in shapes.items()
            if name.startswith(BIASES)
        }
    refuse("state_dict", misfits(arrays, shapes))
    return _network(cell, known, arrays, (D, H, depth, suffixes))


def from_pytorch_module(module: Any) -> tuple[Serial, tuple[Any, ...]]:
    """Return (model, params) of a torch.nn.RNN, LSTM or GRU: its cell and its weights, as copies.

    A module knows its nonlinearity, so a relu network cannot be taken for one of tanh. xs is (T, B,
    D), whatever batch_first is in the module. The dropout between its layers is left out, as in
    evaluation.

    Raises: TypeError for anything else, such as an LSTMCell, or a module that contains an LSTM:
    pass the LSTM itself; ExchangeError as `from_pytorch`.
    """
    cells = {known.mode: known.cell for known in KNOWN}
    mode = getattr(module, "mode", None)
    if mode not in cells or not hasattr(module, "state_dict"):
        raise TypeError(
            f"module: expected a torch.nn.RNN, LSTM or GRU, got {type(module).__name__}"
        )
    return from_pytorch(module.state_dict(), cells[mode])


def _to_dict(model: Layer, params: Any, split: Callable) -> dict[str, Array]:
    """Return the arrays by PyTorch's names; `split` makes two biases of one."""
    layers = model.layers if isinstance(model, Serial) else (model,)
    params = params if isinstance(model, Serial) else (params,)
    recipes = [_directions(layer) for layer in layers]
    known = _one_network(recipes)
    if not isinstance(params, (tuple, list)) or len(params) != len(layers):
        got = len(params) if isinstance(params, (tuple, list)) else type(params).__name__
        raise ValueError(
            f"params: expected a tuple of {len(layers)}, one for each layer, got {got}"
        )
    arrays: dict[str, Array] = {}
    for depth, (recipe, layer_params) in enumerate(zip(recipes, params)):
        directions = _halves(recipe, layer_params)
        for recurrent, direction, suffix in zip(recipe, directions, ("", "_reverse")):
            leaves = (
                reorder_gates(leaf, recurrent.cell.gates, known.there)
                for leaf in split(recurrent, direction)
            )
            arrays.update(zip(names_of(depth, suffix), [leaf.T.copy() for leaf in leaves]))
    return arrays


def _halves(recipe: Sequence[Recurrent], params: Any) -> list[Any]:
    """Return the parameters of each direction of a layer as a list."""
    if len(recipe) == 1:
        return [params]
    check_fields("params", params, "forwards", "backwards")
    return [params.forwards, params.backwards]


def _network(
    cell: Cell,
    known: Known,
    arrays: Mapping[str, Array],
    sizes: tuple[int, int, int, tuple[str, ...]],
) -> tuple[Serial, tuple[Any, ...]]:
    """Return (model, params) from arrays that fit."""
    D, H, depth, suffixes = sizes
    layers: list[Layer] = []
    params: list[Any] = []
    for k in range(depth):
        recurrent = Recurrent(cell, D if k == 0 else len(suffixes) * H, H)
        each = [[arrays[name] for name in names_of(k, suffix)] for suffix in suffixes]
        directions = [
            one_bias(cell, *(_to_columns(array, known.there, cell.gates) for array in leaves))
            for leaves in each
        ]
        layers.append(recurrent if len(suffixes) == 1 else Bidirectional(recurrent, recurrent))
        params.append(directions[0] if len(suffixes) == 1 else BidirectionalParams(*directions))
    return Serial(tuple(layers)), tuple(params)


def _to_columns(array: Array, there: Sequence[str], here: Sequence[str]) -> Array:
    return np.ascontiguousarray(reorder_gates(array.T, there, here))


def _known(cell: Cell) -> Known:
    """Return the Known of a cell.

    Raises: ExchangeError for a cell that PyTorch does not have.
    """
    known = find_alike(cell, KNOWN)
    if known is None and same_function(cell, GRUBefore):
        raise ExchangeError(
            "cell: PyTorch's GRU resets after the matrix, n = tanh(x W_xn + r * (h W_hn + b_hn)); "
            "GRUBefore, n = tanh(x W_xn + (r * h) W_hn), is another function, "
            "and no weights turn one into the other"
        )
    if known is None:
        usual = "expected Elman with tanh or relu, or LSTM or GRU with their usual activations"
        raise ExchangeError(f"cell: {usual}, got {describe(cell)}")
    return known


def _one_direction(layer: Recurrent) -> list[Recurrent]:
    return [layer]


def _two_directions(layer: Bidirectional) -> list[Any] | None:
    """Return the two layers of a Bidirectional, or None unless it concatenates two `Recurrent`."""
    parts = [layer.forwards, layer.backwards]
    return (
        parts if layer.merge == concat and {type(part) for part in parts} == {Recurrent} else None
    )


LAYERS: dict[type, Callable[[Any], list[Recurrent] | None]] = {
    Recurrent: _one_direction,
    Bidirectional: _two_directions,
}


def _directions(layer: Layer) -> list[Recurrent]:
    """Return the `Recurrent` of each direction of a layer.

    Raises: ExchangeError for another layer.
    """
    found = LAYERS[type(layer)](layer) if type(layer) in LAYERS else None
    if found is None:
        wanted = "Recurrent, or Bidirectional of two with merge=concat"
        raise ExchangeError(f"layer: expected {wanted}, got {describe_layer(layer)}")
    return found


def _one_network(recipes: Sequence[Sequence[Recurrent]]) -> Known:
    """Return the Known of all layers.

    Raises: ExchangeError for layers that PyTorch does not have in one network.
    """
    if not recipes:
        raise ExchangeError("model: expected at least one layer, got none")
    first = recipes[0][0]
    H, directions = first.hidden_size, len(recipes[0])
    for depth, recipe in enumerate(recipes):
        for recurrent in recipe:
            input_size = first.input_size if depth == 0 else directions * H
            sizes = recurrent.input_size, recurrent.hidden_size, len(recipe)
            same_sizes = sizes == (input_size, H, directions)
            if not (same_function(recurrent.cell, first.cell) and same_sizes):
                raise ExchangeError(
                    "model: in PyTorch all layers of a network have one cell, one hidden_size and "
                    f"as many directions, so layer {depth} would be {directions} x "
                    f"{describe(first.cell)}, {input_size} -> {H}; got {len(recipe)} x "
                    f"{describe(recurrent.cell)}, {recurrent.input_size} -> {recurrent.hidden_size}"
                )
    return _known(first.cell)
