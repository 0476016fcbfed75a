"""What the fast twin of a cell is: its elementwise part again, in place, on gates that each lie in one piece of memory.

The gates of a step are an array (G, B, H), in the order of the cell, the sigmoids first. So a gate is one block, all gates
are one block, and NumPy runs through either without a stop. Two more ideas save time, and neither is an approximation:

- A sigmoid is a tanh, sigmoid(a) = (1 + tanh(a / 2)) / 2. The weights of the sigmoids are halved once a sequence, and then
  one call of tanh serves all the gates.
- The backward of a step is linear in the gradient that arrives: in da_o = dh * tanh_c * o * (1 - o), all but dh is known when
  the forward pass ends. `slopes` computes such factors for many steps in one call, and the loop back only multiplies.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from rnn_tutorial.cells.cell import Cell


class Kernel(NamedTuple):
    """A twin. Of one step, `values` and the states are tuples of arrays, in the order of the fields of their NamedTuples.

    cell: the readable cell that computes the same
    gates, sigmoids: how many gates there are, and how many of them, the first, are sigmoids; the others are tanh
    values(T, B, H, dtype) -> what the backward will need, a NamedTuple of arrays with first axis T, still empty
    work(params, B) -> whatever `forward` needs that can be made once a sequence
    forward(work, a_x, a_h, previous, state, values): fill in the values and the state of a step. a_x, which is scratch, and a_h:
        (G, B, H), those of the sigmoids halved
    slopes(values, previous, states, out): fill in `out` (T, S, B, H), the S factors of each step. Here `values`, and the states
        before and after each step, are NamedTuples with first axis T
    backward(slopes, values, dstate) -> the gradient of the old h by roads that avoid W_h, or None if there is none. Leaves in
        `slopes` (S, B, H) the gradients of the pre-activations, and in `dstate` those of the rest of the old state
    slots: S
    x, h: which slots are then da_x, in the order of the gates, and da_h
    h_gates: the gates to which the slots of da_h belong
    own(sums) -> the gradients of params[3:], from the sums (S, H) of the slots over all steps and sequences
    """

    cell: Cell
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
    own: Callable = lambda sums: ()


def half(params):
    """Return 1/2 in the dtype of the parameters, as an array: NumPy converts a Python number anew at every call."""
    return np.array(0.5, params.b.dtype)
