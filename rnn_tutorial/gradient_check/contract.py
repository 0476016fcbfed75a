"""Does a layer keep what a layer promises? What it changes, keeps, and mixes.

- Nothing that is given to a layer is changed, and nothing is kept in it.
- The steps where the mask is False change nothing.
- No sequence sees another.

The rest of the contract: `protocol.py` (what is returned) and `pieces.py` (a sequence in pieces).
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from rnn_tutorial.gradient_check.protocol import (
    check_backward_returns,
    check_forward_returns,
    run_backward,
    run_forward,
)
from rnn_tutorial.layers.layer import Layer
from rnn_tutorial.tree import tree_leaves, tree_map, tree_paths, tree_random_like
from rnn_tutorial.types import Array, Mask, Tree

__all__ = [
    "ContractBroken",
    "check_batch",
    "check_calls",
    "check_padding",
    "ragged_mask",
    "unchanged",
]


class ContractBroken(AssertionError):
    """A layer or a cell that does not keep what all of them promise; the message says what."""


def unchanged(name: str, given: dict[str, Any], run: Callable[[], Any]) -> Any:
    """Return run(). Raises: ContractBroken if it changed one of the arrays given, by its name."""
    arrays = [
        (path, leaf, leaf.copy())
        for argument, tree in given.items()
        for path, leaf in tree_paths(tree, argument)
        if isinstance(leaf, np.ndarray)
    ]
    returned = run()
    for path, leaf, before in arrays:
        if not np.array_equal(leaf, before, equal_nan=leaf.dtype.kind in "fc"):
            raise ContractBroken(
                f"{name} changed {path} in place: it must leave what it is given as it is, "
                "and return new arrays"
            )
    return returned


def check_calls(layer: Layer, params: Any, xs: Array, state: Any, mask: Mask | None) -> None:
    """Raise unless a forward and its backward return what they must and leave everything else.

    Another forward comes between the two, so a layer that keeps its cache in itself has lost it.

    Raises: TypeError or ValueError for what is returned; ContractBroken for an array that was
    changed in place, or for something that the layer keeps in itself.
    """
    name, rng = type(layer).__name__, np.random.default_rng(0)
    given = {"params": params, "xs": xs, "state": state, "mask": mask}
    ys, last, cache = unchanged(
        f"{name}.forward", given, lambda: run_forward(layer, params, xs, state, mask)
    )
    check_forward_returns(layer, xs, state, ys, last)
    dys = rng.standard_normal(ys.shape)
    dlast = None if state is None else tree_random_like(last, rng)
    run_forward(layer, params, _other_numbers(xs), state, mask)
    given |= {"cache": cache, "dys": dys, "dstate": dlast}
    late = unchanged(
        f"{name}.backward", given, lambda: run_backward(layer, params, cache, dys, dlast)
    )
    check_backward_returns(layer, params, xs, state, late)
    again, last_again, cache = run_forward(layer, params, xs, state, mask)
    if _distance((ys, last), (again, last_again)) > 1e-9:
        raise ContractBroken(
            f"{name}.forward gives other outputs when it is called again: forward must begin with "
            "the state that it is given, and nothing may be kept in the layer"
        )
    at_once = run_backward(layer, params, cache, dys, dlast)
    if _distance(_arrays(late), _arrays(at_once)) > 1e-9:
        raise ContractBroken(
            f"{name}.backward gives other gradients if another forward comes before it: it must "
            "use nothing but the cache that it is given, and nothing may be kept in the layer"
        )


def check_batch(layer: Layer, params: Any, xs: Array, state: Any, mask: Mask | None) -> None:
    """Raise ContractBroken unless a sequence alone gives what it gives in the batch.

    First over all steps, without a mask. Then, if there is one, with the mask: the steps where it
    is False are left out of the sequence alone.
    """
    name, B = type(layer).__name__, xs.shape[1]
    whole = run_forward(layer, params, xs, state, None)
    masked = None if mask is None else run_forward(layer, params, xs, state, mask)
    for n in sorted({0, B // 2, B - 1}):
        where, off = _off_alone(layer, params, xs, state, np.ones(len(xs), bool), n, whole)
        if off > 1e-9:
            raise ContractBroken(
                f"{name}.forward mixes the sequences of a batch: {where} of sequence {n} is "
                f"another if it is alone (off by {off:.1e}). No sequence may see another"
            )
        if mask is None:
            continue
        where, off = _off_alone(layer, params, xs, state, mask[:, n], n, masked)
        if off > 1e-9:
            raise ContractBroken(
                f"{name}.forward does not hold to the mask: {where} of sequence {n} is another if "
                f"its steps of padding are left out (off by {off:.1e}). The steps where the mask "
                "is False must change nothing: give the mask to every layer inside"
            )


def check_padding(layer: Layer, params: Any, xs: Array, state: Any, mask: Mask) -> None:
    """Raise ContractBroken unless outputs and last state are the same with other padding."""
    real = mask.reshape(*mask.shape, *[1] * (xs.ndim - 2))
    results = []
    for inputs in (xs, np.where(real, xs, _other_numbers(xs))):
        ys, last, _ = run_forward(layer, params, inputs, state, mask)
        results.append((ys[mask] if ys.shape[:2] == mask.shape else ys, last))
    for what, one, other in zip(("ys", "the last state"), *results):
        off = _distance(one, other)
        if off > 1e-9:
            raise ContractBroken(
                f"{type(layer).__name__}.forward reads the padding: with other numbers in xs where "
                f"the mask is False, {what} changes (off by {off:.1e}). The steps where the mask "
                "is False must change nothing: give the mask to every layer inside"
            )


def ragged_mask(T: int, B: int) -> Mask:
    """Return a mask (T, B) of sequences whose lengths go from T down to 1; of one, T - 1 or 1."""
    lengths = np.linspace(T, 1, B).astype(int) if B > 1 else np.array([max(1, T - 1)])
    return np.arange(T)[:, None] < lengths


def _off_alone(
    layer: Layer, params: Any, xs: Array, state: Any, real: Array, n: int, batch: Any
) -> tuple[str, float]:
    """Return ("ys" or "the last state", how far sequence n alone is from what the batch gave)."""
    if not real.any():
        return "ys", 0.0
    first = None if state is None else tree_map(lambda leaf: leaf[n : n + 1], state)
    ys, last, _ = run_forward(layer, params, xs[real, n : n + 1], first, None)
    (T, B), (batch_ys, batch_last, _) = xs.shape[:2], batch
    if batch_ys.shape[:2] == (T, B) and ys.shape[:2] == (real.sum(), 1):
        off = _distance(batch_ys[real, n], ys[:, 0])
    elif batch_ys.shape[:1] == (B,) and ys.shape[:1] == (1,):
        off = _distance(batch_ys[n], ys[0])
    else:
        off = 0.0  # outputs of another rhythm than the steps: which are the real ones is not known
    if off > 1e-9:
        return "ys", off
    return "the last state", _distance(
        tree_map(lambda leaf: leaf[n], batch_last), tree_map(lambda leaf: leaf[0], last)
    )


def _other_numbers(xs: Array) -> Array:
    """Return other finite numbers like xs; of integers, which may be symbols, those of xs."""
    return 1 + 2 * xs if xs.dtype.kind == "f" else xs[::-1, ::-1]


def _arrays(gradients: tuple[Any, ...]) -> list[Array]:
    """Return the arrays of a tuple of gradients; inputs without a gradient have None."""
    return [np.asarray(leaf) for leaf in tree_leaves(gradients) if leaf is not None]


def _distance(one: Tree, other: Tree) -> float:
    """Return the largest difference of two trees relative to the size of the larger one.

    It is infinite for other structures or shapes, or NaN.
    """
    ours, theirs = tree_leaves(one), tree_leaves(other)
    if [np.shape(leaf) for leaf in ours] != [np.shape(leaf) for leaf in theirs]:
        return np.inf
    off = max((_largest(a - b) for a, b in zip(ours, theirs)), default=0.0)
    size = max((_largest(leaf) for leaf in (*ours, *theirs)), default=0.0)
    relative = off / max(size, np.finfo(float).tiny)
    return float(relative) if np.isfinite(relative) else np.inf


def _largest(array: Array) -> Any:
    return np.max(np.abs(array), initial=0.0)
