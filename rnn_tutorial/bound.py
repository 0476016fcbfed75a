"""Functions with some of their arguments given, like `functools.partial`, that can be compared.

Two `Bound`s of the same function and the same arguments are equal. So a recipe that holds such
functions (an activation, a cell, a layer) is equal to its copy, however it was copied: by
`copy.deepcopy`, by pickle, or on its way to another process. To be pickled, the function must have
a name in a module: a lambda has none.
"""

from functools import partial
from typing import Any

__all__ = ["Bound"]


class Bound(partial[Any]):
    """A function with some arguments given: `Bound(f, a=1)`, called with x, returns f(x, a=1).

    Example:
    >>> def scale(x, factor): return factor * x
    >>> Bound(scale, factor=3)(2)
    6
    >>> Bound(scale, factor=3) == Bound(scale, factor=3)
    True
    >>> Bound(scale, factor=3)
    scale(factor=3)
    """

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Bound):
            return NotImplemented
        return (self.func, self.args, self.keywords) == (other.func, other.args, other.keywords)

    def __hash__(self) -> int:
        return hash((self.func, self.args, frozenset(self.keywords)))

    def __repr__(self) -> str:
        given = [
            *map(repr, self.args),
            *(f"{name}={value!r}" for name, value in self.keywords.items()),
        ]
        return f"{getattr(self.func, '__name__', self.func)}({', '.join(given)})"
