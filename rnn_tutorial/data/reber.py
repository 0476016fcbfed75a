"""The Reber grammars: strings whose next symbol is predicted, and the test of predictions.

A grammar is a table `{state: {symbol: state after it}}`. A string starts in "start". At each step
it takes one of the edges of its state, each with the same probability. It is complete in the state
"end", which the table does not have.

Source: Reber 1967 (the grammar); Cleeremans, Servan-Schreiber & McClelland 1989 (its prediction,
and embedding it); Hochreiter & Schmidhuber 1997, section 5.1 and figures 3 and 4; Gers, Schmidhuber
& Cummins 2000, section 4 (the endless stream).
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TypeAlias

import numpy as np

from rnn_tutorial.data.batches import pad
from rnn_tutorial.data.text import Vocabulary, one_hot
from rnn_tutorial.types import Array, DTypeLike, Mask, Rng
from rnn_tutorial.validation import check_mask, check_positive, check_rng

__all__ = [
    "CONTINUAL_REBER",
    "EMBEDDED_REBER",
    "Grammar",
    "REBER",
    "REBER_VOCABULARY",
    "continual_reber",
    "embedded_reber_sets",
    "grammar_string",
    "next_symbols",
    "reber_batch",
    "steps_predicted",
    "strings_predicted",
]

Grammar: TypeAlias = dict[str, dict[str, str]]
"""For each state, its edges: the symbol, and the state after it."""

REBER_VOCABULARY = Vocabulary("BTPSXVE")

REBER: Grammar = {
    "start": {"B": "0"},
    "0": {"T": "1", "P": "2"},
    "1": {"S": "1", "X": "3"},
    "2": {"T": "2", "V": "4"},
    "3": {"X": "2", "S": "5"},
    "4": {"P": "3", "V": "5"},
    "5": {"E": "end"},
}


def _embed(grammar: Grammar) -> Grammar:
    """Return the table of the strings B w string w E: w is T or P, `string` is of `grammar`.

    It has two copies of `grammar`, which differ only in the symbol after their end. A network must
    remember w, that is, which of the two copies the string is in.
    """
    table = {"start": {"B": "fork"}, "fork": {"T": "T start", "P": "P start"}}
    for w in "TP":
        for state, edges in grammar.items():
            table[f"{w} {state}"] = {symbol: f"{w} {after}" for symbol, after in edges.items()}
        table[f"{w} end"] = {w: "last"}
    return {**table, "last": {"E": "end"}}


EMBEDDED_REBER = _embed(REBER)
# The end of a string is the start of the next.
CONTINUAL_REBER = {**EMBEDDED_REBER, "end": EMBEDDED_REBER["start"]}


def grammar_string(rng: Rng, grammar: Grammar) -> str:
    """Return a random string of `grammar`: a path from "start" to "end".

    Each edge of a state has the same probability. The mean length is 8 symbols for REBER and 12 for
    EMBEDDED_REBER; the shortest strings have 5 and 9. CONTINUAL_REBER has no end: see
    `continual_reber`.

    Raises: TypeError unless `rng` is a generator; ValueError for a grammar without an end.

    Example:
    >>> grammar_string(np.random.default_rng(1), EMBEDDED_REBER)
    'BTBPVVETE'
    """
    check_rng(rng)
    if "end" in grammar:
        raise ValueError(
            "grammar: expected one whose strings end, got one that goes on after the state 'end'"
        )
    string, state = "", "start"
    while state != "end":
        symbols = list(grammar[state])
        symbol = symbols[rng.integers(len(symbols))]
        string, state = string + symbol, grammar[state][symbol]
    return string


def next_symbols(string: str, grammar: Grammar = EMBEDDED_REBER) -> Array:
    """Return which symbols `grammar` allows after each symbol of `string`.

    `string` is the beginning of a string of `grammar`, or a whole one. After the last symbol of a
    whole string no symbol is allowed.

    Shapes: bool (T, 7), columns as in REBER_VOCABULARY.

    Raises: ValueError for a symbol that is not allowed at its place.

    Example:
    >>> [REBER_VOCABULARY.decode(np.flatnonzero(row)) for row in next_symbols("BTBPVVETE")]
    ['TP', 'B', 'TP', 'TV', 'PV', 'E', 'T', 'E', '']
    """
    allowed, state = np.zeros((len(string), len(REBER_VOCABULARY)), bool), "start"
    for t, symbol in enumerate(string):
        edges = grammar.get(state, {})
        if symbol not in edges:
            expected = " or ".join(edges) or "the end"
            raise ValueError(
                f"string: expected {expected} at place {t} of {string!r}, got {symbol!r}"
            )
        state = edges[symbol]
        allowed[t, REBER_VOCABULARY.encode("".join(grammar.get(state, "")))] = True
    return allowed


def embedded_reber_sets(
    rng: Rng, train_size: int = 256, test_size: int = 256
) -> tuple[list[str], list[str]]:
    """Return (train, test): two lists of random strings of EMBEDDED_REBER that share no string.

    As in the paper, both are drawn from the grammar, and a string of the training set is not used
    for testing. Within a set a string is as often as it is drawn, the short ones many times: about
    100 of 256 training strings are different, and 170 of 256 test strings. The test set is harder
    than the training set, since most short strings are taken: test strings have 16 symbols on
    average, training strings 12.

    Raises: TypeError unless `rng` is a generator; ValueError unless both sizes are positive whole
    numbers.

    Source: Hochreiter & Schmidhuber 1997, section 5.1, after Fahlman 1991.
    """
    check_positive("train_size", train_size)
    check_positive("test_size", test_size)
    train = [grammar_string(rng, EMBEDDED_REBER) for _ in range(train_size)]
    seen = set(train)
    test: list[str] = []
    while len(test) < test_size:
        string = grammar_string(rng, EMBEDDED_REBER)
        if string not in seen:
            test.append(string)
    return train, test


def reber_batch(
    strings: Sequence[str], grammar: Grammar = EMBEDDED_REBER, dtype: DTypeLike = np.float64
) -> tuple[Array, Array, Array, Mask]:
    """Return (xs, targets, allowed, mask): the strings side by side, and what follows each symbol.

        xs        every symbol but the last, which is only predicted; one-hot, zeros on padding
        targets   the symbol that came next, for `softmax_cross_entropy`
        allowed   every symbol that could have come next, for `strings_predicted`; False on padding
        mask      True on real steps

    `(xs, targets, mask)` is a batch for `train`. So is `(xs, allowed.astype(dtype), mask)` with
    `binary_cross_entropy`, which learns the seven answers one by one.

    The last three symbols of an embedded string determine what may come next, except at the last
    step but one: there it is the symbol of step 1, however long ago that was.

    Shapes: xs (T, B, 7), targets (T, B) int64, allowed (T, B, 7) bool, mask (T, B) bool, where T is
    the length of the longest string, less one.

    Raises: TypeError for one string instead of several; ValueError for a string of less than two
    symbols, or not of `grammar`.
    """
    if isinstance(strings, str):
        raise TypeError(f"strings: expected a list of strings, got the string {strings!r}")
    for b, string in enumerate(strings):
        if len(string) < 2:
            wanted = "at least two symbols, one to read and one to predict"
            raise ValueError(f"strings[{b}]: expected {wanted}, got {string!r}")
    allowed, mask = pad([next_symbols(string, grammar)[:-1] for string in strings])
    indices = [REBER_VOCABULARY.encode(string) for string in strings]
    xs, _ = pad([one_hot(symbols[:-1], len(REBER_VOCABULARY), dtype) for symbols in indices])
    targets, _ = pad([symbols[1:] for symbols in indices])
    return xs, targets, allowed, mask


def continual_reber(
    rng: Rng, T: int, B: int, dtype: DTypeLike = np.float64
) -> Iterator[tuple[Array, Array, Array]]:
    """Yield, without end, (xs, targets, allowed): T steps of B streams of embedded strings.

    In a stream one string of EMBEDDED_REBER follows another, and no mark shows where a string ends
    and the next begins. A chunk continues the chunk before it, so the last state of one is the
    first state of the next; the first starts with B in every stream. The streams do not depend on
    T: two chunks of T steps are one chunk of 2 T steps.

        xs        the symbols, one-hot
        targets   the symbol that comes next
        allowed   every symbol that could come next

    Shapes: xs (T, B, 7), targets (T, B) int64, allowed (T, B, 7) bool.

    Raises: TypeError unless `rng` is a generator; ValueError unless T and B are positive whole
    numbers.

    Source: Gers, Schmidhuber & Cummins 2000, section 4.
    """
    check_rng(rng)
    check_positive("T", T)
    check_positive("B", B)
    steps = _walk(rng, B)
    following = next(steps)
    while True:
        chunk = [following, *islice(steps, T)]  # T + 1 steps, the last of which is a target only
        following = chunk[-1]
        symbols, allowed = (np.stack(rows) for rows in zip(*chunk))
        yield one_hot(symbols[:-1], len(REBER_VOCABULARY), dtype), symbols[1:], allowed[:-1]


def _walk(rng: Rng, B: int) -> Iterator[tuple[Array, Array]]:
    """Yield (symbols, allowed) for each step of B random paths through CONTINUAL_REBER.

    The table becomes arrays, so that all paths take their step at once. At a state with two edges a
    random number decides; at a state with one edge, both choices are that edge.

    Shapes: symbols (B,), allowed (B, 7), the symbols allowed next.
    """
    number = {state: k for k, state in enumerate(CONTINUAL_REBER)}
    sides = [
        (list(edges.items())[0], list(edges.items())[-1]) for edges in CONTINUAL_REBER.values()
    ]
    symbol = np.array(
        [REBER_VOCABULARY.encode("".join(symbol for symbol, _ in pair)) for pair in sides]
    )  # (states, 2)
    after = np.array([[number[state] for _, state in pair] for pair in sides])  # (states, 2)
    allowed = np.any(one_hot(symbol, len(REBER_VOCABULARY), bool), axis=1)  # (states, 7)
    states = np.full(B, number["start"])
    while True:
        coins = (rng.random(B) < 0.5).astype(int)
        symbols, states = symbol[states, coins], after[states, coins]
        yield symbols, allowed[states]


def steps_predicted(ys: Array, allowed: Array) -> Array:
    """Return at which steps exactly the allowed symbols have the largest outputs: bool (T, B).

    A step is predicted if its smallest allowed output is larger than its largest forbidden one. So
    `ys` may be logits or probabilities. A tie is not a prediction, and neither is a NaN. Where no
    symbol is allowed (padding), the step is not predicted. For `continual_reber`, the mean is the
    share of steps predicted.

    Shapes: ys and allowed (T, B, 7), `allowed` boolean.

    Raises: TypeError unless `allowed` is boolean; ValueError unless ys has its shape.
    """
    if not isinstance(allowed, np.ndarray) or allowed.dtype != bool:
        got = getattr(allowed, "dtype", type(allowed).__name__)
        raise TypeError(
            f"allowed: expected a boolean array, True where a symbol may come next, got {got}"
        )
    if np.shape(ys) != allowed.shape:
        raise ValueError(f"ys: expected shape {allowed.shape}, that of allowed, got {np.shape(ys)}")
    smallest_allowed = np.where(allowed, ys, np.inf).min(axis=-1)
    largest_forbidden = np.where(allowed, -np.inf, ys).max(axis=-1)
    return (smallest_allowed > largest_forbidden) & allowed.any(axis=-1)


def strings_predicted(ys: Array, allowed: Array, mask: Mask) -> Array:
    """Return which strings are predicted at all steps (see `steps_predicted`): bool (B,).

    A trial of the source is a success when all strings of the training set and of the test set are.

    Shapes: ys and allowed (T, B, 7), mask (T, B), as `reber_batch` returns them.

    Raises: as `steps_predicted`, and for a mask that is not boolean or of another shape.

    Source: Hochreiter & Schmidhuber 1997, section 5.1.
    """
    steps = steps_predicted(ys, allowed)
    check_mask(mask, *steps.shape)
    return np.all(steps | ~mask, axis=0)
