# mypy: allow-untyped-defs
"""Assignment 6: attention with a place and with nothing to look at. Chapters 20 and 21.

The instructor's solutions, in plain NumPy, and the cases they are called with. The words and the
score of `train` are in `attention_words.py`.
"""

from typing import NamedTuple

import numpy as np

from rnn_course.judge.question import Question, WordQuestion
from rnn_course.questions.attention_words import HIDDEN, NEAREST, SCORING, WINDOW, draw_words
from rnn_tutorial.data import lengths_to_mask
from rnn_tutorial.types import Array, Mask, Rng

__all__ = [
    "LookParams",
    "QUESTIONS",
    "ReaderParams",
    "WORDS",
    "adam",
    "attend",
    "attend_backward",
    "clip",
    "decode",
    "decode_backward",
    "encode",
    "encode_backward",
    "flatten",
    "look",
    "look_backward",
    "neighbours",
    "next_symbol",
    "say",
    "scores",
    "scores_backward",
    "taught",
    "train",
    "unflatten",
    "untrained",
]


# What the notebook gives


class LookParams(NamedTuple):
    """The parameters of the scores, as the notebook defines them."""

    gain: Array  # (H,), one for each unit
    place: Array  # (P,), one for each distance; P is odd


class ReaderParams(NamedTuple):
    """The parameters of the reader, as the notebook defines them."""

    E: Array  # (N, V + 1, H), row 0 of each table for "no letter"
    Y: Array  # (K, H)
    W_h: Array  # (H, H)
    b_h: Array  # (H,)
    look: LookParams
    W: Array  # (H, K)
    b: Array  # (K,)


