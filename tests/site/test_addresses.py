"""Buttons that need an address are on the pages exactly when there is one."""

import sys

import pytest
from chapter_files import ROOT


@pytest.fixture
def extensions(monkeypatch):
    """Let the extensions of the site be imported, without an address in the environment."""
    pytest.importorskip("sphinx")
    monkeypatch.syspath_prepend(str(ROOT / "site" / "extensions"))
    for name in ("RNN_TUTORIAL_REPOSITORY", "RNN_TUTORIAL_SITE_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    yield monkeypatch
    for name in ("addresses", "downloads"):
        sys.modules.pop(name, None)


def test_an_address_of_the_environment_comes_before_that_of_the_project(extensions, tmp_path):
    import addresses

    project = tmp_path / "pyproject.toml"
    project.write_text('[project.urls]\nRepository = "https://github.com/a/b.git"\n')
    extensions.setattr(addresses, "PROJECT", project)
    assert addresses.repository() == "https://github.com/a/b" and addresses.home() == ""
    extensions.setenv("RNN_TUTORIAL_REPOSITORY", "https://github.com/c/d/")
    extensions.setenv("RNN_TUTORIAL_SITE_ADDRESS", "https://c.github.io/d")
    assert addresses.repository() == "https://github.com/c/d"
    assert addresses.home() == "https://c.github.io/d/"


def test_colab_and_binder_open_the_chapter_and_are_left_out_without_an_address(extensions):
    from downloads import elsewhere

    colab, binder = elsewhere("chapters/03_through_time", "https://github.com/a/b")
    assert colab["url"] == (
        "https://colab.research.google.com/github/a/b/blob/main/chapters/03_through_time.ipynb"
    )
    assert binder["url"] == (
        "https://mybinder.org/v2/gh/a/b/main?urlpath=lab/tree/chapters/03_through_time.ipynb"
    )
    assert elsewhere("chapters/03_through_time", "") == []
    assert elsewhere("chapters/03_through_time", "https://gitlab.com/a/b") == []
