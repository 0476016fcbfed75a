"""A cell is what its fields say: types, shapes, gates, names; what does not fit is refused."""

import dataclasses
from collections import namedtuple

import numpy as np
import pytest
from every_cell import CELLS, PACKAGE
from example_cell import Leaky
from mutation import without_diagnosis

from rnn_tutorial.activations import identity, relu, sigmoid
from rnn_tutorial.cells import (
    GRU,
    LRU,
    LSTM,
    LSTM1997,
    Cell,
    CoupledLSTM,
    Elman,
    ElmanParams,
    GRUBefore,
    LSTMActivations,
    MinGRU,
    MinLSTM,
    NormLSTM,
    PeepholeLSTM,
    cell_with_activations,
    check_is_cell,
    check_made_by,
    elman,
    gru,
    gru_before,
    lstm,
    lstm_pointwise,
    lstm_pointwise_backward,
    same_function,
)
from rnn_tutorial.gradient_check import (
    GradientError,
    check_cell,
    random_start,
    relative_error,
)
from rnn_tutorial.layers import Recurrent
from rnn_tutorial.sequence import fused_unroll, step
from rnn_tutorial.tree import tree_leaves, tree_map, tree_random_like

T, B, D, H = 6, 3, 4, 5
MASK = np.arange(T)[:, None] < np.array([6, 4, 1])
each_cell = pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)


# Its fields


@each_cell
@pytest.mark.parametrize("sizes", [(D, H), (1, 1), (7, 2)])
def test_its_types_and_shapes_are_those_of_its_parameters_and_its_state(cell, sizes, rng):
    params = cell.init(rng, *sizes)
    assert type(params) is cell.Params and params._fields[:3] == ("W_x", "W_h", "b")
    assert cell.shapes_of(*sizes) == tree_map(np.shape, params)
    assert len(cell.gates) * sizes[1] == params.W_x.shape[1] == len(params.b)
    state = cell.initial_state(params, B)
    assert type(state) is cell.State and state._fields[0] == "h"
    for leaf in state:
        np.testing.assert_array_equal(leaf, np.zeros((B, sizes[1])))
    assert len({id(leaf) for leaf in state}) == len(state)  # zeros of its own for each part
    new, _ = step(cell, params, rng.standard_normal((B, sizes[0])), state)
    assert type(new) is cell.State and {leaf.shape for leaf in new} == {(B, sizes[1])}


@each_cell
def test_its_own_parameters_are_those_after_the_three_that_every_cell_has(cell, rng):
    params, state = random_start(cell, rng, B, D, H)
    assert cell.extra == cell.Params._fields[3:]
    _, cache = step(cell, params, rng.standard_normal((B, D)), state)
    dextra, da_x, da_h, dprevious = cell.pointwise_backward(
        params, cache.pointwise, tree_random_like(state, rng)
    )
    assert tuple(dextra) == cell.extra
    assert {name: leaf.shape for name, leaf in dextra.items()} == {
        name: getattr(params, name).shape for name in cell.extra
    }
    assert (da_x.shape, da_h.shape) == ((B, params.W_x.shape[1]), (B, params.W_h.shape[1]))
    assert type(dprevious) is cell.State


def test_the_cells_of_the_package_have_the_gates_and_parameters_of_their_texts():
    gates = {
        Elman: "h",
        LSTM: "ifog",
        LSTM1997: "iog",
        CoupledLSTM: "iog",
        PeepholeLSTM: "ifog",
        NormLSTM: "ifog",
    }
    gates |= {GRU: "rzn", GRUBefore: "rzn", MinGRU: "zn", MinLSTM: "ifg", LRU: "uv"}
    assert {name: gates[cell] for name, cell in PACKAGE.items()} == {
        name: cell.gates for name, cell in PACKAGE.items()
    }
    own = {name: cell.extra for name, cell in PACKAGE.items() if cell.extra}
    assert own == {
        "GRU": ("b_hn",),
        "GRUBefore": ("W_hn",),
        "LRU": ("nu", "theta"),
        "PeepholeLSTM": ("p_i", "p_f", "p_o"),
        "NormLSTM": ("gain_x", "gain_h", "shift", "gain_c", "shift_c"),
    }


@pytest.mark.parametrize("name", PACKAGE)
def test_a_cell_is_named_after_its_module_and_shows_its_name(name):
    cell = PACKAGE[name]
    assert cell.name == name == repr(cell) and hash(cell) == hash(
        dataclasses.replace(cell).with_fast(cell.fast)
    )


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (lstm(), "LSTM"),
        (lstm(forget_bias=5.0), "LSTM"),
        (lstm(g=relu), f"LSTM(g={relu!r})"),
        (lstm(i=relu, c=identity), f"LSTM(i={relu!r}, c={identity!r})"),
        (elman(sigmoid), f"Elman(activation={sigmoid!r})"),
        (gru(n=relu), f"GRU(n={relu!r})"),
        (gru_before(z=identity), f"GRUBefore(z={identity!r})"),
    ],
)
def test_a_cell_with_other_activations_shows_them(cell, text):
    assert repr(cell) == text


