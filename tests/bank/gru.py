"""The bank of assignment 3. The functions run in a notebook that has `np`, `sigmoid`, its NamedTuples and the answers before."""

# ruff: noqa: F821
import numpy as np

from bank.entry import Right, Wrong

# One step, reset after the matrix


def reset_before_the_matrix(params, x, h_previous):  # Dive into Deep Learning, from scratch
    W_xr, W_xz, W_xn = np.split(params.W_x, 3, axis=1)
    W_hr, W_hz, W_hn = np.split(params.W_h, 3, axis=1)
    b_r, b_z, b_n = np.split(params.b, 3)
    r = sigmoid(x @ W_xr + h_previous @ W_hr + b_r)
    z = sigmoid(x @ W_xz + h_previous @ W_hz + b_z)
    n = np.tanh(x @ W_xn + (r * h_previous) @ W_hn + b_n + params.b_hn)
    return z * h_previous + (1 - z) * n, GRUGates(r, z, n)


def second_bias_forgotten(params, x, h_previous):
    a_x, a_h = np.split(x @ params.W_x + params.b, 3, axis=1), np.split(h_previous @ params.W_h, 3, axis=1)
    r, z = sigmoid(a_x[0] + a_h[0]), sigmoid(a_x[1] + a_h[1])
    n = np.tanh(a_x[2] + r * a_h[2])
    return z * h_previous + (1 - z) * n, GRUGates(r, z, n)


def second_bias_outside(params, x, h_previous):
    a_x, a_h = np.split(x @ params.W_x + params.b, 3, axis=1), np.split(h_previous @ params.W_h, 3, axis=1)
    r, z = sigmoid(a_x[0] + a_h[0]), sigmoid(a_x[1] + a_h[1])
    n = np.tanh(a_x[2] + r * a_h[2] + params.b_hn)
    return z * h_previous + (1 - z) * n, GRUGates(r, z, n)


def z_on_the_candidate(params, x, h_previous):  # Chung et al., equation 5
    a_x, a_h = np.split(x @ params.W_x + params.b, 3, axis=1), np.split(h_previous @ params.W_h, 3, axis=1)
    r, z = sigmoid(a_x[0] + a_h[0]), sigmoid(a_x[1] + a_h[1])
    n = np.tanh(a_x[2] + r * (a_h[2] + params.b_hn))
    return (1 - z) * h_previous + z * n, GRUGates(r, z, n)


def gates_as_keras_has_them(params, x, h_previous):
    a_z, a_r, a_n = np.split(x @ params.W_x + params.b, 3, axis=1)
    h_z, h_r, h_n = np.split(h_previous @ params.W_h, 3, axis=1)
    r, z = sigmoid(a_r + h_r), sigmoid(a_z + h_z)
    n = np.tanh(a_n + r * (h_n + params.b_hn))
    return z * h_previous + (1 - z) * n, GRUGates(r, z, n)


def bias_of_r_in_z(params, x, h_previous):  # CMU 11-785, HW3P1
    a_x, a_h = np.split(x @ params.W_x, 3, axis=1), np.split(h_previous @ params.W_h, 3, axis=1)
    b_r, b_z, b_n = np.split(params.b, 3)
    r, z = sigmoid(a_x[0] + a_h[0] + b_r), sigmoid(a_x[1] + a_h[1] + b_r)
    n = np.tanh(a_x[2] + b_n + r * (a_h[2] + params.b_hn))
    return z * h_previous + (1 - z) * n, GRUGates(r, z, n)


def sigmoid_of_2x(params, x, h_previous):  # HIPS/autograd, issue 346
    def gate(a):
        return 0.5 * (np.tanh(a) + 1)

    a_x, a_h = np.split(x @ params.W_x + params.b, 3, axis=1), np.split(h_previous @ params.W_h, 3, axis=1)
    r, z = gate(a_x[0] + a_h[0]), gate(a_x[1] + a_h[1])
    n = np.tanh(a_x[2] + r * (a_h[2] + params.b_hn))
    return z * h_previous + (1 - z) * n, GRUGates(r, z, n)


