"""The solutions of assignment 4 against other loops, the package, and the complex step.

And the chapters' own functions, which leave out what a gap is, earn nothing.
"""

import re
from pathlib import Path

import numpy as np
import pytest

from rnn_course.course import load_course
from rnn_course.judge.judge import Answer, judge, prepare
from rnn_course.questions import masks
from rnn_tutorial.cells import Elman, ElmanParams, ElmanState
from rnn_tutorial.gradient_check import numerical_gradient, relative_error
from rnn_tutorial.layers import turn, unroll_reversed, unroll_reversed_backward
from rnn_tutorial.sequence import unroll, unroll_backward
from rnn_tutorial.train import log_softmax, softmax_cross_entropy
from rnn_tutorial.tree import tree_leaves

SEEDS = pytest.mark.parametrize("seed", range(4))
ASSIGNMENTS = Path(__file__).parents[2] / "assignments"
QUESTIONS = {question.name: question for question in masks.QUESTIONS}


def agree(one, other):
    pairs = list(zip(tree_leaves(one), tree_leaves(other), strict=True))
    return max(relative_error(a, b) for a, b in pairs) < 1e-12


def cases(name, seed):
    return QUESTIONS[name].cases(np.random.default_rng(seed))


def elman(params):
    return ElmanParams(*params[:3])


def read_alone(params, xs, times, h, outputs):
    """Visit the real steps of one sequence at `times`; between two, powers of gamma.

    Fills `outputs`, and returns the last state. Nothing is known of a mask.
    """
    for previous, t in zip((None, *times), times):
        for late in range(1, abs(t - previous) if previous is not None else 1):
            place = previous + late * (1 if t > previous else -1)
            outputs[place] = params.gamma**late * h
        if previous is not None:
            h = params.gamma ** (abs(t - previous) - 1) * h
        h = np.tanh(np.concatenate([xs[t], h, [1]]) @ np.vstack([params.W_x, params.W_h, params.b]))
        outputs[t] = h
    return h


def each_alone(params, xs, mask, starts, order=1):
    hs = np.zeros((*mask.shape, starts.shape[1]), np.result_type(xs, starts, *params))
    ends = [
        read_alone(params, xs[:, n], np.flatnonzero(mask[:, n])[::order], starts[n], hs[:, n])
        for n in range(mask.shape[1])
    ]
    return hs, np.stack(ends)


def both_alone(params, xs, mask, h_first, h_end):
    forwards, h_last = each_alone(params.forwards, xs, mask, h_first)
    backwards, h_one = each_alone(params.backwards, xs, mask, h_end, order=-1)
    ys, y_whole = (b + params.mix * (a - b) for a, b in ((forwards, backwards), (h_last, h_one)))
    return forwards, backwards, ys, y_whole


@SEEDS
def test_every_mask_has_gaps_padding_and_a_sequence_of_one_step(seed):
    for _, xs, mask, _ in cases("masked_unroll", seed):
        lengths = [np.flatnonzero(column)[-1] + 1 for column in mask.T]
        gaps = lengths - mask.sum(axis=0)
        assert mask[0].all() and max(lengths) == len(mask) and min(lengths) == 1
        assert sorted(gaps)[-1] == 3 and (gaps == 0).sum() >= 2 and len(set(xs.shape)) == 3


@SEEDS
def test_the_states_are_those_of_each_sequence_alone(seed):
    for case in cases("masked_unroll", seed):
        assert agree(masks.masked_unroll(*case), each_alone(*case))


@SEEDS
def test_without_gaps_it_is_the_masked_unroll_of_the_package_and_its_backward(seed):
    for params, xs, mask, h, _, dhs, dh_last in cases("masked_unroll_backward", seed):
        no_gaps = np.arange(len(mask))[:, None] < mask.sum(axis=0)
        (hs, last), cache = unroll(Elman, elman(params), xs, ElmanState(h), no_gaps)
        assert agree(masks.masked_unroll(params, xs, no_gaps, h), (hs, last.h))
        dparams, dxs, dh = masks.masked_unroll_backward(params, xs, no_gaps, h, hs, dhs, dh_last)
        theirs = unroll_backward(Elman, elman(params), cache, (dhs, ElmanState(dh_last)))
        assert agree((elman(dparams), dxs, dh), theirs) and not dparams.gamma.any()


