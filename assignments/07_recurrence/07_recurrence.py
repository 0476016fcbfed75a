# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Assignment 7: a state that turns around
#
# You build a linear recurrence for rows that hold many sequences, one after the other, and a gate that can turn a state around. You derive its gradient, make pieces of it that can be joined in any order, and run it in blocks. Then you train a network that counts modulo two. It is trained on sequences of 40 steps at most, and the better it counts in sequences of 200, the more points the last question earns.
#
# | | |
# |---|---|
# | You will be able to | write a linear recurrence and its gradient for sequences packed into rows; find the operator of a scan, and say why it is associative; run a recurrence in levels and in blocks; derive a gate of three shares; train a network that counts at five times the length of its training |
# | You need | Chapter 23 [*A recurrence without a corner*](23_a_recurrence_without_a_corner.ipynb), and for questions 6 and 7 the softmax of Chapter 21 [*Where to look*](21_where_to_look.ipynb) |

# %% [markdown]
# ## The recurrence
#
# Sequences have different lengths. Padding wastes time, so language models are often trained on *packed* rows: when a sequence ends, the next one begins in the same row. A flag says where: in each row, $f_t$ is 1 if step $t$ is the first one of a new sequence, and 0 otherwise. Nothing may leak from one sequence into the next.
#
# A sequence begins with a state $s$, of shape $(H,)$. It is a parameter, the same for all sequences. So a step of [(23.1)](23_a_recurrence_without_a_corner.ipynb) becomes
#
# $$ h_t = a_t \circ \bigl(f_t\, s + (1 - f_t)\, h_{t-1}\bigr) + b_t $$
#
# The bracket is *the state before the step*. If the flag is 1, it is $s$, and the step is still taken: $h = a \circ s + b$. If the flag is 0, it is the old state. A row need not begin with a new sequence. It can go on with one from an earlier row, and so there is a state $h_0$ of shape $(B, H)$ before its first step.
#
# In the code, a step, or several steps joined, or an array of either, is a `Piece` with the fields `new` (the flags $f$, as floats), `a` and `b`. For all the steps of a row they are $(T, B)$, $(T, B, H)$ and $(T, B, H)$.
#
# ## The gate
#
# There are three shares for each unit: one *keeps* the state, one *turns* it around (with a minus), one *writes* a candidate $n$. They are a softmax of two scores $k$ and $r$ and of a third that is always zero, so they add up to one:
#
# $$ p_t = \frac{e^{k_t}}{1 + e^{k_t} + e^{r_t}}, \qquad q_t = \frac{e^{r_t}}{1 + e^{k_t} + e^{r_t}}, \qquad w_t = \frac{1}{1 + e^{k_t} + e^{r_t}} $$
#
# $$ a_t = p_t - q_t, \qquad b_t = w_t \circ n_t $$
#
# So $a_t$ is between $-1$ and 1, and no state is larger in size than the largest of the candidates and first states. Compare [(23.10)](23_a_recurrence_without_a_corner.ipynb): without $q$ this is minGRU, with $z = p$.

# %% given="pieces"
from typing import NamedTuple

import numpy as np


class Piece(NamedTuple):
    new: np.ndarray  # (..., B), 1.0 if a sequence begins in it, else 0.0
    a: np.ndarray  # (..., B, H)
    b: np.ndarray  # (..., B, H)


class CounterParams(NamedTuple):
    E: np.ndarray  # (V, 3H), a row for each symbol: keep, turn, n
    start: np.ndarray  # (H,), the state before the first step of a sequence
    W: np.ndarray  # (H, 2), of the output layer
    b: np.ndarray  # (2,), of the output layer


# %% [markdown]
# ## Question 1: one step after another
#
# `recurrence(steps, start, h)` returns all states, with the equation above. It is [(23.1)](23_a_recurrence_without_a_corner.ipynb) with beginnings.
#
# | | shape |
# |---|---|
# | `steps` | `Piece` of $(T, B)$, $(T, B, H)$, $(T, B, H)$ |
# | `start` | $(H,)$ |
# | `h` | $(B, H)$, the state before the first step of the row |
# | returns `hs` | $(T, B, H)$ |
#
# <details><summary>Hint 1</summary>
#
# The state before a step is one of two states. Which ones, and what decides between them?
#
# </details>
# <details><summary>Hint 2</summary>
#
# The flags of a step are $(B,)$ and the states $(B, H)$: an axis at the end is missing. `start` fits as it is.
#
# </details>
# <details><summary>Hint 3</summary>
#
# A loop over `zip(*steps)` gives the flags, the factors and the terms of one step. Then `np.where` for the state before the step, and one line for the state after it.
#
# </details>

