"""Assignment 5: a bidirectional tagger that says how words are pronounced. Chapters 05, 13, 14.

The references are the package's own functions. The mistakes of the network are in
`capstone_network.py`, those of the training in `capstone_training.py`, and those of clipping, Adam
and the count of right letters in `capstone_functions.py`.
"""

import numpy as np

from rnn_course.judge.question import Question, causes_of
from rnn_course.judge.scoring import Scoring
from rnn_course.questions import capstone_functions as functions
from rnn_course.questions import capstone_network as network
from rnn_course.questions import capstone_training as training
from rnn_course.questions.capstone_network import RNNParams, TaggerParams
from rnn_tutorial.cells.elman import Elman, ElmanParams
from rnn_tutorial.data import lengths_to_mask, one_hot, shuffled_batches
from rnn_tutorial.layers.bidirectional import Bidirectional, BidirectionalParams
from rnn_tutorial.layers.core import Dense, DenseParams, Recurrent
from rnn_tutorial.layers.serial import Serial
from rnn_tutorial.train.clipping import clip_by_global_norm
from rnn_tutorial.train.losses import softmax_cross_entropy
from rnn_tutorial.train.metrics import accuracy
from rnn_tutorial.train.optimizers import AdamState, adam, clipped
from rnn_tutorial.train.schedules import cosine
from rnn_tutorial.train.training import train as training_steps
from rnn_tutorial.tree import tree_leaves
from rnn_tutorial.types import Array, Mask, Rng, Tree

__all__ = [
    "QUESTIONS",
    "SCORING",
    "adam_step",
    "clip",
    "shares_right",
    "tagger",
    "tagger_backward",
    "train",
]

READINGS = {"forwards": "T B H", "backwards": "T B H", "ys": "T B K"}
READING = {"W_x": "V H", "W_h": "H H", "b": "H"}
PARAMS = {
    f"{reading}.{name}": axes
    for reading in ("forwards", "backwards")
    for name, axes in READING.items()
}
PARAMS |= {"W": "2H K", "b": "K"}
DPARAMS = {f"dparams.{name}": axes for name, axes in PARAMS.items()}


# The cases: what the functions are called with


def draw(rng: Rng) -> tuple[TaggerParams, Array, Array, Mask]:
    """Return (params, xs, targets, mask) of words of different lengths.

    One word has one letter, and one letter occurs twice in a step.
    """
    H = int(rng.integers(3, 6))
    T, B, V, K = rng.choice([n for n in range(3, 10) if n not in (H, 2 * H)], 4, replace=False)
    shapes = ((V, H), (H, H), (H,), (V, H), (H, H), (H,), (2 * H, K), (K,))
    params = network.tagger_params([0.5 * rng.standard_normal(shape) for shape in shapes])
    mask = lengths_to_mask(rng.permutation([T, 1, *rng.integers(2, T + 1, B - 2)]), T)
    xs, targets = (np.where(mask, rng.integers(n, size=(T, B)), 0) for n in (V, K))
    xs[0, :2] = V - 1
    return params, xs, targets, mask


def tagger_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (params, xs, mask)."""
    return [(params, xs, mask) for params, xs, _, mask in (draw(rng) for _ in range(3))]


def backward_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (params, xs, mask, forwards, backwards, dys), dys zero on padding."""
    cases = [(*case, *tagger(*case)) for case in tagger_cases(rng)]
    return [
        (*case[:-1], np.where(case[2][..., None], rng.standard_normal(case[-1].shape), 0))
        for case in cases
    ]


def clip_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (g, limit); the second g is shorter than the limit."""
    vectors = [rng.standard_normal(N) for N in rng.choice(np.arange(3, 9), 3, replace=False)]
    return [
        (g, np.array(factor * np.linalg.norm(g))) for g, factor in zip(vectors, (0.4, 1.7, 0.15))
    ]


def adam_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (p, g, m, v, t, rate): the first update and two later ones."""
    cases = []
    for N, t in zip(rng.choice(np.arange(3, 9), 3, replace=False), (1, 3, int(rng.integers(5, 9)))):
        p, g, m = rng.standard_normal((3, N))
        cases.append(
            (p, g, m, rng.uniform(0.5, 2, N), np.array(t), np.array(rng.uniform(0.05, 0.2)))
        )
    return cases


