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
    a_i, a_g, a_o = np.split(x @ params.W_x + previous.h @ params.W_h + params.b, 3, axis=1)
    gates = LSTMGates(sigmoid(a_i), sigmoid(a_o), np.tanh(a_g))
    c = (1 - gates.i) * previous.c + gates.i * gates.g
    return LSTMState(np.tanh(gates.o * c), c), gates


def output_gate_first(params, x, previous):
    H = previous.h.shape[1]
    a = np.dot(x, params.W_x) + np.dot(previous.h, params.W_h) + params.b
    o, i, g = sigmoid(a[:, :H]), sigmoid(a[:, H : 2 * H]), np.tanh(a[:, 2 * H :])
    c = i * g + (1 - i) * previous.c
    return LSTMState(np.tanh(o * c), c), LSTMGates(i, o, g)


def no_tanh_on_the_cell(params, x, previous):
    """nicodjimenez/lstm."""
    a_i, a_o, a_g = np.split(x @ params.W_x + previous.h @ params.W_h + params.b, 3, axis=1)
    i, o, g = sigmoid(a_i), sigmoid(a_o), np.tanh(a_g)
    c = previous.c - i * previous.c + i * g
    return LSTMState(o * c, c), LSTMGates(i, o, g)


def shown_as_in_chapter_9(params, x, previous):
    a = x @ params.W_x + previous.h @ params.W_h + params.b
    H = a.shape[1] // 3
    i, o = sigmoid(a[:, :H]), sigmoid(a[:, H:-H])
    g = np.tanh(a[:, -H:])
    f = 1 - i
    c_new = f * previous.c + i * g
    h_new = o * np.tanh(c_new)
    return LSTMState(h_new, c_new), LSTMGates(i, o, g)


def sigmoid_of_twice_as_much(params, x, previous):
    """HIPS/autograd."""

    def sigmoid(a):
        return 0.5 * (np.tanh(a) + 1)

    a_i, a_o, a_g = np.split(x @ params.W_x + previous.h @ params.W_h + params.b, 3, axis=1)
    i, o, g = sigmoid(a_i), sigmoid(a_o), np.tanh(a_g)
    c = (1 - i) * previous.c + i * g
    return LSTMState(np.tanh(o * c), c), LSTMGates(i, o, g)


def output_bias_in_both_gates(params, x, previous):
    """ddbourgin/numpy-ml, issue 42."""
    a_i, a_o, a_g = np.split(x @ params.W_x + previous.h @ params.W_h, 3, axis=1)
    b_i, b_o, b_g = np.split(params.b, 3)
    i, o, g = sigmoid(a_i + b_o), sigmoid(a_o + b_o), np.tanh(a_g + b_g)
    c = (1 - i) * previous.c + i * g
    return LSTMState(np.tanh(o * c), c), LSTMGates(i, o, g)


def cell_of_1997(params, x, previous):
    a_i, a_o, a_g = np.split(x @ params.W_x + previous.h @ params.W_h + params.b, 3, axis=1)
    i, o, g = sigmoid(a_i), sigmoid(a_o), np.tanh(a_g)
    c = previous.c + i * g
    return LSTMState(np.tanh(o * c), c), LSTMGates(i, o, g)


def gates_that_see_the_cell(params, x, previous):
    h, c = previous[::-1]
    a_i, a_o, a_g = np.split(x @ params.W_x + h @ params.W_h + params.b, 3, axis=1)
    i, o, g = sigmoid(a_i), sigmoid(a_o), np.tanh(a_g)
    new_c = i * g + (1 - i) * c
    return LSTMState(np.tanh(o * new_c), new_c), LSTMGates(i, o, g)


def gates_that_look_into_the_cell_alone(params, x, previous):
    _, c = previous
    a_i, a_o, a_g = np.split(x @ params.W_x + c @ params.W_h + params.b, 3, axis=1)
    i, o, g = sigmoid(a_i), sigmoid(a_o), np.tanh(a_g)
    c = i * g + (1 - i) * c
    return LSTMState(np.tanh(o * c), c), LSTMGates(i, o, g)


def open_means_keep(params, x, previous):
    a = x @ params.W_x + previous.h @ params.W_h + params.b
    i, o, g = (f(part) for f, part in zip((sigmoid, sigmoid, np.tanh), np.hsplit(a, 3)))
    c = i * previous.c + (1 - i) * g
    return LSTMState(np.tanh(o * c), c), LSTMGates(i, o, g)


def reshaped_with_the_gates_last(params, x, previous):
    a = x @ params.W_x + previous.h @ params.W_h + params.b
    B, H = previous.h.shape
    a = a.reshape(B, H, 3)
    i, o, g = sigmoid(a[..., 0]), sigmoid(a[..., 1]), np.tanh(a[..., 2])
    c = (1 - i) * previous.c + i * g
    return LSTMState(np.tanh(o * c), c), LSTMGates(i, o, g)


def reshaped_with_the_gates_first(params, x, previous):
    B, H = previous.c.shape
    a_i, a_o, a_g = (params.b + x @ params.W_x + previous.h @ params.W_h).reshape(3, B, H)
    i, o, g = sigmoid(a_i), sigmoid(a_o), np.tanh(a_g)
    c = (1 - i) * previous.c + i * g
    return LSTMState(np.tanh(o * c), c), LSTMGates(i, o, g)


def bias_behind_the_sigmoid(params, x, previous):
    H = previous.h.shape[1]

    def gate(f, k):
        block = slice(k * H, (k + 1) * H)
        z = np.matmul(x, params.W_x[:, block]) + np.matmul(previous.h, params.W_h[:, block])
        return f(z) + params.b[block]

    i, o, g = gate(sigmoid, 0), gate(sigmoid, 1), gate(np.tanh, 2)
    c = (1 - i) * previous.c + i * g
    return LSTMState(np.tanh(o * c), c), LSTMGates(i, o, g)


