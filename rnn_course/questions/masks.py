"""Assignment 4: masks and both directions. Chapters 13 and 14, and the loss of chapter 05.

The references are the package's own functions, with the vanilla cell. `masks_forward.py`,
`masks_backward.py` and `masks_loss.py` have the same functions with a switch for each mistake.
"""

from typing import Any

import numpy as np

from rnn_course.judge.question import Question, causes_of, draw_sizes
from rnn_course.questions import masks_backward as back
from rnn_course.questions import masks_forward as forward
from rnn_course.questions import masks_loss as mean
from rnn_course.questions.vanilla import DPARAMS, RNNParams
from rnn_course.questions.vanilla_mistakes import SLOPE, STATE_BACK, STEP, STEP_BACK
from rnn_tutorial.cells.elman import Elman, ElmanParams, ElmanState
from rnn_tutorial.layers.bidirectional import (
    BidirectionalParams,
    turn,
    unroll_reversed,
    unroll_reversed_backward,
)
from rnn_tutorial.layers.core import Last
from rnn_tutorial.layers.merge import concat
from rnn_tutorial.sequence.unroll import unroll, unroll_backward
from rnn_tutorial.train.losses import softmax_cross_entropy
from rnn_tutorial.types import Array, Mask, Rng

__all__ = [
    "QUESTIONS",
    "bidirectional",
    "bidirectional_backward",
    "last_outputs",
    "last_outputs_backward",
    "masked_loss",
    "masked_unroll",
    "masked_unroll_backward",
    "reverse_padded",
]

# The cases: what the functions are called with


def draw_mask(rng: Rng, T: int, B: int) -> Mask:
    """Return a mask (T, B), padding last; the lengths are in random order, one is 1, one is T."""
    lengths = rng.permutation([1, T, *rng.integers(2, T, B - 2)])
    return np.arange(T)[:, None] < lengths


def draw_params(rng: Rng, D: int, H: int) -> RNNParams:
    """Return RNNParams, no entry zero."""
    return RNNParams(*(0.5 * rng.standard_normal(shape) for shape in ((D, H), (H, H), (H,))))


def draw(rng: Rng) -> tuple[RNNParams, Array, Mask, Array]:
    """Return (params, xs, mask, h_first); the entries of xs on padding are not zero."""
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


def reverse_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (xs, mask)."""
    return [(xs, mask) for _, xs, mask, _ in unroll_cases(rng)]


def both_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (params, xs, mask, h_first, h_end).

    The second direction has 8 units; no other size is 8.
    """
    K, cases = 8, []
    for forwards, xs, mask, h_first in unroll_cases(rng):
        params = BidirectionalParams(forwards, draw_params(rng, xs.shape[2], K))
        cases.append((params, xs, mask, h_first, 0.5 * rng.standard_normal((len(h_first), K))))
    return cases


def both_backward_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (params, xs, mask, h_first, h_end, ys, dys, dends)."""
    answers = [(case, *bidirectional(*case)) for case in both_cases(rng)]
    return [
        (*case, ys, rng.standard_normal(ys.shape), rng.standard_normal(ends.shape))
        for case, ys, ends in answers
    ]


def loss_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (logits, targets, mask).

    The logits of the first step are near 1000, where exp overflows.
    """
    cases = []
    for _, _, mask, _ in unroll_cases(rng):
        logits = 2 * rng.standard_normal((*mask.shape, 8))
        logits[0] += 1000
        cases.append((logits, rng.integers(8, size=mask.shape), mask))
    return cases


# The references: the right answers


def masked_unroll(params: RNNParams, xs: Array, mask: Mask, h_first: Array) -> tuple[Array, Array]:
    """Return (hs, h_last)."""
    (hs, last), _ = unroll(Elman, ElmanParams(*params), xs, ElmanState(h_first), mask)
    return hs, last.h


def masked_unroll_backward(
    params: RNNParams, xs: Array, mask: Mask, h_first: Array, hs: Array, dhs: Array, dh_last: Array
) -> tuple[RNNParams, Array, Array]:
    """Return (dparams, dxs, dh_first)."""
    _, cache = unroll(Elman, ElmanParams(*params), xs, ElmanState(h_first), mask)
    dparams, dxs, dfirst = unroll_backward(
        Elman, ElmanParams(*params), cache, (dhs, ElmanState(dh_last))
    )
    return RNNParams(*dparams), dxs, dfirst.h


def last_outputs(hs: Array, mask: Mask) -> Array:
    """Return y."""
    return Last().forward((), hs, mask=mask)[0]


