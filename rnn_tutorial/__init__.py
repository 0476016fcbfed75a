"""Recurrent networks explained: every gradient derived, coded and proved.

`T` steps, `B` batch, `D` inputs, `H` hidden, `K` outputs, `V` vocabulary. A singular name is one
step (`x: (B, D)`), a plural name a sequence, time first (`xs: (T, B, D)`). `d` + name is the
gradient of the loss with respect to it, of the same type.

A network that learns to repeat its input two steps later:

>>> import numpy as np
>>> from rnn_tutorial.cells import Elman
>>> from rnn_tutorial.data import delayed_echo
>>> from rnn_tutorial.layers import Dense, Recurrent, Serial
>>> from rnn_tutorial.train import adam, mean_squared_error, train

>>> rng = np.random.default_rng(0)
>>> model = Serial((Recurrent(Elman, input_size=1, hidden_size=8), Dense(8, 1)))
>>> start = model.init(rng)
>>> batches = (delayed_echo(rng, T=10, B=16, delay=2) for _ in range(300))
>>> for step in train(model, start, batches, mean_squared_error, adam(1e-2)):
...     params = step.params
>>> step.loss < 0.01
True
>>> ys, state, cache = model.forward(params, np.zeros((10, 1, 1)))
>>> ys.shape
(10, 1, 1)

A batch is (xs, targets), here both (10, 16, 1). `state` is the memory of the network after the
sequence: `model.forward(params, more_xs, state)` continues from there.

    cells           Elman, LSTM, GRU and their relatives; Cell, for a cell of your own
    sequence        step and unroll of any cell, forward and backward; trace, jacobians, RTRL;
                    the linear recurrence as loop, chunks and scan
    layers          Recurrent, Dense, Embedding, Last, Serial, Residual, Bidirectional, dropout;
                    Layer, for a layer of your own
    decoding        greedy and beam search: from probabilities to a sequence
    train           the loop, losses, optimizers, schedules, clipping, metrics, generated text
    gradient_check  check_cell, check_layer, check_gradients: is a backward right? locate: where is
                    the mistake?
    data            texts and Vocabulary, synthetic tasks, padding and batches, n-grams
    plotting        the pictures of the chapters, such as plot_gates
    explore         figures that you can move, in a notebook
    speed           what a program costs: times in turn, counted operations, the rates of a machine
    exchange        weights to and from PyTorch, Keras, ONNX and safetensors

    activations, initializers       what cells are made of
    tree, types, bound              trees of arrays, shared types, functions that can be compared
    checkpoint, replacing, summary  files of parameters, and a table of them
    validation                      the checks of arguments

Import from the package that has the noun, as above. The commonest names can be imported from
`rnn_tutorial` too: `from rnn_tutorial import LSTM, Recurrent, unroll`; but `rnn_tutorial.train` is
the package, and `rnn_tutorial.train.train` the loop. For more about a noun, ask for it:
`help(rnn_tutorial.sequence.trace)`. Errors name the argument, what was expected and what came. Data
have the dtype of the parameters: whole numbers are not converted to floats, nor float32 to float64.
"""

__version__ = "0.3.0"

# The commonest names, each with the package that has it. They are imported when they are first
# used, so `import rnn_tutorial` imports neither NumPy nor anything else.
_PACKAGE_OF = {
    "Bidirectional": "layers",
    "Cell": "cells",
    "Dense": "layers",
    "Elman": "cells",
    "Embedding": "layers",
    "GRU": "cells",
    "LSTM": "cells",
    "Last": "layers",
    "Recurrent": "layers",
    "Serial": "layers",
    "Vocabulary": "data",
    "adam": "train",
    "check_cell": "gradient_check",
    "check_layer": "gradient_check",
    "mean_squared_error": "train",
    "pad": "data",
    "softmax_cross_entropy": "train",
    "step": "sequence",
    "unroll": "sequence",
    "unroll_backward": "sequence",
}
_PACKAGES = (
    "cells",
    "sequence",
    "layers",
    "decoding",
    "train",
    "gradient_check",
    "data",
    "exchange",
    "plotting",
    "explore",
    "speed",
)

__all__ = list(_PACKAGE_OF)

TYPE_CHECKING = False  # which a type checker takes for True; `typing` itself need not be imported
if TYPE_CHECKING:
    from rnn_tutorial.cells import GRU as GRU
    from rnn_tutorial.cells import LSTM as LSTM
    from rnn_tutorial.cells import Cell as Cell
    from rnn_tutorial.cells import Elman as Elman
    from rnn_tutorial.data import Vocabulary as Vocabulary
    from rnn_tutorial.data import pad as pad
    from rnn_tutorial.gradient_check import check_cell as check_cell
    from rnn_tutorial.gradient_check import check_layer as check_layer
    from rnn_tutorial.layers import Bidirectional as Bidirectional
    from rnn_tutorial.layers import Dense as Dense
    from rnn_tutorial.layers import Embedding as Embedding
    from rnn_tutorial.layers import Last as Last
    from rnn_tutorial.layers import Recurrent as Recurrent
    from rnn_tutorial.layers import Serial as Serial
    from rnn_tutorial.sequence import step as step
    from rnn_tutorial.sequence import unroll as unroll
    from rnn_tutorial.sequence import unroll_backward as unroll_backward
    from rnn_tutorial.train import adam as adam
    from rnn_tutorial.train import mean_squared_error as mean_squared_error
    from rnn_tutorial.train import softmax_cross_entropy as softmax_cross_entropy
else:  # hidden from a type checker, which would take every name of the package for known

    def __getattr__(name: str) -> object:
        """Return a package or one of the commonest names.

        Raises: AttributeError, saying where the name is, for any other.
        """
        from importlib import import_module

        if name in _PACKAGES:
            return import_module(f"{__name__}.{name}")
        if name in _PACKAGE_OF:
            return getattr(import_module(f"{__name__}.{_PACKAGE_OF[name]}"), name)
        raise AttributeError(f"rnn_tutorial has no name {name!r}{_advice(name)}", name=name)


def __dir__() -> list[str]:
    """Return the names that can be used after `import rnn_tutorial`."""
    return sorted({*globals(), *__all__, *_PACKAGES})


def _advice(name: str) -> str:
    """Return the end of a message that says which package has the name, as far as can be said."""
    from importlib import import_module
    from importlib.util import find_spec

    if name.startswith("_") or find_spec(f"{__name__}.{name}") is not None:
        return ""
    for package in _PACKAGES:
        if hasattr(import_module(f"{__name__}.{package}"), name):
            return f"; write: from rnn_tutorial.{package} import {name}"
    return "; help(rnn_tutorial) lists its packages and what they have"
