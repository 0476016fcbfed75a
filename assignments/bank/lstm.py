"""The bank of assignment 2: one step here, sequences in `lstm_through_time`.

The functions run in a notebook that has `np`, the NamedTuples, `sigmoid` and the answers before
them.
"""

# ruff: noqa: F821, B006
import numpy as np

from assignments.bank import lstm_through_time
from assignments.bank.entry import Right, Wrong

# Wrong: one step


def blocks_as_pytorch_has_them(params, x, previous):
    a_i, a_f, a_g, a_o = np.split(x @ params.W_x + previous.h @ params.W_h + params.b, 4, axis=1)
    gates = LSTMGates(sigmoid(a_i), sigmoid(a_f), sigmoid(a_o), np.tanh(a_g))
    c = gates.f * previous.c + gates.i * gates.g
    return LSTMState(gates.o * np.tanh(c), c), gates


def no_tanh_on_the_cell(params, x, previous):
    """nicodjimenez/lstm."""
    a_i, a_f, a_o, a_g = np.split(x @ params.W_x + previous.h @ params.W_h + params.b, 4, axis=1)
    i, f, o, g = sigmoid(a_i), sigmoid(a_f), sigmoid(a_o), np.tanh(a_g)
    c = f * previous.c + i * g
    return LSTMState(o * c, c), LSTMGates(i, f, o, g)


def sigmoid_of_twice_as_much(params, x, previous):
    """HIPS/autograd."""

    def sigmoid(a):
        return 0.5 * (np.tanh(a) + 1)

    a_i, a_f, a_o, a_g = np.split(x @ params.W_x + previous.h @ params.W_h + params.b, 4, axis=1)
    i, f, o, g = sigmoid(a_i), sigmoid(a_f), sigmoid(a_o), np.tanh(a_g)
    c = f * previous.c + i * g
    return LSTMState(o * np.tanh(c), c), LSTMGates(i, f, o, g)


def output_bias_in_three_gates(params, x, previous):
    """ddbourgin/numpy-ml, issue 42."""
    a_i, a_f, a_o, a_g = np.split(x @ params.W_x + previous.h @ params.W_h, 4, axis=1)
    b_i, b_f, b_o, b_g = np.split(params.b, 4)
    i, f, o, g = sigmoid(a_i + b_o), sigmoid(a_f + b_o), sigmoid(a_o + b_o), np.tanh(a_g + b_g)
    c = f * previous.c + i * g
    return LSTMState(o * np.tanh(c), c), LSTMGates(i, f, o, g)


def cell_of_1997(params, x, previous):
    a_i, a_f, a_o, a_g = np.split(x @ params.W_x + previous.h @ params.W_h + params.b, 4, axis=1)
    i, f, o, g = sigmoid(a_i), sigmoid(a_f), sigmoid(a_o), np.tanh(a_g)
    c = previous.c + i * g
    return LSTMState(o * np.tanh(c), c), LSTMGates(i, f, o, g)


def gates_that_see_the_cell(params, x, previous):
    h, c = previous[::-1]
    a_i, a_f, a_o, a_g = np.split(x @ params.W_x + h @ params.W_h + params.b, 4, axis=1)
    i, f, o, g = sigmoid(a_i), sigmoid(a_f), sigmoid(a_o), np.tanh(a_g)
    c = f * previous.c + i * g
    return LSTMState(o * np.tanh(c), c), LSTMGates(i, f, o, g)


# Wrong: gate by gate


def only_the_path_on(gates, c_previous, c, dh, dc_next):
    i, f, o, g = gates
    dc = dc_next
    da = LSTMGates(
        dc * g * i * (1 - i),
        dc * c_previous * f * (1 - f),
        dh * np.tanh(c) * o * (1 - o),
        dc * i * (1 - g**2),
    )
    return da, dc * f


def sigmoid_for_its_slope(gates, c_previous, c, dh, dc_next):
    """CaptainE/RNN-LSTM-in-numpy, issue 1."""
    i, f, o, g = gates
    dc = dc_next + dh * o * (1 - np.tanh(c) ** 2)
    da = LSTMGates(
        dc * g * i * (1 - i),
        dc * c_previous * sigmoid(f),
        dh * np.tanh(c) * o * (1 - o),
        dc * i * (1 - g**2),
    )
    return da, dc * f


def cell_squared_without_its_tanh(gates, c_previous, c, dh, dc_next):
    i, f, o, g = gates
    dc = dc_next + dh * o * (1 - c**2)
    da = LSTMGates(
        dc * g * i * (1 - i),
        dc * c_previous * f * (1 - f),
        dh * np.tanh(c) * o * (1 - o),
        dc * i * (1 - g**2),
    )
    return da, dc * f


