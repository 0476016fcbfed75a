"""Assignment 4: masks with gaps, and both directions. Chapters 13 and 14, the loss of chapter 05.

In a gap between two measurements the state fades; after its own last real step a sequence is held.
The solutions are plain NumPy. `tests/course/test_questions_masks.py` compares them with loops that
are written differently, with the package, and with the complex step.
"""

from typing import Any, NamedTuple

import numpy as np

from rnn_course.judge.question import Question, WordQuestion
from rnn_tutorial.types import Array, Mask, Rng

__all__ = [
    "QUESTIONS",
    "WORDS",
    "BidirectionalParams",
    "RNNParams",
    "bidirectional",
    "bidirectional_backward",
    "last_outputs",
    "last_outputs_backward",
    "masked_loss",
    "masked_unroll",
    "masked_unroll_backward",
    "reverse_padded",
    "rnn_step",
    "rnn_step_backward",
]

# Given in the notebook


class RNNParams(NamedTuple):
    """The parameters of one reading."""

    W_x: Array  # (D, H)
    W_h: Array  # (H, H)
    b: Array  # (H,)
    gamma: Array  # (H,), between 0 and 1: what a step of a gap leaves of each unit


class BidirectionalParams(NamedTuple):
    """The parameters of two readings and of what joins them."""

    forwards: RNNParams  # of the first reading
    backwards: RNNParams  # of the second reading
    mix: Array  # (H,), between 0 and 1: the share of the first reading in each unit


def rnn_step(params: RNNParams, x: Array, h_previous: Array) -> Array:
    """Return h: the state after one step that is taken, (B, H)."""
    return np.tanh(x @ params.W_x + h_previous @ params.W_h + params.b)


def rnn_step_backward(
    params: RNNParams, x: Array, h_previous: Array, h: Array, dh: Array
) -> tuple[RNNParams, Array, Array]:
    """Return (dparams, dx, dh_previous): the gradients of what `rnn_step` was given."""
    da = dh * (1 - h**2)
    dgamma = np.zeros_like(params.gamma)  # a step that is taken does not use gamma
    dparams = RNNParams(W_x=x.T @ da, W_h=h_previous.T @ da, b=da.sum(axis=0), gamma=dgamma)
    return dparams, da @ params.W_x.T, da @ params.W_h.T


# The solutions


def last_outputs(hs: Array, mask: Mask) -> Array:
    """Return y: the output of each sequence at its own last real step, (B, H)."""
    last = len(mask) - 1 - mask[::-1].argmax(axis=0)  # T_n of (A.1), counted from 0
    return hs[last, np.arange(len(last))]


def last_outputs_backward(dy: Array, mask: Mask) -> Array:
    """Return dhs: the gradient of what `last_outputs` was given, (T, B, H)."""
    last = len(mask) - 1 - mask[::-1].argmax(axis=0)
    dhs = np.zeros((*mask.shape, dy.shape[1]))
    dhs[last, np.arange(len(last))] = dy
    return dhs


def masked_unroll(params: RNNParams, xs: Array, mask: Mask, h_first: Array) -> tuple[Array, Array]:
    """Return (hs, h_last): the outputs, (T, B, H), and each sequence's own last state, (B, H)."""
    inside = np.cumsum(mask[::-1], axis=0)[::-1] > 0  # True up to T_n, (A.1)
    h, hs = h_first, []
    for x, real, within in zip(xs, mask[..., None], inside[..., None]):
        faded = np.where(within, params.gamma * h, h)
        h = np.where(real, rnn_step(params, x, h), faded)  # (A.2)
        hs.append(np.where(within, h, 0))  # (A.3)
    return np.stack(hs), h


def masked_unroll_backward(
    params: RNNParams, xs: Array, mask: Mask, h_first: Array, hs: Array, dhs: Array, dh_last: Array
) -> tuple[RNNParams, Array, Array]:
    """Return (dparams, dxs, dh_first): the gradients of what `masked_unroll` was given."""
    inside = np.cumsum(mask[::-1], axis=0)[::-1] > 0
    gaps = inside & ~mask
    dparams = RNNParams(*(np.zeros_like(p) for p in params))
    dxs = np.zeros_like(xs)
    dh = dh_last
    for t in reversed(range(len(xs))):
        real, gap, within = mask[t][:, None], gaps[t][:, None], inside[t][:, None]
        h_previous = hs[t - 1] if t > 0 else h_first
        dh = dh + np.where(within, dhs[t], 0)  # (A.4)
        dnew = np.where(real, dh, 0)  # (A.5)
        dparams_t, dxs[t], dback = rnn_step_backward(params, xs[t], h_previous, hs[t], dnew)
        dgamma_t = np.where(gap, dh * h_previous, 0).sum(axis=0)
        parts = dparams_t._replace(gamma=dgamma_t)
        dparams = RNNParams(*(total + part for total, part in zip(dparams, parts)))
        dheld = np.where(gap, params.gamma * dh, dh)
        dh = np.where(real, dback, dheld)
    return dparams, dxs, dh


