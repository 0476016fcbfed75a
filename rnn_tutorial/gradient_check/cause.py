"""From which gradients are wrong, and by what factor, to the line that is wrong."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from rnn_tutorial.cells.cell import SHARED
from rnn_tutorial.gradient_check.look import Look, one_factor, right_nodes
from rnn_tutorial.gradient_check.one_step import Place
from rnn_tutorial.tree import tree_zeros_like
from rnn_tutorial.types import Array

__all__ = ["Cause", "cause"]

Cause = tuple[tuple[str, ...], str]
"""(what to look at, the same in a sentence)."""

PlaceAt = Callable[[Any], Place]
"""params -> the Place there, with the same x and state."""

CLOSED = 40.0  # a bias that saturates sigmoid and tanh
NOTHING = 1e-9  # a gradient that is smaller has vanished


def cause(seen: Look, place_at: PlaceAt, wrong: tuple[str, ...]) -> Cause:
    """Return the Cause of what was seen.

    wrong: the names of the arrays that are wrong for several sequences. Several mistakes, or one
    that fits no pattern, are not located: then the Cause has no places, and its sentence lists what
    is wrong.
    """
    nodes, broken = seen.wrong, seen.broken
    if not nodes and not broken:
        return _of_batch(wrong)
    if not nodes:
        product = "its product" if len(broken) == 1 else "their products"
        return broken, f"Only {_and(broken)} {_is(broken)} wrong: look at {product}."
    found = None if broken else _of_nodes(seen, place_at)
    if found:
        return found
    listed = _and([*map(seen.shown, nodes), *broken])
    return (), f"Not located: {listed} are wrong. There may be more than one mistake."


def _of_batch(wrong: tuple[str, ...]) -> Cause:
    """Return the Cause if one sequence is right."""
    if not wrong:
        return (), "This step is right."
    seen = f"{_and(wrong)} {_is(wrong)} right for one sequence and wrong for three"
    return wrong, f"{seen}: look at the sum over the batch."


def _of_nodes(seen: Look, place_at: PlaceAt) -> Cause | None:
    """Return the Cause of wrong nodes, if it can be found."""
    return (
        _single(seen)
        or _own(seen)
        or _shared(seen, place_at)
        or _first(seen, place_at)
        or _path(seen, place_at)
        or _every(seen)
    )


def _single(seen: Look) -> Cause | None:
    """Return the Cause if one node is wrong."""
    if len(seen.wrong) > 1:
        return None
    node = seen.wrong[0]
    line = seen.shown(node)
    kind, _, part = node.partition(".")
    if kind == "dprevious":
        direct = f"the path that goes directly to the old {part}"
        path = direct if _size(seen.right[node]) > NOTHING else "the product of da_h and W_h"
        return (node,), f"Only {node} is wrong: look at {path}."
    if line != node:
        gate = line if line == "da" else f"gate {part}"
        return (line,), f"Only {gate} is wrong: look at {line}, its product and its slope."
    if "." in node:
        return (node,), f"Only block {part} of {kind} is wrong: look at how it is computed."
    return (node,), f"Only {node} is wrong: look at its own line."


def _own(seen: Look) -> Cause | None:
    """Return the Cause if only gradients of the cell's own parameters are wrong."""
    if not set(seen.wrong) <= {f"d{name}" for name in seen.place.params._fields}:
        return None
    return seen.wrong, f"Only {_and(seen.wrong)} are wrong: look at their own lines."


def _shared(seen: Look, place_at: PlaceAt) -> Cause | None:
    """Return the Cause if all that is wrong is wrong by one factor."""
    first, *rest = seen.wrong
    if not all(one_factor(seen, first, node) for node in rest):
        return None
    names = tuple(map(seen.shown, seen.wrong))
    intro = f"{_and(names)} are wrong by one factor"
    for gate in seen.gates:
        if f"da_x.{gate}" in seen.wrong and _all_through(seen, gate, place_at):
            line = seen.gate_line(gate)
            return (line,), f"{intro}, and all go through gate {gate}: look at {line}."
    for field in seen.dstate._fields:
        if set(seen.wrong) == _reached(seen, field):
            return (f"d{field}",), f"{intro}: look at what they share, d{field}{_part(seen)}."
    return names, f"{intro}: look at what they share."


