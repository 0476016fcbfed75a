"""Print how many tests were skipped, and fail if one was skipped because a judge is missing: here all are installed."""

import re
import sys
from importlib.metadata import version
from xml.etree import ElementTree

JUDGES = ("torch", "keras", "onnx", "onnxruntime", "safetensors", "autograd", "EpyNN", "nbgrader", "joblib", "distributed")


def main(report: str) -> int:
    for judge in JUDGES:
        print(f"{judge:<12} {version(judge)}")  # fails if it is missing
    cases = list(ElementTree.parse(report).iter("testcase"))
    skips = [skip.get("message", "") for case in cases for skip in case.iter("skipped")]
    without_judge = [reason for reason in skips if re.search(f"could not import '({'|'.join(JUDGES)})\\b", reason)]
    print(f"{len(skips)} of {len(cases)} tests were skipped, {len(without_judge)} of them for want of a judge")
    return 1 if without_judge or not cases else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
