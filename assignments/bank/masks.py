"""The bank of assignment 4.

The functions run in a notebook that has `np`, `RNNParams`, `BidirectionalParams`, `rnn_step`,
`rnn_step_backward` and the answers before them. Each is written as a whole, as a student would.
"""

# ruff: noqa: F821
import numpy as np

from assignments.bank.entry import Right, Wrong

# Question 1


def last_row(hs, mask):
    return hs[-1]


def counted_steps(hs, mask):
    lengths = mask.sum(axis=0)
    return np.array([hs[length - 1, n] for n, length in enumerate(lengths)])


def stops_at_the_first_gap(hs, mask):
    T, B = mask.shape
    y = np.zeros((B, hs.shape[2]))
    for n in range(B):
        for t in range(T):
            if not mask[t, n]:
                break
            y[n] = hs[t, n]
    return y


def negative_lengths(hs, mask):
    lengths = np.array([np.nonzero(mask[:, n])[0][-1] + 1 for n in range(mask.shape[1])])
    return hs[-lengths, np.arange(mask.shape[1])]


def sequence_zero(hs, mask):
    idx = [max(t for t in range(len(mask)) if mask[t, n]) for n in range(mask.shape[1])]
    return hs[idx, 0]


def largest_real_entry(hs, mask):
    return np.nanmax(np.where(mask[:, :, None], hs, np.nan), axis=0)


def one_before(hs, mask):
    y = []
    for n, column in enumerate(mask.T):
        (real,) = np.nonzero(column)
        y.append(hs[max(real[-1] - 1, 0), n])
    return np.stack(y)


def mean_of_real_steps(hs, mask):
    m = mask[..., np.newaxis].astype(float)
    return np.einsum("tbh,tbx->bh", hs, m) / m.sum(axis=0)


def mean_up_to_the_end(hs, mask):
    ends = len(mask) - np.argmax(mask[::-1], axis=0)
    return np.stack([hs[:end, n].mean(axis=0) for n, end in enumerate(ends)])


def steps_without_sequences(hs, mask):
    return hs[mask.sum(axis=0) - 1]


# Question 2


def gradient_at_the_last_row(dy, mask):
    dhs = np.zeros(mask.shape + dy.shape[1:])
    dhs[-1] = dy
    return dhs


def gradient_at_the_count(dy, mask):
    dhs = np.zeros(mask.shape + dy.shape[1:])
    for n, count in enumerate(mask.sum(0)):
        dhs[count - 1, n] = dy[n]
    return dhs


def gradient_at_every_real_step(dy, mask):
    dhs = np.zeros(mask.shape + dy.shape[1:])
    for n in range(len(dy)):
        dhs[mask[:, n], n] = dy[n]
    return dhs


def sequences_forgotten_in_the_index(dy, mask):
    T, B = mask.shape
    dhs = np.zeros((T, B, dy.shape[1]))
    dhs[[np.flatnonzero(mask[:, n])[-1] for n in range(B)]] = dy
    return dhs


def no_axis_of_time(dy, mask):
    dhs = np.zeros_like(dy)
    dhs[np.arange(len(dy))] = dy
    return dhs


# Question 3


def mask_forgotten(params, xs, mask, h_first):
    h, hs = h_first, []
    for x in xs:
        h = rnn_step(params, x, h)
        hs.append(h)
    return np.stack(hs), h


def as_in_chapter_14(params, xs, mask, h_first):
    h, hs = h_first, []
    for x, keep in zip(xs, mask[..., None]):
        h = np.where(keep, rnn_step(params, x, h), h)
        hs.append(np.where(keep, h, 0))
    return np.stack(hs), h


def held_in_gaps_but_said(params, xs, mask, h_first):
    T, B = mask.shape
    end = T - mask[::-1].argmax(axis=0)
    h, hs = h_first.copy(), np.zeros((T, B, h_first.shape[1]))
    for t in range(T):
        new = rnn_step(params, xs[t], h)
        h = mask[t, :, None] * new + (1 - mask[t, :, None]) * h
        hs[t][t < end] = h[t < end]
    return hs, h


def false_is_false(params, xs, mask, h_first):
    h, hs = h_first, []
    for t in range(len(xs)):
        m = mask[t].reshape(-1, 1)
        h = np.where(m, rnn_step(params, xs[t], h), params.gamma * h)
        hs.append(h * m)
    return np.array(hs), h


def fades_to_the_end_of_the_array(params, xs, mask, h_first):
    T, B = mask.shape
    last = np.array([np.where(mask[:, n])[0].max() for n in range(B)])
    h, hs = h_first, []
    for t in range(T):
        h = np.where(mask[t][:, None], rnn_step(params, xs[t], h), h * params.gamma)
        hs.append(np.where((t <= last)[:, None], h, 0.0))
    return np.array(hs), h


def held_state_said_after_the_end(params, xs, mask, h_first):
    B = mask.shape[1]
    hs = np.zeros((len(xs), B, h_first.shape[1]))
    h = h_first
    for t, x in enumerate(xs):
        new = rnn_step(params, x, h)
        rows = []
        for n in range(B):
            if mask[t, n]:
                rows.append(new[n])
            elif mask[t:, n].any():
                rows.append(params.gamma * h[n])
            else:
                rows.append(h[n])
        h = np.stack(rows)
        hs[t] = h
    return hs, h


def each_alone_with_the_count(params, xs, mask, h_first):
    hs, last = np.zeros((*mask.shape, h_first.shape[1])), np.zeros_like(h_first)
    for n in range(mask.shape[1]):
        h = h_first[n : n + 1]
        for t in range(mask[:, n].sum()):
            h = rnn_step(params, xs[t, n : n + 1], h)
            hs[t, n] = h[0]
        last[n] = h[0]
    return hs, last


def state_times_mask(params, xs, mask, h_first):
    h, hs = h_first, []
    for x, m in zip(xs, mask.astype(float)):
        h = m[:, None] * rnn_step(params, x, h)
        hs.append(h)
    return np.stack(hs), h


def last_row_of_the_outputs(params, xs, mask, h_first):
    hs = np.zeros((*mask.shape, h_first.shape[1]))
    later = np.logical_or.accumulate(mask[::-1], axis=0)[::-1]
    h = h_first
    for t in range(len(xs)):
        fade = np.where(later[t][:, None], params.gamma, 1)
        h = np.where(mask[t][:, None], rnn_step(params, xs[t], h), fade * h)
        hs[t] = later[t][:, None] * h
    return hs, hs[-1]


def power_of_what_has_faded(params, xs, mask, h_first):
    T, B = mask.shape
    ends = [np.flatnonzero(mask[:, n])[-1] for n in range(B)]
    age = np.zeros(B)
    h, hs = h_first, np.zeros((T, B, h_first.shape[1]))
    for t in range(T):
        new, old = rnn_step(params, xs[t], h), h
        h = np.empty_like(old)
        for n in range(B):
            age[n] = 0 if mask[t, n] else age[n] + 1
            if mask[t, n]:
                h[n] = new[n]
            else:
                h[n] = params.gamma ** age[n] * old[n] if t < ends[n] else old[n]
            if t <= ends[n]:
                hs[t, n] = h[n]
    return hs, h


def loses_gamma_instead_of_keeping_it(params, xs, mask, h_first):
    later = np.cumsum(mask[::-1], axis=0)[::-1] > 0
    h, hs = h_first, []
    for x, real, inside in zip(xs, mask[..., None], later[..., None]):
        gap = inside & ~real
        h = np.where(real, rnn_step(params, x, h), h - gap * params.gamma * h)
        hs.append(inside * h)
    return np.stack(hs), h


def fades_by_the_time_since_the_last_step(params, xs, mask, h_first):
    T, B = mask.shape
    hs, h_last = np.zeros((T, B, h_first.shape[1])), []
    for n in range(B):
        h, delta = h_first[n], 1
        for t in range(np.flatnonzero(mask[:, n])[-1] + 1):
            if mask[t, n]:
                old = params.gamma**delta * h
                h = np.tanh(xs[t, n] @ params.W_x + old @ params.W_h + params.b)
                hs[t, n], delta = h, 1
            else:
                hs[t, n] = params.gamma**delta * h
                delta += 1
        h_last.append(h)
    return hs, np.stack(h_last)


def where_the_wrong_way_round(params, xs, mask, h_first):
    later = np.cumsum(mask[::-1], axis=0)[::-1] > 0
    h, hs = h_first, []
    for x, real, inside in zip(xs, mask[..., None], later[..., None]):
        old = np.where(inside, params.gamma * h, h)
        h = np.where(real, old, rnn_step(params, x, h))
        hs.append(np.where(inside, h, 0))
    return np.stack(hs), h


def writes_zeros_into_the_inputs(params, xs, mask, h_first):
    xs[~mask] = 0
    later = np.cumsum(mask[::-1], axis=0)[::-1] > 0
    h, hs = h_first, []
    for x, real, inside in zip(xs, mask[..., None], later[..., None]):
        h = np.where(real, rnn_step(params, x, h), np.where(inside, params.gamma * h, h))
        hs.append(np.where(inside, h, 0))
    return np.stack(hs), h


def begins_from_zero(params, xs, mask, h_first):
    later = np.cumsum(mask[::-1], axis=0)[::-1] > 0
    h, hs = np.zeros_like(h_first), []
    for t in range(len(xs)):
        old = h * np.where(later[t], 1, 0)[:, None] * params.gamma + h * ~later[t][:, None]
        h = np.where(mask[t][:, None], rnn_step(params, xs[t], h), old)
        hs.append(h * later[t][:, None])
    return np.stack(hs), h


def gaps_filled_with_zeros_and_read(params, xs, mask, h_first):
    T, B = mask.shape
    filled = np.where(mask[..., None], xs, 0)
    end = T - mask[::-1].argmax(0)
    h, hs = h_first, np.zeros((T, B, h_first.shape[1]))
    for t in range(T):
        alive = (t < end)[:, None]
        h = np.where(alive, rnn_step(params, filled[t], h), h)
        hs[t] = np.where(alive, h, 0)
    return hs, h


def last_measurement_read_again(params, xs, mask, h_first):
    T, B = mask.shape
    end = T - mask[::-1].argmax(0)
    h, hs, x = h_first, np.zeros((T, B, h_first.shape[1])), xs[0]
    for t in range(T):
        x = np.where(mask[t][:, None], xs[t], x)
        alive = (t < end)[:, None]
        h = np.where(alive, rnn_step(params, x, h), h)
        hs[t] = np.where(alive, h, 0)
    return hs, h


def gap_is_silent(params, xs, mask, h_first):
    T = len(xs)
    last = T - 1 - np.argmax(mask[::-1], axis=0)
    h, hs = h_first, np.zeros((*mask.shape, h_first.shape[1]))
    for t in range(T):
        real, gap = mask[t], ~mask[t] & (t < last)
        new = rnn_step(params, xs[t], h)
        h = new * real[:, None] + params.gamma * h * gap[:, None] + h * (~real & ~gap)[:, None]
        hs[t, real] = h[real]
    return hs, h


def rate_as_an_exponent(params, xs, mask, h_first):
    last = len(mask) - 1 - np.argmax(mask[::-1], axis=0)
    h, hs = h_first, []
    for t, x in enumerate(xs):
        inside = (t <= last)[:, None]
        decay = np.where(inside, np.exp(-params.gamma), 1)
        h = np.where(mask[t][:, None], rnn_step(params, x, h), decay * h)
        hs.append(h * inside)
    return np.stack(hs), h


def rate_through_a_sigmoid(params, xs, mask, h_first):
    rate = 1 / (1 + np.exp(-params.gamma))
    hs, ends = np.zeros((*mask.shape, h_first.shape[1])), []
    for n in range(mask.shape[1]):
        h = h_first[n : n + 1]
        for t in range(np.flatnonzero(mask[:, n])[-1] + 1):
            h = rnn_step(params, xs[t, n : n + 1], h) if mask[t, n] else rate * h
            hs[t, n] = h[0]
        ends.append(h[0])
    return hs, np.array(ends)


def tanh_in_the_gap_too(params, xs, mask, h_first):
    last = len(mask) - 1 - np.argmax(mask[::-1], axis=0)
    h, hs = h_first, []
    for t, x in enumerate(xs):
        m, inside = mask[t][:, None], (t <= last)[:, None]
        a = np.where(m, x @ params.W_x + h @ params.W_h + params.b, params.gamma * h)
        h = np.where(inside, np.tanh(a), h)
        hs.append(np.where(inside, h, 0))
    return np.stack(hs), h


def says_the_state_before_it_fades(params, xs, mask, h_first):
    last = len(mask) - 1 - np.argmax(mask[::-1], axis=0)
    h, hs = h_first, np.zeros((*mask.shape, h_first.shape[1]))
    for t in range(len(xs)):
        new = rnn_step(params, xs[t], h)
        for n in range(len(last)):
            if mask[t, n]:
                hs[t, n] = new[n]
            elif t < last[n]:
                hs[t, n], new[n] = h[n], params.gamma * h[n]
            else:
                new[n] = h[n]
        h = new
    return hs, h


