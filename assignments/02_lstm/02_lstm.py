# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Assignment 2: the LSTM backward, gate by gate and fused
#
# You write the backward of an LSTM by hand: first each gate alone, then all four in one product of matrices, then through time. Several well-known programs were published with a mistake in this gradient, and most of them still learned something. Yours will be checked output by output.
#
# | | |
# |---|---|
# | You will be able to | turn equations (9.17) to (9.19) into code; derive the gradient of each gate by asking where it is used; say why the cell's gradient has two terms and which of them goes through no matrix; fuse sixteen products into four; carry two gradients through time |
# | You need | Chapters 09 *A state that lasts* and 10 *The LSTM backward* |
# | Time | 5 hours |
# | Points | 30 |
#
# How it works, as in Assignment 1:
#
# - Write your code where a cell says `raise NotImplementedError`. Everything else may stay as it is. You may add cells of your own.
# - Below each question, a cell checks your function on small random networks, and says which of its outputs are wrong and where. A check that passes is no guarantee: your function will be graded on other networks, of other sizes.
# - Your functions may use NumPy and Python's standard library. No other library is there when they are graded.
# - A function returns new arrays. It does not change its arguments, and it keeps nothing from one call to the next.
# - Each output of a function earns its own share of the points, and a mistake in one function does not cost you the points of the next. But while you work, the check of a later question runs your earlier functions: correct a ✗ before you go on.
# - Stuck? Each question has three hints. The first is a question, the last is nearly the answer. Open them one at a time.
#
# The letters are those of the chapters: $T$ steps, $B$ sequences in a batch, $D$ inputs, $H$ hidden units. The gates are $i, f, o, g$, and wherever they are side by side they are in this order. `dc` is the gradient of the loss with respect to `c`, and has its shape.
#
# The next cell gives you the types and the sigmoid. A NamedTuple can be read by name, `gates.f`, and it can be taken apart like any tuple, `h, c = previous`.

# %% nbgrader={"grade": false, "grade_id": "given_types", "locked": true, "schema_version": 3, "solution": false, "task": false}
from typing import NamedTuple

import numpy as np


class LSTMParams(NamedTuple):
    W_x: np.ndarray  # (D, 4H), the columns of i, then f, o, g
    W_h: np.ndarray  # (H, 4H)
    b: np.ndarray  # (4H,)


class LSTMState(NamedTuple):
    h: np.ndarray  # (B, H), what is shown
    c: np.ndarray  # (B, H), what is kept


class LSTMGates(NamedTuple):
    """An array for each gate: its values, or the gradients of its pre-activations."""

    i: np.ndarray  # (B, H), how much is written
    f: np.ndarray  # (B, H), how much is kept
    o: np.ndarray  # (B, H), how much is shown
    g: np.ndarray  # (B, H), what is written


def sigmoid(a):
    """Return 1 / (1 + exp(-a))."""
    return 1 / (1 + np.exp(-a))


# %% [markdown]
# ## Question 1: one step (4 points)
#
# `lstm_step(params, x, previous)` returns `(state, gates)`: the state after the step, and the values of the four gates, by equations (9.17), (9.18) and (9.19) of Chapter 9. The gates are returned because the way back needs them, and what has been computed once need not be computed again.
#
# | | shape |
# |---|---|
# | `params` | `LSTMParams`: `W_x` $(D, 4H)$, `W_h` $(H, 4H)$, `b` $(4H,)$ |
# | `x` | $(B, D)$, one input for each sequence |
# | `previous`, the state before the step | `LSTMState`: `h` and `c`, each $(B, H)$ |
# | returns `state`, the state after it | `LSTMState` |
# | returns `gates`, their values | `LSTMGates`: `i`, `f`, `o`, `g`, each $(B, H)$ |
#
# <details><summary>Hint 1</summary>
#
# The old $h$ and the old $c$ are used in different places. Find both in the equations before you write a line.
#
# </details>
# <details><summary>Hint 2</summary>
#
# Compute all four pre-activations at once, $(B, 4H)$. `np.split(a, 4, axis=1)` cuts such a block into its four gates, from left to right. Three of them say *how much* and one says *what*, so they do not all go through the same function.
#
# </details>
# <details><summary>Hint 3</summary>
#
# Once you have the gates, two lines are left, both elementwise: (9.19) from left to right. The second uses the new cell, which the first has just made. Then put the results into an `LSTMState` and an `LSTMGates`.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "lstm_step", "locked": false, "schema_version": 3, "solution": true, "task": false}
def lstm_step(params, x, previous):
    """Return (state, gates): the state after one step, and the values of the gates."""
    ### BEGIN SOLUTION
    a_i, a_f, a_o, a_g = np.split(x @ params.W_x + previous.h @ params.W_h + params.b, 4, axis=1)
    gates = LSTMGates(sigmoid(a_i), sigmoid(a_f), sigmoid(a_o), np.tanh(a_g))
    c = gates.f * previous.c + gates.i * gates.g
    return LSTMState(gates.o * np.tanh(c), c), gates
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "check_lstm_step", "locked": true, "schema_version": 3, "solution": false, "task": false}
from rnn_course import check

