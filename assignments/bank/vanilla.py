"""The bank of assignment 1.

The functions run in a notebook that has `np`, `RNNParams` and the answers before them.
"""

# ruff: noqa: F821, B006
import numpy as np

from assignments.bank.entry import Right, Wrong

# Question 1: one step


def no_bias(params, x, h_previous):
    left = (1 - params.a) * h_previous
    n = np.tanh(np.dot(x, params.W_x) + np.dot(left, params.W_h))
    return left + params.a * n, n


def bias_after_the_tanh(params, x, h_previous):
    W_x, W_h, b, a = params
    left = h_previous - a * h_previous
    n = np.tanh(x @ W_x + left @ W_h) + b
    return left + a * n, n


def bias_for_each_product(params, x, h_previous):
    left = (1 - params.a) * h_previous
    from_input = x @ params.W_x + params.b
    from_state = left @ params.W_h + params.b
    n = np.tanh(from_input + from_state)
    return n * params.a + left, n


def recurrent_weight_transposed(params, x, h_previous):
    left = h_previous * (1 - params.a)
    pre = np.einsum("bd,dh->bh", x, params.W_x) + np.einsum("bk,hk->bh", left, params.W_h)
    n = np.tanh(pre + params.b)
    return n * params.a + left, n


def logistic(params, x, h_previous):
    left = (1 - params.a) * h_previous
    z = x @ params.W_x + left @ params.W_h + params.b
    n = 1 / (1 + np.exp(-z))
    return left + params.a * n, n


def tanh_of_the_input_alone(params, x, h_previous):
    left = (1 - params.a) * h_previous
    n = np.tanh(x @ params.W_x + params.b) + left @ params.W_h
    return left + params.a * n, n


def keeps_the_leak(params, x, h_previous):
    left = params.a * h_previous
    n = np.tanh(x @ params.W_x + left @ params.W_h + params.b)
    return left + params.a * n, n


def adds_the_other_share(params, x, h_previous):
    left = (1 - params.a) * h_previous
    n = np.tanh(x @ params.W_x + left @ params.W_h + params.b)
    return left + (1 - params.a) * n, n


def leaks_twice(params, x, h_previous):
    left = (1 - params.a) * h_previous
    n = np.tanh(x @ params.W_x + left @ params.W_h + params.b)
    return (1 - params.a) * left + params.a * n, n


def shares_exchanged(params, x, h_previous):
    left = params.a * h_previous
    n = np.tanh(x @ params.W_x + left @ params.W_h + params.b)
    return left + n - params.a * n, n


def proposal_as_the_state(params, x, h_previous):
    left = (1 - params.a) * h_previous
    n = np.tanh(x @ params.W_x + left @ params.W_h + params.b)
    return n, n


def step_of_the_chapter(params, x, h_previous):
    a = x @ params.W_x + h_previous @ params.W_h + params.b
    h = np.tanh(a)
    return h, h


def leak_of_the_exercise(params, x, h_previous):
    n = np.tanh(x @ params.W_x + h_previous @ params.W_h + params.b)
    return (1 - params.a) * h_previous + params.a * n, n


def added_to_the_old_state(params, x, h_previous):
    n = np.tanh(x @ params.W_x + ((1 - params.a) * h_previous) @ params.W_h + params.b)
    h = h_previous.copy()
    h += params.a * n
    return h, n


def nothing_lost(params, x, h_previous):
    n = np.tanh(x @ params.W_x + h_previous @ params.W_h + params.b)
    return h_previous + n * params.a, n


def whole_proposal_added(params, x, h_previous):
    h_previous = h_previous - params.a * h_previous
    n = np.tanh(x @ params.W_x + h_previous @ params.W_h + params.b)
    return h_previous + n, n


def leak_inside_the_tanh(params, x, h_previous):
    left = (1 - params.a) * h_previous
    s = x @ params.W_x + left @ params.W_h + params.b
    n = np.tanh(params.a * s)
    return left + n, n


def only_the_fresh_part(params, x, h_previous):
    n = np.tanh(x @ params.W_x + (h_previous - params.a * h_previous) @ params.W_h + params.b)
    return np.multiply(params.a, n), n


def without_the_old_state(params, x, h_previous):
    n = np.tanh(x @ params.W_x + params.b)
    return (1 - params.a) * h_previous + params.a * n, n


def state_returned_twice(params, x, h_previous):
    left = (1 - params.a) * h_previous
    n = np.tanh(x @ params.W_x + left @ params.W_h + params.b)
    h = left + params.a * n
    return h, h


def proposal_before_the_state(params, x, h_previous):
    left = (1 - params.a) * h_previous
    n = np.tanh(x @ params.W_x + left @ params.W_h + params.b)
    h = left + params.a * n
    return n, h


def pre_activation_added(params, x, h_previous):
    left = (1 - params.a) * h_previous
    n = x @ params.W_x + left @ params.W_h + params.b
    return left + params.a * n, n


def transposed_and_no_bias(params, x, h_previous):
    left = (1 - params.a) * h_previous
    n = np.tanh(x @ params.W_x + (params.W_h @ left.T).T)
    return left + params.a * n, n


def single_precision(params, x, h_previous):
    left = (1 - params.a) * h_previous
    n = np.tanh(x @ params.W_x + left @ params.W_h + params.b).astype(np.float32)
    return (left + params.a * n).astype(np.float32), n


def towards_the_proposal(params, x, h_previous):
    left = (1 - params.a) * h_previous
    n = np.tanh(x @ params.W_x + left @ params.W_h + params.b)
    return left + params.a * (n - h_previous), n


def leak_into_the_old_state(params, x, h_previous):
    h_previous *= 1 - params.a
    n = np.tanh(x @ params.W_x + h_previous @ params.W_h + params.b)
    return h_previous + params.a * n, n


def state_only(params, x, h_previous):
    left = (1 - params.a) * h_previous
    n = np.tanh(x @ params.W_x + left @ params.W_h + params.b)
    return left + params.a * n


def mean_of_the_leaks(params, x, h_previous):
    a = params.a.mean()
    left = (1 - a) * h_previous
    n = np.tanh(x @ params.W_x + left @ params.W_h + params.b)
    return left + a * n, n


# Question 2: one step back


def slope_missing(params, x, h_previous, n, dh):
    ds = dh * params.a
    k = (1 - params.a) * h_previous
    dk = dh + ds @ params.W_h.T
    da = np.sum(dh * n - dk * h_previous, axis=0)
    return RNNParams(x.T @ ds, k.T @ ds, ds.sum(0), da), ds @ params.W_x.T, dk * (1 - params.a)


def slope_not_squared(params, x, h_previous, n, dh):
    ds = dh * params.a * (1 - n)
    k = (1 - params.a) * h_previous
    dk = dh + ds @ params.W_h.T
    da = np.sum(dh * n - dk * h_previous, axis=0)
    return RNNParams(x.T @ ds, k.T @ ds, ds.sum(0), da), ds @ params.W_x.T, dk * (1 - params.a)


def slope_times_two(params, x, h_previous, n, dh):
    ds = params.a * dh * (1 - n * 2)
    dk = ds @ params.W_h.T + dh
    dh_previous = dk - params.a * dk
    da = (dh * n).sum(axis=0) - (dk * h_previous).sum(axis=0)
    dW_h = (h_previous * (1 - params.a)).T @ ds
    return RNNParams(x.T @ ds, dW_h, ds.sum(0), da), ds @ params.W_x.T, dh_previous


def slope_of_the_old_state(params, x, h_previous, n, dh):
    dtanh = 1 - np.square(h_previous)
    ds = dtanh * (params.a * dh)
    dk = dh + np.dot(ds, params.W_h.T)
    k = h_previous * (1 - params.a)
    grads = RNNParams(
        np.dot(x.T, ds), np.dot(k.T, ds), np.sum(ds, 0), np.sum(dh * n - dk * h_previous, 0)
    )
    return grads, np.dot(ds, params.W_x.T), (1 - params.a) * dk


