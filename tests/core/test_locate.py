"""One step says where a mistake is: tried on every one-token slip of seven backwards."""

import ast
import functools
import inspect
from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
from every_cell import CELLS
from mutation import mutants

from rnn_tutorial.cells import (
    GRU,
    LSTM,
    Elman,
    GRUBefore,
    PeepholeLSTM,
    elman_step,
    elman_step_backward,
    lstm_step,
    lstm_step_backward,
)
from rnn_tutorial.gradient_check import (
    GRU_PUZZLES,
    LSTM_PUZZLES,
    Answer,
    CannotJudge,
    GradientError,
    check_cell,
    check_gradients,
    edited,
    gru_answer,
    gru_puzzle,
    locate,
    locate_cell,
    location,
    lstm_answer,
    lstm_puzzle,
    random_start,
)
from rnn_tutorial.tree import tree_leaves, tree_map

gru_module = import_module("rnn_tutorial.cells.gru")
lstm_module = import_module("rnn_tutorial.cells.lstm")
measured = location.place_of
slopes_at = {}


def place_once(forward, backward, params, x, state, slope):
    """Return the Place; its slopes, which a wrong backward does not change, are measured once."""
    cell = forward.args[0].name if isinstance(forward, functools.partial) else forward.__name__
    key = cell, *(leaf.tobytes() for leaf in tree_leaves((params, x, state)))
    if key not in slopes_at:
        slopes_at[key] = measured(forward, backward, params, x, state, slope)
    _, cache = forward(params, x, state)
    return replace(slopes_at[key], backward=backward, cache=cache)


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(location, "place_of", place_once)


def locate_step(cell, forward, backward):
    rng = np.random.default_rng(0)
    params = cell.init(rng, 3, 4)
    return locate(forward, backward, params, cell.initial_state(params, 1), cell.gates, rng)


def locate_pointwise(cell, backward):
    return locate_cell(cell.replace(pointwise_backward=backward), np.random.default_rng(0))


def locate_gates(cell, module, name, backward):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, name, backward)
        return locate_cell(cell, np.random.default_rng(0))


# What each part of a function computes, by what `changed` returns for a slip in it.
PRODUCTS = {"dparams.W_x": "dW_x", "dparams.W_h": "dW_h", "dparams.b": "db", "return.1": "dx"}
PRODUCTS |= {"return.2.h": "dprevious.h", "return.2.c": "dprevious.c"}
OLD_STATE = {"return.3.h": "dprevious.h", "return.3.c": "dprevious.c"}
IFOG = {f"da.{k}": f"da_{gate}" for k, gate in enumerate("ifog")}
BUILT = {f"da_x.{k}": f"da_x.{gate}" for k, gate in enumerate("rzn")}
BUILT |= {f"da_h.{k}": f"da_h.{gate}" for k, gate in enumerate("rzn")}
FUNCTIONS = {
    "elman_step_backward": (
        elman_step_backward,
        functools.partial(locate_step, Elman, elman_step),
        PRODUCTS | {"da": "da", "return.0": "dW_x dW_h db"},
    ),
    "lstm_step_backward": (
        lstm_step_backward,
        functools.partial(locate_step, LSTM, lstm_step),
        PRODUCTS
        | IFOG
        | {"do": "da_o", "dc": "dc"}
        | {f"(di, df, dg).{k}": f"da_{gate}" for k, gate in enumerate("ifg")},
    ),
    "lstm_pointwise_backward": (
        LSTM.pointwise_backward.func,
        functools.partial(locate_pointwise, LSTM),
        OLD_STATE
        | {f"gates.{k}": f"da_{gate}" for k, gate in enumerate("ifog")}
        | {"da": "da_i da_f da_o da_g"},
    ),
    "lstm_gates_backward": (
        lstm_module.lstm_gates_backward,
        functools.partial(locate_gates, LSTM, lstm_module, "lstm_gates_backward"),
        {"dc": "dc", "return.1": "dprevious.h dprevious.c"}
        | {f"return.0.{gate}": f"da_{gate}" for gate in "ifog"},
    ),
    "gru_pointwise_backward": (
        GRU.pointwise_backward.func,
        functools.partial(locate_pointwise, GRU),
        OLD_STATE
        | BUILT
        | {"da_r": "da_r", "da_z": "da_z", "da_n": "da_x.n"}
        | {"return.0.b_hn": "db_hn", "return.2": "da_h.n"},
    ),
    "gru_gates_backward": (
        gru_module.gru_gates_backward,
        functools.partial(locate_gates, GRU, gru_module, "gru_gates_backward"),
        {"dz": "da_z", "dn": "da_n", "da_n": "da_r da_h.n db_hn", "return.1": "da_h.n db_hn"}
        | {"return.0.r": "da_r", "return.0.z": "da_z", "return.0.n": "da_x.n"},
    ),
    "gru_before_pointwise_backward": (
        GRUBefore.pointwise_backward.func,
        functools.partial(locate_pointwise, GRUBefore),
        OLD_STATE
        | BUILT
        | {"dz": "da_z", "da_z": "da_z", "da_n": "da_n", "da_x.2": "da_n", "da_r": "da_r"}
        | {"dm": "W_hn", "return.0.W_hn": "dW_hn"},
    ),
    "peephole_lstm_pointwise_backward": (
        PeepholeLSTM.pointwise_backward.func,
        functools.partial(locate_pointwise, PeepholeLSTM),
        OLD_STATE
        | IFOG
        | {f"da_{gate}": f"da_{gate}" for gate in "ifog"}
        | {f"seen.p_{gate}": f"dp_{gate}" for gate in "ifo"}
        | {"dc": "dc", "dc_previous": "dprevious.c", "dextra": "dp_i dp_f dp_o"},
    ),
}


