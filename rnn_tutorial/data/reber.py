"""The Reber grammars: strings whose next symbol must be predicted, and the test that the predictions must pass.

A grammar is a table `{state: {symbol: state after it}}`. A string starts in "start", takes one of the edges of its state at
each step, each as likely as the others, and is complete in a state that the table does not have: "end".

Sources: Reber 1967 (the grammar); Cleeremans, Servan-Schreiber & McClelland 1989 (its prediction, and embedding it);
Hochreiter & Schmidhuber 1997, section 5.1 and figures 3 and 4; Gers, Schmidhuber & Cummins 2000, section 4 (the endless stream).
"""

from itertools import islice

import numpy as np

from rnn_tutorial.data.batches import pad
from rnn_tutorial.data.text import Vocabulary, one_hot
from rnn_tutorial.validation import check_mask, check_positive, check_rng

__all__ = [
    "CONTINUAL_REBER",
    "EMBEDDED_REBER",
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

REBER_VOCABULARY = Vocabulary("BTPSXVE")

REBER = {
    "start": {"B": "0"},
    "0": {"T": "1", "P": "2"},
    "1": {"S": "1", "X": "3"},
    "2": {"T": "2", "V": "4"},
    "3": {"X": "2", "S": "5"},
    "4": {"P": "3", "V": "5"},
    "5": {"E": "end"},
}


def _embed(grammar):
    """Return the table of the strings B w string w E, where w is T or P and `string` is one of `grammar`.

    It has two copies of `grammar`, which differ in nothing but the symbol after their end: being in one copy rather than in
    the other is the memory of w that a network must have.
    """
    table = {"start": {"B": "fork"}, "fork": {"T": "T start", "P": "P start"}}
    for w in "TP":
        for state, edges in grammar.items():
            table[f"{w} {state}"] = {symbol: f"{w} {after}" for symbol, after in edges.items()}
        table[f"{w} end"] = {w: "last"}
    return {**table, "last": {"E": "end"}}


EMBEDDED_REBER = _embed(REBER)
CONTINUAL_REBER = {
    **EMBEDDED_REBER,
    "end": EMBEDDED_REBER["start"],
}  # the end of a string is the start of the next


def grammar_string(rng, grammar):
    """Return a random string of `grammar`: a walk from "start" to "end", each edge of a state as likely as the others.

    On average a string of REBER has 8 symbols and one of EMBEDDED_REBER 12; the shortest have 5 and 9. CONTINUAL_REBER has
    no end: see `continual_reber`.

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


def next_symbols(string, grammar=EMBEDDED_REBER):
    """Return which symbols `grammar` allows after each symbol of `string`: bool (T, 7), columns as in REBER_VOCABULARY.

    `string` is the beginning of a string of `grammar`, or all of it, and then nothing is allowed after its last symbol.
    Errors: ValueError for a symbol that is not allowed where it stands.

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


def embedded_reber_sets(rng, train_size=256, test_size=256):
    """Return (train, test): two lists of random strings of EMBEDDED_REBER that share no string.

    As in the paper, both are drawn from the grammar, and a string of the training set is not used for testing. Within a set
    a string comes as often as it is drawn, the short ones many times: some 100 of 256 training strings are different, and
    170 of 256 test strings. The test is harder than the training, since most short strings are taken: test strings have 16
    symbols on average, training strings 12.

    Source: Hochreiter & Schmidhuber 1997, section 5.1, after Fahlman 1991.
    """
    check_positive("train_size", train_size)
    check_positive("test_size", test_size)
    train = [grammar_string(rng, EMBEDDED_REBER) for _ in range(train_size)]
    seen, test = set(train), []
    while len(test) < test_size:
        string = grammar_string(rng, EMBEDDED_REBER)
        if string not in seen:
            test.append(string)
    return train, test


def reber_batch(strings, grammar=EMBEDDED_REBER, dtype=np.float64):
    """Return (xs, targets, allowed, mask): strings side by side, and what follows each of their symbols.

    xs        (T, B, 7) one-hot, every symbol but the last, after which there is nothing to predict; zeros on padding
    targets   (T, B) int64, the symbol that did come next, for `softmax_cross_entropy`
    allowed   (T, B, 7) bool, every symbol that could have come next, for `strings_predicted`; all False on padding
    mask      (T, B) bool, True on real steps

    T is the length of the longest string, less one. `(xs, targets, mask)` is a batch for `train`; so is
    `(xs, allowed.astype(dtype), mask)` with `binary_cross_entropy`, which learns the seven answers one by one.

    The last three symbols of an embedded string tell what may come next, except at the last step but one: there it is the
    symbol of step 1, however long ago that was.

    Errors: TypeError for one string instead of several; ValueError for one of less than two symbols, or not of `grammar`.
    """
    if isinstance(strings, str):
        raise TypeError(f"strings: expected a list of strings, got the string {strings!r}")
    for b, string in enumerate(strings):
        if len(string) < 2:
            raise ValueError(
                f"strings[{b}]: expected at least two symbols, one to read and one to predict, got {string!r}"
            )
    allowed, mask = pad([next_symbols(string, grammar)[:-1] for string in strings])
    indices = [REBER_VOCABULARY.encode(string) for string in strings]
    xs, _ = pad([one_hot(symbols[:-1], len(REBER_VOCABULARY), dtype) for symbols in indices])
    targets, _ = pad([symbols[1:] for symbols in indices])
    return xs, targets, allowed, mask


def continual_reber(rng, T, B, dtype=np.float64):
    """Yield, without end, (xs, targets, allowed): T steps of B streams, each one string of EMBEDDED_REBER after another.

    Nothing marks where a string ends and the next begins. A chunk goes on where the last one stopped, so the last state of
    one is the first state of the next; the first starts with B in every stream. Shapes: xs (T, B, 7) one-hot, targets (T, B)
    int64, the symbol that comes next, allowed (T, B, 7) bool, every symbol that could. The streams are those of `rng`,
    whatever T is: two chunks of T steps are one chunk of 2 T.

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


def _walk(rng, B):
    """Yield, for each step of B random walks through CONTINUAL_REBER, (symbols (B,), the symbols allowed next (B, 7)).

    The table becomes arrays, so that all walks make their step at once. A coin decides at a fork; where there is none, both
    its sides lead the same way.
    """
    number = {state: k for k, state in enumerate(CONTINUAL_REBER)}
    sides = [
        (list(edges.items())[0], list(edges.items())[-1]) for edges in CONTINUAL_REBER.values()
    ]
    symbol = np.array(
        [REBER_VOCABULARY.encode([symbol for symbol, _ in pair]) for pair in sides]
    )  # (states, 2)
    after = np.array([[number[state] for _, state in pair] for pair in sides])  # (states, 2)
    allowed = one_hot(symbol, len(REBER_VOCABULARY), bool).any(axis=1)  # (states, 7)
    states = np.full(B, number["start"])
    while True:
        coins = (rng.random(B) < 0.5).astype(int)
        symbols, states = symbol[states, coins], after[states, coins]
        yield symbols, allowed[states]


def steps_predicted(ys, allowed):
    """Return at which steps the allowed symbols, and no others, are the most active outputs: bool, (T, B).

    With k symbols allowed, the k largest outputs must be exactly these: the smallest allowed output is larger than the
    largest forbidden one. So it makes no difference whether `ys` are logits or probabilities. A tie is no prediction, nor is a
    NaN; where nothing is allowed (padding), nothing is predicted.

    Shapes: ys and allowed (T, B, 7), `allowed` boolean. The mean is the share of steps predicted, for `continual_reber`.
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


def strings_predicted(ys, allowed, mask):
    """Return which strings are predicted, which is at every one of their steps (see `steps_predicted`): bool, (B,).

    A trial of Hochreiter & Schmidhuber 1997 is a success once all strings of the training set and of the test set are.
    Shapes: ys and allowed (T, B, 7), mask (T, B) as `reber_batch` returns them.
    """
    steps = steps_predicted(ys, allowed)
    check_mask(mask, *steps.shape)
    return (steps | ~mask).all(axis=0)