def bias_behind_the_tanh(params, xs, mask, h_first):
    last = len(mask) - 1 - np.argmax(mask[::-1], axis=0)
    h, hs = h_first, []
    for t, x in enumerate(xs):
        m, inside = mask[t][:, None], (t <= last)[:, None]
        new = np.tanh(x @ params.W_x + h @ params.W_h) + params.b
        h = np.where(m, new, np.where(inside, params.gamma * h, h))
        hs.append(np.where(inside, h, 0))
    return np.stack(hs), h


def decides_for_the_whole_batch(params, xs, mask, h_first):
    h, hs = h_first, []
    for t, x in enumerate(xs):
        if mask[t].all():
            h = rnn_step(params, x, h)
        elif mask[t:].any():
            h = params.gamma * h
        hs.append(h)
    return np.stack(hs), h


def fades_once_too_often(params, xs, mask, h_first):
    hs, last = np.zeros((*mask.shape, h_first.shape[1])), h_first.copy()
    for n in range(mask.shape[1]):
        times = np.flatnonzero(mask[:, n]).tolist()
        for t, following in zip(times, [*times[1:], times[-1] + 1]):
            h = np.tanh(params.b + last[n] @ params.W_h + xs[t, n] @ params.W_x)
            hs[t, n] = h
            for late in range(1, following - t):
                hs[t + late, n] = np.exp(late * np.log(params.gamma)) * h
            last[n] = params.gamma ** (following - t) * h
    return hs, last


def two_cases_at_once_on_padding(params, xs, mask, h_first):
    m = mask[:, :, None].astype(float)
    e = np.minimum(np.cumsum(m[::-1], axis=0)[::-1], 1)
    h, hs = h_first, []
    for t in range(len(xs)):
        new = np.tanh(xs[t] @ params.W_x + params.b + h @ params.W_h)
        h = m[t] * new + (1 - m[t]) * params.gamma * h + (1 - e[t]) * h
        hs.append(h)
    return [e * np.array(hs), h]


# Question 4


def walk_of_assignment_1(params, xs, mask, h_first, hs, dhs, dh_last):
    dparams, dxs, dh = [0, 0, 0, 0], [], dh_last
    for t in reversed(range(len(xs))):
        part, dx, dh = rnn_step_backward(
            params, xs[t], hs[t - 1] if t else h_first, hs[t], dhs[t] + dh
        )
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.insert(0, dx)
    return RNNParams(*dparams), np.stack(dxs), dh


def walk_of_chapter_14(params, xs, mask, h_first, hs, dhs, dh_last):
    total, dxs, dh = RNNParams(*map(np.zeros_like, params)), [], dh_last
    for t in range(len(xs) - 1, -1, -1):
        keep = mask[t][:, None]
        dh = dh + np.where(keep, dhs[t], 0)
        before = hs[t - 1] if t > 0 else h_first
        part, dx, dold = rnn_step_backward(params, xs[t], before, hs[t], np.where(keep, dh, 0))
        dh = np.where(keep, dold, dh)
        total = RNNParams(*(a + b for a, b in zip(total, part)))
        dxs.append(dx)
    return total, np.stack(dxs[::-1]), dh


def everything_not_real_fades(params, xs, mask, h_first, hs, dhs, dh_last):
    T = len(xs)
    within = np.arange(T)[:, None] < T - mask[::-1].argmax(0)
    dW_x, dW_h, db, dgamma = (np.zeros_like(p) for p in params)
    dxs, dh = np.zeros_like(xs), dh_last
    for t in range(T - 1, -1, -1):
        m = mask[t][:, None]
        h_old = h_first if t == 0 else hs[t - 1]
        dh = dh + dhs[t] * within[t][:, None]
        part, dxs[t], back = rnn_step_backward(params, xs[t], h_old, hs[t], m * dh)
        dgamma += (~m * dh * h_old).sum(0)
        dh = m * back + ~m * params.gamma * dh
        dW_x, dW_h, db = dW_x + part.W_x, dW_h + part.W_h, db + part.b
    return RNNParams(dW_x, dW_h, db, dgamma), dxs, dh


def no_path_through_gaps(params, xs, mask, h_first, hs, dhs, dh_last):
    last = len(mask) - 1 - mask[::-1].argmax(axis=0)
    dp, dxs, dh = RNNParams(*(0 * p for p in params)), [None] * len(xs), dh_last
    for t in reversed(range(len(xs))):
        real, inside = mask[t][:, None], (t <= last)[:, None]
        prev = hs[t - 1] if t else h_first
        dh = dh + np.where(inside, dhs[t], 0)
        part, dxs[t], back = rnn_step_backward(params, xs[t], prev, hs[t], dh * real)
        dgamma = np.sum(dh * prev * (inside & ~real), axis=0)
        dp = RNNParams(dp.W_x + part.W_x, dp.W_h + part.W_h, dp.b + part.b, dp.gamma + dgamma)
        dh = back + dh * ~inside
    return dp, np.stack(dxs), dh


def gap_outputs_unheard(params, xs, mask, h_first, hs, dhs, dh_last):
    T, B = mask.shape
    dp = [np.zeros_like(p) for p in params]
    dxs, dh = np.zeros_like(xs), dh_last
    over = np.ones(B, bool)  # still behind the end
    for t in range(T)[::-1]:
        over = over & ~mask[t]
        gap = ~mask[t] & ~over
        dh = dh + mask[t][:, None] * dhs[t]
        prev = hs[t - 1] if t else h_first
        part, dxs[t], back = rnn_step_backward(params, xs[t], prev, hs[t], mask[t][:, None] * dh)
        for k in range(3):
            dp[k] += part[k]
        dp[3] += (dh * prev)[gap].sum(0)
        new = back.copy()
        new[gap] = params.gamma * dh[gap]
        new[over] = dh[over]
        dh = new
    return RNNParams(*dp), dxs, dh


def gradient_times_mask(params, xs, mask, h_first, hs, dhs, dh_last):
    last = len(mask) - 1 - mask[::-1].argmax(axis=0)
    dp, dgamma, dxs, dh = [0, 0, 0, 0], 0, [], dh_last
    for t in reversed(range(len(xs))):
        real, inside = mask[t][:, None], (t <= last)[:, None]
        prev = hs[t - 1] if t else h_first
        dh = dh + dhs[t] * inside
        dgamma = dgamma + ((inside & ~real) * dh * prev).sum(0)
        part, dx, dh = rnn_step_backward(params, xs[t], prev, hs[t], dh * real)
        dp = [a + b for a, b in zip(dp, part)]
        dxs.insert(0, dx)
    return RNNParams(dp[0], dp[1], dp[2], dgamma), np.stack(dxs), dh


def gamma_of_one_gap(params, xs, mask, h_first, hs, dhs, dh_last):
    within = np.cumsum(mask[::-1], axis=0)[::-1] > 0
    dp, dgamma, dxs, dh = RNNParams(*map(np.zeros_like, params)), 0 * params.gamma, [], dh_last
    for t in reversed(range(len(xs))):
        m, e = mask[t][:, None], within[t][:, None]
        prev = hs[t - 1] if t else h_first
        dh = dh + np.where(e, dhs[t], 0)
        if (e & ~m).any():
            dgamma = ((e & ~m) * dh * prev).sum(axis=0)
        part, dx, back = rnn_step_backward(params, xs[t], prev, hs[t], dh * m)
        dp = RNNParams(*(a + b for a, b in zip(dp, part)))
        dh = np.where(m, back, np.where(e, params.gamma * dh, dh))
        dxs.insert(0, dx)
    return dp._replace(gamma=dgamma), np.stack(dxs), dh


def gamma_with_the_faded_state(params, xs, mask, h_first, hs, dhs, dh_last):
    within = np.cumsum(mask[::-1], axis=0)[::-1] > 0
    dp, dgamma, dxs, dh = RNNParams(*map(np.zeros_like, params)), 0 * params.gamma, [], dh_last
    for t in reversed(range(len(xs))):
        m, e = mask[t][:, None], within[t][:, None]
        dh = dh + np.where(e, dhs[t], 0)
        dgamma += ((e & ~m) * dh * hs[t]).sum(axis=0)
        part, dx, back = rnn_step_backward(
            params, xs[t], hs[t - 1] if t else h_first, hs[t], dh * m
        )
        dp = RNNParams(*(a + b for a, b in zip(dp, part)))
        dh = np.where(m, back, np.where(e, params.gamma * dh, dh))
        dxs.insert(0, dx)
    return dp._replace(gamma=dgamma), np.stack(dxs), dh


def gamma_as_a_mean_of_the_batch(params, xs, mask, h_first, hs, dhs, dh_last):
    within = np.cumsum(mask[::-1], axis=0)[::-1] > 0
    dp, dgamma, dxs, dh = RNNParams(*map(np.zeros_like, params)), 0 * params.gamma, [], dh_last
    for t in reversed(range(len(xs))):
        m, e = mask[t][:, None], within[t][:, None]
        prev = hs[t - 1] if t else h_first
        dh = dh + np.where(e, dhs[t], 0)
        dgamma += np.where(e & ~m, dh * prev, 0).mean(axis=0)
        part, dx, back = rnn_step_backward(params, xs[t], prev, hs[t], dh * m)
        dp = RNNParams(*(a + b for a, b in zip(dp, part)))
        dh = np.where(m, back, np.where(e, params.gamma * dh, dh))
        dxs.insert(0, dx)
    return dp._replace(gamma=dgamma), np.stack(dxs), dh


def weights_learn_where_nothing_was_read(params, xs, mask, h_first, hs, dhs, dh_last):
    within = np.cumsum(mask[::-1], axis=0)[::-1] > 0
    dp, dgamma, dxs, dh = RNNParams(*map(np.zeros_like, params)), 0 * params.gamma, [], dh_last
    for t in reversed(range(len(xs))):
        m, e = mask[t][:, None], within[t][:, None]
        prev = hs[t - 1] if t else h_first
        dh = dh + np.where(e, dhs[t], 0)
        dgamma += np.where(e & ~m, dh * prev, 0).sum(axis=0)
        part, dx, back = rnn_step_backward(params, xs[t], prev, hs[t], dh)
        dp = RNNParams(*(a + b for a, b in zip(dp, part)))
        dh = np.where(m, back, np.where(e, params.gamma * dh, dh))
        dxs.insert(0, dx)
    return dp._replace(gamma=dgamma), np.stack(dxs), dh


def old_path_never_left_out(params, xs, mask, h_first, hs, dhs, dh_last):
    end = len(mask) - mask[::-1].argmax(axis=0)
    acc, dxs, dh = {"W_x": 0, "W_h": 0, "b": 0, "gamma": 0}, np.zeros_like(xs), dh_last
    for t in range(len(xs) - 1, -1, -1):
        real, inside = mask[t][:, None], (t < end)[:, None]
        gap = inside & np.logical_not(real)
        prev = hs[t - 1] if t else h_first
        dh = dh + dhs[t] * inside
        part, dxs[t], back = rnn_step_backward(params, xs[t], prev, hs[t], dh * real)
        acc = {name: acc[name] + getattr(part, name) for name in acc}
        acc["gamma"] = acc["gamma"] + (dh * prev * gap).sum(axis=0)
        factor = np.where(gap, params.gamma, 1)
        dh = back + factor * dh
    return RNNParams(**acc), dxs, dh


def last_gradient_forgotten(params, xs, mask, h_first, hs, dhs, dh_last):
    end = len(mask) - mask[::-1].argmax(axis=0)
    acc, dxs, dh = RNNParams(0, 0, 0, 0), np.zeros_like(xs), np.zeros_like(dh_last)
    for t in range(len(xs) - 1, -1, -1):
        real, inside = mask[t][:, None], (t < end)[:, None]
        prev = hs[t - 1] if t else h_first
        dh = dh + dhs[t] * inside
        part, dxs[t], back = rnn_step_backward(params, xs[t], prev, hs[t], dh * real)
        part = part._replace(gamma=(dh * prev * (inside & ~real)).sum(axis=0))
        acc = RNNParams(*(a + b for a, b in zip(acc, part)))
        dh = np.where(real, back, np.where(inside, params.gamma, 1) * dh)
    return acc, dxs, dh


def what_is_lost_for_what_is_left(params, xs, mask, h_first, hs, dhs, dh_last):
    end = len(mask) - mask[::-1].argmax(axis=0)
    acc, dxs, dh = RNNParams(0, 0, 0, 0), np.zeros_like(xs), dh_last
    for t in range(len(xs) - 1, -1, -1):
        real, inside = mask[t][:, None], (t < end)[:, None]
        prev = hs[t - 1] if t else h_first
        dh = dh + dhs[t] * inside
        part, dxs[t], back = rnn_step_backward(params, xs[t], prev, hs[t], dh * real)
        part = part._replace(gamma=(dh * prev * (inside & ~real)).sum(axis=0))
        acc = RNNParams(*(a + b for a, b in zip(acc, part)))
        dh = np.where(real, back, np.where(inside, dh - params.gamma * dh, dh))
    return acc, dxs, dh