@SEEDS
def test_gradients_through_time_are_slopes(seed):
    params, xs, mask, h, hs, dhs, dh_last = cases("masked_unroll_backward", seed)[0]

    def loss(point):
        params, xs, h = point
        states, last = each_alone(params, xs, mask, h)
        return np.sum(dhs * states) + np.sum(dh_last * last)

    ours = masks.masked_unroll_backward(params, xs, mask, h, hs, dhs, dh_last)
    assert agree(ours, numerical_gradient(loss, (params, xs, h)))


@SEEDS
def test_garbage_in_gaps_and_more_padding_change_nothing(seed):
    for params, xs, mask, h, hs, dhs, dh_last in cases("masked_unroll_backward", seed):
        more = np.concatenate([mask, np.zeros((3, mask.shape[1]), bool)])
        longer = [np.concatenate([array, 9 + array[:3]]) for array in (xs, hs, dhs)]
        longer[0] = np.where(more[..., None], longer[0], 1e3)
        states, last = masks.masked_unroll(params, longer[0], more, h)
        assert agree((states[:-3], last), masks.masked_unroll(params, xs, mask, h))
        args = params, longer[0], more, h, states, longer[2], dh_last
        dparams, dxs, dh = masks.masked_unroll_backward(*args)
        ours = masks.masked_unroll_backward(params, xs, mask, h, hs, dhs, dh_last)
        assert agree((dparams, dxs[:-3], dh), ours) and not dxs[~more].any()


@SEEDS
def test_the_last_output_and_its_gradient(seed):
    for hs, mask in cases("last_outputs", seed):
        rows = [hs[np.flatnonzero(column)[-1], n] for n, column in enumerate(mask.T)]
        dy = np.ones_like(rows)
        slopes = numerical_gradient(lambda hs, m=mask: np.sum(masks.last_outputs(hs, m)), hs)
        assert agree(masks.last_outputs(hs, mask), np.stack(rows))
        assert agree(masks.last_outputs_backward(dy, mask), slopes)


@SEEDS
def test_the_loss_is_a_mean_of_the_packages_means_and_its_gradient_a_slope(seed):
    for logits, targets, mask in cases("masked_loss", seed):

        def mean_of_means(logits, targets=targets, mask=mask):
            onehot = np.eye(logits.shape[-1])[targets]
            each = -np.sum(onehot * log_softmax(logits), axis=-1)
            return np.mean([each[mask[:, n], n].mean() for n in range(mask.shape[1])])

        loss, dlogits = masks.masked_loss(logits, targets, mask)
        alone = [
            softmax_cross_entropy(logits[:, [n]], targets[:, [n]], mask=mask[:, [n]])[0]
            for n in range(mask.shape[1])
        ]
        assert agree(loss, np.mean(alone))
        assert relative_error(dlogits, numerical_gradient(mean_of_means, logits)) < 1e-11


@SEEDS
def test_a_turn_is_its_own_inverse_and_backward_and_turns_masks_too(seed):
    for xs, mask in cases("reverse_padded", seed):
        turned = masks.reverse_padded(xs, mask)
        for n, column in enumerate(mask.T):
            length = np.flatnonzero(column)[-1] + 1
            assert np.array_equal(turned[:length, n], turn(xs[:length, n]))
            assert not turned[length:, n].any()
        assert agree(masks.reverse_padded(turned, mask)[mask], xs[mask])
        assert masks.reverse_padded(mask, mask).dtype == bool

        def loss(xs, mask=mask, weights=turned):
            return np.sum(weights * masks.reverse_padded(xs, mask))

        slopes = numerical_gradient(loss, xs)
        assert agree(masks.reverse_padded(turned, mask), slopes)


@SEEDS
def test_both_readings_are_those_of_each_sequence_alone(seed):
    for case in cases("bidirectional", seed):
        assert agree(masks.bidirectional(*case), both_alone(*case))


