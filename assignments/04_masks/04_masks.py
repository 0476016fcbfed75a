# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Assignment 4: masks with gaps, and both directions
#
# A patient is measured every hour, but some hours are missing, and no two patients stay equally long. So the array of a batch has two kinds of holes: *gaps* between two measurements, and *padding* after the last one. The book treats padding. Here you treat both: in a gap, the state fades at a rate that is learned; after its end, a sequence is held. Each sequence gets exactly what it would get alone, forward and backward, and from both ends.
#
# | | |
# |---|---|
# | You will be able to | hold a state through padding and let it fade through a gap; derive the gradient of both, and of the rate; pick each sequence's own last output; take a mean of a loss in which every sequence counts the same; read sequences with gaps from both ends and join the two readings; say which test finds what a gradient check does not |
# | You need | Chapters 13 [*Both directions*](13_both_directions.ipynb) and 14 [*Sentences have lengths*](14_sentences_have_lengths.ipynb), and the softmax and loss of Chapter 05 [*Learning to write*](05_learning_to_write.ipynb); from assignment 1, the way back through time |

# %% [markdown]
# ## The mask
#
# `mask` is a boolean array of shape $(T, B)$. $m_{tn}$ is 1, or `True`, where sequence $n$ was measured at step $t$: a *real* step. Chapter 14 has all real steps first, [(14.1)](14_sentences_have_lengths.ipynb). Here they may have gaps between them. The *length* of a sequence is the number of its last real step, counted from 1, and $e_{tn}$ says whether step $t$ is inside it:
#
# $$ T_n = \max \, \{ t : m_{tn} = 1 \}, \qquad e_{tn} = \begin{cases} 1 & t \le T_n \\ 0 & t > T_n \end{cases} \tag{A.1} $$
#
# So there are three kinds of steps:
#
# | | $m_{tn}$ | $e_{tn}$ | a sequence with $T_n = 6$ in an array of 8 steps |
# |---|---|---|---|
# | real | 1 | 1 | steps 1, 2, 4 and 6 |
# | gap | 0 | 1 | steps 3 and 5 |
# | padding | 0 | 0 | steps 7 and 8 |
#
# Every sequence begins with a real step, and the lengths are in no particular order. Gaps and padding are not filled with zeros: there may be any finite numbers, as large as those of real steps, in the inputs and in the gradients that arrive. If the equations do not use such a number, nothing that you return may depend on it.

# %% [markdown]
# ## The network
#
# A step that is taken is that of Chapter 3, [(3.1)](03_through_time.ipynb), and `rnn_step` and `rnn_step_backward` are given, so that you can think about time alone. `gamma` is the rate $\gamma$ at which each unit fades in a gap. A step that is taken does not use it, so `rnn_step_backward` returns zero for its gradient.

# %% given="step"
from typing import NamedTuple

import numpy as np


class RNNParams(NamedTuple):
    W_x: np.ndarray  # (D, H)
    W_h: np.ndarray  # (H, H)
    b: np.ndarray  # (H,)
    gamma: np.ndarray  # (H,), between 0 and 1: what a step of a gap leaves of each unit


def rnn_step(params, x, h_previous):
    """Return h: the state after one step that is taken, (B, H)."""
    return np.tanh(x @ params.W_x + h_previous @ params.W_h + params.b)


def rnn_step_backward(params, x, h_previous, h, dh):
    """Return (dparams, dx, dh_previous): the gradients of what `rnn_step` was given."""
    da = dh * (1 - h**2)
    dgamma = np.zeros_like(params.gamma)  # a step that is taken does not use gamma
    dparams = RNNParams(W_x=x.T @ da, W_h=h_previous.T @ da, b=da.sum(axis=0), gamma=dgamma)
    return dparams, da @ params.W_x.T, da @ params.W_h.T


