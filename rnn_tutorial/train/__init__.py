"""Training: losses, optimizers, the loop, and what comes after it.

`training.py` is the loop; `losses.py`, `optimizers.py`, `schedules.py` and `clipping.py` are its
parts. `metrics.py` says how good predictions are, `sampling.py` lets a model write, `trials.py`
counts how many sequences a run needed. `memory.py` keeps the memory that a step frees for the next.
"""

from rnn_tutorial.train.clipping import *
from rnn_tutorial.train.ctc import *
from rnn_tutorial.train.losses import *
from rnn_tutorial.train.memory import *
from rnn_tutorial.train.metrics import *
from rnn_tutorial.train.optimizers import *
from rnn_tutorial.train.sampling import *
from rnn_tutorial.train.schedules import *
from rnn_tutorial.train.teacher_forcing import *
from rnn_tutorial.train.training import *
from rnn_tutorial.train.trials import *