def bias_with_each_product(params, x, previous):
    from_x = x @ params.W_x + params.b
    from_h = previous.h @ params.W_h + params.b
    a_i, a_o, a_g = np.split(from_x + from_h, 3, axis=1)
    i, o, g = sigmoid(a_i), sigmoid(a_o), np.tanh(a_g)
    c = (1 - i) * previous.c + i * g
    return LSTMState(np.tanh(o * c), c), LSTMGates(i, o, g)


def three_sigmoids(params, x, previous):
    i, o, g = np.split(sigmoid(x @ params.W_x + previous.h @ params.W_h + params.b), 3, axis=1)
    c = previous.c * (1 - i) + g * i
    return LSTMState(np.tanh(o * c), c), LSTMGates(i, o, g)


def shows_the_cell_from_before(params, x, previous):
    a_i, a_o, a_g = np.split(x @ params.W_x + previous.h @ params.W_h + params.b, 3, axis=1)
    i, o, g = sigmoid(a_i), sigmoid(a_o), np.tanh(a_g)
    c = previous.c
    h = np.tanh(o * c)
    c = (1 - i) * c + i * g
    return LSTMState(h, c), LSTMGates(i, o, g)


def forget_gate_of_the_output_gate(params, x, previous):
    a_i, a_o, a_g = np.split(x @ params.W_x + previous.h @ params.W_h + params.b, 3, axis=1)
    i, o, g = sigmoid(a_i), sigmoid(a_o), np.tanh(a_g)
    c = o * previous.c + i * g
    return LSTMState(np.tanh(o * c), c), LSTMGates(i, o, g)


def gates_before_the_state(params, x, previous):
    a_i, a_o, a_g = np.split(x @ params.W_x + previous.h @ params.W_h + params.b, 3, axis=1)
    gates = LSTMGates(sigmoid(a_i), sigmoid(a_o), np.tanh(a_g))
    c = (1 - gates.i) * previous.c + gates.i * gates.g
    return gates, LSTMState(np.tanh(gates.o * c), c)


def starts_from_a_shut_gate(params, x, previous):
    """A bias of the author's own: no mistake that is known here."""
    a_i, a_o, a_g = np.split(x @ params.W_x + previous.h @ params.W_h + params.b, 3, axis=1)
    i, o, g = sigmoid(a_i - 1), sigmoid(a_o), np.tanh(a_g)
    c = (1 - i) * previous.c + i * g
    return LSTMState(np.tanh(o * c), c), LSTMGates(i, o, g)


def no_bias_and_no_tanh(params, x, previous):
    """Two mistakes at once."""
    a_i, a_o, a_g = np.split(x @ params.W_x + previous.h @ params.W_h, 3, axis=1)
    i, o, g = sigmoid(a_i), sigmoid(a_o), np.tanh(a_g)
    c = (1 - i) * previous.c + i * g
    return LSTMState(o * c, c), LSTMGates(i, o, g)


def blocks_of_w_h_exchanged(params, x, previous):
    """A table of weights from elsewhere, whose W_h has the output gate first."""
    H = previous.h.shape[1]
    V_o, V_i, V_g = (params.W_h[:, k * H : (k + 1) * H] for k in range(3))
    U_i, U_o, U_g = (params.W_x[:, k * H : (k + 1) * H] for k in range(3))
    b_i, b_o, b_g = params.b.reshape(3, H)
    i = sigmoid(x @ U_i + previous.h @ V_i + b_i)
    o = sigmoid(x @ U_o + previous.h @ V_o + b_o)
    g = np.tanh(x @ U_g + previous.h @ V_g + b_g)
    c = (1 - i) * previous.c + i * g
    return LSTMState(np.tanh(o * c), c), LSTMGates(i, o, g)


def old_cell_written_over(params, x, previous):
    a_i, a_o, a_g = np.split(x @ params.W_x + previous.h @ params.W_h + params.b, 3, axis=1)
    i, o, g = sigmoid(a_i), sigmoid(a_o), np.tanh(a_g)
    c = previous.c
    c *= 1 - i
    c += i * g
    return LSTMState(np.tanh(o * c), c), LSTMGates(i, o, g)


def in_single_precision(params, x, previous):
    W_x, W_h, b = (leaf.astype(np.float32) for leaf in params)
    a = x.astype(np.float32) @ W_x + previous.h.astype(np.float32) @ W_h + b
    a_i, a_o, a_g = np.split(a, 3, axis=1)
    i, o, g = sigmoid(a_i), sigmoid(a_o), np.tanh(a_g)
    c = (1 - i) * previous.c.astype(np.float32) + i * g
    return LSTMState(np.tanh(o * c), c), LSTMGates(i, o, g)


def gate_squashed_again(params, x, previous):
    """The tanh is round the gate and not round the product: it has no name here."""
    a_i, a_o, a_g = np.split(x @ params.W_x + previous.h @ params.W_h + params.b, 3, axis=1)
    i, o, g = sigmoid(a_i), sigmoid(a_o), np.tanh(a_g)
    c = (1 - i) * previous.c + i * g
    return LSTMState(np.tanh(o) * c, c), LSTMGates(i, o, g)


# Wrong: gate by gate


def one_array_of_three(gates, c_previous, state, dh, dc_next):
    i, o, g = gates
    dz = dh * (1 - state.h**2)
    dc = dc_next + dz * o
    dgates = np.stack([dc * (g - c_previous), dz * state.c, dc * i])
    da = dgates * np.stack([i * (1 - i), o * (1 - o), 1 - g**2])
    return da, dc * (1 - i)


