"""The relatives of the LSTM: by the formula, by the complex step, as special LSTMs.

They are compared with onnxruntime and autograd.
"""

import math

import numpy as np
import pytest
from judges import assert_close, onnx_feed, onnx_run

from rnn_tutorial import activations, initializers
from rnn_tutorial.cells import (
    LSTM,
    LSTM1997,
    CoupledLSTM,
    LSTM1997Gates,
    LSTMParams,
    LSTMState,
    PeepholeLSTM,
    coupled_lstm,
    coupled_lstm_init,
    gate_blocks,
    lstm,
    lstm_1997,
    lstm_1997_init,
    lstm_init,
    peephole_lstm,
    peephole_lstm_init,
)
from rnn_tutorial.gradient_check import GradientError, check_cell, numerical_gradient, random_start
from rnn_tutorial.sequence import unroll, unroll_backward
from rnn_tutorial.tree import tree_cast, tree_dot, tree_leaves, tree_random_like

B, D, H = 3, 4, 5
CELLS = [LSTM1997, CoupledLSTM, PeepholeLSTM]
GATES = {"LSTM": "ifog", "LSTM1997": "iog", "CoupledLSTM": "iog", "PeepholeLSTM": "ifog"}
MAKERS = {
    "LSTM": lstm,
    "LSTM1997": lstm_1997,
    "CoupledLSTM": coupled_lstm,
    "PeepholeLSTM": peephole_lstm,
}


def by_name(cell):
    return pytest.mark.parametrize("cell", cell, ids=lambda c: c.name)


def problem(cell, rng, T=6):
    """Return (params, xs, state), (dhs, dlast_state)."""
    params, state = random_start(cell, rng, B, D, H)
    doutputs = rng.standard_normal((T, B, H)), tree_random_like(state, rng)
    return (params, rng.standard_normal((T, B, D)), state), doutputs


def run(cell, params, xs, state, doutputs):
    """Return (hs, last), (dparams, dxs, dfirst)."""
    outputs, cache = unroll(cell, params, xs, state)
    return outputs, unroll_backward(cell, params, cache, doutputs)


def sigmoid(a):
    return 1 / (1 + math.exp(-a))


def formula_1997(a, c, p):
    c = c + sigmoid(a["i"]) * math.tanh(a["g"])
    return sigmoid(a["o"]) * math.tanh(c), c


def formula_coupled(a, c, p):
    i = sigmoid(a["i"])
    c = (1 - i) * c + i * math.tanh(a["g"])
    return sigmoid(a["o"]) * math.tanh(c), c


def formula_peephole(a, c, p):
    i, f = sigmoid(a["i"] + p["p_i"] * c), sigmoid(a["f"] + p["p_f"] * c)
    c = f * c + i * math.tanh(a["g"])
    return sigmoid(a["o"] + p["p_o"] * c) * math.tanh(c), c


FORMULAS = {
    "LSTM1997": formula_1997,
    "CoupledLSTM": formula_coupled,
    "PeepholeLSTM": formula_peephole,
}


@by_name(CELLS)
def test_a_step_is_the_formula_one_number_at_a_time(cell, rng):
    (params, xs, state), _ = problem(cell, rng, T=1)
    (hs, last), _ = unroll(cell, params, xs, state)
    for row in range(B):
        for k in range(H):
            a = {
                gate: params.b[place * H + k]
                + math.fsum(xs[0, row, j] * params.W_x[j, place * H + k] for j in range(D))
                + math.fsum(state.h[row, j] * params.W_h[j, place * H + k] for j in range(H))
                for place, gate in enumerate(GATES[cell.name])
            }
            p = {name: leaf[k] for name, leaf in params._asdict().items() if name.startswith("p_")}
            h, c = FORMULAS[cell.name](a, state.c[row, k], p)
            assert (hs[0, row, k], last.h[row, k], last.c[row, k]) == pytest.approx(
                (h, h, c), rel=1e-13
            )


