"""From a data set to batches: splitting, shuffling, windows over a long text, scaling, padding.

Sequence data is time first, so the examples of an array `(T, N, D)` lie along axis 1. An array without a time axis,
such as targets `(N, K)` with one row a sequence, has them along axis 0; say so with `axes=(1, 0)`: left out, an array of as many
columns as there are examples would be cut along its columns.
"""

import numpy as np

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


def split(rng, fractions, *arrays, axes=None):
    """Return the examples of `arrays`, shuffled and divided into parts: one tuple of arrays for each fraction.

    `(xs, targets), (xs_test, targets_test) = split(rng, (0.8, 0.2), xs, targets)`. Every example is in exactly one
    part. `axes` holds the axis of the examples for each array, 1 for all of them if left out.

    Errors: ValueError for fractions that are not positive or do not add up to 1, for a part with no example, for arrays
    with different numbers of examples.
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


def shuffled_batches(rng, batch_size, *arrays, axes=None):
    """Yield the examples of `arrays` in random order, `batch_size` at a time: tuples of arrays, every example once.

    The last batch holds what is left over and may be smaller. `axes` as in `split`: for `xs` (T, N, D) with one target
    a sequence, `targets` (N, K), it is (1, 0).
    """
    check_rng(rng)
    check_positive("batch_size", batch_size)
    N, axes = _examples(arrays, axes)
    order = rng.permutation(N)
    for start in range(0, N, batch_size):
        yield _take(arrays, axes, order[start : start + batch_size])


def random_windows(rng, indices, T, B):
    """Yield, without end, (xs, targets), both (T, B): B windows of a text, each from its own random place.

    targets[t, b] is the symbol after xs[t, b]. Windows have nothing to do with each other: start each from a zero
    state.
    """
    check_rng(rng)
    _check_text(indices, T + 1, T=T, B=B)
    steps = np.arange(T)[:, None]
    while True:
        places = steps + rng.integers(len(indices) - T, size=B)  # (T, B)
        yield indices[places], indices[places + 1]


def consecutive_windows(indices, T, B):
    """Yield (xs, targets), both (T, B), through a text once: column b goes on where column b of the last pair stopped.

    The text is cut into B streams of equal length, read side by side, so the last state of one pair is the first state
    of the next. targets[t, b] is the symbol after xs[t, b]. Fewer than T * B symbols, plus what is left over by the
    division by B, are not reached at the ends of the streams.
    """
    _check_text(indices, T * B + 1, T=T, B=B)
    length = (len(indices) - 1) // B
    xs = indices[: B * length].reshape(B, length).T
    targets = indices[1 : B * length + 1].reshape(B, length).T
    for start in range(0, length - T + 1, T):
        yield xs[start : start + T].copy(), targets[start : start + T].copy()


def mean_and_std(xs, *, mask=None):
    """Return mean and standard deviation of each feature of `xs` (..., D), over everything else: two arrays (D,).

    Take them from the training set and apply them to all sets: `standardize(xs_test, *mean_and_std(xs))`.
    With a mask (T, B), padding does not count.

    Errors: ValueError for a feature that never changes: it cannot be scaled; for numbers that are not finite, and for a
    mask that is False everywhere.
    """
    if not isinstance(xs, np.ndarray) or xs.ndim < 2:
        raise ValueError(
            f"xs: expected a NumPy array of shape (..., D), got {type(xs).__name__} of shape {np.shape(xs)}"
        )
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


def standardize(xs, mean, std):
    """Return (xs - mean) / std, feature by feature: `xs` (..., D), `mean` and `std` (D,). ValueError unless std > 0."""
    check_array("mean", mean, D=xs.shape[-1])
    check_array("std", std, D=xs.shape[-1])
    if not (std > 0).all():
        raise ValueError(f"std: expected positive numbers, got {std}")
    return (xs - mean) / std


def pad(sequences):
    """Return (xs, mask): sequences (T_b, ...) side by side in one array (T, B, ...), zeros after the end of each.

    T is the length of the longest; mask (T, B) is True on real steps, False on padding.

    Errors: ValueError for no sequence at all, an empty sequence, or steps of different shape; TypeError for mixed
    dtypes.
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
            raise TypeError(
                f"sequences[{b}]: expected dtype {first.dtype}, as sequences[0] has, got {sequence.dtype}"
            )
    mask = lengths_to_mask([len(sequence) for sequence in sequences], max(map(len, sequences)))
    xs = np.zeros(mask.shape + first.shape[1:], first.dtype)
    for b, sequence in enumerate(sequences):
        xs[: len(sequence), b] = sequence
    return xs, mask


