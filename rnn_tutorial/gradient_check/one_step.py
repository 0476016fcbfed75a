"""One step at one point: what its backward returns, and what is right by the slopes.

`Place` has both by name: `dW_x`, `db`, `dx`, `dprevious.h`. `read_da` looks one stage further back:
it finds the gradient da of the pre-activations that these arrays were computed from. That tells a
wrong da, which spoils all of them, from a wrong product, which spoils one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache as cached
from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.gradient_check.protocol import parts
from rnn_tutorial.gradient_check.slopes import Slope
from rnn_tutorial.tree import tree_leaves, tree_map, tree_random_like, tree_zeros_like
from rnn_tutorial.types import Array, Rng, Tree
from rnn_tutorial.validation import check_fields

__all__ = [
    "Da",
    "Place",
    "StepBackward",
    "StepForward",
    "away_from_zero",
    "blocks",
    "near",
    "place_of",
    "read_da",
    "true_da",
]

StepForward = Callable[[Any, Array, Any], tuple[Any, Any]]
"""(params, x, state) -> (new state, cache)."""

StepBackward = Callable[[Any, Any, Any], tuple[Any, Array, Any]]
"""(params, cache, dstate) -> (dparams, dx, dprevious)."""


@dataclass(frozen=True)
class Place:
    """A point of a step, its cache, and the slope of the new state along every input.

    The slopes along an input are measured when they are first asked for.
    """

    params: Any
    x: Array  # (B, D)
    state: Any
    cache: Any
    backward: StepBackward
    names: tuple[str, ...]  # of the gradients
    slopes: Callable[[str], Array]  # by name: the axes of the input, then all of the new state

    def got(self, dstate: Any) -> dict[str, Array]:
        """Return the gradients that the backward returns, by name.

        Raises: TypeError or ValueError unless they have the fields of what they belong to.
        """
        dstate = tree_map(np.copy, dstate)
        returned = self.backward(self.params, self.cache, dstate)
        dparams, dx, dprevious = parts("step_backward", returned, "(dparams, dx, dprevious)")
        check_fields("step_backward: dparams", dparams, *self.params._fields)
        check_fields("step_backward: dprevious", dprevious, *self.state._fields)
        got = {f"d{name}": getattr(dparams, name) for name in self.params._fields}
        got |= {"dx": dx}
        got |= {f"dprevious.{name}": getattr(dprevious, name) for name in self.state._fields}
        return {name: np.atleast_1d(leaf) for name, leaf in got.items()}

    def want(self, dstate: Any) -> dict[str, Array]:
        """Return the right gradients: those of the sum of dstate times the new state."""
        return {name: self.right(name, dstate) for name in self.names}

    def right(self, name: str, dstate: Any) -> Array:
        """Return one of the right gradients."""
        flat = np.concatenate([leaf.ravel() for leaf in tree_leaves(dstate)])
        return np.atleast_1d(self.slopes(name) @ flat)


class Da(NamedTuple):
    """What a step for one sequence has before its two matrix products, and what they do wrong."""

    da_x: Array  # (A,)
    da_h: Array  # (A_h,)
    dh: Array  # (H,): the gradient of the old h along the paths that avoid W_h
    broken: tuple[str, ...]  # the arrays that are not the product of a matrix with da


def away_from_zero(tree: Tree, rng: Rng) -> Tree:
    """Return random numbers with the shapes of `tree`, none of them nearer to zero than 0.1."""
    return tree_map(lambda leaf: leaf + np.copysign(0.1, leaf), tree_random_like(tree, rng, 0.4))


def blocks(array: Array, H: int) -> list[Array]:
    """Return the blocks of H columns of the last axis."""
    return [array[..., k : k + H] for k in range(0, array.shape[-1] - H + 1, H)]


def near(value: Array, reference: Array, rtol: float, size: float = 0.0) -> bool:
    """Return whether the arrays have one shape, and differ by at most rtol of the largest entry.

    size: a size to use where the reference is smaller.
    """
    if np.shape(value) != np.shape(reference):
        return False
    scale = max(size, float(np.max(np.abs(reference), initial=0.0)))
    return bool(np.all(np.abs(value - reference) <= rtol * scale))


def place_of(
    forward: StepForward, backward: StepBackward, params: Any, x: Array, state: Any, slope: Slope
) -> Place:
    """Return the Place of a point. Its slopes cost one `slope` for each entry of their input.

    They raise what `slope` raises.
    """
    _, cache = parts("step", forward(params, x, state), "(new state, cache)")
    point = params, x, state
    names = [f"d{name}" for name in params._fields] + ["dx"]
    names += [f"dprevious.{name}" for name in state._fields]
    direction = tree_zeros_like(point)
    axes = dict(zip(names, tree_leaves(direction)))
    outputs = sum(leaf.size for leaf in tree_leaves(state))

    @cached
    def slopes(name: str) -> Array:
        axis, rows = axes[name], []
        for index in np.ndindex(axis.shape):
            axis[index] = 1
            along = slope(lambda p: forward(*p)[0], point, direction)
            rows.append(np.concatenate([leaf.ravel() for leaf in tree_leaves(along)]))
            axis[index] = 0
        return np.reshape(rows, (*axis.shape, outputs))

    return Place(params, x, state, cache, backward, tuple(names), slopes)


def true_da(place: Place, want: dict[str, Array]) -> Da:
    """Return the Da of the right gradients. The place must have one sequence, so that db = da_x."""
    da_h = _row(place.state.h, want["dW_h"])
    return Da(want["db"], da_h, want["dprevious.h"][0] - da_h @ place.params.W_h.T, ())


def read_da(place: Place, got: dict[str, Array], want: dict[str, Array], rtol: float) -> Da:
    """Return the Da from which most of the arrays in `got` follow; they have the right shapes.

    With one sequence, dW_x = x^T da_x, db = da_x, dx = da_x W_x^T, and the same for a_h. Each
    candidate for da is read from one array, or is the right one, and the other arrays are computed
    from it. The best candidate is that from which most arrays follow; the others are broken.
    """
    true, params, h = true_da(place, want), place.params, place.state.h

    def followers_x(da_x: Array) -> list[str]:
        made = {"dW_x": place.x.T @ da_x[None], "db": da_x, "dx": da_x[None] @ params.W_x.T}
        return [name for name, array in made.items() if near(got[name], array, rtol)]

    def followers_h(da_h: Array) -> list[str]:
        made = {"dW_h": h.T @ da_h[None], "dprevious.h": (true.dh + da_h @ params.W_h.T)[None]}
        return [name for name, array in made.items() if near(got[name], array, rtol)]

    da_x = max([true.da_x, _row(place.x, got["dW_x"])], key=lambda da: len(followers_x(da)))
    broken = [name for name in ("dW_x", "db", "dx") if name not in followers_x(da_x)]
    read_h = [da_x] if near(true.da_h, true.da_x, rtol) else []
    read_h += [true.da_h, _row(h, got["dW_h"])]
    da_h = max(read_h, key=lambda da: len(followers_h(da)))
    broken += [name for name in ("dW_h",) if name not in followers_h(da_h)]
    return Da(da_x, da_h, got["dprevious.h"][0] - da_h @ params.W_h.T, tuple(broken))


def _row(factor: Array, product: Array) -> Array:
    """Return the row that `factor` (1, N) was multiplied with: product = factor^T row."""
    return (factor @ product)[0] / np.sum(factor**2)