def state_alone(params, x, h_previous):
    a_x, a_h = np.split(x @ params.W_x + params.b, 3, axis=1), np.split(h_previous @ params.W_h, 3, axis=1)
    r, z = sigmoid(a_x[0] + a_h[0]), sigmoid(a_x[1] + a_h[1])
    return z * h_previous + (1 - z) * np.tanh(a_x[2] + r * (a_h[2] + params.b_hn))


def single_precision(params, x, h_previous):
    params = GRUParams(*(p.astype(np.float32) for p in params))
    a_x = np.split(x.astype(np.float32) @ params.W_x + params.b, 3, axis=1)
    a_h = np.split(h_previous.astype(np.float32) @ params.W_h, 3, axis=1)
    r, z = sigmoid(a_x[0] + a_h[0]), sigmoid(a_x[1] + a_h[1])
    n = np.tanh(a_x[2] + r * (a_h[2] + params.b_hn))
    return z * h_previous + (1 - z) * n, GRUGates(r, z, n)


# Back to the gates


def slope_of_tanh_missing(params, h_previous, gates, dh):
    r, z, n = gates
    s = h_previous @ np.split(params.W_h, 3, axis=1)[2] + params.b_hn
    da_n = dh * (1 - z)
    return GRUGates(da_n * s * r * (1 - r), dh * (h_previous - n) * z * (1 - z), da_n), da_n * r


def slope_of_tanh_for_the_gates(params, h_previous, gates, dh):
    r, z, n = gates
    s = h_previous @ np.split(params.W_h, 3, axis=1)[2] + params.b_hn
    da_n = dh * (1 - z) * (1 - n**2)
    return GRUGates(da_n * s * (1 - r**2), dh * (h_previous - n) * (1 - z**2), da_n), da_n * r


def one_use_of_z(params, h_previous, gates, dh):
    r, z, n = gates
    s = h_previous @ np.split(params.W_h, 3, axis=1)[2] + params.b_hn
    da_n = dh * (1 - z) * (1 - n**2)
    return GRUGates(da_n * s * r * (1 - r), dh * h_previous * z * (1 - z), da_n), da_n * r


def not_through_the_reset(params, h_previous, gates, dh):
    r, z, n = gates
    s = h_previous @ np.split(params.W_h, 3, axis=1)[2] + params.b_hn
    da_n = dh * (1 - z) * (1 - n**2)
    return GRUGates(da_n * s * r * (1 - r), dh * (h_previous - n) * z * (1 - z), da_n), da_n


def s_without_its_bias(params, h_previous, gates, dh):
    r, z, n = gates
    s = h_previous @ np.split(params.W_h, 3, axis=1)[2]
    da_n = dh * (1 - z) * (1 - n**2)
    return GRUGates(da_n * s * r * (1 - r), dh * (h_previous - n) * z * (1 - z), da_n), da_n * r


def each_factor_gets_itself(params, h_previous, gates, dh):
    r, z, n = gates
    s = h_previous @ np.split(params.W_h, 3, axis=1)[2] + params.b_hn
    da_n = dh * (1 - z) * (1 - n**2)
    return GRUGates(da_n * r * r * (1 - r), dh * (h_previous - n) * z * (1 - z), da_n), da_n * s


def two_slips_at_once(params, h_previous, gates, dh):  # the candidate through z, and s without its bias: both are in da.r
    r, z, n = gates
    s = h_previous @ np.split(params.W_h, 3, axis=1)[2]
    da_n = dh * z * (1 - n**2)
    return GRUGates(da_n * s * r * (1 - r), dh * (h_previous - n) * z * (1 - z), da_n), da_n * r


def gradient_of_the_caller_reused(params, h_previous, gates, dh):
    r, z, n = gates
    s = h_previous @ np.split(params.W_h, 3, axis=1)[2] + params.b_hn
    da_z = dh * (h_previous - n) * z * (1 - z)
    dh *= (1 - z) * (1 - n**2)
    return GRUGates(dh * s * r * (1 - r), da_z, dh.copy()), dh * r


# One step back


def one_gradient_for_both_sides(params, x, h_previous, gates, dh):
    da, ds = gate_gradients(params, h_previous, gates, dh)
    a = np.hstack(da)
    dparams = GRUParams(x.T @ a, h_previous.T @ a, a.sum(0), ds.sum(0))
    return dparams, a @ params.W_x.T, dh * gates.z + a @ params.W_h.T


