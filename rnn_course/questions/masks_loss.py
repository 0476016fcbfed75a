"""The mistakes of assignment 4, in the loss. `masks.py` has the references."""

from collections.abc import Callable
from typing import Any

import numpy as np

from rnn_tutorial.types import Array, Mask

__all__ = ["SOFTMAX", "WEIGHTS", "loss"]


def over_what_is_real(mask: Mask) -> Array:
    """Return the weight of each step in the mean of (14.11)."""
    return mask / mask.sum()


def loss(
    logits: Array,
    targets: Array,
    mask: Mask,
    *,
    weights: Callable[[Array], Array] = over_what_is_real,
    dweights: Callable[[Array], Array] | None = None,
    axis: int = -1,
    truth: int = 1,
    others: int = 1,
    unit: int = 1,
) -> tuple[Any, Array]:
    """Return (loss, dlogits), right unless a switch is set.

    weights, dweights: mask -> the weights of the steps in the loss, and in its gradient.
    """
    z = logits - logits.max(axis=axis, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=axis, keepdims=True))
    onehot = targets[..., None] == np.arange(logits.shape[-1])
    dz = np.where(onehot, np.exp(log_p) - truth, others * np.exp(log_p)) / unit
    value = -(weights(mask)[..., None] * onehot * log_p).sum() / unit
    return value, (dweights or weights)(mask)[..., None] * dz


def by_sequence(mask: Mask) -> Array:
    """Return the weights of a mean over sequences of means over their steps."""
    return mask / (mask.shape[1] * mask.sum(axis=0))


# The mistakes: rows of (name, hint, switches that make it)

WEIGHTS = (
    (
        "padding in the mean",
        "The losses on padding are zero, but they are counted in the number that you divide by: "
        "equation (14.12).",
        {"weights": lambda mask: mask / mask.size},
    ),
    (
        "padding leaks",
        "Padding has a loss in your sum: equation (14.11).",
        {"weights": lambda mask: np.ones(mask.shape) / mask.size},
    ),
    (
        "padding leaks",
        "Padding has a loss in your sum, though not in the number that you divide by: (14.11).",
        {"weights": lambda mask: np.ones(mask.shape) / mask.sum()},
    ),
    (
        "sum for mean",
        "This is a sum over the real steps. Equation (14.11) is a mean.",
        {"weights": lambda mask: 1.0 * mask},
    ),
    (
        "another mean",
        "Here every sequence counts the same. In (14.11) every step does.",
        {"weights": by_sequence},
    ),
    (
        "another mean",
        "You divide by the number of sequences. Equation (14.11) divides by the number of real "
        "steps.",
        {"weights": lambda mask: mask / mask.shape[1]},
    ),
    (
        "another mean",
        "You divide by the number of rows of the array. Equation (14.11) divides by the number of "
        "real steps.",
        {"weights": lambda mask: mask / len(mask)},
    ),
    (
        "padding leaks",
        "A padded step is not in the loss, so it must have no gradient: the second half of "
        "(14.11).",
        {"dweights": lambda mask: np.ones(mask.shape) / mask.sum()},
    ),
    (
        "sum for mean",
        "Your loss is a mean, your gradient is that of a sum: each step carries its share, "
        "equation (5.12).",
        {"dweights": lambda mask: 1.0 * mask},
    ),
    (
        "padding in the mean",
        "Your loss is right, but its gradient is divided by another number: the second half of "
        "(14.11).",
        {"dweights": lambda mask: mask / mask.size},
    ),
)
SOFTMAX = (
    (
        "target missing",
        "The gradient is prediction minus truth, and in yours the truth is missing. Equation "
        "(5.12).",
        {"truth": 0},
    ),
    (
        "gradient of the target only",
        "Every logit of a step is in the denominator of its softmax, so every one has a gradient: "
        "(5.12).",
        {"others": 0},
    ),
    (
        "another axis",
        "Your probabilities add up to 1 over the steps. Over what should they? Equation (5.5).",
        {"axis": 0},
    ),
    (
        "another axis",
        "Your probabilities add up to 1 over the sequences. Over what should they? Equation (5.5).",
        {"axis": 1},
    ),
    (
        "another logarithm",
        "These are bits. The loss here is in nats, with the natural logarithm.",
        {"unit": np.log(2)},
    ),
)
