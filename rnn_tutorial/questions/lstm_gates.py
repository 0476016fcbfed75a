"""What goes wrong between the state and the gates on the way back, assignment 2: a switch for each mistake."""

import numpy as np

from rnn_tutorial.cells.lstm import LSTMGates
from rnn_tutorial.questions.lstm_forward import sigmoid


def slope_of_sigmoid(y):
    """Return the derivative of the sigmoid, from its value."""
    return y * (1 - y)


def slope_of_tanh(y):
    """Return the derivative of tanh, from its value."""
    return 1 - y**2


def both_roads(dh, dc_next, gates, c):
    """Return dc, the whole gradient of the cell."""
    return dc_next + dh * gates.o * slope_of_tanh(np.tanh(c))


def gradients(
    gates,
    c_previous,
    c,
    dh,
    dc_next,
    *,
    roads=both_roads,
    shown=lambda dh, dc, c, old: dh * np.tanh(c),
    written=lambda dc, gates: dc * gates.g,
    forgotten=lambda dc, gates, old, c: dc * old,
    candidate=lambda dc, gates: dc * gates.i,
    kept=lambda dc, dc_next, gates, old: dc * gates.f,
    slope_i=slope_of_sigmoid,
    slope_f=slope_of_sigmoid,
    slope_o=slope_of_sigmoid,
    slope_g=slope_of_tanh,
):
    """Return (da, dc_previous) of one step with a mistake, or with none."""
    dc = roads(dh, dc_next, gates, c)
    dgates = LSTMGates(
        i=written(dc, gates),
        f=forgotten(dc, gates, c_previous, c),
        o=shown(dh, dc, c, c_previous),
        g=candidate(dc, gates),
    )
    slopes = (slope_i, slope_f, slope_o, slope_g)
    da = LSTMGates(*(d * slope(gate) for d, slope, gate in zip(dgates, slopes, gates)))
    return da, kept(dc, dc_next, gates, c_previous)


# The mistakes by name: rows of (name, hint, the switches that make it)

MISSING, ANOTHER = "derivative of the activation missing", "derivative of another activation"
WRONG, PLACE = "derivative of the activation wrong", "derivative taken at the wrong place"
VALUE, PATH = "activation in the place of its derivative", "path missing"
GATE, COMPLEMENT = "gate missing on the way back", "gate for its complement"
ROADS_HINT = "The cell has two roads to the loss, so dc has two terms: (7.14)."
CELL_SLOPE = (
    "The slope of tanh is written with its value, and its value here is the tanh of c. Look again at (7.14), sign and power."
)