def input_through_the_reset(params, x, h_previous, gates, dh):
    da, ds = gate_gradients(params, h_previous, gates, dh)
    a = np.hstack([da.r, da.z, ds])
    dparams = GRUParams(x.T @ a, h_previous.T @ a, a.sum(0), ds.sum(0))
    return dparams, a @ params.W_x.T, dh * gates.z + a @ params.W_h.T


def kept_road_lost(params, x, h_previous, gates, dh):
    da, ds = gate_gradients(params, h_previous, gates, dh)
    a_x, a_h = np.hstack(da), np.hstack([da.r, da.z, ds])
    return GRUParams(x.T @ a_x, h_previous.T @ a_h, a_x.sum(0), ds.sum(0)), a_x @ params.W_x.T, a_h @ params.W_h.T


def kept_by_the_complement(params, x, h_previous, gates, dh):
    da, ds = gate_gradients(params, h_previous, gates, dh)
    a_x, a_h = np.hstack(da), np.hstack([da.r, da.z, ds])
    dparams = GRUParams(x.T @ a_x, h_previous.T @ a_h, a_x.sum(0), ds.sum(0))
    return dparams, a_x @ params.W_x.T, dh * (1 - gates.z) + a_h @ params.W_h.T


def averaged_over_the_batch(params, x, h_previous, gates, dh):
    da, ds = gate_gradients(params, h_previous, gates, dh)
    a_x, a_h, count = np.hstack(da), np.hstack([da.r, da.z, ds]), len(x)
    dparams = GRUParams(x.T @ a_x / count, h_previous.T @ a_h / count, a_x.mean(0), ds.mean(0))
    return dparams, a_x @ params.W_x.T, dh * gates.z + a_h @ params.W_h.T


def forward_matrices_on_the_way_back(params, x, h_previous, gates, dh):
    da, ds = gate_gradients(params, h_previous, gates, dh)
    a_x, a_h = np.hstack(da), np.hstack([da.r, da.z, ds])
    W_hr, W_hz, W_hn = np.split(params.W_h, 3, axis=1)
    dparams = GRUParams(x.T @ a_x, h_previous.T @ a_h, a_x.sum(0), ds.sum(0))
    return dparams, a_x @ params.W_x.T, dh * gates.z + da.r @ W_hr + da.z @ W_hz + ds @ W_hn


def blocks_as_keras_has_them(params, x, h_previous, gates, dh):
    da, ds = gate_gradients(params, h_previous, gates, dh)
    a_x, a_h = np.hstack([da.z, da.r, da.n]), np.hstack([da.z, da.r, ds])
    dparams = GRUParams(x.T @ a_x, h_previous.T @ a_h, a_x.sum(0), ds.sum(0))
    return dparams, a_x @ params.W_x.T, dh * gates.z + a_h @ params.W_h.T


def candidate_for_the_old_state(params, x, h_previous, gates, dh):
    da, ds = gate_gradients(params, h_previous, gates, dh)
    a_x, a_h = np.hstack(da), np.hstack([da.r, da.z, ds])
    dparams = GRUParams(x.T @ a_x, gates.n.T @ a_h, a_x.sum(0), ds.sum(0))
    return dparams, a_x @ params.W_x.T, dh * gates.z + a_h @ params.W_h.T


# One step, reset before the matrix


def reset_after_the_matrix(params, x, h_previous):
    a_x, a_h = np.split(x @ params.W_x + params.b, 3, axis=1), np.split(h_previous @ params.W_h, 2, axis=1)
    r, z = sigmoid(a_x[0] + a_h[0]), sigmoid(a_x[1] + a_h[1])
    n = np.tanh(a_x[2] + r * (h_previous @ params.W_hn))
    return z * h_previous + (1 - z) * n, GRUGates(r, z, n)


def never_reset(params, x, h_previous):
    a_x, a_h = np.split(x @ params.W_x + params.b, 3, axis=1), np.split(h_previous @ params.W_h, 2, axis=1)
    r, z = sigmoid(a_x[0] + a_h[0]), sigmoid(a_x[1] + a_h[1])
    n = np.tanh(a_x[2] + h_previous @ params.W_hn)
    return z * h_previous + (1 - z) * n, GRUGates(r, z, n)


# One step back, reset before the matrix


