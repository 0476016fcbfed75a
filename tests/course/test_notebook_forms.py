"""What students do to a notebook: what is right in Jupyter is right in the gradebook."""

import json
import re
from collections.abc import Callable
from typing import NamedTuple

import pytest

from assignments.bank.entry import graded, released, solutions, submission
from rnn_course.sandbox.outside import Limits

NAME = "01_vanilla"
STEP = solutions(NAME)["rnn_step"]
QUESTIONS = [name for name in solutions(NAME) if not name.startswith("words_")]
ALL, WITHOUT_STEP = 25, 22


class Book:
    """The instructor's answers in the students' notebook, to be changed."""

    def __init__(self):
        self.raw = json.loads(submission(NAME, solutions(NAME)))
        self.cells = self.raw["cells"]

    def __getitem__(self, grade_id):
        return next(c for c in self.cells if grade_id_of(c) == grade_id)

    def first(self, source, grade_id="rnn_step"):
        """Put lines above an answer, in its cell."""
        self[grade_id]["source"] = source + "\n" + self[grade_id]["source"]

    def last(self, source, grade_id="rnn_step"):
        """Put lines below an answer, in its cell."""
        self[grade_id]["source"] += "\n" + source

    def step(self, old, new):
        """Change the text of the first answer."""
        assert old in self["rnn_step"]["source"]
        self["rnn_step"]["source"] = self["rnn_step"]["source"].replace(old, new)

    def add(self, *sources, at=0):
        """Add cells, before all others."""
        self.cells[at:at] = [code(source) for source in sources]

    def code(self):
        return [cell for cell in self.cells if cell["cell_type"] == "code"]

    def keep(self, cells):
        self.cells[:] = cells


def grade_id_of(cell):
    return (cell.get("metadata") or {}).get("nbgrader", {}).get("grade_id")


def code(source, **more):
    cell = {"cell_type": "code", "metadata": {}, "source": source, "outputs": []}
    return cell | {"execution_count": None} | more


def given(book):
    return next(c for c in book.cells if (grade_id_of(c) or "").startswith("given_"))


def text(cell):
    return "".join(cell["source"])


def strip_metadata(book):
    for cell in book.cells:
        cell["metadata"] = {}


def null_metadata(book):
    for cell in book.cells:
        cell["metadata"] = None


def type_into_locked(book):
    given(book)["source"] = text(given(book)) + "\n\nfrom numpy import tanh as squash"
    book.step("np.tanh", "squash")


def break_locked(book):
    given(book)["source"] = text(given(book)) + "\n\nRNNParams = None"


def merge_all(book):
    sources = [text(c) for c in book.code() if not (grade_id_of(c) or "").startswith("test_")]
    book.keep([code("\n\n".join(sources))])


def merge_answers(book):
    for name in QUESTIONS[1:]:
        book.last(text(book[name]))
        book.cells.remove(book[name])


def merge_into_given(book):
    given(book)["source"] = text(given(book)) + "\n\n" + STEP
    book.cells.remove(book["rnn_step"])


def split(book):
    book.step("np.tanh(", "squash(")
    book.add("def squash(a):\n    return twice(a) / 2", "def twice(a):\n    return 2 * np.tanh(a)")


def copied_stub(book):
    stub = json.loads(json.dumps(book["rnn_step"]))
    stub["source"] = "def rnn_step(params, x, h_previous):\n    raise NotImplementedError"
    book.cells.insert(0, stub)


def to_markdown(book):
    book["rnn_step"]["cell_type"] = "markdown"


def into_check(book, prefix="check_"):
    book[prefix + "rnn_step"]["source"] = STEP + "\n" + text(book[prefix + "rnn_step"])
    book.cells.remove(book["rnn_step"])


def crlf(book):
    for cell in book.cells:
        cell["source"] = text(cell).replace("\n", "\r\n")


def as_lists(book):
    for cell in book.cells:
        cell["source"] = text(cell).splitlines(keepends=True)


def indent(book):
    lines = text(book["rnn_step"]).split("\n")
    book["rnn_step"]["source"] = "\n".join("    " + line for line in lines)


def prompts(book):
    first, *rest = STEP.strip().split("\n")
    book["rnn_step"]["source"] = "\n".join([f">>> {first}", *(f"... {line}" for line in rest)])


def by_init(book):
    book.step("np.tanh(", "SQUASH(")
    book.add("def init():\n    global SQUASH\n    SQUASH = __import__('numpy').tanh", "init()")


