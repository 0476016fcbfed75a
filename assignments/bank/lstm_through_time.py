"""The bank of assignment 2, sequences.

The functions run in a notebook that has the answers before them.
"""

# ruff: noqa: F821
import numpy as np

from assignments.bank.entry import Right, Wrong

# Wrong: forward


def only_h_is_passed_on(params, xs, first):
    h, states, gates = first.h, [], []
    for x in xs:
        state, values = lstm_step(params, x, LSTMState(h, first.c))
        h = state.h
        states.append(state)
        gates.append(values)
    return LSTMState(*map(np.stack, zip(*states))), LSTMGates(*map(np.stack, zip(*gates)))


def only_c_is_passed_on(params, xs, first):
    c = first.c
    steps = []
    for t in range(xs.shape[0]):
        steps.append(lstm_step(params, xs[t], LSTMState(first.h, c)))
        c = steps[-1][0].c
    states, gates = zip(*steps)
    return (
        LSTMState(np.array([s.h for s in states]), np.array([s.c for s in states])),
        LSTMGates(*(np.array([getattr(g, name) for g in gates]) for name in "iog")),
    )


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


def first_state_in_the_first_place(params, xs, first):
    """The loop begins at 1, as with a list whose entry 0 is known already."""
    T, B, H = len(xs), *first.h.shape
    hs, cs = np.zeros((2, T, B, H))
    i, o, g = np.zeros((3, T, B, H))
    hs[0], cs[0] = first
    for t in range(1, T):
        state, gates = lstm_step(params, xs[t], LSTMState(hs[t - 1], cs[t - 1]))
        hs[t], cs[t] = state
        i[t], o[t], g[t] = gates
    return LSTMState(hs, cs), LSTMGates(i, o, g)


def one_array_for_all_steps(params, xs, first):
    h, c = first.h.copy(), first.c.copy()
    hs, cs, gates = [], [], []
    for x in xs:
        state, values = lstm_step(params, x, LSTMState(h, c))
        h[:], c[:] = state
        hs.append(h)
        cs.append(c)
        gates.append(values)
    return LSTMState(np.stack(hs), np.stack(cs)), LSTMGates(*map(np.stack, zip(*gates)))


def sequences_first(params, xs, first):
    state, states, gates = first, [], []
    for x in xs:
        state, values = lstm_step(params, x, state)
        states.append(state)
        gates.append(values)
    return (
        LSTMState(*(np.stack(leaf, axis=1) for leaf in zip(*states))),
        LSTMGates(*(np.stack(leaf, axis=1) for leaf in zip(*gates))),
    )


def reads_from_the_end(params, xs, first):
    state, states, gates = first, [], []
    for x in reversed(xs):
        state, values = lstm_step(params, x, state)
        states.append(state)
        gates.append(values)
    return LSTMState(*map(np.stack, zip(*states))), LSTMGates(*map(np.stack, zip(*gates)))


def stops_a_step_early(params, xs, first):
    T, (B, H) = len(xs), first.h.shape
    states, gates = np.zeros((2, T, B, H)), np.zeros((3, T, B, H))
    state, t = first, 0
    while t < T - 1:
        state, values = lstm_step(params, xs[t], state)
        states[:, t], gates[:, t] = state, values
        t += 1
    return LSTMState(*states), LSTMGates(*gates)


def reads_one_input(params, xs, first):
    """An x from an earlier cell, xs[0], is left in the loop."""
    x = xs[0]
    state, states, gates = first, [], []
    for _ in xs:
        state, values = lstm_step(params, x, state)
        states.append(state)
        gates.append(values)
    return LSTMState(*map(np.stack, zip(*states))), LSTMGates(*map(np.stack, zip(*gates)))


def forgets_a_tenth(params, xs, first):
    """A decay of the author's own: no mistake that is known here."""
    state, states, gates = first, [], []
    for x in xs:
        state, values = lstm_step(params, x, LSTMState(state.h, 0.9 * state.c))
        states.append(state)
        gates.append(values)
    return LSTMState(*map(np.stack, zip(*states))), LSTMGates(*map(np.stack, zip(*gates)))


