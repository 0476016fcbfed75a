"""The package as its source says: modules, and what each of them lists in `__all__`.

Nothing is imported. So a signature has the names of the types as they are written, a field has its
comment, and the site needs neither the package nor what it imports.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

__all__ = ["FOLDER", "ROOT", "Field", "Member", "Module", "modules", "places", "resolve"]

ROOT = Path(__file__).resolve().parents[2]
FOLDER = "rnn_tutorial"
FIGURES = f"{FOLDER}.explore."

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Field(NamedTuple):
    """A field of a NamedTuple or a dataclass, with the comment on its line."""

    name: str
    type: str
    comment: str


class Member(NamedTuple):
    """A function, class or value that a module gives, or a method of a class."""

    kind: str  # function, class, exception, data, method or property
    name: str
    signature: str  # "(x: Array) -> Array" of a function, "lstm()" of a value
    doc: str
    fields: tuple[Field, ...] = ()
    methods: tuple["Member", ...] = ()


class Module(NamedTuple):
    """A file of the package."""

    name: str  # rnn_tutorial.cells.lstm
    path: str  # rnn_tutorial/cells/lstm.py
    doc: str
    members: tuple[Member, ...]

    @property
    def folder(self) -> str:
        """Return the name of the package that the file is in; a package is in itself."""
        return self.name if self.path.endswith("__init__.py") else self.name.rpartition(".")[0]


class _PlainTypes(ast.NodeTransformer):
    """A type that is written as a text becomes the type."""

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        """Return the node as it is if its texts are values: Literal["mean", "sum"]."""
        literal = isinstance(node.value, ast.Name) and node.value.id == "Literal"
        return node if literal else self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        """Return the type that a text spells."""
        return ast.parse(node.value, mode="eval").body if isinstance(node.value, str) else node


def _type(node: ast.expr | None) -> str:
    return "" if node is None else ast.unparse(_PlainTypes().visit(node))


def _signature(function: Function, method: bool) -> str:
    """Return "(x: Array) -> Array", without the self or cls of a method."""
    arguments = function.args
    if method and not any(ast.unparse(d) == "staticmethod" for d in function.decorator_list):
        first = arguments.posonlyargs or arguments.args
        del first[:1]
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    for argument in (*named, arguments.vararg, arguments.kwarg):
        if argument is not None and argument.annotation is not None:
            argument.annotation = ast.parse(_type(argument.annotation), mode="eval").body
    returns = _type(function.returns)
    return f"({ast.unparse(arguments)})" + (f" -> {returns}" if returns else "")


def _function(node: Function, kind: str) -> Member:
    if any(ast.unparse(d).endswith("property") for d in node.decorator_list):
        return Member("property", node.name, _type(node.returns), ast.get_docstring(node) or "")
    signature = _signature(node, method=kind == "method")
    return Member(kind, node.name, signature, ast.get_docstring(node) or "")


def _comment(line: str) -> str:
    """Return the comment at the end of a line."""
    return line.partition("  # ")[2].strip()


def _class(node: ast.ClassDef, lines: list[str]) -> Member:
    fields = tuple(
        Field(part.target.id, _type(part.annotation), _comment(lines[part.end_lineno - 1]))
        for part in node.body
        if isinstance(part, ast.AnnAssign) and not part.target.id.startswith("_")
    )
    functions = [part for part in node.body if isinstance(part, Function)]
    starts = [part for part in functions if part.name == "__init__"]
    methods = tuple(
        _function(part, "method")
        for part in functions
        if not part.name.startswith("_") or part.name == "__call__"
    )
    bases = [ast.unparse(base) for base in node.bases]
    signature = _signature(starts[0], method=True).partition(" -> ")[0] if starts else ""
    if not starts and fields and "Protocol" not in bases:
        signature = f"({', '.join(field.name for field in fields)})"
    kind = "exception" if any(b.endswith(("Error", "Exception")) for b in bases) else "class"
    return Member(kind, node.name, signature, ast.get_docstring(node) or "", fields, methods)


def _values(node: ast.Assign | ast.AnnAssign, after: ast.stmt | None) -> Iterator[Member]:
    """Yield the values of a line, A = 1 or A, B = 1, 2, with the text after it if there is one."""
    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
    text = after.value if isinstance(after, ast.Expr) else None
    doc = text.value if isinstance(text, ast.Constant) else ""
    names, values = [target], [node.value]
    if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
        names, values = target.elts, node.value.elts
    for name, value in zip(names, values, strict=True):
        yield Member("data", ast.unparse(name), ast.unparse(value) if value else "", doc)


def _statements(body: list[ast.stmt]) -> Iterator[tuple[ast.stmt, ast.stmt | None]]:
    """Yield each statement of a module with the next one, those inside `if` too."""
    for statement, after in zip(body, [*body, None][1:], strict=True):
        if isinstance(statement, ast.If):
            yield from _statements(statement.body)
            yield from _statements(statement.orelse)
        yield statement, after


def _members(tree: ast.Module, lines: list[str]) -> dict[str, Member]:
    """Return all that is defined at the top of a file, by name."""
    found: dict[str, Member] = {}
    for node, after in _statements(tree.body):
        if isinstance(node, Function):
            found.setdefault(node.name, _function(node, "function"))
        elif isinstance(node, ast.ClassDef):
            found[node.name] = _class(node, lines)
        elif isinstance(node, ast.AnnAssign | ast.Assign):
            found |= {member.name: member for member in _values(node, after)}
    return found


def _listed(tree: ast.Module) -> list[str]:
    """Return `__all__`, or nothing for the face of a package, which has what its modules have."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return ast.literal_eval(node.value) if isinstance(node.value, ast.List) else []
    return []


def _read(path: Path) -> Module:
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    found = _members(tree, source.splitlines())
    relative = path.relative_to(ROOT)
    parts = relative.with_suffix("").parts
    return Module(
        ".".join(parts[:-1] if parts[-1] == "__init__" else parts),
        relative.as_posix(),
        ast.get_docstring(tree) or "",
        # In the order of the file, where a function and its backward are next to each other. A name
        # that is not defined here is from another library, such as ArrayLike of NumPy.
        tuple(member for name, member in found.items() if name in _listed(tree)),
    )


@cache
def modules() -> tuple[Module, ...]:
    """Return all modules of the package, in the order of their names."""
    return tuple(sorted(_read(path) for path in (ROOT / FOLDER).rglob("*.py")))


@cache
def places() -> dict[str, tuple[str, ...]]:
    """Return the modules that give each name: {"lstm_step": ("rnn_tutorial.cells.lstm",)}."""
    found: dict[str, tuple[str, ...]] = {}
    for module in modules():
        for member in module.members:
            found[member.name] = (*found.get(member.name, ()), module.name)
    return found


def resolve(name: str, near: str = "") -> str:
    """Return the module that gives a name, or "" if there is none, or not one of several.

    Of several, it is the one in the package `near`; or the one that is not a figure, since a figure
    may have the name of what it shows.
    """
    found = places().get(name, ())
    inside = [module for module in found if f"{module}.".startswith(f"{near}.")]
    others = [module for module in found if not module.startswith(FIGURES)]
    return next((some[0] for some in (found, inside, others) if len(some) == 1), "")
