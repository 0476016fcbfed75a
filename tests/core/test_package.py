"""What `help(rnn_tutorial)` shows is true."""

import doctest
import importlib
import pkgutil

import pytest

import rnn_tutorial

MODULES = [module.name for module in pkgutil.walk_packages(rnn_tutorial.__path__, "rnn_tutorial.")]


def test_the_example_in_the_help_of_the_package_runs_as_shown():
    failed, attempted = doctest.testmod(rnn_tutorial)
    assert attempted > 10 and failed == 0


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_every_docstring_run_as_shown(name):
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert failed == 0
