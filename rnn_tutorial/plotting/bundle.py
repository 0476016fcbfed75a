"""A bundle of curves, {label: values}: checked, and told apart by colour, dashes and marker."""

import numpy as np

from rnn_tutorial.plotting.style import LINES

__all__ = [
    "few",
    "gap_at_zero",
    "lines",
    "refuse_other_bundle",
    "refuse_other_length",
]


def lines(bundle):
    """Return (label, (N,) array, look of the line) for each curve of a dict {label: values}; refuse anything else."""
    refuse_other_bundle(bundle)
    curves = {label: np.asarray(values, dtype=float) for label, values in bundle.items()}
    for label, values in curves.items():
        if values.ndim != 1 or values.size == 0:
            raise ValueError(f"{label}: expected values of shape (N,), got {values.shape}")
    return [
        (label, values, line) for (label, values), line in zip(curves.items(), LINES, strict=False)
    ]


def refuse_other_bundle(bundle):
    """Return nothing, or refuse what is not a dict, or has more entries than can be told apart."""
    if not isinstance(bundle, dict):
        raise TypeError(f"expected a dict {{label: values}}, got {type(bundle).__name__}")
    if len(bundle) > len(LINES):
        raise ValueError(
            f"expected at most {len(LINES)} curves, as many as can be told apart, got {len(bundle)}"
        )


def refuse_other_length(name, label, values, N):
    """Return nothing, or refuse `values` unless there are N of them."""
    if len(values) != N:
        raise ValueError(f"{name}, {label}: expected {N} values, got {len(values)}")


def gap_at_zero(values):
    """Return values with NaN, which is not drawn, in the place of 0, which has no place on a logarithmic axis."""
    return np.where(np.asarray(values) == 0, np.nan, values)


def few(values):
    """Return the spacing of markers that leaves about a dozen of them on a curve."""
    return max(1, len(values) // 12)
