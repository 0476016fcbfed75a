"""The slope of a function along a direction, by the complex step or the central difference.

Both take f: point -> scalar, or tree of arrays, and return d/ds f(point + s * direction) at s = 0,
leaf by leaf.

The complex step is exact, but only for code that carries the imaginary part from the point to the
outputs. NumPy drops it often (a buffer made with `np.zeros`, abs, `.real`, float) and then the
slope is zero, or wrong, without an error. So each complex step is compared with the central
difference along the same direction (`rnn_tutorial.gradient_check.crosscheck`) and is refused, with
ComplexStepLost, where they contradict each other.

What the complex step is blind to, and this comparison too: a part of less than 1e-4 of the largest
slope of an output leaf; slopes that are lost in rounding (smaller than 1e-10 of the output, or than
1e-10 where numbers within the function are of size 1) or in curvature, so that no step from 1e-10
to 1e-2 gives a central difference that can be trusted. There the complex step is believed, unless
the output is real and changes with the point: that is refused always.
"""

import os
import traceback
import warnings

import numpy as np

from rnn_tutorial.gradient_check.crosscheck import KINK, contradictions
from rnn_tutorial.tree import tree_leaves, tree_map, tree_paths, tree_zeros_like

__all__ = [
    "CAUSES",
    "CannotJudge",
    "ComplexStepLost",
    "central_difference_slope",
    "check_outputs",
    "check_plain",
    "check_point",
    "complex_step_slope",
    "numerical_gradient",
]

CAUSES = (
    "Usual causes: writing into a buffer of real numbers (np.zeros), abs, np.linalg.norm, .real, np.conj, float(), "
    "astype(float), functions of math. Write analytic code (a buffer with dtype=x.dtype, x * x for abs(x) ** 2), or take "
    "central differences: slope=central_difference_slope, rtol=1e-6"
)


class ComplexStepLost(TypeError):
    """A function that does not carry the imaginary part: its complex step says nothing about any
    gradient, right or wrong."""


class CannotJudge(ArithmeticError):
    """A slope that cannot be told from rounding, or does not exist at this point: the message says
    where and what to do."""


def complex_step_slope(f, point, direction, step=1e-20):
    """Return d/ds f(point + s * direction) at s = 0 as Im f(point + i * step * direction) / step,
    leaf by leaf.

    There is no subtraction, so no digits are lost and the step can be as small as you like: exact
    to rounding. Costs one evaluation at a complex point and two at real ones, which compare it with
    the central difference; up to 25 more where these do not settle it. An output of whole numbers
    or booleans has slope zero, and so has a real one that does not change with the point; any other
    real output is refused.

    Raises: ComplexStepLost if the imaginary part does not reach an output, or reaches it wrong;
    CannotJudge at a kink; TypeError unless the leaves of the point are float64.
    Source: Squire & Trapp 1998; Martins et al. 2003, equation 6.
    """
    check_point("point", point)
    outputs = _evaluate_complex(
        f, point, tree_map(lambda p, v: p + 1j * step * v, point, direction)
    )
    check_outputs("output", outputs)
    slopes = tree_map(lambda y: np.imag(y) / step, outputs)
    leaves = tree_paths(outputs, "output")
    found = contradictions(f, point, direction, tree_leaves(outputs), tree_leaves(slopes))
    for index, verdict in found.items():
        name, leaf = leaves[index]
        if verdict == KINK:
            raise CannotJudge(
                f"{name}: the function has a kink at this point (relu at 0?) and no slope: move the point"
            )
        what = (
            "carries a wrong imaginary part: its slope is not"
            if np.iscomplexobj(leaf)
            else "is real, but changes with"
        )
        seen = "that of the central difference" if np.iscomplexobj(leaf) else "the point"
        raise ComplexStepLost(
            f"{name} {what} {seen}, so the complex step cannot judge this function. {CAUSES}"
        )
    return slopes


def central_difference_slope(f, point, direction, step=1e-6):
    """Return d/ds f(point + s * direction) at s = 0 as (f at +step - f at -step) / (2 step), leaf
    by leaf.

    Truncation error of order step^2, rounding error of order 1e-16 / step: at best six to ten
    digits in float64.

    Raises: TypeError unless the leaves of the point are float64.
    """
    check_point("point", point)
    ahead = f(tree_map(lambda p, v: p + step * v, point, direction))
    behind = f(tree_map(lambda p, v: p - step * v, point, direction))
    check_outputs("output", ahead)
    return tree_map(lambda a, b: _difference(a, b) / (2 * step), ahead, behind)


