"""The museum: published mistakes, written in our own code. `test_museum.py` has the checks.

Not a test file. Each docstring says what was wrong, and where it was published. The authors were
not careless: a backward pass without a check is wrong sooner or later.
"""

from typing import Any

import numpy as np

from rnn_tutorial.activations import Activation, identity, sigmoid
from rnn_tutorial.cells import (
    GRU,
    LSTM,
    Cell,
    GRUBefore,
    GRUBeforeParams,
    GRUGates,
    LSTMGates,
    LSTMParams,
    gate_blocks,
    join_gates,
    lstm,
    split_gates,
)
from rnn_tutorial.layers import Last, Recurrent, Serial
from rnn_tutorial.sequence import unroll_backward
from rnn_tutorial.train import clip_by_global_norm, softmax_cross_entropy
from rnn_tutorial.tree import tree_add, tree_cast, tree_map, tree_zeros_like
from rnn_tutorial.types import Array, Mask, Rng

PointwiseGradients = tuple[dict[str, Array], Array, Array, Any]  # dextra, da_x, da_h, dprevious
OverTime = tuple[Any, Array, Any]  # dparams, dxs, dfirst_state

# Cells: a backward that does not belong to the forward


def dh_overwritten(params: Any, cache: Any, dstate: Any) -> PointwiseGradients:
    """Return the LSTM's backward in which dh_previous overwrites dh too early.

    The next line computes dc_previous from dh. The gradients of the parameters are computed before
    that, so they are right for a sequence of one step.

    Source: numpy/numpy-tutorials, "NLP from scratch", 2021 to 2025.
    """
    _, da_x, da_h, dprevious = LSTM.pointwise_backward(params, cache, dstate)
    dh = da_h @ params.W_h.T
    dc = dstate.c + dh * cache.o * (1 - cache.tanh_c**2)
    return {}, da_x, da_h, dprevious._replace(c=dc * cache.f)


def sigmoid_for_its_slope(params: Any, cache: Any, dstate: Any) -> PointwiseGradients:
    """Return the LSTM's backward with da_f = df * sigmoid(f) instead of df * f * (1 - f).

    If the state is zero, df is zero too, and the mistake makes no difference.

    Source: CaptainE/RNN-LSTM-in-numpy, issue 1.
    """
    _, da_x, _, dprevious = LSTM.pointwise_backward(params, cache, dstate)
    da = da_x.copy()
    gate_blocks(da, LSTMGates).f[:] *= sigmoid.f(cache.f) / (cache.f * (1 - cache.f))
    return {}, da, da, dprevious


def product_for_a_sum(params: Any, cache: Any, dstate: Any) -> PointwiseGradients:
    """Return the LSTM's backward that multiplies the two gradients that arrive at c.

    They are to be added. Where nothing comes from the next step, their product is zero.

    Source: the LSTM vignette of the R package `rnn` on CRAN, delta 8.
    """
    up = dstate.h * cache.o * (1 - cache.tanh_c**2)
    return LSTM.pointwise_backward(params, cache, dstate._replace(c=dstate.c * up - up))


def one_minus_delta(params: Any, cache: Any, dstate: Any) -> PointwiseGradients:
    """Return the GRU's backward in which the gradient through 1 - z is 1 - delta instead of -delta.

    Source: the GRU vignette of the R package `rnn` on CRAN, line 6.
    """
    dextra, da_x, _, dprevious = GRUBefore.pointwise_backward(params, cache, dstate)
    da_z = (dstate.h * cache.h_previous + (1 - dstate.h * cache.n)) * cache.z * (1 - cache.z)
    da_r, _, da_n = gate_blocks(da_x, GRUGates)
    return (
        dextra,
        np.concatenate([da_r, da_z, da_n], axis=1),
        np.concatenate([da_r, da_z], axis=1),
        dprevious,
    )


def deltas_exchanged(params: Any, cache: Any, dstate: Any) -> PointwiseGradients:
    """Return the GRU's backward in which reset gate and candidate get each other's delta.

    Source: the last lines of the same vignette.
    """
    _, da_x, _, dprevious = GRUBefore.pointwise_backward(params, cache, dstate)
    da_r, da_z, da_n = gate_blocks(da_x, GRUGates)
    dW_hn = (cache.r * cache.h_previous).T @ da_r
    return (
        {"W_hn": dW_hn},
        np.concatenate([da_n, da_z, da_r], axis=1),
        np.concatenate([da_n, da_z], axis=1),
        dprevious,
    )


# Cells: a forward that does not belong to its parameters


