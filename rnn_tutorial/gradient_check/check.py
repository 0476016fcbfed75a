"""Is a gradient right? `check_gradients` compares it with slopes, and knows no derivation.

A gradient g of a loss at a point p is right when, along every direction v, the slope of the loss is
<g, v>:

    d/ds loss(p + s v) at s = 0   =   sum over all entries of g * v

A random v tests every entry at once with one or two evaluations, however many parameters there are.
The slope comes from the complex step (exact to rounding, for functions that accept complex numbers)
or from the central difference (any function): `rnn_tutorial.gradient_check.slopes`.

What the checks are blind to:

check_gradients   a wrong forward (the gradient is judged as that of what the forward computes); any
                  other point; an error orthogonal to a random direction (probability zero); an
                  entry whose share of the slope is below rtol of its leaf's share (each leaf is
                  judged by its own size, an entry is not); an error within the last bits, 2e-15, of
                  the projected outputs and of the whole gradient.
check_cell        all of that; other sizes, lengths and settings than those it is given; values far
                  from N(0, 0.3^2).
check_layer       all of that; training (it runs with rng=None: nothing is dropped, and it does not
                  see whether the rng goes on to the layers inside); a state lost in a sequence of
                  one step; a layer that cannot continue is not run in pieces; without a mask, a
                  layer that replaces the padding by its own numbers and lets the state go on; an
                  array that the cache shares with the caller, who may change it before the
                  backward.
complex step      see `rnn_tutorial.gradient_check.slopes`.
central           errors below its noise, about 1e-10 of the outputs. The noise is measured, and it
difference        replaces rtol where it is larger; a leaf whose noise is above a tenth of its share
                  cannot be judged, and is named.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from rnn_tutorial.gradient_check.leaves import UNJUDGED, WRONG, judge_leaves
from rnn_tutorial.gradient_check.protocol import parts
from rnn_tutorial.gradient_check.slopes import (
    CannotJudge,
    Slope,
    check_outputs,
    check_plain,
    check_point,
    complex_step_slope,
    numerical_gradient,
)
from rnn_tutorial.tree import (
    tree_dot,
    tree_leaves,
    tree_map,
    tree_map_paths,
    tree_norm,
    tree_paths,
    tree_random_like,
)
from rnn_tutorial.types import Array, Rng, Tree
from rnn_tutorial.validation import check_like, check_rng

__all__ = [
    "GradientError",
    "check_gradients",
    "compare",
    "compare_all",
    "diagnose",
    "relative_error",
]


class GradientError(AssertionError):
    """A gradient that is not the slope of its function; the message says where."""


def relative_error(value: Any, reference: Any) -> float:
    """Return max |value - reference| / max |reference| over all entries.

    Where the reference is all zero it is max |value|. NaN counts as infinitely wrong.

    Shapes: value and reference have one shape.
    Raises: ValueError for different shapes (NumPy would stretch one to the other); TypeError for
    np.matrix or a masked array.
    """
    check_plain("value", value)
    check_plain("reference", reference)
    if np.shape(value) != np.shape(reference):
        raise ValueError(
            f"value: expected the shape of the reference, {np.shape(reference)}, "
            f"got {np.shape(value)}"
        )
    worst = np.max(np.abs(value - reference), initial=0.0)
    scale = np.max(np.abs(reference), initial=0.0)
    error = worst / scale if scale > 0 else worst
    return float(error) if np.isfinite(error) else float("inf")


def compare(name: str, value: Any, reference: Any, rtol: float = 1e-9) -> None:
    """Print one line: name, shape, largest relative error of `value`, and a verdict.

    The verdict is a tick if value and reference have one shape and the error is at most rtol, else
    a cross. A value of `...`, which a reader has not replaced yet, gets neither.
    """
    if value is ...:
        print(f"{name:<12} yours to write: replace the ... above")
        return
    value, reference = np.asanyarray(value), np.asanyarray(reference)
    if value.shape != reference.shape:
        print(
            f"{name:<12} {value.shape!s:<14} has another shape than the reference, "
            f"{reference.shape}   ✗"
        )
        return
    error = relative_error(value, reference)
    verdict = "✓" if error <= rtol else "✗"
    print(f"{name:<12} {value.shape!s:<14} largest relative error {error:.0e}   {verdict}")


def compare_all(name: str, values: Tree, references: Tree, rtol: float = 1e-9) -> None:
    """Print one line for all leaves of two trees: how many, the largest relative error, a verdict.

    Each leaf is compared by its own size. Those that are wrong have a line of their own above, as
    `compare` prints it. If a leaf is `...`, which a reader has not replaced yet, there is no
    verdict.

    Raises: ValueError unless both trees have one structure, with one leaf or more.

    Example:
    >>> compare_all("dh", [np.ones(2), np.ones(3)], [np.ones(2), np.ones(3)])
    dh           2 comparisons  largest relative error 0e+00   ✓
    """
    if any(leaf is ... for leaf in tree_leaves(values)):
        compare(name, ..., references)
        return

    def judged(path: str, value: Any, reference: Any) -> float:
        alike = np.shape(value) == np.shape(reference)
        error = relative_error(value, reference) if alike else np.inf
        if error > rtol:
            compare(path, value, reference, rtol)
        return error

    errors = tree_leaves(tree_map_paths(judged, values, references, name=name))
    if not errors:
        raise ValueError("values: expected a tree with one leaf or more, got none")
    count = f"{len(errors)} comparison{'s' if len(errors) > 1 else ''}"
    verdict = "✓" if max(errors) <= rtol else "✗"
    print(f"{name:<12} {count:<14} largest relative error {max(errors):.0e}   {verdict}")


def check_gradients(
    f: Callable[[Any], tuple[Any, Any]],
    f_backward: Callable[[Any, Any], Any],
    point: Tree,
    rng: Rng,
    *,
    slope: Slope = complex_step_slope,
    rtol: float = 1e-12,
) -> None:
    """Raise GradientError, which names leaf and index, unless every gradient is right.

    f(point) -> (outputs, cache) and f_backward(cache, doutputs) -> dpoint, all of them trees of
    arrays. The loss is a random projection of all the outputs, so a gradient arrives at each. Every
    leaf is judged by its own size. Pass `slope=central_difference_slope, rtol=1e-6` for a function
    that does not accept complex numbers.

    Raises: GradientError for a wrong gradient, or if one of the functions changes its inputs in
    place; ComplexStepLost if f loses the complex step, right or wrong; CannotJudge for a leaf that
    is lost in the rounding of the slopes, or a point at a kink; TypeError unless the point is
    float64; NotFiniteError for a NaN or an infinity in the point; TypeError or ValueError unless
    the gradient has the structure and shapes of the point.
    """
    check_rng(rng)
    check_point("point", point)
    point_before = tree_map(np.copy, point)
    outputs, cache = parts("f", f(point), "(outputs, cache)")
    check_outputs("outputs", outputs)
    # A gradient for each output.
    projection = tree_map(lambda leaf: rng.standard_normal(np.shape(leaf)), outputs)
    projection_before = tree_map(np.copy, projection)
    dpoint = _gradient(f_backward(cache, projection), point)
    _check_unchanged((point_before, projection_before), (point, projection))
    direction = tree_map(
        lambda p, v: v * max(1.0, np.max(np.abs(p), initial=0.0)),
        point,
        tree_random_like(point, rng),
    )

    def slope_along(leaves: list[Array]) -> Any:
        return tree_dot(slope(lambda p: f(p)[0], point, _with_leaves(point, leaves)), projection)

    rounding = np.finfo(float).eps * tree_norm(tree_map(np.multiply, outputs, projection))
    verdicts = judge_leaves(
        slope_along, tree_leaves(dpoint), tree_leaves(direction), rounding, rtol
    )
    if WRONG in verdicts:
        reference = _reference(
            lambda p: tree_dot(f(p)[0], projection), point, dpoint, verdicts, slope
        )
        raise GradientError(diagnose(dpoint, reference, rtol))
    if UNJUDGED in verdicts:
        raise CannotJudge(_unjudged(dpoint, verdicts))


def _gradient(dpoint: Tree, point: Tree) -> Tree:
    """Return dpoint with its floats as arrays.

    Raises: TypeError or ValueError unless it has the structure and shapes of the point.
    """
    for path, leaf in tree_paths(dpoint, "gradient"):
        check_plain(path, leaf)
    as_arrays = [tree_map(np.asarray, tree) for tree in (dpoint, point)]
    check_like("gradient", *as_arrays)
    return as_arrays[0]


def _check_unchanged(before: Tree, after: Tree) -> None:
    """Raise GradientError unless the two trees have the same numbers."""
    if any(
        not np.array_equal(old, new) for old, new in zip(tree_leaves(before), tree_leaves(after))
    ):
        raise GradientError("the function or its backward changed its inputs in place")


def _with_leaves(tree: Tree, leaves: list[Any]) -> Tree:
    """Return the tree with other leaves, in the order of `tree_leaves`."""
    following = iter(leaves)
    return tree_map(lambda _: next(following), tree)


def _reference(
    loss: Callable[[Any], Any], point: Tree, dpoint: Tree, verdicts: list[str], slope: Slope
) -> Tree:
    """Return the numerical gradient of the leaves that are wrong, and dpoint for the others."""
    leaves = tree_leaves(point)
    wrong = {k: leaves[k] for k, found in enumerate(verdicts) if found == WRONG}

    def loss_of_wrong(moved: dict[int, Array]) -> Any:
        # One dtype for all leaves: complex if the wrong ones are.
        dtype = np.result_type(*moved.values())
        return loss(
            _with_leaves(
                point, [moved.get(k, np.asarray(leaf, dtype)) for k, leaf in enumerate(leaves)]
            )
        )

    numerical = numerical_gradient(loss_of_wrong, wrong, slope)
    return _with_leaves(
        dpoint, [numerical.get(k, leaf) for k, leaf in enumerate(tree_leaves(dpoint))]
    )


def _unjudged(dpoint: Tree, verdicts: list[str]) -> str:
    """Return a text that names the leaves that could not be judged."""
    names = [
        path or "gradient"
        for (path, _), found in zip(tree_paths(dpoint), verdicts)
        if found == UNJUDGED
    ]
    return (
        f"{', '.join(names)}: could not be judged, neither right nor wrong: the slope is lost in "
        "the rounding of the outputs. Take the complex step, or a point or outputs of like scales"
    )


def diagnose(gradient: Tree, reference: Tree, rtol: float) -> str:
    """Return a text: the error and the worst entry of each leaf that is off by more than rtol."""
    lines = []
    for (path, value), (_, want) in zip(tree_paths(gradient), tree_paths(reference)):
        error = relative_error(value, want)
        if error > rtol:
            off = np.nan_to_num(np.abs(value - want), nan=np.inf)
            worst = tuple(int(k) for k in np.unravel_index(np.argmax(off), off.shape))
            wrong = int(np.sum(off > rtol * np.max(np.abs(want), initial=0.0)))
            lines.append(
                f"{path or 'gradient'}: relative error {error:.1e}, {wrong} of {value.size} "
                f"entries wrong; worst at {worst}: {_two_numbers(value[worst], want[worst])}"
            )
    return "wrong gradient\n" + "\n".join(
        lines or ["each entry is within rtol, the sum along a random direction is not"]
    )


def _two_numbers(got: Any, expected: Any) -> str:
    """Return both in six digits; where these are equal, all digits and the difference."""
    short = f"{got:.6g}", f"{expected:.6g}"
    if short[0] != short[1]:
        return f"got {short[0]}, expected {short[1]}"
    return f"got {got:.17g}, expected {expected:.17g}, difference {got - expected:.1e}"