# %% [markdown]
# ## Question 1: each sequence's own last output
#
# A network that reads a whole sequence and then answers once needs the output of its last real step, as in [(14.10)](14_sentences_have_lengths.ipynb):
#
# $$ y_n = h_{T_n, n} $$
#
# `last_outputs(hs, mask)` returns `y`. Here `hs` need not come from your network: it may hold any numbers in gaps and on padding.
#
# | | shape |
# |---|---|
# | `hs` | $(T, B, H)$ |
# | `mask` | $(T, B)$ |
# | returns `y` | $(B, H)$ |
#
# <details><summary>Hint 1</summary>
#
# You are not given the lengths, but they are in the mask. How many real steps has the sequence in the table above? And what is its length?
#
# </details>
# <details><summary>Hint 2</summary>
#
# `argmax` of a boolean array finds the first `True`. You want the last one. From which end do you have to search, and how do you turn the place that you find into an index from the front?
#
# </details>
# <details><summary>Hint 3</summary>
#
# Turn the mask, take `argmax` over the steps, and subtract it from `len(mask) - 1`. Then NumPy takes two arrays of indices of the same length and picks one place for each pair: the steps are one of them, the numbers of the sequences are the other.
#
# </details>

# %% question="last_outputs"

# %% [markdown]
# ## Question 2: and its gradient
#
# `last_outputs` uses one row of each sequence and no other. `last_outputs_backward(dy, mask)` returns `dhs`, the second half of [(14.10)](14_sentences_have_lengths.ipynb):
#
# $$ dh_{tn} = \begin{cases} dy_n & t = T_n \\ 0 & \text{otherwise} \end{cases} $$
#
# | | shape |
# |---|---|
# | `dy`, the gradient of what `last_outputs` returned | $(B, H)$ |
# | `mask` | $(T, B)$ |
# | returns `dhs` | $(T, B, H)$ |
#
# <details><summary>Hint 1</summary>
#
# Of all the steps of a sequence, how many had a part in `y`? What is the gradient of the others?
#
# </details>
# <details><summary>Hint 2</summary>
#
# Each row of `dy` goes back to the place that its row of `y` came from. You found that place in question 1.
#
# </details>
# <details><summary>Hint 3</summary>
#
# Make an array of zeros, and write `dy` into it with the same pair of indices. It is your own array, so you may write into it.
#
# </details>

# %% question="last_outputs_backward"

# %% [markdown]
# ## Question 3: take a step, fade, or hold
#
# Chapter 14 has one rule for every step that is not real: the state is held, [(14.3)](14_sentences_have_lengths.ipynb). You have two. In a gap, what the network knows gets older, so the state fades towards zero, each unit at its own rate. After the last real step it is held, so that it does not depend on how much padding there is. With $\tilde h_t = \text{step}(x_t, h_{t-1})$, and for each sequence by itself:
#
# $$ h_t = \begin{cases} \tilde h_t & \text{real} \\ \gamma \circ h_{t-1} & \text{gap} \\ h_{t-1} & \text{padding} \end{cases} \qquad \text{that is} \qquad h_t = m_t \, \tilde h_t + (e_t - m_t) \, \gamma \circ h_{t-1} + (1 - e_t) \, h_{t-1} \tag{A.2} $$
#
# In code, (A.2) is a choice for each sequence, as in Chapter 14. NumPy does not subtract boolean arrays.
#
# The network has an output at every step up to $T_n$, in gaps too, and after it zero, as in [(14.5)](14_sentences_have_lengths.ipynb):
#
# $$ y_t = e_t \, h_t \tag{A.3} $$
#
# `masked_unroll(params, xs, mask, h_first)` returns `(hs, h_last)`: the outputs $y_t$ of all steps, and for each sequence the state after its own last step.
#
# | | shape |
# |---|---|
# | `params` | `RNNParams` |
# | `xs` | $(T, B, D)$, anything in gaps and on padding |
# | `mask` | $(T, B)$, boolean |
# | `h_first` | $(B, H)$, the state before the first step |
# | returns `hs` | $(T, B, H)$ |
# | returns `h_last` | $(B, H)$ |
#
# <details><summary>Hint 1</summary>
#
# The mask alone does not tell a gap from padding. Which array of shape $(T, B)$ would? You can make it before the loop.
#
# </details>
# <details><summary>Hint 2</summary>
#
# Take the step for the whole batch, as you always did. Then choose, sequence by sequence, between three arrays: the new state, the faded old one, the old one. Keep two variables: the state, which goes from step to step, and the output, which is collected.
#
# </details>
# <details><summary>Hint 3</summary>
#
# `np.arange(T)[:, None]` compared with the index of each last real step gives $e$. `mask[t][:, None]` has the shape $(B, 1)$ and goes with $(B, H)$. One `np.where` chooses between faded and held, a second between that and the new state, a third makes the output.
#
# </details>

