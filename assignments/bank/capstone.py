"""The bank of assignment 5.

The functions run in a notebook that has `np`, the NamedTuples, the given functions, and the answers
before them.
"""

# ruff: noqa: F821, B006
import numpy as np

from assignments.bank.entry import Right, Wrong

# The tagger


def second_reading_not_turned_back(params, xs, mask):
    def read(p, xs, mask):
        h, hs = np.zeros((xs.shape[1], len(p.b))), []
        for x, keep in zip(xs, mask[:, :, None]):
            h = np.where(keep, np.tanh(p.W_x[x] + h @ p.W_h + p.b), h)
            hs.append(np.where(keep, h, 0))
        return np.stack(hs)

    first, second = read(params.forwards, xs, mask), read(params.backwards, xs[::-1], mask[::-1])
    both = np.concatenate([first, second, first * second], axis=-1)
    return first, second, both @ params.W + params.b


def turned_with_a_slice_that_does_not_turn(params, xs, mask):
    def read(p, xs, mask):
        h, hs = np.zeros((xs.shape[1], len(p.b))), []
        for x, keep in zip(xs, mask[:, :, None]):
            h = np.where(keep, np.tanh(p.W_x[x] + h @ p.W_h + p.b), h)
            hs.append(np.where(keep, h, 0))
        return np.stack(hs)

    first, second = read(params.forwards, xs, mask), read(params.backwards, xs[::1], mask[::1])[::1]
    both = np.concatenate([first, second, first * second], axis=-1)
    return first, second, both @ params.W + params.b


def mask_forgotten_in_the_recurrence(params, xs, mask):
    def read(p, xs):
        h, hs = np.zeros((xs.shape[1], len(p.b))), []
        for x in xs:
            h = np.tanh(p.W_x[x] + h @ p.W_h + p.b)
            hs.append(h)
        return np.stack(hs)

    real = mask[:, :, None]
    first, second = read(params.forwards, xs) * real, read(params.backwards, xs[::-1])[::-1] * real
    return (
        first,
        second,
        np.concatenate([first, second, first * second], axis=2) @ params.W + params.b,
    )


def one_set_of_weights(params, xs, mask):
    outputs, net = [], params.forwards
    for turn in (1, -1):
        h, hs = np.zeros((xs.shape[1], len(net.b))), []
        for x, keep in zip(xs[::turn], mask[::turn, :, None]):
            h = np.where(keep, np.tanh(net.W_x[x] + h @ net.W_h + net.b), h)
            hs.append(np.where(keep, h, 0))
        outputs.append(np.stack(hs)[::turn])
    outputs.append(outputs[0] * outputs[1])
    return outputs[0], outputs[1], np.concatenate(outputs, axis=-1) @ params.W + params.b


def logits_hidden_on_padding(params, xs, mask):
    outputs = []
    for p, turn in ((params.forwards, 1), (params.backwards, -1)):
        h, hs = np.zeros((xs.shape[1], len(p.b))), []
        for x, keep in zip(xs[::turn], mask[::turn, :, None]):
            h = np.where(keep, np.tanh(p.W_x[x] + h @ p.W_h + p.b), h)
            hs.append(h * keep)
        outputs.append(np.stack(hs)[::turn])
    forwards, backwards = outputs
    H = forwards.shape[2]
    ys = forwards @ params.W[:H] + backwards @ params.W[H : 2 * H] + params.b
    ys = ys + (forwards * backwards) @ params.W[2 * H :]
    return forwards, backwards, ys * mask[:, :, None]


def state_written_before_it_is_made(params, xs, mask):
    T, B = xs.shape
    H = params.forwards.W_h.shape[0]
    forwards, backwards = np.zeros((T, B, H)), np.zeros((T, B, H))
    h = np.zeros((B, H))
    for t in range(T):
        forwards[t] = h * mask[t][:, None]
        new = np.tanh(params.forwards.W_x[xs[t]] + h @ params.forwards.W_h + params.forwards.b)
        h = np.where(mask[t][:, None], new, h)
    h = np.zeros((B, H))
    for t in range(T - 1, -1, -1):
        backwards[t] = h * mask[t][:, None]
        new = np.tanh(params.backwards.W_x[xs[t]] + h @ params.backwards.W_h + params.backwards.b)
        h = np.where(mask[t][:, None], new, h)
    merged = np.concatenate((forwards, backwards, forwards * backwards), 2)
    return forwards, backwards, merged @ params.W + params.b


def each_word_to_the_end_of_the_array(params, xs, mask):
    T, B = xs.shape
    H = len(params.forwards.b)
    forwards, backwards = np.zeros((T, B, H)), np.zeros((T, B, H))
    for n in range(B):
        h = np.zeros(H)
        for t in range(T):
            h = np.tanh(params.forwards.W_x[xs[t, n]] + h @ params.forwards.W_h + params.forwards.b)
            if mask[t, n]:
                forwards[t, n] = h
        h = np.zeros(H)
        for t in reversed(range(T)):
            h = np.tanh(
                params.backwards.W_x[xs[t, n]] + h @ params.backwards.W_h + params.backwards.b
            )
            if mask[t, n]:
                backwards[t, n] = h
    both = np.dstack([forwards, backwards, forwards * backwards])
    return forwards, backwards, both @ params.W + params.b


def bias_added_to_the_state(params, xs, mask):
    def one_step(p, x, h):
        return np.tanh(p.W_x[x] + np.dot(h, p.W_h)) + p.b

    def read(p, steps):
        H = p.b.shape[0]
        hs, h = np.zeros((*xs.shape, H)), np.zeros((xs.shape[1], H))
        for t in steps:
            m = mask[t][:, np.newaxis]
            h = m * one_step(p, xs[t], h) + (1 - m) * h
            hs[t] = m * h
        return hs

    T = len(xs)
    f, b = read(params.forwards, range(T)), read(params.backwards, range(T - 1, -1, -1))
    return f, b, np.concatenate([f, b, f * b], axis=-1) @ params.W + params.b


def bias_in_the_row_and_in_the_sum(params, xs, mask):
    hs = {}
    for name, net in (("forwards", params.forwards), ("backwards", params.backwards)):
        rows = net.W_x[xs] + net.b
        h, out = 0 * rows[0], np.zeros_like(rows)
        steps = range(len(xs)) if name == "forwards" else range(len(xs))[::-1]
        for t in steps:
            h = np.where(mask[t][:, None], np.tanh(rows[t] + h @ net.W_h + net.b), h)
            out[t][mask[t]] = h[mask[t]]
        hs[name] = out
    f, b = hs["forwards"], hs["backwards"]
    return f, b, np.concatenate([f, b, f * b], -1) @ params.W + params.b


def product_before_the_turn(params, xs, mask):
    def read(p, xs, mask):
        h, hs = np.zeros((xs.shape[1], len(p.b))), []
        for t in range(len(xs)):
            candidate = np.tanh(p.W_x[xs[t]] + h @ p.W_h + p.b)
            h = np.where(mask[t, :, None], candidate, h)
            hs.append(h * mask[t, :, None])
        return np.array(hs)

    f = read(params.forwards, xs, mask)
    b = read(params.backwards, xs[::-1], mask[::-1])
    product = f * b
    b = b[::-1]
    return f, b, np.concatenate([f, b, product], axis=-1) @ params.W + params.b


def column_convention(params, xs, mask):
    def read(p, xs, mask):
        h, hs = np.zeros((len(p.b), xs.shape[1])), []
        for x, keep in zip(xs, mask):
            h = np.where(keep, np.tanh(p.W_x[x].T + p.W_h @ h + p.b[:, None]), h)
            hs.append((h * keep).T)
        return np.stack(hs)

    f = read(params.forwards, xs, mask)
    b = read(params.backwards, xs[::-1], mask[::-1])[::-1]
    return f, b, np.concatenate([f, b, f * b], axis=-1) @ params.W + params.b


def added_where_multiplied(params, xs, mask):
    H = len(params.forwards.b)
    f, b = np.zeros((*xs.shape, H)), np.zeros((*xs.shape, H))
    for hs, p, order in (
        (f, params.forwards, range(len(xs))),
        (b, params.backwards, reversed(range(len(xs)))),
    ):
        h = np.zeros((xs.shape[1], H))
        for t in order:
            k = mask[t].reshape(-1, 1)
            h = np.where(k, np.tanh(p.W_x[xs[t]] + h @ p.W_h + p.b), h)
            hs[t] = np.where(k, h, 0.0)
    return f, b, np.concatenate([f, b, f + b], axis=-1) @ params.W + params.b


def backward_one_first(params, xs, mask):
    states = []
    for p, turn in zip((params.backwards, params.forwards), (-1, 1)):
        h, hs = np.zeros((xs.shape[1], len(p.b))), []
        for x, keep in zip(xs[::turn], mask[::turn, :, None]):
            h = np.where(keep, np.tanh(p.W_x[x] + h @ p.W_h + p.b), h)
            hs += [np.where(keep, h, 0)]
        states.append(np.stack(hs[::turn]))
    states.append(states[0] * states[1])
    return states[1], states[0], np.concatenate(states, axis=-1) @ params.W + params.b


def only_the_letters_turned(params, xs, mask):
    def read(p, letters):
        h, hs = np.zeros((letters.shape[1], len(p.b))), []
        for t, x in enumerate(letters):
            keep = mask[t][:, None]
            h = np.where(keep, np.tanh(p.W_x[x] + h @ p.W_h + p.b), h)
            hs.append(np.where(keep, h, 0))
        return np.stack(hs)

    f, b = read(params.forwards, xs), read(params.backwards, xs[::-1])[::-1]
    return f, b, np.concatenate([f, b, f * b], axis=-1) @ params.W + params.b


