"""To and from the `state_dict` of PyTorch: RNN, LSTM, GRU, Embedding, Linear, and modules of them.

    here                              PyTorch
    W_x (D, G*H), W_h (H, G*H)        weight_ih_l0 (G*H, D), weight_hh_l0 (G*H, H): W x, ours x W
    LSTM gates i, f, o, g             i, f, g, o
    GRU gates r, z, n                 r, z, n
    b, and b_hn of the GRU            bias_ih_l0 and bias_hh_l0, which act only through their sum,
                                      except for n of the GRU
    Bidirectional                     the same names with _reverse
    Dense: W (D, K), b                Linear: weight (K, D), bias
    Attention(general): W (H, M)      Linear with bias=False, (M, H), before
                                      scaled_dot_product_attention(…, scale=1)
    Attention(dot or scaled_dot)      the same function; it has no weights
    Embedding: E (V, N)               Embedding: weight (V, N)

    to_pytorch                        our weights as a state_dict
    params_from_pytorch               our weights, for our model, from a state_dict
    gradients_to_pytorch              gradients, by the names of the parameters that they belong to
    from_pytorch                      our model and weights, from a state_dict of RNN, LSTM or GRU
    from_pytorch_module               the same from the module itself, which knows its cell
    to_pytorch_attention, from_pytorch_attention      one head of MultiheadAttention, in
                                      `pytorch_attention.py`

The way to PyTorch and back is exact: the second bias is written as zero. From PyTorch, two biases
become their sum; on the way back this sum is the first bias: the same network with other numbers. A
module with bias=False has biases of zero here.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from rnn_tutorial.cells.cell import Cell
from rnn_tutorial.exchange.layout import arrays_of, refuse, two_bias_gradients, two_biases
from rnn_tutorial.exchange.pytorch_layers import KNOWN, entry_of, known_of, network_of
from rnn_tutorial.exchange.pytorch_names import depth_of, sizes_of, without_counterpart
from rnn_tutorial.layers.layer import Layer
from rnn_tutorial.layers.serial import Serial
from rnn_tutorial.types import Array
from rnn_tutorial.validation import check_parts, misfits

__all__ = [
    "from_pytorch",
    "from_pytorch_module",
    "gradients_to_pytorch",
    "params_from_pytorch",
    "to_pytorch",
]

Names = Sequence[str]


def to_pytorch(model: Layer, params: Any, names: Names | None = None) -> dict[str, Array]:
    """Return the state_dict of the PyTorch module that computes what `model` computes.

    model: what one module of PyTorch is: a `Serial` of `Recurrent` layers, or of `Bidirectional`
    ones that concatenate, all of one cell (torch.nn.RNN, LSTM or GRU); one such layer alone;
    `Dense` (Linear), `Embedding`, or an `Attention` (see `pytorch_layers.py`). With `names`, a
    `Serial` of layers, and of `Last` and dropout, which have no weights.

    names: the attributes of PyTorch's module, one for each layer of the `Serial`, such as
    ("embedding", "lstm", "", "head"); any for a layer without weights. A deep LSTM is one module,
    so it is one layer here, a `Serial` of its own.

    The result is a dict of arrays. In PyTorch, with `arrays = to_pytorch(model, params)`, write
    `module.load_state_dict({name: torch.tensor(array) for name, array in arrays.items()})`.

    This is for weights. Gradients have another second bias: see `gradients_to_pytorch`.

    Raises: ExchangeError for any other model, and for a GRU that resets before the matrix, which
    PyTorch does not have; ValueError or TypeError for parameters that are not those of the model,
    or names that are not one for each layer.
    """
    return _to_dict(model, params, names, two_biases)


def gradients_to_pytorch(
    model: Layer, dparams: Any, names: Names | None = None
) -> dict[str, Array]:
    """Return our gradients as `.grad` of PyTorch's parameters: a dict of arrays by name.

    The same as `to_pytorch`, except that the gradient of the second bias is that of the first,
    because the two are added; n of the GRU has two different ones.

    Raises: as `to_pytorch`.
    """
    return _to_dict(model, dparams, names, two_bias_gradients)


def params_from_pytorch(
    model: Layer, state_dict: Mapping[str, Any], names: Names | None = None
) -> Any:
    """Return the parameters of `model` from a state_dict of PyTorch, as copies.

    model, names: as in `to_pytorch`. The model says what is computed, in which order, and with
    which activations, since the state_dict does not: that of a relu network has the names and
    shapes of a tanh network. A module without any bias, such as Linear with bias=False, has biases
    of zero here.

    Raises: ExchangeError, listing every name that is missing or surplus, or of another shape, or of
    other numbers than float16, float32 or float64, and naming what does not exist here, as in
    `from_pytorch`; ExchangeError for a model that PyTorch does not have; TypeError for a state_dict
    that is not a dict.
    """
    _check_state_dict(state_dict)
    named = [(_prefix(name), layer) for name, layer in _named(model, names)]
    faults = [fault for prefix, _ in named for fault in without_counterpart(state_dict, prefix)]
    refuse("state_dict", faults)
    arrays = arrays_of("state_dict", state_dict)
    shapes: dict[str, tuple[int, ...]] = {}
    for prefix, layer in named:
        wanted = entry_of(layer).shapes(layer)
        shapes |= {prefix + name: shape for name, shape in wanted.items()}
        arrays |= _zero_biases(arrays, wanted, prefix)
    refuse("state_dict", misfits(arrays, shapes))
    params = tuple(
        entry_of(layer).from_arrays(layer, _without_prefix(arrays, prefix))
        for prefix, layer in named
    )
    return params[0] if names is None else params


def from_pytorch(
    state_dict: Mapping[str, Any], cell: Cell, prefix: str = ""
) -> tuple[Serial, tuple[Any, ...]]:
    """Return (model, params): the `Serial` of recurrent layers with the weights of a state_dict.

    state_dict: a dict of tensors or arrays. With a prefix such as "lstm.", only the names that
    begin with it are read, as they do when the network is an attribute of a module. For the whole
    module, see `params_from_pytorch`. The arrays are copies. xs is (T, B, D), whatever batch_first
    was in PyTorch.

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
    known_of(cell)
    _check_state_dict(state_dict)
    named = _without_prefix(state_dict, prefix)
    refuse("state_dict", without_counterpart(named))
    arrays = arrays_of("state_dict", named)
    directions = 2 if any(name.endswith("_reverse") for name in arrays) else 1
    model = network_of(cell, *sizes_of(arrays), depth_of(arrays), directions)
    return model, params_from_pytorch(model, arrays)


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