# %% question="masked_unroll"

# %% [markdown]
# ## Question 4: back through gaps and padding
#
# `masked_unroll_backward(params, xs, mask, h_first, hs, dhs, dh_last)` returns `(dparams, dxs, dh_first)`. The gradient `dhs` arrives at the outputs, `dh_last` at the last states. Two of the equations are those of Chapter 14, [(14.6)](14_sentences_have_lengths.ipynb) and [(14.7)](14_sentences_have_lengths.ipynb), with $e$ in one and $m$ in the other:
#
# $$ dh_t = dh_t^{\text{next}} + e_t \, dy_t \tag{A.4} $$
#
# $$ d\tilde h_t = m_t \, dh_t \tag{A.5} $$
#
# Two are yours to derive from (A.2): what step $t$ sends back to step $t - 1$, which is no longer [(14.8)](14_sentences_have_lengths.ipynb); and the gradient of the rate $\gamma$. The gradients of the weights are added up over the steps, as in [(3.13)](03_through_time.ipynb).
#
# | | shape |
# |---|---|
# | `params`, `xs`, `mask`, `h_first` | as in question 3 |
# | `hs`, which `masked_unroll` returned | $(T, B, H)$, zero on padding |
# | `dhs` | $(T, B, H)$, anything on padding |
# | `dh_last` | $(B, H)$ |
# | returns `dparams` | `RNNParams`, each field of the shape of the parameter |
# | returns `dxs` | $(T, B, D)$, zero in gaps and on padding |
# | returns `dh_first` | $(B, H)$ |
#
# <details><summary>Hint 1</summary>
#
# In (A.2), look at each of the three places of $h_{t-1}$. By what is it multiplied? Then look for $\gamma$: in which steps is it used, and by what is it multiplied there?
#
# </details>
# <details><summary>Hint 2</summary>
#
# The state before step $t$ is `hs[t - 1]`, and `h_first` before the first. In a gap, `hs` has the faded state, so this is right everywhere up to $T_n$. On padding it is wrong. Why does that not matter?
#
# </details>
# <details><summary>Hint 3</summary>
#
# Within a step, in this order: add what arrives at the output, where there is one; give the sum to `rnn_step_backward`, with zeros where no step was taken; multiply the sum by the state before, in gaps alone, and add that up over the sequences for $\gamma$; then choose, for each sequence, between the gradient that came back from the step, the sum times $\gamma$, and the sum.
#
# </details>

# %% question="masked_unroll_backward"

# %% [markdown] words="why_hold"
# ## Question in words: why two rules
#
# Somebody leaves out the last case of (A.2): wherever the mask is `False` the state fades, after the last real step too. (A.3) still sets the outputs on padding to zero, and the gradients agree with the complex step. Which of the two arrays that `masked_unroll` returns is now wrong, and for which sequences? On what does it depend that it should not depend on? Which test finds it, and why does the check of the gradients not find it?

