# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Assignment 2: an LSTM with one gate for two jobs
#
# In an LSTM one gate says how much of the cell is kept and another how much is written. In the cell of this assignment one gate does both, and the output gate stands at another place. So the gradients of the chapters are not those of this cell: you derive them. First each gate alone, then all of them in one product of matrices, then through time. Several well-known programs were published with a mistake in such a gradient, and most of them still learned something. Yours will be checked output by output.
#
# | | |
# |---|---|
# | You will be able to | turn the equations of a cell that is new to you into code; derive the gradient of each gate by asking where it is used; say why the cell's gradient has two terms, and the input gate's too; fuse twelve products into four; carry two gradients through time |
# | You need | Chapters 09 [*A state that lasts*](09_a_state_that_lasts.ipynb) and 10 [*The LSTM backward*](10_the_lstm_backward.ipynb) |

# %% [markdown]
# ## The cell
#
# Three blocks of pre-activations, side by side in the order $i, o, g$, each $(B, H)$:
#
# $$ [\,a_{i,t},\ a_{o,t},\ a_{g,t}\,] = x_t W_x + h_{t-1} W_h + b \tag{A1} $$
#
# Two gates between 0 and 1, and the candidate between $-1$ and $1$:
#
# $$ i_t = \sigma(a_{i,t}), \qquad o_t = \sigma(a_{o,t}), \qquad g_t = \tanh(a_{g,t}) \tag{A2} $$
#
# The cell moves towards the candidate, and the input gate says how far:
#
# $$ c_t = c_{t-1} + i_t \circ (g_t - c_{t-1}) \tag{A3} $$
#
# What is shown is a part of the cell, squashed:
#
# $$ h_t = \tanh(o_t \circ c_t) \tag{A4} $$
#
# Here $\circ$ multiplies entry by entry. Compare this with [(9.17)](09_a_state_that_lasts.ipynb) to [(9.19)](09_a_state_that_lasts.ipynb), or with [(10.1)](10_the_lstm_backward.ipynb) to [(10.5)](10_the_lstm_backward.ipynb), which are the same cell. Three things are different:
#
# - There is no forget gate. What is kept of the old cell is what the input gate leaves.
# - So there are three blocks of weights in the place of four: `W_x` is $(D, 3H)$.
# - The output gate multiplies the cell *before* the tanh, not after it.
#
# What follows from this for the gradients is for you to find out. Equations (10.11) to (10.15) are those of another cell. The two rules that they come from are the same here, [(10.8)](10_the_lstm_backward.ipynb) for a product and [(10.9)](10_the_lstm_backward.ipynb) for a function:
#
# $$ y = u \circ v \;\Longrightarrow\; du = dy \circ v, \quad dv = dy \circ u \qquad\qquad y = \varphi(a) \;\Longrightarrow\; da = dy \circ \varphi'(a) $$
#
# with the slopes $y \circ (1 - y)$ for the sigmoid and $1 - y^2$ for the tanh. And a thing that is used twice has a gradient of two terms.
#
# `dc` is the gradient of the loss with respect to `c`, and has its shape. The next cell gives you the types and the sigmoid. A NamedTuple can be read by name, `gates.i`, and it can be taken apart like any tuple, `h, c = previous`.

# %% given="types"
from typing import NamedTuple

import numpy as np


class LSTMParams(NamedTuple):
    W_x: np.ndarray  # (D, 3H), the columns of i, then o, g
    W_h: np.ndarray  # (H, 3H)
    b: np.ndarray  # (3H,)


class LSTMState(NamedTuple):
    h: np.ndarray  # (B, H), what is shown
    c: np.ndarray  # (B, H), what is kept


class LSTMGates(NamedTuple):
    """An array for each gate: its values, or the gradients of its pre-activations."""

    i: np.ndarray  # (B, H), how far the cell moves towards the candidate
    o: np.ndarray  # (B, H), how much is shown
    g: np.ndarray  # (B, H), the candidate


def sigmoid(a):
    """Return 1 / (1 + exp(-a))."""
    return 1 / (1 + np.exp(-a))