def one_minus_delta(params, x, h_previous, gates, dh):  # the GRU vignette of the R package rnn, line 6
    r, z, n = gates
    da_n = dh * (1 - z) * (1 - n**2)
    dm = da_n @ params.W_hn.T
    da_r, da_z = dm * h_previous * r * (1 - r), (dh * h_previous + (1 - dh * n)) * z * (1 - z)
    a_x, a_h = np.hstack([da_r, da_z, da_n]), np.hstack([da_r, da_z])
    dparams = GRUBeforeParams(x.T @ a_x, h_previous.T @ a_h, a_x.sum(0), (r * h_previous).T @ da_n)
    return dparams, a_x @ params.W_x.T, dh * z + dm * r + a_h @ params.W_h.T


def deltas_exchanged(params, x, h_previous, gates, dh):  # the same vignette, its last lines
    r, z, n = gates
    da_n = dh * (1 - z) * (1 - n**2)
    dm = da_n @ params.W_hn.T
    da_r, da_z = dm * h_previous * r * (1 - r), dh * (h_previous - n) * z * (1 - z)
    a_x, a_h = np.hstack([da_n, da_z, da_r]), np.hstack([da_n, da_z])
    dparams = GRUBeforeParams(x.T @ a_x, h_previous.T @ a_h, a_x.sum(0), (r * h_previous).T @ da_r)
    dx = np.hstack([da_r, da_z, da_n]) @ params.W_x.T
    return dparams, dx, dh * z + dm * r + np.hstack([da_r, da_z]) @ params.W_h.T


def reset_from_the_road_to_the_state(params, x, h_previous, gates, dh):  # the same vignette, delta 18
    r, z, n = gates
    da_n = dh * (1 - z) * (1 - n**2)
    dm = da_n @ params.W_hn.T
    da_r, da_z = dm * r * r * (1 - r), dh * (h_previous - n) * z * (1 - z)
    a_x, a_h = np.hstack([da_r, da_z, da_n]), np.hstack([da_r, da_z])
    dparams = GRUBeforeParams(x.T @ a_x, h_previous.T @ a_h, a_x.sum(0), (r * h_previous).T @ da_n)
    return dparams, a_x @ params.W_x.T, dh * z + dm * r + a_h @ params.W_h.T


def way_back_of_the_other_form(params, x, h_previous, gates, dh):
    r, z, n = gates
    da_n = dh * (1 - z) * (1 - n**2)
    ds = da_n * r
    da_r, da_z = da_n * (h_previous @ params.W_hn) * r * (1 - r), dh * (h_previous - n) * z * (1 - z)
    a_x, a_h = np.hstack([da_r, da_z, da_n]), np.hstack([da_r, da_z])
    dparams = GRUBeforeParams(x.T @ a_x, h_previous.T @ a_h, a_x.sum(0), h_previous.T @ ds)
    return dparams, a_x @ params.W_x.T, dh * z + ds @ params.W_hn.T + a_h @ params.W_h.T


def weights_from_the_whole_state(params, x, h_previous, gates, dh):
    r, z, n = gates
    da_n = dh * (1 - z) * (1 - n**2)
    dm = da_n @ params.W_hn.T
    da_r, da_z = dm * h_previous * r * (1 - r), dh * (h_previous - n) * z * (1 - z)
    a_x, a_h = np.hstack([da_r, da_z, da_n]), np.hstack([da_r, da_z])
    dparams = GRUBeforeParams(x.T @ a_x, h_previous.T @ a_h, a_x.sum(0), h_previous.T @ da_n)
    return dparams, a_x @ params.W_x.T, dh * z + dm * r + a_h @ params.W_h.T


def candidates_road_lost(params, x, h_previous, gates, dh):
    r, z, n = gates
    da_n = dh * (1 - z) * (1 - n**2)
    dm = da_n @ params.W_hn.T
    da_r, da_z = dm * h_previous * r * (1 - r), dh * (h_previous - n) * z * (1 - z)
    a_x, a_h = np.hstack([da_r, da_z, da_n]), np.hstack([da_r, da_z])
    dparams = GRUBeforeParams(x.T @ a_x, h_previous.T @ a_h, a_x.sum(0), (r * h_previous).T @ da_n)
    return dparams, a_x @ params.W_x.T, dh * z + a_h @ params.W_h.T