def slope_on_both_paths(gates, c_previous, c, dh, dc_next):
    i, f, o, g = gates
    dc = (dc_next + dh * o) * (1 - np.tanh(c) ** 2)
    da = LSTMGates(
        dc * g * i * (1 - i),
        dc * c_previous * f * (1 - f),
        dh * np.tanh(c) * o * (1 - o),
        dc * i * (1 - g**2),
    )
    return da, dc * f


def forget_gate_told_of_the_new_cell(gates, c_previous, c, dh, dc_next):
    i, f, o, g = gates
    dc = dc_next + dh * o * (1 - np.tanh(c) ** 2)
    da = LSTMGates(
        dc * g * i * (1 - i),
        dc * c * f * (1 - f),
        dh * np.tanh(c) * o * (1 - o),
        dc * i * (1 - g**2),
    )
    return da, dc * f


def four_sigmoids(gates, c_previous, c, dh, dc_next):
    dc = dc_next + dh * gates.o * (1 - np.tanh(c) ** 2)
    dgates = (dc * gates.g, dc * c_previous, dh * np.tanh(c), dc * gates.i)
    return LSTMGates(*(d * y * (1 - y) for d, y in zip(dgates, gates))), dc * gates.f


def gradients_of_the_gates_themselves(gates, c_previous, c, dh, dc_next):
    dc = dc_next + dh * gates.o * (1 - np.tanh(c) ** 2)
    return LSTMGates(dc * gates.g, dc * c_previous, dh * np.tanh(c), dc * gates.i), dc * gates.f


def carousel_on_the_way_back(gates, c_previous, c, dh, dc_next):
    i, f, o, g = gates
    dc = dc_next + dh * o * (1 - np.tanh(c) ** 2)
    da = LSTMGates(
        dc * g * i * (1 - i),
        dc * c_previous * f * (1 - f),
        dh * np.tanh(c) * o * (1 - o),
        dc * i * (1 - g**2),
    )
    return da, dc


def added_into_dc_next(gates, c_previous, c, dh, dc_next):
    i, f, o, g = gates
    dc = dc_next
    dc += dh * o * (1 - np.tanh(c) ** 2)
    da = LSTMGates(
        dc * g * i * (1 - i),
        dc * c_previous * f * (1 - f),
        dh * np.tanh(c) * o * (1 - o),
        dc * i * (1 - g**2),
    )
    return da, dc * f


def two_slips(gates, c_previous, c, dh, dc_next):
    """The path up is missing, and the candidate has the slope of a sigmoid."""
    i, f, o, g = gates
    dc = dc_next
    da = LSTMGates(
        dc * g * i * (1 - i),
        dc * c_previous * f * (1 - f),
        dh * np.tanh(c) * o * (1 - o),
        dc * i * g * (1 - g),
    )
    return da, dc * f


# Wrong: four gates as one


def dh_overwritten(params, x, previous, gates, c, dstate):
    """numpy/numpy-tutorials, 2021 to 2025: dh is overwritten before dc_previous is made with it."""
    i, f, o, g = gates
    dh, dc = dstate
    tanh_c = np.tanh(c)
    dc_whole = dc + dh * o * (1 - tanh_c**2)
    da_i, da_f = dc_whole * g * i * (1 - i), dc_whole * previous.c * f * (1 - f)
    da = np.hstack([da_i, da_f, dh * tanh_c * o * (1 - o), dc_whole * i * (1 - g**2)])
    dparams = LSTMParams(x.T @ da, previous.h.T @ da, da.sum(axis=0))
    dh = da @ params.W_h.T
    dc = (dc + dh * o * (1 - tanh_c**2)) * f
    return dparams, da @ params.W_x.T, LSTMState(dh, dc)


def laid_side_by_side_as_in_keras(params, x, previous, gates, c, dstate):
    da, dc_previous = gate_gradients(gates, previous.c, c, *dstate)
    da = np.hstack([da.i, da.f, da.g, da.o])
    dparams = LSTMParams(x.T @ da, previous.h.T @ da, da.sum(axis=0))
    return dparams, da @ params.W_x.T, LSTMState(da @ params.W_h.T, dc_previous)


def square_blocks_not_transposed(params, x, previous, gates, c, dstate):
    da, dc_previous = gate_gradients(gates, previous.c, c, *dstate)
    dh_previous = sum(d @ V for d, V in zip(da, np.split(params.W_h, 4, axis=1)))
    da = np.hstack(da)
    dparams = LSTMParams(x.T @ da, previous.h.T @ da, da.sum(axis=0))
    return dparams, da @ params.W_x.T, LSTMState(dh_previous, dc_previous)


