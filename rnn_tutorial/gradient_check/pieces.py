"""Does a layer keep to the protocol of layers? What its methods return, and whether two pieces give
what the whole gives."""

import numpy as np

from rnn_tutorial.gradient_check.slopes import check_plain, check_point
from rnn_tutorial.layers.layer import CannotContinue, Layer
from rnn_tutorial.tree import tree_add, tree_map, tree_paths, tree_random_like

__all__ = [
    "METHODS",
    "StateLost",
    "check_inputs",
    "check_pieces",
    "check_protocol",
    "first_state",
    "parts",
    "run_forward",
    "run_backward",
]

METHODS = [
    name for name, member in vars(Layer).items() if callable(member) and not name.startswith("_")
]


class StateLost(AssertionError):
    """A layer that does not go on, in a second piece of a sequence, where the first piece ended."""


def check_protocol(layer):
    """Raise TypeError unless the layer has the methods of a Layer."""
    missing = [name for name in METHODS if not callable(getattr(layer, name, None))]
    if missing:
        raise TypeError(
            f"layer: expected the methods {', '.join(METHODS)}, got {type(layer).__name__} without {missing[0]}"
        )


def check_inputs(xs):
    """Raise TypeError unless xs is a plain NumPy array of float64 or of integers."""
    check_plain("xs", xs)
    if np.asarray(xs).dtype.kind not in "iu":
        check_point("xs", xs)


def first_state(layer, params, batch_size, rng):
    """Return a first state drawn from N(0, 0.3^2), or None for a layer that cannot continue."""
    try:
        return tree_random_like(layer.initial_state(params, batch_size), rng, 0.3)
    except CannotContinue:
        return None


def run_forward(layer, params, xs, state, mask):
    """Return layer.forward(...), or raise TypeError unless it is (ys, state, cache)."""
    return parts("layer.forward", layer.forward(params, xs, state, mask=mask), "(ys, state, cache)")


def run_backward(layer, params, cache, dys, dlast=None):
    """Return layer.backward(...), or raise TypeError unless it is (dparams, dxs, dstate)."""
    return parts(
        "layer.backward", layer.backward(params, cache, dys, dlast), "(dparams, dxs, dstate)"
    )


def parts(name, returned, expected):
    """Return `returned`, or raise TypeError unless it is a plain tuple with as many parts as
    `expected` names."""
    if type(returned) is not tuple or len(returned) != expected.count(",") + 1:
        got = f"a tuple of {len(returned)}" if type(returned) is tuple else type(returned).__name__
        raise TypeError(f"{name}: expected to get back {expected}, got {got}")
    return returned


def check_pieces(layer, params, xs, state, mask, rng):
    """Return nothing, or raise StateLost unless two pieces, one after the other, give what the
    whole sequence gives.

    Compared to 1e-12: outputs and last state, then all gradients, the first state's too. Of a layer
    with one answer a sequence (`Last`) the last piece's answer is the whole's; it is compared
    without a mask, since a sequence may end in the first piece. A sequence of one step has no
    pieces.
    """
    if len(xs) < 2:
        return
    cut = len(xs) // 2
    each_step = _has_steps(layer, params, xs, state, cut)
    masks = (mask[:cut], mask[cut:]) if mask is not None and each_step else (None, None)
    ys, last, cache = run_forward(layer, params, xs, state, mask if each_step else None)
    ys_1, middle, cache_1 = run_forward(layer, params, xs[:cut], state, masks[0])
    ys_2, end, cache_2 = run_forward(layer, params, xs[cut:], middle, masks[1])
    _compare(
        "forward",
        {"ys": ys, "last_state": last},
        {"ys": _join(each_step, ys_1, ys_2), "last_state": end},
        cut,
    )
    dys, dlast = tree_random_like(ys, rng), tree_random_like(last, rng)
    dys_1, dys_2 = (dys[:cut], dys[cut:]) if each_step else (np.zeros_like(ys_1), dys)
    whole = run_backward(layer, params, cache, dys, dlast)
    dparams_2, dxs_2, dmiddle = run_backward(layer, params, cache_2, dys_2, dlast)
    dparams_1, dxs_1, dfirst = run_backward(layer, params, cache_1, dys_1, dmiddle)
    dxs = () if xs.dtype.kind != "f" else np.concatenate([dxs_1, dxs_2])
    names = ("dparams", "dxs", "dfirst_state")
    whole = dict(zip(names, (whole[0], () if xs.dtype.kind != "f" else whole[1], whole[2])))
    _compare(
        "backward", whole, dict(zip(names, (tree_add(dparams_1, dparams_2), dxs, dfirst))), cut
    )


def _has_steps(layer, params, xs, state, cut):
    """Return whether the layer gives an output for each step: then fewer steps give another
    shape."""
    whole, piece = (run_forward(layer, params, some, state, None)[0] for some in (xs, xs[:cut]))
    return whole.shape != piece.shape


def _join(each_step, ys_1, ys_2):
    return np.concatenate([ys_1, ys_2]) if each_step else ys_2


def _compare(where, whole, pieces, cut):
    """Raise StateLost unless the two dicts of trees agree to 1e-12 of each leaf, or 1e-15 of the
    largest."""
    try:
        pairs = list(
            zip(tree_paths(whole), tree_paths(tree_map(lambda _, piece: piece, whole, pieces)))
        )
    except ValueError as error:
        raise StateLost(
            f"layer.{where}: another structure in two pieces than in one: {error}"
        ) from None
    largest = max(np.max(np.abs(leaf), initial=0.0) for (_, leaf), _ in pairs)
    for (path, want), (_, got) in pairs:
        same_shape = np.shape(want) == np.shape(got)
        error = np.max(np.abs(want - got), initial=0.0) if same_shape else np.inf
        scale = np.max(np.abs(want), initial=0.0)
        if not error <= max(1e-12 * scale, 1e-15 * largest):
            place = f"{path} of steps 0 to {cut - 1} and then the others is not that of the whole sequence"
            raise StateLost(
                f"layer.{where} loses the state between two pieces: {place} (off by {error:.1e}). forward must begin with the "
                "state that it is handed and return the one after the last step, backward the same with its gradient; a layer "
                "that reads its sequence from the end raises CannotContinue in initial_state"
            )