ACTIVATIONS = [
    activations.tanh,
    activations.sigmoid,
    activations.relu,
    activations.elu(0.7),
    activations.leaky_relu(0.2),
    activations.hard_sigmoid(),
    activations.identity,
]


def turned(cell, turn):
    """Return the cell with another activation in every gate, each turn another one."""
    slots = [*GATES[cell.name], "c"]
    return MAKERS[cell.name](**{slot: ACTIVATIONS[(turn + k) % 7] for k, slot in enumerate(slots)})


@pytest.mark.parametrize("turn", range(7))
@by_name(CELLS)
def test_every_gradient_over_time_is_the_slope_for_every_activation_in_every_gate(cell, turn, rng):
    check_cell(turned(cell, turn), rng)


@by_name(CELLS)
def test_every_gradient_over_time_is_the_slope(cell, rng):
    check_cell(cell, rng)
    check_cell(cell, rng, T=1, B=1, D=1, H=1)


OTHERS = [turned(cell, turn) for cell in CELLS for turn in (0, 3)]


@by_name(CELLS + OTHERS)
def test_every_gradient_of_the_pointwise_part_is_the_slope(cell, rng):
    """da of each gate, dc_previous and the gradient of each peephole, in one step."""
    params, state = random_start(cell, rng, B, D, H)
    gates = GATES[cell.name]
    a = rng.standard_normal((B, len(gates) * H))
    new, values = cell.pointwise(params, a, np.zeros_like(a), state)
    dstate = tree_random_like(new, rng)
    dextra, da_x, da_h, dprevious = cell.pointwise_backward(params, values, dstate)

    def loss(point):
        a, c, own = point
        new, _ = cell.pointwise(
            type(params)(*params[:3], *own), a, np.zeros_like(a), state._replace(c=c)
        )
        return tree_dot(new, dstate)

    da, dc, extra_slope = numerical_gradient(loss, (a, state.c, params[3:]))
    for name, ours, slope in zip(
        gates, np.split(da_x, len(gates), axis=1), np.split(da, len(gates), axis=1)
    ):
        assert_close(f"da_{name}", ours, slope, 1e-12)
    assert_close("dc_previous", dprevious.c, dc, 1e-12)
    assert tuple(dextra) == cell.extra
    for name, slope in zip(cell.extra, extra_slope, strict=True):
        assert_close(f"d{name}", dextra[name], slope, 1e-12)
    np.testing.assert_array_equal(da_h, da_x)
    assert (dprevious.h == 0).all()


def as_lstm(cell, params):
    """Return the LSTMParams with which the LSTM is this cell.

    f is held open, or it is sigmoid(-a_i) = 1 - sigmoid(a_i).
    """
    blocks = [dict(zip("iog", np.split(leaf, 3, axis=-1))) for leaf in params]
    for block, opened in zip(blocks, (0.0, 0.0, 1000.0)):
        block["f"] = np.full_like(block["i"], opened) if cell is LSTM1997 else -block["i"]
    return LSTMParams(
        *(np.concatenate([block[gate] for gate in "ifog"], axis=-1) for block in blocks)
    )


@by_name([LSTM1997, CoupledLSTM])
def test_three_gates_are_a_special_lstm_in_value_and_gradient(cell, rng):
    """So the comparison of the LSTM with PyTorch holds for them too.

    Where i is used twice, its gradient is di - df.
    """
    (params, xs, state), doutputs = problem(cell, rng)
    outputs, (dparams, dxs, dfirst) = run(cell, params, xs, state, doutputs)
    lstm_outputs, (dlstm, lstm_dxs, lstm_dfirst) = run(
        LSTM, as_lstm(cell, params), xs, state, doutputs
    )
    ours, theirs = (
        tree_leaves((outputs, dxs, dfirst)),
        tree_leaves((lstm_outputs, lstm_dxs, lstm_dfirst)),
    )
    for k, (value, reference) in enumerate(zip(ours, theirs, strict=True)):
        assert_close(f"leaf {k}", value, reference, 1e-13)
    for name, ours, theirs in zip(params._fields, dparams, dlstm):
        di, df, do, dg = np.split(theirs, 4, axis=-1)
        di = di if cell is LSTM1997 else di - df
        assert_close(name, ours, np.concatenate([di, do, dg], axis=-1), 1e-13)