def lengths_to_mask(lengths, T):
    """Return the mask (T, B) of B sequences of the given lengths: mask[t, b] = t < lengths[b].

    >>> lengths_to_mask([1, 3], 3).astype(int)
    array([[1, 1],
           [0, 1],
           [0, 1]])
    """
    check_positive("T", T)
    lengths = np.asarray(lengths)
    if lengths.ndim != 1 or not np.issubdtype(lengths.dtype, np.integer):
        raise TypeError(
            f"lengths: expected whole numbers of shape (B,), got {lengths.dtype} of shape {lengths.shape}"
        )
    if (lengths < 1).any() or (lengths > T).any():
        raise ValueError(f"lengths: expected 1 to T = {T}, got {lengths.tolist()}")
    return np.arange(T)[:, None] < lengths


def bucket_by_length(rng, lengths, batch_size):
    """Return the numbers of the sequences, in batches of about one length: a list of index arrays, each at most batch_size.

    The batches hold every sequence once. Sequences of one length are shuffled, and so are the batches; only the last of the
    longest may be smaller. Padding is then the difference of lengths within a batch, and no longer that within all data.

    >>> [batch.tolist() for batch in bucket_by_length(np.random.default_rng(0), [3, 9, 3, 8], batch_size=2)]
    [[3, 1], [2, 0]]
    """
    check_rng(rng)
    check_positive("batch_size", batch_size)
    lengths = np.asarray(lengths)
    if lengths.ndim != 1 or len(lengths) == 0 or not np.issubdtype(lengths.dtype, np.integer):
        raise TypeError(
            f"lengths: expected whole numbers of shape (N,), got {lengths.dtype} of shape {lengths.shape}"
        )
    order = rng.permutation(len(lengths))
    order = order[np.argsort(lengths[order], kind="stable")]
    batches = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
    return [batches[k] for k in rng.permutation(len(batches))]


def _examples(arrays, axes):
    """Return (N, axes), or refuse arrays that do not all have N examples along their axis."""
    axes = (1,) * len(arrays) if axes is None else tuple(axes)
    if not arrays or len(axes) != len(arrays):
        raise ValueError(
            f"axes: expected one axis for each of at least one array, got {axes} for {len(arrays)} arrays"
        )
    for k, (array, axis) in enumerate(zip(arrays, axes, strict=True)):
        if not isinstance(array, np.ndarray) or not 0 <= axis < array.ndim:
            got = f"{type(array).__name__} of shape {np.shape(array)}"
            raise ValueError(
                f"arrays[{k}]: expected a NumPy array with an axis {axis} of examples (see `axes`), got {got}"
            )
        if array.shape[axis] != arrays[0].shape[axes[0]]:
            raise ValueError(
                f"arrays[{k}]: expected {arrays[0].shape[axes[0]]} examples, as arrays[0] has along axis {axes[0]}, "
                f"got {array.shape[axis]} along axis {axis}; `axes` says where the examples of each array lie"
            )
    return arrays[0].shape[axes[0]], axes


def _take(arrays, axes, places):
    return tuple(
        np.take(array, places, axis=axis) for array, axis in zip(arrays, axes, strict=True)
    )


def _check_text(indices, least, *, T, B):
    check_positive("T", T)
    check_positive("B", B)
    check_array("indices", indices, N=None)
    if not np.issubdtype(indices.dtype, np.integer):
        raise TypeError(f"indices: expected whole numbers, got dtype {indices.dtype}")
    if len(indices) < least:
        raise ValueError(
            f"indices: windows of T = {T}, B = {B} need at least {least} symbols, got {len(indices)}"
        )
