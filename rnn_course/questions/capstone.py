# mypy: allow-untyped-defs
"""Assignment 5: a bidirectional tagger that says how words are pronounced. Chapters 05, 13, 14.

The instructor's solutions, in plain NumPy, and the cases they are called with. The functions inside
`tagger`, `tagger_backward` and `untrained` have no types, since they are shown in the notebook as
they are here. The words and the score of `train` are in `capstone_words.py`.
"""

from typing import NamedTuple

import numpy as np

from rnn_course.judge.question import Question, WordQuestion
from rnn_course.questions.capstone_words import HIDDEN, SCORING, draw_words
from rnn_tutorial.data import lengths_to_mask, one_hot
from rnn_tutorial.types import Array, Mask, Rng

__all__ = [
    "QUESTIONS",
    "RNNParams",
    "TaggerParams",
    "WORDS",
    "adam_step",
    "clip",
    "cross_entropy",
    "flatten",
    "shares_right",
    "tagger",
    "tagger_backward",
    "train",
    "unflatten",
    "untrained",
]


# What the notebook gives


class RNNParams(NamedTuple):
    """The parameters of one direction, as the notebook defines them."""

    W_x: Array  # (V, H), a row for each letter
    W_h: Array  # (H, H)
    b: Array  # (H,)


class TaggerParams(NamedTuple):
    """The parameters of the tagger, as the notebook defines them."""

    forwards: RNNParams
    backwards: RNNParams
    W: Array  # (3H, K)
    b: Array  # (K,)


def flatten(params: TaggerParams) -> Array:
    """Return the arrays of TaggerParams as one vector (N,)."""
    arrays = (*params.forwards, *params.backwards, params.W, params.b)
    return np.concatenate([array.ravel() for array in arrays])


def unflatten(vector: Array, like: TaggerParams) -> TaggerParams:
    """Return TaggerParams of the shapes of `like`, with the numbers of the vector."""
    shapes = [array.shape for array in (*like.forwards, *like.backwards, like.W, like.b)]
    ends = np.cumsum([np.prod(shape) for shape in shapes])
    parts = np.split(vector, ends[:-1])
    arrays = [part.reshape(shape) for part, shape in zip(parts, shapes)]
    return TaggerParams(RNNParams(*arrays[:3]), RNNParams(*arrays[3:6]), *arrays[6:])


def untrained(rng: Rng, V: int, H: int, K: int) -> TaggerParams:
    """Return TaggerParams to start from."""

    def reading():
        W_h, _ = np.linalg.qr(rng.normal(size=(H, H)))
        return RNNParams(rng.normal(0, 0.5, (V, H)), W_h, rng.normal(0, 0.1, H))

    return TaggerParams(reading(), reading(), rng.normal(0, 0.1, (3 * H, K)), rng.normal(0, 0.1, K))