def _all_through(seen: Look, gate: str, place_at: PlaceAt) -> bool:
    """Return whether all that is wrong should vanish when the gate is saturated, at either end."""
    params, H = seen.place.params, len(seen.place.params.W_h)
    k = seen.gates.index(gate)
    for bias in (-CLOSED, CLOSED):
        b = params.b.copy()
        b[k * H : (k + 1) * H] = bias
        right = right_nodes(place_at(params._replace(b=b)), seen.dstate, seen.gates)
        if any(_size(array) > NOTHING for node, array in right if node in seen.wrong):
            return False
    return True


def _reached(seen: Look, field: str) -> set[str]:
    """Return the names of the nodes that the gradient of this field of the new state reaches."""
    right = _with_only(seen, field).right
    return {node for node in seen.nodes if _size(right[node]) > NOTHING}


def _with_only(seen: Look, field: str) -> Look:
    """Return a look with a gradient of this field of the new state alone."""
    dstate = tree_zeros_like(seen.dstate)
    return seen.again(seen.place, dstate._replace(**{field: getattr(seen.dstate, field)}))


def _part(seen: Look) -> str:
    """Return which gradients of the new state arrive wrong, if others arrive right."""
    fields = seen.dstate._fields
    wrong = [f"dstate.{field}" for field in fields if _with_only(seen, field).wrong]
    return f": its part from {_and(wrong)} is wrong" if len(wrong) < len(fields) else ""


def _first(seen: Look, place_at: PlaceAt) -> Cause | None:
    """Return the Cause that shows with the cell's own parameters at zero.

    A gate may be wrong only because another one is, which reaches it through such a parameter.
    """
    own = _own_names(seen)
    zero = _with_zero(seen, own, place_at)
    if zero.broken or not any(node.startswith("da_") for node in zero.wrong):
        return None
    found = _single(zero) or _shared(zero, place_at)
    if not found:
        return None
    return found[0], f"With {_and(own)} at zero: {found[1]} The rest follows from it."


def _path(seen: Look, place_at: PlaceAt) -> Cause | None:
    """Return the Cause if all is right with one of the cell's own parameters at zero."""
    names = _and(list(map(seen.shown, seen.wrong)))
    for own in _own_names(seen):
        zero = _with_zero(seen, [own], place_at)
        if not zero.wrong and not zero.broken:
            return (own,), f"{names} are wrong, and right with {own} at zero: look at its path."
    return None


def _own_names(seen: Look) -> list[str]:
    """Return the names of the cell's own parameters."""
    return [name for name in seen.place.params._fields if name not in SHARED]


def _with_zero(seen: Look, own: list[str], place_at: PlaceAt) -> Look:
    """Return a look with these parameters at zero."""
    params = seen.place.params
    zeros = {name: np.zeros_like(getattr(params, name)) for name in own}
    return seen.again(place_at(params._replace(**zeros)), seen.dstate)


def _every(seen: Look) -> Cause | None:
    """Return the Cause if all the gates are wrong, each by its own factor, and nothing else is."""
    gates = {node for node in seen.nodes if node.startswith("da_")}
    if set(seen.wrong) != gates:
        return None
    names = tuple(map(seen.shown, seen.wrong))
    return names, (
        "All the gates are wrong, each by its own factor, and nothing else: look at the line that "
        "computes all of da."
    )


def _size(array: Array) -> float:
    """Return the largest absolute value."""
    return float(np.max(np.abs(array), initial=0.0))


def _and(names: Sequence[str]) -> str:
    """Return the names as in a sentence: "a, b and c"."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def _is(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"
