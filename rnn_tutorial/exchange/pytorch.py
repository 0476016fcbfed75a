"""To and from the `state_dict` of torch.nn.RNN, torch.nn.LSTM and torch.nn.GRU, of any depth, in one direction or two.

    here                              there
    W_x (D, G*H), W_h (H, G*H)        weight_ih_l0 (G*H, D), weight_hh_l0 (G*H, H): they compute W x, we x W
    LSTM gates i, f, o, g             i, f, g, o
    GRU gates r, z, n                 r, z, n
    b, and b_hn of the GRU            bias_ih_l0 and bias_hh_l0, which act through their sum alone, but for n of the GRU
    Bidirectional                     the same names with _reverse

From here to there and back is exact: the second bias is written as zero. From there to here, two biases become their sum, which
is what stands in the first if you go back: the same network in other numbers. Gradients change form as their parameters do:
`to_pytorch(model, dparams)` has those of the weights, of bias_ih, and of the n of bias_hh.
"""

import re
from collections.abc import Mapping

import numpy as np

from rnn_tutorial.cells.cell import same_function
from rnn_tutorial.cells.elman import Elman, ElmanParams
from rnn_tutorial.cells.gru import GRU, GRUParams
from rnn_tutorial.cells.lstm import LSTM, LSTMParams
from rnn_tutorial.directions import Bidirectional, BidirectionalParams, concat
from rnn_tutorial.exchange.layout import (
    ExchangeError,
    describe,
    describe_layer,
    differences,
    kind_of,
    one_bias,
    refuse,
    reorder_gates,
    two_biases,
)
from rnn_tutorial.layers import Recurrent, Serial

GATES = {Elman: 1, LSTM: 4, GRU: 3}
PARAMS = {Elman: ElmanParams, LSTM: LSTMParams, GRU: GRUParams}


def to_pytorch(model, params):
    """Return the state_dict, a dict of arrays, of the torch.nn.RNN, LSTM or GRU that computes what `model` computes.

    model: `Serial` of `Recurrent` layers, or of `Bidirectional` ones that concatenate, all of one cell; or one such layer alone.
    In PyTorch: rnn.load_state_dict({name: torch.tensor(array) for name, array in to_pytorch(model, params).items()}).

    Errors: ExchangeError for any other model, and for a GRU that resets before the matrix, which PyTorch does not have;
    ValueError or TypeError for parameters that are not those of the model.
    """
    layers, params = (model.layers, params) if isinstance(model, Serial) else ((model,), (params,))
    recipes = [_directions(layer) for layer in layers]
    kind = _one_network(recipes)
    arrays = {}
    for depth, (recipe, layer_params) in enumerate(zip(recipes, params, strict=True)):
        directions = [layer_params] if len(recipe) == 1 else layer_params
        for recurrent, direction, suffix in zip(recipe, directions, ("", "_reverse")):
            arrays.update(zip(_names(depth, suffix), _to_arrays(kind, recurrent, direction)))
    return arrays


def from_pytorch(state_dict, cell, prefix=""):
    """Return (model, params): the `Serial` of recurrent layers, of `cell`, whose weights are those of a PyTorch state_dict.

    state_dict: a dict of tensors or arrays; with a prefix such as "lstm.", only the names that begin with it, as they do when
    the network is an attribute of a module. cell: Elman, LSTM or GRU, which it must have been, for the names do not say; for
    RNN with nonlinearity="relu" give `elman(relu)`. The arrays are copies. xs is (T, B, D), whatever batch_first was there.

    Errors: ExchangeError listing every name that is missing or surplus, or of another shape. A network with proj_size has names
    that are surplus here, one with bias=False lacks some: neither has a counterpart. TypeError for a state_dict that is no
    dict, or a cell that is no Cell.
    """
    kind = _known(cell)
    if not isinstance(state_dict, Mapping):
        got = type(state_dict).__name__
        raise TypeError(f"state_dict: expected a dict of tensors or arrays, as .state_dict() gives, got {got}")
    named = {name.removeprefix(prefix): value for name, value in state_dict.items() if name.startswith(prefix)}
    arrays = {name: np.asarray(value).copy() for name, value in named.items()}
    depth = len({number for name in arrays for number in re.findall(r"_l(\d+)", name)})
    suffixes = ("", "_reverse") if any(name.endswith("_reverse") for name in arrays) else ("",)
    input_size, hidden_size = _sizes(arrays)
    refuse("state_dict", differences(arrays, _shapes(input_size, hidden_size, depth, suffixes, GATES[kind])))
    layers, params = [], []
    for k in range(depth):
        recurrent = Recurrent(cell, input_size if k == 0 else len(suffixes) * hidden_size, hidden_size)
        directions = [_from_arrays(kind, *(arrays[name] for name in _names(k, suffix))) for suffix in suffixes]
        layers.append(recurrent if len(suffixes) == 1 else Bidirectional(recurrent, recurrent))
        params.append(directions[0] if len(suffixes) == 1 else BidirectionalParams(*directions))
    return Serial(tuple(layers)), tuple(params)


