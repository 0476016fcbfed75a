"""What a cell says of itself is what it does: types, shapes, gates, names; what is not its own is refused by name."""

import dataclasses

import numpy as np
import pytest
from every_cell import CELLS, PACKAGE, Light
from example_cell import Leaky
from judges import torch_or_skip

from rnn_tutorial.activations import identity, relu, sigmoid
from rnn_tutorial.cells.cell import Cell, cell_with_activations, check_is_cell, same_function
from rnn_tutorial.cells.coupled_lstm import CoupledLSTM
from rnn_tutorial.cells.elman import Elman, elman
from rnn_tutorial.cells.gru import GRU, gru
from rnn_tutorial.cells.gru_before import GRUBefore, gru_before
from rnn_tutorial.cells.lstm import LSTM, LSTMActivations, lstm, lstm_pointwise, lstm_pointwise_backward
from rnn_tutorial.cells.lstm_1997 import LSTM1997
from rnn_tutorial.cells.norm_lstm import NormLSTM
from rnn_tutorial.cells.peephole_lstm import PeepholeLSTM
from rnn_tutorial.directions import Bidirectional
from rnn_tutorial.dropout import Zoneout
from rnn_tutorial.fused.sequence import fused_unroll, fused_unroll_backward
from rnn_tutorial.gradient_check import GradientError, check_cell, check_layer, random_start, relative_error
from rnn_tutorial.jacobians import jacobians
from rnn_tutorial.layers import Dense, Recurrent, Serial
from rnn_tutorial.recompute import Recomputed
from rnn_tutorial.step import step, step_backward
from rnn_tutorial.trace import trace, trace_backward
from rnn_tutorial.tree import tree_cast, tree_leaves, tree_map, tree_random_like, tree_zeros_like
from rnn_tutorial.truncation import truncated_backward
from rnn_tutorial.unroll import unroll, unroll_backward

T, B, D, H = 6, 3, 4, 5
MASK = np.arange(T)[:, None] < np.array([6, 4, 1])
each_cell = pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
each_mask = pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "ragged"])


@pytest.fixture
def rng():
    return np.random.default_rng(0)


# What it says


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
    dextra, da_x, da_h, dprevious = cell.pointwise_backward(params, cache.pointwise, tree_random_like(state, rng))
    assert tuple(dextra) == cell.extra
    assert {name: leaf.shape for name, leaf in dextra.items()} == {name: getattr(params, name).shape for name in cell.extra}
    assert (da_x.shape, da_h.shape) == ((B, params.W_x.shape[1]), (B, params.W_h.shape[1]))
    assert type(dprevious) is cell.State


def test_the_cells_of_the_package_have_the_gates_and_parameters_of_their_texts():
    gates = {Elman: "h", LSTM: "ifog", LSTM1997: "iog", CoupledLSTM: "iog", PeepholeLSTM: "ifog", NormLSTM: "ifog"}
    gates |= {GRU: "rzn", GRUBefore: "rzn"}
    assert {name: gates[cell] for name, cell in PACKAGE.items()} == {name: cell.gates for name, cell in PACKAGE.items()}
    own = {name: cell.extra for name, cell in PACKAGE.items() if cell.extra}
    assert own == {
        "GRU": ("b_hn",),
        "GRUBefore": ("W_hn",),
        "PeepholeLSTM": ("p_i", "p_f", "p_o"),
        "NormLSTM": ("gain_x", "gain_h", "shift", "gain_c", "shift_c"),
    }


@pytest.mark.parametrize("name", PACKAGE)
def test_a_cell_is_named_after_its_module_and_shows_its_name(name):
    cell = PACKAGE[name]
    assert cell.name == name == repr(cell) and hash(cell) == hash(dataclasses.replace(cell).with_fast(cell.fast))


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


