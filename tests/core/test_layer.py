"""The contract of a layer: every gradient, the last state's too; what is a layer, what is a state.

`test_state_protocol.py` holds every layer to "a sequence in pieces is the whole sequence".
"""

import re
import textwrap
from dataclasses import dataclass

import numpy as np
import pytest
from every_cell import CELLS
from every_layer import D, V, every_layer, layer_classes, reads_symbols
from mutation import without_diagnosis

from rnn_tutorial.cells import GRU, LSTM, Elman, LSTMState
from rnn_tutorial.gradient_check import GradientError, check_gradients, check_layer
from rnn_tutorial.layers import (
    Bidirectional,
    CannotContinue,
    Dense,
    Dropout,
    Embedding,
    Last,
    Layer,
    Recomputed,
    Recurrent,
    Residual,
    Reversed,
    Serial,
    check_stateless,
    reset_state,
)
from rnn_tutorial.tree import tree_cast, tree_leaves, tree_map, tree_random_like

T, B, H = 6, 3, 5
MASK = np.arange(T)[:, None] < np.array([6, 4, 1])
MODEL = Serial(
    (
        Recurrent(LSTM, D, H),
        Residual(Recurrent(GRU, H, H)),
        Dropout(0.5),
        Serial((Recurrent(LSTM, H, 2), Dense(2, 3))),
    )
)
LAYERS = every_layer() | {
    f"Recurrent, {name}": Recurrent(cell, D, H) for name, cell in CELLS.items()
}
LAYERS |= {
    "a model": MODEL,
    "a language model": Serial((Embedding(V, D), Recurrent(LSTM, D, H), Dense(H, V))),
    "one answer": Serial((Recurrent(LSTM, D, H), Last(), Dense(H, 2))),
    "both ways, one answer": Bidirectional(*[Serial((Recurrent(LSTM, D, H), Last()))] * 2),
}
each_layer = pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)


def problem(layer):
    """Return (params, xs, first state or None), with no entry at zero."""
    rng = np.random.default_rng(0)
    params = tree_random_like(layer.init(rng), rng, 0.3)
    symbols = reads_symbols(layer)
    xs = rng.integers(V, size=(T, B)) if symbols else rng.standard_normal((T, B, D))
    try:
        return params, xs, tree_random_like(layer.initial_state(params, B), rng, 0.3)
    except CannotContinue:
        return params, xs, None


def check_everything(layer, backward, mask=None, seed=None):
    """Raise GradientError unless `backward` gives the slopes of (ys, last state)."""
    params, xs, first = problem(layer)
    point = (
        {"params": params}
        | ({"xs": xs} if xs.dtype == float else {})
        | ({"state": first} if first is not None else {})
    )

    def forward(point):
        noise = None if seed is None else np.random.default_rng(seed)
        ys, last, cache = layer.forward(
            point["params"], point.get("xs", xs), point.get("state"), mask=mask, rng=noise
        )
        return (ys, last), cache

    def gradients(cache, doutputs):
        named = dict(zip(("params", "xs", "state"), backward(params, cache, *doutputs)))
        return {name: named[name] for name in point}

    check_gradients(forward, gradients, point, np.random.default_rng(1))


@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "ragged"])
@each_layer
def test_every_gradient_of_outputs_and_last_state_is_the_slope(layer, mask):
    """Of parameters, inputs and first state, from a first state that is not zero."""
    check_everything(layer, layer.backward, mask)


@pytest.mark.parametrize(
    "name", ["Dropout", "VariationalDropout", "Zoneout", "Recomputed of a stack", "Serial"]
)
def test_in_training_too(name):
    check_everything(LAYERS[name], LAYERS[name].backward, MASK, seed=7)


@pytest.mark.parametrize(
    "name",
    ["Recurrent", "Serial", "Zoneout", "Recomputed", "Residual", "Bidirectional", "Reversed"],
)
def test_a_last_state_whose_gradient_is_lost_is_found(name):
    layer = LAYERS[name]
    with without_diagnosis(), pytest.raises(GradientError):
        check_everything(
            layer, lambda params, cache, dys, dlast: layer.backward(params, cache, dys)
        )


