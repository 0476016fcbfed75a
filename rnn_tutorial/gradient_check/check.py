"""Is a gradient right? Ways to ask, none of which knows how it was derived.

A gradient g of a loss at a point p is right when, along every direction v, the slope of the loss is
<g, v>:

    d/ds loss(p + s v) at s = 0   =   sum over all entries of g * v

A random v tests every entry at once with one or two evaluations, however many parameters there are.
The slope comes from the complex step (exact to rounding, for functions that accept complex numbers)
or from the central difference (any function): `rnn_tutorial.gradient_check.slopes`.

What the checks are blind to:

check_gradients   a wrong forward (the gradient is judged as that of what the forward computes); any other point; an error
                  orthogonal to a random direction (probability zero); an entry whose share of the slope is below rtol
                  of its leaf's share (each leaf is judged by its own size, an entry is not); an error within the last
                  bits, 2e-15, of the projected outputs and of the whole gradient.
check_cell        all of that; other sizes, lengths and settings than those it is given; values far from N(0, 0.3^2).
check_layer       all of that; training (rng=None: nothing is dropped); a state lost in a sequence of one step; a layer
                  that cannot continue is not run in pieces.
complex step      see `rnn_tutorial.gradient_check.slopes`.
central           errors below its noise, about 1e-10 of the outputs, which is measured, and stands in for rtol where
difference        it is larger; a leaf whose noise is above a tenth of its share cannot be judged, and is named.
"""

import numpy as np

from rnn_tutorial.cells.cell import check_is_cell
from rnn_tutorial.gradient_check.leaves import UNJUDGED, WRONG, judge_leaves
from rnn_tutorial.gradient_check.pieces import (
    check_inputs,
    check_pieces,
    check_protocol,
    first_state,
    parts,
    run_backward,
    run_forward,
)
from rnn_tutorial.gradient_check.slopes import (
    CannotJudge,
    check_outputs,
    check_plain,
    check_point,
    complex_step_slope,
    numerical_gradient,
)
from rnn_tutorial.sequence.unroll import unroll, unroll_backward
from rnn_tutorial.tree import (
    tree_dot,
    tree_leaves,
    tree_map,
    tree_norm,
    tree_paths,
    tree_random_like,
)
from rnn_tutorial.validation import check_like, check_rng

__all__ = [
    "GradientError",
    "check_cell",
    "check_gradients",
    "check_layer",
    "compare",
    "diagnose",
    "random_start",
    "relative_error",
]


class GradientError(AssertionError):
    """A gradient that is not the slope of its function; the message says where."""


def relative_error(value, reference):
    """Return max |value - reference| / max |reference| over all entries; where the reference is all
    zero, max |value|.

    NaN counts as infinitely wrong.

    Shapes: value and reference have one shape.
    Raises: ValueError for two shapes (NumPy would stretch one to the other); TypeError for
    np.matrix or a masked array.
    """
    check_plain("value", value)
    check_plain("reference", reference)
    if np.shape(value) != np.shape(reference):
        raise ValueError(
            f"value: expected the shape of the reference, {np.shape(reference)}, got {np.shape(value)}"
        )
    worst = np.max(np.abs(value - reference), initial=0.0)
    scale = np.max(np.abs(reference), initial=0.0)
    error = worst / scale if scale > 0 else worst
    return float(error) if np.isfinite(error) else float("inf")


def compare(name, value, reference, rtol=1e-9):
    """Print one line: the name, the shape, the largest relative error of `value` against
    `reference`, and a verdict.

    A tick if value and reference have one shape and the error is at most rtol, else a cross.
    """
    value, reference = np.asanyarray(value), np.asanyarray(reference)
    if value.shape != reference.shape:
        print(
            f"{name:<12} {value.shape!s:<14} has another shape than the reference, {reference.shape}   ✗"
        )
        return
    error = relative_error(value, reference)
    print(
        f"{name:<12} {value.shape!s:<14} largest relative error {error:.0e}   {'✓' if error <= rtol else '✗'}"
    )