def square_matrix_not_transposed(params, x, h_previous, gates, dh):
    r, z, n = gates
    da_n = dh * (1 - z) * (1 - n**2)
    dm = da_n @ params.W_hn
    da_r, da_z = dm * h_previous * r * (1 - r), dh * (h_previous - n) * z * (1 - z)
    a_x, a_h = np.hstack([da_r, da_z, da_n]), np.hstack([da_r, da_z])
    dparams = GRUBeforeParams(x.T @ a_x, h_previous.T @ a_h, a_x.sum(0), (r * h_previous).T @ da_n)
    return dparams, a_x @ params.W_x.T, dh * z + dm * r + a_h @ params.W_h.T


def the_whole_page(params, x, h_previous, gates, dh):  # all four slips of that vignette, with z as in (9.2)
    r, z, n = gates
    dn = dh * (1 - z)
    da_n, da_z = dn * (1 - n**2), (dh * h_previous + dn) * z * (1 - z)
    dm = da_n @ params.W_hn.T
    da_r = dm * r * r * (1 - r)
    a_x, a_h = np.hstack([da_n, da_z, da_r]), np.hstack([da_n, da_z])
    dparams = GRUBeforeParams(x.T @ a_x, h_previous.T @ a_h, a_x.sum(0), (r * h_previous).T @ da_r)
    return dparams, a_x @ params.W_x.T, dh * z + dm * r + a_h @ params.W_h.T


# The other z


def complement_of_the_weights(W_x, W_h, b):
    H = len(W_h)
    new = [W_x.copy(), W_h.copy(), b.copy()]
    for array in new:
        array[..., H : 2 * H] = 1 - array[..., H : 2 * H]
    return tuple(new)


def in_the_callers_arrays(W_x, W_h, b):
    H = len(W_h)
    for array in (W_x, W_h, b):
        array[..., H : 2 * H] *= -1
    return W_x, W_h, b


def bias_left_alone(W_x, W_h, b):
    r, z, n = np.split(W_x, 3, axis=1)
    h_r, h_z, h_n = np.split(W_h, 3, axis=1)
    return np.hstack([r, -z, n]), np.hstack([h_r, -h_z, h_n]), b


def everything_negated(W_x, W_h, b):
    return -W_x, -W_h, -b


def first_block_as_in_keras(W_x, W_h, b):
    H = len(W_h)
    signs = np.r_[-np.ones(H), np.ones(2 * H)]
    return W_x * signs, W_h * signs, b * signs


def every_third_column(W_x, W_h, b):
    signs = np.ones(W_h.shape[1])
    signs[1::3] = -1
    return W_x * signs, W_h * signs, b * signs