def smoothed_slope(gates, c_previous, state, dh, dc_next):
    """A small number is added where nothing can be zero."""
    i, o, g = gates
    dz = dh * (1 - state.h**2 + 1e-6)
    dc = dc_next + dz * o
    da_i = dc * (g - c_previous) * i * (1 - i)
    return LSTMGates(da_i, dz * state.c * o * (1 - o), dc * i * (1 - g**2)), dc * (1 - i)


def only_the_path_on(gates, c_previous, state, dh, dc_next):
    i, o, g = gates
    dc = dc_next
    da = LSTMGates(
        dc * (g - c_previous) * i * (1 - i),
        dh * (1 - state.h**2) * state.c * o * (1 - o),
        dc * i * (1 - g**2),
    )
    return da, dc * (1 - i)


def only_the_path_up(gates, c_previous, state, dh, dc_next):
    i, o, g = gates
    h, c = state
    dz = dh * (1 - np.square(h))
    dc = o * dz
    da_i = i * (1 - i) * (dc * g - dc * c_previous)
    return LSTMGates(da_i, o * (1 - o) * dz * c, (1 - g * g) * dc * i), dc * (1 - i)


def output_gate_as_in_chapter_10(gates, c_previous, state, dh, dc_next):
    i, o, g = gates
    tanh_c = np.tanh(state.c)
    do = dh * tanh_c
    dc = dc_next + dh * o * (1 - tanh_c**2)
    di, dg = dc * (g - c_previous), dc * i
    return LSTMGates(di * i * (1 - i), do * o * (1 - o), dg * (1 - g**2)), dc * (1 - i)


def input_gate_as_in_chapter_10(gates, c_previous, state, dh, dc_next):
    inside = dh * (1 - state.h**2)
    dc = inside * gates.o + dc_next
    di, do, dg = dc * gates.g, inside * state.c, dc * gates.i
    slopes = [gates.i * (1 - gates.i), gates.o * (1 - gates.o), 1 - gates.g**2]
    return LSTMGates(*map(np.multiply, (di, do, dg), slopes)), dc - dc * gates.i


def forget_gate_without_its_minus(gates, c_previous, state, dh, dc_next):
    """The forget gate gets its gradient and hands it on to i, with the wrong sign."""
    i, o, g = gates
    f = 1 - i
    ds = dh * (1 - state.h**2)
    dc = dc_next + ds * o
    da_f = dc * c_previous * f * (1 - f)
    da_i = dc * g * i * (1 - i) + da_f
    return LSTMGates(da_i, ds * state.c * o * (1 - o), dc * i * (1 - g**2)), dc * f


def towards_the_new_cell(gates, c_previous, state, dh, dc_next):
    i, o, g = gates
    h, c = state
    du = dh - dh * h**2
    dc = dc_next + du * o
    return (
        LSTMGates(dc * (g - c) * (i - i**2), du * c * (o - o**2), dc * i * (1 - g**2)),
        dc * (1 - i),
    )


def slope_of_the_tanh_forgotten(gates, c_previous, state, dh, dc_next):
    i, o, g = gates
    dc = dc_next + dh * o
    do = dh * state.c
    return (
        LSTMGates(dc * (g - c_previous) * i * (1 - i), do * o * (1 - o), dc * i * (1 - g**2)),
        dc * (1 - i),
    )


def slope_at_the_cell(gates, c_previous, state, dh, dc_next):
    i, o, g = gates
    d = dh * (1 - np.tanh(state.c) ** 2)
    dc = dc_next + d * o
    da_i, da_o = dc * (g - c_previous) * i * (1 - i), d * state.c * o * (1 - o)
    return LSTMGates(da_i, da_o, dc * i * (1 - g**2)), dc * (1 - i)


def tanh_of_a_tanh(gates, c_previous, state, dh, dc_next):
    def dtanh(a):
        return 1 - np.tanh(a) ** 2

    i, o, g = gates
    d = dh * dtanh(state.h)
    dc = dc_next + d * o
    da_i, da_o = dc * (g - c_previous) * i * (1 - i), d * state.c * o * (1 - o)
    return LSTMGates(da_i, da_o, dc * i * (1 - g**2)), dc * (1 - i)


def slope_on_both_paths(gates, c_previous, state, dh, dc_next):
    i, o, g = gates
    h, c = state
    do = dh * (1 - h**2) * c
    dc = (dc_next + dh * o) * (1 - h**2)
    di = dc * (g - c_previous)
    dg = dc * i
    return LSTMGates(di * i * (1 - i), do * o * (1 - o), dg * (1 - g**2)), dc * (1 - i)


def all_of_the_cell_is_shown(gates, c_previous, state, dh, dc_next):
    i, o, g = gates
    dz = dh * (1 - state.h**2)
    dc = dc_next + dz
    da = (dc * (g - c_previous) * i * (1 - i), dz * state.c * o * (1 - o), dc * i * (1 - g**2))
    return LSTMGates(*da), dc * (1 - i)


def three_slopes_of_a_sigmoid(gates, c_previous, state, dh, dc_next):
    dz = dh * (1 - state.h**2)
    dc = dc_next + dz * gates.o
    dgates = (dc * (gates.g - c_previous), dz * state.c, dc * gates.i)
    return LSTMGates(*(d * y * (1 - y) for d, y in zip(dgates, gates))), dc * (1 - gates.i)


def gradients_of_the_gates_themselves(gates, c_previous, state, dh, dc_next):
    dz = dh * (1 - state.h**2)
    dc = dc_next + dz * gates.o
    return LSTMGates(dc * (gates.g - c_previous), dz * state.c, dc * gates.i), dc * (1 - gates.i)