check("02_lstm", lstm_step)

# %% nbgrader={"grade": true, "grade_id": "test_lstm_step", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# The hidden tests of lstm_step, 4 points. Leave this cell as it is.
### BEGIN HIDDEN TESTS
from rnn_course import hidden_test

hidden_test("02_lstm", lstm_step, points=4)
### END HIDDEN TESTS

# %% [markdown]
# ## Question 2: back, gate by gate (8 points)
#
# This is the most important question, and there is no matrix in it: every line is elementwise, so you can look at each gate alone.
#
# Two gradients arrive at a step. `dh` is the whole gradient of its $h$. `dc_next` is only a part of the gradient of its $c$: the part that comes from the *next* step, equation (10.6). The part that comes from this step's $h$, your function has to add.
#
# `gate_gradients(gates, c_previous, c, dh, dc_next)` returns `(da, dc_previous)`: the gradients of the four pre-activations, and what this step passes to the step before as *its* `dc_next`. The equations are (10.11) to (10.16) of Chapter 10.
#
# | | shape |
# |---|---|
# | `gates`, the values that `lstm_step` returned | `LSTMGates` |
# | `c_previous` and `c`, the cell before and after the step | $(B, H)$ |
# | `dh`, `dc_next` | $(B, H)$ |
# | returns `da`, of the pre-activations $a_i, a_f, a_o, a_g$ | `LSTMGates` |
# | returns `dc_previous` | $(B, H)$ |
#
# <details><summary>Hint 1</summary>
#
# Do not begin with the gates. Begin where the gradient arrives, at (10.5), and go back the way the step came. When you reach the cell, ask where it was used: the answer is the number of terms in its gradient.
#
# </details>
# <details><summary>Hint 2</summary>
#
# A factor of a product gets what arrives at the product, times the *other* factor. Equation (10.4) has two products, so the whole `dc` goes to four factors, and for each it is multiplied by the other factor. One gate is not among them: it is in (10.5), where another gradient arrives.
#
# </details>
# <details><summary>Hint 3</summary>
#
# One line for `dc`, with two terms, of which only one went through a tanh: (10.14). One line for each gate: what arrives, times the other factor, times the slope written with the gate's own value, $y(1 - y)$ for three of them and $1 - y^2$ for the candidate. And `dc_previous` is `dc` times the gate that multiplied the old cell.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "gate_gradients", "locked": false, "schema_version": 3, "solution": true, "task": false}
def gate_gradients(gates, c_previous, c, dh, dc_next):
    """Return (da, dc_previous): the gradients of the four pre-activations, and what goes on to the old cell."""
    ### BEGIN SOLUTION
    i, f, o, g = gates
    tanh_c = np.tanh(c)
    dc = dc_next + dh * o * (1 - tanh_c**2)
    da_i, da_f = dc * g * i * (1 - i), dc * c_previous * f * (1 - f)
    da_o, da_g = dh * tanh_c * o * (1 - o), dc * i * (1 - g**2)
    return LSTMGates(da_i, da_f, da_o, da_g), dc * f
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "check_gate_gradients", "locked": true, "schema_version": 3, "solution": false, "task": false}
check("02_lstm", gate_gradients)

# %% nbgrader={"grade": true, "grade_id": "test_gate_gradients", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
# The hidden tests of gate_gradients, 8 points. Leave this cell as it is.
### BEGIN HIDDEN TESTS
hidden_test("02_lstm", gate_gradients, points=8)
### END HIDDEN TESTS

