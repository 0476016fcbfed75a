"""The bank of assignment 4.

The functions run in a notebook that has `np`, `RNNParams`, `BidirectionalParams`, `rnn_step`,
`rnn_step_backward` and the answers before them.
"""

# ruff: noqa: F821
import numpy as np

from assignments.bank.entry import Right, Wrong

# Question 1


def mask_forgotten(params, xs, mask, h_first):
    h, hs = h_first, []
    for x in xs:
        h = rnn_step(params, x, h)
        hs.append(h)
    return np.stack(hs), h


def only_the_outputs_masked(params, xs, mask, h_first):
    h, hs = h_first, []
    for x in xs:
        h = rnn_step(params, x, h)
        hs.append(h)
    return np.stack(hs) * mask[..., None], h


def inputs_masked_instead_of_the_state(params, xs, mask, h_first):
    h, hs = h_first, []
    for x in xs * mask[..., None]:
        h = rnn_step(params, x, h)
        hs.append(h)
    return np.stack(hs), h


def held_state_handed_out(params, xs, mask, h_first):
    h, hs = h_first, []
    for t in range(len(xs)):
        h = np.where(mask[t][:, None], rnn_step(params, xs[t], h), h)
        hs.append(h)
    return np.stack(hs), h


def last_row_of_the_outputs(params, xs, mask, h_first):
    h, hs = h_first, []
    for x, keep in zip(xs, mask[..., None]):
        h = np.where(keep, rnn_step(params, x, h), h)
        hs.append(h * keep)
    return np.stack(hs), hs[-1]


def where_the_wrong_way_round(params, xs, mask, h_first):
    h, hs = h_first, []
    for x, keep in zip(xs, mask[..., None]):
        h = np.where(keep, h, rnn_step(params, x, h))
        hs.append(np.where(keep, 0, h))
    return np.stack(hs), h


def lengths_one_too_long(params, xs, mask, h_first):
    lengths, h, hs = mask.sum(axis=0), h_first, []
    for t, x in enumerate(xs):
        keep = (t <= lengths)[:, None]
        h = np.where(keep, rnn_step(params, x, h), h)
        hs.append(np.where(keep, h, 0))
    return np.stack(hs), h


def writes_zeros_into_the_inputs(params, xs, mask, h_first):
    xs[~mask] = 0
    h, hs = h_first, []
    for x, keep in zip(xs, mask[..., None]):
        h = np.where(keep, rnn_step(params, x, h), h)
        hs.append(np.where(keep, h, 0))
    return np.stack(hs), h


# Question 2


def walk_of_assignment_1(params, xs, mask, h_first, hs, dhs, dh_last):
    dparams, dxs, dh = [0, 0, 0], [], dh_last
    for t in reversed(range(len(xs))):
        part, dx, dh = rnn_step_backward(
            params, xs[t], hs[t - 1] if t else h_first, hs[t], dhs[t] + dh
        )
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.insert(0, dx)
    return RNNParams(*dparams), np.stack(dxs), dh


def only_the_arriving_gradients_masked(params, xs, mask, h_first, hs, dhs, dh_last):
    dparams, dxs, dh = [0, 0, 0], [], dh_last
    dhs = dhs * mask[..., None]
    for t in reversed(range(len(xs))):
        part, dx, dh = rnn_step_backward(
            params, xs[t], hs[t - 1] if t else h_first, hs[t], dhs[t] + dh
        )
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.insert(0, dx)
    return RNNParams(*dparams), np.stack(dxs), dh


def padded_outputs_heard(params, xs, mask, h_first, hs, dhs, dh_last):
    dparams, dxs, dh = [0, 0, 0], [], dh_last
    for t in reversed(range(len(xs))):
        keep, dh = mask[t][:, None], dh + dhs[t]
        part, dx, back = rnn_step_backward(
            params, xs[t], hs[t - 1] if t else h_first, hs[t], dh * keep
        )
        dh = np.where(keep, back, dh)
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.insert(0, dx)
    return RNNParams(*dparams), np.stack(dxs), dh


def last_gradient_lost_on_padding(params, xs, mask, h_first, hs, dhs, dh_last):
    dparams, dxs, dh = [0, 0, 0], [], dh_last
    for t in reversed(range(len(xs))):
        dnew = (dh + dhs[t]) * mask[t][:, None]
        part, dx, dh = rnn_step_backward(params, xs[t], hs[t - 1] if t else h_first, hs[t], dnew)
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.insert(0, dx)
    return RNNParams(*dparams), np.stack(dxs), dh


