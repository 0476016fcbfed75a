"""The bank of assignment 2, sequences.

The functions run in a notebook that has the answers before them.
"""

# ruff: noqa: F821
import numpy as np

from assignments.bank.entry import Right, Wrong

# Wrong: forward


def only_h_is_handed_on(params, xs, first):
    h, states, gates = first.h, [], []
    for x in xs:
        state, values = lstm_step(params, x, LSTMState(h, first.c))
        h = state.h
        states.append(state)
        gates.append(values)
    return LSTMState(*map(np.stack, zip(*states))), LSTMGates(*map(np.stack, zip(*gates)))


def starts_from_zero(params, xs, first):
    state, states, gates = LSTMState(np.zeros_like(first.h), np.zeros_like(first.c)), [], []
    for x in xs:
        state, values = lstm_step(params, x, state)
        states.append(state)
        gates.append(values)
    return LSTMState(*map(np.stack, zip(*states))), LSTMGates(*map(np.stack, zip(*gates)))


def list_of_states(params, xs, first):
    state, states, gates = first, [], []
    for x in xs:
        state, values = lstm_step(params, x, state)
        states.append(state)
        gates.append(values)
    return states, LSTMGates(*map(np.stack, zip(*gates)))


def states_before_the_steps(params, xs, first):
    states, gates = [first], []
    for x in xs:
        state, values = lstm_step(params, x, states[-1])
        states.append(state)
        gates.append(values)
    return LSTMState(*map(np.stack, zip(*states[:-1]))), LSTMGates(*map(np.stack, zip(*gates)))


# Wrong: backward


def nothing_carried(params, xs, first, states, gates, dhs, dlast):
    """Coursera, "Building a recurrent neural network step by step", 2018."""
    dparams, dxs = [0, 0, 0], []
    for t in reversed(range(len(xs))):
        last, previous = (
            t == len(xs) - 1,
            LSTMState(states.h[t - 1], states.c[t - 1]) if t else first,
        )
        dstate = LSTMState(dhs[t] + last * dlast.h, last * dlast.c)
        values = LSTMGates(*(gate[t] for gate in gates))
        part, dx, dfirst = lstm_step_backward(params, xs[t], previous, values, states.c[t], dstate)
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.insert(0, dx)
    return LSTMParams(*dparams), np.stack(dxs), dfirst


def cell_not_carried(params, xs, first, states, gates, dhs, dlast):
    dparams, dxs, dh, dc = [0, 0, 0], [], dlast.h, dlast.c
    for t in reversed(range(len(xs))):
        previous = LSTMState(states.h[t - 1], states.c[t - 1]) if t else first
        values = LSTMGates(*(gate[t] for gate in gates))
        dstate = LSTMState(dhs[t] + dh, dc)
        part, dx, dfirst = lstm_step_backward(params, xs[t], previous, values, states.c[t], dstate)
        dparams, dh, dc = [a + b for a, b in zip(dparams, part)], dfirst.h, np.zeros_like(dc)
        dxs.insert(0, dx)
    return LSTMParams(*dparams), np.stack(dxs), dfirst


def not_added_up(params, xs, first, states, gates, dhs, dlast):
    dxs, dstate = [], dlast
    for t in reversed(range(len(xs))):
        previous = LSTMState(states.h[t - 1], states.c[t - 1]) if t else first
        values = LSTMGates(*(gate[t] for gate in gates))
        dstate = LSTMState(dhs[t] + dstate.h, dstate.c)
        dparams, dx, dstate = lstm_step_backward(
            params, xs[t], previous, values, states.c[t], dstate
        )
        dxs.insert(0, dx)
    return dparams, np.stack(dxs), dstate


def wraps_round_at_the_first_step(params, xs, first, states, gates, dhs, dlast):
    dparams, dxs, dstate = [0, 0, 0], [], dlast
    for t in reversed(range(len(xs))):
        previous = LSTMState(states.h[t - 1], states.c[t - 1])
        values = LSTMGates(*(gate[t] for gate in gates))
        dstate = LSTMState(dhs[t] + dstate.h, dstate.c)
        part, dx, dstate = lstm_step_backward(params, xs[t], previous, values, states.c[t], dstate)
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.insert(0, dx)
    return LSTMParams(*dparams), np.stack(dxs), dstate


def last_cell_has_no_loss(params, xs, first, states, gates, dhs, dlast):
    dparams, dxs, dstate = [0, 0, 0], [], LSTMState(dlast.h, 0 * dlast.c)
    for t in reversed(range(len(xs))):
        previous = LSTMState(states.h[t - 1], states.c[t - 1]) if t else first
        values = LSTMGates(*(gate[t] for gate in gates))
        dstate = LSTMState(dhs[t] + dstate.h, dstate.c)
        part, dx, dstate = lstm_step_backward(params, xs[t], previous, values, states.c[t], dstate)
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.insert(0, dx)
    return LSTMParams(*dparams), np.stack(dxs), dstate


