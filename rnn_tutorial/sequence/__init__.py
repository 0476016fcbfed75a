"""A cell over time: one step, a whole sequence, the fast path, and what looks inside.

`step.py` is one step of any cell, `unroll.py` a sequence of them, `fused.py` the same in less time
for cells with a kernel. `packing.py` runs over the real steps of a ragged batch alone.
`truncation.py` cuts the backward pass, `rtrl.py` computes the gradient forward in time, `trace.py`
keeps every intermediate by name, `jacobians.py` measures how far a gradient reaches. `scan.py` is
the linear recurrence, which need not be run in order.
"""

from rnn_tutorial.sequence.fused import *
from rnn_tutorial.sequence.jacobians import *
from rnn_tutorial.sequence.packing import *
from rnn_tutorial.sequence.rtrl import *
from rnn_tutorial.sequence.scan import *
from rnn_tutorial.sequence.step import *
from rnn_tutorial.sequence.trace import *
from rnn_tutorial.sequence.truncation import *
from rnn_tutorial.sequence.unroll import *
