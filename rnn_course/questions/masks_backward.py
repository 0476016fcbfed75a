"""The mistakes of assignment 4, backward. `masks.py` has the references."""

from collections.abc import Callable
from typing import Any

import numpy as np

from rnn_course.questions.masks_forward import (
    as_it_is,
    ignored,
    longer,
    own_last,
    reverse,
    shorter,
    turned_whole,
)
from rnn_course.questions.vanilla_mistakes import step_backward
from rnn_tutorial.layers.bidirectional import BidirectionalParams
from rnn_tutorial.tree import tree_add, tree_scale, tree_zeros_like
from rnn_tutorial.types import Array, Mask, Tree

__all__ = ["BOTH", "OVER_TIME", "PADDING", "PUT", "backward", "both", "put"]

# The functions, with a switch for each mistake


def held(keep: Mask, dprevious: Array, dh: Array) -> Array:
    """Return what goes to the step before: equation (14.8)."""
    return np.where(keep, dprevious, dh)


def backward(
    params: Tree,
    xs: Array,
    mask: Mask,
    h_first: Array,
    hs: Array,
    dhs: Array,
    dh_last: Array,
    *,
    seen: Callable[..., Array] = as_it_is,
    padded: bool = False,
    whole: bool = False,
    onward: Callable[..., Array] = held,
    carry: int = 1,
    last: int = 1,
    out: int = 1,
    add: bool = True,
    first: int = 1,
    wrap: int = 0,
    scale: Callable[[Array], Any] | None = None,
    **mistake: Any,
) -> tuple[Tree, Array, Array]:
    """Return (dparams, dxs, dh_first) of all steps, right unless a switch is set."""
    previous = [hs[-1] if wrap else first * h_first, *hs[:-1]]
    dparams, dxs, dh = tree_zeros_like(params), [], last * dh_last
    for t, keep in reversed(list(enumerate(seen(mask)[..., None]))):
        dh = (carry if t < len(xs) - 1 else 1) * dh + out * np.where(keep | padded, dhs[t], 0)
        dparams_t, dx, dprevious = step_backward(
            params, xs[t], previous[t], hs[t], np.where(keep | whole, dh, 0), **mistake
        )
        dparams = tree_add(dparams, dparams_t) if add else dparams_t
        dxs.append(dx)
        dh = onward(keep, dprevious, dh)
    return tree_scale(scale(mask), dparams) if scale else dparams, np.stack(dxs[::-1]), dh


def put(
    dy: Array,
    mask: Mask,
    *,
    place: Callable[..., Array] = own_last,
    weights: Callable[..., Array] | None = None,
) -> Array:
    """Return dhs with dy at the places, right unless a switch is set.

    weights: the mistake that spreads dy over several steps, with these weights.
    """
    if weights is not None:
        return weights(mask[..., None]) * dy
    dhs = np.zeros((*mask.shape, dy.shape[1]))
    dhs[place(mask), np.arange(len(dy))] = dy
    return dhs


def both(
    params: Tree,
    xs: Array,
    mask: Mask,
    h_first: Array,
    h_end: Array,
    ys: Array,
    dys: Array,
    dends: Array,
    *,
    inputs: Callable[..., Array] = reverse,
    states: Callable[..., Array] = reverse,
    arriving: Callable[..., Array] = reverse,
    out_again: Callable[..., Array] = reverse,
    second: Callable[..., Array] = as_it_is,
    late: bool = False,
    use: tuple[int, int] = (1, 1),
    **mistake: Any,
) -> tuple[BidirectionalParams, Array, Array, Array]:
    """Return (dparams, dxs, dh_first, dh_end) of both directions, right unless a switch is set.

    second: mask -> the mask of the second direction.
    """
    H = h_first.shape[1]
    dys_b, dend = dys[..., H:], dends[:, H:]
    if late:
        dys_b, dend = dys_b + put(dend, mask), 0 * dend
    dfirst, dxs, dh_first = backward(
        params.forwards, xs, mask, h_first, ys[..., :H], dys[..., :H], dends[:, :H], **mistake
    )
    turned = (
        inputs(xs, mask),
        second(mask),
        h_end,
        states(ys[..., H:], mask),
        arriving(dys_b, mask),
        dend,
    )
    dsecond, dxs_b, dh_end = backward(params.backwards, *turned, **mistake)
    dxs = use[0] * dxs + use[1] * out_again(dxs_b, mask)
    return BidirectionalParams(dfirst, dsecond), dxs, dh_first, dh_end


# The mistakes: rows of (name, hint, switches that make it)


def through(keep: Mask, dprevious: Array, dh: Array) -> Array:
    """Return what goes to the step before if padding is a step like any other."""
    return dprevious


