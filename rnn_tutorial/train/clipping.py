"""Clipping: shorter gradients of the same structure, against the explosions of chapter 06.

Each is `clip(grads, limit) -> grads`, a function from tree to tree; `optimizers.clipped` puts it
before an optimizer. A gradient that is not finite is returned as it is: scaled by limit / infinity
it would turn into zeros and hide that training has failed.
"""

import numpy as np

from rnn_tutorial.tree import tree_map, tree_norm, tree_scale
from rnn_tutorial.types import Array, Tree
from rnn_tutorial.validation import check_floats, check_number

__all__ = [
    "clip_by_global_norm",
    "clip_by_norm",
    "clip_by_value",
]


def clip_by_global_norm(grads: Tree, limit: float) -> Tree:
    """Return grads * min(1, limit / norm).

    norm is the Euclidean norm of all entries of all leaves together. The direction stays; only the
    length is limited.

    Raises: TypeError for leaves that are not floating-point arrays, ValueError for a limit that is
    not positive.

    Source: Pascanu, Mikolov and Bengio (2013), "On the difficulty of training recurrent neural
    networks", algorithm 1.
    """
    check_floats("gradient", grads)
    limit, norm = check_number("limit", limit, above=0), tree_norm(grads)
    return tree_scale(limit / norm, grads) if np.isfinite(norm) and norm > limit else grads


def clip_by_norm(grads: Tree, limit: float) -> Tree:
    """Return each leaf times min(1, limit / its own norm).

    The direction of each leaf stays, but that of the whole gradient changes.

    Raises: as in `clip_by_global_norm`.
    """
    check_floats("gradient", grads)
    return tree_map(lambda leaf: clip_by_global_norm(leaf, limit), grads)


def clip_by_value(grads: Tree, limit: float) -> Tree:
    """Return each entry moved into -limit to limit: neither length nor direction stays.

    Raises: as in `clip_by_global_norm`, and TypeError for complex gradients.

    Source: Mikolov (2012), "Statistical language models based on neural networks", section 3.2.2.
    """
    check_floats("gradient", grads)
    limit = check_number("limit", limit, above=0)
    return tree_map(lambda leaf: _clip_leaf(leaf, limit), grads)


def _clip_leaf(leaf: Array, limit: float) -> Array:
    if np.iscomplexobj(leaf):
        raise TypeError(
            f"gradient: expected real numbers, which alone have an order, got {leaf.dtype}"
        )
    limit = min(limit, float(np.finfo(leaf.dtype).max))
    return np.where(np.isfinite(leaf), np.clip(leaf, -limit, limit), leaf)
