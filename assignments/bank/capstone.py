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
    return first, second, np.concatenate([first, second], axis=-1) @ params.W + params.b


def turned_with_a_slice_that_does_not_turn(params, xs, mask):
    def read(p, xs, mask):
        h, hs = np.zeros((xs.shape[1], len(p.b))), []
        for x, keep in zip(xs, mask[:, :, None]):
            h = np.where(keep, np.tanh(p.W_x[x] + h @ p.W_h + p.b), h)
            hs.append(np.where(keep, h, 0))
        return np.stack(hs)

    first, second = read(params.forwards, xs, mask), read(params.backwards, xs[::1], mask[::1])[::1]
    return first, second, np.concatenate([first, second], axis=-1) @ params.W + params.b


def mask_forgotten_in_the_recurrence(params, xs, mask):
    def read(p, xs):
        h, hs = np.zeros((xs.shape[1], len(p.b))), []
        for x in xs:
            h = np.tanh(p.W_x[x] + h @ p.W_h + p.b)
            hs.append(h)
        return np.stack(hs)

    real = mask[:, :, None]
    first, second = read(params.forwards, xs) * real, read(params.backwards, xs[::-1])[::-1] * real
    return first, second, np.concatenate([first, second], axis=-1) @ params.W + params.b


def one_set_of_weights(params, xs, mask):
    outputs = []
    for turn in (1, -1):
        h, hs = np.zeros((xs.shape[1], len(params.forwards.b))), []
        for x, keep in zip(xs[::turn], mask[::turn, :, None]):
            h = np.where(
                keep,
                np.tanh(params.forwards.W_x[x] + h @ params.forwards.W_h + params.forwards.b),
                h,
            )
            hs.append(np.where(keep, h, 0))
        outputs.append(np.stack(hs)[::turn])
    return *outputs, np.concatenate(outputs, axis=-1) @ params.W + params.b


def logits_hidden_on_padding(params, xs, mask):
    outputs = []
    for p, turn in ((params.forwards, 1), (params.backwards, -1)):
        h, hs = np.zeros((xs.shape[1], len(p.b))), []
        for x, keep in zip(xs[::turn], mask[::turn, :, None]):
            h = np.where(keep, np.tanh(p.W_x[x] + h @ p.W_h + p.b), h)
            hs.append(h * keep)
        outputs.append(np.stack(hs)[::turn])
    return *outputs, (np.concatenate(outputs, axis=-1) @ params.W + params.b) * mask[:, :, None]


# Its gradient