@each_layer
def test_types_and_dtypes_are_those_that_were_handed_in(layer):
    for dtype in ("float32", "float64"):
        params, xs, first = problem(layer)
        params, first = tree_cast((params, first if first is not None else ()), dtype)
        xs = xs if xs.dtype.kind == "i" else xs.astype(dtype)
        ys, last, cache = layer.forward(
            params, xs, first if tree_leaves(first) else None, mask=MASK
        )
        dparams, dxs, dfirst = layer.backward(params, cache, ys, last)
        assert {leaf.dtype for leaf in tree_leaves((ys, last, dparams, dfirst))} <= {
            np.dtype(dtype)
        }
        assert (
            dxs is None if xs.dtype.kind == "i" else (dxs.shape, dxs.dtype) == (xs.shape, xs.dtype)
        )
        for ours, theirs in zip(tree_leaves(dparams), tree_leaves(params), strict=True):
            assert ours.shape == theirs.shape
        assert tree_map(np.shape, dparams) == tree_map(np.shape, params)


# What is a layer, what is a state


@pytest.mark.parametrize("kind", layer_classes(), ids=lambda kind: kind.__name__)
def test_every_layer_of_the_package_is_one_to_python_too(kind):
    assert issubclass(kind, Layer) and isinstance(every_layer()[kind.__name__], Layer)


def test_a_class_without_one_of_the_four_methods_is_not():
    @dataclass(frozen=True)
    class Old:
        def init(self, rng): ...
        def forward(self, params, xs, *, mask=None, rng=None): ...
        def backward(self, params, cache, dys): ...

    assert (
        not isinstance(Old(), Layer)
        and not isinstance(LSTM, Layer)
        and not isinstance("LSTM", Layer)
    )


def test_the_first_state_of_a_model_is_the_tuple_of_its_layers():
    params = MODEL.init(np.random.default_rng(0))
    first = MODEL.initial_state(params, B)
    assert [type(part).__name__ for part in first] == ["LSTMState", "GRUState", "tuple", "tuple"]
    assert first[2] == () and type(first[3][0]) is LSTMState and first[3][1] == ()
    assert all((leaf == 0).all() and len(leaf) == B for leaf in tree_leaves(first))


def test_resetting_changes_nothing_in_place():
    state = tree_random_like(
        MODEL.initial_state(MODEL.init(np.random.default_rng(0)), B), np.random.default_rng(1)
    )
    copies = [leaf.copy() for leaf in tree_leaves(state)]
    after = reset_state(state, np.array([True, False, True]))
    assert all(
        np.array_equal(old, new) for old, new in zip(copies, tree_leaves(state), strict=True)
    )
    for leaf in tree_leaves(after):
        leaf[...] = 7.0
    assert all(
        np.array_equal(old, new) for old, new in zip(copies, tree_leaves(state), strict=True)
    )
    everyone = reset_state(state, np.ones(B, bool))
    assert all((leaf == 0).all() for leaf in tree_leaves(everyone))


@pytest.mark.parametrize(
    "first, error, message",
    [
        (np.ones(B), TypeError, r"first: expected a boolean array \(B,\), got float64"),
        ([True] * B, TypeError, r"first: expected a boolean array \(B,\), got list"),
        (
            np.ones(B + 1, bool),
            ValueError,
            r"first: expected shape \(3,\), one entry a sequence, got \(4,\)",
        ),
        (np.ones((B, 1), bool), ValueError, r"first: expected shape \(3,\)"),
    ],
)
def test_what_does_not_say_who_begins_is_refused(first, error, message):
    state = MODEL.initial_state(MODEL.init(np.random.default_rng(0)), B)
    with pytest.raises(error, match=message):
        reset_state(state, first)


@pytest.mark.parametrize("state", [(), None])
def test_nothing_is_the_state_of_a_layer_that_remembers_nothing(state):
    check_stateless(Dense(1, 1), state)


@pytest.mark.parametrize(
    "state, got", [(np.zeros(3), "ndarray"), ((np.zeros(3),), "tuple"), ([], "list"), (0, "int")]
)
def test_anything_else_is_not(state, got):
    with pytest.raises(
        TypeError, match=rf"state: Dense has none, expected None or \(\), got {got}"
    ):
        check_stateless(Dense(1, 1), state)