def changed(slip: str) -> str:
    """Return the part of the statement that a slip changes, such as `da.2` or `return.2.c`."""
    before, after = (ast.parse(text).body[0] for text in slip.split("  ->  "))
    target = ast.unparse(before.targets[0]) if isinstance(before, ast.Assign) else "return"
    return ".".join([target, *path(before.value, after.value)])


def path(before: ast.AST, after: ast.AST) -> list[str]:
    """Return the labels of the element of a tuple, list, dict or call in which two trees differ."""
    for (label, one), (_, other) in zip(elements(before), elements(after)):
        if ast.unparse(one) != ast.unparse(other):
            return [label] * bool(label) + path(one, other)
    return []


def elements(node: ast.AST) -> list[tuple[str, ast.AST]]:
    if isinstance(node, (ast.Tuple, ast.List)):
        return [(str(k), element) for k, element in enumerate(node.elts)]
    if isinstance(node, ast.Dict):
        return [(key.value, value) for key, value in zip(node.keys, node.values)]
    if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "concatenate":
        return [("", node.args[0])]
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("LSTMGates", "GRUGates"):
        named = [(keyword.arg, keyword.value) for keyword in node.keywords]
        return [*((str(k), argument) for k, argument in enumerate(node.args)), *named]
    if isinstance(node, ast.Call) and hasattr(node.func, "id"):
        return [(keyword.arg, keyword.value) for keyword in node.keywords]
    return []


def outcomes(function, find, parts):
    """Yield (slip, place found, true place) for each slip that runs and changes a gradient."""
    for slip, mutant in mutants(function):
        try:
            with np.errstate(all="ignore"):
                found = find(mutant)
        except Exception:
            continue  # it crashes: the reader sees where
        if not found.right:
            yield slip, set(found.places), set(parts.get(changed(slip), changed(slip)).split())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_slip_is_located_where_it_is(name, quick):
    results = list(outcomes(*FUNCTIONS[name]))
    false = [f"{slip}: {found}" for slip, found, true in results if found and found != true]
    right = sum(found == true for _, found, true in results)
    print(f"{name}: {right} of {len(results)} located, {len(false)} falsely")
    assert len(results) >= 14 and not false, "\n".join(false)
    assert right >= 0.95 * len(results)


@pytest.mark.parametrize("name", CELLS)
def test_a_right_cell_has_a_clean_table(name, rng):
    found = locate_cell(CELLS[name], rng)
    assert found.right and found.places == () and found.notes == {}
    assert str(found).endswith("\nThis step is right.") and "✗" not in str(found)
    assert repr(found) == str(found)


@pytest.mark.parametrize("number", range(1, len(LSTM_PUZZLES) + 1))
def test_a_puzzle_of_the_lstm_is_wrong_and_located(number, rng, quick):
    wrong, answer = lstm_puzzle(number), lstm_answer(number)
    params, state = random_start(LSTM, rng, 3, 4, 5)
    point = params, rng.standard_normal((3, 4)), state
    with pytest.raises(GradientError):
        check_gradients(
            lambda p: lstm_step(*p), lambda cache, d: wrong(params, cache, d), point, rng
        )
    found = locate_step(LSTM, lstm_step, wrong)
    assert found.places == (answer.place,) and not found.right


@pytest.mark.parametrize("number", range(1, len(GRU_PUZZLES) + 1))
def test_a_puzzle_of_the_gru_is_wrong_and_located(number, rng, quick):
    wrong, answer = GRU.replace(pointwise_backward=gru_puzzle(number)), gru_answer(number)
    with pytest.raises(GradientError, match="^at one step: "):
        check_cell(wrong, rng)
    assert answer.place in locate_cell(wrong, rng).places


