"""The LSTM with one part changed, on three tasks with ten seeds each: the table of chapter 11.

    python benchmarks/lstm_ablation.py                    prints the table, about ten minutes
    python benchmarks/lstm_ablation.py --task interval    one task: order, echo or interval
    python benchmarks/lstm_ablation.py --seeds 2          a quick look
    python benchmarks/lstm_ablation.py --write            stores the trials in parts.csv

The optimizer is always Adam at 0.02, with gradients clipped to norm 1. The chapter defines the same
three trials, the same `with_input_bias` and the same turning carousel; a test compares the code.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from rnn_tutorial.activations import Activation, identity, sigmoid
from rnn_tutorial.bound import Bound
from rnn_tutorial.cells import (
    LSTM1997,
    Cell,
    LSTMGates,
    LSTMParams,
    LSTMState,
    LSTMValues,
    coupled_lstm,
    gate_blocks,
    lstm,
    lstm_init,
    lstm_pointwise_backward,
    peephole_lstm,
)
from rnn_tutorial.data.synthetic import delayed_echo, temporal_order
from rnn_tutorial.layers import Dense, Last, Recurrent, Serial
from rnn_tutorial.train import (
    Trial,
    adam,
    binary_cross_entropy,
    clip_by_global_norm,
    clipped,
    presentations_needed,
    softmax_cross_entropy,
    train,
    write_trials,
)
from rnn_tutorial.types import Array, Rng, Tree

RESULTS = Path(__file__).resolve().parents[1] / "rnn_tutorial" / "results" / "parts.csv"

OPTIMIZER = clipped(adam(0.02), clip_by_global_norm, 1.0)

# A gate with this activation is always open: it is removed.
ONE = Activation("one", f=np.ones_like, derivative=np.zeros_like)


def with_input_bias(cell: Cell, bias: float) -> Cell:
    """Return the cell with `bias` added to the first block of b, which is the input gate's."""

    def init(rng: Rng, input_size: int, hidden_size: int) -> Any:
        params = cell.init(rng, input_size, hidden_size)
        b = params.b.copy()
        b[:hidden_size] += bias
        return params._replace(b=b)

    return cell.replace(init=init)


def turning_pointwise(
    params: LSTMParams, a_x: Array, a_h: Array, state: LSTMState
) -> tuple[LSTMState, LSTMValues]:
    """Return (state, LSTMValues) of an LSTM in which unit k continues from unit k - 1.

    c = f * roll(c_previous) + i * g, h = o * tanh(c).
    """
    a = gate_blocks(a_x + a_h, LSTMGates)
    i, f, o, g = sigmoid.f(a.i), sigmoid.f(a.f), sigmoid.f(a.o), np.tanh(a.g)
    turned = np.roll(state.c, 1, axis=1)
    c = f * turned + i * g
    tanh_c = np.tanh(c)
    return LSTMState(h=o * tanh_c, c=c), LSTMValues(turned, i, f, o, g, tanh_c)


def turning_pointwise_backward(
    params: LSTMParams, cache: LSTMValues, dstate: LSTMState
) -> tuple[dict[str, Array], Array, Array, LSTMState]:
    """Return ({}, da_x, da_h, dprevious).

    They are those of the LSTM, but its dc_previous is the gradient of the turned state, so it is
    turned back.
    """
    dextra, da_x, da_h, dturned = lstm_pointwise_backward(params, cache, dstate)
    return dextra, da_x, da_h, dturned._replace(c=np.roll(dturned.c, -1, axis=1))