def every_loss_sees_the_cell(params, xs, first, states, gates, dhs, dlast):
    dparams, dxs, dstate = [0, 0, 0], [], dlast
    for t in reversed(range(len(xs))):
        previous = LSTMState(states.h[t - 1], states.c[t - 1]) if t else first
        values = LSTMGates(*(gate[t] for gate in gates))
        dstate = LSTMState(dhs[t] + dstate.h, dhs[t] + dstate.c)
        part, dx, dstate = lstm_step_backward(params, xs[t], previous, values, states.c[t], dstate)
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.insert(0, dx)
    return LSTMParams(*dparams), np.stack(dxs), dstate


def buffer_never_written(params, xs, first, states, gates, dhs, dlast):
    """thinc 9.1."""
    dW_h, dW_x, db, dxs, dstate = np.zeros_like(params.W_h), 0, 0, [], dlast
    for t in reversed(range(len(xs))):
        previous = LSTMState(states.h[t - 1], states.c[t - 1]) if t else first
        values = LSTMGates(*(gate[t] for gate in gates))
        dstate = LSTMState(dhs[t] + dstate.h, dstate.c)
        part, dx, dstate = lstm_step_backward(params, xs[t], previous, values, states.c[t], dstate)
        dW_x, db = dW_x + part.W_x, db + part.b
        dxs.insert(0, dx)
    return LSTMParams(dW_x, dW_h, db), np.stack(dxs), dstate


def clipped_in_passing(params, xs, first, states, gates, dhs, dlast):
    """Synthaze/EpyNN."""
    dparams, dxs, dstate = [0, 0, 0], [], dlast
    for t in reversed(range(len(xs))):
        previous = LSTMState(states.h[t - 1], states.c[t - 1]) if t else first
        values = LSTMGates(*(gate[t] for gate in gates))
        dstate = LSTMState(dhs[t] + dstate.h, dstate.c)
        part, dx, dstate = lstm_step_backward(params, xs[t], previous, values, states.c[t], dstate)
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.insert(0, dx)
    norm = np.sqrt(sum((leaf**2).sum() for leaf in dparams))
    return LSTMParams(*(leaf * min(1, 0.25 / norm) for leaf in dparams)), np.stack(dxs), dstate


def written_into_the_callers_array(params, xs, first, states, gates, dhs, dlast):
    """Burton2000/CS231n-2017, issue 7."""
    dparams, dxs, dstate = [0, 0, 0], [], dlast
    for t in reversed(range(len(xs))):
        dhs[t] += dstate.h
        previous = LSTMState(states.h[t - 1], states.c[t - 1]) if t else first
        values = LSTMGates(*(gate[t] for gate in gates))
        part, dx, dstate = lstm_step_backward(
            params, xs[t], previous, values, states.c[t], LSTMState(dhs[t], dstate.c)
        )
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.insert(0, dx)
    return LSTMParams(*dparams), np.stack(dxs), dstate


def inputs_in_the_order_of_the_walk(params, xs, first, states, gates, dhs, dlast):
    dparams, dxs, dstate = [0, 0, 0], [], dlast
    for t in reversed(range(len(xs))):
        previous = LSTMState(states.h[t - 1], states.c[t - 1]) if t else first
        values = LSTMGates(*(gate[t] for gate in gates))
        dstate = LSTMState(dhs[t] + dstate.h, dstate.c)
        part, dx, dstate = lstm_step_backward(params, xs[t], previous, values, states.c[t], dstate)
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.append(dx)
    return LSTMParams(*dparams), np.stack(dxs), dstate


# Right, written differently


def written_into_arrays_made_before(params, xs, first):
    T, B, H = len(xs), *first.h.shape
    states, gates = (
        LSTMState(np.empty((T, B, H)), np.empty((T, B, H))),
        LSTMGates(*np.empty((4, T, B, H))),
    )
    before = first
    for t in range(T):
        a = np.concatenate([xs[t], before.h, np.ones((B, 1))], axis=1) @ np.vstack(
            [*params[:2], params.b]
        )
        a = a.reshape(B, 4, H)
        gates.i[t], gates.f[t], gates.o[t] = np.moveaxis(sigmoid(a[:, :3]), 1, 0)
        gates.g[t] = np.tanh(a[:, 3])
        states.c[t] = gates.f[t] * before.c + gates.i[t] * gates.g[t]
        states.h[t] = gates.o[t] * np.tanh(states.c[t])
        before = LSTMState(states.h[t], states.c[t])
    return states, gates