def probabilities_returned(params, xs, mask):
    def read(p, xs, mask):
        h, hs = np.zeros((xs.shape[1], len(p.b))), []
        for x, keep in zip(xs, mask[:, :, None]):
            h = np.where(keep, np.tanh(p.W_x[x] + h @ p.W_h + p.b), h)
            hs.append(np.where(keep, h, 0))
        return np.stack(hs)

    f = read(params.forwards, xs, mask)
    b = read(params.backwards, xs[::-1], mask[::-1])[::-1]
    ys = np.concatenate([f, b, f * b], axis=-1) @ params.W + params.b
    ys = ys - ys.max(axis=-1, keepdims=True)
    return f, b, np.exp(ys) / np.exp(ys).sum(axis=-1, keepdims=True)


def output_bias_forgotten(params, xs, mask):
    H, zeros = len(params.forwards.b), np.zeros
    f, b = [], []
    h = zeros((xs.shape[1], H))
    for t in range(xs.shape[0]):
        h = np.where(
            mask[t][:, None],
            np.tanh(params.forwards.W_x[xs[t]] + h @ params.forwards.W_h + params.forwards.b),
            h,
        )
        f.append(h * mask[t][:, None])
    h = zeros((xs.shape[1], H))
    for t in range(xs.shape[0])[::-1]:
        h = np.where(
            mask[t][:, None],
            np.tanh(params.backwards.W_x[xs[t]] + h @ params.backwards.W_h + params.backwards.b),
            h,
        )
        b.insert(0, h * mask[t][:, None])
    f, b = np.array(f), np.array(b)
    return f, b, np.einsum("tbi,ik->tbk", np.concatenate([f, b, f * b], 2), params.W)


def flipped_along_both_axes(params, xs, mask):
    def read(p, xs, mask):
        h, hs = np.zeros((xs.shape[1], len(p.b))), []
        for x, keep in zip(xs, mask[:, :, None]):
            h = np.where(keep, np.tanh(p.W_x[x] + h @ p.W_h + p.b), h)
            hs.append(np.where(keep, h, 0))
        return np.stack(hs)

    f = read(params.forwards, xs, mask)
    b = np.flip(read(params.backwards, np.flip(xs), np.flip(mask)), axis=0)
    return f, b, np.concatenate([f, b, f * b], axis=-1) @ params.W + params.b


def with_a_rectifier(params, xs, mask):
    def read(p, xs, mask):
        h, hs = np.zeros((xs.shape[1], len(p.b))), []
        for x, keep in zip(xs, mask[:, :, None]):
            h = np.where(keep, np.maximum(0, p.W_x[x] + h @ p.W_h + p.b), h)
            hs.append(np.where(keep, h, 0))
        return np.stack(hs)

    f = read(params.forwards, xs, mask)
    b = read(params.backwards, xs[::-1], mask[::-1])[::-1]
    return f, b, np.concatenate([f, b, f * b], axis=-1) @ params.W + params.b


def held_states_given_as_outputs(params, xs, mask):
    def read(p, xs, mask):
        h, hs = np.zeros((xs.shape[1], len(p.b))), []
        for x, m in zip(xs, mask.astype(float)[:, :, None]):
            h = m * np.tanh(p.W_x[x] + h @ p.W_h + p.b) + (1 - m) * h
            hs.append(h)
        return np.stack(hs)

    f = read(params.forwards, xs, mask)
    b = read(params.backwards, xs[::-1], mask[::-1])[::-1]
    return f, b, np.concatenate([f, b, f * b], axis=-1) @ params.W + params.b


def transposed_and_not_turned_back(params, xs, mask):
    def read(p, xs, mask):
        h, hs = np.zeros((xs.shape[1], len(p.b))), []
        for x, keep in zip(xs, mask[:, :, None]):
            h = np.where(keep, np.tanh(p.W_x[x] + h @ p.W_h.T + p.b), h)
            hs.append(np.where(keep, h, 0))
        return np.stack(hs)

    f = read(params.forwards, xs, mask)
    b = read(params.backwards, xs[::-1], mask[::-1])
    return f, b, np.concatenate([f, b, f * b], axis=-1) @ params.W + params.b


def logits_alone(params, xs, mask):
    def read(p, xs, mask):
        h, hs = np.zeros((xs.shape[1], len(p.b))), []
        for x, keep in zip(xs, mask[:, :, None]):
            h = np.where(keep, np.tanh(p.W_x[x] + h @ p.W_h + p.b), h)
            hs.append(np.where(keep, h, 0))
        return np.stack(hs)

    f = read(params.forwards, xs, mask)
    b = read(params.backwards, xs[::-1], mask[::-1])[::-1]
    return np.concatenate([f, b, f * b], axis=-1) @ params.W + params.b


# Its gradient


def letters_counted_once(params, xs, mask, forwards, backwards, dys):
    dmerged, parts = dys @ params.W.T, []
    H = forwards.shape[-1]
    product = dmerged[..., 2 * H :]
    for p, hs, dhs, turn in (
        (params.forwards, forwards, dmerged[..., :H] + product * backwards, 1),
        (params.backwards, backwards, dmerged[..., H : 2 * H] + product * forwards, -1),
    ):
        dW_x, dW_h, db, dh = np.zeros_like(p.W_x), np.zeros_like(p.W_h), np.zeros_like(p.b), 0
        hs, dhs, letters, real = hs[::turn], dhs[::turn], xs[::turn], mask[::turn]
        for t in range(len(xs) - 1, -1, -1):
            da = (dhs[t] + dh) * (1 - hs[t] ** 2) * real[t][:, None]
            dW_x[letters[t]] += da
            dW_h += (hs[t - 1] if t else 0 * hs[0]).T @ da
            db += da.sum(0)
            dh = da @ p.W_h.T
        parts.append(RNNParams(dW_x, dW_h, db))
    merged = np.concatenate([forwards, backwards, forwards * backwards], axis=-1)
    return TaggerParams(*parts, np.einsum("tbj,tbk->jk", merged, dys), dys.sum((0, 1)))


def letters_overwritten(params, xs, mask, forwards, backwards, dys):
    d1, d2, d3 = np.split(np.einsum("tbk,jk->tbj", dys, params.W), 3, axis=2)

    def back(p, hs, dhs, steps):
        dW_x, dW_h, db = np.zeros(p.W_x.shape), np.zeros(p.W_h.shape), np.zeros(p.b.shape)
        carry = np.zeros(hs.shape[1:])
        for k in range(len(steps) - 1, -1, -1):
            t = steps[k]
            da = (dhs[t] + carry) * (1 - hs[t] * hs[t]) * mask[t].reshape(-1, 1)
            dW_x[xs[t]] = da
            if k > 0:
                dW_h += hs[steps[k - 1]].T @ da
            db += da.sum(axis=0)
            carry = da @ p.W_h.T
        return RNNParams(dW_x, dW_h, db)

    order = list(range(len(xs)))
    first = back(params.forwards, forwards, d1 + d3 * backwards, order)
    second = back(params.backwards, backwards, d2 + d3 * forwards, order[::-1])
    merged = np.concatenate([forwards, backwards, forwards * backwards], 2)
    dW = sum(merged[t].T @ dys[t] for t in range(len(xs)))
    return TaggerParams(first, second, dW, dys.sum(axis=0).sum(axis=0))


def gradient_of_the_second_reading_not_turned(params, xs, mask, forwards, backwards, dys):
    dmerged, parts = dys @ params.W.T, []
    H = forwards.shape[-1]
    for p, hs, other, dhs, turn in (
        (params.forwards, forwards, backwards, dmerged[..., :H], 1),
        (params.backwards, backwards, forwards, dmerged[..., H : 2 * H], -1),
    ):
        dhs = dhs + dmerged[..., 2 * H :] * other
        dW_x, dW_h, db, dh = np.zeros_like(p.W_x), np.zeros_like(p.W_h), np.zeros_like(p.b), 0
        hs, letters, real = hs[::turn], xs[::turn], mask[::turn]
        for t in range(len(xs) - 1, -1, -1):
            da = (dhs[t] + dh) * (1 - hs[t] ** 2) * real[t][:, None]
            np.add.at(dW_x, letters[t], da)
            dW_h += (hs[t - 1] if t else 0 * hs[0]).T @ da
            db += da.sum(0)
            dh = da @ p.W_h.T
        parts.append(RNNParams(dW_x, dW_h, db))
    merged = np.concatenate([forwards, backwards, forwards * backwards], axis=-1)
    return TaggerParams(*parts, np.einsum("tbj,tbk->jk", merged, dys), dys.sum((0, 1)))


def states_of_the_second_reading_not_turned(params, xs, mask, forwards, backwards, dys):
    def back(p, letters, real, hs, dhs):
        V, H = p.W_x.shape
        dW_x, dW_h, db, dh = np.zeros((V, H)), np.zeros((H, H)), np.zeros(H), 0
        for t in reversed(range(len(letters))):
            da = np.where(real[t][:, None], (dh + dhs[t]) * (1 - hs[t] ** 2), 0)
            dW_x += np.eye(V)[letters[t]].T @ da
            if t > 0:
                dW_h += hs[t - 1].T @ da
            db += da.sum(0)
            dh = da @ p.W_h.T
        return RNNParams(dW_x, dW_h, db)

    H = forwards.shape[2]
    dz = dys @ params.W.T
    df = dz[:, :, :H] + dz[:, :, 2 * H :] * backwards
    db = dz[:, :, H : 2 * H] + dz[:, :, 2 * H :] * forwards
    merged = np.concatenate([forwards, backwards, forwards * backwards], axis=2)
    return TaggerParams(
        back(params.forwards, xs, mask, forwards, df),
        back(params.backwards, np.flip(xs, 0), np.flip(mask, 0), backwards, np.flip(db, 0)),
        np.tensordot(merged, dys, axes=((0, 1), (0, 1))),
        dys.sum((0, 1)),
    )