def order_trial(cell: Cell, seed: int, limit: int) -> int | None:
    """Return the presentations that 8 units need to learn the temporal order of 100 to 110 steps.

    None if they are more than the limit. Solved: 99 % of 256 other sequences right. Batches of 32
    new sequences; tested every 10 updates.
    """
    rng = np.random.default_rng(seed)
    model = Serial((Recurrent(cell, 8, 8), Last(), Dense(8, 4)))
    test_xs, test_targets, test_mask = temporal_order(np.random.default_rng(1_000_000), 256)

    def solved(params: Tree) -> bool:
        ys, _, _ = model.forward(params, test_xs, mask=test_mask)
        return (ys.argmax(axis=-1) == test_targets).mean() >= 0.99

    batches = iter(lambda: temporal_order(rng, 32), None)
    steps = train(model, model.init(rng), batches, softmax_cross_entropy, OPTIMIZER)
    return presentations_needed(steps, solved, batch_size=32, limit=limit, every=10)


def echo_trial(cell: Cell, delay: int, seed: int, limit: int) -> int | None:
    """Return the presentations that 16 units need to repeat a stream of bits `delay` steps later.

    None if they are more than the limit. Solved: 99 % of the bits of 32 other streams right, each
    80 steps long. Batches of 16 new streams of 40 steps; tested every 10 updates.
    """
    rng = np.random.default_rng(seed)
    model = Serial((Recurrent(cell, 1, 16), Dense(16, 1)))
    test_xs, test_targets = delayed_echo(np.random.default_rng(1_000_000), 80, 32, delay)

    def solved(params: Tree) -> bool:
        logits, _, _ = model.forward(params, test_xs)
        return ((logits > 0) == test_targets).mean() >= 0.99

    batches = iter(lambda: delayed_echo(rng, 40, 16, delay), None)
    steps = train(model, model.init(rng), batches, binary_cross_entropy, OPTIMIZER)
    return presentations_needed(steps, solved, batch_size=16, limit=limit, every=10)


def interval_trial(cell: Cell, hidden_size: int, seed: int, limit: int) -> int | None:
    """Return the presentations needed to tell an interval of 10 steps from one of 11 steps.

    None if they are more than the limit. There are two sequences: a spike at step 0 and a spike at
    step 10 or 11, where the answer is due. Solved: a cross-entropy below 0.1; tested every 20
    updates.
    """
    rng = np.random.default_rng(seed)
    model = Serial((Recurrent(cell, 1, hidden_size), Last(), Dense(hidden_size, 2)))
    xs, mask = np.zeros((12, 2, 1)), np.ones((12, 2), dtype=bool)
    xs[0] = xs[10, 0] = xs[11, 1] = 1
    mask[11, 0] = False
    targets = np.array([0, 1])

    def solved(params: Tree) -> bool:
        logits, _, _ = model.forward(params, xs, mask=mask)
        return softmax_cross_entropy(logits, targets)[0] < 0.1

    batches = iter(lambda: (xs, targets, mask), None)
    steps = train(model, model.init(rng), batches, softmax_cross_entropy, OPTIMIZER)
    return presentations_needed(steps, solved, batch_size=2, limit=limit, every=20)


def both_biases(cell: Cell) -> Cell:
    """Return the cell with an input bias of -5.

    Together with a forget bias of 5, it keeps everything at first and writes little.
    """
    return with_input_bias(cell, -5)


TurningCarousel = Cell(
    name="TurningCarousel",
    Params=LSTMParams,
    State=LSTMState,
    gates="ifog",
    init=Bound(lstm_init, forget_bias=3.0),
    pointwise=turning_pointwise,
    pointwise_backward=turning_pointwise_backward,
)