def three_paths_of_four(params, x, previous, gates, c, dstate):
    da, dc_previous = gate_gradients(gates, previous.c, c, *dstate)
    U, V = np.split(params.W_x, 4, axis=1), np.split(params.W_h, 4, axis=1)
    dx = da.i @ U[0].T + da.f @ U[1].T + da.g @ U[3].T
    dh_previous = da.i @ V[0].T + da.f @ V[1].T + da.g @ V[3].T
    da = np.hstack(da)
    return (
        LSTMParams(x.T @ da, previous.h.T @ da, da.sum(axis=0)),
        dx,
        LSTMState(dh_previous, dc_previous),
    )


def one_bias_pasted_for_another(params, x, previous, gates, c, dstate):
    """hanbt/learn_dl, issue 53."""
    da, dc_previous = gate_gradients(gates, previous.c, c, *dstate)
    db = np.concatenate([da.f.sum(axis=0), da.f.sum(axis=0), da.f.sum(axis=0), da.g.sum(axis=0)])
    da = np.hstack(da)
    dparams = LSTMParams(x.T @ da, previous.h.T @ da, db)
    return dparams, da @ params.W_x.T, LSTMState(da @ params.W_h.T, dc_previous)


def bias_averaged(params, x, previous, gates, c, dstate):
    da, dc_previous = gate_gradients(gates, previous.c, c, *dstate)
    da = np.hstack(da)
    dparams = LSTMParams(x.T @ da, previous.h.T @ da, da.mean(axis=0))
    return dparams, da @ params.W_x.T, LSTMState(da @ params.W_h.T, dc_previous)


def c_before_h(params, x, previous, gates, c, dstate):
    da, dc_previous = gate_gradients(gates, previous.c, c, *dstate)
    da = np.hstack(da)
    dparams = LSTMParams(x.T @ da, previous.h.T @ da, da.sum(axis=0))
    return dparams, da @ params.W_x.T, (dc_previous, da @ params.W_h.T)


def gates_on_top_of_each_other(params, x, previous, gates, c, dstate):
    da, dc_previous = gate_gradients(gates, previous.c, c, *dstate)
    da = np.concatenate(da)
    dparams = LSTMParams(x.T @ da, previous.h.T @ da, da.sum(axis=0))
    return dparams, da @ params.W_x.T, LSTMState(da @ params.W_h.T, dc_previous)


def forget_gate_hears_one_path(params, x, previous, gates, c, dstate):
    """Only da_f is made without the path up."""
    da, dc_previous = gate_gradients(gates, previous.c, c, *dstate)
    da = np.hstack([da.i, dstate.c * previous.c * gates.f * (1 - gates.f), da.o, da.g])
    dparams = LSTMParams(x.T @ da, previous.h.T @ da, da.sum(axis=0))
    return dparams, da @ params.W_x.T, LSTMState(da @ params.W_h.T, dc_previous)


def half_a_slope_pasted(params, x, previous, gates, c, dstate):
    """f * (1 - i): it has no name; the feedback says which gate."""
    da, dc_previous = gate_gradients(gates, previous.c, c, *dstate)
    da = np.hstack([da.i, da.f / (1 - gates.f) * (1 - gates.i), da.o, da.g])
    dparams = LSTMParams(x.T @ da, previous.h.T @ da, da.sum(axis=0))
    return dparams, da @ params.W_x.T, LSTMState(da @ params.W_h.T, dc_previous)


# Right, written differently


def gate_by_gate_with_einsum(params, x, previous):
    H = previous.h.shape[1]

    def a(k):
        U, V = params.W_x[:, k * H : (k + 1) * H], params.W_h[:, k * H : (k + 1) * H]
        return (
            params.b[k * H : (k + 1) * H]
            + np.einsum("nl,lk->nk", previous.h, V)
            + np.einsum("ne,ek->nk", x, U)
        )

    i, f, o = ((1 + np.tanh(a(k) / 2)) / 2 for k in range(3))
    e = np.exp(-2 * a(3))
    g = (1 - e) / (1 + e)
    c = i * g + f * previous.c
    return LSTMState(c=c, h=np.sinh(c) / np.cosh(c) * o), LSTMGates(o=o, g=g, f=f, i=i)


def gradients_by_the_complex_step(gates, c_previous, c, dh, dc_next):
    i, f, o, g = gates
    a = [np.log(y / (1 - y)) for y in (i, f, o)] + [np.arctanh(g)]
    found = []
    for k in range(5):
        nudge = [1e-20j * (k == j) for j in range(5)]
        i_, f_, o_ = (1 / (1 + np.exp(-(a[j] + nudge[j]))) for j in range(3))
        new_c = f_ * (c_previous + nudge[4]) + i_ * np.tanh(a[3] + nudge[3])
        found.append(np.imag(dh * o_ * np.tanh(new_c) + dc_next * new_c) / 1e-20)
    return LSTMGates(*found[:4]), found[4]