def sigmoid_for_its_slope(gates, c_previous, state, dh, dc_next):
    """CaptainE/RNN-LSTM-in-numpy, issue 1."""
    i, o, g = gates
    dz = dh * (1 - state.h**2)
    dc = dc_next + dz * o
    da_i = dc * (g - c_previous) * sigmoid(i)
    return LSTMGates(da_i, dz * state.c * o * (1 - o), dc * i * (1 - g**2)), dc * (1 - i)


def output_gate_told_of_the_old_cell(gates, c_previous, state, dh, dc_next):
    i, o, g = gates
    dz = dh * (1 - state.h**2)
    dc = dc_next + dz * o
    da_i = dc * (g - c_previous) * i * (1 - i)
    return LSTMGates(da_i, dz * c_previous * o * (1 - o), dc * i * (1 - g**2)), dc * (1 - i)


def output_gate_gets_all_of_dc(gates, c_previous, state, dh, dc_next):
    i, o, g = gates
    dc = dc_next + dh * (1 - state.h**2) * o
    do = dc * state.c
    di = dc * (g - c_previous)
    return LSTMGates(di * i * (1 - i), do * o * (1 - o), dc * i * (1 - g**2)), dc * (1 - i)


def carousel_on_the_way_back(gates, c_previous, state, dh, dc_next):
    i, o, g = gates
    dz = dh * (1 - state.h**2)
    dc = dc_next + dz * o
    da_i = dc * (g - c_previous) * i * (1 - i)
    return LSTMGates(da_i, dz * state.c * o * (1 - o), dc * i * (1 - g**2)), dc


def keeps_by_the_input_gate(gates, c_previous, state, dh, dc_next):
    i, o, g = gates
    keep = i
    dz = dh * (1 - state.h**2)
    dc = dc_next + dz * o
    da_i = dc * (g - c_previous) * i * (1 - i)
    return LSTMGates(da_i, dz * state.c * o * (1 - o), dc * i * (1 - g**2)), keep * dc


def added_into_dc_next(gates, c_previous, state, dh, dc_next):
    i, o, g = gates
    dz = dh * (1 - state.h**2)
    dc = dc_next
    dc += dz * o
    da_i = dc * (g - c_previous) * i * (1 - i)
    return LSTMGates(da_i, dz * state.c * o * (1 - o), dc * i * (1 - g**2)), dc * (1 - i)


def forgets_before_it_begins(gates, c_previous, state, dh, dc_next):
    i, o, g = gates
    dz = dh * (1 - state.h**2)
    dc = (1 - i) * dc_next + dz * o
    da_i = dc * (g - c_previous) * i * (1 - i)
    return LSTMGates(da_i, dz * state.c * o * (1 - o), dc * i * (1 - g**2)), dc * (1 - i)


def half_a_slope_pasted(gates, c_previous, state, dh, dc_next):
    i, o, g = gates
    dz = dh * (1 - state.h**2)
    dc = dc_next + dz * o
    da_i = dc * (g - c_previous) * i * (1 - o)
    return LSTMGates(da_i, dz * state.c * o * (1 - o), dc * i * (1 - g**2)), dc * (1 - i)


def candidate_gets_what_is_kept(gates, c_previous, state, dh, dc_next):
    i, o, g = gates
    dz = dh * (1 - state.h**2)
    dc = dc_next + dz * o
    di, do, dg = dc * (g - c_previous), dz * state.c, dc * (1 - i)
    return LSTMGates(di * i * (1 - i), do * o * (1 - o), dg * (1 - g**2)), dc * (1 - i)


def input_gate_hears_the_future_alone(gates, c_previous, state, dh, dc_next):
    i, o, g = gates
    dz = dh * (1 - state.h**2)
    dc = dc_next + dz * o
    da_i = dc_next * (g - c_previous) * i * (1 - i)
    return LSTMGates(da_i, dz * state.c * o * (1 - o), dc * i * (1 - g**2)), dc * (1 - i)


def two_in_each_others_place(gates, c_previous, state, dh, dc_next):
    i, o, g = gates
    dz = dh * (1 - state.h**2)
    dc = dc_next + dz * o
    da_i = dc * (g - c_previous) * i * (1 - i)
    da_o = dz * state.c * o * (1 - o)
    return LSTMGates(da_o, da_i, dc * i * (1 - g**2)), dc * (1 - i)


def two_slips(gates, c_previous, state, dh, dc_next):
    """The path up is missing, and the candidate has the slope of a sigmoid."""
    i, o, g = gates
    dc = dc_next
    da_i = dc * (g - c_previous) * i * (1 - i)
    da_o = dh * (1 - state.h**2) * state.c * o * (1 - o)
    return LSTMGates(da_i, da_o, dc * i * g * (1 - g)), dc * (1 - i)


def dc_held_in_bounds(gates, c_previous, state, dh, dc_next):
    """Clipped so that it cannot explode: no mistake that is known here."""
    i, o, g = gates
    dz = dh * (1 - state.h**2)
    dc = np.clip(dc_next + dz * o, -0.2, 0.2)
    da_i = dc * (g - c_previous) * i * (1 - i)
    return LSTMGates(da_i, dz * state.c * o * (1 - o), dc * i * (1 - g**2)), dc * (1 - i)


# Wrong: three gates as one


def dh_overwritten(params, x, previous, gates, state, dstate):
    """numpy/numpy-tutorials, 2021 to 2025: dh is overwritten before dc_previous is made with it."""
    i, o, g = gates
    dh, dc = dstate
    slope = 1 - state.h**2
    dc_whole = dc + dh * slope * o
    da_i = dc_whole * (g - previous.c) * i * (1 - i)
    da = np.hstack([da_i, dh * slope * state.c * o * (1 - o), dc_whole * i * (1 - g**2)])
    dparams = LSTMParams(x.T @ da, previous.h.T @ da, da.sum(axis=0))
    dh = da @ params.W_h.T
    dc = (dc + dh * slope * o) * (1 - i)
    return dparams, da @ params.W_x.T, LSTMState(dh, dc)