# %% [markdown]
# ## Question 1: one step
#
# `lstm_step(params, x, previous)` returns `(state, gates)`: the state after the step, and the values of the gates, by equations (A1) to (A4). The products of (A1) are those of [(9.17)](09_a_state_that_lasts.ipynb), with a block less. The gates are returned because the way back needs them, and what has been computed once need not be computed again.
#
# | | shape |
# |---|---|
# | `params` | `LSTMParams`: `W_x` $(D, 3H)$, `W_h` $(H, 3H)$, `b` $(3H,)$ |
# | `x` | $(B, D)$, one input for each sequence |
# | `previous`, the state before the step | `LSTMState`: `h` and `c`, each $(B, H)$ |
# | returns `state`, the state after it | `LSTMState` |
# | returns `gates`, their values | `LSTMGates`: `i`, `o`, `g`, each $(B, H)$ |
#
# <details><summary>Hint 1</summary>
#
# The old $h$ and the old $c$ are used in different places. Find both in the equations before you write a line. Which of the two is used twice?
#
# </details>
# <details><summary>Hint 2</summary>
#
# Compute all pre-activations at once, $(B, 3H)$. `np.split(a, 3, axis=1)` cuts such a block into its three parts, from left to right. Two of them say *how much* and one says *what*, so they do not all go through the same function.
#
# </details>
# <details><summary>Hint 3</summary>
#
# Once you have the gates, two lines are left, both elementwise: (A3) and (A4). The second uses the new cell, which the first has just made. Then put the results into an `LSTMState` and an `LSTMGates`.
#
# </details>

# %% question="lstm_step"

# %% [markdown]
# ## Question 2: back, gate by gate
#
# This is the most important question, and there is no matrix in it: every line is elementwise, so you can look at each gate alone.
#
# Two gradients arrive at a step, as in [(10.6)](10_the_lstm_backward.ipynb). `dh` is the whole gradient of its $h$. `dc_next` is only a part of the gradient of its $c$: the part that comes from the *next* step. The part that comes from this step's $h$, your function has to add.
#
# `gate_gradients(gates, c_previous, state, dh, dc_next)` returns `(da, dc_previous)`: the gradients of the three pre-activations, and what this step passes to the step before as *its* `dc_next`.
#
# | | shape |
# |---|---|
# | `gates`, the values that `lstm_step` returned | `LSTMGates` |
# | `c_previous`, the cell before the step | $(B, H)$ |
# | `state`, the state after the step, which `lstm_step` returned | `LSTMState` |
# | `dh`, `dc_next` | $(B, H)$ |
# | returns `da`, of the pre-activations $a_i, a_o, a_g$ | `LSTMGates` |
# | returns `dc_previous` | $(B, H)$ |
#
# <details><summary>Hint 1</summary>
#
# Do not begin with the gates. Begin where the gradient arrives, at (A4), and go back the way the step came. Make a list: how often is each of $o_t$, $c_t$, $i_t$, $g_t$ and $c_{t-1}$ used, in this step and in the next? Which of them have two uses?
#
# </details>
# <details><summary>Hint 2</summary>
#
# The last thing that the step did was a tanh, and its value is $h_t$. So first find the gradient of what is inside it, of the product $o_t \circ c_t$. From there two factors are left to go to. The cell gets one more term; see [(10.14)](10_the_lstm_backward.ipynb) for where it comes from. In (A3), multiply the bracket out before you ask where $i_t$ and $c_{t-1}$ are used.
#
# </details>
# <details><summary>Hint 3</summary>
#
# One line for the gradient inside the tanh: `dh` times the slope of the tanh, written with $h$. It goes to the output gate times the cell, and to the cell times the output gate. Add `dc_next` there, and you have the whole `dc`. The input gate was multiplied by a difference, so it gets `dc` times this difference. The candidate and the old cell have the two shares of (A3), which add up to one, and each gets its own share of `dc`. Last, each gate's gradient times its own slope, as in [(10.16)](10_the_lstm_backward.ipynb).
#
# </details>

# %% question="gate_gradients"

