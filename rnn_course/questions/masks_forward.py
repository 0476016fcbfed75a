"""Assignment 4, the mistakes of the functions that go forward. See `masks.py` for what is right."""

import numpy as np

from rnn_course.questions.vanilla import step

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
    "last_of_both",
    "longer",
    "own_last",
    "pick",
    "reverse",
    "shorter",
    "turned_whole",
]

# What somebody may take for the mask, and for a turn


def as_it_is(array, mask=None):
    """Return the array, unchanged."""
    return array


def ignored(mask):
    """Return the mask of somebody who has none: every step is real."""
    return np.ones_like(mask)


def longer(mask):
    """Return the mask with one step more in each sequence that is not the longest."""
    return np.concatenate([mask[:1], mask[:-1]])


def shorter(mask):
    """Return the mask with the last step of each sequence left out, but that of the longest."""
    return mask & np.concatenate([mask[1:], mask[-1:]])


def turned_whole(xs, mask=None):
    """Return the whole array turned round, padding included."""
    return xs[::-1]


# The walks


def forward(
    params,
    xs,
    mask,
    h_first,
    *,
    seen=as_it_is,
    hold=1,
    zero=True,
    wait=1,
    blank=False,
    carry=True,
    first=1,
    **mistake,
):
    """Return (hs, h_last) of all steps with a mistake, or with none."""
    xs = np.where(mask[..., None], xs, 0) if blank else xs
    h, hs = first * h_first, []
    for x, keep in zip(xs, seen(mask)[..., None]):
        new = step(params, x, h if carry else h_first, **mistake)
        h = np.where(keep, new, wait * h) if hold else new
        hs.append(np.where(keep, h, 0) if zero else h)
    return np.stack(hs), h


def own_last(mask):
    """Return the index of each sequence's last real step."""
    return mask.sum(axis=0) - 1


def pick(hs, mask, *, place=own_last, f=None):
    """Return y, the entries of hs at the places, with a mistake or with none."""
    return hs[place(mask), np.arange(mask.shape[1])] if f is None else f(hs, mask[..., None])


def reverse(xs, mask, *, source=None, axis=0, zero=True):
    """Return xs with each sequence turned round within its length, with a mistake or with none."""
    steps, mask = np.arange(len(mask))[:, None], mask if axis == 0 else mask[:, ::-1]
    places = (
        np.where(mask, own_last(mask) - steps, steps) if source is None else source(steps, mask)
    )
    turned = xs[places, np.arange(mask.shape[1])] if axis == 0 else np.flip(xs, axis)
    return np.where(mask[..., None], turned, 0) if zero else turned


def both(
    params,
    xs,
    mask,
    h_first,
    h_end,
    *,
    inner=reverse,
    outer=reverse,
    second=None,
    ends=None,
    swap=False,
    end=1,
    **mistake,
):
    """Return (ys, ends) of two readings with a mistake, or with none; second: mistakes of the second reading alone."""
    forwards, h_last = forward(params.forwards, xs, mask, h_first, **mistake)
    backwards, h_first_step = forward(
        params.backwards, inner(xs, mask), mask, end * h_end, **mistake | (second or {})
    )
    backwards = outer(backwards, mask)
    h_last, h_first_step = ends(forwards, backwards, mask) if ends else (h_last, h_first_step)
    order = -1 if swap else 1
    ys, last = (forwards, backwards)[::order], (h_last, h_first_step)[::order]
    return np.concatenate(ys, axis=-1), np.concatenate(last, axis=-1)


def last_of_both(forwards, backwards, mask):
    """Return the two readings at each sequence's last real step."""
    return pick(forwards, mask), pick(backwards, mask)


# The mistakes by name: rows of (name, hint, the switches that make it)

