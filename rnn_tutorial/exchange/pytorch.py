"""To and from the `state_dict` of torch.nn.RNN, torch.nn.LSTM and torch.nn.GRU, of any depth, in one direction or two.

    here                              there
    W_x (D, G*H), W_h (H, G*H)        weight_ih_l0 (G*H, D), weight_hh_l0 (G*H, H): they compute W x, we x W
    LSTM gates i, f, o, g             i, f, g, o
    GRU gates r, z, n                 r, z, n
    b, and b_hn of the GRU            bias_ih_l0 and bias_hh_l0, which act through their sum alone, but for n of the GRU
    Bidirectional                     the same names with _reverse

    to_pytorch, from_pytorch          weights: ours, and a state_dict
    from_pytorch_module               weights and the cell: from a torch.nn.RNN, LSTM or GRU itself
    gradients_to_pytorch              gradients: by the names of the parameters that they belong to

From here to there and back is exact: the second bias is written as zero. From there to here, two biases become their sum, which
is what stands in the first if you go back: the same network in other numbers. A network with bias=False has biases of zero here.
"""

from collections.abc import Mapping
from typing import NamedTuple

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
    differences,
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
from rnn_tutorial.layers.merge import concat
from rnn_tutorial.layers.serial import Serial
from rnn_tutorial.validation import check_fields

__all__ = [
    "KNOWN",
    "Known",
    "LAYERS",
    "from_pytorch",
    "from_pytorch_module",
    "gradients_to_pytorch",
    "to_pytorch",
]


class Known(NamedTuple):
    """What PyTorch has of our cells."""

    cell: Cell
    there: str  # the gates from top to bottom, by our names
    mode: str  # what the module says of itself


KNOWN = (
    Known(Elman, "h", "RNN_TANH"),
    Known(elman(relu), "h", "RNN_RELU"),
    Known(LSTM, "ifgo", "LSTM"),
    Known(GRU, "rzn", "GRU"),
)


def to_pytorch(model, params):
    """Return the state_dict, a dict of arrays, of the torch.nn.RNN, LSTM or GRU that computes what `model` computes.

    model: `Serial` of `Recurrent` layers, or of `Bidirectional` ones that concatenate, all of one cell; or one such layer alone.
    In PyTorch: rnn.load_state_dict({name: torch.tensor(array) for name, array in to_pytorch(model, params).items()}).

    For weights: gradients have another second bias, see `gradients_to_pytorch`.

    Raises: ExchangeError for any other model, and for a GRU that resets before the matrix, which PyTorch does not have;
    ValueError or TypeError for parameters that are not those of the model.
    """
    return _to_dict(model, params, two_biases)


def gradients_to_pytorch(model, dparams):
    """Return what `.grad` of PyTorch's parameters would be, a dict of arrays by their names, from the gradients of ours.

    As `to_pytorch`, but the gradient of the second bias is that of the first, for they are added; n of the GRU has two.

    Raises: as `to_pytorch`.
    """
    return _to_dict(model, dparams, two_bias_gradients)


def from_pytorch(state_dict, cell, prefix=""):
    """Return (model, params): the `Serial` of recurrent layers, of `cell`, whose weights are those of a PyTorch state_dict.

    state_dict: a dict of tensors or arrays; with a prefix such as "lstm.", only the names that begin with it, as they do when
    the network is an attribute of a module. The arrays are copies. xs is (T, B, D), whatever batch_first was there.

    cell: Elman, LSTM or GRU, or `elman(relu)` for an RNN with nonlinearity="relu". A state_dict does not say its nonlinearity:
    that of a relu network has the names and shapes of a tanh network, and with the wrong cell it is another network, without a
    word. If you have the module, `from_pytorch_module` knows.

    A state_dict without any bias is that of a network with bias=False: its biases are zero here. If some biases are there and
    others are not, something was lost.

    Raises: ExchangeError listing every name that is missing or surplus, or of another shape, or holds other numbers than
    float16, float32 or float64; and naming what has no counterpart here: proj_size, the parts of weight_norm, the names of
    LSTMCell, GRUCell and RNNCell. TypeError for a state_dict that is not a dict, or a cell that is not a Cell.
    """
    known = _known(cell)
    if not isinstance(state_dict, Mapping):
        hint = (
            "; from_pytorch_module takes the module itself"
            if hasattr(state_dict, "state_dict")
            else ""
        )
        got = type(state_dict).__name__
        raise TypeError(
            f"state_dict: expected a dict of tensors or arrays, as .state_dict() gives, got {got}{hint}"
        )
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
    refuse("state_dict", differences(arrays, shapes))
    return _network(cell, known, arrays, (D, H, depth, suffixes))