ROADS = (
    (PATH, f"{ROADS_HINT} The road up, through h, is missing.", {"roads": lambda dh, dc, gates, c: dc}),
    (
        PATH,
        f"{ROADS_HINT} The road on, to the next step, is missing.",
        {"roads": lambda dh, dc, gates, c: both_roads(dh, 0, gates, c)},
    ),
    (
        MISSING,
        "On the road up, between the cell and h, stands a tanh. Its slope is missing: (7.13).",
        {"roads": lambda dh, dc, gates, c: dc + dh * gates.o},
    ),
    (WRONG, CELL_SLOPE, {"roads": lambda dh, dc, gates, c: dc + dh * gates.o * (1 - np.tanh(c))}),
    (WRONG, CELL_SLOPE, {"roads": lambda dh, dc, gates, c: dc + dh * gates.o * (1 + np.tanh(c) ** 2)}),
    (PLACE, CELL_SLOPE, {"roads": lambda dh, dc, gates, c: dc + dh * gates.o * (1 - c**2)}),
    (PLACE, CELL_SLOPE, {"roads": lambda dh, dc, gates, c: both_roads(dh, dc, gates, np.tanh(c))}),
    (
        ANOTHER,
        "On its way to h the cell went through tanh. This is the slope of a sigmoid: (7.13).",
        {"roads": lambda dh, dc, gates, c: dc + dh * gates.o * slope_of_sigmoid(np.tanh(c))},
    ),
    (
        VALUE,
        "On the road up you multiply by the tanh of c itself. The way back needs its slope: (7.13).",
        {"roads": lambda dh, dc, gates, c: dc + dh * gates.o * np.tanh(c)},
    ),
    (
        GATE,
        "Only a part of the cell was shown. Which gate is missing on the road up? (7.12).",
        {"roads": lambda dh, dc, gates, c: dc + dh * slope_of_tanh(np.tanh(c))},
    ),
    (
        "bracket in the wrong place",
        "The slope of tanh belongs to the road up alone. What comes from the next step never went through this tanh: (7.14).",
        {"roads": lambda dh, dc, gates, c: (dc + dh * gates.o) * slope_of_tanh(np.tanh(c))},
    ),
    (
        "forget gate applied twice",
        "The dc_next that you are handed has been through the next step's forget gate. This step's own comes later: (7.15).",
        {"roads": lambda dh, dc, gates, c: both_roads(dh, dc * gates.f, gates, c)},
    ),
)
EXCHANGED = "Each factor of a product is multiplied by the other factor. Look at (7.15) for which stands beside which."
CELL_PRODUCTS = (
    (
        "tanh missing on the cell",
        "What did the output gate multiply in (7.5)? Not the cell as it is.",
        {"shown": lambda dh, dc, c, old: dh * c},
    ),
    (
        "gradient of c for that of h",
        "The output gate stands beside the cell on its way to h, so it hears from h alone: (7.11).",
        {"shown": lambda dh, dc, c, old: dc * np.tanh(c)},
    ),
    (
        "factor missing",
        "The output gate multiplied something in (7.5). Where is that in (7.11)?",
        {"shown": lambda dh, dc, c, old: dh},
    ),
    (
        "old state for the new one",
        "The output gate shows the cell as it is after the step: (7.11).",
        {"shown": lambda dh, dc, c, old: dh * np.tanh(old)},
    ),
    ("factors of a product exchanged", EXCHANGED, {"written": lambda dc, gates: dc * gates.i}),
    ("factors of a product exchanged", EXCHANGED, {"candidate": lambda dc, gates: dc * gates.g}),
    ("factors of a product exchanged", EXCHANGED, {"forgotten": lambda dc, gates, old, c: dc * gates.f}),
    ("factors of a product exchanged", EXCHANGED, {"kept": lambda dc, dc_next, gates, old: dc * old}),
    (
        "new state for the old one",
        "The forget gate multiplied the cell as it was before the step: (7.15).",
        {"forgotten": lambda dc, gates, old, c: dc * c},
    ),
)
KEPT = (
    (
        GATE,
        "What was not kept sends nothing back. Which gate stands before the old cell in (7.4)?",
        {"kept": lambda dc, dc_next, gates, old: dc},
    ),
    (
        COMPLEMENT,
        "An open forget gate keeps, so it lets the gradient through: (7.15).",
        {"kept": lambda dc, dc_next, gates, old: dc * (1 - gates.f)},
    ),
    (
        "one gate for another",
        "The input gate has nothing to say about the old cell: (7.15).",
        {"kept": lambda dc, dc_next, gates, old: dc * gates.i},
    ),
    (
        PATH,
        "What goes back to the old cell comes from all of dc, both of its roads. You hand on one: (7.15).",
        {"kept": lambda dc, dc_next, gates, old: dc_next * gates.f},
    ),
)
GATE_SLOPE = "What arrives at a gate has still to go back through its own activation: (7.16)."
NO_SLOPE = tuple((MISSING, GATE_SLOPE, {f"slope_{gate}": np.ones_like}) for gate in "ifog")
ALL_SLOPES = ((MISSING, GATE_SLOPE, {f"slope_{gate}": np.ones_like for gate in "ifog"}),)
SLOPES = tuple(
    row
    for gate in "ifo"
    for row in (
        (ANOTHER, "This gate is a sigmoid; you took the slope of tanh: (7.16).", {f"slope_{gate}": slope_of_tanh}),
        (VALUE, "You multiply by a gate itself. The way back needs the slope: (7.16).", {f"slope_{gate}": np.copy}),
        (
            PLACE,
            "Your slope takes the sigmoid of a gate, but the gate is a sigmoid already: (7.16).",
            {f"slope_{gate}": lambda y: slope_of_sigmoid(sigmoid(y))},
        ),
        (VALUE, "You multiply by the sigmoid of a gate. The way back needs the slope: (7.16).", {f"slope_{gate}": sigmoid}),
        (WRONG, "Look again at (7.16): how often does the gate itself stand in it?", {f"slope_{gate}": lambda y: 1 - y}),
    )
) + (
    (ANOTHER, "The candidate is a tanh; you took the slope of a sigmoid: (7.16).", {"slope_g": slope_of_sigmoid}),
    (VALUE, "You multiply by the candidate itself. The way back needs the slope: (7.16).", {"slope_g": np.copy}),
    (
        PLACE,
        "Your slope takes the tanh of g, but g is a tanh already: (7.16).",
        {"slope_g": lambda y: slope_of_tanh(np.tanh(y))},
    ),
    (
        WRONG,
        "The slope of tanh is written with its value. Look again at (7.16), at sign and power.",
        {"slope_g": lambda y: 1 - y},
    ),
)