def laid_side_by_side_as_in_keras(params, x, previous, gates, state, dstate):
    da, dc_previous = gate_gradients(gates, previous.c, state, *dstate)
    da = np.hstack([da.i, da.g, da.o])
    dparams = LSTMParams(x.T @ da, previous.h.T @ da, da.sum(axis=0))
    return dparams, da @ params.W_x.T, LSTMState(da @ params.W_h.T, dc_previous)


def stacked_and_reshaped(params, x, previous, gates, state, dstate):
    da, dc_previous = gate_gradients(gates, previous.c, state, *dstate)
    da = np.stack(da, axis=-1).reshape(x.shape[0], -1)
    dparams = LSTMParams(x.T @ da, previous.h.T @ da, da.sum(axis=0))
    return dparams, da @ params.W_x.T, LSTMState(da @ params.W_h.T, dc_previous)


def square_blocks_not_transposed(params, x, previous, gates, state, dstate):
    da, dc_previous = gate_gradients(gates, previous.c, state, *dstate)
    dh_previous = sum(d @ V for d, V in zip(da, np.split(params.W_h, 3, axis=1)))
    da = np.hstack(da)
    dparams = LSTMParams(x.T @ da, previous.h.T @ da, da.sum(axis=0))
    return dparams, da @ params.W_x.T, LSTMState(dh_previous, dc_previous)


def two_paths_of_three(params, x, previous, gates, state, dstate):
    da, dc_previous = gate_gradients(gates, previous.c, state, *dstate)
    U, V = np.split(params.W_x, 3, axis=1), np.split(params.W_h, 3, axis=1)
    dx = da.i @ U[0].T + da.g @ U[2].T
    dh_previous = da.i @ V[0].T + da.g @ V[2].T
    da = np.hstack(da)
    dparams = LSTMParams(x.T @ da, previous.h.T @ da, da.sum(axis=0))
    return dparams, dx, LSTMState(dh_previous, dc_previous)


def one_bias_pasted_for_another(params, x, previous, gates, state, dstate):
    """hanbt/learn_dl, issue 53."""
    da, dc_previous = gate_gradients(gates, previous.c, state, *dstate)
    db = np.concatenate([da.i.sum(axis=0), da.i.sum(axis=0), da.g.sum(axis=0)])
    da = np.hstack(da)
    dparams = LSTMParams(x.T @ da, previous.h.T @ da, db)
    return dparams, da @ params.W_x.T, LSTMState(da @ params.W_h.T, dc_previous)


def bias_averaged(params, x, previous, gates, state, dstate):
    da, dc_previous = gate_gradients(gates, previous.c, state, *dstate)
    da = np.hstack(da)
    dparams = LSTMParams(x.T @ da, previous.h.T @ da, da.mean(axis=0))
    return dparams, da @ params.W_x.T, LSTMState(da @ params.W_h.T, dc_previous)


def everything_averaged(params, x, previous, gates, state, dstate):
    da, dc_previous = gate_gradients(gates, previous.c, state, *dstate)
    da = np.hstack(da)
    B = len(x)
    dW_x = np.einsum("nd,nk->dk", x, da) / B
    dW_h = np.einsum("nd,nk->dk", previous.h, da) / B
    dparams = LSTMParams(dW_x, dW_h, np.mean(da, axis=0))
    return dparams, da @ params.W_x.T, LSTMState(da @ params.W_h.T, dc_previous)


def c_before_h(params, x, previous, gates, state, dstate):
    da, dc_previous = gate_gradients(gates, previous.c, state, *dstate)
    da = np.hstack(da)
    dparams = LSTMParams(x.T @ da, previous.h.T @ da, da.sum(axis=0))
    return dparams, da @ params.W_x.T, (dc_previous, da @ params.W_h.T)


def gates_on_top_of_each_other(params, x, previous, gates, state, dstate):
    da, dc_previous = gate_gradients(gates, previous.c, state, *dstate)
    da = np.concatenate(da)
    dparams = LSTMParams(x.T @ da, previous.h.T @ da, da.sum(axis=0))
    return dparams, da @ params.W_x.T, LSTMState(da @ params.W_h.T, dc_previous)


def weights_told_of_the_new_h(params, x, previous, gates, state, dstate):
    da, dc_previous = gate_gradients(gates, previous.c, state, *dstate)
    da = np.hstack(da)
    h, _ = state
    dparams = LSTMParams(x.T @ da, h.T @ da, da.sum(axis=0))
    return dparams, da @ params.W_x.T, LSTMState(da @ params.W_h.T, dc_previous)


def weights_told_of_the_cell(params, x, previous, gates, state, dstate):
    da, dc_previous = gate_gradients(gates, previous.c, state, *dstate)
    da = np.hstack(da)
    _, c = previous
    dparams = LSTMParams(np.dot(x.T, da), np.dot(c.T, da), da.sum(axis=0))
    return dparams, np.dot(da, params.W_x.T), LSTMState(np.dot(da, params.W_h.T), dc_previous)


def dh_goes_straight_on(params, x, previous, gates, state, dstate):
    da, dc_previous = gate_gradients(gates, previous.c, state, *dstate)
    da = np.hstack(da)
    dparams = LSTMParams(x.T @ da, previous.h.T @ da, da.sum(axis=0))
    dh_previous = dstate.h + da @ params.W_h.T
    return dparams, da @ params.W_x.T, LSTMState(dh_previous, dc_previous)


