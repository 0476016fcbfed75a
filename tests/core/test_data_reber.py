"""The Reber grammars, their batches, and the criterion of success."""

import re
from collections import Counter, defaultdict
from itertools import islice, product

import numpy as np
import pytest

from rnn_tutorial.cells import Elman
from rnn_tutorial.data import (
    CONTINUAL_REBER,
    EMBEDDED_REBER,
    REBER,
    REBER_VOCABULARY,
    continual_reber,
    embedded_reber_sets,
    grammar_string,
    next_symbols,
    one_hot_decode,
    reber_batch,
    steps_predicted,
    strings_predicted,
)
from rnn_tutorial.layers import Dense, Recurrent, Serial
from rnn_tutorial.train import binary_cross_entropy, sgd, softmax_cross_entropy, train

# The graph of figure 3 of Hochreiter & Schmidhuber 1997 as a pattern, written by hand: the same
# grammar in another form.
REBER_PATTERN = "B(?:(?:TS*X|PT*VP)(?:XT*VP)*(?:S|XT*VV)|PT*VV)E"
EMBEDDED_PATTERN = f"B(?:T{REBER_PATTERN}T|P{REBER_PATTERN}P)E"


def rng(seed=0):
    return np.random.default_rng(seed)


def strings(grammar, N, seed=0):
    generator = rng(seed)
    return [grammar_string(generator, grammar) for _ in range(N)]


def accepted(string, grammar):
    """Return whether every symbol is allowed, and no symbol is allowed after the last."""
    try:
        return not next_symbols(string, grammar)[-1].any()
    except ValueError:
        return False


def all_embedded_strings(longest):
    """Return every embedded string of at most `longest` symbols, made from parts of the pattern."""
    heads = [f"T{'S' * k}X" for k in range(longest)] + [f"P{'T' * k}VP" for k in range(longest)]
    tails = ["S"] + [f"X{'T' * k}VV" for k in range(longest)]
    detours = [f"X{'T' * k}VP" for k in range(longest)]
    longest_inner = longest - len("BTBETE")
    middles, new = (
        {f"P{'T' * k}VV" for k in range(longest_inner - 2)},
        {head for head in heads if len(head) < longest_inner},
    )
    while new:
        middles |= {
            part + tail for part, tail in product(new, tails) if len(part + tail) <= longest_inner
        }
        new = {
            part + detour
            for part, detour in product(new, detours)
            if len(part + detour) < longest_inner
        }
    return {f"B{w}B{middle}E{w}E" for w, middle in product("TP", middles)}


@pytest.mark.parametrize(
    "grammar, pattern", [(REBER, REBER_PATTERN), (EMBEDDED_REBER, EMBEDDED_PATTERN)]
)
def test_every_random_string_fits_the_pattern(grammar, pattern):
    for string in strings(grammar, 2000):
        assert re.fullmatch(pattern, string), string


def test_the_table_and_the_pattern_agree_on_every_short_string():
    for length in range(7):
        for middle in map("".join, product("TPSXV", repeat=length)):
            string = f"B{middle}E"
            assert accepted(string, REBER) == bool(re.fullmatch(REBER_PATTERN, string)), string


@pytest.mark.parametrize(
    "string", ["BTSSXXTVVE", "BPVVE", "BTXXVPSE", "BPVPXVPXVPXVVE", "BTSXXVPSE"]
)
def test_known_strings_of_the_grammar_are_accepted_alone_and_embedded(string):
    assert accepted(string, REBER)
    for w, v in product("TP", repeat=2):
        assert accepted(f"B{w}{string}{v}E", EMBEDDED_REBER) == (w == v)


@pytest.mark.parametrize(
    "string", ["BTSSPXSE", "BPTVVB", "BTXXVVSE", "BPVSPSE", "BTSSSE", "TXSE", "BTXSEB"]
)
def test_known_strings_that_are_not_of_the_grammar_are_not(string):
    assert not accepted(string, REBER)


def test_an_embedded_string_repeats_its_second_symbol_before_its_last():
    for string in strings(EMBEDDED_REBER, 500):
        assert string[0] == "B" and string[-1] == "E" and string[1] == string[-2]
        assert re.fullmatch(REBER_PATTERN, string[2:-2])


@pytest.mark.parametrize("grammar", [REBER, EMBEDDED_REBER])
def test_at_a_fork_both_edges_are_equally_likely(grammar):
    edges = Counter()
    for string in strings(grammar, 8000):
        state = "start"
        for symbol in string:
            edges[state, symbol] += 1
            state = grammar[state][symbol]
    for state, symbols in grammar.items():
        shares = [
            edges[state, symbol] / sum(edges[state, s] for s in symbols) for symbol in symbols
        ]
        assert shares == pytest.approx([1 / len(symbols)] * len(symbols), abs=0.04), state