def slopes_in_another_order(gates, c_previous, c, dh, dc_next):
    up = dh * gates.o / np.cosh(c) ** 2
    dc = up + dc_next
    da_f = dc * c_previous * (gates.f - gates.f**2)
    da_g = (1 - gates.g) * (1 + gates.g) * gates.i * dc
    return [
        gates.g * dc * gates.i - gates.g * dc * gates.i**2,
        da_f,
        (gates.o - gates.o**2) * dh * np.tanh(c),
        da_g,
    ], gates.f * dc


def sixteen_products(params, x, previous, gates, c, dstate):
    da, dc_previous = gate_gradients(gates, previous.c, c, dstate.h, dstate.c)
    U, V = np.hsplit(params.W_x, 4), np.hsplit(params.W_h, 4)
    dU, dV = [x.T @ d for d in da], [previous.h.T @ d for d in da]
    dparams = LSTMParams(np.hstack(dU), np.hstack(dV), np.hstack([np.ones(len(x)) @ d for d in da]))
    dx, dh_previous = np.zeros(x.shape), np.zeros(previous.h.shape)
    for gate in (3, 2, 0, 1):
        dx += da[gate] @ U[gate].T
        dh_previous += da[gate] @ V[gate].T
    return dparams, dx, LSTMState(h=dh_previous, c=dc_previous)


WRONG = (
    Wrong("lstm_step", blocks_as_pytorch_has_them, "gates in another order", 2 / 6),
    Wrong("lstm_step", no_tanh_on_the_cell, "tanh missing on the cell", 5 / 6),
    Wrong("lstm_step", sigmoid_of_twice_as_much, "another activation", 1 / 6),
    Wrong("lstm_step", output_bias_in_three_gates, "bias of another gate", 2 / 6),
    Wrong("lstm_step", cell_of_1997, "forget gate missing", 4 / 6),
    Wrong("lstm_step", gates_that_see_the_cell, "h and c exchanged"),
    Wrong("gate_gradients", only_the_path_on, "path missing", 1 / 5),
    Wrong(
        "gate_gradients", sigmoid_for_its_slope, "activation in the place of its derivative", 4 / 5
    ),
    Wrong(
        "gate_gradients",
        cell_squared_without_its_tanh,
        "derivative taken at the wrong place",
        1 / 5,
    ),
    Wrong("gate_gradients", slope_on_both_paths, "bracket in the wrong place", 1 / 5),
    Wrong("gate_gradients", forget_gate_told_of_the_new_cell, "new state for the old one", 4 / 5),
    Wrong("gate_gradients", four_sigmoids, "derivative of another activation", 4 / 5),
    Wrong(
        "gate_gradients",
        gradients_of_the_gates_themselves,
        "derivative of the activation missing",
        1 / 5,
    ),
    Wrong("gate_gradients", carousel_on_the_way_back, "gate missing on the way back", 4 / 5),
    Wrong("gate_gradients", added_into_dc_next, "caller's array changed", 1 / 2),
    Wrong("gate_gradients", two_slips, "path missing", 1 / 5),
    Wrong("lstm_step_backward", dh_overwritten, "gradient overwritten before its last use", 5 / 6),
    Wrong("lstm_step_backward", laid_side_by_side_as_in_keras, "gates in another order", 1 / 6),
    Wrong("lstm_step_backward", square_blocks_not_transposed, "weight transposed", 5 / 6),
    Wrong("lstm_step_backward", three_paths_of_four, "path missing", 4 / 6),
    Wrong(
        "lstm_step_backward", one_bias_pasted_for_another, "gradients of two gates exchanged", 5 / 6
    ),
    Wrong("lstm_step_backward", bias_averaged, "mean for sum", 5 / 6),
    Wrong("lstm_step_backward", c_before_h, "outputs exchanged", 4 / 6),
    Wrong("lstm_step_backward", gates_on_top_of_each_other, "raises an exception"),
    Wrong("lstm_step_backward", forget_gate_hears_one_path, "path missing", 1 / 6),
    Wrong("lstm_step_backward", half_a_slope_pasted, "", 1 / 6),
    *lstm_through_time.WRONG,
)
RIGHT = (
    Right("lstm_step", gate_by_gate_with_einsum),
    Right("gate_gradients", gradients_by_the_complex_step),
    Right("gate_gradients", slopes_in_another_order),
    Right("lstm_step_backward", sixteen_products),
    *lstm_through_time.RIGHT,
)