def slope_of_the_new_state(params, x, h_previous, n, dh):
    k = h_previous * (1 - params.a)
    h = k + params.a * n
    ds = dh * params.a * (1 - h * h)
    dk = dh + np.dot(ds, params.W_h.T)
    grads = RNNParams(
        np.dot(x.T, ds), np.dot(k.T, ds), np.sum(ds, 0), np.sum(dh * n - dk * h_previous, 0)
    )
    return grads, np.dot(ds, params.W_x.T), (1 - params.a) * dk


def tanh_of_a_tanh(params, x, h_previous, n, dh):
    ds = dh * params.a / np.cosh(n) ** 2
    k = (1 - params.a) * h_previous
    dk = dh + ds @ params.W_h.T
    da = np.sum(dh * n - dk * h_previous, axis=0)
    return RNNParams(x.T @ ds, k.T @ ds, ds.sum(0), da), ds @ params.W_x.T, dk * (1 - params.a)


def slope_of_a_sigmoid(params, x, h_previous, n, dh):
    ds = dh * params.a * n * (1 - n)
    k = (1 - params.a) * h_previous
    dk = dh + ds @ params.W_h.T
    da = np.sum(dh * n - dk * h_previous, axis=0)
    return RNNParams(x.T @ ds, k.T @ ds, ds.sum(0), da), ds @ params.W_x.T, dk * (1 - params.a)


def parameters_from_the_proposal(params, x, h_previous, n, dh):
    dn = dh * params.a
    ds = dn * (1 - n**2)
    k, dk = (1 - params.a) * h_previous, dh + ds @ params.W_h.T
    da = np.sum(dh * n - dk * h_previous, axis=0)
    grads = RNNParams(x.T @ dn, k.T @ dn, dn.sum(0), da)
    return grads, ds @ params.W_x.T, dk * (1 - params.a)


def forward_matrix_on_the_way_back(params, x, h_previous, n, dh):
    ds = dh * params.a * (1 - n**2)
    k, dk = (1 - params.a) * h_previous, dh + ds @ params.W_h
    da = np.sum(dh * n - dk * h_previous, axis=0)
    grads = RNNParams(x.T @ ds, k.T @ ds, ds.sum(0), da)
    return grads, ds @ params.W_x.T, dk * (1 - params.a)


def gradient_of_W_h_transposed(params, x, h_previous, n, dh):
    ds = dh * params.a * (1 - n**2)
    k, dk = (1 - params.a) * h_previous, dh + ds @ params.W_h.T
    da = np.sum(dh * n - dk * h_previous, axis=0)
    grads = RNNParams(x.T @ ds, ds.T @ k, ds.sum(0), da)
    return grads, ds @ params.W_x.T, dk * (1 - params.a)


def old_state_in_the_weights(params, x, h_previous, n, dh):
    ds = dh * params.a * (1 - n**2)
    dk = dh + ds @ params.W_h.T
    da = np.sum(dh * n - dk * h_previous, axis=0)
    grads = RNNParams(x.T @ ds, h_previous.T @ ds, ds.sum(0), da)
    return grads, ds @ params.W_x.T, dk * (1 - params.a)


def leak_on_the_columns(params, x, h_previous, n, dh):
    ds = dh * params.a * (1 - n**2)
    dk = dh + ds @ params.W_h.T
    da = np.sum(dh * n - dk * h_previous, axis=0)
    grads = RNNParams(x.T @ ds, (1 - params.a) * (h_previous.T @ ds), ds.sum(0), da)
    return grads, ds @ params.W_x.T, dk * (1 - params.a)


def direct_path_from_the_proposal(params, x, h_previous, n, dh):
    dn = params.a * dh
    ds = dn - dn * n * n
    k, dk = (1 - params.a) * h_previous, dn + ds @ params.W_h.T
    da = np.sum(dh * n - dk * h_previous, axis=0)
    grads = RNNParams(x.T @ ds, k.T @ ds, ds.sum(0), da)
    return grads, ds @ params.W_x.T, dk * (1 - params.a)


def new_state_in_the_weights(params, x, h_previous, n, dh):
    ds = dh * params.a * (1 - n**2)
    h = (1 - params.a) * h_previous + params.a * n
    dk = dh + ds @ params.W_h.T
    da = np.sum(dh * n - dk * h_previous, axis=0)
    grads = RNNParams(x.T @ ds, h.T @ ds, ds.sum(0), da)
    return grads, ds @ params.W_x.T, dk * (1 - params.a)


def no_leak_on_the_way_to_the_proposal(params, x, h_previous, n, dh):
    ds = dh * (1 - n**2)
    k, dk = (1 - params.a) * h_previous, dh + ds @ params.W_h.T
    da = np.sum(dh * n - dk * h_previous, axis=0)
    grads = RNNParams(x.T @ ds, k.T @ ds, ds.sum(0), da)
    return grads, ds @ params.W_x.T, dk * (1 - params.a)


def leak_on_the_direct_path_alone(params, x, h_previous, n, dh):
    ds = dh * params.a * (1 - n**2)
    k, through_n = (1 - params.a) * h_previous, ds @ params.W_h.T
    da = np.sum(dh * n - (dh + through_n) * h_previous, axis=0)
    grads = RNNParams(x.T @ ds, k.T @ ds, ds.sum(0), da)
    return grads, ds @ params.W_x.T, dh * (1 - params.a) + through_n


def shares_exchanged_on_the_way_back(params, x, h_previous, n, dh):
    k, dn = (1 - params.a) * h_previous, dh * (1 - params.a)
    ds = dn * (1 - n**2)
    dk = dh + ds @ params.W_h.T
    da = np.sum(dh * n - dk * h_previous, axis=0)
    grads = RNNParams(x.T @ ds, k.T @ ds, ds.sum(0), da)
    return grads, ds @ params.W_x.T, dk * params.a


def direct_path_forgotten(params, x, h_previous, n, dh):
    ds = (dh * params.a) * (1 - n**2)
    k, dk = h_previous - params.a * h_previous, ds @ params.W_h.T
    dW_x, dW_h, db = x.T @ ds, k.T @ ds, ds.sum(axis=0)
    da = (dh * n).sum(axis=0) - (dk * h_previous).sum(axis=0)
    return RNNParams(dW_x, dW_h, db, da), ds @ params.W_x.T, dk * (1 - params.a)


def path_through_the_proposal_forgotten(params, x, h_previous, n, dh):
    ds = (dh * params.a) * (1 - n**2)
    k = h_previous - params.a * h_previous
    dW_x, dW_h, db = x.T @ ds, k.T @ ds, ds.sum(axis=0)
    da = (dh * (n - h_previous)).sum(axis=0)
    return RNNParams(dW_x, dW_h, db, da), ds @ params.W_x.T, dh - dh * params.a


def slope_on_both_paths(params, x, h_previous, n, dh):
    slope = 1 - n**2
    ds = dh * params.a * slope
    k, dk = (1 - params.a) * h_previous, dh * slope + ds @ params.W_h.T
    da = (dh * n - dk * h_previous).sum(axis=0)
    grads = RNNParams(x.T @ ds, k.T @ ds, ds.sum(0), da)
    return grads, ds @ params.W_x.T, dk * (1 - params.a)


def leak_from_the_proposal_alone(params, x, h_previous, n, dh):
    ds = dh * params.a * (1 - n**2)
    k, dk = (1 - params.a) * h_previous, dh + ds @ params.W_h.T
    da = np.einsum("bh,bh->h", dh, n)
    grads = RNNParams(x.T @ ds, k.T @ ds, ds.sum(0), da)
    return grads, ds @ params.W_x.T, dk * (1 - params.a)


