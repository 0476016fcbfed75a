"""The rates of this machine, and the time that they predict for a ledger."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from rnn_tutorial.speed.clock import typical
from rnn_tutorial.speed.ledger import Call
from rnn_tutorial.types import Array, DTypeLike

__all__ = [
    "Machine",
    "cost",
    "measure_machine",
    "predicted_seconds",
    "show_machines",
]


class Machine(NamedTuple):
    """What things cost on a machine, in seconds."""

    overhead: float  # of a call of NumPy, whatever its size
    product_overhead: float  # of a call of np.matmul
    flop: float  # an operation of a large matrix product
    cached: float  # a byte, of arrays that stay in the cache
    memory: float  # a byte, of arrays that are too large for it
    tanh: float  # of one number


def measure_machine(dtype: DTypeLike) -> Machine:
    """Return the Machine, measured on this one with arrays of `dtype`.

    The overheads are those of four numbers, and of a product of 1 x 1. `flop` is that of a product
    of two matrices 512 x 512. A byte is that of a sum of two arrays: `cached` with three arrays of
    32 kB in float32, `memory` with three of 34 MB. Bytes and tanh are without the overhead.
    """

    def draw(*shape: int) -> Array:
        return np.random.default_rng(0).standard_normal(shape).astype(dtype)

    tiny, small, large, square = draw(4), draw(2**13), draw(2**23), draw(512, 512)
    row, column = tiny[None], tiny[:, None]
    outs = [np.empty_like(array) for array in (tiny, small, large, square, draw(1, 1))]
    seconds = typical(
        {
            "call": lambda: np.add(tiny, tiny, outs[0]),
            "small": lambda: np.add(small, small, outs[1]),
            "large": lambda: np.add(large, large, outs[2]),
            "square": lambda: np.matmul(square, square, outs[3]),
            "product": lambda: np.matmul(row, column, outs[4]),
            "tanh": lambda: np.tanh(small, outs[1]),
        }
    )
    overhead = seconds["call"]
    return Machine(
        overhead=overhead,
        product_overhead=seconds["product"],
        flop=seconds["square"] / (2 * 512**3),
        cached=(seconds["small"] - overhead) / (3 * small.nbytes),
        memory=seconds["large"] / (3 * large.nbytes),
        tanh=(seconds["tanh"] - overhead) / small.size,
    )


def show_machines(machines: Mapping[str, Machine]) -> None:
    """Print the rates of one or more machines side by side, or of one machine for several dtypes.

    Example:
    >>> show_machines({"float32": Machine(4e-7, 9e-7, 1e-11, 7e-12, 2e-11, 4e-10)})
                                    float32
    products, GFLOP/s                   100
    from the cache, GB/s                143
    from the memory, GB/s                50
    a tanh, ns                          0.4
    overhead of a call, ns              400
    overhead of a product, ns           900
    kFLOP in the time of a call          40
    """
    rows = {
        "products, GFLOP/s": [1e-9 / machine.flop for machine in machines.values()],
        "from the cache, GB/s": [1e-9 / machine.cached for machine in machines.values()],
        "from the memory, GB/s": [1e-9 / machine.memory for machine in machines.values()],
        "a tanh, ns": [1e9 * machine.tanh for machine in machines.values()],
        "overhead of a call, ns": [1e9 * machine.overhead for machine in machines.values()],
        "overhead of a product, ns": [1e9 * m.product_overhead for m in machines.values()],
        "kFLOP in the time of a call": [1e-3 * m.overhead / m.flop for m in machines.values()],
    }
    print(f"{'':29}", *(f"{name:>9}" for name in machines))
    for what, values in rows.items():
        print(f"{what:29}", *(f"{value:9.3g}" for value in values))


def cost(call: Call, machine: Machine) -> tuple[float, float, float]:
    """Return (overhead, compute, bandwidth) of a call in seconds.

    A call of at most 2 MiB is taken to work in the cache, a larger one in the memory.
    """
    overhead = machine.product_overhead if call.name == "matmul" else machine.overhead
    flop = {"matmul": machine.flop, "tanh": machine.tanh, "exp": machine.tanh}
    byte = machine.cached if call.bytes <= 2**21 else machine.memory
    return overhead, call.flop * flop.get(call.name, 0), call.bytes * byte


def predicted_seconds(ledger: Sequence[Call], machine: Machine) -> float:
    """Return the sum over the calls of overhead + max(compute, bandwidth)."""
    costs = [cost(call, machine) for call in ledger]
    return sum(overhead + max(compute, bandwidth) for overhead, compute, bandwidth in costs)
