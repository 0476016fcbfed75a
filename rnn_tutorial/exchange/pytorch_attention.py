"""One head of torch.nn.MultiheadAttention, in both directions: here two `Dense`, an `Attention`.

    q = W_q query + b_q                                  Dense(E, E) of the queries
    e = <q, W_k m + b_k> / sqrt(E)                       Attention(general, E, M), W = W_k / sqrt(E)
    context = sum of softmax(e) m                        the same
    out = W_o (W_v context + b_v) + b_o                  Dense(E + M, E) of [q; context]

b_k adds <q, b_k> to all scores of a query. That does not change their softmax, so b_k is left out.
The weights of a mean sum to one, so W_v and b_v may come after the mean, and W_o W_v is one matrix.
The last Dense has zeros in the E rows of q, which PyTorch does not pass on.

Unlike with the recurrent layers, some numbers are computed: those with sqrt(E) and W_o W_v. After
a conversion there and back, the outputs agree to the last digits, but W_v and W_o are others.

The scores without projections are in `to_pytorch`: see `pytorch_layers.py`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnn_tutorial.exchange.layout import ExchangeError, arrays_of, describe_layer, refuse
from rnn_tutorial.layers.attention import Attention, AttentionParams
from rnn_tutorial.layers.core import Dense, DenseParams
from rnn_tutorial.layers.scores import GeneralParams, general
from rnn_tutorial.types import Array
from rnn_tutorial.validation import check_array, check_fields, check_parts, misfits

__all__ = [
    "from_pytorch_attention",
    "to_pytorch_attention",
]

Head = tuple[Dense, Attention, Dense]

NO_COUNTERPART = {
    "bias_k": "a step that add_bias_kv appends to the memory, which no attention here has",
    "bias_v": "a step that add_bias_kv appends to the memory, which no attention here has",
}


def to_pytorch_attention(layers: Sequence[Any], params: Sequence[Any]) -> dict[str, Array]:
    """Return the state_dict of the torch.nn.MultiheadAttention of one head that `layers` compute.

    layers: (Dense(E, E), Attention(general, E, M), Dense(E + M, E)). The last has zeros in its
    first E rows: what PyTorch's module returns depends on the contexts alone. params: those of the
    three.

    The module is torch.nn.MultiheadAttention(E, 1), with kdim=M and vdim=M unless M = E, called as
    module(queries, memory, memory). Its W_o is the identity here, and b_k and b_v are zero.

    Raises: ExchangeError for other layers, another score than `general`, or a last Dense that reads
    the queries; ValueError or TypeError for parameters that are not those of the layers.
    """
    E, M = _sizes(layers)
    check_parts("params", params, 3)
    query, attention, last = params
    _check_dense("params[0]", query, E, E)
    check_fields("params[1]", attention, "score")
    check_fields("params[1].score", attention.score, "W")
    check_array("params[1].score.W", attention.score.W, dtype=query.b.dtype, E=E, M=M)
    _check_dense("params[2]", last, E + M, E, query.b.dtype)
    if last.W[:E].any():
        raise ExchangeError(
            f"params[2]: the output of MultiheadAttention does not read the queries; "
            f"expected zeros in the first {E} rows of W, got {np.abs(last.W[:E]).max():.3g}"
        )
    W_q, W_k, W_v = query.W.T, attention.score.W * _root(E, query.W), last.W[E:].T
    zeros = np.zeros_like(query.b)
    matrices = (
        {"in_proj_weight": np.concatenate([W_q, W_k, W_v])}
        if M == E
        else dict(zip(APART, (W_q.copy(), W_k.copy(), W_v.copy())))
    )
    return {
        **matrices,
        "in_proj_bias": np.concatenate([query.b, zeros, zeros]),
        "out_proj.weight": np.eye(E, dtype=query.b.dtype),
        "out_proj.bias": last.b.copy(),
    }


def from_pytorch_attention(
    state_dict: Mapping[str, Any], heads: int, prefix: str = ""
) -> tuple[Head, tuple[DenseParams, AttentionParams, DenseParams]]:
    """Return (layers, params): what a torch.nn.MultiheadAttention of one head computes.

    heads: the module's num_heads. A state_dict does not say it: the arrays of four heads have the
    names and shapes of those of one. With a prefix such as "attention.", only the names that begin
    with it are read. The three layers are used one after another:

        q = query.forward(params[0], queries)[0]
        looked = attention.forward(params[1], q, memory, mask)[0]
        out = output.forward(params[2], looked)[0]

    mask is the opposite of key_padding_mask, with the steps first. Dropout is left out, as in
    evaluation. A module with bias=False has biases of zero here. add_zero_attn is not in a
    state_dict either, and does not exist here.

    Raises: ExchangeError for more than one head; listing every array that is missing or surplus, or
    of another shape, or of other numbers than float16, float32 or float64; for keys and values of
    different sizes, since both are the memory here; naming bias_k and bias_v of add_bias_kv, which
    do not exist here. TypeError for a state_dict that is not a dict.
    """
    if heads != 1:
        raise ExchangeError(f"heads: an attention here has one head, got {heads!r}")
    if not isinstance(state_dict, Mapping):
        raise TypeError(
            "state_dict: expected a dict of tensors or arrays, as .state_dict() gives, "
            f"got {type(state_dict).__name__}"
        )
    named = {
        name.removeprefix(prefix): value
        for name, value in state_dict.items()
        if name.startswith(prefix)
    }
    refuse("state_dict", [f"{k}: {words}" for k, words in NO_COUNTERPART.items() if k in named])
    arrays = arrays_of("state_dict", named)
    E, M = _sizes_there(arrays)
    arrays |= _missing_biases(arrays, E)
    apart: dict[str, tuple[int, ...]] = dict(zip(APART, ((E, E), (E, M), (E, M))))
    matrices = apart if APART[0] in arrays else {"in_proj_weight": (3 * E, E)}
    biases = {"in_proj_bias": (3 * E,), "out_proj.bias": (E,)}
    refuse("state_dict", misfits(arrays, matrices | biases | {"out_proj.weight": (E, E)}))
    W_q, W_k, W_v = (
        [arrays[name] for name in APART]
        if APART[0] in arrays
        else np.split(arrays["in_proj_weight"], 3)
    )
    b_q, _, b_v = np.split(arrays["in_proj_bias"], 3)
    W_o, b_o = arrays["out_proj.weight"], arrays["out_proj.bias"]
    W = np.concatenate([np.zeros((E, E), W_o.dtype), (W_o @ W_v).T])
    layers = Dense(E, E), Attention(general, E, M), Dense(E + M, E)
    return layers, (
        DenseParams(W_q.T.copy(), b_q.copy()),
        AttentionParams(GeneralParams(W_k / _root(E, W_k))),
        DenseParams(W, W_o @ b_v + b_o),
    )


APART = "q_proj_weight", "k_proj_weight", "v_proj_weight"


def _root(E: int, like: Array) -> Array:
    """Return sqrt(E) in the dtype of `like`."""
    return np.sqrt(np.asarray(E, like.dtype))


def _sizes(layers: Any) -> tuple[int, int]:
    """Return (E, M) of the three layers.

    Raises: ExchangeError for layers that are not one head of PyTorch.
    """
    check_parts("layers", layers, 3)
    attention = layers[1]
    if type(attention) is Attention and attention.score == general:
        E, M = attention.query_size, attention.memory_size
        if tuple(layers) == (Dense(E, E), attention, Dense(E + M, E)):
            return E, M
    got = ", ".join(
        f"Attention({layer.score}, {layer.query_size}, {layer.memory_size})"
        if type(layer) is Attention
        else f"Dense({layer.input_size}, {layer.output_size})"
        if type(layer) is Dense
        else describe_layer(layer)
        for layer in layers
    )
    wanted = "Dense(E, E), Attention(general, E, M), Dense(E + M, E)"
    raise ExchangeError(f"layers: one head of PyTorch is {wanted}; got {got}")


def _sizes_there(arrays: Mapping[str, Array]) -> tuple[int, int]:
    """Return (E, M) from the matrices of a state_dict.

    Raises: ExchangeError for a state_dict without them.
    """
    out = arrays.get("out_proj.weight")
    keys = arrays.get("k_proj_weight", arrays.get("in_proj_weight"))
    if out is None or keys is None or (out.ndim, keys.ndim) != (2, 2):
        found = ", ".join(f"{k} {a.shape}" for k, a in sorted(arrays.items())) or "nothing"
        wanted = "the matrices out_proj.weight and in_proj_weight, or k_proj_weight"
        raise ExchangeError(f"state_dict: expected {wanted}, got {found}; see `prefix`")
    values = arrays.get("v_proj_weight", keys)
    if values.shape[1:] != keys.shape[1:]:
        raise ExchangeError(
            "state_dict: keys and values are both the memory here, so kdim and vdim are equal; "
            f"got k_proj_weight {keys.shape} and v_proj_weight {values.shape}"
        )
    return out.shape[0], keys.shape[1]


def _missing_biases(arrays: Mapping[str, Array], E: int) -> dict[str, Array]:
    """Return zeros for the biases, by name, if none of them is among the arrays."""
    if "in_proj_bias" in arrays or "out_proj.bias" in arrays:
        return {}
    dtype = arrays["out_proj.weight"].dtype
    return {"in_proj_bias": np.zeros(3 * E, dtype), "out_proj.bias": np.zeros(E, dtype)}


def _check_dense(name: str, params: Any, D: int, K: int, dtype: Any = None) -> None:
    check_fields(name, params, "W", "b")
    check_array(f"{name}.b", params.b, dtype=dtype, K=K)
    check_array(f"{name}.W", params.W, dtype=params.b.dtype, D=D, K=K)