def leak_from_the_direct_paths_alone(params, x, h_previous, n, dh):
    ds = dh * params.a * (1 - n**2)
    k, dk = (1 - params.a) * h_previous, dh + ds @ params.W_h.T
    da = np.sum(dh * (n - h_previous), axis=0)
    grads = RNNParams(x.T @ ds, k.T @ ds, ds.sum(0), da)
    return grads, ds @ params.W_x.T, dk * (1 - params.a)


def leak_with_the_wrong_sign(params, x, h_previous, n, dh):
    ds = dh * params.a * (1 - n**2)
    k, dk = (1 - params.a) * h_previous, dh + ds @ params.W_h.T
    da = np.sum(dk * h_previous - dh * n, axis=0)
    grads = RNNParams(x.T @ ds, k.T @ ds, ds.sum(0), da)
    return grads, ds @ params.W_x.T, dk * (1 - params.a)


def leak_added_to_both(params, x, h_previous, n, dh):
    ds = dh * params.a * (1 - n**2)
    k, dk = (1 - params.a) * h_previous, dh + ds @ params.W_h.T
    da = np.sum(dk * h_previous, axis=0) + np.sum(dh * n, axis=0)
    grads = RNNParams(x.T @ ds, k.T @ ds, ds.sum(0), da)
    return grads, ds @ params.W_x.T, dk * (1 - params.a)


def leak_behind_the_slope(params, x, h_previous, n, dh):
    slope = 1 - n**2
    ds = dh * params.a * slope
    k, dk = (1 - params.a) * h_previous, dh + ds @ params.W_h.T
    da = np.sum(dh * slope * n, axis=0) - np.sum(dk * h_previous, axis=0)
    grads = RNNParams(x.T @ ds, k.T @ ds, ds.sum(0), da)
    return grads, ds @ params.W_x.T, dk * (1 - params.a)


def leak_with_what_is_left(params, x, h_previous, n, dh):
    ds = dh * params.a * (1 - n**2)
    k, dk = (1 - params.a) * h_previous, dh + ds @ params.W_h.T
    da = np.sum(dh * n - dk * k, axis=0)
    grads = RNNParams(x.T @ ds, k.T @ ds, ds.sum(0), da)
    return grads, ds @ params.W_x.T, dk * (1 - params.a)


def mean_over_the_batch(params, x, h_previous, n, dh):
    ds = dh * params.a * (1 - n**2)
    k, dk, B = (1 - params.a) * h_previous, dh + ds @ params.W_h.T, len(x)
    da = np.mean(dh * n - dk * h_previous, axis=0)
    grads = RNNParams(x.T @ ds / B, k.T @ ds / B, ds.mean(0), da)
    return grads, ds @ params.W_x.T, dk * (1 - params.a)


def last_sequence_alone(params, x, h_previous, n, dh):
    ds = dh * params.a * (1 - n**2)
    k, dk = (1 - params.a) * h_previous, dh + ds @ params.W_h.T
    for m in range(len(x)):
        dW_x = np.outer(x[m], ds[m])
        dW_h = np.outer(k[m], ds[m])
        db = ds[m]
        da = dh[m] * n[m] - dk[m] * h_previous[m]
    return RNNParams(dW_x, dW_h, db, da), ds @ params.W_x.T, dk * (1 - params.a)


def bias_not_summed(params, x, h_previous, n, dh):
    ds = dh * params.a * (1 - n**2)
    k, dk = (1 - params.a) * h_previous, dh + ds @ params.W_h.T
    da = np.sum(dh * n - dk * h_previous, axis=0)
    grads = RNNParams(x.T @ ds, k.T @ ds, ds, da)
    return grads, ds @ params.W_x.T, dk * (1 - params.a)


def slope_not_squared_and_leak_forgotten(params, x, h_previous, n, dh):
    ds = dh * params.a * (1 - n)
    k, dk = (1 - params.a) * h_previous, dh + ds @ params.W_h.T
    da = np.sum(dh * n - dk * h_previous, axis=0)
    grads = RNNParams(x.T @ ds, k.T @ ds, ds.sum(0), da)
    return grads, ds @ params.W_x.T, dk


def only_a_share_reaches_the_leak(params, x, h_previous, n, dh):
    ds = dh * params.a * (1 - n**2)
    k, dk = (1 - params.a) * h_previous, dh + ds @ params.W_h.T
    da = np.sum((dh * n - dk * h_previous) * (1 - params.a), axis=0)
    grads = RNNParams(x.T @ ds, k.T @ ds, ds.sum(0), da)
    return grads, ds @ params.W_x.T, dk * (1 - params.a)


# Question 3: through time, forward


def always_the_first_state(params, xs, h_first):
    both = [rnn_step(params, x, h_first) for x in xs]
    return np.stack([h for h, _ in both]), np.stack([n for _, n in both])


def zeros_at_the_start(params, xs, h_first):
    hs = np.zeros((len(xs), *h_first.shape))
    ns = np.zeros_like(hs)
    for t in range(len(xs)):
        hs[t], ns[t] = rnn_step(params, xs[t], hs[t - 1])
    return hs, ns


def first_state_put_first(params, xs, h_first):
    T, B, H = len(xs), *h_first.shape
    hs, ns = np.zeros((T, B, H)), np.zeros((T, B, H))
    hs[0] = h_first
    for t in range(1, T):
        hs[t], ns[t] = rnn_step(params, xs[t], hs[t - 1])
    return hs, ns


def states_before_the_steps(params, xs, h_first):
    h, hs, ns = h_first, [], []
    for x in xs:
        hs.append(h)
        h, n = rnn_step(params, x, h)
        ns.append(n)
    return np.stack(hs), np.stack(ns)


def from_the_second_step(params, xs, h_first):
    hs, ns = np.zeros((len(xs), *h_first.shape)), np.zeros((len(xs), *h_first.shape))
    h = h_first
    for t in range(1, len(xs)):
        h, ns[t] = rnn_step(params, xs[t], h)
        hs[t] = h
    return hs, ns


def to_the_last_but_one(params, xs, h_first):
    hs, ns = np.zeros((len(xs), *h_first.shape)), np.zeros((len(xs), *h_first.shape))
    h = h_first
    for t in range(len(xs) - 1):
        hs[t], ns[t] = h, _ = rnn_step(params, xs[t], h)
    return hs, ns


def read_from_the_end(params, xs, h_first):
    hs, ns = [], []
    state = h_first
    for t in range(len(xs) - 1, -1, -1):
        state, n = rnn_step(params, xs[t], state)
        hs += [state]
        ns += [n]
    return np.array(hs), np.array(ns)


def proposal_carried(params, xs, h_first):
    state = h_first
    hs, ns = [], []
    for x in xs:
        h, state = rnn_step(params, x, state)
        hs.append(h)
        ns.append(state)
    return np.stack(hs), np.stack(ns)


def list_of_states(params, xs, h_first):
    hs, ns = [h_first], []
    for x in xs:
        h, n = rnn_step(params, x, hs[-1])
        hs.append(h)
        ns.append(n)
    return hs[1:], ns


def one_state_too_many(params, xs, h_first):
    hs, ns = [h_first], []
    for x in xs:
        h, n = rnn_step(params, x, hs[-1])
        hs.append(h)
        ns.append(n)
    return np.stack(hs), np.stack(ns)


def batch_first(params, xs, h_first):
    h, hs, ns = h_first, [], []
    for x in xs:
        h, n = rnn_step(params, x, h)
        hs.append(h)
        ns.append(n)
    return np.stack(hs, axis=1), np.stack(ns, axis=1)


