"""The kernel of a cell: its elementwise part again, in place, on gates that are contiguous blocks.

The gates of a step are an array (G, B, H), in the order of the cell, the sigmoids first. Each gate
is one block of memory and all the gates together are one block, so NumPy runs through either
without a gap. Three more ideas save time:

- The sigmoid is 1 / (1 + exp(-a)). The weights of the sigmoids are negated once for each sequence,
  so that exp(-a) needs no pass of its own: where a kernel reads a_x of a sigmoid, it reads -a_x.
- The functions write into arrays that exist (buffers), and make few calls of NumPy: for a small
  batch, the overhead of a call is more than its arithmetic.
- The backward of a step is linear in the gradient that arrives. In
  da_o = dh * tanh_c * o * (1 - o), for example, all factors except dh are known when the forward
  pass ends. `slopes` computes such factors for many steps in one call, and the backward loop only
  multiplies.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.types import Array

__all__ = [
    "Kernel",
    "no_extra",
    "one",
]


def no_extra(sums: Array) -> dict[str, Array]:
    """Return {}, for a cell without parameters of its own."""
    return {}


class Kernel(NamedTuple):
    """A fast path: six functions, and the places of gates and gradients in their arrays.

    In the functions of one step, `values` and the states are tuples of arrays, in the order of the
    fields of their NamedTuples.

    gates, sigmoids: the number of gates, and the number of sigmoids among them. The sigmoids come
        first; the others are tanh.
    values(T, B, H, dtype) -> what the backward will need
        A NamedTuple of arrays with first axis T, not yet filled.
    work(params, B) -> whatever `forward` needs that can be made once for each sequence: constants,
        and buffers for results in between
    forward(work, a_x, a_h, previous, state, values)
        Fills in the values and the state of a step. a_x and a_h are (G, B, H), those of the
        sigmoids negated; a_x may be overwritten.
    slopes(values, previous, states, out)
        Fills in `out` (T, S, B, H), the S factors of each step. Here `values`, and the states
        before and after each step, are NamedTuples with first axis T.
    backward(slopes, values, dstate) -> the gradient of the old h along paths that avoid W_h
        None if there are no such paths. It turns `slopes` (S, B, H) into the gradients of the
        pre-activations, and `dstate` into those of the other fields of the old state.
    slots: S
    x, h: the slots that are then da_x, in the order of the gates, and those that are da_h.
    h_gates: the gates to which the slots of da_h belong.
    extra(sums) -> the gradients of the cell's own parameters by name
        sums (S, H) are those of the slots over all steps and sequences.
    """

    gates: int
    sigmoids: int
    values: Callable[[int, int, int, Any], Any]
    work: Callable[[Any, int], Any]
    forward: Callable[..., None]
    slopes: Callable[..., None]
    backward: Callable[..., Array | None]
    slots: int
    x: slice
    h: slice
    h_gates: tuple[int, ...]
    extra: Callable[[Array], dict[str, Array]] = no_extra


def one(params: Any) -> Array:
    """Return 1 in the dtype of the parameters, as an array.

    NumPy would convert a Python number again at every call.
    """
    return np.array(1, params.b.dtype)
