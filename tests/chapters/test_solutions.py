"""Every exercise has a cell of its own, an empty cell for the answer, and a folded solution."""

import re

import pytest
from chapter_files import NOTEBOOKS, chapter, chapter_number, code_cells, prose, tags

EXERCISE = re.compile(r"^\*\*(\d+\.\d+)\.\*\*", re.MULTILINE)
DETAILS = re.compile(r"^<details>(.*?)^</details>", re.MULTILINE | re.DOTALL)
LESSONS = [path for path in NOTEBOOKS if chapter_number(path)]

each_lesson = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def exercises(path) -> dict[str, list]:
    """Return the cells of each exercise by its number: the question, and what follows it."""
    found: dict[str, list] = {}
    number = None
    for cell in chapter(path).cells:
        if cell.cell_type == "markdown":
            numbers = EXERCISE.findall(cell.source)
            if numbers:
                assert len(numbers) == 1, f"one cell an exercise: {numbers}"
                (number,) = numbers
                assert number not in found, number
            elif re.search(r"^##? ", cell.source, re.MULTILINE):
                number = None
        if number:
            found.setdefault(number, []).append(cell)
    return found


@each_lesson
def test_a_chapter_has_three_exercises_or_more_with_numbers_in_order(path):
    numbers = list(exercises(path))
    assert numbers == [f"{chapter_number(path)}.{k}" for k in range(1, len(numbers) + 1)]
    assert len(numbers) >= 3


@each_lesson
def test_below_an_exercise_is_an_empty_cell_for_the_answer(path):
    for number, (_, answer, *_) in exercises(path).items():
        assert answer.cell_type == "code"
        assert answer.source == f"# your answer to {number}"


@each_lesson
def test_every_exercise_has_a_folded_solution(path):
    for number, (_, _, *solution) in exercises(path).items():
        assert solution, f"{number} has no solution"
        for cell in solution:
            if cell.cell_type == "code":
                assert "hide-cell" in tags(cell), f"the solution of {number} can be seen"
            else:
                assert not DETAILS.sub("", cell.source + "\n").strip(), f"{number}: {cell.source}"


@each_lesson
def test_a_solution_in_code_asserts_something(path):
    for number, (_, _, *solution) in exercises(path).items():
        code = "\n".join(cell.source for cell in solution if cell.cell_type == "code")
        assert not code or re.search(r"^\s*assert\b|assert_|pytest\.raises", code, re.MULTILINE), (
            f"the solution of {number} asserts nothing"
        )


@each_lesson
def test_some_solutions_can_be_run(path):
    assert any(cell.cell_type == "code" for cells in exercises(path).values() for cell in cells[2:])


@each_notebook
def test_what_is_folded_in_the_prose_unfolds_for_all_readers(path):
    text = prose(chapter(path))
    assert len(DETAILS.findall(text)) == text.count("<details") == text.count("</details>")
    for details in DETAILS.findall(text):
        assert re.match(r"\s*<summary>[^<]+</summary>\n\n", details), details[:80]
        assert details.endswith("\n\n"), details[-80:]
        assert "```" not in details, "code that can be run belongs in a cell with the tag hide-cell"


@each_notebook
def test_an_answer_is_not_shown_below_the_request_to_predict_it(path):
    cells = chapter(path).cells
    for cell, following in zip(cells, cells[1:], strict=False):
        moves = "**Predict before you move" in cell.source  # the answer comes when the figure moves
        asked = "**Predict" in cell.source and not moves
        if asked and following.cell_type == "code" and following.outputs:
            assert tags(following) & {"hide-output", "hide-cell"}, following.source


@each_notebook
def test_jupyter_folds_what_the_tags_fold_on_the_site(path):
    for cell in code_cells(chapter(path)):
        folded = cell.metadata.get("jupyter", {})
        hide = {tag.removeprefix("hide-") for tag in tags(cell) if tag.startswith("hide-")}
        assert folded.get("source_hidden", False) == bool(hide & {"input", "cell"}), cell.source
        assert folded.get("outputs_hidden", False) == bool(hide & {"output", "cell"}), cell.source