def test_peepholes_of_zero_leave_the_lstm_exactly(rng):
    (params, xs, state), doutputs = problem(LSTM, rng)
    zeros = np.zeros(H)
    seeing = PeepholeLSTM.Params(*params, p_i=zeros, p_f=zeros, p_o=zeros)
    outputs, (dparams, dxs, dfirst) = run(PeepholeLSTM, seeing, xs, state, doutputs)
    lstm_outputs, (dlstm, lstm_dxs, lstm_dfirst) = run(LSTM, params, xs, state, doutputs)
    ours, theirs = (
        tree_leaves((outputs, dparams[:3], dxs, dfirst)),
        tree_leaves((lstm_outputs, tuple(dlstm), lstm_dxs, lstm_dfirst)),
    )
    for k, (value, reference) in enumerate(zip(ours, theirs, strict=True)):
        assert_close(f"leaf {k}", value, reference, 1e-14)
    assert all(
        np.abs(dp).max() > 0.01 for dp in dparams[3:]
    )  # the weights are zero, their gradients are not


def test_the_cell_of_1997_carries_an_error_unchanged_for_ever(rng):
    """The constant error carousel.

    With no other path than c itself, the gradient of the first c is exactly that of the last.
    """
    params, state = random_start(LSTM1997, rng, B, D, H)
    params = params._replace(W_h=np.zeros((H, 3 * H)))
    dlast = LSTMState(h=np.zeros((B, H)), c=rng.standard_normal((B, H)))
    T = 200
    _, (_, _, dfirst) = run(
        LSTM1997, params, rng.standard_normal((T, B, D)), state, (np.zeros((T, B, H)), dlast)
    )
    np.testing.assert_array_equal(dfirst.c, dlast.c)


def test_the_coupled_cell_never_leaves_the_interval_and_the_cell_of_1997_does(rng):
    xs = np.ones((100, B, D))
    for cell, grows in ((CoupledLSTM, False), (LSTM1997, True)):
        params = cell.init(rng, D, H)._replace(b=np.ones(3 * H))
        (_, last), _ = unroll(cell, params, xs, LSTMState(np.zeros((B, H)), np.full((B, H), 0.9)))
        assert (np.abs(last.c).max() > 10) if grows else (np.abs(last.c).max() <= 1)


def test_a_broken_backward_is_caught_and_named(rng):
    def without_the_peephole_of_o(params, values, dstate):
        return PeepholeLSTM.pointwise_backward(params._replace(p_o=np.zeros(H)), values, dstate)

    def at_the_old_c(params, values, dstate):
        dextra, *rest = PeepholeLSTM.pointwise_backward(params, values, dstate)
        da_o = rest[0][:, 2 * H : 3 * H]
        return dextra | {"p_o": (da_o * values.c_previous).sum(axis=0)}, *rest

    def with_i_used_once(params, values, dstate):
        return CoupledLSTM.pointwise_backward(
            params, values._replace(c_previous=np.zeros((B, H))), dstate
        )

    def with_a_forget_gate(params, values, dstate):
        *rest, dprevious = LSTM1997.pointwise_backward(params, values, dstate)
        return *rest, dprevious._replace(c=0.9 * dprevious.c)

    for cell, backward, name in (
        (PeepholeLSTM, without_the_peephole_of_o, "W_x"),
        (PeepholeLSTM, at_the_old_c, "p_o"),
        (CoupledLSTM, with_i_used_once, "W_x"),
        (LSTM1997, with_a_forget_gate, "W_x"),
    ):
        with pytest.raises(GradientError, match=rf"wrong gradient\n\[0\].{name}: relative error"):
            check_cell(cell.replace(pointwise_backward=backward), rng, T=3)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@by_name(CELLS + OTHERS)
