"""What a notebook has in Jupyter and the sandbox has not: `display`, `get_ipython`, libraries.

It needs the standard library alone: the worker in the sandbox imports it.
"""

from collections.abc import Iterator
from typing import Any

RUNNING = ("time", "prun", "capture")  # the magics that run the code behind them


class Nothing:
    """It does nothing, whatever is done with it: `display`, and all of IPython."""

    def __call__(self, *arguments: Any, **keywords: Any) -> "Nothing":
        """Return itself."""
        return self

    def __getattr__(self, name: str) -> "Nothing":
        """Return itself for any attribute that is not Python's own."""
        if name.startswith("__"):
            raise AttributeError(name)
        return self


class Shell(Nothing):
    """`get_ipython()`: it runs what a magic has to run, and does nothing else."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        """Keep the namespace of the notebook."""
        self._namespace = namespace

    def run_line_magic(self, name: str, line: str = "", *more: Any, **keywords: Any) -> Any:
        """Run the code of `%time code` and return its value."""
        return self._run(line) if name in RUNNING else None

    def run_cell_magic(self, name: str, line: str, cell: str, **keywords: Any) -> Any:
        """Run the cell under `%%time`."""
        return self._run(cell) if name in RUNNING else None

    def getoutput(self, *arguments: Any, **keywords: Any) -> list[str]:
        """Return no lines: there is no shell."""
        return []

    def _run(self, source: str) -> Any:
        try:
            code = compile(source, "<magic>", "eval")
        except SyntaxError:
            code = compile(source, "<magic>", "exec")
        return eval(code, self._namespace)


class Missing:
    """A library, or a name from it, that is not in the sandbox. It raises when it is used."""

    def __init__(self, library: str) -> None:
        """Keep the name of the library."""
        self._library = library

    def __getattr__(self, name: str) -> "Missing":
        """Return the same for any attribute that is not Python's own."""
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def _raise(self, *arguments: Any, **keywords: Any) -> Any:
        raise ModuleNotFoundError(f"No module named {self._library!r}", name=self._library)

    __call__ = __array__ = __getitem__ = __float__ = __index__ = __mro_entries__ = _raise
    __enter__ = __exit__ = __len__ = __add__ = __radd__ = __mul__ = __rmul__ = _raise

    def __iter__(self) -> Iterator[Any]:
        """Raise ModuleNotFoundError."""
        return iter(self._raise())


def stand_in(library: str) -> Any:
    """Return what takes the place of a library that is not there."""
    return Nothing() if library == "IPython" else Missing(library)


def namespace_of_a_notebook() -> dict[str, Any]:
    """Return the namespace in which the cells of a notebook begin."""
    namespace: dict[str, Any] = {"__name__": "__main__", "display": Nothing()}
    shell = Shell(namespace)
    namespace["get_ipython"] = lambda: shell
    return namespace
