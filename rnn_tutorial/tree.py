"""Trees of arrays: NamedTuples, tuples, lists or dicts of arrays, however deep.

Parameters, states and gradients are trees.

Every function here treats a tree as a value and returns a new one. No leaf is ever changed in
place. The gradient of a tree is a tree of the same structure.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from rnn_tutorial.types import Array, DTypeLike, Rng, Tree

__all__ = [
    "tree_add",
    "tree_cast",
    "tree_dot",
    "tree_leaves",
    "tree_map",
    "tree_map_parts",
    "tree_map_paths",
    "tree_norm",
    "tree_paths",
    "tree_random_like",
    "tree_scale",
    "tree_size",
    "tree_zeros_like",
    "tree_zip",
]


BRANCHES = (dict, tuple, list)


def tree_map(f: Callable[..., Any], tree: Tree, *rest: Tree) -> Tree:
    """Return the tree of `f(leaf, *leaves at the same place in rest)`.

    Raises: ValueError unless all trees have one structure.
    """
    if isinstance(tree, BRANCHES):
        return _map_branches(partial(tree_map, f), tree, rest)
    _refuse_other_structure(tree, rest)
    return f(tree, *rest)


def tree_map_parts(f: Callable[..., Any], outline: Tree, *trees: Tree) -> Tree:
    """Return the tree of `f(leaf of outline, *parts at its place in trees)`.

    A part is a leaf or a whole branch.

    With outline (True, False) and parameters (EmbeddingParams, DenseParams), f receives (True,
    EmbeddingParams), then (False, DenseParams).

    Raises: ValueError unless the trees have the branches of `outline`.
    """
    if isinstance(outline, BRANCHES):
        return _map_branches(partial(tree_map_parts, f), outline, trees)
    return f(outline, *trees)


def tree_paths(tree: Tree, name: str = "") -> list[tuple[str, Any]]:
    """Return the leaves as a list of (path, leaf), a path as in Python: `[0].W_x`, `['rate']`."""
    return tree_zip(name, tree)


def tree_zip(name: str, tree: Tree, *others: Tree) -> list[tuple[Any, ...]]:
    """Return a list of (path, leaf, *parts at its place in the others); `name` begins the paths.

    Dicts are matched by key, so their order does not matter. A part is a leaf or a whole branch.

    Raises: ValueError unless the others have the branches of `tree`.
    """
    if not isinstance(tree, BRANCHES):
        return [(name, tree, *others)]
    _refuse_other_structure(tree, others)
    if isinstance(tree, dict):
        places = [(f"{name}[{key!r}]", key) for key in tree]
    else:
        fields = getattr(tree, "_fields", None)
        paths = (
            [f"[{index}]" for index in range(len(tree))]
            if fields is None
            else [f".{field}" for field in fields]
        )
        places = [((name + path).lstrip("."), index) for index, path in enumerate(paths)]
    return [
        item
        for path, key in places
        for item in tree_zip(path, tree[key], *[other[key] for other in others])
    ]


def tree_map_paths(f: Callable[..., Any], tree: Tree, *rest: Tree, name: str = "") -> Tree:
    """Return the tree of `f(path, leaf, *leaves at the same place in rest)`.

    The paths are those of `tree_paths(tree, name)`.

    Raises: ValueError unless all trees have one structure.
    """
    paths = iter([path for path, _ in tree_paths(tree, name)])
    return tree_map(lambda leaf, *others: f(next(paths), leaf, *others), tree, *rest)


def tree_leaves(tree: Tree) -> list[Any]:
    """Return the leaves as a list, in the order of `tree_paths`."""
    if not isinstance(tree, BRANCHES):
        return [tree]
    parts = tree.values() if isinstance(tree, dict) else tree
    return [leaf for part in parts for leaf in tree_leaves(part)]


def tree_add(a: Tree, b: Tree) -> Tree:
    """Return a + b, leaf by leaf.

    A real leaf and a complex one of the same precision can be added.

    Raises: ValueError unless both trees have one structure and the same shapes: NumPy would
    broadcast a gradient of shape (3,) over a parameter of shape (4, 3). TypeError where one leaf is
    float32 and the other float64, or one has whole numbers and the other has not.
    """
    try:
        return tree_map(_sum, a, b)
    except _Unlike:
        pass
    return tree_map_paths(_refuse_unlike, a, b)  # says which leaf


def tree_scale(factor: Any, tree: Tree) -> Tree:
    """Return factor * tree, leaf by leaf, in the dtype of each leaf.

    `factor` is any Python or NumPy number. If it is too small or too large for float32, the product
    is computed in float64 and rounded at the end, so that it does not become zero or infinite.

    Raises: TypeError for a leaf whose dtype cannot hold the product, such as whole numbers times
    0.1.
    """
    return tree_map_paths(lambda path, leaf: _scaled(path, factor, np.asarray(leaf)), tree)


def tree_zeros_like(tree: Tree) -> Tree:
    """Return the tree of zeros with the shapes and dtypes of `tree`."""
    return tree_map(np.zeros_like, tree)


def tree_random_like(tree: Tree, rng: Rng, scale: float = 1.0) -> Tree:
    """Return independent draws of N(0, scale^2) with the shapes and dtypes of `tree`.

    Raises: TypeError for a leaf of whole numbers, which cannot hold the draws.
    """
    return tree_map_paths(
        lambda path, leaf: _drawn(path, np.asarray(leaf), rng, float(scale)), tree
    )


def tree_cast(tree: Tree, dtype: DTypeLike) -> Tree:
    """Return the tree with every leaf in `dtype`, such as `tree_cast(params, np.float32)`."""
    return tree_map(lambda leaf: np.asarray(leaf).astype(dtype), tree)


def tree_dot(a: Tree, b: Tree) -> Any:
    """Return the sum of a * b over all entries, as a scalar.

    There is no complex conjugate: the complex step needs none.

    Raises: ValueError unless both trees have one structure and the same shapes.
    """
    try:
        return sum(tree_leaves(tree_map(_sum_of_products, a, b)))
    except _Unlike:
        pass
    return tree_map_paths(_refuse_other_shape, a, b)  # says which leaf


def tree_size(tree: Tree) -> int:
    """Return the number of entries of all leaves together."""
    return sum(np.size(leaf) for leaf in tree_leaves(tree))


def tree_norm(tree: Tree) -> float:
    """Return the Euclidean norm of all entries of all leaves together, safe from overflow."""
    leaves = [np.asarray(leaf).reshape(-1) for leaf in tree_leaves(tree)]
    squares = float(sum(map(_sum_of_squares, leaves)))
    if TINY_SQUARES < squares < np.inf:
        return squares**0.5
    maxima = [np.max(np.abs(leaf), initial=0.0) for leaf in leaves]
    largest = float(np.max(maxima, initial=0.0))  # np.max keeps a NaN
    if largest == 0.0 or not np.isfinite(largest):
        return largest
    scaled = (_sum_of_squares(leaf / largest) for leaf in leaves)
    return largest * float(sum(scaled)) ** 0.5


# Above it, what squares too small for float64 would have added is less than a rounding.
TINY_SQUARES = 1e-270
BLOCK = 2**13  # numbers of a leaf that are squared at a time, in the processor's cache


def _sum_of_squares(leaf: Array) -> Any:
    """Return the sum of |x|^2 over a leaf of one axis, in float64."""
    dtype = np.result_type(leaf, np.float64)
    blocks = (leaf[k : k + BLOCK].astype(dtype, copy=False) for k in range(0, leaf.size, BLOCK))
    return sum(np.vdot(block, block).real for block in blocks)


class _Unlike(Exception):
    """Two leaves that cannot be added or multiplied."""


def _sum(x: Any, y: Any) -> Any:
    x, y = np.asanyarray(x), np.asanyarray(y)
    if x.shape != y.shape or (x.dtype != y.dtype and _precision(x.dtype) != _precision(y.dtype)):
        raise _Unlike
    return x + y


def _sum_of_products(x: Any, y: Any) -> Any:
    if np.shape(x) != np.shape(y):
        raise _Unlike
    return np.add.reduce(x * y, axis=None)  # np.sum without its overhead


def _refuse_unlike(path: str, x: Any, y: Any) -> None:
    _refuse_other_shape(path, x, y)
    want, got = np.asanyarray(x).dtype, np.asanyarray(y).dtype
    if _precision(want) != _precision(got):
        raise TypeError(f"{path or 'tree'}: trees of different dtypes: expected {want}, got {got}")


def _scaled(path: str, factor: Any, leaf: Any) -> Any:
    factor = factor.item() if isinstance(factor, np.generic) else factor
    product = factor * (
        leaf if _fits(factor, leaf.dtype) else leaf.astype(np.result_type(leaf, np.float64))
    )
    if not np.can_cast(product.dtype, leaf.dtype, "same_kind"):
        wanted = f"a dtype that can hold {factor!r} times the leaf"
        raise TypeError(f"{path or 'tree'}: expected {wanted}, got {leaf.dtype}")
    return np.asarray(product, leaf.dtype)


def _fits(factor: Any, dtype: np.dtype) -> bool:
    """Return whether `dtype` can hold the factor in full precision; True unless floating-point."""
    if dtype.kind not in "fc" or factor == 0:
        return True
    return float(np.finfo(dtype).tiny) <= abs(factor) <= float(np.finfo(dtype).max)


def _drawn(path: str, leaf: Any, rng: Rng, scale: float) -> Any:
    if leaf.dtype.kind not in "fc":
        raise TypeError(f"{path or 'tree'}: expected floating-point numbers, got {leaf.dtype}")
    return (scale * rng.standard_normal(leaf.shape)).astype(leaf.dtype)


def _precision(dtype: np.dtype) -> np.dtype:
    """Return the real dtype that two leaves must share to be added: complex128 has float64."""
    return np.zeros((), dtype).real.dtype


def _refuse_other_shape(path: str, x: Any, y: Any) -> None:
    if np.shape(x) != np.shape(y):
        shapes = f"expected {np.shape(x)}, got {np.shape(y)}"
        raise ValueError(f"{path or 'tree'}: trees of different shapes: {shapes}")


def _map_branches(f: Callable[..., Any], tree: Tree, rest: tuple[Tree, ...]) -> Tree:
    """Return the tree whose branches are `f(branch, *parts at its place in rest)`."""
    _refuse_other_structure(tree, rest)
    if isinstance(tree, dict):
        return {key: f(tree[key], *(other[key] for other in rest)) for key in tree}
    branches = map(f, tree, *rest)
    return type(tree)(*branches) if hasattr(tree, "_fields") else type(tree)(branches)


def _refuse_other_structure(tree: Tree, rest: tuple[Tree, ...]) -> None:
    for other in rest:
        if type(other) is type(tree) and (type(tree) is np.ndarray or hasattr(tree, "_fields")):
            continue  # most of what is compared, without the price of the rest
        if _kind(other) != _kind(tree):
            raise ValueError(
                f"trees of different structure: expected {_outline(tree)}, got {_outline(other)}"
            )


def _kind(tree: Tree) -> Any:
    """Return what two trees must share.

    That is the name and fields of a NamedTuple, the keys of a dict, the length of a tuple or list.
    """
    if not isinstance(tree, BRANCHES):
        return "leaf"
    if hasattr(tree, "_fields"):  # a NamedTuple defined again in a notebook counts as the same
        return type(tree).__name__, tree._fields
    return (dict, set(tree)) if isinstance(tree, dict) else (type(tree), len(tree))


def _outline(tree: Tree) -> str:
    if hasattr(tree, "_fields"):
        return f"{type(tree).__name__}({', '.join(tree._fields)})"
    if isinstance(tree, dict):
        return f"dict({', '.join(map(str, tree))})"
    if isinstance(tree, (tuple, list)):
        return f"{type(tree).__name__} of {len(tree)}"
    return f"array of shape {np.shape(tree)}"
