"""The ledger of a program: each of its calls of NumPy, with its operations and its bytes.

NumPy asks an array of a class of your own whether it wants to do the work itself: it calls
`__array_ufunc__` in the place of each elementwise function and of `matmul`, and
`__array_function__` in the place of most others. `Counted` passes the work on to plain arrays, and
writes down what was done. So a ledger is no estimate, and is the same on every machine.

An operation (FLOP) is an addition or a multiplication. An elementwise function counts as one for
each entry, tanh too. Views cost nothing and are not written down.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from unittest import mock

import numpy as np

from rnn_tutorial.tree import tree_map
from rnn_tutorial.types import Array, Tree

__all__ = [
    "Call",
    "Counted",
    "count_calls",
    "counted",
    "products",
    "show_ledgers",
    "total",
]


class Call(NamedTuple):
    """One call of NumPy."""

    name: str  # of the function
    flop: int
    bytes: int  # read and written


class Counted(np.ndarray):
    """An array that writes into its ledger what is done with it; the results do so too."""

    ledger: list[Call]

    def __array_finalize__(self, obj: Any) -> None:
        """Take over the ledger of the array that this one is made of."""
        self.ledger = getattr(obj, "ledger", [])

    def __array_ufunc__(
        self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **settings: Any
    ) -> Any:
        """Do what NumPy does, with plain arrays, and write it down."""
        plain = [_plain(value) for value in inputs]
        if out is not None:
            settings["out"] = tuple(_plain(array) for array in out)
        result = np.asarray(getattr(ufunc, method)(*plain, **settings))
        arrays = [*(value for value in plain if isinstance(value, np.ndarray)), result]
        flop = max(array.size for array in arrays)
        if ufunc is np.matmul:
            flop = 2 * result.size * plain[0].shape[-1]
        moved = sum(array.nbytes for array in arrays)
        self.ledger.append(Call(ufunc.__name__, flop, moved))
        return counted(result, self.ledger) if out is None else out[0]

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        """Do what NumPy does; a concatenation is a copy."""
        result = super().__array_function__(func, types, args, kwargs)
        if func is np.concatenate:
            self.ledger.append(Call("copy", 0, 2 * result.nbytes))
        return counted(result, self.ledger) if isinstance(result, np.ndarray) else result

    def __setitem__(self, index: Any, value: Any) -> None:
        """Write the value; this is a copy."""
        super().__setitem__(index, value)
        self.ledger.append(Call("copy", 0, 2 * np.asarray(self[index]).nbytes))


def _plain(value: Any) -> Any:
    """Return the value, a Counted as the plain array that it is a view of."""
    return np.asarray(value) if isinstance(value, Counted) else value


def counted(array: Array, ledger: list[Call]) -> Counted:
    """Return a view of the array that writes into this ledger."""
    view = np.asarray(array).view(Counted)
    view.ledger = ledger
    return view


def count_calls(program: Callable[..., Any], *trees: Tree) -> list[Call]:
    """Return the ledger of program(*trees): each call of NumPy on their arrays and on the results.

    Arrays that the program makes with `np.empty` or `np.zeros` are counted as well.

    Example:
    >>> count_calls(lambda x, y: np.tanh(x @ y), np.ones((2, 3)), np.ones((3, 4)))
    [Call(name='matmul', flop=48, bytes=208), Call(name='tanh', flop=8, bytes=128)]
    """
    ledger: list[Call] = []
    arrays = tree_map(lambda leaf: counted(leaf, ledger), trees)
    with _new_arrays_counted(ledger):
        program(*arrays)
    return ledger


@contextmanager
def _new_arrays_counted(ledger: list[Call]) -> Iterator[None]:
    """Let the functions that make new arrays return arrays that write into this ledger."""
    empty, zeros, contiguous = np.empty, np.zeros, np.ascontiguousarray
    with (
        mock.patch.object(np, "empty", lambda *a, **k: counted(empty(*a, **k), ledger)),
        mock.patch.object(np, "zeros", lambda *a, **k: counted(zeros(*a, **k), ledger)),
        mock.patch.object(np, "ascontiguousarray", lambda a: counted(contiguous(a), ledger)),
    ):
        yield


def products(ledger: Sequence[Call]) -> list[Call]:
    """Return the matrix products of a ledger."""
    return [call for call in ledger if call.name == "matmul"]


def total(ledger: Sequence[Call], what: str) -> int:
    """Return the sum over a ledger of "flop" or "bytes"."""
    return sum(getattr(call, what) for call in ledger)


def show_ledgers(ledgers: Mapping[str, Sequence[Call]], steps: int = 1) -> None:
    """Print a line for each ledger: its calls, operations and bytes, for each of `steps` steps.

    Example:
    >>> square = np.ones((500, 500))
    >>> show_ledgers({"a product": count_calls(np.matmul, square, square)})
                                   calls   products   MFLOP of   MFLOP of      MB
                                                      products   the rest   moved
    a product                        1.0        1.0    250.000      0.000   6.000
    """
    print(f"{'':26} {'calls':>9} {'products':>10} {'MFLOP of':>10} {'MFLOP of':>10} {'MB':>7}")
    print(f"{'':26} {'':>9} {'':>10} {'products':>10} {'the rest':>10} {'moved':>7}")
    for name, ledger in ledgers.items():
        matrix = total(products(ledger), "flop")
        rest, moved = total(ledger, "flop") - matrix, total(ledger, "bytes")
        print(
            f"{name:26} {len(ledger) / steps:9.1f} {len(products(ledger)) / steps:10.1f}", end=" "
        )
        print(f"{1e-6 * matrix / steps:10.3f} {1e-6 * rest / steps:10.3f}", end=" ")
        print(f"{1e-6 * moved / steps:7.3f}")
