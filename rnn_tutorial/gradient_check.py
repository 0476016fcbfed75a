"""Is a gradient right? Three ways to ask, none of which knows how it was derived.

A gradient g of a loss at a point p is right when, along every direction v, the slope of the loss is <g, v>:

    d/ds loss(p + s v) at s = 0   =   sum over all entries of g * v

A random v tests every entry at once with one or two evaluations, however many parameters there are. The slope comes
from the complex step (exact to rounding, for functions that accept complex numbers) or from the central difference
(any function).
"""

import numpy as np

from rnn_tutorial.cells.cell import check_is_cell
from rnn_tutorial.tree import tree_dot, tree_leaves, tree_map, tree_paths, tree_random_like, tree_zeros_like
from rnn_tutorial.unroll import unroll, unroll_backward
from rnn_tutorial.validation import check_like, check_rng


class GradientError(AssertionError):
    """A gradient that is not the slope of its function; the message says where."""


def complex_step_slope(loss, point, direction, step=1e-20):
    """Return d/ds loss(point + s * direction) at s = 0 as Im loss(point + i * step * direction) / step.

    There is no subtraction, so no digits are lost and the step can be as small as you like: exact to rounding. `loss`
    must be analytic code: no abs, no real part, no conjugate. Source: Squire & Trapp 1998; Martins et al. 2003,
    equation 6.
    """
    return np.imag(loss(tree_map(lambda p, v: p + 1j * step * v, point, direction))) / step


def central_difference_slope(loss, point, direction, step=1e-6):
    """Return d/ds loss(point + s * direction) at s = 0 as (loss at +step - loss at -step) / (2 step).

    Truncation error of order step^2, rounding error of order 1e-16 / step: at best six to ten digits in float64.
    """
    ahead = loss(tree_map(lambda p, v: p + step * v, point, direction))
    behind = loss(tree_map(lambda p, v: p - step * v, point, direction))
    return (ahead - behind) / (2 * step)


def numerical_gradient(loss, point, slope=complex_step_slope):
    """Return the gradient of `loss` at `point`, a tree like `point`, one entry at a time: the slope along each axis.

    loss: point -> scalar. Costs an evaluation or two for every entry, so it is for small points: a reference, and a
    diagnosis.
    """
    direction, gradient = tree_zeros_like(point), tree_zeros_like(point)
    for axis, leaf in zip(tree_leaves(direction), tree_leaves(gradient)):
        for index in np.ndindex(axis.shape):
            axis[index] = 1
            leaf[index] = slope(loss, point, direction)
            axis[index] = 0
    return gradient


def relative_error(value, reference):
    """Return max |value - reference| / max |reference| over all entries; where the reference is all zero, max |value|.

    NaN counts as infinitely wrong.
    """
    worst = np.max(np.abs(value - reference), initial=0.0)
    scale = np.max(np.abs(reference), initial=0.0)
    error = worst / scale if scale > 0 else worst
    return float(error) if np.isfinite(error) else float("inf")


def compare(name, value, reference, rtol=1e-9):
    """Print one line: the name, the shape, the largest relative error of `value` against `reference`, and a verdict.

    A tick if value and reference have one shape and the error is at most rtol, else a cross.
    """
    value, reference = np.asarray(value), np.asarray(reference)
    if value.shape != reference.shape:
        print(f"{name:<12} {value.shape!s:<14} has another shape than the reference, {reference.shape}   ✗")
        return
    error = relative_error(value, reference)
    print(f"{name:<12} {value.shape!s:<14} largest relative error {error:.0e}   {'✓' if error <= rtol else '✗'}")


