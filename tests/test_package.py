"""What `help(rnn_tutorial)` shows is true."""

import doctest

import rnn_tutorial


def test_the_example_in_the_help_of_the_package_runs_as_shown():
    failed, attempted = doctest.testmod(rnn_tutorial)
    assert attempted > 10 and failed == 0