def test_strings_have_the_lengths_that_the_help_tells():
    for grammar, mean, shortest in ((REBER, 8, 5), (EMBEDDED_REBER, 12, 9)):
        lengths = [len(string) for string in strings(grammar, 10_000)]
        assert np.mean(lengths) == pytest.approx(mean, abs=0.1) and min(lengths) == shortest
    shortest = Counter(strings(EMBEDDED_REBER, 10_000))
    for string in ("BTBTXSETE", "BPBPVVEPE"):  # four states with two edges each
        assert shortest[string] / 10_000 == pytest.approx(1 / 16, abs=0.01)


def test_next_symbols_are_those_with_which_some_string_goes_on():
    language = all_embedded_strings(20)
    assert len(language) > 500 and all(
        re.fullmatch(EMBEDDED_PATTERN, string) for string in language
    )
    beginnings = {string[:k] for string in language for k in range(len(string) + 1)}
    checked = sorted(
        beginning for beginning in beginnings if 0 < len(beginning) <= 13
    )  # seven more symbols end any of them
    for beginning in checked:
        goes_on = [beginning + symbol in beginnings for symbol in "BTPSXVE"]
        assert next_symbols(beginning)[-1].tolist() == goes_on, beginning
    assert len(checked) > 200


def test_next_symbols_have_a_row_for_each_symbol():
    allowed = next_symbols("BPBTXSEPE")
    assert allowed.dtype == bool and allowed.shape == (9, 7)
    rows = ["".join(np.array(list("BTPSXVE"))[row]) for row in allowed]
    assert REBER_VOCABULARY.symbols == "BTPSXVE"
    assert rows == ["TP", "B", "TP", "SX", "SX", "E", "P", "E", ""]
    assert next_symbols("BPBTXSEPE", CONTINUAL_REBER)[-1].tolist() == [True] + 6 * [False]
    assert next_symbols("").shape == (0, 7)


@pytest.mark.parametrize(
    "string, error",
    [
        ("BTX", "string: expected B at place 2 of 'BTX', got 'X'"),
        ("BTBTXSEPE", "string: expected T at place 7 of 'BTBTXSEPE', got 'P'"),
        ("BQ", "string: expected T or P at place 1 of 'BQ', got 'Q'"),
        ("BTBTXSETEB", "string: expected the end at place 9 of 'BTBTXSETEB', got 'B'"),
    ],
)
def test_a_symbol_that_is_not_allowed_is_named_with_its_place(string, error):
    with pytest.raises(ValueError, match=error):
        next_symbols(string)


@pytest.mark.parametrize("seed", range(3))
def test_no_test_string_is_a_training_string(seed):
    training, test = embedded_reber_sets(rng(seed))
    assert len(training) == len(test) == 256 and not set(training) & set(test)
    assert all(re.fullmatch(EMBEDDED_PATTERN, string) for string in training + test)
    assert embedded_reber_sets(rng(seed)) == (training, test) != embedded_reber_sets(rng(seed + 1))
    assert [len(part) for part in embedded_reber_sets(rng(), train_size=2, test_size=5)] == [2, 5]


def test_short_strings_repeat_in_a_set_as_the_help_tells():
    sets = [embedded_reber_sets(rng(seed)) for seed in range(10)]
    for parts, different, length in zip(zip(*sets), (100, 170), (12, 16)):
        assert np.mean([len(set(part)) for part in parts]) == pytest.approx(different, abs=8)
        assert np.mean([len(string) for part in parts for string in part]) == pytest.approx(
            length, abs=0.5
        )


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_batch_shows_every_symbol_but_the_last_and_asks_for_the_next(dtype):
    batch = ["BTBTXSETE", "BPBTSSXSEPE", "BTBPVVETE"]
    xs, targets, allowed, mask = reber_batch(batch, dtype=dtype)
    assert xs.shape == allowed.shape == (10, 3, 7) and targets.shape == mask.shape == (10, 3)
    assert (xs.dtype, targets.dtype, allowed.dtype, mask.dtype) == (dtype, np.int64, bool, bool)
    for b, string in enumerate(batch):
        real = mask[:, b]
        assert np.array_equal(real, np.arange(10) < len(string) - 1)
        assert REBER_VOCABULARY.decode(one_hot_decode(xs[real, b])) == string[:-1]
        assert REBER_VOCABULARY.decode(targets[real, b]) == string[1:]
        assert np.array_equal(allowed[real, b], next_symbols(string)[:-1])
        assert targets[real, b][-2] == REBER_VOCABULARY.encode(string[1])[0]  # the long dependency
    assert not xs[~mask].any() and not allowed[~mask].any() and not targets[~mask].any()
    _, _, allowed, _ = reber_batch(["BTXSE"], REBER)
    assert np.array_equal(allowed[:, 0], next_symbols("BTXSE", REBER)[:-1])