def test_a_cell_is_equal_to_one_that_is_made_in_the_same_way():
    for make in (elman, lstm, gru, gru_before):
        assert make() == make() and hash(make()) == hash(make())
    assert lstm() == LSTM and lstm(g=relu) == lstm(g=relu)
    assert lstm(g=relu) != LSTM and lstm(forget_bias=2.0) != LSTM
    assert same_function(lstm(forget_bias=2.0), LSTM)  # it starts elsewhere, and computes the same
    assert not same_function(lstm(g=relu), LSTM) and not same_function(LSTM, GRU)
    assert not same_function(LSTM1997, CoupledLSTM)


def test_a_cell_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        LSTM.name = "mine"
    with pytest.raises(dataclasses.FrozenInstanceError):
        LSTM.fast = None


# Another cell from a cell


CHANGES = {
    "name": ({"name": "mine"}, True),
    "start": ({"init": lambda rng, D, H: LSTM.init(rng, D, H)}, True),
    "nothing": ({}, True),
    "forward": ({"pointwise": lambda *a: LSTM.pointwise(*a)}, False),
    "backward": ({"pointwise_backward": lambda *a: LSTM.pointwise_backward(*a)}, False),
    "start and forward": ({"init": LSTM.init, "pointwise": lambda *a: LSTM.pointwise(*a)}, False),
}


@pytest.mark.parametrize(("changes", "stays"), CHANGES.values(), ids=CHANGES)
def test_another_step_has_no_fast_path_and_another_name_or_start_keeps_it(changes, stays, rng):
    for replaced, fast in (
        (LSTM.replace(**changes), stays),
        (dataclasses.replace(LSTM, **changes), False),
    ):
        assert replaced.fast == (LSTM.fast if fast else None) and LSTM.fast is not None
        for field in dataclasses.fields(Cell):
            if field.name not in changes and field.name != "fast":
                assert getattr(replaced, field.name) == getattr(LSTM, field.name)
        params, state = random_start(LSTM, rng, B, D, H)
        xs = rng.standard_normal((T, B, D))
        fast, readable = (
            fused_unroll(cell, params, xs, state, MASK)[0] for cell in (LSTM, replaced)
        )
        assert all(
            relative_error(a, b) < 1e-12
            for a, b in zip(tree_leaves(fast), tree_leaves(readable), strict=True)
        )


def test_a_fast_path_cannot_be_given_as_a_field_and_with_fast_changes_nothing_else():
    with pytest.raises((TypeError, ValueError), match="fast"):
        LSTM.replace(fast=LSTM.fast)
    bare = LSTM.with_fast(None)
    assert bare.fast is None and LSTM.fast is not None and bare == dataclasses.replace(LSTM)
    assert bare.with_fast(LSTM.fast) == LSTM


def test_what_is_replaced_runs(rng):
    """A replaced forward runs, in a layer too, and not the fast path of the old one."""

    def doubled(params, a_x, a_h, state):
        return LSTM.pointwise(params, 2 * a_x, 2 * a_h, state)

    params, xs = LSTM.init(rng, D, H), rng.standard_normal((T, B, D))
    double = params._replace(W_x=2 * params.W_x, W_h=2 * params.W_h, b=2 * params.b)
    ours, _, _ = Recurrent(LSTM.replace(pointwise=doubled), D, H).forward(params, xs)
    theirs, _, _ = Recurrent(LSTM, D, H).forward(double, xs)
    assert relative_error(ours, theirs) < 1e-12


def test_a_broken_backward_in_the_place_of_the_right_one_is_seen(rng):
    for name, cell in CELLS.items():

        def broken(params, cache, dstate, cell=cell):
            dextra, da_x, da_h, dprevious = cell.pointwise_backward(params, cache, dstate)
            return dextra, 1.001 * da_x, da_h, dprevious

        with without_diagnosis(), pytest.raises(GradientError):
            check_cell(cell.replace(pointwise_backward=broken), rng, T=2, B=5, D=4, H=3), name


def test_a_cell_of_activations_wants_activations():
    def make(**activations):
        return cell_with_activations(
            "LSTM",
            LSTMActivations(**activations),
            LSTM.init,
            lstm_pointwise,
            lstm_pointwise_backward,
            Params=LSTM.Params,
            State=LSTM.State,
            gates="ifog",
        )

    assert same_function(make(), LSTM) and make().fast is None
    with pytest.raises(
        TypeError, match="g: expected an Activation, such as activations.tanh, got ufunc"
    ):
        make(g=np.tanh)


@pytest.mark.parametrize(
    "thing, got", [("LSTM", "str"), (lstm, "function"), (None, "NoneType"), (Cell, "type")]
)
def test_anything_that_is_not_a_cell_is_refused(thing, got):
    with pytest.raises(
        TypeError,
        match=f"cell: expected a Cell, such as LSTM of rnn_tutorial.cells.lstm, got {got}",
    ):
        check_is_cell(thing)