def states_in_one_array(params, xs, first):
    state, states, gates = first, [], []
    for x in xs:
        state, values = lstm_step(params, x, state)
        states.append(state)
        gates.append(values)
    return np.array(states), np.array(gates)


# Wrong: backward


def tuples_joined_for_added(params, xs, first, states, gates, dhs, dlast):
    dparams, dxs, dstate = (), [], dlast
    for t in reversed(range(len(xs))):
        previous = LSTMState(states.h[t - 1], states.c[t - 1]) if t else first
        values, state = LSTMGates(*(gate[t] for gate in gates)), LSTMState(*(s[t] for s in states))
        dstate = LSTMState(dhs[t] + dstate.h, dstate.c)
        part, dx, dstate = lstm_step_backward(params, xs[t], previous, values, state, dstate)
        dparams += part
        dxs.insert(0, dx)
    return dparams, np.stack(dxs), dstate


def cut_off_after_two_steps(params, xs, first, states, gates, dhs, dlast):
    """Truncated on purpose: no mistake that is known here."""
    dparams, dxs, dstate = [0, 0, 0], [], dlast
    for t in reversed(range(len(xs))):
        previous = LSTMState(states.h[t - 1], states.c[t - 1]) if t else first
        values, state = LSTMGates(*(gate[t] for gate in gates)), LSTMState(*(s[t] for s in states))
        dstate = LSTMState(dhs[t] + dstate.h, dstate.c)
        part, dx, dstate = lstm_step_backward(params, xs[t], previous, values, state, dstate)
        if t % 2 == 1:
            dstate = LSTMState(0 * dstate.h, 0 * dstate.c)
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.insert(0, dx)
    return LSTMParams(*dparams), np.stack(dxs), dstate


def nothing_carried(params, xs, first, states, gates, dhs, dlast):
    """Coursera, "Building a recurrent neural network step by step", 2018."""
    dparams, dxs = [0, 0, 0], []
    for t in reversed(range(len(xs))):
        last = t == len(xs) - 1
        previous = LSTMState(states.h[t - 1], states.c[t - 1]) if t else first
        dstate = LSTMState(dhs[t] + last * dlast.h, last * dlast.c)
        values, state = LSTMGates(*(gate[t] for gate in gates)), LSTMState(*(s[t] for s in states))
        part, dx, dfirst = lstm_step_backward(params, xs[t], previous, values, state, dstate)
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.insert(0, dx)
    return LSTMParams(*dparams), np.stack(dxs), dfirst


def cell_not_carried(params, xs, first, states, gates, dhs, dlast):
    dparams, dxs, dh, dc = [0, 0, 0], [], dlast.h, dlast.c
    for t in reversed(range(len(xs))):
        previous = LSTMState(states.h[t - 1], states.c[t - 1]) if t else first
        values, state = LSTMGates(*(gate[t] for gate in gates)), LSTMState(*(s[t] for s in states))
        dstate = LSTMState(dhs[t] + dh, dc)
        part, dx, dfirst = lstm_step_backward(params, xs[t], previous, values, state, dstate)
        dparams, dh, dc = [a + b for a, b in zip(dparams, part)], dfirst.h, np.zeros_like(dc)
        dxs.insert(0, dx)
    return LSTMParams(*dparams), np.stack(dxs), dfirst


def last_cell_at_every_step(params, xs, first, states, gates, dhs, dlast):
    W_x, W_h, b = (np.zeros_like(p) for p in params)
    dxs, dh = np.empty_like(xs), dlast.h
    for t in range(len(xs) - 1, -1, -1):
        before = first if t == 0 else LSTMState(states.h[t - 1], states.c[t - 1])
        now = LSTMState(states.h[t], states.c[t])
        now_gates = LSTMGates(gates.i[t], gates.o[t], gates.g[t])
        d, dxs[t], dbefore = lstm_step_backward(
            params, xs[t], before, now_gates, now, LSTMState(dh + dhs[t], dlast.c)
        )
        dh = dbefore.h
        W_x, W_h, b = W_x + d.W_x, W_h + d.W_h, b + d.b
    return LSTMParams(W_x, W_h, b), dxs, dbefore