def test_the_symbol_that_came_was_allowed():
    _, targets, allowed, mask = reber_batch(strings(EMBEDDED_REBER, 100))
    assert np.take_along_axis(allowed, targets[..., None], axis=-1)[mask].all()


def test_a_batch_of_what_is_no_list_of_strings_is_refused():
    with pytest.raises(
        TypeError, match="strings: expected a list of strings, got the string 'BTBTXSETE'"
    ):
        reber_batch("BTBTXSETE")
    with pytest.raises(
        ValueError, match=r"strings\[1\]: expected at least two symbols, .* got 'B'"
    ):
        reber_batch(["BTBTXSETE", "B"])
    with pytest.raises(ValueError, match="string: expected B at place 2"):
        reber_batch(["BTX"])
    with pytest.raises(ValueError, match="expected at least one sequence"):
        reber_batch([])


def test_a_batch_trains_with_either_loss():
    xs, targets, allowed, mask = reber_batch(strings(EMBEDDED_REBER, 20))
    model = Serial((Recurrent(Elman, input_size=7, hidden_size=5), Dense(5, 7)))
    params = model.init(rng())
    for batch, loss in (
        ((xs, targets, mask), softmax_cross_entropy),
        ((xs, allowed.astype(float), mask), binary_cross_entropy),
    ):
        first, *_, last = train(model, params, [batch] * 30, loss, sgd(0.5))
        assert last.loss < 0.9 * first.loss


def text(chunks):
    """Return the text of each stream of `chunks`."""
    xs = np.concatenate([xs for xs, _, _ in chunks])
    return [REBER_VOCABULARY.decode(stream) for stream in one_hot_decode(xs).T]


def test_a_stream_is_one_embedded_string_after_another():
    chunks = list(islice(continual_reber(rng(), 50, 4), 20))
    targets, allowed = (np.concatenate([chunk[k] for chunk in chunks]) for k in (1, 2))
    assert len(set(text(chunks))) == 4
    for b, stream in enumerate(text(chunks)):
        assert len(stream) == 1000
        whole = re.match(f"(?:{EMBEDDED_PATTERN})*", stream).end()
        assert (
            whole > 900 and len(next_symbols(stream[whole:])) == 1000 - whole
        )  # the rest is the beginning of the next
        assert np.array_equal(allowed[:, b], next_symbols(stream, CONTINUAL_REBER))
        assert (
            REBER_VOCABULARY.decode(targets[:-1, b]) == stream[1:]
            and allowed[-1, b, targets[-1, b]]
        )


def test_a_stream_takes_both_edges_of_a_fork_equally_often():
    (_, targets, allowed), *_ = continual(2000, 20)
    for pair in ("TP", "SX", "TV", "PV"):
        one, other = REBER_VOCABULARY.encode(pair)
        forks = (allowed.sum(axis=-1) == 2) & allowed[..., one] & allowed[..., other]
        assert forks.sum() > 1000 and np.mean(targets[forks] == one) == pytest.approx(0.5, abs=0.03)
        assert set(targets[forks]) == {one, other}
    assert allowed.sum(axis=-1).min() == 1 and allowed.sum(axis=-1).max() == 2


def continual(T, B, seed=0, number=1, dtype=np.float64):
    return list(islice(continual_reber(rng(seed), T, B, dtype), number))


@pytest.mark.parametrize("T", [1, 7, 30])
def test_two_chunks_are_one_of_twice_the_length(T):
    one, two = continual(T, 3, number=2)
    (both,) = continual(2 * T, 3)
    for k in range(3):
        assert np.array_equal(np.concatenate([one[k], two[k]]), both[k])
    assert both[0].shape == both[2].shape == (2 * T, 3, 7) and both[1].shape == (2 * T, 3)


def test_a_stream_is_decided_by_its_seed_and_keeps_its_dtype():
    (one,), (same,), (other,) = (continual(40, 3, seed, dtype=np.float32) for seed in (0, 0, 1))
    assert all(map(np.array_equal, one, same)) and not np.array_equal(one[0], other[0])
    assert [array.dtype for array in one] == [np.float32, np.int64, bool]
    assert (one[0][0] == np.eye(7)[0]).all()  # every stream starts with B