WRONG = (
    Wrong("gru_step", reset_before_the_matrix, "the other form of the GRU", 1 / 2),
    Wrong("gru_step", second_bias_forgotten, "bias missing", 1 / 2),
    Wrong("gru_step", second_bias_outside, "bias outside the reset", 1 / 2),
    Wrong("gru_step", z_on_the_candidate, "the other convention for z", 3 / 4),
    Wrong("gru_step", gates_as_keras_has_them, "gates in another order"),
    Wrong("gru_step", bias_of_r_in_z, "bias of another gate", 1 / 2),
    Wrong("gru_step", sigmoid_of_2x, "another activation"),
    Wrong("gru_step", state_alone, "shape or type"),
    Wrong("gru_step", single_precision, "float32 or few digits", 1 / 2),
    Wrong("gate_gradients", slope_of_tanh_missing, "derivative of the activation missing", 1 / 4),
    Wrong("gate_gradients", slope_of_tanh_for_the_gates, "derivative of another activation", 1 / 2),
    Wrong("gate_gradients", one_use_of_z, "path missing", 3 / 4),
    Wrong("gate_gradients", not_through_the_reset, "reset gate missing on the way back", 3 / 4),
    Wrong("gate_gradients", s_without_its_bias, "bias missing", 3 / 4),
    Wrong("gate_gradients", each_factor_gets_itself, "factors of a product exchanged", 1 / 2),
    Wrong("gate_gradients", two_slips_at_once, "gate for its complement", 1 / 4),
    Wrong("gate_gradients", gradient_of_the_caller_reused, "caller's array changed", 1 / 2),
    Wrong("gru_step_backward", one_gradient_for_both_sides, "reset gate missing on the way back", 4 / 6),
    Wrong("gru_step_backward", input_through_the_reset, "reset gate on the way to the input", 3 / 6),
    Wrong("gru_step_backward", kept_road_lost, "path missing", 5 / 6),
    Wrong("gru_step_backward", kept_by_the_complement, "gate for its complement", 5 / 6),
    Wrong("gru_step_backward", averaged_over_the_batch, "mean for sum", 2 / 6),
    Wrong("gru_step_backward", forward_matrices_on_the_way_back, "weight transposed", 5 / 6),
    Wrong("gru_step_backward", blocks_as_keras_has_them, "gates in another order", 1 / 6),
    Wrong("gru_step_backward", candidate_for_the_old_state, "", 5 / 6),
    Wrong("gru_before_step", reset_after_the_matrix, "the other form of the GRU", 1 / 2),
    Wrong("gru_before_step", never_reset, "reset gate missing", 1 / 2),
    Wrong("gru_before_step_backward", one_minus_delta, "one minus a gradient", 1 / 6),
    Wrong("gru_before_step_backward", deltas_exchanged, "gradients of two gates exchanged", 2 / 6),
    Wrong("gru_before_step_backward", reset_from_the_road_to_the_state, "factors of a product exchanged", 1 / 6),
    Wrong("gru_before_step_backward", way_back_of_the_other_form, "the other form of the GRU"),
    Wrong("gru_before_step_backward", weights_from_the_whole_state, "reset gate missing on the way back", 5 / 6),
    Wrong("gru_before_step_backward", candidates_road_lost, "path missing", 5 / 6),
    Wrong("gru_before_step_backward", square_matrix_not_transposed, "weight transposed", 1 / 6),
    Wrong("gru_before_step_backward", the_whole_page, ""),
    Wrong("other_z", complement_of_the_weights, "complement of the weights"),
    Wrong("other_z", in_the_callers_arrays, "caller's array changed", 1 / 2),
    Wrong("other_z", bias_left_alone, "nothing changed", 2 / 3),
    Wrong("other_z", everything_negated, "another gate changed"),
    Wrong("other_z", first_block_as_in_keras, "another gate changed"),
    Wrong("other_z", every_third_column, ""),
)


def entry_by_entry(params, x, h_previous):
    B, H = h_previous.shape
    r, z, n, h = (np.empty((B, H)) for _ in range(4))
    for m in range(B):
        for k in range(H):
            total = [params.b[g * H + k] for g in range(3)]
            for g in range(3):
                for i in range(x.shape[1]):
                    total[g] += x[m, i] * params.W_x[i, g * H + k]
            heard = [sum(h_previous[m, i] * params.W_h[i, g * H + k] for i in range(H)) for g in range(3)]
            r[m, k] = 1 / (1 + np.exp(-total[0] - heard[0]))
            z[m, k] = 1 / (1 + np.exp(-total[1] - heard[1]))
            n[m, k] = np.tanh(total[2] + r[m, k] * (heard[2] + params.b_hn[k]))
            h[m, k] = n[m, k] + z[m, k] * (h_previous[m, k] - n[m, k])
    return h, GRUGates(r, z, n)


def by_einsum_with_axes_of_gates(params, x, h_previous):
    B, H = h_previous.shape
    a_x = np.einsum("bd,dgh->gbh", x, params.W_x.reshape(-1, 3, H)) + params.b.reshape(3, 1, H)
    a_h = np.einsum("bk,kgh->gbh", h_previous, params.W_h.reshape(H, 3, H))
    r, z = 0.5 * (1 + np.tanh((a_x[:2] + a_h[:2]) / 2))
    n = np.tanh(r * params.b_hn + r * a_h[2] + a_x[2])
    return n - z * n + z * h_previous, (r, z, n)


