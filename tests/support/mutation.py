"""Mutants of a function: each has one small mistake that people make in a backward pass.

Not a test file. `mutants(function)` yields (what was changed, the changed function), and
`surviving(function, check)` tries them all. The mistakes: plus for minus, times for divide,
exchanged factors of a matrix product, a forgotten transpose, a number off by one, a lost sign, a
reversed comparison, the wrong variable, field or gate, a forgotten reversal.
"""

import ast
import contextlib
import functools
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from importlib import import_module
from typing import Any
from unittest import mock

import numpy as np
import pytest

OTHER_OPERATOR = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}
OTHER_COMPARISON = {
    ast.Gt: ast.LtE,
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.LtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.Eq: ast.NotEq,
}
OTHER_FIELD = {
    "W_x": "W_h",
    "W_h": "W_x",
    "zeros_like": "ones_like",
    "log1p": "log",
    "maximum": "minimum",
}
OTHER_GATE = {"i": "f", "f": "o", "o": "g", "g": "i", "r": "z", "z": "n", "n": "r"}
OTHER_GATE |= {"h": "c", "c": "h", "c_previous": "tanh_c", "tanh_c": "c_previous"}


def mutants(function: Callable) -> Iterator[tuple[str, Callable]]:
    """Yield (description, mutant) for each slip; a mutant has the globals of the original."""
    tree = bare_tree(textwrap.dedent(inspect.getsource(function)))
    name, names = tree.body[0].name, local_names(tree)
    refusals = {
        id(node)
        for statement in ast.walk(tree)
        if refuses(statement)
        for node in ast.walk(statement)
    }
    nodes = list(ast.walk(tree))
    above = {child: node for node in nodes for child in ast.iter_child_nodes(node)}
    for node in nodes:
        for slip in [] if id(node) in refusals else slips(node, names):
            line = line_of(node, above)
            before, fields = ast.unparse(line), dict(vars(node))
            replacement = slip(node)
            if replacement is not node:
                replace(above[node], node, replacement)
            after = ast.unparse(replacement if line is node else line)
            # A list that contains itself is left out: NumPy would never stop stacking it.
            endless = re.search(r"(\w+)\.append\(\1\)", after)
            mutant = None if endless else build(tree, name, function)
            if replacement is not node:
                replace(above[node], replacement, node)
            vars(node).update(fields)
            if mutant is not None:
                yield f"{before}  ->  {after}", mutant


def bare_tree(source: str) -> ast.Module:
    """Return the syntax tree of a function without its decorators."""
    tree = ast.parse(source)
    assert isinstance(tree.body[0], ast.FunctionDef)
    tree.body[0].decorator_list = []
    return tree


def surviving(function: Callable, check: Callable[[Callable], Any]) -> tuple[int, list[str]]:
    """Return (number of slips, descriptions of the mutants for which `check(mutant)` passes)."""
    with without_diagnosis():
        verdicts = {description: caught(check, mutant) for description, mutant in mutants(function)}
    return len(verdicts), [description for description, found in verdicts.items() if not found]


@contextlib.contextmanager
def without_diagnosis() -> Iterator[None]:
    """Let a gradient check say only that a gradient is wrong: to say where is slow.

    The first leaf that is wrong ends it.
    """
    check, cell, leaves = (
        import_module(f"rnn_tutorial.gradient_check.{name}") for name in ("check", "cell", "leaves")
    )
    judge = leaves.judge

    def judge_and_stop(*given: Any) -> str:
        verdict = judge(*given)
        if verdict == leaves.WRONG:
            raise check.GradientError("wrong gradient")
        return verdict

    with (
        mock.patch.object(leaves, "judge", judge_and_stop),
        mock.patch.object(check, "numerical_gradient", lambda loss, point, slope: point),
        mock.patch.object(cell, "_with_one_step", lambda *given: given[-1]),
        without_crosscheck(),
    ):
        yield


def without_crosscheck() -> AbstractContextManager[Any]:
    """Let the complex step be trusted without the central differences, which cost twice as much.

    They find a function that loses the imaginary part. That of a right forward is not lost.
    """
    slopes = import_module("rnn_tutorial.gradient_check.slopes")
    return mock.patch.object(slopes, "contradictions", lambda *given: {})