# %% [markdown]
# ## Question 3: back, four gates as one (6 points)
#
# Each gate has a matrix for $x$ and one for $h$, and the way back needs two products for each of the eight: sixteen in all. Lay the four `da` side by side and four products are enough, each four gates wide. Equations (10.21) to (10.23) show that this is the same sum.
#
# `lstm_step_backward(params, x, previous, gates, c, dstate)` returns `(dparams, dx, dprevious)`: the gradient of everything that `lstm_step` was given. The gradient of a thing has the type of the thing, so both gradients that arrive come in one `LSTMState`: `dstate.h` is the `dh` and `dstate.c` the `dc_next` of question 2. What you return in `dprevious` is such a pair too.
#
# | | shape |
# |---|---|
# | `params`, `x`, `previous` | as in question 1 |
# | `gates` and `c`, which `lstm_step` made | as in question 2 |
# | `dstate` | `LSTMState` |
# | returns `dparams` | `LSTMParams`, each field of the shape of the parameter |
# | returns `dx` | $(B, D)$ |
# | returns `dprevious` | `LSTMState` |
#
# <details><summary>Hint 1</summary>
#
# `gate_gradients` has done everything that is not a matrix product. You know what is left: it is the affine map of Assignment 1, question 2, only wider.
#
# </details>
# <details><summary>Hint 2</summary>
#
# `np.concatenate(gates, axis=1)` lays the four fields of an `LSTMGates` side by side. Do that with the gradients of the pre-activations, and no gate has to be named any more.
#
# </details>
# <details><summary>Hint 3</summary>
#
# With one `da` of shape $(B, 4H)$, the shapes decide every product: there is only one way to get $(D, 4H)$ from `x` and `da`, and one to get $(B, D)$ from `da` and $W_x$. Which $h$ does $W_h$ multiply in (9.17)? And the old cell needs no product at all: you have its gradient already.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "lstm_step_backward", "locked": false, "schema_version": 3, "solution": true, "task": false}
def lstm_step_backward(params, x, previous, gates, c, dstate):
    """Return (dparams, dx, dprevious): the gradients of what `lstm_step` was given."""
    ### BEGIN SOLUTION
    da_by_gate, dc_previous = gate_gradients(gates, previous.c, c, dstate.h, dstate.c)
    da = np.concatenate(da_by_gate, axis=1)
    dparams = LSTMParams(W_x=x.T @ da, W_h=previous.h.T @ da, b=da.sum(axis=0))
    return dparams, da @ params.W_x.T, LSTMState(da @ params.W_h.T, dc_previous)
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "check_lstm_step_backward", "locked": true, "schema_version": 3, "solution": false, "task": false}
check("02_lstm", lstm_step_backward)

# %% nbgrader={"grade": true, "grade_id": "test_lstm_step_backward", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
# The hidden tests of lstm_step_backward, 6 points. Leave this cell as it is.
### BEGIN HIDDEN TESTS
hidden_test("02_lstm", lstm_step_backward, points=6)
### END HIDDEN TESTS

# %% [markdown]
# ## Question 4: through time, forward (3 points)
#
# `lstm_unroll(params, xs, first)` runs the step over a sequence and returns `(states, gates)` of all its steps, because the way back needs all of them. Each step is (9.17) to (9.19), and starts from the state in which the step before it ended: both halves of it.
#
# | | shape |
# |---|---|
# | `xs` | $(T, B, D)$, time first |
# | `first`, the state before the first step | `LSTMState`: `h` and `c`, each $(B, H)$ |
# | returns `states` | `LSTMState`: `h` and `c`, each $(T, B, H)$; `states.c[0]` is the cell *after* the first step |
# | returns `gates` | `LSTMGates`: `i`, `f`, `o`, `g`, each $(T, B, H)$ |
#
# <details><summary>Hint 1</summary>
#
# A loop over `xs` gives you one `x` of shape $(B, D)$ at a time. One variable holds the state; it begins as `first`, and every step replaces it.
#
# </details>
# <details><summary>Hint 2</summary>
#
# Collect the states in one list and the gates in another. A list of $T$ `LSTMState`s is not yet an `LSTMState`: it has to become two arrays, one of all the `h` and one of all the `c`.
#
# </details>
# <details><summary>Hint 3</summary>
#
# `zip(*pairs)` turns a list of $T$ pairs into two tuples of $T$ things each, and `np.stack` makes one array of such a tuple, time first. The four gates go the same way.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "lstm_unroll", "locked": false, "schema_version": 3, "solution": true, "task": false}
def lstm_unroll(params, xs, first):
    """Return (states, gates): those of every step, time first."""
    ### BEGIN SOLUTION
    state, states, gates = first, [], []
    for x in xs:
        state, values = lstm_step(params, x, state)
        states.append(state)
        gates.append(values)
    return LSTMState(*map(np.stack, zip(*states))), LSTMGates(*map(np.stack, zip(*gates)))
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "check_lstm_unroll", "locked": true, "schema_version": 3, "solution": false, "task": false}
check("02_lstm", lstm_unroll)

# %% nbgrader={"grade": true, "grade_id": "test_lstm_unroll", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# The hidden tests of lstm_unroll, 3 points. Leave this cell as it is.
### BEGIN HIDDEN TESTS
hidden_test("02_lstm", lstm_unroll, points=3)
### END HIDDEN TESTS

