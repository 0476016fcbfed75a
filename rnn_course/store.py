"""The folder of an assignment's results: names of its files, and writing them completely."""

import hashlib
import json
import os
import secrets
from pathlib import Path
from typing import Any

from rnn_tutorial.replacing import replacing

__all__ = [
    "file_of",
    "move_stale",
    "read_secret",
    "stored_report",
    "write",
]

SECRET_BYTES = 32


def file_of(folder: Path, student: str, suffix: str) -> Path:
    """Return the path of a student's file in a folder, a different one for each name.

    A name may have any characters and any length.
    """
    safe = "".join(c if c.isalnum() or c in "-_. " else f"%{ord(c):x}" for c in student)
    safe = f"%2e{safe[1:]}" if safe.startswith(".") else safe
    if len(safe.encode()) > 120:
        digest = hashlib.sha256(student.encode()).hexdigest()[:16]
        safe = f"{safe.encode()[:80].decode(errors='ignore')}%{digest}"
    return folder / f"{safe}{suffix}"


def write(path: Path, text: str) -> None:
    """Write a file completely or not at all, and not if it has this text already."""
    data = text.encode("utf-8", "backslashreplace")
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_file() and path.read_bytes() == data:
        return
    with replacing(path) as file:
        file.write(data)


def stored_report(out: Path, student: str, key: str | None) -> dict[str, Any] | None:
    """Return the grader's report that is in `out`, or None.

    key: what it was made from; None takes any report of this student.
    """
    try:
        text = file_of(out / "reports", student, ".json").read_text(encoding="utf-8")
        report = json.loads(text)
    except (OSError, ValueError):
        return None
    if not isinstance(report, dict) or report.get("student") != student:
        return None
    return report if key is None or report.get("key") == key else None


def read_secret(path: Path) -> bytes:
    """Return the secret of a file, from which the hidden cases are drawn; make it if needed.

    Raises: ValueError for a file with less than 16 bytes.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        data = path.read_bytes()
        if len(data) < 16:
            raise ValueError(
                f"secret: expected at least 16 bytes that nobody can guess, {path} has {len(data)}"
            ) from None
        return data
    with open(descriptor, "wb") as file:
        data = secrets.token_bytes(SECRET_BYTES)
        file.write(data)
    return data


def move_stale(out: Path, names: set[str]) -> None:
    """Put the pages in feedback/ that do not have one of the names into withdrawn/.

    Gradescope's files of the same students are removed.
    """
    for path in sorted((out / "feedback").glob("*.html")):
        if path.name not in names:
            (out / "withdrawn").mkdir(exist_ok=True)
            os.replace(path, out / "withdrawn" / path.name)
            (out / "results" / path.name).with_suffix(".json").unlink(missing_ok=True)
