"""The adding problem at 100 steps with gated cells and other first biases, for chapter 12.

    python -m benchmarks.gated_adding              prints the table, about five minutes
    python -m benchmarks.gated_adding --seed 5     only this seed
    python -m benchmarks.gated_adding --write      also stores it in gated_adding.csv

The task, the sizes, the optimizer and the end of a run are those of chapter 12.
"""

from typing import Any, NamedTuple

import numpy as np

from benchmarks.rows import RESULTS, digits, rows_by_seed
from rnn_tutorial.cells import GRU, LSTM, Cell, Elman, lstm
from rnn_tutorial.data import adding_problem
from rnn_tutorial.layers import Dense, Last, Recurrent, Serial
from rnn_tutorial.train import adam, clip_by_global_norm, clipped, mean_squared_error, train
from rnn_tutorial.types import Rng

T, BATCH, LIMIT = 100, 50, 40_000
SEEDS = 0, 1, 2, 5  # 5 is the seed of the chapter


class GatedRow(NamedTuple):
    """One training run."""

    cell: str
    seed: int  # of the weights and the batches
    sequences: int | None  # seen at the end of the run; None: it was given up at the limit
    limit: int
    error: float  # mean squared, on 2,000 fresh sequences


def with_bias(cell: Cell, gate: str, bias: float) -> Cell:
    """Return the cell with `bias` added to the first bias of one gate, such as "z"."""
    block = cell.gates.index(gate)

    def init(rng: Rng, input_size: int, hidden_size: int) -> Any:
        params = cell.init(rng, input_size, hidden_size)
        b = params.b.copy()
        b[block * hidden_size : (block + 1) * hidden_size] += bias
        return params._replace(b=b)

    return cell.replace(init=init)


CELLS = {
    "tanh": Elman,
    "GRU": GRU,
    "GRU, z 3": with_bias(GRU, "z", 3),
    "LSTM": LSTM,
    "LSTM, f 3": lstm(forget_bias=3),
    "LSTM, f 5": lstm(forget_bias=5),
    "LSTM, f 3, i -3": with_bias(lstm(forget_bias=3), "i", -3),
    "LSTM, f 5, i -5": with_bias(lstm(forget_bias=5), "i", -5),
}


def gated_row(name: str, seed: int) -> GatedRow:
    """Return the row of one run: `learn_to_add(cell, seed=seed)` of chapter 12.

    It ends when the mean loss of its last twenty batches is below 0.01.
    """
    rng = np.random.default_rng(seed)
    model = Serial((Recurrent(CELLS[name], 2, 32), Last(), Dense(32, 1)))
    batches = (adding_problem(rng, T, BATCH) for _ in range(LIMIT // BATCH))
    optimizer = clipped(adam(0.02), clip_by_global_norm, 1.0)
    losses: list[float] = []
    sequences = None
    for step in train(model, model.init(rng), batches, mean_squared_error, optimizer):
        losses.append(step.loss)
        if np.mean(losses[-20:]) < 0.01:
            sequences = BATCH * len(losses)
            break
    xs, targets = adding_problem(np.random.default_rng(99), T, 2000)
    error, _ = mean_squared_error(model.forward(step.params, xs)[0], targets)
    return GatedRow(name, seed, sequences, LIMIT, digits(float(error)))


def main() -> None:
    """Print the table, and store it with --write."""
    rows_by_seed("gated_adding", __doc__, CELLS, SEEDS, gated_row, RESULTS)


if __name__ == "__main__":
    main()