def output_bias_in_three_gates(params: Any, a_x: Array, a_h: Array, state: Any) -> tuple[Any, Any]:
    """Return the LSTM's forward in which three gates use the bias of the output gate.

    It was copied and pasted. The biases were zero at first, also in the tests, which compared with
    PyTorch and passed.

    Source: ddbourgin/numpy-ml, issue 42.
    """
    b, wrong = gate_blocks(params.b, LSTMGates), np.zeros_like(a_x)
    gate_blocks(wrong, LSTMGates).i[:] = b.o - b.i
    gate_blocks(wrong, LSTMGates).f[:] = b.o - b.f
    return LSTM.pointwise(params, a_x + wrong, a_h, state)


def reset_bias_in_update_gate(params: Any, a_x: Array, a_h: Array, state: Any) -> tuple[Any, Any]:
    """Return the GRU's forward in which z gets the bias of the reset gate.

    Source: homework 3, part 1, of the deep learning course of CMU, worked example.
    """
    b, wrong = gate_blocks(params.b, GRUGates), np.zeros_like(a_x)
    gate_blocks(wrong, GRUGates).z[:] = b.r - b.z
    return GRU.pointwise(params, a_x + wrong, a_h, state)


# Backward over time


def carry_lost(cell: Cell, params: Any, cache: Any, doutputs: Any) -> OverTime:
    """Return the backward over time in which no step receives the gradient of the step after it.

    The expected outputs of the exercise had the same mistake, so a right solution was marked as
    wrong.

    Source: Coursera, "Building a recurrent neural network step by step", 2018; qixianbiao/RNN,
    issue 2.
    """
    dhs, dstate = doutputs
    dparams = tree_zeros_like(params)
    dxs: list[Array] = []
    for step, dh in zip(reversed(one_by_one(cache)), dhs[::-1]):
        dparams_t, dx, dprevious = unroll_backward(cell, params, step, (dh[None], dstate))
        dparams, dxs, dstate = tree_add(dparams, dparams_t), [*dxs, dx], tree_zeros_like(dstate)
    return dparams, np.concatenate(dxs[::-1]), dprevious


def one_by_one(cache: Any) -> list[Any]:
    """Return the caches of single steps."""
    return [cache.part(t, t + 1) for t in range(len(cache.steps))]


def buffer_never_written(cell: Cell, params: Any, cache: Any, doutputs: Any) -> OverTime:
    """Return the backward over time in which the array of a gradient stays zero.

    Source: thinc 9.1, LSTM in NumPy.
    """
    dparams, dxs, dfirst = unroll_backward(cell, params, cache, doutputs)
    return dparams._replace(W_h=np.zeros_like(dparams.W_h)), dxs, dfirst


def clipped_in_passing(cell: Cell, params: Any, cache: Any, doutputs: Any) -> OverTime:
    """Return the backward over time that clips its gradients to a norm of 1/4.

    It does so by default; its documentation says that the default is off.

    Source: Synthaze/EpyNN, recurrent layers.
    """
    dparams, dxs, dfirst = unroll_backward(cell, params, cache, doutputs)
    return clip_by_global_norm(dparams, 0.25), dxs, dfirst


def one_bias_pasted_for_another(cell: Cell, params: Any, cache: Any, doutputs: Any) -> OverTime:
    """Return the backward over time in which three biases get the forget gate's gradient.

    Source: hanbt/learn_dl, issue 53.
    """
    dparams, dxs, dfirst = unroll_backward(cell, params, cache, doutputs)
    db = gate_blocks(dparams.b, LSTMGates)
    return dparams._replace(b=np.concatenate([db.f, db.f, db.f, db.g])), dxs, dfirst


def written_into_the_callers_array(cell: Cell, params: Any, cache: Any, doutputs: Any) -> OverTime:
    """Return the backward over time that adds the gradients to the caller's array dh.

    The result is right. But if the same dh is used again, for example for a numerical gradient, it
    belongs to another loss.

    Source: Burton2000/CS231n-2017, issue 7.
    """
    dhs, dstate = doutputs
    dparams = tree_zeros_like(params)
    dxs: list[Array] = []
    for t, step in reversed(list(enumerate(one_by_one(cache)))):
        dhs[t] += dstate.h
        arriving = dhs[t : t + 1], dstate._replace(h=np.zeros_like(dstate.h))
        dparams_t, dx, dstate = unroll_backward(cell, params, step, arriving)
        dparams, dxs = tree_add(dparams, dparams_t), [*dxs, dx]
    return dparams, np.concatenate(dxs[::-1]), dstate


# Other functions than the one that was meant


def reset_before_the_matrix(params: Any, a_x: Array, a_h: Array, state: Any) -> tuple[Any, Any]:
    """Return the forward of the GRU that resets before the matrix.

    The book's own code resets before the matrix, the library that it calls resets after it. Both
    are GRUs, but the text does not say that they differ. PyTorch's documentation does since 2023.

    Source: Dive into Deep Learning, on the GRU; PyTorch, issues 8153 and 99531.
    """
    gates = 2 * len(params.W_h)  # r and z
    before = GRUBeforeParams(params.W_x, params.W_h[:, :gates], params.b, params.W_h[:, gates:])
    return GRUBefore.pointwise(before, a_x, a_h[:, :gates], state)


