"""Stored results of experiments that take too long for a chapter; they come with the package."""

from importlib.resources import files
from pathlib import Path

__all__ = [
    "stored_result",
]


def stored_result(name: str) -> Path:
    """Return the path of a stored result, such as "parts.csv".

    The scripts in benchmarks/ make these files, and benchmarks/README.md says what they hold.

    Raises: FileNotFoundError, with the names that exist, for any other name.

    Example:
    >>> stored_result("reber.csv").read_text(encoding="utf-8").splitlines()[1]
    'Elman,457,0.02,0,7168,51200,1.0'
    """
    folder = Path(str(files("rnn_tutorial") / "results"))
    names = sorted(path.name for path in folder.iterdir())
    if name not in names:
        raise FileNotFoundError(
            f"name: expected a stored result ({', '.join(names)}), got {name!r}"
        )
    return folder / name