@pytest.mark.parametrize(
    "layer", [Reversed(Recurrent(LSTM, D, H)), Bidirectional(*[Recurrent(LSTM, D, H)] * 2)]
)
def test_what_reads_from_the_end_says_so(layer):
    params = layer.init(np.random.default_rng(0))
    for ask in (
        lambda: layer.initial_state(params, B),
        lambda: layer.forward(params, np.zeros((T, B, D)), ()),
    ):
        with pytest.raises(
            CannotContinue,
            match=f"{type(layer).__name__} cannot carry a state on: it reads from the end",
        ):
            ask()
    assert issubclass(CannotContinue, TypeError)


def test_a_batch_of_another_size_is_refused_by_the_name_of_the_state():
    for layer in (
        Recurrent(Elman, D, H),
        Serial((Recurrent(LSTM, D, H), Dense(H, 2))),
        LAYERS["Zoneout"],
    ):
        params, xs, first = problem(layer)
        with pytest.raises(ValueError, match=r"state.h: expected shape \(2, \d\), got \(3, \d\)"):
            layer.forward(params, xs[:, :2], first)


# The contract, word by word


def real_steps(ys):
    """Return the outputs of the real steps, or all of them for one answer a sequence."""
    return ys[MASK] if ys.ndim == 3 else ys


