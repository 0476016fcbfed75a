"""Bundles of curves, {label: values}: checked, and each curve given a colour, dashes and marker."""

from collections.abc import Sized
from typing import Any, TypeAlias

import numpy as np

from rnn_tutorial.plotting.style import LINES
from rnn_tutorial.types import Array

__all__ = [
    "Curves",
    "Look",
    "check_bundle",
    "check_length",
    "gap_at_zero",
    "lines",
    "marker_spacing",
]


Curves: TypeAlias = dict[str, Any]
"""{label: values}, the values an array or a sequence of numbers."""

Look: TypeAlias = dict[str, Any]
"""Colour, dashes and marker of a line, as keyword arguments of `Axes.plot`."""


def lines(bundle: Curves) -> list[tuple[str, Array, Look]]:
    """Return (label, (N,) array, look of the line) for each curve of a dict {label: values}.

    Raises: TypeError unless the bundle is a dict; ValueError for more curves than there are looks,
    and for values that are not of shape (N,).
    """
    check_bundle(bundle)
    curves = {label: np.asarray(values, dtype=float) for label, values in bundle.items()}
    for label, values in curves.items():
        if values.ndim != 1 or values.size == 0:
            raise ValueError(f"{label}: expected values of shape (N,), got {values.shape}")
    return [
        (label, values, line) for (label, values), line in zip(curves.items(), LINES, strict=False)
    ]


def check_bundle(bundle: Curves) -> None:
    """Raise TypeError unless the bundle is a dict, ValueError if it has more entries than looks."""
    if not isinstance(bundle, dict):
        raise TypeError(f"expected a dict {{label: values}}, got {type(bundle).__name__}")
    if len(bundle) > len(LINES):
        raise ValueError(
            f"expected at most {len(LINES)} curves, as many as can be told apart, got {len(bundle)}"
        )


def check_length(name: str, label: str, values: Array, N: int) -> None:
    """Raise ValueError unless there are N values."""
    if len(values) != N:
        raise ValueError(f"{name}, {label}: expected {N} values, got {len(values)}")


def gap_at_zero(values: Array) -> Array:
    """Return the values with NaN, which is not drawn, in place of 0, which no log axis can show."""
    return np.where(np.asarray(values) == 0, np.nan, values)


def marker_spacing(values: Sized) -> int:
    """Return the spacing of markers that leaves about a dozen of them on a curve."""
    return max(1, len(values) // 12)
