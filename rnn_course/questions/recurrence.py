# mypy: allow-untyped-defs
"""Assignment 7: a linear recurrence over sequences packed end to end, with a gate that turns.

The instructor's solutions, in plain NumPy, and the cases they are called with. The sequences and
the score of `train` are in `recurrence_parity.py`. Chapter 23.
"""

from typing import NamedTuple

import numpy as np

from rnn_course.judge.question import Question, WordQuestion
from rnn_course.questions.recurrence_parity import HIDDEN, SCORING, SYMBOLS, draw_rows
from rnn_tutorial.types import Array, Rng

__all__ = [
    "CounterParams",
    "Piece",
    "QUESTIONS",
    "WORDS",
    "adam",
    "clip",
    "coefficients",
    "coefficients_backward",
    "flatten",
    "in_blocks",
    "join",
    "logits",
    "recurrence",
    "recurrence_backward",
    "scan",
    "taught",
    "train",
    "unflatten",
    "untrained",
]


# What the notebook gives


class Piece(NamedTuple):
    """One step, several steps joined, or an array of either, as the notebook defines it."""

    new: Array  # (..., B), 1.0 if a sequence begins in it, else 0.0
    a: Array  # (..., B, H)
    b: Array  # (..., B, H)


class CounterParams(NamedTuple):
    """The parameters of the counter, as the notebook defines them."""

    E: Array  # (V, 3H), a row for each symbol: keep, turn, n
    start: Array  # (H,)
    W: Array  # (H, 2)
    b: Array  # (2,)


def flatten(params: CounterParams) -> Array:
    """Return the four arrays of CounterParams as one vector."""
    return np.concatenate([array.ravel() for array in params])


def unflatten(vector: Array, like: CounterParams) -> CounterParams:
    """Return CounterParams of the shapes of `like`, with the numbers of the vector."""
    ends = np.cumsum([array.size for array in like])
    parts = np.split(vector, ends[:-1])
    return CounterParams(*(part.reshape(array.shape) for part, array in zip(parts, like)))


def untrained(rng: Rng, V: int, H: int) -> CounterParams:
    """Return CounterParams to start from."""
    E, start = rng.normal(0, 0.5, (V, 3 * H)), rng.normal(0, 1, H)
    return CounterParams(E, start, rng.normal(0, 0.5, (H, 2)), rng.normal(0, 0.1, 2))


def logits(params: CounterParams, xs: Array, new: Array) -> tuple[Array, Array, Piece]:
    """Return (ys, hs, steps): a logit for even and one for odd, the states, and the steps."""
    steps = Piece(new, *coefficients(params.E[xs]))
    hs = recurrence(steps, params.start, np.zeros_like(steps.a[0]))
    return hs @ params.W + params.b, hs, steps


def taught(
    params: CounterParams, xs: Array, new: Array, targets: Array
) -> tuple[float, CounterParams]:
    """Return (loss, dparams): the mean cross-entropy of the right parities."""
    ys, hs, steps = logits(params, xs, new)
    ys = ys - ys.max(axis=-1, keepdims=True)
    log_p = ys - np.log(np.exp(ys).sum(axis=-1, keepdims=True))
    truth = np.eye(2)[targets]
    loss = -(truth * log_p).sum() / targets.size
    dys = (np.exp(log_p) - truth) / targets.size
    none = np.zeros_like(hs[0])
    da, db, dstart, _ = recurrence_backward(steps, params.start, none, hs, dys @ params.W.T)
    dz = coefficients_backward(params.E[xs], da, db)
    dE = np.einsum("tbv,tbg->vg", np.eye(len(params.E))[xs], dz, optimize=True)
    dW = np.einsum("tbh,tbk->hk", hs, dys)
    return loss, CounterParams(dE, dstart, dW, dys.sum(axis=(0, 1)))


def clip(g: Array, limit: float) -> Array:
    """Return g, no longer than limit."""
    return g * min(1, limit / np.linalg.norm(g))


def adam(p: Array, g: Array, u: Array, v: Array, t: int, rate: float) -> tuple[Array, Array, Array]:
    """Return (p, u, v): the parameters after update t = 1, 2, …, and the two means."""
    u, v = 0.9 * u + 0.1 * g, 0.999 * v + 0.001 * g**2
    step = u / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return p - rate * step, u, v


# The solutions


def recurrence(steps: Piece, start: Array, h: Array) -> Array:
    """Return hs: the state after each step, (T, B, H)."""
    hs = []
    for new, a, b in zip(*steps):
        before = np.where(new[:, None], start, h)
        h = a * before + b
        hs.append(h)
    return np.stack(hs)


