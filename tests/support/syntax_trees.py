"""Functions and classes as syntax trees, without what a chapter may leave out. Not a test file."""

import ast

Definition = ast.FunctionDef | ast.ClassDef


class RemoveDecoration(ast.NodeTransformer):
    """Takes away what a chapter may leave out: docstrings, annotations of functions, decorators."""

    def visit_FunctionDef(self, node):
        node.returns = None
        return self.visit_ClassDef(node)

    def visit_ClassDef(self, node):
        self.generic_visit(node)
        node.decorator_list = []
        first = node.body[0]
        if (
            isinstance(first, ast.Expr)
            and isinstance(first.value, ast.Constant)
            and isinstance(first.value.value, str)
        ):
            node.body = node.body[1:]
        return node

    def visit_arg(self, node):
        node.annotation = None
        return node

    def visit_AnnAssign(self, node):
        """A field of a NamedTuple keeps its place and name; its type may be written in another way."""
        self.generic_visit(node)
        node.annotation = ast.Constant(None)
        return node


def definitions(source: str) -> dict[str, Definition]:
    """The top-level functions and classes of a source text by name."""
    return {node.name: node for node in ast.parse(source).body if isinstance(node, Definition)}


def bare_code(node: Definition) -> str:
    """The code of a function or class without docstring, annotations, decorators, comments and layout."""
    return ast.unparse(RemoveDecoration().visit(ast.parse(ast.unparse(node)).body[0]))
