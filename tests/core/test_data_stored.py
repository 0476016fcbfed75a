"""Stored results are found wherever the package is."""

from pathlib import Path

import pytest

import rnn_tutorial
from rnn_tutorial.data import read_table, stored_result


def test_a_stored_result_is_found_from_any_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    path = stored_result("parts.csv")
    assert path.is_file() and path.parent.parent == Path(rnn_tutorial.__file__).parent


@pytest.mark.parametrize("name", ["part.csv", "", ".", "../__init__.py", None])
def test_an_unknown_name_is_refused_with_the_names_that_exist(name):
    with pytest.raises(FileNotFoundError, match="expected a stored result .*parts.csv, reber.csv"):
        stored_result(name)


def test_the_values_of_a_table_have_their_types(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text('# a note\nname,n,x,left\n"f 1, i 0",3,-2.5e-7,\nb,-1,2.0,7\n')
    assert read_table(path) == [
        {"name": "f 1, i 0", "n": 3, "x": -2.5e-7, "left": None},
        {"name": "b", "n": -1, "x": 2.0, "left": 7},
    ]
    assert [type(value) for value in read_table(path)[1].values()] == [str, int, float, int]