def carry_lost(params, xs, mask, forwards, backwards, dys):
    dmerged, parts = dys @ params.W.T, []
    d1, d2, d3 = np.split(dmerged, 3, axis=-1)
    for p, hs, dhs, turn in zip(
        params[:2], (forwards, backwards), (d1 + d3 * backwards, d2 + d3 * forwards), (1, -1)
    ):
        hs, dhs, letters, real = hs[::turn], dhs[::turn], xs[::turn], mask[::turn]
        da = dhs * (1 - hs**2) * real[:, :, None]
        old = np.concatenate([0 * hs[:1], hs[:-1]])
        dW_x = np.zeros_like(p.W_x)
        np.add.at(dW_x, letters, da)
        parts.append(RNNParams(dW_x, np.einsum("tbi,tbj->ij", old, da), da.sum((0, 1))))
    both = np.concatenate([forwards, backwards, forwards * backwards], axis=-1)
    return TaggerParams(*parts, np.einsum("tbj,tbk->jk", both, dys), dys.sum((0, 1)))


def walk_through_the_padding(params, xs, mask, forwards, backwards, dys):
    d1, d2, d3 = np.split(dys @ params.W.T, 3, axis=-1)
    parts = []
    for p, hs, dhs, turn in zip(
        params[:2], (forwards, backwards), (d1 + d3 * backwards, d2 + d3 * forwards), (1, -1)
    ):
        dW_x, dW_h, db, dh = np.zeros_like(p.W_x), np.zeros_like(p.W_h), np.zeros_like(p.b), 0
        hs, dhs, letters = hs[::turn], dhs[::turn], xs[::turn]
        for t in range(len(xs) - 1, -1, -1):
            da = (dhs[t] + dh) * (1 - hs[t] ** 2)
            np.add.at(dW_x, letters[t], da)
            dW_h += (hs[t - 1] if t else 0 * hs[0]).T @ da
            db += da.sum(0)
            dh = da @ p.W_h.T
        parts.append(RNNParams(dW_x, dW_h, db))
    both = np.concatenate([forwards, backwards, forwards * backwards], axis=-1)
    return TaggerParams(*parts, np.einsum("tbj,tbk->jk", both, dys), dys.sum((0, 1)))


def product_forgotten_on_the_way_back(params, xs, mask, forwards, backwards, dys):
    H = len(params.forwards.b)
    d = dys @ params.W.T
    results = []
    for p, hs, dhs, time in (
        (params.forwards, forwards, d[..., :H], range(len(xs))),
        (params.backwards, backwards, d[..., H : 2 * H], range(len(xs))[::-1]),
    ):
        g = RNNParams(*(np.zeros_like(a) for a in p))
        dh, time = np.zeros_like(hs[0]), list(time)
        for k, t in reversed(list(enumerate(time))):
            da = (dhs[t] + dh) * (1 - hs[t] ** 2) * mask[t][:, None]
            np.add.at(g.W_x, xs[t], da)
            if k:
                g.W_h[:] += hs[time[k - 1]].T @ da
            g.b[:] += da.sum(0)
            dh = da @ p.W_h.T
        results.append(g)
    merged = np.concatenate([forwards, backwards, forwards * backwards], -1).reshape(-1, 3 * H)
    flat = dys.reshape(-1, dys.shape[-1])
    return TaggerParams(results[0], results[1], merged.T @ flat, flat.sum(0))


def own_factor_in_the_product(params, xs, mask, forwards, backwards, dys):
    def back(p, hs, dhs, turn):
        hs, dhs, letters, real = hs[::turn], dhs[::turn], xs[::turn], mask[::turn]
        das, dh = np.zeros_like(hs), np.zeros_like(hs[0])
        for t in range(len(hs))[::-1]:
            das[t] = np.where(real[t][:, None], (dhs[t] + dh) * (1 - hs[t] ** 2), 0)
            dh = das[t] @ p.W_h.T
        one_hot = np.eye(len(p.W_x))[letters]
        return RNNParams(
            np.einsum("tbv,tbh->vh", one_hot, das),
            np.einsum("tbi,tbj->ij", hs[:-1], das[1:]),
            das.sum((0, 1)),
        )

    d1, d2, d3 = np.split(dys @ params.W.T, 3, axis=-1)
    merged = np.concatenate([forwards, backwards, forwards * backwards], axis=-1)
    return TaggerParams(
        back(params.forwards, forwards, d1 + d3 * forwards, 1),
        back(params.backwards, backwards, d2 + d3 * backwards, -1),
        np.einsum("tbj,tbk->jk", merged, dys),
        dys.sum((0, 1)),
    )


def product_as_a_sum(params, xs, mask, forwards, backwards, dys):
    def back(p, letters, real, hs, dhs):
        dh, das = 0.0, []
        for t in range(len(hs) - 1, -1, -1):
            da = (dhs[t] + dh) * (1.0 - hs[t] ** 2) * real[t][:, None]
            dh = da.dot(p.W_h.T)
            das.append(da)
        das = np.array(das)[::-1]
        dW_x = np.zeros_like(p.W_x)
        for v in range(len(dW_x)):
            dW_x[v] = das[letters == v].sum(axis=0)
        dW_h = sum(hs[t - 1].T.dot(das[t]) for t in range(1, len(hs)))
        return RNNParams(dW_x, dW_h, das.sum(axis=(0, 1)))

    d = dys.dot(params.W.T)
    H = forwards.shape[-1]
    third = d[..., 2 * H :]
    first = back(params.forwards, xs, mask, forwards, d[..., :H] + third)
    second = back(
        params.backwards, xs[::-1], mask[::-1], backwards[::-1], (d[..., H : 2 * H] + third)[::-1]
    )
    merged = np.concatenate([forwards, backwards, forwards * backwards], axis=-1)
    return TaggerParams(first, second, np.einsum("tbj,tbk->jk", merged, dys), dys.sum(axis=(0, 1)))


def slope_without_the_square(params, xs, mask, forwards, backwards, dys):
    d1, d2, d3 = np.split(dys @ params.W.T, 3, axis=-1)
    parts = []
    for p, hs, dhs, s in (
        (params.forwards, forwards, d1 + d3 * backwards, 1),
        (params.backwards, backwards, d2 + d3 * forwards, -1),
    ):
        dh, total = np.zeros_like(hs[0]), [np.zeros_like(array) for array in p]
        T = len(xs)
        for t in range(T)[::-s]:
            da = mask[t][:, None] * (dhs[t] + dh) * (1 - hs[t])
            np.add.at(total[0], xs[t], da)
            if 0 <= t - s < T:
                total[1] += hs[t - s].T @ da
            total[2] += da.sum(0)
            dh = da @ p.W_h.T
        parts.append(RNNParams(*total))
    both = np.concatenate([forwards, backwards, forwards * backwards], axis=-1)
    return TaggerParams(*parts, np.einsum("tbj,tbk->jk", both, dys), dys.sum((0, 1)))


def slope_of_the_tanh_of_a_tanh(params, xs, mask, forwards, backwards, dys):
    def dtanh(x):
        return 1 - np.tanh(x) ** 2

    d1, d2, d3 = np.split(dys @ params.W.T, 3, axis=-1)
    parts = []
    for p, hs, dhs, s in (
        (params.forwards, forwards, d1 + d3 * backwards, 1),
        (params.backwards, backwards, d2 + d3 * forwards, -1),
    ):
        dh, total = np.zeros_like(hs[0]), [np.zeros_like(array) for array in p]
        T = len(xs)
        for t in range(T)[::-s]:
            da = mask[t][:, None] * (dhs[t] + dh) * dtanh(hs[t])
            np.add.at(total[0], xs[t], da)
            if 0 <= t - s < T:
                total[1] += hs[t - s].T @ da
            total[2] += da.sum(0)
            dh = da @ p.W_h.T
        parts.append(RNNParams(*total))
    both = np.concatenate([forwards, backwards, forwards * backwards], axis=-1)
    return TaggerParams(*parts, np.einsum("tbj,tbk->jk", both, dys), dys.sum((0, 1)))


def neighbour_on_the_wrong_side_in_the_second(params, xs, mask, forwards, backwards, dys):
    d1, d2, d3 = np.split(dys @ params.W.T, 3, axis=-1)
    T, parts = len(xs), []
    for p, hs, dhs, s in (
        (params.forwards, forwards, d1 + d3 * backwards, 1),
        (params.backwards, backwards, d2 + d3 * forwards, -1),
    ):
        dh, total = np.zeros_like(hs[0]), [np.zeros_like(array) for array in p]
        for t in range(T)[::-s]:
            da = mask[t][:, None] * (dhs[t] + dh) * (1 - hs[t] ** 2)
            np.add.at(total[0], xs[t], da)
            if t > 0:
                total[1] += hs[t - 1].T @ da
            total[2] += da.sum(0)
            dh = da @ p.W_h.T
        parts.append(RNNParams(*total))
    both = np.concatenate([forwards, backwards, forwards * backwards], axis=-1)
    return TaggerParams(*parts, np.einsum("tbj,tbk->jk", both, dys), dys.sum((0, 1)))


def biases_of_the_readings_forgotten(params, xs, mask, forwards, backwards, dys):
    d1, d2, d3 = np.split(dys @ params.W.T, 3, axis=-1)
    dparams = TaggerParams(
        RNNParams(*(np.zeros_like(a) for a in params.forwards)),
        RNNParams(*(np.zeros_like(a) for a in params.backwards)),
        np.zeros_like(params.W),
        dys.sum((0, 1)),
    )
    dh = np.zeros_like(forwards[0])
    for t in range(len(xs) - 1, -1, -1):
        da = mask[t][:, None] * (d1[t] + d3[t] * backwards[t] + dh) * (1 - forwards[t] ** 2)
        np.add.at(dparams.forwards.W_x, xs[t], da)
        if t > 0:
            dparams.forwards.W_h[...] += forwards[t - 1].T @ da
        dh = da @ params.forwards.W_h.T
    dh = np.zeros_like(backwards[0])
    for t in range(len(xs)):
        da = mask[t][:, None] * (d2[t] + d3[t] * forwards[t] + dh) * (1 - backwards[t] ** 2)
        np.add.at(dparams.backwards.W_x, xs[t], da)
        if t < len(xs) - 1:
            dparams.backwards.W_h[...] += backwards[t + 1].T @ da
        dh = da @ params.backwards.W_h.T
        z = np.concatenate([forwards[t], backwards[t], forwards[t] * backwards[t]], axis=1)
        dparams.W[...] += z.T @ dys[t]
    return dparams


