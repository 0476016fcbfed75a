"""Is a gradient right? `check.py` asks in three ways, none of which knows how it was derived.

`slopes.py` has the complex step and the central difference, and refuses a complex step that was lost; `crosscheck.py`
compares the two. `leaves.py` judges each leaf by its own size; `pieces.py` asks of a layer that a sequence in pieces is
the whole.
"""

from rnn_tutorial.gradient_check.check import *
from rnn_tutorial.gradient_check.crosscheck import *
from rnn_tutorial.gradient_check.leaves import *
from rnn_tutorial.gradient_check.pieces import *
from rnn_tutorial.gradient_check.slopes import *