@pytest.mark.parametrize("changes", [{"name": "mine"}, {"pointwise": lambda *a: LSTM.pointwise(*a)}, {}], ids=["name", "f", "none"])
def test_replacing_anything_drops_the_fast_path_and_keeps_the_rest(changes, rng):
    for replaced in (LSTM.replace(**changes), dataclasses.replace(LSTM, **changes)):
        assert replaced.fast is None and LSTM.fast is not None
        for field in dataclasses.fields(Cell):
            if field.name not in changes and field.name != "fast":
                assert getattr(replaced, field.name) == getattr(LSTM, field.name)
        params, state = random_start(LSTM, rng, B, D, H)
        xs = rng.standard_normal((T, B, D))
        fast, readable = (fused_unroll(cell, params, xs, state, MASK)[0] for cell in (LSTM, replaced))
        assert all(relative_error(a, b) < 1e-12 for a, b in zip(tree_leaves(fast), tree_leaves(readable), strict=True))


def test_a_fast_path_cannot_be_smuggled_in_and_with_fast_changes_nothing_else():
    with pytest.raises((TypeError, ValueError), match="fast"):
        LSTM.replace(fast=LSTM.fast)
    bare = LSTM.with_fast(None)
    assert bare.fast is None and LSTM.fast is not None and bare == LSTM.replace()
    assert bare.with_fast(LSTM.fast) == LSTM


def test_what_is_replaced_runs(rng):
    """A forward that is replaced is what runs, in a layer too: the fast path of the old one does not."""

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

        with pytest.raises(GradientError, match=r"\[0\].W_x"):
            check_cell(cell.replace(pointwise_backward=broken), rng, T=2), name


def test_a_cell_of_activations_wants_activations():
    def make(**activations):
        return cell_with_activations("LSTM", LSTMActivations(**activations), LSTM.init, lstm_pointwise, lstm_pointwise_backward,
                                     Params=LSTM.Params, State=LSTM.State, gates="ifog")  # fmt: skip

    assert same_function(make(), LSTM) and make().fast is None
    with pytest.raises(TypeError, match="g: expected an Activation, such as activations.tanh, got ufunc"):
        make(g=np.tanh)


@pytest.mark.parametrize("thing, got", [("LSTM", "str"), (lstm, "function"), (None, "NoneType"), (Cell, "type")])
def test_what_is_no_cell_is_refused(thing, got):
    with pytest.raises(TypeError, match=f"cell: expected a Cell, such as LSTM of rnn_tutorial.cells.lstm, got {got}"):
        check_is_cell(thing)


# What is not its own


def doors(cell):
    """Return the ways into a cell, each a function of (params, xs, state)."""
    return {
        "unroll": lambda p, xs, s: unroll(cell, p, xs, s),
        "fused_unroll": lambda p, xs, s: fused_unroll(cell, p, xs, s),
        "step": lambda p, xs, s: step(cell, p, xs[0], s),
        "trace": lambda p, xs, s: trace(cell, p, xs, s),
        "jacobians": lambda p, xs, s: jacobians(cell, p, xs, s),
        "initial_state": lambda p, xs, s: cell.initial_state(p, B),
        "Recurrent": lambda p, xs, s: Recurrent(cell, D, H).forward(p, xs),
        "Recurrent from a state": lambda p, xs, s: Recurrent(cell, D, H).forward(p, xs, s),
        "Zoneout": lambda p, xs, s: Zoneout(cell, D, H, cell.State(*[0.5] * len(s))).forward(p, xs),
        "Recomputed": lambda p, xs, s: Recomputed(Recurrent(cell, D, H)).forward(p, xs),
    }


DOORS = list(doors(LSTM))
each_door = pytest.mark.parametrize("door", DOORS)


