"""Data that needs no download: texts of packages, synthetic tasks, batches, and n-gram baselines.

`text.py` has texts and the `Vocabulary` that turns them into numbers; `batches.py` has splitting,
shuffling, windows and padding; `synthetic.py` has tasks of a given distance in time, `reber.py` the
Reber grammars. `ngrams.py` is the baseline of character models. `pronunciations.py` has words with
their phones, `surnames.py` names with their language. `stored.py` finds the stored
results of long experiments.
"""

from rnn_tutorial.data.batches import *
from rnn_tutorial.data.ngrams import *
from rnn_tutorial.data.pronunciations import *
from rnn_tutorial.data.reber import *
from rnn_tutorial.data.stored import *
from rnn_tutorial.data.surnames import *
from rnn_tutorial.data.synthetic import *
from rnn_tutorial.data.text import *
