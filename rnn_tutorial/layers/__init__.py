"""Layers: the parts of a model. `layer.py` says what every layer promises.

`core.py` has `Recurrent`, `Last`, `Dense` and `Embedding`; `serial.py` puts layers one after
another (`Serial`, `Residual`); `bidirectional.py` reads in both directions, and `merge.py` puts the
two readings together; `dropout.py` has the noise that regularizes; `recompute.py` trades time for
memory.
"""

from rnn_tutorial.layers.bidirectional import *
from rnn_tutorial.layers.core import *
from rnn_tutorial.layers.dropout import *
from rnn_tutorial.layers.layer import *
from rnn_tutorial.layers.merge import *
from rnn_tutorial.layers.recompute import *
from rnn_tutorial.layers.serial import *
