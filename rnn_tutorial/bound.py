"""Functions with some of their arguments given: `functools.partial`, but two with the same function and arguments are equal.

So a recipe that holds such functions, an activation, a cell, a layer, is equal to its copy, however it was copied: by
`copy.deepcopy`, by pickle, or on its way to another process. The function must have a name in a module, and not be a lambda, to
be pickled.
"""

from functools import partial

__all__ = [
    "Bound",
]


class Bound(partial):
    """`Bound(f, a=1)` is a function: called with `x`, it returns f(x, a=1).

    >>> def scale(x, factor): return factor * x
    >>> Bound(scale, factor=3)(2)
    6
    >>> Bound(scale, factor=3) == Bound(scale, factor=3)
    True
    >>> Bound(scale, factor=3)
    scale(factor=3)
    """

    def __eq__(self, other):
        if not isinstance(other, Bound):
            return NotImplemented
        return (self.func, self.args, self.keywords) == (other.func, other.args, other.keywords)

    def __hash__(self):
        return hash((self.func, self.args, frozenset(self.keywords)))

    def __repr__(self):
        given = [
            *map(repr, self.args),
            *(f"{name}={value!r}" for name, value in self.keywords.items()),
        ]
        return f"{getattr(self.func, '__name__', self.func)}({', '.join(given)})"