def recurrence_backward(
    steps: Piece, start: Array, h: Array, hs: Array, dhs: Array
) -> tuple[Array, Array, Array, Array]:
    """Return (da, db, dstart, dh): (T, B, H) twice, (H,) and (B, H)."""
    new, a, _ = steps
    begins = new[:, :, None]
    previous = np.concatenate([h[None], hs[:-1]])
    before = np.where(begins, start, previous)
    G, dbefore = np.zeros_like(dhs), np.zeros_like(dhs)
    dh = np.zeros_like(h)
    for t in reversed(range(len(dhs))):
        G[t] = dhs[t] + dh
        dbefore[t] = a[t] * G[t]
        dh = (1 - begins[t]) * dbefore[t]
    dstart = (begins * dbefore).sum(axis=(0, 1))
    return G * before, G, dstart, dh


def join(earlier: Piece, later: Piece) -> Piece:
    """Return the Piece that does in one what `earlier` and then `later` do."""
    fresh = later.new[..., None]
    new = np.maximum(earlier.new, later.new)
    a = np.where(fresh, later.a, later.a * earlier.a)
    b = np.where(fresh, later.b, later.a * earlier.b + later.b)
    return Piece(new, a, b)


def scan(steps: Piece) -> Piece:
    """Return so_far: each step joined with all before it, a Piece of T."""
    so_far, distance = steps, 1
    while distance < len(steps.new):
        earlier = Piece(*(array[:-distance] for array in so_far))
        later = Piece(*(array[distance:] for array in so_far))
        first = Piece(*(array[:distance] for array in so_far))
        so_far = Piece(*map(np.concatenate, zip(first, join(earlier, later))))
        distance = 2 * distance
    return so_far


def in_blocks(steps: Piece, start: Array, h: Array, sizes: Array) -> tuple[Piece, Array]:
    """Return (wholes, hs): a Piece of N, one for each block, and all states, (T, B, H)."""
    ends = np.cumsum(sizes)
    wholes, hs = [], []
    for size, end in zip(sizes, ends):
        block = Piece(*(array[end - size : end] for array in steps))
        so_far = scan(block)
        before = np.where(so_far.new[:, :, None], start, h)
        states = so_far.a * before + so_far.b
        h = states[-1]
        wholes.append([array[-1] for array in so_far])
        hs.append(states)
    return Piece(*map(np.stack, zip(*wholes))), np.concatenate(hs)


def coefficients(z: Array) -> tuple[Array, Array]:
    """Return (a, b): the factor and the term, (T, B, H) both."""
    keep, turn, n = np.split(z, 3, axis=-1)
    total = 1 + np.exp(keep) + np.exp(turn)
    a = (np.exp(keep) - np.exp(turn)) / total
    return a, n / total


def coefficients_backward(z: Array, da: Array, db: Array) -> Array:
    """Return dz: the gradient of z, (T, B, 3H)."""
    keep, turn, n = np.split(z, 3, axis=-1)
    total = 1 + np.exp(keep) + np.exp(turn)
    p, q, w = np.exp(keep) / total, np.exp(turn) / total, 1 / total
    shared = (p - q) * da + w * n * db
    dkeep = p * (da - shared)
    dturn = q * (-da - shared)
    return np.concatenate([dkeep, dturn, w * db], axis=-1)


