"""Trees of arrays: parameters, states and gradients are NamedTuples, tuples, lists or dicts of arrays.

Every function here treats a tree as a plain value and returns a new one; no leaf is ever changed in
place. The gradient of a tree is a tree of the same structure.
"""

import numpy as np

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


def tree_map(f, tree, *rest):
    """Return the tree of `f(leaf, *leaves at the same place in rest)`; all trees must have one structure."""

    def at_leaves(leaf, *others):
        _refuse_other_structure(leaf, others)
        return f(leaf, *others)

    return tree_map_parts(at_leaves, tree, *rest)


def tree_map_parts(f, outline, *trees):
    """Return the tree of `f(leaf of outline, *what stands at its place in trees)`, be that a leaf or a whole branch.

    With outline (True, False) and parameters (EmbeddingParams, DenseParams), f sees (True,
    EmbeddingParams), and so on.
    """
    if isinstance(outline, dict):
        _refuse_other_structure(outline, trees)
        return {
            key: tree_map_parts(f, outline[key], *(tree[key] for tree in trees)) for key in outline
        }
    if isinstance(outline, (tuple, list)):
        _refuse_other_structure(outline, trees)
        branches = [tree_map_parts(f, *branches) for branches in zip(outline, *trees, strict=True)]
        return type(outline)(*branches) if hasattr(outline, "_fields") else type(outline)(branches)
    return f(outline, *trees)


def tree_paths(tree, name=""):
    """Return the leaves as a list of (path, leaf), a path being written as Python reads it: `[0].W_x`, `['rate']`."""
    return tree_zip(name, tree)


def tree_zip(name, tree, *others):
    """Return a list of (path, leaf, *what stands at its place in the others), the paths beginning with `name`.

    Dicts are matched by key: their order does not matter. What stands there may be a leaf or a
    whole branch.
    Raises: ValueError unless the others have the branches of `tree`.
    """
    if not isinstance(tree, (dict, tuple, list)):
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


def tree_map_paths(f, tree, *rest, name=""):
    """Return the tree of `f(path, leaf, *leaves at the same place in rest)`, with the paths of `tree_paths(tree, name)`.

    Raises: ValueError unless all trees have one structure.
    """
    paths = iter([path for path, _ in tree_paths(tree, name)])
    return tree_map(lambda leaf, *others: f(next(paths), leaf, *others), tree, *rest)


def tree_leaves(tree):
    """Return the leaves as a list, in the order of `tree_paths`."""
    return [leaf for _, leaf in tree_paths(tree)]


def tree_add(a, b):
    """Return a + b, leaf by leaf.

    Raises: ValueError unless both trees have one structure and the same shapes: NumPy would stretch
    a gradient of shape (3,) over a parameter of shape (4, 3). TypeError where one is float32 and
    the other float64, or one has whole numbers and the other has not; a real leaf and a complex one
    of the same precision have a sum.
    """
    try:
        return tree_map(_sum, a, b)
    except _Unlike:
        pass
    return tree_map_paths(_refuse_unlike, a, b)  # says which leaf


def tree_scale(factor, tree):
    """Return factor * tree, leaf by leaf, in the dtype of each leaf; `factor` may be any Python or NumPy number.

    A factor too small or too large for float32 is no reason to return zeros or infinities: such a
    product is computed in float64 and rounded at the end.
    Raises: TypeError for a leaf whose dtype cannot hold the product, such as whole numbers times
    0.1.
    """
    return tree_map_paths(lambda path, leaf: _scaled(path, factor, np.asarray(leaf)), tree)


def tree_zeros_like(tree):
    """Return the tree of zeros with the shapes and dtypes of `tree`."""
    return tree_map(np.zeros_like, tree)


def tree_random_like(tree, rng, scale=1.0):
    """Return independent draws of N(0, scale^2) with the shapes of `tree` and the dtype of each leaf.

    Raises: TypeError for a leaf of whole numbers, to which the draws would be cut.
    """
    return tree_map_paths(
        lambda path, leaf: _drawn(path, np.asarray(leaf), rng, float(scale)), tree
    )


def tree_cast(tree, dtype):
    """Return the tree with every leaf in `dtype`: `tree_cast(params, np.float32)` makes a float32 model."""
    return tree_map(lambda leaf: np.asarray(leaf).astype(dtype), tree)


