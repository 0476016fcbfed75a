"""Assignment 5: a bidirectional tagger that says how words are pronounced. Chapters 04, 10, 11.

The references are the package's own functions. The mistakes of the network are in
`capstone_network.py`, those of the training in `capstone_training.py`, the others here.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from rnn_course.judge.question import Question, causes_of
from rnn_course.judge.scoring import Scoring
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


# The small functions, with a switch for each mistake


def clip_wrongly(
    g: Array,
    limit: Array,
    *,
    norm: Callable[[Array], Any] = np.linalg.norm,
    factor: Callable[[float], float] = lambda ratio: min(1, ratio),
    entries: bool = False,
) -> Array:
    """Return the clipped gradient, right unless a switch is set."""
    return np.clip(g, -limit, limit) if entries else g * factor(limit / norm(g))


def adam_wrongly(
    p: Array,
    g: Array,
    m: Array,
    v: Array,
    t: Array,
    rate: Array,
    *,
    betas: tuple[float, float] = (0.9, 0.999),
    age: int | None = 0,
    sign: int = -1,
    power: int = 2,
    root: Callable[..., Array] = np.sqrt,
    late: bool = False,
    kept: bool = False,
) -> tuple[Array, Array, Array]:
    """Return (p, m, v), right unless a switch is set."""
    old = m, v
    m, v = betas[0] * m + (1 - betas[0]) * g, betas[1] * v + (1 - betas[1]) * g**power
    m_hat, v_hat = (
        x / (1 if age is None else 1 - b ** (t + age))
        for x, b in zip(old if late else (m, v), betas)
    )
    p = p + sign * rate * m_hat / (root(v_hat) + 1e-8)
    return (p, m_hat, v_hat) if kept else (p, m, v)


def shares_wrongly(
    ys: Array,
    targets: Array,
    mask: Mask,
    *,
    counted: bool = True,
    any_letter: bool = False,
    padding: bool | str = False,
    each: bool = False,
    log: bool = False,
) -> tuple[Array, Array]:
    """Return (letters, words), right unless a switch is set."""
    right = ys.argmax(axis=-1) == targets
    letters = right[mask].mean() if counted else right.mean()
    letters = ((right & mask).sum(axis=0) / mask.sum(axis=0)).mean() if each else letters
    letters = (right & mask).mean() if log else letters
    words = right & mask if padding == "wrong" else right if padding else right | ~mask
    return np.array(letters), np.array(
        (words & mask).any(axis=0).mean() if any_letter else words.all(axis=0).mean()
    )


CLIPPING = (
    (
        "clipped entry by entry",
        "You limit each entry. What has to be limited is the length of the whole: (4.14).",
        {"entries": True},
    ),
    (
        "clipped always",
        "You make short gradients longer: what is the minimum in (4.14) for?",
        {"factor": lambda ratio: ratio},
    ),
    (
        "never clipped",
        "Your gradient is as long as before: equation (4.14).",
        {"factor": lambda ratio: 1},
    ),
    (
        "lengthened",
        "You lengthen the short ones, and leave the long ones: (4.14).",
        {"factor": lambda ratio: max(1, ratio)},
    ),
    (
        "another norm",
        "That is the square of a norm: (4.14) has the length itself.",
        {"norm": lambda g: g @ g},
    ),
    (
        "another norm",
        "The norm in (4.14) is the Euclidean one.",
        {"norm": lambda g: np.abs(g).max()},
    ),
    (
        "another norm",
        "The norm in (4.14) is the Euclidean one.",
        {"norm": lambda g: np.abs(g).sum()},
    ),
    (
        "another norm",
        "That is a root of a mean, where (4.14) has the root of a sum.",
        {"norm": lambda g: np.sqrt(np.mean(g**2))},
    ),
)
UPDATING = (
    (
        "betas exchanged",
        "Each of your two means has the decay of the other: equation (4.15).",
        {"betas": (0.999, 0.9)},
    ),
    (
        "bias correction missing",
        "Your means began at zero and are still too close to it: equations (4.17) and (4.18).",
        {"age": None},
    ),
    (
        "off by one step",
        "The number t of this update is an argument, and 1 at the first: (4.17).",
        {"age": 1},
    ),
    ("sign", "You go uphill: equation (4.18).", {"sign": 1}),
    (
        "square missing",
        "The second mean is one of squares: equation (4.15).",
        {"power": 1, "root": lambda v: np.sqrt(np.abs(v))},
    ),
    (
        "root missing",
        "The mean of the squares is not the scale of the gradient yet: equation (4.18).",
        {"root": np.copy},
    ),
    (
        "old mean for the new one",
        "Your step is made with the means from before this gradient: (4.15) comes first.",
        {"late": True},
    ),
    (
        "corrected means kept",
        "The next update needs the means of (4.15), not those of (4.18).",
        {"kept": True},
    ),
)
COUNTING = (
    (
        "padding leaks",
        "Your share of letters counts padding as letters: a mean over what is real, (11.11).",
        {"counted": False},
    ),
    (
        "padding leaks",
        "You divide by all places of the array, and padding is among them: (11.11) and (11.12).",
        {"log": True},
    ),
    (
        "padding leaks",
        "Your words are right only if their padding is right as well. What must hold on padding? "
        "See (11.1).",
        {"padding": True},
    ),
    (
        "padding leaks",
        "In your count of words, padding is a mistake, so only the longest words can be right. See "
        "(11.1).",
        {"padding": "wrong"},
    ),
    (
        "mean of means",
        "You take a mean for each word, then a mean of these: a long word then counts too little, "
        "(11.11).",
        {"each": True},
    ),
    (
        "one letter for all",
        "A word is right if all of its letters are, not if one is.",
        {"any_letter": True},
    ),
)

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
    Question("clip", {"clipped": "N"}, clip_cases, clip, causes_of(clip_wrongly, CLIPPING)),
    Question(
        "adam_step",
        {"p": "N", "m": "N", "v": "N"},
        adam_cases,
        adam_step,
        causes_of(adam_wrongly, UPDATING),
    ),
    Question(
        "shares_right",
        {"letters": "", "words": ""},
        share_cases,
        shares_right,
        causes_of(shares_wrongly, COUNTING),
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
