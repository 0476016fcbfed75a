"""The bank of assignment 3.

The functions run in a notebook that has `np`, `sigmoid`, the NamedTuples and the answers before
them.
"""

# ruff: noqa: F821
import numpy as np

from assignments.bank.entry import Right, Wrong, solutions


def slip(question: str, old: str, new: str) -> str:
    """Return the instructor's answer with `new` in the place of `old`, which it has once."""
    answer = solutions("03_gru")[question]
    assert answer.count(old) == 1, f"{question}: {old} is in the answer {answer.count(old)} times"
    return answer.replace(old, new)


# Whole answers


def reset_before_the_matrix(params, x, h_previous):  # Dive into Deep Learning, from scratch
    W_xr, W_xz, W_xn = np.split(params.W_x, 3, axis=1)
    W_hr, W_hz, W_hn = np.split(params.W_h, 3, axis=1)
    b_r, b_z, b_n = np.split(params.b, 3)
    r = sigmoid(x @ W_xr + h_previous @ W_hr + b_r)
    z = sigmoid(x @ W_xz + h_previous @ W_hz + b_z)
    n = np.tanh(x @ W_xn + (r * h_previous) @ W_hn + b_n + params.b_hn)
    return z * h_previous + (1 - z) * n, GRUGates(r, z, n)


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


def state_alone(params, x, h_previous):
    a_x, a_h = (
        np.split(x @ params.W_x + params.b, 3, axis=1),
        np.split(h_previous @ params.W_h, 3, axis=1),
    )
    r, z = sigmoid(a_x[0] + a_h[0]), sigmoid(a_x[1] + a_h[1])
    return z * h_previous + (1 - z) * np.tanh(a_x[2] + r * (a_h[2] + params.b_hn))


def single_precision(params, x, h_previous):
    params = GRUParams(*(p.astype(np.float32) for p in params))
    a_x = np.split(x.astype(np.float32) @ params.W_x + params.b, 3, axis=1)
    a_h = np.split(h_previous.astype(np.float32) @ params.W_h, 3, axis=1)
    r, z = sigmoid(a_x[0] + a_h[0]), sigmoid(a_x[1] + a_h[1])
    n = np.tanh(a_x[2] + r * (a_h[2] + params.b_hn))
    return z * h_previous + (1 - z) * n, GRUGates(r, z, n)


def gradient_of_the_caller_reused(params, h_previous, gates, dh):
    r, z, n = gates
    s = h_previous @ np.split(params.W_h, 3, axis=1)[2] + params.b_hn
    da_z = dh * (h_previous - n) * z * (1 - z)
    dh *= (1 - z) * (1 - n**2)
    return GRUGates(dh * s * r * (1 - r), da_z, dh.copy()), dh * r


def blocks_as_keras_has_them(params, x, h_previous, gates, dh):
    da, ds = gate_gradients(params, h_previous, gates, dh)
    a_x, a_h = np.hstack([da.z, da.r, da.n]), np.hstack([da.z, da.r, ds])
    dparams = GRUParams(x.T @ a_x, h_previous.T @ a_h, a_x.sum(0), ds.sum(0))
    return dparams, a_x @ params.W_x.T, dh * gates.z + a_h @ params.W_h.T


def deltas_exchanged(
    params, x, h_previous, gates, dh
):  # the GRU vignette of the R package rnn, its last lines
    r, z, n = gates
    da_n = dh * (1 - z) * (1 - n**2)
    dm = da_n @ params.W_hn.T
    da_r, da_z = dm * h_previous * r * (1 - r), dh * (h_previous - n) * z * (1 - z)
    a_x, a_h = np.hstack([da_n, da_z, da_r]), np.hstack([da_n, da_z])
    dparams = GRUBeforeParams(x.T @ a_x, h_previous.T @ a_h, a_x.sum(0), (r * h_previous).T @ da_r)
    dx = np.hstack([da_r, da_z, da_n]) @ params.W_x.T
    return (
        GRUGates(da_r, da_z, da_n),
        dparams,
        dx,
        dh * z + dm * r + np.hstack([da_r, da_z]) @ params.W_h.T,
    )