# %% [markdown]
# ## Question 5: a mean in which every sequence counts the same
#
# Now a network that answers at every step, and its loss: the cross-entropy of a softmax. Nothing was measured in a gap or on padding, so there is no right answer: only real steps have a loss. In [(14.11)](14_sentences_have_lengths.ipynb) every real step counts the same, so a patient who was measured often counts more. Here every *sequence* counts the same:
#
# $$ L = \frac{1}{B} \sum_{n=1}^{B} \frac{1}{N_n} \sum_{t} m_{tn} \, \ell_{tn}, \qquad N_n = \sum_{t} m_{tn} \tag{A.6} $$
#
# The loss of one step is that of [(5.13)](05_learning_to_write.ipynb), in nats, $\ell_{tn} = -\log p_{tn,s}$ with the target $s$. Its gradient with respect to the logits is that of [(5.12)](05_learning_to_write.ipynb): $p_k - [k = s]$. In `dlogits` it has one more factor, the one that $\ell_{tn}$ has in (A.6).
#
# Some logits are near 1000. The softmax depends on differences alone, so it is well defined, but `np.exp` of such a number overflows. And some targets are so improbable that in `np.log(p + 1e-12)` the small number would be all that is left. So take the logarithm of the softmax, [(5.7)](05_learning_to_write.ipynb) with $\tau = 1$. Here $y_k$ are the logits of one step, and $c$ is the largest of them:
#
# $$ \log p_k = y_k - c - \log \sum_l e^{y_l - c} $$
#
# `masked_loss(logits, targets, mask)` returns `(loss, dlogits)`.
#
# | | shape |
# |---|---|
# | `logits` | $(T, B, V)$, anything in gaps and on padding |
# | `targets` | $(T, B)$, whole numbers from 0 to $V - 1$, anything among them in gaps and on padding |
# | `mask` | $(T, B)$ |
# | returns `loss` | a number |
# | returns `dlogits` | $(T, B, V)$ |
#
# <details><summary>Hint 1</summary>
#
# Forget the mask at first: what is the loss of one step, and its gradient? Then give each step a weight. The weights of one sequence add up to $1/B$, and gaps and padding have none.
#
# </details>
# <details><summary>Hint 2</summary>
#
# `mask.sum(axis=0)` has the shape $(B,)$, and so divides each column of the mask by its own number. Is it $N_n$ or $T_n$? Take the logarithm first, as in the equation; the probabilities are the `np.exp` of it.
#
# </details>
# <details><summary>Hint 3</summary>
#
# `np.eye(V)[targets]` has a 1 at each target, so a product with it and a sum over the last axis picks the logarithm that you want. The gradient is the probabilities minus it, times the weight of the step, with an axis for $V$.
#
# </details>

# %% question="masked_loss"

# %% [markdown] words="which_mean"
# ## Question in words: which mean
#
# Two sequences have the same length, but in one of them most steps are missing. How do (A.6) and (14.11) treat a single real step of each? Name a task for which you would take the one mean, and a task for which you would take the other, and say why.

# %% [markdown]
# ## Question 6: turn each within its own length
#
# The second network reads from the end, and each sequence has its own end. Chapter 14 turns the whole array, so that padding comes first, [(14.13)](14_sentences_have_lengths.ipynb). Your network would take that padding for a gap, because real steps follow. So turn each sequence within its own length, with its gaps, and leave the padding at the end. It is the $R$ of [(13.4)](13_both_directions.ipynb) with $T_n$ in the place of $T$:
#
# $$ [R\,x]_{tn} = \begin{cases} x_{T_n + 1 - t,\, n} & t \le T_n \\ 0 & t > T_n \end{cases} $$
#
# `reverse_padded(xs, mask)` returns `turned`, of the shape and type of `xs`. What a gap holds is turned with the rest. The gaps of a turned sequence are in other places, so the mask has to be turned too: `reverse_padded(mask, mask)` should work as well.
#
# | | shape |
# |---|---|
# | `xs` | $(T, B, D)$, or $(T, B)$ as the mask; anything on padding |
# | `mask` | $(T, B)$ |
# | returns `turned` | that of `xs`, zero on padding |
#
# Such a turn exchanges steps in pairs, the first with the last and so on. So it is its own backward, [(13.6)](13_both_directions.ipynb): question 8 will need that.
#
# <details><summary>Hint 1</summary>
#
# Write down the steps 1 to 6 of the sequence in the table, and below them where each entry of the turned sequence comes from. Where are its gaps now?
#
# </details>
# <details><summary>Hint 2</summary>
#
# A loop over the sequences will do: cut one to its length, turn it, write it into an array of zeros. With `np.zeros_like(xs)` the mask stays boolean.
#
# </details>
# <details><summary>Hint 3</summary>
#
# With `length` for the length of sequence `n`, which question 1 found: the first `length` rows of its column in the new array are the first `length` rows of its column in `xs`, read with a step of -1. Cut first, then turn.
#
# </details>

