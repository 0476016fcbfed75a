"""The bank of assignment 3: answers as students write them, wrong and right.

Each is a whole function, written for itself and not an edit of the instructor's. The functions run
in a notebook that has `np`, `sigmoid`, the NamedTuples and the answers before them.
"""

# ruff: noqa: F821
import numpy as np

from assignments.bank.entry import Right, Wrong

# Question 1, gru_step


def reset_before_the_matrix(params, x, h_previous):  # Dive into Deep Learning, from scratch
    W_xr, W_xz, W_xn = np.split(params.W_x, 3, axis=1)
    W_hr, W_hz, W_hn = np.split(params.W_h, 3, axis=1)
    b_r, b_z, b_n = np.split(params.b, 3)
    r = sigmoid(x @ W_xr + h_previous @ W_hr + b_r)
    z = sigmoid(x @ W_xz + h_previous @ W_hz + b_z)
    n = np.tanh(x @ W_xn + (r * h_previous) @ W_hn + b_n + params.b_hn)
    return (1 - z) * h_previous + z * n, GRUGates(r, z, n)


def reset_before_without_its_bias(params, x, h_previous):
    H = h_previous.shape[1]
    rz = sigmoid(
        x @ params.W_x[:, : 2 * H] + h_previous @ params.W_h[:, : 2 * H] + params.b[: 2 * H]
    )
    reset, update = rz[:, :H], rz[:, H:]
    new = np.tanh(
        x @ params.W_x[:, 2 * H :]
        + params.b[2 * H :]
        + np.dot(reset * h_previous, params.W_h[:, 2 * H :])
    )
    return h_previous + update * (new - h_previous), GRUGates(reset, update, new)


def gates_as_keras_has_them(params, x, h_previous):
    a_z, a_r, a_n = np.split(x @ params.W_x + params.b, 3, axis=1)
    h_z, h_r, h_n = np.split(h_previous @ params.W_h, 3, axis=1)
    r, z = sigmoid(a_r + h_r), sigmoid(a_z + h_z)
    n = np.tanh(a_n + r * (h_n + params.b_hn))
    return n + (1 - z) * (h_previous - n), GRUGates(r, z, n)


def candidate_in_the_middle(params, x, h_previous):
    H = len(params.b_hn)
    first, second, third = slice(0, H), slice(H, 2 * H), slice(2 * H, 3 * H)
    i2h, h2h = np.dot(x, params.W_x) + params.b, np.dot(h_previous, params.W_h)
    r = sigmoid(i2h[:, first] + h2h[:, first])
    z = sigmoid(i2h[:, third] + h2h[:, third])
    n = np.tanh(i2h[:, second] + r * (h2h[:, second] + params.b_hn))
    return (1 - z) * h_previous + z * n, GRUGates(r=r, z=z, n=n)


def order_of_the_state_alone(params, x, h_previous):
    H = h_previous.shape[-1]
    U_z, U_r, U_n = params.W_h[:, :H], params.W_h[:, H : 2 * H], params.W_h[:, 2 * H :]
    x_r, x_z, x_n = np.hsplit(x @ params.W_x + params.b, 3)
    r = sigmoid(x_r + h_previous @ U_r)
    z = sigmoid(x_z + h_previous @ U_z)
    n = np.tanh(x_n + r * (h_previous @ U_n + params.b_hn))
    return (1 - z) * h_previous + z * n, GRUGates(r, z, n)


def bias_of_r_in_z(params, x, h_previous):  # CMU 11-785, HW3P1
    a_x, a_h = np.split(x @ params.W_x, 3, axis=1), np.split(h_previous @ params.W_h, 3, axis=1)
    b_r, b_z, b_n = np.split(params.b, 3)
    r, z = sigmoid(a_x[0] + a_h[0] + b_r), sigmoid(a_x[1] + a_h[1] + b_r)
    n = np.tanh(a_x[2] + b_n + r * (a_h[2] + params.b_hn))
    return (1 - z) * h_previous + z * n, GRUGates(r, z, n)


def gates_without_bias(params, x, h_previous):
    W, U = np.split(params.W_x, 3, 1), np.split(params.W_h, 3, 1)
    r = sigmoid(x @ W[0] + h_previous @ U[0])
    z = sigmoid(x @ W[1] + h_previous @ U[1])
    n = np.tanh(x @ W[2] + r * (h_previous @ U[2] + params.b_hn))
    return z * n + (1 - z) * h_previous, GRUGates(r, z, n)


def state_alone(params, x, h_previous):
    a_x, a_h = (
        np.split(x @ params.W_x + params.b, 3, axis=1),
        np.split(h_previous @ params.W_h, 3, axis=1),
    )
    r, z = sigmoid(a_x[0] + a_h[0]), sigmoid(a_x[1] + a_h[1])
    return (1 - z) * h_previous + z * np.tanh(a_x[2] + r * (a_h[2] + params.b_hn))


def single_precision(params, x, h_previous):
    params = GRUParams(*(p.astype(np.float32) for p in params))
    a_x = np.split(x.astype(np.float32) @ params.W_x + params.b, 3, axis=1)
    a_h = np.split(h_previous.astype(np.float32) @ params.W_h, 3, axis=1)
    r, z = sigmoid(a_x[0] + a_h[0]), sigmoid(a_x[1] + a_h[1])
    n = np.tanh(a_x[2] + r * (a_h[2] + params.b_hn))
    return (1 - z) * h_previous + z * n, GRUGates(r, z, n)


def as_the_chapter_has_it(params, x, h_previous):
    a_xr, a_xz, a_xn = np.split(x @ params.W_x + params.b, 3, axis=1)
    a_hr, a_hz, a_hn = np.split(h_previous @ params.W_h, 3, axis=1)
    r, z = sigmoid(a_xr + a_hr), sigmoid(a_xz + a_hz)
    s = a_hn + params.b_hn
    n = np.tanh(a_xn + r * s)
    h = z * h_previous + (1 - z) * n
    return h, GRUGates(r, z, n)


def the_candidate_is_the_state(params, x, h_previous):
    pre = [np.split(a, 3, axis=1) for a in (x @ params.W_x + params.b, h_previous @ params.W_h)]
    r = sigmoid(pre[0][0] + pre[1][0])
    z = sigmoid(pre[0][1] + pre[1][1])
    h = np.tanh(pre[0][2] + r * (pre[1][2] + params.b_hn))
    return h, GRUGates(r, z, h)


def old_state_added_whole(params, x, h_previous):
    gx = (x @ params.W_x + params.b).reshape(len(x), 3, -1)
    gh = (h_previous @ params.W_h).reshape(len(x), 3, -1)
    r, z = sigmoid(gx[:, 0] + gh[:, 0]), sigmoid(gx[:, 1] + gh[:, 1])
    n = np.tanh(gx[:, 2] + r * (gh[:, 2] + params.b_hn))
    return h_previous + z * n, GRUGates(r, z, n)


def bias_behind_the_tanh(params, x, h_previous):
    W_xr, W_xz, W_xn = np.split(params.W_x, 3, axis=1)
    W_hr, W_hz, W_hn = np.split(params.W_h, 3, axis=1)
    b_r, b_z, b_n = np.split(params.b, 3)
    rt = sigmoid(x @ W_xr + h_previous @ W_hr + b_r)
    zt = sigmoid(x @ W_xz + h_previous @ W_hz + b_z)
    nt = np.tanh(x @ W_xn + b_n + rt * (h_previous @ W_hn)) + params.b_hn
    return (1 - zt) * h_previous + zt * nt, GRUGates(rt, zt, nt)


def bias_next_to_the_reset(params, x, h_previous):
    H = h_previous.shape[1]
    xs, hs = x @ params.W_x + params.b, h_previous @ params.W_h
    r = sigmoid(xs[:, :H] + hs[:, :H])
    z = sigmoid(xs[:, H : 2 * H] + hs[:, H : 2 * H])
    candidate = xs[:, 2 * H :].copy()
    candidate += r * hs[:, 2 * H :]
    candidate += params.b_hn
    n = np.tanh(candidate)
    return (1 - z) * h_previous + z * n, GRUGates(r, z, n)


def all_biases_with_the_state(params, x, h_previous):
    W, U, b = np.hsplit(params.W_x, 3), np.hsplit(params.W_h, 3), np.split(params.b, 3)
    r = sigmoid(x @ W[0] + (h_previous @ U[0] + b[0]))
    z = sigmoid(x @ W[1] + (h_previous @ U[1] + b[1]))
    n = np.tanh(x @ W[2] + r * (h_previous @ U[2] + b[2] + params.b_hn))
    return (1 - z) * h_previous + z * n, GRUGates(r, z, n)


def two_biases_as_in_pytorch(params, x, h_previous):
    i_r, i_z, i_n = np.split(x @ params.W_x + params.b, 3, axis=1)
    h_r, h_z, h_n = np.split(h_previous @ params.W_h + params.b, 3, axis=1)
    resetgate = sigmoid(i_r + h_r)
    inputgate = sigmoid(i_z + h_z)
    newgate = np.tanh(i_n + resetgate * (h_n + params.b_hn))
    return h_previous + inputgate * (newgate - h_previous), GRUGates(resetgate, inputgate, newgate)


