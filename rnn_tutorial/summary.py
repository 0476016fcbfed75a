"""A table of a model's parameters."""

from typing import Any

import numpy as np

from rnn_tutorial.tree import tree_leaves, tree_paths
from rnn_tutorial.types import Tree

__all__ = [
    "summary",
]


def summary(model: Any, params: Tree) -> str:
    """Return a table as text: path, layer, shape, dtype and entries of each parameter, and totals.

    `model` is a `Serial` of layers, however deep, or a single layer. A layer without parameters has
    a line too.

    Raises: ValueError unless there is one item of params for each layer.
    """
    header = ("parameter", "layer", "shape", "dtype", "entries")
    table = [header, *_rows(model, params, "")]
    widths = [max(len(row[column]) for row in table) for column in range(len(header))]
    lines = [
        "  ".join([*map(str.ljust, row[:-1], widths), row[-1].rjust(widths[-1])]) for row in table
    ]
    rule = "-" * len(lines[0])
    leaves = [np.asarray(leaf) for leaf in tree_leaves(params)]
    total, size = sum(leaf.size for leaf in leaves), sum(leaf.nbytes for leaf in leaves)
    return "\n".join([lines[0], rule, *lines[1:], rule, f"{total:,} entries, {size:,} bytes"])


def _rows(model: Any, params: Tree, path: str) -> list[tuple[str, ...]]:
    """Return the lines of a model: those of its layers; of a single layer, one a parameter."""
    if hasattr(model, "layers"):
        if len(model.layers) != len(params):
            wanted = f"a tuple of {len(model.layers)}, one for each layer"
            raise ValueError(f"params{path}: expected {wanted}, got {len(params)}")
        parts = enumerate(zip(model.layers, params))
        return [
            row for index, (layer, part) in parts for row in _rows(layer, part, f"{path}[{index}]")
        ]
    name = type(model).__name__
    leaves = [(place, np.asarray(leaf)) for place, leaf in tree_paths(params, path)]
    rows: list[tuple[str, ...]] = [
        (place, name, str(leaf.shape), str(leaf.dtype), f"{leaf.size:,}") for place, leaf in leaves
    ]
    return rows or [(path, name, "", "", "0")]
