"""Is a gradient right? Checks of any function, of a cell, and of a layer.

`check_gradients` checks any function, `check_cell` a cell, `check_layer` a layer or a model. None
of them knows how a gradient was derived. `locate` and `locate_cell` say where in one step a mistake
is; `puzzles.py` has mistakes to find.

`slopes.py` has the complex step and the central difference, and refuses a complex step that was
lost; `crosscheck.py` compares the two. `leaves.py` judges each leaf by its own size. `one_step.py`
reads what a step returns, `look.py` goes back to before its products, `cause.py` says which line is
wrong, and `location.py` shows it. `protocol.py` looks at what a layer returns, `contract.py` at
what it promises, `pieces.py` at a sequence in two pieces, which must be the whole.
"""

from rnn_tutorial.gradient_check.cause import *
from rnn_tutorial.gradient_check.cell import *
from rnn_tutorial.gradient_check.check import *
from rnn_tutorial.gradient_check.checked import *
from rnn_tutorial.gradient_check.contract import *
from rnn_tutorial.gradient_check.crosscheck import *
from rnn_tutorial.gradient_check.layer import *
from rnn_tutorial.gradient_check.leaves import *
from rnn_tutorial.gradient_check.location import *
from rnn_tutorial.gradient_check.look import *
from rnn_tutorial.gradient_check.one_step import *
from rnn_tutorial.gradient_check.pieces import *
from rnn_tutorial.gradient_check.protocol import *
from rnn_tutorial.gradient_check.puzzles import *
from rnn_tutorial.gradient_check.slopes import *