# %% [markdown]
# ## Question 5: through time, backward (9 points)
#
# The loss of (10.24) depends on the $h$ of every step, and on the last $h$ and the last $c$ once more. So three gradients come from outside: `dhs[t]` at each $h$, and the pair `dlast` at the last state. From step to step two gradients are carried, that of $h$ and that of $c$. In 2018 the model answer of a well-known course carried neither, and learners whose program was right were told that it was wrong.
#
# `lstm_unroll_backward(params, xs, first, states, gates, dhs, dlast)` returns `(dparams, dxs, dfirst)`, by equations (10.25) and (10.26).
#
# | | shape |
# |---|---|
# | `params`, `xs`, `first` | as in question 4 |
# | `states`, `gates`, which `lstm_unroll` returned | as in question 4 |
# | `dhs` | $(T, B, H)$ |
# | `dlast` | `LSTMState`: `h` and `c`, each $(B, H)$ |
# | returns `dparams` | `LSTMParams` |
# | returns `dxs` | $(T, B, D)$ |
# | returns `dfirst` | `LSTMState` |
#
# <details><summary>Hint 1</summary>
#
# Ask of $h_t$ and of $c_t$ where each is used, and by whom: by the loss, by its own step, by the next step. Only one of the two is seen by the loss at every step.
#
# </details>
# <details><summary>Hint 2</summary>
#
# Go back from the last step with one pair of gradients: what comes from the step after. Before the loop it is one of your arguments. After the loop it is one of your results. Before each step something is added to one half of the pair.
#
# </details>
# <details><summary>Hint 3</summary>
#
# `lstm_step_backward` does a whole step, (10.25) included, if its `dstate` is complete. Its `previous` is made of `states.h[t - 1]` and `states.c[t - 1]`, except at one place, and its `gates` of the rows `t` of the four gates. Add up its `dparams` field by field, collect its `dx` (in which order do they come?), and carry its `dprevious`.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "lstm_unroll_backward", "locked": false, "schema_version": 3, "solution": true, "task": false}
def lstm_unroll_backward(params, xs, first, states, gates, dhs, dlast):
    """Return (dparams, dxs, dfirst): the gradients of what `lstm_unroll` was given."""
    ### BEGIN SOLUTION
    after = [LSTMState(h, c) for h, c in zip(*states)]
    steps = zip(
        xs, [first, *after[:-1]], [LSTMGates(*values) for values in zip(*gates)], states.c, dhs
    )
    dparams, dxs, dstate = LSTMParams(*map(np.zeros_like, params)), [], dlast
    for x, previous, values, c, dh_out in reversed(list(steps)):
        dstate = LSTMState(dh_out + dstate.h, dstate.c)
        dparams_t, dx, dstate = lstm_step_backward(params, x, previous, values, c, dstate)
        dparams = LSTMParams(*(total + part for total, part in zip(dparams, dparams_t)))
        dxs.append(dx)
    return dparams, np.stack(dxs[::-1]), dstate
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "check_lstm_unroll_backward", "locked": true, "schema_version": 3, "solution": false, "task": false}
check("02_lstm", lstm_unroll_backward)

# %% nbgrader={"grade": true, "grade_id": "test_lstm_unroll_backward", "locked": true, "points": 9, "schema_version": 3, "solution": false, "task": false}
# The hidden tests of lstm_unroll_backward, 9 points. Leave this cell as it is.
### BEGIN HIDDEN TESTS
hidden_test("02_lstm", lstm_unroll_backward, points=9)
### END HIDDEN TESTS

# %% [markdown]
# Now use what you have written. Only the last cell has a loss, `dlast.c`, and the question is how much of that gradient reaches the first cell 50 steps earlier. One path is direct: it goes through the forget gates alone, (10.27). All the others go through some $h$ on their way.
#
# Before you run the next cell, predict: with forget biases of 0, 1, 3 and 5, what is left on the direct path? Do the other paths bring more than that, or less? The sigmoids of these biases are 0.50, 0.73, 0.95 and 0.99. The experiment of Chapter 10 explains what you see.

# %% nbgrader={"grade": false, "grade_id": "check_two_paths", "locked": true, "schema_version": 3, "solution": false, "task": false}
T, B, D, H = 50, 1, 3, 16
print("forget bias   left on the direct path   left by all paths")
for bias in (0, 1, 3, 5):
    rng = np.random.default_rng(0)
    b = np.repeat([0.0, bias, 0.0, 0.0], H)
    params = LSTMParams(rng.standard_normal((D, 4 * H)) / 2, rng.standard_normal((H, 4 * H)) / 4, b)
    xs, zero = rng.standard_normal((T, B, D)), np.zeros((B, H))
    first, dlast = LSTMState(zero, zero), LSTMState(zero, np.ones((B, H)))
    states, gates = lstm_unroll(params, xs, first)
    _, _, dfirst = lstm_unroll_backward(
        params, xs, first, states, gates, np.zeros((T, B, H)), dlast
    )
    direct = dlast.c * np.prod(gates.f, axis=0)
    left = [np.linalg.norm(path) / np.linalg.norm(dlast.c) for path in (direct, dfirst.c)]
    print(f"{bias:11} {left[0]:25.0e} {left[1]:19.0e}")