def way_back_of_the_other_form(params, x, h_previous, gates, dh):
    r, z, n = gates
    da_n = dh * (1 - z) * (1 - n**2)
    ds = da_n * r
    da_r, da_z = (
        da_n * (h_previous @ params.W_hn) * r * (1 - r),
        dh * (h_previous - n) * z * (1 - z),
    )
    a_x, a_h = np.hstack([da_r, da_z, da_n]), np.hstack([da_r, da_z])
    dparams = GRUBeforeParams(x.T @ a_x, h_previous.T @ a_h, a_x.sum(0), h_previous.T @ ds)
    return (
        GRUGates(da_r, da_z, da_n),
        dparams,
        a_x @ params.W_x.T,
        dh * z + ds @ params.W_hn.T + a_h @ params.W_h.T,
    )


def the_whole_page(
    params, x, h_previous, gates, dh
):  # all four mistakes of the GRU vignette of the R package rnn, with z as in (12.2)
    r, z, n = gates
    dn = dh * (1 - z)
    da_n, da_z = dn * (1 - n**2), (dh * h_previous + dn) * z * (1 - z)
    dm = da_n @ params.W_hn.T
    da_r = dm * r * r * (1 - r)
    a_x, a_h = np.hstack([da_n, da_z, da_r]), np.hstack([da_n, da_z])
    dparams = GRUBeforeParams(x.T @ a_x, h_previous.T @ a_h, a_x.sum(0), (r * h_previous).T @ da_r)
    return (
        GRUGates(da_r, da_z, da_n),
        dparams,
        a_x @ params.W_x.T,
        dh * z + dm * r + a_h @ params.W_h.T,
    )


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


WRONG = (
    Wrong("gru_step", reset_before_the_matrix, "the other form of the GRU", 1 / 2),
    Wrong("gru_step", gates_as_keras_has_them, "gates in another order"),
    Wrong("gru_step", bias_of_r_in_z, "bias of another gate", 1 / 2),
    Wrong("gru_step", state_alone, "shape or type"),
    Wrong("gru_step", single_precision, "float32 or few digits", 1 / 2),
    Wrong("gate_gradients", gradient_of_the_caller_reused, "caller's array changed", 1 / 2),
    Wrong("gru_step_backward", blocks_as_keras_has_them, "gates in another order", 1 / 6),
    Wrong("gru_before_step_backward", deltas_exchanged, "gradients of two gates exchanged", 5 / 9),
    Wrong(
        "gru_before_step_backward", way_back_of_the_other_form, "the other form of the GRU", 2 / 9
    ),
    Wrong("gru_before_step_backward", the_whole_page, "", 1 / 9),
    Wrong("other_z", complement_of_the_weights, "complement of the weights"),
    Wrong("other_z", in_the_callers_arrays, "caller's array changed", 1 / 2),
    Wrong("other_z", bias_left_alone, "nothing changed", 2 / 3),
    Wrong("other_z", first_block_as_in_keras, "another gate changed"),
    Wrong("other_z", every_third_column, ""),
)

# One slip in the instructor's answer: (question, old text, new text, cause, credit)