# %% question="reverse_padded"

# %% [markdown]
# ## Two readings and a share
#
# Two networks now, each with its own parameters, and both with $H$ units. What joins them is a share $a$ for each unit, between 0 and 1, which is learned too. It is none of the four merges of Chapter 13.


# %% given="both"
class BidirectionalParams(NamedTuple):
    forwards: RNNParams  # of the first reading
    backwards: RNNParams  # of the second reading
    mix: np.ndarray  # (H,), the share of the first reading in each unit, between 0 and 1


# %% [markdown]
# ## Question 7: two readings
#
# At step $t$ a network has read $x_1$ to $x_t$. A second one that comes from the end has read $x_{T_n}$ to $x_t$. Together they know the whole sequence at every step, but only if both outputs belong to the *same* step: hence the turn before the reading and the turn after it, [(13.5)](13_both_directions.ipynb). The output is
#
# $$ y_t = a \circ \overrightarrow{h}_t + (1 - a) \circ \overleftarrow{h}_t \tag{A.7} $$
#
# The answer to the whole sequence has the state of each reading when it has read everything, as in [(13.13)](13_both_directions.ipynb):
#
# $$ y^{\text{whole}} = a \circ \overrightarrow{h}_{T_n} + (1 - a) \circ \overleftarrow{h}_1 \tag{A.8} $$
#
# `bidirectional(params, xs, mask, h_first, h_end)` returns `(forwards, backwards, ys, y_whole)`: the outputs of both readings and of (A.7), all numbered by the steps of the sequence, and (A.8).
#
# | | shape |
# |---|---|
# | `params` | `BidirectionalParams` |
# | `xs`, `mask` | $(T, B, D)$ and $(T, B)$ |
# | `h_first`, the state before the first reading's first step | $(B, H)$ |
# | `h_end`, the state before the second reading's first step, which is at $x_{T_n}$ | $(B, H)$ |
# | returns `forwards`, `backwards`, `ys` | $(T, B, H)$ each, zero on padding |
# | returns `y_whole` | $(B, H)$ |
#
# <details><summary>Hint 1</summary>
#
# You have everything: questions 3 and 6. Which arrays does the second network read, and in which order does it want them?
#
# </details>
# <details><summary>Hint 2</summary>
#
# Where has the second reading read everything? At step 1 of the sequence, which is its own last step. `masked_unroll` returns that state, so you need not look for a row of an array.
#
# </details>
# <details><summary>Hint 3</summary>
#
# The second reading is (13.5) word for word: `masked_unroll` of the turned inputs with the turned mask, and its outputs turned. Its last state is not turned, for it has no axis of time. Every turn is by the lengths of `mask`, and those of the turned mask are the same.
#
# </details>

# %% question="bidirectional"

# %% [markdown]
# ## Question 8: both readings back
#
# Each $x_t$ is read twice, so its gradient is a sum of two, [(13.8)](13_both_directions.ipynb). Each reading goes back by question 4. And a turn is its own backward, so what you turned on the way forward is turned on the way back, [(13.7)](13_both_directions.ipynb). What arrives at each reading, and the gradient of the share, follow from (A.7) and (A.8); derive them first.
#
# `bidirectional_backward(params, xs, mask, h_first, h_end, forwards, backwards, dys, dy_whole)` returns `(dparams, dxs, dh_first, dh_end)`.
#
# | | shape |
# |---|---|
# | `params`, `xs`, `mask`, `h_first`, `h_end` | as in question 7 |
# | `forwards`, `backwards`, which `bidirectional` returned | $(T, B, H)$ |
# | `dys` | $(T, B, H)$, anything on padding |
# | `dy_whole` | $(B, H)$ |
# | returns `dparams` | `BidirectionalParams` of two `RNNParams` and `mix` |
# | returns `dxs` | $(T, B, D)$ |
# | returns `dh_first`, `dh_end` | $(B, H)$ each |
#
# <details><summary>Hint 1</summary>
#
# How often is the share used? At every step and once more. In each use, $a$ multiplies one reading and $1 - a$ the other. What is left if you put the two terms together?
#
# </details>
# <details><summary>Hint 2</summary>
#
# Write down the call of `masked_unroll_backward` for the second network and look at each argument with an axis of time. It wants all of them in the order in which the second network read. Which of the arrays that you have are in the order of the sequence?
#
# </details>
# <details><summary>Hint 3</summary>
#
# In that call four arrays are turned: the inputs, the mask, the states and the gradients that arrive. Of what it returns, one thing has an axis of time; it is turned back before it is added to the `dxs` of the first reading. For the share you need both last states: question 1 finds one in `forwards`, and the other is the first row of `backwards`.
#
# </details>