# %% question="recurrence"

# %% [markdown]
# ## Question 2: back, from the end
#
# `recurrence_backward(steps, start, h, hs, dhs)` returns `(da, db, dstart, dh)`. Derive it as [(23.3)](23_a_recurrence_without_a_corner.ipynb) to [(23.5)](23_a_recurrence_without_a_corner.ipynb) are derived. Where is each number used, and by what is it multiplied there? A beginning is a use of $s$, and so no use of the old state.
#
# | | shape |
# |---|---|
# | `steps`, `start`, `h` | as in question 1 |
# | `hs` | $(T, B, H)$, what `recurrence` returned |
# | `dhs` | $(T, B, H)$, the gradients that arrive at the states from outside |
# | returns `da`, `db` | $(T, B, H)$ |
# | returns `dstart`, `dh` | $(H,)$ and $(B, H)$ |
#
# <details><summary>Hint 1</summary>
#
# The whole gradient $G_t$ of a state has two terms. For which rows is the second one zero: does the flag of the step $t$ say it, or that of $t + 1$?
#
# </details>
# <details><summary>Hint 2</summary>
#
# Give the bracket a name, the state before the step. Its gradient is $a_t \circ G_t$ at each step. It belongs to $s$ where the flag is 1, and to the old state where it is 0. All of it goes one way or the other.
#
# </details>
# <details><summary>Hint 3</summary>
#
# Loop from the end with a carry of $(B, H)$ that begins as zeros. In each step: $G_t$, the gradient of the bracket, the new carry. What is left of the carry after the loop is `dh`. `dstart` is a sum over steps and rows.
#
# </details>

# %% question="recurrence_backward"

# %% [markdown]
# ## Question 3: joining two pieces
#
# A piece makes a new state of an old one: $h \mapsto a \circ (f s + (1 - f) h) + b$. Apply one piece, and then a later one. What both do together can again be written with a flag, a factor and a term. `join(earlier, later)` returns them. In [(23.7)](23_a_recurrence_without_a_corner.ipynb) you see it without flags.
#
# The flag of a joined piece says whether a sequence begins in it. If so, what was before the piece does not change the result. $s$ is the same number everywhere, so it is not stored in a piece, and you do not need it.
#
# | | shape |
# |---|---|
# | `earlier`, `later` | `Piece` of $(N, B)$, $(N, B, H)$, $(N, B, H)$: $N$ pieces are joined with $N$ others, each with its partner |
# | returns | `Piece` of the same shapes |
#
# <details><summary>Hint 1</summary>
#
# There are two cases: a sequence begins in the later piece, or not. In one of them there is nothing to compute.
#
# </details>
# <details><summary>Hint 2</summary>
#
# Put the result of the earlier piece into the later one, for a later flag of 0, and multiply out. The bracket of the earlier piece stays as it is. What is in front of it, and what is added?
#
# </details>
# <details><summary>Hint 3</summary>
#
# If the later flag is 1: the later factor and term, as they are. If it is 0: (23.7). `np.where` chooses. The joined flag is 1 if one of the two flags is.
#
# </details>

# %% question="join"

# %% [markdown] words="free_brackets"
# ## Question in words: free brackets
#
# Prove that joining is associative, with flags: for three pieces one after the other, it does not matter whether you join the first two first, or the last two. (It can be said in two sentences, if you say what a piece *is*.) Why must the result again be a flag, a factor and a term? And is it allowed to exchange two pieces?