def test_a_puzzle_does_not_show_its_source_and_leaves_the_package_alone(rng):
    for puzzle in (lstm_puzzle(1), gru_puzzle(1)):
        with pytest.raises(OSError):
            inspect.getsource(puzzle)
    assert locate_cell(GRU, rng).right and locate_step(LSTM, lstm_step, lstm_step_backward).right
    assert len({answer.place for answer in LSTM_PUZZLES}) == 5


@pytest.mark.parametrize("ask", [lstm_puzzle, lstm_answer, gru_puzzle, gru_answer])
@pytest.mark.parametrize("number", [0, 6, -1, 1.0, True, "1"])
def test_a_puzzle_that_there_is_not_is_refused(ask, number):
    with pytest.raises(ValueError, match="^number: expected .* got "):
        ask(number)


def test_an_edit_of_a_text_that_is_not_there_once_is_refused():
    for text in ("dq", "dc"):
        with pytest.raises(ValueError, match="^answer.right: expected a text that occurs once"):
            edited([lstm_step_backward], Answer("dc", text, "df", ""))


def wrong_slope(params, cache, dstate):
    _, da, _, dprevious = LSTM.pointwise_backward(params, cache, dstate)
    da[:, -da.shape[1] // 4 :] *= 1 + cache.g
    return {}, da, da, dprevious


def test_check_cell_says_first_what_one_step_shows(rng):
    with pytest.raises(GradientError) as caught:
        check_cell(LSTM.replace(pointwise_backward=wrong_slope), rng)
    first, second, third, *_ = str(caught.value).splitlines()
    assert first == ("at one step: Only gate g is wrong: look at da_g, its product and its slope.")
    assert second == "over 6 steps: wrong gradient" and third.startswith("[0].W_x: relative error")


def test_a_right_cell_costs_no_look_at_one_step(rng, monkeypatch):
    monkeypatch.setattr(location, "place_of", None)
    check_cell(LSTM, rng, T=2)


def test_check_cell_reports_its_own_error_where_one_step_cannot_be_judged(rng, monkeypatch):
    def refuse(*args):
        raise CannotJudge("a kink")

    monkeypatch.setattr(location, "place_of", refuse)
    with pytest.raises(GradientError, match="^wrong gradient"):
        check_cell(LSTM.replace(pointwise_backward=wrong_slope), rng)


def test_a_step_that_loses_the_complex_step_is_judged_by_the_central_difference(rng):
    def real_step(params, x, state):
        state, cache = lstm_step(params, x, state)
        return state._replace(h=np.asarray(state.h).real), cache

    assert locate_step(LSTM, real_step, lstm_step_backward).right
    assert locate_step(LSTM, real_step, lstm_puzzle(3)).places == ("dc",)
    assert locate_step(LSTM, real_step, lstm_puzzle(1)).places == ("da_g",)


def test_an_array_of_another_shape_is_named_with_both(quick):
    def summed_over_gates(params, cache, dstate):
        dparams, dx, dprevious = lstm_step_backward(params, cache, dstate)
        return dparams._replace(b=dparams.b.reshape(4, -1).sum(axis=0)), dx, dprevious

    found = locate_step(LSTM, lstm_step, summed_over_gates)
    assert found.places == ("db",) and found.rows["db"] == (False,)
    assert "db           ✗  has shape (4,), expected (16,)" in str(found)


def test_two_mistakes_are_not_located(quick):
    def twice(params, cache, dstate):
        dparams, dx, dprevious = lstm_puzzle(1)(params, cache, dstate)
        return dparams, 2 * dx, dprevious._replace(c=2 * dprevious.c)

    found = locate_step(LSTM, lstm_step, twice)
    assert found.places == () and not found.right
    assert found.sentence.startswith("Not located: da_g, dprevious.c and dx are wrong.")


def test_the_term_of_dc_that_is_wrong_is_named(quick):
    for term, text in (("dstate.h * i", "dstate.h"), ("2 * dstate.h * o", "dstate.h")):
        edit = Answer("dc", "dc = dstate.c + dstate.h * o", f"dc = dstate.c + {term}", "")
        sentence = locate_step(LSTM, lstm_step, edited([lstm_step_backward], edit)).sentence
        assert sentence.endswith(f"what they share, dc: its part from {text} is wrong.")
    sentence = locate_step(LSTM, lstm_step, lstm_puzzle(3)).sentence
    assert sentence.endswith("what they share, dc: its part from dstate.c is wrong.")


def test_what_does_not_fit_is_refused_by_name(rng):
    params, state = random_start(LSTM, rng, 1, 3, 4)
    arguments = lstm_step, lstm_step_backward, params, state
    with pytest.raises(ValueError, match="^gates: expected a name for each block of H=4 columns"):
        locate(*arguments, "rzn", rng)
    with pytest.raises(TypeError, match="^rng: expected a generator"):
        locate(*arguments, "ifog", 0)
    with pytest.raises(TypeError, match="^cell: expected a Cell"):
        locate_cell(lstm_step, rng)
    for returned in (None, (params, 0.0), (state, 0.0, state), (params, 0.0, params)):
        with pytest.raises(TypeError, match="^step_backward: "):
            locate(lstm_step, lambda *_, r=returned: r, params, state, "ifog", rng)


def test_nothing_of_the_caller_is_changed_and_the_same_seed_finds_the_same(rng):
    params, state = random_start(LSTM, rng, 1, 3, 4)
    before = tree_map(np.copy, (params, state))
    found = [
        locate(lstm_step, lstm_puzzle(2), params, state, "ifog", np.random.default_rng(5))
        for _ in range(2)
    ]
    assert found[0] == found[1]
    for old, new in zip(tree_leaves(before), tree_leaves((params, state)), strict=True):
        np.testing.assert_array_equal(old, new)


# The search itself: each of its slips must spoil an answer.

MODULES = [
    import_module(f"rnn_tutorial.gradient_check.{name}")
    for name in ("one_step", "look", "cause", "location")
]
SEARCH = {
    "read_da": MODULES[0],
    "one_factor": MODULES[1],
    "_single": MODULES[2],
    "_shared": MODULES[2],
    "_all_through": MODULES[2],
    "_reached": MODULES[2],
    "_part": MODULES[2],
    "_through_own": MODULES[2],
    "_notes": MODULES[3],
}


def with_edit(functions, right, wrong):
    return edited(functions, Answer("", right, wrong, ""))


def questions():
    """Yield (a call of `locate`, the text at the end of its answer)."""
    peephole = PeepholeLSTM.pointwise_backward.func
    before = GRUBefore.pointwise_backward.func
    gru = [gru_module.gru_gates_backward, GRU.pointwise_backward.func]
    for number in range(1, 6):
        yield (locate_step, LSTM, lstm_step, lstm_puzzle(number)), lstm_answer(number).place
    for number in (1, 2):
        yield (locate_pointwise, GRU, gru_puzzle(number)), gru_answer(number).place
    edits = [
        (PeepholeLSTM, [peephole], "dstate.h * tanh_c *", "dstate.h * c *", "da_o"),
        (PeepholeLSTM, [peephole], "da_i = dc * g *", "da_i = dc * i *", "da_i"),
        (PeepholeLSTM, [peephole], "da_f * c_previous,", "da_f * c,", "dp_f"),
        (GRUBefore, [before], "dm = da_n @ params.W_hn.T ", "dm = da_n @ params.W_hn ", "W_hn"),
        (GRUBefore, [before], "da_n = dstate.h * (1 - z)", "da_n = dstate.h * z", "da_n"),
        (GRU, gru, "dn = dstate.h * (1 - values.z)", "dn = dstate.h * values.z", "da_n"),
        (GRU, gru, "da_x = np.concatenate([da_r, ", "da_x = np.concatenate([da_z, ", "da_x.r"),
        (GRU, gru, "dstate.h * cache.z)", "dstate.h * cache.r)", "dprevious.h"),
    ]
    for cell, functions, right, wrong, place in edits:
        yield (locate_pointwise, cell, with_edit(functions, right, wrong)), place
    for right, wrong, place in (
        ("x.T @ da", "x.T @ (2 * da)", "dW_x"),
        ("da @ params.W_x.T", "-da @ params.W_x.T", "dx"),
        ("h=da @ params.W_h.T", "h=da @ (2 * params.W_h.T)", "dprevious.h"),
    ):
        wrong_step = with_edit([lstm_step_backward], right, wrong)
        yield (locate_step, LSTM, lstm_step, wrong_step), place
    yield (locate_step, LSTM, lstm_step, lstm_step_backward), "This step is right."


QUESTIONS = list(questions())


def answers():
    return [str((found := find(*rest)).places) + str(found) for (find, *rest), _ in QUESTIONS]


def same_answers(expected):
    with np.errstate(all="ignore"):
        return all(
            str((found := find(*rest)).places) + str(found) == want
            for ((find, *rest), _), want in zip(QUESTIONS, expected)
        )


@pytest.mark.parametrize("place", range(len(QUESTIONS)))
def test_the_questions_have_the_right_answers(place, quick):
    (find, *rest), expected = QUESTIONS[place]
    found = find(*rest)
    assert expected in (*found.places, found.sentence)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", SEARCH)
def test_every_slip_of_the_search_spoils_an_answer(name, quick, monkeypatch):
    original, expected = getattr(SEARCH[name], name), answers()
    survivors = []
    for slip, mutant in mutants(original):
        with monkeypatch.context() as patch:
            for module in MODULES:
                if getattr(module, name, None) is original:
                    patch.setattr(module, name, mutant)
            try:
                survivors += [slip] if same_answers(expected) else []
            except Exception:
                continue
    assert survivors == [], "\n".join(survivors)