# %% [markdown]
# ## Question 3: back, three gates as one
#
# Each gate has a matrix for $x$ and one for $h$, and the way back needs two products for each of the six: twelve in all. Lay the three `da` side by side and four products are enough, each three gates wide. Equations [(10.21)](10_the_lstm_backward.ipynb) to [(10.23)](10_the_lstm_backward.ipynb) show that this is the same sum:
#
# $$ dW_x = x_t^\top da_t, \qquad dW_h = h_{t-1}^\top da_t, \qquad db = \sum_n da_{t,n}, \qquad dx_t = da_t W_x^\top, \qquad dh_{t-1}^{\text{next}} = da_t W_h^\top $$
#
# `lstm_step_backward(params, x, previous, gates, state, dstate)` returns `(dparams, dx, dprevious)`: the gradient of everything that `lstm_step` was given. The gradient of a thing has the type of the thing, so both gradients that arrive come in one `LSTMState`: `dstate.h` is the `dh` and `dstate.c` the `dc_next` of question 2. What you return in `dprevious` is such a pair too.
#
# | | shape |
# |---|---|
# | `params`, `x`, `previous` | as in question 1 |
# | `gates` and `state`, which `lstm_step` made | as in question 2 |
# | `dstate` | `LSTMState` |
# | returns `dparams` | `LSTMParams`, each field of the shape of the parameter |
# | returns `dx` | $(B, D)$ |
# | returns `dprevious` | `LSTMState` |
#
# <details><summary>Hint 1</summary>
#
# `gate_gradients` has done everything that is not a matrix product. Which of its arguments do you have under another name?
#
# </details>
# <details><summary>Hint 2</summary>
#
# `np.concatenate(gates, axis=1)` lays the fields of an `LSTMGates` side by side. Do that with the gradients of the pre-activations, and no gate has to be named any more.
#
# </details>
# <details><summary>Hint 3</summary>
#
# With one `da` of shape $(B, 3H)$, the five equations above are a line each. Which $h$ does $W_h$ multiply in (A1)? And the old cell needs no product at all: you have its gradient already.
#
# </details>

# %% question="lstm_step_backward"

# %% [markdown] words="a_mistake_that_hides"
# ## Question in words: a mistake that hides
#
# A classmate made the gradient of the input gate from the candidate alone, `di = dc * g`, as in Chapter 10. The check of this classmate was one step from the state zero, with random weights and random gradients, and it found nothing wrong. Why did it find nothing? Then say which outputs of `lstm_step_backward` are wrong as soon as the old cell is not zero, block by block where there are blocks, and why the others are right all the same.

# %% [markdown]
# ## Question 4: through time, forward
#
# `lstm_unroll(params, xs, first)` runs the step over a sequence, as in [(3.1)](03_through_time.ipynb), and returns `(states, gates)` of all its steps, because the way back needs all of them. Each step is (A1) to (A4), and starts from the state in which the step before it ended: both halves of it.
#
# | | shape |
# |---|---|
# | `xs` | $(T, B, D)$, time first |
# | `first`, the state before the first step | `LSTMState`: `h` and `c`, each $(B, H)$ |
# | returns `states` | `LSTMState`: `h` and `c`, each $(T, B, H)$; `states.c[0]` is the cell *after* the first step |
# | returns `gates` | `LSTMGates`: `i`, `o`, `g`, each $(T, B, H)$ |
#
# <details><summary>Hint 1</summary>
#
# A loop over `xs` gives you one `x` of shape $(B, D)$ at a time. What else does a step need, and where does that come from?
#
# </details>
# <details><summary>Hint 2</summary>
#
# Collect the states in one list and the gates in another. A list of $T$ `LSTMState`s is not yet an `LSTMState`: it has to become two arrays, one of all the `h` and one of all the `c`.
#
# </details>
# <details><summary>Hint 3</summary>
#
# `zip(*states)` turns a list of $T$ pairs into two tuples of $T$ arrays each, and `np.stack` makes one array of such a tuple, time first. The three gates go the same way.
#
# </details>

# %% question="lstm_unroll"

