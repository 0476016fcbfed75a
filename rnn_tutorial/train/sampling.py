"""Sampling: a trained model writes, one symbol at a time.

Each symbol is drawn from the model's prediction and is its next input. The model maps symbols
(T, B) to logits (T, B, V), as `Serial((Embedding, Recurrent, ..., Dense))` does. It starts from
`model.initial_state`, and the state that each forward returns goes into the next, so no symbol is
read twice.
"""

import numpy as np

from rnn_tutorial.layers.layer import Layer
from rnn_tutorial.train.losses import softmax
from rnn_tutorial.types import Array, Rng, Tree
from rnn_tutorial.validation import NotFiniteError, check_array, check_positive, check_rng

__all__ = [
    "check_logits",
    "generate",
    "sample_symbols",
]


def generate(
    model: Layer, params: Tree, rng: Rng, prompts: Array, length: int, temperature: float = 1.0
) -> Array:
    """Return `length` symbols for each of B prompts: s_t ~ softmax(logits_t / temperature).

    The model reads the prompts, T >= 1 steps, from its first state, then each symbol that it wrote.
    A low temperature prefers the likeliest symbol, a high one makes all equally likely.

    Shapes: prompts (T, B), integers; the answer (length, B), integers.

    Raises: TypeError, ValueError or IndexError for prompts that are not integers of shape (T, B)
    within the vocabulary; ValueError for a length that is not a positive whole number, a
    temperature that is not positive, or a model without logits at every step; NotFiniteError for
    logits that are not finite, as those of a model that diverged; TypeError for a seed in place of
    a generator, or a model that cannot carry its state on, such as one with a `Bidirectional`.
    """
    check_positive("length", length)
    check_rng(rng)
    check_array("prompts", prompts, T=None, B=None)
    symbols, B = [], prompts.shape[1]
    xs, state = prompts, model.initial_state(params, B)
    for _ in range(length):
        logits, state, _ = model.forward(params, xs, state)
        check_array("logits", logits, T=None, B=B, V=None)
        symbols.append(sample_symbols(rng, logits[-1], temperature))
        xs = symbols[-1][None]  # a sequence of one step
    return np.stack(symbols)


def sample_symbols(rng: Rng, logits: Array, temperature: float = 1.0) -> Array:
    """Return one symbol for each row of logits, drawn with softmax(logits / temperature).

    Symbol k has the part of the cumulative sum that its probability adds, and a uniform number
    falls into one of the parts. Rounding may leave the last sum a little off 1. So the number is
    scaled by the last sum: it always falls into a part, and never into one of length 0. A logit of
    -infinity forbids its symbol.

    Shapes: logits (B, V); the answer (B,), integers.

    Raises: NotFiniteError for a NaN, for +infinity, which gives no probability, and for a row of
    -infinity alone; TypeError for a seed in place of a generator or whole numbers in place of
    logits; ValueError for another shape or a temperature that is not positive.
    """
    check_rng(rng)
    check_array("logits", logits, B=None, V=None)
    check_logits(logits)
    ends = np.cumsum(softmax(logits, temperature), axis=-1)
    u = rng.random((len(logits), 1)) * ends[:, -1:]
    return np.sum(ends <= u, axis=-1)


def check_logits(logits: Array) -> None:
    """Raise NotFiniteError for logits that give no probabilities.

    These are a NaN, +infinity, or a row of -infinity alone.
    """
    wrong = np.isnan(logits) | (logits == np.inf)
    if wrong.any():
        place = tuple(int(k) for k in np.argwhere(wrong)[0])
        wanted = "finite numbers, or -inf for a symbol that must not come"
        raise NotFiniteError(f"logits: expected {wanted}, got {logits[place]} at index {place}")
    forbidden = (logits == -np.inf).all(axis=-1)
    if forbidden.any():
        raise NotFiniteError(
            "logits: expected a finite one in each row, "
            f"got -inf alone in row {int(np.argmax(forbidden))}"
        )