def share_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (ys, targets, mask).

    In some words all letters are right, in the others all but one.
    """
    cases = []
    for _ in range(3):
        T, B, K = rng.choice(np.arange(4, 10), 3, replace=False)
        mask = lengths_to_mask(rng.permutation([T, T, 1, *rng.integers(2, T + 1, B - 3)]), T)
        targets = rng.integers(1, K, (T, B))
        said = np.where(mask, targets, rng.integers(K, size=(T, B)))
        for n in (
            np.flatnonzero(mask.all(axis=0))[:1].tolist() + rng.permutation(B)[: B // 3].tolist()
        ):
            said[mask[:, n].sum() - 1, n] = 0
        ys = rng.standard_normal((T, B, K)) + 9 * one_hot(said, K)
        cases.append((ys, np.where(mask, targets, 0), mask))
    return cases


# The references: the right answers


def model(V: int, H: int, K: int) -> Serial:
    """Return the layers of the tagger."""
    return Serial((Bidirectional(Recurrent(Elman, V, H), Recurrent(Elman, V, H)), Dense(2 * H, K)))


def layers_of(params: TaggerParams) -> tuple[Serial, Tree]:
    """Return (model, its parameters), made of TaggerParams."""
    readings = BidirectionalParams(ElmanParams(*params.forwards), ElmanParams(*params.backwards))
    V, H = params.forwards.W_x.shape
    return model(V, H, len(params.b)), (
        readings,
        DenseParams(params.W, params.b),
    )


def tagger(params: TaggerParams, xs: Array, mask: Mask) -> tuple[Array, Array, Array]:
    """Return (forwards, backwards, ys)."""
    layers, values = layers_of(params)
    ys, _, cache = layers.forward(values, one_hot(xs, len(params.forwards.W_x)), mask=mask)
    return cache[0].forwards, cache[0].backwards, ys


def tagger_backward(
    params: TaggerParams, xs: Array, mask: Mask, forwards: Array, backwards: Array, dys: Array
) -> TaggerParams:
    """Return dparams."""
    layers, values = layers_of(params)
    _, _, cache = layers.forward(values, one_hot(xs, len(params.forwards.W_x)), mask=mask)
    (readings, dense), _, _ = layers.backward(values, cache, dys)
    return TaggerParams(
        RNNParams(*readings.forwards), RNNParams(*readings.backwards), dense.W, dense.b
    )


def clip(g: Array, limit: Array) -> Array:
    """Return the clipped gradient."""
    return clip_by_global_norm(g, float(limit))


def adam_step(
    p: Array, g: Array, m: Array, v: Array, t: Array, rate: Array
) -> tuple[Array, Array, Array]:
    """Return (p, m, v) after update number t."""
    update, state = adam(float(rate)).update(g, AdamState(int(t) - 1, m, v))
    return p + update, state.m, state.v


def shares_right(ys: Array, targets: Array, mask: Mask) -> tuple[Array, Array]:
    """Return (letters, words)."""
    right = ys.argmax(axis=-1) == targets
    return np.array(accuracy(ys.argmax(axis=-1), targets, mask=mask)), np.array(
        (right | ~mask).all(axis=0).mean()
    )


def train(
    params: TaggerParams, xs: Array, targets: Array, mask: Mask, seed: Array | int
) -> TaggerParams:
    """Return the trained parameters."""
    rng, (layers, values) = np.random.default_rng(seed), layers_of(params)
    inputs, passes, size = one_hot(xs, len(params.forwards.W_x)), 4, 50
    batches = (
        batch for _ in range(passes) for batch in shuffled_batches(rng, size, inputs, targets, mask)
    )
    optimizer = clipped(
        adam(cosine(0.03, 0, passes * -(-xs.shape[1] // size))), clip_by_global_norm, 1.0
    )
    for step in training_steps(layers, values, batches, softmax_cross_entropy, optimizer):
        values = step.params
    return network.tagger_params(tree_leaves(values))


SCORING = Scoring(
    training.held_out_words,
    training.share_right,
    training.RUNGS,
    "of the letters right, in words it has not seen",
    training.remarks,
)
QUESTIONS = (
    Question(
        "tagger",
        READINGS,
        tagger_cases,
        tagger,
        causes_of(network.tagger, network.READING, network.OUTPUT),
    ),
    Question(
        "tagger_backward",
        DPARAMS,
        backward_cases,
        tagger_backward,
        causes_of(network.backward, network.BOTH_BACK, network.BACK),
    ),
    Question(
        "clip",
        {"clipped": "N"},
        clip_cases,
        clip,
        causes_of(functions.clip_wrongly, functions.CLIPPING),
    ),
    Question(
        "adam_step",
        {"p": "N", "m": "N", "v": "N"},
        adam_cases,
        adam_step,
        causes_of(functions.adam_wrongly, functions.UPDATING),
    ),
    Question(
        "shares_right",
        {"letters": "", "words": ""},
        share_cases,
        shares_right,
        causes_of(functions.shares_wrongly, functions.COUNTING),
    ),
    Question(
        "train",
        {f"params.{name}": axes for name, axes in PARAMS.items()},
        training.training_cases,
        train,
        causes_of(training.fit, training.TEACHING),
        scoring=SCORING,
        seconds=10,
    ),
)