# %% question="bidirectional_backward"

# %% [markdown]
# ## What may change, and what may not
#
# Now use what you have written. A tagger: two readings, a dense layer, your loss, and one gradient through all of it. Three sequences have 4, 3 and 1 measurements, with gaps between them. The next cell computes the loss six times: as it is; with other numbers in the gaps; with other numbers on padding; with 100 steps of padding more; with every gap twice as long; and with no gaps, the same measurements one right after the other.

# %% [markdown] predict="changes"
# Before you run it, predict for each of the five changes: is the loss the same as in the first line? Is the gradient of the rates the same? After one of the changes, one of the printed gradients is zero. Which, and why?

# %% look="changes"
rng = np.random.default_rng(0)
B, D, H, V = 3, 4, 5, 7


def random_params(rng):
    W_x, W_h = rng.standard_normal((D, H)) / 2, rng.standard_normal((H, H)) / 2
    return RNNParams(W_x, W_h, rng.standard_normal(H) / 2, rng.uniform(0.2, 0.9, H))


params = BidirectionalParams(random_params(rng), random_params(rng), rng.uniform(0.2, 0.9, H))
W, starts = rng.standard_normal((H, V)), rng.standard_normal((2, B, H))
inputs = [rng.standard_normal((N, D)) for N in (4, 3, 1)]  # of each real step
answers = [rng.integers(V, size=N) for N in (4, 3, 1)]


def batch(steps, T, in_gaps=5.0, on_padding=5.0):
    """Return (xs, targets, mask): the inputs put at these steps, and numbers between them."""
    mask = np.zeros((T, B), bool)
    xs, targets = np.full((T, B, D), in_gaps), np.zeros((T, B), int)
    for n, places in enumerate(steps):
        xs[places[-1] + 1 :, n] = on_padding
        xs[places, n], targets[places, n], mask[places, n] = inputs[n], answers[n], True
    return xs, targets, mask


measured, twice, closed = (
    [[0, 1, 3, 6], [0, 2, 3], [0]],
    [[0, 1, 4, 9], [0, 3, 4], [0]],
    [[0, 1, 2, 3], [0, 1, 2], [0]],
)
changes = {
    "as it is": batch(measured, 7),
    "other numbers in the gaps": batch(measured, 7, in_gaps=-800.0),
    "other numbers on padding": batch(measured, 7, on_padding=-800.0),
    "100 steps of padding more": batch(measured, 107),
    "every gap twice as long": batch(twice, 10),
    "no gaps": batch(closed, 4),
}
for name, (xs, targets, mask) in changes.items():
    forwards, backwards, ys, y_whole = bidirectional(params, xs, mask, *starts)
    loss, dlogits = masked_loss(ys @ W, targets, mask)
    dparams, *_ = bidirectional_backward(
        params, xs, mask, *starts, forwards, backwards, dlogits @ W.T, np.zeros_like(y_whole)
    )
    rates = np.linalg.norm([dparams.forwards.gamma, dparams.backwards.gamma])
    weights = np.linalg.norm([dparams.forwards.W_h, dparams.backwards.W_h])
    print(f"{name:26} loss {loss:.6f}, gradient of W_h {weights:.6f}, of the rates {rates:.6f}")