def mean_over_the_letters(params, xs, mask, forwards, backwards, dys):
    def back(p, letters, real, hs, dhs):
        das, dh = [], 0
        for m, h, d in list(zip(real, hs, dhs))[::-1]:
            das.insert(0, np.where(m[:, None], (d + dh) * (1 - h**2), 0))
            dh = das[0] @ p.W_h.T
        das = np.array(das)
        one_hot = np.eye(len(p.W_x))[letters]
        return RNNParams(
            np.einsum("tbv,tbh->vh", one_hot, das),
            np.einsum("tbi,tbj->ij", hs[:-1], das[1:]),
            das.sum((0, 1)),
        )

    d1, d2, d3 = np.split(dys @ params.W.T, 3, axis=-1)
    merged = np.concatenate([forwards, backwards, forwards * backwards], axis=-1)
    first = back(params.forwards, xs, mask, forwards, d1 + d3 * backwards)
    dsecond = d2 + d3 * forwards
    second = back(params.backwards, xs[::-1], mask[::-1], backwards[::-1], dsecond[::-1])
    n = mask.sum()
    return TaggerParams(
        first, second, np.einsum("tbj,tbk->jk", merged, dys) / n, dys.sum((0, 1)) / n
    )


def mean_in_the_output_bias(params, xs, mask, forwards, backwards, dys):
    def back(p, letters, real, hs, dhs):
        das, dh = [], 0
        for m, h, d in list(zip(real, hs, dhs))[::-1]:
            das.insert(0, np.where(m[:, None], (d + dh) * (1 - h**2), 0))
            dh = das[0] @ p.W_h.T
        das = np.array(das)
        one_hot = np.eye(len(p.W_x))[letters]
        return RNNParams(
            np.einsum("tbv,tbh->vh", one_hot, das),
            np.einsum("tbi,tbj->ij", hs[:-1], das[1:]),
            das.sum((0, 1)),
        )

    d1, d2, d3 = np.split(dys @ params.W.T, 3, axis=-1)
    merged = np.concatenate([forwards, backwards, forwards * backwards], axis=-1)
    first = back(params.forwards, xs, mask, forwards, d1 + d3 * backwards)
    dsecond = d2 + d3 * forwards
    second = back(params.backwards, xs[::-1], mask[::-1], backwards[::-1], dsecond[::-1])
    return TaggerParams(first, second, np.einsum("tbj,tbk->jk", merged, dys), dys.mean(axis=(0, 1)))


def blocks_cut_the_other_way(params, xs, mask, forwards, backwards, dys):
    H = forwards.shape[-1]
    dz = dys @ params.W.T
    dbackwards, dforwards, dproduct = dz[..., :H], dz[..., H : 2 * H], dz[..., 2 * H :]
    dforwards = dforwards + dproduct * backwards
    dbackwards = dbackwards + dproduct * forwards
    grads = []
    for p, hs, dhs, s in (
        (params.forwards, forwards, dforwards, 1),
        (params.backwards, backwards, dbackwards, -1),
    ):
        x, m, hs, dhs = xs[::s], mask[::s], hs[::s], dhs[::s]
        dW_x, dW_h, db = np.zeros_like(p.W_x), np.zeros_like(p.W_h), np.zeros_like(p.b)
        dh = np.zeros_like(hs[0])
        for t in range(len(x) - 1, -1, -1):
            da = (dhs[t] + dh) * (1 - hs[t] ** 2) * m[t, :, None]
            np.add.at(dW_x, x[t], da)
            dW_h += (hs[t - 1] if t > 0 else np.zeros_like(hs[0])).T @ da
            db += da.sum(axis=0)
            dh = da @ p.W_h.T
        grads.append(RNNParams(dW_x, dW_h, db))
    merged = np.concatenate([forwards, backwards, forwards * backwards], axis=-1)
    return TaggerParams(*grads, np.einsum("tbj,tbk->jk", merged, dys), dys.sum(axis=(0, 1)))


def second_reading_returned_first(params, xs, mask, forwards, backwards, dys):
    d1, d2, d3 = np.split(dys @ params.W.T, 3, axis=-1)
    grads = []
    for p, hs, dhs, s in (
        (params.backwards, backwards, d2 + d3 * forwards, -1),
        (params.forwards, forwards, d1 + d3 * backwards, 1),
    ):
        x, m, hs, dhs = xs[::s], mask[::s], hs[::s], dhs[::s]
        dW_x, dW_h, db = np.zeros_like(p.W_x), np.zeros_like(p.W_h), np.zeros_like(p.b)
        dh = np.zeros_like(hs[0])
        for t in range(len(x) - 1, -1, -1):
            da = (dhs[t] + dh) * (1 - hs[t] ** 2) * m[t, :, None]
            np.add.at(dW_x, x[t], da)
            if t:
                dW_h += hs[t - 1].T @ da
            db += da.sum(axis=0)
            dh = da @ p.W_h.T
        grads.append(RNNParams(dW_x, dW_h, db))
    merged = np.concatenate([forwards, backwards, forwards * backwards], axis=-1)
    return TaggerParams(*grads, np.einsum("tbj,tbk->jk", merged, dys), dys.sum(axis=(0, 1)))


def slope_on_the_loss_alone(params, xs, mask, forwards, backwards, dys):
    def back(p, letters, real, hs, dhs):
        dW_x, dW_h, db = (np.zeros_like(array) for array in p)
        dh = np.zeros_like(hs[0])
        for t in reversed(range(len(letters))):
            da = real[t][:, None] * ((1 - hs[t] ** 2) * dhs[t] + dh)
            np.add.at(dW_x, letters[t], da)
            if t >= 1:
                dW_h += hs[t - 1].T @ da
            db += da.sum(axis=0)
            dh = da @ p.W_h.T
        return RNNParams(dW_x, dW_h, db)

    d1, d2, d3 = np.split(dys @ params.W.T, 3, axis=-1)
    merged = np.concatenate([forwards, backwards, forwards * backwards], axis=-1)
    dsecond = d2 + d3 * forwards
    return TaggerParams(
        back(params.forwards, xs, mask, forwards, d1 + d3 * backwards),
        back(params.backwards, xs[::-1], mask[::-1], backwards[::-1], dsecond[::-1]),
        np.einsum("tbj,tbk->jk", merged, dys),
        dys.sum(axis=(0, 1)),
    )


def new_states_for_the_old_ones(params, xs, mask, forwards, backwards, dys):
    def back(p, letters, real, hs, dhs):
        dW_x, dW_h, db = (np.zeros_like(array) for array in p)
        dh = np.zeros_like(hs[0])
        for t in reversed(range(len(letters))):
            da = real[t][:, None] * (1 - hs[t] ** 2) * (dhs[t] + dh)
            np.add.at(dW_x, letters[t], da)
            dW_h += hs[t].T @ da
            db += da.sum(axis=0)
            dh = da @ p.W_h.T
        return RNNParams(dW_x, dW_h, db)

    d1, d2, d3 = np.split(dys @ params.W.T, 3, axis=-1)
    merged = np.concatenate([forwards, backwards, forwards * backwards], axis=-1)
    dsecond = d2 + d3 * forwards
    return TaggerParams(
        back(params.forwards, xs, mask, forwards, d1 + d3 * backwards),
        back(params.backwards, xs[::-1], mask[::-1], backwards[::-1], dsecond[::-1]),
        np.einsum("tbj,tbk->jk", merged, dys),
        dys.sum(axis=(0, 1)),
    )


def state_before_the_first_is_the_last(params, xs, mask, forwards, backwards, dys):
    def back(p, letters, real, hs, dhs):
        dW_x, dW_h, db = (np.zeros_like(array) for array in p)
        dh = np.zeros_like(hs[0])
        for t in reversed(range(len(letters))):
            da = real[t][:, None] * (1 - hs[t] ** 2) * (dhs[t] + dh)
            np.add.at(dW_x, letters[t], da)
            dW_h += hs[t - 1].T @ da
            db += da.sum(axis=0)
            dh = da @ p.W_h.T
        return RNNParams(dW_x, dW_h, db)

    d1, d2, d3 = np.split(dys @ params.W.T, 3, axis=-1)
    merged = np.concatenate([forwards, backwards, forwards * backwards], axis=-1)
    dsecond = d2 + d3 * forwards
    return TaggerParams(
        back(params.forwards, xs, mask, forwards, d1 + d3 * backwards),
        back(params.backwards, xs[::-1], mask[::-1], backwards[::-1], dsecond[::-1]),
        np.einsum("tbj,tbk->jk", merged, dys),
        dys.sum(axis=(0, 1)),
    )


def weight_the_same_way_round_as_before(params, xs, mask, forwards, backwards, dys):
    dz = dys @ params.W.T
    H = forwards.shape[-1]
    out = []
    for name, other, k in (("forwards", backwards, 0), ("backwards", forwards, 1)):
        net = getattr(params, name)
        hs = forwards if k == 0 else backwards
        dhs = dz[..., k * H : (k + 1) * H] + dz[..., 2 * H :] * other
        letters, real = xs, mask
        if name == "backwards":
            hs, dhs, letters, real = hs[::-1], dhs[::-1], xs[::-1], mask[::-1]
        dW_x, dW_h, db = np.zeros_like(net.W_x), np.zeros_like(net.W_h), np.zeros_like(net.b)
        later = np.zeros_like(hs[0])
        for t in range(len(hs) - 1, -1, -1):
            da = (dhs[t] + later) * (1 - hs[t] ** 2)
            da[~real[t]] = 0
            np.add.at(dW_x, letters[t], da)
            db += da.sum(0)
            if t > 0:
                dW_h += hs[t - 1].T @ da
            later = da @ net.W_h
        out.append(RNNParams(dW_x, dW_h, db))
    z = np.concatenate([forwards, backwards, forwards * backwards], axis=-1)
    return TaggerParams(out[0], out[1], np.einsum("tbj,tbk->jk", z, dys), dys.sum((0, 1)))