def cross_entropy(ys: Array, targets: Array, mask: Mask) -> tuple[float, Array]:
    """Return (loss, dys): the mean over all letters, without padding, and its gradient."""
    shifted = ys - ys.max(axis=-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    truth = targets[:, :, None] == np.arange(ys.shape[-1])
    loss = -log_p[truth & mask[:, :, None]].sum() / mask.sum()
    return loss, mask[:, :, None] * (np.exp(log_p) - truth) / mask.sum()


# The solutions


def tagger(params: TaggerParams, xs: Array, mask: Mask) -> tuple[Array, Array, Array]:
    """Return (forwards, backwards, ys): both readings, (T, B, H), and the logits, (T, B, K)."""

    def read(params, xs, mask):
        h = np.zeros((xs.shape[1], len(params.b)))
        hs = []
        for x, keep in zip(xs, mask[:, :, None]):
            a = params.W_x[x] + h @ params.W_h + params.b
            h = np.where(keep, np.tanh(a), h)
            hs.append(np.where(keep, h, 0))
        return np.stack(hs)

    forwards = read(params.forwards, xs, mask)
    backwards = read(params.backwards, xs[::-1], mask[::-1])[::-1]
    merged = np.concatenate([forwards, backwards, forwards * backwards], axis=-1)
    ys = merged @ params.W + params.b
    return forwards, backwards, ys


def tagger_backward(
    params: TaggerParams, xs: Array, mask: Mask, forwards: Array, backwards: Array, dys: Array
) -> TaggerParams:
    """Return dparams: the gradient of every parameter, TaggerParams."""

    def read_backward(params, xs, mask, hs, dhs):
        dh = np.zeros_like(hs[0])
        steps = []
        for keep, h, dh_out in zip(mask[::-1, :, None], hs[::-1], dhs[::-1]):
            da = (dh_out + dh) * (1 - h**2)
            da = np.where(keep, da, 0)
            steps.append(da)
            dh = da @ params.W_h.T
        das = np.stack(steps[::-1])
        before = np.concatenate([np.zeros_like(hs[:1]), hs[:-1]])
        dW_x = np.zeros_like(params.W_x)
        np.add.at(dW_x, xs, das)
        dW_h = np.einsum("tbi,tbj->ij", before, das)
        db = das.sum(axis=(0, 1))
        return RNNParams(dW_x, dW_h, db)

    merged = np.concatenate([forwards, backwards, forwards * backwards], axis=-1)
    dW = np.einsum("tbj,tbk->jk", merged, dys)
    db = dys.sum(axis=(0, 1))
    dfirst, dsecond, dproduct = np.split(dys @ params.W.T, 3, axis=-1)
    dforwards = dfirst + dproduct * backwards
    dbackwards = dsecond + dproduct * forwards
    of_forwards = read_backward(params.forwards, xs, mask, forwards, dforwards)
    of_backwards = read_backward(
        params.backwards, xs[::-1], mask[::-1], backwards[::-1], dbackwards[::-1]
    )
    return TaggerParams(of_forwards, of_backwards, dW, db)


def clip(g: Array, limit: float) -> Array:
    """Return clipped: g, no longer than limit, (N,)."""
    length = np.linalg.norm(g)
    factor = min(1, limit / length)
    return factor * g


def adam_step(
    p: Array, g: Array, m: Array, v: Array, t: int, rate: float, decay: float
) -> tuple[Array, Array, Array]:
    """Return (p, m, v): the parameters after update t, and the two means, (N,) each."""
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g**2
    m_hat = m / (1 - 0.9**t)
    v_hat = v / (1 - 0.999**t)
    step = m_hat / (np.sqrt(v_hat) + 1e-8) + decay * p
    return p - rate * step, m, v


def shares_right(ys: Array, targets: Array, mask: Mask) -> tuple[float, float, float]:
    """Return (letters, words, nearly): the shares of letters and words that are right."""
    wrong = (ys.argmax(axis=-1) != targets) & mask
    letters = 1 - wrong.sum() / mask.sum()
    mistakes = wrong.sum(axis=0)
    words = np.mean(mistakes == 0)
    nearly = np.mean(mistakes <= 1)
    return letters, words, nearly


def train(
    params: TaggerParams, xs: Array, targets: Array, mask: Mask, seed: Array | int
) -> TaggerParams:
    """Return params: trained, TaggerParams of the same shapes."""
    rng = np.random.default_rng(seed)
    passes, size, B = 4, 50, xs.shape[1]
    updates, t = passes * -(-B // size), 0
    p = flatten(params)
    m, v = np.zeros_like(p), np.zeros_like(p)
    for _ in range(passes):
        order = rng.permutation(B)
        for start in range(0, B, size):
            some = order[start : start + size]
            now, letters, real = unflatten(p, params), xs[:, some], mask[:, some]
            forwards, backwards, ys = tagger(now, letters, real)
            _, dys = cross_entropy(ys, targets[:, some], real)
            g = flatten(tagger_backward(now, letters, real, forwards, backwards, dys))
            t += 1
            rate = 0.03 * (1 + np.cos(np.pi * t / updates)) / 2
            p, m, v = adam_step(p, clip(g, 1), m, v, t, rate, 0.01)
    return unflatten(p, params)


# The cases: what the functions are called with


def draw(rng: Rng) -> tuple[TaggerParams, Array, Array, Mask]:
    """Return (params, xs, targets, mask) of words of different lengths.

    One word has one letter, and one letter occurs twice in a step.
    """
    H = int(rng.integers(3, 6))
    sizes = [n for n in range(3, 10) if n not in (H, 2 * H, 3 * H)]
    T, B, V, K = (int(n) for n in rng.choice(sizes, 4, replace=False))
    shapes = ((V, H), (H, H), (H,), (V, H), (H, H), (H,), (3 * H, K), (K,))
    arrays = [0.5 * rng.standard_normal(shape) for shape in shapes]
    params = TaggerParams(RNNParams(*arrays[:3]), RNNParams(*arrays[3:6]), *arrays[6:])
    mask = lengths_to_mask(rng.permutation([T, 1, *rng.integers(2, T + 1, B - 2)]), T)
    xs, targets = (np.where(mask, rng.integers(n, size=(T, B)), 0) for n in (V, K))
    xs[0, :2] = V - 1
    return params, xs, targets, mask


def tagger_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (params, xs, mask)."""
    return [(params, xs, mask) for params, xs, _, mask in (draw(rng) for _ in range(3))]


def backward_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (params, xs, mask, forwards, backwards, dys), dys zero on padding."""
    cases = []
    for params, xs, mask in tagger_cases(rng):
        forwards, backwards, ys = tagger(params, xs, mask)
        dys = np.where(mask[..., None], rng.standard_normal(ys.shape), 0)
        cases.append((params, xs, mask, forwards, backwards, dys))
    return cases


def clip_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (g, limit); the second g is shorter than the limit."""
    vectors = [rng.standard_normal(N) for N in rng.choice(np.arange(3, 9), 3, replace=False)]
    return [(g, float(factor * np.linalg.norm(g))) for g, factor in zip(vectors, (0.4, 1.7, 0.15))]


def adam_cases(rng: Rng) -> list[tuple]:
    """Return four cases of (p, g, m, v, t, rate, decay).

    The first update, from means of zero, with an entry whose gradient is zero; then later ones. In
    the last two, some gradients are so small that epsilon matters; in the last, an entry never had
    a gradient.
    """
    cases = []
    late = int(rng.integers(5, 9))
    for N, t in zip(rng.choice(np.arange(4, 10), 4, replace=False), (1, 3, late, late + 2)):
        p, g, m = rng.standard_normal((3, N))
        v = rng.uniform(0.5, 2, N) * (1 - 0.999**t)
        if t == 1:
            m, v = np.zeros(N), np.zeros(N)
        if t >= late:
            small = rng.permutation(N)[: N // 2]
            g[small], m[small], v[small] = 1e-8 * g[small], 1e-8 * m[small], 1e-16 * v[small]
        if t in (1, late + 2):
            never = int(rng.integers(N))
            g[never] = m[never] = v[never] = 0
        cases.append((p, g, m, v, t, float(rng.uniform(0.05, 0.2)), float(rng.uniform(0.2, 0.5))))
    return cases


def share_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (ys, targets, mask); words have no, one or more letters wrong."""
    cases = []
    for _ in range(3):
        T, K = (int(n) for n in rng.choice(np.arange(4, 9), 2, replace=False))
        B = int(rng.integers(12, 17))
        lengths = rng.permutation([T, T, T, 1, *rng.integers(3, T, B - 4)])
        mask = lengths_to_mask(lengths, T)
        targets = np.where(mask, rng.integers(K, size=(T, B)), 0)
        wrong = np.zeros((T, B), bool)
        mistakes = rng.permutation([0, 0, 0, 0, 1, 1, 1, 2, 2, 3, *rng.integers(0, 4, B - 10)])
        for n, count in enumerate(np.minimum(mistakes, lengths)):
            wrong[rng.permutation(lengths[n])[:count], n] = True
        wrong |= ~mask & (rng.random((T, B)) < 0.5)
        said = np.where(wrong, (targets + rng.integers(1, K, (T, B))) % K, targets)
        cases.append((rng.standard_normal((T, B, K)) + 9 * one_hot(said, K), targets, mask))
    return cases


def training_cases(rng: Rng) -> list[tuple]:
    """Return the one case (params, xs, targets, mask, seed)."""
    (xs, targets, mask), _, K = draw_words(rng)
    return [(untrained(rng, 26, HIDDEN, K), xs, targets, mask, rng.integers(1, 1000, 2))]


READING = {"W_x": "V H", "W_h": "H H", "b": "H"}
PARAMS = {
    f"{reading}.{name}": axes
    for reading in ("forwards", "backwards")
    for name, axes in READING.items()
}
PARAMS |= {"W": "3H K", "b": "K"}
DPARAMS = {f"dparams.{name}": axes for name, axes in PARAMS.items()}
TRAINED = {f"params.{name}": axes for name, axes in PARAMS.items()}
LOGITS = {"forwards": "T B H", "backwards": "T B H", "ys": "T B K"}

QUESTIONS = (
    Question("tagger", LOGITS, tagger_cases, tagger),
    Question("tagger_backward", DPARAMS, backward_cases, tagger_backward),
    Question("clip", {"clipped": "N"}, clip_cases, clip),
    Question("adam_step", {"p": "N", "m": "N", "v": "N"}, adam_cases, adam_step),
    Question("shares_right", {"letters": "", "words": "", "nearly": ""}, share_cases, shares_right),
    Question("train", TRAINED, training_cases, train, scoring=SCORING, seconds=20),
)
WORDS = (
    WordQuestion(
        "mask_left_out",
        (
            "1 point: before the d, the second reading takes six steps on padding, so its state "
            "there is not zero, and this goes on into every state of the word.",
            "1 point: therefore the logits of the word depend on how much padding comes after it: "
            "with other words in its batch, the network says something else of it.",
            "1 point: in the first reading padding comes after the word, so it changes only states "
            "whose outputs are set to zero.",
        ),
    ),
    WordQuestion(
        "words_held_out",
        (
            "1 point: the other letters of the same word, and with them most of its gradient, were "
            "used in training. So this measures how well gaps in known words are filled, and not "
            "how well a word is read that was never seen.",
            "1 point: a network that has learned its words by heart is right on letters held out, "
            "because it recognises the word from the rest, and it has learned nothing that helps "
            "with a new word.",
        ),
    ),
)
