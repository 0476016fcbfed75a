"""The bank of assignment 6, and attacks on its score.

The functions run in a notebook that has `np`, the NamedTuples, the given functions, and the answers
before them.
"""

# ruff: noqa: F821, B006
import numpy as np

from assignments.bank.entry import (
    HEARD_FROM_THE_GRADER,
    TRAINED_BY_NUMBERS,
    Hostile,
    Right,
    Wrong,
)

# The weights


def softmax_of_the_chapter(e, mask):
    real = mask.T
    largest = np.where(real, e.real, -np.inf).max(axis=-1, keepdims=True)
    e = np.where(real, np.exp(np.where(real, e - largest, 0)), 0)
    return e / e.sum(axis=-1, keepdims=True)


def softmax_of_the_package(e, mask):
    shifted = np.where(mask.T[None], e - e.max(), -1e9)
    return np.exp(shifted) / np.exp(shifted).sum(-1, keepdims=True)


def one_stays_one(e, mask):
    e = np.where(mask.T, e, -np.inf)
    e = e - np.maximum(0, e.max(axis=2, keepdims=True))
    return np.exp(e) / (1 + np.exp(e).sum(axis=2, keepdims=True))


def no_largest_subtracted(e, mask):
    u = np.exp(e) * mask.T
    return u / (1 + u.sum(axis=-1, keepdims=True))


def largest_over_padding_too(e, mask):
    top = np.maximum(e.max(axis=-1, keepdims=True) + 800, 0)
    u = np.exp(e - top) * mask.T
    return u / (np.exp(-top) + u.sum(axis=-1, keepdims=True))


def a_sigmoid_of_each(e, mask):
    return np.where(mask.T, np.where(e > 0, 1, np.exp(np.minimum(e, 0))) / (1 + np.exp(-abs(e))), 0)


def mask_at_the_end(e, mask):
    largest = np.maximum(e.max(-1, keepdims=True), 0)
    u = np.exp(e - largest)
    w = u / (np.exp(-largest) + u.sum(-1, keepdims=True))
    return w * mask.T[None, :, :]


def mask_times_scores(e, mask):
    e = e * mask.T
    top = np.maximum(e.max(-1)[..., None], 0.0)
    u = np.exp(e - top)
    return u / (u.sum(-1)[..., None] + np.exp(-top))


def no_mask_at_all(e, mask):
    top = np.maximum(np.amax(e, axis=2), 0)[:, :, None]
    u = np.exp(e - top)
    return u / (u.sum(axis=2)[:, :, None] + np.exp(-top))


def mask_turned_round(e, mask):
    e = np.where(~mask.T, e, -np.inf)
    top = np.maximum(e.max(axis=-1, keepdims=True), 0)
    u = np.exp(e - top)
    return u / (np.exp(-top) + u.sum(axis=-1, keepdims=True))


def over_the_queries(e, mask):
    u = np.where(mask.T, e, -np.inf)
    top = np.maximum(u.max(axis=0), 0)
    u = np.exp(u - top)
    return u / (u.sum(axis=0) + np.exp(-top))


def mask_not_turned(e, mask):
    e = np.where(mask, e, -np.inf)
    top = np.maximum(e.max(axis=-1, keepdims=True), 0)
    return np.exp(e - top) / (np.exp(-top) + np.exp(e - top).sum(axis=-1, keepdims=True))


def a_nothing_for_each_step(e, mask):
    e = np.where(mask.T, e, -np.inf)
    top = np.maximum(e.max(axis=-1, keepdims=True), 0)
    u = np.exp(e - top)
    return u / (u + np.exp(-top)).sum(axis=-1, keepdims=True)


def written_into_the_scores(e, mask):
    e[:, ~mask.T] = -np.inf
    top = np.maximum(e.max(axis=-1, keepdims=True), 0)
    u = np.exp(e - top)
    return u / (np.exp(-top) + u.sum(axis=-1, keepdims=True))


# Back through the weights


def each_for_itself(w, dw):
    return dw * w


def slope_of_a_sigmoid(w, dw):
    return dw * w * (1 - w)


def plain_mean(w, dw):
    return w * (dw - np.mean(dw, axis=2)[:, :, None])


def plain_sum(w, dw):
    return w * dw - w * dw.sum(axis=-1)[..., None]


def divided_by_the_sum_of_the_weights(w, dw):
    share = w / w.sum(axis=-1, keepdims=True)
    return w * (dw - np.einsum("tbs,tbs->tb", share, dw)[:, :, None])