def no_b_hn(params, x, h_previous):
    a = x @ params.W_x + params.b
    c = h_previous @ params.W_h
    r, z = (sigmoid(np.split(a, 3, 1)[k] + np.split(c, 3, 1)[k]) for k in (0, 1))
    n = np.tanh(np.split(a, 3, 1)[2] + r * np.split(c, 3, 1)[2])
    return (1 - z) * h_previous + z * n, GRUGates(r, z, n)


def gates_by_reshape(params, x, h_previous):
    B, H = h_previous.shape
    a_x = (x @ params.W_x + params.b).reshape(B, H, 3)
    a_h = (h_previous @ params.W_h).reshape(B, H, 3)
    r, z = sigmoid(a_x[..., 0] + a_h[..., 0]), sigmoid(a_x[..., 1] + a_h[..., 1])
    n = np.tanh(a_x[..., 2] + r * (a_h[..., 2] + params.b_hn))
    return (1 - z) * h_previous + z * n, GRUGates(r, z, n)


def hard_sigmoid_of_old_keras(params, x, h_previous):
    def hard(a):
        return np.clip(0.2 * a + 0.5, 0, 1)

    a_x, a_h = np.split(x @ params.W_x + params.b, 3, 1), np.split(h_previous @ params.W_h, 3, 1)
    r, z = hard(a_x[0] + a_h[0]), hard(a_x[1] + a_h[1])
    n = np.tanh(a_x[2] + r * (a_h[2] + params.b_hn))
    return (1 - z) * h_previous + z * n, GRUGates(r, z, n)


def half_a_tanh(params, x, h_previous):  # HIPS/autograd, issue 346
    squash = lambda a: 0.5 * (np.tanh(a) + 1)  # noqa: E731
    a_x, a_h = np.split(x @ params.W_x + params.b, 3, 1), np.split(h_previous @ params.W_h, 3, 1)
    r, z = squash(a_x[0] + a_h[0]), squash(a_x[1] + a_h[1])
    n = np.tanh(a_x[2] + r * (a_h[2] + params.b_hn))
    return (1 - z) * h_previous + z * n, GRUGates(r, z, n)


def relu_candidate(params, x, h_previous):
    a_x, a_h = np.split(x @ params.W_x + params.b, 3, 1), np.split(h_previous @ params.W_h, 3, 1)
    r, z = sigmoid(a_x[0] + a_h[0]), sigmoid(a_x[1] + a_h[1])
    n = np.maximum(a_x[2] + r * (a_h[2] + params.b_hn), 0)
    return (1 - z) * h_previous + z * n, GRUGates(r, z, n)


def reset_around_everything(params, x, h_previous):
    a_x, a_h = np.split(x @ params.W_x + params.b, 3, 1), np.split(h_previous @ params.W_h, 3, 1)
    r, z = sigmoid(a_x[0] + a_h[0]), sigmoid(a_x[1] + a_h[1])
    n = np.tanh(np.multiply(r, a_x[2] + a_h[2] + params.b_hn))
    return (1 - z) * h_previous + z * n, GRUGates(r, z, n)


def matrix_for_columns(params, x, h_previous):
    a = params.W_x.T @ x + params.W_h.T @ h_previous + params.b
    r, z, n = np.split(a, 3)
    return z * h_previous, GRUGates(sigmoid(r), sigmoid(z), np.tanh(n))


def state_of_the_caller_mixed(params, x, h_previous):
    a_x, a_h = np.split(x @ params.W_x + params.b, 3, 1), np.split(h_previous @ params.W_h, 3, 1)
    r, z = sigmoid(a_x[0] + a_h[0]), sigmoid(a_x[1] + a_h[1])
    n = np.tanh(a_x[2] + r * (a_h[2] + params.b_hn))
    h_previous *= 1 - z
    h_previous += z * n
    return h_previous.copy(), GRUGates(r, z, n)


def first_sequence_left_out(params, x, h_previous):
    B, H = h_previous.shape
    h, r, z, n = np.zeros((4, B, H))
    for k in range(1, B):
        a_x, a_h = (
            np.split(x[k] @ params.W_x + params.b, 3),
            np.split(h_previous[k] @ params.W_h, 3),
        )
        r[k], z[k] = sigmoid(a_x[0] + a_h[0]), sigmoid(a_x[1] + a_h[1])
        n[k] = np.tanh(a_x[2] + r[k] * (a_h[2] + params.b_hn))
        h[k] = (1 - z[k]) * h_previous[k] + z[k] * n[k]
    return h, GRUGates(r, z, n)


# Question 2, gate_gradients


def gates_of_the_chapter(params, h_previous, gates, dh):
    r, z, n = gates
    s = h_previous @ np.split(params.W_h, 3, axis=1)[2] + params.b_hn
    dz = dh * (h_previous - n)
    da_n = dh * (1 - z) * (1 - n**2)
    dr, ds = da_n * s, da_n * r
    return GRUGates(dr * r * (1 - r), dz * z * (1 - z), da_n), ds


def reset_for_its_slope(params, h_previous, gates, dh):
    H = dh.shape[1]
    rec = h_previous @ params.W_h[:, 2 * H :] + params.b_hn
    delta_n = dh * gates.z * (1 - gates.n * gates.n)
    delta_r = delta_n * rec * gates.r
    delta_z = dh * (gates.n - h_previous) * gates.z * (1 - gates.z)
    return GRUGates(delta_r, delta_z, delta_n), delta_n * gates.r


def half_a_slope_of_z(params, h_previous, gates, dh):
    r, z, n = gates.r, gates.z, gates.n
    W_hn = params.W_h[:, -len(params.b_hn) :]
    da_n = np.multiply(dh * z, 1 - np.square(n))
    da_z = (dh * n - dh * h_previous) * (1 - z)
    da_r = da_n * (h_previous @ W_hn + params.b_hn) * (r - r**2)
    return GRUGates(da_r, da_z, da_n), r * da_n


def slope_of_tanh_for_r(params, h_previous, gates, dh):
    r, z, n = gates
    s = np.dot(h_previous, np.hsplit(params.W_h, 3)[2]) + params.b_hn
    d_n = dh * z * (1 - n**2)
    d_r = d_n * s * (1 - r**2)
    d_z = dh * (n - h_previous) * z * (1 - z)
    return GRUGates(d_r, d_z, d_n), d_n * r


def sigmoid_of_a_gate_once_more(params, h_previous, gates, dh):
    def slope(y):
        return sigmoid(y) * (1 - sigmoid(y))

    r, z, n = gates
    s = h_previous @ np.hsplit(params.W_h, 3)[2] + params.b_hn
    da_n = dh * z * (1 - n**2)
    return (
        GRUGates(da_n * s * r * (1 - r), dh * (n - h_previous) * slope(z), da_n),
        da_n * r,
    )


def no_tanh_on_the_way_to_r_and_s(params, h_previous, gates, dh):
    r, z, n = gates
    s = h_previous @ params.W_h[:, 2 * r.shape[1] :] + params.b_hn
    dn = z * dh
    dr = dn * s
    ds = dn * r
    dz = n * dh - h_previous * dh
    return GRUGates(r=dr * r * (1 - r), z=dz * z * (1 - z), n=dn * (1 - n**2)), ds


def z_takes_only_the_new(params, h_previous, gates, dh):
    r, z, n = gates
    s = h_previous @ np.split(params.W_h, 3, axis=1)[2] + params.b_hn
    grad_n = dh * z * (1 - n**2)
    grad_z = dh * n * z * (1 - z)
    grad_r = grad_n * s * r * (1 - r)
    return GRUGates(grad_r, grad_z, grad_n), grad_n * r


def z_is_in_its_own_gradient(params, h_previous, gates, dh):
    r, z, n = gates
    s = h_previous @ np.split(params.W_h, 3, axis=1)[2] + params.b_hn
    dn = dh * z
    dz = dn * (n - h_previous)
    da_n = dn * (1 - n**2)
    return GRUGates(da_n * s * r * (1 - r), dz * z * (1 - z), da_n), da_n * r


def one_minus_what_arrives(params, h_previous, gates, dh):
    r, z, n = gates
    s = h_previous @ np.split(params.W_h, 3, axis=1)[2] + params.b_hn
    dn, d_one_minus_z = dh * z, dh * h_previous
    dz = dh * n + (1 - d_one_minus_z)
    da_n = dn * (1 - n**2)
    return GRUGates(da_n * s * r * (1 - r), dz * z * (1 - z), da_n), da_n * r


def s_without_its_bias(params, h_previous, gates, dh):
    r, z, n = gates
    s = h_previous @ np.split(params.W_h, 3, axis=1)[2]
    da_n = dh * z * (1 - n) * (1 + n)
    da = GRUGates(da_n * s * r * (1 - r), dh * (n - h_previous) * z * (1 - z), da_n)
    return da, da_n * r


def s_of_the_first_block(params, h_previous, gates, dh):
    r, z, n = gates
    H = n.shape[1]
    s = h_previous @ params.W_h[:, :H] + params.b_hn
    da_n = dh * z * (1 - n**2)
    return GRUGates(da_n * s * r * (1 - r), dh * (n - h_previous) * z * (1 - z), da_n), da_n * r


