"""A look at one step for one sequence: the gradients before the matrix products, right and wrong.

They are called nodes. `da_x.f` and `da_h.f` are the gradients of the two pre-activations of gate f;
where they are one, `da_x.f` is both. `dprevious.c` is the gradient of the old c, and `dprevious.h`
that of the old h along the paths that avoid W_h. `db_hn` is the gradient of a parameter of the
cell's own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from rnn_tutorial.cells.cell import SHARED
from rnn_tutorial.gradient_check.one_step import Da, Place, blocks, near, read_da, true_da
from rnn_tutorial.types import Array

__all__ = ["Look", "look", "one_factor", "right_nodes"]

LOOSER = 1e3  # products of two errors are compared with a larger rtol
SMALL = 1e-3  # a node that should be zero is right if it is within rtol of this


@dataclass(frozen=True)
class Look:
    """What was seen at a place with one sequence."""

    place: Place
    dstate: Any
    gates: tuple[str, ...]
    rtol: float
    got: Da
    want: Da
    values: dict[str, Array]  # the nodes that the backward has
    right: dict[str, Array]  # the nodes that it should have
    joined: frozenset[str]  # the gates whose two gradients are one

    @cached_property
    def nodes(self) -> tuple[str, ...]:
        """The names of the nodes, one for a gate whose two gradients are one."""
        return tuple(
            name
            for name in self.values
            if not name.startswith("da_h.") or name[5:] not in self.joined
        )

    @cached_property
    def wrong(self) -> tuple[str, ...]:
        """The names of the nodes that are wrong."""
        return tuple(
            name
            for name in self.nodes
            if not near(self.values[name], self.right[name], self.rtol, SMALL)
        )

    @property
    def broken(self) -> tuple[str, ...]:
        """The names of the arrays that are not the product of a matrix with da."""
        return self.got.broken

    def shown(self, node: str) -> str:
        """Return the name of a node for a reader: `da_f` for a gate whose two gradients are one."""
        side, _, gate = node.partition(".")
        return self.gate_line(gate) if side == "da_x" and gate in self.joined else node

    def gate_line(self, gate: str) -> str:
        """Return the name of the gradient of a gate's pre-activation: `da`, if no other has one."""
        return f"da_{gate}" if len(self.gates) > 1 else "da"

    def again(self, place: Place, dstate: Any) -> "Look":
        """Return a look at another place, or with another gradient of the new state."""
        return look(place, dstate, self.gates, self.rtol)


def look(place: Place, dstate: Any, gates: tuple[str, ...], rtol: float) -> Look:
    """Return the Look at a place with one sequence, for a gradient of the new state."""
    got, want = place.got(dstate), place.want(dstate)
    da, true = read_da(place, got, want, rtol), true_da(place, want)
    values, right = nodes_of(place, got, da, gates), nodes_of(place, want, true, gates)

    def one(nodes: dict[str, Array], gate: str) -> bool:
        a_x = nodes[f"da_x.{gate}"]
        return near(nodes.get(f"da_h.{gate}", a_x), a_x, rtol, SMALL)

    joined = frozenset(gate for gate in gates if one(values, gate) and one(right, gate))
    return Look(place, dstate, gates, rtol, da, true, values, right, joined)


def nodes_of(
    place: Place, arrays: dict[str, Array], da: Da, gates: tuple[str, ...]
) -> dict[str, Array]:
    """Return the nodes by name: blocks of da, the gradients of the old state, and of the rest."""
    H = len(place.params.W_h)
    nodes = gate_nodes("da_x", da.da_x, gates, H) | gate_nodes("da_h", da.da_h, gates, H)
    nodes |= {f"dprevious.{name}": arrays[f"dprevious.{name}"] for name in place.state._fields}
    own = [f"d{name}" for name in place.params._fields if name not in SHARED]
    return nodes | {"dprevious.h": da.dh} | {name: arrays[name] for name in own}


def right_nodes(place: Place, dstate: Any, gates: tuple[str, ...]) -> Iterator[tuple[str, Array]]:
    """Yield the right nodes with their names.

    First those of `da_x`, which need the slopes along b alone: often no more is asked for.
    """
    yield from gate_nodes("da_x", place.right("db", dstate), gates, len(place.params.W_h)).items()
    want = place.want(dstate)
    yield from nodes_of(place, want, true_da(place, want), gates).items()


def gate_nodes(side: str, da: Array, gates: tuple[str, ...], H: int) -> dict[str, Array]:
    """Return the blocks of da_x or da_h by name, such as `da_x.f`."""
    return {f"{side}.{gate}": block for gate, block in zip(gates, blocks(da, H))}


def one_factor(seen: Look, first: str, second: str) -> bool:
    """Return whether two nodes are wrong by the same factor, unit by unit.

    They are if both are computed, by right lines, from one wrong gradient.

    Shapes: the nodes are (..., H).
    """
    a, b = seen.values[first], seen.values[second]
    right_a, right_b = seen.right[first], seen.right[second]
    units = a.shape[-1] == b.shape[-1]
    return units and near(right_a * b, a * right_b, LOOSER * seen.rtol)