def not_added_up(params, xs, first, states, gates, dhs, dlast):
    dxs, dstate = [], dlast
    for t in reversed(range(len(xs))):
        previous = LSTMState(states.h[t - 1], states.c[t - 1]) if t else first
        values, state = LSTMGates(*(gate[t] for gate in gates)), LSTMState(*(s[t] for s in states))
        dstate = LSTMState(dhs[t] + dstate.h, dstate.c)
        part, dx, dstate = lstm_step_backward(params, xs[t], previous, values, state, dstate)
        dparams = part
        dxs.insert(0, dx)
    return dparams, np.stack(dxs), dstate


def wraps_round_at_the_first_step(params, xs, first, states, gates, dhs, dlast):
    dparams, dxs, dstate = [0, 0, 0], [], dlast
    for t in reversed(range(len(xs))):
        previous = LSTMState(states.h[t - 1], states.c[t - 1])
        values, state = LSTMGates(*(gate[t] for gate in gates)), LSTMState(*(s[t] for s in states))
        dstate = LSTMState(dhs[t] + dstate.h, dstate.c)
        part, dx, dstate = lstm_step_backward(params, xs[t], previous, values, state, dstate)
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.insert(0, dx)
    return LSTMParams(*dparams), np.stack(dxs), dstate


def last_cell_has_no_loss(params, xs, first, states, gates, dhs, dlast):
    dparams, dxs, dstate = [0, 0, 0], [], LSTMState(dlast.h, 0 * dlast.c)
    for t in reversed(range(len(xs))):
        previous = LSTMState(states.h[t - 1], states.c[t - 1]) if t else first
        values, state = LSTMGates(*(gate[t] for gate in gates)), LSTMState(*(s[t] for s in states))
        dstate = LSTMState(dhs[t] + dstate.h, dstate.c)
        part, dx, dstate = lstm_step_backward(params, xs[t], previous, values, state, dstate)
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.insert(0, dx)
    return LSTMParams(*dparams), np.stack(dxs), dstate


def every_loss_sees_the_cell(params, xs, first, states, gates, dhs, dlast):
    dparams, dxs, dstate = [0, 0, 0], [], dlast
    for t in reversed(range(len(xs))):
        previous = LSTMState(states.h[t - 1], states.c[t - 1]) if t else first
        values, state = LSTMGates(*(gate[t] for gate in gates)), LSTMState(*(s[t] for s in states))
        dstate = LSTMState(dhs[t] + dstate.h, dhs[t] + dstate.c)
        part, dx, dstate = lstm_step_backward(params, xs[t], previous, values, state, dstate)
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.insert(0, dx)
    return LSTMParams(*dparams), np.stack(dxs), dstate


def buffer_never_written(params, xs, first, states, gates, dhs, dlast):
    """thinc 9.1."""
    dW_h, dW_x, db, dxs, dstate = np.zeros_like(params.W_h), 0, 0, [], dlast
    for t in reversed(range(len(xs))):
        previous = LSTMState(states.h[t - 1], states.c[t - 1]) if t else first
        values, state = LSTMGates(*(gate[t] for gate in gates)), LSTMState(*(s[t] for s in states))
        dstate = LSTMState(dhs[t] + dstate.h, dstate.c)
        part, dx, dstate = lstm_step_backward(params, xs[t], previous, values, state, dstate)
        dW_x, db = dW_x + part.W_x, db + part.b
        dxs.insert(0, dx)
    return LSTMParams(dW_x, dW_h, db), np.stack(dxs), dstate


def clipped_in_passing(params, xs, first, states, gates, dhs, dlast):
    """Synthaze/EpyNN."""
    dparams, dxs, dstate = [0, 0, 0], [], dlast
    for t in reversed(range(len(xs))):
        previous = LSTMState(states.h[t - 1], states.c[t - 1]) if t else first
        values, state = LSTMGates(*(gate[t] for gate in gates)), LSTMState(*(s[t] for s in states))
        dstate = LSTMState(dhs[t] + dstate.h, dstate.c)
        part, dx, dstate = lstm_step_backward(params, xs[t], previous, values, state, dstate)
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
        values, state = LSTMGates(*(gate[t] for gate in gates)), LSTMState(*(s[t] for s in states))
        part, dx, dstate = lstm_step_backward(
            params, xs[t], previous, values, state, LSTMState(dhs[t], dstate.c)
        )
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.insert(0, dx)
    return LSTMParams(*dparams), np.stack(dxs), dstate


