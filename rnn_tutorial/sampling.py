"""Sampling: a trained model writes, one symbol at a time, each drawn from its prediction and read back as an input.

The model maps symbols (T, B) to logits (T, B, V), as `Serial((Embedding, Recurrent, ..., Dense))` does. A layer's
`forward` begins every sequence from a zero state; writing needs the state carried from call to call, which is what
`continue_forward` adds: the states go in and come out, and nothing is remembered in between.
"""

import numpy as np

from rnn_tutorial.losses import softmax
from rnn_tutorial.validation import check_array, check_positive


def generate(model, params, rng, prompts, length, temperature=1.0):
    """Return `length` symbols for each of B prompts, integers (length, B): s_t ~ softmax(logits_t / temperature).

    The model reads the prompts (T, B), T >= 1, from a zero state, then each symbol that it wrote. A low temperature
    prefers the likeliest symbol, a high one makes all alike.

    Errors: TypeError, ValueError or IndexError for prompts that are no integers of shape (T, B) within the vocabulary,
    ValueError for a length that is no positive whole number, a temperature that is not positive, or a model without
    logits at every step; TypeError for a model with a layer that cannot carry its state on, such as `Bidirectional`.
    """
    check_positive("length", length)
    check_array("prompts", prompts, T=None, B=None)
    state = model.initial_state(params, prompts.shape[1])
    logits, state, _ = model.forward(params, prompts, state)
    symbols = []
    for _ in range(length):
        check_array("logits", logits, T=None, B=prompts.shape[1], V=None)
        symbols.append(sample_symbols(rng, logits[-1], temperature))
        logits, state, _ = model.forward(params, symbols[-1][None], state)
    return np.stack(symbols)


def sample_symbols(rng, logits, temperature=1.0):
    """Return one symbol for each row of logits (B, V), integers (B,), drawn with softmax(logits / temperature).

    Symbol k owns the stretch of the cumulative sum that its probability adds; a uniform number falls into one stretch.
    The number is scaled by the last sum, which rounding leaves a little off 1, so it always falls into one of them, and
    never into one of length 0.
    """
    check_array("logits", logits, B=None, V=None)
    ends = np.cumsum(softmax(logits, temperature), axis=-1)
    u = rng.random((len(logits), 1)) * ends[:, -1:]
    return np.sum(ends <= u, axis=-1)
