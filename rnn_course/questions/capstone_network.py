"""The tagger of assignment 5 in plain NumPy, with a switch for each mistake, forward and backward.

With no switch set, these functions equal the references of `capstone.py`; a test checks that.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.types import Array, Mask

__all__ = [
    "BACK",
    "BOTH_BACK",
    "OUTPUT",
    "READING",
    "RNNParams",
    "TaggerParams",
    "backward",
    "tagger",
    "tagger_params",
]


class RNNParams(NamedTuple):
    """The parameters of one direction, as the notebook defines them."""

    W_x: Array  # (V, H), a row for each letter
    W_h: Array  # (H, H)
    b: Array  # (H,)


class TaggerParams(NamedTuple):
    """The parameters of the tagger, as the notebook defines them."""

    forwards: RNNParams
    backwards: RNNParams
    W: Array  # (2H, K)
    b: Array  # (K,)


def tagger_params(leaves: Sequence[Array]) -> TaggerParams:
    """Return TaggerParams made of its eight arrays, in order."""
    return TaggerParams(RNNParams(*leaves[:3]), RNNParams(*leaves[3:6]), *leaves[6:])


def sigmoid(a: Array) -> Array:
    """Return 1 / (1 + exp(-a))."""
    return 1 / (1 + np.exp(-a))


def slope(h: Array) -> Array:
    """Return the derivative of tanh, from its value."""
    return 1 - h**2


def read(
    params: RNNParams,
    xs: Array,
    mask: Mask,
    *,
    f: Callable[[Array], Array] = np.tanh,
    hold: bool = True,
    padded_outputs: bool = False,
    carry: int = 1,
    bias: int = 1,
    transposed: bool = False,
) -> Array:
    """Return hs of one direction in the order of xs, right unless a switch is set."""
    h, hs = np.zeros((xs.shape[1], len(params.b))), []
    for x, keep in zip(xs, mask[..., None]):
        new = f(
            params.W_x[x]
            + carry * h @ (params.W_h.T if transposed else params.W_h)
            + bias * params.b
        )
        h = np.where(keep, new, h) if hold else new
        hs.append(h if padded_outputs else np.where(keep, h, 0))
    return np.stack(hs)


def tagger(
    params: TaggerParams,
    xs: Array,
    mask: Mask,
    *,
    inner: int = -1,
    of_mask: int = -1,
    outer: int = -1,
    shared: bool = False,
    halves: int = 1,
    out_bias: int = 1,
    hide: bool = False,
    **mistake: Any,
) -> tuple[Array, Array, Array]:
    """Return (forwards, backwards, ys), right unless a switch is set.

    inner, outer, of_mask: -1 reverses, 1 does not.
    """
    forwards = read(params.forwards, xs, mask, **mistake)
    second = params.forwards if shared else params.backwards
    backwards = read(second, xs[::inner], mask[::of_mask], **mistake)[::outer]
    ys = np.concatenate([forwards, backwards][::halves], axis=-1) @ params.W + out_bias * params.b
    return forwards, backwards, np.where(mask[..., None], ys, 0) if hide else ys


def add_at(dW_x: Array, xs: Array, das: Array) -> Array:
    """Return dW_x with each da added to the row of its letter."""
    np.add.at(dW_x, xs, das)
    return dW_x


def add_once(dW_x: Array, xs: Array, das: Array) -> Array:
    """Return dW_x with only the last da of each letter added."""
    dW_x[xs] += das
    return dW_x


def add_once_a_step(dW_x: Array, xs: Array, das: Array) -> Array:
    """Return dW_x with only the last da of each letter added at each step."""
    for x, da in zip(xs, das):
        dW_x[x] += da
    return dW_x


def read_backward(
    params: RNNParams,
    xs: Array,
    mask: Mask,
    hs: Array,
    dhs: Array,
    *,
    slope: Callable[[Array], Array] = slope,
    transposed: bool = True,
    carry: int = 1,
    leak: bool = False,
    new: bool = False,
    add: Callable[..., Array] = add_at,
    every: bool = True,
    mean: bool = False,
) -> RNNParams:
    """Return dparams of one direction in the order of xs, right unless a switch is set."""
    dh, steps = np.zeros_like(hs[0]), list[Array]()
    for keep, h, dh_out in zip(mask[::-1, :, None], hs[::-1], dhs[::-1]):
        da = np.where(keep | leak, (carry * dh + dh_out) * slope(h), 0)
        dh = da @ (params.W_h.T if transposed else params.W_h)
        steps.insert(0, da if every or not steps else 0 * da)
    das, olds = np.stack(steps), hs if new else np.concatenate([np.zeros_like(hs[:1]), hs[:-1]])
    dparams = RNNParams(
        add(np.zeros_like(params.W_x), xs, das),
        np.einsum("tbi,tbj->ij", olds, das),
        das.sum(axis=(0, 1)),
    )
    return RNNParams(*(part / mask.sum() for part in dparams)) if mean else dparams


def backward(
    params: TaggerParams,
    xs: Array,
    mask: Mask,
    forwards: Array,
    backwards: Array,
    dys: Array,
    *,
    turn: int = -1,
    of_dys: int = -1,
    halves: int = 1,
    same: bool = False,
    own: bool = False,
    **mistake: Any,
) -> TaggerParams:
    """Return dparams of the tagger, right unless a switch is set.

    turn, of_dys: -1 reverses, 1 does not.
    """
    hs = np.concatenate([forwards, backwards], axis=-1)
    dforwards, dbackwards = np.split(dys @ params.W.T, 2, axis=-1)[::halves]
    dbackwards = dforwards if same else dbackwards
    second = (
        xs[::turn],
        mask[::turn],
        backwards[::turn],
        dbackwards[:: of_dys if turn == -1 else 1],
    )
    of_first = read_backward(params.forwards, xs, mask, forwards, dforwards, **mistake)
    of_second = of_first if own else read_backward(params.backwards, *second, **mistake)
    n = mask.sum() if mistake.get("mean") else 1
    return TaggerParams(
        of_first, of_second, np.einsum("tbj,tbk->jk", hs, dys) / n, dys.sum(axis=(0, 1)) / n
    )


# The mistakes: rows of (name, hint, switches that make it)

BOTH_FORWARDS = "both readings run forwards"
READING = (
    (
        "not turned back",
        "The outputs of your second reading are still in the order in which it read. To which "
        "letter does entry t belong? See (13.5).",
        {"outer": 1},
    ),
    (
        "mask not turned",
        "You turn the letters, and the mask stays as it was: equation (14.13).",
        {"of_mask": 1},
    ),
    (
        BOTH_FORWARDS,
        "Your second reading begins at the first letter, like the first one: equation (13.3).",
        {"inner": 1, "of_mask": 1, "outer": 1},
    ),
    (
        "one network for both directions",
        "Both of your readings use the same weights. Each direction has its own.",
        {"shared": True},
    ),
    (
        "padding leaks",
        "A word takes no step on padding, after its end or, in the second reading, before its "
        "beginning: its state is held, (14.3).",
        {"hold": False},
    ),
    (
        "padding leaks",
        "Padding changes your state, and your outputs there are not zero: equations (14.3) and "
        "(14.5).",
        {"hold": False, "padded_outputs": True},
    ),
    (
        "padding leaks",
        "The held state is no output: what does (14.5) say about padding?",
        {"padded_outputs": True},
    ),
    (
        "carry lost between steps",
        "Each of your steps starts from the same state. From which should step t start?",
        {"carry": 0},
    ),
    ("bias missing", "One of the terms of the pre-activation is not in your sum.", {"bias": 0}),
    (
        "activation missing",
        "What your readings keep is the pre-activation: the tanh is still to come.",
        {"f": np.copy},
    ),
    (
        "another activation",
        "That is a sigmoid. The cell of this assignment has tanh.",
        {"f": sigmoid},
    ),
    (
        "weight transposed",
        "Rows and columns of W_h are exchanged. It is square, so no shape complains.",
        {"transposed": True},
    ),
)
OUTPUT = (
    (
        "halves exchanged",
        "The two readings are exchanged where they meet W: equation (13.9).",
        {"halves": -1},
    ),
    (
        "bias missing",
        "One of the two terms of the output is not in your sum: equation (5.3).",
        {"out_bias": 0},
    ),
    (
        "outputs hidden on padding",
        "Equation (5.3) holds at every place of the array. The loss leaves padding out, so no "
        "output has to be hidden here.",
        {"hide": True},
    ),
)
SLOPE = "On the way back through tanh something has to be multiplied: equation (2.6)."
BACK = (
    ("derivative of the activation missing", SLOPE, {"slope": np.ones_like}),
    (
        "derivative of the activation wrong",
        "The slope of tanh is written with its output: look again at (2.6).",
        {"slope": lambda h: 1 - h},
    ),
    (
        "derivative taken at the wrong place",
        "Your slope takes the tanh of h, but h is a tanh already.",
        {"slope": lambda h: 1 - np.tanh(h) ** 2},
    ),
    (
        "weight transposed",
        "On the way back, W_h is used the other way round: compare the indices in (2.12) and "
        "(1.5).",
        {"transposed": False},
    ),
    (
        "carry lost between steps",
        "Each step passes a gradient to the step that was read before it, and in your loop none "
        "arrives: (3.10).",
        {"carry": 0},
    ),
    (
        "padding leaks",
        "In the second reading padding comes before the word, and your loop takes steps back "
        "through it: equations (14.7) and (14.9).",
        {"leak": True},
    ),
    (
        "new state for the old one",
        "W_h multiplies the state before the step: equation (2.9).",
        {"new": True},
    ),
    (
        "repeated letters counted once",
        "A letter that occurs twice has two gradients. With repeated indices, your line keeps one "
        "of them: below (5.2).",
        {"add": add_once},
    ),
    (
        "repeated letters counted once",
        "Two words of a batch may have the same letter at one step, and your line keeps one of "
        "their gradients: below (5.2).",
        {"add": add_once_a_step},
    ),
    (
        "not accumulated over time",
        "A weight is used at every step. You keep the gradient of one use: (3.13).",
        {"every": False},
    ),
    (
        "mean for sum",
        "The gradient of a weight is a sum over its uses; the mean is in dys already: (5.4).",
        {"mean": True},
    ),
)
BOTH_BACK = (
    (
        "one gradient for both directions",
        "Your second reading gets the gradient of the first one: (13.9).",
        {"same": True},
    ),
    (
        "gradient not turned",
        "Your second reading is turned, the gradient that arrives at it is not: (13.7).",
        {"of_dys": 1},
    ),
    (
        BOTH_FORWARDS,
        "You go back through the second reading as if it had begun at the first letter: (13.7).",
        {"turn": 1},
    ),
    (
        "halves exchanged",
        "Each reading gets the gradient of the other: which rows of W belong to which? See (13.9).",
        {"halves": -1},
    ),
    (
        "one gradient for both directions",
        "You return the gradient of the first reading twice.",
        {"own": True},
    ),
)