def letters_counted_once(params, xs, mask, forwards, backwards, dys):
    dboth, parts = dys @ params.W.T, []
    H = forwards.shape[-1]
    for p, hs, dhs, turn in (
        (params.forwards, forwards, dboth[..., :H], 1),
        (params.backwards, backwards, dboth[..., H:], -1),
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
    both = np.concatenate([forwards, backwards], axis=-1)
    return TaggerParams(*parts, np.einsum("tbj,tbk->jk", both, dys), dys.sum((0, 1)))


def gradient_of_the_second_reading_not_turned(params, xs, mask, forwards, backwards, dys):
    dboth, parts = dys @ params.W.T, []
    H = forwards.shape[-1]
    for p, hs, dhs, turn in (
        (params.forwards, forwards, dboth[..., :H], 1),
        (params.backwards, backwards, dboth[..., H:], -1),
    ):
        dW_x, dW_h, db, dh = np.zeros_like(p.W_x), np.zeros_like(p.W_h), np.zeros_like(p.b), 0
        hs, letters, real = hs[::turn], xs[::turn], mask[::turn]
        for t in range(len(xs) - 1, -1, -1):
            da = (dhs[t] + dh) * (1 - hs[t] ** 2) * real[t][:, None]
            np.add.at(dW_x, letters[t], da)
            dW_h += (hs[t - 1] if t else 0 * hs[0]).T @ da
            db += da.sum(0)
            dh = da @ p.W_h.T
        parts.append(RNNParams(dW_x, dW_h, db))
    both = np.concatenate([forwards, backwards], axis=-1)
    return TaggerParams(*parts, np.einsum("tbj,tbk->jk", both, dys), dys.sum((0, 1)))


def carry_lost(params, xs, mask, forwards, backwards, dys):
    dboth, parts = dys @ params.W.T, []
    for p, hs, dhs, turn in zip(
        params[:2], (forwards, backwards), np.split(dboth, 2, axis=-1), (1, -1)
    ):
        hs, dhs, letters, real = hs[::turn], dhs[::turn], xs[::turn], mask[::turn]
        da = dhs * (1 - hs**2) * real[:, :, None]
        old = np.concatenate([0 * hs[:1], hs[:-1]])
        dW_x = np.zeros_like(p.W_x)
        np.add.at(dW_x, letters, da)
        parts.append(RNNParams(dW_x, np.einsum("tbi,tbj->ij", old, da), da.sum((0, 1))))
    both = np.concatenate([forwards, backwards], axis=-1)
    return TaggerParams(*parts, np.einsum("tbj,tbk->jk", both, dys), dys.sum((0, 1)))


def walk_through_the_padding(params, xs, mask, forwards, backwards, dys):
    dboth, parts = dys @ params.W.T, []
    for p, hs, dhs, turn in zip(
        params[:2], (forwards, backwards), np.split(dboth, 2, axis=-1), (1, -1)
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
    both = np.concatenate([forwards, backwards], axis=-1)
    return TaggerParams(*parts, np.einsum("tbj,tbk->jk", both, dys), dys.sum((0, 1)))


# Clipping, Adam, the measure


def clipped_entry_by_entry(g, limit):
    return np.clip(g, -limit, limit)


def always_of_the_same_length(g, limit):
    return g * limit / np.linalg.norm(g)


def clipped_in_place(g, limit):
    norm = np.sqrt(np.sum(g**2))
    if norm > limit:
        g *= limit / norm
    return g


def betas_exchanged(p, g, m, v, t, rate):
    m = 0.999 * m + 0.001 * g
    v = 0.9 * v + 0.1 * g**2
    return p - rate * (m / (1 - 0.999**t)) / (np.sqrt(v / (1 - 0.9**t)) + 1e-8), m, v


def counted_from_zero(p, g, m, v, t, rate):
    m, v, t = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2, t + 1
    return p - rate * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8), m, v


def corrected_means_go_on(p, g, m, v, t, rate):
    m = (0.9 * m + 0.1 * g) / (1 - 0.9**t)
    v = (0.999 * v + 0.001 * g**2) / (1 - 0.999**t)
    return p - rate * m / (np.sqrt(v) + 1e-8), m, v


def large_epsilon(p, g, m, v, t, rate):
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    return p - rate * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-1), m, v


def padding_among_the_letters(ys, targets, mask):
    right = ys.argmax(axis=-1) == targets
    return right.mean(), (right | ~mask).all(axis=0).mean()


def padding_must_be_right(ys, targets, mask):
    right = ys.argmax(axis=-1) == targets
    return right[mask].mean(), right.all(axis=0).mean()


def mean_of_the_words(ys, targets, mask):
    right = (ys.argmax(axis=-1) == targets) & mask
    return np.mean(right.sum(axis=0) / mask.sum(axis=0)), np.mean(
        right.sum(axis=0) == mask.sum(axis=0)
    )


# The training


def nothing_is_kept(params, xs, targets, mask, seed):
    p = flatten(params)
    g = flatten(
        tagger_backward(
            params, xs, mask, *tagger(params, xs, mask)[:2], 0 * tagger(params, xs, mask)[2] + 1e-3
        )
    )
    adam_step(p, g, 0 * p, 0 * p, 1, 0.01)
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
            p, m, v = adam_step(p, clip(g, 1.0), m, v, t, 0.01)
    return unflatten(p, params)


