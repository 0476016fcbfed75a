"""Stored results are found wherever the package is."""

from pathlib import Path

import pytest

import rnn_tutorial
from rnn_tutorial.data import stored_result


def test_a_stored_result_is_found_from_any_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    path = stored_result("parts.csv")
    assert path.is_file() and path.parent.parent == Path(rnn_tutorial.__file__).parent


@pytest.mark.parametrize("name", ["part.csv", "", ".", "../__init__.py", None])
def test_an_unknown_name_is_refused_with_the_names_that_exist(name):
    with pytest.raises(FileNotFoundError, match="expected a stored result .*parts.csv, reber.csv"):
        stored_result(name)
