"""Every solution of an exercise runs after the cells of its chapter, and its assertions hold."""

import re
import textwrap

import matplotlib.pyplot as plt
import pytest
from chapter_files import NOTEBOOKS, chapter_number, code_cells, prose, read, tags

DETAILS = re.compile(r"^<details>(.*?)^</details>", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
LESSONS = [path for path in NOTEBOOKS if chapter_number(path)]


def solutions(markdown: str) -> list[str]:
    """Return the code of every folded solution that has code."""
    return [
        "\n".join(CODE.findall(details))
        for details in DETAILS.findall(markdown)
        if CODE.search(details)
    ]


def all_solutions() -> list:
    """Return one test for every solution, named by its chapter and its number."""
    return [
        pytest.param(path, code, id=f"{path.stem}-{i}")
        for path in NOTEBOOKS
        for i, code in enumerate(solutions(prose(read(path))), start=1)
    ]


def run_chapter(path) -> dict:
    """Return the names that the cells of a chapter define, without those of long experiments."""
    names = {"__name__": "__main__"}
    for i, cell in enumerate(code_cells(read(path)), start=1):
        if "experiment" in tags(cell):
            continue
        code = compile(cell.source, f"{path.stem}[{i}]", "exec")
        if "raises-exception" in tags(cell):
            with pytest.raises(Exception):  # noqa: B017
                exec(code, names)
        else:
            exec(code, names)
        plt.close("all")
    return names


@pytest.fixture(scope="module")
def chapter_names():
    """Return a function that gives the names of a chapter, and runs it the first time."""
    known = {}
    return lambda path: known[path] if path in known else known.setdefault(path, run_chapter(path))


@pytest.mark.filterwarnings("ignore:FigureCanvasAgg is non-interactive")
@pytest.mark.parametrize(("path", "code"), all_solutions())
def test_a_solution_runs_after_its_chapter_and_its_assertions_hold(
    path, code, chapter_names, monkeypatch
):
    monkeypatch.chdir(path.parent)
    exec(compile(code, f"{path.stem} solution", "exec"), dict(chapter_names(path)))
    plt.close("all")


@pytest.mark.parametrize(("path", "code"), all_solutions())
def test_a_solution_asserts_something(path, code):
    assert re.search(r"^\s*assert\b|assert_|pytest\.raises", code, re.MULTILINE)


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_chapter_has_three_exercises_with_solutions_or_more(path):
    text = prose(read(path))
    assert len(DETAILS.findall(text)) >= 3
    assert solutions(text)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_solution_is_folded_in_a_way_that_all_readers_unfold(path):
    text = prose(read(path))
    assert len(DETAILS.findall(text)) == text.count("<details") == text.count("</details>")
    for details in DETAILS.findall(text):
        assert re.match(r"\s*<summary>[^<]+</summary>\n\n", details), details[:80]
        assert details.endswith("\n\n"), details[-80:]


def test_code_is_found_in_a_folded_solution():
    text = textwrap.dedent("""
        <details><summary>Solution</summary>

        Words.

        ```python
        a = 1
        ```

        ```python
        assert a == 1
        ```

        </details>

        ```python
        not in a solution
        ```
        """)
    assert solutions(text) == ["a = 1\n\nassert a == 1\n"]
