"""The endless stream of Reber strings: who learns its far symbol, and where the LSTM keeps it.

    python -m benchmarks.stream             prints the rows, about three minutes
    python -m benchmarks.stream --seeds 2   fewer seeds: 1 and 2
    python -m benchmarks.stream --write     also stores them: stream.csv, stream_units.csv

The network, its training and the exchange of one number are those of chapter 09.

Source: Gers, Schmidhuber & Cummins 2000, section 4.
"""

import argparse
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np

from benchmarks.rows import RESULTS, digits, write_rows
from rnn_tutorial.cells import LSTM, LSTM1997, Cell, LSTM1997Gates, LSTM1997Params, gate_blocks
from rnn_tutorial.data import (
    EMBEDDED_REBER,
    REBER,
    REBER_VOCABULARY,
    continual_reber,
    grammar_string,
    one_hot,
    reber_batch,
    steps_predicted,
)
from rnn_tutorial.layers import Dense, Recurrent, Serial
from rnn_tutorial.train import adam, softmax_cross_entropy, train
from rnn_tutorial.tree import tree_add
from rnn_tutorial.types import Array, Mask, Rng, Tree

CHUNKS = 400  # of 60 symbols of 8 streams
MODEL = Serial((Recurrent(LSTM, 7, 8), Dense(8, 7)))
STRINGS_BEFORE = "BTBPVVETEBPBTSXSEPE"  # two whole strings, read before the exchange


class StreamRow(NamedTuple):
    """One training run."""

    cell: str
    training: str  # "stream", or "strings": one string at a time, each from a zero state
    seed: int  # of the first weights and of the symbols
    right: float  # share of all symbols predicted, last 100 chunks; for strings, 400 fresh ones
    far_right: float  # share of the far symbols predicted
    size_6000: float | None  # mean |c| after 6,000 steps of each stream
    size_24000: float | None
    until_mistake: float | None  # mean over 16 fresh streams, at most 3,900
    no_mistake: int | None  # of these 16


class UnitRow(NamedTuple):
    """One LSTM that was trained on the stream, and one unit whose c is exchanged."""

    seed: int
    unit: str  # its number, or "none" or "all"
    correlation: float | None  # of its c with T, without sign, at the step before the inner E
    other: float  # share of the answers that are those of the other string


def is_far(allowed: Array) -> Array:
    """Return where a single symbol is allowed and it is T or P: bool (T, B), from (T, B, 7)."""
    t_or_p = REBER_VOCABULARY.encode("TP")
    return (allowed.sum(axis=-1) == 1) & allowed[..., t_or_p].any(axis=-1)


def learn_stream(
    cell: Cell, chunks: int, seed: int, H: int = 8, T: int = 60, B: int = 8
) -> tuple[Tree, Tree, Array]:
    """Return (params, state, record) of a network trained on the stream by truncated BPTT.

    record: for each chunk the share of all symbols that were predicted, that of the far symbols,
    and the mean |c| after it.
    """
    rng = np.random.default_rng(seed)
    model, optimizer = Serial((Recurrent(cell, 7, H), Dense(H, 7))), adam(0.02)
    params, record = model.init(rng), []
    optimizer_state, state = optimizer.init(params), model.initial_state(params, B)
    for xs, targets, allowed in islice(continual_reber(rng, T, B), chunks):
        ys, state, cache = model.forward(params, xs, state)
        _, dys = softmax_cross_entropy(ys, targets)
        dparams, _, _ = model.backward(params, cache, dys)
        updates, optimizer_state = optimizer.update(dparams, optimizer_state)
        params = tree_add(params, updates)
        right, c = steps_predicted(ys, allowed), state[0].c
        record.append((right.mean(), right[is_far(allowed)].mean(), np.abs(c).mean()))
    return params, state, np.array(record)


def init_nearly_shut(rng: Rng, input_size: int, hidden_size: int) -> LSTM1997Params:
    """Return first weights of the cell of 1997 whose input gate starts with the bias -5."""
    params = LSTM1997.init(rng, input_size, hidden_size)
    gate_blocks(params.b, LSTM1997Gates).i[:] = -5
    return params


NEARLY_SHUT = LSTM1997.replace(init=init_nearly_shut)
CELLS = {"cell of 1997": LSTM1997, "cell of 1997, i -5": NEARLY_SHUT, "LSTM": LSTM}


def string_batches(rng: Rng, count: int, B: int = 40) -> Iterator[tuple[Array, Array, Mask]]:
    """Yield batches of strings, each of which begins at a zero state."""
    for _ in range(count):
        xs, targets, _, mask = reber_batch([grammar_string(rng, EMBEDDED_REBER) for _ in range(B)])
        yield xs, targets, mask


def learn_strings(cell: Cell, seed: int) -> tuple[float, float]:
    """Return (right, far_right) on 400 fresh strings, after 8,000 strings one at a time."""
    rng = np.random.default_rng(seed)
    model = Serial((Recurrent(cell, 7, 8), Dense(8, 7)))
    batches = string_batches(rng, 200)
    *_, last = train(model, model.init(rng), batches, softmax_cross_entropy, adam(0.02))
    xs, _, allowed, mask = reber_batch([grammar_string(rng, EMBEDDED_REBER) for _ in range(400)])
    right = steps_predicted(model.forward(last.params, xs, mask=mask)[0], allowed)
    return right[mask].mean(), right[is_far(allowed)].mean()