def caught(check: Callable[[Callable], Any], mutant: Callable) -> bool:
    """Return whether the check raises any exception."""
    try:
        with np.errstate(all="ignore"):
            check(mutant)
    except (Exception, pytest.fail.Exception):
        return True
    return False


def refuses(node: ast.AST) -> bool:
    """Return whether the node only raises errors for bad input, or is a default of an argument.

    Those are not changed: bad input has its own tests.
    """
    if isinstance(node, ast.If):
        return all(isinstance(statement, ast.Raise) for statement in node.body)
    called = (
        node.value.func if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) else None
    )
    return (
        isinstance(node, ast.arguments)
        or "check_" in getattr(called, "id", "") + getattr(called, "attr", "") + "_"
    )


def slips(node: ast.AST, names: list[str]) -> list[Callable[[Any], Any]]:
    """Return one function for each slip that is possible at this node.

    The function changes the node and returns it, or returns another node to use instead.
    """
    if isinstance(node, ast.BinOp) and type(node.op) in OTHER_OPERATOR:
        return [lambda n: with_field(n, "op", OTHER_OPERATOR[type(n.op)]())]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        return [exchange]
    if isinstance(node, ast.AugAssign) and type(node.op) in OTHER_OPERATOR:
        return [lambda n: with_field(n, "op", OTHER_OPERATOR[type(n.op)]())]
    if isinstance(node, ast.UnaryOp):
        return [lambda n: n.operand]
    if isinstance(node, ast.Compare) and type(node.ops[0]) in OTHER_COMPARISON:
        return [lambda n: with_field(n, "ops", [OTHER_COMPARISON[type(n.ops[0])](), *n.ops[1:]])]
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return [lambda n: with_field(n, "value", n.value + 1)]
    if isinstance(node, ast.Attribute) and node.attr == "T":
        return [lambda n: n.value]
    if isinstance(node, ast.Attribute) and node.attr in OTHER_FIELD | OTHER_GATE:
        return [lambda n: with_field(n, "attr", (OTHER_FIELD | OTHER_GATE)[n.attr])]
    if (
        isinstance(node, ast.Subscript)
        and isinstance(node.slice, ast.Slice)
        and node.slice.step is not None
    ):
        return [lambda n: n.value]
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "reversed":
        return [lambda n: n.args[0]]
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names:
        k = names.index(node.id)
        others = (names[k + 1 :] + names[:k])[:3]
        return [functools.partial(with_field, name="id", value=other) for other in others]
    return []


def with_field(node: ast.AST, name: str, value: Any) -> ast.AST:
    """Return the node after setting one of its fields."""
    setattr(node, name, value)
    return node


def exchange(product: ast.BinOp) -> ast.BinOp:
    """Return the product after exchanging its factors."""
    product.left, product.right = product.right, product.left
    return product


def local_names(tree: ast.AST) -> list[str]:
    """Return the names of the arguments and variables of the function in alphabetical order."""
    names = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    names |= {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    return sorted(names - {"self"})


def line_of(target: ast.AST, above: dict[ast.AST, ast.AST]) -> ast.AST:
    """Return the innermost statement that contains `target`; `target` itself in a compound one.

    above: the node that contains each node.
    """
    inner = target
    while not isinstance(inner, ast.stmt | ast.mod):
        inner = above[inner]
    return (
        inner
        if isinstance(inner, (ast.Assign, ast.AugAssign, ast.Return, ast.Expr, ast.Raise))
        else target
    )


def replace(parent: ast.AST, old: ast.AST, new: ast.AST) -> None:
    """Replace the child `old` of a node by `new`."""
    for field, value in ast.iter_fields(parent):
        if value is old:
            setattr(parent, field, new)
        elif isinstance(value, list):
            value[:] = [new if item is old else item for item in value]


def build(tree: ast.Module, name: str, function: Callable) -> Callable:
    """Return the function of a changed syntax tree, with the globals of the original."""
    namespace = dict(vars(sys.modules[function.__module__]))
    exec(compile(tree, f"mutant of {name}", "exec"), namespace)
    return namespace[name]
