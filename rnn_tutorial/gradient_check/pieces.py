"""Does a layer go on in a second piece where the first ended? Two pieces must give the whole."""

from typing import Any

import numpy as np

from rnn_tutorial.gradient_check.contract import ContractBroken
from rnn_tutorial.gradient_check.protocol import run_backward, run_forward
from rnn_tutorial.layers.layer import Layer
from rnn_tutorial.tree import tree_add, tree_map, tree_paths, tree_random_like
from rnn_tutorial.types import Array, Mask, Rng

__all__ = [
    "StateLost",
    "check_pieces",
]


class StateLost(ContractBroken):
    """A layer that does not go on, in a second piece of a sequence, where the first piece ended."""


def check_pieces(
    layer: Layer, params: Any, xs: Array, state: Any, mask: Mask | None, rng: Rng
) -> None:
    """Raise StateLost unless two pieces, one after the other, give what the whole sequence gives.

    Compared to 1e-12: outputs and last state, then all gradients, the first state's too. For a
    layer with one answer a sequence (`Last`), the answer of the last piece must be that of the
    whole; it is compared without a mask, since a sequence may end in the first piece. A sequence of
    one step has no pieces.
    """
    if len(xs) < 2:
        return
    name, cut = type(layer).__name__, len(xs) // 2
    each_step = _has_steps(layer, params, xs, state, cut)
    masks = (mask[:cut], mask[cut:]) if mask is not None and each_step else (None, None)
    ys, last, cache = run_forward(layer, params, xs, state, mask if each_step else None)
    ys_1, middle, cache_1 = run_forward(layer, params, xs[:cut], state, masks[0])
    ys_2, end, cache_2 = run_forward(layer, params, xs[cut:], middle, masks[1])
    _compare(
        f"{name}.forward",
        {"ys": ys, "last_state": last},
        {"ys": _join(each_step, ys_1, ys_2), "last_state": end},
        cut,
    )
    dys, dlast = tree_random_like(ys, rng), tree_random_like(last, rng)
    dys_1, dys_2 = (dys[:cut], dys[cut:]) if each_step else (np.zeros_like(ys_1), dys)
    dparams, dxs, dfirst = run_backward(layer, params, cache, dys, dlast)
    dparams_2, dxs_2, dmiddle = run_backward(layer, params, cache_2, dys_2, dlast)
    dparams_1, dxs_1, dfirst_1 = run_backward(layer, params, cache_1, dys_1, dmiddle)
    whole = {"dparams": dparams, "dxs": dxs, "dfirst_state": dfirst}
    dparams_of_both = tree_add(dparams_1, dparams_2)
    pieces = {"dparams": dparams_of_both, "dxs": (dxs_1, dxs_2), "dfirst_state": dfirst_1}
    if xs.dtype.kind == "f":
        pieces["dxs"] = np.concatenate([dxs_1, dxs_2])
    else:  # integers have no gradient
        del whole["dxs"], pieces["dxs"]
    _compare(f"{name}.backward", whole, pieces, cut)


def _has_steps(layer: Layer, params: Any, xs: Array, state: Any, cut: int) -> bool:
    """Return whether the layer gives an output for each step: fewer steps give another shape."""
    whole, piece = (run_forward(layer, params, some, state, None)[0] for some in (xs, xs[:cut]))
    return whole.shape != piece.shape


def _join(each_step: bool, ys_1: Array, ys_2: Array) -> Array:
    """Return the outputs of both pieces, or the one answer, which is that of the second."""
    return np.concatenate([ys_1, ys_2]) if each_step else ys_2


def _compare(method: str, whole: dict[str, Any], pieces: dict[str, Any], cut: int) -> None:
    """Raise StateLost unless the two agree to 1e-12 of each leaf, or 1e-15 of the largest."""
    try:
        pairs = list(
            zip(tree_paths(whole), tree_paths(tree_map(lambda _, piece: piece, whole, pieces)))
        )
    except ValueError as other:
        raise StateLost(f"{method}: another structure in two pieces than in one: {other}") from None
    largest = max(np.max(np.abs(leaf), initial=0.0) for (_, leaf), _ in pairs)
    for (path, want), (_, got) in pairs:
        same_shape = np.shape(want) == np.shape(got)
        error = np.max(np.abs(want - got), initial=0.0) if same_shape else np.inf
        scale = np.max(np.abs(want), initial=0.0)
        if not error <= max(1e-12 * scale, 1e-15 * largest):
            raise StateLost(
                f"{method} loses the state between two pieces: {path} of steps 0 to {cut - 1} and "
                f"then the others is not that of the whole sequence (off by {error:.1e}). forward "
                "must begin with the state that it is given and return the one after the last "
                "step, backward the same with its gradient; a layer that reads its sequence from "
                "the end raises CannotContinue in initial_state"
            )
