# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Assignment 1: a vanilla network with a leak
#
# The vanilla network computes its state anew at every step. Here each unit has a *leak*: a number between 0 and 1 that says which share of its state is lost in a step. A unit with a small leak keeps most of what it had. The leak is learned, so it has a gradient. The book does not derive this network: you do.
#
# | | |
# |---|---|
# | You will be able to | turn equations into code; take one step back through a network whose state has two uses; carry a gradient through time and say where each of its terms comes from; measure how a gradient fades, and what slows it down |
# | You need | Chapters 01 [*The recurrence*](01_the_recurrence.ipynb), 02 [*One step back*](02_one_step_back.ipynb) and 03 [*Through time*](03_through_time.ipynb) |

# %% [markdown]
# ## The network
#
# $$ k_t = (1 - a) \circ h_{t-1}, \qquad n_t = \tanh(x_t W_x + k_t W_h + b), \qquad h_t = k_t + a \circ n_t $$
#
# - $a$ is the leak, with one number for each unit, and $\circ$ multiplies entry by entry. (In the chapters, $a_t$ is what is inside the tanh. Here that is called $s_t$.)
# - $k_t$ is what is *left* of the old state. It is used twice.
# - $n_t$ is the *proposal*. It is made as $h_t$ is in Chapter 1, equations [(1.6)](01_the_recurrence.ipynb) and [(1.7)](01_the_recurrence.ipynb), with $k_t$ in the place of $h_{t-1}$.
# - The new state is what is left and a share of the proposal. (In exercise 3.5 too there is a leak, but only one number, which is not learned, and $W_h$ multiplies the whole old state.)

# %% given="params"
from typing import NamedTuple

import numpy as np


class RNNParams(NamedTuple):
    W_x: np.ndarray  # (D, H)
    W_h: np.ndarray  # (H, H)
    b: np.ndarray  # (H,)
    a: np.ndarray  # (H,), the leak of each unit, between 0 and 1


# %% [markdown]
# ## Question 1: one step
#
# `rnn_step(params, x, h_previous)` returns `(h, n)`, the new state and the proposal that it is made of, by the three equations above. The one in the middle is [(1.6)](01_the_recurrence.ipynb) and [(1.7)](01_the_recurrence.ipynb) of Chapter 1 in one line.
#
# | | shape |
# |---|---|
# | `params` | `RNNParams`: `W_x` $(D, H)$, `W_h` $(H, H)$, `b` $(H,)$, `a` $(H,)$ |
# | `x` | $(B, D)$, one input for each sequence |
# | `h_previous` | $(B, H)$ |
# | returns `h` and `n` | $(B, H)$ each |
#
# <details><summary>Hint 1</summary>
#
# Three terms are inside the tanh. Which of them depend on the sequence, and which is the same for all?
#
# </details>
# <details><summary>Hint 2</summary>
#
# A batch has its sequences in rows. So a row of $x$ meets the *columns* of $W_x$: $x$ is on the left of the product. The leak has one number for each column of the state, and NumPy uses it for every row.
#
# </details>
# <details><summary>Hint 3</summary>
#
# First what is left, in a variable of its own. For `n`: two products with `@`, one bias, one `np.tanh` around the sum. For `h`: what is left and a share of `n`.
#
# </details>

# %% question="rnn_step"