def train(
    params: CounterParams, xs: Array, new: Array, targets: Array, seed: Array | int
) -> CounterParams:
    """Return params: trained, CounterParams of the same shapes."""
    rng = np.random.default_rng(seed)
    passes, size, B = 6, 50, xs.shape[1]
    updates, t = passes * -(-B // size), 0
    p = flatten(params)
    u, v = np.zeros_like(p), np.zeros_like(p)
    for _ in range(passes):
        order = rng.permutation(B)
        for first in range(0, B, size):
            some = order[first : first + size]
            batch = xs[:, some], new[:, some], targets[:, some]
            _, dparams = taught(unflatten(p, params), *batch)
            t += 1
            rate = 0.2 * (1 + np.cos(np.pi * t / updates)) / 2
            p, u, v = adam(p, clip(flatten(dparams), 1), u, v, t, rate)
    return unflatten(p, params)


# The cases: what the functions are called with


def draw(rng: Rng) -> tuple[Piece, Array, Array]:
    """Return (steps, start, h), whose factors are near one in size, with both signs.

    One row goes on from h to its end, one begins at its first step, one begins twice in two steps,
    and one at the last step.
    """
    T = int(rng.integers(10, 15))
    B, H = (int(n) for n in rng.choice([n for n in range(4, 9) if 3 * n != T], 2, replace=False))
    new = (rng.random((T, B)) < 0.2).astype(float)
    new[:, 0] = 0
    new[0] = [0, 1, *rng.integers(2, size=B - 2)]
    middle = T // 2
    new[middle : middle + 2, 2] = 1
    new[-1, 3] = 1
    a = rng.uniform(0.7, 1.2, (T, B, H)) * rng.choice([-1, 1], (T, B, H))
    steps = Piece(new[:, rng.permutation(B)], a, rng.standard_normal((T, B, H)))
    return steps, rng.standard_normal(H), rng.standard_normal((B, H))


def recurrence_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (steps, start, h)."""
    return [draw(rng) for _ in range(3)]


def recurrence_backward_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (steps, start, h, hs, dhs)."""
    cases = []
    for steps, start, h in recurrence_cases(rng):
        hs = recurrence(steps, start, h)
        cases.append((steps, start, h, hs, rng.standard_normal(hs.shape)))
    return cases


def join_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (earlier, later): pieces (B,), (N, B) and (N, B)."""
    cases = []
    for steps, _, _ in recurrence_cases(rng):
        earlier = Piece(*(array[:-1] for array in steps))
        later = Piece(*(array[1:] for array in steps))
        cases.append((earlier, later))
    return cases


def scan_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (steps,)."""
    return [(steps,) for steps, _, _ in recurrence_cases(rng)]


def in_blocks_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (steps, start, h, sizes): three blocks, one of them of one step."""
    cases = []
    for steps, start, h in recurrence_cases(rng):
        size = int(rng.choice([4, 5]))
        sizes = rng.permutation([1, size, len(steps.new) - 1 - size])
        cases.append((steps, start, h, sizes))
    return cases


def coefficients_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (z,)."""
    shapes = [steps.a.shape for steps, _, _ in recurrence_cases(rng)]
    return [(rng.standard_normal((T, B, 3 * H)),) for T, B, H in shapes]


def coefficients_backward_cases(rng: Rng) -> list[tuple]:
    """Return three cases of (z, da, db)."""
    cases = []
    for (z,) in coefficients_cases(rng):
        a, _ = coefficients(z)
        cases.append((z, rng.standard_normal(a.shape), rng.standard_normal(a.shape)))
    return cases


def training_cases(rng: Rng) -> list[tuple]:
    """Return the one case (params, xs, new, targets, seed)."""
    rows, _ = draw_rows(rng)
    return [(untrained(rng, SYMBOLS, HIDDEN), *rows, rng.integers(1, 1000, 2))]


PIECE = {"new": "N B", "a": "N B H", "b": "N B H"}
SO_FAR = {name: axes.replace("N", "T") for name, axes in PIECE.items()}
WHOLES = {f"wholes.{name}": axes for name, axes in PIECE.items()}
GRADIENTS = {"da": "T B H", "db": "T B H", "dstart": "H", "dh": "B H"}
COUNTER = {"params.E": "V 3H", "params.start": "H", "params.W": "H 2", "params.b": "2"}
SHARES = {"3H": ("keep", "turn", "n")}

QUESTIONS = (
    Question("recurrence", {"hs": "T B H"}, recurrence_cases, recurrence),
    Question("recurrence_backward", GRADIENTS, recurrence_backward_cases, recurrence_backward),
    Question("join", PIECE, join_cases, join),
    Question("scan", SO_FAR, scan_cases, scan),
    Question("in_blocks", WHOLES | {"hs": "T B H"}, in_blocks_cases, in_blocks),
    Question("coefficients", {"a": "T B H", "b": "T B H"}, coefficients_cases, coefficients),
    Question(
        "coefficients_backward",
        {"dz": "T B 3H"},
        coefficients_backward_cases,
        coefficients_backward,
        gates=SHARES,
    ),
    Question("train", COUNTER, training_cases, train, scoring=SCORING, seconds=20),
)
WORDS = (
    WordQuestion(
        "free_brackets",
        (
            "1 point: a piece is a map of states, and joining two pieces is one map after the "
            "other; a joined piece is again of the same form, with a flag, a factor and a term.",
            "1 point: the proof, by maps (three maps applied one after the other give the same "
            "map, whichever two are joined first) or by writing out both orders, for a beginning "
            "in the third piece, in the second, in the first or in none.",
            "1 point: order matters, with an example: an earlier piece is lost if the later one "
            "has a beginning, but a later one is never lost; or by the terms, even without flags.",
        ),
    ),
    WordQuestion(
        "never_quite_one",
        (
            "1 point: with no turn all factors are positive; on a row of switches each unit runs "
            "to its rest without turning back, (23.19), so the logits change their order only a "
            "few times, and parity asks for a change at every step.",
            "1 point: keep and turn are never quite one, so the state shrinks with the product of "
            "the factors, (23.6), until other terms outweigh it; a beginning makes the state "
            "start again, so only the length of a sequence counts, not that of the row.",
        ),
    ),
)