def index_minus_one_at_the_start(params, xs, mask, h_first, hs, dhs, dh_last):
    end = len(mask) - mask[::-1].argmax(axis=0)
    acc, dxs, dh = RNNParams(0, 0, 0, 0), np.zeros_like(xs), dh_last
    for t in range(len(xs) - 1, -1, -1):
        real, inside = mask[t][:, None], (t < end)[:, None]
        dh = dh + dhs[t] * inside
        part, dxs[t], back = rnn_step_backward(params, xs[t], hs[t - 1], hs[t], dh * real)
        part = part._replace(gamma=(dh * hs[t - 1] * (inside & ~real)).sum(axis=0))
        acc = RNNParams(*(a + b for a, b in zip(acc, part)))
        dh = np.where(real, back, np.where(inside, params.gamma, 1) * dh)
    return acc, dxs, dh


def adds_into_what_arrived(params, xs, mask, h_first, hs, dhs, dh_last):
    end = len(mask) - mask[::-1].argmax(axis=0)
    acc, dxs, dh = RNNParams(0, 0, 0, 0), np.zeros_like(xs), dh_last
    for t in range(len(xs) - 1, -1, -1):
        real, inside = mask[t][:, None], (t < end)[:, None]
        prev = hs[t - 1] if t else h_first
        dhs[t] *= inside
        dhs[t] += dh
        part, dxs[t], back = rnn_step_backward(params, xs[t], prev, hs[t], dhs[t] * real)
        part = part._replace(gamma=(dhs[t] * prev * (inside & ~real)).sum(axis=0))
        acc = RNNParams(*(a + b for a, b in zip(acc, part)))
        dh = np.where(real, back, np.where(inside, params.gamma, 1) * dhs[t])
    return acc, dxs, dh


def input_gradients_in_the_order_of_the_walk(params, xs, mask, h_first, hs, dhs, dh_last):
    end = len(mask) - mask[::-1].argmax(axis=0)
    acc, dxs, dh = RNNParams(0, 0, 0, 0), [], dh_last
    for t in range(len(xs) - 1, -1, -1):
        real, inside = mask[t][:, None], (t < end)[:, None]
        prev = hs[t - 1] if t else h_first
        dh = dh + dhs[t] * inside
        part, dx, back = rnn_step_backward(params, xs[t], prev, hs[t], dh * real)
        dxs.append(dx)
        part = part._replace(gamma=(dh * prev * (inside & ~real)).sum(axis=0))
        acc = RNNParams(*(a + b for a, b in zip(acc, part)))
        dh = np.where(real, back, np.where(inside, params.gamma, 1) * dh)
    return acc, np.array(dxs), dh


def parameters_of_the_first_step_alone(params, xs, mask, h_first, hs, dhs, dh_last):
    end = len(mask) - mask[::-1].argmax(axis=0)
    dgamma, dxs, dh = np.zeros_like(params.gamma), np.zeros_like(xs), dh_last
    for t in range(len(xs) - 1, -1, -1):
        real, inside = mask[t][:, None], (t < end)[:, None]
        prev = hs[t - 1] if t else h_first
        dh = dh + dhs[t] * inside
        dparams, dxs[t], back = rnn_step_backward(params, xs[t], prev, hs[t], dh * real)
        dgamma = dgamma + (dh * prev * (inside & ~real)).sum(axis=0)
        dh = np.where(real, back, np.where(inside, params.gamma, 1) * dh)
    return dparams._replace(gamma=dgamma), dxs, dh


def gamma_before_the_output(params, xs, mask, h_first, hs, dhs, dh_last):
    end = len(mask) - mask[::-1].argmax(axis=0)
    acc, dxs, dh = RNNParams(0, 0, 0, 0), np.zeros_like(xs), dh_last
    for t in range(len(xs) - 1, -1, -1):
        real, inside = mask[t][:, None], (t < end)[:, None]
        prev = hs[t - 1] if t else h_first
        dgamma = (dh * prev * (inside & ~real)).sum(axis=0)
        dh = dh + dhs[t] * inside
        part, dxs[t], back = rnn_step_backward(params, xs[t], prev, hs[t], dh * real)
        acc = RNNParams(*(a + b for a, b in zip(acc, part._replace(gamma=dgamma))))
        dh = np.where(real, back, np.where(inside, params.gamma, 1) * dh)
    return acc, dxs, dh


def gamma_on_every_way_back(params, xs, mask, h_first, hs, dhs, dh_last):
    end = len(mask) - mask[::-1].argmax(axis=0)
    acc, dxs, dh = RNNParams(0, 0, 0, 0), np.zeros_like(xs), dh_last
    for t in range(len(xs) - 1, -1, -1):
        real, inside = mask[t][:, None], (t < end)[:, None]
        prev = hs[t - 1] if t else h_first
        dh = dh + dhs[t] * inside
        part, dxs[t], back = rnn_step_backward(params, xs[t], prev, hs[t], dh * real)
        part = part._replace(gamma=(dh * prev * (inside & ~real)).sum(axis=0))
        acc = RNNParams(*(a + b for a, b in zip(acc, part)))
        dh = np.where(inside, params.gamma, 1) * np.where(real, back, dh)
    return acc, dxs, dh


def mean_over_the_real_steps(params, xs, mask, h_first, hs, dhs, dh_last):
    end, count = len(mask) - mask[::-1].argmax(axis=0), np.count_nonzero(mask)
    acc, dxs, dh = RNNParams(0, 0, 0, 0), np.zeros_like(xs), dh_last
    for t in range(len(xs) - 1, -1, -1):
        real, inside = mask[t][:, None], (t < end)[:, None]
        prev = hs[t - 1] if t else h_first
        dh = dh + dhs[t] * inside
        part, dxs[t], back = rnn_step_backward(params, xs[t], prev, hs[t], dh * real)
        part = part._replace(gamma=(dh * prev * (inside & ~real)).sum(axis=0))
        acc = RNNParams(*(a + b for a, b in zip(acc, part)))
        dh = np.where(real, back, np.where(inside, params.gamma, 1) * dh)
    return RNNParams(*(total / count for total in acc)), dxs, dh


def no_gradient_for_gamma(params, xs, mask, h_first, hs, dhs, dh_last):
    end = len(mask) - mask[::-1].argmax(axis=0)
    acc, dxs, dh = RNNParams(0, 0, 0, 0), np.zeros_like(xs), dh_last
    for t in range(len(xs) - 1, -1, -1):
        real, inside = mask[t][:, None], (t < end)[:, None]
        prev = hs[t - 1] if t else h_first
        dh = dh + dhs[t] * inside
        part, dxs[t], back = rnn_step_backward(params, xs[t], prev, hs[t], dh * real)
        acc = RNNParams(*(a + b for a, b in zip(acc, part)))
        dh = np.where(real, back, np.where(inside, params.gamma, 1) * dh)
    return acc, dxs, dh


def gamma_for_each_sequence(params, xs, mask, h_first, hs, dhs, dh_last):
    end = len(mask) - mask[::-1].argmax(axis=0)
    acc, dxs, dh = RNNParams(0, 0, 0, 0), np.zeros_like(xs), dh_last
    for t in range(len(xs) - 1, -1, -1):
        real, inside = mask[t][:, None], (t < end)[:, None]
        prev = hs[t - 1] if t else h_first
        dh = dh + dhs[t] * inside
        part, dxs[t], back = rnn_step_backward(params, xs[t], prev, hs[t], dh * real)
        part = part._replace(gamma=dh * prev * (inside & ~real))
        acc = RNNParams(*(a + b for a, b in zip(acc, part)))
        dh = np.where(real, back, np.where(inside, params.gamma, 1) * dh)
    return acc, dxs, dh


def last_real_state_for_the_faded_one(params, xs, mask, h_first, hs, dhs, dh_last):
    dp, dxs, dh_first = [np.zeros_like(p) for p in params], np.zeros_like(xs), dh_last.copy()
    for n in range(mask.shape[1]):
        times, dh = np.flatnonzero(mask[:, n]), dh_last[n]
        for t in range(times[-1], -1, -1):
            dh = dh + dhs[t, n]
            if mask[t, n]:
                earlier = times[times < t]
                prev = hs[earlier[-1], n] if len(earlier) else h_first[n]
                da = dh * (1 - hs[t, n] ** 2)
                dp[0] += np.outer(xs[t, n], da)
                dp[1] += np.outer(prev, da)
                dp[2] += da
                dxs[t, n], dh = params.W_x @ da, params.W_h @ da
            else:
                dp[3] += dh * hs[t - 1, n]
                dh = params.gamma * dh
        dh_first[n] = dh
    return RNNParams(*dp), dxs, dh_first


def length_is_the_count(params, xs, mask, h_first, hs, dhs, dh_last):
    counts = mask.sum(axis=0)
    dp, dxs, dh_first = [np.zeros_like(p) for p in params], np.zeros_like(xs), dh_last.copy()
    for n, count in enumerate(counts):
        dh = dh_last[n]
        for t in range(count - 1, -1, -1):
            dh = dh + dhs[t, n]
            prev = hs[t - 1, n] if t else h_first[n]
            da = dh * (1 - hs[t, n] ** 2)
            for total, part in zip(dp, (np.outer(xs[t, n], da), np.outer(prev, da), da)):
                total += part
            dxs[t, n], dh = params.W_x @ da, params.W_h @ da
        dh_first[n] = dh
    return RNNParams(*dp), dxs, dh_first


def last_gradient_at_every_step(params, xs, mask, h_first, hs, dhs, dh_last):
    end = len(mask) - mask[::-1].argmax(axis=0)
    acc, dxs, dh = RNNParams(0, 0, 0, 0), np.zeros_like(xs), np.zeros_like(h_first)
    for t in range(len(xs) - 1, -1, -1):
        real, inside = mask[t][:, None], (t < end)[:, None]
        prev = hs[t - 1] if t else h_first
        dh = dh + dhs[t] * inside + dh_last
        part, dxs[t], back = rnn_step_backward(params, xs[t], prev, hs[t], dh * real)
        part = part._replace(gamma=(dh * prev * (inside & ~real)).sum(axis=0))
        acc = RNNParams(*(a + b for a, b in zip(acc, part)))
        dh = np.where(real, back, np.where(inside, params.gamma, 1) * dh)
    return acc, dxs, dh


def slope_of_the_tanh_everywhere(params, xs, mask, h_first, hs, dhs, dh_last):
    end = len(mask) - mask[::-1].argmax(axis=0)
    dp, dxs, dh = [0 * p for p in params], np.zeros_like(xs), dh_last
    for t in range(len(xs) - 1, -1, -1):
        real, inside = mask[t][:, None], (t < end)[:, None]
        prev = hs[t - 1] if t else h_first
        dh = dh + dhs[t] * inside
        da = dh * (1 - hs[t] ** 2)
        dp[3] = dp[3] + np.where(inside & ~real, dh * prev, 0).sum(axis=0)
        dh = np.where(real, da @ params.W_h.T, np.where(inside, da * params.gamma, dh))
        da = da * real
        dp[0], dp[1], dp[2] = dp[0] + xs[t].T @ da, dp[1] + prev.T @ da, dp[2] + da.sum(axis=0)
        dxs[t] = da @ params.W_x.T
    return RNNParams(*dp), dxs, dh


def stops_before_the_last_output(params, xs, mask, h_first, hs, dhs, dh_last):
    end = len(mask) - mask[::-1].argmax(axis=0)
    acc, dxs, dh = RNNParams(0, 0, 0, 0), np.zeros_like(xs), dh_last
    for t in range(len(xs) - 1, -1, -1):
        real, inside = mask[t][:, None], (t < end)[:, None]
        prev = hs[t - 1] if t else h_first
        dh = dh + dhs[t] * (t < end - 1)[:, None]
        part, dxs[t], back = rnn_step_backward(params, xs[t], prev, hs[t], dh * real)
        part = part._replace(gamma=(dh * prev * (inside & ~real)).sum(axis=0))
        acc = RNNParams(*(a + b for a, b in zip(acc, part)))
        dh = np.where(real, back, np.where(inside, params.gamma, 1) * dh)
    return acc, dxs, dh