# %% [markdown]
# ## Question 2: one step back
#
# `rnn_step_backward(params, x, h_previous, n, dh)` returns `(dparams, dx, dh_previous)`: the gradient of everything that `rnn_step` was given. You are given `n`, which `rnn_step` returned, so that you need not compute it again. The loss depends on $h$; $n$ matters only because $h$ is made of it.
#
# Chapter 2 has the way back through the tanh, equation [(2.6)](02_one_step_back.ipynb), and through the products, (2.8) to (2.12). In the letters of this assignment, (2.6) is
#
# $$ ds = dn \circ (1 - n^2) $$
#
# and from $ds$ the products go on as from $da$ in the chapter. What the leak changes is yours to derive: $dn$, $dk$, the gradient of the leak, and the gradient of $h^{\text{prev}}$.
#
# | | shape |
# |---|---|
# | `params`, `x`, `h_previous` | as in question 1 |
# | `n`, and `dh`, the gradient that arrives at $h$ | $(B, H)$ |
# | returns `dparams` | `RNNParams`, each field of the shape of the parameter |
# | returns `dx` | $(B, D)$ |
# | returns `dh_previous` | $(B, H)$ |
#
# <details><summary>Hint 1</summary>
#
# Go back the way you came: the last thing that the step did was to add. What is the gradient of each thing that was added?
#
# </details>
# <details><summary>Hint 2</summary>
#
# In how many places of the three equations is $k$? And $a$? A gradient is a sum over uses. The leak is one number for all sequences of the batch, just as the bias is: see (2.10).
#
# </details>
# <details><summary>Hint 3</summary>
#
# First `dn`, then `ds`, then `dk`, which has a direct part and one through $W_h$. $W_h$ is square, and there the shapes do not help: read the indices in (2.12). The leak has two parts: one is made with `dh` and the proposal; the other with `dk` and the old state, and it has a minus sign. The old state is in the first equation alone.
#
# </details>

# %% question="rnn_step_backward"

# %% [markdown] words="why_two_paths"
# ## Question in words: two paths
#
# From $h_t$ back to $k_t$, the gradient takes two paths. Describe each: through which of the equations does it lead, and by what is the gradient multiplied on the way? Why are the two added? Then take one unit with $a = 0.1$ whose proposal is saturated, so that $n$ is close to 1. How much of the gradient comes back on each path, and how much of it reaches $h_{t-1}$?

# %% [markdown]
# ## Question 3: through time, forward
#
# `rnn_unroll(params, xs, h_first)` runs the step over a sequence and returns `(hs, ns)`, all its states and proposals. It is [(3.1)](03_through_time.ipynb) of Chapter 3 with your own step:
#
# $$ h_t, n_t = \text{step}(x_t, h_{t-1}), \qquad t = 1, \dots, T $$
#
# | | shape |
# |---|---|
# | `xs` | $(T, B, D)$, time first |
# | `h_first` | $(B, H)$, the state before the first step |
# | returns `hs` and `ns` | $(T, B, H)$ each: `hs[0]` is the state *after* the first step |
#
# <details><summary>Hint 1</summary>
#
# A loop over `xs` gives you one `x` of shape $(B, D)$ at a time. What else does a step need, and where does that come from?
#
# </details>
# <details><summary>Hint 2</summary>
#
# Keep one variable for the state. It begins as `h_first`, and every step replaces it. Replace the variable; do not write into its array.
#
# </details>
# <details><summary>Hint 3</summary>
#
# Collect the states in one list and the proposals in another, and `np.stack` both at the end. `h_first` is in neither.
#
# </details>

# %% question="rnn_unroll"

# %% [markdown]
# ## Question 4: through time, backward
#
# `rnn_unroll_backward(params, xs, h_first, hs, ns, dhs, dh_last)` returns `(dparams, dxs, dh_first)`.
#
# The loss depends on every state, and on the last one once more, as in [(3.2)](03_through_time.ipynb). So two kinds of gradient arrive: `dhs[t]` at each state from its own loss, and `dh_last` at the last state from whatever continues there. As in [(3.10)](03_through_time.ipynb),
#
# $$ dh_t = dh_t^{\text{out}} + dh_t^{\text{next}}, \qquad dh_T^{\text{next}} = dh^{\text{last}} $$
#
# but what step $t + 1$ sends back to step $t$ is not what it is in the chapter. The sums over time are those of [(3.13)](03_through_time.ipynb), with one more for the leak.
#
# | | shape |
# |---|---|
# | `params`, `xs`, `h_first` | as in question 3 |
# | `hs` and `ns`, which `rnn_unroll` returned, and `dhs` | $(T, B, H)$ |
# | `dh_last` | $(B, H)$ |
# | returns `dparams` | `RNNParams` |
# | returns `dxs` | $(T, B, D)$ |
# | returns `dh_first` | $(B, H)$ |
#
# <details><summary>Hint 1</summary>
#
# Ask of each state where it is used. The answer is the number of terms in its gradient. Then ask the same of $W_h$ and of the leak.
#
# </details>
# <details><summary>Hint 2</summary>
#
# Go back from the last step with one variable: the gradient that comes from the step after. What is it before your loop begins? And what do you call it when the loop has ended?
#
# </details>
# <details><summary>Hint 3</summary>
#
# `rnn_step_backward` does a whole step. Its `h_previous` is the state before the step: `hs[t - 1]`, except at one place. Add up its `dparams`, collect its `dx` (in which order do they come?), and carry its `dh_previous`.
#
# </details>