def always_the_first_hundred(params, xs, targets, mask, seed):
    p, xs, targets, mask = flatten(params), xs[:, :100], targets[:, :100], mask[:, :100]
    m, v = 0 * p, 0 * p
    for t in range(1, 101):
        now = unflatten(p, params)
        forwards, backwards, ys = tagger(now, xs, mask)
        g = flatten(
            tagger_backward(now, xs, mask, forwards, backwards, cross_entropy(ys, targets, mask)[1])
        )
        p, m, v = adam_step(p, clip(g, 1.0), m, v, t, 0.02)
    return unflatten(p, params)


def one_pass_with_timid_steps(params, xs, targets, mask, seed):
    p = flatten(params)
    m, v, t = 0 * p, 0 * p, 0
    for k in range(0, xs.shape[1], 50):
        now, some, t = unflatten(p, params), slice(k, k + 50), t + 1
        forwards, backwards, ys = tagger(now, xs[:, some], mask[:, some])
        _, dys = cross_entropy(ys, targets[:, some], mask[:, some])
        g = flatten(tagger_backward(now, xs[:, some], mask[:, some], forwards, backwards, dys))
        p, m, v = adam_step(p, g, m, v, t, 0.003)
    return unflatten(p, params)


def one_direction_alone(params, xs, targets, mask, seed):
    p = flatten(params)
    m, v, t = 0 * p, 0 * p, 0
    for k in range(0, xs.shape[1], 50):
        now, some, t = unflatten(p, params), slice(k, k + 50), t + 1
        forwards, backwards, ys = tagger(now, xs[:, some], mask[:, some])
        _, dys = cross_entropy(ys, targets[:, some], mask[:, some])
        dparams = tagger_backward(now, xs[:, some], mask[:, some], forwards, backwards, dys)
        dparams = dparams._replace(backwards=RNNParams(*(0 * array for array in dparams.backwards)))
        p, m, v = adam_step(p, flatten(dparams), m, v, t, 0.01)
    return unflatten(p, params)


def left_to_chance(params, xs, targets, mask, seed):
    rng, p = np.random.default_rng(), flatten(params)
    m, v, t, B = 0 * p, 0 * p, 0, xs.shape[1]
    for _ in range(6):
        order = rng.permutation(B)
        for k in range(0, B, 50):
            now, some, t = unflatten(p, params), order[k : k + 50], t + 1
            forwards, backwards, ys = tagger(now, xs[:, some], mask[:, some])
            _, dys = cross_entropy(ys, targets[:, some], mask[:, some])
            g = flatten(tagger_backward(now, xs[:, some], mask[:, some], forwards, backwards, dys))
            p, m, v = adam_step(p, clip(g, 1), m, v, t, 0.02 * (1 - t / 481))
    return unflatten(p, params)