def test_the_dtype_of_the_parameters_is_the_dtype_of_everything(cell, dtype, rng):
    inputs, doutputs = (tree_cast(part, dtype) for part in problem(cell, rng))
    outputs, cache = unroll(cell, *inputs)
    gradients = unroll_backward(cell, inputs[0], cache, doutputs)
    everything = outputs, cache.steps, gradients, cell.initial_state(inputs[0], 2)
    assert {leaf.dtype for leaf in tree_leaves(everything)} == {np.dtype(dtype)}


@by_name(CELLS)
def test_nothing_is_changed_in_place(cell, rng):
    params, state = random_start(cell, rng, B, D, H)
    a_x, a_h = rng.standard_normal((2, B, len(GATES[cell.name]) * H))
    new, values = cell.pointwise(params, a_x, a_h, state)
    everything = params, state, a_x, a_h, new, values, tree_random_like(new, rng)
    copies = [leaf.copy() for leaf in tree_leaves(everything)]
    cell.pointwise(params, a_x, a_h, state)
    cell.pointwise_backward(params, values, everything[-1])
    assert all(
        np.array_equal(old, leaf) for old, leaf in zip(copies, tree_leaves(everything), strict=True)
    )


@by_name(CELLS)
def test_the_first_state_is_zero(cell, rng):
    state = cell.initial_state(cell.init(rng, D, H), 2)
    assert type(state) is LSTMState
    for leaf in state:
        np.testing.assert_array_equal(leaf, np.zeros((2, H)))


# A forget bias of 1 is added to f. It is subtracted from i where f = 1 - i; LSTM1997 has no f.
BIASES = {
    "LSTM1997": [0, 0, 0, 0, 0, 0, 0, 0, 0],
    "CoupledLSTM": [-1, -1, -1, 0, 0, 0, 0, 0, 0],
    "PeepholeLSTM": [0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0],
}


@by_name(CELLS)
def test_initial_weights_each_gate_orthogonal_and_the_forget_gate_open(cell):
    params = cell.init(np.random.default_rng(0), 2, 3)
    count = len(GATES[cell.name])
    assert [leaf.shape for leaf in params[:3]] == [(2, 3 * count), (3, 3 * count), (3 * count,)]
    for V in np.split(params.W_h, count, axis=1):
        np.testing.assert_allclose(V @ V.T, np.eye(3), atol=1e-12)
    assert np.sqrt(6 / (2 + 3 * count)) < np.abs(params.W_x).max() <= np.sqrt(6 / 5)
    np.testing.assert_array_equal(params.b, BIASES[cell.name])
    assert all((leaf == 0).all() and leaf.shape == (3,) for leaf in params[3:])


