"""Data that works with no download: texts that packages ship, synthetic tasks, batches, and n-gram baselines."""

from rnn_tutorial.data.batches import (
    consecutive_windows,
    lengths_to_mask,
    mean_and_std,
    pad,
    random_windows,
    shuffled_batches,
    split,
    standardize,
)
from rnn_tutorial.data.ngrams import ngram_bits_per_character, ngram_probabilities
from rnn_tutorial.data.synthetic import adding_problem, delayed_echo, delayed_recall
from rnn_tutorial.data.text import Vocabulary, babble, king_james_bible, one_hot, one_hot_decode, pydoc_topics

__all__ = [
    "Vocabulary",
    "adding_problem",
    "babble",
    "consecutive_windows",
    "delayed_echo",
    "delayed_recall",
    "king_james_bible",
    "lengths_to_mask",
    "mean_and_std",
    "ngram_bits_per_character",
    "ngram_probabilities",
    "one_hot",
    "one_hot_decode",
    "pad",
    "pydoc_topics",
    "random_windows",
    "shuffled_batches",
    "split",
    "standardize",
]