# %% [markdown]
# ## Question 5: through time, backward
#
# The loss is that of [(10.24)](10_the_lstm_backward.ipynb):
#
# $$ L = \sum_{t=1}^{T} L_t(h_t) + L_{\text{last}}(h_T, c_T) $$
#
# It depends on the $h$ of every step, and on the last $h$ and the last $c$ once more. So three gradients come from outside: `dhs[t]` at each $h$, and the pair `dlast` at the last state. From step to step two gradients are carried, that of $h$ and that of $c$. In 2018 the model answer of a well-known course carried neither, and learners whose program was right were told that it was wrong.
#
# The first line of [(10.25)](10_the_lstm_backward.ipynb) holds here as it stands, and so do the sums of [(10.26)](10_the_lstm_backward.ipynb):
#
# $$ dh_t = dh_t^{\text{out}} + dh_t^{\text{next}}, \qquad dW_x = \sum_{t=1}^{T} x_t^\top da_t, \qquad dW_h = \sum_{t=1}^{T} h_{t-1}^\top da_t, \qquad db = \sum_{t=1}^{T} \sum_{n=1}^{B} da_{t,n} $$
#
# with $dh_T^{\text{next}} = dh^{\text{last}}$ and $dc_T^{\text{next}} = dc^{\text{last}}$ at the end. What a step passes on as $dc^{\text{next}}$ you know from question 2.
#
# `lstm_unroll_backward(params, xs, first, states, gates, dhs, dlast)` returns `(dparams, dxs, dfirst)`.
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
# `lstm_step_backward` does a whole step if its `dstate` is complete. Its `state` is made of the rows `t` of `states`, its `gates` of the rows `t` of the gates, and its `previous` of the rows `t - 1` of `states`, except at one place. Add up its `dparams` field by field, collect its `dx` (in which order do they come?), and carry its `dprevious`.
#
# </details>

# %% question="lstm_unroll_backward"

# %% [markdown]
# ## How long does it remember, and what does that cost?
#
# Now use what you have written. Only the last cell has a loss, `dlast.c`. The next cell measures how much of this gradient reaches three places: the first cell $c_0$, fifty steps earlier, along the direct path (the product of all $1 - i_t$, compare [(10.27)](10_the_lstm_backward.ipynb)) and along all paths together; the last input; and the first input. It does so for six values of the bias of the input gate: 0, $-1$, $-3$, $-4$, $-5$ and $-8$, whose sigmoids are 0.5, 0.27, 0.05, 0.02, 0.007 and 0.0003.

# %% [markdown] predict="two_jobs"
# Before you run it, predict. With which bias does most of the gradient reach $c_0$? With which does most of it reach the *first input*, which had to be written before it could be kept? Do the paths through $h$ bring more than the direct path, or less?

# %% look="two_jobs"
T, B, D, H = 50, 1, 3, 16
zero = np.zeros((B, H))
first, dlast = LSTMState(zero, zero), LSTMState(zero, np.ones((B, H)))
print("bias of i   c_0, direct path   c_0, all paths   last input   first input")
for bias in (0, -1, -3, -4, -5, -8):
    rng = np.random.default_rng(0)
    b = np.repeat([bias, 0.0, 0.0], H)
    params = LSTMParams(rng.standard_normal((D, 3 * H)) / 2, rng.standard_normal((H, 3 * H)) / 4, b)
    xs = rng.standard_normal((T, B, D))
    states, gates = lstm_unroll(params, xs, first)
    _, dxs, dfirst = lstm_unroll_backward(
        params, xs, first, states, gates, np.zeros((T, B, H)), dlast
    )
    direct = dlast.c * np.prod(1 - gates.i, axis=0)
    left = [
        np.linalg.norm(d) / np.linalg.norm(dlast.c) for d in (direct, dfirst.c, dxs[-1], dxs[0])
    ]
    print("{:9} {:18.0e} {:16.0e} {:12.0e} {:13.0e}".format(bias, *left))

# %% [markdown] words="one_gate_two_jobs"
# ## Question in words: one gate, two jobs
#
# An LSTM of Chapter 9 can keep all of its cell and add to it in the same step, so it can count. Can one unit of $c$ in the cell of this assignment count up to 20? Say why or why not, with one of the equations of this notebook. Then name one thing that the cell has gained by having one gate for both jobs.