PADDING = (
    (
        "padding leaks",
        "You walk back through the padding as if its steps had been taken: (14.6) to (14.8).",
        {"seen": ignored},
    ),
    (
        "padding leaks",
        "A gradient that arrives at a padded output must not count: equation (14.6).",
        {"padded": True},
    ),
    (
        "padding leaks",
        "On padding a gradient arrives at your step, and it reaches the parameters and inputs: "
        "equation (14.7).",
        {"whole": True},
    ),
    (
        "padding leaks",
        "The gradients of the outputs are left out on padding. That of the state still goes "
        "through steps there: (14.7) and (14.8).",
        {"whole": True, "onward": through},
    ),
    (
        "gradient lost on padding",
        "In a short sequence, dh_last never arrives at a real step. Where the state was held, its "
        "gradient passes unchanged: (14.8).",
        {"onward": lambda keep, dprevious, dh: np.where(keep, dprevious, 0)},
    ),
    (
        "counted twice",
        "On real steps the old state has one path, through the step, and yours has two. See the "
        "factor in (14.8).",
        {"onward": lambda keep, dprevious, dh: dprevious + dh},
    ),
    (
        "mask the wrong way round",
        "You keep what is padding and drop what is real.",
        {"seen": np.invert},
    ),
    (
        "off by one step",
        "Your loop enters a sequence one step too late. Are the steps of your mask those of xs?",
        {"seen": shorter},
    ),
    (
        "off by one step",
        "Your loop enters a sequence one step too early. Are the steps of your mask those of xs?",
        {"seen": longer},
    ),
    (
        "gradient of the last state ignored",
        "The gradient of the last state is not in your answer: where does it begin?",
        {"last": 0},
    ),
    (
        "gradients of the outputs ignored",
        "Every real h_t also has a gradient from its own output: equation (14.6).",
        {"out": 0},
    ),
    (
        "carry lost between steps",
        "Each step passes a gradient to the step before it, and in your loop none arrives: "
        "equation (14.8).",
        {"carry": 0},
    ),
    (
        "not accumulated over time",
        "A weight is used at every step. You keep the gradient of one use: (3.13).",
        {"add": False},
    ),
    (
        "first state taken for zero",
        "The state before the first step is an argument: look at t = 1 in (3.13).",
        {"first": 0},
    ),
    (
        "mean for sum",
        "You divide by the number of real steps. That is done in the loss, equation (14.11); here "
        "gradients are added up.",
        {"scale": lambda mask: 1 / mask.sum()},
    ),
)
OVER_TIME = (
    (
        "last state taken for the first",
        "The state before the first step is h_first. An index of -1 does not go before the "
        "beginning: it is the last.",
        {"wrap": 1},
    ),
    (
        "mean for sum",
        "A weight that is used T times has a sum over the uses: equation (3.13).",
        {"scale": lambda m: 1 / len(m)},
    ),
)
PUT = (
    (
        "gradient at every step",
        "One output uses one step. Yours gives the gradient to all: the second case of (14.10).",
        {"weights": lambda real: np.ones_like(real)},
    ),
    (
        "gradient at every step",
        "One output uses one step. Yours gives the gradient to all real ones: the second case of "
        "(14.10).",
        {"weights": lambda real: real},
    ),
    (
        "mean in the place of the last",
        "This is the gradient of a mean over steps. One step was taken, and it has all of the "
        "gradient: (14.10).",
        {"weights": lambda real: real / real.sum(axis=0)},
    ),
)
BOTH = (
    (
        "gradient of one direction missing",
        "Each x is read twice, by two networks. Only the first reading's gradient is in your dxs: "
        "(13.8).",
        {"use": (1, 0)},
    ),
    (
        "gradient of one direction missing",
        "Each x is read twice, by two networks. Only the second reading's gradient is in your dxs: "
        "(13.8).",
        {"use": (0, 1)},
    ),
    (
        "gradient not turned",
        "The second network counts its steps from the end. Does the gradient that arrives at it? "
        "The inner turn of (13.7).",
        {"arriving": as_it_is},
    ),
    (
        "not turned back",
        "The second reading's gradient of the inputs is in the order in which it read. Turn it "
        "before you add: the outer turn of (13.7).",
        {"out_again": as_it_is},
    ),
    (
        "inputs not turned",
        "The gradients of the second network's weights need the inputs in the order in which it "
        "read them.",
        {"inputs": as_it_is},
    ),
    (
        "states not turned",
        "In ys the second reading is numbered as the sequence is. The way back needs the states in "
        "the order in which it made them.",
        {"states": as_it_is},
    ),
    (
        "not reversed",
        "You treat both readings alike. The second one began at the end: equation (13.7).",
        {"inputs": as_it_is, "states": as_it_is, "arriving": as_it_is, "out_again": as_it_is},
    ),
    (
        "mask not turned",
        "You turn the whole array and leave its mask as it was. Which steps does the mask then "
        "call real? Equation (14.13).",
        {
            "inputs": turned_whole,
            "states": turned_whole,
            "arriving": turned_whole,
            "out_again": turned_whole,
        },
    ),
    (
        "first state lost on padding",
        "With the padding in front, the row before a sequence's first step is padding, and ys is "
        "zero there. Which state is held through it? Equation (14.14).",
        {
            "inputs": turned_whole,
            "states": turned_whole,
            "arriving": turned_whole,
            "out_again": turned_whole,
            "second": turned_whole,
        },
    ),
    (
        "last output for the last state",
        "The gradient of the second end enters where the second reading ended, at step 1: equation "
        "(13.13).",
        {"late": True},
    ),
)