def weights_learn_from_padding(params, xs, mask, h_first, hs, dhs, dh_last):
    dparams, dxs, dh = [0, 0, 0], [], dh_last
    for t in reversed(range(len(xs))):
        keep = mask[t][:, None]
        dh = dh + np.where(keep, dhs[t], 0)
        part, dx, back = rnn_step_backward(params, xs[t], hs[t - 1] if t else h_first, hs[t], dh)
        dh = np.where(keep, back, dh)
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.insert(0, dx)
    return RNNParams(*dparams), np.stack(dxs), dh


def both_paths_on_real_steps(params, xs, mask, h_first, hs, dhs, dh_last):
    dparams, dxs, dh = [0, 0, 0], [], dh_last
    for t in reversed(range(len(xs))):
        keep = mask[t][:, None]
        dh = dh + dhs[t] * keep
        part, dx, back = rnn_step_backward(
            params, xs[t], hs[t - 1] if t else h_first, hs[t], dh * keep
        )
        dh = back + dh
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.insert(0, dx)
    return RNNParams(*dparams), np.stack(dxs), dh


def mean_over_the_real_steps(params, xs, mask, h_first, hs, dhs, dh_last):
    dparams, dxs, dh = [0, 0, 0], [], dh_last
    for t in reversed(range(len(xs))):
        keep = mask[t][:, None]
        dh = dh + dhs[t] * keep
        part, dx, back = rnn_step_backward(
            params, xs[t], hs[t - 1] if t else h_first, hs[t], dh * keep
        )
        dh = np.where(keep, back, dh)
        dparams = [a + b / mask.sum() for a, b in zip(dparams, part)]
        dxs.insert(0, dx)
    return RNNParams(*dparams), np.stack(dxs), dh


def held_state_multiplied_in(params, xs, mask, h_first, hs, dhs, dh_last):
    dparams, dxs, dh = [0, 0, 0], [], dh_last
    for t in reversed(range(len(xs))):
        keep = mask[t][:, None]
        dhs[t] = dhs[t] * keep + dh
        part, dx, back = rnn_step_backward(
            params, xs[t], hs[t - 1] if t else h_first, hs[t], dhs[t] * keep
        )
        dh = np.where(keep, back, dhs[t])
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.insert(0, dx)
    return RNNParams(*dparams), np.stack(dxs), dh


def decays_on_padding(params, xs, mask, h_first, hs, dhs, dh_last):
    dparams, dxs, dh = [0, 0, 0], [], dh_last
    for t in reversed(range(len(xs))):
        keep = mask[t][:, None]
        dh = dh + dhs[t] * keep
        part, dx, back = rnn_step_backward(
            params, xs[t], hs[t - 1] if t else h_first, hs[t], dh * keep
        )
        dh = np.where(keep, back, 0.9 * dh)
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.insert(0, dx)
    return RNNParams(*dparams), np.stack(dxs), dh


# Questions 3 to 6


def last_row(hs, mask):
    return hs[-1]


def one_step_before_the_last(hs, mask):
    return hs[mask.sum(axis=0) - 2, np.arange(hs.shape[1])]


def first_true(hs, mask):
    return hs[mask.argmax(axis=0), np.arange(hs.shape[1])]


def steps_without_sequences(hs, mask):
    return hs[mask.sum(axis=0) - 1]


def mean_over_own_steps(hs, mask):
    return (hs * mask[..., None]).sum(axis=0) / mask.sum(axis=0)[:, None]


def gradient_at_the_last_row(dy, mask):
    dhs = np.zeros((*mask.shape, dy.shape[1]))
    dhs[-1] = dy
    return dhs


def gradient_at_every_real_step(dy, mask):
    return mask[..., None] * dy


