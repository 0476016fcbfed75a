"""The mistakes of assignment 5 in clipping, Adam and the shares of right letters and words.

`capstone.py` has the references.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from rnn_tutorial.types import Array, Mask

__all__ = ["CLIPPING", "COUNTING", "UPDATING", "adam_wrongly", "clip_wrongly", "shares_wrongly"]


def clip_wrongly(
    g: Array,
    limit: Array,
    *,
    norm: Callable[[Array], Any] = np.linalg.norm,
    factor: Callable[[float], float] = lambda ratio: min(1, ratio),
    entries: bool = False,
) -> Array:
    """Return the clipped gradient, right unless a switch is set."""
    return np.clip(g, -limit, limit) if entries else g * factor(limit / norm(g))


def adam_wrongly(
    p: Array,
    g: Array,
    m: Array,
    v: Array,
    t: Array,
    rate: Array,
    *,
    betas: tuple[float, float] = (0.9, 0.999),
    age: int | None = 0,
    sign: int = -1,
    power: int = 2,
    root: Callable[..., Array] = np.sqrt,
    late: bool = False,
    kept: bool = False,
) -> tuple[Array, Array, Array]:
    """Return (p, m, v), right unless a switch is set."""
    old = m, v
    m, v = betas[0] * m + (1 - betas[0]) * g, betas[1] * v + (1 - betas[1]) * g**power
    m_hat, v_hat = (
        x / (1 if age is None else 1 - b ** (t + age))
        for x, b in zip(old if late else (m, v), betas)
    )
    p = p + sign * rate * m_hat / (root(v_hat) + 1e-8)
    return (p, m_hat, v_hat) if kept else (p, m, v)


def shares_wrongly(
    ys: Array,
    targets: Array,
    mask: Mask,
    *,
    counted: bool = True,
    any_letter: bool = False,
    padding: bool | str = False,
    each: bool = False,
    log: bool = False,
) -> tuple[Array, Array]:
    """Return (letters, words), right unless a switch is set."""
    right = ys.argmax(axis=-1) == targets
    letters = right[mask].mean() if counted else right.mean()
    letters = ((right & mask).sum(axis=0) / mask.sum(axis=0)).mean() if each else letters
    letters = (right & mask).mean() if log else letters
    words = right & mask if padding == "wrong" else right if padding else right | ~mask
    return np.array(letters), np.array(
        (words & mask).any(axis=0).mean() if any_letter else words.all(axis=0).mean()
    )


CLIPPING = (
    (
        "clipped entry by entry",
        "You limit each entry. What has to be limited is the length of the whole: (5.14).",
        {"entries": True},
    ),
    (
        "clipped always",
        "You make short gradients longer: what is the minimum in (5.14) for?",
        {"factor": lambda ratio: ratio},
    ),
    (
        "never clipped",
        "Your gradient is as long as before: equation (5.14).",
        {"factor": lambda ratio: 1},
    ),
    (
        "lengthened",
        "You lengthen the short ones, and leave the long ones: (5.14).",
        {"factor": lambda ratio: max(1, ratio)},
    ),
    (
        "another norm",
        "That is the square of a norm: (5.14) has the length itself.",
        {"norm": lambda g: g @ g},
    ),
    (
        "another norm",
        "The norm in (5.14) is the Euclidean one.",
        {"norm": lambda g: np.abs(g).max()},
    ),
    (
        "another norm",
        "The norm in (5.14) is the Euclidean one.",
        {"norm": lambda g: np.abs(g).sum()},
    ),
    (
        "another norm",
        "That is a root of a mean, where (5.14) has the root of a sum.",
        {"norm": lambda g: np.sqrt(np.mean(g**2))},
    ),
)
UPDATING = (
    (
        "betas exchanged",
        "Each of your two means has the decay of the other: equation (5.15).",
        {"betas": (0.999, 0.9)},
    ),
    (
        "bias correction missing",
        "Your means began at zero and are still too close to it: equations (5.17) and (5.18).",
        {"age": None},
    ),
    (
        "off by one step",
        "The number t of this update is an argument, and 1 at the first: (5.17).",
        {"age": 1},
    ),
    ("sign", "You go uphill: equation (5.18).", {"sign": 1}),
    (
        "square missing",
        "The second mean is one of squares: equation (5.15).",
        {"power": 1, "root": lambda v: np.sqrt(np.abs(v))},
    ),
    (
        "root missing",
        "The mean of the squares is not the scale of the gradient yet: equation (5.18).",
        {"root": np.copy},
    ),
    (
        "old mean for the new one",
        "Your step is made with the means from before this gradient: (5.15) comes first.",
        {"late": True},
    ),
    (
        "corrected means kept",
        "The next update needs the means of (5.15), not those of (5.18).",
        {"kept": True},
    ),
)
COUNTING = (
    (
        "padding leaks",
        "Your share of letters counts padding as letters: a mean over what is real, (14.11).",
        {"counted": False},
    ),
    (
        "padding leaks",
        "You divide by all places of the array, and padding is among them: (14.11) and (14.12).",
        {"log": True},
    ),
    (
        "padding leaks",
        "Your words are right only if their padding is right as well. What must hold on padding? "
        "See (14.1).",
        {"padding": True},
    ),
    (
        "padding leaks",
        "In your count of words, padding is a mistake, so only the longest words can be right. See "
        "(14.1).",
        {"padding": "wrong"},
    ),
    (
        "mean of means",
        "You take a mean for each word, then a mean of these: a long word then counts too little, "
        "(14.11).",
        {"each": True},
    ),
    (
        "one letter for all",
        "A word is right if all of its letters are, not if one is.",
        {"any_letter": True},
    ),
)