def by_fill(book):
    book.step("np.tanh(", 'TABLE["squash"](')
    book.add(
        "import numpy as np\nTABLE = {}\ndef fill(table):\n    table['squash'] = np.tanh",
        "fill(TABLE)",
    )


def by_exec(book):
    book["rnn_step"]["source"] = f"exec({STEP!r})"


def big_table(book):
    numbers = ", ".join(["0.12345678"] * 110_000)
    book.add(f"TABLE = [{numbers}, 1.0]")
    book.step("np.tanh(", "TABLE[-1] * np.tanh(")
    assert len(text(book.cells[0])) > 1.2e6


def many_plots(book):
    book["rnn_step"]["outputs"] = [{"data": {"image/png": "A" * 9_500_000}}]


def no_checks(book):
    book.keep([c for c in book.cells if not (grade_id_of(c) or "").startswith(("check_", "test_"))])


def answers_backwards(book):
    answers = [book[name] for name in QUESTIONS]
    book.keep([c for c in book.cells if c not in answers] + answers[::-1])


ENDLESS = "while True: pass"
FALLBACK = (
    "try:\n    from scipy.special import tanhfast as squash\nexcept ImportError:\n"
    "    import numpy\n    squash = numpy.tanh"
)
PARTS = (
    "from __future__ import annotations\n"
    "def squash(x: Array) -> Array:\n    import numpy\n    return numpy.tanh(x)\n"
)


class Form(NamedTuple):
    """A form of notebook."""

    name: str
    change: Callable[[Book], object]
    points: float = ALL
    problem: str | None = None  # what its problem says, a pattern
    seconds: float = 20  # the time limit, which only those reach that never end