def symbols_until_mistake(cell: Cell, params: Tree, T: int = 4000, warm_up: int = 100) -> Array:
    """Return right predictions in a row on 16 fresh streams, each at most T - warm_up: (16,)."""
    model = Serial((Recurrent(cell, 7, 8), Dense(8, 7)))
    xs, _, allowed = next(continual_reber(np.random.default_rng(11), T, 16))
    ys, _, _ = model.forward(params, xs)
    right = steps_predicted(ys, allowed)[warm_up:]
    return np.argmin(np.concatenate([right, np.zeros((1, 16), bool)]), axis=0)


def read(params: Tree, symbols: str, state: Tree) -> tuple[Array, Tree]:
    """Return (the outputs (7,) after the last of the symbols, the state there)."""
    xs = one_hot(REBER_VOCABULARY.encode(symbols), 7, np.float64)[:, None]
    ys, state, _ = MODEL.forward(params, xs, state)
    return ys[-1, 0], state


def answer(y: Array) -> str:
    """Return T or P, whichever has the larger output, from (7,)."""
    t, p = y[REBER_VOCABULARY.encode("TP")]
    return "T" if t > p else "P"


def exchange(one: Tree, other: Tree, units: list[int]) -> tuple[Tree, Tree]:
    """Return two states between which the numbers c of these units are exchanged."""
    (first, _), (second, _) = one, other
    c_first, c_second = first.c.copy(), second.c.copy()
    c_first[:, units], c_second[:, units] = second.c[:, units], first.c[:, units]
    return (first._replace(c=c_first), ()), (second._replace(c=c_second), ())


def answers_after(params: Tree, state: Tree, units: list[int], count: int = 100) -> Array:
    """Return whether each of 2 `count` answers is that of the own string, c of `units` exchanged.

    state: that after some whole strings.
    """
    rng, own = np.random.default_rng(13), []
    for _ in range(count):
        inner = grammar_string(rng, REBER)
        before, rest = inner[: len(inner) // 2], inner[len(inner) // 2 :]
        (_, t), (_, p) = (read(params, first + before, state) for first in ("BT", "BP"))
        t, p = exchange(t, p, units)
        own += [answer(read(params, rest, t)[0]) == "T", answer(read(params, rest, p)[0]) == "P"]
    return np.array(own)


def cells_before_inner_e(params: Tree, T: int = 3000) -> tuple[Array, Array]:
    """Return (c at the step before each inner E, whether T is due): (N, H) and bool (N,)."""
    xs, _, allowed = next(continual_reber(np.random.default_rng(12), T, 1))
    state, cs = MODEL.initial_state(params, 1), []
    for x in xs:
        _, state, _ = MODEL.forward(params, x[None], state)
        cs.append(state[0].c[0])
    far = np.flatnonzero(is_far(allowed)[:, 0])
    t = REBER_VOCABULARY.encode("T")[0]
    return np.array(cs)[far - 1], allowed[far, 0, t]


def stream_row(name: str, seed: int) -> tuple[StreamRow, Tree]:
    """Return the row of a run on the stream, and the weights that it learned."""
    params, _, record = learn_stream(CELLS[name], CHUNKS, seed)
    right, far_right, _ = record[-100:].mean(axis=0)
    lengths = symbols_until_mistake(CELLS[name], params)
    row = StreamRow(
        name,
        "stream",
        seed,
        digits(right),
        digits(far_right),
        digits(record[99, 2], 3),
        digits(record[-1, 2], 3),
        digits(lengths.mean()),
        int((lengths == 3900).sum()),
    )
    return row, params


def strings_row(name: str, seed: int) -> StreamRow:
    """Return the row of a run on strings, one at a time."""
    right, far_right = learn_strings(CELLS[name], seed)
    return StreamRow(
        name, "strings", seed, digits(right), digits(far_right), None, None, None, None
    )


def unit_rows(seed: int, params: Tree) -> list[UnitRow]:
    """Return the rows of an LSTM: nothing exchanged, each unit, and all of them."""
    cs, is_t = cells_before_inner_e(params)
    _, state = read(params, STRINGS_BEFORE, MODEL.initial_state(params, 1))
    units = range(cs.shape[1])
    correlations = [abs(np.corrcoef(is_t, cs[:, unit])[0, 1]) for unit in units]
    exchanged = {"none": []} | {str(unit): [unit] for unit in units} | {"all": list(units)}
    known = dict(zip(map(str, units), correlations))
    return [
        UnitRow(
            seed,
            name,
            digits(known[name], 3) if name in known else None,
            digits(1 - answers_after(params, state, numbers).mean(), 3),
        )
        for name, numbers in exchanged.items()
    ]


def main() -> None:
    """Run the trials and print their rows."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10, help="1, 2, …, this number (default: 10)")
    parser.add_argument("--write", action="store_true", help="store the rows")
    arguments = parser.parse_args()
    runs: list[StreamRow] = []
    units: list[UnitRow] = []
    for seed in range(1, arguments.seeds + 1):
        for name in CELLS:
            row, params = stream_row(name, seed)
            runs.append(row)
            if name == "LSTM":
                units += unit_rows(seed, params)
        runs.append(strings_row("cell of 1997", seed))
        print(*runs[-len(CELLS) - 1 :], *units[-10:], sep="\n", flush=True)
    if arguments.write:
        write_rows(RESULTS / "stream.csv", runs)
        write_rows(RESULTS / "stream_units.csv", units)


if __name__ == "__main__":
    main()
