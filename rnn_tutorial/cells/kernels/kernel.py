"""The kernel of a cell: its elementwise part again, in place, on gates that are contiguous blocks of memory.

The gates of a step are an array (G, B, H), in the order of the cell, the sigmoids first. Each gate is one block and all the
gates together are one block, so NumPy runs through either without a gap. Two more ideas save time:

- The sigmoid is 1 / (1 + exp(-a)). The weights of the sigmoids are negated once a sequence, so that exp(-a) needs no pass of
  its own: a kernel that reads a_x of a sigmoid reads -a_x.
- The backward of a step is linear in the gradient that arrives: in da_o = dh * tanh_c * o * (1 - o), all but dh is known when
  the forward pass ends. `slopes` computes such factors for many steps in one call, and the backward loop only multiplies.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

__all__ = [
    "Kernel",
    "no_extra",
    "one",
]


def no_extra(sums):
    """Return {}: a cell without parameters of its own."""
    return {}


class Kernel(NamedTuple):
    """A fast path. Of one step, `values` and the states are tuples of arrays, in the order of the fields of their NamedTuples.

    gates, sigmoids: how many gates there are, and how many of them, the first, are sigmoids; the others are tanh
    values(T, B, H, dtype) -> what the backward will need, a NamedTuple of arrays with first axis T, not yet filled
    work(params, B) -> whatever `forward` needs that can be made once a sequence
    forward(work, a_x, a_h, previous, state, values): fill in the values and the state of a step. a_x and a_h are (G, B, H),
        those of the sigmoids negated; a_x may be overwritten
    slopes(values, previous, states, out): fill in `out` (T, S, B, H), the S factors of each step. Here `values`, and the states
        before and after each step, are NamedTuples with first axis T
    backward(slopes, values, dstate) -> the gradient of the old h along paths that avoid W_h, or None if there are none. It turns
        `slopes` (S, B, H) into the gradients of the pre-activations, and `dstate` into those of the other fields of the old state
    slots: S
    x, h: which slots are then da_x, in the order of the gates, and da_h
    h_gates: the gates to which the slots of da_h belong
    extra(sums) -> the gradients of the cell's own parameters by name, from the sums (S, H) of the slots over all steps and
        sequences
    """

    gates: int
    sigmoids: int
    values: Callable
    work: Callable
    forward: Callable
    slopes: Callable
    backward: Callable
    slots: int
    x: slice
    h: slice
    h_gates: tuple
    extra: Callable = no_extra


def one(params):
    """Return 1 in the dtype of the parameters, as an array: NumPy converts a Python number again at every call."""
    return np.array(1, params.b.dtype)