def state_in_a_default(params, xs, h_first, kept=[]):
    h, hs, ns = kept[-1] if kept and kept[-1].shape == h_first.shape else h_first, [], []
    for x in xs:
        h, n = rnn_step(params, x, h)
        hs.append(h)
        ns.append(n)
    kept.append(h)
    return np.stack(hs), np.stack(ns)


def root_of_a_negative(params, xs, h_first):
    h, hs, ns = h_first, [], []
    for x in xs:
        h, n = rnn_step(params, x, np.sqrt(h))
        hs.append(h)
        ns.append(n)
    return np.stack(hs), np.stack(ns)


def the_next_input(params, xs, h_first):
    h, hs, ns = h_first, [], []
    for t in range(len(xs)):
        h, n = rnn_step(params, xs[(t + 1) % len(xs)], h)
        hs.append(h)
        ns.append(n)
    return np.stack(hs), np.stack(ns)


# Question 4: through time, backward


def last_state_alone_at_the_end(params, xs, h_first, hs, ns, dhs, dh_last):
    dparams, dxs = [0, 0, 0, 0], []
    for t in reversed(range(len(xs))):
        dh = dhs[t] + (dh_last if t == len(xs) - 1 else 0)
        h_previous = hs[t - 1] if t else h_first
        part, dx, dh_first = rnn_step_backward(params, xs[t], h_previous, ns[t], dh)
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.insert(0, dx)
    return RNNParams(*dparams), np.stack(dxs), dh_first


def nothing_from_the_step_after(params, xs, h_first, hs, ns, dhs, dh_last):
    dparams, dxs = [0, 0, 0, 0], []
    for t in reversed(range(len(xs))):
        before = hs[t - 1] if t else h_first
        part, dx, dh_first = rnn_step_backward(params, xs[t], before, ns[t], dhs[t])
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.insert(0, dx)
    return RNNParams(*dparams), np.stack(dxs), dh_first


def carry_in_another_variable(params, xs, h_first, hs, ns, dhs, dh_last):
    dparams, dxs, carry = [0, 0, 0, 0], [], dh_last
    for t in reversed(range(len(xs))):
        before = hs[t - 1] if t else h_first
        part, dx, dprevious = rnn_step_backward(params, xs[t], before, ns[t], dhs[t] + carry)
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.append(dx)
    return RNNParams(*dparams), np.stack(dxs[::-1]), dprevious


def not_added_up(params, xs, h_first, hs, ns, dhs, dh_last):
    dxs, dh = [], dh_last
    for t in reversed(range(len(xs))):
        before = hs[t - 1] if t else h_first
        dparams, dx, dh = rnn_step_backward(params, xs[t], before, ns[t], dhs[t] + dh)
        dxs.insert(0, dx)
    return dparams, np.stack(dxs), dh


def inputs_in_the_order_of_the_walk(params, xs, h_first, hs, ns, dhs, dh_last):
    dparams, dxs, dh = [0, 0, 0, 0], [], dh_last
    for t in reversed(range(len(xs))):
        before = hs[t - 1] if t else h_first
        part, dx, dh = rnn_step_backward(params, xs[t], before, ns[t], dhs[t] + dh)
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.append(dx)
    return RNNParams(*dparams), np.stack(dxs), dh


def wraps_round_at_the_first_step(params, xs, h_first, hs, ns, dhs, dh_last):
    dparams, dxs, dh = [0, 0, 0, 0], [], dh_last
    for t in reversed(range(len(xs))):
        part, dx, dh = rnn_step_backward(params, xs[t], hs[t - 1], ns[t], dhs[t] + dh)
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.insert(0, dx)
    return RNNParams(*dparams), np.stack(dxs), dh


def zeros_before_the_first_step(params, xs, h_first, hs, ns, dhs, dh_last):
    previous = np.concatenate([np.zeros((1, *h_first.shape)), hs[:-1]])
    dparams, dxs, dh = [0, 0, 0, 0], np.empty_like(xs), dh_last
    for t in range(len(xs) - 1, -1, -1):
        part, dxs[t], dh = rnn_step_backward(params, xs[t], previous[t], ns[t], dhs[t] + dh)
        dparams = [a + b for a, b in zip(dparams, part)]
    return RNNParams(*dparams), dxs, dh


def ends_before_the_first_step(params, xs, h_first, hs, ns, dhs, dh_last):
    dparams, dxs, dh = RNNParams(*(np.zeros_like(p) for p in params)), np.zeros_like(xs), dh_last
    for t in range(len(xs) - 1, 0, -1):
        parts, dxs[t], dh = rnn_step_backward(params, xs[t], hs[t - 1], ns[t], dhs[t] + dh)
        dparams = RNNParams(*(total + part for total, part in zip(dparams, parts)))
    return dparams, dxs, dh


def begins_before_the_last_step(params, xs, h_first, hs, ns, dhs, dh_last):
    dparams, dxs, dh = RNNParams(*(np.zeros_like(p) for p in params)), np.zeros_like(xs), dh_last
    for t in range(len(xs) - 2, -1, -1):
        before = hs[t - 1] if t else h_first
        parts, dxs[t], dh = rnn_step_backward(params, xs[t], before, ns[t], dhs[t] + dh)
        dparams = RNNParams(*(total + part for total, part in zip(dparams, parts)))
    return dparams, dxs, dh


def last_state_twice(params, xs, h_first, hs, ns, dhs, dh_last):
    T = len(xs)
    dparams, dxs, dh_next = [0, 0, 0, 0], [None] * T, dh_last
    for t in range(T - 1, -1, -1):
        dh = dhs[t] + dh_next
        if t == T - 1:
            dh = dh + dh_last
        before = hs[t - 1] if t > 0 else h_first
        part, dxs[t], dh_next = rnn_step_backward(params, xs[t], before, ns[t], dh)
        dparams = [a + b for a, b in zip(dparams, part)]
    return tuple(dparams), np.array(dxs), dh_next


def last_state_at_every_step(params, xs, h_first, hs, ns, dhs, dh_last):
    T = len(xs)
    dparams, dxs, dh_next = [0, 0, 0, 0], [None] * T, np.zeros_like(dh_last)
    for t in range(T - 1, -1, -1):
        before = hs[t - 1] if t > 0 else h_first
        dh = dhs[t] + dh_last + dh_next
        part, dxs[t], dh_next = rnn_step_backward(params, xs[t], before, ns[t], dh)
        dparams = [a + b for a, b in zip(dparams, part)]
    return tuple(dparams), np.array(dxs), dh_next


def last_state_at_the_first(params, xs, h_first, hs, ns, dhs, dh_last):
    arriving = dhs.copy()
    arriving[0] += dh_last
    dparams, dxs, dh = [0, 0, 0, 0], [], 0
    for t in reversed(range(len(xs))):
        before = hs[t - 1] if t else h_first
        part, dx, dh = rnn_step_backward(params, xs[t], before, ns[t], arriving[t] + dh)
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs = [dx, *dxs]
    return RNNParams(*dparams), np.stack(dxs), dh


def last_state_forgotten(params, xs, h_first, hs, ns, dhs, dh_last):
    dparams, dxs, dh = [0, 0, 0, 0], [], np.zeros_like(h_first)
    for x, before, n, dout in zip(xs[::-1], [*hs[-2::-1], h_first], ns[::-1], dhs[::-1]):
        part, dx, dh = rnn_step_backward(params, x, before, n, dout + dh)
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs = [dx, *dxs]
    return RNNParams(*dparams), np.stack(dxs), dh


