"""Assignments and their grader.

In a notebook: `check` and `hidden_test`. For a class: `python -m rnn_course RELEASE SUBMISSION…
--out DIR`.
"""

from rnn_course.check import check, hidden_test

__all__ = ["check", "hidden_test"]