def gradient_after_the_first_step(params, xs, mask, h_first, hs, dhs, dh_last):
    end = len(mask) - mask[::-1].argmax(axis=0)
    acc, dxs, dh, all_dh = RNNParams(0, 0, 0, 0), np.zeros_like(xs), dh_last, []
    for t in range(len(xs) - 1, -1, -1):
        real, inside = mask[t][:, None], (t < end)[:, None]
        prev = hs[t - 1] if t else h_first
        dh = dh + dhs[t] * inside
        all_dh.append(dh)
        part, dxs[t], back = rnn_step_backward(params, xs[t], prev, hs[t], dh * real)
        part = part._replace(gamma=(dh * prev * (inside & ~real)).sum(axis=0))
        acc = RNNParams(*(a + b for a, b in zip(acc, part)))
        dh = np.where(real, back, np.where(inside, params.gamma, 1) * dh)
    return acc, dxs, all_dh[-1]


def last_gradient_where_the_array_ends(params, xs, mask, h_first, hs, dhs, dh_last):
    T = len(xs)
    end = T - mask[::-1].argmax(axis=0)
    arriving = dhs * (np.arange(T)[:, None] < end)[..., None]
    arriving[-1] = arriving[-1] + dh_last * mask[-1][:, None]
    acc, dxs, dh = RNNParams(0, 0, 0, 0), np.zeros_like(xs), np.zeros_like(h_first)
    for t in range(T - 1, -1, -1):
        real, inside = mask[t][:, None], (t < end)[:, None]
        prev = hs[t - 1] if t else h_first
        dh = dh + arriving[t]
        part, dxs[t], back = rnn_step_backward(params, xs[t], prev, hs[t], dh * real)
        part = part._replace(gamma=(dh * prev * (inside & ~real)).sum(axis=0))
        acc = RNNParams(*(a + b for a, b in zip(acc, part)))
        dh = np.where(real, back, np.where(inside, params.gamma, 1) * dh)
    return acc, dxs, dh


def last_gradient_at_the_count(params, xs, mask, h_first, hs, dhs, dh_last):
    T, B = mask.shape
    end = np.array([mask[:, n].sum() - 1 for n in range(B)])
    inside = np.arange(T)[:, None] <= end
    arriving = np.where(inside[..., None], dhs, 0.0)
    arriving[end, np.arange(B)] += dh_last
    das, fades, dh = np.zeros_like(hs), np.zeros_like(hs), np.zeros_like(h_first)
    for t in range(T - 1, -1, -1):
        dh = dh + arriving[t]
        das[t] = np.where(mask[t][:, None], dh * (1 - hs[t] ** 2), 0)
        fades[t] = np.where((inside & ~mask)[t][:, None], dh, 0)
        dh = np.einsum("bh,kh->bk", das[t], params.W_h) + fades[t] * params.gamma
    before = np.concatenate([h_first[None], hs[:-1]])
    dparams = (
        np.einsum("tbd,tbh->dh", xs, das),
        np.einsum("tbk,tbh->kh", before, das),
        das.sum(axis=(1, 0)),
        (fades * before).sum(axis=(0, 1)),
    )
    return dparams, das @ params.W_x.T, dh


def matrix_not_turned_round(params, xs, mask, h_first, hs, dhs, dh_last):
    T, B = mask.shape
    end = np.array([np.flatnonzero(mask[:, n])[-1] for n in range(B)])
    inside = np.arange(T)[:, None] <= end
    arriving = np.where(inside[..., None], dhs, 0.0)
    arriving[end, np.arange(B)] += dh_last
    das, fades, dh = np.zeros_like(hs), np.zeros_like(hs), np.zeros_like(h_first)
    for t in range(T - 1, -1, -1):
        dh = dh + arriving[t]
        das[t] = np.where(mask[t][:, None], dh * (1 - hs[t] ** 2), 0)
        fades[t] = np.where((inside & ~mask)[t][:, None], dh, 0)
        dh = np.einsum("bh,kh->bk", das[t], params.W_h.T) + fades[t] * params.gamma
    before = np.concatenate([h_first[None], hs[:-1]])
    dparams = (
        np.einsum("tbd,tbh->dh", xs, das),
        np.einsum("tbk,tbh->kh", before, das),
        das.sum(axis=(1, 0)),
        (fades * before).sum(axis=(0, 1)),
    )
    return dparams, das @ params.W_x.T, dh


def derivative_of_the_power_without_its_factor(params, xs, mask, h_first, hs, dhs, dh_last):
    dp, dxs, dh_first = [0 * p for p in params], 0 * xs, 0 * h_first
    for n in range(mask.shape[1]):
        times, dh = np.flatnonzero(mask[:, n]), dh_last[n] + 0
        for place in range(len(times) - 1, -1, -1):
            t = times[place]
            following = times[place + 1] if place + 1 < len(times) else t + 1
            k = np.arange(1, following - t)[:, None]
            dgap = dhs[t + 1 : following, n]
            width = following - t - 1
            dp[3] += ((params.gamma ** (k - 1)) * dgap).sum(0) * hs[t, n]
            if width:
                dp[3] += width * params.gamma ** (width - 1) * dh * hs[t, n]
            dh = dhs[t, n] + (params.gamma**k * dgap).sum(0) + params.gamma**width * dh
            da = dh * (1 + hs[t, n]) * (1 - hs[t, n])
            old = hs[t - 1, n] if t else h_first[n]
            dp[0], dp[1], dp[2] = (
                dp[0] + np.outer(xs[t, n], da),
                dp[1] + np.outer(old, da),
                dp[2] + da,
            )
            dxs[t, n], dh = params.W_x @ da, params.W_h @ da
        dh_first[n] = dh
    return RNNParams(*dp), dxs, dh_first


def last_gradient_through_the_gap_as_it_is(params, xs, mask, h_first, hs, dhs, dh_last):
    dp, dxs, dh_first = [0 * p for p in params], 0 * xs, 0 * h_first
    for n in range(mask.shape[1]):
        times, dh = np.flatnonzero(mask[:, n]), dh_last[n] + 0
        for place in range(len(times) - 1, -1, -1):
            t = times[place]
            following = times[place + 1] if place + 1 < len(times) else t + 1
            k = np.arange(1, following - t)[:, None]
            dgap = dhs[t + 1 : following, n]
            width = following - t - 1
            dp[3] += ((k * params.gamma ** (k - 1)) * dgap).sum(0) * hs[t, n]
            if width:
                dp[3] += width * params.gamma ** (width - 1) * dh * hs[t, n]
            dh = dhs[t, n] + (params.gamma**k * dgap).sum(0) + dh
            da = dh * (1 + hs[t, n]) * (1 - hs[t, n])
            old = hs[t - 1, n] if t else h_first[n]
            dp[0], dp[1], dp[2] = (
                dp[0] + np.outer(xs[t, n], da),
                dp[1] + np.outer(old, da),
                dp[2] + da,
            )
            dxs[t, n], dh = params.W_x @ da, params.W_h @ da
        dh_first[n] = dh
    return RNNParams(*dp), dxs, dh_first


# Question 5