def own_loss_of_the_last_step_left_out(params, xs, h_first, hs, ns, dhs, dh_last):
    T = len(xs)
    dparams, dxs, dh = RNNParams(*(0 * p for p in params)), np.zeros(xs.shape), dh_last
    for t in range(T - 1, -1, -1):
        before = h_first if t == 0 else hs[t - 1]
        part, dxs[t], dh = rnn_step_backward(params, xs[t], before, ns[t], dh)
        if t > 0:
            dh = dh + dhs[t - 1]
        dparams = RNNParams(*map(np.add, dparams, part))
    return dparams, dxs, dh


def outputs_ignored(params, xs, h_first, hs, ns, dhs, dh_last):
    dparams, dxs, dh = RNNParams(*(0 * p for p in params)), np.zeros(xs.shape), dh_last
    for t in range(len(xs))[::-1]:
        before = h_first if t == 0 else hs[t - 1]
        part, dxs[t], dh = rnn_step_backward(params, xs[t], before, ns[t], dh)
        dparams = RNNParams(*map(np.add, dparams, part))
    return dparams, dxs, dh


def gradient_after_the_first_step(params, xs, h_first, hs, ns, dhs, dh_last):
    dparams, dxs, dh_next = RNNParams(*(0 * p for p in params)), np.zeros(xs.shape), dh_last
    for t in range(len(xs))[::-1]:
        before = h_first if t == 0 else hs[t - 1]
        dh = dhs[t] + dh_next
        part, dxs[t], dh_next = rnn_step_backward(params, xs[t], before, ns[t], dh)
        dparams = RNNParams(*map(np.add, dparams, part))
    return dparams, dxs, dh


def mean_over_the_steps(params, xs, h_first, hs, ns, dhs, dh_last):
    parts, dxs, dh = [], [], dh_last
    for t in range(len(xs))[::-1]:
        before = h_first if t == 0 else hs[t - 1]
        part, dx, dh = rnn_step_backward(params, xs[t], before, ns[t], dhs[t] + dh)
        parts.append(part)
        dxs.append(dx)
    return RNNParams(*(np.mean(p, axis=0) for p in zip(*parts))), np.stack(dxs[::-1]), dh


def mean_over_steps_and_batch(params, xs, h_first, hs, ns, dhs, dh_last):
    parts, dxs, dh = [], [], dh_last
    for t in range(len(xs))[::-1]:
        before = h_first if t == 0 else hs[t - 1]
        part, dx, dh = rnn_step_backward(params, xs[t], before, ns[t], dhs[t] + dh)
        parts.append(part)
        dxs.append(dx)
    count = len(xs) * len(h_first)
    return RNNParams(*(sum(p) / count for p in zip(*parts))), np.stack(dxs[::-1]), dh


def states_not_shifted(params, xs, h_first, hs, ns, dhs, dh_last):
    dparams, dxs, dh = [0, 0, 0, 0], [], dh_last
    for x, h, n, dout in reversed(list(zip(xs, hs, ns, dhs))):
        part, dx, dh = rnn_step_backward(params, x, h, n, dout + dh)
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.insert(0, dx)
    return RNNParams(*dparams), np.stack(dxs), dh


def state_for_the_proposal(params, xs, h_first, hs, ns, dhs, dh_last):
    dparams, dxs, dh = [0, 0, 0, 0], np.zeros_like(xs), dh_last
    for t in range(len(xs))[::-1]:
        before = hs[t - 1] if t else h_first
        part, dxs[t], dh = rnn_step_backward(params, xs[t], before, hs[t], dhs[t] + dh)
        dparams = [a + b for a, b in zip(dparams, part)]
    return RNNParams(*dparams), dxs, dh


def gradient_passed_on_as_it_is(params, xs, h_first, hs, ns, dhs, dh_last):
    dparams, dxs, dh = [0, 0, 0, 0], np.zeros_like(xs), dh_last
    for t in range(len(xs))[::-1]:
        before = hs[t - 1] if t else h_first
        dh = dh + dhs[t]
        part, dxs[t], _ = rnn_step_backward(params, xs[t], before, ns[t], dh)
        dparams = [a + b for a, b in zip(dparams, part)]
    return RNNParams(*dparams), dxs, dh


def outputs_read_from_the_start(params, xs, h_first, hs, ns, dhs, dh_last):
    dparams, dxs, dh = [0, 0, 0, 0], [], dh_last
    previous = [h_first, *hs[:-1]]
    for x, before, n, dout in zip(xs[::-1], previous[::-1], ns[::-1], dhs):
        part, dx, dh = rnn_step_backward(params, x, before, n, dout + dh)
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs = [dx, *dxs]
    return RNNParams(*dparams), np.stack(dxs), dh


def from_the_first_step_on(params, xs, h_first, hs, ns, dhs, dh_last):
    dparams, dxs, dh = [0, 0, 0, 0], np.zeros_like(xs), dh_last
    for t, x in enumerate(xs):
        before = hs[t - 1] if t else h_first
        part, dxs[t], dh = rnn_step_backward(params, x, before, ns[t], dhs[t] + dh)
        dparams = [a + b for a, b in zip(dparams, part)]
    return RNNParams(*dparams), dxs, dh


def writes_into_dhs(params, xs, h_first, hs, ns, dhs, dh_last):
    dparams, dxs, dh = [0, 0, 0, 0], [], dh_last
    for t in reversed(range(len(xs))):
        dhs[t] += dh
        before = hs[t - 1] if t else h_first
        part, dx, dh = rnn_step_backward(params, xs[t], before, ns[t], dhs[t])
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.insert(0, dx)
    return RNNParams(*dparams), np.stack(dxs), dh


def products_without_the_direct_path(params, xs, h_first, hs, ns, dhs, dh_last):
    ds, gradients, dh = np.zeros_like(hs), np.zeros_like(hs), dh_last
    for t in reversed(range(len(xs))):
        gradients[t] = dhs[t] + dh
        ds[t] = gradients[t] * params.a * (1 - ns[t] ** 2)
        dh = ds[t] @ params.W_h.T * (1 - params.a)
    previous = np.stack([h_first, *hs[:-1]])
    left = previous * (1 - params.a)
    dW_x, dW_h = np.einsum("tbd,tbh->dh", xs, ds), np.einsum("tbk,tbh->kh", left, ds)
    da = np.einsum("tbh,tbh->h", gradients, ns) - ((ds @ params.W_h.T) * previous).sum((0, 1))
    return RNNParams(dW_x, dW_h, ds.sum((0, 1)), da), ds @ params.W_x.T, dh


def leak_of_the_first_step_alone(params, xs, h_first, hs, ns, dhs, dh_last):
    dW_x, dW_h, db = (np.zeros_like(p) for p in params[:3])
    dxs, dh = np.zeros_like(xs), dh_last
    for t in reversed(range(len(xs))):
        before = hs[t - 1] if t else h_first
        part, dxs[t], dh = rnn_step_backward(params, xs[t], before, ns[t], dhs[t] + dh)
        dW_x, dW_h, db = dW_x + part.W_x, dW_h + part.W_h, db + part.b
        da = part.a
    return RNNParams(dW_x, dW_h, db, da), dxs, dh


# Question 5: how a gradient fades


def squares(params, ns, dh_last):
    dh, norms = dh_last, []
    for n in ns[::-1]:
        norms.append(np.einsum("bh,bh->b", dh, dh))
        dh = (1 - params.a) * (dh + (dh * params.a * (1 - n**2)) @ params.W_h.T)
    return np.stack(norms[::-1])


def sums_of_sizes(params, ns, dh_last):
    dh, norms = dh_last, []
    for n in ns[::-1]:
        norms.append(abs(dh).sum(axis=1))
        dh = (1 - params.a) * (dh + (dh * params.a * (1 - n**2)) @ params.W_h.T)
    return np.stack(norms[::-1])


