"""The code of a notebook, to be compared with the code of a module: without types and texts."""

import ast
import inspect
from collections import Counter
from functools import cache
from pathlib import Path

import jupytext

CHAPTERS = Path(__file__).resolve().parents[2] / "chapters"


class Bare(ast.NodeTransformer):
    """Functions without types and docstrings."""

    def visit_FunctionDef(self, node):
        self.generic_visit(node)
        node.returns, node.args.args = None, [ast.arg(a.arg) for a in node.args.args]
        node.body = [part for part in node.body if not is_text(part)]
        return node


def is_text(node):
    """Return True for a text by itself, such as a docstring."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def bare(source):
    """Return the source without types and docstrings, in one form."""
    return ast.unparse(ast.fix_missing_locations(Bare().visit(ast.parse(source))))


def cells(path):
    """Return the sources of the code cells of a notebook as text."""
    return [cell.source for cell in jupytext.read(path).cells if cell.cell_type == "code"]


def statements(source):
    """Count the statements of a source without their bodies, with all names replaced by one."""
    tree, found = ast.parse(source), Counter()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            node.id = "x"
        elif isinstance(node, ast.arg):
            node.arg, node.annotation = "x", None
    for node in ast.walk(tree):
        if isinstance(node, (ast.Assign, ast.AugAssign, ast.Return)):
            found[ast.unparse(node)] += 1
        elif isinstance(node, ast.For):
            found[f"for {ast.unparse(node.target)} in {ast.unparse(node.iter)}"] += 1
    return found


@cache
def statements_of_chapters():
    """Return the statements of each code cell of all chapters."""
    paths = sorted(CHAPTERS.glob("[0-9][0-9]_*.md"))
    return [statements(source) for path in paths for source in cells(path)]


def share_in_a_chapter(function):
    """Return the largest share of the statements of a function that one cell of a chapter has."""
    own = statements(inspect.getsource(function))
    return max((own & other).total() for other in statements_of_chapters()) / own.total()
