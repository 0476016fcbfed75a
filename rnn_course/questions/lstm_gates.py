"""The mistakes of assignment 2, from the state back to the gates: a switch for each mistake."""

from collections.abc import Callable
from typing import Any

import numpy as np

from rnn_course.questions.lstm_forward import F, G, I, O, sigmoid
from rnn_tutorial.cells.lstm import LSTMGates
from rnn_tutorial.types import Array

__all__ = [
    "ALL_SLOPES",
    "ARRIVING",
    "GATE_BY_GATE",
    "KEPT",
    "NO_SLOPE",
    "PATH",
    "PATHS",
    "both_paths",
    "gradients",
]


def slope_of_sigmoid(y: Array) -> Array:
    """Return the derivative of the sigmoid, from its value."""
    return y * (1 - y)


def slope_of_tanh(y: Array) -> Array:
    """Return the derivative of tanh, from its value."""
    return 1 - y**2


def both_paths(dh: Array, dc_next: Array | float, gates: LSTMGates, c: Array) -> Array:
    """Return dc, the whole gradient of the cell, of both its paths."""
    return dc_next + dh * gates.o * slope_of_tanh(np.tanh(c))


def gradients(
    gates: LSTMGates,
    c_previous: Array,
    c: Array,
    dh: Array,
    dc_next: Array,
    *,
    seen: Callable[..., Array] = lambda c, old: c,
    paths: Callable[..., Array] = both_paths,
    arriving: str = "cchcc",
    written: Callable[..., Array] = lambda d, gates: d * gates.g,
    forgotten: Callable[..., Array] = lambda d, gates, old, c: d * old,
    shown: Callable[..., Array] = lambda d, c, old: d * np.tanh(c),
    candidate: Callable[..., Array] = lambda d, gates: d * gates.i,
    kept: Callable[..., Array] = lambda d, gates, old: d * gates.f,
    slope_i: Callable[..., Array] = slope_of_sigmoid,
    slope_f: Callable[..., Array] = slope_of_sigmoid,
    slope_o: Callable[..., Array] = slope_of_sigmoid,
    slope_g: Callable[..., Array] = slope_of_tanh,
    slopes_at: tuple[int, ...] = (I, F, O, G),
) -> tuple[LSTMGates, Array]:
    """Return (da, dc_previous) of one step, right unless a switch is set.

    arriving: the gradient used for i, f, o, g and the old cell, a letter for each: h for dh, c for
    the whole dc, n for dc_next alone.
    """
    shows = seen(c, c_previous)
    gradient = {"h": dh, "c": paths(dh, dc_next, gates, shows), "n": dc_next}
    to_i, to_f, to_o, to_g, to_old = (gradient[letter] for letter in arriving)
    dgates = LSTMGates(
        i=written(to_i, gates),
        f=forgotten(to_f, gates, c_previous, c),
        o=shown(to_o, shows, c_previous),
        g=candidate(to_g, gates),
    )
    slopes = (slope_i, slope_f, slope_o, slope_g)
    da = LSTMGates(*(d * slope(gates[k]) for d, slope, k in zip(dgates, slopes, slopes_at)))
    return da, kept(to_old, gates, c_previous)


# The mistakes: rows of (name, hint, switches that make it)

MISSING, ANOTHER = "derivative of the activation missing", "derivative of another activation"
OTHER_GATE, FOR_C = "one gate for another", "gradient of h for that of c"
WRONG, PLACE = "derivative of the activation wrong", "derivative taken at the wrong place"
VALUE, PATH = "activation in the place of its derivative", "path missing"
GATE, COMPLEMENT = "gate missing on the way back", "gate for its complement"
PATHS_HINT = "The cell has two paths to the loss, so dc has two terms: (10.14)."
CELL_SLOPE = (
    "The slope of tanh is written with its value, and its value here is the tanh of c. Look again "
    "at (10.14), sign and power."
)