def inputs_in_the_order_of_the_walk(params, xs, first, states, gates, dhs, dlast):
    dparams, dxs, dstate = [0, 0, 0], [], dlast
    for t in reversed(range(len(xs))):
        previous = LSTMState(states.h[t - 1], states.c[t - 1]) if t else first
        values, state = LSTMGates(*(gate[t] for gate in gates)), LSTMState(*(s[t] for s in states))
        dstate = LSTMState(dhs[t] + dstate.h, dstate.c)
        part, dx, dstate = lstm_step_backward(params, xs[t], previous, values, state, dstate)
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.append(dx)
    return LSTMParams(*dparams), np.stack(dxs), dstate


def stops_before_the_first_step(params, xs, first, states, gates, dhs, dlast):
    T = len(xs)
    dparams, dxs = LSTMParams(*(0 * p for p in params)), 0 * xs
    dh, dc = dlast
    for t in range(T - 1, 0, -1):
        now, before = (LSTMState(states.h[k], states.c[k]) for k in (t, t - 1))
        part, dxs[t], (dh, dc) = lstm_step_backward(
            params,
            xs[t],
            before,
            LSTMGates(*(v[t] for v in gates)),
            now,
            LSTMState(dh + dhs[t], dc),
        )
        dparams = LSTMParams(*(a + b for a, b in zip(dparams, part)))
    return dparams, dxs, LSTMState(dh, dc)


def last_h_counted_twice(params, xs, first, states, gates, dhs, dlast):
    """Added to its loss, and the walk begins with it too."""
    total = dhs.copy()
    total[-1] = total[-1] + dlast.h
    dparams, dxs, dstate = [0, 0, 0], [], dlast
    for t in reversed(range(len(xs))):
        previous = LSTMState(states.h[t - 1], states.c[t - 1]) if t else first
        values, state = LSTMGates(*(gate[t] for gate in gates)), LSTMState(*(s[t] for s in states))
        dstate = LSTMState(total[t] + dstate.h, dstate.c)
        part, dx, dstate = lstm_step_backward(params, xs[t], previous, values, state, dstate)
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.insert(0, dx)
    return LSTMParams(*dparams), np.stack(dxs), dstate


def last_loss_overwritten(params, xs, first, states, gates, dhs, dlast):
    arriving = np.concatenate([dhs[:-1], dlast.h[None]])
    carry = LSTMState(np.zeros_like(dlast.h), dlast.c)
    found, dxs = [], []
    for t in range(len(xs))[::-1]:
        previous = first if t == 0 else LSTMState(states.h[t - 1], states.c[t - 1])
        values, state = LSTMGates(*(gate[t] for gate in gates)), LSTMState(*(s[t] for s in states))
        part, dx, carry = lstm_step_backward(
            params, xs[t], previous, values, state, LSTMState(carry.h + arriving[t], carry.c)
        )
        found.append(part)
        dxs.append(dx)
    return LSTMParams(*map(sum, zip(*found))), np.array(dxs[::-1]), carry


def mean_over_the_steps(params, xs, first, states, gates, dhs, dlast):
    dparams, dxs, dstate = [0, 0, 0], [], dlast
    for t in reversed(range(len(xs))):
        previous = LSTMState(states.h[t - 1], states.c[t - 1]) if t else first
        values, state = LSTMGates(*(gate[t] for gate in gates)), LSTMState(*(s[t] for s in states))
        dstate = LSTMState(dhs[t] + dstate.h, dstate.c)
        part, dx, dstate = lstm_step_backward(params, xs[t], previous, values, state, dstate)
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.insert(0, dx)
    return LSTMParams(*(leaf / len(xs) for leaf in dparams)), np.stack(dxs), dstate


