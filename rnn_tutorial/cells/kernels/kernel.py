"""The kernel of a cell: its elementwise part again, in place, on blocks that are contiguous.

The pre-activations of a step are an array (P, B, H), one block of memory for each, and all of them
together are one block, so NumPy runs through any of them without a gap. Most often a block is the
pre-activation of a gate. Three more ideas save time:

- The sigmoid is 1 / (1 + exp(-a)). The weights of the sigmoids are negated once for each sequence,
  so that exp(-a) needs no pass of its own: where a kernel reads a of a sigmoid, it reads -a.
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
    "Loop",
    "one",
]


class Loop(NamedTuple):
    """The loop over time, forward and backward, with the products of the steps.

    forward(kernel, work, weights, zs, states, values, mask)
        Fills in the states and values of all steps.
    backward(kernel, W_h_transposed, cache, dhs, dstate) -> das
        `dstate` becomes the gradient of the first state.
    largest: how many multiplications the product of a step may have. Larger ones take the loop of
        NumPy, which is `NUMPY_LOOP` of `sequence/fused.py`: its functions say what the arrays are.
    """

    forward: Callable[..., None]
    backward: Callable[..., Array]
    largest: int = 0


class Kernel(NamedTuple):
    """A fast path: functions of a step, and the places of blocks and gradients in their arrays.

    In the functions of one step, `values` and the states are tuples of arrays, in the order of the
    fields of their NamedTuples.

    x, h: the blocks that read x, in the order of the gates, and those that read h. Those that read
        both are in both.
    h_gates: the gates to which the blocks of h belong.
    sigmoids: the blocks that go into a sigmoid.
    own: the cell's own parameters that are the biases of the blocks that read h alone.
    values(T, B, H, dtype) -> what the backward will need
        A NamedTuple of arrays with first axis T, not yet filled.
    work(params, B) -> whatever `forward` needs that can be made once for each sequence: constants,
        and buffers for results in between
    forward(work, a, previous, state, values)
        Fills in the values and the state of a step. a is (P, B, H), the blocks of the sigmoids
        negated; it may be overwritten.
    slopes(values, previous, states, out)
        Fills in `out` (T, S, B, H), the S factors of each step. Here `values`, and the states
        before and after each step, are NamedTuples with first axis T.
    backward(slopes, values, dstate) -> the gradient of the old h along paths that avoid W_h
        None if there are no such paths. It turns the first P of `slopes` (S, B, H) into the
        gradients of the blocks, and `dstate` into those of the other fields of the old state.
    slots: S
    loop: a loop over time of its own, or None
    """

    x: slice
    h: slice
    h_gates: tuple[int, ...]
    sigmoids: slice
    values: Callable[[int, int, int, Any], Any]
    work: Callable[[Any, int], Any]
    forward: Callable[..., None]
    slopes: Callable[..., None]
    backward: Callable[..., Array | None]
    slots: int
    own: tuple[str, ...] = ()
    loop: Loop | None = None

    @property
    def blocks(self) -> int:
        """P, the number of pre-activations."""
        return self.x.stop


def one(params: Any) -> Array:
    """Return 1 in the dtype of the parameters, as an array.

    NumPy would convert a Python number again at every call.
    """
    return np.array(1, params.b.dtype)
