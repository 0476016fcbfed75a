"""Data that works with no download: texts that packages ship, synthetic tasks, batches, and n-gram baselines."""

from rnn_tutorial.data.batches import (
    bucket_by_length,
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
from rnn_tutorial.data.pronunciations import aligned_pronunciations, toy_pronunciations
from rnn_tutorial.data.reber import (
    CONTINUAL_REBER,
    EMBEDDED_REBER,
    REBER,
    REBER_VOCABULARY,
    continual_reber,
    embedded_reber_sets,
    grammar_string,
    next_symbols,
    reber_batch,
    steps_predicted,
    strings_predicted,
)
from rnn_tutorial.data.surnames import surnames, toy_surnames
from rnn_tutorial.data.synthetic import (
    TEMPORAL_ORDER_VOCABULARY,
    adding_problem,
    delayed_echo,
    delayed_recall,
    temporal_order,
)
from rnn_tutorial.data.text import (
    Vocabulary,
    babble,
    king_james_bible,
    one_hot,
    one_hot_decode,
    pydoc_topics,
)

__all__ = [
    "CONTINUAL_REBER",
    "EMBEDDED_REBER",
    "REBER",
    "REBER_VOCABULARY",
    "TEMPORAL_ORDER_VOCABULARY",
    "Vocabulary",
    "adding_problem",
    "aligned_pronunciations",
    "babble",
    "bucket_by_length",
    "consecutive_windows",
    "continual_reber",
    "delayed_echo",
    "delayed_recall",
    "embedded_reber_sets",
    "grammar_string",
    "king_james_bible",
    "lengths_to_mask",
    "mean_and_std",
    "next_symbols",
    "ngram_bits_per_character",
    "ngram_probabilities",
    "one_hot",
    "one_hot_decode",
    "pad",
    "pydoc_topics",
    "random_windows",
    "reber_batch",
    "shuffled_batches",
    "split",
    "standardize",
    "steps_predicted",
    "strings_predicted",
    "surnames",
    "temporal_order",
    "toy_pronunciations",
    "toy_surnames",
]