def every_step_alike(logits, targets, mask):
    z = logits - logits.max(axis=-1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    losses = -np.take_along_axis(log_p, targets[..., None], -1)[..., 0]
    d = np.exp(log_p) - np.eye(logits.shape[-1])[targets]
    return losses[mask].mean(), d * mask[..., None] / mask.sum()


def plain_mean_of_masked_losses(logits, targets, mask):
    z = logits - logits.max(axis=-1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    losses = -np.take_along_axis(log_p, targets[..., None], -1)[..., 0] * mask
    dlogits = (np.exp(log_p) - np.eye(logits.shape[-1])[targets]) * mask[..., None] / mask.size
    return losses.mean(axis=0).mean(), dlogits


def softmax_overflows(logits, targets, mask):
    p = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    onehot, w = np.eye(logits.shape[-1])[targets], mask / mask.sum(0) / mask.shape[1]
    return -np.sum(w[..., None] * onehot * np.log(p)), (p - onehot) * w[..., None]


def tiny_number_in_the_logarithm(logits, targets, mask):
    e = np.exp(logits - np.max(logits, axis=2, keepdims=True))
    p = e / np.sum(e, axis=2, keepdims=True)
    T, B, V = p.shape
    loss, dlogits = 0.0, np.zeros_like(p)
    for n in range(B):
        for t in range(T):
            if mask[t, n]:
                loss -= np.log(p[t, n, targets[t, n]] + 1e-8) / mask[:, n].sum() / B
                dlogits[t, n] = (p[t, n] - np.eye(V)[targets[t, n]]) / mask[:, n].sum() / B
    return loss, dlogits


def clipped_probability(logits, targets, mask):
    e = np.exp(logits - logits.max(-1, keepdims=True))
    p = e / e.sum(-1, keepdims=True)
    onehot = np.eye(p.shape[-1])[targets]
    weight = mask / mask.sum(0, keepdims=True) / mask.shape[1]
    picked = np.clip((p * onehot).sum(-1), 1e-12, 1)
    return -(weight * np.log(picked)).sum(), weight[..., None] * (p - onehot)


def two_means_in_one_function(logits, targets, mask):
    z = logits - logits.max(axis=-1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    onehot = np.eye(logits.shape[-1])[targets]
    each = -(log_p * onehot).sum(-1)
    per_sequence = [each[mask[:, n], n].mean() for n in range(mask.shape[1])]
    return np.mean(per_sequence), (np.exp(log_p) - onehot) * mask[..., None] / mask.sum()


def sum_over_the_sequences(logits, targets, mask):
    z = logits - logits.max(axis=-1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    onehot = np.eye(logits.shape[-1])[targets]
    weights = (mask / mask.sum(axis=0))[..., None]
    return -np.sum(weights * onehot * log_p), weights * (np.exp(log_p) - onehot)


def divided_by_the_length(logits, targets, mask):
    T, B = mask.shape
    lengths = T - np.argmax(np.flip(mask, 0), axis=0)
    z = logits - logits.max(axis=-1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    onehot = np.eye(logits.shape[-1])[targets]
    losses = np.where(mask, -(onehot * log_p).sum(-1), 0).sum(0) / lengths
    dlogits = np.where(mask[..., None], np.exp(log_p) - onehot, 0) / lengths[:, None] / B
    return losses.mean(), dlogits


def gradient_on_padding(logits, targets, mask):
    z = logits - logits.max(axis=-1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    onehot, count = np.eye(logits.shape[-1])[targets], mask.sum(axis=0)
    losses = -(onehot * log_p).sum(-1)
    loss = np.mean((losses * mask).sum(axis=0) / count)
    return loss, (np.exp(log_p) - onehot) / (count * len(count))[None, :, None]


def softmax_without_the_truth(logits, targets, mask):
    z = logits - logits.max(axis=-1, keepdims=True)
    p = np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)
    w = mask / (mask.sum(axis=0) * mask.shape[1])
    shift = np.log(np.exp(z).sum(axis=-1))
    losses = shift - np.take_along_axis(z, targets[..., None], -1)[..., 0]
    return (w * losses).sum(), w[..., None] * p


def logarithm_minus_the_truth(logits, targets, mask):
    z = logits - logits.max(axis=-1, keepdims=True)
    p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    w = mask / (mask.sum(axis=0) * mask.shape[1])
    onehot = np.eye(logits.shape[-1])[targets]
    return -(w[..., None] * onehot * p).sum(), w[..., None] * (p - onehot)


def bits(logits, targets, mask):
    z = logits - logits.max(axis=-1, keepdims=True)
    p = np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)
    w = mask / (mask.sum(axis=0) * mask.shape[1])
    onehot = np.eye(logits.shape[-1])[targets]
    picked = (p * onehot).sum(axis=-1)
    return -(w * np.log2(picked)).sum(), w[..., None] * (p - onehot)


def likelihood_for_the_loss(logits, targets, mask):
    z = logits - logits.max(axis=-1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    w = mask / (mask.sum(axis=0) * mask.shape[1])
    onehot = np.eye(logits.shape[-1])[targets]
    return np.sum(w * np.sum(onehot * log_p, axis=-1)), w[..., None] * (np.exp(log_p) - onehot)


def softmax_over_the_steps(logits, targets, mask):
    z = logits - logits.max(axis=0)
    log_p = z - np.log(np.exp(z).sum(axis=0))
    w = mask / (mask.sum(axis=0) * mask.shape[1])
    onehot = np.eye(logits.shape[-1])[targets]
    return -np.sum(w[..., None] * onehot * log_p), w[..., None] * (np.exp(log_p) - onehot)


def largest_logit_forgotten_in_the_loss(logits, targets, mask):
    c = logits.max(axis=-1, keepdims=True)
    e = np.exp(logits - c)
    total = e.sum(axis=-1, keepdims=True)
    picked = np.take_along_axis(logits, targets[..., None], -1)
    losses = (np.log(total) - picked)[..., 0]
    w = mask / (mask.sum(axis=0) * mask.shape[1])
    onehot = np.eye(logits.shape[-1])[targets]
    return (w * losses).sum(), w[..., None] * (e / total - onehot)


def weights_along_the_batch(logits, targets, mask):
    z = logits - logits.max(axis=-1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    counts = np.maximum(mask.sum(axis=1, keepdims=True), 1)
    w = (mask / counts / len(mask))[..., None]
    onehot = np.eye(logits.shape[-1])[targets]
    return -np.sum(w * onehot * log_p), w * (np.exp(log_p) - onehot)


def one_mean_in_the_gradient(logits, targets, mask):
    losses, dlogits = [], np.zeros_like(logits)
    for n in range(mask.shape[1]):
        rows, truth = logits[mask[:, n], n], targets[mask[:, n], n]
        numbers, shift = np.arange(len(rows)), rows.max(axis=1, keepdims=True)
        p = np.exp(rows - shift)
        total = p.sum(axis=1, keepdims=True)
        losses.append((np.log(total) + shift)[:, 0] - rows[numbers, truth])
        p = p / total
        p[numbers, truth] -= 1
        dlogits[mask[:, n], n] = p / mask.shape[1]
    return float(np.mean([each.mean() for each in losses])), dlogits


# Question 6


def whole_array_turned(xs, mask):
    return np.flip(xs, axis=0)


def as_in_exercise_14_5(xs, mask):
    steps, own = np.arange(len(mask))[:, None], mask.sum(axis=0)
    source = np.where(mask, own - 1 - steps, steps)
    return xs[source, np.arange(mask.shape[1])]


def count_cut_and_turned(xs, mask):
    turned = np.zeros_like(xs)
    for n, count in enumerate(mask.sum(axis=0)):
        turned[:count, n] = np.flip(xs[:count, n], axis=0)
    return turned


def turned_and_then_masked(xs, mask):
    turned = xs[::-1].copy()
    turned[~mask] = 0
    return turned


def real_steps_change_places(xs, mask):
    turned = np.zeros_like(xs)
    for n in range(xs.shape[1]):
        places = np.flatnonzero(mask[:, n])
        for a, b in zip(places, places[::-1]):
            turned[a, n] = xs[b, n]
    return turned


def gaps_closed(xs, mask):
    turned = np.zeros_like(xs)
    for n in range(xs.shape[1]):
        real = xs[mask[:, n], n]
        turned[: len(real), n] = real[::-1]
    return turned


def last_step_lost(xs, mask):
    turned = np.zeros_like(xs)
    for n in range(xs.shape[1]):
        last = np.flatnonzero(mask[:, n])[-1]
        turned[:last, n] = xs[:last, n][::-1]
    return turned


def garbage_left_on_padding(xs, mask):
    turned = np.array(xs)
    for n in range(xs.shape[1]):
        length = np.flatnonzero(mask[:, n])[-1] + 1
        turned[:length, n] = turned[:length, n][::-1].copy()
    return turned


def rolled(xs, mask):
    columns = []
    for n in range(xs.shape[1]):
        padding = mask[::-1, n].argmax()
        columns.append(np.roll(xs[::-1, n], -padding, axis=0))
    return np.stack(columns, axis=1)


def slice_without_the_minus(xs, mask):
    turned = np.zeros_like(xs)
    for n in range(xs.shape[1]):
        length = np.flatnonzero(mask[:, n])[-1] + 1
        turned[:length, n] = xs[:length:1, n]
    return turned


def pairs_where_the_mask_is_true(xs, mask):
    turned = np.copy(xs)
    for n in range(mask.shape[1]):
        last = max(t for t, real in enumerate(mask[:, n]) if real)
        for t in range(len(mask)):
            turned[t, n] = xs[last - t, n] if mask[t, n] else 0
    return turned


# Question 7


def not_turned_back(params, xs, mask, h_first, h_end):
    a = params.mix
    forwards, last = masked_unroll(params.forwards, xs, mask, h_first)
    backwards, end = masked_unroll(
        params.backwards, reverse_padded(xs, mask), reverse_padded(mask, mask), h_end
    )
    return forwards, backwards, a * forwards + (1 - a) * backwards, a * last + (1 - a) * end


def never_turned(params, xs, mask, h_first, h_end):
    a = params.mix
    forwards, last = masked_unroll(params.forwards, xs, mask, h_first)
    backwards, end = masked_unroll(params.backwards, xs, mask, h_end)
    return forwards, backwards, a * forwards + (1 - a) * backwards, a * last + (1 - a) * end


def gaps_left_where_they_were(params, xs, mask, h_first, h_end):
    def share(one, other):
        return params.mix * one + (1 - params.mix) * other

    forwards, last = masked_unroll(params.forwards, xs, mask, h_first)
    hs, end = masked_unroll(params.backwards, reverse_padded(xs, mask), mask, h_end)
    backwards = reverse_padded(hs, mask)
    return forwards, backwards, share(forwards, backwards), share(last, end)


def turned_as_in_chapter_14(params, xs, mask, h_first, h_end):
    a = params.mix
    forwards, last = masked_unroll(params.forwards, xs, mask, h_first)
    hs, end = masked_unroll(params.backwards, xs[::-1], mask[::-1], h_end)
    backwards = hs[::-1]
    return forwards, backwards, a * forwards + (1 - a) * backwards, a * last + (1 - a) * end


def last_outputs_for_the_ends(params, xs, mask, h_first, h_end):
    a = params.mix
    forwards, _ = masked_unroll(params.forwards, xs, mask, h_first)
    hs, _ = masked_unroll(
        params.backwards, reverse_padded(xs, mask), reverse_padded(mask, mask), h_end
    )
    backwards = reverse_padded(hs, mask)
    ys = a * forwards + (1 - a) * backwards
    return forwards, backwards, ys, last_outputs(ys, mask)


def last_row_for_the_whole(params, xs, mask, h_first, h_end):
    forwards = masked_unroll(params.forwards, xs, mask, h_first)[0]
    turned = [reverse_padded(array, mask) for array in (xs, mask)]
    backwards = reverse_padded(masked_unroll(params.backwards, *turned, h_end)[0], mask)
    ys = backwards + params.mix * (forwards - backwards)
    return forwards, backwards, ys, ys[-1]


def side_by_side(params, xs, mask, h_first, h_end):
    forwards, last = masked_unroll(params.forwards, xs, mask, h_first)
    turned = [reverse_padded(array, mask) for array in (xs, mask)]
    hs, end = masked_unroll(params.backwards, *turned, h_end)
    backwards = reverse_padded(hs, mask)
    ys = np.concatenate([forwards, backwards], axis=-1)
    return forwards, backwards, ys, np.concatenate([last, end], axis=-1)


def added_up(params, xs, mask, h_first, h_end):
    forwards, last = masked_unroll(params.forwards, xs, mask, h_first)
    turned = [reverse_padded(array, mask) for array in (xs, mask)]
    hs, end = masked_unroll(params.backwards, *turned, h_end)
    backwards = reverse_padded(hs, mask)
    return forwards, backwards, forwards + backwards, last + end


def share_to_the_wrong_reading(params, xs, mask, h_first, h_end):
    forwards, last = masked_unroll(params.forwards, xs, mask, h_first)
    turned = [reverse_padded(array, mask) for array in (xs, mask)]
    hs, end = masked_unroll(params.backwards, *turned, h_end)
    backwards = reverse_padded(hs, mask)
    ys = forwards + params.mix * (backwards - forwards)
    return forwards, backwards, ys, last + params.mix * (end - last)


def one_network_for_both(params, xs, mask, h_first, h_end):
    a, network = params.mix, params.forwards
    forwards, last = masked_unroll(network, xs, mask, h_first)
    turned = [reverse_padded(array, mask) for array in (xs, mask)]
    hs, end = masked_unroll(network, *turned, h_end)
    backwards = reverse_padded(hs, mask)
    return forwards, backwards, a * forwards + (1 - a) * backwards, a * last + (1 - a) * end


def both_begin_with_h_first(params, xs, mask, h_first, h_end):
    a, readings = params.mix, []
    for network, turn in ((params.forwards, False), (params.backwards, True)):
        inputs = (reverse_padded(xs, mask), reverse_padded(mask, mask)) if turn else (xs, mask)
        hs, last = masked_unroll(network, *inputs, h_first)
        readings.append((reverse_padded(hs, mask) if turn else hs, last))
    (forwards, last), (backwards, end) = readings
    return forwards, backwards, a * forwards + (1 - a) * backwards, a * last + (1 - a) * end


def readings_returned_the_other_way_round(params, xs, mask, h_first, h_end):
    a = params.mix
    forwards, last = masked_unroll(params.forwards, xs, mask, h_first)
    turned = [reverse_padded(array, mask) for array in (xs, mask)]
    hs, end = masked_unroll(params.backwards, *turned, h_end)
    backwards = reverse_padded(hs, mask)
    return backwards, forwards, a * forwards + (1 - a) * backwards, a * last + (1 - a) * end


def no_output_in_gaps(params, xs, mask, h_first, h_end):
    a, m = params.mix, mask[..., None]
    forwards, last = masked_unroll(params.forwards, xs, mask, h_first)
    turned = [reverse_padded(array, mask) for array in (xs, mask)]
    hs, end = masked_unroll(params.backwards, *turned, h_end)
    backwards = reverse_padded(hs, mask)
    ys = m * (a * forwards + (1 - a) * backwards)
    return forwards, backwards, ys, a * last + (1 - a) * end


def share_of_one_reading(params, xs, mask, h_first, h_end):
    forwards, last = masked_unroll(params.forwards, xs, mask, h_first)
    turned = [reverse_padded(array, mask) for array in (xs, mask)]
    hs, end = masked_unroll(params.backwards, *turned, h_end)
    backwards = reverse_padded(hs, mask)
    return forwards, backwards, params.mix * forwards + backwards, params.mix * last + end


def fades_before_it_has_begun(params, xs, mask, h_first, h_end):
    forwards, h_last = masked_unroll(params.forwards, xs, mask, h_first)
    h, begun, backwards = h_end, np.zeros((mask.shape[1], 1), bool), np.zeros_like(forwards)
    for t in reversed(range(len(xs))):
        real = mask[t][:, None]
        begun = begun | real
        old = params.backwards.gamma * h
        h = np.where(real, rnn_step(params.backwards, xs[t], h), old)
        backwards[t] = begun * h
    ys = backwards + params.mix * (forwards - backwards)
    return [forwards, backwards, ys, h + params.mix * (h_last - h)]


def says_h_end_on_padding(params, xs, mask, h_first, h_end):
    forwards, h_last = masked_unroll(params.forwards, xs, mask, h_first)
    h, begun, backwards = h_end, np.zeros((mask.shape[1], 1), bool), np.zeros_like(forwards)
    for t in reversed(range(len(xs))):
        real = mask[t][:, None]
        begun = begun | real
        old = np.where(begun, params.backwards.gamma * h, h)
        h = np.where(real, rnn_step(params.backwards, xs[t], h), old)
        backwards[t] = h
    ys = backwards + params.mix * (forwards - backwards)
    return [forwards, backwards, ys, h + params.mix * (h_last - h)]


# Question 8


def one_direction_dropped(params, xs, mask, h_first, h_end, forwards, backwards, dys, dy_whole):
    a = params.mix
    da = (dys * (forwards - backwards)).sum((0, 1))
    da += (dy_whole * (last_outputs(forwards, mask) - backwards[0])).sum(0)
    one, dxs, dh = masked_unroll_backward(
        params.forwards, xs, mask, h_first, forwards, a * dys, a * dy_whole
    )
    txs, tmask, ths, tdys = (reverse_padded(z, mask) for z in (xs, mask, backwards, dys))
    two, _, dh_end = masked_unroll_backward(
        params.backwards, txs, tmask, h_end, ths, (1 - a) * tdys, (1 - a) * dy_whole
    )
    return BidirectionalParams(one, two, da), dxs, dh, dh_end


def arriving_gradient_not_turned(
    params, xs, mask, h_first, h_end, forwards, backwards, dys, dy_whole
):
    a = params.mix
    da = (dys * (forwards - backwards)).sum((0, 1))
    da += (dy_whole * (last_outputs(forwards, mask) - backwards[0])).sum(0)
    one, dxs, dh = masked_unroll_backward(
        params.forwards, xs, mask, h_first, forwards, a * dys, a * dy_whole
    )
    txs, tmask, ths = (reverse_padded(z, mask) for z in (xs, mask, backwards))
    two, more, dh_end = masked_unroll_backward(
        params.backwards, txs, tmask, h_end, ths, (1 - a) * dys, (1 - a) * dy_whole
    )
    return BidirectionalParams(one, two, da), dxs + reverse_padded(more, mask), dh, dh_end


def inputs_gradient_not_turned_back(
    params, xs, mask, h_first, h_end, forwards, backwards, dys, dy_whole
):
    a = params.mix
    da = (dys * (forwards - backwards)).sum((0, 1))
    da += (dy_whole * (last_outputs(forwards, mask) - backwards[0])).sum(0)
    one, dxs, dh = masked_unroll_backward(
        params.forwards, xs, mask, h_first, forwards, a * dys, a * dy_whole
    )
    txs, tmask, ths, tdys = (reverse_padded(z, mask) for z in (xs, mask, backwards, dys))
    two, more, dh_end = masked_unroll_backward(
        params.backwards, txs, tmask, h_end, ths, (1 - a) * tdys, (1 - a) * dy_whole
    )
    return BidirectionalParams(one, two, da), dxs + more, dh, dh_end


def back_with_the_mask_as_it_was(
    params, xs, mask, h_first, h_end, forwards, backwards, dys, dy_whole
):
    a = params.mix
    da = (dys * (forwards - backwards)).sum((0, 1))
    da += (dy_whole * (last_outputs(forwards, mask) - backwards[0])).sum(0)
    one, dxs, dh = masked_unroll_backward(
        params.forwards, xs, mask, h_first, forwards, a * dys, a * dy_whole
    )
    txs, ths, tdys = (reverse_padded(z, mask) for z in (xs, backwards, dys))
    two, more, dh_end = masked_unroll_backward(
        params.backwards, txs, mask, h_end, ths, (1 - a) * tdys, (1 - a) * dy_whole
    )
    return BidirectionalParams(one, two, da), dxs + reverse_padded(more, mask), dh, dh_end


def as_if_the_readings_were_added(
    params, xs, mask, h_first, h_end, forwards, backwards, dys, dy_whole
):
    da = np.einsum("tbh,tbh->h", dys, forwards - backwards)
    da = da + np.einsum("bh,bh->h", dy_whole, last_outputs(forwards, mask) - backwards[0])
    one, dxs, dh = masked_unroll_backward(
        params.forwards, xs, mask, h_first, forwards, dys, dy_whole
    )
    txs, tmask, ths, tdys = (reverse_padded(z, mask) for z in (xs, mask, backwards, dys))
    two, more, dh_end = masked_unroll_backward(
        params.backwards, txs, tmask, h_end, ths, tdys, dy_whole
    )
    return BidirectionalParams(one, two, da), dxs + reverse_padded(more, mask), dh, dh_end


def same_share_for_both(params, xs, mask, h_first, h_end, forwards, backwards, dys, dy_whole):
    da = np.einsum("tbh,tbh->h", dys, forwards - backwards)
    da = da + np.einsum("bh,bh->h", dy_whole, last_outputs(forwards, mask) - backwards[0])
    dmerged, dend = params.mix * dys, params.mix * dy_whole
    one, dxs, dh = masked_unroll_backward(
        params.forwards, xs, mask, h_first, forwards, dmerged, dend
    )
    txs, tmask, ths, tdys = (reverse_padded(z, mask) for z in (xs, mask, backwards, dmerged))
    two, more, dh_end = masked_unroll_backward(params.backwards, txs, tmask, h_end, ths, tdys, dend)
    return BidirectionalParams(one, two, da), dxs + reverse_padded(more, mask), dh, dh_end


def share_of_the_steps_alone(params, xs, mask, h_first, h_end, forwards, backwards, dys, dy_whole):
    a, R = params.mix, reverse_padded
    da = (dys * forwards).sum((0, 1)) - (dys * backwards).sum((0, 1))
    one, dxs, dh = masked_unroll_backward(
        params.forwards, xs, mask, h_first, forwards, dys * a, dy_whole * a
    )
    back = (R(xs, mask), R(mask, mask), h_end, R(backwards, mask), R(dys - dys * a, mask))
    two, more, dh_end = masked_unroll_backward(params.backwards, *back, dy_whole - dy_whole * a)
    return BidirectionalParams(one, two, da), dxs + R(more, mask), dh, dh_end


def share_with_one_sign(params, xs, mask, h_first, h_end, forwards, backwards, dys, dy_whole):
    a, R = params.mix, reverse_padded
    da = (dys * (forwards + backwards)).sum((0, 1))
    da = da + (dy_whole * (last_outputs(forwards, mask) + backwards[0])).sum(0)
    one, dxs, dh = masked_unroll_backward(
        params.forwards, xs, mask, h_first, forwards, dys * a, dy_whole * a
    )
    back = (R(xs, mask), R(mask, mask), h_end, R(backwards, mask), R(dys - dys * a, mask))
    two, more, dh_end = masked_unroll_backward(params.backwards, *back, dy_whole - dy_whole * a)
    return BidirectionalParams(one, two, da), dxs + R(more, mask), dh, dh_end


def share_of_the_first_term(params, xs, mask, h_first, h_end, forwards, backwards, dys, dy_whole):
    a, R = params.mix, reverse_padded
    da = (dys * forwards).sum((0, 1)) + (dy_whole * last_outputs(forwards, mask)).sum(0)
    one, dxs, dh = masked_unroll_backward(
        params.forwards, xs, mask, h_first, forwards, dys * a, dy_whole * a
    )
    back = (R(xs, mask), R(mask, mask), h_end, R(backwards, mask), R(dys - dys * a, mask))
    two, more, dh_end = masked_unroll_backward(params.backwards, *back, dy_whole - dy_whole * a)
    return BidirectionalParams(one, two, da), dxs + R(more, mask), dh, dh_end


def share_with_last_rows(params, xs, mask, h_first, h_end, forwards, backwards, dys, dy_whole):
    a, R = params.mix, reverse_padded
    da = (dys * (forwards - backwards)).sum((0, 1))
    da = da + (dy_whole * (forwards[-1] - backwards[-1])).sum(0)
    one, dxs, dh = masked_unroll_backward(
        params.forwards, xs, mask, h_first, forwards, dys * a, dy_whole * a
    )
    back = (R(xs, mask), R(mask, mask), h_end, R(backwards, mask), R(dys - dys * a, mask))
    two, more, dh_end = masked_unroll_backward(params.backwards, *back, dy_whole - dy_whole * a)
    return BidirectionalParams(one, two, da), dxs + R(more, mask), dh, dh_end


def end_enters_at_the_last_step(
    params, xs, mask, h_first, h_end, forwards, backwards, dys, dy_whole
):
    a, R = params.mix, reverse_padded
    da = (dys * (forwards - backwards)).sum((0, 1))
    da = da + (dy_whole * (last_outputs(forwards, mask) - backwards[0])).sum(0)
    dlast = last_outputs_backward(dy_whole, mask)
    dfor, dback = a * (dys + dlast), (1 - a) * (dys + dlast)
    zero = np.zeros_like(dy_whole)
    one, dxs, dh = masked_unroll_backward(params.forwards, xs, mask, h_first, forwards, dfor, zero)
    back = (R(xs, mask), R(mask, mask), h_end, R(backwards, mask), R(dback, mask))
    two, more, dh_end = masked_unroll_backward(params.backwards, *back, zero)
    return BidirectionalParams(one, two, da), dxs + R(more, mask), dh, dh_end


def answer_to_the_whole_unheard(
    params, xs, mask, h_first, h_end, forwards, backwards, dys, dy_whole
):
    a, R, zero = params.mix, reverse_padded, 0 * dy_whole
    da = (dys * (forwards - backwards)).sum((0, 1))
    da = da + (dy_whole * (last_outputs(forwards, mask) - backwards[0])).sum(0)
    one, dxs, dh = masked_unroll_backward(
        params.forwards, xs, mask, h_first, forwards, dys * a, zero
    )
    back = (R(xs, mask), R(mask, mask), h_end, R(backwards, mask), R(dys * (1 - a), mask))
    two, more, dh_end = masked_unroll_backward(params.backwards, *back, zero)
    return BidirectionalParams(one, two, da), dxs + R(more, mask), dh, dh_end


def whole_arrays_turned(params, xs, mask, h_first, h_end, forwards, backwards, dys, dy_whole):
    a = params.mix
    da = (dys * (forwards - backwards)).sum((0, 1))
    da = da + (dy_whole * (last_outputs(forwards, mask) - backwards[0])).sum(0)
    one, dxs, dh = masked_unroll_backward(
        params.forwards, xs, mask, h_first, forwards, dys * a, dy_whole * a
    )
    back = (xs[::-1], mask[::-1], h_end, backwards[::-1], (dys * (1 - a))[::-1])
    two, more, dh_end = masked_unroll_backward(params.backwards, *back, dy_whole * (1 - a))
    return BidirectionalParams(one, two, da), dxs + more[::-1], dh, dh_end


def states_as_they_are_numbered(
    params, xs, mask, h_first, h_end, forwards, backwards, dys, dy_whole
):
    a, R = params.mix, reverse_padded
    da = (dys * (forwards - backwards)).sum((0, 1))
    da = da + (dy_whole * (last_outputs(forwards, mask) - backwards[0])).sum(0)
    one, dxs, dh = masked_unroll_backward(
        params.forwards, xs, mask, h_first, forwards, dys * a, dy_whole * a
    )
    back = (R(xs, mask), R(mask, mask), h_end, backwards, R(dys * (1 - a), mask))
    two, more, dh_end = masked_unroll_backward(params.backwards, *back, dy_whole * (1 - a))
    return BidirectionalParams(one, two, da), dxs + R(more, mask), dh, dh_end


def second_network_untaught(params, xs, mask, h_first, h_end, forwards, backwards, dys, dy_whole):
    a, R = params.mix, reverse_padded
    da = (dys * (forwards - backwards)).sum((0, 1))
    da = da + (dy_whole * (last_outputs(forwards, mask) - backwards[0])).sum(0)
    one, dxs, dh = masked_unroll_backward(
        params.forwards, xs, mask, h_first, forwards, dys * a, dy_whole * a
    )
    back = (R(xs, mask), R(mask, mask), h_end, R(backwards, mask), R(dys * (1 - a), mask))
    two, more, dh_end = masked_unroll_backward(params.backwards, *back, dy_whole * (1 - a))
    untaught = RNNParams(*(np.zeros_like(p) for p in two))
    return BidirectionalParams(one, untaught, da), dxs + R(more, mask), dh, dh_end


def cut_in_halves(params, xs, mask, h_first, h_end, forwards, backwards, dys, dy_whole):
    dfirst, dsecond = np.split(dys, 2, axis=-1)
    one = masked_unroll_backward(params.forwards, xs, mask, h_first, forwards, dfirst, dy_whole)
    two = masked_unroll_backward(params.backwards, xs, mask, h_end, backwards, dsecond, dy_whole)
    return BidirectionalParams(one[0], two[0], params.mix), one[1] + two[1], one[2], two[2]


def share_with_a_turned_reading(
    params, xs, mask, h_first, h_end, forwards, backwards, dys, dy_whole
):
    a, R = params.mix, reverse_padded
    ths = R(backwards, mask)
    da = (dys * (forwards - ths)).sum((0, 1))
    da = da + (dy_whole * (last_outputs(forwards, mask) - backwards[0])).sum(0)
    one, dxs, dh = masked_unroll_backward(
        params.forwards, xs, mask, h_first, forwards, dys * a, dy_whole * a
    )
    back = (R(xs, mask), R(mask, mask), h_end, ths, R(dys * (1 - a), mask))
    two, more, dh_end = masked_unroll_backward(params.backwards, *back, dy_whole * (1 - a))
    return BidirectionalParams(one, two, da), dxs + R(more, mask), dh, dh_end


def share_as_a_mean_of_the_batch(
    params, xs, mask, h_first, h_end, forwards, backwards, dys, dy_whole
):
    a, R = params.mix, reverse_padded
    da = (dys * (forwards - backwards)).sum(0)
    da = (da + dy_whole * (last_outputs(forwards, mask) - backwards[0])).mean(0)
    one, dxs, dh = masked_unroll_backward(
        params.forwards, xs, mask, h_first, forwards, dys * a, dy_whole * a
    )
    back = (R(xs, mask), R(mask, mask), h_end, R(backwards, mask), R(dys * (1 - a), mask))
    two, more, dh_end = masked_unroll_backward(params.backwards, *back, dy_whole * (1 - a))
    return BidirectionalParams(one, two, da), dxs + R(more, mask), dh, dh_end


def row_behind_the_end_for_the_first_state(
    params, xs, mask, h_first, h_end, forwards, backwards, dys, dy_whole
):
    a, two = params.mix, params.backwards
    dfirst, dxs, dh_first = masked_unroll_backward(
        params.forwards, xs, mask, h_first, forwards, a * dys, a * dy_whole
    )
    dsecond, dh = [np.zeros_like(p) for p in two], (1 - a) * dy_whole
    last = len(mask) - 1 - mask[::-1].argmax(axis=0)
    for t in range(len(xs)):
        real, inside = mask[t][:, None], (t <= last)[:, None]
        after = backwards[t + 1] if t + 1 < len(xs) else h_end
        before = after
        dh = dh + np.where(inside, (1 - a) * dys[t], 0)
        part, dx, back = rnn_step_backward(two, xs[t], before, backwards[t], np.where(real, dh, 0))
        for total, piece in zip(dsecond, part):
            total += piece
        dsecond[3] += np.where(inside & ~real, dh * before, 0).sum(axis=0)
        dh = np.where(real, back, np.where(inside, two.gamma * dh, dh))
        dxs = dxs + (np.arange(len(xs)) == t)[:, None, None] * dx
    h_last = np.stack([forwards[t, n] for n, t in enumerate(last)])
    ends = np.concatenate([forwards - backwards, (h_last - backwards[0])[None]])
    dmix = np.einsum("tbh,tbh->h", ends, np.concatenate([dys, dy_whole[None]]))
    return BidirectionalParams(dfirst, RNNParams(*dsecond), dmix), dxs, dh_first, dh


def share_forgotten_in_the_loop(
    params, xs, mask, h_first, h_end, forwards, backwards, dys, dy_whole
):
    a, two = params.mix, params.backwards
    dfirst, dxs, dh_first = masked_unroll_backward(
        params.forwards, xs, mask, h_first, forwards, a * dys, a * dy_whole
    )
    dsecond, dh = [np.zeros_like(p) for p in two], (1 - a) * dy_whole
    last = len(mask) - 1 - mask[::-1].argmax(axis=0)
    for t in range(len(xs)):
        real, inside = mask[t][:, None], (t <= last)[:, None]
        after = backwards[t + 1] if t + 1 < len(xs) else h_end
        before = np.where((t == last)[:, None], h_end, after)
        dh = dh + np.where(inside, dys[t], 0)
        part, dx, back = rnn_step_backward(two, xs[t], before, backwards[t], np.where(real, dh, 0))
        for total, piece in zip(dsecond, part):
            total += piece
        dsecond[3] += np.where(inside & ~real, dh * before, 0).sum(axis=0)
        dh = np.where(real, back, np.where(inside, two.gamma * dh, dh))
        dxs = dxs + (np.arange(len(xs)) == t)[:, None, None] * dx
    h_last = np.stack([forwards[t, n] for n, t in enumerate(last)])
    ends = np.concatenate([forwards - backwards, (h_last - backwards[0])[None]])
    dmix = np.einsum("tbh,tbh->h", ends, np.concatenate([dys, dy_whole[None]]))
    return BidirectionalParams(dfirst, RNNParams(*dsecond), dmix), dxs, dh_first, dh


WRONG = (
    Wrong("last_outputs", last_row, "padding leaks"),
    Wrong("last_outputs", counted_steps, "number of real steps for the length"),
    Wrong("last_outputs", stops_at_the_first_gap, "first gap for the end"),
    Wrong("last_outputs", negative_lengths, "index from the end"),
    Wrong("last_outputs", sequence_zero, "one sequence for all"),
    Wrong("last_outputs", largest_real_entry, "maximum in the place of the last"),
    Wrong("last_outputs", one_before, "off by one step"),
    Wrong("last_outputs", mean_of_real_steps, "mean in the place of the last"),
    Wrong("last_outputs", mean_up_to_the_end, ""),
    Wrong("last_outputs", steps_without_sequences, "shape or type"),
    Wrong("last_outputs_backward", gradient_at_the_last_row, "padding leaks"),
    Wrong("last_outputs_backward", gradient_at_the_count, "number of real steps for the length"),
    Wrong("last_outputs_backward", gradient_at_every_real_step, "gradient at every step"),
    Wrong("last_outputs_backward", sequences_forgotten_in_the_index, "gradient at every step"),
    Wrong("last_outputs_backward", no_axis_of_time, "shape or type"),
    Wrong("masked_unroll", mask_forgotten, "padding leaks"),
    Wrong("masked_unroll", as_in_chapter_14, "state held in a gap"),
    Wrong("masked_unroll", held_in_gaps_but_said, "state held in a gap"),
    Wrong("masked_unroll", false_is_false, "padding fades"),
    Wrong("masked_unroll", fades_to_the_end_of_the_array, "padding fades", 0.5),
    Wrong("masked_unroll", held_state_said_after_the_end, "output on padding", 0.5),
    Wrong("masked_unroll", each_alone_with_the_count, "number of real steps for the length"),
    Wrong("masked_unroll", state_times_mask, "state lost in a gap"),
    Wrong("masked_unroll", last_row_of_the_outputs, "state lost on padding", 0.5),
    Wrong("masked_unroll", power_of_what_has_faded, "counted twice"),
    Wrong("masked_unroll", loses_gamma_instead_of_keeping_it, "one minus the share"),
    Wrong("masked_unroll", fades_by_the_time_since_the_last_step, "fades at every step"),
    Wrong("masked_unroll", where_the_wrong_way_round, "mask the wrong way round"),
    Wrong("masked_unroll", writes_zeros_into_the_inputs, "caller's array changed", 0.5),
    Wrong("masked_unroll", begins_from_zero, "first state taken for zero"),
    Wrong("masked_unroll", gaps_filled_with_zeros_and_read, "gap read as a step"),
    Wrong("masked_unroll", last_measurement_read_again, ""),
    Wrong("masked_unroll", gap_is_silent, "output missing in a gap", 0.5),
    Wrong("masked_unroll_backward", walk_of_assignment_1, "padding leaks"),
    Wrong("masked_unroll_backward", walk_of_chapter_14, "state held in a gap"),
    Wrong("masked_unroll_backward", everything_not_real_fades, "padding fades"),
    Wrong("masked_unroll_backward", no_path_through_gaps, "gradient lost in a gap"),
    Wrong("masked_unroll_backward", gap_outputs_unheard, "output missing in a gap"),
    Wrong("masked_unroll_backward", gradient_times_mask, "gradient lost on padding"),
    Wrong("masked_unroll_backward", gamma_of_one_gap, "not accumulated over time", 5 / 6),
    Wrong("masked_unroll_backward", gamma_with_the_faded_state, "new state for the old one", 5 / 6),
    Wrong("masked_unroll_backward", gamma_as_a_mean_of_the_batch, "mean for sum", 5 / 6),
    Wrong("masked_unroll_backward", weights_learn_where_nothing_was_read, "padding leaks", 2 / 6),
    Wrong("masked_unroll_backward", old_path_never_left_out, "counted twice"),
    Wrong("masked_unroll_backward", last_gradient_forgotten, "gradient of the last state ignored"),
    Wrong("masked_unroll_backward", what_is_lost_for_what_is_left, "one minus the share"),
    Wrong(
        "masked_unroll_backward",
        index_minus_one_at_the_start,
        "last state taken for the first",
        5 / 6,
    ),
    Wrong("masked_unroll_backward", adds_into_what_arrived, "caller's array changed", 0.5),
    Wrong(
        "masked_unroll_backward",
        input_gradients_in_the_order_of_the_walk,
        "time runs backwards",
        5 / 6,
    ),
    Wrong(
        "masked_unroll_backward",
        parameters_of_the_first_step_alone,
        "not accumulated over time",
        3 / 6,
    ),
    Wrong("masked_unroll_backward", gamma_before_the_output, "own output ignored", 5 / 6),
    Wrong("masked_unroll_backward", gamma_on_every_way_back, "fades at every step"),
    Wrong("masked_unroll_backward", mean_over_the_real_steps, "mean for sum", 2 / 6),
    Wrong("masked_unroll_backward", no_gradient_for_gamma, "never written", 5 / 6),
    Wrong("masked_unroll_backward", gamma_for_each_sequence, "shape or type", 5 / 6),
    Wrong("masked_unroll_backward", last_real_state_for_the_faded_one, "", 5 / 6),
    Wrong("masked_unroll_backward", length_is_the_count, "number of real steps for the length"),
    Wrong("masked_loss", every_step_alike, "another mean"),
    Wrong("masked_loss", plain_mean_of_masked_losses, "padding in the mean"),
    Wrong("masked_loss", softmax_overflows, "NaN or infinity"),
    Wrong("masked_loss", tiny_number_in_the_logarithm, "small number in the logarithm", 0.5),
    Wrong("masked_loss", clipped_probability, "small number in the logarithm", 0.5),
    Wrong("masked_loss", two_means_in_one_function, "another mean", 0.5),
    Wrong("masked_loss", sum_over_the_sequences, "sum for mean"),
    Wrong("masked_loss", divided_by_the_length, "gaps in the mean"),
    Wrong("masked_loss", gradient_on_padding, "padding leaks", 0.5),
    Wrong("masked_loss", softmax_without_the_truth, "target missing", 0.5),
    Wrong("masked_loss", logarithm_minus_the_truth, "logarithm for the probability", 0.5),
    Wrong("masked_loss", bits, "another logarithm", 0.5),
    Wrong("masked_loss", likelihood_for_the_loss, "sign", 0.5),
    Wrong("masked_loss", softmax_over_the_steps, "another axis"),
    Wrong("reverse_padded", whole_array_turned, "padding comes first"),
    Wrong("reverse_padded", as_in_exercise_14_5, "number of real steps for the length"),
    Wrong("reverse_padded", count_cut_and_turned, "number of real steps for the length"),
    Wrong("reverse_padded", turned_and_then_masked, "mask not turned"),
    Wrong("reverse_padded", real_steps_change_places, "gaps not turned"),
    Wrong("reverse_padded", gaps_closed, "gaps left out"),
    Wrong("reverse_padded", last_step_lost, "off by one step"),
    Wrong("reverse_padded", garbage_left_on_padding, "output on padding"),
    Wrong("reverse_padded", rolled, "output on padding"),
    Wrong("reverse_padded", slice_without_the_minus, "not reversed"),
    Wrong("bidirectional", not_turned_back, "not turned back", 0.5),
    Wrong("bidirectional", never_turned, "not reversed", 0.25),
    Wrong("bidirectional", gaps_left_where_they_were, "mask not turned", 0.25),
    Wrong("bidirectional", turned_as_in_chapter_14, "padding comes first", 0.25),
    Wrong("bidirectional", last_outputs_for_the_ends, "last output for the last state", 0.75),
    Wrong("bidirectional", last_row_for_the_whole, "padding leaks", 0.75),
    Wrong("bidirectional", side_by_side, "shape or type", 0.5),
    Wrong("bidirectional", added_up, "sum for mean", 0.5),
    Wrong("bidirectional", share_to_the_wrong_reading, "one minus the share", 0.5),
    Wrong("bidirectional", one_network_for_both, "one network for both directions", 0.25),
    Wrong("bidirectional", both_begin_with_h_first, "first states exchanged", 0.25),
    Wrong("bidirectional", readings_returned_the_other_way_round, "outputs exchanged", 0.5),
    Wrong(
        "bidirectional_backward",
        one_direction_dropped,
        "gradient of one direction missing",
        11 / 12,
    ),
    Wrong("bidirectional_backward", arriving_gradient_not_turned, "gradient not turned", 6 / 12),
    Wrong("bidirectional_backward", inputs_gradient_not_turned_back, "not turned back", 11 / 12),
    Wrong("bidirectional_backward", back_with_the_mask_as_it_was, "mask not turned", 6 / 12),
    Wrong("bidirectional_backward", as_if_the_readings_were_added, "share missing", 1 / 12),
    Wrong("bidirectional_backward", same_share_for_both, "share of the other reading", 6 / 12),
    Wrong("bidirectional_backward", share_of_the_steps_alone, "path missing", 11 / 12),
    Wrong("bidirectional_backward", share_with_one_sign, "sign", 11 / 12),
    Wrong("bidirectional_backward", share_of_the_first_term, "path missing", 11 / 12),
    Wrong("bidirectional_backward", share_with_last_rows, "padding leaks", 11 / 12),
    Wrong(
        "bidirectional_backward",
        end_enters_at_the_last_step,
        "last output for the last state",
        6 / 12,
    ),
    Wrong(
        "bidirectional_backward",
        answer_to_the_whole_unheard,
        "gradient of the last state ignored",
        1 / 12,
    ),
    Wrong("bidirectional_backward", whole_arrays_turned, "padding comes first", 9 / 12),
    Wrong("bidirectional_backward", states_as_they_are_numbered, "states not turned", 6 / 12),
    Wrong("bidirectional_backward", second_network_untaught, "never written", 8 / 12),
    Wrong("bidirectional_backward", cut_in_halves, "raises an exception"),
    Wrong("masked_unroll", rate_as_an_exponent, "another rate"),
    Wrong("masked_unroll", rate_through_a_sigmoid, "another rate"),
    Wrong("masked_unroll", tanh_in_the_gap_too, "activation in a gap"),
    Wrong("masked_unroll", says_the_state_before_it_fades, "old state for the new one", 0.5),
    Wrong("masked_unroll", bias_behind_the_tanh, "bias outside the activation"),
    Wrong("masked_unroll", decides_for_the_whole_batch, ""),
    Wrong(
        "masked_unroll_backward",
        last_gradient_at_every_step,
        "gradient of the last state at every step",
    ),
    Wrong("masked_unroll_backward", slope_of_the_tanh_everywhere, "activation in a gap"),
    Wrong("masked_unroll_backward", stops_before_the_last_output, "loss of the last step left out"),
    Wrong("masked_unroll_backward", gradient_after_the_first_step, "off by one step", 5 / 6),
    Wrong("masked_unroll_backward", last_gradient_where_the_array_ends, "gradient lost on padding"),
    Wrong("masked_loss", largest_logit_forgotten_in_the_loss, "shift in one place only", 0.5),
    Wrong("masked_loss", weights_along_the_batch, ""),
    Wrong("bidirectional", no_output_in_gaps, "output missing in a gap", 0.75),
    Wrong("bidirectional", share_of_one_reading, "share missing", 0.5),
    Wrong("bidirectional_backward", share_with_a_turned_reading, "turned once too often", 11 / 12),
    Wrong("bidirectional_backward", share_as_a_mean_of_the_batch, "mean for sum", 11 / 12),
    Wrong("masked_unroll", fades_once_too_often, ""),
    Wrong("masked_unroll", two_cases_at_once_on_padding, "", 6 / 12),
    Wrong(
        "masked_unroll_backward", last_gradient_at_the_count, "number of real steps for the length"
    ),
    Wrong("masked_unroll_backward", matrix_not_turned_round, "weight transposed"),
    Wrong("masked_unroll_backward", derivative_of_the_power_without_its_factor, "", 5 / 6),
    Wrong("masked_unroll_backward", last_gradient_through_the_gap_as_it_is, ""),
    Wrong("masked_loss", one_mean_in_the_gradient, "sum for mean", 6 / 12),
    Wrong("reverse_padded", pairs_where_the_mask_is_true, "mask not turned"),
    Wrong("bidirectional", fades_before_it_has_begun, "padding comes first", 0.25),
    Wrong("bidirectional", says_h_end_on_padding, "", 6 / 12),
    Wrong(
        "bidirectional_backward",
        row_behind_the_end_for_the_first_state,
        "first state lost on padding",
        11 / 12,
    ),
    Wrong("bidirectional_backward", share_forgotten_in_the_loop, "share missing", 6 / 12),
)


# Right, and written differently


def carried_along(hs, mask):
    y = hs[0]
    for h, m in zip(hs, mask):
        y = np.where(m[:, None], h, y)
    return y


def summed_over_the_ends(hs, mask):
    later = np.vstack([np.cumsum(mask[::-1], axis=0)[::-1][1:], np.zeros(mask.shape[1])])
    return np.einsum("tbh,tb->bh", hs, (mask & (later == 0)).astype(float))


def given_once_from_the_end(dy, mask):
    left, dhs = dy, []
    for m in mask[::-1]:
        dhs.append(m[:, None] * left)
        left = ~m[:, None] * left
    return np.array(dhs[::-1])


def one_sequence_at_a_time(params, xs, mask, h_first):
    hs, last = np.zeros((*mask.shape, h_first.shape[1])), h_first.copy()
    for n in range(mask.shape[1]):
        times = np.flatnonzero(mask[:, n]).tolist()
        for t, following in zip(times, [*times[1:], times[-1] + 1]):
            h = np.tanh(params.b + last[n] @ params.W_h + xs[t, n] @ params.W_x)
            hs[t, n] = h
            for late in range(1, following - t):
                hs[t + late, n] = np.exp(late * np.log(params.gamma)) * h
            last[n] = params.gamma ** (following - t - 1) * h
    return hs, last


def by_the_formula_with_factors(params, xs, mask, h_first):
    m = mask[:, :, None].astype(float)
    e = np.minimum(np.cumsum(m[::-1], axis=0)[::-1], 1)
    h, hs = h_first, []
    for t in range(len(xs)):
        new = np.tanh(xs[t] @ params.W_x + params.b + h @ params.W_h)
        h = m[t] * new + (e[t] - m[t]) * params.gamma * h + (1 - e[t]) * h
        hs.append(h)
    return [e * np.array(hs), h]


def the_batch_shrinks(params, xs, mask, h_first):
    T, B = mask.shape
    hs = np.zeros((T, B, h_first.shape[1]))
    state = {n: h_first[n] for n in range(B)}
    for t in range(T):
        alive = [n for n in range(B) if mask[t:, n].any()]
        for n in alive:
            if mask[t, n]:
                state[n] = rnn_step(params, xs[t, n][None], state[n][None])[0]
            else:
                state[n] = state[n] * params.gamma
            hs[t, n] = state[n]
    return hs, np.stack([state[n] for n in range(B)])


def products_after_the_loop(params, xs, mask, h_first, hs, dhs, dh_last):
    T, B = mask.shape
    end = np.array([np.flatnonzero(mask[:, n])[-1] for n in range(B)])
    inside = np.arange(T)[:, None] <= end
    arriving = np.where(inside[..., None], dhs, 0.0)
    arriving[end, np.arange(B)] += dh_last
    das, fades, dh = np.zeros_like(hs), np.zeros_like(hs), np.zeros_like(h_first)
    for t in range(T - 1, -1, -1):
        dh = dh + arriving[t]
        das[t] = np.where(mask[t][:, None], dh * (1 - hs[t] ** 2), 0)
        fades[t] = np.where((inside & ~mask)[t][:, None], dh, 0)
        dh = np.einsum("bh,kh->bk", das[t], params.W_h) + fades[t] * params.gamma
    before = np.concatenate([h_first[None], hs[:-1]])
    dparams = (
        np.einsum("tbd,tbh->dh", xs, das),
        np.einsum("tbk,tbh->kh", before, das),
        das.sum(axis=(1, 0)),
        (fades * before).sum(axis=(0, 1)),
    )
    return dparams, das @ params.W_x.T, dh


def each_alone_with_powers(params, xs, mask, h_first, hs, dhs, dh_last):
    dp, dxs, dh_first = [0 * p for p in params], 0 * xs, 0 * h_first
    for n in range(mask.shape[1]):
        times, dh = np.flatnonzero(mask[:, n]), dh_last[n] + 0
        for place in range(len(times) - 1, -1, -1):
            t = times[place]
            following = times[place + 1] if place + 1 < len(times) else t + 1
            k = np.arange(1, following - t)[:, None]
            dgap = dhs[t + 1 : following, n]
            width = following - t - 1
            dp[3] += ((k * params.gamma ** (k - 1)) * dgap).sum(0) * hs[t, n]
            if width:
                dp[3] += width * params.gamma ** (width - 1) * dh * hs[t, n]
            dh = dhs[t, n] + (params.gamma**k * dgap).sum(0) + params.gamma**width * dh
            da = dh * (1 + hs[t, n]) * (1 - hs[t, n])
            old = hs[t - 1, n] if t else h_first[n]
            dp[0], dp[1], dp[2] = (
                dp[0] + np.outer(xs[t, n], da),
                dp[1] + np.outer(old, da),
                dp[2] + da,
            )
            dxs[t, n], dh = params.W_x @ da, params.W_h @ da
        dh_first[n] = dh
    return RNNParams(*dp), dxs, dh_first


def by_the_complex_step(params, xs, mask, h_first, hs, dhs, dh_last):
    def loss(W_x, W_h, b, gamma, xs, h):
        total, inside = 0, np.cumsum(mask[::-1], axis=0)[::-1] > 0
        for x, m, e, dh in zip(xs, mask[..., None], inside[..., None], dhs):
            h = np.where(m, np.tanh(x @ W_x + h @ W_h + b), np.where(e, gamma * h, h))
            total = total + np.sum(np.where(e, dh * h, 0))
        return total + np.sum(dh_last * h)

    point, slopes = [*params, xs, h_first], []
    for k, array in enumerate(point):
        slope = np.zeros_like(array)
        for place in np.ndindex(array.shape):
            moved = array.astype(complex)
            moved[place] += 1e-30j
            slope[place] = loss(*point[:k], moved, *point[k + 1 :]).imag / 1e-30
        slopes.append(slope)
    return RNNParams(*slopes[:4]), slopes[4], slopes[5]


def real_rows_of_each_sequence(logits, targets, mask):
    losses, dlogits = [], np.zeros_like(logits)
    for n in range(mask.shape[1]):
        rows, truth = logits[mask[:, n], n], targets[mask[:, n], n]
        numbers, shift = np.arange(len(rows)), rows.max(axis=1, keepdims=True)
        p = np.exp(rows - shift)
        total = p.sum(axis=1, keepdims=True)
        losses.append((np.log(total) + shift)[:, 0] - rows[numbers, truth])
        p = p / total
        p[numbers, truth] -= 1
        dlogits[mask[:, n], n] = p / len(rows) / mask.shape[1]
    return float(np.mean([each.mean() for each in losses])), dlogits


def by_logaddexp(logits, targets, mask):
    log_p = logits - np.logaddexp.reduce(logits, axis=-1)[..., None]
    share = np.divide(mask, np.count_nonzero(mask, axis=0) * mask.shape[1])
    truth = np.arange(logits.shape[-1]) == targets[..., None]
    dlogits = share[..., None] * (np.exp(log_p) - truth)
    return np.array(-np.tensordot(share, log_p[truth].reshape(mask.shape), 2)), dlogits


def sorted_by_minus_the_step(xs, mask):
    steps = np.arange(len(mask))[:, None]
    inside = np.cumsum(mask[::-1], axis=0)[::-1] > 0
    order = np.argsort(np.where(inside, -steps, steps + len(mask)), axis=0)
    turned = xs[order, np.arange(mask.shape[1])]
    return np.where(inside[..., None] if xs.ndim == 3 else inside, turned, np.zeros_like(xs))


def pairs_exchanged(xs, mask):
    turned = np.copy(xs)
    for n in range(mask.shape[1]):
        last = max(t for t, real in enumerate(mask[:, n]) if real)
        for t in range(len(mask)):
            turned[t, n] = xs[last - t, n] if t <= last else 0
    return turned


def second_reading_from_the_end(params, xs, mask, h_first, h_end):
    forwards, h_last = masked_unroll(params.forwards, xs, mask, h_first)
    h, begun, backwards = h_end, np.zeros((mask.shape[1], 1), bool), np.zeros_like(forwards)
    for t in reversed(range(len(xs))):
        real = mask[t][:, None]
        begun = begun | real
        old = np.where(begun, params.backwards.gamma * h, h)
        h = np.where(real, rnn_step(params.backwards, xs[t], h), old)
        backwards[t] = begun * h
    ys = backwards + params.mix * (forwards - backwards)
    return [forwards, backwards, ys, h + params.mix * (h_last - h)]


def second_walk_from_the_front(
    params, xs, mask, h_first, h_end, forwards, backwards, dys, dy_whole
):
    a, two = params.mix, params.backwards
    dfirst, dxs, dh_first = masked_unroll_backward(
        params.forwards, xs, mask, h_first, forwards, a * dys, a * dy_whole
    )
    dsecond, dh = [np.zeros_like(p) for p in two], (1 - a) * dy_whole
    last = len(mask) - 1 - mask[::-1].argmax(axis=0)
    for t in range(len(xs)):
        real, inside = mask[t][:, None], (t <= last)[:, None]
        after = backwards[t + 1] if t + 1 < len(xs) else h_end
        before = np.where((t == last)[:, None], h_end, after)
        dh = dh + np.where(inside, (1 - a) * dys[t], 0)
        part, dx, back = rnn_step_backward(two, xs[t], before, backwards[t], np.where(real, dh, 0))
        for total, piece in zip(dsecond, part):
            total += piece
        dsecond[3] += np.where(inside & ~real, dh * before, 0).sum(axis=0)
        dh = np.where(real, back, np.where(inside, two.gamma * dh, dh))
        dxs = dxs + (np.arange(len(xs)) == t)[:, None, None] * dx
    h_last = np.stack([forwards[t, n] for n, t in enumerate(last)])
    ends = np.concatenate([forwards - backwards, (h_last - backwards[0])[None]])
    dmix = np.einsum("tbh,tbh->h", ends, np.concatenate([dys, dy_whole[None]]))
    return BidirectionalParams(dfirst, RNNParams(*dsecond), dmix), dxs, dh_first, dh


RIGHT = (
    Right("last_outputs", carried_along),
    Right("last_outputs", summed_over_the_ends),
    Right("last_outputs_backward", given_once_from_the_end),
    Right("masked_unroll", one_sequence_at_a_time),
    Right("masked_unroll", by_the_formula_with_factors),
    Right("masked_unroll", the_batch_shrinks),
    Right("masked_unroll_backward", products_after_the_loop),
    Right("masked_unroll_backward", each_alone_with_powers),
    Right("masked_unroll_backward", by_the_complex_step),
    Right("masked_loss", real_rows_of_each_sequence),
    Right("masked_loss", by_logaddexp),
    Right("reverse_padded", sorted_by_minus_the_step),
    Right("reverse_padded", pairs_exchanged),
    Right("bidirectional", second_reading_from_the_end),
    Right("bidirectional_backward", second_walk_from_the_front),
)
