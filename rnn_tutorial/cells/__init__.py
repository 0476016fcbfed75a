"""The recurrent cells, one file each.

`cell.py` says what a cell is, `gates.py` how gates share their matrices. `elman.py` is the vanilla
recurrent network and `lstm.py` is long short-term memory. The relatives of the LSTM are
`lstm_1997.py` (without a forget gate), `peephole_lstm.py`, `coupled_lstm.py` and `norm_lstm.py`.
`gru.py` and `gru_before.py` are two different functions that are both called GRU. `kernels/` has
the fast paths of the three most used cells. A step of the linear cells of `linear.py`, which are
`min_gru.py`, `min_lstm.py` and `lru.py`, multiplies the old state by a factor and adds a term.
"""

from rnn_tutorial.cells.cell import *
from rnn_tutorial.cells.coupled_lstm import *
from rnn_tutorial.cells.elman import *
from rnn_tutorial.cells.gates import *
from rnn_tutorial.cells.gru import *
from rnn_tutorial.cells.gru_before import *
from rnn_tutorial.cells.linear import *
from rnn_tutorial.cells.lru import *
from rnn_tutorial.cells.lstm import *
from rnn_tutorial.cells.lstm_1997 import *
from rnn_tutorial.cells.min_gru import *
from rnn_tutorial.cells.min_lstm import *
from rnn_tutorial.cells.norm_lstm import *
from rnn_tutorial.cells.peephole_lstm import *