def spoiled_parameters(cell, rng):
    """Return (parameters that are not those of the cell, the error that names what is wrong)."""
    params = cell.init(rng, D, H)
    last = params._fields[-1]
    cases = [
        (tuple(params), TypeError, rf"params: expected {cell.Params.__name__}\(W_x, W_h, b.*\), got tuple"),
        (None, TypeError, rf"params: expected {cell.Params.__name__}\(.*\), got NoneType"),
        (params._replace(W_x=params.W_x[:, :-1]), ValueError, r"W_x: expected shape \(4, \d+\), got \(4, \d+\)"),
        (params._replace(b=params.b[:1]), ValueError, r"b: expected shape \(\d+,\), got \(1,\)"),
        (params._replace(b=np.zeros(len(params.b), "f4")), TypeError, "b: expected dtype float64, got float32"),
        (params._replace(**{last: getattr(params, last)[None]}), ValueError, rf"{last}: expected shape \(.*\), got \(1, "),
        (params._replace(W_x=params.W_x.tolist()), (TypeError, ValueError), "W_x: expected a NumPy array"),
        (params._replace(b=params.b.tolist()), TypeError, "b: expected a NumPy array"),
        (params._replace(W_h=params.W_h[0]), ValueError, "W_h: expected a NumPy array with two axes, got shape"),
        (tree_map(lambda leaf: leaf.astype(int), params), TypeError, "expected .*floating-point numbers, got int64"),
    ]
    if params.W_h.shape[1]:
        cases += [
            (params._replace(W_h=params.W_h[:, :1]), ValueError, r"W_h: expected shape \(5, \d+\), got \(5, 1\)")
        ] * (params.W_h.shape[1] > 1)
        cases += [(params._replace(W_h=params.W_h.astype("f4")), TypeError, "W_h: expected dtype float64, got float32")]
    return cases


@each_door
@each_cell
def test_parameters_that_are_not_its_own_are_refused_by_name(cell, door, rng):
    xs, state = rng.standard_normal((T, B, D)), cell.initial_state(cell.init(rng, D, H), B)
    for params, error, message in spoiled_parameters(cell, rng):
        with pytest.raises(error, match=message):
            doors(cell)[door](params, xs, state)


@each_door
@each_cell
def test_the_parameters_of_every_other_cell_are_refused(cell, door, rng):
    xs, state = rng.standard_normal((T, B, D)), cell.initial_state(cell.init(rng, D, H), B)
    for other in CELLS.values():
        if other.Params is not cell.Params:
            with pytest.raises(TypeError, match=rf"params: expected {cell.Params.__name__}\(.*\), got {other.Params.__name__}"):
                doors(cell)[door](other.init(rng, D, H), xs, state)


@each_door
@each_cell
def test_parameters_of_tensors_are_refused(cell, door, rng):
    torch = torch_or_skip()
    params, xs = cell.init(rng, D, H), rng.standard_normal((T, B, D))
    state = cell.initial_state(params, B)
    with pytest.raises((TypeError, ValueError), match="W_x: expected a NumPy array"):
        doors(cell)[door](tree_map(torch.tensor, params), xs, state)


@pytest.mark.parametrize("door", ["Recurrent", "Recurrent from a state", "Zoneout", "Recomputed"])
@each_cell
def test_a_layer_holds_its_parameters_to_its_own_sizes(cell, door, rng):
    """Parameters of H = 6 in a layer of 5, or of D = 3 in a layer of 4, run by themselves; in the layer they are refused."""
    for sizes, message in (((D, H + 1), r"W_x: expected shape \(4, "), ((D - 1, H), r"W_x: expected shape \(4, ")):
        params, xs = cell.init(rng, *sizes), rng.standard_normal((T, B, D))
        state = cell.initial_state(params, B)
        with pytest.raises(ValueError, match=message):
            doors(cell)[door](params, xs, state)
        with pytest.raises(ValueError, match=message):
            Recurrent(cell, D, H).initial_state(params, B)


@each_cell
def test_the_cache_of_another_cell_is_refused_everywhere(cell, rng):
    (params, xs), state = (cell.init(rng, D, H), rng.standard_normal((T, B, D))), None
    state = cell.initial_state(params, B)
    (hs, last), readable = unroll(cell, params, xs, state)
    _, fused = fused_unroll(cell, params, xs, state)
    _, one = step(cell, params, xs[0], state)
    _, caches = trace(cell, params, xs, state)
    for other in CELLS.values():
        if other is cell:
            continue
        theirs, dlast = other.init(rng, D, H), other.initial_state(other.init(rng, D, H), B)
        for backward in (
            lambda other=other, p=theirs, d=dlast: unroll_backward(other, p, readable, (hs, d)),
            lambda other=other, p=theirs, d=dlast: fused_unroll_backward(other, p, fused, (hs, d)),
            lambda other=other, p=theirs, d=dlast: step_backward(other, p, one, d),
            lambda other=other, p=theirs, d=dlast: trace_backward(other, p, caches, (hs, d)),
            lambda other=other, p=theirs, d=dlast: Recurrent(other, D, H).backward(p, fused, hs, d),
            lambda other=other, p=theirs: truncated_backward(other, p, fused, hs, stride=2, window=2),
        ):
            with pytest.raises(TypeError, match=f"cell: expected the one whose forward made the cache.* got {other.name}"):
                backward()