def mean_over_the_batch(params, xs, first, states, gates, dhs, dlast):
    dparams, dxs, dstate = [0, 0, 0], [], dlast
    for t in reversed(range(len(xs))):
        previous = LSTMState(states.h[t - 1], states.c[t - 1]) if t else first
        values, state = LSTMGates(*(gate[t] for gate in gates)), LSTMState(*(s[t] for s in states))
        dstate = LSTMState(dhs[t] + dstate.h, dstate.c)
        part, dx, dstate = lstm_step_backward(params, xs[t], previous, values, state, dstate)
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.insert(0, dx)
    return LSTMParams(*(leaf / xs.shape[1] for leaf in dparams)), np.stack(dxs), dstate


def gates_of_the_step_before(params, xs, first, states, gates, dhs, dlast):
    dparams, dxs, dstate = [0, 0, 0], [], dlast
    for t in reversed(range(len(xs))):
        previous = LSTMState(states.h[t - 1], states.c[t - 1]) if t else first
        values, state = (
            LSTMGates(*(gate[t - 1] for gate in gates)),
            LSTMState(*(s[t] for s in states)),
        )
        dstate = LSTMState(dhs[t] + dstate.h, dstate.c)
        part, dx, dstate = lstm_step_backward(params, xs[t], previous, values, state, dstate)
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.insert(0, dx)
    return LSTMParams(*dparams), np.stack(dxs), dstate


def first_state_a_step_late(params, xs, first, states, gates, dhs, dlast):
    dparams, dxs, dstate = [0, 0, 0], [], dlast
    for t in reversed(range(len(xs))):
        previous = LSTMState(states.h[t - 1], states.c[t - 1]) if t else first
        values, state = LSTMGates(*(gate[t] for gate in gates)), LSTMState(*(s[t] for s in states))
        dstate = dfirst = LSTMState(dhs[t] + dstate.h, dstate.c)
        part, dx, dstate = lstm_step_backward(params, xs[t], previous, values, state, dstate)
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.insert(0, dx)
    return LSTMParams(*dparams), np.stack(dxs), dfirst


def from_the_first_step_to_the_last(params, xs, first, states, gates, dhs, dlast):
    dparams, dxs, dstate, previous = [0, 0, 0], [], dlast, first
    for x, h, c, i, o, g, dh in zip(xs, *states, *gates, dhs):
        dstate = LSTMState(dh + dstate.h, dstate.c)
        part, dx, dstate = lstm_step_backward(
            params, x, previous, LSTMGates(i, o, g), LSTMState(h, c), dstate
        )
        previous = LSTMState(h, c)
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.append(dx)
    return LSTMParams(*dparams), np.stack(dxs), dstate


def every_step_after_itself(params, xs, first, states, gates, dhs, dlast):
    dparams, dxs, dstate = [0, 0, 0], [], dlast
    for t in reversed(range(len(xs))):
        state = LSTMState(*(s[t] for s in states))
        values = LSTMGates(*(gate[t] for gate in gates))
        dstate = LSTMState(dhs[t] + dstate.h, dstate.c)
        part, dx, dstate = lstm_step_backward(params, xs[t], state, values, state, dstate)
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.insert(0, dx)
    return LSTMParams(*dparams), np.stack(dxs), dstate


def only_the_last_state_has_a_loss(params, xs, first, states, gates, dhs, dlast):
    dparams, dxs, dstate = [0, 0, 0], [], dlast
    for t in reversed(range(len(xs))):
        previous = LSTMState(states.h[t - 1], states.c[t - 1]) if t else first
        values, state = LSTMGates(*(gate[t] for gate in gates)), LSTMState(*(s[t] for s in states))
        dstate = LSTMState(dstate.h, dstate.c)
        part, dx, dstate = lstm_step_backward(params, xs[t], previous, values, state, dstate)
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.insert(0, dx)
    return LSTMParams(*dparams), np.stack(dxs), dstate