def ds_is_da_n(params, h_previous, gates, dh):
    r, z, n = gates
    s = h_previous @ np.split(params.W_h, 3, axis=1)[2] + params.b_hn
    delta = dh * z * (1 - n**2)
    return GRUGates(delta * s * r * (1 - r), dh * (n - h_previous) * z * (1 - z), delta), delta


def each_factor_keeps_itself(params, h_previous, gates, dh):
    r, z, n = gates
    s = h_previous @ np.split(params.W_h, 3, axis=1)[2] + params.b_hn
    da_n = dh * z * (1 - n**2)
    d_product = {"r": da_n * r, "s": da_n * s}
    da_r = d_product["r"] * r * (1 - r)
    return GRUGates(da_r, dh * (n - h_previous) * z * (1 - z), da_n), d_product["s"]


def the_candidate_gets_all(params, h_previous, gates, dh):
    r, z, n = gates
    s = h_previous @ np.split(params.W_h, 3, axis=1)[2] + params.b_hn
    da_n = dh * (1 - n**2)
    return GRUGates(da_n * s * r * (1 - r), dh * (n - h_previous) * z * (1 - z), da_n), da_n * r


def gradients_of_the_gates_themselves(params, h_previous, gates, dh):
    r, z, n = gates
    s = h_previous @ np.split(params.W_h, 3, axis=1)[2] + params.b_hn
    dn = dh * z
    dr = dn * (1 - n**2) * s
    dz = dh * (n - h_previous)
    return GRUGates(dr, dz, dn), dn * (1 - n**2) * r


def r_of_the_other_form(params, h_previous, gates, dh):
    r, z, n = gates
    da_n = dh * z * (1 - n**2)
    dm = da_n @ np.split(params.W_h, 3, axis=1)[2].T
    dr = dm * h_previous
    return GRUGates(dr * r * (1 - r), dh * (n - h_previous) * z * (1 - z), da_n), da_n * r


def tanh_of_n_once_more(params, h_previous, gates, dh):
    r, z, n = gates
    s = h_previous @ np.split(params.W_h, 3, axis=1)[2] + params.b_hn
    da_n = dh * z / np.cosh(n) ** 2
    return GRUGates(da_n * s * r * (1 - r), dh * (n - h_previous) * z * (1 - z), da_n), da_n * r


def gradient_of_the_caller_reused(params, h_previous, gates, dh):
    r, z, n = gates
    s = h_previous @ np.split(params.W_h, 3, axis=1)[2] + params.b_hn
    da_z = dh * (n - h_previous) * z * (1 - z)
    dh *= z * (1 - n**2)
    return GRUGates(dh * s * r * (1 - r), da_z, dh.copy()), dh * r


def ds_summed(params, h_previous, gates, dh):
    r, z, n = gates
    s = h_previous @ np.split(params.W_h, 3, axis=1)[2] + params.b_hn
    da_n = dh * z * (1 - n**2)
    da = GRUGates(da_n * s * r * (1 - r), dh * (n - h_previous) * z * (1 - z), da_n)
    return da, (da_n * r).sum(axis=0)


def ds_among_the_gates(params, h_previous, gates, dh):
    r, z, n = gates
    s = h_previous @ np.split(params.W_h, 3, axis=1)[2] + params.b_hn
    da_n = dh * z * (1 - n**2)
    da_z = dh * (n - h_previous) * z * (1 - z)
    return GRUGates(da_n * s * r * (1 - r), da_z, da_n * r), da_n


def two_slips_at_once(params, h_previous, gates, dh):
    r, z, n = gates
    recurrent = h_previous @ np.split(params.W_h, 3, axis=1)[2]
    da_n = dh * z * (1 - n**2)
    return GRUGates(da_n * recurrent * r * (1 - r), dh * (n - h_previous), da_n), da_n * r


# Question 3, gru_step_backward


def one_gradient_for_both_sides(params, x, h_previous, gates, dh):
    da, ds = gate_gradients(params, h_previous, gates, dh)
    delta = np.concatenate(da, axis=1)
    dW_x, dW_h = (np.dot(left.T, delta) for left in (x, h_previous))
    dparams = GRUParams(dW_x, dW_h, delta.sum(0), ds.sum(0))
    return dparams, delta.dot(params.W_x.T), delta.dot(params.W_h.T) + dh * (1 - gates.z)


def nothing_is_kept(params, x, h_previous, gates, dh):
    da, ds = gate_gradients(params, h_previous, gates, dh)
    left, right = np.hstack(da), np.hstack([da.r, da.z, ds])
    dparams = GRUParams(x.T @ left, h_previous.T @ right, left.sum(axis=0), ds.sum(axis=0))
    return dparams, left @ params.W_x.T, right @ params.W_h.T


def all_of_dh_goes_on(params, x, h_previous, gates, dh):
    (da_r, da_z, da_n), ds = gate_gradients(params, h_previous, gates, dh)
    W = np.split(params.W_x, 3, axis=1)
    U = np.split(params.W_h, 3, axis=1)
    dx = sum(d @ w.T for d, w in zip((da_r, da_z, da_n), W))
    dh_previous = dh + sum(d @ u.T for d, u in zip((da_r, da_z, ds), U))
    to_x, to_h = np.hstack((da_r, da_z, da_n)), np.hstack((da_r, da_z, ds))
    return (
        GRUParams(x.T @ to_x, h_previous.T @ to_h, np.sum(to_x, 0), np.sum(ds, 0)),
        dx,
        dh_previous,
    )


def dh_and_what_is_kept(params, x, h_previous, gates, dh):
    da, ds = gate_gradients(params, h_previous, gates, dh)
    a_x, a_h = np.hstack([da.r, da.z, da.n]), np.hstack([da.r, da.z, ds])
    dh_previous = dh.copy()
    dh_previous += dh * (1 - gates.z)
    dh_previous += a_h @ params.W_h.T
    dparams = GRUParams(x.T @ a_x, h_previous.T @ a_h, a_x.sum(axis=0), ds.sum(axis=0))
    return dparams, a_x @ params.W_x.T, dh_previous


def z_keeps(params, x, h_previous, gates, dh):
    da, ds = gate_gradients(params, h_previous, gates, dh)
    a_x = np.hstack(tuple(da))
    a_h = np.hstack((da[0], da[1], ds))
    grads = GRUParams(
        np.einsum("bd,bg->dg", x, a_x),
        np.einsum("bh,bg->hg", h_previous, a_h),
        a_x.sum(axis=0),
        ds.sum(axis=0),
    )
    return (
        grads,
        np.einsum("bg,dg->bd", a_x, params.W_x),
        gates.z * dh + np.einsum("bg,hg->bh", a_h, params.W_h),
    )


def side_by_side_column_by_column(params, x, h_previous, gates, dh):
    da, ds = gate_gradients(params, h_previous, gates, dh)
    a_x = np.dstack(da).reshape(len(x), -1)
    a_h = np.dstack([da.r, da.z, ds]).reshape(len(x), -1)
    dparams = GRUParams(x.T @ a_x, h_previous.T @ a_h, a_x.sum(0), ds.sum(0))
    return dparams, a_x @ params.W_x.T, dh * (1 - gates.z) + a_h @ params.W_h.T


def blocks_as_keras_has_them(params, x, h_previous, gates, dh):
    da, ds = gate_gradients(params, h_previous, gates, dh)
    a_x, a_h = np.hstack([da.z, da.r, da.n]), np.hstack([da.z, da.r, ds])
    dparams = GRUParams(x.T @ a_x, h_previous.T @ a_h, a_x.sum(0), ds.sum(0))
    return dparams, a_x @ params.W_x.T, dh * (1 - gates.z) + a_h @ params.W_h.T


def order_of_w_h_alone(params, x, h_previous, gates, dh):
    da, ds = gate_gradients(params, h_previous, gates, dh)
    a_x = np.hstack([da.r, da.z, da.n])
    a_h = np.hstack([ds, da.r, da.z])
    dparams = GRUParams(x.T @ a_x, h_previous.T @ a_h, a_x.sum(0), ds.sum(0))
    return dparams, a_x @ params.W_x.T, dh * (1 - gates.z) + a_h @ params.W_h.T


def everything_over_the_batch(params, x, h_previous, gates, dh):
    da, ds = gate_gradients(params, h_previous, gates, dh)
    B = x.shape[0]
    a_x, a_h = np.hstack([da.r, da.z, da.n]), np.hstack([da.r, da.z, ds])
    dparams = GRUParams(x.T @ a_x / B, h_previous.T @ a_h / B, np.mean(a_x, 0), np.mean(ds, 0))
    return dparams, a_x @ params.W_x.T, dh * (1 - gates.z) + a_h @ params.W_h.T


def mean_biases(params, x, h_previous, gates, dh):
    da, ds = gate_gradients(params, h_previous, gates, dh)
    a_x, a_h = np.hstack([da.r, da.z, da.n]), np.hstack([da.r, da.z, ds])
    dparams = GRUParams(x.T @ a_x, h_previous.T @ a_h, np.mean(a_x, axis=0), np.mean(ds, axis=0))
    return dparams, a_x @ params.W_x.T, dh * (1 - gates.z) + a_h @ params.W_h.T


