"""Fixtures that the tests of every folder share. conftest.py at the top sets the markers."""

import numpy as np
import pytest


@pytest.fixture
def rng() -> np.random.Generator:
    """Return a random generator that draws the same numbers in every test."""
    return np.random.default_rng(0)
