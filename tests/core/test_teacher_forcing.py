"""Teacher forcing: the prefix is the targets one step late, and the end is learned too."""

import numpy as np
import pytest

from rnn_tutorial.train import teacher_forced

START, END = 0, 1


def test_the_prefix_is_the_targets_one_step_late(rng):
    sources = [rng.integers(2, 9, n) for n in (4, 2, 7)]
    targets = [rng.integers(2, 9, n).tolist() for n in (3, 5, 1)]
    batch = teacher_forced(sources, targets, START, END)
    pair = batch.xs
    assert (pair.prefix[0] == START).all() and batch.mask is None
    for b, (source, target) in enumerate(zip(sources, targets)):
        n = len(target)
        assert pair.source[pair.mask[:, b], b].tolist() == source.tolist()
        assert pair.prefix[1 : n + 1, b].tolist() == target
        assert batch.targets[batch.target_mask[:, b], b].tolist() == [*target, END]
        np.testing.assert_array_equal(pair.prefix[1 : n + 1, b], batch.targets[:n, b])


def test_a_target_may_be_empty_and_then_has_its_end_alone():
    batch = teacher_forced([[5], [6]], [[], [7]], START, END)
    assert batch.targets[batch.target_mask[:, 0], 0].tolist() == [END]


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="targets: expected 1, one a source, got 2"):
        teacher_forced([[5]], [[2], [3]], START, END)
    with pytest.raises(ValueError, match=r"targets\[1\]: expected neither start, 0, nor end, 1"):
        teacher_forced([[5], [6]], [[2], [3, 1]], START, END)
    with pytest.raises(ValueError, match=r"sequences\[0\]"):
        teacher_forced([[]], [[2]], START, END)