def input_gate_hears_one_path(params, x, previous, gates, state, dstate):
    """Only da_i is made without the path up."""
    da, dc_previous = gate_gradients(gates, previous.c, state, *dstate)
    da_i = dstate.c * (gates.g - previous.c) * gates.i * (1 - gates.i)
    da = np.hstack([da_i, da.o, da.g])
    dparams = LSTMParams(x.T @ da, previous.h.T @ da, da.sum(axis=0))
    return dparams, da @ params.W_x.T, LSTMState(da @ params.W_h.T, dc_previous)


def written_anew_without_slopes(params, x, previous, gates, state, dstate):
    i, o, g = gates
    dz = dstate.h * (1 - state.h**2)
    dc = dstate.c + dz * o
    da = np.concatenate([dc * (g - previous.c), dz * state.c, dc * i], axis=1)
    dparams = LSTMParams(x.T @ da, previous.h.T @ da, da.sum(axis=0))
    return dparams, da @ params.W_x.T, LSTMState(da @ params.W_h.T, dc * (1 - i))


def no_gradient_from_the_next_cell(params, x, previous, gates, state, dstate):
    nothing = np.zeros_like(dstate.c)
    da, dc_previous = gate_gradients(gates, previous.c, state, dstate.h, nothing)
    da = np.hstack(da)
    dparams = LSTMParams(x.T @ da, previous.h.T @ da, da.sum(axis=0))
    return dparams, da @ params.W_x.T, LSTMState(da @ params.W_h.T, dc_previous)


def the_two_gradients_crossed(params, x, previous, gates, state, dstate):
    dc, dh = dstate
    da, dc_previous = gate_gradients(gates, previous.c, state, dh, dc)
    da = np.hstack(da)
    dparams = LSTMParams(x.T @ da, previous.h.T @ da, da.sum(axis=0))
    return dparams, da @ params.W_x.T, LSTMState(da @ params.W_h.T, dc_previous)


def one_block_of_w_h_for_all(params, x, previous, gates, state, dstate):
    """Every gate goes back through the first block: it has no name here."""
    da, dc_previous = gate_gradients(gates, previous.c, state, *dstate)
    H = previous.h.shape[1]
    dh_previous = (da.i + da.o + da.g) @ params.W_h[:, :H].T
    da = np.hstack(da)
    dparams = LSTMParams(x.T @ da, previous.h.T @ da, da.sum(axis=0))
    return dparams, da @ params.W_x.T, LSTMState(dh_previous, dc_previous)


def back_through_other_blocks(params, x, previous, gates, state, dstate):
    (da_i, da_o, da_g), dc_previous = gate_gradients(gates, previous.c, state, *dstate)
    V_o, V_i, V_g = np.split(params.W_h, 3, axis=1)
    dh_previous = da_i @ V_i.T + da_o @ V_o.T + da_g @ V_g.T
    da = np.hstack([da_i, da_o, da_g])
    dparams = LSTMParams(x.T @ da, previous.h.T @ da, da.sum(axis=0))
    return dparams, da @ params.W_x.T, LSTMState(dh_previous, dc_previous)


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

    i, o = ((1 + np.tanh(a(k) / 2)) / 2 for k in range(2))
    e = np.exp(-2 * a(2))
    g = (1 - e) / (1 + e)
    f = 1 - i
    c = i * g + f * previous.c
    return LSTMState(c=c, h=np.sinh(c * o) / np.cosh(c * o)), LSTMGates(o=o, g=g, i=i)


def one_sequence_at_a_time(params, x, previous):
    B, H = previous.h.shape
    out = np.zeros((5, B, H))
    for n in range(B):
        for k in range(H):
            a = [
                sum(x[n, e] * params.W_x[e, q * H + k] for e in range(x.shape[1]))
                + sum(previous.h[n, j] * params.W_h[j, q * H + k] for j in range(H))
                + params.b[q * H + k]
                for q in range(3)
            ]
            i, o, g = sigmoid(a[0]), sigmoid(a[1]), np.tanh(a[2])
            c = previous.c[n, k] * (1 - i) + i * g
            out[:, n, k] = np.tanh(o * c), c, i, o, g
    return LSTMState(*out[:2]), LSTMGates(*out[2:])


def four_gates_after_all(params, x, previous):
    """With a forget gate: its rows are the negative rows of the input gate."""
    wide = [np.hstack([-leaf[..., : previous.h.shape[1]], leaf]) for leaf in params]
    a = x @ wide[0] + previous.h @ wide[1] + wide[2]
    f, i, o = np.split(sigmoid(a), 4, axis=1)[:3]
    g = np.tanh(np.split(a, 4, axis=1)[3])
    c = f * previous.c + i * g
    return LSTMState(np.tanh(o * c), c), LSTMGates(i, o, g)


def gradients_by_the_complex_step(gates, c_previous, state, dh, dc_next):
    i, o, g = gates
    a = [np.log(i / (1 - i)), np.log(o / (1 - o)), np.arctanh(g)]
    found = []
    for k in range(4):
        nudge = [1e-20j * (k == j) for j in range(4)]
        i_, o_ = (1 / (1 + np.exp(-(a[j] + nudge[j]))) for j in range(2))
        c_ = c_previous + nudge[3]
        c_ = c_ + i_ * (np.tanh(a[2] + nudge[2]) - c_)
        found.append(np.imag(dh * np.tanh(o_ * c_) + dc_next * c_) / 1e-20)
    return LSTMGates(*found[:3]), found[3]


def slopes_in_another_order(gates, c_previous, state, dh, dc_next):
    up = dh / np.cosh(gates.o * state.c) ** 2
    dc = gates.o * up + dc_next
    da_g = (1 - gates.g) * (1 + gates.g) * gates.i * dc
    da_o = (gates.o - gates.o**2) * state.c * up
    kept = dc - gates.i * dc
    return [gates.i * kept * (gates.g - c_previous), da_o, da_g], kept