def products_after_the_loop(params, xs, first, states, gates, dhs, dlast):
    i, f, o, g = gates
    tanh_c, W_h_back = np.tanh(states.c), params.W_h.T.copy()
    previous_hs = np.concatenate([first.h[None], states.h[:-1]])
    previous_cs = np.concatenate([first.c[None], states.c[:-1]])
    slopes = np.concatenate(
        [g * i * (1 - i), previous_cs * f * (1 - f), tanh_c * o * (1 - o), i * (1 - g * g)], axis=-1
    )
    das, (dh, dc) = np.empty(slopes.shape), dlast
    for t in range(len(xs) - 1, -1, -1):
        dh = dh + dhs[t]
        dc = dc + dh * o[t] * (1 - tanh_c[t] ** 2)
        das[t] = np.concatenate([dc, dc, dh, dc], axis=1) * slopes[t]
        dh, dc = das[t] @ W_h_back, dc * f[t]
    rows = das.reshape(-1, das.shape[-1])
    dW_x, dW_h = xs.reshape(len(rows), -1).T @ rows, previous_hs.reshape(len(rows), -1).T @ rows
    return LSTMParams(dW_x, dW_h, rows.sum(axis=0)), das @ params.W_x.T, LSTMState(dh, dc)


def batch_first_one_sequence_at_a_time(params, xs, first, states, gates, dhs, dlast):
    T, B, D = xs.shape
    dxs, dh_first, dc_first = (
        np.zeros((B, D, T)),
        np.zeros(first.h.shape, order="F"),
        np.zeros(first.c.shape),
    )
    dW_x, dW_h, db = (np.zeros(leaf.shape, order="F") for leaf in params)
    for n in range(B):
        dh, dc = dlast.h[n], dlast.c[n]
        for t in range(T)[::-1]:
            i, f, o, g = (gate[t, n] for gate in gates)
            h_before, c_before = (
                (first.h[n], first.c[n]) if t == 0 else (states.h[t - 1, n], states.c[t - 1, n])
            )
            dh, tanh_c = dh + dhs[t, n], np.tanh(states.c[t, n])
            dc = dc + dh * o * (1 - tanh_c**2)
            da = np.hstack(
                [
                    dc * g * i * (1 - i),
                    dc * c_before * f * (1 - f),
                    dh * tanh_c * o * (1 - o),
                    dc * i * (1 - g**2),
                ]
            )
            dW_x += np.outer(xs[t, n], da)
            dW_h += np.outer(h_before, da)
            db += da
            dxs[n, :, t] = params.W_x @ da
            dh, dc = params.W_h @ da, dc * f
        dh_first[n], dc_first[n] = dh, dc
    return (dW_x, dW_h, db), dxs.transpose(2, 0, 1), (dh_first, dc_first)


def everything_computed_again(params, xs, first, states, gates, dhs, dlast):
    befores, before = [], first
    for x in xs:
        befores.append((x, before, *lstm_step(params, x, before)))
        before = befores[-1][2]
    dparams, dxs, (dh, dc) = None, {}, dlast
    for t, (x, before, after, values) in list(enumerate(befores))[::-1]:
        part, dxs[t], (dh, dc) = lstm_step_backward(
            params, x, before, values, after.c, LSTMState(dh + dhs[t], dc)
        )
        dparams = part if dparams is None else LSTMParams(*map(np.add, dparams, part))
    return dparams, np.array([dxs[t] for t in range(len(xs))]), LSTMState(dh, dc)


WRONG = (
    Wrong("lstm_unroll", only_h_is_handed_on, "carry lost between steps"),
    Wrong("lstm_unroll", starts_from_zero, "first state taken for zero"),
    Wrong("lstm_unroll", list_of_states, "shape or type", 4 / 6),
    Wrong("lstm_unroll", states_before_the_steps, "off by one step", 4 / 6),
    Wrong("lstm_unroll_backward", nothing_carried, "carry lost between steps"),
    Wrong("lstm_unroll_backward", cell_not_carried, "carry lost between steps"),
    Wrong("lstm_unroll_backward", not_added_up, "not accumulated over time", 3 / 6),
    Wrong(
        "lstm_unroll_backward",
        wraps_round_at_the_first_step,
        "last state taken for the first",
        1 / 6,
    ),
    Wrong("lstm_unroll_backward", last_cell_has_no_loss, "gradient of the last state ignored"),
    Wrong("lstm_unroll_backward", every_loss_sees_the_cell, "gradients of the outputs at the cell"),
    Wrong("lstm_unroll_backward", buffer_never_written, "never written", 5 / 6),
    Wrong("lstm_unroll_backward", clipped_in_passing, "clipped in passing", 3 / 6),
    Wrong("lstm_unroll_backward", written_into_the_callers_array, "caller's array changed", 1 / 2),
    Wrong("lstm_unroll_backward", inputs_in_the_order_of_the_walk, "time runs backwards", 5 / 6),
)
RIGHT = (
    Right("lstm_unroll", written_into_arrays_made_before),
    Right("lstm_unroll_backward", products_after_the_loop),
    Right("lstm_unroll_backward", batch_first_one_sequence_at_a_time),
    Right("lstm_unroll_backward", everything_computed_again),
)