AGAIN = "sigmoid = lambda a: 0.5 * (np.tanh(a) + 1)\n    r, z ="  # HIPS/autograd, issue 346
SLIPS = (
    ("gru_step", "a_hn + params.b_hn", "a_hn", "bias missing", 1 / 2),
    (
        "gru_step",
        "r * (a_hn + params.b_hn)",
        "r * a_hn + params.b_hn",
        "bias outside the reset",
        1 / 2,
    ),
    ("gru_step", "a_xn + r * (a_hn", "r * (a_xn + a_hn", "reset gate on the input as well", 1 / 2),
    (
        "gru_step",
        "z * h_previous + (1 - z) * n",
        "(1 - z) * h_previous + z * n",
        "the other convention for z",
        3 / 4,
    ),
    ("gru_step", "(1 - z) * n", "n", "the shares do not add up to one", 3 / 4),
    ("gru_step", "r, z =", AGAIN, "another activation", 0),
    ("gate_gradients", " * (1 - n**2)", "", "derivative of the activation missing", 1 / 4),
    (
        "gate_gradients",
        "dr * r * (1 - r)",
        "dr * (1 - r**2)",
        "derivative of another activation",
        3 / 4,
    ),
    (
        "gate_gradients",
        "dr * r * (1 - r)",
        "dr * sigmoid(r)",
        "activation in the place of its derivative",
        3 / 4,
    ),
    ("gate_gradients", "dh * (h_previous - n)", "dh * h_previous", "path missing", 3 / 4),
    ("gate_gradients", "(h_previous - n)", "(n - h_previous)", "sign", 3 / 4),
    ("gate_gradients", "da_n * r", "da_n", "reset gate missing on the way back", 3 / 4),
    ("gate_gradients", " + params.b_hn", "", "bias missing", 3 / 4),
    (
        "gate_gradients",
        "da_n * s, da_n * r",
        "da_n * r, da_n * s",
        "factors of a product exchanged",
        1 / 2,
    ),
    ("gate_gradients", "dh * (1 - z) * (1", "dh * z * (1", "gate for its complement", 1 / 4),
    ("gru_step_backward", "[da.r, da.z, ds]", "da", "reset gate missing on the way back", 4 / 6),
    (
        "gru_step_backward",
        "[da.r, da.z, da.n]",
        "[da.r, da.z, ds]",
        "reset gate on the way to the input",
        3 / 6,
    ),
    ("gru_step_backward", "dh * gates.z + ", "", "path missing", 5 / 6),
    ("gru_step_backward", "dh * gates.z", "dh * (1 - gates.z)", "gate for its complement", 5 / 6),
    ("gru_step_backward", "ds.sum(axis=0)", "ds.mean(axis=0)", "mean for sum", 5 / 6),
    (
        "gru_step_backward",
        "ds.sum(axis=0)",
        "da.n.sum(axis=0)",
        "reset gate missing on the way back",
        5 / 6,
    ),
    ("gru_step_backward", "h_previous.T @", "gates.n.T @", "", 5 / 6),
    (
        "gru_before_step",
        "(r * h_previous) @ params.W_hn",
        "r * (h_previous @ params.W_hn)",
        "the other form of the GRU",
        1 / 2,
    ),
    ("gru_before_step", "(r * h_previous)", "h_previous", "reset gate missing", 1 / 2),
    # The GRU vignette of the R package rnn: 1 - delta for -delta, and delta 18 from delta 17
    (
        "gru_before_step_backward",
        "dh * (h_previous - n)",
        "(dh * h_previous + 1 - dh * n)",
        "one minus a gradient",
        3 / 9,
    ),
    (
        "gru_before_step_backward",
        "dm * h_previous",
        "dm * r",
        "factors of a product exchanged",
        3 / 9,
    ),
    (
        "gru_before_step_backward",
        "(r * h_previous).T",
        "h_previous.T",
        "reset gate missing on the way back",
        8 / 9,
    ),
    ("gru_before_step_backward", "dm * r + ", "", "path missing", 8 / 9),
    (
        "gru_before_step_backward",
        "da_n @ params.W_hn.T",
        "da_n @ params.W_hn",
        "weight transposed",
        3 / 9,
    ),
    ("gru_before_step_backward", "da_n @ params.W_hn.T", "da_n", "matrix missing", 3 / 9),
    (
        "gru_before_step_backward",
        "* z * (1 - z)",
        "",
        "derivative of the activation missing",
        3 / 9,
    ),
    ("other_z", "[r, -z, n]", "[-r, -z, -n]", "another gate changed", 0),
)
WRONG += tuple(
    Wrong(question, slip(question, old, new), cause, credit)
    for question, old, new, cause, credit in SLIPS
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
            heard = [
                sum(h_previous[m, i] * params.W_h[i, g * H + k] for i in range(H)) for g in range(3)
            ]
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
    dW_x, dW_h = (
        np.hstack([left.T @ d for d in ds]) for left, ds in ((x, to_x), (h_previous, to_h))
    )
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
    da, dx, dh_previous = np.zeros((len(x), 3 * H)), np.zeros(x.shape), np.zeros(h_previous.shape)
    for m, (x_m, h_m, dh_m) in enumerate(zip(x, h_previous, dh)):
        r, z, n = (gate[m] for gate in gates)
        a_n = dh_m * (1 - z) * (1 - n * n)
        back = params.W_hn.dot(a_n)
        a = da[m] = np.concatenate([back * h_m * r * (1 - r), dh_m * (h_m - n) * z * (1 - z), a_n])
        W_x += np.outer(x_m, a)
        W_h += np.outer(h_m, a[: 2 * H])
        b += a
        W_hn += np.outer(r * h_m, a_n)
        dx[m] = params.W_x.dot(a)
        dh_previous[m] = params.W_h.dot(a[: 2 * H]) + back * r + dh_m * z
    return GRUGates(*np.split(da, 3, axis=1)), GRUBeforeParams(W_x, W_h, b, W_hn), dx, dh_previous


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
