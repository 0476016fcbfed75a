"""The implementations: forward and backward of RNN, LSTM and GRU by us and by other libraries.

A program gets its inputs in its own layout before it is timed, so only its own work is timed.
`read` converts its results to our layout, and `disagreement` compares two results. All programs
start from a state of zeros.

EpyNN and numpy-ml always compute in float64. The GRU of EpyNN resets before the matrix, so it is
compared with our `GRUBefore`, whose products have the same number and sizes. numpy-ml has no GRU.
Its cells fail in their second training step, so each call makes a new cell.
"""

import collections
import importlib
import sys
import tarfile
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from benchmarks.speed.plain_loop import PLAIN_LOOPS
from rnn_tutorial.cells import GRU, LSTM, Cell, Elman, GRUBefore, GRUParams, LSTMGates, gate_blocks
from rnn_tutorial.gradient_check import relative_error
from rnn_tutorial.layers import Recurrent
from rnn_tutorial.sequence import unroll, unroll_backward
from rnn_tutorial.tree import tree_cast, tree_zeros_like
from rnn_tutorial.types import Array

Arrays = dict[str, Array]

CELLS = {"LSTM": LSTM, "GRU": GRU, "RNN": Elman}
OURS, COMPILED, PYTORCH, UNROLL = "ours", "compiled", "PyTorch", "unroll"
PLAIN, EPYNN, NUMPY_ML = "plain loop", "EpyNN", "numpy-ml"
MODULES = {COMPILED: "numba", PYTORCH: "torch", EPYNN: "EpyNN", NUMPY_ML: "numpy_ml"}
TOLERANCES = {"float32": 1e-4, "float64": 1e-10}


class Problem(NamedTuple):
    """What is computed: the outputs hs of xs, and the gradient of sum(hs * dhs)."""

    name: str  # LSTM, GRU or RNN
    cell: Cell
    params: Any
    xs: Array  # (T, B, D)
    dhs: Array  # (T, B, H)


class Program(NamedTuple):
    """An implementation, ready to compute the problem.

    `read` returns {name: array}: the outputs under "hs", the gradient of the inputs under "xs", and
    the gradient of each parameter under its own name. `problem` is what the program computes; for
    EpyNN's GRU it is a problem of its own.
    """

    run: Callable[[], Any]
    read: Callable[[Any], Arrays]
    problem: Problem


def problem(name: str, dtype: str, shape: Sequence[int], *, cell: Cell | None = None) -> Problem:
    """Return the `Problem` of one cell, with biases from N(0, 0.1^2) and weights from `cell.init`.

    Shapes: shape is (B, T, D, H).
    """
    (B, T, D, H), rng = shape, np.random.default_rng(0)
    cell = CELLS[name] if cell is None else cell
    params = cell.init(rng, D, H)
    biases = {
        field: 0.1 * rng.standard_normal(leaf.shape)
        for field, leaf in params._asdict().items()
        if leaf.ndim == 1
    }
    arrays = (
        params._replace(**biases),
        rng.standard_normal((T, B, D)),
        rng.standard_normal((T, B, H)),
    )
    return Problem(name, cell, *tree_cast(arrays, np.dtype(dtype)))


def installed(program: str) -> bool:
    """Return whether the library of a program is installed; True for our own programs."""
    return program not in MODULES or find_spec(MODULES[program]) is not None


def programs(task: Problem, names: Iterable[str]) -> dict[str, Program]:
    """Return {name: Program} of the names that are installed and have such a cell."""
    made = {name: MAKERS[name](task) for name in names if installed(name)}
    return {name: program for name, program in made.items() if program is not None}


def as_arrays(hs: Array, dparams: Any, dxs: Array) -> Arrays:
    """Return {name: array} of the results of a program, in our layout."""
    return {"hs": hs, "xs": dxs} | dparams._asdict()


def ours(task: Problem) -> Program:
    """Return the program that `Recurrent` runs: the fast path."""
    layer = Recurrent(task.cell, task.xs.shape[2], task.dhs.shape[2])

    def run() -> tuple:
        hs, _, kept = layer.forward(task.params, task.xs)
        return hs, *layer.backward(task.params, kept, task.dhs)[:2]

    return Program(run, lambda result: as_arrays(*result), task)


def compiled(task: Problem) -> Program | None:
    """Return that of `Recurrent` with the compiled kernel, or None but for the LSTM in float32."""
    if (task.name, task.xs.dtype) != ("LSTM", np.float32):
        return None
    from rnn_tutorial.cells.kernels.compiled import LSTM_COMPILED

    return ours(task._replace(cell=LSTM.with_fast(LSTM_COMPILED)))