def the_forget_gate_by_name(gates, c_previous, state, dh, dc_next):
    i, o, g = gates
    f = 1 - i
    dz = dh * (1 - np.tanh(o * state.c) ** 2)
    dc = dz * o + dc_next
    di, df = dc * g, dc * c_previous
    return LSTMGates((di - df) * i * f, dz * state.c * o * (1 - o), dc * i * (1 - g * g)), dc * f


TAPE = '''
class Var:
    def __init__(self, value, parents=()):
        self.value, self.parents, self.grad = value, parents, 0.0

    def __add__(self, other):
        return Var(self.value + other.value, ((self, 1.0), (other, 1.0)))

    def __sub__(self, other):
        return Var(self.value - other.value, ((self, 1.0), (other, -1.0)))

    def __mul__(self, other):
        return Var(self.value * other.value, ((self, other.value), (other, self.value)))

    def through(self, value, slope):
        return Var(value, ((self, slope),))


def walk_back(root, order):
    for node in reversed(order):
        for parent, slope in node.parents:
            parent.grad = parent.grad + node.grad * slope


def gate_gradients(gates, c_previous, state, dh, dc_next):
    """A tape: every operation keeps its inputs and their slopes."""
    i, o, g = gates
    a_i, a_o, a_g, old = Var(0 * i), Var(0 * o), Var(0 * g), Var(c_previous)
    gate_i = a_i.through(i, i * (1 - i))
    gate_o = a_o.through(o, o * (1 - o))
    gate_g = a_g.through(g, 1 - g**2)
    difference = gate_g - old
    step = gate_i * difference
    c = old + step
    shown = gate_o * c
    h = shown.through(np.tanh(shown.value), 1 - np.tanh(shown.value) ** 2)
    h.grad, c.grad = dh, dc_next
    walk_back(h, [gate_i, gate_o, gate_g, difference, step, c, shown, h])
    return LSTMGates(a_i.grad, a_o.grad, a_g.grad), old.grad
'''


def twelve_products(params, x, previous, gates, state, dstate):
    da, dc_previous = gate_gradients(gates, previous.c, state, dstate.h, dstate.c)
    U, V = np.hsplit(params.W_x, 3), np.hsplit(params.W_h, 3)
    dU, dV = [x.T @ d for d in da], [previous.h.T @ d for d in da]
    dparams = LSTMParams(np.hstack(dU), np.hstack(dV), np.hstack([np.ones(len(x)) @ d for d in da]))
    dx, dh_previous = np.zeros(x.shape), np.zeros(previous.h.shape)
    for gate in (2, 0, 1):
        dx += da[gate] @ U[gate].T
        dh_previous += da[gate] @ V[gate].T
    return dparams, dx, LSTMState(h=dh_previous, c=dc_previous)


def one_matrix_for_all(params, x, previous, gates, state, dstate):
    """Input, old h and a one, side by side, meet one tall matrix."""
    D, H = x.shape[1], previous.h.shape[1]
    row = np.concatenate([x, previous.h, np.ones((len(x), 1))], axis=1)
    W = np.concatenate([params.W_x, params.W_h, params.b[None]])
    by_gate, dc_previous = gate_gradients(gates, previous.c, state, *dstate)
    da = np.block([list(by_gate)])
    dW, drow = np.einsum("nj,nk->jk", row, da), np.einsum("nk,jk->nj", da, W)
    dparams = LSTMParams(dW[:D], dW[D : D + H], dW[-1])
    return dparams, drow[:, :D], LSTMState(drow[:, D:-1], dc_previous)