def first_state_forgotten(params, xs, first, states, gates, dhs, dlast):
    dparams, dxs, dstate = [0, 0, 0], [], dlast
    for t in reversed(range(len(xs))):
        previous = (
            LSTMState(states.h[t - 1], states.c[t - 1])
            if t
            else LSTMState(*np.zeros((2, *first.h.shape)))
        )
        values, state = LSTMGates(*(gate[t] for gate in gates)), LSTMState(*(s[t] for s in states))
        dstate = LSTMState(dhs[t] + dstate.h, dstate.c)
        part, dx, dstate = lstm_step_backward(params, xs[t], previous, values, state, dstate)
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.insert(0, dx)
    return LSTMParams(*dparams), np.stack(dxs), dstate


def carried_crosswise(params, xs, first, states, gates, dhs, dlast):
    dparams, dxs, dstate = [0, 0, 0], [], dlast
    for t in reversed(range(len(xs))):
        previous = LSTMState(states.h[t - 1], states.c[t - 1]) if t else first
        values, state = LSTMGates(*(gate[t] for gate in gates)), LSTMState(*(s[t] for s in states))
        dstate = LSTMState(dhs[t] + dstate.h, dstate.c)
        part, dx, (dc, dh) = lstm_step_backward(params, xs[t], previous, values, state, dstate)
        dstate = LSTMState(dh, dc)
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.insert(0, dx)
    return LSTMParams(*dparams), np.stack(dxs), dstate


def inputs_of_the_step_before(params, xs, first, states, gates, dhs, dlast):
    dparams, dxs, dstate = [0, 0, 0], [], dlast
    for t in reversed(range(len(xs))):
        previous = LSTMState(states.h[t - 1], states.c[t - 1]) if t else first
        values, state = LSTMGates(*(gate[t] for gate in gates)), LSTMState(*(s[t] for s in states))
        dstate = LSTMState(dhs[t] + dstate.h, dstate.c)
        part, dx, dstate = lstm_step_backward(params, xs[t - 1], previous, values, state, dstate)
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.insert(0, dx)
    return LSTMParams(*dparams), np.stack(dxs), dstate


def fades_on_purpose(params, xs, first, states, gates, dhs, dlast):
    """A discount of the author's own: no mistake that is known here."""
    dparams, dxs, dstate = [0, 0, 0], [], dlast
    for t in reversed(range(len(xs))):
        previous = LSTMState(states.h[t - 1], states.c[t - 1]) if t else first
        values, state = LSTMGates(*(gate[t] for gate in gates)), LSTMState(*(s[t] for s in states))
        dstate = LSTMState(dhs[t] + 0.99 * dstate.h, dstate.c)
        part, dx, dstate = lstm_step_backward(params, xs[t], previous, values, state, dstate)
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.insert(0, dx)
    return LSTMParams(*dparams), np.stack(dxs), dstate


def two_slips_through_time(params, xs, first, states, gates, dhs, dlast):
    """The carry of the cell is lost, and the weights are averaged over the steps."""
    dparams, dxs, dstate = [0, 0, 0], [], dlast
    for t in reversed(range(len(xs))):
        previous = LSTMState(states.h[t - 1], states.c[t - 1]) if t else first
        values, state = LSTMGates(*(gate[t] for gate in gates)), LSTMState(*(s[t] for s in states))
        dstate = LSTMState(dhs[t] + dstate.h, (t == len(xs) - 1) * dstate.c)
        part, dx, dstate = lstm_step_backward(params, xs[t], previous, values, state, dstate)
        dparams = [a + b for a, b in zip(dparams, part)]
        dxs.insert(0, dx)
    return LSTMParams(*(leaf / len(xs) for leaf in dparams)), np.stack(dxs), dstate


# Right, written differently


def written_into_arrays_made_before(params, xs, first):
    T, B, H = len(xs), *first.h.shape
    states = LSTMState(np.empty((T, B, H)), np.empty((T, B, H)))
    gates = LSTMGates(*np.empty((3, T, B, H)))
    before = first
    W = np.vstack([*params[:2], params.b])
    for t in range(T):
        a = np.concatenate([xs[t], before.h, np.ones((B, 1))], axis=1) @ W
        a = a.reshape(B, 3, H)
        gates.i[t], gates.o[t] = np.moveaxis(sigmoid(a[:, :2]), 1, 0)
        gates.g[t] = np.tanh(a[:, 2])
        states.c[t] = (1 - gates.i[t]) * before.c + gates.i[t] * gates.g[t]
        states.h[t] = np.tanh(gates.o[t] * states.c[t])
        before = LSTMState(states.h[t], states.c[t])
    return states, gates


