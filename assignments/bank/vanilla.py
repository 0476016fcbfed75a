"""The bank of assignment 1.

The functions run in a notebook that has `np`, `RNNParams` and the answers before them.
"""

# ruff: noqa: F821, B006
import numpy as np

from assignments.bank.entry import Right, Wrong


def no_bias(params, x, h_previous):
    return np.tanh(x @ params.W_x + h_previous @ params.W_h)


def recurrent_weight_transposed(params, x, h_previous):
    return np.tanh(x @ params.W_x + h_previous @ params.W_h.T + params.b)


def logistic(params, x, h_previous):
    return 1 / (1 + np.exp(-(x @ params.W_x + h_previous @ params.W_h + params.b)))


def single_precision(params, x, h_previous):
    return np.tanh(x @ params.W_x + h_previous @ params.W_h + params.b).astype(np.float32)


def bias_added_in_place(params, x, h_previous):
    h_previous += x @ params.W_x @ np.zeros((params.W_x.shape[1], params.W_x.shape[1])) + 1
    return np.tanh(x @ params.W_x + (h_previous - 1) @ params.W_h + params.b)


def slope_missing(params, x, h_previous, h, dh):
    da = dh
    return RNNParams(x.T @ da, h_previous.T @ da, da.sum(0)), da @ params.W_x.T, da @ params.W_h.T


def slope_not_squared(params, x, h_previous, h, dh):
    da = dh * (1 - h)
    return RNNParams(x.T @ da, h_previous.T @ da, da.sum(0)), da @ params.W_x.T, da @ params.W_h.T


def forward_matrix_on_the_way_back(params, x, h_previous, h, dh):
    da = dh * (1 - h**2)
    return RNNParams(x.T @ da, h_previous.T @ da, da.sum(0)), da @ params.W_x.T, da @ params.W_h


def new_state_in_the_weights(params, x, h_previous, h, dh):
    da = dh * (1 - h**2)
    return RNNParams(x.T @ da, h.T @ da, da.sum(0)), da @ params.W_x.T, da @ params.W_h.T


def mean_over_the_batch(params, x, h_previous, h, dh):
    da = dh * (1 - h**2)
    n = len(x)
    return (
        RNNParams(x.T @ da / n, h_previous.T @ da / n, da.mean(0)),
        da @ params.W_x.T,
        da @ params.W_h.T,
    )


def last_sequence_alone(params, x, h_previous, h, dh):
    da = dh * (1 - h**2)
    for n in range(len(x)):
        dW_x = np.outer(x[n], da[n])
    return RNNParams(dW_x, h_previous.T @ da, da.sum(axis=0)), da @ params.W_x.T, da @ params.W_h.T


def always_the_first_state(params, xs, h_first):
    return np.stack([rnn_step(params, x, h_first) for x in xs])


def list_of_states(params, xs, h_first):
    hs = [h_first]
    for x in xs:
        hs.append(rnn_step(params, x, hs[-1]))
    return hs[1:]


def state_in_a_default(params, xs, h_first, kept=[]):
    h, hs = kept[-1] if kept and kept[-1].shape == h_first.shape else h_first, []
    for x in xs:
        h = rnn_step(params, x, h)
        hs.append(h)
    kept.append(h)
    return np.stack(hs)


def root_of_a_negative(params, xs, h_first):
    h, hs = h_first, []
    for x in xs:
        h = np.sqrt(rnn_step(params, x, h))
        hs.append(h)
    return np.stack(hs)


def nothing_carried(params, xs, h_first, hs, dhs, dh_last):
    dparams, dxs = [0, 0, 0], []
    for t in reversed(range(len(xs))):
        dh = dhs[t] + (dh_last if t == len(xs) - 1 else 0)
        h_previous = hs[t - 1] if t else h_first
        part, dx, dh_first = rnn_step_backward(params, xs[t], h_previous, hs[t], dh)
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.insert(0, dx)
    return RNNParams(*dparams), np.stack(dxs), dh_first


def nothing_carried_and_no_last_state(params, xs, h_first, hs, dhs, dh_last):
    dparams, dxs = [0, 0, 0], []
    for t in reversed(range(len(xs))):
        part, dx, dh_first = rnn_step_backward(
            params, xs[t], hs[t - 1] if t else h_first, hs[t], dhs[t]
        )
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.insert(0, dx)
    return RNNParams(*dparams), np.stack(dxs), dh_first


def not_added_up(params, xs, h_first, hs, dhs, dh_last):
    dxs, dh = [], dh_last
    for t in reversed(range(len(xs))):
        dparams, dx, dh = rnn_step_backward(
            params, xs[t], hs[t - 1] if t else h_first, hs[t], dhs[t] + dh
        )
        dxs.insert(0, dx)
    return dparams, np.stack(dxs), dh


def inputs_in_the_order_of_the_walk(params, xs, h_first, hs, dhs, dh_last):
    dparams, dxs, dh = [0, 0, 0], [], dh_last
    for t in reversed(range(len(xs))):
        part, dx, dh = rnn_step_backward(
            params, xs[t], hs[t - 1] if t else h_first, hs[t], dhs[t] + dh
        )
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.append(dx)
    return RNNParams(*dparams), np.stack(dxs), dh


def wraps_round_at_the_first_step(params, xs, h_first, hs, dhs, dh_last):
    dparams, dxs, dh = [0, 0, 0], [], dh_last
    for t in reversed(range(len(xs))):
        part, dx, dh = rnn_step_backward(params, xs[t], hs[t - 1], hs[t], dhs[t] + dh)
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.insert(0, dx)
    return RNNParams(*dparams), np.stack(dxs), dh


