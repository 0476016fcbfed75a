"""The hidden cases: of each submission its own, and nobody without the secret can draw them."""

import hashlib
import hmac
from functools import cache

from rnn_course.judge.judge import Exam, prepare
from rnn_course.judge.question import Question
from rnn_course.release import questions_of

__all__ = ["entropy_of", "exams_of", "questions"]


@cache
def questions(assignment: str) -> dict[str, Question]:
    """Return {name: Question} of an assignment, made once in each process."""
    return questions_of(assignment)


def entropy_of(secret: bytes, assignment: str, digest: str) -> bytes:
    """Return the bytes from which the hidden cases of a submission are drawn.

    secret: the lecturer's. digest: the hash of the submission, so that a case which a submission
    carries out tells nothing about any other submission, not even the same one with a blank added.

    Raises: ValueError for an empty secret.
    """
    if not secret:
        raise ValueError("secret: expected bytes that no student knows, got none")
    return hmac.digest(secret, f"{assignment}/{digest}".encode(), hashlib.sha256)


def exams_of(assignment: str, secret: bytes, data: bytes) -> dict[str, Exam]:
    """Return {name: Exam} of an assignment for the bytes of one submission."""
    entropy = entropy_of(secret, assignment, hashlib.sha256(data).hexdigest())
    return {name: prepare(question, entropy) for name, question in questions(assignment).items()}