def plain_mean_of_masked_losses(logits, targets, mask):
    z = logits - logits.max(axis=-1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    losses = -np.take_along_axis(log_p, targets[..., None], -1)[..., 0] * mask
    dlogits = (np.exp(log_p) - np.eye(logits.shape[-1])[targets]) * mask[..., None] / mask.size
    return losses.mean(), dlogits


def padding_counted(logits, targets, mask):
    z = logits - logits.max(axis=-1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    losses = -np.take_along_axis(log_p, targets[..., None], -1)[..., 0]
    return losses.mean(), (np.exp(log_p) - np.eye(logits.shape[-1])[targets]) / losses.size


def gradient_on_padding(logits, targets, mask):
    z = logits - logits.max(axis=-1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    losses = -np.take_along_axis(log_p, targets[..., None], -1)[..., 0]
    return losses[mask].mean(), (np.exp(log_p) - np.eye(logits.shape[-1])[targets]) / mask.sum()


def mean_of_the_sequences(logits, targets, mask):
    z = logits - logits.max(axis=-1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    losses = -np.take_along_axis(log_p, targets[..., None], -1)[..., 0] * mask
    weights = mask / mask.sum(axis=0) / mask.shape[1]
    return np.mean(losses.sum(0) / mask.sum(0)), (
        np.exp(log_p) - np.eye(logits.shape[-1])[targets]
    ) * weights[..., None]


def softmax_overflows(logits, targets, mask):
    p = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    onehot, n = np.eye(logits.shape[-1])[targets], mask.sum()
    return -np.sum((np.log(p) * onehot).sum(-1)[mask]) / n, (p - onehot) * mask[..., None] / n


def gradient_of_a_sum(logits, targets, mask):
    z = logits - logits.max(axis=-1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    losses = -np.take_along_axis(log_p, targets[..., None], -1)[..., 0]
    return losses[mask].mean(), (np.exp(log_p) - np.eye(logits.shape[-1])[targets]) * mask[
        ..., None
    ]


def whole_array_turned(xs, mask):
    return xs[::-1]


def turned_and_then_masked(xs, mask):
    return xs[::-1] * mask[..., None]


def slice_without_the_minus(xs, mask):
    return xs[::1] * mask[..., None]


def garbage_left_on_padding(xs, mask):
    steps = np.arange(len(mask))[:, None]
    return xs[np.where(mask, mask.sum(axis=0) - 1 - steps, steps), np.arange(mask.shape[1])]


# Questions 7 and 8


def not_turned_back(params, xs, mask, h_first, h_end):
    forwards, last = masked_unroll(params.forwards, xs, mask, h_first)
    backwards, end = masked_unroll(params.backwards, reverse_padded(xs, mask), mask, h_end)
    return np.concatenate([forwards, backwards], -1), np.concatenate([last, end], -1)


def never_turned(params, xs, mask, h_first, h_end):
    forwards, last = masked_unroll(params.forwards, xs[::1], mask, h_first)
    backwards, end = masked_unroll(params.backwards, xs[::1], mask, h_end)
    return np.concatenate([forwards, backwards[::1]], -1), np.concatenate([last, end], -1)


def mask_left_behind(params, xs, mask, h_first, h_end):
    forwards, last = masked_unroll(params.forwards, xs, mask, h_first)
    backwards, end = masked_unroll(params.backwards, xs[::-1], mask, h_end)
    return np.concatenate([forwards, backwards[::-1]], -1), np.concatenate([last, end], -1)


def padding_read_first(params, xs, mask, h_first, h_end):
    forwards, last = masked_unroll(params.forwards, xs, mask, h_first)
    backwards, end = masked_unroll(params.backwards, xs[::-1], np.ones_like(mask), h_end)
    return np.concatenate([forwards, backwards[::-1] * mask[..., None]], -1), np.concatenate(
        [last, end], -1
    )


def last_outputs_for_the_ends(params, xs, mask, h_first, h_end):
    forwards, _ = masked_unroll(params.forwards, xs, mask, h_first)
    backwards, _ = masked_unroll(params.backwards, reverse_padded(xs, mask), mask, h_end)
    ys = np.concatenate([forwards, reverse_padded(backwards, mask)], -1)
    return ys, last_outputs(ys, mask)


def halves_exchanged(params, xs, mask, h_first, h_end):
    forwards, last = masked_unroll(params.forwards, xs, mask, h_first)
    backwards, end = masked_unroll(params.backwards, reverse_padded(xs, mask), mask, h_end)
    return np.concatenate([reverse_padded(backwards, mask), forwards], -1), np.concatenate(
        [end, last], -1
    )


def one_direction_dropped(params, xs, mask, h_first, h_end, ys, dys, dends):
    H = h_first.shape[1]
    one, dxs, dh = masked_unroll_backward(
        params.forwards, xs, mask, h_first, ys[..., :H], dys[..., :H], dends[:, :H]
    )
    turned = reverse_padded(ys[..., H:], mask), reverse_padded(dys[..., H:], mask), dends[:, H:]
    two, _, dh_end = masked_unroll_backward(
        params.backwards, reverse_padded(xs, mask), mask, h_end, *turned
    )
    return BidirectionalParams(one, two), dxs, dh, dh_end


def arriving_gradient_not_turned(params, xs, mask, h_first, h_end, ys, dys, dends):
    H = h_first.shape[1]
    one, dxs, dh = masked_unroll_backward(
        params.forwards, xs, mask, h_first, ys[..., :H], dys[..., :H], dends[:, :H]
    )
    turned = reverse_padded(ys[..., H:], mask), dys[..., H:], dends[:, H:]
    two, more, dh_end = masked_unroll_backward(
        params.backwards, reverse_padded(xs, mask), mask, h_end, *turned
    )
    return BidirectionalParams(one, two), dxs + reverse_padded(more, mask), dh, dh_end


def inputs_not_turned_back(params, xs, mask, h_first, h_end, ys, dys, dends):
    H = h_first.shape[1]
    one, dxs, dh = masked_unroll_backward(
        params.forwards, xs, mask, h_first, ys[..., :H], dys[..., :H], dends[:, :H]
    )
    turned = reverse_padded(ys[..., H:], mask), reverse_padded(dys[..., H:], mask), dends[:, H:]
    two, more, dh_end = masked_unroll_backward(
        params.backwards, reverse_padded(xs, mask), mask, h_end, *turned
    )
    return BidirectionalParams(one, two), dxs + more, dh, dh_end


def turned_with_its_mask_but_zeros_for_the_held_state(
    params, xs, mask, h_first, h_end, ys, dys, dends
):
    H = h_first.shape[1]
    one, dxs, dh = masked_unroll_backward(
        params.forwards, xs, mask, h_first, ys[..., :H], dys[..., :H], dends[:, :H]
    )
    turned = ys[::-1, :, H:], dys[::-1, :, H:], dends[:, H:]
    two, more, dh_end = masked_unroll_backward(
        params.backwards, xs[::-1], mask[::-1], h_end, *turned
    )
    return BidirectionalParams(one, two), dxs + more[::-1], dh, dh_end


def second_direction_untaught(params, xs, mask, h_first, h_end, ys, dys, dends):
    H = h_first.shape[1]
    one, dxs, dh = masked_unroll_backward(
        params.forwards, xs, mask, h_first, ys[..., :H], dys[..., :H], dends[:, :H]
    )
    turned = reverse_padded(ys[..., H:], mask), reverse_padded(dys[..., H:], mask), dends[:, H:]
    two, more, dh_end = masked_unroll_backward(
        params.backwards, reverse_padded(xs, mask), mask, h_end, *turned
    )
    untaught = RNNParams(*(np.zeros_like(p) for p in two))
    return BidirectionalParams(one, untaught), dxs + reverse_padded(more, mask), dh, dh_end


def cut_in_the_middle(params, xs, mask, h_first, h_end, ys, dys, dends):
    H = ys.shape[-1] // 2
    return masked_unroll_backward(
        params.forwards, xs, mask, h_first, ys[..., :H], dys[..., :H], dends[:, :H]
    )


WRONG = (
    Wrong("masked_unroll", mask_forgotten, "padding leaks"),
    Wrong("masked_unroll", only_the_outputs_masked, "padding leaks", 0.5),
    Wrong("masked_unroll", inputs_masked_instead_of_the_state, "padding leaks"),
    Wrong("masked_unroll", held_state_handed_out, "output on padding", 0.5),
    Wrong("masked_unroll", last_row_of_the_outputs, "state lost on padding", 0.5),
    Wrong("masked_unroll", where_the_wrong_way_round, "mask the wrong way round"),
    Wrong("masked_unroll", lengths_one_too_long, "off by one step"),
    Wrong("masked_unroll", writes_zeros_into_the_inputs, "caller's array changed", 0.5),
    Wrong("masked_unroll_backward", walk_of_assignment_1, "padding leaks"),
    Wrong("masked_unroll_backward", only_the_arriving_gradients_masked, "padding leaks"),
    Wrong("masked_unroll_backward", padded_outputs_heard, "padding leaks"),
    Wrong("masked_unroll_backward", last_gradient_lost_on_padding, "gradient lost on padding"),
    Wrong("masked_unroll_backward", weights_learn_from_padding, "padding leaks", 0.2),
    Wrong("masked_unroll_backward", both_paths_on_real_steps, "counted twice"),
    Wrong("masked_unroll_backward", mean_over_the_real_steps, "mean for sum", 0.4),
    Wrong("masked_unroll_backward", held_state_multiplied_in, "caller's array changed", 0.5),
    Wrong("masked_unroll_backward", decays_on_padding, ""),
    Wrong("last_outputs", last_row, "padding leaks"),
    Wrong("last_outputs", one_step_before_the_last, "off by one step"),
    Wrong("last_outputs", first_true, "first step for the last"),
    Wrong("last_outputs", steps_without_sequences, "shape or type"),
    Wrong("last_outputs", mean_over_own_steps, "mean in the place of the last"),
    Wrong("last_outputs_backward", gradient_at_the_last_row, "padding leaks"),
    Wrong("last_outputs_backward", gradient_at_every_real_step, "gradient at every step"),
    Wrong("masked_loss", plain_mean_of_masked_losses, "padding in the mean"),
    Wrong("masked_loss", padding_counted, "padding leaks"),
    Wrong("masked_loss", gradient_on_padding, "padding leaks", 0.5),
    Wrong("masked_loss", mean_of_the_sequences, "another mean"),
    Wrong("masked_loss", softmax_overflows, "NaN or infinity"),
    Wrong("masked_loss", gradient_of_a_sum, "sum for mean", 0.5),
    Wrong("reverse_padded", whole_array_turned, "padding comes first"),
    Wrong("reverse_padded", turned_and_then_masked, "mask not turned"),
    Wrong("reverse_padded", slice_without_the_minus, "not reversed"),
    Wrong("reverse_padded", garbage_left_on_padding, "output on padding"),
    Wrong("bidirectional", not_turned_back, "not turned back", 0.5),
    Wrong("bidirectional", never_turned, "not reversed"),
    Wrong("bidirectional", mask_left_behind, "mask not turned"),
    Wrong("bidirectional", padding_read_first, "padding leaks"),
    Wrong("bidirectional", last_outputs_for_the_ends, "last output for the last state", 0.5),
    Wrong("bidirectional", halves_exchanged, "halves exchanged"),
    Wrong(
        "bidirectional_backward", one_direction_dropped, "gradient of one direction missing", 8 / 9
    ),
    Wrong("bidirectional_backward", arriving_gradient_not_turned, "gradient not turned", 4 / 9),
    Wrong("bidirectional_backward", inputs_not_turned_back, "not turned back", 8 / 9),
    Wrong(
        "bidirectional_backward",
        turned_with_its_mask_but_zeros_for_the_held_state,
        "first state lost on padding",
        8 / 9,
    ),
    Wrong("bidirectional_backward", second_direction_untaught, "never written", 6 / 9),
    Wrong("bidirectional_backward", cut_in_the_middle, "raises an exception"),
)


# Right, and written differently


def one_sequence_at_a_time(params, xs, mask, h_first):
    hs, last = np.zeros((*mask.shape, h_first.shape[1])), h_first.copy()
    for n, length in enumerate(mask.sum(axis=0)):
        for t in range(length):
            last[n] = np.tanh(params.b + last[n] @ params.W_h + xs[t, n] @ params.W_x)
            hs[t, n] = last[n]
    return hs, last


def by_the_formula_with_factors(params, xs, mask, h_first):
    h, hs, m = h_first, [], mask[:, :, None].astype(float)
    for t in range(len(xs)):
        h = m[t] * np.tanh(xs[t] @ params.W_x + params.b + h @ params.W_h) + (1 - m[t]) * h
        hs.append(h)
    return m * np.array(hs), h


def products_after_the_loop_and_last_gradients_put_in_place(
    params, xs, mask, h_first, hs, dhs, dh_last
):
    T, B = mask.shape
    dhs = np.where(mask[..., None], dhs, 0.0)
    dhs[mask.sum(axis=0) - 1, np.arange(B)] += dh_last
    das, dh = np.zeros_like(hs), np.zeros_like(h_first)
    for t in range(T - 1, -1, -1):
        das[t] = mask[t][:, None] * (dhs[t] + dh) * (1 - hs[t] ** 2)
        dh = np.einsum("bh,kh->bk", das[t], params.W_h)
    previous = np.concatenate([h_first[None], hs[:-1]])
    dparams = (
        np.einsum("tbd,tbh->dh", xs, das),
        np.einsum("tbk,tbh->kh", previous, das),
        das.sum(axis=(1, 0)),
    )
    return dparams, das @ params.W_x.T, dh


def each_alone_and_added_up(params, xs, mask, h_first, hs, dhs, dh_last):
    dparams, dxs, dh_first = (
        [np.zeros_like(p) for p in params],
        np.zeros_like(xs),
        np.zeros_like(h_first),
    )
    for n in range(mask.shape[1]):
        length, dh = mask[:, n].sum(), dh_last[n : n + 1]
        for t in range(length - 1, -1, -1):
            before = hs[t - 1, n : n + 1] if t else h_first[n : n + 1]
            da = (dhs[t, n : n + 1] + dh) * (1 + hs[t, n : n + 1]) * (1 - hs[t, n : n + 1])
            dh, dxs[t, n] = da @ params.W_h.T, params.W_x @ da[0]
            for total, part in zip(dparams, (np.outer(xs[t, n], da), np.outer(before, da), da[0])):
                total += part
        dh_first[n] = dh
    return RNNParams(*dparams), dxs, dh_first


def summed_over_the_ends(hs, mask):
    ends = mask & ~np.vstack([mask[1:], np.zeros_like(mask[:1])])
    return np.einsum("tbh,tb->bh", hs, ends.astype(float))


def gradient_by_comparison(dy, mask):
    return (np.arange(len(mask))[:, None, None] == mask.sum(axis=0)[:, None] - 1) * dy


def real_rows_only(logits, targets, mask):
    rows, truth = logits[mask], targets[mask]
    n, shift = len(rows), rows.max(axis=1, keepdims=True)
    p = np.exp(rows - shift)
    total = p.sum(axis=1, keepdims=True)
    p = p / total
    losses = np.log(total[:, 0]) + shift[:, 0] - rows[np.arange(n), truth]
    p[np.arange(n), truth] -= 1
    dlogits = np.zeros_like(logits)
    dlogits[mask] = p / n
    return float(losses.mean()), dlogits


def cut_turn_and_put_back(xs, mask):
    turned = 0 * xs
    for n in range(xs.shape[1]):
        turned[mask[:, n], n] = xs[mask[:, n], n][::-1]
    return turned


def whole_arrays_turned_with_their_mask(params, xs, mask, h_first, h_end):
    h, hs = h_end, np.zeros((*mask.shape, h_end.shape[1]))
    for t in reversed(range(len(xs))):
        h = np.where(mask[t][:, None], rnn_step(params.backwards, xs[t], h), h)
        hs[t] = h * mask[t][:, None]
    forwards, last = masked_unroll(params.forwards, xs, mask, h_first)
    return [np.concatenate([forwards, hs], axis=2), np.hstack([last, h])]


def a_walk_from_the_front(params, xs, mask, h_first, h_end, ys, dys, dends):
    H, (one, two) = h_first.shape[1], params
    dfirst, dxs, dh_first = masked_unroll_backward(
        one, xs, mask, h_first, ys[..., :H], dys[..., :H], dends[:, :H]
    )
    das, dh = np.zeros_like(ys[..., H:]), dends[:, H:]
    dsecond = [np.zeros_like(p) for p in two]
    for t in range(len(xs)):
        keep = mask[t][:, None]
        later = mask[t + 1][:, None] if t + 1 < len(xs) else np.zeros_like(keep)
        before = np.where(later, ys[t + 1, :, H:] if t + 1 < len(xs) else 0, h_end)
        das[t] = np.where(keep, (dh + dys[t, :, H:]) * (1 - ys[t, :, H:] ** 2), 0)
        dh = np.where(keep, das[t] @ two.W_h.T, dh)
        dsecond = [
            a + b for a, b in zip(dsecond, (xs[t].T @ das[t], before.T @ das[t], das[t].sum(0)))
        ]
    return BidirectionalParams(dfirst, RNNParams(*dsecond)), das @ two.W_x.T + dxs, dh_first, dh


RIGHT = (
    Right("masked_unroll", one_sequence_at_a_time),
    Right("masked_unroll", by_the_formula_with_factors),
    Right("masked_unroll_backward", products_after_the_loop_and_last_gradients_put_in_place),
    Right("masked_unroll_backward", each_alone_and_added_up),
    Right("last_outputs", summed_over_the_ends),
    Right("last_outputs_backward", gradient_by_comparison),
    Right("masked_loss", real_rows_only),
    Right("reverse_padded", cut_turn_and_put_back),
    Right("bidirectional", whole_arrays_turned_with_their_mask),
    Right("bidirectional_backward", a_walk_from_the_front),
)