def loop_that_stops_a_step_early(params, xs, mask, forwards, backwards, dys):
    dz = dys @ params.W.T
    H = forwards.shape[-1]
    out = []
    for name, other, k in (("forwards", backwards, 0), ("backwards", forwards, 1)):
        net = getattr(params, name)
        hs = forwards if k == 0 else backwards
        dhs = dz[..., k * H : (k + 1) * H] + dz[..., 2 * H :] * other
        letters, real = xs, mask
        if name == "backwards":
            hs, dhs, letters, real = hs[::-1], dhs[::-1], xs[::-1], mask[::-1]
        dW_x, dW_h, db = np.zeros_like(net.W_x), np.zeros_like(net.W_h), np.zeros_like(net.b)
        later = np.zeros_like(hs[0])
        for t in range(len(hs) - 1, 0, -1):
            da = (dhs[t] + later) * (1 - hs[t] ** 2)
            da[~real[t]] = 0
            np.add.at(dW_x, letters[t], da)
            db += da.sum(0)
            dW_h += hs[t - 1].T @ da
            later = da @ net.W_h.T
        out.append(RNNParams(dW_x, dW_h, db))
    z = np.concatenate([forwards, backwards, forwards * backwards], axis=-1)
    return TaggerParams(out[0], out[1], np.einsum("tbj,tbk->jk", z, dys), dys.sum((0, 1)))


def no_square_and_letters_once(params, xs, mask, forwards, backwards, dys):
    def back(p, letters, real, hs, dhs):
        das, dh = np.zeros_like(hs), 0
        for t in reversed(range(len(letters))):
            das[t] = real[t][:, None] * (1 - hs[t]) * (dhs[t] + dh)
            dh = das[t] @ p.W_h.T
        dW_x = np.zeros_like(p.W_x)
        dW_x[letters] += das
        return RNNParams(dW_x, np.einsum("tbi,tbj->ij", hs[:-1], das[1:]), das.sum((0, 1)))

    d1, d2, d3 = np.split(dys @ params.W.T, 3, axis=-1)
    merged = np.concatenate([forwards, backwards, forwards * backwards], axis=-1)
    dsecond = d2 + d3 * forwards
    return TaggerParams(
        back(params.forwards, xs, mask, forwards, d1 + d3 * backwards),
        back(params.backwards, xs[::-1], mask[::-1], backwards[::-1], dsecond[::-1]),
        np.einsum("tbj,tbk->jk", merged, dys),
        dys.sum(axis=(0, 1)),
    )


# Clipping


def clipped_entry_by_entry(g, limit):
    return np.clip(g, -limit, limit)


def always_of_the_same_length(g, limit):
    return g * limit / np.linalg.norm(g)


def clipped_in_place(g, limit):
    norm = np.sqrt(np.sum(g**2))
    if norm > limit:
        g *= limit / norm
    return g


def root_forgotten(g, limit):
    norm = np.sum(g**2)
    if norm > limit:
        g = g * (limit / norm)
    return g


def made_a_unit_vector(g, limit):
    norm = np.linalg.norm(g)
    return g / norm if norm > limit else g


def norm_over_limit(g, limit):
    return g * min(1.0, np.linalg.norm(g) / limit)


def sum_of_absolute_values(g, limit):
    return g * min(1.0, limit / np.linalg.norm(g, ord=1))


def clipped_without_the_factor_of_the_norm(g, limit):
    return g * limit if np.linalg.norm(g) > limit else g.copy()


# Adam


def betas_exchanged(p, g, m, v, t, rate, decay):
    m = 0.999 * m + 0.001 * g
    v = 0.9 * v + 0.1 * g**2
    step = (m / (1 - 0.999**t)) / (np.sqrt(v / (1 - 0.9**t)) + 1e-8)
    return p - rate * (step + decay * p), m, v