def one_step_late(params, ns, dh_last):
    dh, norms = dh_last, []
    for n in ns[::-1]:
        dh = (1 - params.a) * (dh + (dh * params.a * (1 - n**2)) @ params.W_h.T)
        norms.append(np.linalg.norm(dh, axis=1))
    return np.stack(norms[::-1])


def way_back_of_the_chapter(params, ns, dh_last):
    dh, norms = dh_last, np.empty(ns.shape[:2])
    for t in reversed(range(len(ns))):
        norms[t] = np.sqrt((dh**2).sum(axis=1))
        dh = (dh * (1 - ns[t] ** 2)) @ params.W_h.T
    return norms


def way_back_of_the_exercise(params, ns, dh_last):
    dh, norms = dh_last, np.empty(ns.shape[:2])
    for t in reversed(range(len(ns))):
        norms[t] = np.sqrt((dh**2).sum(axis=1))
        dh = (1 - params.a) * dh + (dh * params.a * (1 - ns[t] ** 2)) @ params.W_h.T
    return norms


def without_the_direct_path(params, ns, dh_last):
    dh, norms = dh_last, np.empty(ns.shape[:2])
    for t in reversed(range(len(ns))):
        norms[t] = np.sqrt((dh**2).sum(axis=1))
        dh = (dh * params.a * (1 - ns[t] ** 2)) @ params.W_h.T * (1 - params.a)
    return norms


def matrix_not_turned(params, ns, dh_last):
    dh, norms = dh_last, np.empty(ns.shape[:2])
    for t in reversed(range(len(ns))):
        norms[t] = np.sqrt((dh**2).sum(axis=1))
        dh = (dh + (dh * params.a * (1 - ns[t] ** 2)) @ params.W_h) * (1 - params.a)
    return norms


def in_the_order_of_the_walk(params, ns, dh_last):
    dh, norms = dh_last, []
    for n in np.flip(ns, axis=0):
        norms.append(np.linalg.norm(dh, axis=1))
        dh = (1 - params.a) * (dh + (dh * params.a * (1 - n**2)) @ params.W_h.T)
    return np.stack(norms)


def from_the_first_proposal(params, ns, dh_last):
    dh, norms = dh_last, []
    for n in ns:
        norms.append(np.linalg.norm(dh, axis=1))
        dh = (1 - params.a) * (dh + (dh * params.a * (1 - n**2)) @ params.W_h.T)
    return np.stack(norms)


def one_norm_for_the_batch(params, ns, dh_last):
    dh, norms = dh_last, np.zeros(ns.shape[:2])
    for t in range(len(ns) - 1, -1, -1):
        norms[t, :] = np.linalg.norm(dh)
        dh = (1 - params.a) * (dh + (dh * params.a * (1 - ns[t] ** 2)) @ params.W_h.T)
    return norms


def shares_of_the_last(params, ns, dh_last):
    dh, norms = dh_last, []
    for n in ns[::-1]:
        norms.append(np.linalg.norm(dh, axis=1) / np.linalg.norm(dh_last, axis=1))
        dh = (1 - params.a) * (dh + (dh * params.a * (1 - n**2)) @ params.W_h.T)
    return np.array(norms[::-1])


def norms_of_units(params, ns, dh_last):
    dh, norms = dh_last, []
    for n in ns[::-1]:
        norms.append(np.linalg.norm(dh, axis=0))
        dh = (1 - params.a) * (dh + (dh * params.a * (1 - n**2)) @ params.W_h.T)
    return np.array(norms[::-1])


def square_of_a_shared_norm(params, ns, dh_last):
    dh, norms = dh_last, np.zeros(ns.shape[:2])
    for t in range(len(ns) - 1, -1, -1):
        norms[t, :] = (dh**2).sum()
        dh = (1 - params.a) * (dh + (dh * params.a * (1 - ns[t] ** 2)) @ params.W_h.T)
    return norms