def from_pytorch_module(module):
    """Return (model, params) of a torch.nn.RNN, LSTM or GRU: its cell and its weights, as copies.

    A module knows its nonlinearity, so a relu network cannot be taken for one of tanh. xs is (T, B, D), whatever batch_first is
    there. The dropout between its layers is left out, as it is in evaluation.

    Raises: TypeError for anything else, such as an LSTMCell or a module that has an LSTM among others: hand over that one.
    ExchangeError as `from_pytorch`.
    """
    cells = {known.mode: known.cell for known in KNOWN}
    mode = getattr(module, "mode", None)
    if mode not in cells or not hasattr(module, "state_dict"):
        raise TypeError(
            f"module: expected a torch.nn.RNN, LSTM or GRU, got {type(module).__name__}"
        )
    return from_pytorch(module.state_dict(), cells[mode])


def _to_dict(model, params, split):
    """Return the arrays by PyTorch's names; split: what makes two biases of one."""
    layers, params = (model.layers, params) if isinstance(model, Serial) else ((model,), (params,))
    recipes = [_directions(layer) for layer in layers]
    known = _one_network(recipes)
    if not isinstance(params, (tuple, list)) or len(params) != len(layers):
        got = len(params) if isinstance(params, (tuple, list)) else type(params).__name__
        raise ValueError(
            f"params: expected a tuple of {len(layers)}, one for each layer, got {got}"
        )
    arrays = {}
    for depth, (recipe, layer_params) in enumerate(zip(recipes, params)):
        directions = _halves(recipe, layer_params)
        for recurrent, direction, suffix in zip(recipe, directions, ("", "_reverse")):
            leaves = (
                reorder_gates(leaf, recurrent.cell.gates, known.there)
                for leaf in split(recurrent, direction)
            )
            arrays.update(zip(names_of(depth, suffix), [leaf.T.copy() for leaf in leaves]))
    return arrays


def _halves(recipe, params):
    """Return the parameters of each direction of a layer as a list."""
    if len(recipe) == 1:
        return [params]
    check_fields("params", params, "forwards", "backwards")
    return [params.forwards, params.backwards]


def _network(cell, known, arrays, sizes):
    """Return (model, params) from arrays that fit."""
    D, H, depth, suffixes = sizes
    layers, params = [], []
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


def _to_columns(array, there, here):
    return np.ascontiguousarray(reorder_gates(array.T, there, here))


def _known(cell):
    """Return the Known of a cell. Raises: ExchangeError for what PyTorch does not have."""
    known = find_alike(cell, KNOWN)
    if known is None and same_function(cell, GRUBefore):
        raise ExchangeError(
            "cell: PyTorch's GRU resets after the matrix, n = tanh(x W_xn + r * (h W_hn + b_hn)); "
            "GRUBefore, n = tanh(x W_xn + (r * h) W_hn), is another function, and no weights turn one into the other"
        )
    if known is None:
        usual = "expected Elman with tanh or relu, or LSTM or GRU with their usual activations"
        raise ExchangeError(f"cell: {usual}, got {describe(cell)}")
    return known


def _one_direction(layer):
    return [layer]


def _two_directions(layer):
    """Return the two layers of a Bidirectional, or None if it is not two `Recurrent`, side by side."""
    parts = [layer.forwards, layer.backwards]
    return (
        parts if layer.merge == concat and {type(part) for part in parts} == {Recurrent} else None
    )


LAYERS = {Recurrent: _one_direction, Bidirectional: _two_directions}


def _directions(layer):
    """Return the `Recurrent` of each direction of a layer. Raises: ExchangeError for another layer."""
    found = LAYERS[type(layer)](layer) if type(layer) in LAYERS else None
    if found is None:
        raise ExchangeError(
            f"layer: expected Recurrent, or Bidirectional of two with merge=concat, got {describe_layer(layer)}"
        )
    return found


def _one_network(recipes):
    """Return the Known of all layers. Raises: ExchangeError for layers that PyTorch does not have in one network."""
    if not recipes:
        raise ExchangeError("model: expected at least one layer, got none")
    first = recipes[0][0]
    for depth, recipe in enumerate(recipes):
        for recurrent in recipe:
            input_size = first.input_size if depth == 0 else len(recipes[0]) * first.hidden_size
            sizes = recurrent.input_size, recurrent.hidden_size, len(recipe)
            if not same_function(recurrent.cell, first.cell) or sizes != (
                input_size,
                first.hidden_size,
                len(recipes[0]),
            ):
                raise ExchangeError(
                    "model: in PyTorch all layers of a network have one cell, one hidden_size and as many directions, "
                    f"so layer {depth} would be {len(recipes[0])} x {describe(first.cell)}, {input_size} -> {first.hidden_size}; "
                    f"got {len(recipe)} x {describe(recurrent.cell)}, {recurrent.input_size} -> {recurrent.hidden_size}"
                )
    return _known(first.cell)