def squares(params, hs, dh_last):
    dh, norms = dh_last, []
    for h in hs[::-1]:
        norms.append((dh**2).sum(axis=1))
        dh = (dh * (1 - h**2)) @ params.W_h.T
    return np.stack(norms[::-1])


def one_step_late(params, hs, dh_last):
    dh, norms = dh_last, []
    for h in hs[::-1]:
        dh = (dh * (1 - h**2)) @ params.W_h.T
        norms.append(np.linalg.norm(dh, axis=1))
    return np.stack(norms[::-1])


def ends_before_the_first_step(params, xs, h_first, hs, dhs, dh_last):
    dparams, dxs, dh = RNNParams(*(np.zeros_like(p) for p in params)), np.zeros_like(xs), dh_last
    for t in range(len(xs) - 1, 0, -1):
        parts, dxs[t], dh = rnn_step_backward(params, xs[t], hs[t - 1], hs[t], dhs[t] + dh)
        dparams = RNNParams(*(total + part for total, part in zip(dparams, parts)))
    return dparams, dxs, dh


WRONG = (
    Wrong("rnn_unroll_backward", ends_before_the_first_step, "first step left out"),
    Wrong("rnn_step", no_bias, "bias missing"),
    Wrong("rnn_step", recurrent_weight_transposed, "weight transposed"),
    Wrong("rnn_step", logistic, "another activation"),
    Wrong("rnn_step", single_precision, "float32 or few digits", 0.5),
    Wrong("rnn_step", bias_added_in_place, "caller's array changed", 0.5),
    Wrong("rnn_step_backward", slope_missing, "derivative of the activation missing"),
    Wrong("rnn_step_backward", slope_not_squared, "derivative of the activation wrong"),
    Wrong("rnn_step_backward", forward_matrix_on_the_way_back, "weight transposed", 0.8),
    Wrong("rnn_step_backward", new_state_in_the_weights, "new state for the old one", 0.8),
    Wrong("rnn_step_backward", mean_over_the_batch, "mean for sum", 0.4),
    Wrong("rnn_step_backward", last_sequence_alone, "not summed over the batch", 0.8),
    Wrong("rnn_unroll", always_the_first_state, "carry lost between steps"),
    Wrong("rnn_unroll", list_of_states, "shape or type"),
    Wrong("rnn_unroll", state_in_a_default, "state kept between calls", 0.5),
    Wrong("rnn_unroll", root_of_a_negative, "NaN or infinity"),
    Wrong("rnn_unroll_backward", nothing_carried, "carry lost between steps"),
    Wrong("rnn_unroll_backward", nothing_carried_and_no_last_state, "carry lost between steps"),
    Wrong("rnn_unroll_backward", not_added_up, "not accumulated over time", 0.4),
    Wrong("rnn_unroll_backward", inputs_in_the_order_of_the_walk, "time runs backwards", 0.8),
    Wrong(
        "rnn_unroll_backward", wraps_round_at_the_first_step, "last state taken for the first", 0.8
    ),
    Wrong("gradient_norms", squares, "another norm"),
    Wrong("gradient_norms", one_step_late, "off by one step"),
)


def by_einsum(params, x, h_previous):
    a = np.einsum("bd,dh->bh", x, params.W_x) + np.einsum("bk,kh->bh", h_previous, params.W_h)
    return np.tanh(params.b + a)


def entry_by_entry(params, x, h_previous):
    h = np.empty(h_previous.shape)
    for n in range(len(x)):
        for j in range(h.shape[1]):
            a = params.b[j] + sum(x[n, i] * params.W_x[i, j] for i in range(x.shape[1]))
            a += sum(h_previous[n, k] * params.W_h[k, j] for k in range(h.shape[1]))
            h[n, j] = (np.exp(a) - np.exp(-a)) / (np.exp(a) + np.exp(-a))
    return h


def written_into_an_array_of_its_own(params, xs, h_first):
    T, B, _ = xs.shape
    hs = np.zeros((T + 1, B, h_first.shape[1]))
    hs[0] = h_first
    for t in range(T):
        hs[t + 1] = np.tanh(
            np.hstack([xs[t], hs[t]]) @ np.vstack([params.W_x, params.W_h]) + params.b
        )
    return hs[1:]


def products_after_the_loop(params, xs, h_first, hs, dhs, dh_last):
    das, dh = [], dh_last
    for h, dh_out in zip(hs[::-1], dhs[::-1]):
        das.append((dh + dh_out) * (1 - h * h))
        dh = das[-1] @ params.W_h.T
    das, previous = np.array(das[::-1]), np.concatenate([h_first[None], hs[:-1]])
    dW_x, dW_h = (
        np.tensordot(xs, das, ([0, 1], [0, 1])),
        np.tensordot(previous, das, ([0, 1], [0, 1])),
    )
    return (dW_x, dW_h, das.sum((0, 1))), das @ params.W_x.T, dh


def by_the_complex_step(params, x, h_previous, h, dh):
    leaves, gradients = [*params, x, h_previous], []
    for place, leaf in enumerate(leaves):
        gradient = np.zeros(leaf.shape)
        for index in np.ndindex(leaf.shape):
            moved = [p.astype(complex) for p in leaves]
            moved[place][index] += 1e-20j
            W_x, W_h, b, x_, h_ = moved
            gradient[index] = np.sum(dh * np.tanh(x_ @ W_x + h_ @ W_h + b)).imag / 1e-20
        gradients.append(gradient)
    return RNNParams(*gradients[:3]), gradients[3], gradients[4]


RIGHT = (
    Right("rnn_step", by_einsum),
    Right("rnn_step", entry_by_entry),
    Right("rnn_unroll", written_into_an_array_of_its_own),
    Right("rnn_unroll_backward", products_after_the_loop),
    Right("rnn_step_backward", by_the_complex_step),
)
