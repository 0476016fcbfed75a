"""From a data set to batches: splitting, shuffling, windows over a long text, scaling, padding.

Sequence data has time first, so the examples of an array (T, N, D) are along axis 1. An array
without a time axis, such as targets (N, K) with one row a sequence, has them along axis 0. Say so
with `axes=(1, 0)`. Without it, an array with as many columns as there are examples would be divided
along its columns.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from rnn_tutorial.types import Array, ArrayLike, Mask, Rng
from rnn_tutorial.validation import check_array, check_finite, check_mask, check_positive, check_rng

__all__ = [
    "bucket_by_length",
    "consecutive_windows",
    "lengths_to_mask",
    "mean_and_std",
    "pad",
    "random_windows",
    "shuffled_batches",
    "split",
    "standardize",
]


def split(
    rng: Rng, fractions: Sequence[float], *arrays: Array, axes: Sequence[int] | None = None
) -> list[tuple[Array, ...]]:
    """Return the examples of `arrays`, shuffled and divided into parts, one for each fraction.

    A part is a tuple of arrays: `(xs, targets), (xs_test, targets_test) = split(rng, (0.8, 0.2),
    xs, targets)`. Every example is in exactly one part. `axes` has the axis of the examples for
    each array; without it, that is axis 1 for all.

    Raises: ValueError for fractions that are not positive or do not add up to 1, for a part with no
    example, and for arrays with different numbers of examples.
    """
    check_rng(rng)
    if not all(fraction > 0 for fraction in fractions) or abs(sum(fractions) - 1) > 1e-9:
        raise ValueError(f"fractions: expected positive numbers that add up to 1, got {fractions}")
    N, axes = _examples(arrays, axes)
    ends = np.rint(np.cumsum(fractions)[:-1] * N).astype(int)
    parts = np.split(rng.permutation(N), ends)
    if any(part.size == 0 for part in parts):
        raise ValueError(f"fractions: {fractions} of {N} examples leaves a part with no example")
    return [_take(arrays, axes, part) for part in parts]


def shuffled_batches(
    rng: Rng, batch_size: int, *arrays: Array, axes: Sequence[int] | None = None
) -> Iterator[tuple[Array, ...]]:
    """Yield the examples of `arrays` in random order, `batch_size` at a time: tuples of arrays.

    Every example comes once. The last batch has the rest and may be smaller. `axes` is as in
    `split`: for `xs` (T, N, D) with one target a sequence, `targets` (N, K), it is (1, 0).
    """
    check_rng(rng)
    check_positive("batch_size", batch_size)
    N, axes = _examples(arrays, axes)
    order = rng.permutation(N)
    for start in range(0, N, batch_size):
        yield _take(arrays, axes, order[start : start + batch_size])


def random_windows(rng: Rng, indices: Array, T: int, B: int) -> Iterator[tuple[Array, Array]]:
    """Yield, without end, (xs, targets): B windows of a text, each from its own random place.

    targets[t, b] is the symbol after xs[t, b]. The windows are independent: start each from a zero
    state.

    Shapes: indices (N,), xs and targets (T, B).
    """
    check_rng(rng)
    _check_text(indices, T + 1, T=T, B=B)
    steps = np.arange(T)[:, None]
    while True:
        places = steps + rng.integers(len(indices) - T, size=B)  # (T, B)
        yield indices[places], indices[places + 1]


def consecutive_windows(indices: Array, T: int, B: int) -> Iterator[tuple[Array, Array]]:
    """Yield (xs, targets) through a text once: column b continues column b of the pair before.

    The text is divided into B streams of equal length, side by side, so the last state of one pair
    is the first state of the next. targets[t, b] is the symbol after xs[t, b]. Fewer than T * B
    symbols at the ends of the streams are not reached, and neither is the rest of the division by
    B.

    Shapes: indices (N,), xs and targets (T, B).
    """
    _check_text(indices, T * B + 1, T=T, B=B)
    length = (len(indices) - 1) // B
    xs = indices[: B * length].reshape(B, length).T
    targets = indices[1 : B * length + 1].reshape(B, length).T
    for start in range(0, length - T + 1, T):
        yield xs[start : start + T].copy(), targets[start : start + T].copy()


def mean_and_std(xs: Array, *, mask: Mask | None = None) -> tuple[Array, Array]:
    """Return mean and standard deviation of each feature of `xs`, over all its other axes.

    Take them from the training set and apply them to all sets:
    `standardize(xs_test, *mean_and_std(xs))`. With a mask, padding does not count.

    Shapes: xs (..., D), mask (T, B) with xs (T, B, D), both results (D,).

    Raises: ValueError for a feature that never changes, which cannot be scaled, for numbers that
    are not finite, and for a mask that is False everywhere.
    """
    if not isinstance(xs, np.ndarray) or xs.ndim < 2:
        got = f"{type(xs).__name__} of shape {np.shape(xs)}"
        raise ValueError(f"xs: expected a NumPy array of shape (..., D), got {got}")
    if mask is not None:
        check_array("xs", xs, T=None, B=None, D=None)
        check_mask(mask, *xs.shape[:2])
        if not mask.any():
            raise ValueError("mask: expected at least one True, got none")
        xs = xs[mask]
    check_finite("xs", xs)
    every = tuple(range(xs.ndim - 1))
    mean, std = xs.mean(axis=every), xs.std(axis=every)
    if (std == 0).any():
        raise ValueError(
            f"xs: feature {int(np.argmax(std == 0))} never changes, so its standard deviation is 0"
        )
    return mean, std


def standardize(xs: Array, mean: Array, std: Array) -> Array:
    """Return (xs - mean) / std, feature by feature.

    Shapes: xs (..., D), mean and std (D,).

    Raises: ValueError unless std > 0.
    """
    check_array("mean", mean, D=xs.shape[-1])
    check_array("std", std, D=xs.shape[-1])
    if not (std > 0).all():
        raise ValueError(f"std: expected positive numbers, got {std}")
    return (xs - mean) / std


def pad(sequences: Sequence[Any]) -> tuple[Array, Mask]:
    """Return (xs, mask): the sequences side by side in one array, with zeros after the end of each.

    mask is True on real steps and False on padding. xs is that of PyTorch's `pad_sequence`. For a
    packed sequence, `pack_padded_sequence`, see `rnn_tutorial.sequence.pack`.

    Shapes: sequence b (T_b, ...), xs (T, B, ...), mask (T, B), where T is the length of the
    longest.

    Raises: ValueError for no sequence at all, an empty sequence, or steps of different shape;
    TypeError for different dtypes.
    """
    if not len(sequences):
        raise ValueError("sequences: expected at least one sequence, got none")
    sequences = [np.asarray(sequence) for sequence in sequences]
    first = sequences[0]
    for b, sequence in enumerate(sequences):
        if sequence.ndim == 0 or len(sequence) == 0 or sequence.shape[1:] != first.shape[1:]:
            want = ", ".join(map(str, ("T_b > 0", *first.shape[1:])))
            raise ValueError(f"sequences[{b}]: expected shape ({want}), got {sequence.shape}")
        if sequence.dtype != first.dtype:
            wanted = f"dtype {first.dtype}, as sequences[0] has"
            raise TypeError(f"sequences[{b}]: expected {wanted}, got {sequence.dtype}")
    mask = lengths_to_mask([len(sequence) for sequence in sequences], max(map(len, sequences)))
    xs = np.zeros(mask.shape + first.shape[1:], first.dtype)
    for b, sequence in enumerate(sequences):
        xs[: len(sequence), b] = sequence
    return xs, mask


def lengths_to_mask(lengths: ArrayLike, T: int) -> Mask:
    """Return the mask (T, B) of B sequences of the given lengths: mask[t, b] = t < lengths[b].

    Raises: TypeError unless the lengths are whole numbers (B,); ValueError for one outside 1 to T.

    Example:
    >>> lengths_to_mask([1, 3], 3).astype(int)
    array([[1, 1],
           [0, 1],
           [0, 1]])
    """
    check_positive("T", T)
    lengths = np.asarray(lengths)
    if lengths.ndim != 1 or not np.issubdtype(lengths.dtype, np.integer):
        got = f"{lengths.dtype} of shape {lengths.shape}"
        raise TypeError(f"lengths: expected whole numbers of shape (B,), got {got}")
    if (lengths < 1).any() or (lengths > T).any():
        raise ValueError(f"lengths: expected 1 to T = {T}, got {lengths.tolist()}")
    return np.arange(T)[:, None] < lengths


def bucket_by_length(rng: Rng, lengths: ArrayLike, batch_size: int) -> list[Array]:
    """Return batches of sequences of similar length: index arrays of at most batch_size entries.

    An index is the number of a sequence, and every sequence is in one batch. Sequences of one
    length are shuffled, and so are the batches; only the last of the longest may be smaller. Then
    the padding is the difference of lengths within a batch, not within all data.

    Raises: TypeError unless the lengths are whole numbers (N,); ValueError unless batch_size is a
    positive whole number.

    Example:
    >>> lengths = [3, 9, 3, 8]
    >>> batches = bucket_by_length(np.random.default_rng(0), lengths, batch_size=2)
    >>> [batch.tolist() for batch in batches]
    [[3, 1], [2, 0]]
    """
    check_rng(rng)
    check_positive("batch_size", batch_size)
    lengths = np.asarray(lengths)
    if lengths.ndim != 1 or len(lengths) == 0 or not np.issubdtype(lengths.dtype, np.integer):
        raise TypeError(
            "lengths: expected whole numbers of shape (N,), "
            f"got {lengths.dtype} of shape {lengths.shape}"
        )
    order = rng.permutation(len(lengths))
    order = order[np.argsort(lengths[order], kind="stable")]
    batches = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
    return [batches[k] for k in rng.permutation(len(batches))]


def _examples(arrays: tuple[Array, ...], axes: Sequence[int] | None) -> tuple[int, tuple[int, ...]]:
    """Return (N, axes).

    Raises: ValueError unless all arrays have N examples along their axis.
    """
    axes = (1,) * len(arrays) if axes is None else tuple(axes)
    if not arrays or len(axes) != len(arrays):
        got = f"{axes} for {len(arrays)} arrays"
        raise ValueError(f"axes: expected one axis for each of at least one array, got {got}")
    for k, (array, axis) in enumerate(zip(arrays, axes, strict=True)):
        if not isinstance(array, np.ndarray) or not 0 <= axis < array.ndim:
            got = f"{type(array).__name__} of shape {np.shape(array)}"
            wanted = f"a NumPy array with an axis {axis} of examples (see `axes`)"
            raise ValueError(f"arrays[{k}]: expected {wanted}, got {got}")
        if array.shape[axis] != arrays[0].shape[axes[0]]:
            raise ValueError(
                f"arrays[{k}]: expected {arrays[0].shape[axes[0]]} examples, "
                f"as arrays[0] has along axis {axes[0]}, "
                f"got {array.shape[axis]} along axis {axis}; "
                "`axes` says where the examples of each array lie"
            )
    return arrays[0].shape[axes[0]], axes


def _take(arrays: tuple[Array, ...], axes: Sequence[int], places: Array) -> tuple[Array, ...]:
    return tuple(
        np.take(array, places, axis=axis) for array, axis in zip(arrays, axes, strict=True)
    )


def _check_text(indices: Array, least: int, *, T: int, B: int) -> None:
    check_positive("T", T)
    check_positive("B", B)
    check_array("indices", indices, N=None)
    if not np.issubdtype(indices.dtype, np.integer):
        raise TypeError(f"indices: expected whole numbers, got dtype {indices.dtype}")
    if len(indices) < least:
        raise ValueError(
            f"indices: windows of T = {T}, B = {B} need at least {least} symbols, "
            f"got {len(indices)}"
        )