def last_outputs_backward(dy: Array, mask: Mask) -> Array:
    """Return dhs."""
    _, _, cache = Last().forward((), np.zeros((*mask.shape, dy.shape[1])), mask=mask)
    return Last().backward((), cache, dy)[1]


def masked_loss(logits: Array, targets: Array, mask: Mask) -> tuple[Any, Array]:
    """Return (loss, dlogits)."""
    return softmax_cross_entropy(logits, targets, mask=mask)


def reverse_padded(xs: Array, mask: Mask) -> Array:
    """Return each sequence reversed within its own length, followed by zeros."""
    turned = np.zeros_like(xs)
    for n, length in enumerate(mask.sum(axis=0)):
        turned[:length, n] = turn(xs[:length, n])
    return turned


def bidirectional(
    params: BidirectionalParams, xs: Array, mask: Mask, h_first: Array, h_end: Array
) -> tuple[Array, Array]:
    """Return (ys, ends)."""
    (forwards, last), _ = unroll(
        Elman, ElmanParams(*params.forwards), xs, ElmanState(h_first), mask
    )
    (backwards, end), _ = unroll_reversed(
        Elman, ElmanParams(*params.backwards), xs, ElmanState(h_end), mask
    )
    return concat.f(forwards, backwards), concat.f(last.h, end.h)


def bidirectional_backward(
    params: BidirectionalParams,
    xs: Array,
    mask: Mask,
    h_first: Array,
    h_end: Array,
    ys: Array,
    dys: Array,
    dends: Array,
) -> tuple[BidirectionalParams, Array, Array, Array]:
    """Return (dparams, dxs, dh_first, dh_end)."""
    first, second = (ElmanParams(*p) for p in params)
    (forwards, last), cache = unroll(Elman, first, xs, ElmanState(h_first), mask)
    (backwards, end), cache_end = unroll_reversed(Elman, second, xs, ElmanState(h_end), mask)
    dforwards, dbackwards = concat.backward(forwards, backwards, dys)
    dlast, dend = (ElmanState(d) for d in concat.backward(last.h, end.h, dends))
    dfirst, dxs, dh_first = unroll_backward(Elman, first, cache, (dforwards, dlast))
    dsecond, dxs_end, dh_end = unroll_reversed_backward(
        Elman, second, cache_end, (dbackwards, dend)
    )
    return (
        BidirectionalParams(RNNParams(*dfirst), RNNParams(*dsecond)),
        dxs + dxs_end,
        dh_first.h,
        dh_end.h,
    )


DBOTH = {
    "dparams.forwards.W_x": "D H",
    "dparams.forwards.W_h": "H H",
    "dparams.forwards.b": "H",
    "dparams.backwards.W_x": "D K",
    "dparams.backwards.W_h": "K K",
    "dparams.backwards.b": "K",
}

QUESTIONS = (
    Question(
        "masked_unroll",
        {"hs": "T B H", "h_last": "B H"},
        unroll_cases,
        masked_unroll,
        causes_of(forward.forward, forward.PADDING, forward.OVER_TIME, STEP),
    ),
    Question(
        "masked_unroll_backward",
        DPARAMS | {"dxs": "T B D", "dh_first": "B H"},
        unroll_backward_cases,
        masked_unroll_backward,
        causes_of(back.backward, back.PADDING, back.OVER_TIME, SLOPE, STATE_BACK, STEP_BACK),
    ),
    Question(
        "last_outputs",
        {"y": "B H"},
        last_cases,
        last_outputs,
        causes_of(forward.pick, forward.PLACE, forward.PICK),
    ),
    Question(
        "last_outputs_backward",
        {"dhs": "T B H"},
        last_backward_cases,
        last_outputs_backward,
        causes_of(back.put, forward.PLACE, back.PUT),
    ),
    Question(
        "masked_loss",
        {"loss": "", "dlogits": "T B V"},
        loss_cases,
        masked_loss,
        causes_of(mean.loss, mean.WEIGHTS, mean.SOFTMAX),
    ),
    Question(
        "reverse_padded",
        {"turned": "T B D"},
        reverse_cases,
        reverse_padded,
        causes_of(forward.reverse, forward.REVERSE),
    ),
    Question(
        "bidirectional",
        {"ys": "T B H+K", "ends": "B H+K"},
        both_cases,
        bidirectional,
        causes_of(forward.both, forward.BOTH, forward.PADDING),
    ),
    Question(
        "bidirectional_backward",
        DBOTH | {"dxs": "T B D", "dh_first": "B H", "dh_end": "B K"},
        both_backward_cases,
        bidirectional_backward,
        causes_of(back.both, back.BOTH, back.PADDING),
    ),
)
