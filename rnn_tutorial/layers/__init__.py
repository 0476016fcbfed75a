"""Layers: the parts of a model. `layer.py` says what every layer promises.

`core.py` has `Recurrent`, `Last`, `Dense` and `Embedding`; `serial.py` puts layers one after
another (`Serial`, `Residual`); `bidirectional.py` reads in both directions, and `merge.py` puts the
two readings together; `dropout.py` and `weight_drop.py` have the noise that regularizes; `tied.py`
has one matrix for the symbols that come in and go out; `recompute.py` trades time for memory;
`seq2seq.py` has an encoder–decoder, made of layers, a `bridge.py` and a `readout.py`;
`attention.py` is a readout, with the `scores.py` that it weighs by.
"""

from rnn_tutorial.layers.attention import *
from rnn_tutorial.layers.bidirectional import *
from rnn_tutorial.layers.bridge import *
from rnn_tutorial.layers.core import *
from rnn_tutorial.layers.dropout import *
from rnn_tutorial.layers.layer import *
from rnn_tutorial.layers.merge import *
from rnn_tutorial.layers.readout import *
from rnn_tutorial.layers.recompute import *
from rnn_tutorial.layers.scores import *
from rnn_tutorial.layers.seq2seq import *
from rnn_tutorial.layers.serial import *
from rnn_tutorial.layers.tied import *
from rnn_tutorial.layers.weight_drop import *
