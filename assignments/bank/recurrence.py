"""The bank of assignment 7, and attacks on its score.

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

# The recurrence


def chapter_23(steps, start, h):
    a, b = steps.a, steps.b
    hs = np.empty_like(b)
    for t in range(len(a)):
        np.multiply(a[t], h, out=hs[t])
        hs[t] += b[t]
        h = hs[t]
    return hs


def start_where_it_goes_on(steps, start, h):
    hs = np.zeros_like(steps.a)
    for t in range(len(hs)):
        going_on = steps.new[t][:, None]
        h = steps.a[t] * (going_on * h + (1 - going_on) * start) + steps.b[t]
        hs[t] = h
    return hs


def from_zero_at_each_beginning(steps, start, h):
    hs = []
    for t in range(steps.a.shape[0]):
        h = h * (steps.new[t] == 0)[:, None]
        h = steps.a[t] * h + steps.b[t]
        hs.append(h)
    return np.array(hs)


def reset_after_the_step(steps, start, h):
    hs = []
    for t in range(len(steps.a)):
        h = steps.a[t] * h + steps.b[t]
        hs.append(h)
        h = np.where(steps.new[t][:, None] == 1, start, h)
    return np.stack(hs)


def reset_before_the_next(steps, start, h):
    hs, T = [], len(steps.a)
    for t in range(T):
        h = steps.a[t] * h + steps.b[t]
        hs.append(h)
        if t + 1 < T:
            h = np.where(steps.new[t + 1][:, None] == 1, start, h)
    return np.stack(hs)


def start_instead_of_a_step(steps, start, h):
    out = []
    for f, a, b in zip(steps.new, steps.a, steps.b):
        h = a * h + b
        h[f > 0] = start
        out.append(h)
    return np.stack(out)


def start_plus_term(steps, start, h):
    out = []
    for f, a, b in zip(steps.new, steps.a, steps.b):
        f = f.reshape(-1, 1)
        h = f * start + (1 - f) * (a * h) + b
        out.append(h)
    return np.stack(out)


def start_on_top(steps, start, h):
    out = []
    for f, a, b in zip(*steps):
        h = a * (h + f[:, None] * start) + b
        out.append(h)
    return np.stack(out)


def every_row_begins(steps, start, h):
    h, out = np.tile(start, (len(h), 1)), []
    for f, a, b in zip(*steps):
        h = a * np.where(f[:, None] > 0, start, h) + b
        out.append(h)
    return np.stack(out)


def written_into_h(steps, start, h):
    out = []
    for f, a, b in zip(*steps):
        h[f > 0] = start
        h = a * h + b
        out.append(h.copy())
    return np.stack(out)


def flags_not_turned(steps, start, h):
    out = []
    for f, a, b in zip(*steps):
        h = a * np.where(f, start, h) + b
        out.append(h)
    return np.stack(out)


# Its gradient


def gradient_of_chapter_23(steps, start, h, hs, dhs):
    a = steps.a
    next_a = np.concatenate([a[1:], np.zeros_like(a[:1])])
    G = np.zeros_like(dhs)
    carry = np.zeros_like(h)
    for t in range(len(a) - 1, -1, -1):
        carry = dhs[t] + next_a[t] * carry
        G[t] = carry
    return G * np.concatenate([h[None], hs[:-1]]), G, np.zeros_like(start), a[0] * G[0]


def leaks_through_beginnings(steps, start, h, hs, dhs):
    new, a, b = steps
    before = np.where(new[..., None] > 0, start, np.concatenate([h[None], hs[:-1]]))
    G, carry, dstart = np.empty_like(dhs), np.zeros_like(h), np.zeros_like(start)
    for t in range(len(a))[::-1]:
        G[t] = dhs[t] + carry
        carry = a[t] * G[t]
        dstart += (new[t][:, None] * carry).sum(axis=0)
    return G * before, G, dstart, carry


def cut_a_step_early(steps, start, h, hs, dhs):
    new, a, b = steps
    on = 1 - new[..., None]
    before = (1 - on) * start + on * np.concatenate([h[None], hs[:-1]])
    G, carry, dstart = np.empty_like(dhs), np.zeros_like(h), np.zeros_like(start)
    for t in range(len(a))[::-1]:
        G[t] = dhs[t] + on[t] * carry
        carry = a[t] * G[t]
        dstart += ((1 - on[t]) * carry).sum(axis=0)
    return G * before, G, dstart, on[0] * carry


def first_step_leaks(steps, start, h, hs, dhs):
    new, a, b = steps
    on = 1 - new[..., None]
    before = (1 - on) * start + on * np.concatenate([h[None], hs[:-1]])
    G = dhs.copy()
    for t in range(len(a) - 2, -1, -1):
        G[t] += on[t + 1] * a[t + 1] * G[t + 1]
    dstart = ((1 - on) * a * G).sum(axis=1).sum(axis=0)
    return G * before, G, dstart, a[0] * G[0]


def states_after(steps, start, h, hs, dhs):
    on = 1 - steps.new[..., None]
    G = dhs.copy()
    for t in range(len(G) - 2, -1, -1):
        G[t] += on[t + 1] * steps.a[t + 1] * G[t + 1]
    dbefore = steps.a * G
    return G * hs, G, ((1 - on) * dbefore).sum(axis=(0, 1)), on[0] * dbefore[0]


def states_of_the_row(steps, start, h, hs, dhs):
    on = 1 - steps.new[..., None]
    G = dhs.copy()
    for t in range(len(G) - 2, -1, -1):
        G[t] += on[t + 1] * steps.a[t + 1] * G[t + 1]
    dbefore = steps.a * G
    previous = np.vstack([h[None], hs[:-1]])
    return G * previous, G, ((1 - on) * dbefore).sum(axis=(0, 1)), on[0] * dbefore[0]


def factor_of_the_step_itself(steps, start, h, hs, dhs):
    new, a, _ = steps
    begins = new[:, :, None]
    before = np.where(begins, start, np.concatenate([h[None], hs[:-1]]))
    G, dbefore, carry = np.zeros_like(a), np.zeros_like(a), 0 * h
    for t in range(len(a) - 1, -1, -1):
        G[t] = dhs[t] + carry
        dbefore[t] = a[t - 1] * G[t]
        carry = (1 - begins[t]) * dbefore[t]
    return G * before, G, (begins * dbefore).sum((0, 1)), carry


def start_without_its_factor(steps, start, h, hs, dhs):
    da, db, _, dh = leaving_out_nothing(steps, start, h, hs, dhs)
    return da, db, (steps.new[..., None] * db).sum(axis=(0, 1)), dh


def start_of_every_step(steps, start, h, hs, dhs):
    da, db, _, dh = leaving_out_nothing(steps, start, h, hs, dhs)
    return da, db, (steps.a * db).sum(axis=0).sum(axis=0), dh


def start_as_a_mean(steps, start, h, hs, dhs):
    da, db, dstart, dh = leaving_out_nothing(steps, start, h, hs, dhs)
    return da, db, dstart / len(h), dh


def terms_get_what_comes_from_outside(steps, start, h, hs, dhs):
    da, _, dstart, dh = leaving_out_nothing(steps, start, h, hs, dhs)
    return da, dhs, dstart, dh


def one_step_back_only(steps, start, h, hs, dhs):
    new, a, _ = steps
    f = new[..., None]
    before = np.where(f > 0, start, np.concatenate([h[None], hs[:-1]]))
    passed = a * dhs
    G = dhs.copy()
    G[:-1] += (1 - f[1:]) * passed[1:]
    return G * before, G, (f * passed).sum(axis=(0, 1)), (1 - f[0]) * passed[0]


def factors_and_terms_exchanged(steps, start, h, hs, dhs):
    da, db, dstart, dh = leaving_out_nothing(steps, start, h, hs, dhs)
    return db, da, dstart, dh


def carry_in_the_gradients_of_the_caller(steps, start, h, hs, dhs):
    f = steps.new[..., None]
    before = np.where(f > 0, start, np.concatenate([h[None], hs[:-1]]))
    G = dhs
    for t in range(len(G) - 2, -1, -1):
        G[t] += (1 - f[t + 1]) * steps.a[t + 1] * G[t + 1]
    passed = steps.a * G
    return G * before, 1 * G, (f * passed).sum(axis=(0, 1)), (1 - f[0]) * passed[0]


def start_of_every_step_and_states_after(steps, start, h, hs, dhs):
    _, db, _, dh = leaving_out_nothing(steps, start, h, hs, dhs)
    return db * hs, db, (steps.a * db).sum(axis=0).sum(axis=0), dh


def with_its_own(function):
    """Return the source of a cell: a right gradient under another name, and what is done to it."""
    import inspect

    name = function.__name__
    source = inspect.getsource(function).replace(f"def {name}(", "def recurrence_backward(")
    return inspect.getsource(leaving_out_nothing) + "\n\n" + source


def leaving_out_nothing(steps, start, h, hs, dhs):
    f = steps.new[..., None]
    before = np.where(f > 0, start, np.concatenate([h[None], hs[:-1]]))
    G = dhs.copy()
    for t in range(len(G) - 2, -1, -1):
        G[t] += (1 - f[t + 1]) * steps.a[t + 1] * G[t + 1]
    passed = steps.a * G
    return G * before, G, (f * passed).sum(axis=(0, 1)), (1 - f[0]) * passed[0]


# Joining


def without_flags(earlier, later):
    new = np.maximum(earlier.new, later.new)
    return Piece(new, later.a * earlier.a, later.a * earlier.b + later.b)


def without_flags_in_the_term(earlier, later):
    on = 1 - later.new[..., None]
    new = np.maximum(earlier.new, later.new)
    a = on * later.a * earlier.a + (1 - on) * later.a
    return Piece(new, a, later.a * earlier.b + later.b)


def without_flags_in_the_factor(earlier, later):
    on = 1 - later.new[..., None]
    new = np.maximum(earlier.new, later.new)
    return Piece(new, later.a * earlier.a, on * later.a * earlier.b + later.b)


def flag_of_the_earlier(earlier, later):
    on = (earlier.new == 0)[..., None]
    new = np.logical_or(earlier.new, later.new).astype(float)
    return Piece(
        new,
        np.where(on, later.a * earlier.a, later.a),
        np.where(on, later.a * earlier.b + later.b, later.b),
    )


def flag_of_the_later_alone(earlier, later):
    on = later.new[..., None] == 0
    a = np.where(on, later.a * earlier.a, later.a)
    return Piece(later.new, a, np.where(on, later.a * earlier.b, 0) + later.b)


def flags_added(earlier, later):
    on = 1 - later.new[..., None]
    a = later.a * (on * earlier.a + 1 - on)
    return Piece(earlier.new + later.new, a, on * later.a * earlier.b + later.b)


def later_one_first(earlier, later):
    on = 1 - earlier.new[..., None]
    a = earlier.a * np.where(on, later.a, 1)
    b = on * earlier.a * later.b + earlier.b
    return Piece(np.maximum(earlier.new, later.new), a, b)


def joined_factor_for_the_term(earlier, later):
    on = later.new[..., None] == 0
    a = np.where(on, later.a * earlier.a, later.a)
    b = np.where(on, a * earlier.b + later.b, later.b)
    return Piece(np.maximum(earlier.new, later.new), a, b)


def nothing_left_of_the_factor(earlier, later):
    on = 1 - later.new[..., None]
    new = np.maximum(earlier.new, later.new)
    return Piece(new, on * later.a * earlier.a, on * later.a * earlier.b + later.b)


# The scan


def scan_of_chapter_23(steps):
    new, a, b = (x.copy() for x in steps)
    distance = 1
    while distance < len(a):
        b[distance:] += a[distance:] * b[:-distance]
        a[distance:] = a[distance:] * a[:-distance]
        new[distance:] = np.maximum(new[distance:], new[:-distance])
        distance *= 2
    return Piece(new, a, b)


def exchanged_lines(steps):
    new, a, b = (x.copy() for x in steps)
    d = 1
    while d < len(a):
        on = 1 - new[d:, :, None]
        a[d:] = a[d:] * np.where(on > 0, a[:-d], 1)
        b[d:] = b[d:] + on * a[d:] * b[:-d]
        new[d:] = np.maximum(new[d:], new[:-d])
        d *= 2
    return Piece(new, a, b)


def flags_joined_first(steps):
    new, a, b = (x.copy() for x in steps)
    d = 1
    while d < len(a):
        new[d:] = np.maximum(new[d:], new[:-d])
        on = 1 - new[d:, :, None]
        b[d:] = b[d:] + on * a[d:] * b[:-d]
        a[d:] = a[d:] * np.where(on > 0, a[:-d], 1)
        d *= 2
    return Piece(new, a, b)


def one_more_each_level(steps):
    now, d = steps, 1
    while d < len(steps.a):
        ahead = join(Piece(*(x[:-d] for x in now)), Piece(*(x[d:] for x in now)))
        now = Piece(*(np.concatenate([x[:d], y]) for x, y in zip(now, ahead)))
        d += 1
    return now


def half_of_the_levels(steps):
    now, d = steps, 1
    while d <= len(steps.a) // 2:
        ahead = join(Piece(*(x[:-d] for x in now)), Piece(*(x[d:] for x in now)))
        now = Piece(*(np.concatenate([x[:d], y]) for x, y in zip(now, ahead)))
        d *= 2
        if 2 * d > len(steps.a):
            break
    return now


def later_piece_first(steps):
    now, d = steps, 1
    while d < len(steps.a):
        ahead = join(Piece(*(x[d:] for x in now)), Piece(*(x[:-d] for x in now)))
        now = Piece(*(np.concatenate([x[:d], y]) for x, y in zip(now, ahead)))
        d *= 2
    return now


def without_the_step_itself(steps):
    T, one = len(steps.a), Piece(0 * steps.new[0], 1 + 0 * steps.a[0], 0 * steps.b[0])
    found = []
    for t in range(T):
        found.append(one)
        one = join(one, Piece(*(x[t] for x in steps)))
    return Piece(*(np.stack(x) for x in zip(*found)))


def written_into_the_steps(steps):
    new, a, b = steps
    for t in range(1, len(a)):
        one = join(*(Piece(new[k], a[k], b[k]) for k in (t - 1, t)))
        new[t], a[t], b[t] = one
    return Piece(1 * new, 1 * a, 1 * b)


# Blocks


def every_block_from_h(steps, start, h, sizes):
    wholes, hs, first = [], [], 0
    for size in sizes:
        part = scan(Piece(*(x[first : first + size] for x in steps)))
        hs.append(part.a * np.where(part.new[..., None] > 0, start, h) + part.b)
        wholes.append([x[-1] for x in part])
        first += size
    return Piece(*(np.stack(x) for x in zip(*wholes))), np.concatenate(hs)


def every_block_begins_anew(steps, start, h, sizes):
    wholes, hs, first = [], [], 0
    for size in sizes:
        part = scan(Piece(*(x[first : first + size] for x in steps)))
        before = h if first == 0 else start
        hs.append(part.a * np.where(part.new[..., None] > 0, start, before) + part.b)
        wholes.append([x[-1] for x in part])
        first += size
    return Piece(*(np.stack(x) for x in zip(*wholes))), np.concatenate(hs)


def factor_of_all_the_block(steps, start, h, sizes):
    wholes, hs, first = [], [], 0
    for size in sizes:
        part = scan(Piece(*(x[first : first + size] for x in steps)))
        hs.append(part.a[-1] * np.where(part.new[..., None] > 0, start, h) + part.b)
        h = hs[-1][-1]
        wholes.append([x[-1] for x in part])
        first += size
    return Piece(*(np.stack(x) for x in zip(*wholes))), np.concatenate(hs)


def carried_through_beginnings(steps, start, h, sizes):
    wholes, hs, first = [], [], 0
    for size in sizes:
        part = scan(Piece(*(x[first : first + size] for x in steps)))
        hs.append(part.a * h + part.b)
        h = hs[-1][-1]
        wholes.append([x[-1] for x in part])
        first += size
    return Piece(*(np.stack(x) for x in zip(*wholes))), np.concatenate(hs)


def flags_of_the_steps(steps, start, h, sizes):
    wholes, hs, first = [], [], 0
    for size in sizes:
        block = Piece(*(x[first : first + size] for x in steps))
        part = scan(block)
        hs.append(part.a * np.where(block.new[..., None] > 0, start, h) + part.b)
        h = hs[-1][-1]
        wholes.append([x[-1] for x in part])
        first += size
    return Piece(*(np.stack(x) for x in zip(*wholes))), np.concatenate(hs)


def states_by_the_loop_and_wholes_of_the_row(steps, start, h, sizes):
    ends = np.cumsum(sizes) - 1
    return Piece(*(x[ends] for x in scan(steps))), recurrence(steps, start, h)


def last_states_for_terms(steps, start, h, sizes):
    wholes, hs, first = [], [], 0
    for size in sizes:
        part = scan(Piece(*(x[first : first + size] for x in steps)))
        hs.append(part.a * np.where(part.new[..., None] > 0, start, h) + part.b)
        h = hs[-1][-1]
        wholes.append([part.new[-1], part.a[-1], h])
        first += size
    return Piece(*(np.stack(x) for x in zip(*wholes))), np.concatenate(hs)


def blocks_of_one_size(steps, start, h, sizes):
    size = len(steps.a) // len(sizes)
    wholes, hs = [], []
    for k in range(len(sizes)):
        end = (k + 1) * size if k + 1 < len(sizes) else len(steps.a)
        part = scan(Piece(*(x[k * size : end] for x in steps)))
        hs.append(part.a * np.where(part.new[..., None] > 0, start, h) + part.b)
        h = hs[-1][-1]
        wholes.append([x[-1] for x in part])
    return Piece(*(np.stack(x) for x in zip(*wholes))), np.concatenate(hs)


# The gate


def no_share_to_write(z):
    k, r, n = np.split(z, 3, axis=-1)
    p = np.exp(k) / (np.exp(k) + np.exp(r))
    return p - (1 - p), n / (np.exp(k) + np.exp(r))


def added_shares(z):
    k, r, n = np.split(z, 3, axis=-1)
    w = 1 / (1 + np.exp(k) + np.exp(r))
    return 1 - w, w * n


def min_gru_of_chapter_23(z):
    k, r, n = np.split(z, 3, axis=-1)
    total = 1 + np.exp(k) + np.exp(r)
    a = np.exp(k) / total - np.exp(r) / total
    return a, (1 - a) * n


def two_sigmoids(z):
    H = z.shape[-1] // 3
    p, q = 1 / (1 + np.exp(-z[..., :H])), 1 / (1 + np.exp(-z[..., H : 2 * H]))
    return p - q, z[..., 2 * H :] / (1 + np.exp(z[..., :H]) + np.exp(z[..., H : 2 * H]))


def candidate_first(z):
    n, k, r = np.split(z, 3, axis=-1)
    total = 1 + np.exp(k) + np.exp(r)
    return (np.exp(k) - np.exp(r)) / total, n / total


def unit_by_unit(z):
    k, r, n = z[..., 0::3], z[..., 1::3], z[..., 2::3]
    total = 1 + np.exp(k) + np.exp(r)
    return (np.exp(k) - np.exp(r)) / total, n / total


def candidate_through_a_tanh(z):
    k, r, n = np.split(z, 3, axis=-1)
    total = 1 + np.exp(k) + np.exp(r)
    return (np.exp(k) - np.exp(r)) / total, np.tanh(n) / total


# Its gradient


def every_share_for_itself(z, da, db):
    k, r, n = np.split(z, 3, axis=-1)
    total = 1 + np.exp(k) + np.exp(r)
    p, q, w = np.exp(k) / total, np.exp(r) / total, 1 / total
    return np.concatenate([p * (1 - p) * da, -q * (1 - q) * da, w * db], axis=-1)


def straight_through(z, da, db):
    k, r, n = np.split(z, 3, axis=-1)
    total = 1 + np.exp(k) + np.exp(r)
    return np.concatenate([np.exp(k) * da, -np.exp(r) * da, db], axis=-1) / np.tile(total, 3)


def nothing_from_the_term(z, da, db):
    k, r, n = np.split(z, 3, axis=-1)
    total = 1 + np.exp(k) + np.exp(r)
    p, q, w = np.exp(k) / total, np.exp(r) / total, 1 / total
    s = p * da - q * da
    return np.concatenate([p * (da - s), q * (-da - s), w * db], axis=-1)


def minus_of_turn_forgotten(z, da, db):
    k, r, n = np.split(z, 3, axis=-1)
    total = 1 + np.exp(k) + np.exp(r)
    p, q, w = np.exp(k) / total, np.exp(r) / total, 1 / total
    s = (p - q) * da + w * n * db
    return np.concatenate([p * (da - s), q * (da - s), w * db], axis=-1)


def minus_of_turn_forgotten_in_the_sum(z, da, db):
    k, r, n = np.split(z, 3, axis=-1)
    total = 1 + np.exp(k) + np.exp(r)
    p, q, w = np.exp(k) / total, np.exp(r) / total, 1 / total
    s = (p + q) * da + w * n * db
    return np.concatenate([p * (da - s), q * (-da - s), w * db], axis=-1)


def min_gru_of_chapter_23_backward(z, da, db):
    k, r, n = np.split(z, 3, axis=-1)
    total = 1 + np.exp(k) + np.exp(r)
    p, q = np.exp(k) / total, np.exp(r) / total
    dp, dq = da - db * n, -da - db * n
    return np.concatenate([dp * p * (1 - p), dq * q * (1 - q), db / total], axis=-1)


def candidate_forgotten_in_the_sum(z, da, db):
    k, r, n = np.split(z, 3, axis=-1)
    total = 1 + np.exp(k) + np.exp(r)
    p, q, w = np.exp(k) / total, np.exp(r) / total, 1 / total
    s = (p - q) * da + w * db
    return np.concatenate([p * (da - s), q * (-da - s), w * db], axis=-1)


def put_together_in_another_order(z, da, db):
    k, r, n = np.split(z, 3, axis=-1)
    total = 1 + np.exp(k) + np.exp(r)
    p, q, w = np.exp(k) / total, np.exp(r) / total, 1 / total
    s = (p - q) * da + w * n * db
    return np.concatenate([w * db, p * (da - s), q * (-da - s)], axis=-1)


def three_arrays(z, da, db):
    k, r, n = np.split(z, 3, axis=-1)
    total = 1 + np.exp(k) + np.exp(r)
    p, q, w = np.exp(k) / total, np.exp(r) / total, 1 / total
    s = (p - q) * da + w * n * db
    return p * (da - s), q * (-da - s), w * db


# The target


def nothing_is_kept(params, xs, new, targets, seed):
    for k in range(0, 100, 50):
        some = slice(k, k + 50)
        loss, d = taught(params, xs[:, some], new[:, some], targets[:, some])
        unflatten(flatten(params) - 0.1 * flatten(d), params)
    return params


def uphill(params, xs, new, targets, seed):
    p = flatten(params)
    for k in range(0, 500, 50):
        some, now = slice(k, k + 50), unflatten(p, params)
        p = p + 0.5 * flatten(taught(now, xs[:, some], new[:, some], targets[:, some])[1])
    return unflatten(p, params)


def output_layer_alone(params, xs, new, targets, seed):
    W, b = params.W, params.b
    for k in range(0, 500, 50):
        some, now = slice(k, k + 50), params._replace(W=W, b=b)
        _, d = taught(now, xs[:, some], new[:, some], targets[:, some])
        W, b = W - 0.5 * d.W, b - 0.5 * d.b
    return params._replace(W=W, b=b)


def turn_held_at_zero(params, xs, new, targets, seed):
    H, p, t = len(params.start), flatten(params), 0
    u, v = 0 * p, 0 * p
    for k in 2 * list(range(0, 1000, 50)):
        some, now, t = slice(k, k + 50), unflatten(p, params), t + 1
        now.E[:, H : 2 * H] = -20
        _, d = taught(now, xs[:, some], new[:, some], targets[:, some])
        p, u, v = adam(flatten(now), clip(flatten(d), 1), u, v, t, 0.05)
    return unflatten(p, params)


def until_forty_steps_are_right(params, xs, new, targets, seed):
    p, t = flatten(params), 0
    u, v = 0 * p, 0 * p
    for k in 10 * list(range(0, 1000, 50)):
        some, now, t = slice(k, k + 50), unflatten(p, params), t + 1
        loss, d = taught(now, xs[:, some], new[:, some], targets[:, some])
        if loss < 0.02:
            break
        p, u, v = adam(p, clip(flatten(d), 1), u, v, t, 0.05)
    return unflatten(p, params)


def a_rate_too_small(params, xs, new, targets, seed):
    p, t = flatten(params), 0
    u, v = 0 * p, 0 * p
    for k in 6 * list(range(0, 1000, 50)):
        some, now, t = slice(k, k + 50), unflatten(p, params), t + 1
        _, d = taught(now, xs[:, some], new[:, some], targets[:, some])
        p, u, v = adam(p, clip(flatten(d), 1), u, v, t, 0.05)
    return unflatten(p, params)


def flags_left_out(params, xs, new, targets, seed):
    p, t = flatten(params), 0
    u, v = 0 * p, 0 * p
    for k in 2 * list(range(0, 1000, 50)):
        some, now, t = slice(k, k + 50), unflatten(p, params), t + 1
        once = np.zeros_like(new[:, some])
        once[0] = 1
        _, d = taught(now, xs[:, some], once, targets[:, some])
        p, u, v = adam(p, clip(flatten(d), 1), u, v, t, 0.1)
    return unflatten(p, params)


def huge_numbers(params, xs, new, targets, seed):
    p = flatten(params)
    return unflatten(np.where(np.arange(p.size) % 2, 1e308, -1e308), params)


def not_a_number(params, xs, new, targets, seed):
    return unflatten(flatten(params) * np.nan, params)


WRONG = (
    Wrong("recurrence", chapter_23, "state carried into a new sequence"),
    Wrong("recurrence", start_where_it_goes_on, "flag the wrong way round"),
    Wrong("recurrence", from_zero_at_each_beginning, "start taken for zero"),
    Wrong("recurrence", reset_after_the_step, "flag one step late"),
    Wrong("recurrence", reset_before_the_next, "beginning at the first step ignored"),
    Wrong("recurrence", start_instead_of_a_step, "first step not taken"),
    Wrong("recurrence", start_plus_term, "first step not taken"),
    Wrong("recurrence", start_on_top, "old state kept at a beginning"),
    Wrong("recurrence", every_row_begins, "new sequence in every row"),
    Wrong("recurrence", written_into_h, "caller's array changed", 1 / 2),
    Wrong("recurrence", flags_not_turned, "raises an exception"),
    Wrong("recurrence_backward", gradient_of_chapter_23, ""),
    Wrong("recurrence_backward", leaks_through_beginnings, "gradient crosses a beginning"),
    Wrong("recurrence_backward", cut_a_step_early, "flag one step early"),
    Wrong("recurrence_backward", first_step_leaks, "gradient crosses a beginning", 3 / 4),
    Wrong("recurrence_backward", states_after, "state after the step for the one before", 3 / 4),
    Wrong("recurrence_backward", states_of_the_row, "old state at a beginning", 3 / 4),
    Wrong("recurrence_backward", factor_of_the_step_itself, "off by one step"),
    Wrong("recurrence_backward", with_its_own(start_without_its_factor), "factor missing", 3 / 4),
    Wrong(
        "recurrence_backward",
        with_its_own(start_of_every_step),
        "start counted at every step",
        3 / 4,
    ),
    Wrong("recurrence_backward", with_its_own(start_as_a_mean), "mean for sum", 3 / 4),
    Wrong(
        "recurrence_backward",
        with_its_own(terms_get_what_comes_from_outside),
        "path missing",
        3 / 4,
    ),
    Wrong("recurrence_backward", one_step_back_only, "carry lost between steps"),
    Wrong(
        "recurrence_backward",
        with_its_own(factors_and_terms_exchanged),
        "outputs exchanged",
        2 / 4,
    ),
    Wrong(
        "recurrence_backward",
        carry_in_the_gradients_of_the_caller,
        "caller's array changed",
        1 / 2,
    ),
    Wrong(
        "recurrence_backward",
        with_its_own(start_of_every_step_and_states_after),
        ("start counted at every step", "state after the step for the one before"),
        2 / 4,
    ),
    Wrong("join", without_flags, "state carried into a new sequence", 1 / 3),
    Wrong("join", without_flags_in_the_term, "state carried into a new sequence", 2 / 3),
    Wrong("join", without_flags_in_the_factor, "state carried into a new sequence", 2 / 3),
    Wrong("join", flag_of_the_earlier, "flag of the other piece", 1 / 3),
    Wrong("join", flag_of_the_later_alone, "beginning forgotten", 2 / 3),
    Wrong("join", flags_added, "beginnings counted", 2 / 3),
    Wrong("join", later_one_first, "pieces exchanged", 1 / 3),
    Wrong("join", joined_factor_for_the_term, "carried by the joined factor", 2 / 3),
    Wrong("join", nothing_left_of_the_factor, "factor zero at a beginning", 2 / 3),
    Wrong("scan", scan_of_chapter_23, "state carried into a new sequence", 1 / 3),
    Wrong("scan", exchanged_lines, "carried by the joined factor", 2 / 3),
    Wrong("scan", flags_joined_first, "flag of the other piece", 1 / 3),
    Wrong("scan", one_more_each_level, "distance not doubled", 1 / 3),
    Wrong("scan", half_of_the_levels, "last level missing"),
    Wrong("scan", later_piece_first, "pieces exchanged", 1 / 3),
    Wrong("scan", without_the_step_itself, "off by one step"),
    Wrong("scan", written_into_the_steps, "caller's array changed", 1 / 2),
    Wrong("in_blocks", every_block_from_h, "carry lost between steps", 3 / 4),
    Wrong("in_blocks", every_block_begins_anew, "new sequence in every block", 3 / 4),
    Wrong("in_blocks", factor_of_all_the_block, "factor of the whole block", 3 / 4),
    Wrong("in_blocks", carried_through_beginnings, "state carried into a new sequence", 3 / 4),
    Wrong("in_blocks", flags_of_the_steps, "flag of the step alone", 3 / 4),
    Wrong(
        "in_blocks",
        states_by_the_loop_and_wholes_of_the_row,
        "joined from the first step of the row",
        1 / 4,
    ),
    Wrong("in_blocks", last_states_for_terms, "state for the term", 3 / 4),
    Wrong("in_blocks", blocks_of_one_size, "blocks of equal size", 1 / 4),
    Wrong("coefficients", no_share_to_write, "write missing from the sum"),
    Wrong("coefficients", added_shares, "turn without its sign", 1 / 2),
    Wrong("coefficients", min_gru_of_chapter_23, "the term of minGRU", 1 / 2),
    Wrong("coefficients", two_sigmoids, "each gate alone", 1 / 2),
    Wrong("coefficients", candidate_first, "gates in another order"),
    Wrong("coefficients", unit_by_unit, "gates interleaved"),
    Wrong("coefficients", candidate_through_a_tanh, "activation on the candidate", 1 / 2),
    Wrong("coefficients_backward", every_share_for_itself, "diagonal of the Jacobian alone"),
    Wrong("coefficients_backward", straight_through, "coupling missing"),
    Wrong("coefficients_backward", nothing_from_the_term, "path missing"),
    Wrong("coefficients_backward", minus_of_turn_forgotten, "turn without its sign"),
    Wrong("coefficients_backward", minus_of_turn_forgotten_in_the_sum, "turn without its sign"),
    Wrong(
        "coefficients_backward", min_gru_of_chapter_23_backward, "diagonal of the Jacobian alone"
    ),
    Wrong("coefficients_backward", candidate_forgotten_in_the_sum, "factor missing"),
    Wrong("coefficients_backward", put_together_in_another_order, "gates in another order"),
    Wrong("coefficients_backward", three_arrays, "shape or type"),
    Wrong("train", nothing_is_kept, ("never updated", "below the target")),
    Wrong("train", uphill, ("loss has grown", "below the target")),
    Wrong("train", output_layer_alone, ("some parameters not taught", "below the target")),
    Wrong("train", turn_held_at_zero, ("never turns around", "below the target")),
    Wrong(
        "train",
        until_forty_steps_are_right,
        ("lost after the trained length", "below the target"),
        1 / 4,
    ),
    Wrong("train", a_rate_too_small, ("lost after the trained length", "below the target"), 1 / 2),
    Wrong("train", flags_left_out, ("not trained enough", "below the target")),
    Wrong("train", huge_numbers, ("loss has grown", "below the target")),
    Wrong("train", not_a_number, "NaN or infinity"),
)


# Right, written differently


def as_one_long_sequence(steps, start, h):
    f = steps.new[:, :, None]
    a, b = (1 - f) * steps.a, f * steps.a * start + steps.b
    hs = np.zeros(b.shape)
    hs[0] = a[0] * h + b[0]
    for t in range(1, len(hs)):
        hs[t] = a[t] * hs[t - 1] + b[t]
    return hs


def row_by_row(steps, start, h):
    hs = np.empty(steps.b.shape)
    for n in range(hs.shape[1]):
        state = h[n]
        for t in range(hs.shape[0]):
            if steps.new[t, n]:
                state = start
            hs[t, n] = state = steps.a[t, n] * state + steps.b[t, n]
    return hs


def by_the_recurrence_itself(steps, start, h, hs, dhs):
    T, B, H = dhs.shape
    a = steps.a * (1 - steps.new[:, :, None])
    ahead = np.concatenate([a[1:], np.zeros((1, B, H))])
    turned = Piece(np.zeros((T, B)), ahead[::-1], dhs[::-1])
    G = recurrence(turned, start, np.zeros((B, H)))[::-1]
    n_t = steps.new.astype(bool)
    before = np.concatenate([h[None], hs[:-1]])
    before[n_t] = start
    return before * G, G.copy(), (steps.a * G)[n_t].sum(axis=0), a[0] * G[0]


def sequence_by_sequence(steps, start, h, hs, dhs):
    da, db = np.zeros(dhs.shape), np.zeros(dhs.shape)
    dstart, dh = np.zeros(start.shape), np.zeros(h.shape)
    for n in range(dhs.shape[1]):
        g = 0
        for t in reversed(range(len(dhs))):
            g = g + dhs[t, n]
            db[t, n] = g
            if steps.new[t, n]:
                da[t, n] = g * start
                dstart += steps.a[t, n] * g
                g = 0
            else:
                da[t, n] = g * (hs[t - 1, n] if t else h[n])
                g = steps.a[t, n] * g
        dh[n] = g
    return da, db, dstart, dh


def with_arithmetic(earlier, later):
    on = (1 - later.new)[..., None]
    return Piece(
        earlier.new + later.new - earlier.new * later.new,
        later.a * earlier.a**on,
        later.b + on * later.a * earlier.b,
    )


def with_an_index(earlier, later):
    begins = later.new == 1
    a, b = later.a * earlier.a, later.a * earlier.b + later.b
    a[begins], b[begins] = later.a[begins], later.b[begins]
    return Piece(np.where(begins | (earlier.new == 1), 1.0, 0.0), a, b)


def one_after_the_other(steps):
    found = [Piece(*(x[0] for x in steps))]
    for step in list(zip(*steps))[1:]:
        found.append(join(found[-1], Piece(*step)))
    return Piece(*(np.array(x) for x in zip(*found)))


def halves(steps):
    T = len(steps.a)
    if T == 1:
        return steps
    one, other = (scan(Piece(*(x[part] for x in steps))) for part in np.s_[: T // 2, T // 2 :])
    last = Piece(*(np.repeat(x[-1:], T - T // 2, axis=0) for x in one))
    return Piece(*(np.concatenate(pair) for pair in zip(one, join(last, other))))


def wholes_first(steps, start, h, sizes):
    borders = np.cumsum(sizes)[:-1]
    blocks = [scan(Piece(*block)) for block in zip(*(np.split(x, borders) for x in steps))]
    wholes = Piece(*(np.array([x[-1] for x in field]) for field in zip(*blocks)))
    firsts = np.concatenate([h[None], recurrence(wholes, start, h)[:-1]])
    hs = [p.a * np.where(p.new[..., None] > 0, start, s) + p.b for p, s in zip(blocks, firsts)]
    return wholes, np.concatenate(hs)


def with_a_real_softmax(z):
    k, r, n = np.split(z, 3, axis=-1)
    scores = np.stack([k, r, np.zeros_like(k)])
    u = np.exp(scores - scores.max(axis=0))
    p, q, w = u / u.sum(axis=0)
    return p - q, w * n


def with_the_whole_jacobian(z, da, db):
    T, B, H = da.shape
    scores = np.concatenate([z[..., : 2 * H], np.zeros((T, B, H))], axis=-1).reshape(T, B, 3, H)
    w = np.exp(scores) / np.exp(scores).sum(axis=2, keepdims=True)
    n = z[..., 2 * H :]
    dw = np.stack([da, -da, db * n], axis=2)
    J = np.einsum("tbih,ij->tbijh", w, np.eye(3)) - w[:, :, :, None] * w[:, :, None]
    d = np.einsum("tbijh,tbjh->tbih", J, dw)
    return np.concatenate([d[:, :, 0], d[:, :, 1], w[:, :, 2] * db], axis=-1)


def large_batches_at_one_rate(params, xs, new, targets, seed):
    rng, p = np.random.default_rng(seed), flatten(params)
    u, v = np.zeros_like(p), np.zeros_like(p)
    for t in range(1, 101):
        some = rng.choice(xs.shape[1], size=64, replace=False)
        now = unflatten(p, params)
        _, d = taught(now, *(array[:, some] for array in (xs, new, targets)))
        p, u, v = adam(p, clip(flatten(d), 2.0), u, v, t, 0.2)
    return unflatten(p, params)


RIGHT = (
    Right("recurrence", as_one_long_sequence),
    Right("recurrence", row_by_row),
    Right("recurrence_backward", by_the_recurrence_itself),
    Right("recurrence_backward", sequence_by_sequence),
    Right("join", with_arithmetic),
    Right("join", with_an_index),
    Right("scan", one_after_the_other),
    Right("scan", halves),
    Right("in_blocks", wholes_first),
    Right("coefficients", with_a_real_softmax),
    Right("coefficients_backward", with_the_whole_jacobian),
    Right("train", large_batches_at_one_rate),
)


# Attacks on the score: 25 points are those of the other questions.

NOT_NUMBERS = """
class Best(np.ndarray):
    def __array_ufunc__(self, *a, **k): return np.ones(())
    def __ge__(self, other): return True
def train(params, *a):
    return CounterParams(*params[:2], np.full(params.W.shape, np.nan).view(Best), params.b)
"""
HOSTILE = (
    Hostile("numbers of any size", "", 25, honest=True, answers={"train": TRAINED_BY_NUMBERS}),
    Hostile("not a number", "", 25, honest=True, answers={"train": NOT_NUMBERS}),
    Hostile("held-out rows", "", 25, honest=True, answers={"train": HEARD_FROM_THE_GRADER}),
)
