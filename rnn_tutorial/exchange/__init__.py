"""Weights exchanged with other libraries: each module has two functions, `to_` and `from_`.

`pytorch.py` has the state_dict of PyTorch's modules, `keras.py` the weight lists of Keras.
`onnx` writes and reads a file that onnxruntime runs, `safetensors.py` any dict of arrays by name.
None of them needs the library to convert arrays, and importing them imports none. The two kinds of
files need `onnx` and `safetensors` (`pip install -e ".[exchange]"`).

A list of weights does not say its activations. `from_pytorch_module` and `from_keras_layer` take
the module or the layer itself, which does. Gradients need functions of their own, since two biases
that are added have the same gradient: `gradients_to_pytorch`, `gradients_to_keras`.

`pytorch_attention.py` has one head of MultiheadAttention, which is three layers here.

`names.py` is a table of what other libraries call the arrays here, `names_table()`. `layout.py` is
what all formats share. `pytorch_layers.py`, `pytorch_names.py` and `keras_layers.py` are parts of
`pytorch.py` and `keras.py`.

A network that both libraries have is moved, not computed, so the way there and back is exact; only
the matrices of that head are multiplied. Any other network is refused with the reason. Some weights
have no bias: those of PyTorch with bias=False, of Keras with use_bias=False, a node of ONNX without
B. Here the bias is zero. A file that has some of its biases and not others is damaged, and is
refused.
"""

from rnn_tutorial.exchange.keras import *
from rnn_tutorial.exchange.layout import ExchangeError as ExchangeError
from rnn_tutorial.exchange.names import *
from rnn_tutorial.exchange.onnx import *
from rnn_tutorial.exchange.pytorch import *
from rnn_tutorial.exchange.pytorch_attention import *
from rnn_tutorial.exchange.safetensors import *
