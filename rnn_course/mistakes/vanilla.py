"""The mistakes of assignment 1, each an edit of a solution in rnn_course/questions/vanilla.py."""

from rnn_course.judge.mistake import Mistake

__all__ = ["MISTAKES"]

MISTAKES: dict[str, tuple[Mistake, ...]] = {}