@pytest.mark.parametrize(
    "cell, init",
    [
        (LSTM, lstm_init),
        (LSTM1997, lstm_1997_init),
        (CoupledLSTM, coupled_lstm_init),
        (PeepholeLSTM, peephole_lstm_init),
    ],
    ids=lambda x: getattr(x, "name", ""),
)
def test_a_cell_is_made_with_the_defaults_of_its_functions(cell, init, rng):
    for ours, theirs in zip(
        init(np.random.default_rng(0), D, H), cell.init(np.random.default_rng(0), D, H), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
    params, state = random_start(cell, rng, B, D, H)
    a_x, a_h = rng.standard_normal((2, B, len(params.b)))
    new, values = cell.pointwise.func(params, a_x, a_h, state)
    back = cell.pointwise_backward.func(params, values, new)
    again = cell.pointwise(params, a_x, a_h, state), cell.pointwise_backward(params, values, new)
    for ours, theirs in zip(tree_leaves(((new, values), back)), tree_leaves(again), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_forget_bias_opens_the_coupled_gate_as_it_does_that_of_the_lstm():
    params = coupled_lstm(forget_bias=2.5).init(np.random.default_rng(0), 2, 3)
    f = 1 - activations.sigmoid.f(gate_blocks(params.b, LSTM1997Gates).i)
    np.testing.assert_allclose(f, activations.sigmoid.f(np.full(3, 2.5)), rtol=1e-14)


@by_name(CELLS)
def test_initial_weights_come_from_the_initializers_given(cell):
    options = {
        "W_x": initializers.constant(2),
        "W_h": initializers.identity(0.5),
        "b": initializers.constant(-1),
    }
    if cell is not LSTM1997:
        options["forget_bias"] = 0
    if cell is PeepholeLSTM:
        options["p"] = initializers.normal(1)
    params = MAKERS[cell.name](**options).init(np.random.default_rng(0), 2, 3)
    count = len(GATES[cell.name])
    np.testing.assert_array_equal(params.W_x, np.full((2, 3 * count), 2.0))
    np.testing.assert_array_equal(params.W_h, np.tile(0.5 * np.eye(3), count))
    np.testing.assert_array_equal(params.b, np.full(3 * count, -1.0))
    assert len(np.unique(params[3:])) == 3 * len(params[3:])  # every peephole drawn by itself


@pytest.mark.parametrize("maker", [coupled_lstm, peephole_lstm])
@pytest.mark.parametrize("bias", [float("nan"), float("inf"), "1", None])
def test_a_forget_bias_that_is_not_a_finite_number_is_refused(maker, bias):
    with pytest.raises(ValueError, match="forget_bias: expected a finite number, got"):
        maker(forget_bias=bias)


def test_the_cell_of_1997_has_no_forget_bias():
    with pytest.raises(TypeError, match="unexpected keyword argument 'forget_bias'"):
        lstm_1997(forget_bias=1.0)


@by_name(CELLS)
def test_a_function_in_the_place_of_an_activation_is_refused(cell):
    for slot in (*GATES[cell.name], "c"):
        with pytest.raises(
            TypeError, match=f"^{slot}: expected an Activation, such as activations.tanh, got ufunc"
        ):
            MAKERS[cell.name](**{slot: np.tanh})


@by_name(CELLS)
def test_a_size_that_is_not_a_positive_whole_number_is_refused(cell):
    with pytest.raises(ValueError, match="input_size: expected a positive whole number, got 0"):
        cell.init(np.random.default_rng(0), 0, 3)
    with pytest.raises(ValueError, match="hidden_size: expected a positive whole number, got 2.0"):
        cell.init(np.random.default_rng(0), 3, 2.0)


def test_parameters_of_another_number_of_gates_are_refused(rng):
    xs, lstm_params = np.zeros((6, B, D)), LSTM.init(rng, D, H)
    peephole = PeepholeLSTM.init(rng, D, H)
    state = LSTM.initial_state(lstm_params, B)
    for cell, params, error, message in [
        (
            LSTM1997,
            lstm_params,
            TypeError,
            r"params: expected LSTM1997Params\(W_x, W_h, b\), got LSTMParams",
        ),
        (
            CoupledLSTM,
            lstm_params,
            TypeError,
            r"params: expected CoupledLSTMParams\(.*\), got LSTMParams",
        ),
        (
            PeepholeLSTM,
            lstm_params,
            TypeError,
            r"params: expected PeepholeLSTMParams\(W_x, W_h, b, p_i, p_f, p_o\), got LSTM",
        ),
        (
            PeepholeLSTM,
            peephole._replace(p_f=np.zeros(1)),
            ValueError,
            r"p_f: expected shape \(5,\), got \(1,\)",
        ),
        (
            PeepholeLSTM,
            peephole._replace(p_o=np.zeros((H, H))),
            ValueError,
            r"p_o: expected shape \(5,\), got \(5, 5\)",
        ),
        (
            PeepholeLSTM,
            peephole._replace(p_i=np.zeros(H, "float32")),
            TypeError,
            "p_i: expected dtype float64.* got float32",
        ),
        (
            PeepholeLSTM,
            peephole._replace(W_h=np.zeros((H, H))),
            ValueError,
            r"W_h: expected shape \(5, 20\), got \(5, 5\)",
        ),
    ]:
        with pytest.raises(error, match=message):
            unroll(cell, params, xs, state)


# onnxruntime has one activation for its gates i, f and o together, so here these three share one;
# with `check_cell` above each has its own. It has no cell of 1997, but an LSTM whose f is always 1
# is one. Peepholes together with coupled gates, the attribute `clip`, and activations that the
# package does not have are left out. It computes only in float32. Everything else is drawn below.
ONNX_ACTIVATIONS = {  # its name: ours, its alpha and beta, and a pre-activation at which it gives 1
    "Sigmoid": (activations.sigmoid, [], [], 1000),
    "Tanh": (activations.tanh, [], [], 1000),
    "Relu": (activations.relu, [], [], 1),
    "HardSigmoid": (activations.hard_sigmoid(0.2), [0.2], [0.5], 1000),
    "Affine": (activations.identity, [1.0], [0.0], 1),
    "LeakyRelu": (activations.leaky_relu(0.2), [0.2], [], 1),
    "Elu": (activations.elu(0.7), [0.7], [], 1),
}


def drawn_case(case):
    """Return (kind, direction, activations, sizes, lengths, first state given?, rng).

    Every kind in both directions, first with sigmoid and tanh as usual, then with every other
    activation of the gates and two that are drawn. Sizes and lengths are drawn.
    """
    rng = np.random.default_rng(case)
    kind, direction = list(MAKERS)[case % 4], ("forward", "reverse")[case // 4 % 2]
    drawn = [str(name) for name in rng.choice(list(ONNX_ACTIVATIONS), 2)]
    names = [list(ONNX_ACTIVATIONS)[case // 8], *(drawn if case >= 8 else ["Tanh", "Tanh"])]
    T, B, D, H = (int(n) for n in rng.integers(1, [10, 6, 7, 8]))
    lengths = rng.integers(1, T + 1, B) if case % 5 else None
    return kind, direction, names, (T, B, D, H), lengths, case % 7 > 0, rng


def onnx_inputs(kind, params, xs, state, lengths, opened, rng):
    """Return the operator's inputs for one of our four cells.

    Its gates are in the order i, o, f, g, its peepholes in the order i, o, f.
    """
    H = len(params.W_h)
    blocks = [
        dict(zip(GATES[kind], np.split(leaf, len(GATES[kind]), axis=-1))) for leaf in params[:3]
    ]
    for block, held in zip(blocks, (0, 0, opened)):
        if kind == "LSTM1997":
            block["f"] = np.full_like(block["i"], held)
        if kind == "CoupledLSTM":  # the operator has rows for f, and ignores them
            block["f"] = rng.standard_normal(block["i"].shape).astype(np.float32)
    W_x, W_h, b = (np.concatenate([block[gate] for gate in "iofg"], axis=-1) for block in blocks)
    split = rng.standard_normal(4 * H).astype(np.float32)  # the operator adds its two biases
    feed = onnx_feed(xs, (W_x, W_h, b - split, split), state, lengths)
    return feed | (
        {"P": np.concatenate([params.p_i, params.p_o, params.p_f])[None]}
        if kind == "PeepholeLSTM"
        else {}
    )


def reversed_within(lengths, xs):
    """Return xs with each sequence reversed within its own length, the padding in its place."""
    xs = xs.copy()
    for b, n in enumerate(lengths):
        xs[:n, b] = xs[:n, b][::-1]
    return xs


@pytest.mark.parametrize("case", range(56))
def test_agrees_with_onnxruntime(case):
    """Outputs and last h and c of the ONNX operator LSTM.

    With lengths, first states, both directions, peepholes and coupled gates.
    """
    kind, direction, names, (T, B, D, H), lengths, first, rng = drawn_case(case)
    ours = [ONNX_ACTIVATIONS[name][0] for name in names]
    gates = {gate: ours[0] for gate in GATES[kind] if gate != "g"}
    cell = MAKERS[kind](**gates, g=ours[1], c=ours[2])
    params, state = (tree_cast(part, np.float32) for part in random_start(cell, rng, B, D, H))
    state = state if first else cell.initial_state(params, B)
    xs = rng.standard_normal((T, B, D)).astype(np.float32)

    feed = onnx_inputs(kind, params, xs, state, lengths, ONNX_ACTIVATIONS[names[0]][3], rng)
    if not first:
        del feed["initial_h"], feed["initial_c"]
    attributes = {
        "direction": direction,
        "activations": names,
        "input_forget": int(kind == "CoupledLSTM"),
    }
    for place, key in enumerate(("activation_alpha", "activation_beta"), 1):
        if values := sum((ONNX_ACTIVATIONS[name][place] for name in names), []):
            attributes[key] = values
    Y, Y_h, Y_c = onnx_run("LSTM", feed, ["Y", "Y_h", "Y_c"], **attributes)

    mask = None if lengths is None else np.arange(T)[:, None] < lengths
    turn = (
        (lambda xs: reversed_within([T] * B if lengths is None else lengths, xs))
        if direction == "reverse"
        else np.copy
    )
    (hs, last), _ = unroll(cell, params, turn(xs), state, mask)
    assert_close("hs", turn(hs), Y[:, 0], 3e-6)
    assert_close("h", last.h, Y_h[0], 3e-6)
    assert_close("c", last.c, Y_c[0], 3e-6)


def test_the_cases_for_onnxruntime_are_of_every_kind():
    cases = [drawn_case(case)[:6] for case in range(56)]
    kinds = {(kind, direction, lengths is None) for kind, direction, _, _, lengths, _ in cases}
    assert len(kinds) == 16  # four cells, two directions, whole and ragged
    assert {(kind, first) for kind, *_, first in cases} == {
        (kind, first) for kind in MAKERS for first in (True, False)
    }
    assert {(kind, direction, names[0]) for kind, direction, names, *_ in cases} == {
        (kind, direction, name)
        for kind in MAKERS
        for direction in ("forward", "reverse")
        for name in ONNX_ACTIVATIONS
    }
    assert all({names[k] for _, _, names, *_ in cases} == set(ONNX_ACTIVATIONS) for k in (1, 2))


@by_name(CELLS)
def test_agrees_with_autograd(cell):
    """Automatic differentiation of a plain loop over the formula."""
    anp = pytest.importorskip("autograd.numpy")
    from autograd import grad

    rng = np.random.default_rng(5)
    (params, xs, state), (dhs, dlast) = problem(cell, rng)

    def sigmoid(a):
        return 1 / (1 + anp.exp(-a))

    def step(a, c, p):
        if cell is LSTM1997:
            a_i, a_o, a_g = a
            c = c + sigmoid(a_i) * anp.tanh(a_g)
            return sigmoid(a_o) * anp.tanh(c), c
        if cell is CoupledLSTM:
            a_i, a_o, a_g = a
            c = (1 - sigmoid(a_i)) * c + sigmoid(a_i) * anp.tanh(a_g)
            return sigmoid(a_o) * anp.tanh(c), c
        (a_i, a_f, a_o, a_g), (p_i, p_f, p_o) = a, p
        c = sigmoid(a_f + p_f * c) * c + sigmoid(a_i + p_i * c) * anp.tanh(a_g)
        return sigmoid(a_o + p_o * c) * anp.tanh(c), c

    def loss(xs, h, c, W_x, W_h, b, *p):
        total = 0.0
        for t in range(6):
            a = anp.dot(xs[t], W_x) + anp.dot(h, W_h) + b
            h, c = step([a[:, k * H : (k + 1) * H] for k in range(len(GATES[cell.name]))], c, p)
            total = total + anp.sum(h * dhs[t])
        return total + anp.sum(h * dlast.h) + anp.sum(c * dlast.c)

    _, (dparams, dxs, dfirst) = run(cell, params, xs, state, (dhs, dlast))
    for k, ours in enumerate((dxs, *dfirst, *dparams)):
        assert_close(f"argument {k}", ours, grad(loss, k)(xs, *state, *params), 1e-12)