def _known(cell):
    """Return Elman, LSTM or GRU, or refuse what PyTorch does not have."""
    kind = kind_of(cell)
    if kind not in GATES:
        raise ExchangeError(
            "cell: PyTorch's GRU resets after the matrix, n = tanh(x W_xn + r * (h W_hn + b_hn)); "
            "GRUBefore, n = tanh(x W_xn + (r * h) W_hn), is another function, and no weights turn one into the other"
        )
    return kind


def _directions(layer):
    """Return the `Recurrent` of each direction of a layer, or refuse another layer."""
    if isinstance(layer, Recurrent):
        return [layer]
    if isinstance(layer, Bidirectional) and layer.merge is concat:
        parts = [layer.forwards, layer.backwards]
        if all(isinstance(part, Recurrent) for part in parts):
            return parts
    raise ExchangeError(f"layer: expected Recurrent, or Bidirectional of two with merge=concat, got {describe_layer(layer)}")


def _one_network(recipes):
    """Return the cell of all layers, or refuse layers that PyTorch does not have in one network."""
    if not recipes:
        raise ExchangeError("model: expected at least one layer, got none")
    first = recipes[0][0]
    for depth, recipe in enumerate(recipes):
        for recurrent in recipe:
            input_size = first.input_size if depth == 0 else len(recipes[0]) * first.hidden_size
            sizes = recurrent.input_size, recurrent.hidden_size, len(recipe)
            if not same_function(recurrent.cell, first.cell) or sizes != (input_size, first.hidden_size, len(recipes[0])):
                raise ExchangeError(
                    "model: in PyTorch all layers of a network have one cell, one hidden_size and as many directions, "
                    f"so layer {depth} would be {len(recipes[0])} x {describe(first.cell)}, {input_size} -> {first.hidden_size}; "
                    f"got {len(recipe)} x {describe(recurrent.cell)}, {recurrent.input_size} -> {recurrent.hidden_size}"
                )
    return _known(first.cell)


def _names(depth, suffix):
    return [f"{name}_l{depth}{suffix}" for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]


def _sizes(arrays):
    """Return (D, H) as the first layer's matrices say, or refuse a state_dict without them."""
    matrices = [arrays.get(name) for name in ("weight_ih_l0", "weight_hh_l0")]
    if any(matrix is None or matrix.ndim != 2 for matrix in matrices):
        found = ", ".join(sorted(arrays)) or "nothing"
        raise ExchangeError(f"state_dict: expected the matrices weight_ih_l0 and weight_hh_l0, got {found}; see `prefix`")
    return matrices[0].shape[1], matrices[1].shape[1]


def _shapes(D, H, depth, suffixes, gates):
    """Return the shapes by name that PyTorch gives a network of these sizes."""
    shapes = {}
    for k in range(depth):
        rows = [(gates * H, D if k == 0 else len(suffixes) * H), (gates * H, H), (gates * H,), (gates * H,)]
        for suffix in suffixes:
            shapes.update(zip(_names(k, suffix), rows))
    return shapes


def _to_arrays(kind, recurrent, params):
    """Return PyTorch's two matrices and two biases for one direction."""
    leaves = two_biases(recurrent, params)
    if kind is LSTM:
        leaves = [reorder_gates(leaf, "ifog", "ifgo") for leaf in leaves]
    return [leaf.T.copy() for leaf in leaves]


def _from_arrays(kind, *arrays):
    """Return the Params of one direction from PyTorch's two matrices and two biases."""
    leaves = [np.ascontiguousarray(array.T) for array in arrays]
    if kind is LSTM:
        leaves = [reorder_gates(leaf, "ifgo", "ifog") for leaf in leaves]
    return one_bias(PARAMS[kind], *leaves)
