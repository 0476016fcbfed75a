"""Fixtures that the tests of every folder share; the markers of the folders are set in conftest.py at the top."""

import numpy as np
import pytest


@pytest.fixture
def rng() -> np.random.Generator:
    """A random generator that draws the same numbers in every test."""
    return np.random.default_rng(0)
