"""Print how many tests were skipped; fail if one was for want of a judge or of the sandbox's walls: here all is there."""

import re
import sys
from importlib.metadata import version
from xml.etree import ElementTree

JUDGES = (
    "torch",
    "keras",
    "onnx",
    "onnxruntime",
    "onnxscript",
    "safetensors",
    "autograd",
    "EpyNN",
    "nbgrader",
    "joblib",
    "distributed",
)
WALLS = ("bubblewrap is not at work here", "system calls cannot be filtered here")


def main(report: str) -> int:
    for judge in JUDGES:
        print(f"{judge:<12} {version(judge)}")  # fails if it is missing
    cases = list(ElementTree.parse(report).iter("testcase"))
    skips = [skip.get("message", "") for case in cases for skip in case.iter("skipped")]
    without_judge = [
        reason
        for reason in skips
        if re.search(f"could not import '({'|'.join(JUDGES)})\\b", reason)
    ]
    without_walls = [reason for reason in skips if any(words in reason for words in WALLS)]
    print(
        f"{len(skips)} of {len(cases)} tests were skipped, wanting: {len(without_judge)} a judge, {len(without_walls)} walls"
    )
    return 1 if without_judge or without_walls or not cases else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
