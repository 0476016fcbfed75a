"""Diagram of an encoder–decoder: one network reads, another goes on from its last state."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from rnn_tutorial.plotting.diagrams.pen import (
    INPUT,
    OUTPUT,
    STATE,
    WEIGHT,
    Node,
    canvas,
    graph,
    write,
)
from rnn_tutorial.plotting.style import GREY, VERMILLION, in_house_style

__all__ = [
    "draw_encoder_decoder",
]

_COLUMN = 1.05  # inches from one step to the next
_INPUT_ROW, _STATE_ROW, _OUTPUT_ROW = 1.05, 2.05, 3.05
_BOX = (0.68, 0.56)


@in_house_style
def draw_encoder_decoder(
    source: Sequence[str] = ("b", "o", "x"),
    target: Sequence[str] = ("B", "AA", "K", "S"),
    *,
    start: str = "start",
    end: str = "end",
    backward: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Return the Axes with a network that reads the source and one that writes the target.

    The last state of the encoder goes through the bridge and becomes r_0, the first state of the
    decoder, which says nothing yet. The decoder reads the start symbol and then the target, one
    step late, and says the target and the end symbol. backward: the path of the gradient, dashed,
    against every arrow.

    Raises: ValueError for a source without symbols.
    """
    if not source:
        raise ValueError("source: expected at least one symbol, got none")
    read = [1.35 + _COLUMN * s for s in range(len(source))]
    bridge = read[-1] + 1.25
    first = bridge + 1.25
    said = [first + _COLUMN * t for t in range(1, len(target) + 2)]
    ax = canvas(ax, said[-1] + 0.6, 3.6)
    nodes = {
        "bridge": Node((bridge, _STATE_ROW), "bridge", WEIGHT, (0.85, 0.56)),
        "r0": Node((first, _STATE_ROW), "$r_{0}$", STATE, _BOX),
    }
    for s, (x, symbol) in enumerate(zip(read, source), start=1):
        nodes[f"x{s}"] = Node((x, _INPUT_ROW), symbol, INPUT, _BOX)
        nodes[f"s{s}"] = Node((x, _STATE_ROW), f"$s_{{{s}}}$", STATE, _BOX)
    for t, (x, before, symbol) in enumerate(zip(said, [start, *target], [*target, end]), start=1):
        nodes[f"z{t}"] = Node((x, _INPUT_ROW), before, INPUT, _BOX)
        nodes[f"r{t}"] = Node((x, _STATE_ROW), f"$r_{{{t}}}$", STATE, _BOX)
        nodes[f"y{t}"] = Node((x, _OUTPUT_ROW), symbol, OUTPUT, _BOX)
    states = [f"s{s}" for s in range(1, len(read) + 1)], [f"r{t}" for t in range(len(said) + 1)]
    paths = [
        [*states[0], "bridge", *states[1]],
        *((f"x{s}", f"s{s}") for s in range(1, len(read) + 1)),
        *((f"z{t}", f"r{t}", f"y{t}") for t in range(1, len(said) + 1)),
    ]
    graph(ax, nodes, paths, backward)
    for row, words in ((_INPUT_ROW, "read"), (_STATE_ROW, "states"), (_OUTPUT_ROW, "said")):
        write(ax, (0.45, row), words, color=GREY, size=11)
    write(ax, ((read[0] + read[-1]) / 2, 0.4), "the encoder", color=GREY, size=11)
    write(ax, ((said[0] + said[-1]) / 2, 0.4), "the decoder", color=GREY, size=11)
    if backward:
        write(ax, (bridge, 2.6), "$dr_0$ back to $ds_S$", color=VERMILLION, size=11)
    return ax