def check_gradients(f, f_backward, point, rng, *, slope=complex_step_slope, rtol=1e-12):
    """Return nothing, or raise GradientError naming the leaf and index at fault.

    f(point) -> (outputs, cache) and f_backward(cache, doutputs) -> dpoint, all of them trees of
    arrays. The loss is a random projection of all the outputs, so a gradient arrives at each. Every
    leaf is judged by its own size. Pass `slope=central_difference_slope, rtol=1e-6` for a function
    that does not accept complex numbers.

    Raises: GradientError for a wrong gradient; ComplexStepLost if f loses the complex step,
    whatever the gradient; CannotJudge for a leaf that is lost in the rounding of the slopes, or a
    point at a kink; TypeError unless the point is float64; TypeError or ValueError unless the
    gradient has the structure and shapes of the point.
    """
    check_rng(rng)
    check_point("point", point)
    point_before = tree_map(np.copy, point)
    outputs, cache = parts("f", f(point), "(outputs, cache)")
    check_outputs("outputs", outputs)
    projection = tree_map(
        lambda leaf: rng.standard_normal(np.shape(leaf)), outputs
    )  # a gradient for each output
    projection_before = tree_map(np.copy, projection)
    dpoint = _gradient(f_backward(cache, projection), point)
    _check_unchanged((point_before, projection_before), (point, projection))
    direction = tree_map(
        lambda p, v: v * max(1.0, np.max(np.abs(p), initial=0.0)),
        point,
        tree_random_like(point, rng),
    )

    def slope_along(leaves):
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


def _gradient(dpoint, point):
    """Return dpoint with its floats as arrays, or raise TypeError or ValueError unless it fits the
    point."""
    for path, leaf in tree_paths(dpoint, "gradient"):
        check_plain(path, leaf)
    as_arrays = [tree_map(np.asarray, tree) for tree in (dpoint, point)]
    check_like("gradient", *as_arrays)
    return as_arrays[0]


def _check_unchanged(before, after):
    if any(
        not np.array_equal(old, new) for old, new in zip(tree_leaves(before), tree_leaves(after))
    ):
        raise GradientError("the function or its backward changed its inputs in place")


def _with_leaves(tree, leaves):
    """Return the tree with the leaves given, in the order of `tree_leaves`."""
    following = iter(leaves)
    return tree_map(lambda _: next(following), tree)


def _reference(loss, point, dpoint, verdicts, slope):
    """Return the numerical gradient for the leaves that are wrong, and dpoint itself for the
    others."""
    leaves = tree_leaves(point)
    wrong = {k: leaves[k] for k, found in enumerate(verdicts) if found == WRONG}

    def loss_of_wrong(moved):
        dtype = np.result_type(
            *moved.values()
        )  # one dtype for all leaves: complex if the wrong ones are
        return loss(
            _with_leaves(
                point, [moved.get(k, np.asarray(leaf, dtype)) for k, leaf in enumerate(leaves)]
            )
        )

    numerical = numerical_gradient(loss_of_wrong, wrong, slope)
    return _with_leaves(
        dpoint, [numerical.get(k, leaf) for k, leaf in enumerate(tree_leaves(dpoint))]
    )


def _unjudged(dpoint, verdicts):
    names = [
        path or "gradient"
        for (path, _), found in zip(tree_paths(dpoint), verdicts)
        if found == UNJUDGED
    ]
    return (
        f"{', '.join(names)}: could not be judged, neither right nor wrong: the slope is lost in the rounding of the outputs. "
        "Take the complex step, or a point or outputs of like scales"
    )


def diagnose(gradient, reference, rtol):
    """Return a text that names, for each leaf that is off by more than rtol, its error and its
    worst entry."""
    lines = []
    for (path, value), (_, want) in zip(tree_paths(gradient), tree_paths(reference)):
        error = relative_error(value, want)
        if error > rtol:
            off = np.nan_to_num(np.abs(value - want), nan=np.inf)
            worst = tuple(int(k) for k in np.unravel_index(np.argmax(off), off.shape))
            wrong = int(np.sum(off > rtol * np.max(np.abs(want), initial=0.0)))
            lines.append(
                f"{path or 'gradient'}: relative error {error:.1e}, {wrong} of {value.size} entries wrong; "
                f"worst at {worst}: {_two_numbers(value[worst], want[worst])}"
            )
    return "wrong gradient\n" + "\n".join(
        lines or ["each entry is within rtol, the sum along a random direction is not"]
    )