WRONG = (
    Wrong("tagger", second_reading_not_turned_back, "not turned back", 1 / 3),
    Wrong("tagger", turned_with_a_slice_that_does_not_turn, "both readings run forwards", 1 / 3),
    Wrong("tagger", mask_forgotten_in_the_recurrence, "padding leaks", 1 / 3),
    Wrong("tagger", one_set_of_weights, "one network for both directions", 1 / 3),
    Wrong("tagger", logits_hidden_on_padding, "outputs hidden on padding", 2 / 3),
    Wrong("tagger_backward", letters_counted_once, "repeated letters counted once", 6 / 8),
    Wrong(
        "tagger_backward", gradient_of_the_second_reading_not_turned, "gradient not turned", 5 / 8
    ),
    Wrong("tagger_backward", carry_lost, "carry lost between steps", 2 / 8),
    Wrong("tagger_backward", walk_through_the_padding, "padding leaks", 6 / 8),
    Wrong("clip", clipped_entry_by_entry, "clipped entry by entry"),
    Wrong("clip", always_of_the_same_length, "clipped always"),
    Wrong("clip", clipped_in_place, "caller's array changed", 1 / 2),
    Wrong("adam_step", betas_exchanged, "betas exchanged"),
    Wrong("adam_step", counted_from_zero, "off by one step", 2 / 3),
    Wrong("adam_step", corrected_means_go_on, "corrected means kept", 1 / 3),
    Wrong("adam_step", large_epsilon, "", 2 / 3),
    Wrong("shares_right", padding_among_the_letters, "padding leaks", 1 / 2),
    Wrong("shares_right", padding_must_be_right, "padding leaks", 1 / 2),
    Wrong("shares_right", mean_of_the_words, "mean of means", 1 / 2),
    Wrong("train", nothing_is_kept, "never updated"),
    Wrong("train", uphill, "uphill"),
    Wrong("train", only_the_letters_are_shuffled, "letters and phones out of step"),
    Wrong("train", always_the_first_hundred, "learned by heart"),
    Wrong("train", one_pass_with_timid_steps, "not trained enough", 1 / 4),
    Wrong("train", one_direction_alone, "one direction not taught", 1 / 2),
    Wrong("train", left_to_chance, "state kept between calls", 1 / 2),
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
    return forwards, backwards, forwards @ params.W[:H] + backwards @ params.W[H:] + params.b


def with_one_hot_products(params, xs, mask, forwards, backwards, dys):
    V, H = params.forwards.W_x.shape
    one_hot = (xs[..., None] == np.arange(V)).astype(float)
    W, parts = np.split(params.W, 2), []
    for p, hs, w, steps in (
        (params.forwards, forwards, W[0], range(len(xs) - 1, -1, -1)),
        (params.backwards, backwards, W[1], range(len(xs))),
    ):
        total, dh = (
            [np.zeros_like(p.W_x), np.zeros_like(p.W_h), np.zeros_like(p.b)],
            np.zeros_like(hs[0]),
        )
        before = -1 if steps.step < 0 else 1
        for t in steps:
            da = np.einsum("bh,bh,b->bh", dys[t] @ w.T + dh, 1 - hs[t] ** 2, mask[t])
            old = hs[t + before] if 0 <= t + before < len(xs) else np.zeros_like(hs[0])
            total = [a + b for a, b in zip(total, (one_hot[t].T @ da, old.T @ da, da.sum(0)))]
            dh = np.einsum("bj,ij->bi", da, p.W_h)
        parts.append(RNNParams(*total))
    both = np.concatenate([forwards, backwards], axis=-1).reshape(-1, 2 * H)
    return TaggerParams(
        *parts, both.T @ dys.reshape(len(both), -1), dys.reshape(len(both), -1).sum(axis=0)
    )


def with_an_if(g, limit):
    length = np.sqrt(sum(float(x) ** 2 for x in g))
    return g.copy() if length <= limit else g / length * limit


def as_kingma_and_ba_put_it_at_the_end_of_section_2(p, g, m, v, t, rate):
    m, v = m + 0.1 * (g - m), v + (1 - 0.999) * (g * g - v)
    fix = np.sqrt(1 - 0.999**t)
    return p - rate * fix / (1 - 0.9**t) * m / (np.sqrt(v) + 1e-8 * fix), m, v


def counting_in_a_loop(ys, targets, mask):
    letters = right_letters = right_words = 0
    for n in range(mask.shape[1]):
        own = [t for t in range(len(mask)) if mask[t, n]]
        good = [int(np.argmax(ys[t, n])) == targets[t, n] for t in own]
        letters, right_letters, right_words = (
            letters + len(own),
            right_letters + sum(good),
            right_words + all(good),
        )
    return right_letters / letters, right_words / mask.shape[1]


def plain_gradient_descent_with_momentum(params, xs, targets, mask, seed):
    rng, p, B = np.random.default_rng(seed), flatten(params), xs.shape[1]
    velocity, updates, t = 0 * p, 8 * 80, 0
    for _ in range(8):
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


RIGHT = (
    Right("tagger", word_by_word),
    Right("tagger_backward", with_one_hot_products),
    Right("clip", with_an_if),
    Right("adam_step", as_kingma_and_ba_put_it_at_the_end_of_section_2),
    Right("shares_right", counting_in_a_loop),
    Right("train", plain_gradient_descent_with_momentum),
)