def masked_loss(logits: Array, targets: Array, mask: Mask) -> tuple[Any, Array]:
    """Return (loss, dlogits): the mean over sequences of each one's mean loss, and its gradient."""
    weights = mask / mask.sum(axis=0)
    weights = weights / mask.shape[1]
    z = logits - logits.max(axis=-1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    onehot = np.eye(logits.shape[-1])[targets]
    losses = -np.sum(onehot * log_p, axis=-1)
    dlosses = np.exp(log_p) - onehot
    return np.sum(weights * losses), weights[..., None] * dlosses


def reverse_padded(xs: Array, mask: Mask) -> Array:
    """Return turned: each sequence reversed within its own length, followed by zeros, as xs."""
    turned = np.zeros_like(xs)
    lengths = len(mask) - mask[::-1].argmax(axis=0)
    for n, length in enumerate(lengths):
        own = xs[:length, n]
        turned[:length, n] = own[::-1]
    return turned


def bidirectional(
    params: BidirectionalParams, xs: Array, mask: Mask, h_first: Array, h_end: Array
) -> tuple[Array, Array, Array, Array]:
    """Return (forwards, backwards, ys, y_whole): both readings, and what joins them."""
    mix = params.mix
    forwards, h_last = masked_unroll(params.forwards, xs, mask, h_first)
    turned_xs = reverse_padded(xs, mask)
    turned_mask = reverse_padded(mask, mask)
    turned_hs, h_one = masked_unroll(params.backwards, turned_xs, turned_mask, h_end)
    backwards = reverse_padded(turned_hs, mask)
    ys = mix * forwards + (1 - mix) * backwards  # (A.7)
    y_whole = mix * h_last + (1 - mix) * h_one  # (A.8)
    return forwards, backwards, ys, y_whole


def bidirectional_backward(
    params: BidirectionalParams,
    xs: Array,
    mask: Mask,
    h_first: Array,
    h_end: Array,
    forwards: Array,
    backwards: Array,
    dys: Array,
    dy_whole: Array,
) -> tuple[BidirectionalParams, Array, Array, Array]:
    """Return (dparams, dxs, dh_first, dh_end): the gradients of what `bidirectional` was given."""
    mix = params.mix
    difference = forwards - backwards  # zero on padding
    dmix = np.sum(dys * difference, axis=(0, 1))
    h_last, h_one = last_outputs(forwards, mask), backwards[0]
    dmix = dmix + np.sum(dy_whole * (h_last - h_one), axis=0)
    dhs, dlast = mix * dys, mix * dy_whole
    dfirst, dxs, dh_first = masked_unroll_backward(
        params.forwards, xs, mask, h_first, forwards, dhs, dlast
    )
    turned_xs = reverse_padded(xs, mask)
    turned_mask = reverse_padded(mask, mask)
    turned_hs = reverse_padded(backwards, mask)
    turned_dhs = reverse_padded((1 - mix) * dys, mask)
    dend = (1 - mix) * dy_whole
    dsecond, turned_dxs, dh_end = masked_unroll_backward(
        params.backwards, turned_xs, turned_mask, h_end, turned_hs, turned_dhs, dend
    )
    dxs = dxs + reverse_padded(turned_dxs, mask)  # (13.8)
    return BidirectionalParams(dfirst, dsecond, dmix), dxs, dh_first, dh_end


# The cases: what the functions are called with


def draw_sizes(rng: Rng) -> tuple[int, int, int, int]:
    """Return (T, B, D, H), all different; T is large enough for two gaps."""
    D, H = rng.permutation([3, 7]).tolist()
    return int(rng.integers(8, 10)), int(rng.integers(4, 7)), D, H


def draw_mask(rng: Rng, T: int, B: int) -> Mask:
    """Return a mask (T, B) with gaps; each sequence begins with a real step, the order is random.

    One sequence is as long as the array and has a gap of one step and a gap of two, not in the
    middle. Others are shorter: one has a gap just before its last real step, one has no gap, one
    has a single step.
    """
    mask = np.zeros((T, B), bool)
    mask[:, 0] = True
    single = int(rng.integers(1, T - 6))
    double = int(rng.integers(single + 2, T - 3))
    mask[[single, double, double + 1], 0] = False
    mask[0, 1] = True
    mask[: int(rng.integers(2, 5)), 2] = True
    for n in range(3, B):
        length = int(rng.integers(5, T - 1))
        mask[:length, n] = True
        mask[length - 2 if n == 3 else int(rng.integers(1, length - 1)), n] = False
    return mask[:, rng.permutation(B)]


def draw_params(rng: Rng, D: int, H: int) -> RNNParams:
    """Return RNNParams, no entry zero, gamma between 0.2 and 0.9."""
    W_x, W_h, b = (0.5 * rng.standard_normal(shape) for shape in ((D, H), (H, H), (H,)))
    return RNNParams(W_x, W_h, b, rng.uniform(0.2, 0.9, H))


def draw(rng: Rng) -> tuple[RNNParams, Array, Mask, Array]:
    """Return (params, xs, mask, h_first); xs is not zero in gaps and on padding."""
    T, B, D, H = draw_sizes(rng)
    return (
        draw_params(rng, D, H),
        rng.standard_normal((T, B, D)),
        draw_mask(rng, T, B),
        0.5 * rng.standard_normal((B, H)),
    )


def unroll_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (params, xs, mask, h_first)."""
    return [draw(rng) for _ in range(3)]


def unroll_backward_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (params, xs, mask, h_first, hs, dhs, dh_last).

    dhs is not zero on padding.
    """
    cases = [(*case, masked_unroll(*case)[0]) for case in unroll_cases(rng)]
    return [
        (*case, rng.standard_normal(case[4].shape), rng.standard_normal(case[3].shape))
        for case in cases
    ]


def last_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (hs, mask)."""
    return [
        (rng.standard_normal((*mask.shape, h.shape[1])), mask)
        for _, _, mask, h in unroll_cases(rng)
    ]


def last_backward_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (dy, mask)."""
    return [(rng.standard_normal(h.shape), mask) for _, _, mask, h in unroll_cases(rng)]


def loss_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (logits, targets, mask).

    The logits of the first step are near 1000, where exp overflows, and far apart, so that some
    targets are very improbable.
    """
    cases = []
    for _, _, mask, _ in unroll_cases(rng):
        logits = 2 * rng.standard_normal((*mask.shape, 10))
        logits[0] = 10 * logits[0] + 1000
        cases.append((logits, rng.integers(10, size=mask.shape), mask))
    return cases


def reverse_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (xs, mask)."""
    return [(xs, mask) for _, xs, mask, _ in unroll_cases(rng)]


def both_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (params, xs, mask, h_first, h_end)."""
    cases = []
    for first, xs, mask, h_first in unroll_cases(rng):
        H = h_first.shape[1]
        params = BidirectionalParams(
            first, draw_params(rng, xs.shape[2], H), rng.uniform(0.2, 0.9, H)
        )
        cases.append((params, xs, mask, h_first, 0.5 * rng.standard_normal(h_first.shape)))
    return cases


def both_backward_cases(rng: Rng) -> list[tuple]:
    """Return three cases of the arguments of `bidirectional_backward`.

    dys is not zero on padding.
    """
    cases = [(*case, *bidirectional(*case)[:2]) for case in both_cases(rng)]
    return [
        (*case, rng.standard_normal(case[5].shape), rng.standard_normal(case[3].shape))
        for case in cases
    ]


PARAMS = {"W_x": "D H", "W_h": "H H", "b": "H", "gamma": "H"}
DPARAMS = {f"dparams.{name}": axes for name, axes in PARAMS.items()}
DBOTH = {
    f"dparams.{reading}.{name}": axes
    for reading in ("forwards", "backwards")
    for name, axes in PARAMS.items()
}
READINGS = {"forwards": "T B H", "backwards": "T B H"}

QUESTIONS = (
    Question("last_outputs", {"y": "B H"}, last_cases, last_outputs),
    Question("last_outputs_backward", {"dhs": "T B H"}, last_backward_cases, last_outputs_backward),
    Question("masked_unroll", {"hs": "T B H", "h_last": "B H"}, unroll_cases, masked_unroll),
    Question(
        "masked_unroll_backward",
        DPARAMS | {"dxs": "T B D", "dh_first": "B H"},
        unroll_backward_cases,
        masked_unroll_backward,
    ),
    Question("masked_loss", {"loss": "", "dlogits": "T B V"}, loss_cases, masked_loss),
    Question("reverse_padded", {"turned": "T B D"}, reverse_cases, reverse_padded),
    Question(
        "bidirectional",
        READINGS | {"ys": "T B H", "y_whole": "B H"},
        both_cases,
        bidirectional,
    ),
    Question(
        "bidirectional_backward",
        DBOTH | {"dparams.mix": "H", "dxs": "T B D", "dh_first": "B H", "dh_end": "B H"},
        both_backward_cases,
        bidirectional_backward,
    ),
)

WORDS = (
    WordQuestion(
        "why_hold",
        rubric=(
            "1 point: h_last is wrong for each sequence that is shorter than the array; it depends "
            "on how long the longest sequence of the batch is, so a sequence gets another answer "
            "in another batch.",
            "1 point: a comparison with the sequence alone, or with more padding, finds it. A "
            "check of the gradient does not: it is the right gradient of a wrong function.",
        ),
    ),
    WordQuestion(
        "which_mean",
        rubric=(
            "1 point: in (A.6) a step of the sequence with few measurements weighs more, by the "
            "ratio of the numbers of real steps, not of the lengths; in (14.11) all weigh the "
            "same.",
            "1 point: a task with a reason for each, such as patients who count the same however "
            "often they were measured, and letters of which each is a prediction of its own.",
        ),
    ),
)
