"""Recurrent networks explained: every gradient derived, coded and proved.

`T` steps, `B` batch, `D` inputs, `H` hidden, `K` outputs, `V` vocabulary. A singular name is one step (`x: (B, D)`), a plural
name a sequence, time first (`xs: (T, B, D)`). `d` + name is the gradient of the loss with respect to it, of the same type.

Import from the module that owns the noun. A network that learns to say what it heard two steps ago:

>>> import numpy as np
>>> from rnn_tutorial.cells.elman import Elman
>>> from rnn_tutorial.data import delayed_echo
>>> from rnn_tutorial.layers import Dense, Recurrent, Serial
>>> from rnn_tutorial.train.losses import mean_squared_error
>>> from rnn_tutorial.train.optimizers import adam
>>> from rnn_tutorial.train.training import train

>>> rng = np.random.default_rng(0)
>>> model = Serial((Recurrent(Elman, input_size=1, hidden_size=8), Dense(8, 1)))
>>> params = model.init(rng)
>>> batches = (delayed_echo(rng, T=10, B=16, delay=2) for _ in range(300))  # (xs, targets), both (10, 16, 1)
>>> for step in train(model, params, batches, mean_squared_error, adam(1e-2)):
...     params = step.params
>>> step.loss < 0.01
True
>>> ys, state, cache = model.forward(params, np.zeros((10, 1, 1)))
>>> ys.shape
(10, 1, 1)

`state` is what the network remembers of the sequence: `model.forward(params, more_xs, state)` goes on from there. A layer
of your own has the same four methods: `layer.Layer` describes them.

Other cells: `LSTM` in `cells.lstm`, `GRU` in `cells.gru`, and their relatives beside them; one of your own: `cells.cell.Cell`
and `gradient_check.check_cell`. One step of any cell: `step.step`; a whole sequence: `unroll.unroll`. Both directions:
`directions.Bidirectional`. In depth: `layers.Residual`, `dropout`. Long sequences in less memory: `recompute`. To look
inside: `trace.trace`, `plotting.plot_gates`. To and from PyTorch, Keras, ONNX and safetensors: `exchange`. Speed:
`Recurrent` runs a cell's fast path, `fused`, and for a cell without one `unroll`.

Sequences of different length: `data.pad` and `training.Batch`. One answer a sequence: `layers.Last`. Text: `data.Vocabulary`,
`layers.Embedding`, `losses.softmax_cross_entropy`, `sampling.generate`. Whole numbers are not made into floats, nor float32
into float64: data have the dtype of the parameters.
"""

__version__ = "0.2.0"