# %% [markdown]
# ## Question 4: a scan
#
# `scan(steps)` returns, for each step, the piece that it makes together with *all* steps before it in the row. Do it in levels, as in the picture of [Chapter 23](23_a_recurrence_without_a_corner.ipynb): 1 back, 2 back, 4 back, with your `join` in the place of [(23.7)](23_a_recurrence_without_a_corner.ipynb). There is no first state: the result can be used with any.
#
# | | shape |
# |---|---|
# | `steps` | `Piece` of $(T, B)$, $(T, B, H)$, $(T, B, H)$; $T$ is any number from 1 on |
# | returns `so_far` | `Piece` of the same shapes |
#
# <details><summary>Hint 1</summary>
#
# Before the level with distance $d$, each piece is the last $d$ steps joined, or all of them if there are fewer. With which one is it to be joined? Which of the two is the earlier one?
#
# </details>
# <details><summary>Hint 2</summary>
#
# In a level, the first $d$ pieces have no partner and stay what they are. All others can be joined with their partners by one call.
#
# </details>
# <details><summary>Hint 3</summary>
#
# A piece of pieces is cut by `Piece(*(array[d:] for array in so_far))`. After the call, put the first $d$ in front with `np.concatenate`, for each of the three arrays. Do not write into arrays that you still need, nor into those that you were given.
#
# </details>

# %% question="scan"

# %% [markdown]
# ## Question 5: in blocks
#
# A row that is too long for one machine, or for one pass of a scan, is cut into blocks. Each block is scanned by itself, without knowing any state. Then the true states are passed on from block to block, [(23.8)](23_a_recurrence_without_a_corner.ipynb). `in_blocks(steps, start, h, sizes)` returns `(wholes, hs)`: for each block the piece that all its steps make together, and the states.
#
# | | shape |
# |---|---|
# | `steps`, `start`, `h` | as in question 1 |
# | `sizes` | $(N,)$, whole numbers: the number of steps of each block, together $T$ |
# | returns `wholes` | `Piece` of $(N, B)$, $(N, B, H)$, $(N, B, H)$ |
# | returns `hs` | $(T, B, H)$ |
#
# <details><summary>Hint 1</summary>
#
# What does a joined piece make of a state? Look at the equation of a step once more: it holds for pieces too.
#
# </details>
# <details><summary>Hint 2</summary>
#
# For a block, `scan` gives a piece for each of its steps, with all before it in the block. All of them are used on the same state: which one? And which of them is the whole block?
#
# </details>
# <details><summary>Hint 3</summary>
#
# A loop over the blocks; `np.cumsum(sizes)` says where they end. In it: cut, scan, the states of the block with `np.where` as in question 1, and the last of these states is carried on. `np.stack` and `np.concatenate` at the end.
#
# </details>

# %% question="in_blocks"

# %% [markdown]
# ## Question 6: keep, turn, write
#
# `coefficients(z)` returns the factor and the term of all steps, with the equations of the gate. It is what [(23.9)](23_a_recurrence_without_a_corner.ipynb) and [(23.10)](23_a_recurrence_without_a_corner.ipynb) are for minGRU. The scores are small enough here: you need not subtract the largest one.
#
# | | shape |
# |---|---|
# | `z` | $(T, B, 3H)$: three blocks, $k$, $r$ and $n$, in this order |
# | returns `a`, `b` | $(T, B, H)$ |
#
# <details><summary>Hint 1</summary>
#
# Where does the 1 in the sum come from?
#
# </details>
# <details><summary>Hint 2</summary>
#
# `np.split(z, 3, axis=-1)` gives the three blocks.
#
# </details>
# <details><summary>Hint 3</summary>
#
# The sum is used twice: compute it once. $b$ is the candidate divided by it.
#
# </details>

# %% question="coefficients"

# %% [markdown]
# ## Question 7: back through the gate
#
# `coefficients_backward(z, da, db)` returns the gradient of `z`. The softmax is one of three scores, for each unit by itself; compare [(21.6)](21_where_to_look.ipynb) and [(21.7)](21_where_to_look.ipynb). Which gradients arrive at the three shares? The third score is zero and cannot learn, but its share is in the sum.
#
# | | shape |
# |---|---|
# | `z` | $(T, B, 3H)$ |
# | `da`, `db` | $(T, B, H)$ |
# | returns `dz` | $(T, B, 3H)$, in the order of `z` |
#
# <details><summary>Hint 1</summary>
#
# By [(23.11)](23_a_recurrence_without_a_corner.ipynb), the gate of minGRU gets something from $a$ and something from $b$. Write down what each of $p$, $q$ and $w$ gets here: three lines, one of them with a minus.
#
# </details>
# <details><summary>Hint 2</summary>
#
# In (21.7), all gradients of a row have one number subtracted, a sum of shares times gradients. Here the row has three entries. Write this number with $a$, $b$, $da$ and $db$, if you like: it becomes short.
#
# </details>
# <details><summary>Hint 3</summary>
#
# Compute the three shares again, then the number that is shared. `dk` and `dr` are a share times a bracket, `dn` is a share times a gradient. `np.concatenate` along the last axis.
#
# </details>

