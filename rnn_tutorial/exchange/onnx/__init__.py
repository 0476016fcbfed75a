"""To and from ONNX: `files.py` writes and reads a whole file, the other modules its graph, its nodes and its layers."""

from rnn_tutorial.exchange.onnx.files import *
