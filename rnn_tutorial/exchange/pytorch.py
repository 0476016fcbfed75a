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

import numpy as np

from rnn_tutorial.cells.elman import Elman, ElmanParams
from rnn_tutorial.cells.gru import GRU, GRUParams
from rnn_tutorial.cells.gru_before import GRUBefore
from rnn_tutorial.cells.lstm import LSTM, LSTMParams
from rnn_tutorial.directions import Bidirectional, BidirectionalParams, concat
from rnn_tutorial.exchange.layout import ExchangeError, check_arrays, kind_of, reorder_gates
from rnn_tutorial.layers import Recurrent, Serial

GATES = {Elman: 1, LSTM: 4, GRU: 3}


def to_pytorch(model, params):
    """Return the state_dict, a dict of arrays, of the torch.nn.RNN, LSTM or GRU that computes what `model` computes.

    model: `Serial` of `Recurrent` layers, or of `Bidirectional` ones that concatenate, all of one cell; or one such layer alone.
    In PyTorch: rnn.load_state_dict({name: torch.tensor(array) for name, array in to_pytorch(model, params).items()}).

    Errors: ExchangeError for any other model, and for a GRU that resets before the matrix, which PyTorch does not have.
    """
    layers, params = (model.layers, params) if isinstance(model, Serial) else ((model,), (params,))
    arrays = {}
    for depth, (layer, layer_params) in enumerate(zip(layers, params, strict=True)):
        for (cell, direction), suffix in zip(_directions(layer, layer_params), ("", "_reverse")):
            for name, array in zip(_names(depth, suffix), _to_arrays(_known(cell), direction)):
                arrays[name] = array
    return arrays


def from_pytorch(state_dict, cell, prefix=""):
    """Return (model, params): the `Serial` of recurrent layers, of `cell`, whose weights are those of a PyTorch state_dict.

    state_dict: a dict of tensors or arrays; with a prefix such as "lstm.", only the names that begin with it, as they do when
    the network is an attribute of a module. cell: Elman, LSTM or GRU, which it must have been, for the names do not say; for
    RNN with nonlinearity="relu" give `elman(relu)`. The arrays are copies. xs is (T, B, D), whatever batch_first was there.

    Errors: ExchangeError listing every name that is missing or surplus, or of another shape. A network with proj_size has names
    that are surplus here, one with bias=False lacks some: neither has a counterpart.
    """
    named = {name.removeprefix(prefix): value for name, value in state_dict.items() if name.startswith(prefix)}
    arrays = {name: np.asarray(value).copy() for name, value in named.items()}
    depth = sum(name.startswith("weight_ih_l") and not name.endswith("_reverse") for name in arrays)
    suffixes = ("", "_reverse") if "weight_ih_l0_reverse" in arrays else ("",)
    sizes = _sizes(arrays, _known(cell))
    check_arrays("state_dict", arrays, _shapes(*sizes, max(depth, 1), suffixes, GATES[_known(cell)]))
    layers, params = [], []
    for k in range(depth):
        input_size = sizes[0] if k == 0 else len(suffixes) * sizes[1]
        recurrent = Recurrent(cell, input_size, sizes[1])
        directions = [_from_arrays(_known(cell), *(arrays[name] for name in _names(k, suffix))) for suffix in suffixes]
        layers.append(recurrent if len(suffixes) == 1 else Bidirectional(recurrent, recurrent))
        params.append(directions[0] if len(suffixes) == 1 else BidirectionalParams(*directions))
    return Serial(tuple(layers)), tuple(params)


def _known(cell):
    """Return Elman, LSTM or GRU, or refuse what PyTorch does not have."""
    if cell.name == Elman.name and cell.pointwise.keywords["activation"].name in ("tanh", "relu"):
        return Elman
    kind = kind_of(cell)
    if kind is GRUBefore:
        raise ExchangeError(
            "cell: PyTorch's GRU resets after the matrix, n = tanh(x W_xn + r * (h W_hn + b_hn)); "
            "GRUBefore, n = tanh(x W_xn + (r * h) W_hn), is another function, and no weights turn one into the other"
        )
    return kind


def _directions(layer, params):
    """Return a pair (cell, params) for each direction of a layer, or refuse another layer."""
    if isinstance(layer, Recurrent):
        return [(layer.cell, params)]
    if isinstance(layer, Bidirectional) and layer.merge is concat:
        parts = (layer.forwards, params.forwards), (layer.backwards, params.backwards)
        if all(isinstance(part, Recurrent) for part, _ in parts):
            return [(part.cell, part_params) for part, part_params in parts]
    raise ExchangeError(f"layer: expected Recurrent, or Bidirectional of two with merge=concat, got {layer!r}")


def _names(depth, suffix):
    return [f"{name}_l{depth}{suffix}" for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]


def _sizes(arrays, kind):
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


def _to_arrays(kind, params):
    """Return PyTorch's two matrices and two biases for one direction."""
    if kind is LSTM:
        params = LSTMParams(*(reorder_gates(leaf, "ifog", "ifgo") for leaf in params))
    b_hh = np.zeros_like(params.b)
    if kind is GRU:
        b_hh[-len(params.b_hn) :] = params.b_hn
    return np.ascontiguousarray(params.W_x.T), np.ascontiguousarray(params.W_h.T), params.b.copy(), b_hh


def _from_arrays(kind, weight_ih, weight_hh, bias_ih, bias_hh):
    """Return the Params of one direction from PyTorch's two matrices and two biases."""
    W_x, W_h = np.ascontiguousarray(weight_ih.T), np.ascontiguousarray(weight_hh.T)
    if kind is GRU:
        H = len(W_h)
        return GRUParams(W_x, W_h, np.concatenate([(bias_ih + bias_hh)[: 2 * H], bias_ih[2 * H :]]), bias_hh[2 * H :])
    if kind is LSTM:
        return LSTMParams(*(reorder_gates(leaf, "ifgo", "ifog") for leaf in (W_x, W_h, bias_ih + bias_hh)))
    return ElmanParams(W_x, W_h, bias_ih + bias_hh)