# %% question="coefficients_backward"

# %% [markdown]
# ## Switches
#
# Now the task. There are six symbols, and three of them are *switches*. At each step, the network says whether the number of switches since the beginning of the sequence is odd. It is not told which symbols are switches. The next cell makes such rows: sequences of 10 to 40 steps, one after the other, the last one cut off. Your functions get all that they need as arguments: these rows are for you, not for them.


# %% look="rows"
def make_rows(rng, switches, lengths, T, B):
    """(xs, new, targets), each (T, B): symbols, flags, and 1 after an odd number of switches."""
    xs, new = rng.integers(len(switches), size=(T, B)), np.zeros((T, B))
    for row in new.T:
        t = 0
        while t < T:
            row[t] = 1
            t += int(rng.choice(lengths))
    count, targets = np.zeros(B, int), []
    for symbols, begins in zip(xs, new):
        count = np.where(begins, 0, count) + switches[symbols]
        targets.append(count % 2)
    return xs, new, np.stack(targets)


switches = np.array([True, False, False, True, False, True])
xs, new, targets = make_rows(np.random.default_rng(0), switches, np.arange(10, 41), 50, 1000)
print(f"{int(new.sum())} sequences in {xs.shape[1]} rows; the first 24 steps of a row:")
short = new[1:20].any(axis=0).argmax()
for name, rows in (("symbol", xs), ("new", new), ("odd", targets)):
    print(f"{name:7}", *rows[:24, short].astype(int))

# %% [markdown]
# ## The loss, and all parameters as one vector
#
# You are given the network with its loss and gradient, which use your functions: each symbol has its own row of `z` in `E`, and two logits are made of each state, for even and odd. You are also given parameters to start from, clipping and Adam.


# %% given="training"
def flatten(params):
    """Return the four arrays of CounterParams as one vector."""
    return np.concatenate([array.ravel() for array in params])


def unflatten(vector, like):
    """Return CounterParams of the shapes of `like`, with the numbers of the vector."""
    ends = np.cumsum([array.size for array in like])
    parts = np.split(vector, ends[:-1])
    return CounterParams(*(part.reshape(array.shape) for part, array in zip(parts, like)))


def untrained(rng, V, H):
    """Return CounterParams to start from."""
    E, start = rng.normal(0, 0.5, (V, 3 * H)), rng.normal(0, 1, H)
    return CounterParams(E, start, rng.normal(0, 0.5, (H, 2)), rng.normal(0, 0.1, 2))


def logits(params, xs, new):
    """Return (ys, hs, steps): a logit for even and one for odd, the states, and the steps."""
    steps = Piece(new, *coefficients(params.E[xs]))
    hs = recurrence(steps, params.start, np.zeros_like(steps.a[0]))
    return hs @ params.W + params.b, hs, steps


def taught(params, xs, new, targets):
    """Return (loss, dparams): the mean cross-entropy of the right parities."""
    ys, hs, steps = logits(params, xs, new)
    ys = ys - ys.max(axis=-1, keepdims=True)
    log_p = ys - np.log(np.exp(ys).sum(axis=-1, keepdims=True))
    truth = np.eye(2)[targets]
    loss = -(truth * log_p).sum() / targets.size
    dys = (np.exp(log_p) - truth) / targets.size
    none = np.zeros_like(hs[0])
    da, db, dstart, _ = recurrence_backward(steps, params.start, none, hs, dys @ params.W.T)
    dz = coefficients_backward(params.E[xs], da, db)
    dE = np.einsum("tbv,tbg->vg", np.eye(len(params.E))[xs], dz, optimize=True)
    dW = np.einsum("tbh,tbk->hk", hs, dys)
    return loss, CounterParams(dE, dstart, dW, dys.sum(axis=(0, 1)))


def clip(g, limit):
    """Return g, no longer than limit."""
    return g * min(1, limit / np.linalg.norm(g))


def adam(p, g, u, v, t, rate):
    """Return (p, u, v): the parameters after update t = 1, 2, …, and the two means."""
    u, v = 0.9 * u + 0.1 * g, 0.999 * v + 0.001 * g**2
    step = u / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return p - rate * step, u, v