def by_the_complex_step(params, h_previous, gates, dh):
    H = h_previous.shape[1]
    s = h_previous @ params.W_h[:, 2 * H :] + params.b_hn
    a_r, a_z = (np.log(gate / (1 - gate)) for gate in gates[:2])
    places = [a_r, a_z, np.arctanh(gates.n) - gates.r * s, s]

    def loss(a_r, a_z, a_xn, s):
        z = sigmoid(a_z)
        return np.sum(dh * (z * h_previous + (1 - z) * np.tanh(a_xn + sigmoid(a_r) * s)))

    gradients = [np.zeros(dh.shape) for _ in places]
    for k, gradient in enumerate(gradients):
        for index in np.ndindex(dh.shape):
            moved = [place.astype(complex) for place in places]
            moved[k][index] += 1e-20j
            gradient[index] = loss(*moved).imag / 1e-20
    return GRUGates(*gradients[:3]), gradients[3]


def gate_by_gate_with_nothing_handed_on(params, x, h_previous, gates, dh):
    W_x, W_h, b = (np.split(p, 3, axis=-1) for p in params[:3])
    r = 1 / (1 + np.exp(-(x @ W_x[0] + h_previous @ W_h[0] + b[0])))
    z = 1 / (1 + np.exp(-(x @ W_x[1] + h_previous @ W_h[1] + b[1])))
    s = h_previous @ W_h[2] + params.b_hn
    n = np.tanh(x @ W_x[2] + b[2] + r * s)
    da_n = (dh - dh * z) * (1 - n) * (1 + n)
    to_x = [da_n * s * (r - r**2), (dh * h_previous - dh * n) * (z - z**2), da_n]
    to_h = [to_x[0], to_x[1], r * da_n]
    dx, dh_previous = 0, z * dh
    for k in range(3):
        dx, dh_previous = dx + to_x[k] @ W_x[k].T, dh_previous + to_h[k] @ W_h[k].T
    dW_x, dW_h = (np.hstack([left.T @ d for d in ds]) for left, ds in ((x, to_x), (h_previous, to_h)))
    db = np.concatenate([np.ones(len(x)) @ d for d in to_x])
    return [dW_x, dW_h, db, np.ones(len(x)) @ to_h[2]], dx, dh_previous


def columns_for_rows(params, x, h_previous):
    x, h, H = np.asfortranarray(x.T), h_previous.T, h_previous.shape[1]
    W_rz = np.vstack([params.W_x[:, : 2 * H], params.W_h]).T
    gates = sigmoid(W_rz @ np.vstack([x, h]) + params.b[: 2 * H, None])
    r, z = gates[:H], gates[H:]
    n = np.tanh(params.W_hn.T @ (h * r) + params.W_x[:, 2 * H :].T @ x + params.b[2 * H :, None])
    return (h * z + n * (1 - z)).T, GRUGates(r.T, z.T, n.T)


def one_sequence_at_a_time(params, x, h_previous, gates, dh):
    H = h_previous.shape[1]
    W_x, W_h, b, W_hn = (np.zeros(p.shape) for p in params)
    dx, dh_previous = np.zeros(x.shape), np.zeros(h_previous.shape)
    for m, (x_m, h_m, dh_m) in enumerate(zip(x, h_previous, dh)):
        r, z, n = (gate[m] for gate in gates)
        a_n = dh_m * (1 - z) * (1 - n * n)
        back = params.W_hn.dot(a_n)
        a = np.concatenate([back * h_m * r * (1 - r), dh_m * (h_m - n) * z * (1 - z), a_n])
        W_x += np.outer(x_m, a)
        W_h += np.outer(h_m, a[: 2 * H])
        b += a
        W_hn += np.outer(r * h_m, a_n)
        dx[m] = params.W_x.dot(a)
        dh_previous[m] = params.W_h.dot(a[: 2 * H]) + back * r + dh_m * z
    return GRUBeforeParams(W_x, W_h, b, W_hn), dx, dh_previous


def by_a_vector_of_signs(W_x, W_h, b):
    signs = np.repeat([1.0, -1.0, 1.0], len(W_h))
    return W_x @ np.diag(signs), W_h * signs, signs * b


RIGHT = (
    Right("gru_step", entry_by_entry),
    Right("gru_step", by_einsum_with_axes_of_gates),
    Right("gate_gradients", by_the_complex_step),
    Right("gru_step_backward", gate_by_gate_with_nothing_handed_on),
    Right("gru_before_step", columns_for_rows),
    Right("gru_before_step_backward", one_sequence_at_a_time),
    Right("other_z", by_a_vector_of_signs),
)