no_tanh_on_the_cell = lstm(c=identity)
"""h = o * c instead of h = o * tanh(c), which every library computes; some papers have o * c.

Source: nicodjimenez/lstm.
"""

sigmoid_of_2x = Activation(
    "sigmoid_of_2x", f=lambda a: 0.5 * (1 + np.tanh(a)), derivative=lambda y: 2 * y * (1 - y)
)
"""The sigmoid is 0.5 * (tanh(x) + 1), which is the sigmoid of 2 x.

Source: HIPS/autograd, issue 346: its tutorial, and the gates of the LSTM in its examples.
"""


# Layers


class OutputOfTheOldState(Serial):
    """A network whose output is computed from the old state, not from the new one.

    It learned anyway. The state after the last letter of a name was never used.

    Source: pytorch/tutorials, issue 193, character RNN, 2018 to 2023.
    """

    def forward(
        self,
        params: Any,
        xs: Array,
        state: Any = None,
        *,
        mask: Mask | None = None,
        rng: Rng | None = None,
    ) -> tuple[Array, Any, Any]:
        first, _ = self.initial_state(params, xs.shape[1]) if state is None else state
        hs, last, cache = self.layers[0].forward(params[0], xs, first)
        old = np.concatenate([first.h[None], hs[:-1]])
        ys, _, dense_cache = self.layers[1].forward(params[1], old)
        return ys, (last, ()), (cache, dense_cache)

    def backward(
        self, params: Any, caches: Any, dys: Array, dstate: Any = None
    ) -> tuple[Any, Array | None, Any]:
        dlast, _ = (None, ()) if dstate is None else dstate
        dense, dold, _ = self.layers[1].backward(params[1], caches[1], dys)
        assert dold is not None
        dhs = np.concatenate([dold[1:], np.zeros_like(dold[:1])])
        recurrent, dxs, dfirst = self.layers[0].backward(params[0], caches[0], dhs, dlast)
        return (recurrent, dense), dxs, (dfirst._replace(h=dfirst.h + dold[0]), ())


class StateOfTheLastBatch(Recurrent):
    """A layer that keeps its state, so a batch starts with the last state of the batch before.

    Source: ddbourgin/numpy-ml, the recurrent cells.
    """

    kept: Any = None

    def init(self, rng: Rng) -> Any:
        object.__setattr__(self, "kept", None)
        return super().init(rng)

    def forward(
        self,
        params: Any,
        xs: Array,
        state: Any = None,
        *,
        mask: Mask | None = None,
        rng: Rng | None = None,
    ) -> tuple[Array, Any, Any]:
        state = self.cell.initial_state(params, xs.shape[1]) if state is None else state
        if self.kept is not None:
            state = tree_cast(tree_map(np.real, self.kept), xs.dtype)
        hs, last, cache = super().forward(params, xs, state, mask=mask)
        object.__setattr__(self, "kept", last)
        return hs, last, cache


class LastRow(Last):
    """A layer that returns the last row of a padded batch, which is padding for a short sequence.

    Source: pytorch/tutorials, issue 3643.
    """

    def forward(
        self,
        params: Any,
        xs: Array,
        state: Any = None,
        *,
        mask: Mask | None = None,
        rng: Rng | None = None,
    ) -> tuple[Array, Any, Any]:
        return super().forward(params, xs, state)


class OneCellForAllLayers(Serial):
    """A stack in which all layers share one set of weights, because `[cell] * n` repeats one cell.

    Source: macanv/BERT-BiLSTM-CRF-NER, issue 252.
    """

    def init(self, rng: Rng) -> Any:
        return (self.layers[0].init(rng),) * len(self.layers)


# Starts and losses


def seeded_again_for_each_gate(rng: Rng, input_size: int, hidden_size: int) -> LSTMParams:
    """Return initial weights that are the same for all gates.

    The function that draws a matrix first sets the seed to 0.

    Source: nicodjimenez/lstm.
    """
    gates = [
        split_gates(LSTM.init(np.random.default_rng(0), input_size, hidden_size), LSTMGates).i
        for _ in LSTMGates._fields
    ]
    return join_gates(LSTMGates(*gates), LSTMParams)


def temperature_not_differentiated(
    logits: Array, targets: Array, temperature: float
) -> tuple[Any, Array]:
    """Return a loss that divides by the temperature, with the gradient for temperature 1.

    Source: Synthaze/EpyNN, softmax.
    """
    value, dlogits = softmax_cross_entropy(logits, targets, temperature=temperature)
    return value, dlogits * temperature