WRONG = (
    Wrong("rnn_step", no_bias, "bias missing"),
    Wrong("rnn_step", bias_after_the_tanh, "bias outside the activation"),
    Wrong("rnn_step", bias_for_each_product, "bias counted twice"),
    Wrong("rnn_step", recurrent_weight_transposed, "weight transposed"),
    Wrong("rnn_step", logistic, "another activation"),
    Wrong("rnn_step", tanh_of_the_input_alone, "recurrent term outside the activation"),
    Wrong("rnn_step", keeps_the_leak, "leak the wrong way round"),
    Wrong("rnn_step", adds_the_other_share, "leak the wrong way round", 1 / 2),
    Wrong("rnn_step", leaks_twice, "leak counted twice", 1 / 2),
    Wrong("rnn_step", shares_exchanged, "leak the wrong way round"),
    Wrong("rnn_step", proposal_as_the_state, "leak missing", 1 / 2),
    Wrong("rnn_step", step_of_the_chapter, "leak missing"),
    Wrong("rnn_step", leak_of_the_exercise, "old state kept whole"),
    Wrong("rnn_step", added_to_the_old_state, "old state kept whole", 1 / 2),
    Wrong("rnn_step", nothing_lost, "old state kept whole"),
    Wrong("rnn_step", whole_proposal_added, "proposal taken whole", 1 / 2),
    Wrong("rnn_step", leak_inside_the_tanh, "leak inside the activation"),
    Wrong("rnn_step", only_the_fresh_part, "old state missing from the sum", 1 / 2),
    Wrong("rnn_step", without_the_old_state, "old state not used"),
    Wrong("rnn_step", state_returned_twice, "new state for the proposal", 1 / 2),
    Wrong("rnn_step", proposal_before_the_state, "outputs exchanged"),
    Wrong("rnn_step", pre_activation_added, "activation missing"),
    Wrong("rnn_step", transposed_and_no_bias, ("bias missing", "weight transposed")),
    Wrong("rnn_step", single_precision, "right to a few digits only", 1 / 2),
    Wrong("rnn_step", towards_the_proposal, "leak counted twice", 1 / 2),
    Wrong("rnn_step", leak_into_the_old_state, "caller's array changed", 1 / 2),
    Wrong("rnn_step", state_only, "shape or type"),
    Wrong("rnn_step", mean_of_the_leaks, ""),
    Wrong("rnn_step_backward", slope_missing, "derivative of the activation missing"),
    Wrong("rnn_step_backward", slope_not_squared, "derivative of the activation wrong"),
    Wrong("rnn_step_backward", slope_times_two, "derivative of the activation wrong"),
    Wrong("rnn_step_backward", slope_of_the_old_state, "derivative taken at the wrong place"),
    Wrong("rnn_step_backward", slope_of_the_new_state, "derivative taken at the wrong place"),
    Wrong("rnn_step_backward", tanh_of_a_tanh, "derivative taken at the wrong place"),
    Wrong("rnn_step_backward", slope_of_a_sigmoid, "derivative of another activation"),
    Wrong(
        "rnn_step_backward",
        parameters_from_the_proposal,
        "derivative of the activation missing",
        3 / 6,
    ),
    Wrong("rnn_step_backward", forward_matrix_on_the_way_back, "weight transposed", 4 / 6),
    Wrong("rnn_step_backward", gradient_of_W_h_transposed, "weight transposed", 5 / 6),
    Wrong("rnn_step_backward", old_state_in_the_weights, "old state kept whole", 5 / 6),
    Wrong("rnn_step_backward", leak_on_the_columns, "leak of another unit", 5 / 6),
    Wrong("rnn_step_backward", direct_path_from_the_proposal, "factor too many", 4 / 6),
    Wrong("rnn_step_backward", new_state_in_the_weights, "new state for the old one", 5 / 6),
    Wrong("rnn_step_backward", no_leak_on_the_way_to_the_proposal, "leak missing"),
    Wrong("rnn_step_backward", leak_on_the_direct_path_alone, "leak missing", 5 / 6),
    Wrong("rnn_step_backward", shares_exchanged_on_the_way_back, "leak the wrong way round"),
    Wrong("rnn_step_backward", direct_path_forgotten, "path missing", 4 / 6),
    Wrong("rnn_step_backward", path_through_the_proposal_forgotten, "path missing", 4 / 6),
    Wrong("rnn_step_backward", slope_on_both_paths, "factor too many", 4 / 6),
    Wrong("rnn_step_backward", leak_from_the_proposal_alone, "path missing", 5 / 6),
    Wrong("rnn_step_backward", leak_from_the_direct_paths_alone, "path missing", 5 / 6),
    Wrong("rnn_step_backward", leak_with_the_wrong_sign, "sign", 5 / 6),
    Wrong("rnn_step_backward", leak_added_to_both, "sign", 5 / 6),
    Wrong("rnn_step_backward", leak_behind_the_slope, "factor too many", 5 / 6),
    Wrong("rnn_step_backward", leak_with_what_is_left, "factor too many", 5 / 6),
    Wrong("rnn_step_backward", mean_over_the_batch, "mean for sum", 2 / 6),
    Wrong("rnn_step_backward", last_sequence_alone, "not summed over the batch", 2 / 6),
    Wrong("rnn_step_backward", bias_not_summed, "shape or type", 5 / 6),
    Wrong(
        "rnn_step_backward",
        slope_not_squared_and_leak_forgotten,
        ("derivative of the activation wrong", "old state kept whole"),
    ),
    Wrong("rnn_step_backward", only_a_share_reaches_the_leak, "", 5 / 6),
    Wrong("rnn_unroll", always_the_first_state, "carry lost between steps"),
    Wrong("rnn_unroll", zeros_at_the_start, "first state taken for zero"),
    Wrong("rnn_unroll", first_state_put_first, "first state among the states"),
    Wrong("rnn_unroll", states_before_the_steps, "first state among the states", 1 / 2),
    Wrong("rnn_unroll", from_the_second_step, "first step left out"),
    Wrong("rnn_unroll", to_the_last_but_one, "last step left out"),
    Wrong("rnn_unroll", read_from_the_end, "time runs backwards"),
    Wrong("rnn_unroll", proposal_carried, "proposal carried for the state"),
    Wrong("rnn_unroll", list_of_states, "shape or type"),
    Wrong("rnn_unroll", one_state_too_many, "shape or type", 1 / 2),
    Wrong("rnn_unroll", batch_first, "shape or type"),
    Wrong("rnn_unroll", state_in_a_default, "two answers to one question", 1 / 2),
    Wrong("rnn_unroll", root_of_a_negative, "NaN or infinity"),
    Wrong("rnn_unroll", the_next_input, ""),
    Wrong("rnn_unroll_backward", last_state_alone_at_the_end, "carry lost between steps"),
    Wrong("rnn_unroll_backward", nothing_from_the_step_after, "carry lost between steps"),
    Wrong("rnn_unroll_backward", carry_in_another_variable, "carry lost between steps"),
    Wrong("rnn_unroll_backward", not_added_up, "not accumulated over time", 2 / 6),
    Wrong("rnn_unroll_backward", inputs_in_the_order_of_the_walk, "time runs backwards", 5 / 6),
    Wrong(
        "rnn_unroll_backward",
        wraps_round_at_the_first_step,
        "last state taken for the first",
        4 / 6,
    ),
    Wrong("rnn_unroll_backward", zeros_before_the_first_step, "first state taken for zero", 4 / 6),
    Wrong("rnn_unroll_backward", ends_before_the_first_step, "first step left out"),
    Wrong("rnn_unroll_backward", begins_before_the_last_step, "last step left out"),
    Wrong("rnn_unroll_backward", last_state_twice, "gradient of the last state counted twice"),
    Wrong(
        "rnn_unroll_backward",
        last_state_at_every_step,
        "gradient of the last state at every step",
    ),
    Wrong(
        "rnn_unroll_backward", last_state_at_the_first, "gradient of the last state at the first"
    ),
    Wrong("rnn_unroll_backward", last_state_forgotten, "gradient of the last state ignored"),
    Wrong(
        "rnn_unroll_backward",
        own_loss_of_the_last_step_left_out,
        "loss of the last step left out",
    ),
    Wrong("rnn_unroll_backward", outputs_ignored, "gradients of the outputs ignored"),
    Wrong("rnn_unroll_backward", gradient_after_the_first_step, "off by one step", 5 / 6),
    Wrong("rnn_unroll_backward", mean_over_the_steps, "mean for sum", 2 / 6),
    Wrong("rnn_unroll_backward", mean_over_steps_and_batch, "mean for sum", 2 / 6),
    Wrong("rnn_unroll_backward", states_not_shifted, "new state for the old one", 4 / 6),
    Wrong("rnn_unroll_backward", state_for_the_proposal, "new state for the proposal"),
    Wrong("rnn_unroll_backward", gradient_passed_on_as_it_is, "carry lost between steps"),
    Wrong(
        "rnn_unroll_backward",
        outputs_read_from_the_start,
        "gradients of the outputs in the wrong order",
    ),
    Wrong("rnn_unroll_backward", from_the_first_step_on, "loop runs forward"),
    Wrong("rnn_unroll_backward", writes_into_dhs, "caller's array changed", 1 / 2),
    Wrong("rnn_unroll_backward", products_without_the_direct_path, "path missing"),
    Wrong("rnn_unroll_backward", leak_of_the_first_step_alone, "not accumulated over time", 5 / 6),
    Wrong("gradient_norms", squares, "another norm"),
    Wrong("gradient_norms", sums_of_sizes, "another norm"),
    Wrong("gradient_norms", one_step_late, "off by one step"),
    Wrong("gradient_norms", way_back_of_the_chapter, "leak missing"),
    Wrong("gradient_norms", way_back_of_the_exercise, "leak missing"),
    Wrong("gradient_norms", without_the_direct_path, "path missing"),
    Wrong("gradient_norms", matrix_not_turned, "weight transposed"),
    Wrong("gradient_norms", in_the_order_of_the_walk, "time runs backwards"),
    Wrong("gradient_norms", from_the_first_proposal, "loop runs forward"),
    Wrong("gradient_norms", one_norm_for_the_batch, "sum over the batch"),
    Wrong("gradient_norms", shares_of_the_last, "norms relative to the last"),
    Wrong("gradient_norms", norms_of_units, "shape or type"),
    Wrong("gradient_norms", square_of_a_shared_norm, ""),
)


def by_einsum(params, x, h_previous):
    k = np.einsum("h,bh->bh", 1 - params.a, h_previous)
    s = np.einsum("bd,dh->bh", x, params.W_x) + np.einsum("bk,kh->bh", k, params.W_h)
    n = np.tanh(params.b + s)
    return k + np.einsum("h,bh->bh", params.a, n), n


def entry_by_entry(params, x, h_previous):
    n = np.empty(h_previous.shape)
    h = np.empty(h_previous.shape)
    for m in range(len(x)):
        left = [(1 - a) * old for a, old in zip(params.a, h_previous[m])]
        for j in range(h.shape[1]):
            s = params.b[j] + sum(x[m, i] * params.W_x[i, j] for i in range(x.shape[1]))
            s += sum(left[k] * params.W_h[k, j] for k in range(h.shape[1]))
            n[m, j] = (np.exp(s) - np.exp(-s)) / (np.exp(s) + np.exp(-s))
            h[m, j] = left[j] + params.a[j] * n[m, j]
    return h, n


def one_large_product(params, x, h_previous):
    from math import isfinite

    rows = np.concatenate([x, h_previous, np.ones((len(x), 1))], axis=1)
    weights = np.concatenate(
        [params.W_x, np.diag(1 - params.a) @ params.W_h, params.b[None]],
    )
    n = 2 / (1 + np.exp(-2 * rows @ weights)) - 1
    assert isfinite(n.sum())
    return [h_previous + params.a * (n - h_previous), n]


