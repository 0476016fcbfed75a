"""Weights exchanged with the world: one module for each neighbour, each of them two functions, `to_` and `from_`.

`pytorch.py` speaks the state_dict of torch.nn.RNN, LSTM and GRU, `keras.py` the weight lists of Keras, `onnx.py` writes and
reads a file that onnxruntime runs, `safetensors.py` any dict of arrays by name. To convert arrays none of them needs its library;
the two kinds of files need `onnx` and `safetensors` (`pip install -e ".[exchange]"`).

A list of weights does not say its activations. `from_pytorch_module` and `from_keras_layer` take the module or the layer itself,
which does. Gradients are not weights, since two biases that are added have one gradient: `gradients_to_pytorch`,
`gradients_to_keras`.

`layout.py` is what they share. The other modules are what these four are made of: `pytorch_names.py`, `keras_layers.py`, and for
`onnx.py`, which writes with `onnx_write.py` and reads with `onnx_graph.py`, `onnx_layers.py`, `onnx_recurrent.py` and
`onnx_unrolled.py`, `onnx_step.py` and `onnx_nodes.py`.

What can be said in both languages is moved, not computed, so there and back is exact. What cannot is refused, and says why. Some
weights have no bias: those of PyTorch with bias=False, of Keras with use_bias=False, a node of ONNX without B. Here it is zero.
A file that has some of its biases and not others was damaged, and is refused.
"""
