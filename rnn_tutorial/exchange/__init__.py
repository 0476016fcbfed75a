"""Weights exchanged with the world: one module for each neighbour, each of them two functions, `to_` and `from_`.

`pytorch.py` speaks the state_dict of torch.nn.RNN, LSTM and GRU, `keras.py` the weight lists of Keras, `onnx.py` writes and
reads a file that onnxruntime runs, `safetensors.py` any dict of arrays by name. To convert arrays none of them needs its library;
the two kinds of files need `onnx` and `safetensors` (`pip install -e ".[exchange]"`).

`layout.py` is what they share; `onnx_nodes.py`, `onnx_graph.py` and `onnx_layers.py` are what `onnx.py` is made of.

What can be said in both languages is moved, not computed, so there and back is exact. What cannot is refused, and says why.
"""