@SEEDS
def test_gradients_of_both_readings_are_slopes(seed):
    case = cases("bidirectional_backward", seed)[0]
    params, xs, mask, h_first, h_end, _, _, dys, dy_whole = case

    def loss(point):
        params, xs, h_first, h_end = point
        _, _, ys, y_whole = both_alone(params, xs, mask, h_first, h_end)
        return np.sum(dys * ys) + np.sum(dy_whole * y_whole)

    assert agree(
        masks.bidirectional_backward(*case),
        numerical_gradient(loss, (params, xs, h_first, h_end)),
    )


# What the chapters print and the package has, given the questions' arguments


def chapter_unroll(params, xs, mask, h_first):
    (hs, last), _ = unroll(Elman, elman(params), xs, ElmanState(h_first), mask)
    return hs, last.h


def chapter_unroll_backward(params, xs, mask, h_first, hs, dhs, dh_last):
    _, cache = unroll(Elman, elman(params), xs, ElmanState(h_first), mask)
    dparams, dxs, dh = unroll_backward(Elman, elman(params), cache, (dhs, ElmanState(dh_last)))
    return masks.RNNParams(*dparams, np.zeros_like(params.gamma)), dxs, dh.h


def chapter_loss(logits, targets, mask):
    return softmax_cross_entropy(logits, targets, mask=mask)


def chapter_reverse(xs, mask):
    steps, own = np.arange(len(mask))[:, None], mask.sum(axis=0)
    return xs[np.where(mask, own - 1 - steps, steps), np.arange(mask.shape[1])]


def chapter_both(params, xs, mask, h_first, h_end):
    forwards, last = chapter_unroll(params.forwards, xs, mask, h_first)
    (backwards, end), _ = unroll_reversed(
        Elman, elman(params.backwards), xs, ElmanState(h_end), mask
    )
    return forwards, backwards, forwards + backwards, last + end.h


def chapter_both_backward(params, xs, mask, h_first, h_end, forwards, backwards, dys, dy_whole):
    dfirst, dxs, dh_first = chapter_unroll_backward(
        params.forwards, xs, mask, h_first, forwards, dys, dy_whole
    )
    p = elman(params.backwards)
    _, cache = unroll_reversed(Elman, p, xs, ElmanState(h_end), mask)
    douts = dys, ElmanState(dy_whole)
    dsecond, dxs_second, dh_end = unroll_reversed_backward(Elman, p, cache, douts)
    zero = np.zeros_like(params.mix)
    dparams = masks.BidirectionalParams(dfirst, masks.RNNParams(*dsecond, zero), zero)
    return dparams, dxs + dxs_second, dh_first, dh_end.h


COPIES = {
    "masked_unroll": chapter_unroll,
    "masked_unroll_backward": chapter_unroll_backward,
    "masked_loss": chapter_loss,
    "reverse_padded": chapter_reverse,
    "bidirectional": chapter_both,
    "bidirectional_backward": chapter_both_backward,
}


def test_every_question_of_four_points_or_more_has_its_copy():
    points = load_course(ASSIGNMENTS / "course.toml").assignments["04_masks"].points
    assert {name for name in points if points[name] >= 4} <= COPIES.keys()


@pytest.mark.parametrize("name, copy", COPIES.items())
def test_a_copy_of_the_chapters_earns_nothing(name, copy):
    exam = prepare(QUESTIONS[name], b"1")
    answers = [
        Answer(k, turn, copy(*case), case) for k, case in enumerate(exam.cases) for turn in (0, 1)
    ]
    assert judge(exam, answers).credit == 0


def test_the_notebook_gives_what_the_solutions_use():
    text = (ASSIGNMENTS / "04_masks" / "04_masks.py").read_text(encoding="utf-8")
    given = "\n".join(re.findall(r'^# %% given="\w+"\n(.*?)^# %%', text, re.DOTALL | re.MULTILINE))
    notebook = {}
    exec(given, notebook)
    assert notebook["RNNParams"]._fields == masks.RNNParams._fields
    assert notebook["BidirectionalParams"]._fields == masks.BidirectionalParams._fields
    params, xs, _, h, hs, dhs, _ = cases("masked_unroll_backward", 0)[0]
    assert agree(notebook["rnn_step"](params, xs[0], h), masks.rnn_step(params, xs[0], h))
    step = params, xs[0], h, hs[0], dhs[0]
    assert agree(notebook["rnn_step_backward"](*step), masks.rnn_step_backward(*step))