@each_layer
def test_what_the_padding_holds_changes_no_state_and_no_output_of_a_real_step(layer):
    params, xs, first = problem(layer)
    other = np.where(MASK.reshape(T, B, *[1] * (xs.ndim - 2)), xs, xs[::-1, ::-1])
    assert not np.array_equal(other, xs)
    ys, last, _ = layer.forward(params, xs, first, mask=MASK)
    other_ys, other_last, _ = layer.forward(params, other, first, mask=MASK)
    np.testing.assert_array_equal(real_steps(other_ys), real_steps(ys))
    for ours, theirs in zip(tree_leaves(other_last), tree_leaves(last), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@each_layer
def test_no_sequence_sees_another(layer):
    params, xs, first = problem(layer)
    ys, last, _ = layer.forward(params, xs, first, mask=MASK)
    for b in range(B):
        one = slice(b, b + 1)
        alone = None if first is None else tree_map(lambda leaf, one=one: leaf[one], first)
        ys_b, last_b, _ = layer.forward(params, xs[:, one], alone, mask=MASK[:, one])
        np.testing.assert_allclose(ys_b, ys[..., one, :], rtol=1e-12, atol=1e-15)
        for ours, theirs in zip(tree_leaves(last_b), tree_leaves(last), strict=True):
            np.testing.assert_allclose(ours, theirs[one], rtol=1e-12, atol=1e-15)


@each_layer
def test_nothing_that_is_handed_in_is_changed(layer):
    params, xs, first = problem(layer)
    mask = MASK.copy()
    inputs = [*tree_leaves(params), xs, mask, *tree_leaves(() if first is None else first)]
    for array in inputs:
        array.flags.writeable = False
    ys, last, cache = layer.forward(params, xs, first, mask=mask)
    dys, dlast = tree_random_like((ys, last), np.random.default_rng(2))
    for array in (dys, *tree_leaves(dlast)):
        array.flags.writeable = False
    layer.backward(params, cache, dys, dlast)


def test_the_wrapper_in_the_documentation_of_a_layer_is_one():
    example = re.search(r"Example:\n(.*)", Layer.__doc__, re.S).group(1)
    namespace = {"dataclass": dataclass, "Layer": Layer}
    exec(textwrap.dedent(example), namespace)
    doubled = namespace["Doubled"](Recurrent(LSTM, D, H))
    assert isinstance(doubled, Layer) and "`Residual`" in Layer.__doc__
    xs = np.random.default_rng(0).standard_normal((T, B, D))
    check_layer(Serial((doubled, Dense(H, 2))), xs, np.random.default_rng(1), mask=MASK)


# What is not a layer is refused when a layer is made of it

ONE = Recurrent(LSTM, D, D)
NOT_LAYERS = {
    "Cell": LSTM,
    "the class Dense": Dense,
    "the class Recurrent": Recurrent,
    "function": lambda xs: xs,
    "str": "LSTM",
    "NoneType": None,
    "tuple": (ONE,),
}


@pytest.mark.parametrize("got", NOT_LAYERS)
@pytest.mark.parametrize(
    "place, make",
    [
        ("layers[0]", lambda other: Serial((other, Dense(D, 2)))),
        ("layers[1]", lambda other: Serial([ONE, other])),
        ("layer", Residual),
        ("layer", Reversed),
        ("layer", Recomputed),
        ("forwards", lambda other: Bidirectional(other, ONE)),
        ("backwards", lambda other: Bidirectional(ONE, other)),
    ],
)
def test_anything_that_is_not_a_layer_is_refused_with_its_place(place, make, got):
    wanted = f"{place}: expected a layer, such as Recurrent(LSTM, 3, 4), got {got}"
    with pytest.raises(TypeError, match=f"^{re.escape(wanted)}$"):
        make(NOT_LAYERS[got])


class Own:
    """A user's layer: four methods, and no class to inherit from."""

    def init(self, rng):
        return ()

    def initial_state(self, params, batch_size):
        return ()

    def forward(self, params, xs, state=None, *, mask=None, rng=None):
        raise KeyError("no such word")

    def backward(self, params, cache, dys, dstate=None):
        raise ValueError("dys: wrong")

    def __repr__(self):
        return "Own()"


def test_a_layer_of_your_own_goes_everywhere():
    own = Own()
    for layer in (Residual(own), Reversed(own), Recomputed(own), Bidirectional(own, own)):
        assert Serial((layer, own)).layers == (layer, own)


# An error says which layer it is from


def notes_of(call):
    with pytest.raises(Exception) as caught:
        call()
    return caught.value, getattr(caught.value, "__notes__", [])


def test_an_error_from_a_layer_keeps_its_type_and_message_and_says_which_layer():
    rng = np.random.default_rng(0)
    model = Serial((Dense(D, H), Serial((Dense(H, 2), Recurrent(Elman, 3, 2)))))
    params = model.init(rng)
    error, notes = notes_of(lambda: model.forward(params, rng.standard_normal((T, B, D))))
    assert type(error) is ValueError
    assert str(error) == "xs: expected shape (T, B, D=3), got (6, 3, 2)"
    assert notes[0] == f"in layer 1 of Serial: {Recurrent(Elman, 3, 2)!r}"
    assert notes[1].startswith("in layer 1 of Serial: Serial((") and len(notes) == 2


def test_every_method_of_a_stack_says_which_layer():
    model, xs = Serial((Dense(D, D), Own())), np.zeros((T, B, D))
    params = model.init(np.random.default_rng(0))
    error, notes = notes_of(lambda: model.forward(params, xs))
    assert (type(error), notes) == (KeyError, ["in layer 1 of Serial: Own()"])
    error, notes = notes_of(lambda: model.backward(params, (xs, None), xs))
    assert (type(error), notes) == (ValueError, ["in layer 1 of Serial: Own()"])
    _, notes = notes_of(lambda: Serial((Last(), Dense(0, 1))).init(np.random.default_rng(0)))
    assert notes == [f"in layer 1 of Serial: {Dense(0, 1)!r}"]
    _, notes = notes_of(lambda: Serial((Reversed(ONE),)).initial_state(((),), B))
    assert notes == [f"in layer 0 of Serial: {Reversed(ONE)!r}"]


def test_an_error_of_the_stack_itself_names_no_layer():
    model = Serial((Dense(D, D), Dense(D, D)))
    error, notes = notes_of(lambda: model.forward((), np.zeros((T, B, D))))
    assert type(error) is ValueError and notes == []


# A seed is refused where it comes in


@each_layer
def test_a_seed_in_place_of_a_generator_is_refused(layer):
    params, xs, _ = problem(layer)
    for call in (
        lambda: layer.forward(params, xs, rng=0),
        lambda: layer.forward(params, xs, mask=MASK, rng=np.random),
    ):
        with pytest.raises(TypeError, match="rng: expected a generator, such as .* got"):
            call()


def test_a_stack_of_any_layers_refuses_a_seed_before_it_runs_one():
    error, notes = notes_of(lambda: Serial((Own(),)).forward(((),), np.zeros((T, B, D)), rng=0))
    assert type(error) is TypeError and "rng: expected a generator" in str(error) and notes == []
