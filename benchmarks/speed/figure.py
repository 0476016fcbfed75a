"""The figure of the benchmark, drawn from the stored tables."""

from itertools import product

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.speed.flops import bytes_moved, flops
from benchmarks.speed.implementations import CELLS, PYTORCH
from benchmarks.speed.measuring import DTYPES, SHAPES
from benchmarks.speed.tables import Tables, at_shape, pick, rates, ratios
from rnn_tutorial.plotting import house_style, plot_ratios, plot_roofline


def draw(tables: Tables) -> Figure:
    """Return the figure: above, the ratios to PyTorch; below, the roofline of the LSTM.

    All numbers are medians of the stored runs.
    """
    with house_style():
        figure, (top, bottom) = plt.subplots(2, figsize=(8.5, 11), height_ratios=(6, 4.5))
    draw_ratios(tables, top)
    draw_roofline(tables, bottom)
    return figure


def draw_ratios(tables: Tables, ax: Axes) -> None:
    """Draw the time of PyTorch / ours for each cell, shape and dtype, if PyTorch was measured."""
    table: dict[str, dict[str, float]] = {}
    for cell, shape, dtype in product(CELLS, SHAPES, DTYPES):
        found = ratios(tables, PYTORCH, cell=cell, dtype=dtype, **at_shape(shape))
        if found:
            row = f"{cell}  {', '.join(map(str, shape))}"
            table.setdefault(row, {})[dtype] = float(np.median(found))
    if table:
        quantity = "time of PyTorch / ours, forward and backward, one thread"
        plot_ratios(table, quantity=quantity, ax=ax)
        ax.set_title("Each row: cell, then B, T, D, H")


def draw_roofline(tables: Tables, ax: Axes) -> None:
    """Draw the rate of our LSTM in float32 at each shape under the roofline of the machine."""
    lstm, points = CELLS["LSTM"], {}
    for shape in SHAPES:
        intensity = flops(len(lstm.gates), shape) / bytes_moved(lstm, "float32", shape)
        rate = float(np.median([rate for rate, _ in rates(tables, "LSTM", "float32", shape)]))
        points["B, T, D, H = " + ", ".join(map(str, shape))] = (intensity, rate)
    best, memory = (
        float(
            np.median([row["value"] for row in pick(tables["speed_machine"], threads=1, fact=fact)])
        )
        for fact in ("GFLOP/s float32", "GB/s")
    )
    plot_roofline(best, memory, points, ax=ax)
    ax.set_title("LSTM, float32, one thread: ours under the roofline")