PADDING = (
    (
        "padding leaks",
        "Your outputs are silent on padding, but the state goes on changing there: equation (11.3) is about the state.",
        {"hold": 0},
    ),
    (
        "padding leaks",
        "Zeros in xs are no mask. What does a step make of x = 0, with a bias and an old state? Equation (11.3).",
        {"hold": 0, "blank": True},
    ),
    (
        "padding leaks",
        "Your network reads the padding as if it were input: the mask has no say in the state. Equation (11.3).",
        {"seen": ignored},
    ),
    (
        "padding leaks",
        "Zeros in xs are no mask. What does a step make of x = 0, with a bias and an old state? Equation (11.3).",
        {"seen": ignored, "blank": True},
    ),
    (
        "output on padding",
        "The state is held, and the held state is handed out as an output. A step that did not happen says nothing: (11.5).",
        {"zero": False},
    ),
    (
        "state lost on padding",
        "The last state of a short sequence is zero. Either its state is wiped on padding, or you take it from where the outputs "
        "are wiped: (11.3) holds, (11.5) wipes.",
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
        "The last row of the array is the last step of the longest sequence alone: (11.10) has a step for each.",
        {"place": lambda mask: -np.ones(mask.shape[1], int)},
    ),
    (
        "first step for the last",
        "You are at step 1 of each sequence. A search that goes from the front finds the first real step.",
        {"place": lambda mask: np.zeros(mask.shape[1], int)},
    ),
    (
        "off by one step",
        "You are one step before the last one. Steps are counted from 1 in the equations and from 0 in arrays.",
        {"place": lambda mask: own_last(mask) - 1},
    ),
    (
        "off by one step",
        "You are one step before the last one. Steps are counted from 1 in the equations and from 0 in arrays.",
        {"place": lambda mask: np.maximum(own_last(mask) - 1, 0)},
    ),
    (
        "off by one step",
        "You are one step behind the last one. Steps are counted from 1 in the equations and from 0 in arrays.",
        {"place": lambda mask: np.minimum(own_last(mask) + 1, len(mask) - 1)},
    ),
)
PICK = (
    (
        "mean in the place of the last",
        "This is a mean over steps. Here one step is asked for: equation (11.10).",
        {"f": lambda hs, real: (hs * real).sum(axis=0) / real.sum(axis=0)},
    ),
    (
        "mean in the place of the last",
        "This is a mean over steps, padding included. Here one step is asked for: equation (11.10).",
        {"f": lambda hs, real: hs.mean(axis=0)},
    ),
    (
        "sum in the place of the last",
        "This is a sum over steps. Here one step is asked for: equation (11.10).",
        {"f": lambda hs, real: (hs * real).sum(axis=0)},
    ),
)
REVERSE = (
    (
        "padding comes first",
        "You turn the whole array, so a short sequence begins with its padding. Each is to be turned within its own length.",
        {"source": lambda steps, mask: np.broadcast_to(steps[::-1], mask.shape), "zero": False},
    ),
    (
        "mask not turned",
        "You turn the whole array and then apply the mask of the array that was not turned. Most of a short sequence is lost.",
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
        "Your sequences begin one step too early, and their ends are wrong. On which index is the last real step?",
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
        "The second reading numbers its steps from the end. Before the merge it has to be turned once more: equation (10.5).",
        {"outer": as_it_is},
    ),
    (
        "not reversed",
        "Both of your readings begin at the beginning: the second one is never turned.",
        {"inner": as_it_is, "outer": as_it_is},
    ),
    (
        "not reversed",
        "You turn what the second network says, and not what it reads: equation (10.5).",
        {"inner": as_it_is},
    ),
    (
        "padding leaks",
        "Your second reading begins with the padding of the short sequences. From which step should it start? Equation (11.14).",
        {"inner": turned_whole, "outer": turned_whole, "second": {"seen": ignored}},
    ),
    (
        "mask not turned",
        "You turn the whole array and leave its mask as it was. Which steps does the mask then call real? Equation (11.13).",
        {"inner": turned_whole, "outer": turned_whole},
    ),
    (
        "last output for the last state",
        "At its end, step 1, the second reading knows all; at the last step it has only begun. Compare (10.13).",
        {"ends": last_of_both},
    ),
    (
        "padding leaks",
        "The last row of ys is the last step of the longest sequence alone. And where is the end of the second reading? (10.13).",
        {"ends": lambda forwards, backwards, mask: (forwards[-1], backwards[-1])},
    ),
    (
        "padding leaks",
        "The last row of ys is the last step of the longest sequence alone: see (10.13) and (11.10).",
        {"ends": lambda forwards, backwards, mask: (forwards[-1], backwards[0])},
    ),
    (
        "halves exchanged",
        "The two readings stand in each other's place: equation (10.9).",
        {"swap": True},
    ),
    ("first state taken for zero", "Your first reading does not begin with h_first.", {"first": 0}),
    ("first state taken for zero", "Your second reading does not begin with h_end.", {"end": 0}),
)