def square_matrices_not_turned(params, x, h_previous, gates, dh):
    da, ds = gate_gradients(params, h_previous, gates, dh)
    a_x, a_h = np.hstack([da.r, da.z, da.n]), np.hstack([da.r, da.z, ds])
    W_hr, W_hz, W_hn = np.split(params.W_h, 3, axis=1)
    dh_previous = dh * (1 - gates.z) + da.r @ W_hr + da.z @ W_hz + ds @ W_hn
    dparams = GRUParams(x.T @ a_x, h_previous.T @ a_h, a_x.sum(0), ds.sum(0))
    return dparams, a_x @ params.W_x.T, dh_previous


def the_input_is_reset_too(params, x, h_previous, gates, dh):
    da, ds = gate_gradients(params, h_previous, gates, dh)
    a = np.hstack([da.r, da.z, ds])
    dparams = GRUParams(x.T @ a, h_previous.T @ a, a.sum(axis=0), ds.sum(axis=0))
    return dparams, a @ params.W_x.T, dh * (1 - gates.z) + a @ params.W_h.T


def states_of_the_next_step(params, x, h_previous, gates, dh):
    da, ds = gate_gradients(params, h_previous, gates, dh)
    h, _ = gru_step(params, x, h_previous)
    a_x, a_h = np.hstack([da.r, da.z, da.n]), np.hstack([da.r, da.z, ds])
    dparams = GRUParams(x.T @ a_x, h.T @ a_h, a_x.sum(0), ds.sum(0))
    return dparams, a_x @ params.W_x.T, dh * (1 - gates.z) + a_h @ params.W_h.T


def the_chapter_copied(params, x, h_previous, gates, dh):
    r, z, n = gates
    s = h_previous @ np.split(params.W_h, 3, axis=1)[2] + params.b_hn
    dz = dh * (h_previous - n)
    da_n = dh * (1 - z) * (1 - n**2)
    dr, ds = da_n * s, da_n * r
    da_r, da_z = dr * r * (1 - r), dz * z * (1 - z)
    da_x = np.concatenate([da_r, da_z, da_n], axis=1)
    da_h = np.concatenate([da_r, da_z, ds], axis=1)
    dparams = GRUParams(
        W_x=x.T @ da_x, W_h=h_previous.T @ da_h, b=da_x.sum(axis=0), b_hn=ds.sum(axis=0)
    )
    return dparams, da_x @ params.W_x.T, dh * z + da_h @ params.W_h.T


def the_gates_do_not_see_the_state(params, x, h_previous, gates, dh):
    da, ds = gate_gradients(params, h_previous, gates, dh)
    a_x, a_h = np.hstack([da.r, da.z, da.n]), np.hstack([da.r, da.z, ds])
    W_hn = params.W_h[:, -dh.shape[1] :]
    dparams = GRUParams(x.T @ a_x, h_previous.T @ a_h, a_x.sum(0), ds.sum(0))
    return dparams, a_x @ params.W_x.T, dh * (1 - gates.z) + ds @ W_hn.T


def b_hn_as_any_bias(params, x, h_previous, gates, dh):
    da, ds = gate_gradients(params, h_previous, gates, dh)
    a_x, a_h = np.hstack([da.r, da.z, da.n]), np.hstack([da.r, da.z, ds])
    db = a_x.sum(axis=0)
    dparams = GRUParams(x.T @ a_x, h_previous.T @ a_h, db, db[-dh.shape[1] :])
    return dparams, a_x @ params.W_x.T, dh * (1 - gates.z) + a_h @ params.W_h.T


def w_h_the_other_way_round(params, x, h_previous, gates, dh):
    da, ds = gate_gradients(params, h_previous, gates, dh)
    a_x, a_h = np.hstack([da.r, da.z, da.n]), np.hstack([da.r, da.z, ds])
    dparams = GRUParams(x.T @ a_x, a_h.T @ h_previous, a_x.sum(0), ds.sum(0))
    return dparams, a_x @ params.W_x.T, dh * (1 - gates.z) + a_h @ params.W_h.T


def w_h_from_the_candidate(params, x, h_previous, gates, dh):
    da, ds = gate_gradients(params, h_previous, gates, dh)
    a_x, a_h = np.hstack([da.r, da.z, da.n]), np.hstack([da.r, da.z, ds])
    dparams = GRUParams(x.T @ a_x, gates.n.T @ a_h, a_x.sum(0), ds.sum(0))
    return dparams, a_x @ params.W_x.T, dh * (1 - gates.z) + a_h @ params.W_h.T


def the_matrix_of_the_other_form(params, x, h_previous, gates, dh):
    da, ds = gate_gradients(params, h_previous, gates, dh)
    a_x, a_h = np.hstack([da.r, da.z, da.n]), np.hstack([da.r, da.z, ds])
    m = gates.r * h_previous
    dW_h = np.hstack([h_previous.T @ da.r, h_previous.T @ da.z, m.T @ da.n])
    dparams = GRUParams(x.T @ a_x, dW_h, a_x.sum(0), ds.sum(0))
    return dparams, a_x @ params.W_x.T, dh * (1 - gates.z) + a_h @ params.W_h.T


# Question 4, gru_before_step


def product_then_reset(params, x, h_previous):
    i_r, i_z, i_n = np.split(x @ params.W_x + params.b, 3, axis=1)
    W_hr, W_hz = np.split(params.W_h, 2, axis=1)
    r, z = sigmoid(i_r + h_previous @ W_hr), sigmoid(i_z + h_previous @ W_hz)
    n = np.tanh(i_n + r * (h_previous @ params.W_hn))
    return h_previous * (1 - z) + n * z, GRUGates(r, z, n)


def before_with_the_sign_of_keras(params, x, h_previous):
    H = h_previous.shape[1]
    a = x @ params.W_x + params.b
    a[:, : 2 * H] += h_previous @ params.W_h
    r, z = sigmoid(a[:, :H]), sigmoid(a[:, H : 2 * H])
    n = np.tanh(a[:, 2 * H :] + (r * h_previous) @ params.W_hn)
    return z * h_previous + (1 - z) * n, GRUGates(r, z, n)


def nothing_is_reset(params, x, h_previous):
    U = np.hstack([params.W_h, params.W_hn])
    r, z, n = np.split(x @ params.W_x + h_previous @ U + params.b, 3, axis=1)
    r, z, n = sigmoid(r), sigmoid(z), np.tanh(n)
    return (1 - z) * h_previous + z * n, GRUGates(r, z, n)


def w_hn_turned(params, x, h_previous):
    a_x, a_h = np.hsplit(x @ params.W_x + params.b, 3), np.hsplit(h_previous @ params.W_h, 2)
    r, z = sigmoid(a_x[0] + a_h[0]), sigmoid(a_x[1] + a_h[1])
    n = np.tanh(a_x[2] + np.einsum("bk,hk->bh", r * h_previous, params.W_hn))
    return (1 - z) * h_previous + z * n, GRUGates(r, z, n)


def update_gate_sees_the_reset_state(params, x, h_previous):
    W, b = np.hsplit(params.W_x, 3), np.split(params.b, 3)
    U_r, U_z = np.hsplit(params.W_h, 2)
    r = sigmoid(x @ W[0] + h_previous @ U_r + b[0])
    visible = r * h_previous
    z = sigmoid(x @ W[1] + visible @ U_z + b[1])
    n = np.tanh(x @ W[2] + visible @ params.W_hn + b[2])
    return (1 - z) * h_previous + z * n, GRUGates(r, z, n)


def w_h_as_z_and_r(params, x, h_previous):
    a_xr, a_xz, a_xn = np.hsplit(x @ params.W_x + params.b, 3)
    a_hz, a_hr = np.hsplit(h_previous @ params.W_h, 2)
    r, z = sigmoid(a_xr + a_hr), sigmoid(a_xz + a_hz)
    n = np.tanh(a_xn + (r * h_previous) @ params.W_hn)
    return (1 - z) * h_previous + z * n, GRUGates(r, z, n)


def closed_where_it_is_open(params, x, h_previous):
    a_x, a_h = np.hsplit(x @ params.W_x + params.b, 3), np.hsplit(h_previous @ params.W_h, 2)
    r, z = sigmoid(a_x[0] + a_h[0]), sigmoid(a_x[1] + a_h[1])
    hidden = h_previous - r * h_previous
    n = np.tanh(a_x[2] + hidden @ params.W_hn)
    return (1 - z) * h_previous + z * n, GRUGates(r, z, n)


# Question 5, gru_before_step_backward


def deltas_exchanged(
    params, x, h_previous, gates, dh
):  # the GRU vignette of the R package rnn, its last lines
    r, z, n = gates
    da_n = dh * z * (1 - n**2)
    dm = da_n @ params.W_hn.T
    da_r, da_z = dm * h_previous * r * (1 - r), dh * (n - h_previous) * z * (1 - z)
    a_x, a_h = np.hstack([da_n, da_z, da_r]), np.hstack([da_n, da_z])
    dparams = GRUBeforeParams(x.T @ a_x, h_previous.T @ a_h, a_x.sum(0), (r * h_previous).T @ da_r)
    dx = np.hstack([da_r, da_z, da_n]) @ params.W_x.T
    return (
        GRUGates(da_r, da_z, da_n),
        dparams,
        dx,
        dh * (1 - z) + dm * r + np.hstack([da_r, da_z]) @ params.W_h.T,
    )


