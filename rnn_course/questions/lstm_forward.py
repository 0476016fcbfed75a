"""The mistakes of assignment 2, forward: a switch for each, of the step and of the sequence."""

from collections.abc import Callable
from typing import Any

import numpy as np

from rnn_tutorial.cells.lstm import LSTMGates, LSTMParams, LSTMState
from rnn_tutorial.tree import tree_map
from rnn_tutorial.types import Array, Tree

__all__ = ["F", "G", "I", "O", "OVER_TIME", "STEP", "forward", "sigmoid", "step"]

I, F, O, G = range(4)  # noqa: E741, the letters of the gates


def sigmoid(a: Array) -> Array:
    """Return 1 / (1 + exp(-a))."""
    return 1 / (1 + np.exp(-a))


def keep_and_write(gates: LSTMGates, c: Array, h: Array) -> Array:
    """Return the new cell."""
    return gates.f * c + gates.i * gates.g


def show(gates: LSTMGates, c: Array, c_previous: Array) -> Array:
    """Return the new h."""
    return gates.o * np.tanh(c)


def step(
    params: LSTMParams,
    x: Array,
    previous: LSTMState,
    *,
    write: Callable[..., Array] = keep_and_write,
    shown: Callable[..., Array] = show,
    gate: Callable[[Array], Array] = sigmoid,
    f: Callable[[Array], Array] = np.tanh,
    order: tuple[int, ...] = (I, F, O, G),
    biases: tuple[int, ...] = (I, F, O, G),
    bias: int = 1,
    seen: Callable[..., Array] = lambda h, c: h,
    turned: bool = False,
) -> tuple[LSTMState, LSTMGates]:
    """Return (state, gates) of one step, right unless a switch is set."""
    W_x, W_h, b = (np.split(leaf, 4, axis=-1) for leaf in params)
    a = [
        x @ W_x[k] + seen(*previous) @ (W_h[k].T if turned else W_h[k]) + bias * b[biases[k]]
        for k in order
    ]  # fmt: skip
    gates = LSTMGates(gate(a[I]), gate(a[F]), gate(a[O]), f(a[G]))
    c = write(gates, previous.c, previous.h)
    return LSTMState(shown(gates, c, previous.c), c), gates


def forward(
    params: LSTMParams,
    xs: Array,
    first: LSTMState,
    *,
    carry_h: int = 1,
    carry_c: int = 1,
    first_h: int = 1,
    first_c: int = 1,
    late: bool = False,
    order_of_steps: int = 1,
    **mistake: Any,
) -> tuple[LSTMState, LSTMGates]:
    """Return (states, gates) of all steps, right unless a switch is set."""
    state = start = LSTMState(first_h * first.h, first_c * first.c)
    before, states, gates = [], [], []
    for x in xs[::order_of_steps]:
        before.append(state)
        state, values = step(params, x, state, **mistake)
        states.append(state)
        gates.append(values)
        state = LSTMState(state.h if carry_h else start.h, state.c if carry_c else start.c)
    return stacked(before if late else states), stacked(gates)


def stacked(trees: list[Tree]) -> Tree:
    """Return one tree with the leaves of all trees, stacked along a new first axis."""
    return tree_map(lambda *leaves: np.stack(leaves), *trees)


# The mistakes: rows of (name, hint, switches that make it)

