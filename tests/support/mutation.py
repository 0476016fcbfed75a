"""One-token mutants of a function: the slips that a person makes when writing a backward pass. Not a test file.

`mutants(function)` yields (what was changed, the changed function), one slip each, and `surviving(function, check)` tries them:
plus for minus, times for divide, factors of a matrix product exchanged, a transpose forgotten, a number off by one, a sign lost,
a comparison turned, one variable, field or gate written for another, a reversal forgotten.
"""

import ast
import copy
import inspect
import re
import sys
import textwrap

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


def mutants(function):
    """Yield (description, mutant) for each slip, every mutant a function in the module of the original."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    name = tree.body[0].name
    tree.body[0].decorator_list = []
    refusals = {
        id(node)
        for statement in ast.walk(tree)
        if refuses(statement)
        for node in ast.walk(statement)
    }
    for place, node in enumerate(ast.walk(tree)):
        for slip in [] if id(node) in refusals else slips(node, local_names(tree)):
            mutated = copy.deepcopy(tree)
            target = list(ast.walk(mutated))[place]
            before = ast.unparse(line_of(mutated, target))
            replacement = slip(target)
            if replacement is not target:
                replace(mutated, target, replacement)
            after = ast.unparse(line_of(mutated, replacement))
            if re.search(r"(\w+)\.append\(\1\)", after):
                continue  # a list within itself: NumPy would stack it for ever
            yield f"{before}  ->  {after}", build(mutated, name, function)


def surviving(function, check):
    """Return (how many slips were tried, descriptions of the mutants that `check(mutant)` lets pass)."""
    verdicts = {description: caught(check, mutant) for description, mutant in mutants(function)}
    return len(verdicts), [description for description, found in verdicts.items() if not found]


def caught(check, mutant):
    """Return whether the check raises anything at all."""
    try:
        with np.errstate(all="ignore"):
            check(mutant)
    except (Exception, pytest.fail.Exception):
        return True
    return False


def refuses(node):
    """Return True for what only refuses bad input, which has tests of its own, and for defaults of arguments."""
    if isinstance(node, ast.If):
        return all(isinstance(statement, ast.Raise) for statement in node.body)
    called = (
        node.value.func if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) else None
    )
    return (
        isinstance(node, ast.arguments)
        or "check_" in getattr(called, "id", "") + getattr(called, "attr", "") + "_"
    )


def slips(node, names):
    """Return the functions that change `node`, or give what stands in its place, one for each slip possible here."""
    if isinstance(node, ast.BinOp) and type(node.op) in OTHER_OPERATOR:
        return [lambda n: setattr(n, "op", OTHER_OPERATOR[type(n.op)]()) or n]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        return [exchange]
    if isinstance(node, ast.AugAssign) and type(node.op) in OTHER_OPERATOR:
        return [lambda n: setattr(n, "op", OTHER_OPERATOR[type(n.op)]()) or n]
    if isinstance(node, ast.UnaryOp):
        return [lambda n: n.operand]
    if isinstance(node, ast.Compare) and type(node.ops[0]) in OTHER_COMPARISON:
        return [lambda n: n.ops.__setitem__(0, OTHER_COMPARISON[type(n.ops[0])]()) or n]
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return [lambda n: setattr(n, "value", n.value + 1) or n]
    if isinstance(node, ast.Attribute) and node.attr == "T":
        return [lambda n: n.value]
    if isinstance(node, ast.Attribute) and node.attr in OTHER_FIELD | OTHER_GATE:
        return [lambda n: setattr(n, "attr", (OTHER_FIELD | OTHER_GATE)[n.attr]) or n]
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
        return [lambda n, other=other: setattr(n, "id", other) or n for other in others]
    return []


def exchange(product):
    product.left, product.right = product.right, product.left
    return product


def local_names(tree):
    """Return the names of the arguments and variables of the function, in order of the alphabet."""
    names = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    names |= {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    return sorted(names - {"self"})


def line_of(tree, target):
    """Return the innermost statement (or its head) that holds `target`."""
    holders = [
        n
        for n in ast.walk(tree)
        if isinstance(n, ast.stmt) and any(m is target for m in ast.walk(n))
    ]
    inner = holders[-1]
    return (
        inner
        if isinstance(inner, (ast.Assign, ast.AugAssign, ast.Return, ast.Expr, ast.Raise))
        else target
    )


def replace(tree, old, new):
    """Put `new` in the place of `old`."""
    for parent in ast.walk(tree):
        for field, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, field, new)
            elif isinstance(value, list):
                value[:] = [new if item is old else item for item in value]


def build(tree, name, function):
    namespace = dict(vars(sys.modules[function.__module__]))
    exec(compile(ast.fix_missing_locations(tree), f"mutant of {name}", "exec"), namespace)
    return namespace[name]