def way_back_of_the_other_form(params, x, h_previous, gates, dh):
    r, z, n = gates
    da_n = dh * z * (1 - n**2)
    ds = da_n * r
    da_r, da_z = (
        da_n * (h_previous @ params.W_hn) * r * (1 - r),
        dh * (n - h_previous) * z * (1 - z),
    )
    a_x, a_h = np.hstack([da_r, da_z, da_n]), np.hstack([da_r, da_z])
    dparams = GRUBeforeParams(x.T @ a_x, h_previous.T @ a_h, a_x.sum(0), h_previous.T @ ds)
    return (
        GRUGates(da_r, da_z, da_n),
        dparams,
        a_x @ params.W_x.T,
        dh * (1 - z) + ds @ params.W_hn.T + a_h @ params.W_h.T,
    )


def the_whole_page(
    params, x, h_previous, gates, dh
):  # all four mistakes of the GRU vignette of the R package rnn
    r, z, g = gates
    d5, d7, d8 = dh * h_previous, dh * g, dh * z
    d9 = d7 + d8
    d10, d11 = d8 * (1 - g**2), d9 * z * (1 - z)
    d13 = d10 @ params.W_hn.T
    d17 = d13 * r
    d18 = d17 * r * (1 - r)
    a_x, a_h = np.hstack([d10, d11, d18]), np.hstack([d10, d11])
    dparams = GRUBeforeParams(x.T @ a_x, h_previous.T @ a_h, a_x.sum(0), (r * h_previous).T @ d18)
    assert d5.shape == dh.shape
    return (
        GRUGates(d18, d11, d10),
        dparams,
        a_x @ params.W_x.T,
        dh * (1 - z) + d17 + a_h @ params.W_h.T,
    )


def w_hn_not_turned(params, x, h_previous, gates, dh):
    r, z, n = gates
    da_n = dh * z * (1 - n**2)
    back = da_n @ params.W_hn
    da_r = back * h_previous * r * (1 - r)
    da_z = dh * (n - h_previous) * z * (1 - z)
    a_x, a_h = np.hstack([da_r, da_z, da_n]), np.hstack([da_r, da_z])
    dparams = GRUBeforeParams(x.T @ a_x, h_previous.T @ a_h, a_x.sum(0), (r * h_previous).T @ da_n)
    dh_previous = dh * (1 - z) + back * r + a_h @ params.W_h.T
    return GRUGates(da_r, da_z, da_n), dparams, a_x @ params.W_x.T, dh_previous


def path_through_m_lost(params, x, h_previous, gates, dh):
    r, z, n = gates
    H = r.shape[1]
    da = np.empty((len(x), 3 * H))
    da[:, 2 * H :] = dh * z * (1 - n**2)
    da[:, H : 2 * H] = dh * (n - h_previous) * z * (1 - z)
    da[:, :H] = da[:, 2 * H :] @ params.W_hn.T * h_previous * r * (1 - r)
    dparams = GRUBeforeParams(
        x.T @ da,
        h_previous.T @ da[:, : 2 * H],
        da.sum(axis=0),
        (r * h_previous).T @ da[:, 2 * H :],
    )
    dh_previous = da[:, : 2 * H] @ params.W_h.T + (1 - z) * dh
    return GRUGates(*np.split(da, 3, axis=1)), dparams, da @ params.W_x.T, dh_previous


def w_hn_saw_the_old_state(params, x, h_previous, gates, dh):
    r, z, n = gates
    da_n = dh * z * (1 - n**2)
    dm = da_n @ params.W_hn.T
    da_r, da_z = dm * h_previous * r * (1 - r), dh * (n - h_previous) * z * (1 - z)
    a_x, a_h = np.hstack([da_r, da_z, da_n]), np.hstack([da_r, da_z])
    dW_h_all = h_previous.T @ a_x
    H = r.shape[1]
    dparams = GRUBeforeParams(x.T @ a_x, dW_h_all[:, : 2 * H], a_x.sum(0), dW_h_all[:, 2 * H :])
    return (
        GRUGates(da_r, da_z, da_n),
        dparams,
        a_x @ params.W_x.T,
        dh * (1 - z) + dm * r + a_h @ params.W_h.T,
    )


