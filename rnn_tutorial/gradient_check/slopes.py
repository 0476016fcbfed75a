"""The slope of a function along a direction, by the complex step or the central difference.

Both take f: point -> scalar, or tree of arrays, and return d/ds f(point + s * direction) at s = 0,
leaf by leaf.

The complex step is exact, but only for code that carries the imaginary part from the point to the
outputs. NumPy often drops it (a buffer made with `np.zeros`, abs, `.real`, float) and then the
slope is zero, or wrong, without an error. So each complex step is compared with the central
difference along the same direction (`rnn_tutorial.gradient_check.crosscheck`). Where the two
contradict each other, it is refused with ComplexStepLost.

What the complex step is blind to, and this comparison too: a part of less than 1e-4 of the largest
slope of an output leaf; slopes that are lost in rounding (smaller than 1e-10 of the output, or than
1e-10 where numbers within the function are of size 1) or in curvature, so that no step from 1e-10
to 1e-2 gives a central difference that can be trusted. There the complex step is trusted, unless
the output is real and changes with the point: that is always refused.
"""

import os
import traceback
import warnings
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from rnn_tutorial.gradient_check.crosscheck import KINK, contradictions
from rnn_tutorial.tree import tree_leaves, tree_map, tree_paths, tree_zeros_like
from rnn_tutorial.types import Array, Tree
from rnn_tutorial.validation import check_finite

__all__ = [
    "CAUSES",
    "CannotJudge",
    "ComplexStepLost",
    "Slope",
    "central_difference_slope",
    "check_outputs",
    "check_plain",
    "check_point",
    "complex_step_slope",
    "numerical_gradient",
]

CAUSES = (
    "Usual causes: writing into a buffer of real numbers (np.zeros), abs, np.linalg.norm, .real, "
    "np.conj, float(), astype(float), functions of math. Write analytic code (a buffer with "
    "dtype=x.dtype, x * x for abs(x) ** 2), or take central differences: "
    "slope=central_difference_slope, rtol=1e-6"
)

Slope: TypeAlias = Callable[[Callable[[Any], Any], Tree, Tree], Tree]
"""(f, point, direction) -> the slope of f along the direction: complex step, central difference."""


class ComplexStepLost(TypeError):
    """A function that loses the imaginary part, so its complex step cannot judge a gradient."""


class CannotJudge(ArithmeticError):
    """A slope that is lost in rounding, or does not exist at this point.

    The message says where, and what to do.
    """


def complex_step_slope(
    f: Callable[[Any], Any], point: Tree, direction: Tree, step: float = 1e-20
) -> Tree:
    """Return the slope of f by the complex step, leaf by leaf.

    d/ds f(point + s * direction) at s = 0 is Im f(point + i * step * direction) / step. There is no
    subtraction, so no digits are lost and the step can be as small as you like: exact to rounding.
    Costs one evaluation at a complex point and two at real ones, for the central difference; up to
    25 more where these do not settle it. An output of whole numbers or booleans has slope zero, and
    so has a real one that does not change with the point; any other real output is refused.

    Raises: ComplexStepLost if the imaginary part does not reach an output, or reaches it wrong;
    CannotJudge at a kink; TypeError unless the leaves of the point are float64; NotFiniteError for
    a NaN or an infinity in the point.
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
                f"{name}: the function has a kink at this point (relu at 0?) and no slope: "
                "move the point"
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


def central_difference_slope(
    f: Callable[[Any], Any], point: Tree, direction: Tree, step: float = 1e-6
) -> Tree:
    """Return the slope of f by the central difference, leaf by leaf.

    d/ds f(point + s * direction) at s = 0 is about (f at s = step - f at s = -step) / (2 step).
    Truncation error of order step^2, rounding error of order 1e-16 / step: at best six to ten
    digits in float64.

    Raises: TypeError unless the leaves of the point are float64; NotFiniteError for a NaN or an
    infinity in the point.
    """
    check_point("point", point)
    ahead = f(tree_map(lambda p, v: p + step * v, point, direction))
    behind = f(tree_map(lambda p, v: p - step * v, point, direction))
    check_outputs("output", ahead)
    return tree_map(lambda a, b: _difference(a, b) / (2 * step), ahead, behind)


def numerical_gradient(
    loss: Callable[[Any], Any], point: Tree, slope: Slope = complex_step_slope
) -> Tree:
    """Return the gradient of `loss` at `point`, a tree like `point`: the slope along each axis.

    loss: point -> scalar. Costs an evaluation of `slope` for every entry, so it is for small
    points: a reference, and a diagnosis.

    Raises: TypeError unless the leaves of the point are float64 and the loss is a scalar;
    NotFiniteError for a NaN or an infinity in the point; what `slope` raises.
    """
    check_point("point", point)
    direction, gradient = tree_zeros_like(point), tree_zeros_like(point)
    for axis, leaf in zip(tree_leaves(direction), tree_leaves(gradient)):
        for index in np.ndindex(axis.shape):
            axis[index] = 1
            leaf[index] = _scalar(slope(loss, point, direction))
            axis[index] = 0
    return gradient


def check_point(name: str, point: Tree) -> None:
    """Raise an error unless every leaf of `point` is a float or a NumPy array of finite float64.

    A gradient of whole numbers would be cut to whole numbers; float32 has too few digits for any of
    the checks here.

    Raises: TypeError for another type or dtype; NotFiniteError for a NaN or an infinity.
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
        check_finite(path, np.asarray(leaf))