# %% question="rnn_unroll_backward"

# %% [markdown]
# ## Question 5: how a gradient fades
#
# Let only the last state have a loss, with the gradient `dh_last`. How much of it is left $k$ steps earlier?
#
# `gradient_norms(params, ns, dh_last)` returns an array of norms: in row `t`, for each sequence, the Euclidean norm of the gradient at `hs[t]`. It is question 4 with $dh_t^{\text{out}} = 0$ at every step, as in [(3.10)](03_through_time.ipynb), so row $T - 1$ is the norm of `dh_last` itself.
#
# $$ \text{norms}_{t,m} = \Bigl( \sum_{j=1}^{H} dh_{t,mj}^2 \Bigr)^{1/2} \qquad \text{for step } t \text{ and sequence } m $$
#
# | | shape |
# |---|---|
# | `ns` | $(T, B, H)$ |
# | `dh_last` | $(B, H)$ |
# | returns `norms` | $(T, B)$ |
#
# <details><summary>Hint 1</summary>
#
# The loop is the one of question 4, but shorter: the gradients of inputs and parameters are not asked for. Both paths back still are.
#
# </details>
# <details><summary>Hint 2</summary>
#
# Measure first, then take the step back. The first gradient that you measure is `dh_last`; the gradient before the first step is not asked for.
#
# </details>
# <details><summary>Hint 3</summary>
#
# `np.linalg.norm(dh, axis=1)` has one number for each sequence. You collect them from the last step to the first.
#
# </details>

# %% question="gradient_norms"

# %% [markdown]
# ## What the leak is for
#
# Now use what you have written. The next cell has a network whose $W_h$ has 0.5 as its largest singular value. In a vanilla network, its gradient would fade fast. The cell gives all units the same leak: 0.9, 0.3, 0.1 and 0.03.

# %% [markdown] predict="fading"
# Before you run it, predict: for each leak, what is left of the gradient after 40 steps? A power of ten is enough.

# %% look="fading"
rng = np.random.default_rng(0)
T, B, D, H = 41, 1, 3, 8
W_x = rng.standard_normal((D, H)) / 4
W_h = rng.standard_normal((H, H))
W_h = 0.5 * W_h / np.linalg.norm(W_h, 2)
xs, h_first, dh_last = rng.standard_normal((T, B, D)), np.zeros((B, H)), np.ones((B, H))
for leak in (0.9, 0.3, 0.1, 0.03):
    params = RNNParams(W_x, W_h, np.zeros(H), np.full(H, leak))
    hs, ns = rnn_unroll(params, xs, h_first)
    norms = gradient_norms(params, ns, dh_last)
    print(f"leak {leak:4}: {norms[0, 0] / norms[-1, 0]:.0e} of the gradient is left 40 steps back")

# %% [markdown] words="small_leak"
# ## Question in words: a small leak
#
# Look at what the cell above printed, and compare it with your prediction. What does a leak close to 0 do to the gradient over many steps, and why? And what does such a unit do badly, forward in time?