ORDER = (
    (
        "gates in another order",
        "You take the blocks of columns for i, f, g, o, as PyTorch and Keras have them. The order "
        "here is that of (9.17).",
        {"order": (I, F, G, O)},
    ),
    (
        "gates in another order",
        "You take the blocks of columns for i, o, f, g, as ONNX has them. The order here is that "
        "of (9.17).",
        {"order": (I, O, F, G)},
    ),
    (
        "gates in another order",
        "You take the first block of columns for f and the second for i. The order here is that of "
        "(9.17).",
        {"order": (F, I, O, G)},
    ),
)
AFFINE = (
    (
        "bias missing",
        "Each pre-activation is a sum of three terms, (9.17). One of them is not in yours.",
        {"bias": 0},
    ),
    (
        "bias of another gate",
        "Three of your gates share one bias: which block of b belongs to which gate?",
        {"biases": (O, O, O, G)},
    ),
    (
        "bias of another gate",
        "Look at which block of b your input gate adds.",
        {"biases": (F, F, O, G)},
    ),
    (
        "bias of another gate",
        "Look at which block of b your forget gate adds.",
        {"biases": (I, I, O, G)},
    ),
    (
        "old state not used",
        "Your gates look at the input alone. Equation (9.17) has one more product.",
        {"seen": lambda h, c: 0 * h},
    ),
    (
        "h and c exchanged",
        "Which part of the old state do the gates see, h or c? Look at (9.17).",
        {"seen": lambda h, c: c},
    ),
    (
        "weight transposed",
        "Rows and columns are exchanged in the blocks of W_h. A block is square, so no shape "
        "complains: see (9.17).",
        {"turned": True},
    ),
)
SQUASH = (
    (
        "activation missing",
        "Three gates say how much, between 0 and 1. Yours are still pre-activations: (9.18).",
        {"gate": np.copy},
    ),
    (
        "activation missing",
        "The candidate you use is a pre-activation. Equation (9.18) goes on.",
        {"f": np.copy},
    ),
    (
        "another activation",
        "Your gates can be negative. How much is kept or shown is between 0 and 1: (9.18).",
        {"gate": np.tanh},
    ),
    (
        "another activation",
        "Your gates are twice as steep as the sigmoid: a tanh was moved and halved, but not its "
        "argument.",
        {"gate": lambda a: (np.tanh(a) + 1) / 2},
    ),
    (
        "another activation",
        "Your gates are made of straight lines. The gates of this assignment have the sigmoid, "
        "(9.18).",
        {"gate": lambda a: np.clip(0.2 * a + 0.5, 0, 1)},
    ),
    (
        "another activation",
        "Your candidate has the sigmoid. What is written must be able to be negative: (9.18).",
        {"f": sigmoid},
    ),
)
WRITE = (
    (
        "forget gate missing",
        "All of the old cell is kept. That was the cell of 1997; which factor does (9.19) put "
        "before it?",
        {"write": lambda gates, c, h: c + gates.i * gates.g},
    ),
    (
        "input gate missing",
        "All of the candidate is written. Which gate says how much of it may enter? (9.19).",
        {"write": lambda gates, c, h: gates.f * c + gates.g},
    ),
    (
        "old state not kept",
        "Your new cell does not depend on the old one: (9.19) has two terms.",
        {"write": lambda gates, c, h: gates.i * gates.g},
    ),
    (
        "h and c exchanged",
        "The forget gate keeps a part of the old cell. Yours keeps a part of the old h: (9.19).",
        {"write": lambda gates, c, h: gates.f * h + gates.i * gates.g},
    ),
    (
        "one gate for another",
        "The gate that keeps and the gate that writes are exchanged: (9.19).",
        {"write": lambda gates, c, h: gates.i * c + gates.f * gates.g},
    ),
    (
        "one gate for another",
        "The output gate says how much is shown. Which gate says how much is kept? (9.19).",
        {"write": lambda gates, c, h: gates.o * c + gates.i * gates.g},
    ),
    (
        "one gate for another",
        "One gate keeps and another writes, each for itself: (9.19).",
        {"write": lambda gates, c, h: gates.f * (c + gates.g)},
    ),
    (
        "sign",
        "What is written is added to what is kept: (9.19).",
        {"write": lambda gates, c, h: gates.f * c - gates.i * gates.g},
    ),
    (
        "gate for its complement",
        "An open forget gate keeps, in spite of its name. Yours forgets: (9.19).",
        {"write": lambda gates, c, h: (1 - gates.f) * c + gates.i * gates.g},
    ),
    (
        "gate for its complement",
        "You write as much as you forget. In this cell the input gate decides for itself: (9.19).",
        {"write": lambda gates, c, h: gates.f * c + (1 - gates.f) * gates.g},
    ),
)
SHOW = (
    (
        "tanh missing on the cell",
        "The cell is a sum and has no bounds, so it is squashed once more on its way to h: (9.19).",
        {"shown": lambda gates, c, old: gates.o * c},
    ),
    (
        "another activation",
        "The cell goes through a sigmoid on its way to h. Which function has (9.19) there?",
        {"shown": lambda gates, c, old: gates.o * sigmoid(c)},
    ),
    (
        "output gate missing",
        "You show all of the cell. Which gate says how much of it is shown? (9.19).",
        {"shown": lambda gates, c, old: np.tanh(c)},
    ),
    (
        "old state for the new one",
        "You show the cell as it was before the step: (9.19) comes in two lines, and the second "
        "uses the first.",
        {"shown": lambda gates, c, old: gates.o * np.tanh(old)},
    ),
)
STEP = (
    *WRITE,
    *SHOW,
    *ORDER,
    *AFFINE,
    *SQUASH,
)  # if two give the same state, the feedback names the first
OVER_TIME = (
    (
        "carry lost between steps",
        "Each of your steps starts from the same state. From which should step t start?",
        {"carry_h": 0, "carry_c": 0},
    ),
    (
        "carry lost between steps",
        "You pass on c and not h. The gates of the next step see h: (9.17).",
        {"carry_h": 0},
    ),
    (
        "carry lost between steps",
        "You pass on h and not c. Both are the state of this cell: (9.19).",
        {"carry_c": 0},
    ),
    (
        "first state taken for zero",
        "Your first step does not use the first state.",
        {"first_h": 0, "first_c": 0},
    ),
    (
        "first state taken for zero",
        "The first state has an h, which your first step does not use.",
        {"first_h": 0},
    ),
    (
        "first state taken for zero",
        "The first state has a c, which your first step does not use.",
        {"first_c": 0},
    ),
    ("time runs backwards", "Your loop reads the sequence from its end.", {"order_of_steps": -1}),
    (
        "off by one step",
        "Your first entry is the state before the first step. The states asked for are those after "
        "each step.",
        {"late": True},
    ),
)