PATHS = (
    (
        PATH,
        f"{PATHS_HINT} The path up, through h, is missing.",
        {"paths": lambda dh, dc, gates, c: dc},
    ),
    (
        PATH,
        f"{PATHS_HINT} The path on, to the next step, is missing.",
        {"paths": lambda dh, dc, gates, c: both_paths(dh, 0, gates, c)},
    ),
    (
        MISSING,
        "On the path up, between the cell and h, there is a tanh. Its slope is missing: (10.13).",
        {"paths": lambda dh, dc, gates, c: dc + dh * gates.o},
    ),
    (WRONG, CELL_SLOPE, {"paths": lambda dh, dc, gates, c: dc + dh * gates.o * (1 - np.tanh(c))}),
    (
        WRONG,
        CELL_SLOPE,
        {"paths": lambda dh, dc, gates, c: dc + dh * gates.o * (1 + np.tanh(c) ** 2)},
    ),
    (PLACE, CELL_SLOPE, {"paths": lambda dh, dc, gates, c: dc + dh * gates.o * (1 - c**2)}),
    (PLACE, CELL_SLOPE, {"paths": lambda dh, dc, gates, c: both_paths(dh, dc, gates, np.tanh(c))}),
    (
        ANOTHER,
        "On its way to h the cell went through tanh. This is the slope of a sigmoid: (10.13).",
        {"paths": lambda dh, dc, gates, c: dc + dh * gates.o * slope_of_sigmoid(np.tanh(c))},
    ),
    (
        VALUE,
        "On the path up you multiply by the tanh of c itself. The way back needs its slope: "
        "(10.13).",
        {"paths": lambda dh, dc, gates, c: dc + dh * gates.o * np.tanh(c)},
    ),
    (
        GATE,
        "Only a part of the cell was shown. Which gate is missing on the path up? (10.12).",
        {"paths": lambda dh, dc, gates, c: dc + dh * slope_of_tanh(np.tanh(c))},
    ),
    (
        "bracket in the wrong place",
        "The slope of tanh belongs to the path up alone. What comes from the next step never went "
        "through this tanh: (10.14).",
        {"paths": lambda dh, dc, gates, c: (dc + dh * gates.o) * slope_of_tanh(np.tanh(c))},
    ),
    (
        OTHER_GATE,
        "Which gate multiplied the cell on its way to h? (10.12).",
        {"paths": lambda dh, dc, gates, c: both_paths(dh, dc, gates._replace(o=gates.i), c)},
    ),
    (
        OTHER_GATE,
        "Which gate multiplied the cell on its way to h? (10.12).",
        {"paths": lambda dh, dc, gates, c: both_paths(dh, dc, gates._replace(o=gates.f), c)},
    ),
    (
        "sign",
        "Two paths into the cell, two terms that are added: (10.14).",
        {"paths": lambda dh, dc, gates, c: both_paths(-dh, dc, gates, c)},
    ),
    (
        "h and c exchanged",
        "The gradient of h takes the path up, the gradient of c comes from the next step: which is "
        "which in (10.14)?",
        {"paths": lambda dh, dc, gates, c: both_paths(dc, dh, gates, c), "arriving": "ccncc"},
    ),
    (
        "forget gate applied twice",
        "The dc_next that you are given has been through the next step's forget gate. This step's "
        "own comes later: (10.15).",
        {"paths": lambda dh, dc, gates, c: both_paths(dh, dc * gates.f, gates, c)},
    ),
)
EXCHANGED = (
    "Each factor of a product is multiplied by the other factor. See (10.15) for which belongs to "
    "which."
)
CELL_PRODUCTS = (
    (
        "tanh missing on the cell",
        "What did the output gate multiply in (10.5)? Not the cell as it is.",
        {"shown": lambda d, c, old: d * c},
    ),
    (
        "factor missing",
        "The output gate multiplied something in (10.5). Where is that in (10.11)?",
        {"shown": lambda d, c, old: d},
    ),
    (
        "old state for the new one",
        "The output gate shows the cell as it is after the step: (10.11).",
        {"shown": lambda d, c, old: d * np.tanh(old)},
    ),
    (
        "old state for the new one",
        "The tanh that leads to h is that of the cell after the step: (10.11) and (10.14).",
        {"seen": lambda c, old: old},
    ),
    ("factors of a product exchanged", EXCHANGED, {"written": lambda d, gates: d * gates.i}),
    ("factors of a product exchanged", EXCHANGED, {"candidate": lambda d, gates: d * gates.g}),
    (
        "factors of a product exchanged",
        EXCHANGED,
        {"forgotten": lambda d, gates, old, c: d * gates.f},
    ),
    ("factors of a product exchanged", EXCHANGED, {"kept": lambda d, gates, old: d * old}),
    (
        "new state for the old one",
        "The forget gate multiplied the cell as it was before the step: (10.15).",
        {"forgotten": lambda d, gates, old, c: d * c},
    ),
)
KEPT = (
    (
        GATE,
        "What was not kept gets no gradient. Which gate multiplies the old cell in (10.4)?",
        {"kept": lambda d, gates, old: d},
    ),
    (
        COMPLEMENT,
        "An open forget gate keeps, so it lets the gradient through: (10.15).",
        {"kept": lambda d, gates, old: d * (1 - gates.f)},
    ),
    (
        OTHER_GATE,
        "The input gate does not multiply the old cell: (10.15).",
        {"kept": lambda d, gates, old: d * gates.i},
    ),
)
CELL_HINT = "All of dc arrives here, both of its paths: (10.15). You took"
ARRIVING = (
    *(
        (PATH, f"{CELL_HINT} one of them.", {"arriving": letters})
        for letters in ("nchcc", "cnhcc", "cchnc", "cchcn")
    ),
    *(
        (FOR_C, f"{CELL_HINT} dh.", {"arriving": letters})
        for letters in ("hchcc", "chhcc", "cchhc", "cchch")
    ),
    (
        "gradient of c for that of h",
        "The output gate multiplies the cell on its way to h, so its gradient comes from h alone: "
        "(10.11).",
        {"arriving": "ccccc"},
    ),
)
FACTOR_OF_G, OF_ANOTHER = (
    "Which gate multiplies the candidate in (10.4)?",
    "You took the slope of another gate: in (10.16) each has its own.",
)
PASTED = (
    (OTHER_GATE, FACTOR_OF_G, {"candidate": lambda d, gates: d * gates.f}),
    (OTHER_GATE, FACTOR_OF_G, {"candidate": lambda d, gates: d * gates.o}),
    *(
        (OTHER_GATE, OF_ANOTHER, {"slopes_at": at})
        for at in (
            (F, F, O, G),
            (O, F, O, G),
            (I, I, O, G),
            (I, O, O, G),
            (I, F, I, G),
            (I, F, F, G),
        )
    ),
)
GATE_SLOPE = (
    "What arrives at a gate still has to go back through the gate's own activation: (10.16)."
)
NO_SLOPE = tuple((MISSING, GATE_SLOPE, {f"slope_{gate}": np.ones_like}) for gate in "ifog")
ALL_SLOPES = ((MISSING, GATE_SLOPE, {f"slope_{gate}": np.ones_like for gate in "ifog"}),)
SLOPES = tuple(
    row
    for gate in "ifo"
    for row in (
        (
            ANOTHER,
            "This gate is a sigmoid; you took the slope of tanh: (10.16).",
            {f"slope_{gate}": slope_of_tanh},
        ),
        (
            VALUE,
            "You multiply by a gate itself. The way back needs the slope: (10.16).",
            {f"slope_{gate}": np.copy},
        ),
        (
            PLACE,
            "Your slope takes the sigmoid of a gate, but the gate is a sigmoid already: (10.16).",
            {f"slope_{gate}": lambda y: slope_of_sigmoid(sigmoid(y))},
        ),
        (
            VALUE,
            "You multiply by the sigmoid of a gate. The way back needs the slope: (10.16).",
            {f"slope_{gate}": sigmoid},
        ),
        (
            WRONG,
            "Look again at (10.16): how often does the gate itself occur in it?",
            {f"slope_{gate}": lambda y: 1 - y},
        ),
    )
) + (
    (
        ANOTHER,
        "The candidate is a tanh; you took the slope of a sigmoid: (10.16).",
        {"slope_g": slope_of_sigmoid},
    ),
    (
        VALUE,
        "You multiply by the candidate itself. The way back needs the slope: (10.16).",
        {"slope_g": np.copy},
    ),
    (
        PLACE,
        "Your slope takes the tanh of g, but g is a tanh already: (10.16).",
        {"slope_g": lambda y: slope_of_tanh(np.tanh(y))},
    ),
    (
        WRONG,
        "The slope of tanh is written with its value. Look again at (10.16), at sign and power.",
        {"slope_g": lambda y: 1 - y},
    ),
)
GATE_BY_GATE: tuple[Any, ...] = (PATHS, CELL_PRODUCTS, KEPT, ARRIVING, PASTED, SLOPES)
