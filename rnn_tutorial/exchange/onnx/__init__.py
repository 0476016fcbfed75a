"""To and from ONNX: `files.py` has the two functions, the other modules are its parts.

`write.py` writes the nodes of our layers. `graph.py` reads a graph, `layers.py`, `recurrent.py` and
`unrolled.py` find our layers in it. `nodes.py` is what both share: our cells as nodes of ONNX.
To read one more operator, add it to `KNOWN` in `graph.py` and to `READERS` in `layers.py`.
"""

from rnn_tutorial.exchange.onnx.files import *