# A cell that does not fit together


def test_parameters_of_its_own_without_shapes_are_refused():
    message = r"shapes: the cell has parameters of its own \(p, g\): give it `shapes`"
    with pytest.raises(TypeError, match=message):
        Leaky.replace(shapes=None)


@pytest.mark.parametrize("gates", ["ifof", ("reset", "reset"), "", ()])
def test_each_gate_has_a_name_of_its_own(gates):
    with pytest.raises(ValueError, match="gates: expected names, each of them once, got"):
        LSTM.replace(gates=gates)


@pytest.mark.parametrize("gates", ["zu", ("z", "u"), "zuv"])
def test_the_columns_of_its_own_shapes_are_those_of_its_gates(gates, rng):
    cell, params = Leaky.replace(gates=gates), Leaky.init(rng, D, H)
    wanted = rf"\(4, {len(gates) * H}\) for W_x, hidden_size columns for each of the gates"
    for use in (
        lambda: cell.shapes_of(D, H),
        lambda: cell.check_params(params),
        lambda: cell.initial_state(params, B),
        lambda: check_cell(cell, rng),
    ):
        with pytest.raises(ValueError, match="shapes: expected .* for W_x, hidden_size columns"):
            use()
    with pytest.raises(ValueError, match=wanted + r".*, got \(4, 5\)"):
        cell.shapes_of(D, H)


def test_the_bias_of_its_own_shapes_has_the_columns_of_its_gates():
    cell = Leaky.replace(shapes=lambda D, H: Leaky.shapes(D, H)._replace(b=(1,)))
    with pytest.raises(ValueError, match=r"shapes: expected \(5,\) for b, .* got \(1,\)"):
        cell.shapes_of(D, H)


def test_the_columns_of_its_parameters_are_those_of_its_gates(rng):
    message = r"W_x: expected shape \(4, 10\), got \(4, 5\)"
    with pytest.raises(ValueError, match=message):
        Elman.replace(gates="zu").check_params(Elman.init(rng, D, H))


def narrow_init(rng, input_size, hidden_size):
    """W_x and b for two gates; W_h for one."""
    W_x, W_h, b = Elman.init(rng, input_size, hidden_size)
    return ElmanParams(np.concatenate([W_x, W_x], axis=1), W_h, np.concatenate([b, b]))


def test_check_cell_says_why_a_gate_without_a_recurrent_part_needs_shapes(rng):
    message = (
        r"init: W_h: expected shape \(5, 10\), got \(5, 5\); a cell without `shapes` has H=5 "
        r"columns .* for each of its gates 'cg'; with `shapes`, W_h may have fewer"
    )
    with pytest.raises(ValueError, match=message):
        check_cell(Elman.replace(gates="cg", init=narrow_init), rng, D=D, H=H)


def test_parameters_without_the_usual_three_are_refused():
    UV = namedtuple("UV", "U V")
    message = "Params: expected the fields W_x, W_h and b among others, got U, V"
    with pytest.raises(TypeError, match=message):
        Elman.replace(Params=UV)
    with pytest.raises(TypeError, match="W_x, W_h and b among others, got type"):
        Elman.replace(Params=dict)


@pytest.mark.parametrize("cell", PACKAGE.values(), ids=PACKAGE)
@pytest.mark.parametrize(("rng", "got"), [(0, "int"), (None, "NoneType"), (np.random, "module")])
def test_a_seed_in_the_place_of_a_generator_is_refused(cell, rng, got):
    with pytest.raises(TypeError, match=f"rng: expected a generator, .*, got {got}$"):
        cell.init(rng, D, H)


@each_cell
def test_exchanged_arguments_of_initial_state_are_named_briefly(cell, rng):
    with pytest.raises(TypeError) as caught:
        cell.initial_state(B, cell.init(rng, 50, 50))
    assert str(caught.value).startswith(f"params: expected {cell.Params.__name__}(W_x, W_h, b")
    assert str(caught.value).endswith("got int")
    with pytest.raises(ValueError, match="batch_size: expected a positive whole number, got 0"):
        cell.initial_state(cell.init(rng, D, H), 0)


def test_two_cells_of_one_name_and_different_functions_are_told_apart():
    other = LSTM.replace(pointwise=lambda *a: LSTM.pointwise(*a))
    message = (
        "cell: expected the one whose forward made the cache, LSTM, got LSTM, a cell of the same "
        "name but another function; define it in a module if models travel between processes"
    )
    with pytest.raises(TypeError, match=f"^{message}$"):
        check_made_by(other, LSTM)
    with pytest.raises(TypeError, match="made the cache, LSTM, got GRU$"):
        check_made_by(GRU, LSTM)
    check_made_by(lstm(forget_bias=2.0), LSTM)