def numerical_gradient(loss, point, slope=complex_step_slope):
    """Return the gradient of `loss` at `point`, a tree like `point`, one entry at a time: the slope
    along each axis.

    loss: point -> scalar. Costs an evaluation of `slope` for every entry, so it is for small
    points: a reference, and a diagnosis.

    Raises: TypeError unless the leaves of the point are float64 and the loss is a scalar; what
    `slope` raises.
    """
    check_point("point", point)
    direction, gradient = tree_zeros_like(point), tree_zeros_like(point)
    for axis, leaf in zip(tree_leaves(direction), tree_leaves(gradient)):
        for index in np.ndindex(axis.shape):
            axis[index] = 1
            leaf[index] = _scalar(slope(loss, point, direction))
            axis[index] = 0
    return gradient


def check_point(name, point):
    """Raise TypeError unless every leaf of `point` is a float, or a plain NumPy array, of float64.

    A gradient of whole numbers would be cut to whole numbers; float32 has too few digits for any of
    the checks here.
    """
    for path, leaf in tree_paths(point, name):
        check_plain(path, leaf)
        dtype = np.asarray(leaf).dtype
        if dtype.kind != "f":
            raise TypeError(f"{path}: expected float64, got {dtype}, along which there is no slope")
        if dtype.itemsize < 8:
            cast = "cast the point first, tree_cast(point, np.float64)"
            raise TypeError(
                f"{path}: expected float64, got {dtype}, too few digits to judge a gradient: {cast}"
            )


def check_outputs(name, outputs):
    """Raise TypeError unless every leaf of `outputs` is a number or a plain NumPy array, of double
    precision if not whole."""
    for path, leaf in tree_paths(outputs, name):
        check_plain(path, leaf)
        dtype = np.asarray(leaf).dtype
        if dtype.kind not in "fcbiu":
            raise TypeError(f"{path}: expected an array of numbers, got {dtype}")
        if dtype.kind in "fc" and np.finfo(dtype).precision < 15:
            raise TypeError(
                f"{path}: expected double precision, got {dtype}, too few digits to judge a gradient"
            )


def check_plain(name, leaf):
    """Raise TypeError unless `leaf` is a number or a NumPy array; np.matrix and masked arrays are
    not: * and sum differ."""
    if type(leaf) not in (np.ndarray, np.memmap) and not isinstance(
        leaf, (bool, int, float, complex, np.number, np.bool_)
    ):
        raise TypeError(f"{name}: expected a NumPy array, got {type(leaf).__name__}")


def _evaluate_complex(f, point, moved):
    """Return f(moved), or raise ComplexStepLost where NumPy says that it drops an imaginary part,
    or f takes none."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        try:
            return f(moved)
        except np.exceptions.ComplexWarning as warning:
            place = f"NumPy drops the imaginary part {_place(warning)}"
            raise ComplexStepLost(
                f"{place}, so the complex step cannot judge this function. {CAUSES}"
            ) from warning
        except TypeError as error:
            f(
                point
            )  # an error that has nothing to do with complex numbers comes from here, as it is
            text = f"the function does not take complex numbers {_place(error)} ({error})"
            raise ComplexStepLost(
                f"{text}, so the complex step cannot judge it. {CAUSES}"
            ) from error


def _place(error):
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"in `{frame.line}` ({os.path.basename(frame.filename)}, line {frame.lineno})"


def _difference(ahead, behind):
    """Return ahead - behind; zero for whole numbers and booleans, which have no slope."""
    whole = np.asarray(ahead).dtype.kind in "biu"
    return np.zeros(np.shape(ahead)) if whole else np.real(ahead - behind)


def _scalar(slope):
    if isinstance(slope, (tuple, list, dict)) or np.ndim(slope) != 0:
        raise TypeError(
            f"loss: expected a scalar, got {type(slope).__name__} of shape {np.shape(slope)}"
        )
    return slope