WRONG = (
    Wrong("lstm_step", blocks_as_pytorch_has_them, "gates in another order", 1 / 5),
    Wrong("lstm_step", output_gate_first, "gates in another order", 1 / 5),
    Wrong("lstm_step", no_tanh_on_the_cell, "tanh missing on the cell", 4 / 5),
    Wrong("lstm_step", shown_as_in_chapter_9, "gate outside the tanh", 4 / 5),
    Wrong("lstm_step", sigmoid_of_twice_as_much, "another activation", 1 / 5),
    Wrong("lstm_step", output_bias_in_both_gates, "bias of another gate", 2 / 5),
    Wrong("lstm_step", cell_of_1997, "forget gate missing", 3 / 5),
    Wrong("lstm_step", gates_that_see_the_cell, "h and c exchanged"),
    Wrong("lstm_step", gates_that_look_into_the_cell_alone, "h and c exchanged"),
    Wrong("lstm_step", open_means_keep, "gate for its complement", 3 / 5),
    Wrong("lstm_step", reshaped_with_the_gates_last, "gates interleaved"),
    Wrong("lstm_step", reshaped_with_the_gates_first, "gates interleaved"),
    Wrong("lstm_step", bias_behind_the_sigmoid, "bias outside the activation"),
    Wrong("lstm_step", bias_with_each_product, "counted twice"),
    Wrong("lstm_step", three_sigmoids, "another activation", 2 / 5),
    Wrong("lstm_step", shows_the_cell_from_before, "old state for the new one", 4 / 5),
    Wrong("lstm_step", forget_gate_of_the_output_gate, "one gate for another", 3 / 5),
    Wrong("lstm_step", gates_before_the_state, "shape or type"),
    Wrong("lstm_step", starts_from_a_shut_gate, "", 2 / 5),
    Wrong("lstm_step", no_bias_and_no_tanh, ("bias missing", "tanh missing on the cell")),
    Wrong("lstm_step", blocks_of_w_h_exchanged, "gates in another order", 1 / 5),
    Wrong("lstm_step", old_cell_written_over, "caller's array changed", 1 / 2),
    Wrong("lstm_step", in_single_precision, "right to a few digits only", 1 / 2),
    Wrong("lstm_step", gate_squashed_again, "", 4 / 5),
    Wrong("gate_gradients", one_array_of_three, "shape or type", 1 / 4),
    Wrong("gate_gradients", smoothed_slope, "right to a few digits only", 1 / 2),
    Wrong("gate_gradients", only_the_path_on, "path missing", 1 / 4),
    Wrong("gate_gradients", only_the_path_up, "path missing", 1 / 4),
    Wrong("gate_gradients", output_gate_as_in_chapter_10, "gate outside the tanh"),
    Wrong("gate_gradients", input_gate_as_in_chapter_10, "path missing", 3 / 4),
    Wrong("gate_gradients", forget_gate_without_its_minus, "sign", 3 / 4),
    Wrong("gate_gradients", towards_the_new_cell, "new state for the old one", 3 / 4),
    Wrong("gate_gradients", slope_of_the_tanh_forgotten, "derivative of the activation missing"),
    Wrong("gate_gradients", slope_at_the_cell, "derivative taken at the wrong place"),
    Wrong("gate_gradients", tanh_of_a_tanh, "derivative taken at the wrong place"),
    Wrong("gate_gradients", slope_on_both_paths, "bracket in the wrong place", 1 / 4),
    Wrong("gate_gradients", all_of_the_cell_is_shown, "gate missing on the way back", 1 / 4),
    Wrong("gate_gradients", three_slopes_of_a_sigmoid, "derivative of another activation", 3 / 4),
    Wrong(
        "gate_gradients",
        gradients_of_the_gates_themselves,
        "derivative of the activation missing",
        1 / 4,
    ),
    Wrong(
        "gate_gradients", sigmoid_for_its_slope, "activation in the place of its derivative", 3 / 4
    ),
    Wrong("gate_gradients", output_gate_told_of_the_old_cell, "old state for the new one", 3 / 4),
    Wrong("gate_gradients", output_gate_gets_all_of_dc, "gradient of c for that of h", 3 / 4),
    Wrong("gate_gradients", carousel_on_the_way_back, "gate missing on the way back", 3 / 4),
    Wrong("gate_gradients", keeps_by_the_input_gate, "gate for its complement", 3 / 4),
    Wrong("gate_gradients", added_into_dc_next, "caller's array changed", 1 / 2),
    Wrong("gate_gradients", forgets_before_it_begins, "forget gate applied twice", 1 / 4),
    Wrong("gate_gradients", half_a_slope_pasted, "one gate for another", 3 / 4),
    Wrong("gate_gradients", candidate_gets_what_is_kept, "gate for its complement", 3 / 4),
    Wrong("gate_gradients", input_gate_hears_the_future_alone, "path missing", 3 / 4),
    Wrong("gate_gradients", two_in_each_others_place, "outputs exchanged", 2 / 4),
    Wrong(
        "gate_gradients",
        two_slips,
        ("path missing", "derivative of another activation"),
        1 / 4,
    ),
    Wrong("gate_gradients", dc_held_in_bounds, "", 1 / 4),
    Wrong("lstm_step_backward", dh_overwritten, "gradient overwritten before its last use", 5 / 6),
    Wrong("lstm_step_backward", laid_side_by_side_as_in_keras, "gates in another order", 1 / 6),
    Wrong("lstm_step_backward", stacked_and_reshaped, "gates interleaved", 1 / 6),
    Wrong("lstm_step_backward", square_blocks_not_transposed, "weight transposed", 5 / 6),
    Wrong("lstm_step_backward", two_paths_of_three, "path missing", 4 / 6),
    Wrong(
        "lstm_step_backward", one_bias_pasted_for_another, "gradients of two gates exchanged", 5 / 6
    ),
    Wrong("lstm_step_backward", bias_averaged, "mean for sum", 5 / 6),
    Wrong("lstm_step_backward", everything_averaged, "mean for sum", 3 / 6),
    Wrong("lstm_step_backward", c_before_h, "outputs exchanged", 4 / 6),
    Wrong("lstm_step_backward", gates_on_top_of_each_other, "raises an exception"),
    Wrong("lstm_step_backward", weights_told_of_the_new_h, "new state for the old one", 5 / 6),
    Wrong("lstm_step_backward", weights_told_of_the_cell, "h and c exchanged", 5 / 6),
    Wrong("lstm_step_backward", dh_goes_straight_on, "path too many", 5 / 6),
    Wrong("lstm_step_backward", input_gate_hears_one_path, "path missing", 1 / 6),
    Wrong(
        "lstm_step_backward",
        written_anew_without_slopes,
        "derivative of the activation missing",
        1 / 6,
    ),
    Wrong("lstm_step_backward", no_gradient_from_the_next_cell, "path missing"),
    Wrong("lstm_step_backward", the_two_gradients_crossed, "h and c exchanged"),
    Wrong("lstm_step_backward", one_block_of_w_h_for_all, "", 5 / 6),
    Wrong("lstm_step_backward", back_through_other_blocks, "gates in another order", 5 / 6),
    *lstm_through_time.WRONG,
)
RIGHT = (
    Right("lstm_step", gate_by_gate_with_einsum),
    Right("lstm_step", one_sequence_at_a_time),
    Right("lstm_step", four_gates_after_all),
    Right("gate_gradients", gradients_by_the_complex_step),
    Right("gate_gradients", slopes_in_another_order),
    Right("gate_gradients", the_forget_gate_by_name),
    Right("gate_gradients", TAPE),
    Right("lstm_step_backward", twelve_products),
    Right("lstm_step_backward", one_matrix_for_all),
    *lstm_through_time.RIGHT,
)