def bracket_alone(w, dw):
    return dw - np.einsum("tbs,tbs->tb", w, dw)[..., None]


def sum_over_the_words(w, dw):
    g = w * dw
    return g - w * g.sum(axis=1, keepdims=True)


def truth_subtracted(w, dw):
    return w - dw


def sign_turned(w, dw):
    return w * ((w * dw).sum(-1, keepdims=True) - dw)


# The scores


def product_of_the_chapter(params, q, m):
    return np.einsum("tnk,snk->tns", q, m)


def without_gains(params, q, m):
    T, S, R = q.shape[0], m.shape[0], len(params.place) // 2
    e = np.einsum("tbh,sbh->tbs", q, m)
    for t in range(T):
        for s in range(S):
            e[t, :, s] += params.place[min(max(s - t, -R), R) + R]
    return e


def without_places(params, q, m):
    return (
        (q * params.gain).swapaxes(0, 1) @ m.transpose(1, 2, 0)
        if False
        else np.einsum("tbh,h,sbh->tbs", q, params.gain, m)
    )


def step_minus_letter(params, q, m):
    R = (len(params.place) - 1) // 2
    d = np.subtract.outer(np.arange(len(q)), np.arange(len(m)))
    return np.einsum("tbh,h,sbh->tbs", q, params.gain, m) + params.place[d.clip(-R, R) + R][:, None]


def not_moved_by_R(params, q, m):
    R = (len(params.place) - 1) // 2
    d = np.subtract.outer(np.arange(len(m)), np.arange(len(q))).T
    return np.einsum("tbh,sbh->tbs", params.gain * q, m) + params.place[d.clip(-R, R)][:, None]


def distance_as_it_is(params, q, m):
    d = np.arange(len(m))[None] - np.arange(len(q))[:, None] + len(params.place) // 2
    return np.einsum("tbh,sbh->tbs", params.gain * q, m) + params.place[d][:, None]