def check_outputs(name: str, outputs: Tree) -> None:
    """Raise TypeError unless every leaf of `outputs` is a number or a plain NumPy array.

    Its dtype must be one of whole numbers, or have double precision.
    """
    for path, leaf in tree_paths(outputs, name):
        check_plain(path, leaf)
        dtype = np.asarray(leaf).dtype
        if dtype.kind not in "fcbiu":
            raise TypeError(f"{path}: expected an array of numbers, got {dtype}")
        if dtype.kind in "fc" and np.finfo(dtype).precision < 15:
            raise TypeError(
                f"{path}: expected double precision, got {dtype}, too few digits to judge "
                "a gradient"
            )


def check_plain(name: str, leaf: Any) -> None:
    """Raise TypeError unless `leaf` is a number or a NumPy array.

    np.matrix and masked arrays are refused: their * and sum differ.
    """
    if type(leaf) not in (np.ndarray, np.memmap) and not isinstance(
        leaf, (bool, int, float, complex, np.number, np.bool_)
    ):
        raise TypeError(f"{name}: expected a NumPy array, got {type(leaf).__name__}")


def _evaluate_complex(f: Callable[[Any], Any], point: Tree, moved: Tree) -> Tree:
    """Return f(moved).

    Raises: ComplexStepLost if NumPy warns that it drops an imaginary part, or if f does not take
    complex numbers.
    """
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
            f(point)  # raises an error that has nothing to do with complex numbers, as it is
            text = f"the function does not take complex numbers {_place(error)} ({error})"
            raise ComplexStepLost(
                f"{text}, so the complex step cannot judge it. {CAUSES}"
            ) from error


def _place(error: BaseException) -> str:
    """Return the line of code that raised the error."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"in `{frame.line}` ({os.path.basename(frame.filename)}, line {frame.lineno})"


def _difference(ahead: Any, behind: Any) -> Array:
    """Return ahead - behind; zero for whole numbers and booleans, which have no slope."""
    whole = np.asarray(ahead).dtype.kind in "biu"
    return np.zeros(np.shape(ahead)) if whole else np.real(ahead - behind)


def _scalar(slope: Any) -> Any:
    """Return the slope. Raises: TypeError unless it is a scalar."""
    if isinstance(slope, (tuple, list, dict)) or np.ndim(slope) != 0:
        raise TypeError(
            f"loss: expected a scalar, got {type(slope).__name__} of shape {np.shape(slope)}"
        )
    return slope