def the_candidate_saw_the_old_state(params, x, h_previous, gates, dh):
    r, z, n = gates
    da_n = dh * z * (1 - n**2)
    dm = da_n @ params.W_hn.T
    da_r, da_z = dm * h_previous * r * (1 - r), dh * (n - h_previous) * z * (1 - z)
    a = np.hstack([da_r, da_z, da_n])
    U = np.hstack([params.W_h, params.W_hn])
    dparams = GRUBeforeParams(
        x.T @ a, h_previous.T @ a[:, : U.shape[1] // 3 * 2], a.sum(0), (r * h_previous).T @ da_n
    )
    return GRUGates(da_r, da_z, da_n), dparams, a @ params.W_x.T, dh * (1 - z) + a @ U.T


def the_chapter_reset_before(params, x, h_previous, gates, dh):
    r, z, n = gates
    m = r * h_previous
    dz = dh * (h_previous - n)
    da_n = dh * (1 - z) * (1 - n**2)
    dm, dW_hn = da_n @ params.W_hn.T, m.T @ da_n
    dr = dm * h_previous
    da_r, da_z = dr * r * (1 - r), dz * z * (1 - z)
    da_x = np.concatenate([da_r, da_z, da_n], axis=1)
    da_h = np.concatenate([da_r, da_z], axis=1)
    dparams = GRUBeforeParams(x.T @ da_x, h_previous.T @ da_h, da_x.sum(axis=0), dW_hn)
    dprevious = dh * z + dm * r + da_h @ params.W_h.T
    return GRUGates(da_r, da_z, da_n), dparams, da_x @ params.W_x.T, dprevious


def no_matrix_on_the_way_back(params, x, h_previous, gates, dh):
    r, z, n = gates
    da_n = dh * z * (1 - n**2)
    da_r, da_z = da_n * h_previous * r * (1 - r), dh * (n - h_previous) * z * (1 - z)
    a_x, a_h = np.hstack([da_r, da_z, da_n]), np.hstack([da_r, da_z])
    dparams = GRUBeforeParams(x.T @ a_x, h_previous.T @ a_h, a_x.sum(0), (r * h_previous).T @ da_n)
    return (
        GRUGates(da_r, da_z, da_n),
        dparams,
        a_x @ params.W_x.T,
        dh * (1 - z) + da_n * r + a_h @ params.W_h.T,
    )


def z_is_no_sigmoid(params, x, h_previous, gates, dh):
    r, z, n = gates
    da_n = dh * z * (1 - n**2)
    dm = da_n @ params.W_hn.T
    da_r, da_z = dm * h_previous * (r - r * r), dh * n - dh * h_previous
    a_x, a_h = np.hstack([da_r, da_z, da_n]), np.hstack([da_r, da_z])
    dparams = GRUBeforeParams(x.T @ a_x, h_previous.T @ a_h, a_x.sum(0), (r * h_previous).T @ da_n)
    return (
        GRUGates(da_r, da_z, da_n),
        dparams,
        a_x @ params.W_x.T,
        dh * (1 - z) + dm * r + a_h @ params.W_h.T,
    )


def r_gets_r(params, x, h_previous, gates, dh):
    r, z, n = gates
    da_n = dh * z * (1 - n**2)
    dm = da_n @ params.W_hn.T
    delta17 = dm * r
    da_r, da_z = delta17 * r * (1 - r), dh * (n - h_previous) * z * (1 - z)
    a_x, a_h = np.hstack([da_r, da_z, da_n]), np.hstack([da_r, da_z])
    dparams = GRUBeforeParams(x.T @ a_x, h_previous.T @ a_h, a_x.sum(0), (r * h_previous).T @ da_n)
    return (
        GRUGates(da_r, da_z, da_n),
        dparams,
        a_x @ params.W_x.T,
        dh * (1 - z) + delta17 + a_h @ params.W_h.T,
    )


def w_h_gets_z_first(params, x, h_previous, gates, dh):
    r, z, n = gates
    da_n = dh * z * (1 - n**2)
    dm = da_n @ params.W_hn.T
    da_r, da_z = dm * h_previous * r * (1 - r), dh * (n - h_previous) * z * (1 - z)
    a_x, a_h = np.hstack([da_r, da_z, da_n]), np.hstack([da_z, da_r])
    dparams = GRUBeforeParams(x.T @ a_x, h_previous.T @ a_h, a_x.sum(0), (r * h_previous).T @ da_n)
    return (
        GRUGates(da_r, da_z, da_n),
        dparams,
        a_x @ params.W_x.T,
        dh * (1 - z) + dm * r + a_h @ params.W_h.T,
    )


def all_matrices_saw_the_reset_state(params, x, h_previous, gates, dh):
    r, z, n = gates
    seen = r * h_previous
    da_n = dh * z * (1 - n**2)
    dm = da_n @ params.W_hn.T
    da_r, da_z = dm * h_previous * r * (1 - r), dh * (n - h_previous) * z * (1 - z)
    a_x = np.hstack([da_r, da_z, da_n])
    dW = seen.T @ a_x
    H = r.shape[1]
    dparams = GRUBeforeParams(x.T @ a_x, dW[:, : 2 * H], a_x.sum(0), dW[:, 2 * H :])
    return (
        GRUGates(da_r, da_z, da_n),
        dparams,
        a_x @ params.W_x.T,
        dh * (1 - z) + dm * r + a_x[:, : 2 * H] @ params.W_h.T,
    )


def what_is_kept_twice(params, x, h_previous, gates, dh):
    r, z, n = gates
    da_n = dh * z * (1 - n**2)
    dm = da_n @ params.W_hn.T
    da_r, da_z = dm * h_previous * r * (1 - r), dh * (n - h_previous) * z * (1 - z)
    a_x = np.hstack([da_r, da_z, da_n])
    kept = dh * (1 - z)
    dh_previous = kept.copy()
    for part in (dm * r, np.hstack([da_r, da_z]) @ params.W_h.T, kept):
        dh_previous += part
    dW_h = h_previous.T @ np.hstack([da_r, da_z])
    dparams = GRUBeforeParams(x.T @ a_x, dW_h, a_x.sum(0), (r * h_previous).T @ da_n)
    return GRUGates(da_r, da_z, da_n), dparams, a_x @ params.W_x.T, dh_previous


def z_the_wrong_way_round(params, x, h_previous, gates, dh):
    r, z, n = gates
    da_n = dh * z * (1 - n**2)
    dm = da_n @ params.W_hn.T
    da_r, da_z = dm * h_previous * r * (1 - r), (dh * h_previous - dh * n) * z * (1 - z)
    a_x, a_h = np.hstack([da_r, da_z, da_n]), np.hstack([da_r, da_z])
    dparams = GRUBeforeParams(x.T @ a_x, h_previous.T @ a_h, a_x.sum(0), (r * h_previous).T @ da_n)
    return (
        GRUGates(da_r, da_z, da_n),
        dparams,
        a_x @ params.W_x.T,
        dh * (1 - z) + dm * r + a_h @ params.W_h.T,
    )


def w_hn_from_what_z_keeps(params, x, h_previous, gates, dh):
    r, z, n = gates
    da_n = dh * z * (1 - n**2)
    dm = da_n @ params.W_hn.T
    da_r, da_z = dm * h_previous * r * (1 - r), dh * (n - h_previous) * z * (1 - z)
    a_x, a_h = np.hstack([da_r, da_z, da_n]), np.hstack([da_r, da_z])
    dW_hn = ((1 - z) * h_previous).T @ da_n
    dparams = GRUBeforeParams(x.T @ a_x, h_previous.T @ a_h, a_x.sum(0), dW_hn)
    return (
        GRUGates(da_r, da_z, da_n),
        dparams,
        a_x @ params.W_x.T,
        dh * (1 - z) + dm * r + a_h @ params.W_h.T,
    )


# Question 6, other_z


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


def first_block_as_in_keras(W_x, W_h, b):
    H = len(W_h)
    signs = np.r_[-np.ones(H), np.ones(2 * H)]
    return W_x * signs, W_h * signs, b * signs


def every_third_column(W_x, W_h, b):
    signs = np.ones(W_h.shape[1])
    signs[1::3] = -1
    return W_x * signs, W_h * signs, b * signs


def the_opposite_of_everything(W_x, W_h, b):
    return -W_x, -W_h, -b


def one_over_z(W_x, W_h, b):
    def converted(array):
        r, z, n = np.split(array, 3, axis=-1)
        return np.concatenate([r, 1 / z, n], axis=-1)

    return converted(W_x), converted(W_h), converted(b)


HALF, NO_SLOPE = 1 / 2, "derivative of the activation missing"

WRONG = (
    Wrong("gru_step", reset_before_the_matrix, "the other form of the GRU", HALF),
    Wrong("gru_step", reset_before_without_its_bias, "the other form of the GRU", HALF),
    Wrong("gru_step", gates_as_keras_has_them, "gates in another order"),
    Wrong("gru_step", candidate_in_the_middle, "gates in another order", 1 / 4),
    Wrong("gru_step", order_of_the_state_alone, "gates in another order"),
    Wrong("gru_step", bias_of_r_in_z, "bias of another gate", HALF),
    Wrong("gru_step", gates_without_bias, "bias missing"),
    Wrong("gru_step", state_alone, "shape or type"),
    Wrong("gru_step", single_precision, "right to a few digits only", HALF),
    Wrong("gru_step", as_the_chapter_has_it, "the other convention for z", 3 / 4),
    Wrong("gru_step", the_candidate_is_the_state, "old state not kept", 3 / 4),
    Wrong("gru_step", old_state_added_whole, "the shares do not add up to one", 3 / 4),
    Wrong("gru_step", bias_behind_the_tanh, "bias outside the activation", HALF),
    Wrong("gru_step", bias_next_to_the_reset, "bias outside the reset", HALF),
    Wrong("gru_step", all_biases_with_the_state, "bias inside the reset", HALF),
    Wrong("gru_step", two_biases_as_in_pytorch, "bias counted twice"),
    Wrong("gru_step", no_b_hn, "bias missing", HALF),
    Wrong("gru_step", gates_by_reshape, "gates interleaved"),
    Wrong("gru_step", hard_sigmoid_of_old_keras, "another activation"),
    Wrong("gru_step", half_a_tanh, "another activation"),
    Wrong("gru_step", relu_candidate, "another activation", HALF),
    Wrong("gru_step", reset_around_everything, "reset gate on the input as well", HALF),
    Wrong("gru_step", matrix_for_columns, "raises an exception"),
    Wrong("gru_step", state_of_the_caller_mixed, "caller's array changed", HALF),
    Wrong("gru_step", first_sequence_left_out, ""),
    Wrong("gate_gradients", gates_of_the_chapter, "the other convention for z"),
    Wrong(
        "gate_gradients", reset_for_its_slope, "activation in the place of its derivative", 3 / 4
    ),
    Wrong("gate_gradients", half_a_slope_of_z, "derivative of the activation wrong", 3 / 4),
    Wrong("gate_gradients", slope_of_tanh_for_r, "derivative of another activation", 3 / 4),
    Wrong(
        "gate_gradients", sigmoid_of_a_gate_once_more, "derivative taken at the wrong place", 3 / 4
    ),
    Wrong(
        "gate_gradients",
        no_tanh_on_the_way_to_r_and_s,
        "derivative of the activation missing",
        HALF,
    ),
    Wrong("gate_gradients", z_takes_only_the_new, "path missing", 3 / 4),
    Wrong("gate_gradients", z_is_in_its_own_gradient, "counted twice", 3 / 4),
    Wrong("gate_gradients", one_minus_what_arrives, "one minus a gradient", 3 / 4),
    Wrong("gate_gradients", s_without_its_bias, "bias missing", 3 / 4),
    Wrong("gate_gradients", s_of_the_first_block, "block of another gate", 3 / 4),
    Wrong("gate_gradients", ds_is_da_n, "reset gate missing on the way back", 3 / 4),
    Wrong("gate_gradients", each_factor_keeps_itself, "factors of a product exchanged", HALF),
    Wrong("gate_gradients", the_candidate_gets_all, "gate missing on the way back", 1 / 4),
    Wrong(
        "gate_gradients",
        gradients_of_the_gates_themselves,
        "derivative of the activation missing",
        1 / 4,
    ),
    Wrong("gate_gradients", r_of_the_other_form, "the other form of the GRU", 3 / 4),
    Wrong("gate_gradients", tanh_of_n_once_more, "derivative taken at the wrong place", 1 / 4),
    Wrong("gate_gradients", gradient_of_the_caller_reused, "caller's array changed", HALF),
    Wrong("gate_gradients", ds_summed, "shape or type", 3 / 4),
    Wrong("gate_gradients", ds_among_the_gates, "outputs exchanged", HALF),
    Wrong("gate_gradients", two_slips_at_once, ("bias missing", NO_SLOPE), HALF),
    Wrong(
        "gru_step_backward",
        one_gradient_for_both_sides,
        "reset gate missing on the way back",
        4 / 6,
    ),
    Wrong("gru_step_backward", nothing_is_kept, "path missing", 5 / 6),
    Wrong("gru_step_backward", all_of_dh_goes_on, "gate missing on the way back", 5 / 6),
    Wrong("gru_step_backward", dh_and_what_is_kept, "counted twice", 5 / 6),
    Wrong("gru_step_backward", z_keeps, "gate for its complement", 5 / 6),
    Wrong("gru_step_backward", side_by_side_column_by_column, "gates interleaved", 1 / 6),
    Wrong("gru_step_backward", blocks_as_keras_has_them, "gates in another order", 1 / 6),
    Wrong("gru_step_backward", order_of_w_h_alone, "gates in another order", 4 / 6),
    Wrong("gru_step_backward", everything_over_the_batch, "mean for sum", 2 / 6),
    Wrong("gru_step_backward", mean_biases, "mean for sum", 4 / 6),
    Wrong("gru_step_backward", square_matrices_not_turned, "weight transposed", 5 / 6),
    Wrong("gru_step_backward", the_input_is_reset_too, "reset gate on the way to the input", 3 / 6),
    Wrong("gru_step_backward", states_of_the_next_step, "new state for the old one", 5 / 6),
    Wrong("gru_step_backward", the_chapter_copied, "the other convention for z"),
    Wrong("gru_step_backward", the_gates_do_not_see_the_state, "path missing", 5 / 6),
    Wrong("gru_step_backward", b_hn_as_any_bias, "reset gate missing on the way back", 5 / 6),
    Wrong("gru_step_backward", w_h_the_other_way_round, "shape or type", 5 / 6),
    Wrong("gru_step_backward", w_h_from_the_candidate, "", 5 / 6),
    Wrong("gru_step_backward", the_matrix_of_the_other_form, "the other form of the GRU", 5 / 6),
    Wrong("gru_before_step", product_then_reset, "the other form of the GRU", HALF),
    Wrong("gru_before_step", before_with_the_sign_of_keras, "the other convention for z", 3 / 4),
    Wrong("gru_before_step", nothing_is_reset, "reset gate missing", HALF),
    Wrong("gru_before_step", w_hn_turned, "weight transposed", HALF),
    Wrong("gru_before_step", update_gate_sees_the_reset_state, "reset gate on another gate", HALF),
    Wrong("gru_before_step", w_h_as_z_and_r, "gates in another order"),
    Wrong("gru_before_step", closed_where_it_is_open, "gate for its complement", HALF),
    Wrong("gru_before_step_backward", deltas_exchanged, "gradients of two gates exchanged", 5 / 9),
    Wrong(
        "gru_before_step_backward", way_back_of_the_other_form, "the other form of the GRU", 2 / 9
    ),
    Wrong("gru_before_step_backward", the_whole_page, "a page with mistakes copied", 1 / 9),
    Wrong("gru_before_step_backward", w_hn_not_turned, "weight transposed", 3 / 9),
    Wrong("gru_before_step_backward", path_through_m_lost, "path missing", 8 / 9),
    Wrong(
        "gru_before_step_backward",
        w_hn_saw_the_old_state,
        "reset gate missing on the way back",
        8 / 9,
    ),
    Wrong(
        "gru_before_step_backward",
        the_candidate_saw_the_old_state,
        "reset gate missing on the way back",
        8 / 9,
    ),
    Wrong("gru_before_step_backward", the_chapter_reset_before, "the other convention for z"),
    Wrong("gru_before_step_backward", no_matrix_on_the_way_back, "matrix missing", 3 / 9),
    Wrong(
        "gru_before_step_backward", z_is_no_sigmoid, "derivative of the activation missing", 3 / 9
    ),
    Wrong("gru_before_step_backward", r_gets_r, "factors of a product exchanged", 3 / 9),
    Wrong("gru_before_step_backward", w_h_gets_z_first, "gates in another order", 7 / 9),
    Wrong(
        "gru_before_step_backward",
        all_matrices_saw_the_reset_state,
        "reset gate on another gate",
        8 / 9,
    ),
    Wrong("gru_before_step_backward", what_is_kept_twice, "counted twice", 8 / 9),
    Wrong("gru_before_step_backward", z_the_wrong_way_round, "sign", 3 / 9),
    Wrong("gru_before_step_backward", w_hn_from_what_z_keeps, "", 8 / 9),
    Wrong("other_z", complement_of_the_weights, "complement of the weights"),
    Wrong("other_z", in_the_callers_arrays, "caller's array changed", HALF),
    Wrong("other_z", bias_left_alone, "not all terms converted", 2 / 3),
    Wrong("other_z", first_block_as_in_keras, "another gate changed"),
    Wrong("other_z", every_third_column, "gates interleaved"),
    Wrong("other_z", the_opposite_of_everything, "another gate changed"),
    Wrong("other_z", one_over_z, ""),
)


# Right answers


def entry_by_entry(params, x, h_previous):
    B, H = h_previous.shape
    r, z, n, h = (np.empty((B, H)) for _ in range(4))
    for m in range(B):
        for k in range(H):
            total = [params.b[g * H + k] for g in range(3)]
            for g in range(3):
                for i in range(x.shape[1]):
                    total[g] += x[m, i] * params.W_x[i, g * H + k]
            heard = [
                sum(h_previous[m, i] * params.W_h[i, g * H + k] for i in range(H)) for g in range(3)
            ]
            r[m, k] = 1 / (1 + np.exp(-total[0] - heard[0]))
            z[m, k] = 1 / (1 + np.exp(-total[1] - heard[1]))
            n[m, k] = np.tanh(total[2] + r[m, k] * (heard[2] + params.b_hn[k]))
            h[m, k] = h_previous[m, k] + z[m, k] * (n[m, k] - h_previous[m, k])
    return h, GRUGates(r, z, n)


def by_einsum_with_axes_of_gates(params, x, h_previous):
    B, H = h_previous.shape
    a_x = np.einsum("bd,dgh->gbh", x, params.W_x.reshape(-1, 3, H)) + params.b.reshape(3, 1, H)
    a_h = np.einsum("bk,kgh->gbh", h_previous, params.W_h.reshape(H, 3, H))
    r, z = 0.5 * (1 + np.tanh((a_x[:2] + a_h[:2]) / 2))
    n = np.tanh(r * params.b_hn + r * a_h[2] + a_x[2])
    return h_previous - z * h_previous + z * n, (r, z, n)


def one_product_with_everything(params, x, h_previous):
    """x, the state and a one side by side, and four blocks of columns."""
    D, H = len(params.W_x), len(params.W_h)
    W = np.zeros((D + H + 1, 4 * H))
    W[:D, : 3 * H], W[-1, : 3 * H] = params.W_x, params.b
    W[D:-1, : 2 * H], W[D:-1, 3 * H :] = params.W_h[:, : 2 * H], params.W_h[:, 2 * H :]
    W[-1, 3 * H :] = params.b_hn
    r, z, of_x, of_h = np.hsplit(np.c_[x, h_previous, np.ones(len(x))] @ W, 4)
    r, z = np.reciprocal(1 + np.exp(-r)), np.exp(-np.logaddexp(0, -z))
    n = np.tanh(of_x + r * of_h)
    return np.average([h_previous, n], axis=0, weights=[1 - z, z]), [r, z, n]


def a_class_for_one_step(params, x, h_previous):
    class Step:
        def __init__(self, params):
            for name, value in params._asdict().items():
                setattr(self, name, value)
            self.H = self.b_hn.size

        def block(self, array, k):
            return array[..., k * self.H : (k + 1) * self.H]

        def pre(self, k):
            return x @ self.block(self.W_x, k) + self.block(self.b, k)

        def rec(self, k):
            return h_previous @ self.block(self.W_h, k)

        def __call__(self):
            r = sigmoid(self.pre(0) + self.rec(0))
            z = sigmoid(self.pre(1) + self.rec(1))
            n = np.tanh(self.pre(2) + r * (self.rec(2) + self.b_hn))
            return h_previous + z * (n - h_previous), GRUGates(r, z, n)

    return Step(params)()


def by_the_complex_step(params, h_previous, gates, dh):
    H = h_previous.shape[1]
    s = h_previous @ params.W_h[:, 2 * H :] + params.b_hn
    a_r, a_z = (np.log(gate / (1 - gate)) for gate in gates[:2])
    places = [a_r, a_z, np.arctanh(gates.n) - gates.r * s, s]

    def loss(a_r, a_z, a_xn, s):
        z = sigmoid(a_z)
        return np.sum(dh * ((1 - z) * h_previous + z * np.tanh(a_xn + sigmoid(a_r) * s)))

    gradients = [np.zeros(dh.shape) for _ in places]
    for k, gradient in enumerate(gradients):
        for index in np.ndindex(dh.shape):
            moved = [place.astype(complex) for place in places]
            moved[k][index] += 1e-20j
            gradient[index] = loss(*moved).imag / 1e-20
    return GRUGates(*gradients[:3]), gradients[3]


def in_long_double(params, h_previous, gates, dh):
    r, z, n, h, d = (np.asarray(a, np.longdouble) for a in (*gates, h_previous, dh))
    s = h @ params.W_h[:, -h.shape[1] :].astype(np.longdouble) + params.b_hn
    slope = lambda y: y - y * y  # noqa: E731
    da_n = d * z * (1 - n) * (1 + n)
    found = da_n * s * slope(r), d * (n - h) * slope(z), da_n, da_n * r
    da_r, da_z, da_n, ds = (a.astype(float) for a in found)
    return GRUGates(da_r, da_z, da_n), ds


def with_buffers(params, h_previous, gates, dh):
    r, z, n = gates
    ds = np.square(n)
    np.subtract(1, ds, out=ds)
    ds *= z
    ds *= dh
    da_n = ds.copy()
    ds *= r
    da_r = np.matmul(h_previous, params.W_h[:, 2 * n.shape[1] :])
    da_r += params.b_hn
    da_r *= ds
    da_r *= 1 - r
    da_z = np.subtract(n, h_previous)
    for factor in (dh, z, 1 - z):
        np.multiply(da_z, factor, out=da_z)
    return GRUGates(n=da_n, z=da_z, r=da_r), ds


def gate_by_gate_with_nothing_handed_on(params, x, h_previous, gates, dh):
    W_x, W_h, b = (np.split(p, 3, axis=-1) for p in params[:3])
    r = 1 / (1 + np.exp(-(x @ W_x[0] + h_previous @ W_h[0] + b[0])))
    z = 1 / (1 + np.exp(-(x @ W_x[1] + h_previous @ W_h[1] + b[1])))
    s = h_previous @ W_h[2] + params.b_hn
    n = np.tanh(x @ W_x[2] + b[2] + r * s)
    da_n = dh * z * (1 - n) * (1 + n)
    to_x = [da_n * s * (r - r**2), (dh * n - dh * h_previous) * (z - z**2), da_n]
    to_h = [to_x[0], to_x[1], r * da_n]
    dx, dh_previous = 0, dh - z * dh
    for k in range(3):
        dx, dh_previous = dx + to_x[k] @ W_x[k].T, dh_previous + to_h[k] @ W_h[k].T
    dW_x, dW_h = (
        np.hstack([left.T @ d for d in ds]) for left, ds in ((x, to_x), (h_previous, to_h))
    )
    db = np.concatenate([np.ones(len(x)) @ d for d in to_x])
    return [dW_x, dW_h, db, np.ones(len(x)) @ to_h[2]], dx, dh_previous


def converted_there_and_back(params, x, h_previous, gates, dh):
    """The chapter's way back, with 1 - z for z and the opposite sign for what belongs to z."""
    r, z, n = gates.r, 1 - gates.z, gates.n
    H = r.shape[1]
    s = h_previous @ params.W_h[:, 2 * H :] + params.b_hn
    da_n = dh * (1 - z) * (1 - n**2)
    da_r, da_z = da_n * s * r * (1 - r), -dh * (h_previous - n) * z * (1 - z)
    da_x, da_h = np.hstack([da_r, da_z, da_n]), np.hstack([da_r, da_z, da_n * r])
    dparams = GRUParams(x.T @ da_x, h_previous.T @ da_h, da_x.sum(0), da_h[:, 2 * H :].sum(0))
    return dparams, da_x @ params.W_x.T, dh * z + da_h @ params.W_h.T


def by_the_jacobian_of_each_sequence(params, x, h_previous, gates, dh):
    D, H = len(params.W_x), len(params.W_h)
    W = [np.split(a, 3, axis=-1) for a in (params.W_x, params.W_h)]
    grads = GRUParams(*(np.zeros_like(p) for p in params))
    dx, dh_previous = np.zeros((len(x), D)), np.zeros((len(x), H))
    for k in range(len(x)):
        r, z, n, h = gates.r[k], gates.z[k], gates.n[k], h_previous[k]
        s = h @ W[1][2] + params.b_hn
        to_r = np.diag(z * (1 - n**2) * s * r * (1 - r))
        to_z = np.diag((n - h) * z * (1 - z))
        to_n = np.diag(z * (1 - n**2))
        of_h = (1 - z) * np.eye(H) + W[1][0] @ to_r + W[1][1] @ to_z + W[1][2] @ (to_n * r)
        of_x = W[0][0] @ to_r + W[0][1] @ to_z + W[0][2] @ to_n
        dx[k], dh_previous[k] = of_x @ dh[k], of_h @ dh[k]
        a = np.concatenate([J @ dh[k] for J in (to_r, to_z, to_n)])
        b = np.concatenate([a[: 2 * H], a[2 * H :] * r])
        for total, part in zip(grads, (np.outer(x[k], a), np.outer(h, b), a, b[2 * H :])):
            total += part
    return grads, dx, dh_previous


def columns_for_rows(params, x, h_previous):
    x, h, H = np.asfortranarray(x.T), h_previous.T, h_previous.shape[1]
    W_rz = np.vstack([params.W_x[:, : 2 * H], params.W_h]).T
    gates = sigmoid(W_rz @ np.vstack([x, h]) + params.b[: 2 * H, None])
    r, z = gates[:H], gates[H:]
    n = np.tanh(params.W_hn.T @ (h * r) + params.W_x[:, 2 * H :].T @ x + params.b[2 * H :, None])
    return (h * (1 - z) + n * z).T, GRUGates(r.T, z.T, n.T)


def a_diagonal_matrix_for_the_reset(params, x, h_previous):
    H = h_previous.shape[-1]
    rows = []
    for x_b, h_b in zip(x, h_previous):
        a = params.b + x_b @ params.W_x
        a[: 2 * H] += h_b @ params.W_h
        r_b, z_b = 1 / (1 + np.exp(-a[: 2 * H].reshape(2, H)))
        n_b = np.tanh(a[2 * H :] + h_b @ np.diag(r_b) @ params.W_hn)
        rows.append((np.where(True, h_b + z_b * (n_b - h_b), 0), r_b, z_b, n_b))
    h, r, z, n = map(np.array, zip(*rows))
    return h, GRUGates(r, z, n)


def one_sequence_at_a_time(params, x, h_previous, gates, dh):
    H = h_previous.shape[1]
    W_x, W_h, b, W_hn = (np.zeros(p.shape) for p in params)
    da, dx, dh_previous = np.zeros((len(x), 3 * H)), np.zeros(x.shape), np.zeros(h_previous.shape)
    for m, (x_m, h_m, dh_m) in enumerate(zip(x, h_previous, dh)):
        r, z, n = (gate[m] for gate in gates)
        a_n = dh_m * z * (1 - n * n)
        back = params.W_hn.dot(a_n)
        a = da[m] = np.concatenate([back * h_m * r * (1 - r), dh_m * (n - h_m) * z * (1 - z), a_n])
        W_x += np.outer(x_m, a)
        W_h += np.outer(h_m, a[: 2 * H])
        b += a
        W_hn += np.outer(r * h_m, a_n)
        dx[m] = params.W_x.dot(a)
        dh_previous[m] = params.W_h.dot(a[: 2 * H]) + back * r + dh_m - dh_m * z
    return GRUGates(*np.split(da, 3, axis=1)), GRUBeforeParams(W_x, W_h, b, W_hn), dx, dh_previous


def by_einsum_alone(params, x, h_previous, gates, dh):
    r, z, n = gates
    d = {"n": np.einsum("bh,bh,bh->bh", dh, z, 1 - n**2)}
    d["m"] = np.einsum("bk,hk->bh", d["n"], params.W_hn)
    d["r"] = np.einsum("bh,bh,bh,bh->bh", d["m"], h_previous, r, 1 - r)
    d["z"] = np.einsum("bh,bh,bh,bh->bh", dh, n - h_previous, z, 1 - z)
    of_x = np.stack([d[gate] for gate in "rzn"], axis=1)
    D, H = params.W_x.shape[0], dh.shape[1]
    W_x, W_h = params.W_x.reshape(D, 3, H), params.W_h.reshape(H, 2, H)
    return (
        [d["r"], d["z"], d["n"]],
        (
            np.einsum("bd,bgh->dgh", x, of_x).reshape(D, -1),
            np.einsum("bk,bgh->kgh", h_previous, of_x[:, :2]).reshape(H, -1),
            of_x.sum(axis=0).ravel(),
            np.einsum("bk,bk,bh->kh", r, h_previous, d["n"]),
        ),
        np.einsum("bgh,dgh->bd", of_x, W_x),
        dh - dh * z + d["m"] * r + np.einsum("bgh,kgh->bk", of_x[:, :2], W_h),
    )


def by_a_vector_of_signs(W_x, W_h, b):
    signs = np.repeat([1.0, -1.0, 1.0], len(W_h))
    return W_x @ np.diag(signs), W_h * signs, signs * b


def in_copies(W_x, W_h, b):
    found = []
    for array in map(np.array, (W_x, W_h, b)):
        middle = array.reshape(*array.shape[:-1], 3, -1)[..., 1, :]
        np.negative(middle, out=middle)
        found.append(array)
    return found


RIGHT = (
    Right("gru_step", entry_by_entry),
    Right("gru_step", by_einsum_with_axes_of_gates),
    Right("gru_step", one_product_with_everything),
    Right("gru_step", a_class_for_one_step),
    Right("gate_gradients", by_the_complex_step),
    Right("gate_gradients", in_long_double),
    Right("gate_gradients", with_buffers),
    Right("gru_step_backward", gate_by_gate_with_nothing_handed_on),
    Right("gru_step_backward", converted_there_and_back),
    Right("gru_step_backward", by_the_jacobian_of_each_sequence),
    Right("gru_before_step", columns_for_rows),
    Right("gru_before_step", a_diagonal_matrix_for_the_reset),
    Right("gru_before_step_backward", one_sequence_at_a_time),
    Right("gru_before_step_backward", by_einsum_alone),
    Right("other_z", by_a_vector_of_signs),
    Right("other_z", in_copies),
)