def _two_numbers(got, expected):
    """Return both in six digits, or in all of them and their difference where six look the same."""
    short = f"{got:.6g}", f"{expected:.6g}"
    if short[0] != short[1]:
        return f"got {short[0]}, expected {short[1]}"
    return f"got {got:.17g}, expected {expected:.17g}, difference {got - expected:.1e}"


def random_start(cell, rng, B, D, H):
    """Return (params, state) with every entry drawn from N(0, 0.3^2): a zero bias or state would
    hide mistakes."""
    params = cell.init(rng, D, H)
    return tree_random_like(params, rng, 0.3), tree_random_like(
        cell.initial_state(params, B), rng, 0.3
    )


def check_cell(cell, rng, *, T=6, B=3, D=4, H=5, slope=complex_step_slope, rtol=1e-12):
    """Return nothing, or raise GradientError: the cell over T steps, whole and ragged, every
    gradient checked.

    Random non-zero biases and first state, a gradient arriving at each step and at the last state,
    and a second run with lengths from T down to 1. Checked: all parameters, all inputs, the first
    state, which are [0], [1] and [2] in the message. For a cell that does not accept complex
    numbers, `slope=central_difference_slope, rtol=1e-6`.

    Raises: what `check_gradients` raises; TypeError for a cell whose functions do not return what a
    Cell's must.
    """
    check_is_cell(cell)
    check_rng(rng)
    params, state = random_start(cell, rng, B, D, H)
    _check_returns(cell, params, state)
    xs = rng.standard_normal((T, B, D))
    lengths = np.linspace(T, 1, B).astype(int)
    for mask in (None, np.arange(T)[:, None] < lengths):
        check_gradients(
            lambda point, mask=mask: unroll(cell, *point, mask),
            lambda cache, doutputs: unroll_backward(cell, params, cache, doutputs),
            (params, xs, state),
            rng,
            slope=slope,
            rtol=rtol,
        )


def _check_returns(cell, params, state):
    """Raise TypeError unless the two functions of the cell return as many things as `unroll` takes
    apart."""
    a_x, a_h = (np.zeros((len(state.h), W.shape[1])) for W in (params.W_x, params.W_h))
    new_state, cache = parts(
        "pointwise", cell.pointwise(params, a_x, a_h, state), "(new state, cache)"
    )
    if getattr(new_state, "_fields", None) != state._fields:
        raise TypeError(
            f"pointwise: expected a new state with the fields {state._fields}, got {type(new_state).__name__}"
        )
    back = cell.pointwise_backward(params, cache, new_state)
    *_, dprevious = parts("pointwise_backward", back, "(dextra, da_x, da_h, dprevious)")
    if getattr(dprevious, "_fields", None) != state._fields:
        got = type(dprevious).__name__
        raise TypeError(
            f"pointwise_backward: expected a dprevious with the fields {state._fields}, got {got}"
        )


def check_layer(layer, xs, rng, *, mask=None, slope=complex_step_slope, rtol=1e-12):
    """Return nothing, or raise GradientError: parameters, inputs and first state of a layer or a
    model, from random ones.

    A gradient arrives at every output and at the last state. The layer is also run in two pieces,
    which must give what the whole sequence gives, outputs, last state and gradients. In the
    message, [0] are the parameters, then come the inputs (unless they are integers, an
    `Embedding`'s, which have no gradient), then the first state. A layer that cannot continue
    (`initial_state` raises CannotContinue) is checked from its own first state, whole.

    Raises: what `check_gradients` raises; StateLost; TypeError for a layer that is not one, by its
    methods and what they return.
    """
    check_protocol(layer)
    check_inputs(xs)
    params = tree_random_like(layer.init(rng), rng, 0.3)
    state = first_state(layer, params, xs.shape[1], rng)
    inputs = (params, xs, state)
    moved = [k for k, there in enumerate((True, xs.dtype.kind == "f", state is not None)) if there]

    def forward(point):
        now = dict(enumerate(inputs)) | dict(zip(moved, point))
        ys, last, cache = run_forward(layer, now[0], now[1], now[2], mask)
        return ((ys,) if state is None else (ys, last)), cache

    def backward(cache, doutputs):
        gradients = run_backward(layer, params, cache, *doutputs)
        return tuple(gradients[k] for k in moved)

    if state is not None:
        check_pieces(layer, params, xs, state, mask, rng)
    check_gradients(forward, backward, tuple(inputs[k] for k in moved), rng, slope=slope, rtol=rtol)