def tree_dot(a, b):
    """Return sum over all entries of a * b, as a scalar (no complex conjugate: the complex step needs none).

    Raises: ValueError unless both trees have one structure and the same shapes.
    """
    tree_map_paths(_refuse_other_shape, a, b)
    return sum(tree_leaves(tree_map(lambda x, y: np.sum(x * y), a, b)))


def tree_size(tree):
    """Return the number of entries of all leaves together."""
    return sum(np.size(leaf) for leaf in tree_leaves(tree))


def tree_norm(tree):
    """Return the Euclidean norm of all entries of all leaves together, safe from overflow."""
    leaves = tree_leaves(tree)
    largest = float(
        np.max([np.max(np.abs(leaf), initial=0.0) for leaf in leaves], initial=0.0)
    )  # np.max keeps a NaN
    if largest == 0.0 or not np.isfinite(largest):
        return largest
    return largest * float(
        np.sqrt(sum(np.sum(np.abs(leaf / largest) ** 2, dtype=np.float64) for leaf in leaves))
    )


class _Unlike(Exception):
    """Two leaves of which there is no sum."""


def _sum(x, y):
    x, y = np.asanyarray(x), np.asanyarray(y)
    if x.shape != y.shape or (x.dtype != y.dtype and _precision(x.dtype) != _precision(y.dtype)):
        raise _Unlike
    return x + y


def _refuse_unlike(path, x, y):
    _refuse_other_shape(path, x, y)
    want, got = np.asanyarray(x).dtype, np.asanyarray(y).dtype
    if _precision(want) != _precision(got):
        raise TypeError(f"{path or 'tree'}: trees of different dtypes: expected {want}, got {got}")


def _scaled(path, factor, leaf):
    factor = factor.item() if isinstance(factor, np.generic) else factor
    product = factor * (
        leaf if _fits(factor, leaf.dtype) else leaf.astype(np.result_type(leaf, np.float64))
    )
    if not np.can_cast(product.dtype, leaf.dtype, "same_kind"):
        raise TypeError(
            f"{path or 'tree'}: expected a dtype that can hold {factor!r} times the leaf, got {leaf.dtype}"
        )
    return np.asarray(product, leaf.dtype)


def _fits(factor, dtype):
    """Return whether a floating-point `dtype` can hold the factor in full precision; True for other dtypes."""
    if dtype.kind not in "fc" or factor == 0:
        return True
    return float(np.finfo(dtype).tiny) <= abs(factor) <= float(np.finfo(dtype).max)


def _drawn(path, leaf, rng, scale):
    if leaf.dtype.kind not in "fc":
        raise TypeError(f"{path or 'tree'}: expected floating-point numbers, got {leaf.dtype}")
    return (scale * rng.standard_normal(leaf.shape)).astype(leaf.dtype)


def _precision(dtype):
    """Return what two dtypes must share to be added: float64 and complex128 do, float64 and float32 do not."""
    return np.zeros((), dtype).real.dtype


def _refuse_other_shape(path, x, y):
    if np.shape(x) != np.shape(y):
        raise ValueError(
            f"{path or 'tree'}: trees of different shapes: expected {np.shape(x)}, got {np.shape(y)}"
        )


def _refuse_other_structure(tree, rest):
    for other in rest:
        if _kind(other) != _kind(tree):
            raise ValueError(
                f"trees of different structure: expected {_outline(tree)}, got {_outline(other)}"
            )


def _kind(tree):
    """Return what two trees must share: the name and fields of a NamedTuple, the keys of a dict, the length of a list."""
    if hasattr(
        tree, "_fields"
    ):  # a NamedTuple built again in a notebook is as good as the one it repeats
        return type(tree).__name__, tree._fields
    if isinstance(tree, dict):
        return dict, set(tree)
    return (type(tree), len(tree)) if isinstance(tree, (tuple, list)) else "leaf"


def _outline(tree):
    if hasattr(tree, "_fields"):
        return f"{type(tree).__name__}({', '.join(tree._fields)})"
    if isinstance(tree, dict):
        return f"dict({', '.join(map(str, tree))})"
    if isinstance(tree, (tuple, list)):
        return f"{type(tree).__name__} of {len(tree)}"
    return f"array of shape {np.shape(tree)}"
