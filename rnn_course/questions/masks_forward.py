"""The mistakes of assignment 4, forward. `masks.py` has the references."""

from collections.abc import Callable
from typing import Any

import numpy as np

from rnn_course.questions.vanilla_mistakes import step
from rnn_tutorial.types import Array, Mask, Tree

__all__ = [
    "BOTH",
    "OVER_TIME",
    "PADDING",
    "PICK",
    "PLACE",
    "REVERSE",
    "as_it_is",
    "both",
    "forward",
    "ignored",
    "longer",
    "own_last",
    "pick",
    "reverse",
    "shorter",
    "turned_whole",
]

# Masks and reversals that somebody may use instead of the right ones


def as_it_is(array: Array, mask: Mask | None = None) -> Array:
    """Return the array, unchanged."""
    return array


def ignored(mask: Mask) -> Mask:
    """Return a mask on which every step is real."""
    return np.ones_like(mask)


def longer(mask: Mask) -> Mask:
    """Return the mask with one step more in each sequence but the longest."""
    return np.concatenate([mask[:1], mask[:-1]])


def shorter(mask: Mask) -> Mask:
    """Return the mask with one step less in each sequence but the longest."""
    return mask & np.concatenate([mask[1:], mask[-1:]])


def turned_whole(xs: Array, mask: Mask | None = None) -> Array:
    """Return the whole array reversed, padding included."""
    return xs[::-1]


# The functions, with a switch for each mistake


def forward(
    params: Tree,
    xs: Array,
    mask: Mask,
    h_first: Array,
    *,
    seen: Callable[..., Array] = as_it_is,
    hold: int = 1,
    zero: bool = True,
    wait: int = 1,
    blank: bool = False,
    carry: bool = True,
    first: int = 1,
    **mistake: Any,
) -> tuple[Array, Array]:
    """Return (hs, h_last) of all steps, right unless a switch is set."""
    xs = np.where(mask[..., None], xs, 0) if blank else xs
    h, hs = first * h_first, []
    for x, keep in zip(xs, seen(mask)[..., None]):
        new = step(params, x, h if carry else h_first, **mistake)
        h = np.where(keep, new, wait * h) if hold else new
        hs.append(np.where(keep, h, 0) if zero else h)
    return np.stack(hs), h


def own_last(mask: Mask) -> Array:
    """Return the index of each sequence's last real step."""
    return mask.sum(axis=0) - 1


def pick(
    hs: Array,
    mask: Mask,
    *,
    place: Callable[..., Array] = own_last,
    f: Callable[..., Array] | None = None,
) -> Array:
    """Return y, the entries of hs at the places, right unless a switch is set."""
    return hs[place(mask), np.arange(mask.shape[1])] if f is None else f(hs, mask[..., None])


def reverse(
    xs: Array,
    mask: Mask,
    *,
    source: Callable[..., Array] | None = None,
    axis: int = 0,
    zero: bool = True,
) -> Array:
    """Return xs with each sequence reversed within its length, right unless a switch is set."""
    steps, mask = np.arange(len(mask))[:, None], mask if axis == 0 else mask[:, ::-1]
    places = (
        np.where(mask, own_last(mask) - steps, steps) if source is None else source(steps, mask)
    )
    turned = xs[places, np.arange(mask.shape[1])] if axis == 0 else np.flip(xs, axis)
    return np.where(mask[..., None], turned, 0) if zero else turned


