"""A pytest plugin for ``pytest --nbval``: numbers are compared as numbers, not as digits.

Another processor or another version of NumPy may change the last digits of a sum. Integers must
be identical, decimals must agree within RTOL or ATOL, and the text between them must be the same.
"""

import copy
import math
import re

from nbval.plugin import IPyNbCell

RTOL, ATOL = 1e-6, 1e-9
NUMBER = re.compile(r"[-+]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?")


def numbers_agree(reference: str, test: str) -> bool:
    """Return whether two printed numbers agree: integers exactly, decimals within RTOL or ATOL."""
    if reference == test:
        return True
    if not any(mark in reference + test for mark in ".eE"):
        return False
    return math.isclose(float(reference), float(test), rel_tol=RTOL, abs_tol=ATOL)


def same_up_to_rounding(reference: str, test: str) -> bool:
    """Return whether two texts have the same words, and numbers that agree; spaces may differ."""
    if NUMBER.sub("#", reference).split() != NUMBER.sub("#", test).split():
        return False
    return all(map(numbers_agree, NUMBER.findall(reference), NUMBER.findall(test)))


def adopt_rounding(reference: dict, test: dict, sanitize) -> None:
    """Copy each text of ``reference`` to ``test`` if the two agree up to rounding."""
    for key in ("text", "text/plain", "text/html", "text/latex", "text/markdown"):
        if (
            key in reference
            and key in test
            and same_up_to_rounding(sanitize(reference[key]), sanitize(test[key]))
        ):
            test[key] = reference[key]


compare_exactly = IPyNbCell.compare_outputs


def compare_outputs(self, test, ref, skip_compare=None):
    """Return nbval's own verdict, after digits that differ by rounding have been made equal.

    nbval offers no public hook for this, so its version is bounded in pyproject.toml and
    tests/chapters/test_nbval_tolerance.py runs it on right and wrong digits.
    """
    test = copy.deepcopy(test)
    for reference_output, test_output in zip(ref, test, strict=False):
        adopt_rounding(reference_output, test_output, self.sanitize)
        adopt_rounding(reference_output.get("data", {}), test_output.get("data", {}), self.sanitize)
    return compare_exactly(self, test, ref, skip_compare)


IPyNbCell.compare_outputs = compare_outputs
