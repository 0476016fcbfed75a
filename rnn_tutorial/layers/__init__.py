"""Layers: what a model is made of. `layer.py` says what every layer promises.

`core.py` has `Recurrent`, `Dense`, `Embedding`, `Last`, `Serial` and `Residual`; `bidirectional.py` reads in both directions,
`dropout.py` has the noise that regularizes, `recompute.py` trades time for memory.
"""

from rnn_tutorial.layers.bidirectional import *
from rnn_tutorial.layers.core import *
from rnn_tutorial.layers.dropout import *
from rnn_tutorial.layers.layer import *
from rnn_tutorial.layers.recompute import *