ORDER = {
    "LSTM, biases f 5, i -5": both_biases(lstm(forget_bias=5)),
    "coupled gates, bias 5": coupled_lstm(forget_bias=5),
    "with peepholes": both_biases(peephole_lstm(forget_bias=5)),
    "without forget gate": both_biases(LSTM1997),
    "without output gate": both_biases(lstm(o=ONE, forget_bias=5)),
    "without tanh of c": both_biases(lstm(c=identity, forget_bias=5)),
    "without tanh of g": both_biases(lstm(g=identity, forget_bias=5)),
    "LSTM, biases f 1, i -5": both_biases(lstm(forget_bias=1)),
    "LSTM, biases f 5, i 0": lstm(forget_bias=5),
    "LSTM, biases f 3, i 0": lstm(forget_bias=3),
    "LSTM, biases f 1, i 0": lstm(forget_bias=1),
    "cell of 1997, bias i 0": LSTM1997,
    "cell of 1997, bias i -4": with_input_bias(LSTM1997, -4),
    "without input gate": lstm(i=ONE, forget_bias=5),
}
ECHO = {
    "LSTM": lstm(),
    "LSTM, biases f 5, i 0": lstm(forget_bias=5),
    "LSTM, biases f 5, i -5": both_biases(lstm(forget_bias=5)),
    "coupled gates": coupled_lstm(),
    "with peepholes": peephole_lstm(),
    "without forget gate": LSTM1997,
    "without input gate": lstm(i=ONE),
    "without output gate": lstm(o=ONE),
    "without tanh of c": lstm(c=identity),
    "without tanh of g": lstm(g=identity),
    "turning carousel": TurningCarousel,
}
INTERVAL = {"LSTM": lstm(forget_bias=3), "with peepholes": peephole_lstm(forget_bias=3)}

# task -> (variants, trial(cell, seed, limit), limit)
TASKS: dict[str, tuple[dict[str, Cell], Callable[[Cell, int, int], int | None], int]] = {
    "interval, 1 unit": (
        INTERVAL,
        lambda cell, seed, limit: interval_trial(cell, 1, seed, limit),
        2_000,
    ),
    "interval, 4 units": (
        INTERVAL,
        lambda cell, seed, limit: interval_trial(cell, 4, seed, limit),
        2_000,
    ),
    "echo, delay 5": (ECHO, lambda cell, seed, limit: echo_trial(cell, 5, seed, limit), 6_400),
    "echo, delay 10": (
        {name: ECHO[name] for name in ("LSTM", "turning carousel")},
        lambda cell, seed, limit: echo_trial(cell, 10, seed, limit),
        25_600,
    ),
    "order": (ORDER, order_trial, 24_000),
}


def table_row(trials: list[Trial], seconds: float) -> str:
    """Return the line of the table for one task and variant.

    An unsolved trial counts as longer than all solved ones.
    """
    needed = [trial.presentations or np.inf for trial in trials]
    solved = f"{np.isfinite(needed).sum()} of {len(trials)}"
    spread = [
        f"{n:,.0f}" if np.isfinite(n) else f"> {trials[0].limit:,}"
        for n in (min(needed), np.median(needed), max(needed))
    ]
    return "  ".join(
        [
            f"{trials[0].task:<17}  {trials[0].variant:<23}  {solved:>8}",
            *(f"{n:>8}" for n in spread),
            f"{seconds:>7.1f}",
        ]
    )


def main() -> None:
    """Run the trials and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--task", default="", help="how the name of the task begins (default: all tasks)"
    )
    parser.add_argument(
        "--seeds", type=int, default=10, help="trials for each line: seeds 0, 1, … (default: 10)"
    )
    parser.add_argument("--write", action="store_true", help=f"store the trials in {RESULTS.name}")
    arguments = parser.parse_args()
    if arguments.write and arguments.task:
        parser.error("--write stores the whole table: leave out --task")
    print(f"{'task':<17}  {'variant':<25}  solved    fewest    median      most  s/trial")
    trials: list[Trial] = []
    for task, (variants, trial, limit) in TASKS.items():
        if not task.startswith(arguments.task):
            continue
        for variant, cell in variants.items():
            start = time.process_time()
            for seed in range(arguments.seeds):
                trials.append(Trial(task, variant, seed, trial(cell, seed, limit), limit))
            print(
                table_row(
                    trials[-arguments.seeds :], (time.process_time() - start) / arguments.seeds
                ),
                flush=True,
            )
            if arguments.write:
                write_trials(RESULTS, trials)


if __name__ == "__main__":
    main()