def both(
    params: Tree,
    xs: Array,
    mask: Mask,
    h_first: Array,
    h_end: Array,
    *,
    inner: Callable[..., Array] = reverse,
    outer: Callable[..., Array] = reverse,
    second: dict[str, Any] | None = None,
    ends: Callable[..., tuple[Array, Array]] | None = None,
    swap: bool = False,
    end: int = 1,
    **mistake: Any,
) -> tuple[Array, Array]:
    """Return (ys, ends) of both directions, right unless a switch is set.

    second: switches for the second direction alone.
    """
    forwards, h_last = forward(params.forwards, xs, mask, h_first, **mistake)
    backwards, h_first_step = forward(
        params.backwards, inner(xs, mask), mask, end * h_end, **mistake | (second or {})
    )
    backwards = outer(backwards, mask)
    h_last, h_first_step = ends(forwards, backwards, mask) if ends else (h_last, h_first_step)
    order = -1 if swap else 1
    ys, last = (forwards, backwards)[::order], (h_last, h_first_step)[::order]
    return np.concatenate(ys, axis=-1), np.concatenate(last, axis=-1)


def last_of_both(forwards: Array, backwards: Array, mask: Mask) -> tuple[Array, Array]:
    """Return both directions at each sequence's last real step."""
    return pick(forwards, mask), pick(backwards, mask)


# The mistakes: rows of (name, hint, switches that make it)