def _to_dict(model: Layer, params: Any, names: Names | None, split: Callable) -> dict[str, Array]:
    """Return the arrays by PyTorch's names; `split` makes two biases of one."""
    named = _named(model, names)
    parts = (params,) if names is None else params
    check_parts("params", parts, len(named))
    return {
        _prefix(name) + key: array
        for (name, layer), part in zip(named, parts)
        for key, array in entry_of(layer).to_arrays(layer, part, split).items()
    }


def _named(model: Any, names: Names | None) -> list[tuple[str, Layer]]:
    """Return (name, layer) of each module of PyTorch; a model without names is one module."""
    if names is None:
        return [("", model)]
    if not isinstance(model, Serial):
        raise ValueError(
            f"names: expected None for a {type(model).__name__}, one module, got names"
        )
    check_parts("names", names, len(model.layers))
    used = [name for name, layer in zip(names, model.layers) if entry_of(layer).shapes(layer)]
    if len(set(used)) < len(used) or not all(used):
        wanted = "a name of its own for each layer with weights"
        raise ValueError(f"names: expected {wanted}, got {names}")
    return list(zip(names, model.layers))


def _prefix(name: str) -> str:
    return f"{name}." if name else ""


def _without_prefix(named: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Return the entries whose names begin with the prefix, without it."""
    return {
        name.removeprefix(prefix): value for name, value in named.items() if name.startswith(prefix)
    }


def _zero_biases(
    arrays: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...]], prefix: str
) -> dict[str, Array]:
    """Return zeros for the biases of a module, by name, if none of them is among the arrays."""
    biases = [name for name in shapes if name.startswith("bias")]
    if any(prefix + name in arrays for name in biases) or not arrays:
        return {}
    dtype = next(iter(arrays.values())).dtype
    return {prefix + name: np.zeros(shapes[name], dtype) for name in biases}


def _check_state_dict(state_dict: object) -> None:
    if not isinstance(state_dict, Mapping):
        hint = (
            "; from_pytorch_module takes the module itself"
            if hasattr(state_dict, "state_dict")
            else ""
        )
        wanted = "a dict of tensors or arrays, as .state_dict() gives"
        got = type(state_dict).__name__ + hint
        raise TypeError(f"state_dict: expected {wanted}, got {got}")
