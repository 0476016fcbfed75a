"""Every one-token slip of eight backwards is located, and every slip of the search is noticed."""

import ast
import functools
from importlib import import_module

import numpy as np
import pytest
from locating import locate_gates, locate_pointwise, locate_step, place_once
from mutation import mutants, without_crosscheck

from rnn_tutorial.cells import (
    GRU,
    LSTM,
    Elman,
    GRUBefore,
    NormLSTM,
    PeepholeLSTM,
    elman_step,
    elman_step_backward,
    lstm_step,
    lstm_step_backward,
)
from rnn_tutorial.gradient_check import (
    Answer,
    edited,
    gru_answer,
    gru_puzzle,
    location,
    lstm_answer,
    lstm_puzzle,
)

gru_module = import_module("rnn_tutorial.cells.gru")
lstm_module = import_module("rnn_tutorial.cells.lstm")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(location, "place_of", place_once)
    with without_crosscheck():
        yield


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
    "_first": MODULES[2],
    "_path": MODULES[2],
    "_notes": MODULES[3],
}

HARMLESS = {
    "one_factor": [  # a node has the shape of the right one
        f"units = a.shape[-1] == b.shape[-1]  ->  units = {same}"
        for same in ("right_a.shape[-1] == b.shape[-1]", "a.shape[-1] == right_b.shape[-1]")
    ],
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
        ("previous.h.T @ da", "previous.h.T @ (2 * da)", "dW_h"),
        ("da @ params.W_x.T", "-da @ params.W_x.T", "dx"),
        ("h=da @ params.W_h.T", "h=da @ (2 * params.W_h.T)", "dprevious.h"),
    ):
        wrong_step = with_edit([lstm_step_backward], right, wrong)
        yield (locate_step, LSTM, lstm_step, wrong_step), place
    yield (locate_step, LSTM, lstm_step, lstm_step_backward), "This step is right."
    elman = with_edit([elman_step_backward], "da = dstate.h * (1 - ", "da = dstate.h * (2 - ")
    yield (locate_step, Elman, elman_step, elman), "da"
    for gates in ("rz", "rzn"):
        yield (locate_pointwise, GRU, doubling(gates)), "da_z"
    two = with_edit([peephole], "da_f, da_o, da_g], axis", "2 * da_f, 3 * da_o, da_g], axis")
    yield (locate_pointwise, PeepholeLSTM, two), "Not located"
    normed = with_edit([NormLSTM.pointwise_backward], "do = dstate.h *", "do = 2 * dstate.h *")
    yield (locate_pointwise, NormLSTM, normed), "Not located"
    yield (locate_pointwise, NormLSTM, norm_lstm_twice), "Not located"


def norm_lstm_twice(params, cache, dstate):
    """Two mistakes, in arrays of H and of 4H columns."""
    dextra, da_x, da_h, dprevious = NormLSTM.pointwise_backward(params, cache, dstate)
    twice = {"shift": 2 * dextra["shift"]}
    return dextra | twice, da_x, da_h, dprevious._replace(c=2 * dprevious.c)


def doubling(gates):
    """Return the backward of the GRU with the gradients of these gates doubled."""

    def backward(params, cache, dstate):
        dextra, da_x, da_h, dprevious = GRU.pointwise_backward(params, cache, dstate)
        twice = np.repeat([1.0 + (gate in gates) for gate in "rzn"], da_x.shape[1] // 3)
        return {"b_hn": dextra["b_hn"] * twice[-1]}, da_x * twice, da_h * twice, dprevious

    return backward


QUESTIONS = list(questions())


def answer(place):
    (find, *rest), _ = QUESTIONS[place]
    found = find(*rest)
    return str(found.places) + str(found)


def is_spoiled(place, expected):
    """Return whether a question has another answer than before, or none."""
    try:
        with np.errstate(all="ignore"):
            return answer(place) != expected
    except Exception:
        return True


@pytest.mark.parametrize("place", range(len(QUESTIONS)))
def test_the_questions_have_the_right_answers(place, quick):
    (find, *rest), expected = QUESTIONS[place]
    found = find(*rest)
    assert expected in found.places or found.sentence.startswith(expected)
    assert found.right == (expected == "This step is right.")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", SEARCH)
def test_every_slip_of_the_search_spoils_an_answer(name, quick, monkeypatch):
    original, survivors = getattr(SEARCH[name], name), []
    places = list(range(len(QUESTIONS)))
    expected = [answer(place) for place in places]
    for slip, mutant in mutants(original):
        with monkeypatch.context() as patch:
            for module in MODULES:
                if getattr(module, name, None) is original:
                    patch.setattr(module, name, mutant)
            spoiled = next((k for k in places if is_spoiled(k, expected[k])), None)
        if spoiled is None:
            survivors.append(slip)
        else:  # the next slip probably spoils the same answer, so it is asked for first
            places.remove(spoiled)
            places.insert(0, spoiled)
    assert survivors == HARMLESS.get(name, []), "\n".join(survivors)
