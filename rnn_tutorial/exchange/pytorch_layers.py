"""How each kind of layer is moved to and from PyTorch, and which of our cells PyTorch has.

LAYERS has one entry for each kind of layer. The recurrent layers of a network, a `Serial` of them
or one alone, are one module of PyTorch.

An Attention is a function of PyTorch, scaled_dot_product_attention. Its contexts are those of
(q, m, m, scale=1) for dot, of (q, m, m) for scaled_dot, and of (linear(q), m, m, scale=1) for
general, where linear = torch.nn.Linear(H, M, bias=False) has the W of the score: that is the
module whose state_dict is moved. The other two scores have no weights. The additive score does not
exist in PyTorch.
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
    describe,
    describe_layer,
    find_alike,
    one_bias,
    reorder_gates,
)
from rnn_tutorial.exchange.pytorch_names import names_of, shapes_of
from rnn_tutorial.layers.attention import Attention, AttentionParams
from rnn_tutorial.layers.bidirectional import Bidirectional, BidirectionalParams
from rnn_tutorial.layers.core import (
    Dense,
    DenseParams,
    Embedding,
    EmbeddingParams,
    Last,
    Recurrent,
)
from rnn_tutorial.layers.dropout import Dropout, VariationalDropout
from rnn_tutorial.layers.layer import Layer
from rnn_tutorial.layers.merge import concat
from rnn_tutorial.layers.scores import GeneralParams, Score, dot, general, scaled_dot
from rnn_tutorial.layers.serial import Serial
from rnn_tutorial.types import Array
from rnn_tutorial.validation import check_array, check_fields, check_parts

__all__ = [
    "KNOWN",
    "entry_of",
    "known_of",
    "network_of",
]

Shapes = dict[str, tuple[int, ...]]


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


class Entry(NamedTuple):
    """How one kind of layer is moved; `split` is `two_biases` or `two_bias_gradients`."""

    shapes: Callable[[Any], Shapes]  # layer -> the shapes of PyTorch's arrays, by name
    to_arrays: Callable[[Any, Any, Callable], dict[str, Array]]  # (layer, params, split) -> arrays
    from_arrays: Callable[[Any, Mapping[str, Array]], Any]  # (layer, arrays that fit) -> its Params


def entry_of(layer: Layer) -> Entry:
    """Return the Entry of a layer.

    Raises: ExchangeError for a layer that PyTorch does not have, or that is not moved.
    """
    if type(layer) not in LAYERS:
        wanted = ", ".join(kind.__name__ for kind in LAYERS)
        raise ExchangeError(f"layer: expected {wanted}, got {describe_layer(layer)}")
    return LAYERS[type(layer)]


def known_of(cell: Cell) -> Known:
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


def network_of(cell: Cell, D: int, H: int, depth: int, directions: int) -> Serial:
    """Return the `Serial` of a torch.nn.RNN, LSTM or GRU of this cell and these sizes."""
    layers: list[Layer] = []
    for k in range(depth):
        recurrent = Recurrent(cell, D if k == 0 else directions * H, H)
        layers.append(recurrent if directions == 1 else Bidirectional(recurrent, recurrent))
    return Serial(tuple(layers))


def _one_direction(layer: Recurrent) -> list[Recurrent]:
    return [layer]


def _two_directions(layer: Bidirectional) -> list[Any] | None:
    """Return the two layers of a Bidirectional, or None unless it concatenates two `Recurrent`."""
    parts = [layer.forwards, layer.backwards]
    return (
        parts if layer.merge == concat and {type(part) for part in parts} == {Recurrent} else None
    )


DIRECTIONS: dict[type, Callable[[Any], list[Recurrent] | None]] = {
    Recurrent: _one_direction,
    Bidirectional: _two_directions,
}


def _directions(layer: Layer) -> list[Recurrent]:
    """Return the `Recurrent` of each direction of a layer.

    Raises: ExchangeError for another layer.
    """
    found = DIRECTIONS[type(layer)](layer) if type(layer) in DIRECTIONS else None
    if found is None:
        wanted = "Recurrent, or Bidirectional of two with merge=concat"
        several = type(layer) in LAYERS and type(layer) not in DIRECTIONS
        hint = "; a model of several modules needs `names`, one for each layer" if several else ""
        raise ExchangeError(f"layer: expected {wanted}, got {describe_layer(layer)}{hint}")
    return found


def _recipes(model: Layer) -> tuple[Known, list[list[Recurrent]]]:
    """Return (Known, the `Recurrent` of each direction of each layer) of a network.

    Raises: ExchangeError for layers that PyTorch does not have in one network.
    """
    recipes = [_directions(layer) for layer in _layers_of(model)]
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
    return known_of(first.cell), recipes


def _layers_of(model: Any) -> tuple[Layer, ...]:
    return model.layers if isinstance(model, Serial) else (model,)


def _recurrent_shapes(model: Layer) -> Shapes:
    _, recipes = _recipes(model)
    first = recipes[0][0]
    suffixes = ("", "_reverse")[: len(recipes[0])]
    sizes = first.input_size, first.hidden_size, len(recipes)
    return shapes_of(*sizes, suffixes, len(first.cell.gates))


def _recurrent_arrays(model: Layer, params: Any, split: Callable) -> dict[str, Array]:
    known, recipes = _recipes(model)
    params = params if isinstance(model, Serial) else (params,)
    check_parts("params", params, len(recipes))
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


def _recurrent_params(model: Layer, arrays: Mapping[str, Array]) -> Any:
    known, recipes = _recipes(model)
    params: list[Any] = []
    for depth, recipe in enumerate(recipes):
        directions = []
        for recurrent, suffix in zip(recipe, ("", "_reverse")):
            cell, leaves = recurrent.cell, [arrays[name] for name in names_of(depth, suffix)]
            columns = (_to_columns(array, known.there, cell.gates) for array in leaves)
            directions.append(one_bias(cell, *columns))
        params.append(directions[0] if len(recipe) == 1 else BidirectionalParams(*directions))
    return tuple(params) if isinstance(model, Serial) else params[0]


def _to_columns(array: Array, there: Sequence[str], here: Sequence[str]) -> Array:
    return np.ascontiguousarray(reorder_gates(array.T, there, here))


def _dense_shapes(layer: Dense) -> Shapes:
    return {"weight": (layer.output_size, layer.input_size), "bias": (layer.output_size,)}


def _dense_arrays(layer: Dense, params: Any, split: Callable) -> dict[str, Array]:
    check_fields("params", params, "W", "b")
    check_array("W", params.W, dtype=params.b.dtype, D=layer.input_size, K=layer.output_size)
    check_array("b", params.b, K=layer.output_size)
    return {"weight": params.W.T.copy(), "bias": params.b.copy()}


def _dense_params(layer: Dense, arrays: Mapping[str, Array]) -> DenseParams:
    return DenseParams(np.array(arrays["weight"].T, order="C"), arrays["bias"].copy())


def _embedding_shapes(layer: Embedding) -> Shapes:
    return {"weight": (layer.vocabulary_size, layer.output_size)}


def _embedding_arrays(layer: Embedding, params: Any, split: Callable) -> dict[str, Array]:
    check_fields("params", params, "E")
    check_array("E", params.E, V=layer.vocabulary_size, N=layer.output_size)
    return {"weight": params.E.copy()}


def _embedding_params(layer: Embedding, arrays: Mapping[str, Array]) -> EmbeddingParams:
    return EmbeddingParams(arrays["weight"].copy())


def _general_shapes(layer: Attention) -> Shapes:
    return {"weight": (layer.memory_size, layer.query_size)}


def _general_arrays(layer: Attention, params: Any, split: Callable) -> dict[str, Array]:
    check_fields("params", params, "score")
    check_fields("params.score", params.score, "W")
    check_array("W", params.score.W, H=layer.query_size, M=layer.memory_size)
    return {"weight": params.score.W.T.copy()}


def _general_params(layer: Attention, arrays: Mapping[str, Array]) -> AttentionParams:
    return AttentionParams(GeneralParams(np.array(arrays["weight"].T, order="C")))


def _no_attention_params(layer: Attention, arrays: Mapping[str, Array]) -> AttentionParams:
    return AttentionParams(())


def _score_entry(layer: Attention) -> Entry:
    """Return the Entry of the score of an Attention.

    Raises: ExchangeError for a score that PyTorch does not have.
    """
    if layer.score not in SCORES_THERE:
        wanted = ", ".join(score.name for score in SCORES_THERE)
        raise ExchangeError(
            f"score: PyTorch has {wanted}, as scaled_dot_product_attention; got {layer.score}"
        )
    return SCORES_THERE[layer.score]


def _no_shapes(layer: Layer) -> Shapes:
    return {}


def _no_arrays(layer: Layer, params: Any, split: Callable) -> dict[str, Array]:
    return {}


def _no_params(layer: Layer, arrays: Mapping[str, Array]) -> tuple[()]:
    return ()


RECURRENT = Entry(_recurrent_shapes, _recurrent_arrays, _recurrent_params)
WITHOUT_WEIGHTS = Entry(_no_shapes, _no_arrays, _no_params)
SCORES_THERE: dict[Score, Entry] = {
    dot: Entry(_no_shapes, _no_arrays, _no_attention_params),
    scaled_dot: Entry(_no_shapes, _no_arrays, _no_attention_params),
    general: Entry(_general_shapes, _general_arrays, _general_params),
}
LAYERS: dict[type, Entry] = {
    Recurrent: RECURRENT,
    Bidirectional: RECURRENT,
    Serial: RECURRENT,
    Dense: Entry(_dense_shapes, _dense_arrays, _dense_params),
    Embedding: Entry(_embedding_shapes, _embedding_arrays, _embedding_params),
    Attention: Entry(
        lambda layer: _score_entry(layer).shapes(layer),
        lambda layer, params, split: _score_entry(layer).to_arrays(layer, params, split),
        lambda layer, arrays: _score_entry(layer).from_arrays(layer, arrays),
    ),
    Last: WITHOUT_WEIGHTS,
    Dropout: WITHOUT_WEIGHTS,
    VariationalDropout: WITHOUT_WEIGHTS,
}
