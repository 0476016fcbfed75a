"""Running the cells of a notebook, all of them or only what its answers need.

It needs the standard library alone: the worker in the sandbox imports it. A statement that raises
does not keep those after it from running, and an import of a library that is not there costs
nothing until the library is used.
"""

import ast
from collections.abc import Callable
from typing import Any

from calls import describe  # type: ignore[import-not-found]
from stand_ins import stand_in  # type: ignore[import-not-found]
from statements import (  # type: ignore[import-not-found]
    STAR,
    Needs,
    Statement,
    future_flags,
    has_code,
    needed,
    statements_of,
    words_of,
)

Tell = Callable[..., None]


def run_notebook(task: dict[str, Any], namespace: dict[str, Any], tell: Tell) -> None:
    """Run the cells of a task in one namespace, as a notebook does.

    given      sources that are run first, as the students received them
    released   sources that are not run where the submission repeats them: checks and tests
    cells      [number, source] of the submission
    locked     the numbers of the cells that the student was not to change
    after      sources that are run last
    answers    names: only what these need of the cells is run. None: everything
    """
    given = [run_given(source, namespace, tell) for source in task.get("given", [])]
    ours = [one for statements in given for one in statements]
    known = {one.essence for one in ours} | essences(task.get("released", []))
    notebook = Notebook(task, known, ours, tell)
    answers = task.get("answers")
    for number, source in task["cells"]:
        if answers is None:
            notebook.parse(number, source)
            run_cell(notebook.parts.get(number, []), namespace, tell)
    if answers is not None:
        wanted = notebook.needed_by(answers)
        for number, _ in task["cells"]:
            statements = notebook.parts.get(number, [])
            run_cell([one for one in statements if id(one) in wanted], namespace, tell)
        tell({"what": "left out", "some": notebook.leaves_out(wanted)})
    for source in task.get("after", []):
        run_given(source, namespace, tell)


def run_given(source: str, namespace: dict[str, Any], tell: Tell) -> list[Statement]:
    """Run a source that is not of the submission; return its Statements."""
    statements = statements_of(0, source)
    run_cell(statements, namespace, tell)
    return list(statements)


def essences(sources: list[str]) -> set[Any]:
    """Return what the statements in sources do."""
    return {one.essence for source in sources for one in statements_of(0, source)}


class Notebook:
    """The cells of a submission, taken apart into statements when they are looked at."""

    def __init__(
        self, task: dict[str, Any], known: set[Any], ours: list[Statement], tell: Tell
    ) -> None:
        """Keep the cells; nothing is taken apart yet."""
        self.cells = task["cells"]
        self.locked = set(task.get("locked", []))
        self.known, self.tell = known, tell
        self.given = {name for one in ours for name in one.binds}
        self.functions = [one for one in ours if isinstance(one.tree, ast.FunctionDef)]
        self.flags = future_flags(source for _, source in self.cells)
        self.parts: dict[int, list[Statement]] = {}

    def parse(self, number: int, source: str) -> None:
        """Store the statements of a cell; tell if it is no Python, or locked and changed."""
        self.tell({"what": "cell", "cell": number})
        try:
            statements = statements_of(number, source, self.flags)
        except BaseException as error:
            self.tell({"what": "cell raised", "cell": number, "error": describe(error)})
            statements = []
        self.parts[number] = [one for one in statements if one.essence not in self.known]
        if self.parts[number] and number in self.locked:
            self.tell({"what": "changed", "cell": number})

    def needed_by(self, answers: list[str]) -> set[int]:
        """Return the identities of the statements that the answers need.

        A cell is taken apart only if it has a word that is needed. In a locked cell, what gives a
        new value to a name that was given is not needed: the given value is right. A function that
        was given may call answers, and then these are needed too.
        """
        needs, wanted, before = Needs(answers), set(), -1
        words = {number: words_of(source) for number, source in self.cells}
        while before < len(needs.names) + len(self.parts):
            before = len(needs.names) + len(self.parts)
            for number, source in self.cells:
                if number not in self.parts and words[number] & (needs.names | {STAR}):
                    self.parse(number, source)
            needed({0: self.functions}, needs)
            wanted = needed({n: self.usable(n) for n in self.parts}, needs)
        return wanted

    def usable(self, number: int) -> list[Statement]:
        """Return the statements of a cell that may be needed."""
        statements = self.parts[number]
        if number not in self.locked:
            return statements
        return [one for one in statements if not one.binds or one.binds - self.given]

    def leaves_out(self, wanted: set[int]) -> bool:
        """Return True if there is more in the notebook than what is wanted."""
        for number, source in self.cells:
            if number not in self.parts and has_code(source):
                return True
        return any(id(one) not in wanted for part in self.parts.values() for one in part)


def run_cell(statements: list[Statement], namespace: dict[str, Any], tell: Tell) -> None:
    """Run the statements of a cell; tell which cell, and what the first that raised raised."""
    raised = False
    if statements:
        tell({"what": "cell", "cell": statements[0].cell})
    for one in statements:
        try:
            exec(one.code, namespace)
        except BaseException as error:  # SystemExit too: what follows is still run
            if not replaced(one, error, namespace, tell) and not raised:
                tell({"what": "cell raised", "cell": one.cell, "error": describe(error)})
                raised = True


def replaced(one: Statement, error: BaseException, namespace: dict[str, Any], tell: Tell) -> bool:
    """Return True if the statement imports a library that is not there.

    Its name then stands for something that raises when it is used.
    """
    if not isinstance(error, ModuleNotFoundError) or not isinstance(
        one.tree, (ast.Import, ast.ImportFrom)
    ):
        return False
    name = one.tree.names[0]
    module = one.tree.module if isinstance(one.tree, ast.ImportFrom) else name.name
    library = (module or "").partition(".")[0]
    short = name.name if isinstance(one.tree, ast.ImportFrom) else library
    namespace[name.asname or short] = stand_in(library)
    tell({"what": "no library", "cell": one.cell, "line": one.tree.lineno, "library": library})
    return True