PADDING = (
    (
        "padding leaks",
        "Your outputs are zero on padding, but the state goes on changing there: equation (14.3) "
        "is about the state.",
        {"hold": 0},
    ),
    (
        "padding leaks",
        "Zeros in xs are no mask. What does a step make of x = 0, with a bias and an old state? "
        "Equation (14.3).",
        {"hold": 0, "blank": True},
    ),
    (
        "padding leaks",
        "Your network reads the padding as if it were input: your state does not depend on the "
        "mask. Equation (14.3).",
        {"seen": ignored},
    ),
    (
        "padding leaks",
        "Zeros in xs are no mask. What does a step make of x = 0, with a bias and an old state? "
        "Equation (14.3).",
        {"seen": ignored, "blank": True},
    ),
    (
        "output on padding",
        "The state is held, and you return the held state as an output. A step that did not happen "
        "has no output: (14.5).",
        {"zero": False},
    ),
    (
        "state lost on padding",
        "The last state of a short sequence is zero. Either its state becomes zero on padding, or "
        "you take it from the outputs, "
        "which are zero there: (14.3) holds, (14.5) sets to zero.",
        {"wait": 0},
    ),
    (
        "mask the wrong way round",
        "You keep what is padding and drop what is real.",
        {"seen": np.invert},
    ),
    (
        "off by one step",
        "Your sequences take one step too many. Are the steps of your mask those of xs?",
        {"seen": longer},
    ),
    (
        "off by one step",
        "Your sequences stop one step too early. Are the steps of your mask those of xs?",
        {"seen": shorter},
    ),
)
OVER_TIME = (
    (
        "carry lost between steps",
        "Each of your steps starts from the same state. From which should step t start?",
        {"carry": False},
    ),
    ("first state taken for zero", "Your first step does not use h_first.", {"first": 0}),
)
PLACE = (
    (
        "padding leaks",
        "The last row of the array is the last step of the longest sequence alone: (14.10) has a "
        "step for each.",
        {"place": lambda mask: -np.ones(mask.shape[1], int)},
    ),
    (
        "first step for the last",
        "You are at step 1 of each sequence. A search that goes from the front finds the first "
        "real step.",
        {"place": lambda mask: np.zeros(mask.shape[1], int)},
    ),
    (
        "off by one step",
        "You are one step before the last one. Steps are counted from 1 in the equations and from "
        "0 in arrays.",
        {"place": lambda mask: own_last(mask) - 1},
    ),
    (
        "off by one step",
        "You are one step before the last one. Steps are counted from 1 in the equations and from "
        "0 in arrays.",
        {"place": lambda mask: np.maximum(own_last(mask) - 1, 0)},
    ),
    (
        "off by one step",
        "You are one step after the last one. Steps are counted from 1 in the equations and from 0 "
        "in arrays.",
        {"place": lambda mask: np.minimum(own_last(mask) + 1, len(mask) - 1)},
    ),
)
PICK = (
    (
        "mean in the place of the last",
        "This is a mean over steps. Here one step is asked for: equation (14.10).",
        {"f": lambda hs, real: (hs * real).sum(axis=0) / real.sum(axis=0)},
    ),
    (
        "mean in the place of the last",
        "This is a mean over steps, padding included. Here one step is asked for: equation "
        "(14.10).",
        {"f": lambda hs, real: hs.mean(axis=0)},
    ),
    (
        "sum in the place of the last",
        "This is a sum over steps. Here one step is asked for: equation (14.10).",
        {"f": lambda hs, real: (hs * real).sum(axis=0)},
    ),
)
REVERSE = (
    (
        "padding comes first",
        "You turn the whole array, so a short sequence begins with its padding. Each is to be "
        "turned within its own length.",
        {"source": lambda steps, mask: np.broadcast_to(steps[::-1], mask.shape), "zero": False},
    ),
    (
        "mask not turned",
        "You turn the whole array and then apply the mask of the array that was not turned. Most "
        "of a short sequence is lost.",
        {"source": lambda steps, mask: np.broadcast_to(steps[::-1], mask.shape)},
    ),
    (
        "not reversed",
        "Your sequences are not turned round at all. Look closely at the step of your slice.",
        {"source": lambda steps, mask: np.broadcast_to(steps, mask.shape)},
    ),
    (
        "not reversed",
        "Your sequences are not turned round at all. Look closely at the step of your slice.",
        {"source": lambda steps, mask: np.broadcast_to(steps, mask.shape), "zero": False},
    ),
    (
        "output on padding",
        "The real steps are right. What you return is to be zero behind them.",
        {"zero": False},
    ),
    (
        "off by one step",
        "Your sequences begin one step too early, and their ends are wrong. On which index is the "
        "last real step?",
        {"source": lambda steps, mask: np.where(mask, own_last(mask) - 1 - steps, steps)},
    ),
    (
        "another axis",
        "You have turned the order of the sequences, not the sequences. Time is the first axis.",
        {"axis": 1, "zero": False},
    ),
    (
        "another axis",
        "You have turned the features of x. Time is the first axis.",
        {"axis": 2, "zero": False},
    ),
)
BOTH = (
    (
        "not turned back",
        "The second reading numbers its steps from the end. Before the merge it has to be turned "
        "once more: equation (13.5).",
        {"outer": as_it_is},
    ),
    (
        "not reversed",
        "Both of your readings begin at the beginning: the second one is never turned.",
        {"inner": as_it_is, "outer": as_it_is},
    ),
    (
        "not reversed",
        "You turn the outputs of the second network, and not its inputs: equation (13.5).",
        {"inner": as_it_is},
    ),
    (
        "padding leaks",
        "Your second reading begins with the padding of the short sequences. From which step "
        "should it start? Equation (14.14).",
        {"inner": turned_whole, "outer": turned_whole, "second": {"seen": ignored}},
    ),
    (
        "mask not turned",
        "You turn the whole array and leave its mask as it was. Which steps does the mask then "
        "call real? Equation (14.13).",
        {"inner": turned_whole, "outer": turned_whole},
    ),
    (
        "last output for the last state",
        "At step 1, where it ends, the second reading has read everything; at the last step it has "
        "read one step. Compare (13.13).",
        {"ends": last_of_both},
    ),
    (
        "padding leaks",
        "The last row of ys is the last step of the longest sequence alone. And where is the end "
        "of the second reading? (13.13).",
        {"ends": lambda forwards, backwards, mask: (forwards[-1], backwards[-1])},
    ),
    (
        "padding leaks",
        "The last row of ys is the last step of the longest sequence alone: see (13.13) and "
        "(14.10).",
        {"ends": lambda forwards, backwards, mask: (forwards[-1], backwards[0])},
    ),
    (
        "halves exchanged",
        "The two readings are exchanged: equation (13.9).",
        {"swap": True},
    ),
    ("first state taken for zero", "Your first reading does not begin with h_first.", {"first": 0}),
    ("first state taken for zero", "Your second reading does not begin with h_end.", {"end": 0}),
)