def by_the_complex_step(params, x, h_previous, n, dh):
    leaves, gradients = [*params, x, h_previous], []
    for place, leaf in enumerate(leaves):
        gradient = np.zeros(leaf.shape)
        for index in np.ndindex(leaf.shape):
            moved = [p.astype(complex) for p in leaves]
            moved[place][index] += 1e-20j
            W_x, W_h, b, a, x_, h_ = moved
            k = (1 - a) * h_
            gradient[index] = np.sum(dh * (k + a * np.tanh(x_ @ W_x + k @ W_h + b))).imag / 1e-20
        gradients.append(gradient)
    return RNNParams(*gradients[:4]), gradients[4], gradients[5]


def with_a_class_of_its_own(params, x, h_previous, n, dh):
    class Node:
        def __init__(self, value):
            self.value, self.grad = value, np.zeros_like(value)

    keep = 1 - params.a
    proposal, kept, state = Node(n), Node(keep * h_previous), Node(n)
    proposal.grad += params.a * dh
    kept.grad += dh
    state.grad += proposal.grad * (1 - n) * (1 + n)
    kept.grad += np.inner(state.grad, params.W_h)
    da = np.zeros_like(params.a)
    for row, new, back, old in zip(dh, n, kept.grad, h_previous):
        da += row * new
        da -= back * old
    dparams = params._replace(
        W_x=np.tensordot(x, state.grad, (0, 0)),
        W_h=np.tensordot(kept.value, state.grad, (0, 0)),
        b=np.ones(len(x)) @ state.grad,
        a=da,
    )
    return dparams, np.inner(state.grad, params.W_x), keep * kept.grad


def through_the_jacobian(params, x, h_previous, n, dh):
    slopes = params.a * (1 - n**2)
    J = (slopes[:, :, None] * params.W_h.T + np.eye(len(params.a))) * (1 - params.a)
    ds = slopes * dh
    dh_previous = np.einsum("bj,bjk->bk", dh, J)
    dparams = dict(
        W_x=sum(np.outer(i, d) for i, d in zip(x, ds)),
        W_h=sum(np.outer(h, d) for h, d in zip(h_previous, ds)) * (1 - params.a)[:, None],
        b=sum(ds),
        a=sum(dh * n - dh_previous / (1 - params.a) * h_previous),
    )
    return RNNParams(**dparams), ds @ params.W_x.T, dh_previous


def written_into_an_array_of_its_own(params, xs, h_first):
    T, B, _ = xs.shape
    hs = np.zeros((T + 1, B, h_first.shape[1]))
    ns = np.empty_like(hs[1:])
    hs[0] = h_first
    weights = np.vstack([params.W_x, params.W_h])
    for t in range(T):
        hs[t + 1] = (1 - params.a) * hs[t]
        ns[t] = np.tanh(np.hstack([xs[t], hs[t + 1]]) @ weights + params.b)
        hs[t + 1] += params.a * ns[t]
    return hs[1:], ns


def by_recursion(params, xs, h_first):
    if len(xs) == 0:
        empty = np.zeros((0, *h_first.shape))
        return empty, empty
    h, n = rnn_step(params, xs[0], h_first)
    hs, ns = rnn_unroll(params, xs[1:], h)
    return np.concatenate([h[None], hs]), np.concatenate([n[None], ns])


def by_accumulate(params, xs, h_first):
    from itertools import accumulate

    pairs = accumulate(xs, lambda pair, x: rnn_step(params, x, pair[0]), initial=(h_first, None))
    next(pairs)
    return tuple(np.array(states) for states in zip(*pairs))


def products_after_the_loop(params, xs, h_first, hs, ns, dhs, dh_last):
    gradients, dss, dh = [], [], dh_last
    for n, dh_out in zip(ns[::-1], dhs[::-1]):
        dh = dh + dh_out
        gradients.append(dh)
        dss.append(dh * params.a * (1 - n * n))
        dh = (dh + dss[-1] @ params.W_h.T) * (1 - params.a)
    gradients, dss = np.array(gradients[::-1]), np.array(dss[::-1])
    previous = np.concatenate([h_first[None], hs[:-1]])
    dW_x = np.tensordot(xs, dss, ([0, 1], [0, 1]))
    dW_h = np.tensordot(previous * (1 - params.a), dss, ([0, 1], [0, 1]))
    da = (gradients * ns - (gradients + dss @ params.W_h.T) * previous).sum((0, 1))
    return (dW_x, dW_h, dss.sum((0, 1)), da), dss @ params.W_x.T, dh


def the_last_loss_joined_to_the_others(params, xs, h_first, hs, ns, dhs, dh_last):
    dhs = dhs.copy()
    dhs[-1] += dh_last
    total = {name: np.zeros_like(value) for name, value in params._asdict().items()}
    dxs, carry = np.full(xs.shape, np.nan), np.zeros_like(h_first)
    t = len(xs)
    while t > 0:
        t -= 1
        before = hs[t - 1] if t >= 1 else h_first
        part, dxs[t], carry = rnn_step_backward(params, xs[t], before, ns[t], dhs[t] + carry)
        for name in total:
            total[name] += getattr(part, name)
    return RNNParams(**total), dxs, carry


def from_each_loss_alone(params, xs, h_first, hs, ns, dhs, dh_last):
    previous, T = [h_first, *hs[:-1]], len(xs)
    dparams, dxs, dh_first = [0 * p for p in params], np.zeros_like(xs), np.zeros_like(h_first)
    for start in range(T):
        dh = dhs[start] + dh_last if start == T - 1 else dhs[start]
        for t in range(start, -1, -1):
            part, dx, dh = rnn_step_backward(params, xs[t], previous[t], ns[t], dh)
            dxs[t] += dx
            dparams = [p + q for p, q in zip(dparams, part)]
        dh_first += dh
    return RNNParams(*dparams), dxs, dh_first


def norms_by_the_jacobians(params, ns, dh_last):
    T, B, _ = ns.shape
    J = (params.a * (1 - ns**2))[..., None] * params.W_h.T + np.eye(ns.shape[2])
    J = J * (1 - params.a)
    norms = np.zeros((T, B))
    for m in range(B):
        g = dh_last[m]
        for t in range(T - 1, -1, -1):
            norms[t, m] = np.hypot.reduce(g)
            g = g @ J[t, m]
    return norms


def norms_from_the_back(params, ns, dh_last):
    norms = [np.sqrt(np.sum(dh_last * dh_last, -1))]
    g = dh_last
    for n in ns[:0:-1]:
        ds = g * params.a * (1 - np.square(n))
        g = np.einsum("bj,kj->bk", ds, params.W_h) + g
        g = g - g * params.a
        norms.insert(0, np.sqrt(np.sum(g * g, -1)))
    return norms and np.vstack(norms)


RIGHT = (
    Right("rnn_step", by_einsum),
    Right("rnn_step", entry_by_entry),
    Right("rnn_step", one_large_product),
    Right("rnn_step_backward", by_the_complex_step),
    Right("rnn_step_backward", with_a_class_of_its_own),
    Right("rnn_step_backward", through_the_jacobian),
    Right("rnn_unroll", written_into_an_array_of_its_own),
    Right("rnn_unroll", by_recursion),
    Right("rnn_unroll", by_accumulate),
    Right("rnn_unroll_backward", products_after_the_loop),
    Right("rnn_unroll_backward", the_last_loss_joined_to_the_others),
    Right("rnn_unroll_backward", from_each_loss_alone),
    Right("gradient_norms", norms_by_the_jacobians),
    Right("gradient_norms", norms_from_the_back),
)