# A cell that does not read h


@each_mask
def test_a_cell_that_does_not_read_h_is_right_everywhere(mask, rng):
    check_cell(Light, rng)
    check_cell(Light, rng, T=1, B=1, D=1, H=1)
    xs = rng.standard_normal((T, B, D))
    for layer in (
        Recurrent(Light, D, H),
        Bidirectional(Recurrent(Light, D, H), Recurrent(LSTM, D, 2)),
        Recomputed(Recurrent(Light, D, H), 2),
        Serial((Recurrent(Light, D, H), Recurrent(Leaky, H, 3), Dense(3, 2))),
        Zoneout(Light, D, H, Light.State(0.2, 0.3)),
    ):
        check_layer(layer, xs, rng, mask=mask)


def test_a_cell_that_does_not_read_h_is_its_formula(rng):
    params, state = random_start(Light, rng, B, D, H)
    xs = rng.standard_normal((T, B, D))
    (hs, last), cache = unroll(Light, params, xs, state)
    W, b, c = np.split(params.W_x, 4, axis=1), np.split(params.b, 4), state.c
    for t, x in enumerate(xs):
        g, f, r, skip = (x @ W_k + b_k for W_k, b_k in zip(W, b))
        f, r = 1 / (1 + np.exp(-(f + params.v * c))), 1 / (1 + np.exp(-r))
        c = f * c + (1 - f) * g
        np.testing.assert_allclose(hs[t], r * c + (1 - r) * skip, rtol=1e-13)
    dparams, _, dfirst = unroll_backward(Light, params, cache, (np.ones_like(hs), tree_zeros_like(last)))
    assert dparams.W_h.shape == (H, 0) and (dfirst.h == 0).all() and (dfirst.c != 0).all()


def test_a_cell_that_does_not_read_h_can_be_looked_into(rng):
    params, state = random_start(Light, rng, B, D, H)
    xs = rng.standard_normal((T, B, D))
    (hs, last), cache = unroll(Light, params, xs, state, MASK)
    traced, caches = trace(Light, params, xs, state, MASK)
    assert traced.a_hs.shape == (T, B, 0)
    np.testing.assert_allclose(traced.states.h[MASK], hs[MASK], rtol=1e-13)
    dhs = rng.standard_normal(hs.shape)
    back = trace_backward(Light, params, caches, (dhs, last))
    dparams, dxs, _ = unroll_backward(Light, params, cache, (dhs, last))
    assert back.da_hs.shape == (T, B, 0) and relative_error(back.da_xs @ params.W_x.T, dxs) < 1e-12
    found = jacobians(Light, params, xs, state)
    np.testing.assert_array_equal(found[0], np.broadcast_to(np.eye(H), (B, H, H)))
    assert (found[1:] == 0).all()  # no path leads from one h to the next
    _, dxs = truncated_backward(Light, params, cache, dhs, stride=1, window=T)
    assert dxs.shape == xs.shape


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_cell_that_does_not_read_h_keeps_its_dtype(dtype, rng):
    layer = Recurrent(Light, D, H)
    params, xs = tree_cast(layer.init(rng), dtype), rng.standard_normal((T, B, D)).astype(dtype)
    hs, last, cache = layer.forward(params, xs)
    assert {leaf.dtype for leaf in tree_leaves((hs, last, layer.backward(params, cache, hs, last)))} == {np.dtype(dtype)}
