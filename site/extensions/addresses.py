"""Where the book is on the network: [project.urls] of pyproject.toml, or an environment variable.

    Repository      RNN_TUTORIAL_REPOSITORY     https://github.com/OWNER/NAME
    Documentation   RNN_TUTORIAL_SITE_ADDRESS   https://OWNER.github.io/NAME/

What needs an address that is not given is left out of the pages.
"""

import os
import tomllib
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"


@cache
def _urls(project: Path) -> dict[str, str]:
    return tomllib.loads(project.read_text(encoding="utf-8"))["project"].get("urls", {})


def _address(variable: str, name: str) -> str:
    return os.environ.get(variable) or _urls(PROJECT).get(name, "")


def repository() -> str:
    """Return the address of the repository, without a slash at its end, or ""."""
    return _address("RNN_TUTORIAL_REPOSITORY", "Repository").rstrip("/").removesuffix(".git")


def home() -> str:
    """Return the address of the site, with a slash at its end, or ""."""
    address = _address("RNN_TUTORIAL_SITE_ADDRESS", "Documentation")
    return f"{address.rstrip('/')}/" if address else ""