def first_step_and_the_rest(params, xs, first):
    """A function that calls itself with a shorter sequence."""
    state, values = lstm_step(params, xs[0], first)
    here = (*state, *values)
    if len(xs) > 1:
        later, later_gates = lstm_unroll(params, xs[1:], state)
        here = tuple(np.concatenate([[a], b]) for a, b in zip(here, (*later, *later_gates)))
    else:
        here = tuple(a[None] for a in here)
    return LSTMState(*here[:2]), LSTMGates(*here[2:])


def products_after_the_loop(params, xs, first, states, gates, dhs, dlast):
    i, o, g = gates
    W_h_back = params.W_h.T.copy()
    previous_hs = np.concatenate([first.h[None], states.h[:-1]])
    previous_cs = np.concatenate([first.c[None], states.c[:-1]])
    up = 1 - states.h**2
    slopes = np.concatenate(
        [(g - previous_cs) * i * (1 - i), up * states.c * o * (1 - o), i * (1 - g * g)], axis=-1
    )
    das, (dh, dc) = np.empty(slopes.shape), dlast
    for t in range(len(xs) - 1, -1, -1):
        dh = dh + dhs[t]
        dc = dc + dh * up[t] * o[t]
        das[t] = np.concatenate([dc, dh, dc], axis=1) * slopes[t]
        dh, dc = das[t] @ W_h_back, dc * (1 - i[t])
    rows = das.reshape(-1, das.shape[-1])
    dW_x, dW_h = xs.reshape(len(rows), -1).T @ rows, previous_hs.reshape(len(rows), -1).T @ rows
    return LSTMParams(dW_x, dW_h, rows.sum(axis=0)), das @ params.W_x.T, LSTMState(dh, dc)


def batch_first_one_sequence_at_a_time(params, xs, first, states, gates, dhs, dlast):
    T, B, D = xs.shape
    dxs = np.zeros((B, D, T))
    dh_first, dc_first = np.zeros(first.h.shape, order="F"), np.zeros(first.c.shape)
    dW_x, dW_h, db = (np.zeros(leaf.shape, order="F") for leaf in params)
    for n in range(B):
        dh, dc = dlast.h[n], dlast.c[n]
        for t in range(T)[::-1]:
            i, o, g = (gate[t, n] for gate in gates)
            h_before, c_before = (
                (first.h[n], first.c[n]) if t == 0 else (states.h[t - 1, n], states.c[t - 1, n])
            )
            dz = (dh + dhs[t, n]) * (1 - states.h[t, n] ** 2)
            dc = dc + dz * o
            da = np.hstack(
                [
                    dc * (g - c_before) * i * (1 - i),
                    dz * states.c[t, n] * o * (1 - o),
                    dc * i * (1 - g**2),
                ]
            )
            dW_x += np.outer(xs[t, n], da)
            dW_h += np.outer(h_before, da)
            db += da
            dxs[n, :, t] = params.W_x @ da
            dh, dc = params.W_h @ da, dc - dc * i
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
            params, x, before, values, after, LSTMState(dh + dhs[t], dc)
        )
        dparams = part if dparams is None else LSTMParams(*map(np.add, dparams, part))
    return dparams, np.array([dxs[t] for t in range(len(xs))]), LSTMState(dh, dc)