def counted_from_zero(p, g, m, v, t, rate, decay):
    m, v, t = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2, t + 1
    step = (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return p - rate * step - rate * decay * p, m, v


def counted_one_too_few(p, g, m, v, t, rate, decay):
    beta1, beta2, eps = 0.9, 0.999, 1e-8
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * np.square(g)
    m_hat = m / (1 - beta1 ** (t - 1))
    v_hat = v / (1 - beta2 ** (t - 1))
    return p - rate * (m_hat / (np.sqrt(v_hat) + eps) + decay * p), m, v


def corrected_means_go_on(p, g, m, v, t, rate, decay):
    m = (0.9 * m + 0.1 * g) / (1 - 0.9**t)
    v = (0.999 * v + 0.001 * g**2) / (1 - 0.999**t)
    return p - rate * (m / (np.sqrt(v) + 1e-8) + decay * p), m, v


def large_epsilon(p, g, m, v, t, rate, decay):
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    step = (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-1)
    return p - rate * (step + decay * p), m, v


def epsilon_of_another_library(p, g, m, v, t, rate, decay):
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g**2
    alpha = rate * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    p = p - rate * decay * p - alpha * m / (np.sqrt(v) + 1e-7 * np.sqrt(1 - 0.999**t))
    return p, m, v


def line_copied_for_the_squares(p, g, m, v, t, rate, decay):
    b1, b2 = 0.9, 0.999
    m = b1 * m + (1 - b1) * g
    v = b2 * v + (1 - b2) * g**2
    m_hat = m / (1 - b1**t)
    v_hat = v / (1 - b1**t)
    return p - rate * (m_hat / (np.sqrt(v_hat) + 1e-8) + decay * p), m, v


def no_epsilon(p, g, m, v, t, rate, decay):
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    step = (m / (1 - 0.9**t)) / np.sqrt(v / (1 - 0.999**t))
    return p - rate * (step + decay * p), m, v


def no_epsilon_and_no_nan(p, g, m, v, t, rate, decay):
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
    step = np.divide(m_hat, np.sqrt(v_hat), out=np.zeros_like(p), where=v_hat > 0)
    return p - rate * (step + decay * p), m, v


def epsilon_under_the_root(p, g, m, v, t, rate, decay):
    b1, b2, eps = 0.9, 0.999, 1e-8
    m = b1 * m + (1 - b1) * g
    v = b2 * v + (1 - b2) * g * g
    p = p * (1 - rate * decay)
    p = p - rate * (m / (1 - b1**t)) * (v / (1 - b2**t) + eps) ** -0.5
    return p, m, v


def power_of_the_difference(p, g, m, v, t, rate, decay):
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g**2
    mhat = m / (1 - 0.9) ** t
    vhat = v / (1 - 0.999) ** t
    return p - rate * (mhat / (np.sqrt(vhat) + 1e-8) + decay * p), m, v


def only_the_squares_corrected(p, g, m, v, t, rate, decay):
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g**2
    scale = np.sqrt(v / (1 - np.power(0.999, t))) + 1e-8
    return p - rate * m / scale - rate * decay * p, m, v


def squares_of_the_mean(p, g, m, v, t, rate, decay):
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * m**2
    step = (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return p - rate * (step + decay * p), m, v


def decay_as_in_the_loss(p, g, m, v, t, rate, decay):
    g = g + decay * p
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g**2
    step = (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return p - rate * step, m, v


def decay_without_the_rate(p, g, m, v, t, rate, decay):
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g**2
    step = (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return (1 - decay) * p - rate * step, m, v


def decayed_after_the_step(p, g, m, v, t, rate, decay):
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g**2
    p = p - rate * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    p = p - rate * decay * p
    return p, m, v


def adam_of_the_chapter(p, g, m, v, t, rate, decay):
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g**2
    m_hat = m / (1 - 0.9**t)
    v_hat = v / (1 - 0.999**t)
    return p - rate * m_hat / (np.sqrt(v_hat) + 1e-8), m, v


def squares_added_up(p, g, m, v, t, rate, decay):
    m = 0.9 * m + 0.1 * g
    v = v + g**2
    step = (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return p - rate * (step + decay * p), m, v


def means_written_in_place(p, g, m, v, t, rate, decay):
    m *= 0.9
    m += 0.1 * g
    v *= 0.999
    v += 0.001 * g**2
    step = (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return p - rate * (step + decay * p), m, v


# The measure


def padding_among_the_letters(ys, targets, mask):
    right = ys.argmax(axis=-1) == targets
    per_word = (right | ~mask).sum(axis=0)
    return right.mean(), (per_word == len(mask)).mean(), (per_word >= len(mask) - 1).mean()


def padding_must_be_right(ys, targets, mask):
    right = ys.argmax(axis=-1) == targets
    mistakes = (~right).sum(axis=0)
    return right[mask].mean(), (mistakes == 0).mean(), (mistakes <= 1).mean()


def mean_of_the_words(ys, targets, mask):
    right = (ys.argmax(axis=-1) == targets) & mask
    wrong = mask.sum(axis=0) - right.sum(axis=0)
    return (
        np.mean(right.sum(axis=0) / mask.sum(axis=0)),
        np.mean(wrong == 0),
        np.mean(wrong < 2),
    )


def in_percent(ys, targets, mask):
    wrong = (np.argmax(ys, axis=2) != targets) * mask
    letters = 100 * (1 - wrong.sum() / mask.sum())
    words = 100 * np.mean(wrong.sum(axis=0) == 0)
    nearly = 100 * np.mean(wrong.sum(axis=0) <= 1)
    return letters, words, nearly


def counted_not_divided(ys, targets, mask):
    hits = words = nearly = 0
    for n in range(mask.shape[1]):
        wrong = 0
        for t in range(mask.shape[0]):
            if mask[t, n]:
                if np.argmax(ys[t, n]) == targets[t, n]:
                    hits += 1
                else:
                    wrong += 1
        words += wrong == 0
        nearly += wrong <= 1
    return float(hits), float(words), float(nearly)


def right_if_all_steps_are(ys, targets, mask):
    T, B = mask.shape
    right = (ys.argmax(-1) == targets) & mask
    hits = right.sum(axis=0)
    return right.sum() / mask.sum(), np.mean(hits == T), np.mean(hits >= T - 1)


def a_single_mistake(ys, targets, mask):
    wrong = (ys.argmax(axis=-1) != targets) & mask
    return 1 - wrong[mask].mean(), np.mean(~wrong.any(axis=0)), np.mean(wrong.sum(axis=0) == 1)


def divided_by_the_array(ys, targets, mask):
    right = np.where(mask, ys.argmax(axis=-1) == targets, 0)
    wrong = np.where(mask, ys.argmax(axis=-1) != targets, 0)
    return (
        right.sum() / right.size,
        (wrong.sum(axis=0) == 0).mean(),
        (wrong.sum(axis=0) <= 1).mean(),
    )


def shares_of_the_errors(ys, targets, mask):
    wrong = (ys.argmax(axis=-1) != targets) & mask
    mistakes = wrong.sum(axis=0)
    return wrong.sum() / mask.sum(), np.mean(mistakes > 0), np.mean(mistakes > 1)


def along_the_wrong_axis(ys, targets, mask):
    wrong = (ys.argmax(axis=-1) != targets) & mask
    mistakes = wrong.sum(axis=1)
    return 1 - wrong.sum() / mask.sum(), np.mean(mistakes == 0), np.mean(mistakes <= 1)


def nearly_without_the_short_words(ys, targets, mask):
    wrong = ((ys.argmax(axis=-1) != targets) & mask).sum(axis=0)
    lengths = mask.sum(axis=0)
    nearly = np.mean(1 - wrong / lengths >= 0.7)
    return 1 - wrong.sum() / lengths.sum(), np.mean(wrong == 0), nearly


# The training


def nothing_is_kept(params, xs, targets, mask, seed):
    p = flatten(params)
    g = flatten(
        tagger_backward(
            params, xs, mask, *tagger(params, xs, mask)[:2], 0 * tagger(params, xs, mask)[2] + 1e-3
        )
    )
    adam_step(p, g, 0 * p, 0 * p, 1, 0.01, 0)
    return unflatten(p, params)


def uphill(params, xs, targets, mask, seed):
    p = flatten(params)
    for _ in range(10):
        now = unflatten(p, params)
        forwards, backwards, ys = tagger(now, xs[:, :500], mask[:, :500])
        _, dys = cross_entropy(ys, targets[:, :500], mask[:, :500])
        p = p + 0.5 * flatten(
            tagger_backward(now, xs[:, :500], mask[:, :500], forwards, backwards, dys)
        )
    return unflatten(p, params)


def only_the_letters_are_shuffled(params, xs, targets, mask, seed):
    rng, p = np.random.default_rng(seed), flatten(params)
    m, v, t = 0 * p, 0 * p, 0
    for _ in range(2):
        shuffled = xs[:, rng.permutation(xs.shape[1])]
        for k in range(0, xs.shape[1], 50):
            now, some, t = unflatten(p, params), slice(k, k + 50), t + 1
            forwards, backwards, ys = tagger(now, shuffled[:, some], mask[:, some])
            _, dys = cross_entropy(ys, targets[:, some], mask[:, some])
            g = flatten(
                tagger_backward(now, shuffled[:, some], mask[:, some], forwards, backwards, dys)
            )
            p, m, v = adam_step(p, clip(g, 1.0), m, v, t, 0.01, 0)
    return unflatten(p, params)


def always_the_first_forty(params, xs, targets, mask, seed):
    p, xs, targets, mask = flatten(params), xs[:, :40], targets[:, :40], mask[:, :40]
    m, v = 0 * p, 0 * p
    for t in range(1, 61):
        now = unflatten(p, params)
        forwards, backwards, ys = tagger(now, xs, mask)
        g = flatten(
            tagger_backward(now, xs, mask, forwards, backwards, cross_entropy(ys, targets, mask)[1])
        )
        p, m, v = adam_step(p, clip(g, 1.0), m, v, t, 0.02, 0)
    return unflatten(p, params)


def a_quarter_of_the_words_many_times(params, xs, targets, mask, seed):
    rng, p = np.random.default_rng(seed), flatten(params)
    m, v, t = 0 * p, 0 * p, 0
    mine = rng.permutation(xs.shape[1])[:1000]
    for _ in range(20):
        for k in range(0, 1000, 50):
            now, some, t = unflatten(p, params), mine[k : k + 50], t + 1
            forwards, backwards, ys = tagger(now, xs[:, some], mask[:, some])
            _, dys = cross_entropy(ys, targets[:, some], mask[:, some])
            g = flatten(tagger_backward(now, xs[:, some], mask[:, some], forwards, backwards, dys))
            p, m, v = adam_step(p, clip(g, 1.0), m, v, t, 0.01, 0)
    return unflatten(p, params)


def one_pass_with_timid_steps(params, xs, targets, mask, seed):
    p = flatten(params)
    m, v, t = 0 * p, 0 * p, 0
    for k in range(0, xs.shape[1], 50):
        now, some, t = unflatten(p, params), slice(k, k + 50), t + 1
        forwards, backwards, ys = tagger(now, xs[:, some], mask[:, some])
        _, dys = cross_entropy(ys, targets[:, some], mask[:, some])
        g = flatten(tagger_backward(now, xs[:, some], mask[:, some], forwards, backwards, dys))
        p, m, v = adam_step(p, g, m, v, t, 0.002, 0)
    return unflatten(p, params)


def one_direction_alone(params, xs, targets, mask, seed):
    p = flatten(params)
    m, v, t = 0 * p, 0 * p, 0
    for k in 2 * list(range(0, xs.shape[1], 50)):
        now, some, t = unflatten(p, params), slice(k, k + 50), t + 1
        forwards, backwards, ys = tagger(now, xs[:, some], mask[:, some])
        _, dys = cross_entropy(ys, targets[:, some], mask[:, some])
        dparams = tagger_backward(now, xs[:, some], mask[:, some], forwards, backwards, dys)
        dparams = dparams._replace(backwards=RNNParams(*(0 * array for array in dparams.backwards)))
        p, m, v = adam_step(p, flatten(dparams), m, v, t, 0.01, 0)
    return unflatten(p, params)


def the_output_layer_alone(params, xs, targets, mask, seed):
    W, b = params.W.copy(), params.b.copy()
    forwards, backwards, _ = tagger(params, xs, mask)
    z = np.concatenate([forwards, backwards, forwards * backwards], axis=-1)
    for _ in range(8):
        _, dys = cross_entropy(z @ W + b, targets, mask)
        W -= 2.0 * np.tensordot(z, dys, axes=([0, 1], [0, 1]))
        b -= 2.0 * dys.sum(axis=(0, 1))
    return TaggerParams(params.forwards, params.backwards, W, b)


def readings_without_the_output_layer(params, xs, targets, mask, seed):
    rng, now = np.random.default_rng(seed), params
    for _ in range(60):
        some = rng.choice(xs.shape[1], 100, replace=False)
        forwards, backwards, ys = tagger(now, xs[:, some], mask[:, some])
        _, dys = cross_entropy(ys, targets[:, some], mask[:, some])
        d = tagger_backward(now, xs[:, some], mask[:, some], forwards, backwards, dys)
        now = TaggerParams(
            RNNParams(*(a - 0.5 * b for a, b in zip(now.forwards, d.forwards))),
            RNNParams(*(a - 0.5 * b for a, b in zip(now.backwards, d.backwards))),
            now.W,
            now.b,
        )
    return now


def biases_never_touched(params, xs, targets, mask, seed):
    rng, p = np.random.default_rng(seed), flatten(params)
    m, v = 0 * p, 0 * p
    for t in range(1, 41):
        some, now = rng.choice(xs.shape[1], 50, replace=False), unflatten(p, params)
        forwards, backwards, ys = tagger(now, xs[:, some], mask[:, some])
        _, dys = cross_entropy(ys, targets[:, some], mask[:, some])
        d = tagger_backward(now, xs[:, some], mask[:, some], forwards, backwards, dys)
        d = d._replace(
            forwards=d.forwards._replace(b=0 * d.forwards.b),
            backwards=d.backwards._replace(b=0 * d.backwards.b),
            b=0 * d.b,
        )
        p, m, v = adam_step(p, flatten(d), m, v, t, 0.003, 0)
    return unflatten(p, params)


def left_to_chance(params, xs, targets, mask, seed):
    rng, p = np.random.default_rng(), flatten(params)
    m, v, t, B = 0 * p, 0 * p, 0, xs.shape[1]
    for _ in range(4):
        order = rng.permutation(B)
        for k in range(0, B, 50):
            now, some, t = unflatten(p, params), order[k : k + 50], t + 1
            forwards, backwards, ys = tagger(now, xs[:, some], mask[:, some])
            _, dys = cross_entropy(ys, targets[:, some], mask[:, some])
            g = flatten(tagger_backward(now, xs[:, some], mask[:, some], forwards, backwards, dys))
            p, m, v = adam_step(p, clip(g, 1), m, v, t, 0.02 * (1 - t / 321), 0)
    return unflatten(p, params)


WRONG = (
    Wrong("tagger", second_reading_not_turned_back, "not turned back", 1 / 3),
    Wrong("tagger", turned_with_a_slice_that_does_not_turn, "both readings run forwards", 1 / 3),
    Wrong("tagger", mask_forgotten_in_the_recurrence, "padding leaks", 1 / 3),
    Wrong("tagger", one_set_of_weights, "one network for both directions", 1 / 3),
    Wrong("tagger", logits_hidden_on_padding, "outputs hidden on padding", 2 / 3),
    Wrong("tagger", state_written_before_it_is_made, "old state for the new one"),
    Wrong("tagger", each_word_to_the_end_of_the_array, "padding leaks", 1 / 3),
    Wrong("tagger", bias_added_to_the_state, "bias outside the activation"),
    Wrong("tagger", bias_in_the_row_and_in_the_sum, "bias counted twice"),
    Wrong("tagger", product_before_the_turn, "product of other steps", 2 / 3),
    Wrong("tagger", column_convention, "weight transposed"),
    Wrong("tagger", added_where_multiplied, "sum for product", 2 / 3),
    Wrong("tagger", backward_one_first, "halves exchanged", 2 / 3),
    Wrong("tagger", only_the_letters_turned, "mask not turned", 1 / 3),
    Wrong("tagger", probabilities_returned, "softmax applied already", 2 / 3),
    Wrong("tagger", output_bias_forgotten, "bias missing", 2 / 3),
    Wrong("tagger", flipped_along_both_axes, "", 1 / 3),
    Wrong("tagger", with_a_rectifier, "another activation"),
    Wrong("tagger", held_states_given_as_outputs, "padding leaks", 1 / 3),
    Wrong("tagger", transposed_and_not_turned_back, ("weight transposed", "not turned back")),
    Wrong("tagger", logits_alone, "shape or type"),
    Wrong("tagger_backward", letters_counted_once, "repeated letters counted once", 6 / 8),
    Wrong("tagger_backward", letters_overwritten, "repeated letters counted once", 6 / 8),
    Wrong(
        "tagger_backward", gradient_of_the_second_reading_not_turned, "gradient not turned", 5 / 8
    ),
    Wrong("tagger_backward", states_of_the_second_reading_not_turned, "states not turned", 5 / 8),
    Wrong("tagger_backward", carry_lost, "carry lost between steps", 2 / 8),
    Wrong("tagger_backward", walk_through_the_padding, "padding leaks", 6 / 8),
    Wrong("tagger_backward", product_forgotten_on_the_way_back, "path missing", 2 / 8),
    Wrong("tagger_backward", own_factor_in_the_product, "factors of the product exchanged", 2 / 8),
    Wrong("tagger_backward", product_as_a_sum, "sum for product", 2 / 8),
    Wrong("tagger_backward", slope_without_the_square, "derivative of the activation wrong", 2 / 8),
    Wrong(
        "tagger_backward",
        slope_of_the_tanh_of_a_tanh,
        "derivative taken at the wrong place",
        2 / 8,
    ),
    Wrong(
        "tagger_backward",
        neighbour_on_the_wrong_side_in_the_second,
        "state after the step for the one before",
        7 / 8,
    ),
    Wrong("tagger_backward", biases_of_the_readings_forgotten, "bias gradient missing", 6 / 8),
    Wrong("tagger_backward", mean_over_the_letters, "mean for sum", 6 / 8),
    Wrong("tagger_backward", mean_in_the_output_bias, "mean for sum", 7 / 8),
    Wrong("tagger_backward", blocks_cut_the_other_way, "halves exchanged", 2 / 8),
    Wrong("tagger_backward", second_reading_returned_first, "readings exchanged", 2 / 8),
    Wrong("tagger_backward", slope_on_the_loss_alone, "derivative missing on the carry", 2 / 8),
    Wrong("tagger_backward", new_states_for_the_old_ones, "new state for the old one", 6 / 8),
    Wrong("tagger_backward", state_before_the_first_is_the_last, "last state for zero", 6 / 8),
    Wrong("tagger_backward", weight_the_same_way_round_as_before, "weight transposed", 2 / 8),
    Wrong("tagger_backward", loop_that_stops_a_step_early, "first step left out", 4 / 8),
    Wrong(
        "tagger_backward",
        no_square_and_letters_once,
        ("derivative of the activation wrong", "repeated letters counted once"),
        2 / 8,
    ),
    Wrong("clip", clipped_entry_by_entry, "clipped entry by entry"),
    Wrong("clip", always_of_the_same_length, "clipped always"),
    Wrong("clip", clipped_in_place, "caller's array changed", 1 / 2),
    Wrong("clip", root_forgotten, "another norm"),
    Wrong("clip", made_a_unit_vector, "length one for the limit"),
    Wrong("clip", norm_over_limit, "quotient upside down"),
    Wrong("clip", sum_of_absolute_values, "another norm"),
    Wrong("clip", clipped_without_the_factor_of_the_norm, "clipped to the wrong length"),
    Wrong("adam_step", betas_exchanged, "betas exchanged"),
    Wrong("adam_step", counted_from_zero, "off by one step", 2 / 3),
    Wrong("adam_step", counted_one_too_few, "NaN or infinity", 2 / 3),
    Wrong("adam_step", corrected_means_go_on, "corrected means kept", 1 / 3),
    Wrong("adam_step", large_epsilon, "", 2 / 3),
    Wrong("adam_step", epsilon_of_another_library, "another epsilon", 2 / 3),
    Wrong("adam_step", line_copied_for_the_squares, "one beta for both", 2 / 3),
    Wrong("adam_step", no_epsilon, "NaN or infinity", 2 / 3),
    Wrong("adam_step", no_epsilon_and_no_nan, "epsilon missing", 2 / 3),
    Wrong("adam_step", epsilon_under_the_root, "epsilon inside the root", 2 / 3),
    Wrong("adam_step", power_of_the_difference, "power at the wrong place", 2 / 3),
    Wrong("adam_step", only_the_squares_corrected, "bias correction missing", 2 / 3),
    Wrong("adam_step", squares_of_the_mean, "square of the mean", 1 / 3),
    Wrong("adam_step", decay_as_in_the_loss, "weight decay in the gradient"),
    Wrong("adam_step", decay_without_the_rate, "weight decay without the rate", 2 / 3),
    Wrong("adam_step", decayed_after_the_step, "weight decay of the new parameters", 2 / 3),
    Wrong("adam_step", adam_of_the_chapter, "weight decay missing", 2 / 3),
    Wrong("adam_step", squares_added_up, "sum for mean", 1 / 3),
    Wrong("adam_step", means_written_in_place, "caller's array changed", 1 / 2),
    Wrong("shares_right", padding_among_the_letters, "padding leaks", 2 / 3),
    Wrong("shares_right", padding_must_be_right, "padding must be right", 1 / 3),
    Wrong("shares_right", mean_of_the_words, "mean of means", 2 / 3),
    Wrong("shares_right", in_percent, "percent for a share"),
    Wrong("shares_right", counted_not_divided, "counts for shares"),
    Wrong("shares_right", right_if_all_steps_are, "padding counted as wrong", 1 / 3),
    Wrong("shares_right", a_single_mistake, "exactly one mistake", 2 / 3),
    Wrong("shares_right", divided_by_the_array, "padding leaks", 2 / 3),
    Wrong("shares_right", shares_of_the_errors, "wrong ones counted"),
    Wrong("shares_right", along_the_wrong_axis, "steps for words", 1 / 3),
    Wrong("shares_right", nearly_without_the_short_words, "", 2 / 3),
    Wrong("train", nothing_is_kept, ("never updated", "below the target")),
    Wrong("train", uphill, ("loss has grown", "below the target")),
    Wrong(
        "train",
        only_the_letters_are_shuffled,
        ("letters and phones out of step", "below the target"),
    ),
    Wrong("train", always_the_first_forty, ("learned by heart", "below the target")),
    Wrong(
        "train",
        a_quarter_of_the_words_many_times,
        ("better on its own words", "below the target"),
        1 / 2,
    ),
    Wrong("train", one_pass_with_timid_steps, ("not trained enough", "below the target"), 1 / 4),
    Wrong("train", one_direction_alone, ("one direction not taught", "below the target"), 1 / 2),
    Wrong("train", the_output_layer_alone, ("neither reading taught", "below the target")),
    Wrong(
        "train", readings_without_the_output_layer, ("output layer not taught", "below the target")
    ),
    Wrong("train", biases_never_touched, ("some parameters not taught", "below the target")),
    Wrong("train", left_to_chance, "two answers to one question", 1 / 2),
)


# Right, written differently


def word_by_word(params, xs, mask):
    H = len(params.forwards.b)
    forwards, backwards = np.zeros((*xs.shape, H)), np.zeros((*xs.shape, H))
    for n in range(xs.shape[1]):
        own = int(mask[:, n].sum())
        for hs, p, steps in (
            (forwards, params.forwards, range(own)),
            (backwards, params.backwards, range(own - 1, -1, -1)),
        ):
            h = np.zeros(H)
            for t in steps:
                h = np.tanh(p.b + p.W_h.T @ h + p.W_x[xs[t, n]])
                hs[t, n] = h
    ys = forwards @ params.W[:H] + backwards @ params.W[H : 2 * H] + params.b
    return forwards, backwards, ys + np.multiply(forwards, backwards) @ params.W[2 * H :]


def each_turned_within_its_length(params, xs, mask):
    def read(p, xs):
        h, hs = 0, []
        for x in xs:
            h = np.tanh(p.W_x[x] + h @ p.W_h + p.b) if hs else np.tanh(p.W_x[x] + p.b)
            hs.append(h)
        return np.array(hs) * mask[..., None]

    T, B = xs.shape
    place = np.where(mask, mask.sum(axis=0) - 1 - np.arange(T)[:, None], np.arange(T)[:, None])
    forwards = read(params.forwards, xs)
    backwards = read(params.backwards, xs[place, np.arange(B)])[place, np.arange(B)]
    merged = np.concatenate([forwards, backwards, forwards * backwards], axis=-1)
    return forwards, backwards, np.einsum("tbj,jk->tbk", merged, params.W) + params.b


def states_set_to_zero_on_padding(params, xs, mask):
    T, B = xs.shape
    hs = {}
    for name, steps in (("forwards", range(T)), ("backwards", range(T - 1, -1, -1))):
        p = getattr(params, name)
        h, out = np.zeros((B, len(p.b))), [None] * T
        for t in steps:
            h = mask[t][:, None] * np.tanh(p.W_x[xs[t]] + h @ p.W_h + p.b)
            out[t] = h
        hs[name] = np.stack(out)
    f, b = hs["forwards"], hs["backwards"]
    return [f, b, np.concatenate([f, b, f * b], axis=-1) @ params.W + params.b]


def with_one_hot_products(params, xs, mask, forwards, backwards, dys):
    V, H = params.forwards.W_x.shape
    one_hot = (xs[..., None] == np.arange(V)).astype(float)
    W, parts = np.split(params.W, 3), []
    for p, hs, other, w, steps in (
        (params.forwards, forwards, backwards, W[0], range(len(xs) - 1, -1, -1)),
        (params.backwards, backwards, forwards, W[1], range(len(xs))),
    ):
        total, dh = (
            [np.zeros_like(p.W_x), np.zeros_like(p.W_h), np.zeros_like(p.b)],
            np.zeros_like(hs[0]),
        )
        before = -1 if steps.step < 0 else 1
        for t in steps:
            arrives = dys[t] @ w.T + (dys[t] @ W[2].T) * other[t] + dh
            da = np.einsum("bh,bh,b->bh", arrives, 1 - hs[t] ** 2, mask[t])
            old = hs[t + before] if 0 <= t + before < len(xs) else np.zeros_like(hs[0])
            total = [a + b for a, b in zip(total, (one_hot[t].T @ da, old.T @ da, da.sum(0)))]
            dh = np.einsum("bj,ij->bi", da, p.W_h)
        parts.append(RNNParams(*total))
    both = np.concatenate([forwards, backwards, forwards * backwards], axis=-1)
    both = both.reshape(-1, 3 * H)
    return TaggerParams(
        *parts, both.T @ dys.reshape(len(both), -1), dys.reshape(len(both), -1).sum(axis=0)
    )


def gradient_word_by_word(params, xs, mask, forwards, backwards, dys):
    V, H = params.forwards.W_x.shape
    K = len(params.b)
    grads = [np.zeros((V, H)), np.zeros((H, H)), np.zeros(H)]
    grads2 = [np.zeros((V, H)), np.zeros((H, H)), np.zeros(H)]
    dW, db = np.zeros((3 * H, K)), np.zeros(K)
    for n in range(xs.shape[1]):
        own = [t for t in range(len(xs)) if mask[t, n]]
        for t in own:
            f, b = forwards[t, n], backwards[t, n]
            dW += np.outer(np.concatenate([f, b, f * b]), dys[t, n])
            db += dys[t, n]
        for p, hs, other, total, block, path in (
            (params.forwards, forwards, backwards, grads, 0, own),
            (params.backwards, backwards, forwards, grads2, 1, own[::-1]),
        ):
            carry = np.zeros(H)
            for k in reversed(range(len(path))):
                t = path[k]
                up = params.W[block * H : (block + 1) * H] @ dys[t, n]
                up = up + (params.W[2 * H :] @ dys[t, n]) * other[t, n]
                da = (up + carry) * (1 - hs[t, n] ** 2)
                total[0][xs[t, n]] += da
                if k:
                    total[1] += np.outer(hs[path[k - 1], n], da)
                total[2] += da
                carry = p.W_h @ da
    return TaggerParams(RNNParams(*grads), RNNParams(*grads2), dW, db)


def carry_that_is_not_masked(params, xs, mask, forwards, backwards, dys):
    def back(p, letters, real, hs, dhs):
        carry, das = 0, []
        for t in range(len(hs) - 1, -1, -1):
            da = (dhs[t] + carry) * (1 + hs[t]) * (1 - hs[t])
            carry = da @ p.W_h.T
            das.append(da * real[t][:, None])
        das.reverse()
        das = np.concatenate(das)
        one_hot = np.zeros((len(das), len(p.W_x)))
        one_hot[np.arange(len(das)), letters.ravel()] = 1
        old = np.concatenate([np.zeros_like(hs[0]), *hs[:-1]])
        return RNNParams(one_hot.T @ das, old.T @ das, np.ones(len(das)) @ das)

    H = forwards.shape[-1]
    up = dys @ params.W.T
    up1 = up[..., :H] + up[..., 2 * H :] * backwards
    up2 = up[..., H : 2 * H] + up[..., 2 * H :] * forwards
    z = np.concatenate([forwards, backwards, forwards * backwards], axis=-1)
    return TaggerParams(
        forwards=back(params.forwards, xs, mask, forwards, up1),
        backwards=back(params.backwards, *(a[::-1] for a in (xs, mask, backwards, up2))),
        W=np.tensordot(z, dys, ((0, 1), (0, 1))),
        b=np.einsum("tbk->k", dys),
    )


def with_an_if(g, limit):
    length = np.sqrt(sum(float(x) ** 2 for x in g))
    return g.copy() if length <= limit else g / length * limit


def with_the_limit_replaced(g, limit):
    limit /= np.linalg.norm(g)
    return g * limit if limit < 1 else g


def with_a_maximum(g, limit):
    return limit * g / np.maximum(limit, np.sqrt(g @ g))


def as_kingma_and_ba_put_it_at_the_end_of_section_2(p, g, m, v, t, rate, decay):
    m, v = m + 0.1 * (g - m), v + (1 - 0.999) * (g * g - v)
    fix = np.sqrt(1 - 0.999**t)
    step = rate * fix / (1 - 0.9**t) * m / (np.sqrt(v) + 1e-8 * fix)
    return p - step - rate * decay * p, m, v


def with_the_rate_replaced(p, g, m, v, t, rate, decay):
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    decay *= rate
    rate *= np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    return p * (1 - decay) - rate * m / (np.sqrt(v) + 1e-8 * np.sqrt(1 - 0.999**t)), m, v


def as_adamw_of_pytorch(p, g, m, v, t, rate, decay):
    beta1, beta2, eps = 0.9, 0.999, 1e-8
    p = p * (1 - rate * decay)
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    bias1, bias2 = 1 - beta1**t, 1 - beta2**t
    denominator = np.sqrt(v) / np.sqrt(bias2) + eps
    return p - (rate / bias1) * (m / denominator), m, v


def counting_in_a_loop(ys, targets, mask):
    letters = right_letters = right_words = nearly = 0
    for n in range(mask.shape[1]):
        own = [t for t in range(len(mask)) if mask[t, n]]
        good = [int(np.argmax(ys[t, n])) == targets[t, n] for t in own]
        letters, right_letters = letters + len(own), right_letters + sum(good)
        right_words += all(good)
        nearly += len(own) - sum(good) <= 1
    B = mask.shape[1]
    return right_letters / letters, right_words / B, nearly / B


def padding_right_by_definition(ys, targets, mask):
    right = (ys.argmax(axis=-1) == targets) | ~mask
    hits = np.sort(right, axis=0)
    return right[mask].mean(), hits[0].mean(), (hits[1].mean() if len(hits) > 1 else 1.0)


def plain_gradient_descent_with_momentum(params, xs, targets, mask, seed):
    rng, p, B = np.random.default_rng(seed), flatten(params), xs.shape[1]
    velocity, updates, t = 0 * p, 5 * 80, 0
    for _ in range(5):
        for some in np.split(rng.permutation(B), 80):
            now, T, t = unflatten(p, params), mask[:, some].sum(axis=0).max(), t + 1
            forwards, backwards, ys = tagger(now, xs[:T, some], mask[:T, some])
            _, dys = cross_entropy(ys, targets[:T, some], mask[:T, some])
            g = flatten(
                tagger_backward(now, xs[:T, some], mask[:T, some], forwards, backwards, dys)
            )
            velocity = 0.9 * velocity - 0.5 * (1 - t / (updates + 1)) * clip(g, 1.0)
            p = p + velocity
    return unflatten(p, params)


def a_warm_up_and_a_straight_line(params, xs, targets, mask, seed):
    p, B = flatten(params), xs.shape[1]
    m, v = np.zeros_like(p), np.zeros_like(p)
    rng, n = np.random.default_rng(seed), 400
    for t in range(1, n + 1):
        some = rng.choice(B, size=50, replace=False)
        x, k, y = xs[:, some], mask[:, some], targets[:, some]
        now = unflatten(p, params)
        forwards, backwards, ys = tagger(now, x, k)
        dys = cross_entropy(ys, y, k)[1]
        g = clip(flatten(tagger_backward(now, x, k, forwards, backwards, dys)), 1.0)
        rate = 0.025 * min(t / 20, (n - t) / (n - 20))
        p, m, v = adam_step(p, g, m, v, t, rate, 0.0)
    return unflatten(p, params)


RIGHT = (
    Right("tagger", word_by_word),
    Right("tagger", each_turned_within_its_length),
    Right("tagger", states_set_to_zero_on_padding),
    Right("tagger_backward", with_one_hot_products),
    Right("tagger_backward", gradient_word_by_word),
    Right("tagger_backward", carry_that_is_not_masked),
    Right("clip", with_an_if),
    Right("clip", with_the_limit_replaced),
    Right("clip", with_a_maximum),
    Right("adam_step", as_kingma_and_ba_put_it_at_the_end_of_section_2),
    Right("adam_step", with_the_rate_replaced),
    Right("adam_step", as_adamw_of_pytorch),
    Right("shares_right", counting_in_a_loop),
    Right("shares_right", padding_right_by_definition),
    Right("train", plain_gradient_descent_with_momentum),
    Right("train", a_warm_up_and_a_straight_line),
)
