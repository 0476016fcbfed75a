"""Print how the packages are built: rooms, imports between them, sizes, and types of arguments.

    python tools/structure.py            # this checkout
    python tools/structure.py FOLDER     # another one, such as an older commit

A room is a folder of a package, or a module next to the folders. An arrow leads from a room to a
room that it imports from, anywhere in its code. A circle is a set of rooms that all reach each
other. Without circles, the rooms have floors, and every arrow leads down.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("rnn_tutorial", "rnn_course")
Arrows = dict[str, set[str]]
Function = ast.FunctionDef | ast.AsyncFunctionDef


class Count(NamedTuple):
    """How many of all things are of one kind."""

    some: int
    all: int

    def __str__(self) -> str:
        share = 100 * self.some / self.all if self.all else 0.0
        return f"{self.some} of {self.all} ({share:.0f} %)"


class Structure(NamedTuple):
    """What is counted of one package."""

    folders: int
    modules: int
    arrows: Arrows  # {room: the rooms it imports from}
    circles: list[list[str]]
    lines: dict[str, int]  # {folder: lines of its files}
    longest_file: tuple[int, str]
    longest_function: tuple[int, str]
    typed: Count  # arguments of all functions
    typed_public: Count  # arguments of public functions and of public methods of public classes


def room_of(parts: tuple[str, ...]) -> str:
    """Return the first part of a dotted name without its package; "" for the package itself."""
    return parts[0] if parts else ""


def imported_names(tree: ast.Module, package: str) -> Iterator[tuple[str, ...]]:
    """Yield every name of the package that a module imports, in parts, without the package."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            first, *rest = name.split(".")
            if first == package:
                yield tuple(rest)


def find_arrows(trees: dict[Path, ast.Module], folder: Path) -> Arrows:
    """Return {room: the other rooms it imports from}; the package's __init__.py is no room."""
    rooms = {room_of(path.relative_to(folder).with_suffix("").parts) for path in trees}
    arrows: Arrows = {room: set() for room in sorted(rooms - {"__init__", "__main__"})}
    for path, tree in trees.items():
        room = room_of(path.relative_to(folder).with_suffix("").parts)
        if room in arrows:
            targets = {room_of(parts) for parts in imported_names(tree, folder.name)}
            arrows[room] |= (targets & arrows.keys()) - {room}
    return arrows


def reachable(arrows: Arrows, start: str) -> set[str]:
    """Return every room to which arrows lead from `start`, in one step or in many."""
    found: set[str] = set()
    to_visit = list(arrows[start])
    while to_visit:
        room = to_visit.pop()
        if room not in found:
            found.add(room)
            to_visit.extend(arrows[room])
    return found


def find_circles(arrows: Arrows) -> list[list[str]]:
    """Return the sets of rooms that all reach each other, each sorted."""
    reached = {room: reachable(arrows, room) for room in arrows}
    circles = {
        tuple(sorted(other for other in reached[room] if room in reached[other]))
        for room in arrows
        if room in reached[room]
    }
    return [list(circle) for circle in sorted(circles)]


def find_floors(arrows: Arrows) -> list[list[str]]:
    """Return the rooms of each floor, the lowest first.

    A room is one floor above the highest room that it imports. Rooms in a circle, or above one,
    have no floor.
    """
    floors: list[list[str]] = []
    placed: set[str] = set()
    while floor := [room for room in arrows if room not in placed and arrows[room] <= placed]:
        floors.append(floor)
        placed.update(floor)
    return floors


def functions(tree: ast.Module) -> Iterator[tuple[str, Function, bool]]:
    """Yield (name, function, whether it is public) for every function of a module."""

    def visit(node: ast.AST, prefix: str, public: bool) -> Iterator[tuple[str, Function, bool]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                name = prefix + child.name
                special = child.name.startswith("__") and child.name.endswith("__")
                is_public = public and (special or not child.name.startswith("_"))
                if not isinstance(child, ast.ClassDef):
                    yield name, child, is_public
                inside = is_public and isinstance(child, ast.ClassDef)
                yield from visit(child, f"{name}.", inside)
            else:
                yield from visit(child, prefix, public)

    yield from visit(tree, "", True)


def arguments(function: Function) -> list[ast.arg]:
    """Return the arguments of a function, without self and cls."""
    given = function.args
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    return [arg for arg in every if arg is not None and arg.arg not in ("self", "cls")]


def count_typed(found: list[Function]) -> Count:
    """Return how many arguments of these functions have a type."""
    every = [arg for function in found for arg in arguments(function)]
    return Count(sum(arg.annotation is not None for arg in every), len(every))


def length(function: Function) -> int:
    """Return the number of lines of a function, its decorators left out."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def measure(folder: Path) -> Structure:
    """Return what is counted of the package in `folder`."""
    texts = {path: path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.py"))}
    trees = {path: ast.parse(text) for path, text in texts.items()}
    arrows = find_arrows(trees, folder)
    sizes = {path: text.count("\n") for path, text in texts.items()}
    lines: dict[str, int] = {}
    for path, size in sizes.items():
        inside = path.parent.relative_to(folder).as_posix()
        lines[inside] = lines.get(inside, 0) + size
    found = [
        (f"{path.relative_to(folder).as_posix()}:{name}", function, public)
        for path, tree in trees.items()
        for name, function, public in functions(tree)
    ]
    return Structure(
        folders=sum((folder / room).is_dir() for room in arrows),
        modules=sum(not (folder / room).is_dir() for room in arrows),
        arrows=arrows,
        circles=find_circles(arrows),
        lines=lines,
        longest_file=max(
            (size, path.relative_to(folder).as_posix()) for path, size in sizes.items()
        ),
        longest_function=max((length(function), name) for name, function, _ in found),
        typed=count_typed([function for _, function, _ in found]),
        typed_public=count_typed([function for _, function, public in found if public]),
    )


def describe(name: str, structure: Structure) -> str:
    """Return the table of one package."""
    floors = find_floors(structure.arrows)
    in_circles = {room: circle for circle in structure.circles for room in circle}
    arrows = [(room, to) for room, targets in structure.arrows.items() for to in targets]
    back = sum(to in in_circles.get(room, ()) for room, to in arrows)
    rows = [
        ("rooms", f"{structure.folders} folders, {structure.modules} modules next to them"),
        ("arrows", f"{len(arrows)} between rooms, {back} of them in circles"),
        *[("circle", " ".join(circle)) for circle in structure.circles],
        *[(f"floor {i}", " ".join(floor)) for i, floor in enumerate(floors)],
        ("lines", f"{sum(structure.lines.values())}"),
        *[(f"  {folder}", f"{size:5}") for folder, size in structure.lines.items()],
        ("longest file", "{} lines, {}".format(*structure.longest_file)),
        ("longest function", "{} lines, {}".format(*structure.longest_function)),
        ("typed arguments", f"{structure.typed}; of public functions {structure.typed_public}"),
    ]
    return "\n".join([name, *[f"  {title:<22} {value}" for title, value in rows]])


def main(folder: Path) -> None:
    """Print one table for each package in `folder`."""
    packages = [folder / name for name in PACKAGES if (folder / name).is_dir()]
    if not packages:
        sys.exit(f"no {' or '.join(PACKAGES)} in {folder}")
    for path in packages:
        print(describe(path.name, measure(path)))


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve() if sys.argv[1:] else ROOT)