@pytest.mark.parametrize(
    "ys, predicted",
    [
        (
            [0, 3, 2, 1, 0, 0, 0],
            True,
        ),  # T and P are allowed, and are the two largest, in either order
        ([0, 2, 3, 1, 0, 0, 0], True),
        ([-9, -3, -3, -5, -6, -7, -8], True),  # logits may be negative, and the allowed ones equal
        ([0, 3, 1, 2, 0, 0, 0], False),  # S is more active than P
        ([4, 3, 3, 0, 0, 0, 0], False),  # so is B, although T and P are large
        ([0, 3, 1, 1, 0, 0, 0], False),  # P and S are tied
        ([0, 3, np.nan, 0, 0, 0, 0], False),
        ([0, 3, 2, np.nan, 0, 0, 0], False),
        ([0, 0, 0, 0, 0, 0, 0], False),
    ],
)
def test_a_step_is_predicted_if_the_allowed_symbols_are_the_most_active(ys, predicted):
    allowed = next_symbols("B")[:, None]  # (1, 1, 7): T or P
    assert steps_predicted(np.array(ys, float).reshape(1, 1, 7), allowed).tolist() == [[predicted]]


def test_with_one_symbol_allowed_it_must_be_the_largest_and_with_none_nothing_is_predicted():
    allowed = np.eye(7, dtype=bool)[[3, 3, 0]]
    allowed[2] = False
    assert steps_predicted(np.eye(7)[[3, 2, 0]], allowed).tolist() == [True, False, False]


def test_a_string_is_predicted_if_all_its_steps_are():
    _, _, allowed, mask = reber_batch(["BTBTXSETE", "BPBTSSXSEPE", "BTBPVVETE"])
    ys = np.where(allowed, 1.0, 0.0)
    ys[~mask] = np.nan  # outputs on padding do not matter
    assert strings_predicted(ys, allowed, mask).tolist() == [True, True, True]
    for t in range(10):
        wrong = ys.copy()
        wrong[t, 1] = 0
        assert strings_predicted(wrong, allowed, mask).tolist() == [True, False, True]


def test_three_symbols_tell_what_comes_next_except_at_the_last_step_but_one():
    follows = defaultdict(set)
    for string in strings(EMBEDDED_REBER, 2000):
        for t, allowed in enumerate(next_symbols(string)[:-1]):
            follows[string[max(t - 2, 0) : t + 1]].add(tuple(allowed))
    assert {context for context, sets in follows.items() if len(sets) > 1} == {
        "VVE",
        "XSE",
        "PSE",
    }  # the inner string is over


def test_who_forgets_the_second_symbol_fails_at_the_last_step_but_one_and_only_there():
    remembered, forgotten = (
        next_symbols("BTBTXSETE")[:-1, None],
        next_symbols("BPBTXSEPE")[:-1, None],
    )
    steps = steps_predicted(forgotten.astype(float), remembered)
    assert np.flatnonzero(~steps).tolist() == [6] and len(steps) == 8
    assert strings_predicted(
        forgotten.astype(float), remembered, np.ones((8, 1), bool)
    ).tolist() == [False]


def test_predictions_that_do_not_fit_are_refused():
    allowed = next_symbols("BTBTXSETE")[:-1, None]
    ys, mask = allowed.astype(float), np.ones((8, 1), bool)
    with pytest.raises(
        ValueError, match=r"ys: expected shape \(8, 1, 7\), that of allowed, got \(8, 7\)"
    ):
        steps_predicted(ys[:, 0], allowed)
    with pytest.raises(TypeError, match="allowed: expected a boolean array, .*, got float64"):
        steps_predicted(ys, ys)
    with pytest.raises(TypeError, match="mask: expected a boolean array"):
        strings_predicted(ys, allowed, mask.astype(float))
    with pytest.raises(ValueError, match=r"mask: expected shape \(T=8, B=1\), got \(8,\)"):
        strings_predicted(ys, allowed, mask[:, 0])


def test_what_makes_no_strings_is_refused():
    with pytest.raises(TypeError, match="rng: expected a generator"):
        grammar_string(0, REBER)
    with pytest.raises(ValueError, match="grammar: expected one whose strings end"):
        grammar_string(rng(), CONTINUAL_REBER)
    with pytest.raises(ValueError, match="train_size: expected a positive whole number, got 0"):
        embedded_reber_sets(rng(), train_size=0)
    with pytest.raises(ValueError, match="test_size: expected a positive whole number, got -1"):
        embedded_reber_sets(rng(), test_size=-1)
    with pytest.raises(TypeError, match="rng: expected a generator"):
        next(continual_reber(None, 3, 2))
    for T, B, name in ((0, 2, "T"), (3, 0, "B")):
        with pytest.raises(ValueError, match=f"{name}: expected a positive whole number, got 0"):
            next(continual_reber(rng(), T, B))
