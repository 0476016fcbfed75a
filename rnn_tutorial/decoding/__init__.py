"""Decoding: from a model's probabilities to a sequence of symbols.

Every decoder gives, for each sequence of a batch, a list of `Hypothesis`, the best first.
`greedy.py` takes the likeliest symbol at each step, `beam.py` follows several beginnings at once;
`ctc.py` has both for the outputs of CTC.
"""

from rnn_tutorial.decoding.beam import *
from rnn_tutorial.decoding.ctc import *
from rnn_tutorial.decoding.greedy import *
from rnn_tutorial.decoding.hypothesis import *
