"""The museum: mistakes that good people published, told in our own code. Not a test file: `test_museum.py` has the checks.

Each docstring says where the mistake stood and what was wrong. Nobody here was careless: a backward pass that nothing checks is
wrong sooner or later.
"""

import numpy as np

from rnn_tutorial.activations import Activation, identity, sigmoid
from rnn_tutorial.cells import (
    GRU,
    LSTM,
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

# Cells: a backward that does not belong to the forward


def dh_overwritten(params, cache, dstate):
    """numpy/numpy-tutorials, "NLP from scratch", 2021 to 2025: dh becomes dh_previous a line before dc_previous is made with dh.

    The parameters' gradients of the same step are done by then, so a sequence of one step has them right.
    """
    _, da_x, da_h, dprevious = LSTM.pointwise_backward(params, cache, dstate)
    dh = da_h @ params.W_h.T
    dc = dstate.c + dh * cache.o * (1 - cache.tanh_c**2)
    return {}, da_x, da_h, dprevious._replace(c=dc * cache.f)


def sigmoid_for_its_slope(params, cache, dstate):
    """CaptainE/RNN-LSTM-in-numpy, issue 1: da_f = df * sigmoid(f), where f * (1 - f) was due. From a zero state df is zero."""
    _, da_x, _, dprevious = LSTM.pointwise_backward(params, cache, dstate)
    da = da_x.copy()
    gate_blocks(da, LSTMGates).f[:] *= sigmoid.f(cache.f) / (cache.f * (1 - cache.f))
    return {}, da, da, dprevious


def one_minus_delta(params, cache, dstate):
    """The GRU vignette of the R package `rnn`, on CRAN, line 6: backwards through 1 - z goes -delta; printed is 1 - delta."""
    dextra, da_x, _, dprevious = GRUBefore.pointwise_backward(params, cache, dstate)
    da_z = (dstate.h * cache.h_previous + (1 - dstate.h * cache.n)) * cache.z * (1 - cache.z)
    da_r, _, da_n = gate_blocks(da_x, GRUGates)
    return (
        dextra,
        np.concatenate([da_r, da_z, da_n], axis=1),
        np.concatenate([da_r, da_z], axis=1),
        dprevious,
    )


def deltas_exchanged(params, cache, dstate):
    """The last lines of the same vignette: the matrices of the reset gate and of the candidate get each other's delta."""
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


def output_bias_in_three_gates(params, a_x, a_h, state):
    """ddbourgin/numpy-ml, issue 42: the bias of the output gate stands in the forget and the input gate too, by copy and paste.

    The biases started at zero, and so did those of the tests, which compared with PyTorch and passed.
    """
    b, wrong = gate_blocks(params.b, LSTMGates), np.zeros_like(a_x)
    gate_blocks(wrong, LSTMGates).i[:] = b.o - b.i
    gate_blocks(wrong, LSTMGates).f[:] = b.o - b.f
    return LSTM.pointwise(params, a_x + wrong, a_h, state)


def reset_bias_in_update_gate(params, a_x, a_h, state):
    """Homework 3, part 1, of the deep learning course of CMU: the worked example of its text adds the reset gate's bias to z."""
    b, wrong = gate_blocks(params.b, GRUGates), np.zeros_like(a_x)
    gate_blocks(wrong, GRUGates).z[:] = b.r - b.z
    return GRU.pointwise(params, a_x + wrong, a_h, state)


# Backward over time


def carry_lost(cell, params, cache, doutputs):
    """Coursera, "Building a recurrent neural network step by step", 2018, and qixianbiao/RNN, issue 2.

    What comes back from a step is never handed to the step before it. The exercise's expected outputs had been made so: learners
    whose backward was right were told that it was wrong.
    """
    dhs, dstate = doutputs
    dparams, dxs = tree_zeros_like(params), []
    for step, dh in zip(reversed(one_by_one(cache)), dhs[::-1]):
        dparams_t, dx, dprevious = unroll_backward(cell, params, step, (dh[None], dstate))
        dparams, dxs, dstate = tree_add(dparams, dparams_t), [*dxs, dx], tree_zeros_like(dstate)
    return dparams, np.concatenate(dxs[::-1]), dprevious


def one_by_one(cache):
    """Return the caches of single steps."""
    return [cache.part(t, t + 1) for t in range(len(cache.steps))]


def buffer_never_written(cell, params, cache, doutputs):
    """thinc 9.1, LSTM in NumPy: an array of zeros is made for a gradient, and returned as it was made."""
    dparams, dxs, dfirst = unroll_backward(cell, params, cache, doutputs)
    return dparams._replace(W_h=np.zeros_like(dparams.W_h)), dxs, dfirst


def clipped_in_passing(cell, params, cache, doutputs):
    """Synthaze/EpyNN, recurrent layers: the backward ends by clipping to a norm of 1/4, on by default; the docstring says off."""
    dparams, dxs, dfirst = unroll_backward(cell, params, cache, doutputs)
    return clip_by_global_norm(dparams, 0.25), dxs, dfirst


def one_bias_pasted_for_another(cell, params, cache, doutputs):
    """hanbt/learn_dl, issue 53: the biases of the input and the output gate get the gradient of the forget gate's."""
    dparams, dxs, dfirst = unroll_backward(cell, params, cache, doutputs)
    db = gate_blocks(dparams.b, LSTMGates)
    return dparams._replace(b=np.concatenate([db.f, db.f, db.f, db.g])), dxs, dfirst


def written_into_the_callers_array(cell, params, cache, doutputs):
    """Burton2000/CS231n-2017, issue 7: dh[:, t] += what comes back from step t + 1, and dh belongs to the caller.

    The answer is right. Whoever uses the same dh afterwards, as a numerical gradient does, is asking about another loss.
    """
    dhs, dstate = doutputs
    dparams, dxs = tree_zeros_like(params), []
    for t, step in reversed(list(enumerate(one_by_one(cache)))):
        dhs[t] += dstate.h
        arriving = dhs[t : t + 1], dstate._replace(h=np.zeros_like(dstate.h))
        dparams_t, dx, dstate = unroll_backward(cell, params, step, arriving)
        dparams, dxs = tree_add(dparams, dparams_t), [*dxs, dx]
    return dparams, np.concatenate(dxs[::-1]), dstate


# Other functions than the one that was meant


def reset_before_the_matrix(params, a_x, a_h, state):
    """Dive into Deep Learning, on the GRU: from scratch it resets before the matrix, and its library's call resets after it.

    Each is a GRU; the text does not say that they are two. PyTorch's documentation says so since 2023: its issues 8153 and 99531.
    """
    gates = 2 * len(params.W_h)  # r and z
    before = GRUBeforeParams(params.W_x, params.W_h[:, :gates], params.b, params.W_h[:, gates:])
    return GRUBefore.pointwise(before, a_x, a_h[:, :gates], state)


no_tanh_on_the_cell = lstm(c=identity)
"""nicodjimenez/lstm: h = o * c. Some papers have it so; the cell of every library has tanh(c) there."""

sigmoid_of_2x = Activation(
    "sigmoid_of_2x", f=lambda a: 0.5 * (1 + np.tanh(a)), derivative=lambda y: 2 * y * (1 - y)
)
"""HIPS/autograd, issue 346: the sigmoid of the tutorial, and of the LSTM's gates in its examples, is 0.5 * (tanh(x) + 1)."""


# Layers


class OutputOfTheOldState(Serial):
    """pytorch/tutorials, issue 193, character RNN, 2018 to 2023: the output is computed beside the new state, not from it.

    It trained all the same. The state that a name's last letter makes was never used.
    """

    def forward(self, params, xs, state=None, *, mask=None, rng=None):
        first, _ = self.initial_state(params, xs.shape[1]) if state is None else state
        hs, last, cache = self.layers[0].forward(params[0], xs, first)
        old = np.concatenate([first.h[None], hs[:-1]])
        ys, _, dense_cache = self.layers[1].forward(params[1], old)
        return ys, (last, ()), (cache, dense_cache)

    def backward(self, params, caches, dys, dstate=None):
        dlast, _ = (None, ()) if dstate is None else dstate
        dense, dold, _ = self.layers[1].backward(params[1], caches[1], dys)
        dhs = np.concatenate([dold[1:], np.zeros_like(dold[:1])])
        recurrent, dxs, dfirst = self.layers[0].backward(params[0], caches[0], dhs, dlast)
        return (recurrent, dense), dxs, (dfirst._replace(h=dfirst.h + dold[0]), ())


class StateOfTheLastBatch(Recurrent):
    """ddbourgin/numpy-ml, the recurrent cells: the state is kept in the layer, so a batch starts where the last one ended."""

    def init(self, rng):
        object.__setattr__(self, "kept", None)
        return super().init(rng)

    def forward(self, params, xs, state=None, *, mask=None, rng=None):
        state = self.cell.initial_state(params, xs.shape[1]) if state is None else state
        if self.kept is not None:
            state = tree_cast(tree_map(np.real, self.kept), xs.dtype)
        hs, last, cache = super().forward(params, xs, state, mask=mask)
        object.__setattr__(self, "kept", last)
        return hs, last, cache


class LastRow(Last):
    """pytorch/tutorials, issue 3643: what stands in the last row of a padded batch is, for a short sequence, of its padding."""

    def forward(self, params, xs, state=None, *, mask=None, rng=None):
        return super().forward(params, xs, state)


class OneCellForAllLayers(Serial):
    """macanv/BERT-BiLSTM-CRF-NER, issue 252: `[cell] * n` stacks one cell n times, and all layers share one set of weights."""

    def init(self, rng):
        return (self.layers[0].init(rng),) * len(self.layers)


# Starts and losses


def seeded_again_for_each_gate(rng, input_size, hidden_size):
    """nicodjimenez/lstm: every matrix is drawn by a function that first seeds with 0, so all gates start as one."""
    gates = [
        split_gates(LSTM.init(np.random.default_rng(0), input_size, hidden_size), LSTMGates).i
        for _ in LSTMGates._fields
    ]
    return join_gates(LSTMGates(*gates), LSTMParams)


def temperature_not_differentiated(logits, targets, temperature):
    """Synthaze/EpyNN, softmax: the forward divides by the temperature; the derivative is that of temperature 1."""
    value, dlogits = softmax_cross_entropy(logits, targets, temperature=temperature)
    return value, dlogits * temperature