def check_gradients(f, f_backward, point, rng, *, slope=complex_step_slope, rtol=1e-12):
    """Return nothing, or raise GradientError naming the leaf and index at fault.

    f(point) -> (outputs, cache) and f_backward(cache, doutputs) -> dpoint, all of them trees of arrays. The loss is a
    random projection of all the outputs, so a gradient arrives at each. Pass `slope=central_difference_slope,
    rtol=1e-6` for a function that does not accept complex numbers.
    """
    point_before = tree_map(np.copy, point)
    outputs, cache = f(point)
    projection = tree_random_like(outputs, rng)
    before = point_before, tree_map(np.copy, projection)
    dpoint = f_backward(cache, projection)
    check_like("gradient", dpoint, point)
    if any(not np.array_equal(old, new) for old, new in zip(tree_leaves(before), tree_leaves((point, projection)))):
        raise GradientError("the function or its backward changed its inputs in place")

    def loss(p):
        return tree_dot(f(p)[0], projection)

    direction = tree_random_like(point, rng)
    contributions = tree_map(np.multiply, dpoint, direction)
    scale = sum(np.sum(np.abs(leaf)) for leaf in tree_leaves(contributions))
    error = abs(sum(np.sum(leaf) for leaf in tree_leaves(contributions)) - slope(loss, point, direction))
    if not error <= rtol * scale:
        raise GradientError(diagnose(dpoint, numerical_gradient(loss, point, slope), rtol))


def diagnose(gradient, reference, rtol):
    """Return a text that names, for each leaf that is off by more than rtol, its error and its worst entry."""
    lines = []
    for (path, value), (_, want) in zip(tree_paths(gradient), tree_paths(reference)):
        error = relative_error(value, want)
        if error > rtol:
            off = np.nan_to_num(np.abs(value - want), nan=np.inf)
            worst = tuple(int(k) for k in np.unravel_index(np.argmax(off), off.shape))
            wrong = int(np.sum(off > rtol * np.max(np.abs(want), initial=0.0)))
            lines.append(
                f"{path}: relative error {error:.1e}, {wrong} of {value.size} entries wrong; "
                f"worst at {worst}: got {value[worst]:.6g}, expected {want[worst]:.6g}"
            )
    return "wrong gradient\n" + "\n".join(lines or ["each entry is within rtol, the sum along a random direction is not"])


def random_start(cell, rng, B, D, H):
    """Return (params, state) with every entry drawn from N(0, 0.3^2): a zero bias or state would hide mistakes."""
    params = cell.init(rng, D, H)
    return tree_random_like(params, rng, 0.3), tree_random_like(cell.initial_state(params, B), rng, 0.3)


def check_cell(cell, rng, *, T=6, B=3, D=4, H=5, slope=complex_step_slope, rtol=1e-12):
    """Return nothing, or raise GradientError: the cell over T steps, whole and ragged, every gradient checked.

    Random non-zero biases and first state, a gradient arriving at each step and at the last state, and a second run
    with lengths from T down to 1. Checked: all parameters, all inputs, the first state, which are [0], [1] and [2] in the
    message. For a cell that does not accept complex numbers, `slope=central_difference_slope, rtol=1e-6`: NumPy drops the
    imaginary part in `abs`, say, and then a right gradient is called wrong.
    """
    check_is_cell(cell)
    check_rng(rng)
    params, state = random_start(cell, rng, B, D, H)
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


def check_layer(layer, xs, rng, *, mask=None, slope=complex_step_slope, rtol=1e-12):
    """Return nothing, or raise GradientError: parameters and inputs of a layer or a model, from random parameters.

    Inputs of integers (an `Embedding`'s) have no gradient and are left out.
    """
    params = tree_random_like(layer.init(rng), rng, 0.3)
    floats = np.issubdtype(xs.dtype, np.inexact)

    def forward(point):
        ys, _, cache = layer.forward(point[0], point[1] if floats else xs, mask=mask)
        return ys, cache

    def backward(cache, dys):
        dparams, dxs, _ = layer.backward(params, cache, dys)
        return (dparams, dxs) if floats else (dparams,)

    check_gradients(forward, backward, (params, xs) if floats else (params,), rng, slope=slope, rtol=rtol)