def all_slopes_by_the_complex_step(params, xs, first, states, gates, dhs, dlast):
    given = [*params, xs, *first]

    def loss(W_x, W_h, b, xs, h, c):
        L = 0
        for x, dh in zip(xs, dhs):
            a_i, a_o, a_g = np.split(x @ W_x + h @ W_h + b, 3, axis=1)
            c = c + (np.tanh(a_g) - c) / (1 + np.exp(-a_i))
            h = np.tanh(c / (1 + np.exp(-a_o)))
            L = L + np.sum(dh * h)
        return L + np.sum(dlast.h * h) + np.sum(dlast.c * c)

    slopes = []
    for k, leaf in enumerate(given):
        slope = np.zeros(leaf.shape)
        for place in np.ndindex(*leaf.shape):
            moved = [one.astype(complex) for one in given]
            moved[k][place] += 1e-20j
            slope[place] = loss(*moved).imag / 1e-20
        slopes.append(slope)
    return LSTMParams(*slopes[:3]), slopes[3], LSTMState(*slopes[4:])


WRONG = (
    Wrong("lstm_unroll", only_h_is_passed_on, "carry lost between steps"),
    Wrong("lstm_unroll", only_c_is_passed_on, "carry lost between steps"),
    Wrong("lstm_unroll", starts_from_zero, "first state taken for zero"),
    Wrong("lstm_unroll", list_of_states, "shape or type", 3 / 5),
    Wrong("lstm_unroll", states_before_the_steps, "off by one step", 3 / 5),
    Wrong("lstm_unroll", first_state_in_the_first_place, "first step left out"),
    Wrong("lstm_unroll", one_array_for_all_steps, "one state at every step", 3 / 5),
    Wrong("lstm_unroll", sequences_first, "shape or type"),
    Wrong("lstm_unroll", reads_from_the_end, "time runs backwards"),
    Wrong("lstm_unroll", stops_a_step_early, "last step left out"),
    Wrong("lstm_unroll", reads_one_input, "one input at every step"),
    Wrong("lstm_unroll", forgets_a_tenth, ""),
    Wrong("lstm_unroll", states_in_one_array, "shape or type"),
    Wrong("lstm_unroll_backward", tuples_joined_for_added, "shape or type", 3 / 6),
    Wrong("lstm_unroll_backward", cut_off_after_two_steps, ""),
    Wrong("lstm_unroll_backward", nothing_carried, "carry lost between steps"),
    Wrong("lstm_unroll_backward", cell_not_carried, "carry lost between steps"),
    Wrong(
        "lstm_unroll_backward", last_cell_at_every_step, "gradient of the last state at every step"
    ),
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
    Wrong("lstm_unroll_backward", stops_before_the_first_step, "first step left out"),
    Wrong("lstm_unroll_backward", last_h_counted_twice, "counted twice"),
    Wrong("lstm_unroll_backward", last_loss_overwritten, "gradients of the outputs ignored"),
    Wrong("lstm_unroll_backward", mean_over_the_steps, "mean for sum", 3 / 6),
    Wrong("lstm_unroll_backward", mean_over_the_batch, "mean for sum", 3 / 6),
    Wrong("lstm_unroll_backward", gates_of_the_step_before, "gates of the neighbouring step"),
    Wrong("lstm_unroll_backward", first_state_a_step_late, "off by one step", 4 / 6),
    Wrong("lstm_unroll_backward", from_the_first_step_to_the_last, "time runs forward"),
    Wrong("lstm_unroll_backward", every_step_after_itself, "new state for the old one"),
    Wrong(
        "lstm_unroll_backward", only_the_last_state_has_a_loss, "gradients of the outputs ignored"
    ),
    Wrong("lstm_unroll_backward", first_state_forgotten, "first state taken for zero", 1 / 6),
    Wrong("lstm_unroll_backward", carried_crosswise, "h and c exchanged"),
    Wrong("lstm_unroll_backward", inputs_of_the_step_before, "off by one step", 5 / 6),
    Wrong("lstm_unroll_backward", fades_on_purpose, ""),
    Wrong(
        "lstm_unroll_backward",
        two_slips_through_time,
        ("carry lost between steps", "mean for sum"),
    ),
)
RIGHT = (
    Right("lstm_unroll", written_into_arrays_made_before),
    Right("lstm_unroll", first_step_and_the_rest),
    Right("lstm_unroll_backward", products_after_the_loop),
    Right("lstm_unroll_backward", batch_first_one_sequence_at_a_time),
    Right("lstm_unroll_backward", everything_computed_again),
    Right("lstm_unroll_backward", all_slopes_by_the_complex_step),
)