def readable(task: Problem) -> Program:
    """Return the program that is `unroll` and its backward."""
    state = task.cell.initial_state(task.params, task.xs.shape[1])

    def run() -> tuple:
        (hs, _), kept = unroll(task.cell, task.params, task.xs, state)
        return hs, *unroll_backward(
            task.cell, task.params, kept, (task.dhs, tree_zeros_like(state))
        )[:2]

    return Program(run, lambda result: as_arrays(*result), task)


def plain_loop(task: Problem) -> Program:
    """Return the program of plain_loop.py."""
    loop = PLAIN_LOOPS[task.name]
    return Program(
        lambda: loop(task.params, task.xs, task.dhs), lambda result: as_arrays(*result), task
    )


def gate_order(array: Array, order: Sequence[int]) -> Array:
    """Return the array with the equal blocks of its last axis in another order."""
    return np.concatenate([np.split(array, len(order), axis=-1)[gate] for gate in order], axis=-1)


def pytorch(task: Problem) -> Program:
    """Return `torch.nn.LSTM`, `GRU` or `RNN` with our weights.

    PyTorch's LSTM has g before o, and each of the three has a second bias.
    """
    import torch

    order = {"LSTM": (0, 1, 3, 2), "GRU": (0, 1, 2), "RNN": (0,)}[task.name]  # its own inverse
    b_h = np.zeros_like(task.params.b)
    if task.name == "GRU":
        b_h[-len(task.params.b_hn) :] = task.params.b_hn
    weights = [gate_order(leaf, order).T for leaf in task.params[:3]] + [b_h]
    rnn = getattr(torch.nn, task.name)(
        task.xs.shape[2], task.dhs.shape[2], dtype=getattr(torch, task.xs.dtype.name)
    )
    parameters = [rnn.weight_ih_l0, rnn.weight_hh_l0, rnn.bias_ih_l0, rnn.bias_hh_l0]
    with torch.no_grad():
        for parameter, weight in zip(parameters, weights, strict=True):
            parameter.copy_(torch.tensor(weight.copy()))
    xs, dhs = torch.tensor(task.xs, requires_grad=True), torch.tensor(task.dhs)

    def run() -> tuple:
        hs, _ = rnn(xs)
        return hs, torch.autograd.grad(hs, [xs, *parameters], dhs)

    def read(result: Any) -> Arrays:
        hs, (dxs, dW_x, dW_h, db, db_h) = (
            result[0].detach().numpy(),
            (gradient.numpy() for gradient in result[1]),
        )
        own = (gate_order(dW_x.T, order), gate_order(dW_h.T, order), gate_order(db, order))
        dparams = (
            GRUParams(*own, db_h[-dhs.shape[2] :])
            if task.name == "GRU"
            else type(task.params)(*own)
        )
        return as_arrays(hs, dparams, dxs)

    return Program(run, read, task)


@cache
def epynn_layer(name: str) -> Any:
    """Return the class LSTM, GRU or RNN of EpyNN, out of the archive that pip installs."""
    archive = Path(str(importlib.import_module("EpyNN").__file__)).with_name("EpyNN.tar")
    with tempfile.TemporaryDirectory() as folder, tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
        sys.path.insert(0, str(Path(folder) / "EpyNN"))
        try:
            return getattr(importlib.import_module(f"epynn.{name.lower()}.models"), name)
        finally:
            sys.path.pop(0)


def epynn_blocks(task: Problem) -> tuple[tuple[str, ...], list[Array], list[Array], list[Array]]:
    """Return (names, W_xs, W_hs, bs) of the gates of a cell; names are EpyNN's."""
    params = task.params
    if task.name == "GRU":
        W_hs = [*np.split(params.W_h, 2, axis=1), params.W_hn]
        return ("r", "z", "hh"), np.split(params.W_x, 3, axis=1), W_hs, np.split(params.b, 3)
    names = tuple("ifog") if task.name == "LSTM" else ("",)
    W_xs, W_hs, bs = (np.split(leaf, len(names), axis=-1) for leaf in params)
    return names, W_xs, W_hs, bs


def epynn(task: Problem) -> Program:
    """Return EpyNN's LSTM, GRU or RNN, whose arrays have the batch first."""
    if task.name == "GRU":
        B, (T, _, D), H = task.xs.shape[1], task.xs.shape, task.dhs.shape[2]
        task = problem("GRU", task.xs.dtype.name, (B, T, D, H), cell=GRUBefore)
    names, W_xs, W_hs, bs = epynn_blocks(task)
    layer = epynn_layer(task.name)(
        unit_cells=task.dhs.shape[2], sequences=True, clip_gradients=False
    )
    for name, W_x, W_h, b in zip(names, W_xs, W_hs, bs, strict=True):
        layer.p |= {f"U{name}": W_x.copy(), f"V{name}": W_h.copy(), f"b{name}": b[None].copy()}
    xs, dhs = (np.ascontiguousarray(array.swapaxes(0, 1)) for array in (task.xs, task.dhs))

    def run() -> tuple:
        hs = layer.forward(xs)
        dxs = layer.backward(dhs)
        layer.compute_gradients()
        return hs, layer.g, dxs

    def read(result: Any) -> Arrays:
        hs, g, dxs = result
        dW_hs = [g[f"dV{name}"] for name in names]
        own = (dW_hs[-1],) if task.name == "GRU" else ()
        dW_x, db = (
            np.concatenate([g[f"d{kind}{name}"] for name in names], axis=1) for kind in "Ub"
        )
        dW_h = np.concatenate(dW_hs[:2] if own else dW_hs, axis=1)
        return as_arrays(
            hs.swapaxes(0, 1), type(task.params)(dW_x, dW_h, db[0], *own), dxs.swapaxes(0, 1)
        )

    return Program(run, read, task)