FORMS = (
    # what Jupyter has and Python has not
    Form("display", lambda b: b.first("display(1)")),
    Form("display in the answer", lambda b: b.step("    n = ", "    display(x.shape)\n    n = ")),
    Form("help at the end", lambda b: b.last("np.tanh?")),
    Form("help at the start", lambda b: b.first("?np.tanh")),
    Form("source of a function", lambda b: b.last("rnn_step??")),
    Form("files of the shell", lambda b: b.first("files = !ls")),
    Form("a shell command", lambda b: b.first("!pip install numpy")),
    Form("%timeit in an if", lambda b: b.first("if 1:\n    %timeit 1")),
    Form("%time with a result", lambda b: b.first("%time x = 1\nx")),
    Form(
        "%time with a needed result",
        lambda b: (
            b.first("import numpy as np\n%time squash = np.tanh") or b.step("np.tanh(", "squash(")
        ),
    ),
    Form("%%time", lambda b: b.first("%%time")),
    Form("%%capture with a name", lambda b: b.first("\n%%capture out")),
    Form("%matplotlib", lambda b: b.first("%matplotlib inline\n%load_ext autoreload")),
    Form("%%bash cell", lambda b: b.add("%%bash\nls -la | grep x")),
    Form("a semicolon", lambda b: b.last("np.tanh(1);")),
    Form("an indented cell", indent),
    Form("prompts", prompts),
    Form("input", lambda b: b.first("name = input('who? ')")),
    # libraries that are not there
    Form("matplotlib", lambda b: b.first("import matplotlib.pyplot as plt\nplt.rcParams['x'] = 1")),
    Form("numpy and torch in one line", lambda b: b.first("import torch, numpy as np")),
    Form("tqdm", lambda b: b.first("from tqdm import tqdm")),
    Form("IPython", lambda b: b.first("from IPython.display import HTML, clear_output\nHTML('x')")),
    Form(
        "the check again",
        lambda b: b.first("from rnn_course import check") or b.last("check(1, 2)"),
    ),
    Form("a library with a fallback", lambda b: b.first(FALLBACK) or b.step("np.tanh(", "squash(")),
    Form(
        "a library that is needed",
        lambda b: b.first("from scipy.special import expit") or b.step("np.tanh(", "expit("),
        WITHOUT_STEP,
        "rnn_step.* needs scipy, which is not there when your notebook is graded",
    ),
    Form(
        "a library that is needed to define it",
        lambda b: b.first("import numba\n@numba.njit"),
        WITHOUT_STEP,
        "rnn_step.* needs numba, which is not there",
    ),
    Form(
        "annotations from nowhere",
        lambda b: b.first(PARTS) or b.step("np.tanh(", "squash("),
    ),
    # cells that travelled
    Form("typed into a locked cell", type_into_locked),
    Form("a locked cell made wrong", break_locked),
    Form("a given cell deleted", lambda b: b.cells.remove(given(b))),
    Form("a given cell copied", lambda b: b.cells.append(given(b))),
    Form(
        "a given cell moved to the end",
        lambda b: b.cells.append(b.cells.pop(b.cells.index(given(b)))),
    ),
    Form("checks deleted", no_checks),
    Form("no metadata", strip_metadata),
    Form("metadata null", null_metadata),
    Form("answers merged into one cell", merge_answers),
    Form("all cells merged", merge_all),
    Form("an answer merged into the given cell", merge_into_given),
    Form("an answer split over cells", split),
    Form("an answer in the cell of the check", into_check),
    Form("an answer in the cell of the test", lambda b: into_check(b, "test_")),
    Form("a copy of the empty answer", copied_stub),
    Form("answers in the opposite order", answers_backwards),
    Form("an answer in a Markdown cell", to_markdown, WITHOUT_STEP, "rnn_step.*not a code cell"),
    # odd cells
    Form("one cell with metadata null", lambda b: b.cells.append(code("", metadata=None))),
    Form("one cell without a source", lambda b: b.cells.append({"cell_type": "code"})),
    Form(
        "one cell of an unknown kind",
        lambda b: b.cells.append({"cell_type": "chart", "source": ""}),
    ),
    Form("one cell that is a text", lambda b: b.cells.append("x")),
    Form("sources as lists", as_lists),
    Form("line ends of Windows", crlf),
    Form("a source of 1.2 MiB", big_table),
    Form("plots of 9.5 MB", many_plots),
    # what else is run
    Form("a failing assert", lambda b: b.first("assert False")),
    Form("sys.exit", lambda b: b.first("import sys\nsys.exit()")),
    Form("os._exit", lambda b: b.add("import os\nos._exit(3)")),
    Form("an endless cell", lambda b: b.add(ENDLESS)),
    Form("eight endless cells", lambda b: b.cells.extend(code(ENDLESS) for _ in range(8))),
    Form("an endless loop below an answer", lambda b: b.last(ENDLESS)),
    Form("a cell that is not Python", lambda b: b.add("this is no Python")),
    Form("NumPy broken afterwards", lambda b: b.add("np.tanh = None", at=len(b.cells))),
    Form("500 prints", lambda b: b.last("for k in range(500): print(k)")),
    Form(
        "from numpy import *", lambda b: b.first("from numpy import *") or b.step("np.tanh", "tanh")
    ),
    Form("a table that is filled", by_fill),
    Form("a global that a call makes", by_init),
    Form("an answer in exec", by_exec),
    Form(
        "an answer in an if",
        lambda b: b["rnn_step"].update(
            source="if True:\n" + "\n".join("    " + line for line in STEP.split("\n"))
        ),
    ),
    Form(
        "an answer that is endless",
        lambda b: b.step("    n = ", f"    {ENDLESS}\n    n = "),
        WITHOUT_STEP,
        "rnn_step.*did not come to an end within 0.5 s of processor time",
        0.5,
    ),
    Form(
        "an answer that crashes",
        lambda b: b.step("    n = ", "    __import__('os').abort()\n    n = "),
        WITHOUT_STEP,
        "rnn_step.*crashed Python",
    ),
    Form(
        "an answer that is not Python",
        lambda b: b.last("this is no Python"),
        WITHOUT_STEP,
        r"rnn_step.*raised SyntaxError \(line \d+ of cell \d+\)",
    ),
    Form(
        "an answer deleted",
        lambda b: b.cells.remove(b["rnn_step"]),
        WITHOUT_STEP,
        "no function rnn_step",
    ),
    # numbers
    Form("more digits", lambda b: b.step("np.tanh(", "np.tanh(np.longdouble(1) * ")),
)


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    return released(NAME, tmp_path_factory.mktemp("release"))


@pytest.mark.parametrize("form", FORMS, ids=[form.name for form in FORMS])
def test_a_form_of_notebook_earns_what_its_answers_are_worth(release, form):
    book = Book()
    form.change(book)
    report = graded(release, json.dumps(book.raw).encode(), limits=Limits(seconds=form.seconds))
    assert report["points"] == form.points, [report["questions"], report["problem"]]
    if form.problem is None:
        assert report["problem"] is None
    else:
        assert re.search(form.problem, report["problem"])


def test_there_are_at_least_forty_forms():
    assert len({form.name for form in FORMS}) == len(FORMS) >= 40