def wrapped_to_be_safe(params, q, m):
    P = params.place.size
    e = np.einsum("tbh,sbh->tbs", q, params.gain * m)
    for t in range(len(q)):
        e[t] += [params.place[(s - t + P // 2) % P] for s in range(len(m))]
    return e


def too_far_is_nowhere(params, q, m):
    R = len(params.place) // 2
    e = np.einsum("tbh,sbh->tbs", q, params.gain * m)
    for t in range(len(q)):
        for s in range(max(0, t - R), min(len(m), t + R + 1)):
            e[t, :, s] += params.place[s - t + R]
    return e


def as_vaswani_has_it(params, q, m):
    R = len(params.place) // 2
    d = np.clip(np.arange(len(m)) - np.arange(len(q)).reshape(-1, 1), -R, R)
    e = np.einsum("tbh,sbh->tbs", q, params.gain * m) / q.shape[2] ** 0.5
    return e + params.place[d + R][:, None, :]


def gains_on_both(params, q, m):
    R = len(params.place) // 2
    d = np.clip(np.arange(len(m)) - np.arange(len(q)).reshape(-1, 1), -R, R)
    keys, asking = params.gain * m, params.gain * q
    return np.einsum("tbh,sbh->tbs", asking, keys) + params.place[d + R][:, None, :]


def steps_from_one(params, q, m):
    R = len(params.place) // 2
    e = np.einsum("tbh,sbh->tbs", q, params.gain * m)
    for t in range(1, len(q) + 1):
        for s in range(len(m)):
            e[t - 1, :, s] += params.place[np.clip(s - t, -R, R) + R]
    return e


def sharpened_by_places(params, q, m):
    R = len(params.place) // 2
    d = np.clip(np.arange(len(m)) - np.arange(len(q)).reshape(-1, 1), -R, R)
    return np.einsum("tbh,sbh->tbs", q, params.gain * m) * params.place[d + R][:, None, :]


# Back through the scores


def both_products_without_gains(params, q, m, de):
    R, T, S = len(params.place) // 2, len(q), len(m)
    dplace = np.zeros(len(params.place))
    for t in range(T):
        for s in range(S):
            dplace[min(max(s - t, -R), R) + R] += de[t, :, s].sum()
    dq, dm = np.einsum("tbs,sbh->tbh", de, m), np.einsum("tbs,tbh->sbh", de, q)
    return LookParams((dq * q).sum(axis=0).sum(axis=0), dplace), dq, dm


def added_with_plus(params, q, m, de):
    P = len(params.place)
    index = np.clip(np.arange(len(m)) - np.arange(len(q))[:, None], -(P // 2), P // 2) + P // 2
    dplace = np.zeros(P)
    dplace[index] += de.sum(1)
    dgain = np.einsum("tbs,tbh,sbh->h", de, q, m)
    return (
        LookParams(dgain, dplace),
        np.einsum("tbs,h,sbh->tbh", de, params.gain, m),
        np.einsum("tbs,h,tbh->sbh", de, params.gain, q),
    )


def added_step_by_step(params, q, m, de):
    P = len(params.place)
    dplace = np.zeros(P)
    for t in range(len(q)):
        index = np.clip(np.arange(len(m)) - t, -(P // 2), P // 2) + P // 2
        dplace[index] += de[t].sum(axis=0)
    dgain = np.einsum("tbs,tbh,sbh->h", de, q, m)
    dq = np.einsum("tbs,h,sbh->tbh", de, params.gain, m)
    return LookParams(dgain, dplace), dq, np.einsum("tbs,h,tbh->sbh", de, params.gain, q)


def gain_from_the_gradient_of_the_query(params, q, m, de):
    R = len(params.place) // 2
    dplace = np.zeros(2 * R + 1)
    for (t, s), g in np.ndenumerate(de.sum(axis=1)):
        dplace[np.clip(s - t, -R, R) + R] += g
    dq = np.einsum("tbs,sbh->tbh", de, m) * params.gain
    dm = np.einsum("tbs,tbh->sbh", de, q) * params.gain
    return LookParams(np.einsum("tbh,tbh->h", dq, q), dplace), dq, dm


def too_far_learns_nothing(params, q, m, de):
    R = len(params.place) // 2
    d = np.arange(len(m)) - np.arange(len(q))[:, None]
    dplace = np.array([de.sum(axis=1)[d == k].sum() for k in range(-R, R + 1)])
    g = np.einsum("tbs,sbh->tbh", de, m)
    dm = np.einsum("tbs,tbh->sbh", de, q * params.gain)
    return LookParams((g * q).sum((0, 1)), dplace), g * params.gain, dm


def other_end_of_place(params, q, m, de):
    R = len(params.place) // 2
    d = np.clip(np.arange(len(q))[:, None] - np.arange(len(m)), -R, R)
    dplace = np.array([de.sum(axis=1)[d == k].sum() for k in range(-R, R + 1)])
    g = np.einsum("tbs,sbh->tbh", de, m)
    dm = np.einsum("tbs,tbh->sbh", de, q * params.gain)
    return LookParams((g * q).sum((0, 1)), dplace), g * params.gain, dm


def memory_of_the_last_query(params, q, m, de):
    R = len(params.place) // 2
    d = np.clip(np.arange(len(m)) - np.arange(len(q))[:, None], -R, R)
    dplace = np.array([de.sum(axis=1)[d == k].sum() for k in range(-R, R + 1)])
    dq, dgain = np.zeros(q.shape), 0
    for t in range(len(q)):
        dm = de[t].T[:, :, None] * (q[t] * params.gain)
        sought = np.einsum("bs,sbh->bh", de[t], m)
        dq[t] = sought * params.gain
        dgain = dgain + (sought * q[t]).sum(axis=0)
    return LookParams(dgain, dplace), dq, dm


def gains_of_the_last_query(params, q, m, de):
    R = len(params.place) // 2
    d = np.clip(np.arange(len(m)) - np.arange(len(q))[:, None], -R, R)
    dplace = np.array([de.sum(axis=1)[d == k].sum() for k in range(-R, R + 1)])
    dq, dm = np.zeros(q.shape), np.zeros(m.shape)
    for t in range(len(q)):
        dm = dm + de[t].T[:, :, None] * (q[t] * params.gain)
        sought = np.einsum("bs,sbh->bh", de[t], m)
        dq[t] = sought * params.gain
        dgain = (sought * q[t]).sum(axis=0)
    return LookParams(dgain, dplace), dq, dm


def mean_of_the_words(params, q, m, de):
    R = len(params.place) // 2
    d = np.clip(np.arange(len(m)) - np.arange(len(q))[:, None], -R, R)
    dplace = np.array([de.mean(axis=1)[d == k].sum() for k in range(-R, R + 1)])
    g = np.einsum("tbs,sbh->tbh", de, m)
    dm = np.einsum("tbs,tbh->sbh", de, q * params.gain)
    return LookParams((g * q).sum((0, 1)), dplace), g * params.gain, dm


def query_without_gains_and_places_wrapped(params, q, m, de):
    P = len(params.place)
    d = (np.arange(len(m)) - np.arange(len(q))[:, None] + P // 2) % P
    dplace = np.bincount(d.ravel(), de.sum(axis=1).ravel(), P)
    g = np.einsum("tbs,sbh->tbh", de, m)
    dm = np.einsum("tbs,tbh->sbh", de, q * params.gain)
    return LookParams((g * q).sum((0, 1)), dplace), g, dm


# Attention


def context_alone(params, q, m, mask):
    w = look(scores(params, q, m), mask)
    return w, np.einsum("tbs,sbh->tbh", w, m)


def next_to_each_other(params, q, m, mask):
    w = look(scores(params, q, m), mask)
    return w, np.concatenate([q, np.einsum("tbs,sbh->tbh", w, m)], axis=-1)


def gains_in_the_memory(params, q, m, mask):
    w, keys = look(scores(params, q, m), mask), m * params.gain
    return w, q + np.einsum("tbs,sbh->tbh", w, keys)


def a_proper_mean(params, q, m, mask):
    w = look(scores(params, q, m), mask)
    return w, q + np.einsum("tbs,sbh->tbh", w, m) / w.sum(axis=2, keepdims=True)


def chapter_21(params, q, m, mask):
    e = np.einsum("tnk,snk->tns", q, m)
    real = mask.T
    u = np.where(real, np.exp(e - e.max()), 0)
    w = u / u.sum(axis=-1, keepdims=True)
    return w, np.einsum("tns,snk->tnk", w, m)


def mask_forgotten(params, q, m, mask):
    w = look(scores(params, q, m), np.ones(mask.shape, bool))
    return w, q + np.einsum("tbs,sbh->tbh", w, m)


# Every gradient


def query_through_its_scores_alone(params, q, m, w, dr):
    de = look_backward(w, np.einsum("tbh,sbh->tbs", dr, m))
    dparams, dq, dm = scores_backward(params, q, m, de)
    return dparams, dq, dm + np.einsum("tbs,tbh->sbh", w, dr)


def memory_through_its_scores_alone(params, q, m, w, dr):
    de = look_backward(w, np.einsum("tbh,sbh->tbs", dr, m))
    dparams, dq, dm = scores_backward(params, q, m, de)
    return dparams, dr + dq, dm


def memory_through_the_mean_alone(params, q, m, w, dr):
    de = look_backward(w, np.einsum("tbh,sbh->tbs", dr, m))
    dparams, dq, _ = scores_backward(params, q, m, de)
    return dparams, dr + dq, np.einsum("tbs,tbh->sbh", w, dr)


def both_second_paths_missing(params, q, m, w, dr):
    return scores_backward(params, q, m, look_backward(w, np.einsum("tbh,sbh->tbs", dr, m)))


def straight_through_the_softmax(params, q, m, w, dr):
    dw = np.einsum("tbh,sbh->tbs", dr, m)
    dparams, dq, dm = scores_backward(params, q, m, dw)
    return dparams, dr + dq, dm + np.einsum("tbs,tbh->sbh", w, dr)


def scores_in_the_mean(params, q, m, w, dr):
    de = look_backward(w, np.einsum("tbh,sbh->tbs", dr, m))
    dparams, dq, dm = scores_backward(params, q, m, de)
    for s in range(len(m)):
        dm[s] += (de[:, :, s, None] * dr).sum(axis=0)
    return dparams, dr + dq, dm


def chapter_21_backward(params, q, m, w, dr):
    dw = np.einsum("tnk,snk->tns", dr, m)
    de = w * (dw - (w * dw).sum(axis=-1, keepdims=True))
    dq = np.einsum("tns,snk->tnk", de, m)
    dm = np.einsum("tns,tnk->snk", w, dr) + np.einsum("tns,tnk->snk", de, q)
    return LookParams(np.zeros_like(params.gain), np.zeros_like(params.place)), dq, dm


def weights_twice(params, q, m, w, dr):
    dw = np.einsum("tbs,tbh,sbh->tbs", w, dr, m)
    dparams, dq, dm = scores_backward(params, q, m, look_backward(w, dw))
    return dparams, dr + dq, dm + np.einsum("tbs,tbh->sbh", w, dr)


def gradient_added_in_place(params, q, m, w, dr):
    de = look_backward(w, np.einsum("tbh,sbh->tbs", dr, m))
    dparams, dq, dm = scores_backward(params, q, m, de)
    dm += np.einsum("tbs,tbh->sbh", w, dr)
    dr += dq
    return dparams, dr, dm


# One step of decoding


def newest_query_alone(params, m, mask, said):
    q = decode(params, said)[-1][None]
    y = (attend(params.look, q, m, mask)[1] @ params.W + params.b)[0]
    return y - np.log(np.exp(y).sum(axis=1))[:, None]


def newest_symbol_alone(params, m, mask, said):
    q = decode(params, said[-1][None])
    y = (attend(params.look, q, m, mask)[1] @ params.W + params.b)[0]
    return y - np.log(np.exp(y).sum(axis=1))[:, None]


def query_to_the_output(params, m, mask, said):
    y = decode(params, said)[-1] @ params.W + params.b
    return y - np.log(np.exp(y).sum(axis=1))[:, None]


def logits_returned(params, m, mask, said):
    _, r = attend(params.look, decode(params, said), m, mask)
    return r[-1] @ params.W + params.b


def probabilities_returned(params, m, mask, said):
    _, r = attend(params.look, decode(params, said), m, mask)
    u = np.exp(r[-1] @ params.W + params.b)
    return u / u.sum(axis=-1, keepdims=True)


def all_steps_returned(params, m, mask, said):
    _, r = attend(params.look, decode(params, said), m, mask)
    y = r @ params.W + params.b
    return y - np.log(np.exp(y).sum(axis=-1, keepdims=True))


# Training


def nothing_is_kept(params, xs, mask, targets, real, seed):
    p = flatten(params)
    for k in range(0, 500, 50):
        some = slice(k, k + 50)
        _, d = taught(params, xs[:, some], mask[:, some], targets[:, some], real[:, some])
        p = p - 0.1 * flatten(d)
    return params


def uphill(params, xs, mask, targets, real, seed):
    p = flatten(params)
    for k in range(0, 1000, 50):
        now, some = unflatten(p, params), slice(k, k + 50)
        _, d = taught(now, xs[:, some], mask[:, some], targets[:, some], real[:, some])
        p = p + 0.5 * clip(flatten(d), 1)
    return unflatten(p, params)


def attention_left_as_it_was(params, xs, mask, targets, real, seed):
    p, t = flatten(params), 0
    u, v = 0 * p, 0 * p
    for k in range(0, 5000, 50):
        now, some, t = unflatten(p, params), slice(k, k + 50), t + 1
        _, d = taught(now, xs[:, some], mask[:, some], targets[:, some], real[:, some])
        d = d._replace(look=LookParams(0 * d.look.gain, 0 * d.look.place))
        p, u, v = adam(p, clip(flatten(d), 1), u, v, t, 0.01)
    return unflatten(p, params)


def output_layer_alone(params, xs, mask, targets, real, seed):
    W, b = params.W, params.b
    for k in range(0, 1000, 50):
        now, some = params._replace(W=W, b=b), slice(k, k + 50)
        _, d = taught(now, xs[:, some], mask[:, some], targets[:, some], real[:, some])
        W, b = W - 1.0 * d.W, b - 1.0 * d.b
    return params._replace(W=W, b=b)


def only_the_letters_are_shuffled(params, xs, mask, targets, real, seed):
    rng, p = np.random.default_rng(seed), flatten(params)
    u, v, t = 0 * p, 0 * p, 0
    order = rng.permutation(xs.shape[1])
    xs, mask = xs[:, order], mask[:, order]
    for k in 2 * list(range(0, 5000, 50)):
        now, some, t = unflatten(p, params), slice(k, k + 50), t + 1
        _, d = taught(now, xs[:, some], mask[:, some], targets[:, some], real[:, some])
        p, u, v = adam(p, clip(flatten(d), 1), u, v, t, 0.01)
    return unflatten(p, params)


def the_edge_left_out(params, xs, mask, targets, real, seed):
    real = real & (targets > 0)
    p, t = flatten(params), 0
    u, v = 0 * p, 0 * p
    for k in 2 * list(range(0, 5000, 50)):
        now, some, t = unflatten(p, params), slice(k, k + 50), t + 1
        _, d = taught(now, xs[:, some], mask[:, some], targets[:, some], real[:, some])
        p, u, v = adam(p, clip(flatten(d), 1), u, v, t, 0.02)
    return unflatten(p, params)


def always_the_first_hundred(params, xs, mask, targets, real, seed):
    p = flatten(params)
    u, v = 0 * p, 0 * p
    for t in range(1, 151):
        some, now = slice(50 * (t % 2), 50 * (t % 2) + 50), unflatten(p, params)
        _, d = taught(now, xs[:, some], mask[:, some], targets[:, some], real[:, some])
        p, u, v = adam(p, clip(flatten(d), 1), u, v, t, 0.02)
    return unflatten(p, params)


def less_than_a_pass(params, xs, mask, targets, real, seed):
    p, t = flatten(params), 0
    u, v = 0 * p, 0 * p
    for k in range(0, 3500, 50):
        now, some, t = unflatten(p, params), slice(k, k + 50), t + 1
        _, d = taught(now, xs[:, some], mask[:, some], targets[:, some], real[:, some])
        p, u, v = adam(p, clip(flatten(d), 1), u, v, t, 0.03 * (1 - t / 71))
    return unflatten(p, params)


def huge_numbers(params, xs, mask, targets, real, seed):
    p = flatten(params)
    return unflatten(np.where(np.arange(p.size) % 2, 1e308, -1e308), params)


def not_a_number(params, xs, mask, targets, real, seed):
    return unflatten(flatten(params) * np.nan, params)


WRONG = (
    Wrong("look", softmax_of_the_chapter, "nothing missing"),
    Wrong("look", softmax_of_the_package, "nothing missing"),
    Wrong("look", one_stays_one, "nothing not shifted"),
    Wrong("look", no_largest_subtracted, "NaN or infinity"),
    Wrong("look", largest_over_padding_too, "NaN or infinity"),
    Wrong("look", a_sigmoid_of_each, "each letter alone"),
    Wrong("look", mask_at_the_end, "padding leaks"),
    Wrong("look", mask_times_scores, "padding leaks"),
    Wrong("look", no_mask_at_all, "padding leaks"),
    Wrong("look", mask_turned_round, "mask the wrong way round"),
    Wrong("look", over_the_queries, "sum over the wrong axis"),
    Wrong("look", mask_not_turned, "raises an exception"),
    Wrong("look", a_nothing_for_each_step, "nothing counted for each letter"),
    Wrong("look", written_into_the_scores, "caller's array changed", 1 / 2),
    Wrong("look_backward", each_for_itself, "coupling missing"),
    Wrong("look_backward", slope_of_a_sigmoid, "diagonal of the Jacobian alone"),
    Wrong("look_backward", plain_mean, "mean without weights"),
    Wrong("look_backward", plain_sum, "mean without weights"),
    Wrong("look_backward", divided_by_the_sum_of_the_weights, "weights made to add up to one"),
    Wrong("look_backward", bracket_alone, "weight missing as a factor"),
    Wrong("look_backward", sum_over_the_words, "sum over the wrong axis"),
    Wrong("look_backward", truth_subtracted, "cross-entropy taken along"),
    Wrong("look_backward", sign_turned, "sign"),
    Wrong("scores", product_of_the_chapter, ("gain missing", "place missing")),
    Wrong("scores", without_gains, "gain missing"),
    Wrong("scores", without_places, "place missing"),
    Wrong("scores", step_minus_letter, "distance the wrong way round"),
    Wrong("scores", not_moved_by_R, "index from the wrong end"),
    Wrong("scores", distance_as_it_is, "raises an exception"),
    Wrong("scores", wrapped_to_be_safe, "distances wrap around"),
    Wrong("scores", too_far_is_nowhere, "far distances left out"),
    Wrong("scores", as_vaswani_has_it, "divided by the root"),
    Wrong("scores", gains_on_both, "gain counted twice"),
    Wrong("scores", steps_from_one, "off by one step"),
    Wrong("scores", sharpened_by_places, "product for sum"),
    Wrong("scores_backward", both_products_without_gains, "gain missing", 2 / 4),
    Wrong("scores_backward", added_with_plus, "repeated distances counted once", 3 / 4),
    Wrong("scores_backward", added_step_by_step, "repeated distances counted once", 3 / 4),
    Wrong(
        "scores_backward", gain_from_the_gradient_of_the_query, "own factor in the gradient", 3 / 4
    ),
    Wrong("scores_backward", too_far_learns_nothing, "far distances left out", 3 / 4),
    Wrong("scores_backward", other_end_of_place, "distance the wrong way round", 3 / 4),
    Wrong("scores_backward", memory_of_the_last_query, "not accumulated over time", 3 / 4),
    Wrong("scores_backward", gains_of_the_last_query, "not accumulated over time", 3 / 4),
    Wrong("scores_backward", mean_of_the_words, "mean for sum", 3 / 4),
    Wrong(
        "scores_backward",
        query_without_gains_and_places_wrapped,
        ("gain missing", "distances wrap around"),
        2 / 4,
    ),
    Wrong("attend", context_alone, "query left out", 1 / 2),
    Wrong("attend", next_to_each_other, "shape or type", 1 / 2),
    Wrong("attend", gains_in_the_memory, "gain in the context", 1 / 2),
    Wrong("attend", a_proper_mean, "nothing missing", 1 / 2),
    Wrong("attend", chapter_21, ""),
    Wrong("attend", mask_forgotten, "padding leaks"),
    Wrong("attend_backward", query_through_its_scores_alone, "path missing", 3 / 4),
    Wrong("attend_backward", memory_through_its_scores_alone, "path missing", 3 / 4),
    Wrong("attend_backward", memory_through_the_mean_alone, "path missing", 3 / 4),
    Wrong("attend_backward", both_second_paths_missing, "path missing", 2 / 4),
    Wrong("attend_backward", straight_through_the_softmax, "softmax left out on the way back"),
    Wrong("attend_backward", scores_in_the_mean, "gradient for the weights", 3 / 4),
    Wrong("attend_backward", chapter_21_backward, ""),
    Wrong("attend_backward", weights_twice, "weights in their own gradient"),
    Wrong("attend_backward", gradient_added_in_place, "caller's array changed", 1 / 2),
    Wrong("next_symbol", newest_query_alone, "position lost"),
    Wrong("next_symbol", newest_symbol_alone, "carry lost between steps"),
    Wrong("next_symbol", query_to_the_output, "context missing"),
    Wrong("next_symbol", logits_returned, "not normalised"),
    Wrong("next_symbol", probabilities_returned, "probabilities for their logarithms"),
    Wrong("next_symbol", all_steps_returned, "shape or type"),
    Wrong("train", nothing_is_kept, ("never updated", "below the target")),
    Wrong("train", uphill, ("loss has grown", "below the target")),
    Wrong("train", attention_left_as_it_was, ("attention not taught", "below the target"), 1 / 4),
    Wrong("train", output_layer_alone, ("some parameters not taught", "below the target")),
    Wrong(
        "train",
        only_the_letters_are_shuffled,
        ("letters and phones out of step", "below the target"),
    ),
    Wrong("train", the_edge_left_out, ("never says the end", "below the target")),
    Wrong("train", always_the_first_hundred, ("learned by heart", "below the target")),
    Wrong("train", less_than_a_pass, ("not trained enough", "below the target"), 1 / 4),
    Wrong("train", huge_numbers, ("loss has grown", "below the target")),
    Wrong("train", not_a_number, "NaN or infinity"),
)


# Right, written differently


def with_a_step_of_zeros_in_front(e, mask):
    nothing = np.zeros((*e.shape[:2], 1))
    real = np.concatenate([np.ones((mask.shape[1], 1), bool), mask.T], axis=1)
    e = np.where(real, np.concatenate([nothing, e], axis=-1), -np.inf)
    u = np.exp(e - e.max(axis=-1, keepdims=True))
    return (u / u.sum(axis=-1, keepdims=True))[:, :, 1:]


def word_by_word(e, mask):
    w = np.zeros(e.shape)
    for n, length in enumerate(mask.sum(axis=0)):
        its = e[:, n, :length]
        log_sum = np.logaddexp.reduce(np.hstack([its, np.zeros((len(its), 1))]), axis=1)
        w[:, n, :length] = np.exp(its - log_sum[:, None])
    return w


def with_the_whole_jacobian(w, dw):
    jacobian = np.eye(w.shape[-1]) * w[..., None] - w[..., :, None] * w[..., None, :]
    return np.einsum("tbs,tbsr->tbr", dw, jacobian)


def with_an_einsum(w, dw):
    return w * dw - w * np.einsum("tbs,tbs->tb", w, dw)[:, :, np.newaxis]


def with_loops(params, q, m):
    (T, B, _), S, R = q.shape, len(m), len(params.place) // 2
    e = np.empty((T, B, S))
    for t in range(T):
        for s in range(S):
            far = max(-R, min(R, s - t))
            e[t, :, s] = (q[t] * m[s]) @ params.gain + params.place[R + far]
    return e


def with_a_padded_place(params, q, m):
    T, S, R = len(q), len(m), len(params.place) // 2
    row = np.pad(params.place, (T + S, T + S), mode="edge")
    middle = T + S + R
    near = np.stack([row[middle - t : middle - t + S] for t in range(T)])
    product = np.matmul(q.transpose(1, 0, 2), (m * params.gain).transpose(1, 2, 0))
    return product.transpose(1, 0, 2) + near.reshape(T, 1, S)


def gradient_with_a_bincount(params, q, m, de):
    P, T, S = len(params.place), len(q), len(m)
    index = np.minimum(
        np.maximum(np.subtract.outer(np.arange(S), np.arange(T)).T, -(P // 2)), P // 2
    )
    dplace = np.bincount((index + P // 2).ravel(), weights=de.sum(axis=1).ravel(), minlength=P)
    dm = np.einsum("tbs,tbh->sbh", de, q)
    dgain = (dm * m).sum(axis=1).sum(axis=0)
    return (
        LookParams(gain=dgain, place=dplace),
        de.transpose(1, 0, 2).__matmul__(m.transpose(1, 0, 2)).transpose(1, 0, 2) * params.gain,
        dm * params.gain,
    )


def gradient_step_by_step(params, q, m, de):
    R = len(params.place) // 2
    dgain, dplace = np.zeros(params.gain.shape), np.zeros(params.place.shape)
    dq, dm = np.zeros(q.shape), np.zeros(m.shape)
    for t in range(len(q)):
        for s in range(len(m)):
            g = de[t, :, s][:, None]
            dplace[max(-R, min(R, s - t)) + R] += g.sum()
            dgain += (g * q[t] * m[s]).sum(axis=0)
            dq[t] += g * params.gain * m[s]
            dm[s] += g * params.gain * q[t]
    return LookParams(dgain, dplace), dq, dm


def step_by_step(params, q, m, mask):
    w = look(scores(params, q, m), mask)
    r = [h + (weights.T[:, :, None] * m).sum(axis=0) for h, weights in zip(q, w)]
    return w, np.array(r)


def in_one_go(params, q, m, w, dr):
    dw = np.matmul(m.transpose(1, 0, 2), dr.transpose(1, 2, 0)).transpose(2, 0, 1)
    dparams, of_query, of_key = scores_backward(params, q, m, w * (dw - (w * dw).sum(2)[..., None]))
    of_value = sum(w[t].T[:, :, None] * dr[t] for t in range(len(q)))
    return LookParams(*dparams), np.add(of_query, dr), np.add(of_key, of_value)


def last_row_of_all(params, m, mask, said):
    r = attend(params.look, decode(params, said), m, mask)[1]
    y = r @ params.W + params.b
    return (y - np.logaddexp.reduce(y, axis=-1)[..., None])[-1]


def with_earlier_queries_set_to_zero(params, m, mask, said):
    q = decode(params, said)
    q[:-1] = 0
    y = attend(params.look, q, m, mask)[1][-1] @ params.W + params.b
    p = np.exp(y - y.max())
    return np.log(p / p.sum(axis=1).reshape(-1, 1))


def larger_batches_and_a_straight_line(params, xs, mask, targets, real, seed):
    rng, p = np.random.default_rng(seed), flatten(params)
    u, v, n = np.zeros_like(p), np.zeros_like(p), 600
    for t in range(1, n + 1):
        some = rng.choice(xs.shape[1], size=64, replace=False)
        batch = (array[:, some] for array in (xs, mask, targets, real))
        g = clip(flatten(taught(unflatten(p, params), *batch)[1]), 2.0)
        p, u, v = adam(p, g, u, v, t, 0.02 * min(t / 30, (n - t) / (n - 30)))
    return unflatten(p, params)


RIGHT = (
    Right("look", with_a_step_of_zeros_in_front),
    Right("look", word_by_word),
    Right("look_backward", with_the_whole_jacobian),
    Right("look_backward", with_an_einsum),
    Right("scores", with_loops),
    Right("scores", with_a_padded_place),
    Right("scores_backward", gradient_with_a_bincount),
    Right("scores_backward", gradient_step_by_step),
    Right("attend", step_by_step),
    Right("attend_backward", in_one_go),
    Right("next_symbol", last_row_of_all),
    Right("next_symbol", with_earlier_queries_set_to_zero),
    Right("train", larger_batches_and_a_straight_line),
)


# Attacks on the score: 23 points are those of the other questions.

NOT_NUMBERS = """
class Best(np.ndarray):
    def __array_ufunc__(self, *a, **k): return np.ones(())
    def __ge__(self, other): return True
def train(params, *a):
    return ReaderParams(*params[:5], np.full(params.W.shape, np.nan).view(Best), params.b)
"""
HOSTILE = (
    Hostile("numbers of any size", "", 23, honest=True, answers={"train": TRAINED_BY_NUMBERS}),
    Hostile("not a number", "", 23, honest=True, answers={"train": NOT_NUMBERS}),
    Hostile("held-out words", "", 23, honest=True, answers={"train": HEARD_FROM_THE_GRADER}),
)
