"""The code of a notebook, to be compared with the code of a module: without types and texts."""

import ast

import jupytext


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
