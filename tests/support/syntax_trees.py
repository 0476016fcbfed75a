"""Functions and classes as syntax trees, without the parts that a chapter may leave out.

Not a test file.
"""

import ast

Definition = ast.FunctionDef | ast.ClassDef


class RemoveDecoration(ast.NodeTransformer):
    """Removes what a chapter may leave out: docstrings, annotations of functions, decorators."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Return the function without annotation, docstring and decorators."""
        node.returns = None
        return self.visit_ClassDef(node)

    def visit_ClassDef(self, node: Definition) -> ast.AST:
        """Return the definition without docstring and decorators."""
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

    def visit_arg(self, node: ast.arg) -> ast.AST:
        """Return the argument without annotation."""
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        """Return the field with its place and name; its type may be written differently."""
        self.generic_visit(node)
        node.annotation = ast.Constant(None)
        return node


def definitions(source: str) -> dict[str, Definition]:
    """Return the top-level functions and classes of a source text by name."""
    return {node.name: node for node in ast.parse(source).body if isinstance(node, Definition)}


def bare_code(node: Definition) -> str:
    """Return the code of a definition without the parts that a chapter may leave out.

    They are docstring, annotations, decorators, comments and layout.
    """
    return ast.unparse(RemoveDecoration().visit(ast.parse(ast.unparse(node)).body[0]))
