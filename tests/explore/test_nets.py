"""nets.js computes what the package computes: forward and backward, in a real browser, to 1e-12."""

from pathlib import Path

import numpy as np
import pytest

import rnn_tutorial
from rnn_tutorial.cells import (
    GRU,
    LSTM,
    Elman,
    elman_step,
    elman_step_backward,
    gru_step,
    gru_step_backward,
    lstm_step,
    lstm_step_backward,
)
from rnn_tutorial.gradient_check import edited, lstm_answer
from rnn_tutorial.layers import Attention, Dense, Embedding, dot, general
from rnn_tutorial.train import softmax
from rnn_tutorial.tree import tree_random_like

NETS = (
    (Path(rnn_tutorial.__file__).parent / "explore" / "static" / "nets.js")
    .read_text(encoding="utf-8")
    .replace("export ", "")
)

B, D, H = 3, 4, 5
CELLS = {
    "elman": (Elman, elman_step, elman_step_backward),
    "lstm": (LSTM, lstm_step, lstm_step_backward),
    "gru": (GRU, gru_step, gru_step_backward),
}


def plain(tree):
    """Return a tree of NamedTuples, dicts and arrays as plain JSON: fields become keys."""
    if isinstance(tree, dict):
        return {name: plain(leaf) for name, leaf in tree.items()}
    return plain(tree._asdict()) if hasattr(tree, "_asdict") else np.asarray(tree).tolist()


def same(value, wanted):
    """Assert that plain JSON of a page is a tree of arrays, to 1e-12."""
    if hasattr(wanted, "_asdict"):
        for name, leaf in wanted._asdict().items():
            same(value[name], leaf)
    else:
        np.testing.assert_allclose(np.array(value), wanted, rtol=1e-12, atol=1e-14)


@pytest.fixture
def run(browser):
    """Return a function that evaluates an expression of nets.js with arguments."""
    page = browser.new_page()

    def evaluate(expression, **arguments):
        body = """
        (given) => {
          const typed = (value) => Array.isArray(value)
            ? (typeof value[0] === "number" ? Float64Array.from(value) : value.map(typed))
            : value && typeof value === "object"
              ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, typed(v)]))
              : value;
          const listed = (value) => ArrayBuffer.isView(value) ? Array.from(value)
            : Array.isArray(value) ? value.map(listed)
            : value && typeof value === "object"
              ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, listed(v)]))
              : value;
          const {NAMES} = typed(given);
          SOURCE
          return listed(EXPRESSION);
        }
        """
        body = body.replace("NAMES", ", ".join(arguments)).replace("EXPRESSION", expression)
        return page.evaluate(
            body.replace("SOURCE", NETS), {name: plain(leaf) for name, leaf in arguments.items()}
        )

    yield evaluate
    page.close()


def drawn(cell, rng):
    """Return random (params, x, state, dstate) of a cell."""
    params = tree_random_like(cell.init(rng, D, H), rng)
    state = tree_random_like(cell.initial_state(params, B), rng)
    return params, rng.standard_normal((B, D)), state, tree_random_like(state, rng)


@pytest.mark.parametrize("name", CELLS)
def test_a_step_and_its_backward_are_those_of_the_package(run, name, rng):
    cell, step, step_backward = CELLS[name]
    params, x, state, dstate = drawn(cell, rng)
    new, cache = step(params, x, state)
    dparams, dx, dprevious = step_backward(params, cache, dstate)
    found = run(
        f"(({{ state: made, cache }}) => [made, cache, {name}StepBackward(params, cache, dstate)])"
        f"({name}Step(params, x, state))",
        params=params,
        x=x,
        state=state,
        dstate=dstate,
    )
    same(found[0], new)
    same(found[1], cache)
    same(found[2]["dparams"], dparams)
    same(found[2]["dx"], dx)
    same(found[2]["dprevious"], dprevious)


def test_another_line_of_the_lstm_makes_the_same_mistake_as_in_python(run, rng):
    params, x, state, dstate = drawn(LSTM, rng)
    wrong = edited([lstm_step_backward], lstm_answer(3))  # dc without dc_next
    dparams, dx, dprevious = wrong(params, lstm_step(params, x, state)[1], dstate)
    found = run(
        "lstmStepBackward(params, lstmStep(params, x, state).cache, dstate, "
        "{...LSTM_LINES, c: (v, d) => d.c_up})",
        params=params,
        x=x,
        state=state,
        dstate=dstate,
    )
    same(found["dparams"], dparams)
    same(found["dx"], dx)
    same(found["dprevious"], dprevious)


def test_gates_stay_right_far_from_zero(run):
    pre_activations = np.array([-1e4, -750.0, -40.0, 0.0, 40.0, 1e4])
    with np.errstate(over="ignore"):
        same(run("a.map(sigmoid)", a=pre_activations), 1 / (1 + np.exp(-pre_activations)))
    same(run("a.map(Math.tanh)", a=pre_activations), np.tanh(pre_activations))


def test_dense_embedding_and_softmax_are_those_of_the_package(run, rng):
    layer, letters = Dense(H, 7), Embedding(9, H)
    params = tree_random_like(layer.init(rng), rng)
    E, indices = letters.init(rng), rng.integers(0, 9, 6)
    xs, _, _ = letters.forward(E, indices[:, None])
    logits, _, _ = layer.forward(params, xs)
    found = run("dense(params, embedding(E, indices))", params=params, E=E, indices=indices)
    same(found, logits[:, 0])
    same(run("softmax(logits, 0.5)", logits=logits[:, 0]), softmax(logits[:, 0], 0.5))
    same(run("softmax(logits)", logits=1e3 * logits[:, 0]), softmax(1e3 * logits[:, 0]))


@pytest.mark.parametrize("score", [dot, general])
def test_attention_is_that_of_the_package(run, score, rng):
    layer = Attention(score, H, H)
    params = layer.init(rng)
    queries, memory = rng.standard_normal((6, 1, H)), rng.standard_normal((8, 1, H))
    ys, cache = layer.forward(params, queries, memory)
    found = run(
        "attention(params, queries, memory)",
        params=params.score._asdict() if params.score else {},
        queries=queries[:, 0],
        memory=memory[:, 0],
    )
    same(found["weights"], cache.weights[:, 0])
    same(found["contexts"], ys[:, 0, H:])