def neighbours(params: ReaderParams, xs: Array, mask: Mask) -> Array:
    """Return (N, S, B): the letter at each distance from each letter, plus 1; 0 for none."""
    N, S = len(params.E), len(xs)
    padded = np.pad(np.where(mask, xs + 1, 0), ((N // 2, N // 2), (0, 0)))
    return np.stack([padded[j : j + S] for j in range(N)])


def encode(params: ReaderParams, xs: Array, mask: Mask) -> Array:
    """Return the memory (S, B, H): a vector for each letter, made of it and its neighbours."""
    around = neighbours(params, xs, mask)
    return np.tanh(sum(E[letters] for E, letters in zip(params.E, around)))


def encode_backward(params: ReaderParams, xs: Array, mask: Mask, m: Array, dm: Array) -> Array:
    """Return dE, from the memory and its gradient."""
    da = (dm * (1 - m**2)).reshape(-1, m.shape[-1])
    rows = np.eye(params.E.shape[1])
    return np.stack([rows[n.ravel()].T @ da for n in neighbours(params, xs, mask)])


def decode(params: ReaderParams, said: Array) -> Array:
    """Return the queries (T, B, H): a vanilla network reads what was said, from zeros."""
    h = np.zeros((said.shape[1], len(params.b_h)))
    hs = []
    for y in said:
        h = np.tanh(params.Y[y] + h @ params.W_h + params.b_h)
        hs.append(h)
    return np.stack(hs)


def decode_backward(
    params: ReaderParams, said: Array, q: Array, dq: Array
) -> tuple[Array, Array, Array]:
    """Return (dY, dW_h, db_h), from the queries and their gradient."""
    dh = np.zeros_like(q[0])
    das = np.zeros_like(q)
    for t in reversed(range(len(q))):
        das[t] = (dq[t] + dh) * (1 - q[t] ** 2)
        dh = das[t] @ params.W_h.T
    before = np.concatenate([np.zeros_like(q[:1]), q[:-1]])
    dW_h = np.einsum("tbi,tbj->ij", before, das)
    rows = np.eye(len(params.Y))[said]
    return np.einsum("tbk,tbh->kh", rows, das), dW_h, das.sum(axis=(0, 1))


def flatten(params: ReaderParams) -> Array:
    """Return the eight arrays of ReaderParams as one vector."""
    arrays = (*params[:4], *params.look, params.W, params.b)
    return np.concatenate([array.ravel() for array in arrays])


def unflatten(vector: Array, like: ReaderParams) -> ReaderParams:
    """Return ReaderParams of the shapes of `like`, with the numbers of the vector."""
    shapes = [array.shape for array in (*like[:4], *like.look, like.W, like.b)]
    ends = np.cumsum([np.prod(shape) for shape in shapes])
    parts = np.split(vector, ends[:-1])
    E, Y, W_h, b_h, gain, place, W, b = (part.reshape(n) for part, n in zip(parts, shapes))
    return ReaderParams(E, Y, W_h, b_h, LookParams(gain, place), W, b)


def untrained(rng: Rng, N: int, V: int, H: int, K: int, P: int) -> ReaderParams:
    """Return ReaderParams to start from: near letters are looked at a little more than far ones."""
    W_h, _ = np.linalg.qr(rng.normal(size=(H, H)))
    near = 1 - 0.5 * np.abs(np.arange(P) - P // 2)
    E, Y = rng.normal(0, 0.3, (N, V + 1, H)), rng.normal(0, 0.3, (K, H))
    look = LookParams(rng.normal(0.3, 0.05, H), rng.normal(near, 0.1))
    W, b = rng.normal(0, 0.1, (H, K)), rng.normal(0, 0.1, K)
    return ReaderParams(E, Y, 0.5 * W_h, rng.normal(0, 0.1, H), look, W, b)


def taught(
    params: ReaderParams, xs: Array, mask: Mask, targets: Array, real: Mask
) -> tuple[float, ReaderParams]:
    """Return (loss, dparams): the mean cross-entropy of the symbols that are real."""
    said = np.concatenate([np.zeros_like(targets[:1]), targets[:-1]])
    m, q = encode(params, xs, mask), decode(params, said)
    w, r = attend(params.look, q, m, mask)
    ys = r @ params.W + params.b
    ys = ys - ys.max(axis=-1, keepdims=True)
    log_p = ys - np.log(np.exp(ys).sum(axis=-1, keepdims=True))
    truth = np.eye(len(params.b))[targets] * real[:, :, None]
    loss = -(truth * log_p).sum() / real.sum()
    dys = (np.exp(log_p) * real[:, :, None] - truth) / real.sum()
    dlook, dq, dm = attend_backward(params.look, q, m, w, dys @ params.W.T)
    dE = encode_backward(params, xs, mask, m, dm)
    dW = np.einsum("tbh,tbk->hk", r, dys)
    of_decoder = decode_backward(params, said, q, dq)
    return loss, ReaderParams(dE, *of_decoder, dlook, dW, dys.sum(axis=(0, 1)))


def clip(g: Array, limit: float) -> Array:
    """Return g, no longer than limit."""
    return g * min(1, limit / np.linalg.norm(g))


def adam(p: Array, g: Array, u: Array, v: Array, t: int, rate: float) -> tuple[Array, Array, Array]:
    """Return (p, u, v): the parameters after update t = 1, 2, …, and the two means."""
    u, v = 0.9 * u + 0.1 * g, 0.999 * v + 0.001 * g**2
    step = u / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return p - rate * step, u, v


def say(params: ReaderParams, xs: Array, mask: Mask, steps: int) -> Array:
    """Return what the reader says, (steps, B): of each step the symbol that is most likely."""
    m = encode(params, xs, mask)
    said = np.zeros((1, xs.shape[1]), int)
    for _ in range(steps):
        best = next_symbol(params, m, mask, said).argmax(axis=-1)
        said = np.concatenate([said, best[None]])
    return said[1:]


# The solutions


def look(e: Array, mask: Mask) -> Array:
    """Return w: how much each query looks at each letter, (T, B, S)."""
    e = np.where(mask.T, e, -np.inf)
    largest = np.maximum(e.max(axis=-1, keepdims=True), 0)
    u = np.exp(e - largest)
    nothing = np.exp(-largest)
    return u / (nothing + u.sum(axis=-1, keepdims=True))


def look_backward(w: Array, dw: Array) -> Array:
    """Return de: the gradient of the scores, (T, B, S)."""
    mean = (w * dw).sum(axis=-1, keepdims=True)
    return w * (dw - mean)


def scores(params: LookParams, q: Array, m: Array) -> Array:
    """Return e: how well each query fits each letter, (T, B, S)."""
    R = len(params.place) // 2
    d = np.arange(len(m)) - np.arange(len(q))[:, None]
    near = params.place[np.clip(d, -R, R) + R]
    fits = np.einsum("tbh,sbh->tbs", q * params.gain, m)
    return fits + near[:, None, :]


def scores_backward(
    params: LookParams, q: Array, m: Array, de: Array
) -> tuple[LookParams, Array, Array]:
    """Return (dparams, dq, dm): LookParams, (T, B, H) and (S, B, H)."""
    R = len(params.place) // 2
    d = np.arange(len(m)) - np.arange(len(q))[:, None]
    dplace = np.zeros_like(params.place)
    np.add.at(dplace, np.clip(d, -R, R) + R, de.sum(axis=1))
    sought = np.einsum("tbs,sbh->tbh", de, m)
    dgain = (sought * q).sum(axis=(0, 1))
    dq = sought * params.gain
    dm = np.einsum("tbs,tbh->sbh", de, q * params.gain)
    return LookParams(dgain, dplace), dq, dm


def attend(params: LookParams, q: Array, m: Array, mask: Mask) -> tuple[Array, Array]:
    """Return (w, r): the weights, (T, B, S), and query plus context, (T, B, H)."""
    w = look(scores(params, q, m), mask)
    c = np.einsum("tbs,sbh->tbh", w, m)
    return w, q + c


def attend_backward(
    params: LookParams, q: Array, m: Array, w: Array, dr: Array
) -> tuple[LookParams, Array, Array]:
    """Return (dparams, dq, dm): LookParams, (T, B, H) and (S, B, H)."""
    dw = np.einsum("tbh,sbh->tbs", dr, m)
    de = look_backward(w, dw)
    dparams, dq, dm = scores_backward(params, q, m, de)
    dm_mean = np.einsum("tbs,tbh->sbh", w, dr)
    return dparams, dq + dr, dm + dm_mean


def next_symbol(params: ReaderParams, m: Array, mask: Mask, said: Array) -> Array:
    """Return log_p: the log-probability of each symbol after those that were said, (B, K)."""
    q = decode(params, said)
    _, r = attend(params.look, q, m, mask)
    y = r[-1] @ params.W + params.b
    y = y - y.max(axis=-1, keepdims=True)
    return y - np.log(np.exp(y).sum(axis=-1, keepdims=True))


def train(
    params: ReaderParams, xs: Array, mask: Mask, targets: Array, real: Mask, seed: Array | int
) -> ReaderParams:
    """Return params: trained, ReaderParams of the same shapes."""
    rng = np.random.default_rng(seed)
    passes, size, B = 6, 50, xs.shape[1]
    updates, t = passes * -(-B // size), 0
    p = flatten(params)
    u, v = np.zeros_like(p), np.zeros_like(p)
    for _ in range(passes):
        order = rng.permutation(B)
        for start in range(0, B, size):
            some = order[start : start + size]
            batch = [array[:, some] for array in (xs, mask, targets, real)]
            _, dparams = taught(unflatten(p, params), *batch)
            t += 1
            rate = 0.03 * (1 + np.cos(np.pi * t / updates)) / 2
            p, u, v = adam(p, clip(flatten(dparams), 1), u, v, t, rate)
    return unflatten(p, params)


# The cases: what the functions are called with


def draw(rng: Rng) -> tuple[LookParams, Array, Array, Mask]:
    """Return (params, q, m, mask): some distances are beyond both ends of `place`.

    One word has one letter, and one has no padding.
    """
    P = int(rng.choice([3, 5]))
    T, B, S, H = (int(n) for n in rng.choice([n for n in range(4, 10) if n != P], 4, replace=False))
    params = LookParams(rng.uniform(0.4, 1.6, H), rng.standard_normal(P))
    mask = lengths_to_mask(rng.permutation([S, 1, *rng.integers(2, S, B - 2)]), S)
    return params, rng.standard_normal((T, B, H)), 0.7 * rng.standard_normal((S, B, H)), mask


def look_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (e, mask); in the last, no exponential of a score is a number."""
    cases = []
    for spread, level in ((1.5, 0), (1.0, -1), (3.0, 730)):
        params, q, m, mask = draw(rng)
        shape = len(q), mask.shape[1], len(m)
        cases.append((level + spread * rng.standard_normal(shape), mask))
    return cases


def look_backward_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (w, dw); dw is not zero on padding."""
    weights = [attend(*draw(rng))[0] for _ in range(3)]
    return [(w, 0.5 + rng.standard_normal(w.shape)) for w in weights]


def scores_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (params, q, m)."""
    return [draw(rng)[:3] for _ in range(3)]


def scores_backward_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (params, q, m, de); de is zero on padding."""
    cases = []
    for params, q, m, mask in attend_cases(rng):
        w, _ = attend(params, q, m, mask)
        cases.append((params, q, m, look_backward(w, rng.standard_normal(np.shape(w)))))
    return cases


def attend_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (params, q, m, mask)."""
    return [draw(rng) for _ in range(3)]


def attend_backward_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (params, q, m, w, dr)."""
    cases = []
    for params, q, m, mask in attend_cases(rng):
        w, _ = attend(params, q, m, mask)
        cases.append((params, q, m, w, rng.standard_normal(q.shape)))
    return cases


def next_symbol_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (params, m, mask, said); said begins with the edge, 0."""
    cases = []
    for look, q, m, mask in attend_cases(rng):
        B, H = m.shape[1:]
        K = int(rng.choice([n for n in range(10, 14) if n != B]))
        params = untrained(rng, 3, 5, H, K, 3)
        params = params._replace(look=look, W=rng.standard_normal((H, K)))
        said = rng.integers(1, K, (len(q), B))
        said[0] = 0
        cases.append((params, m, mask, said))
    return cases


def training_cases(rng: Rng) -> list[tuple]:
    """Return the one case (params, xs, mask, targets, real, seed)."""
    batch, _, K = draw_words(rng)
    start = untrained(rng, WINDOW, 26, HIDDEN, K, 2 * NEAREST + 1)
    return [(start, *batch, rng.integers(1, 1000, 2))]


LOOK = {"gain": "H", "place": "P"}
READER = {"E": "N V+1 H", "Y": "K H", "W_h": "H H", "b_h": "H"}
READER |= {f"look.{name}": axes for name, axes in LOOK.items()}
READER |= {"W": "H K", "b": "K"}
GRADIENTS = {f"dparams.{name}": axes for name, axes in LOOK.items()}
GRADIENTS |= {"dq": "T B H", "dm": "S B H"}
TRAINED = {f"params.{name}": axes for name, axes in READER.items()}

QUESTIONS = (
    Question("look", {"w": "T B S"}, look_cases, look),
    Question("look_backward", {"de": "T B S"}, look_backward_cases, look_backward),
    Question("scores", {"e": "T B S"}, scores_cases, scores),
    Question("scores_backward", GRADIENTS, scores_backward_cases, scores_backward),
    Question("attend", {"w": "T B S", "r": "T B H"}, attend_cases, attend),
    Question("attend_backward", GRADIENTS, attend_backward_cases, attend_backward),
    Question("next_symbol", {"log_p": "B K"}, next_symbol_cases, next_symbol),
    Question("train", TRAINED, training_cases, train, scoring=SCORING, seconds=50),
)
WORDS = (
    WordQuestion(
        "looking_at_nothing",
        (
            "1 point: nothing is one more thing to look at, whose score is always zero and whose "
            "vector is zero. All weights together, with that of nothing, add up to one, and the "
            "term of nothing in the sum of (21.7) is zero.",
            "1 point: without nothing the gradients of a row add up to zero, because a constant "
            "added to every score changes no weight. Here they do not: the constant is not added "
            "to the score of nothing, so it makes the query look more, or less.",
            "1 point: a word without letters has weights of zero here and a context of zero; with "
            "(21.2) it is zero divided by zero, a NaN.",
        ),
    ),
    WordQuestion(
        "longer_words",
        (
            "1 point: nothing fails, since no array depends on the length of a word; distances "
            "that never occurred in training share the first or the last number of place.",
            "1 point: most words have fewer sounds than letters, so the letter that is due gets "
            "further and further ahead of the step. In a long word it is at a distance that was "
            "rare in training or is cut off, so place points to the wrong letters, and only the "
            "product of query and letter can still find the right one.",
        ),
    ),
)
