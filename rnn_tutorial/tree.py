"""Trees of arrays: parameters, states and gradients are NamedTuples, tuples, lists or dicts of arrays.

Every function here treats a tree as a plain value and returns a new one; no leaf is ever changed in place.
The gradient of a tree is a tree of the same structure.
"""

import numpy as np


def tree_map(f, tree, *rest):
    """Return the tree of `f(leaf, *leaves at the same place in rest)`; all trees must have one structure."""

    def at_leaves(leaf, *others):
        _refuse_other_structure(leaf, others)
        return f(leaf, *others)

    return tree_map_parts(at_leaves, tree, *rest)


def tree_map_parts(f, outline, *trees):
    """Return the tree of `f(leaf of outline, *what stands at its place in trees)`, be that a leaf or a whole branch.

    With outline (True, False) and parameters (EmbeddingParams, DenseParams), f sees (True, EmbeddingParams), and so on.
    """
    if isinstance(outline, dict):
        _refuse_other_structure(outline, trees)
        return {key: tree_map_parts(f, outline[key], *(tree[key] for tree in trees)) for key in outline}
    if isinstance(outline, (tuple, list)):
        _refuse_other_structure(outline, trees)
        branches = [tree_map_parts(f, *branches) for branches in zip(outline, *trees, strict=True)]
        return type(outline)(*branches) if hasattr(outline, "_fields") else type(outline)(branches)
    return f(outline, *trees)


def tree_paths(tree, name=""):
    """Return the leaves as a list of (path, leaf), a path being written as Python reads it: `[0].W_x`, `['rate']`."""
    if isinstance(tree, dict):
        return [item for key, branch in tree.items() for item in tree_paths(branch, f"{name}[{key!r}]")]
    if hasattr(tree, "_fields"):
        named = ((f"{name}.{key}".lstrip("."), branch) for key, branch in zip(tree._fields, tree, strict=True))
        return [item for path, branch in named for item in tree_paths(branch, path)]
    if isinstance(tree, (tuple, list)):
        return [item for index, branch in enumerate(tree) for item in tree_paths(branch, f"{name}[{index}]")]
    return [(name, tree)]


def tree_leaves(tree):
    """Return the leaves as a list, in the order of `tree_paths`."""
    return [leaf for _, leaf in tree_paths(tree)]


def tree_add(a, b):
    """Return a + b, leaf by leaf."""
    return tree_map(np.add, a, b)


def tree_scale(factor, tree):
    """Return factor * tree, leaf by leaf, in the dtype of each leaf."""
    return tree_map(lambda leaf: np.asarray(factor * leaf, np.asarray(leaf).dtype), tree)


def tree_zeros_like(tree):
    """Return the tree of zeros with the shapes and dtypes of `tree`."""
    return tree_map(np.zeros_like, tree)


def tree_random_like(tree, rng, scale=1.0):
    """Return independent draws of N(0, scale^2) with the shapes of `tree` and the dtype of each leaf."""
    return tree_map(lambda leaf: (scale * rng.standard_normal(np.shape(leaf))).astype(np.asarray(leaf).dtype), tree)


def tree_cast(tree, dtype):
    """Return the tree with every leaf in `dtype`: `tree_cast(params, np.float32)` makes a float32 model."""
    return tree_map(lambda leaf: np.asarray(leaf).astype(dtype), tree)


def tree_dot(a, b):
    """Return sum over all entries of a * b, as a scalar (no complex conjugate: the complex step needs none)."""
    pairs = tree_leaves(tree_map(lambda x, y: np.sum(x * y), a, b))
    return sum(pairs)


def tree_size(tree):
    """Return the number of entries of all leaves together."""
    return sum(np.size(leaf) for leaf in tree_leaves(tree))


def tree_norm(tree):
    """Return the Euclidean norm of all entries of all leaves together, safe from overflow."""
    leaves = tree_leaves(tree)
    largest = float(np.max([np.max(np.abs(leaf), initial=0.0) for leaf in leaves], initial=0.0))  # np.max keeps a NaN
    if largest == 0.0 or not np.isfinite(largest):
        return largest
    return largest * float(np.sqrt(sum(np.sum(np.abs(leaf / largest) ** 2, dtype=np.float64) for leaf in leaves)))


def _refuse_other_structure(tree, rest):
    for other in rest:
        if _kind(other) != _kind(tree):
            raise ValueError(f"trees of different structure: expected {_outline(tree)}, got {_outline(other)}")


def _kind(tree):
    """Return what two trees must share: the name and fields of a NamedTuple, the keys of a dict, the length of a list."""
    if hasattr(tree, "_fields"):  # a NamedTuple built again in a notebook is as good as the one it repeats
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