@cache
def numpy_ml_layers() -> ModuleType:
    """Return numpy-ml's module of layers, which needs a `collections.Hashable`."""
    if not hasattr(collections, "Hashable"):
        vars(collections)["Hashable"] = collections.abc.Hashable  # Python has removed it
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module("numpy_ml.neural_nets.layers")


def numpy_ml(task: Problem) -> Program | None:
    """Return numpy-ml's LSTMCell or RNNCell over time, or None for a GRU, which it does not have.

    The rows of its LSTM's weights are those of [h, x].
    """
    if task.name == "GRU":
        return None
    Layer, D, H = (
        getattr(numpy_ml_layers(), f"{task.name}Cell"),
        task.xs.shape[2],
        task.dhs.shape[2],
    )
    if task.name == "LSTM":
        Ws = gate_blocks(np.concatenate([task.params.W_h, task.params.W_x]), LSTMGates)
        bs = gate_blocks(task.params.b[None], LSTMGates)
        named = zip("ufoc", Ws, bs)
        weights = {
            name: block.copy()
            for gate, W, b in named
            for name, block in ((f"W{gate}", W), (f"b{gate}", b))
        }
    else:
        b = task.params.b[:, None].copy()
        weights = {"Waa": task.params.W_h, "Wax": task.params.W_x, "ba": b, "bx": np.zeros_like(b)}

    def run() -> tuple:
        cell = Layer(H)
        cell.n_in = D
        cell._init_params()
        cell.parameters = dict(weights)
        hs = [cell.forward(x) for x in task.xs]
        return hs, cell.gradients, [cell.backward(dh) for dh in task.dhs[::-1]]

    def read(result: Any) -> Arrays:
        hs, g, dxs = result
        if task.name == "LSTM":
            hs = [h for h, _ in hs]
            dW, db = (np.concatenate([g[kind + gate] for gate in "ufoc"], axis=1) for kind in "Wb")
            dparams = type(task.params)(dW[H:], dW[:H], db[0])
        else:
            dparams = type(task.params)(g["Wax"], g["Waa"], g["bx"][:, 0])
        return as_arrays(np.stack(hs), dparams, np.stack(dxs[::-1]))

    return Program(run, read, task)


MAKERS: dict[str, Callable[[Problem], Program | None]] = {
    OURS: ours,
    COMPILED: compiled,
    PYTORCH: pytorch,
    UNROLL: readable,
    PLAIN: plain_loop,
    EPYNN: epynn,
    NUMPY_ML: numpy_ml,
}


def disagreement(one: Arrays, two: Arrays) -> float:
    """Return the largest relative error between the results of two programs.

    Raises: AssertionError unless both have the same names.
    """
    if one.keys() != two.keys():
        raise AssertionError(f"expected the same arrays, got {sorted(one)} and {sorted(two)}")
    return max(relative_error(one[name], two[name]) for name in one)


def check_programs(made: dict[str, Program]) -> dict[str, float]:
    """Return {name: seconds} of a first call of each program, after a check of its results.

    The reference is PyTorch, or `unroll` if PyTorch is not installed. A program with a problem of
    its own is compared with `unroll`.

    Raises: AssertionError for a program whose error is larger than TOLERANCES allows.
    """
    reference = made.get(PYTORCH) or readable(made[OURS].problem)
    expected = reference.read(reference.run())
    seconds: dict[str, float] = {}
    for name, program in made.items():
        start = time.perf_counter()
        result = program.run()
        seconds[name] = time.perf_counter() - start
        other = readable(program.problem)
        judged_by = (
            expected if program.problem.cell == reference.problem.cell else other.read(other.run())
        )
        error, allowed = (
            disagreement(program.read(result), judged_by),
            TOLERANCES[program.problem.xs.dtype.name],
        )
        if not error <= allowed:
            raise AssertionError(
                f"{name}, {program.problem.name}: expected an error of at most {allowed:.0e}, "
                f"got {error:.1e}"
            )
    return seconds