# %% [markdown]
# ## Question 8: the target
#
# `train(params, xs, new, targets, seed)` gets untrained parameters and 1000 rows, and returns the trained parameters. How it trains is your choice.
#
# What you return is tried on 200 *other* rows, which your function never sees. Each has two sequences of 200 steps, five times as long as the longest of the training. What counts is the share of right answers, over all steps:
#
# | right | share of the points | what gets this far |
# |---|---|---|
# | 60 % | a quarter | more than any network of this kind without $q$: it has 51 %, for the reason of [(23.19)](23_a_recurrence_without_a_corner.ipynb) |
# | 75 % | a half | about what a network has that is trained until its loss is 0.001 |
# | 90 % | three quarters | one that is trained well |
# | 99 % | all | the target |
#
# All of these networks but the first are right at nearly every step of sequences of 40. Try as much as you like in cells of your own: trials cost no points, however long they take. What counts is `train` itself. The grader runs it twice and waits 30 seconds for both; a run of one second is enough for the target. Take all that is random from `np.random.default_rng(seed)`: the same seed must give the same parameters. And when you are graded, other symbols are the switches.
#
# | | shape |
# |---|---|
# | `params` | `CounterParams` with $V = 6$ and $H = 8$: random, as `untrained` makes them; do not change them, return new ones |
# | `xs`, `new`, `targets` | $(T, B)$ with $T = 50$ and $B = 1000$: whole numbers from 0 to 5, flags, and 0 or 1; every row begins with a new sequence |
# | `seed` | a whole number, or a few of them: what `np.random.default_rng` takes |
# | returns `params` | `CounterParams` of the same shapes |
#
# <details><summary>Hint 1</summary>
#
# Make the loss of a single batch fall first: the same fifty rows, again and again, with the loss printed. If it stays near 0.69, which is $\ln 2$, there is a mistake to find, or the rate is too small. Then draw other rows for each update.
#
# </details>
# <details><summary>Hint 2</summary>
#
# One update is a chain of what you are given: `taught`, `flatten`, `clip`, `adam`, `unflatten`. Rows are along axis 1: a permutation of `range(B)`, cut into pieces, gives batches in which symbols, flags and targets stay together. Keep the vector, the two means and the number of the update outside both loops.
#
# </details>
# <details><summary>Hint 3</summary>
#
# If 40 steps are right and 200 are not, print the products of the factors over 200 steps. What makes a factor come nearer to $\pm 1$ is a larger score, and scores grow slowly at a small rate, because the loss is nearly zero already. A rate of 0.2 is not too large here, if it falls to zero towards the end: with $M$ updates in all, the rate of update $t$ is $\tfrac12 \eta\,(1 + \cos(\pi t / M))$, where $\eta$ is the first rate. Six passes in batches of 50 reach the target.
#
# </details>

# %% question="train"

# %% [markdown] predict="long"
# ## How long does it last?
#
# The next cell trains on the rows from above. Then it prints the factors that a switch and another symbol have, of the unit that the output layer looks at most, and the share of right answers in sequences of up to 1600 steps: in rows of one sequence, and in rows of many sequences of 40. Which signs will the factors have? Will the network be right at step 1600 of one sequence? And at step 1600 of a row of many?

# %% look="long"
trained = train(untrained(np.random.default_rng(1), 6, 8), xs, new, targets, 0)
factors, _ = coefficients(trained.E)
unit = np.abs(trained.start * (trained.W[:, 1] - trained.W[:, 0])).argmax()
for symbol, factor in enumerate(factors[:, unit]):
    print(f"symbol {symbol}, {'a switch' if switches[symbol] else 'no switch':9}: {factor:8.5f}")
print("\nsteps of the row   one sequence   sequences of 40")
for T in (40, 200, 400, 1600):
    shares = []
    for length in (T, 40):
        its_xs, its_new, right = make_rows(np.random.default_rng(2), switches, [length], T, 100)
        last = logits(trained, its_xs, its_new)[0][-20:]
        shares.append((last.argmax(axis=-1) == right[-20:]).mean())
    print(f"{T:16} {shares[0]:14.2f} {shares[1]:17.2f}")

# %% [markdown] words="never_quite_one"
# ## Question in words: never quite one
#
# Take $q$ away, so that $a = p$. Why can such a network not learn this task, however it is trained, for long rows of switches? And with $q$: why is a network that makes no mistake at 40 steps wrong at some greater length, and why is the length of the *row* of no importance?
